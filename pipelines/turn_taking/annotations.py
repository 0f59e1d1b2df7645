"""What a transcriber says of sounds that are no words: ``[BLANK_AUDIO]``, ``(silence)``, ``♪``."""

from __future__ import annotations

import re

_ANNOTATION = re.compile(
    r"""
    \[ [^\[\]\d]* (?: \] | $ )                  # [BLANK_AUDIO], [ Silence ], [música; cut off, too
    | \[ _ \w* \] | \[ [\d:.,\s]* --> [^\[\]]* \]       # [_TT_50], [00:00.000 --> 00:02.000]
    | 【[^【】\d]*(?:】|$) | ［[^［］\d]*(?:］|$)
    | \{ [^{}\d]* \}                            # {noise}
    | <\| [^<>|]* \|> | < [^<>|\d\s]+ >           # <|nospeech|>, <|0.00|>, <unk>
    | [♪♫♬♩🎵🎶] [^♪♫♬♩🎵🎶]* (?: [♪♫♬♩🎵🎶] | $ )          # what is sung
    | (?P<perhaps> \( [^()\d]* (?: \) | $ ) | （[^（）\d]*(?:）|$) | \*{1,2} [^*\d]+ \*{1,2} )
    """,
    re.VERBOSE,
)
"""Figures in brackets are words: ``(555)``, and what a transcriber hides of them: ``[CARD_1]``.

What may be one (``perhaps``) is one if it is a sentence of its own: ``(laughs) Yes.``; words may be
written so, too: ``Smyth (S-M-Y-T-H)``.
"""

_ENDS = frozenset(".!?…,;:-–—。！？、)]}）】］>*♪♫♬♩🎵🎶\n")
"""Signs after which another sentence, or another annotation, begins."""


def words_of(transcript: str) -> str:
    """Return the words of a transcript, without annotations; ``""`` if it has no word.

    A word has a letter or a digit: neither ``.`` nor ``♪ ♪`` is one. A transcript without
    annotations comes back as it is. Takes time in proportion to its length.
    """
    spoken = _ANNOTATION.sub(_left, transcript)
    if not any(map(str.isalnum, spoken)):
        return ""
    if spoken == transcript:
        return transcript
    if any(map(str.isalnum, _ANNOTATION.sub(" ", transcript))):
        return " ".join(spoken.split())
    return ""  # nothing but annotations


def _left(found: re.Match[str]) -> str:
    """Return what is left of what may be an annotation."""
    if found["perhaps"] is None:
        return " "
    before = found.string[max(0, found.start() - 3) : found.start()].rstrip()[-1:]
    after = found.string[found.end() : found.end() + 3].lstrip()[:1]
    alone = (not before or before in _ENDS) and not (after.islower() or after.isdigit())
    return " " if alone else found[0]
