"""A conference that mixes audio: each member hears all others, and never itself.

No clock and no socket: whoever holds a conference asks for a frame of 20 ms after the other, with
the time at which it begins. In each, the agent's streams speak first, then the phones in the order
in which they came, each knowing of the frames before (:class:`LineActivity`) and whether the agent
sounds now; then all are mixed. One phone and one stream hear each other unchanged, to the
sample: a call between two is a conference of two.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

import numpy as np

from agent.simulator.stretches import Stretches, sounds
from pipelines.audio import FRAME_SECONDS, frame_bytes

LOUDEST = 32767


class WrongRateError(ValueError):
    """A member speaks at another rate than the conference: make it over before it joins."""


@dataclass(slots=True, kw_only=True)
class LineTurn:
    """What somebody on the line said. Seconds on the clock of the line."""

    who: str
    began: float
    """Of its first sound."""

    ended: float
    """Of its last sound until now."""

    over: bool = False
    """Whether it has been said to its end."""


class LineActivity:
    """Who has spoken on a line, and who speaks: what people with a script go by.

    Args:
        turns: By key, shared between the conferences of those who move from one to another.
    """

    def __init__(self, turns: dict[str, LineTurn] | None = None) -> None:
        self.turns = {} if turns is None else turns
        self.agent_spoke: list[tuple[float, float]] = []
        """From when to when the agent sounded, with breaths of up to 0.6 s within."""

        self.agent_has_left = False
        """Whether it was there, and is no more, so that nobody waits for its answer."""

        self._agent = Stretches(self._agent_changed)
        self._sounded: dict[str, tuple[float, float]] = {}  # first and last of the present stretch

    @property
    def agent_since(self) -> float | None:
        """When the agent began what it says now; None while it is quiet."""
        return self._agent.began

    def agent_quiet_for(self, at: float) -> float:
        """Return the seconds since the agent's last sound; since 0 if there was none."""
        return self._agent.quiet_for(at)

    def agent_spoke_after(self, at: float) -> bool:
        """Return whether the agent sounded after that; words that only cut in are no answer."""
        return bool(self.agent_spoke) and self.agent_spoke[-1][1] > at

    def talking_since(self, who: str, at: float) -> float | None:
        """Return when a phone began what it says now; None if it was quiet in the last frames."""
        first, last = self._sounded.get(who, (0.0, -1.0))
        return first if at - last <= 2 * FRAME_SECONDS else None

    def saying_since(self, who: str) -> float | None:
        """Return when a phone began the turn that it has not ended, pauses included; else None."""
        turns = [one for one in self.turns.values() if one.who == who and not one.over]
        return next((one.began for one in turns if one.ended > one.began), None)

    def anybody_since(self) -> float:
        """Return when anybody sounded last, the agent included; 0 if nobody has."""
        spoke = [last for _, last in self._sounded.values()]
        return max([0.0, *spoke, *(end for _, end in self.agent_spoke[-1:])])

    def agent_played(self, frame: bytes, at: float) -> None:
        """Take what all streams of the conference play in the frame that begins at ``at``."""
        self._agent.feed(frame, at)
        if self._agent.began is not None and sounds(frame):
            self.agent_spoke[-1] = (self.agent_spoke[-1][0], at + FRAME_SECONDS)

    def spoke(self, who: str, frame: bytes, at: float) -> None:
        """Take what a phone says in that frame."""
        if not sounds(frame):
            return
        first = self.talking_since(who, at)
        self._sounded[who] = (at if first is None else first, at + FRAME_SECONDS)

    def cut_off(self) -> None:
        """End the agent's stretch of speech, if there is one: what follows is another."""
        self._agent.flush()

    def _agent_changed(self, began: bool, at: float) -> None:  # noqa: FBT001 - see Stretches
        if began:
            self.agent_spoke.append((at, at))


class ConferenceMember(Protocol):
    """Somebody in a conference: a phone, or the agent's stream."""

    @property
    def name(self) -> str:
        """What they are called on the line."""
        ...

    @property
    def rate(self) -> int:
        """Hertz, of what they say and hear."""
        ...

    @property
    def is_agent(self) -> bool:
        """Whether it is a stream, with an agent at its other end."""
        ...

    def speak(self, at: float, activity: LineActivity) -> bytes:
        """Return 20 ms of what they say from ``at`` on; silence if that is nothing."""
        ...

    def hear(self, heard: bytes, at: float) -> None:
        """Take the 20 ms of all others that began at ``at``."""
        ...


class Conference:
    """Members that come and go, and what each hears of the others.

    Args:
        rate: Hertz; members speak at this one.
        activity: What is known of who speaks, if that is not to begin with this conference.

    To hold one without sockets, in whatever time::

        conference = Conference(rate=8000)
        ann = ScriptedPhone(PhoneScript(name="Ann", turns=[...]), 8000)
        conference.join(ann)
        for number in range(500):  # ten seconds
            conference.frame(number * FRAME_SECONDS)
        ann.save(Path("what-ann-heard.wav"))
    """

    def __init__(self, rate: int, activity: LineActivity | None = None) -> None:
        self.rate = rate
        self.activity = activity or LineActivity()
        self._members: list[ConferenceMember] = []
        self._had_agent = False

    @property
    def members(self) -> Sequence[ConferenceMember]:
        """Who is in it, in the order in which they came."""
        return tuple(self._members)

    def join(self, member: ConferenceMember) -> None:
        """Let a member in, who hears the others from the next frame on.

        Raises:
            WrongRateError: If it is at another rate.
        """
        if member.rate != self.rate:
            raise WrongRateError(
                f"{member.name}: {member.rate} Hz, where the conference has {self.rate} Hz"
            )
        self._members.append(member)

    def leave(self, member: ConferenceMember) -> None:
        """Have a member hear and say no more. It has to be in."""
        self._members.remove(member)

    def frame(self, at: float) -> None:
        """Let 20 ms pass that begin at ``at`` seconds. The time is linear in members."""
        agents = [one for one in self._members if one.is_agent]
        phones = [one for one in self._members if not one.is_agent]
        self._had_agent = self._had_agent or bool(agents)
        self.activity.agent_has_left = self._had_agent and not agents
        said = [agent.speak(at, self.activity) for agent in agents]
        self.activity.agent_played(self._sum(said), at)
        for phone in phones:
            said.append(phone.speak(at, self.activity))
            self.activity.spoke(phone.name, said[-1], at)
        for member, heard in zip(agents + phones, mix_minus(said), strict=True):
            member.hear(heard, at)

    def _sum(self, frames: Sequence[bytes]) -> bytes:
        return mixed(*frames) if frames else bytes(frame_bytes(self.rate))


def mix_minus(frames: Sequence[bytes]) -> list[bytes]:
    """Return for each of some frames of one length the sum of all others.

    What is too loud for 16 bits is as loud as they can say, and not noise. Sums are of whole
    numbers, and saturate last: what two hear of each other is what was said, to the sample.
    """
    if not frames:
        return []
    said = np.stack([np.frombuffer(one, "<i2") for one in frames]).astype(np.int32)
    heard = np.clip(said.sum(axis=0) - said, -LOUDEST - 1, LOUDEST).astype("<i2")
    return [one.tobytes() for one in heard]


def mixed(*frames: bytes) -> bytes:
    """Return the sum of frames of one length, of which there is at least one."""
    total = np.stack([np.frombuffer(one, "<i2") for one in frames]).astype(np.int32).sum(axis=0)
    return bytes(np.clip(total, -LOUDEST - 1, LOUDEST).astype("<i2").tobytes())
