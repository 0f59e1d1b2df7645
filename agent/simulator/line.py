"""What a line does to a caller's voice: band, noise, echo, G.711, lost packets, late packets.

The order is that of a call: the caller's phone picks up noise and what its loudspeaker plays, the
network codes 8 bits a sample, packets of 20 ms are lost and made up for, and now and then some are
late and arrive at once. Two lines of one kind do the same to the same sound. No clock: time is the
number of frames.

Only commands that try an agent out import this: SciPy takes a second to load.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Literal

import numpy as np
import numpy.typing as npt

from agent.simulator.plan import CallerLine, LineName, Plan
from pipelines.audio import FRAME_SECONDS

Kind = Literal["landline", "mobile", "noisy", "echo", "bad"]
Samples = npt.NDArray[np.float64]

BAND = (300.0, 3400.0)
"""Hertz that a telephone carries (ITU-T G.712)."""

FULL_SCALE = 32767.0

MU = 255.0
"""Of G.711's law for America and Japan."""


@dataclass(frozen=True, slots=True, kw_only=True)
class LineQuality:
    """How bad a line is."""

    noise: float
    """RMS in dBFS."""

    echo: float | None
    """Decibels that what the phone plays comes back at; None if it does not."""

    loss: float
    """Share of packets after which the next is lost, unless it was lost itself."""

    burst: float = 0.0
    """The same after a lost one: losses come together."""

    echo_delay: float = 0.12
    """Seconds until it comes back: a mobile network's round trip, if nothing else is said."""

    late: float = 0.0
    """Share of packets at which the network stalls, for 40 to :data:`LATEST` ms."""


QUALITIES: Mapping[Kind, LineQuality] = {
    "landline": LineQuality(noise=-60, echo=-45, loss=0.0),
    "mobile": LineQuality(noise=-50, echo=-40, loss=0.01, burst=0.3, late=0.004),
    "noisy": LineQuality(noise=-32, echo=-45, loss=0.0),
    "echo": LineQuality(noise=-60, echo=-20, loss=0.0, echo_delay=0.25),
    "bad": LineQuality(noise=-40, echo=-25, loss=0.04, burst=0.5, late=0.015),
}
"""``noisy`` is a street or a car: a voice at the usual -20 dBFS is 12 dB above it. ``echo`` is a
phone on loudspeaker, over a slow network."""

LATEST = 0.2
"""Seconds that a stall takes at most; the packets of it arrive together."""


def on_line(plan: Plan, name: LineName) -> Plan:
    """Return ``plan`` with its caller on that line, behind the one that the plan has, if any."""
    if name == "clean":
        return plan
    quality, inner = QUALITIES[name], plan.line

    def made() -> CallerLine:
        line = TelephoneLine(quality, plan.rate)
        return line if inner is None else _Joined(inner(), line)

    return replace(plan, line=made)


class _Joined:
    """A line that gives a frame for a frame, and one behind it."""

    def __init__(self, first: CallerLine, second: CallerLine) -> None:
        self._first, self._second = first, second

    def carry(self, spoken: bytes, played: bytes) -> bytes:
        return self._second.carry(self._first.carry(spoken, played), played)


class TelephoneLine:
    """One call's way to the network.

    Args:
        quality: How bad it is.
        rate: Hertz.
    """

    def __init__(self, quality: LineQuality, rate: int) -> None:
        from scipy.signal import butter, sosfilt  # noqa: PLC0415 - SciPy takes a second to load

        self._quality = quality
        size = int(rate * FRAME_SECONDS)
        top = min(BAND[1], 0.45 * rate)
        self._filter = sosfilt
        self._sections = butter(4, (BAND[0], top), "bandpass", fs=rate, output="sos")
        self._state = np.zeros((len(self._sections), 2))
        self._random = np.random.default_rng(11)
        self._played = deque([np.zeros(size)] * round(quality.echo_delay / FRAME_SECONDS))
        self._last = np.zeros(size)
        self._lost = False
        self._stalled = 0  # frames, until the network goes on
        self._late: list[bytes] = []

    def carry(self, spoken: bytes, played: bytes) -> bytes:
        """Return what arrives meanwhile, in whole frames: none, one, or several that were late.

        Args:
            spoken: The caller's 20 ms.
            played: What their phone plays meanwhile: 20 ms, too.
        """
        at_the_phone = _samples(spoken) + self._echo(_samples(played))
        at_the_phone += self._random.normal(0, _amplitude(self._quality.noise), len(at_the_phone))
        filtered, self._state = self._filter(self._sections, at_the_phone, zi=self._state)
        arrived = self._through_the_network(_coded(filtered))
        return self._in_time(np.rint(np.clip(arrived, -1, 1) * FULL_SCALE).astype("<i2").tobytes())

    def _echo(self, played: Samples) -> Samples:
        self._played.append(played)
        heard = self._played.popleft()
        echo = self._quality.echo
        return heard * (0.0 if echo is None else _amplitude(echo))

    def _through_the_network(self, frame: Samples) -> Samples:
        """Lose a packet now and then; say the last one again, more softly each time (G.711 I)."""
        chance = self._quality.burst if self._lost else self._quality.loss
        self._lost = bool(self._random.random() < chance)
        self._last = self._last * 0.5 if self._lost else frame
        return self._last

    def _in_time(self, frame: bytes) -> bytes:
        """Hold frames back while the network stalls; they arrive with the one after."""
        if self._stalled:
            self._stalled -= 1
        elif self._quality.late and self._random.random() < self._quality.late:
            self._stalled = int(self._random.integers(2, round(LATEST / FRAME_SECONDS) + 1))
        self._late.append(frame)
        if self._stalled:
            return b""
        arrived = b"".join(self._late)
        self._late.clear()
        return arrived


def _samples(pcm: bytes) -> Samples:
    return np.frombuffer(pcm, "<i2") / FULL_SCALE


def _amplitude(decibels: float) -> float:
    return float(10 ** (decibels / 20))


def _coded(samples: Samples) -> Samples:
    """Return what 8 bits of the law leave of samples: its smooth form, without G.711's segments."""
    size = np.log1p(MU * np.minimum(1, np.abs(samples))) / np.log1p(MU)
    kept = np.rint(size * 127) / 127
    expanded: Samples = np.expm1(kept * np.log1p(MU)) / MU
    return np.copysign(expanded, samples)
