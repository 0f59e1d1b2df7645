"""The journals in a folder that are to be loaded: which there are, and how far they are.

All of it reads files, and is used in one thread.
"""

from __future__ import annotations

import os
import time
from dataclasses import dataclass
from pathlib import Path
from time import monotonic
from typing import BinaryIO

import structlog

from agent.private_files import make_private_folder
from agent.records.events import JournalLine
from agent.records.journals import locks
from agent.records.journals.journal_names import NAME
from agent.records.journals.journal_reader import (
    JournalPiece,
    JournalPlace,
    beginning,
    closed,
    opened,
    read_piece,
)
from agent.records.journals.record_files import DAMAGED
from agent.records.journals.spool import OwnJournal, Spool, Waiting
from agent.records.seals import Seal, SealError

log = structlog.get_logger()

LOOK_EVERY = 2.0
"""Seconds between two looks into the folder for journals of processes that have died; longer if it
takes long."""

ANOTHERS_AGAIN = 2.0
"""Seconds until a journal is tried again that another process holds."""

AGAIN_FIRST, AGAIN_LONGEST = 2.0, 600.0
"""Seconds until a journal is tried again that cannot be read or stored, twice as long each time."""

HELD_OPEN = 256
"""Journals that are closed and kept locked until they are loaded, so that no other process loads
them as well; beyond that, whoever comes first has them."""

DAMAGED_SHARE = 0.1
"""Of what the folder may hold, for journals that are kept because something in them cannot be
read."""

BEING_BEGUN = 60.0
"""Seconds for which a journal without a line may be one that is being begun: it is locked before
its first line is in it."""


@dataclass(slots=True, eq=False)
class UnloadedJournal:
    """A journal that is not all loaded."""

    path: Path
    place: JournalPlace
    own: OwnJournal | None = None
    """None if it is of another process, dead or alive, or was let go of."""

    size: int = 0
    since: float = 0.0
    again_at: float = 0.0
    tries: int = 0
    anothers: bool = False
    """Whether another process holds it, and loads it."""

    held: bool = False
    """Whether it is counted among those that are closed and kept locked."""

    @property
    def unloaded(self) -> int:
        """Bytes that are not loaded."""
        if self.anothers:
            return 0
        return (self.size if self.own is None else self.own.written) - self.place.offset


@dataclass(frozen=True, slots=True)
class Taken:
    """Lines that are to be stored now."""

    journal: UnloadedJournal
    file: BinaryIO
    piece: JournalPiece
    whole: bool
    """Whether nobody writes to the journal any more."""

    @property
    def lines(self) -> list[JournalLine]:
        """Of one journal, in their order."""
        return self.piece.lines


class JournalFolder:
    """The folder.

    Args:
        spool: What it is told of what is there, and asks for the journals of this process.
        seal: Shows what was hidden.
        keep: Folder for journals that are stored; None if they are deleted.
    """

    def __init__(self, spool: Spool, seal: Seal, keep: Path | None) -> None:
        self._spool = spool
        self._seal = seal
        self._keep = keep
        self._journals: dict[str, UnloadedJournal] = {}
        """By the names of their files."""

        self._misnamed: set[str] = set()
        """Files that would be journals, were they called so."""

        self._taken: list[Taken] = []
        self._look_at = 0.0
        self._failing = ""
        self._held = self._interrupted = 0

    def take(self, lines: int) -> list[Taken]:
        """Return about so many lines that are to be stored; none if there are none.

        What was taken before and not settled is taken anew.
        """
        self._release()
        self._take_over()
        if monotonic() >= self._look_at:
            self._look()
        now, room = monotonic(), lines
        for journal in list(self._journals.values()):
            if journal.again_at > now or (self._is_open(journal) and journal.unloaded <= 0):
                continue
            if (taken := self._take(journal, room)) is not None:
                self._taken.append(taken)
                # One without lines is one that is to be thrown away, which costs something, too.
                room -= max(1, len(taken.lines))
                if room <= 0:
                    break
        if not self._taken:
            self._count()
        return list(self._taken)

    def settle(self, stored: list[Taken]) -> None:
        """Go on behind lines that are stored; journals of which all is stored are gone."""
        for taken in stored:
            journal = taken.journal
            journal.place, journal.tries = taken.piece.then, 0
            if taken.whole and taken.piece.at_end:
                self._finish(journal)
            elif self._is_open(journal) and journal.own is not None and journal.unloaded <= 0:
                journal.own.since = None
        self._spool.lines_stored += sum(len(taken.lines) for taken in stored)
        self._release()
        if self._interrupted:
            log.warning("records of a process that died are closed", records=self._interrupted)
            self._interrupted = 0

    def postpone(self, failed: list[Taken], why: str) -> None:
        """Let journals wait whose lines cannot be stored, while those of others can."""
        for taken in failed:
            self._postpone(taken.journal, why)

    def rotate(self, failed: list[Taken]) -> None:
        """Take others first, the next time."""
        for taken in failed:
            name = taken.journal.path.name
            if name in self._journals:
                self._journals[name] = self._journals.pop(name)

    def close(self) -> None:
        """Close what is open."""
        self._release()
        self._take_over()
        for journal in self._journals.values():
            if journal.own is not None:
                journal.own.release()

    @staticmethod
    def _is_open(journal: UnloadedJournal) -> bool:
        return journal.own is not None and not journal.own.closed

    def _take_over(self) -> None:
        """Have the journals of this process among those that are to be loaded."""
        own = self._spool.own or {}
        for name, journal in list(own.items()):
            known = self._journals.get(journal.path.name)
            if known is None:
                place = beginning(journal.path.name)
                known = self._journals[journal.path.name] = UnloadedJournal(journal.path, place)
            if known.own is None:  # it may have been seen in the folder before, as if another's
                known.own, known.anothers, known.again_at = journal, False, 0.0
            if journal.closed:
                del own[name]
                self._held += 1
                known.held = True
                if self._held > HELD_OPEN:
                    known.size, known.since = journal.written, journal.since or monotonic()
                    self._let_go(known)

    def _look(self) -> None:
        """Look for journals of others, and how much there is."""
        began, why, written = monotonic(), "", self._spool.written
        size = 0
        damaged: list[tuple[str, int]] = []
        found: dict[str, os.stat_result] = {}
        try:
            with os.scandir(self._spool.folder) as entries:
                for entry in entries:
                    if not entry.name.removesuffix(DAMAGED).endswith(".jsonl"):
                        continue
                    status = entry.stat(follow_symlinks=False)
                    size += status.st_size
                    if entry.name.endswith(DAMAGED):
                        damaged.append((entry.name, status.st_size))
                    else:
                        found[entry.name] = status
        except FileNotFoundError:
            log.debug("no journals")  # nobody has called yet; or one was loaded by another just now
        except OSError as error:
            why = error.strerror or type(error).__name__
        if why and why != self._failing:
            log.error("journals cannot be looked for", path=str(self._spool.folder), error=why)
        self._failing = why
        self._let_misnamed_be(found)
        for name in sorted(found.keys() | self._journals.keys()):
            self._see(name, found.get(name))
        # What was written meanwhile may count twice, until the next look; never not at all.
        self._spool.measured = (size - _make_room(self._spool, damaged), written)
        self._count()
        self._look_at = monotonic() + max(LOOK_EVERY, 20 * (monotonic() - began))

    def _let_misnamed_be(self, found: dict[str, os.stat_result]) -> None:
        """Take out of ``found`` what is not called as journals are; tell of each once."""
        misnamed = {name for name in found if not NAME.fullmatch(name)}
        for name in misnamed:
            del found[name]
        for name in sorted(misnamed - self._misnamed):
            path = str(self._spool.folder / name)
            log.error("a journal cannot be loaded", path=path, error="it is not called as journals")
        self._misnamed = misnamed

    def _see(self, name: str, status: os.stat_result | None) -> None:
        journal = self._journals.get(name)
        if journal is not None and journal.own is not None:
            return
        if status is None:
            del self._journals[name]
            return
        age = time.time() - status.st_mtime
        if journal is None:
            if not status.st_size and age < BEING_BEGUN:
                return
            path = self._spool.folder / name
            journal = self._journals[name] = UnloadedJournal(path, beginning(name))
            journal.since = monotonic() - max(0.0, age)
        journal.size = status.st_size

    def _take(self, journal: UnloadedJournal, lines: int) -> Taken | None:
        try:
            file = opened(journal.path)
        except FileNotFoundError:
            self._forget(journal)  # another has loaded it
            return None
        except OSError as error:
            self._postpone(journal, error.strerror or str(error))
            return None
        try:
            journal.anothers = journal.own is None and not locks.hold(file)
            if not journal.anothers:
                # It is looked at before it is read: what is added meanwhile is read the next time.
                whole = not self._is_open(journal)
                piece = read_piece(file, journal.place, self._seal, most=lines, whole=whole)
                if whole and piece.at_end and piece.then.to_end:
                    piece = closed(file, piece, self._seal)
                    self._interrupted += 1
                self._tell_damage(journal, piece.then)
                return Taken(journal, file, piece, whole)
            journal.again_at = monotonic() + ANOTHERS_AGAIN
        except (OSError, SealError) as error:
            self._postpone(journal, getattr(error, "strerror", None) or str(error))
        file.close()
        return None

    def _tell_damage(self, journal: UnloadedJournal, then: JournalPlace) -> None:
        if then.damaged is not None and journal.place.damaged is None and not journal.tries:
            line = then.damaged + 1
            log.error("a journal has a line that cannot be read", path=str(journal.path), line=line)

    def _postpone(self, journal: UnloadedJournal, why: str) -> None:
        if not journal.tries:
            log.error("a journal cannot be loaded", path=str(journal.path), error=why)
        journal.tries += 1
        pause = min(AGAIN_LONGEST, AGAIN_FIRST * 2 ** min(journal.tries, 20))
        journal.again_at = monotonic() + pause

    def _finish(self, journal: UnloadedJournal) -> None:
        path, place = journal.path, journal.place
        try:
            if place.damaged is not None:
                path.rename(path.with_name(path.name + DAMAGED))
                self._spool.damaged += 1
            elif self._keep is not None and place.line:
                make_private_folder(self._keep)
                path.rename(self._keep / path.name)
            else:
                path.unlink()
        except FileNotFoundError:
            log.debug("a journal is gone", path=str(path))
        except OSError as error:
            self._postpone(journal, error.strerror or type(error).__name__)
            return
        self._forget(journal)

    def _forget(self, journal: UnloadedJournal) -> None:
        del self._journals[journal.path.name]
        self._let_go(journal)

    def _let_go(self, journal: UnloadedJournal) -> None:
        if journal.own is not None:
            journal.own.release()
            self._held -= journal.held
            journal.own, journal.held = None, False

    def _release(self) -> None:
        for taken in self._taken:
            taken.file.close()
        self._taken = []

    def _count(self) -> None:
        """Tell the spool what waits."""
        waiting = Waiting()
        for journal in self._journals.values():
            if (size := journal.unloaded) > 0:
                waiting.journals += 1
                waiting.bytes += size
                since = journal.since if journal.own is None else journal.own.since
                if since is not None and (waiting.since is None or since < waiting.since):
                    waiting.since = since
        self._spool.waiting = waiting
        tried = sum(journal.tries > 0 for journal in self._journals.values())
        self._spool.not_loaded = tried + len(self._misnamed)


def _make_room(spool: Spool, damaged: list[tuple[str, int]]) -> int:
    """Delete the oldest damaged journals beyond their share; return how many bytes these were.

    What could be read of them is stored; lines that are still to come need the room more.
    """
    left, gone = sum(size for _, size in damaged), 0
    for name, size in sorted(damaged):
        if left - gone <= DAMAGED_SHARE * spool.limit:
            break
        path = spool.folder / name
        try:
            path.unlink(missing_ok=True)
        except OSError as error:
            log.warning("a damaged journal stays", path=str(path), error=error.strerror)
            break
        log.warning("a damaged journal is deleted for want of room", path=str(path))
        gone += size
    return gone
