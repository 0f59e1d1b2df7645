#!/usr/bin/env python3
r"""Put this checkout and the packages of a lock into ``.venv``, and say what is being done.

Run as ``python3 deploy/install.py``, or on Windows ``py deploy\install.py``; ``make serve`` and
``make test`` do. It needs nothing but Python. Every package is a wheel that the lock has the hash
of, so nothing of anybody else's is run while it installs. Running it again is quick and safe, and
so is stopping it.
"""

from __future__ import annotations

import argparse
import contextlib
import os
import platform
import queue
import re
import subprocess
import sys
import threading
import time
import venv
from collections.abc import Iterator, Sequence
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent

OLDEST, TOO_NEW = (3, 11), (3, 15)
"""As `requires-python` has it, which is as far as every package of the locks has wheels."""

COMPILES = {"PYTHONDONTWRITEBYTECODE": ""}
"""Environment: what was imported is kept compiled, whatever is usual on this machine."""

TELL_EVERY = 5.0
"""Seconds without news after which the wait is told of."""

SERVING = (
    "agent.server.start",
    "pipelines.providers.lookup.model",
    "pipelines.providers.moonshine",
    "pipelines.providers.openai_chat",
    "pipelines.providers.piper",
)
"""What is compiled: what a start imports. All packages would be 100 MB and ten seconds more."""

EVERYTHING = (
    "import compileall, sysconfig; "
    "compileall.compile_dir(sysconfig.get_path('purelib'), quiet=2, workers=0)"
)
"""What is compiled for tests, which take warnings for errors: those of compiling others' packages
are no matter of theirs."""

SPEECH_TO_TEXT = "moonshine-voice"
"""The package of the local speech-to-text: the only one that not all platforms have."""


class InstallError(Exception):
    """It cannot be installed; the message says why, and what to do."""


def main() -> int:
    """Install; return the exit status."""
    parser = argparse.ArgumentParser(description="install what the agent needs into .venv")
    parser.add_argument("--dev", action="store_true", help="what the tests need besides")
    parser.add_argument("--into", type=Path, default=ROOT / ".venv", metavar="FOLDER")
    options = parser.parse_args()
    try:
        install(options.into, dev=options.dev)
    except InstallError as error:
        print(error, file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        print("stopped; run it again to go on", file=sys.stderr)
        return 130
    return 0


def install(folder: Path, *, dev: bool) -> None:
    """Make the environment in ``folder`` hold what a lock pins, and this checkout.

    Args:
        folder: It is made if it is not there.
        dev: Whether what the tests need is installed as well.

    Raises:
        InstallError: If a step fails. What is done stays; run it again.
    """
    began = time.monotonic()
    if not OLDEST <= sys.version_info[:2] < TOO_NEW:
        raise InstallError(
            f"Python {platform.python_version()} will not do: 3.11 to 3.14 will; "
            "try: make PYTHON=python3.12"
        )
    print(f"making the environment {folder}", flush=True)
    venv.EnvBuilder(with_pip=True, symlinks=sys.platform != "win32").create(folder)
    python = folder / ("Scripts/python.exe" if sys.platform == "win32" else "bin/python")
    lock = "requirements-dev.lock" if dev else "requirements.lock"
    pins = (ROOT / lock).read_text(encoding="utf-8")
    reason = lacks_speech_to_text(
        sys.platform, platform.machine(), platform.libc_ver(), platform.mac_ver()[0]
    )
    if reason:
        print(
            f"no local speech-to-text: {reason}. Everything else is installed; choose a service: "
            "[stt] provider = ... in voice-agent.toml",
            flush=True,
        )
        pins = without(SPEECH_TO_TEXT, pins)
    with_pip(python, pins, folder)
    print("putting this checkout into it", flush=True)
    checkout = ["--no-deps", "--no-build-isolation", "--editable", str(ROOT)]
    run([str(python), "-m", "pip", "install", "--disable-pip-version-check", *checkout], folder)
    print("compiling", flush=True)
    run([str(python), "-c", EVERYTHING if dev else f"import {', '.join(SERVING)}"], folder)
    took = time.monotonic() - began
    print(f"installed: {megabytes(folder):,} MB in {took:.0f} s", flush=True)


def lacks_speech_to_text(system: str, machine: str, libc: tuple[str, str], macos: str) -> str:
    """Say why this machine cannot have the local speech-to-text; ``""`` if it can.

    Args:
        system: As ``sys.platform``.
        machine: As ``platform.machine()``.
        libc: Its name and version; only on Linux.
        macos: Its version; only there.
    """
    machine = machine.lower()
    if system == "linux" and machine in ("x86_64", "aarch64"):
        needed = (2, 34) if machine == "x86_64" else (2, 31)
        name, version = libc
        if name != "glibc" or _version(version) < needed:
            have = f"{name} {version}".strip() or "another libc"
            return f"it needs glibc {needed[0]}.{needed[1]}, and this is {have}"
        return ""
    if system == "darwin" and machine == "arm64":
        return "" if _version(macos) >= (15,) else f"it needs macOS 15, and this is {macos}"
    if system == "win32" and machine == "amd64":
        return ""
    return f"there is none for {system} on {machine}"


def _version(text: str) -> tuple[int, ...]:
    return tuple(int(part) for part in re.findall(r"\d+", text))


def without(package: str, pins: str) -> str:
    """Return the text of a lock without one package."""
    return re.sub(rf"^{re.escape(package)}==(?:.*\\\n)*.*\n", "", pins, flags=re.MULTILINE)


def with_pip(python: Path, pins: str, folder: Path) -> None:
    """Have pip install ``pins``, the text of a lock; tell each package as it comes.

    Raises:
        InstallError: If pip fails.
    """
    most = len(re.findall(r"^[a-z0-9][\w.-]*==", pins, re.MULTILINE))
    print("fetching packages", flush=True)
    lock = folder / "installing.lock"
    lock.write_text(pins, encoding="utf-8")
    options = ["--disable-pip-version-check", "--progress-bar", "off", "--no-compile", "--no-deps"]
    options += ["--only-binary", ":all:", "--require-hashes", "-r", str(lock)]
    run([str(python), "-m", "pip", "install", *options], folder, most)
    lock.unlink()


_FETCHED = re.compile(
    r"\s*(Downloading|Using cached|Processing) (\S*/)?"
    r"(?P<package>[^\s/-]+-[^\s/-]+)-[^\s/]+\.whl(?P<size> \([\d.]+ \w+\))?"
)
"""What pip says of a package that it has got, or is about to get."""


def run(command: Sequence[str], folder: Path, most: int = 0) -> None:
    """Run a step; print a line for each package that pip fetches, and one now and then.

    Args:
        command: What to run.
        folder: What it fills.
        most: Packages that it may fetch.

    Raises:
        InstallError: If it fails: what it said last.
    """
    last: list[str] = []
    what, number, began = "working", 0, time.monotonic()
    for line in lines_of(command):
        if line is None:
            took = f"{time.monotonic() - began:.0f} s"
            print(f"    ... {what} for {took}, {megabytes(folder):,} MB on disk", flush=True)
            continue
        last = [*last[-14:], line]
        most -= line.startswith("Ignoring ")  # a package for another platform
        if fetched := _FETCHED.match(line):
            number += 1
            what = f"{fetched['package']}{fetched['size'] or ''}"
            print(f"  {number:3} of {most} {what}", flush=True)
        elif number and line.startswith("Installing collected packages"):
            what = "unpacking"
            print("unpacking", flush=True)
    status = int(last[-1])
    if status:
        said = "\n".join(last[:-1])
        raise InstallError(f"{said}\nit failed; run it again once that is mended")


def lines_of(command: Sequence[str]) -> Iterator[str | None]:
    """Yield the lines of a command as they come, None at each long wait, its status last."""
    lines: queue.Queue[str | None] = queue.Queue()
    process = subprocess.Popen(  # noqa: S603 - pip, and this checkout's own modules
        command,
        cwd=ROOT,
        env=os.environ | COMPILES,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )

    def read() -> None:
        for line in process.stdout or ():
            lines.put(line.rstrip())
        lines.put(None)

    with process:
        threading.Thread(target=read, daemon=True).start()
        while True:
            try:
                line = lines.get(timeout=TELL_EVERY)
            except queue.Empty:
                yield None
                continue
            if line is None:
                break
            yield line
    yield str(process.returncode)


def megabytes(folder: Path) -> int:
    """Return what is in a folder, in blocks of 4 KiB as most disks have them.

    Files may come and go meanwhile.
    """
    total = 0
    for where, _, names in os.walk(folder):
        for name in names:
            with contextlib.suppress(FileNotFoundError):
                total += -(-os.lstat(Path(where, name)).st_size // 4096) * 4096
    return total >> 20


if __name__ == "__main__":
    sys.exit(main())
