"""Texts that other people are shown or told: one line of plain text, whoever has written them.

The same for what comes over REST and what stands in an agent file.
"""

from __future__ import annotations

import re
import unicodedata
from typing import Annotated

from pydantic import AfterValidator, StringConstraints

from agent.sinch_limits import MAX_SAY, MAX_TITLE

_MARKUP = re.compile(r"https?://\S+|[<>{}\[\]|`~^\\*_#;\ue000-\uf8ff]+")
"""What is no speech, or ends a prompt in version 1 of the API: ``#tts[...]``, parted by ``;``."""


def one_line(text: str) -> str:
    """Return a text without line breaks, control characters and marks that are not seen."""
    return " ".join("".join(c if c.isprintable() else " " for c in text).split())


def plain(text: str) -> str:
    """Return a text without markup, on one line, as a voice may be given it."""
    return one_line(_MARKUP.sub(" ", unicodedata.normalize("NFC", text)))


Title = Annotated[
    str,
    StringConstraints(strip_whitespace=True, max_length=MAX_TITLE),
    AfterValidator(one_line),
]
"""What somebody on a line is called; ``""`` if nothing of it is seen."""

SpokenLine = Annotated[
    str,
    StringConstraints(strip_whitespace=True, max_length=MAX_SAY),
    AfterValidator(plain),
]
"""What the platform's voice says."""
