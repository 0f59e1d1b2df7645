"""Recorded calls, answered by the present agents: ``voice-agent replay`` as a process beside.

The models of the serving process are the callers'. So a replay is a process of its own, one at a
time, which every other goes before; it ends with this one.
"""

from __future__ import annotations

import asyncio
import json
import os
import secrets
import shutil
import signal
import sys
import tempfile
import time
from collections import OrderedDict
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal

import structlog

from agent.sinch.refusals import CallControlError
from pipelines.background import BackgroundTasks

log = structlog.get_logger()

WITHIN = 1800.0
"""Seconds of one replay. With models of this machine a call takes a fifth of its length or less;
with providers over the network, as long as it was."""

MOST_WAITING = 4
"""Replays that wait for the one that runs: whoever asks for more is told to come again."""

KEPT = 20
"""Results in memory, the latest: some 100 kB each."""

KEPT_FOR = 3600.0
"""Seconds for which a result can be looked at."""

NICENESS = 15
"""Calls go first."""

ENDED_WITHIN = 5.0
"""Seconds for a process to be gone that was killed."""

State = Literal["waiting", "running", "done", "failed"]

COMMAND = (sys.executable, "-m", "agent.cli", "replay")


class TooManyReplaysError(CallControlError):
    """As many replays wait as may."""

    def __init__(self) -> None:
        super().__init__("several replays are waiting already: try again when they are done")


@dataclass(slots=True, kw_only=True)
class Replay:
    """One call that is, or was, answered once more."""

    id: str
    """Of this run; nobody guesses it."""

    record: str
    state: State = "waiting"
    since: float = field(default_factory=time.monotonic)
    """When it was asked for, began or ended, whatever was last."""

    why: str = ""
    """Why it failed."""

    result: Mapping[str, Any] | None = None
    """What the command prints with ``--json``."""

    over: asyncio.Event = field(default_factory=asyncio.Event)


class Replays:
    """Runs replays, one at a time, and keeps what comes of them. Close it in the end.

    Args:
        config: What the settings were read of, instead of ``voice-agent.toml``.
        command: What runs one.
    """

    def __init__(self, config: Path | None = None, command: Sequence[str] = COMMAND) -> None:
        self._command = [*command, *(("--config", str(config)) if config is not None else ())]
        self._known: OrderedDict[str, Replay] = OrderedDict()
        self._turn = asyncio.Lock()
        self._background = BackgroundTasks()

    def begin(self, record: str) -> Replay:
        """Have a call answered once more; return at once. One that is on its way is not doubled.

        Raises:
            TooManyReplaysError: If too many wait already.
        """
        going = [one for one in self._known.values() if not one.over.is_set()]
        for one in going:
            if one.record == record:
                return one
        if len(going) > MOST_WAITING:
            raise TooManyReplaysError
        replay = Replay(id=secrets.token_urlsafe(12), record=record)
        self._known[replay.id] = replay
        self._forget()
        self._background.start(self._run(replay), "replaying a call")
        return replay

    def of(self, id_: str, record: str) -> Replay | None:
        """Return a replay of a call; None if there is none, or none any more."""
        self._forget()
        found = self._known.get(id_)
        return found if found is not None and found.record == record else None

    async def aclose(self) -> None:
        """End what runs, and begin nothing any more."""
        await self._background.aclose()

    def _forget(self) -> None:
        now = time.monotonic()
        over = [one for one in self._known.values() if one.over.is_set()]
        for n, one in enumerate(reversed(over)):
            if n >= KEPT or now - one.since > KEPT_FOR:
                del self._known[one.id]

    async def _run(self, replay: Replay) -> None:
        try:
            async with self._turn:
                replay.state, replay.since = "running", time.monotonic()
                replay.result = await self._replayed(replay)
                replay.why = _why_not(replay.result)
        except TimeoutError:
            replay.why = f"it took longer than {WITHIN / 60:.0f} minutes, and was ended"
        except (OSError, ValueError) as error:
            log.warning("a call could not be replayed", record=replay.record, error=str(error))
            replay.why = "the replay ended without a result: see the log"
        finally:
            replay.state = "failed" if replay.why or replay.result is None else "done"
            replay.since = time.monotonic()
            replay.over.set()

    async def _replayed(self, replay: Replay) -> Mapping[str, Any]:
        folder = await asyncio.to_thread(tempfile.mkdtemp, prefix="voice-agent-replay-")
        try:
            printed = await self._printed(["--json", "--output", folder, "--", replay.record])
        finally:  # it holds what was said
            await asyncio.to_thread(shutil.rmtree, folder, ignore_errors=True)
        found = json.loads(printed)
        return found if isinstance(found, dict) else {}

    async def _printed(self, arguments: Sequence[str]) -> bytes:
        """Run the command; return what it prints.

        Raises:
            OSError: If it cannot be run.
            ValueError: If it printed nothing.
            TimeoutError: If it takes too long.
        """
        process = await asyncio.create_subprocess_exec(
            *self._command,
            *arguments,
            stdin=asyncio.subprocess.DEVNULL,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.DEVNULL,  # it may quote what was said
            start_new_session=True,
        )
        try:
            with suppress(OSError):
                os.setpriority(os.PRIO_PROCESS, process.pid, NICENESS)
            async with asyncio.timeout(WITHIN):
                printed, _ = await process.communicate()
        finally:
            await _ended(process)
        if not printed:
            raise ValueError(f"exit status {process.returncode}")
        return printed


def _why_not(result: Mapping[str, Any]) -> str:
    """Return why a call was not replayed; ``""`` if it was."""
    if result.get("calls"):
        return ""
    for one in result.get("not_replayed") or ():
        return str(one.get("why") or "")
    return "there is no such call any more"


async def _ended(process: asyncio.subprocess.Process) -> None:
    """Kill a process with its children, if it still runs."""
    if process.returncode is None:
        with suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)
        async with asyncio.timeout(ENDED_WITHIN):
            await process.wait()
