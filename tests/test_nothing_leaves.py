"""What serving a call with the local models writes: in its own folders; whom it asks: nobody."""

from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent

WATCHED = """
import atexit, os, sys

SEEN = []

def watch(event, arguments):
    if event in ("socket.getaddrinfo", "socket.gethostbyname", "socket.gethostbyaddr"):
        SEEN.append(f"looked up {arguments[0]!r}")
    elif event in ("socket.connect", "socket.sendto"):
        SEEN.append(f"connected to {arguments[1]!r}")
    elif event == "open":
        path, mode, flags = arguments
        writes = any(sign in mode for sign in "wax+") if isinstance(mode, str) else False
        writes = writes or (flags & (os.O_WRONLY | os.O_RDWR | os.O_CREAT))
        if writes and not isinstance(path, int):
            SEEN.append(f"wrote {os.path.abspath(os.fsdecode(path))}")
    elif event in ("os.rename", "os.symlink", "os.link", "subprocess.Popen", "os.exec"):
        SEEN.append(f"{event} {arguments[0]!r}")

sys.addaudithook(watch)

def tell():
    seen = list(SEEN)
    with open(os.environ["SEEN"], "w") as file:
        file.write("\\n".join(seen))

atexit.register(tell)
from tests.agent.process.any_load import main
main()
"""
"""Runs the service, and notes what it asks of the system; native code is not seen by this."""


def everything(folder: Path) -> set[str]:
    return {str(path.relative_to(folder)) for path in folder.rglob("*")}


@pytest.mark.timeout(240)
def test_a_call_leaves_its_record_and_nothing_else(tmp_path: Path) -> None:
    """No file beside transcripts and database, which are private; no look-up, no connection."""
    home, work, temporary = (tmp_path / name for name in ("home", "work", "temporary"))
    for folder in (home, work, temporary):
        folder.mkdir()
    seen, trace = tmp_path / "seen", tmp_path / "trace"
    env = {k: v for k, v in os.environ.items() if not k.startswith(("XDG_", "ORT_", "VOICE_"))}
    env |= {"HOME": str(home), "TMPDIR": str(temporary), "SEEN": str(seen)}
    env["VOICE_AGENT_SERVER__PORT"] = "0"
    env |= {"PYTHONPATH": str(ROOT), "PYTHONDONTWRITEBYTECODE": "1"}
    command = [sys.executable, "-c", WATCHED]
    strace = shutil.which("strace")
    if strace is not None and _may_trace(strace):
        calls = "connect,sendto,sendmsg,sendmmsg"
        command = [strace, "-f", "-qq", "-e", f"trace={calls}", "-o", str(trace), *command]
    with (tmp_path / "log").open("w") as log:
        service = subprocess.Popen(
            command, cwd=work, env=env, stdout=subprocess.PIPE, stderr=log, text=True
        )
    assert service.stdout is not None
    try:
        url = service.stdout.readline().rpartition(" ")[2].strip()
        assert url.startswith("ws://"), (tmp_path / "log").read_text()
        asked = [sys.executable, "-m", "agent.cli", "call", url, "--json"]
        done = subprocess.run(
            [*asked, "--say", "What time do you open on Sunday?"],
            capture_output=True,
            text=True,
            timeout=120,
            env=os.environ | {"PYTHONPATH": str(ROOT)},
            check=False,
        )
        assert done.returncode == 0, done.stderr
        assert json.loads(done.stdout)["exchanges"]
    finally:
        _interrupt(service.pid)
        service.wait(60)
        service.stdout.close()
    assert everything(home) == set()
    assert everything(temporary) == set()
    left = {Path(name).parts[0] for name in everything(work)}
    assert "transcripts" in left
    assert {name for name in left if not name.startswith("voice-agent.db")} == {
        "transcripts",
        "phrases",
    }
    loose = [path for path in work.rglob("*") if path.stat().st_mode & 0o077]
    assert loose == []
    odd = [line for line in seen.read_text().splitlines() if not _is_usual(line, work, seen)]
    assert odd == []
    if trace.exists():
        outside = [line for line in trace.read_text().splitlines() if "sa_family=AF_INET" in line]
        assert outside == []


def _is_usual(line: str, work: Path, seen: Path) -> bool:
    """Return whether this is the service's own folder, or no file at all."""
    what, _, where = line.partition(" ")
    if what == "wrote":
        return where.startswith((f"{work}/", "/dev/fd/")) or where in (os.devnull, str(seen))
    if what == "os.rename":
        return f"'{work}/" in where or where.startswith(("'phrases/", "PosixPath('phrases/"))
    if what == "subprocess.Popen":  # the turn model's process, which opens no file to write
        return where == repr(sys.executable)
    # The address that it listens on.
    return line.startswith("looked up") and ("127.0.0.1" in line or "None" in line)


def _may_trace(strace: str) -> bool:
    """Return whether this process may trace another: containers forbid it."""
    tried = subprocess.run([strace, "-qq", "true"], capture_output=True, check=False)
    return tried.returncode == 0


def _interrupt(pid: int) -> None:
    """Have the service stop: it, or the child of what traces it."""
    children = Path(f"/proc/{pid}/task/{pid}/children")
    found = children.read_text().split() if children.exists() else []
    for one in found or [str(pid)]:
        os.kill(int(one), signal.SIGTERM)
