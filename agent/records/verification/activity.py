"""Where in a channel of a recording there is a voice, by its loudness alone.

The channels of a recording are apart: in the agent's there is nothing but what the agent said, and
silence. So no model has to tell a voice from a noise.
"""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections.abc import Iterable, Sequence

import numpy as np
import numpy.typing as npt

from pipelines.audio import Audio

FRAME = 0.01
"""Seconds of which the loudness is taken."""

SILENCE = 10 ** (-50 / 20)
"""RMS, of full scale, under which nothing is said: what Opus and G.711 leave in a silence is
softer, and the softest consonants are louder."""

JOINED = 0.1
"""Seconds between two sounds that are one stretch: the stop in a consonant is shorter."""

SHORTEST = 0.03
"""Seconds of a sound that is one; less is a click."""

Stretch = tuple[float, float]
"""When something begins and ends, in seconds."""


def _loudness(audio: Audio) -> npt.NDArray[np.float32]:
    """Return the RMS of each frame, of full scale."""
    size = max(1, round(FRAME * audio.rate))
    samples = np.frombuffer(audio.pcm, np.int16)
    whole = len(samples) // size
    found = np.zeros(whole, np.float32)
    step = round(60 / FRAME)  # a minute at a time: an hour of floats is 230 MB
    for at in range(0, whole, step):
        part = samples[at * size : min(at + step, whole) * size].astype(np.float32) / 32768
        found[at : at + step] = np.sqrt(np.square(part).reshape(-1, size).mean(axis=1))
    return found


def noise(audio: Audio) -> float:
    """Return the RMS under which a channel with noise in it has no voice, by its own loudness.

    Four times what it has in its quietest fifth, but no more than a quarter of its loudest.
    """
    loud = _loudness(audio)
    if not len(loud):
        return SILENCE
    quiet, loudest = np.percentile(loud, (20, 98))
    return float(max(SILENCE, min(4 * quiet, loudest / 4)))


def voiced(audio: Audio, silence: float = SILENCE) -> list[Stretch]:
    """Return where there is a voice, in seconds from the beginning of ``audio``.

    Args:
        audio: One channel.
        silence: RMS under which there is none.
    """
    loud = _loudness(audio) >= silence
    edges = np.flatnonzero(np.diff(np.concatenate(([0], loud.astype(np.int8), [0]))))
    found: list[Stretch] = []
    for begin, end in zip(edges[::2] * FRAME, edges[1::2] * FRAME, strict=True):
        if found and begin - found[-1][1] < JOINED:
            found[-1] = (found[-1][0], float(end))
        else:
            found.append((float(begin), float(end)))
    return [(begin, end) for begin, end in found if end - begin >= SHORTEST]


def within(stretches: Sequence[Stretch], begin: float, end: float) -> list[Stretch]:
    """Return the parts of ``stretches``, which are in order, that are between two times."""
    first = bisect_right(stretches, begin, key=lambda one: one[1])
    last = bisect_left(stretches, end, lo=first, key=lambda one: one[0])
    return [(max(a, begin), min(b, end)) for a, b in stretches[first:last]]


def joined(stretches: Iterable[Stretch]) -> list[Stretch]:
    """Return stretches, in any order and one over the other, as those that they cover together."""
    found: list[Stretch] = []
    for begin, end in sorted(stretches):
        if found and begin <= found[-1][1]:
            found[-1] = (found[-1][0], max(end, found[-1][1]))
        else:
            found.append((begin, end))
    return found


def without(stretches: Sequence[Stretch], taken: Sequence[Stretch]) -> list[Stretch]:
    """Return what is left of ``stretches`` without ``taken``; both as :func:`joined` gives them."""
    left: list[Stretch] = []
    first = 0
    for begin, end in stretches:
        at = begin
        while first < len(taken) and taken[first][0] < end:
            a, b = taken[first]
            if a > at:
                left.append((at, a))
            at = max(at, b)
            if b > end:  # it may take of the next as well
                break
            first += 1
        if at < end:
            left.append((at, end))
    return left


def length(stretches: Sequence[Stretch]) -> float:
    """Return the seconds of all of them."""
    return sum(end - begin for begin, end in stretches)
