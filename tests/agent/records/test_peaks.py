"""Peaks of a recording: the same as of all its samples at once, in bounded memory."""

from __future__ import annotations

import tempfile
import tracemalloc
from pathlib import Path
from typing import IO

import numpy as np
import pytest
import soundfile
from hypothesis import given
from hypothesis import strategies as st

from agent.records.recordings.peaks import PIECE, GivenUpError, peaks_of
from agent.records.recordings.stereo import NoAudioError

HOUR = 3600


def written(samples: np.ndarray, rate: int = 8000) -> IO[bytes]:
    """Return a recording of these, open."""
    file = tempfile.TemporaryFile()  # noqa: SIM115 - closed with the test
    with soundfile.SoundFile(file, "w", rate, 2, "PCM_16", format="FLAC") as sound:
        sound.write(samples)
    file.seek(0)
    return file


@given(length=st.integers(1, 5000), most=st.integers(1, 40), seed=st.integers(0, 99))
def test_the_lowest_and_the_highest_of_each_column(length: int, most: int, seed: int) -> None:
    """As numpy finds them, whatever the last column lacks; never more columns than are wanted."""
    samples = np.random.default_rng(seed).integers(-32768, 32767, (length, 2), np.int16)
    with written(samples) as file:
        found = peaks_of(file, lambda: True, most)
    width = round(found.column * 8000)
    columns = [samples[at : at + width] for at in range(0, length, width)]
    assert len(columns) == len(found.caller) == len(found.agent) <= most
    for n, side in enumerate((found.caller, found.agent)):
        assert side.tolist() == [[one[:, n].min(), one[:, n].max()] for one in columns]


def test_an_hour_takes_the_memory_of_a_minute() -> None:
    """A piece at a time; and it is given up between two pieces."""
    piece = np.tile(np.arange(-4000, 4000, dtype=np.int16)[:, None], (60, 2))
    with tempfile.TemporaryFile() as file:
        with soundfile.SoundFile(file, "w", 8000, 2, "PCM_16", format="FLAC") as sound:
            for _ in range(HOUR // 60):
                sound.write(piece)
        file.seek(0)
        tracemalloc.start()
        found = peaks_of(file, lambda: True)
        _, most = tracemalloc.get_traced_memory()
        tracemalloc.stop()
        assert most < 20 * PIECE  # bytes: 5 MB, of 115 MB of samples
        assert (found.seconds, len(found.caller)) == (HOUR, 6000)
        file.seek(0)
        with pytest.raises(GivenUpError):
            peaks_of(file, lambda: False)


def test_what_is_no_recording(tmp_path: Path) -> None:
    """It is told by its class; so is one that was never ended, and may be of any length."""
    (tmp_path / "a.flac").write_bytes(b"nothing of the kind")
    with (tmp_path / "a.flac").open("rb") as other, pytest.raises(NoAudioError):
        peaks_of(other, lambda: True)
    with (
        tempfile.TemporaryFile() as file,
        soundfile.SoundFile(file, "w", 8000, 2, "PCM_16", format="FLAC") as sound,
    ):
        sound.write(np.zeros((80_000, 2), np.int16))
        sound.flush()
        file.seek(0)
        with pytest.raises(NoAudioError):
            peaks_of(file, lambda: True)
