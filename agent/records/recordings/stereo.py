"""A recording: both sides of a call, in step, on the call's clock. Reads files: use a thread."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import IO

import numpy as np
import soundfile

from pipelines.audio import Audio


class NoAudioError(Exception):
    """A file is no recording, or was cut off."""


@dataclass(frozen=True, slots=True, kw_only=True)
class StereoAudio:
    """Both sides of a call; sample ``n`` of either is heard ``began + n / rate`` after the answer.

    In a file the caller is left, the agent right.
    """

    caller: Audio
    agent: Audio
    """As long as the caller's, and of the same rate. As heard, not as sent."""

    began: float = 0.0
    """Seconds on the call's clock: ``began`` of its ``recording`` lines."""


def read(file: Path | IO[bytes], began: float = 0.0) -> StereoAudio:
    """Return a recording, FLAC, Opus or WAV.

    Raises:
        OSError: If it cannot be read.
        NoAudioError: If it is no audio.
    """
    try:
        samples, rate = soundfile.read(file, dtype="int16", always_2d=True)
    except soundfile.LibsndfileError as error:
        raise NoAudioError("no recording, or one that is cut off") from error
    left, right = samples[:, 0], samples[:, -1]
    return StereoAudio(
        caller=Audio(np.ascontiguousarray(left).tobytes(), rate),
        agent=Audio(np.ascontiguousarray(right).tobytes(), rate),
        began=began,
    )


def write(path: Path, audio: StereoAudio) -> None:
    """Write a recording in the format that the name ends with: ``.flac``, ``.opus`` or ``.wav``.

    Raises:
        OSError: If it cannot be written.
    """
    sides = [np.frombuffer(side.pcm, np.int16) for side in (audio.caller, audio.agent)]
    kind = {".flac": ("FLAC", "PCM_16"), ".opus": ("OGG", "OPUS"), ".wav": ("WAV", "PCM_16")}
    container, subtype = kind[path.suffix]
    samples = np.stack(sides, axis=1)
    soundfile.write(path, samples, audio.caller.rate, format=container, subtype=subtype)
