"""What is heard of a call, for those who listen in: both sides in step, as the caller hears them.

While somebody listens, a tap stands before the recording's on the channel; otherwise there is none.
Nothing here waits: whoever listens asks now and then for what has become certain.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from functools import cache

import numpy as np
from numpy.typing import NDArray

from agent.records.recordings.sides import AgentSide, PlacedAudio
from agent.stream.channel import Channel
from agent.stream.tap import Tap
from pipelines.audio import BYTES_PER_SAMPLE, Resampler
from pipelines.clock import now

RATE = 8000
"""Hertz of what listeners get, whatever the line carries: what a telephone does."""

PACE = 0.1
"""Seconds between two looks for what is heard: a browser plays it half a second later anyway."""

SETTLED_AFTER = 0.4
"""Seconds until what was heard is handed on: audio of a caller may come late by some jitter."""

MOST_BLOCKS = 100
"""Blocks that wait for a listener, of :data:`PACE` or so each; of more, the oldest are dropped."""

DRIFT = 0.06
"""Seconds that audio of a caller may come late, or early, and still follows the piece before."""

MOST_AHEAD = 1.0
"""Seconds of a burst that are heard behind what came before; more of it is dropped."""

STEP = 50
"""Blocks have whole frames, so many a second: both sides stay as long as each other."""


class AudioListener:
    """Somebody who listens."""

    def __init__(self) -> None:
        self._blocks: deque[bytes] = deque(maxlen=MOST_BLOCKS)

    def tell(self, block: bytes) -> None:
        """Take stereo PCM. Returns at once; of too much, the oldest is dropped."""
        self._blocks.append(block)

    def take(self) -> bytes:
        """Return what was heard since the last time."""
        taken = b"".join(self._blocks)
        self._blocks.clear()
        return taken


class CallAudio:
    """Has a call be heard, while somebody listens.

    Args:
        channel: Of the call.
        paused: Whether nothing may be heard now, because nothing may be recorded.
    """

    def __init__(self, channel: Channel, paused: Callable[[], bool]) -> None:
        self._channel = channel
        self._paused = paused
        self._tap: ListeningTap | None = None

    @contextmanager
    def listening(self) -> Iterator[AudioListener]:
        """Listen from now on, until the block is left; :meth:`advance` now and then."""
        channel, listener = self._channel, AudioListener()
        if self._tap is None:
            channel.tap = self._tap = ListeningTap(channel.tap, channel.rate, self._paused)
        tap = self._tap
        tap.listeners.add(listener)
        try:
            yield listener
        finally:
            tap.listeners.discard(listener)
            if not tap.listeners:
                self._tap, channel.tap = None, tap.behind

    def advance(self) -> None:
        """Hand on what has become certain since the last time."""
        if self._tap is not None:
            self._tap.advance()


class ListeningTap:
    """Both sides of a call in step: a :class:`~agent.stream.tap.Tap` of its channel.

    What was sent before it was there, and is heard only then, is missing: the lead of the playout,
    less than a second.

    Args:
        behind: The tap that stands there otherwise.
        rate: Hertz of the channel.
        paused: Whether nothing may be heard now.
    """

    def __init__(self, behind: Tap, rate: int, paused: Callable[[], bool]) -> None:
        self.behind = behind
        self.listeners: set[AudioListener] = set()
        self._rate = rate
        self._paused = paused
        self._zero = now()
        self._caller, self._agent = _Arrivals(rate), AgentSide()
        self._resampled = [Resampler(rate, RATE, late=True) for _ in range(2)]
        self._done = self._silent_until = 0

    def received(self, pcm: bytes) -> None:
        """Take audio of the caller."""
        self.behind.received(pcm)
        self._caller.add(pcm, self._at())
        self._look_whether_paused()

    def sent(self, pcm: bytes) -> None:
        """Take audio of the agent."""
        self.behind.sent(pcm)
        self._agent.add(pcm, self._at())
        self._look_whether_paused()

    def cleared(self) -> None:
        """Note that the platform drops what was not heard."""
        self.behind.cleared()
        self._agent.clear(self._at())

    def pressed(self, keys: str) -> str:
        """Leave the keys to whoever is behind."""
        return self.behind.pressed(keys)

    def advance(self) -> None:
        """Hand on what has become certain since the last time: silence where nothing was said."""
        self._look_whether_paused()
        frame = self._rate // STEP
        until = (self._at() - round(SETTLED_AFTER * self._rate)) // frame * frame
        if until <= self._done:
            return
        left = self._resampled[0].feed(self._mixed(self._caller.take(until), until))
        right = self._resampled[1].feed(self._mixed(self._agent.take(until), until))
        self._done = until
        block = np.stack((np.frombuffer(left, "<i2"), np.frombuffer(right, "<i2")), axis=1)
        for listener in self.listeners:
            listener.tell(block.tobytes())

    def _at(self) -> int:
        return max(0, round((now() - self._zero) * self._rate))

    def _look_whether_paused(self) -> None:
        if self._paused():
            self._silent_until = self._at()

    def _mixed(self, pieces: Iterable[PlacedAudio], until: int) -> bytes:
        """Return one side from what was handed on last, to ``until``."""
        side = np.zeros(until - self._done, "<i2")
        for piece in pieces:
            part = piece.cut(max(self._done, self._silent_until), until)
            if part.samples > 0:
                at = part.start - self._done
                side[at : at + part.samples] = np.frombuffer(
                    part.pcm, "<i2", count=len(part.pcm) // BYTES_PER_SAMPLE
                )
        return side.tobytes()


class _Arrivals:
    """The caller's audio, placed by when it came, at once: nobody waits to know better.

    Args:
        rate: Hertz.
    """

    def __init__(self, rate: int) -> None:
        self._rate = rate
        self._side = AgentSide()  # which plays in order, too
        self._end = 0
        self._odd = b""

    def add(self, pcm: bytes, at: int) -> None:
        pcm = self._odd + pcm
        whole = len(pcm) & ~1
        pcm, self._odd = pcm[:whole], pcm[whole:]
        samples = whole // BYTES_PER_SAMPLE
        start = at - samples
        if abs(start - self._end) <= DRIFT * self._rate:
            start = self._end
        start = max(0, start, self._end)
        if start - at <= MOST_AHEAD * self._rate:
            self._side.add(pcm, start)
            self._end = start + samples

    def take(self, until: int) -> list[PlacedAudio]:
        return self._side.take(until)


# G.711, for the way to another process: half as many bytes


def compressed(pcm: bytes) -> bytes:
    """Return 16-bit PCM as mu-law."""
    codes: bytes = _codes()[np.frombuffer(pcm, "<u2")].tobytes()
    return codes


def expanded(law: bytes) -> bytes:
    """Return mu-law as 16-bit PCM."""
    pcm: bytes = _values()[np.frombuffer(law, "u1")].tobytes()
    return pcm


@cache
def _values() -> NDArray[np.int16]:
    """Return the 256 values of ITU-T G.711's mu-law, by their codes."""
    codes = ~np.arange(256, dtype="u1")
    steps = ((codes & 0x0F).astype("i4") << 3) + 0x84
    sizes = (steps << ((codes & 0x70) >> 4)) - 0x84
    return np.where(codes & 0x80, -sizes, sizes).astype("<i2")


@cache
def _codes() -> NDArray[np.uint8]:
    """Return the code whose value is nearest, by 16-bit samples taken without their sign."""
    values = _values().astype("i4")
    order = np.argsort(values, kind="stable")
    between = (values[order][1:] + values[order][:-1]) / 2
    samples = np.arange(65536, dtype="u2").view("i2").astype("i4")
    return order[np.searchsorted(between, samples)].astype("u1")
