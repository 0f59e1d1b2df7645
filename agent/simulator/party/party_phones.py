"""People on a line of several: a name, a voice, and turns that each begin on a cue.

No clock and no socket; a phone is a member of an
:class:`~agent.simulator.party.conference.Conference`, and a turn begins in the frame in which its
cue is met.
"""

from __future__ import annotations

import wave
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import numpy as np

from agent.simulator.party.conference import LineActivity, LineTurn
from agent.simulator.plan import Cue, Plan
from agent.simulator.stretches import sounds
from pipelines.audio import FRAME_SECONDS, Audio, Chunker, at_rate, frame_bytes

Expected = Literal["answer", "silence"]
"""What the agent is to do about a turn."""

GIVES_UP_AFTER = 8.0
"""Seconds that whoever waits for the agent's answer gives it: it is judged by then."""


@dataclass(frozen=True, slots=True, kw_only=True)
class PartyCue:
    """When a turn begins. It cannot before the phone has joined, and said its turn before."""

    event: Literal["joined", "turn", "agent", "over", "quiet"]
    """From when: this phone has ``joined``; the ``turn`` of that key has been said; the ``agent``
    has spoken since that turn and is quiet, or will not be; somebody, ``"agent"`` or
    a phone by its name, has begun what they are saying still (``over``); nobody at all has sounded
    (``quiet``)."""

    seconds: float = 0.0
    """After that; for ``agent`` and ``quiet``, of quiet."""

    within: float = GIVES_UP_AFTER
    """Of ``agent``: when it has not spoken by then, it is waited for no more."""

    of: str = ""
    """The key of a turn, or who is spoken over; for ``agent``, ``""`` is from the beginning."""


@dataclass(frozen=True, slots=True, kw_only=True)
class PartyTurn:
    """Something that somebody on the line does: say something, hang up, or one after the other."""

    key: str
    """What cues of others call it: one of its own in the whole call."""

    cue: PartyCue
    audio: Audio | None = None
    """At any rate; None if nothing is said."""

    label: str = ""
    """Words, or the name of a file."""

    leaves: bool = False
    """Whether they hang up then."""

    agent: Expected | None = None
    """What the agent is to do about it; None if that is not judged."""


@dataclass(frozen=True, slots=True, kw_only=True)
class PhoneScript:
    """Who is at a phone, and what they say in which order."""

    name: str
    turns: Sequence[PartyTurn] = ()
    joins_after: float = 0.0
    """Seconds into a call that has no platform which rings; a stand-in's phone rings instead."""


def script_of(plan: Plan, name: str) -> PhoneScript:
    """Return the script of somebody who does on a line of several what a plan says.

    They speak when the agent is done, or as the cues of their turns say, and hang up when they have
    said everything and the agent is done again.
    """
    turns: list[PartyTurn] = []
    for number, turn in enumerate(plan.turns):
        turns.append(
            PartyTurn(
                key=f"{name} {number}",
                cue=_cue_of(turn.cue, plan, turns[-1].key if turns else ""),
                audio=turn.audio,
                label=turn.label,
            )
        )
    last = turns[-1].key if turns else ""
    quiet = plan.patience + plan.linger
    done = PartyCue(event="agent", of=last, seconds=quiet, within=plan.answer_timeout)
    return PhoneScript(
        name=name, turns=[*turns, PartyTurn(key=f"{name} leaves", cue=done, leaves=True)]
    )


def _cue_of(cue: Cue | None, plan: Plan, before: str) -> PartyCue:
    if cue is not None and cue.event == "answer":
        return PartyCue(event="joined", seconds=cue.seconds)
    if cue is not None:
        return PartyCue(event="over", of="agent", seconds=cue.seconds)
    if plan.interrupt_after is not None:
        return PartyCue(event="over", of="agent", seconds=plan.interrupt_after)
    within = plan.answer_timeout if before else plan.greeting_timeout
    return PartyCue(event="agent", of=before, seconds=plan.patience, within=within)


class StereoRecording:
    """What a member said and heard, 20 ms by 20 ms.

    Args:
        rate: Hertz.
    """

    def __init__(self, rate: int) -> None:
        self.rate = rate
        self._said, self._heard = bytearray(), bytearray()

    def add(self, said: bytes, heard: bytes) -> None:
        """Take what was said and heard at the same time."""
        self._said += said
        self._heard += heard

    @property
    def said(self) -> Audio:
        """All that was said, with the silence between."""
        return Audio(bytes(self._said), self.rate)

    @property
    def heard(self) -> Audio:
        """All that was heard meanwhile."""
        return Audio(bytes(self._heard), self.rate)

    def save(self, path: Path) -> None:
        """Write a stereo WAV: what was said left, what was heard right."""
        both = np.stack([np.frombuffer(one.pcm, "<i2") for one in (self.said, self.heard)], axis=1)
        with wave.open(str(path), "wb") as file:
            file.setnchannels(2)
            file.setsampwidth(2)
            file.setframerate(self.rate)
            file.writeframes(both.tobytes())


class ScriptedPhone:
    """A phone in a conference: speaks by its script, and keeps what it hears.

    Args:
        script: Who it is.
        rate: Hertz, of the conference.
        tell: Given a time and a line for the timeline, as things happen.
    """

    is_agent = False

    def __init__(
        self, script: PhoneScript, rate: int, tell: Callable[[float, str], None] | None = None
    ) -> None:
        self.script = script
        self.rate = rate
        self.left = False
        """Whether they have hung up by themselves: whoever holds the conference takes them out."""

        self.recording = StereoRecording(rate)
        """Since they joined."""

        self.muted = False
        """Whether nobody hears them."""

        self.on_hold = False
        """Whether they hear nobody, either."""

        self.joined: float | None = None
        """When their first frame began; None before it."""

        self._tell = tell or (lambda _at, _line: None)
        self._turns: Iterator[PartyTurn] = iter(script.turns)
        self._next = next(self._turns, None)
        self._saying: tuple[PartyTurn, Iterator[bytes]] | None = None
        self._said = b""

    @property
    def name(self) -> str:
        """What they are called on the line."""
        return self.script.name

    @property
    def has_more(self) -> bool:
        """Whether they are saying something, or will."""
        return not self.left and (self._saying is not None or self._next is not None)

    def speak(self, at: float, activity: LineActivity) -> bytes:
        """Return 20 ms of what they say; begin the next turn if its cue is met."""
        self.joined = at if self.joined is None else self.joined
        if (
            self._saying is None
            and self._next is not None
            and self._is_cued(self._next, at, activity)
        ):
            self._begin(self._next, at, activity)
            self._next = next(self._turns, None)
        self._said = self._go_on(at, activity)
        return bytes(len(self._said)) if self.muted or self.on_hold else self._said

    def hear(self, heard: bytes, at: float) -> None:  # noqa: ARG002 - see ConferenceMember
        """Keep what they hear."""
        self.recording.add(self._said, bytes(len(heard)) if self.on_hold else heard)

    def _begin(self, turn: PartyTurn, at: float, activity: LineActivity) -> None:
        self._tell(at, f"{self.name}: {turn.label or turn.key}")
        activity.turns[turn.key] = LineTurn(who=self.name, began=at, ended=at)
        frames = Chunker(frame_bytes(self.rate))
        pcm = b"" if turn.audio is None else at_rate([turn.audio], self.rate).pcm
        pieces = [*frames.feed(pcm), frames.flush()]
        self._saying = turn, iter([piece for piece in pieces if piece])

    def _go_on(self, at: float, activity: LineActivity) -> bytes:
        size = frame_bytes(self.rate)
        if self._saying is None:
            return bytes(size)
        turn, frames = self._saying
        spoken = activity.turns[turn.key]
        frame = next(frames, None)
        if frame is None:
            self._saying = None
            spoken.over = True
            self.left = turn.leaves
            return bytes(size)
        frame = frame.ljust(size, b"\0")
        if sounds(frame):
            spoken.began = at if spoken.ended == spoken.began else spoken.began
            spoken.ended = at + FRAME_SECONDS
        return frame

    def _is_cued(self, turn: PartyTurn, at: float, activity: LineActivity) -> bool:
        cue, soon = turn.cue, at + FRAME_SECONDS / 2  # the nearest frame
        match cue.event:
            case "joined":
                return self.joined is not None and soon - self.joined >= cue.seconds
            case "turn":
                before = activity.turns.get(cue.of)
                return before is not None and before.over and soon - before.ended >= cue.seconds
            case "agent":
                return self._agent_is_done(cue, at, activity)
            case "over":
                is_agent = cue.of == "agent"
                since = activity.agent_since if is_agent else activity.saying_since(cue.of)
                return since is not None and soon - since >= cue.seconds
            case "quiet":
                return soon - activity.anybody_since() >= cue.seconds

    def _agent_is_done(self, cue: PartyCue, at: float, activity: LineActivity) -> bool:
        """Whether the agent has answered, or will not."""
        since = self.joined or 0.0
        if cue.of:
            before = activity.turns.get(cue.of)
            if before is None or not before.over:
                return False
            since = before.ended
        if activity.agent_since is not None:
            return False
        if activity.agent_has_left:  # nobody waits for an answer of its any more
            return at - max(since, activity.anybody_since()) >= cue.seconds
        if activity.agent_spoke_after(since):
            return activity.agent_quiet_for(at) >= cue.seconds
        return at - since >= max(cue.within, cue.seconds)
