"""A recorded caller on the telephone once more, frame by frame. No clock: time is the frames."""

from __future__ import annotations

from dataclasses import dataclass, field
from itertools import islice

import numpy as np

from agent.replay.caller_turns import CallerTurn, voice_edges
from agent.simulator.call_in_progress import command_of
from agent.simulator.playout_buffer import PlayoutBuffer
from agent.simulator.stretches import Frames, sounds
from pipelines.audio import FRAME_SECONDS, Audio, frame_bytes

OVER_AFTER = 2.0
"""Seconds of quiet after which a reply is over, though nobody has said so."""

QUICK = 0.3
"""Seconds after a reply that was too short to be spoken over as then."""

LONGER = 2.0
MORE = 60.0
"""How much longer than the recorded a call may be: times, and seconds more."""


@dataclass(slots=True, kw_only=True)
class HeardCall:
    """What came of it, frame by frame."""

    caller: list[bool] = field(default_factory=list)
    """Whether they spoke."""

    agent: list[bool] = field(default_factory=list)
    """Whether they heard the agent."""

    caller_pcm: bytearray = field(default_factory=bytearray)
    agent_pcm: bytearray = field(default_factory=bytearray)
    turns: list[tuple[int, int]] = field(default_factory=list)
    """From where to where each turn was said."""


class _Agent:
    """The agent, as the caller hears it.

    Args:
        size: Bytes of a frame.
    """

    def __init__(self, size: int) -> None:
        self.buffer = PlayoutBuffer()
        self.first: int | None = None
        """Frame of its first sound since the caller was silent; None if there was none."""

        self.last = 0
        """The frame after its last sound."""

        self.talking = False
        """Whether it has more to say."""

        self._size = size
        self._tail = 0  # the frame before which sound is of a reply that is over

    def hear(self, now: int, *, caller_speaks: bool) -> bytes:
        """Return what is heard in frame ``now``."""
        played = self.buffer.take(self._size).ljust(self._size, b"\0")
        if sounds(played):
            if self.first is None and not caller_speaks:
                self.first = now
            self.last, self.talking = now + 1, self.talking or now >= self._tail
        elif (now - self.last) * FRAME_SECONDS >= OVER_AFTER:
            self.talking = False
        return played

    def clear(self, now: int) -> None:
        """Hear nothing more of what was sent."""
        self.buffer.clear()
        self._tail = now

    def reply_over(self, now: int) -> None:
        """Note that a reply is over; its end is heard in a moment."""
        self.talking = False
        self._tail = now + self.buffer.size // self._size + 2


class ReplayedCaller:
    """The caller's end of a call: says what was recorded, and hears.

    They speak when the agent has done what each turn waited for, after as long as then; on the
    timeline, when they did then, whatever the agent does.

    Args:
        sound: The caller's side, from the answer on.
        spoken: Where they speak in it.
        turns: What they say; the last is that they hang up.
        timeline: Whether on the timeline.
    """

    def __init__(
        self, sound: Audio, spoken: Frames, turns: list[CallerTurn], *, timeline: bool
    ) -> None:
        self._size = frame_bytes(sound.rate)
        self._sound = sound.pcm
        self._spoken = spoken
        self._turns = turns
        self._edges = voice_edges(turns, len(sound.pcm) // self._size + 1)
        self._timeline = timeline
        self._agent = _Agent(self._size)
        self._next = 0  # the turn that is to come
        self._at = 0  # the frame of the recording that is to come
        self._until = 0  # where the turn that is being said ends
        self._said_at = 0  # the frame since which no turn is said
        self.heard = HeardCall()
        self.done = False
        """Whether they have hung up."""

        self.on_hold = False
        """Whether they wait to be passed on, and say nothing."""

    @property
    def now(self) -> int:
        """The frame that is to come."""
        return len(self.heard.caller)

    def received(self, message: str | bytes) -> None:
        """Take what the agent's side sent."""
        if isinstance(message, bytes):
            self._agent.buffer.add(message)
        elif command_of(message) == "clear":
            self._agent.clear(self.now)

    def reply_over(self) -> None:
        """Note that the agent has said what it had to say."""
        self._agent.reply_over(self.now)

    def frame(self) -> bytes:
        """Hear 20 ms; return the next of the caller's."""
        played = self._agent.hear(self.now, caller_speaks=self._at < self._until)
        self.heard.agent_pcm += played
        self.heard.agent.append(sounds(played))
        if self._timeline:
            self._on_the_timeline()
        elif self._at >= self._until and not self.on_hold and self._due():
            self._begin()
        spoken = self._speak()
        self.heard.caller_pcm += spoken
        longest = LONGER * self._turns[-1].began + MORE / FRAME_SECONDS
        self.done = self.done or self.now >= longest
        return spoken

    def _due(self) -> bool:
        """Whether the agent has done what the next turn waited for."""
        now, agent, turn = self.now, self._agent, self._turns[self._next]
        early = (turn.began - self._edges[self._next][0]) * FRAME_SECONDS
        if agent.first is None:
            return (now - self._said_at) * FRAME_SECONDS >= turn.patience - early
        quiet = (now - agent.last) * FRAME_SECONDS
        if turn.over:
            short = not agent.talking and quiet >= QUICK - early
            return short or (now - agent.first) * FRAME_SECONDS >= turn.wait - early
        return not agent.talking and quiet >= turn.wait - early

    def _begin(self) -> None:
        turn, (start, until) = self._turns[self._next], self._edges[self._next]
        if turn.ended == turn.began:
            self.done = True
            return
        shift = self.now - start
        self.heard.turns.append((turn.began + shift, turn.ended + shift))
        self._at, self._until = start, until
        self._next += 1
        self._agent.first = None

    def _on_the_timeline(self) -> None:
        for turn in islice(self._turns, self._next, None):
            if turn.began > self.now:
                break
            if turn.ended == turn.began:
                self.done = True
                break
            self.heard.turns.append((turn.began, turn.ended))
            self._next += 1
        self._at, self._until = self.now, self._turns[-1].began

    def _speak(self) -> bytes:
        """Return the next frame of the recording; of the silence before a turn no more than was."""
        at, size = self._at, self._size
        talking = at < self._until
        silence = self._edges[self._next][0] if self._next < len(self._edges) else 0
        if not talking and at >= silence:
            self.heard.caller.append(False)
            return bytes(size)
        self._at += 1
        if talking and self._at >= self._until:
            self._said_at = self.now + 1
        self.heard.caller.append(bool(talking and at < len(self._spoken) and self._spoken[at]))
        return self._sound[at * size : (at + 1) * size].ljust(size, b"\0")


def as_frames(found: list[bool]) -> Frames:
    """Return it as an array."""
    return np.array(found, bool)
