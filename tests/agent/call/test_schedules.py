"""Never twice, never lost: whole calls by chance, in virtual time."""

from __future__ import annotations

import pytest

from tests.agent.call.schedules import BrokenRuleError, World, check, hold

CALLS, BATCH = 240, 24
"""How many are held here: they take the 33 rows of the turn table, and end in the 29 ways, that 400
do. ``python -m tests.agent.call.schedules 5000`` holds more."""


@pytest.mark.parametrize("first", range(0, CALLS, BATCH))
def test_whatever_happens_nothing_is_said_twice_or_lost(first: int) -> None:
    """Barge-in, keys, transfers, failover, late stages and hang-ups, at any moment.

    No sentence sounds twice; what is on record was heard, what was heard is on record, and the
    model is told the same; each tool runs once; what the caller says and presses is kept once, with
    when it was; nothing sounds after ``clear``; the call is gone within 5 seconds of its end.
    """
    for number in range(first, first + BATCH):
        hold(number)


def spoil(world: World, kind: str) -> None:
    """Make a good record a bad one."""
    notes, history = world.notes.lines, world.call.history.conversation
    agent = [line for line in notes if line["kind"] == "agent" and "Q" in line["text"]]
    match kind:
        case "invented":
            agent[0]["text"] += " " + agent[0]["text"].split()[-1]
        case "lost":
            agent[0]["text"] = ""
        case "not told":
            del history[-1]
        case "twice":
            caller = next(line for line in notes if line["kind"] == "caller")
            notes.append(caller)
        case "heard twice":
            world.far.received += [(at + 100.0, frame) for at, frame in world.far.received]
            world.far.gone_at = 999.0
        case "late":
            world.returned_at += 6.0


@pytest.mark.parametrize("kind", ["invented", "lost", "not told", "twice", "heard twice", "late"])
def test_the_rules_notice_what_they_are_for(kind: str) -> None:
    """A check that never fails proves nothing."""
    for number in range(CALLS):
        world = hold(number)
        spoken = " ".join(line["text"] for line in world.notes.of("agent"))
        if world.schedule.calm_voice and "Q" in spoken and world.notes.of("caller"):
            break
    spoil(world, kind)
    with pytest.raises(BrokenRuleError):
        check(world)
