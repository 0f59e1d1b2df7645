"""Every way in which a call ends: why, by whom, and what it is listed by."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import replace
from functools import partial
from typing import Any

import pytest

from agent.call.call import Call
from agent.call.ending import GOING_AWAY, CallEnded
from agent.call.orders import CallerMoved, HangUp, Order
from agent.records.stored_records import outcome_of
from agent.settings.calls import CallLimits, CallSettings, LineSettings
from agent.stream.line import HungUpError, LineError
from pipelines.clock import now
from pipelines.providers.scripted import LanguageModel
from tests.agent.conversation import SCRIPT, Caller, Talk, talk, voice

QUIET = "." * 150


class Breaking(Caller):
    """A line that breaks after 2 s."""

    error: LineError = LineError("the line broke")

    async def receive(self) -> str | bytes | None:
        if now() >= 2.0:
            raise self.error
        return await super().receive()


class Leaving(Breaking):
    """A line whose far end leaves without a word."""

    error = HungUpError()


def later(*does: Callable[[Call], object], at: float = 2.0) -> Callable[[Call], object]:
    def made(call: Call) -> None:
        for number, one in enumerate(does):
            asyncio.get_running_loop().call_at(at + 0.1 * number, one, call)

    return made


def limited(**limits: Any) -> CallSettings:
    return CallSettings(calls=CallLimits(**limits))


def ordered(*orders: Order) -> Callable[[Call], object]:
    return later(*(partial(lambda order, call: call.obey(order), one) for one in orders))


GOODBYE_AT_ONCE = replace(SCRIPT, hang_up_after_greeting=True)
SILENT = CallSettings(line=LineSettings(no_audio_timeout=5.0))
AWAY = CallerMoved(stay=True)


@pytest.mark.parametrize(
    ("caller", "more", "reason", "by", "outcome", "code"),
    [
        ("." * 20, {}, "the caller hung up", "caller", "caller hung up", 1000),
        (Leaving(QUIET), {}, "the caller hung up", "caller", "caller hung up", 1000),
        (Breaking(QUIET), {}, "the line broke", "platform", "failed", 1000),
        (QUIET, {"script": GOODBYE_AT_ONCE}, "the agent hung up", "agent", "agent hung up", 1000),
        *(
            (QUIET, {"made": ordered(order)}, reason, order.by, outcome, 1000)
            for order, reason, outcome in [
                (HangUp(goodbye=True), "the operator hung up", "operator hung up"),
                (HangUp(goodbye=False), "the operator hung up", "operator hung up"),
                (HangUp(goodbye=True, by="service"), "the service stops", "stopped"),
            ]
        ),
        (
            QUIET,
            {"made": ordered(AWAY, HangUp(goodbye=True, by="service"))},
            "the service stops", "service", "stopped", 1000,
        ),
        (
            QUIET,
            {"made": later(lambda call: call.end(CallEnded("the service stops", code=GOING_AWAY)))},
            "the service stops", "service", "stopped", 1001,
        ),
        (
            QUIET,
            {"made": ordered(CallerMoved(stay=False))},
            "the caller was passed on", "agent", "passed on", 1000,
        ),
        (
            "." * 40,
            {"made": ordered(AWAY)},
            "the caller hung up", "caller", "caller hung up", 1000,
        ),
        (
            QUIET,
            {"settings": limited(max_seconds=10.0, warn_before=5.0)},
            "the call was too long", "service", "stopped", 1000,
        ),
        (
            "." * 10 + "_" * 600,
            {"settings": SILENT},
            "no audio from the caller", "service", "stopped", 1000,
        ),
    ],
)  # fmt: skip
def test_a_call_says_how_it_has_ended(
    caller: str | Caller, more: dict[str, Any], reason: str, by: str, outcome: str, code: int
) -> None:
    """Its last line, the code of the socket, and the outcome that it is listed by."""
    done: Talk = talk(caller, voice(["Hi."], ["Hello."]), **more)
    (ended,) = done.notes.of("ended")
    assert (ended["reason"], ended["hung_up_by"]) == (reason, by)
    assert outcome_of(ended) == outcome
    assert done.caller.closed is not None
    assert done.caller.closed[1] == code


def test_a_bug_is_listed_as_a_failure() -> None:
    """And the platform is told that it was ours."""
    line, found = Caller("." * 25 + "+" * 10 + "." * 30), []

    class Buggy(LanguageModel):
        def reply(self, *_: Any) -> Any:
            raise ZeroDivisionError

    def made(call: Call) -> None:
        found.append(call)

    with pytest.raises(ExceptionGroup):
        talk(line, voice(["Hi."], llm=Buggy(LanguageModel.Options())), made=made)
    assert line.closed is not None
    assert line.closed[1] == 1011
    assert outcome_of({"reason": "failed", "hung_up_by": "service"}) == "failed"


def test_of_a_process_that_died_and_of_an_older_version() -> None:
    """Nobody has hung up, or it is not told."""
    assert outcome_of({"reason": "interrupted"}) == "interrupted"
    assert outcome_of({"reason": "the operator hung up"}) == "operator hung up"
