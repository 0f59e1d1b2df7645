"""What is said when there is no voice at all: a sentence that comes with the install."""

from __future__ import annotations

import wave
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from pipelines.audio import Audio


@dataclass(frozen=True, slots=True, kw_only=True)
class Recorded:
    """A recorded sentence, or a few."""

    text: str
    audio: Audio


_SORRY = {
    "en": "Sorry, we cannot take your call right now. Please try again later. Goodbye.",
}
"""By language; the file of each, ``sorry.en.wav``, is 16 bits, one channel, 8 kHz. Piper's voice
says them, see ``sorry.LICENSE``; it speaks English only."""


def _read(language: str, text: str) -> Recorded:
    with wave.open(str(Path(__file__).with_name(f"sorry.{language}.wav")), "rb") as file:
        audio = Audio(file.readframes(file.getnframes()), file.getframerate())
    return Recorded(text=text, audio=audio)


# Read while the service starts: 77 KB, of which no call waits for a file.
_RECORDED: Mapping[str, Recorded] = {
    language: _read(language, text) for language, text in _SORRY.items()
}


def recorded_sorry(language: str) -> Recorded:
    """Return "we cannot take your call" in a language, such as ``en-GB``; in English if need be."""
    return _RECORDED.get(language.partition("-")[0].lower(), _RECORDED["en"])
