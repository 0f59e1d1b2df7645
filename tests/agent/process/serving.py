"""Run ``voice-agent serve`` as a process of its own, with providers that need no models."""

from __future__ import annotations

import asyncio
import json
import os
import signal
import subprocess
import sys
import uuid
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from types import MappingProxyType
from typing import IO, Any

import agent
from tests.agent.loopback import until
from tests.journals import lines_of
from tests.patience import PATIENCE

ROOT = Path(agent.__file__).parent.parent

ANY_LOAD = {
    "STT__PROVIDER": "tests.agent.process.any_load:Transcriber",
    "SERVER__CONNECT_TIMEOUT": "60",
}
"""Settings of a service that takes all calls however busy the machine is, and gives callers time to
say who they are."""

UNHURRIED = {"TURNS__FILLER_AFTER": "600", "TURNS__IDLE_AFTER": "600"}
"""Settings of a service that says nothing because an answer, or the caller, is late: either is on a
machine that is busy, and then a story would not be the one that was to be told."""

SETTINGS: Mapping[str, str] = {
    **ANY_LOAD,
    **UNHURRIED,
    "LLM__PROVIDER": "scripted",
    "TTS__PROVIDER": "scripted",
    "VAD__GATE": "webrtcvad",
    "VAD__JUDGE": "none",
    "TURNS__MODEL": "none",
    "SERVER__PORT": "0",
    "RECORDS__KEEP_FILES": "true",
    "LOG__FORMAT": "json",
}

AT_LEISURE = {f"VOICE_AGENT_{name}": value for name, value in UNHURRIED.items()}
"""The same, as the environment of a process has it."""

SERVE_AT_ANY_LOAD = [
    *(sys.executable, "-c"),
    "from tests.agent.process.any_load import main; main()",
]
"""``voice-agent serve`` that does so whatever its providers are; with the checkout on its path."""

AGENT = """---
greeting: Hello, who is this?
goodbye: Bye now.
---
Be brief.
"""


@dataclass
class ServiceProcess:
    """The process, and where to find it."""

    process: asyncio.subprocess.Process
    folder: Path
    url: str
    """Of the stream endpoint."""

    errors: Path
    """What it has written to stderr, if that is a file."""

    tasks: set[asyncio.Task[None]] = field(default_factory=set)

    @property
    def base(self) -> str:
        return self.url.replace("ws://", "http://").rpartition("/")[0]

    def kill(self, number: int = signal.SIGKILL) -> None:
        self.process.send_signal(number)

    async def ended(self, within: float = PATIENCE) -> int:
        """Return its exit status."""
        async with asyncio.timeout(within):
            return await self.process.wait()

    def lines(self, kind: str = "") -> list[dict[str, Any]]:
        """Return the lines of all transcripts, or those of a kind."""
        return lines_of(self.folder / "transcripts", kind)

    def logged(self, event: str = "") -> list[dict[str, Any]]:
        """Return the lines of the log, or those of one text."""
        found = [json.loads(line) for line in self.errors.read_text().splitlines()]
        return [line for line in found if not event or line["event"] == event]


def prepare(folder: Path, agent_file: str = AGENT) -> None:
    """Make the folder of a service, with an agent."""
    prompts = folder / "prompts"
    prompts.mkdir(parents=True, exist_ok=True)
    (prompts / "reception.md").write_text(agent_file)


def environment(settings: Mapping[str, str]) -> dict[str, str]:
    """Return the environment of a process of ours."""
    ours = {f"VOICE_AGENT_{name}": value for name, value in {**SETTINGS, **settings}.items()}
    return {**os.environ, **ours, "PYTHONPATH": str(ROOT)}


@asynccontextmanager
async def serving(
    folder: Path,
    settings: Mapping[str, str] = MappingProxyType({}),
    *,
    stderr: int | IO[bytes] | None = None,
    preexec: Any = None,
    agent_file: str = AGENT,
    announced: bool = True,
    folder_on_path: bool = False,
) -> AsyncIterator[ServiceProcess]:
    """Run the service in ``folder`` until the block is left; it is killed then, if it is there.

    Args:
        folder: Where it runs; two processes in one folder share its database and transcripts.
        settings: By the names of their variables, without the prefix.
        stderr: Where its log goes; unless it is given, to a file.
        preexec: Done in the new process before it begins.
        agent_file: Of the usual agent.
        announced: Whether it says where it listens; if not, it is enough that it takes signals.
        folder_on_path: Whether providers may be in the folder.
    """
    prepare(folder, agent_file)
    errors = folder / f"stderr-{uuid.uuid4().hex[:8]}"
    with errors.open("wb") as file:
        process = await asyncio.create_subprocess_exec(
            *(sys.executable, "-m", "agent.cli", "serve"),
            cwd=folder,
            env=environment(settings)
            | ({"PYTHONPATH": f"{ROOT}:{folder}"} if folder_on_path else {}),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=file if stderr is None else stderr,
            preexec_fn=preexec,
        )
    try:
        yield ServiceProcess(process, folder, await _address(process, errors, announced), errors)
    finally:
        if process.returncode is None:
            process.kill()
            await process.wait()


async def _address(process: asyncio.subprocess.Process, errors: Path, announced: bool) -> str:
    """Return where it listens, once it does; ``""`` if it says nothing of that."""
    assert process.stdout is not None
    async with asyncio.timeout(PATIENCE):
        if not announced:
            # From then on signals are its own.
            await until(lambda: "the tables of the database" in _read(errors))
            return ""
        line = (await process.stdout.readline()).decode()
    assert line.startswith("listening on "), _read(errors)
    return line.split()[-1]


def _read(errors: Path) -> str:
    return errors.read_text()
