"""Whether this process works, and whether it takes calls: looked at beside them, not on the loop.

Folders are looked at in threads of their own, one each, since a disk may hang; the database by its
own heartbeat. Whoever asks is answered from what was found last.
"""

from __future__ import annotations

import os
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import structlog

from agent.personas.folder import AgentFolder
from agent.personas.loader import NAME
from agent.server.load.capacity import why_broken
from agent.server.registry import CallRegistry
from agent.server.workers.siblings import Siblings
from agent.version import VERSION
from pipelines.stages.lineup import Providers

log = structlog.get_logger()

LOOK_EVERY = 10.0
"""Seconds between two looks at a folder."""

ANSWERED_WITHIN = 5.0
"""Seconds for a disk to answer; no answer is one."""

PROBE_BYTES = 4096
"""What is written to try a folder: a full disk still takes an empty file."""

PROBE_NAME = ".voice-agent-can-write"

LITTLE_ROOM = 1 << 30
"""Bytes free below which a disk is nearly full, or a twentieth of it if that is less."""

NEARLY_FULL = "the disk is nearly full"

FEW_FILES = 1000
"""Files that a disk has room for, below which it is nearly full."""

Kind = Literal["written", "read", "kept"]
"""What a folder has to be good for; of one where things are only kept, a failure is a warning."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Found:
    """What is the matter with something."""

    error: str = ""
    """Why it cannot be used, in one line; ``""`` if it can."""

    warning: str = ""
    """What will go wrong before long; ``""`` if nothing."""

    free: int | None = None
    """Bytes that its disk has room for; None if that is not known."""


def look_at_folder(folder: Path, kind: Kind) -> Found:
    """Return what is the matter with a folder. It may take as long as the disk likes.

    A folder to be written that is not there is made when it is needed, so that its parent is tried;
    what is written is deleted again.
    """
    try:
        if kind == "read":
            with os.scandir(folder) as entries:
                for entry in entries:
                    stem, dot, suffix = entry.name.rpartition(".")
                    is_agent = dot and suffix == "md" and NAME.fullmatch(stem) and entry.is_file()
                    if is_agent and not os.access(entry.path, os.R_OK):
                        return Found(error=f"{entry.name} cannot be read")
            return Found()
        while not folder.exists() and folder.parent != folder:
            folder = folder.parent
        probe = folder / PROBE_NAME
        try:
            descriptor = os.open(probe, os.O_CREAT | os.O_WRONLY | os.O_TRUNC, 0o600)
            with os.fdopen(descriptor, "wb") as file:
                file.write(bytes(PROBE_BYTES))
        finally:
            probe.unlink(missing_ok=True)  # another process may try it at the same time
        return Found(warning=_room(folder), free=_free(folder))
    except OSError as error:
        why = error.strerror or type(error).__name__
        return Found(warning=why) if kind == "kept" else Found(error=why)


def _free(folder: Path) -> int | None:
    disk = os.statvfs(folder) if hasattr(os, "statvfs") else None
    return None if disk is None else disk.f_bavail * disk.f_frsize


def _room(folder: Path) -> str:
    disk = os.statvfs(folder) if hasattr(os, "statvfs") else None
    if disk is None:
        return ""
    free, total = disk.f_bavail * disk.f_frsize, disk.f_blocks * disk.f_frsize
    if free < min(LITTLE_ROOM, total / 20):
        return f"{NEARLY_FULL}: {free / 1e6:.0f} MB are free"
    if disk.f_files and disk.f_favail < FEW_FILES:
        return f"{NEARLY_FULL}: it has room for {disk.f_favail} files"
    return ""


def look_within(name: str, look: Callable[[], Found], seconds: float) -> Found:
    """Look once; return what is the matter, or that there was no answer in time. Waits."""
    watch = FolderWatch(name, look)
    watch.close()
    watch.start()
    return watch.wait(seconds)


class FolderWatch:
    """Looks at a folder now and then, in a thread of its own. Close it in the end.

    Args:
        name: Of the setting.
        look: Looks at it; see :func:`look_at_folder`.
    """

    def __init__(self, name: str, look: Callable[[], Found]) -> None:
        self.name = name
        self._look = look
        self._last = Found()
        self._asked_at: float | None = None
        """Since when the disk has been asked; None if it is not."""

        self._stop = threading.Event()
        # A daemon: one that waits for a disk cannot be stopped.
        self._thread = threading.Thread(target=self._run, name=f"watch {name}", daemon=True)

    def start(self) -> None:
        """Begin."""
        self._thread.start()

    def wait(self, seconds: float) -> Found:
        """Return what was found, once the thread has ended; it is given so many seconds."""
        self._thread.join(seconds)
        if self._thread.is_alive():
            return Found(error=f"the disk does not answer within {seconds:g} s")
        return self._last

    @property
    def found(self) -> Found:
        """What is the matter with it, as far as is known."""
        asked = self._asked_at
        if asked is not None and time.monotonic() - asked > ANSWERED_WITHIN:
            return Found(error=f"the disk does not answer within {ANSWERED_WITHIN:g} s")
        return self._last

    def close(self) -> None:
        """Stop looking; the thread ends once the disk answers."""
        self._stop.set()

    def _run(self) -> None:
        while True:
            self._asked_at = time.monotonic()
            found = self._look()
            self._last, self._asked_at, before = found, None, self._last
            _tell(self.name, before, found)
            if self._stop.wait(LOOK_EVERY):
                return


def _tell(name: str, before: Found, found: Found) -> None:
    """Log what has changed."""
    if found.error and found.error != before.error:
        log.error("a folder cannot be used", folder=name, error=found.error)
    elif before.error and not found.error:
        log.warning("a folder can be used again", folder=name)
    if found.warning and not before.warning:
        full = found.warning.startswith(NEARLY_FULL)
        event = NEARLY_FULL.replace("the", "a", 1) if full else "a folder cannot be used"
        log.warning(event, folder=name, warning=found.warning)


class Health:
    """What is asked at ``/live``, ``/ready`` and ``/health``.

    Args:
        registry: The calls, and whether there is room for another.
        agents: Their files.
        providers: Of the three stages.
        folders: What is looked at; started and closed with this.
        database: Returns why the database cannot be written; ``""`` if it can.
        records: Returns what is the matter with the records of calls; ``""`` if nothing.
        siblings: The other workers of the service; None if this is the only process.
    """

    def __init__(
        self,
        *,
        registry: CallRegistry,
        agents: AgentFolder,
        providers: Providers,
        folders: Sequence[FolderWatch],
        database: Callable[[], str],
        records: Callable[[], str] = str,
        siblings: Siblings | None = None,
    ) -> None:
        self._registry = registry
        self._agents = agents
        self._providers = providers
        self._folders = folders
        self._database = database
        self._records = records
        self._siblings = siblings

    def start(self) -> None:
        """Begin to look."""
        for watch in self._folders:
            watch.start()

    def close(self) -> None:
        """Look no more. Threads that wait for a disk are left to it."""
        for watch in self._folders:
            watch.close()
        for watch in self._folders:
            if not watch.found.error:
                watch.wait(ANSWERED_WITHIN)

    @property
    def free(self) -> dict[str, int]:
        """Bytes that the disk of each folder has room for, as far as is known."""
        found = {watch.name: watch.found.free for watch in self._folders}
        return {name: free for name, free in found.items() if free is not None}

    def failures(self) -> dict[str, str]:
        """Return what does not work, by its name, with why."""
        found = {watch.name: watch.found.error for watch in self._folders}
        found["database"] = self._database()
        found |= {stage: why_broken(stage) for stage in self._providers.down}
        return {name: error for name, error in found.items() if error}

    def not_ready(self) -> dict[str, str]:
        """Return why no call is to be sent to the service, by what it is; nothing if one may."""
        reasons = self.refusing()
        return {} if reasons and self._others_take_calls else reasons

    def refusing(self) -> dict[str, str]:
        """Return why this process would take no call, by what it is; nothing if it would."""
        reasons = self.failures()
        if self._agents.names:  # they answer as they were, whatever becomes of their folder
            reasons.pop("prompts", None)
        if self._registry.draining:
            reasons["draining"] = "the service stops"
        elif not reasons and (refusal := self._registry.no_room(here=True)):
            reasons["full"] = refusal
        return reasons

    @property
    def _others_take_calls(self) -> bool:
        return self._siblings is not None and self._siblings.take_calls

    def beat(self) -> None:
        """Tell the other workers how this one is; several times a second."""
        if self._siblings is not None:
            self._siblings.beat(
                draining=self._registry.draining,
                refusing=bool(self.refusing()),
                room=self._registry.room_left(here=True),
            )

    def report(self) -> Mapping[str, object]:
        """Return how everything is, as JSON."""
        failures, siblings = self.failures(), self._siblings
        stops = self._registry.draining and not self._others_take_calls
        warnings = {watch.name: watch.found.warning for watch in self._folders}
        warnings["records"] = self._records()
        return {
            "status": "draining" if stops else "failing" if failures else "ok",
            "version": VERSION,
            "calls": len(self._registry.in_progress) + (siblings.calls if siblings else 0),
            "max_calls": self._registry.capacity.room.most,
            "room": self._registry.room_left(),
            "refusing": self._registry.no_room(),
            "agents": self._agents.health,
            "failures": failures,
            "warnings": {name: warning for name, warning in warnings.items() if warning},
            "providers": [
                {"stage": stage, "provider": candidate.name, "status": candidate.status}
                for stage, candidate in self._providers.candidates
            ],
            **({"workers": siblings.describe()} if siblings else {}),
        }
