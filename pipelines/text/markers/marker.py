"""What stands at a place of a reply, if it is no words."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Final, Literal

Effect = Literal["gone", "skip", "balance", "closed", "call", "closing", "anew", "over"]
"""What a marker does:

- ``gone``: it goes, and nothing else;
- ``skip``: what follows goes, until the marker's ``until``;
- ``balance``: what follows goes until its brackets are closed, if it is a call of a tool;
- ``closed``: the same, and it is a call if they are closed at all;
- ``call``: the same, since it is one; until the marker's ``until`` if that comes first, or if it
  begins with no bracket;
- ``closing``: what ends a call goes, if it stands here;
- ``anew``: what came before was reasoning;
- ``over``: what follows is not the agent's.
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Marker:
    """A marker that is whole."""

    end: int
    """Where it ends."""

    kind: str = "markup"
    effect: Effect = "gone"
    until: re.Pattern[str] | None = None
    space: str = ""
    """What stands in its place."""

    may_be_words: bool = False
    """Whether these are words after all: another's turn where nothing was said before it, reasoning
    that nothing ends."""


PARTIAL: Final = "partial"
"""What may still become a marker."""

Reading = Marker | Literal["partial"] | None
"""What stands at a place of the text; None if it is words."""

LONGEST_MARKER = 500
"""Characters of one: an address in an attribute is the longest part of any."""
