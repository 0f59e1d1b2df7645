"""How much may come in from a far end: frames of every kind, and their bytes. No I/O, no clock."""

from __future__ import annotations

from agent.settings.calls import LineSettings

EARLY_BYTES = 65_536
"""What may come in before the call is answered: a ``connect`` and a little impatience."""

EARLY_FRAMES = 250
"""Frames before the call is answered: five seconds of one that begins to speak too soon."""

EARLY_FRAMES_A_SECOND = 100
"""Twice what 20 ms frames need."""

FRAMES_A_SECOND = 500
"""Ten times what 20 ms frames need; 2 ms frames would still pass."""

FRAMES_OF_A_STALL = 100
"""Frames for each second of ``line.burst``: 10 ms frames that a network has held up all pass."""

UNSHARED_FRAMES = 4
"""Frames that a socket has for itself, so that somebody at the address of a flood can still say
what they come for."""

EARLY_SECONDS = 2.0
"""How far the frames of an eager platform may run ahead before any clock can be set."""

CLOCKS_APART = 1.1
"""How much faster than ours the clock of a platform may run, or a call of hours would use up what
is there for stalls."""


class Allowance:
    """So much at once, and so much more each second.

    Args:
        at_once: What may come after silence.
        a_second: What may come each second from then on.
    """

    def __init__(self, at_once: float, a_second: float) -> None:
        self._at_once = self._left = at_once
        self._a_second = a_second
        self._at: float | None = None

    def take(self, amount: float, at: float) -> bool:
        """Use up ``amount`` at the time ``at``, in seconds; return whether that much was left."""
        left = self._left
        if self._at is not None:
            left += (at - self._at) * self._a_second
            left = min(left, self._at_once)
        self._at = at
        enough = amount <= left
        self._left = left - amount if enough else left
        return enough


class FrameBudget:
    """What one far end, or one address, may send.

    Args:
        frames: Of every kind: text, binary, continuations, pings, pongs; empty ones too.
        size: Bytes in them.
    """

    def __init__(self, frames: Allowance, size: Allowance) -> None:
        self._frames = frames
        self._size = size

    def spend(self, size: int, at: float) -> str:
        """Count a frame of ``size`` bytes; return why it is too much, fit for a log, or ``""``."""
        if not self._frames.take(1, at):
            return "too many messages"
        if not self._size.take(size, at):
            return "audio came much faster than real time"
        return ""


def before_the_answer() -> FrameBudget:
    """Return what one socket may send until its call is answered."""
    return FrameBudget(Allowance(EARLY_FRAMES, EARLY_FRAMES_A_SECOND), Allowance(EARLY_BYTES, 0))


def of_a_call(settings: LineSettings, rate: int) -> FrameBudget:
    """Return what the socket of a call may send at ``rate`` hertz, from its answer on."""
    bytes_a_second = 2 * rate
    return FrameBudget(
        Allowance((settings.burst + EARLY_SECONDS) * FRAMES_OF_A_STALL, FRAMES_A_SECOND),
        Allowance(EARLY_BYTES + settings.burst * bytes_a_second, CLOCKS_APART * bytes_a_second),
    )


def of_an_address() -> FrameBudget:
    """Return what all sockets of one address may send together that have no call, nor a token."""
    return FrameBudget(
        Allowance(4 * EARLY_FRAMES, 2 * EARLY_FRAMES_A_SECOND),
        Allowance(8 * EARLY_BYTES, EARLY_BYTES),
    )


class Meter:
    """Counts all that comes on one socket against what it may send.

    Args:
        own: What this socket may send.
        shared: What it may send together with others; None if it shares nothing.
    """

    def __init__(self, own: FrameBudget, shared: FrameBudget | None = None) -> None:
        self._own = own
        self._shared = shared
        self._frames = 0

    def allow(self, own: FrameBudget) -> None:
        """Count against ``own`` from now on, and against nothing that is shared."""
        self._own, self._shared = own, None

    def count(self, size: int, at: float) -> str:
        """Count a frame of ``size`` bytes; return why it is too much, fit for a log, or ``""``."""
        self._frames += 1
        reason = self._own.spend(size, at)
        if reason or self._shared is None or self._frames <= UNSHARED_FRAMES:
            return reason
        return self._shared.spend(size, at) and "too many messages from one address"
