"""Calls that nobody disturbs, held before the others: what the agent says if it is let.

An answer can only be placed around the end of an opening whose length is known, and whether a
reply was heard to its end shows beside one that was.
"""

from __future__ import annotations

import asyncio
import uuid
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np

from agent.simulator.call_in_progress import CallInProgress
from agent.simulator.evaluation.judging import CallAsHeard
from agent.simulator.likeness import covered, is_again
from agent.simulator.plan import Plan
from agent.simulator.scenarios import Situation
from agent.simulator.stream_caller import ServiceFullError, place_call
from agent.simulator.stretches import Frames, sounding
from pipelines.audio import FRAME_SECONDS, Audio

ASKS, ASKS_AFTER = 10, 3.0
"""How often a service that is full is asked again, and after how many seconds."""

LONGEST_OPENING = 40.0
"""Seconds: an agent may never stop talking."""

SAME_WORDS = 0.5
"""Share of a reply's beginning from which it is the reply of the call before: of other words some
0.28 of the windows fit by chance (:mod:`agent.simulator.likeness`)."""

HOLE = 0.2
"""Seconds of quiet that part two pieces of speech, when it is told whose words they are."""

SHORTEST = 0.3
"""Seconds of sound below which something is no answer: the rest of a word that was cut off."""


@dataclass(frozen=True, slots=True, kw_only=True)
class References:
    """What the agent says if nobody disturbs it."""

    opening: Audio | None
    """From its first sound to its last, before the caller says anything; None if it is silent."""

    replies: Mapping[str, Audio | None]
    """The same, of replies to what a caller says, by its label."""

    def plan(self, situation: Situation) -> Plan:
        """Return the plan of a situation, with all that is known now."""
        if situation.offset is None or self.opening is None:
            return situation.plan
        return situation.answering(self.opening.seconds)

    def lacking(self, situation: Situation) -> str:
        """Return why a situation cannot be tried on this agent; ``""`` if it can."""
        if situation.kind not in OVER_THE_OPENING:
            return ""
        if self.opening is None:
            return "the agent does not speak first"
        after = situation.plan.interrupt_after or 0.0
        if self.opening.seconds < after:
            return f"its opening takes {self.opening.seconds:.1f} s, and this comes at {after:g} s"
        return ""


OVER_THE_OPENING = ("answer", "barge-in", "backchannel", "noise", "echo", "pick-up")
"""Kinds that need an agent that speaks first."""


async def references(
    url: str, situations: Sequence[Situation], headers: Mapping[str, str]
) -> References:
    """Place the calls that the situations need to be measured beside.

    Raises:
        CallFailedError: If one is not answered.
    """
    rate = situations[0].plan.rate
    silent = Plan(
        rate=rate,
        headers=headers,
        answer_timeout=8.0,
        patience=2.0,
        max_seconds=LONGEST_OPENING,
    )
    opening = _spoken(await placed(url, silent), 0.0)
    replies: dict[str, Audio | None] = {}
    for situation in situations:
        turn = situation.plan.turns[0] if situation.kind == "background" else None
        if turn is None or turn.label in replies:
            continue
        plan = replace(silent, turns=[turn], patience=1.0, linger=1.0)
        call = await placed(url, plan)
        said = call.report.exchanges
        replies[turn.label] = _spoken(call, said[0].ended) if said else None
    return References(opening=opening, replies=replies)


async def placed(url: str, plan: Plan) -> CallInProgress:
    """Place a call and hold it; again a little later, while the service has no room for it.

    Raises:
        CallFailedError: If it was not answered.
    """
    for _ in range(ASKS):
        try:
            return await place_call(url, plan, lambda _at, _line: None, f"evaluate-{uuid.uuid4()}")
        except ServiceFullError:
            await asyncio.sleep(ASKS_AFTER)
    return await place_call(url, plan, lambda _at, _line: None, f"evaluate-{uuid.uuid4()}")


def _spoken(call: CallInProgress, since: float) -> Audio | None:
    """Return what the agent said after ``since``, from its first sound to its last."""
    rate = call.report.rate
    pcm = bytes(call.agent_channel)
    frames = np.flatnonzero(sounding(pcm, rate)[round(since / FRAME_SECONDS) :])
    if not len(frames):
        return None
    frames = frames + round(since / FRAME_SECONDS)
    return _cut(pcm, rate, int(frames[0]), int(frames[-1]) + 1)


def _cut(pcm: bytes, rate: int, first: int, last: int) -> Audio:
    size = 2 * int(rate * FRAME_SECONDS)
    return Audio(pcm[first * size : last * size], rate)


def heard_of(call: CallInProgress, situation: Situation, known: References) -> CallAsHeard:
    """Return what was heard in a call, beside what is known of the agent."""
    rate, pcm = call.report.rate, bytes(call.agent_channel)
    agent = sounding(pcm, rate)
    caller = sounding(bytes(call.caller_channel), rate)
    exchanges = call.report.exchanges
    turns = len(situation.plan.turns)
    if turns > 1:  # what is judged is the last turn, if it came to that
        began = exchanges[-1].began if len(exchanges) == turns else call.report.seconds
        caller = caller.copy()
        caller[: round(began / FRAME_SECONDS)] = False
    heard = CallAsHeard(
        caller=caller,
        agent=agent,
        clears=call.report.clears,
        hung_up=call.report.ended_by == "agent",
        opening=None if known.opening is None else known.opening.seconds,
    )
    match situation.kind:
        case "answer" | "echo" if known.opening is not None:
            heard = replace(heard, again=_again(pcm, agent, caller, known.opening))
            return _beside(heard, known.opening, Audio(pcm, rate))
        case "pick-up" if known.opening is not None:
            return _beside(heard, known.opening, Audio(pcm, rate))
        case "background" if len(exchanges) == turns:
            reply = known.replies.get(situation.plan.turns[0].label)
            return heard if reply is None else _reply(heard, reply, pcm, exchanges[0].ended)
    return heard


def _beside(heard: CallAsHeard, wanted: Audio, found: Audio) -> CallAsHeard:
    """Add whether all of ``wanted`` was found, and how much was heard against its length."""
    size = round(wanted.seconds / FRAME_SECONDS)
    sounds = int(sounding(wanted.pcm, wanted.rate).sum()) or size
    length = float(heard.agent.sum()) / sounds
    return replace(heard, whole=is_again(wanted, found), length=length)


def _reply(heard: CallAsHeard, reply: Audio, pcm: bytes, caller_ended: float) -> CallAsHeard:
    """Add whether a reply was heard to the end that it had without a talker.

    A reply in other words than in the call before is told by its length alone.
    """
    replied = round(caller_ended / FRAME_SECONDS)
    said = np.flatnonzero(heard.agent[replied:])
    talks = np.flatnonzero(heard.caller)
    if not len(said) or not len(talks):
        return heard
    first, talked = replied + int(said[0]), int(talks[0])
    sounds = int(sounding(reply.pcm, reply.rate).sum()) or 1
    length = float(heard.agent[first:].sum()) / sounds
    before = max(0, talked - first)
    same = covered(_cut(pcm, reply.rate, first, talked), reply)
    rest = _cut(reply.pcm, reply.rate, before, len(reply.pcm))
    after = _cut(pcm, reply.rate, max(first, talked - round(HOLE / FRAME_SECONDS)), len(pcm))
    whole = is_again(rest, after)
    if not whole and (same is None or same < SAME_WORDS):
        whole = None
    return replace(heard, whole=whole, length=length)


def _again(pcm: bytes, agent: Frames, caller: Frames, opening: Audio) -> Frames:
    """Return when the agent says words of its opening, or too little to be words."""
    again = np.zeros_like(agent)
    spoke = np.flatnonzero(agent)
    if not len(spoke):
        return again
    first = int(spoke[0])
    talks = np.flatnonzero(caller)
    until = first + round(opening.seconds / FRAME_SECONDS)
    until = min(until, int(talks[0])) if len(talks) else until
    again[first:until] = True
    for start, end in _pieces(agent, first):
        short = (end - start) * FRAME_SECONDS < SHORTEST
        if short or end <= until or is_again(_cut(pcm, opening.rate, start, end), opening):
            again[start:end] = True
    return again


def _pieces(agent: Frames, first: int) -> list[tuple[int, int]]:
    """Return from where to where the agent sounds, with less than :data:`HOLE` of quiet within."""
    found: list[tuple[int, int]] = []
    for frame in np.flatnonzero(agent[first:]) + first:
        at = int(frame)
        if found and at - found[-1][1] < HOLE / FRAME_SECONDS:
            found[-1] = (found[-1][0], at + 1)
        else:
            found.append((at, at + 1))
    return found
