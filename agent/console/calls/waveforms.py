"""The waveform of a recording, computed beside the calls: few at a time, and kept for a while."""

from __future__ import annotations

import asyncio
import base64
import threading
from collections import OrderedDict
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import numpy as np
from numpy.typing import NDArray

from agent.records.recordings.kept import NoRecordingError, Recordings
from agent.records.recordings.peaks import GivenUpError, Peaks, peaks_of
from agent.records.recordings.stereo import NoAudioError
from pipelines.priority import lower_thread_priority

AT_ONCE = 2
"""Recordings that are read at once; who asks for another waits."""

WITHIN = 120.0
"""Seconds, waiting included. An hour of FLAC takes one, an hour of Opus twenty."""

KEPT = 32
"""Waveforms in memory: 64 kB each at the most."""

NICE = 10
"""Of the threads: whoever talks with a caller goes first."""

Key = tuple[str, int]
"""Name and size of the file: one that was silenced afterwards has a waveform of its own."""


class Waveforms:
    """Computes waveforms, and keeps the latest. Close it in the end.

    Args:
        recordings: Of which.
    """

    def __init__(self, recordings: Recordings) -> None:
        self._recordings = recordings
        self._kept: OrderedDict[Key, Peaks] = OrderedDict()
        self._threads = ThreadPoolExecutor(
            AT_ONCE, "drawing waveforms", lower_thread_priority, (NICE,)
        )
        self._closing = threading.Event()

    async def of(self, file: str) -> Peaks:
        """Return the waveform of a recording. Cancelling is safe: its thread gives up.

        Args:
            file: As a record has it.

        Raises:
            NoRecordingError: If it is nowhere, or cannot be read.
            BucketError: If the bucket does not give it.
            SealError: If there is no key for it.
            TimeoutError: If it takes too long.
        """
        given_up = threading.Event()
        loop = asyncio.get_running_loop()
        try:
            async with asyncio.timeout(WITHIN):
                return await loop.run_in_executor(self._threads, self._find, file, given_up)
        finally:
            given_up.set()

    async def aclose(self) -> None:
        """Give up what is being computed."""
        self._closing.set()
        self._threads.shutdown(wait=False, cancel_futures=True)

    def _find(self, file: str, given_up: threading.Event) -> Peaks:
        try:
            place = self._recordings.find(file)  # one that was erased has no waveform any more
            key = (place.name, place.size)
            if (peaks := self._kept.get(key)) is None:
                with self._recordings.playable(place) as plain:
                    peaks = peaks_of(plain, lambda: not self._stops(given_up))
                self._kept[key] = peaks
                while len(self._kept) > KEPT:
                    self._kept.popitem(last=False)
        except NoAudioError as error:
            raise NoRecordingError(str(error)) from None
        except OSError as error:
            raise NoRecordingError(f"it cannot be read: {error.strerror}") from None
        except GivenUpError:
            raise TimeoutError from None
        return peaks

    def _stops(self, given_up: threading.Event) -> bool:
        return given_up.is_set() or self._closing.is_set()


def as_json(peaks: Peaks) -> dict[str, Any]:
    """Return a waveform as a page takes it.

    ``caller`` and ``agent`` are the lowest and the highest sample of each column in turn: 16 bits,
    little-endian, base64.
    """
    return {
        "seconds": round(peaks.seconds, 3),
        "column": peaks.column,
        "caller": _packed(peaks.caller),
        "agent": _packed(peaks.agent),
    }


def _packed(sides: NDArray[np.int16]) -> str:
    return base64.b64encode(sides.astype("<i2").tobytes()).decode()
