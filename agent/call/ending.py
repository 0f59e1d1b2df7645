"""The end of a call: it is hung up first, then what has begun is brought to an end."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass

from agent.call.clock import CallClock
from agent.call.history import History
from agent.call.keys import KEYPAD
from agent.call.replies import Replies
from agent.call.reply import Reply
from agent.records.events import HungUpBy
from agent.stream.channel import Channel
from pipelines.tools.toolbox import Toolbox

NORMAL, GOING_AWAY, INTERNAL_ERROR = 1000, 1001, 1011
"""Codes to close a websocket with, of RFC 6455, section 7.4.1."""

LAST_WORDS_WITHIN = 2.0
"""Seconds, after the end of a call, for what the caller said last to be transcribed. All of a call
is gone within 5."""


HUNG_UP: Mapping[HungUpBy, str] = {
    "agent": "the agent hung up",
    "operator": "the operator hung up",
    "service": "the service stops",
}
"""Why a call ended that one of us has hung up, with a goodbye or without, by who wanted it."""


@dataclass(frozen=True, slots=True)
class CallEnded:
    """How a call has ended."""

    reason: str
    """Fit for a log, and for the platform's: it is told when we are the first to close."""

    by: HungUpBy = "service"
    moved: bool = False
    """Whether the caller talks on with somebody else."""

    code: int = NORMAL
    """What its line is closed with."""


async def wind_up(
    ended: CallEnded,
    channel: Channel,
    replies: Replies,
    toolbox: Toolbox,
    clock: CallClock,
) -> None:
    """Hang up; meanwhile hear the caller's last words, and let tools finish that have to.

    Takes as long as the slowest: :data:`LAST_WORDS_WITHIN` and what the line and the toolbox have
    for it, 3.5 seconds in all. Cancelling is safe.
    """
    if ended.code != INTERNAL_ERROR:
        if not replies.still_silent:
            replies.drop()
        replies.close_utterance()
    last = replies.stop()
    async with asyncio.TaskGroup() as at_once:
        at_once.create_task(channel.hang_up(ended.code, ended.reason))
        at_once.create_task(toolbox.aclose())
        if last is not None:
            at_once.create_task(_hear_out(last, replies.history))
    keys, since, until = clock.take_keys()
    if keys:
        replies.history.caller_pressed(KEYPAD.format(keys), since, until)


async def _hear_out(last: Reply, history: History) -> None:
    """Keep what the caller said last, if it is known soon."""
    if last.task is not None and not last.settled:
        await asyncio.wait([last.task], timeout=LAST_WORDS_WITHIN)
    last.cancel()
    history.caller_said(last)
    history.agent_said(last, cut_off=True)  # nothing, but what tools have given
    history.discarded(last)
