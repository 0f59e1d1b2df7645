"""The agent files of a folder: which there are, which numbers they answer, what is wrong with them.

Everything here reads the disk and computes, so none of it may run on the event loop:
:mod:`agent.personas.folder` has the thread for it.
"""

from __future__ import annotations

import os
import time
from collections import OrderedDict
from collections.abc import Iterator, Mapping, Set
from dataclasses import dataclass, replace
from pathlib import Path

import structlog

from agent.personas.errors import PersonaError
from agent.personas.loader import (
    NAME,
    Persona,
    Stamp,
    front_matter_of,
    missing,
    parse_file,
    path_of,
    read,
    stamp_of,
)
from pipelines.text.speakable import prepare

log = structlog.get_logger()

MOST_COMPILED = 256
"""Agents that are kept ready: 0.1 MB and 40 ms of parsing each, for one of 16 KB."""

GONE_AFTER = 0.1
"""Seconds for which a file has to be missing: editors and git replace one by removing it first."""

MOST_AT_ONCE = 0.05
"""Seconds, at most, that the thread rests after a file, before the next: as long as that one took.
Parsing keeps the interpreter's lock, for which calls would wait at each of their frames."""


@dataclass(frozen=True, slots=True, kw_only=True)
class _File:
    """One file, as it was last read."""

    stamp: Stamp | None
    """None if it is to be read again in any case."""

    text: str | None
    """The last version that was not found to be wrong; None if there was none."""

    numbers: tuple[str, ...] = ()
    mistake: str = ""
    """What is wrong with the version on disk; ``""`` if nothing is known to be."""

    gone: bool = False
    """Whether there is none on disk, though the settings name this agent: it answers on."""


@dataclass(frozen=True, slots=True, kw_only=True)
class KnownFile:
    """What is known of an agent file without a look at the disk."""

    text: str | None
    """What answers: the last version without a mistake; None if there is none."""

    mistakes: str
    """What is wrong with the version on disk, a line each; ``""`` if nothing is known to be."""

    changed: float
    """Unix time of its last change; 0 if that is not known."""


class AgentFiles:
    """The agent files of one folder. Used by one thread at a time.

    A file is read again when its time, size or inode has changed. One whose new version is wrong is
    answered by the version before; so is one that cannot be read, and all if the folder is gone.

    Args:
        folder: Where they are.
        needed: Agents that the settings name: one whose file is deleted answers on as it was.
            Any other is no more then.
    """

    def __init__(self, folder: Path, needed: Set[str] = frozenset()) -> None:
        self._folder = folder
        self._needed = needed
        self._files: dict[str, _File] = {}
        self._compiled: OrderedDict[str, Persona] = OrderedDict()
        self._by_number: Mapping[str, str] = {}
        self._untried: set[str] = set()
        """Agents whose file was read for its numbers alone: whether it is right is not known."""

        self._looked_at = float("-inf")
        self.lost = ""
        """Why the folder cannot be read; ``""`` if it can."""

    @property
    def mistakes(self) -> list[str]:
        """The agents whose file is wrong, sorted. May be asked by any thread."""
        return sorted(name for name, file in self._files.copy().items() if file.mistake)

    @property
    def names(self) -> list[str]:
        """The agents that there are, sorted. May be asked by any thread."""
        return sorted(self._files.copy())

    @property
    def known(self) -> dict[str, KnownFile]:
        """What is known of each agent's file, by its name. May be asked by any thread."""
        return {
            name: KnownFile(
                text=file.text,
                mistakes=file.mistake,
                changed=file.stamp[0] / 1e9 if file.stamp is not None else 0.0,
            )
            for name, file in self._files.copy().items()
        }

    def answering(self, number: str) -> str:
        """Return the agent whose file has ``number``, the first of their names; or ``""``."""
        return self._by_number.get(number, "")

    def remembered(self, name: str) -> Persona | None:
        """Return an agent as it was last loaded, without a look at the disk; from any thread."""
        return self._compiled.get(name)

    def look(self, asked: float) -> None:
        """Take note of what has changed in the folder.

        Args:
            asked: When that was wanted, by :func:`time.monotonic`. A look that has begun since
                is good enough: a hundred calls at once need one, not a hundred.
        """
        if self._looked_at >= asked:
            return
        self._looked_at = time.monotonic()
        stamps = self._stamps()
        if stamps is not None and self._gone(stamps):
            time.sleep(GONE_AFTER)
            stamps = self._stamps()
        if stamps is None:
            return
        gone = self._gone(stamps)
        for name in gone:
            self._forget(name)
        changed = [name for name, stamp in stamps.items() if self._is_new(name, stamp)]
        for name in _unhurried(changed):
            self._take(name)
        if changed or gone:
            self._index()

    def try_next(self) -> bool:
        """Parse a file that nobody has asked for yet, so that its mistakes are known before a call.

        Returns:
            Whether there was one: there may be more.
        """
        if not self._untried:
            return False
        name = self._untried.pop()
        if (file := self._files.get(name)) is not None and file.text is not None:
            try:  # not remembered: those that are asked for stay so
                parse_file(path_of(self._folder, name), file.text)
            except PersonaError as error:
                self._is_wrong(name, file, str(error))
        return True

    def load(self, name: str) -> Persona:
        """Return an agent as its file is now, or as it was before its last mistake.

        Raises:
            PersonaError: If there is no such agent, or there never was a version without a mistake.
        """
        path = path_of(self._folder, name)
        try:
            if self._is_new(name, stamp_of(path.stat())):
                self._take(name)
                self._index()
        except OSError:  # it is gone, or the folder is: a look tells
            self.look(time.monotonic())
        file = self._files.get(name)
        if file is None:
            raise PersonaError(missing(path, self.names))
        return self._persona(name, file)

    def _persona(self, name: str, file: _File) -> Persona:
        if file.text is None:
            raise PersonaError(file.mistake)
        persona = self._compiled.get(name)
        if persona is None:
            try:
                persona = self._parsed(name, file.text)
            except PersonaError as error:
                self._is_wrong(name, file, str(error))
                raise
        self._compiled.move_to_end(name)
        return persona

    def _parsed(self, name: str, text: str) -> Persona:
        """Return the agent that a text describes, and remember it.

        Raises:
            PersonaError: If there is a mistake in it.
        """
        self._untried.discard(name)
        self._compiled[name] = persona = parse_file(path_of(self._folder, name), text)
        prepare(persona.language)  # here, where no call waits
        while len(self._compiled) > MOST_COMPILED:
            self._compiled.popitem(last=False)
        return persona

    def _is_wrong(self, name: str, file: _File, mistake: str) -> None:
        """Take note that the only version there is of a file has a mistake."""
        log.error("agent file has a mistake", agent=name, error=mistake, answered_by="nobody")
        self._files[name] = replace(file, text=None, mistake=mistake)

    def _is_new(self, name: str, stamp: Stamp | None) -> bool:
        known = self._files.get(name)
        return known is None or stamp is None or known.stamp != stamp

    def _stamps(self) -> Mapping[str, Stamp | None] | None:
        """Return the files that there are; None if the folder cannot be read, or has been emptied.

        A folder that had files and has none is one that is not mounted, or is being replaced.
        """
        found: dict[str, Stamp | None] = {}
        try:
            with os.scandir(self._folder) as entries:
                for entry in entries:
                    stem, dot, suffix = entry.name.rpartition(".")
                    if dot and suffix == "md" and NAME.fullmatch(stem):
                        try:
                            found[stem] = stamp_of(entry.stat())
                        except FileNotFoundError:  # gone meanwhile, or a link to nowhere
                            continue
                        except OSError:  # to read it tells what is wrong with it
                            found[stem] = None
        except OSError as error:
            self._lose(error.strerror or type(error).__name__)
            return None
        if self._files and not found:
            self._lose("no agent file is left in it")
            return None
        if self.lost:
            log.info("the agent files are back", folder=str(self._folder))
        self.lost = ""
        return found

    def _lose(self, why: str) -> None:
        if not self.lost:
            folder = str(self._folder)
            log.error("the agent files are gone: they answer on as they were", path=folder, why=why)
        self.lost = why

    def _take(self, name: str) -> None:
        """Read a file that is new, or has changed; what is wrong with it is logged and kept."""
        path, known = path_of(self._folder, name), self._files.get(name)
        stamp: Stamp | None = None
        try:
            stamp, text = read(path)
            if known is None:  # most are never called: no more than the index needs
                numbers = tuple(front_matter_of(path, text).numbers) if "numbers" in text else ()
                self._files[name] = _File(stamp=stamp, text=text, numbers=numbers)
                self._untried.add(name)
            elif text == known.text and not known.mistake:
                self._files[name] = replace(known, stamp=stamp)
            else:
                persona = self._parsed(name, text)
                self._files[name] = _File(stamp=stamp, text=text, numbers=persona.numbers)
                if known.mistake:
                    log.info("agent file is right again", agent=name)
        except FileNotFoundError:
            return  # the next look tells whether it is gone
        except PersonaError as error:
            self._keep_the_version_before(name, stamp, str(error))
        except OSError as error:
            mistake = f"{path}: cannot be read: {error.strerror}"
            self._keep_the_version_before(name, stamp, mistake)

    def _keep_the_version_before(self, name: str, stamp: Stamp | None, mistake: str) -> None:
        known = self._files.get(name) or _File(stamp=None, text=None)
        if mistake != known.mistake:
            by = "the version before" if known.text is not None else "nobody"
            log.error("agent file has a mistake", agent=name, error=mistake, answered_by=by)
        self._files[name] = replace(known, stamp=stamp, mistake=mistake, gone=False)

    def _gone(self, stamps: Mapping[str, Stamp | None]) -> list[str]:
        """Return the agents that had a file at the last look, and have none."""
        return [name for name, file in self._files.items() if name not in stamps and not file.gone]

    def _forget(self, name: str) -> None:
        """Take a file out that is deleted; of an agent that is needed, keep the version before."""
        if name in self._needed and self._files[name].text is not None:
            mistake = f"{path_of(self._folder, name)}: is deleted, and the settings name this agent"
            self._keep_the_version_before(name, None, mistake)
            self._files[name] = replace(self._files[name], gone=True)
            return
        del self._files[name]
        self._compiled.pop(name, None)

    def _index(self) -> None:
        self._by_number = {
            number: name for name in reversed(self.names) for number in self._files[name].numbers
        }


def _unhurried(names: list[str]) -> Iterator[str]:
    """Yield each, and rest before the next for as long as it took."""
    for name in names:
        began = time.monotonic()
        yield name
        if len(names) > 1:
            time.sleep(min(MOST_AT_ONCE, time.monotonic() - began))
