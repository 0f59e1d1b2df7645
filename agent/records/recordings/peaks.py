"""How loud a recording is, column by column: what a waveform is drawn of.

It reads files: use a thread. A recording is read in pieces, whatever its length: an hour takes as
much memory as a minute, and time in proportion.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import IO

import numpy as np
import soundfile
from numpy.typing import NDArray

from agent.records.recordings.stereo import NoAudioError

MOST_COLUMNS = 6000
"""Of a waveform: a window is some 1,200 pixels wide, so there are five times as many to zoom into.
What is sent of them is 64 kB."""

FINEST = 0.02
"""Seconds of a column at the least: a frame of the telephone's."""

LONGEST = 86_400.0
"""Seconds; what says that it is longer is damaged, and would have columns that fit in no memory."""

PIECE = 250_000
"""Samples of one side that are read at once, unless a column has more: 1 MB of both."""


class GivenUpError(Exception):
    """Whoever wanted the peaks has no time for them any more."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Peaks:
    """The lowest and the highest sample of each column, of both sides."""

    seconds: float
    """Length of the recording."""

    column: float
    """Seconds of a column; the last may be shorter."""

    caller: NDArray[np.int16]
    """Of shape ``(columns, 2)``: lowest, highest."""

    agent: NDArray[np.int16]
    """The same, and as many."""


def peaks_of(file: IO[bytes], wanted: Callable[[], bool], most: int = MOST_COLUMNS) -> Peaks:
    """Return the peaks of a recording, FLAC or Opus.

    Args:
        file: Whole, and to be sought in.
        wanted: Asked before each piece whether to go on.
        most: Columns.

    Raises:
        NoAudioError: If it is no audio, or is cut off.
        OSError: If it cannot be read.
        GivenUpError: If ``wanted`` said no.
    """
    try:
        with soundfile.SoundFile(file) as sound:
            if sound.frames > LONGEST * sound.samplerate:
                raise NoAudioError("a recording that says that it is longer than a day")
            width = max(round(FINEST * sound.samplerate), -(-sound.frames // most), 1)
            found = [_columns(piece, width) for piece in _pieces(sound, width, wanted)]
            seconds, column = sound.frames / sound.samplerate, width / sound.samplerate
    except soundfile.LibsndfileError as error:
        raise NoAudioError("no recording, or one that is cut off") from error
    columns = np.concatenate(found) if found else np.zeros((0, 2, 2), np.int16)
    return Peaks(seconds=seconds, column=column, caller=columns[:, 0], agent=columns[:, 1])


def _pieces(
    sound: soundfile.SoundFile, width: int, wanted: Callable[[], bool]
) -> Iterator[NDArray[np.int16]]:
    """Yield a recording in pieces of whole columns."""
    size = max(1, PIECE // width) * width
    for piece in sound.blocks(size, dtype="int16", always_2d=True):
        if not wanted():
            raise GivenUpError
        yield piece


def _columns(piece: NDArray[np.int16], width: int) -> NDArray[np.int16]:
    """Return lowest and highest of each column of a piece, of shape ``(columns, sides, 2)``."""
    starts = np.arange(0, len(piece), width)
    sides = piece[:, [0, -1]]  # of a recording with one side alone, that one twice
    low, high = (f.reduceat(sides, starts, axis=0) for f in (np.minimum, np.maximum))
    return np.stack([low, high], axis=2)
