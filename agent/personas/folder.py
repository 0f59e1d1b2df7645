"""The agent files for a process that carries calls: looked at off its event loop."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Mapping, Set
from concurrent.futures import Executor, ThreadPoolExecutor
from pathlib import Path
from typing import Any, TypeVar

import structlog

from agent.personas.errors import PersonaError
from agent.personas.files import AgentFiles, KnownFile
from agent.personas.loader import path_of
from agent.personas.saving import AgentText, ChangedMeanwhileError, NotSavedError, save, text_of
from agent.personas.script import Details, Script

log = structlog.get_logger()

T = TypeVar("T")

WITHIN = 2.0
"""Seconds for a look at the disk, before a call goes on with what was known: a caller hears that
long a ring more, and the platform waits longer for the answer to a callback."""

START_WITHIN = 30.0
"""Seconds for the first look: some ten thousand files."""

WATCH_EVERY = 5.0
"""Seconds between two looks that nobody asked for, so that a mistake is told before a call comes.
A look at 5,000 files is 30 ms of the thread's."""

TRY_EVERY = 0.2
"""Seconds between two files that are tried before anybody asks for them: parsing one takes 30 ms of
the interpreter's lock."""

STOP_WITHIN = 2.0

SILENT = "the disk does not answer"


class AgentFolder:
    """The agents of a folder, as their files are when a call comes.

    A thread of its own reads, parses and fills in. A disk that hangs costs :data:`WITHIN` seconds
    once, and nothing more until it answers: calls have the agents as they were.

    Args:
        path: Of the folder.
        threads: Runs what blocks, one piece of work at a time; a thread of its own if None.
        needed: Agents that the settings name; they answer on if their file is deleted.
        time_zone: Of agents that name none; ``""`` is the machine's.
    """

    def __init__(
        self,
        path: Path,
        threads: Executor | None = None,
        *,
        needed: Set[str] = frozenset(),
        time_zone: str = "",
    ) -> None:
        self.path = path
        self._files = AgentFiles(path, needed)
        self._time_zone = time_zone
        self._threads = threads or ThreadPoolExecutor(1, "agent-files")
        self._overdue: asyncio.Future[Any] | None = None

    async def start(self) -> None:
        """Look at all files once. Without it, the first call has to wait for that."""
        await self._done(self._files.look, time.monotonic(), within=START_WITHIN)

    async def watch(self) -> None:
        """Look at them from time to time; runs until it is cancelled, which is safe.

        Those that nobody has asked for are tried meanwhile, one by one: what is wrong with them is
        known before a call comes.
        """
        while True:
            while await self._done(self._files.try_next, within=WITHIN):  # noqa: ASYNC110 - a rest
                await asyncio.sleep(TRY_EVERY)
            await asyncio.sleep(WATCH_EVERY)
            await self._done(self._files.look, time.monotonic(), within=WITHIN)

    async def aclose(self) -> None:
        """End the thread. One that hangs on a disk is left to itself."""
        closing = asyncio.get_running_loop().run_in_executor(None, self._threads.shutdown)
        await asyncio.wait([closing], timeout=STOP_WITHIN)

    async def script(self, agent: str, about: Details) -> Script:
        """Return what an agent says in one call, by its file as it is now.

        Raises:
            PersonaError: If there is no such agent, there never was a version of its file without
                a mistake, or ``about`` does not fit it.
        """
        about = about.by_the_clock_of(self._time_zone)  # which the settings have read

        def load() -> Script | PersonaError:
            try:
                return self._files.load(agent).render(about)
            except PersonaError as error:
                return error

        script = await self._done(load, within=WITHIN)
        if script is None:
            persona = self._files.remembered(agent)
            if persona is None:
                raise PersonaError(f"agent {agent[:64]!r}: {SILENT}")
            return persona.render(about)
        if isinstance(script, PersonaError):
            raise script
        return script

    async def answering(self, number: str) -> str:
        """Return the agent whose file has ``number``, in E.164, as the files are now; or ``""``."""
        await self._done(self._files.look, time.monotonic(), within=WITHIN)
        return self._files.answering(number)

    @property
    def names(self) -> list[str]:
        """The agents there were at the last look, sorted; whether well written or not."""
        return self._files.names

    @property
    def known(self) -> Mapping[str, KnownFile]:
        """What is known of each agent's file, by its name; without a look at the disk."""
        return self._files.known

    def answering_text(self, agent: str) -> str:
        """Return the text that answers for an agent; ``""`` if none does."""
        file = self._files.known.get(agent)
        return (file.text or "") if file is not None else ""

    async def text(self, agent: str) -> AgentText:
        """Return a file as it is on the disk now.

        Raises:
            PersonaError: If that is no name.
        """
        path_of(self.path, agent)
        found = await self._done(text_of, self.path, agent, within=WITHIN)
        return found or AgentText(unreadable=SILENT, locked=SILENT)

    async def save(self, agent: str, text: str, before: str) -> str:
        """Save a file, and have the next call be answered by it; see :func:`.saving.save`.

        Raises:
            PersonaError: If that is no name.
            ChangedMeanwhileError: If it is another version's by now.
            NotSavedError: If it cannot be saved.
        """

        def saved() -> str | PersonaError | ChangedMeanwhileError | NotSavedError:
            try:
                version = save(self.path, agent, text, before)
            except (PersonaError, ChangedMeanwhileError, NotSavedError) as error:
                return error
            self._files.look(time.monotonic())
            return version

        outcome = await self._done(saved, within=WITHIN)
        if outcome is None:
            raise NotSavedError(f"{SILENT}: it may be saved all the same")
        if not isinstance(outcome, str):
            raise outcome
        return outcome

    @property
    def health(self) -> Mapping[str, object]:
        """What is wrong: ``lost``, why the folder cannot be read; ``mistakes``, agents' names."""
        stuck = SILENT if self._is_stuck else ""
        return {"lost": self._files.lost or stuck, "mistakes": self._files.mistakes}

    @property
    def _is_stuck(self) -> bool:
        return self._overdue is not None and not self._overdue.done()

    async def _done(self, work: Callable[..., T], *arguments: object, within: float) -> T | None:
        """Return what ``work`` does in the thread; None if that takes too long, or hangs already.

        It goes on all the same. Cancelling is safe.
        """
        if self._is_stuck:
            return None
        doing = asyncio.get_running_loop().run_in_executor(self._threads, work, *arguments)
        await asyncio.wait([doing], timeout=within)
        if doing.done():
            return doing.result()
        log.error("the disk of the agent files does not answer", seconds=within)
        self._overdue = doing
        return None
