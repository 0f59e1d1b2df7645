"""What callers say on the phone, written by hand: nothing is fitted on it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt

from pipelines.turn_taking.text_completeness import text_completeness

CALLERS = Path(__file__).parent / "pipelines" / "turn_taking" / "data" / "callers"
"""A file a language, of lines ``kind: text``."""

Floats = npt.NDArray[np.float64]


@dataclass(frozen=True, slots=True, kw_only=True)
class Rated:
    """Probabilities that utterances are whole: of some that are, and of some that are not."""

    whole: Floats
    cut: Floats

    def drawn(self, draw: np.random.Generator) -> Rated:
        """Return as many, drawn with replacement."""
        return Rated(whole=draw.choice(self.whole, len(self.whole)), cut=_again(draw, self.cut))

    def auc(self) -> float:
        """Return how often a whole one is rated above an unfinished one."""
        above = self.whole[:, None] > self.cut[None]
        return float((above + (self.whole[:, None] == self.cut[None]) / 2).mean())


def _again(draw: np.random.Generator, values: Floats) -> Floats:
    return draw.choice(values, len(values))


def callers(language: str) -> dict[str, list[str]]:
    """Return what callers say, by what it is: ``whole``, ``cut``, ``backchannel``, ``answer``."""
    found: dict[str, list[str]] = {}
    for line in (CALLERS / f"{language}.txt").read_text(encoding="utf-8").splitlines():
        kind, colon, text = line.partition(": ")
        if colon and not line.startswith("#"):
            found.setdefault(kind, []).append(text)
    return found


def rated(whole: Sequence[str], cut: Sequence[str], language: str) -> Rated:
    """Return what the words say of them."""
    rate = [[text_completeness(text, language) or 0.5 for text in kind] for kind in (whole, cut)]
    return Rated(whole=np.array(rate[0]), cut=np.array(rate[1]))
