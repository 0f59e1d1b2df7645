"""What a call that is placed is to be like: who says what, and when."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Literal, Protocol

from pipelines.audio import Audio

Shape = Literal["v1", "v2", "tutorial"]
"""The ``connect`` messages that are published."""

LineName = Literal["clean", "landline", "mobile", "noisy", "echo", "bad"]
"""What the caller calls over; ``clean`` changes nothing."""


class CallerLine(Protocol):
    """What is between the caller and the network."""

    def carry(self, spoken: bytes, played: bytes) -> bytes:
        """Return what arrives of the caller's 20 ms, while their phone plays ``played``.

        Whole frames of 20 ms: one, none if it is late, or several where those before it were.
        """
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Cue:
    """When the caller begins, if not when the agent is done."""

    event: Literal["answer", "opening", "reply"]
    """From when: the ``answer``; the agent's first sound, whatever it does by then; or its first
    sound after the caller's turn before, and only while it speaks."""

    seconds: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Turn:
    """Something the caller says."""

    audio: Audio
    """At the call's rate."""

    label: str
    """Words, or the name of a file."""

    cue: Cue | None = None
    """When it begins; None for when the agent is done, or as the plan has it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """A call to place. Times in seconds."""

    turns: Sequence[Turn] = ()
    rate: int = 8000
    headers: Mapping[str, str] = field(default_factory=dict)
    application: str = "stand-in"
    """Whose call it says it is: an application's key, or a service's id."""

    shape: Shape = "v2"
    """Which of the published ``connect`` messages to send."""

    line: Callable[[], CallerLine] | None = None
    """Makes what the caller's voice goes through; None if nothing."""

    interrupt_after: float | None = None
    """Start each turn this long after the agent has begun to speak, and not once it is done."""

    answer_timeout: float = 15.0
    """For the ``answer``, and for each reply."""

    greeting_timeout: float = 3.0
    """Speak first if there is no greeting by then."""

    max_seconds: float = 600.0
    """Hang up then: an agent may never stop talking."""

    patience: float = 1.0
    """Quiet after which the agent is done: longer than a breath between two sentences."""

    linger: float = 0.0
    """Quiet, more than that, until the caller hangs up when they have said everything."""
