"""Where the agent speaks, told by the sound alone: stretches of speech, with breaths in them."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import numpy.typing as npt

from pipelines.audio import FRAME_SECONDS

SOUND = 150
"""RMS of a frame that sounds, in 16-bit steps: -47 dBFS, above line noise, below any speech."""

BREATH = 0.6
"""Seconds of quiet within one stretch of speech: a pause between two sentences."""


Frames = npt.NDArray[np.bool_]
"""Whether each 20 ms sound, from the answer on."""


class Stretches:
    """Cut a run of frames into stretches of sound, with breaths within them.

    Args:
        on_change: Told when a stretch begins (True) and when it has ended (False), with the time
            at which that was: the end is known only a breath later.
    """

    def __init__(self, on_change: Callable[[bool, float], None]) -> None:
        self._on_change = on_change
        self._last_sound = 0.0
        self.began: float | None = None
        """When the present stretch began; None in quiet."""

    def feed(self, frame: bytes, at: float) -> None:
        """Take the frame that begins at ``at`` seconds."""
        if sounds(frame):
            if self.began is None:
                self.began = at
                self._on_change(True, at)  # noqa: FBT003 - begun or ended
            self._last_sound = at + FRAME_SECONDS
        elif self.began is not None and at - self._last_sound >= BREATH:
            self.flush()

    def flush(self) -> None:
        """End the stretch, if there is one."""
        if self.began is not None:
            self.began = None
            self._on_change(False, self._last_sound)  # noqa: FBT003 - begun or ended

    def quiet_for(self, now: float) -> float:
        """Return the seconds since the last sound; since the beginning if there was none."""
        return now - self._last_sound


def sounds(frame: bytes) -> bool:
    """Return whether ``frame`` is more than line noise."""
    samples = np.frombuffer(frame, "<i2").astype(np.float32)
    return len(samples) > 0 and float(np.sqrt(np.mean(samples * samples))) >= SOUND


def sounding(pcm: bytes, rate: int) -> Frames:
    """Return which 20 ms of 16-bit samples are more than line noise."""
    samples = np.frombuffer(pcm, "<i2").astype(np.float32)
    size = int(rate * FRAME_SECONDS)
    frames = samples[: len(samples) // size * size].reshape(-1, size)
    loud: Frames = np.sqrt(np.square(frames).mean(axis=1)) >= SOUND
    return loud
