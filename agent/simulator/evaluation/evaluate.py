"""``voice-agent evaluate``: put an agent into situations, and tell how it behaved.

It works on any server that speaks the stream channel, because it looks at nothing but what the
caller would hear and at the ``clear`` commands: see
:func:`agent.simulator.evaluation.judging.judge` for what is counted as what.
"""

from __future__ import annotations

import asyncio
import random
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace

from agent.simulator.evaluation.judging import Outcome, Tried, judge
from agent.simulator.evaluation.references import References, heard_of, placed
from agent.simulator.plan import Plan
from agent.simulator.scenarios import Situation
from agent.simulator.stream_caller import CallFailedError

SEED = 15
"""Of the order in which situations are repeated."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Evaluation:
    """How agents are put into situations."""

    headers: Mapping[str, str]
    at_once: int = 4
    """Calls at once."""

    repeats: int = 1
    """How often each situation is tried."""

    on_line: Callable[[Plan], Plan] = lambda plan: plan
    """Puts the caller of a plan on a line."""


def in_order(situations: Sequence[Situation], repeats: int) -> list[tuple[int, Situation]]:
    """Return which situation is tried when: each round has all of them, in an order of its own.

    What the machine does meanwhile then falls on all alike. The order is the same each time; a
    single round has that of the file.
    """
    shuffle = random.Random(SEED)  # noqa: S311 - an order, no secret
    order: list[tuple[int, Situation]] = []
    for repeat in range(repeats):
        one_round = [(repeat, situation) for situation in situations]
        if repeats > 1:
            shuffle.shuffle(one_round)
        order += one_round
    return order


async def run(
    url: str,
    situations: Sequence[Situation],
    known: References,
    how: Evaluation,
    tell: Callable[[Outcome], None],
) -> list[Outcome]:
    """Put the agent at ``url`` into ``situations``; return what came of them.

    Args:
        url: The stream endpoint.
        situations: What to try; each is a call, or several.
        known: What it says if nobody disturbs it:
            :func:`agent.simulator.evaluation.references.references`.
        how: How.
        tell: Given each outcome, as it is known.
    """
    room = asyncio.Semaphore(how.at_once)

    async def one(repeat: int, situation: Situation) -> Outcome:
        async with room:
            outcome = await _tried(url, situation, repeat, known, how)
        tell(outcome)
        return outcome

    return await asyncio.gather(*(one(*each) for each in in_order(situations, how.repeats)))


async def _tried(
    url: str, situation: Situation, repeat: int, known: References, how: Evaluation
) -> Outcome:
    tried = Tried(
        name=situation.name,
        kind=situation.kind,
        repeat=repeat,
        pause=situation.pause,
        offset=situation.offset,
        below=situation.below,
        fingerprint=situation.fingerprint,
    )
    if lacking := known.lacking(situation):
        return Outcome(tried=tried, failed=lacking)
    plan = how.on_line(replace(known.plan(situation), headers=how.headers))
    try:
        call = await placed(url, plan)
    except CallFailedError as error:
        return Outcome(tried=tried, failed=str(error))
    return judge(tried, heard_of(call, situation, known))
