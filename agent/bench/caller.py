"""One caller: listens until the agent is done, says something, waits, and at times interrupts.

No socket and no clock: whoever paces the calls asks for a frame every 20 ms, and tells what came. A
frame leaves when its 20 ms have been spoken, as it does on a telephone line: speech ends with the
frame that leaves then, and has begun 20 ms before its first one does.
"""

from __future__ import annotations

import enum
import random
from dataclasses import dataclass, field

import numpy as np

from agent.bench.heard import HeardAudio
from agent.bench.speech import RATE, SAID, SAID_OVER, Spoken, silent_frame, spoken
from agent.simulator.stretches import SOUND
from pipelines.audio import FRAME_SECONDS

GREETED_WITHIN = 5.0
"""Seconds that a caller waits for a greeting before they speak first."""

ANSWERED_WITHIN = 15.0
"""Seconds that a caller waits for an answer, and then says something else."""

PATIENCE = 0.8
"""Seconds of quiet after which the agent is done: longer than a breath between two sentences."""

THINKS = (0.0, 1.2)
"""Seconds more until the caller speaks, at random between these."""

INTERRUPTS_EVERY = 3
"""Of a caller's turns, one in so many begins while the agent speaks."""

INTERRUPTS_AFTER = (0.8, 2.5)
"""Seconds into what the agent says, at random between these."""


class Doing(enum.Enum):
    """What the caller does."""

    LISTENS = enum.auto()
    SPEAKS = enum.auto()
    WAITS = enum.auto()


@dataclass(slots=True, kw_only=True)
class Measured:
    """What was measured of one call, from one moment to another. Times in seconds."""

    responses: list[float] = field(default_factory=list)
    """From the end of what the caller said to the first sound of the answer at their ear."""

    after: dict[str, list[float]] = field(default_factory=dict)
    """The same by the name of the recording that was answered."""

    stops: list[float] = field(default_factory=list)
    """From the first sound of an interruption to ``clear``."""

    unstopped: int = 0
    """Interruptions that no ``clear`` followed, though the agent had more to say."""

    unanswered: int = 0
    cut_ins: int = 0
    """Times that the agent spoke while the caller was saying something that was no interruption."""

    gaps: list[float] = field(default_factory=list)
    """Seconds of each hole in what the agent said."""

    stale: float = 0.0
    """Seconds of old audio after a ``clear``."""

    frames: int = 0
    spoken: int = 0
    """Frames that were sent, and those of them in which the caller spoke."""


class LoadCaller:
    """A caller, deterministic by their number.

    Args:
        seed: Of what they say, and when; two callers have two.
        at: When the call was answered.
    """

    def __init__(self, seed: int, at: float) -> None:
        self.measured = Measured()
        self.heard = HeardAudio(rate=RATE, until=at)
        self.doing = Doing.LISTENS
        self._random = random.Random(seed)  # noqa: S311 - a caller's mood is no secret
        self._silence = silent_frame()
        self._turns = self._random.randrange(INTERRUPTS_EVERY)
        self._greeted = False
        self._since = at
        """When what is listened to began, or what was said ended."""

        self._onset: float | None = None
        """When an interruption began to sound that no ``clear`` has followed yet."""

        self._saying: Spoken | None = None
        self._next = 0
        """What is being said, and which of its frames comes next."""

        self._plan()

    def begin_measuring(self) -> None:
        """Forget what was measured so far."""
        self.measured = Measured()
        self.heard.gaps.clear()
        self.heard.stale = 0.0

    @property
    def speaks(self) -> bool:
        """Whether the caller is saying something."""
        return self._saying is not None

    def result(self) -> Measured:
        """Return what was measured since then."""
        self.measured.gaps = list(self.heard.gaps)
        self.measured.stale = self.heard.stale
        return self.measured

    # What is sent

    def frame(self, at: float) -> bytes:
        """Return the 20 ms that leave the caller at ``at``, as they are written to the socket."""
        self.measured.frames += 1
        if self._saying is not None:
            return self._speak(self._saying, at)
        if self.doing is Doing.WAITS:
            if at - self._since > ANSWERED_WITHIN:
                self.measured.unanswered += 1
                self._plan()
        elif self._may_speak(at):
            self.doing = Doing.SPEAKS
            self._saying, self._next = self._planned, 0
            return self._speak(self._planned, at)
        return self._silence

    def _may_speak(self, at: float) -> bool:
        quiet = self.heard.quiet_for(at)
        if not self._greeted and quiet < GREETED_WITHIN:
            return False
        if self._interrupts:
            return quiet >= PATIENCE or (quiet < 0 and at - self._since >= self._at_ease)
        return quiet >= PATIENCE + self._at_ease

    def _plan(self) -> None:
        """Listen, and think of what to say next, and when."""
        self.doing = Doing.LISTENS
        self._turns += 1
        self._interrupts = self._turns % INTERRUPTS_EVERY == 0
        self._planned = spoken(self._random.choice(SAID_OVER if self._interrupts else SAID))
        self._at_ease = self._random.uniform(*(INTERRUPTS_AFTER if self._interrupts else THINKS))

    def _speak(self, speech: Spoken, at: float) -> bytes:
        self.measured.spoken += 1
        number = self._next
        if number == speech.onset:
            if self.heard.until > at:
                self._onset = at - FRAME_SECONDS
            else:
                self.heard.turn()
        if number == speech.last:
            self._end(at)
        self._next = number + 1
        if self._next == len(speech.frames):
            self._saying = None
        return speech.frames[number]

    def _end(self, at: float) -> None:
        """What the caller says sounds no more from ``at`` on; its last frames are a breath."""
        self._since = at
        if self.heard.until > at:  # what comes now is no answer: they talk over each other
            self.measured.unstopped += self._onset is not None
            self._plan()
        else:
            self.heard.turn()
            self.doing = Doing.WAITS
        self._onset = None

    # What comes

    def audio(self, at: float, pcm: bytes) -> None:
        """Take audio that came at ``at``."""
        if self.doing is Doing.SPEAKS and self._onset is None and self.heard.until < at:
            self.measured.cut_ins += 1
        begins = self.heard.audio(at, len(pcm))
        if self.doing is Doing.WAITS:
            offset = first_sound(pcm)
            if offset is not None:
                took = begins + offset - self._since
                self.measured.responses.append(took)
                self.measured.after.setdefault(self._planned.name, []).append(took)
                self._since = begins
                self._plan()
        elif not self._greeted:
            self._greeted = True
            self._since = begins

    def cleared(self, at: float) -> None:
        """Take a ``clear``."""
        if self._onset is not None:
            self.measured.stops.append(at - self._onset)
            self._onset = None
        self.heard.clear(at)


def first_sound(pcm: bytes) -> float | None:
    """Return the seconds until it sounds; None if it does not."""
    samples = np.frombuffer(pcm, "<i2", len(pcm) // 2)
    loud = np.flatnonzero(np.abs(samples.astype(np.int32)) >= SOUND)
    return float(loud[0]) / RATE if len(loud) else None
