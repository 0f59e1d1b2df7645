"""What is measured: a plan of a call, and what is to be said of how it went."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

from tests.benchmarks.situations.held import Held, Plan
from tests.benchmarks.situations.speech import Half, Speech, installed, own, read_aloud, sentences

Figures = Mapping[str, bool | float | None]
"""What is said of a call, by the name of the figure: whether something bad happened, or seconds.
None where it could not be told."""

Judge = Callable[[Held], Figures]


@dataclass(frozen=True, slots=True, kw_only=True)
class Situation:
    """A call that is judged."""

    kind: str
    key: str
    """Its name, the same in each run: runs are compared by it."""

    plan: Plan
    judge: Judge


@dataclass(frozen=True, slots=True, kw_only=True)
class Bank:
    """The speech that situations are made of."""

    sounds: Path | None
    half: Half
    language: str = "en"
    full: bool = False
    running: tuple[Path, ...] = ()
    """WAV files of running speech, of speakers in neither half."""

    def all(self) -> dict[str, Speech]:
        """Return all recordings in the language, those of this repository first."""
        ours = own() if self.language == "en" else {}
        theirs = installed(self.sounds, self.language) if self.sounds is not None else {}
        if self.language == "en" and self.sounds is not None:
            theirs = theirs | read_aloud(self.sounds)
        return ours | theirs

    def sentences(self) -> list[Speech]:
        """Return whole sentences of this half, each text once."""
        by_text = {
            one.text: one for one in reversed(list(sentences(self.all(), self.half, self.language)))
        }
        return sorted(by_text.values(), key=lambda one: one.name)

    def count(self, few: int, many: int) -> int:
        """Return how many to take."""
        return many if self.full else few
