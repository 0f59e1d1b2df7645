"""Processes that the load tool starts for itself: the providers, and a service to be measured."""

from __future__ import annotations

import asyncio
import json
import os
import sys
import tempfile
from asyncio.subprocess import DEVNULL, PIPE, Process
from collections.abc import AsyncIterator, Iterator, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from importlib.resources import files
from pathlib import Path
from typing import Literal

from agent.bench.providers import FIXED, RATE
from agent.bench.speech import RATE as LINE_RATE

STARTS_WITHIN = 60.0
"""Seconds until it says that it is ready; with models to load, on a busy machine."""

ENDS_WITHIN = 15.0
"""Seconds from SIGTERM until it is killed."""

SECRETS = ("_KEY", "_TOKEN", "_SECRET", "_PASSWORD")
"""Ends of names of variables that a child is not given: it asks nobody but us."""

AGENT = """---
language: en
greeting: Hello, you have reached the bakery. How can I help?
---
Be kind, and be brief.
"""

FIXED_SILENCE: dict[str, object] = {"model": "none", "drafting": False}
"""Settings of ``turns`` with which a turn ends by ``vad.end_after`` and is answered only then."""

TurnModel = Literal["none", "smart-turn"]


class ChildError(Exception):
    """A process did not start; the message says what it said."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Child:
    """A process of ours."""

    pid: int
    says: str
    """The first line that it printed."""


def provider_settings(base_url: str) -> dict[str, dict[str, object]]:
    """Return the settings with which the service asks the providers of fixed latency."""
    return {
        "stt": {"provider": "openai", "options": {"base_url": base_url, "model": "fixed"}},
        "llm": {"provider": "openai", "options": {"base_url": base_url, "model": "fixed"}},
        "tts": {
            "provider": "openai",
            "options": {"base_url": base_url, "model": "fixed", "voice": "fixed", "rate": RATE},
        },
    }


def provider_lines(base_url: str) -> Iterator[str]:
    """Yield what is printed to whoever wants to have a server of theirs ask the providers."""
    yield f"providers of fixed latency at {base_url}, {FIXED:.3f} s in all, until Ctrl-C"
    yield ""
    yield "# voice-agent.toml"
    for stage, section in provider_settings(base_url).items():
        yield from (f"[{stage}]", *_toml(section), "")
    yield "# for overhead that compares: a fixed silence ends a turn, and nothing is drafted"
    yield from ("[turns]", *_toml(FIXED_SILENCE), "")
    yield "# other servers: OpenAI's wire; any key, model and voice"
    yield f"OPENAI_BASE_URL={base_url} OPENAI_API_KEY=none"
    yield f"# the voice is PCM or WAV of {RATE} Hz: response_format pcm"


def service_settings(folder: Path, base_url: str, calls: int, turns: TurnModel) -> str:
    """Return the settings file of a service that is measured.

    Without a turn model a turn ends by a fixed silence and nothing is drafted: what is left of the
    response time is then the service's own. With one, all is as it is by default.
    """
    sections: dict[str, dict[str, object]] = {
        "server": {"port": 0, "max_calls": max(100, calls), "drain": 1.0, "rate": LINE_RATE},
        "log": {"level": "error"},
        **provider_settings(base_url),
    }
    if turns == "none":
        sections["turns"] = FIXED_SILENCE
    top = {"agent": "bench", "prompts": str(folder / "prompts")}
    return "\n".join(
        [
            *_toml(top),
            *(line for at, of in sections.items() for line in ("", f"[{at}]", *_toml(of))),
        ]
    )


def _toml(values: Mapping[str, object]) -> list[str]:
    return [f"{name} = {_toml_value(value)}" for name, value in values.items()]


def _toml_value(value: object) -> str:
    if isinstance(value, Mapping):
        return "{" + ", ".join(_toml(value)) + "}"
    return json.dumps(value)  # what there is of numbers, texts and booleans is the same in both


def environment() -> dict[str, str]:
    """Return what a child is given of our environment: none of our settings, and no key."""
    given = {
        name: value
        for name, value in os.environ.items()
        if not name.startswith("VOICE_AGENT_") and not name.endswith(SECRETS)
    }
    here = str(Path(str(files("agent"))).parent)
    paths = [here, *filter(None, given.get("PYTHONPATH", "").split(os.pathsep))]
    return given | {"PYTHONPATH": os.pathsep.join(paths)}


def _folder() -> tempfile.TemporaryDirectory[str]:
    """Return a folder that is gone after use; what a killed child still holds is left behind."""
    return tempfile.TemporaryDirectory(prefix="voice-agent-bench-", ignore_cleanup_errors=True)


@asynccontextmanager
async def service(
    base_url: str, calls: int, turns: TurnModel, cores: Sequence[int]
) -> AsyncIterator[Child]:
    """Run ``voice-agent serve`` in a folder of its own while the block runs.

    Raises:
        ChildError: If it does not start.
    """
    with _folder() as name:
        folder = Path(name)
        (folder / "prompts").mkdir()
        (folder / "prompts" / "bench.md").write_text(AGENT, encoding="utf-8")
        settings = folder / "voice-agent.toml"
        settings.write_text(service_settings(folder, base_url, calls, turns), encoding="utf-8")
        command = ["serve", "--config", str(settings)]
        async with child(command, cores, folder) as found:
            yield found


@asynccontextmanager
async def providers(cores: Sequence[int]) -> AsyncIterator[Child]:
    """Run the providers in a process of their own while the block runs.

    Raises:
        ChildError: If it does not start.
    """
    with _folder() as name:
        async with child(["bench", "--providers-only", "--json"], cores, Path(name)) as found:
            yield found


@asynccontextmanager
async def child(command: Sequence[str], cores: Sequence[int], folder: Path) -> AsyncIterator[Child]:
    """Run a command of this program while the block runs; it is ended with it.

    Raises:
        ChildError: If it says nothing.
    """
    errors = folder / "errors"
    with errors.open("wb") as stderr:
        process = await asyncio.create_subprocess_exec(
            sys.executable, "-c", START, ",".join(map(str, cores)), str(os.getpid()), *command,
            cwd=folder, env=environment(), stdin=DEVNULL, stdout=PIPE, stderr=stderr,
            start_new_session=True,  # Ctrl-C is for us; we end it
        )  # fmt: skip
    try:
        says = await _first_line(process)
        if not says:
            last = errors.read_text(encoding="utf-8", errors="replace").strip().splitlines()[-3:]
            raise ChildError("\n".join([f"`{command[0]}` did not start", *last]))
        yield Child(pid=process.pid, says=says)
    finally:
        await _end(process)


START = (
    "import os, sys; cores, parent = sys.argv.pop(1), int(sys.argv.pop(1))\n"
    "if sys.platform == 'linux':\n"
    "    import ctypes; ctypes.CDLL(None).prctl(1, 15)\n"
    "    if os.getppid() != parent: sys.exit()\n"
    "if cores and hasattr(os, 'sched_setaffinity'):\n"
    "    os.sched_setaffinity(0, map(int, cores.split(',')))\n"
    "from agent.cli import main; sys.exit(main())"
)
"""Asks the system for SIGTERM when we die, in whatever way (PR_SET_PDEATHSIG, prctl(2)), and pins
itself before anything is imported, so that each of its threads is pinned."""


async def _first_line(process: Process) -> str:
    assert process.stdout is not None  # noqa: S101 - we have asked for it
    try:
        async with asyncio.timeout(STARTS_WITHIN):
            return (await process.stdout.readline()).decode("utf-8", "replace").strip()
    except TimeoutError:
        return ""


async def _end(process: Process) -> None:
    if process.returncode is not None:
        return
    process.terminate()
    try:
        async with asyncio.timeout(ENDS_WITHIN):
            await process.wait()
    except TimeoutError:
        process.kill()
        async with asyncio.timeout(ENDS_WITHIN):
            await process.wait()
