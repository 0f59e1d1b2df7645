"""Recorded human speech, with what is said in it; README.md says by whom and under what licence."""

from __future__ import annotations

import json
import wave
from pathlib import Path

from pipelines.audio import Audio

FOLDER = Path(__file__).parent

TRANSCRIPTS: dict[str, str] = json.loads((FOLDER / "transcripts.json").read_text("utf-8"))
"""What is said, by the name of the recording."""


def read(path: Path) -> Audio:
    """Read a WAV file of 16-bit mono samples.

    Raises:
        ValueError: If it holds anything else.
    """
    with wave.open(str(path)) as file:
        if (file.getnchannels(), file.getsampwidth()) != (1, 2):
            raise ValueError(f"{path.name} is not 16-bit mono")
        return Audio(file.readframes(file.getnframes()), file.getframerate())


def load(name: str) -> Audio:
    """Return a recording, 8 kHz, by its name in TRANSCRIPTS."""
    return read(FOLDER / f"{name}.wav")
