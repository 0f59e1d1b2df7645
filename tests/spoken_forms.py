"""Cases of what is read out, as data: for the tests, and for the page that shows them."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

FOLDER = Path(__file__).parent / "pipelines" / "text" / "spoken_forms"
"""A file a kind, a line a case: language, what is written, what is spoken, with tabs between.

A character that nobody sees is written as ``\\u00ad``. Where a language has no case of a kind, a
line with nothing written says why not.
"""

HEADING = ["language", "written", "spoken"]


@dataclass(frozen=True, slots=True, kw_only=True)
class SpokenForm:
    """A text, and how it is read out."""

    kind: str
    language: str
    written: str
    """As in the file."""

    spoken: str

    @property
    def text(self) -> str:
        """What is written, with its unseen characters."""
        return re.sub(r"\\u([0-9a-f]{4})", lambda found: chr(int(found[1], 16)), self.written)


def kinds() -> list[str]:
    """Return the kinds of which there are cases, in the order of the alphabet."""
    return sorted(path.stem for path in FOLDER.glob("*.tsv"))


def forms(kind: str) -> Iterator[SpokenForm]:
    """Yield the cases of a kind, in the order of its file; also the lines that say why not."""
    first, *lines = (FOLDER / f"{kind}.tsv").read_text().splitlines()
    assert first.split("\t") == HEADING, f"{kind}.tsv: its first line is not {HEADING}"
    for number, line in enumerate(lines, 2):
        cells = line.split("\t")
        assert len(cells) == len(HEADING), f"{kind}.tsv, line {number}: not three cells"
        language, written, spoken = cells
        yield SpokenForm(kind=kind, language=language, written=written, spoken=spoken)
