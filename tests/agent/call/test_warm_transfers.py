"""Callers who are passed on warm, in virtual time: what both hear, and what the agent does then."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from dataclasses import replace

import pytest

from agent.call.call import Call
from agent.call.orders import (
    CalleeBriefed,
    CallerMoved,
    CallerNotMoved,
    HangUp,
    Order,
    ReturnToCaller,
)
from agent.call.transfer import Handover
from agent.settings.calls import CallLimits, CallSettings
from agent.warm_transfers import WarmTransfer
from pipelines.conversation import Brief, Destination
from tests.agent.conversation import SCRIPT, Talk, talk, voice

WARM = replace(
    SCRIPT,
    transfer_failed="It failed.",
    transfer_failures={"busy": "They are busy."},
    returned="I'm back.",
    numbers={"desk": "+15550000002"},
    warm={"desk": WarmTransfer(introduction="Here you are.")},
    brief=Brief(goodbye="Bye.", destinations=(Destination(name="desk"),)),
)
ASKED = "." * 20 + "++++++"
TAKEN = CallerMoved(stay=False, introduction="Here you are.")


def passed_on(
    script: str,
    orders: Sequence[tuple[float, Order]],
    *replies: str,
    settings: CallSettings | None = None,
    says: Sequence[str] = ("The desk please.", *["Go on."] * 20),
) -> Talk:
    """Hold a call whose agent dials the desk; it is told what becomes of it, seconds after that."""
    call: list[Call] = []

    async def move(_handover: Handover) -> None:
        loop = asyncio.get_running_loop()
        for seconds, order in orders:
            loop.call_later(seconds, call[0].obey, order)

    return talk(
        script,
        voice(says, ["I'll ask. [transfer desk]", *replies]),
        script=WARM,
        mover=move,
        made=call.append,
        settings=settings,
    )


def spoken(done: Talk) -> list[str]:
    return [line["text"] for line in done.notes.of("agent") if line["text"]]


def statuses(done: Talk) -> list[str]:
    return [line["status"] for line in done.notes.of("transfer")]


def test_both_are_introduced_and_the_agent_leaves() -> None:
    """Once the human is there: a second after their yes; the introduction is heard whole."""
    done = passed_on(ASKED + "." * 200, [(1.0, CalleeBriefed()), (2.0, TAKEN)])
    assert spoken(done)[-1] == "Here you are."
    assert statuses(done) == ["started", "briefed", "accepted", "done"]
    accepted, left = (done.notes.of("transfer")[n]["at"] for n in (2, 3))
    introduced = done.notes.of("agent")[-1]
    assert 1.0 <= introduced["at"] - accepted <= 1.2
    assert not introduced["cut_off"]
    assert introduced["until"] <= left <= introduced["until"] + 0.2
    assert done.ending == "the caller was passed on"


def test_nobody_talks_the_introduction_down() -> None:
    """What is said over it does not stop it, and the agent leaves all the same."""
    quiet = passed_on(ASKED + "." * 100, [(1.5, TAKEN)])
    at = round(10 * quiet.notes.of("agent")[-1]["at"]) + 2
    script = f"{ASKED + '.' * 100:.{at}}" + "+" * 40 + "." * 100
    done = passed_on(script, [(1.5, TAKEN)])
    introduced = done.notes.of("agent")[-1]
    assert (introduced["text"], introduced["cut_off"]) == ("Here you are.", False)
    assert done.caller.commands("clear") == []
    assert statuses(done)[-1] == "done"
    assert done.ending == "the caller was passed on"


@pytest.mark.parametrize("stay", [False, True])
def test_they_greet_each_other_before_they_are_introduced(*, stay: bool) -> None:
    """What is said in the second before the introduction is to each other: nothing answers it."""
    orders: list[tuple[float, Order]] = [(1.5, replace(TAKEN, stay=stay))]
    quiet = passed_on(ASKED + "." * 100, orders)
    accepted = round(10 * quiet.notes.of("transfer")[1]["at"])
    script = f"{ASKED + '.' * 100:.{accepted + 2}}" + "++++++" + "." * 60
    done = passed_on(script, orders, "Who is this?", says=["The desk please.", "I'm the manager."])
    assert spoken(done) == spoken(quiet)
    assert statuses(done) == ["started", "accepted", "done"]
    assert [(line["text"], line.get("to")) for line in done.notes.of("caller")][1:] == [
        ("I'm the manager.", "others")
    ]


def test_somebody_who_takes_the_call_to_be_helped_is_on_the_line_at_once() -> None:
    """The rules of lines of several hold before the introduction, and they are listed once."""
    orders: list[tuple[float, Order]] = [(1.5, replace(TAKEN, stay=True, helps=True))]
    done = passed_on(ASKED + "." * 100, orders)
    (joined,) = done.notes.of("party")
    accepted, introduced = done.notes.of("transfer")[1], done.notes.of("agent")[-1]
    assert (joined["status"], joined["title"]) == ("joined", "desk")
    assert joined["at"] == accepted["at"] < introduced["at"]


def test_the_caller_is_talked_with_while_somebody_is_asked() -> None:
    """A question in between is answered; the model knows that somebody is being asked."""
    script = ASKED + "." * 20 + "++++++" + "." * 200
    done = passed_on(script, [(0.5, CalleeBriefed()), (9.0, TAKEN)], "It is noon.")
    assert "It is noon." in spoken(done)
    assert spoken(done)[-1] == "Here you are."
    told = [r.text for m in done.call.history.conversation for r in m.results]
    assert "desk is being called, and asked whether they take the caller" in told[0]


@pytest.mark.parametrize(("why", "said"), [("busy", "They are busy."), ("declined", "It failed.")])
def test_a_no_brings_the_agent_back_with_a_reason(why: str, said: str) -> None:
    """And it goes on talking."""
    script = ASKED + "." * 60 + "++++++" + "." * 40
    no = CallerNotMoved(why=why)  # type: ignore[arg-type]
    done = passed_on(script, [(1.0, no)], "All right.")
    assert spoken(done)[2:] == [said, "All right."]
    assert done.notes.of("transfer")[-1]["why"] == why


def test_silence_is_kept_until_they_have_left() -> None:
    """Nothing of us is heard while both talk, and nothing is listened to; then we are back."""
    script = ASKED + "." * 60 + "++++++....." * 12 + "." * 100
    away = replace(TAKEN, stay=True)
    orders: list[tuple[float, Order]] = [(1.0, away), (20.0, ReturnToCaller(by="service"))]
    done = passed_on(script, orders)
    assert statuses(done) == ["started", "accepted", "done", "returned"]
    left, back = (done.notes.of("transfer")[n]["at"] for n in (2, 3))
    assert done.caller.audio_between(left + 0.1, back) == []
    assert spoken(done)[-1] == "I'm back."
    heard = [line for line in done.notes.of("caller") if left < line["at"] < back - 0.5]
    assert heard == []


def test_the_time_they_talk_is_not_of_our_call() -> None:
    """An agent that comes back after its longest call may still say so."""
    limits = CallSettings(calls=CallLimits(max_seconds=30, warn_before=5))
    away = replace(TAKEN, stay=True)
    orders: list[tuple[float, Order]] = [(1.0, away), (60.0, ReturnToCaller(by="service"))]
    done = passed_on(ASKED + "." * 700, orders, settings=limits)
    assert "I'm back." in spoken(done)


def test_an_agent_that_helps_is_there_for_both() -> None:
    """It introduces them, answers, and is told when they are alone again."""
    script = ASKED + "." * 60 + "++++++" + "." * 120
    helps = replace(TAKEN, stay=True, helps=True)
    orders: list[tuple[float, Order]] = [(1.0, helps), (12.0, ReturnToCaller(by="service"))]
    done = passed_on(script, orders, "At noon.", says=["The desk please.", "When do you open?"])
    assert spoken(done)[2:5] == ["Here you are.", "At noon.", "I'm back."]
    assert statuses(done) == ["started", "accepted", "done", "returned"]
    told = [r.text for m in done.call.history.conversation for r in m.results]
    assert told[-1] == "desk has left; you are alone with the caller again."


def test_whoever_leaves_before_the_introduction_is_not_introduced() -> None:
    """They said yes and hung up: the agent neither introduces nor leaves."""
    orders: list[tuple[float, Order]] = [(1.0, TAKEN), (1.5, ReturnToCaller(by="service"))]
    done = passed_on(ASKED + "." * 80, orders)
    assert "Here you are." not in spoken(done)
    assert "I'm back." in spoken(done)
    assert done.ending == "the caller hung up"


@pytest.mark.parametrize("twice", [TAKEN, replace(TAKEN, stay=True, helps=True)])
def test_orders_that_come_twice_are_done_once(twice: CallerMoved) -> None:
    """As the platform's callbacks do; late ones, too."""
    orders = [(1.0, twice), (1.2, twice), (6.0, twice)]
    done = passed_on(ASKED + "." * 120, orders)
    assert spoken(done).count("Here you are.") == 1
    assert statuses(done) == ["started", "accepted", "done"]


def ordered(*orders: tuple[float, Order]) -> Callable[[Call], None]:
    def made(call: Call) -> None:
        for seconds, order in orders:
            asyncio.get_running_loop().call_later(seconds, call.obey, order)

    return made


def test_a_return_without_a_transfer_changes_nothing() -> None:
    """It comes late, or to the wrong call."""
    done = talk("." * 60, voice(), made=ordered((2.0, ReturnToCaller(by="service"))))
    assert spoken(done) == ["Hello, who is this?"]


def test_a_goodbye_from_outside_ends_a_call_in_silence_at_once() -> None:
    """As it always did: nobody is talked over."""
    orders: list[tuple[float, Order]] = [
        (1.0, replace(TAKEN, stay=True)),
        (9.0, HangUp(goodbye=True)),
    ]
    done = passed_on(ASKED + "." * 300, orders)
    assert spoken(done)[-1] == "Here you are."
    assert done.ending == "the operator hung up"


def test_an_agent_that_helps_is_one_of_three() -> None:
    """Whoever took the call is on its line: what is said among them makes no sound of ours."""
    helps = replace(TAKEN, stay=True, helps=True)
    orders: list[tuple[float, Order]] = [(1.0, helps), (16.0, ReturnToCaller(by="service"))]
    script = ASKED + "." * 60 + "++++++" + "." * 60 + "++++++" + "." * 90 + "++++++" + "." * 60
    said = ["The desk please.", "She was here yesterday.", "When do you open?", "That is fine."]
    done = passed_on(script, orders, "At noon.", "Fine.", says=said)
    assert spoken(done)[2:] == ["Here you are.", "At noon.", "I'm back.", "Fine."]
    to = {line["text"]: line.get("to") for line in done.notes.of("caller")}
    assert to["She was here yesterday."] == "others"
    assert to["When do you open?"] == "agent"
    assert [(line["title"], line["status"]) for line in done.notes.of("party")] == [
        ("desk", "joined"),
        ("desk", "left"),
    ]


THANKS = ASKED + "." * 26 + "++++++" + "." * 80
"""Somebody who wants to be passed on, and then to end the call, while the desk is being asked."""

SAYS = ("The desk please.", "Thanks, that is all.")


def goodbye_at() -> float:
    """Seconds from when the desk is dialled until the goodbye begins, if nobody says yes."""
    done = passed_on(THANKS, [], "Goodbye and all the best. [end]", says=SAYS)
    assert done.ending == "the agent hung up"
    at, dialled = (done.notes.of(kind)[n]["at"] for kind, n in (("agent", -1), ("transfer", 0)))
    return float(at - dialled)


@pytest.mark.parametrize("introduction", ["Here you are.", ""])
@pytest.mark.parametrize("helps", [False, True])
@pytest.mark.parametrize("after", [-0.1, 0.5])
def test_a_goodbye_hangs_up_on_nobody_who_has_just_come(
    introduction: str, after: float, *, helps: bool
) -> None:
    """They were fetched by the caller: both talk, whether the yes came as it was made or said."""
    taken = replace(TAKEN, introduction=introduction, helps=helps, stay=helps)
    orders = [(goodbye_at() + after, taken)]
    done = passed_on(THANKS, orders, "Goodbye and all the best. [end]", says=SAYS)
    assert statuses(done) == ["started", "accepted", "done"]
    assert done.ending == ("the caller hung up" if helps else "the caller was passed on")
    if introduction:
        assert spoken(done)[-1] == introduction


def test_a_goodbye_to_both_ends_the_call() -> None:
    """Once they are introduced and the agent helps, it knows of whom it takes leave."""
    helps = replace(TAKEN, stay=True, helps=True)
    said = ("The desk please.", "Assistant, thanks, that is all.")
    script = ASKED + "." * 90 + "++++++" + "." * 80
    done = passed_on(script, [(1.0, helps)], "Goodbye. [end]", says=said)
    assert statuses(done) == ["started", "accepted", "done"]
    assert done.ending == "the agent hung up"


def test_what_an_operator_ends_is_ended_whoever_has_come() -> None:
    """With the goodbye, which the yes comes into."""
    orders: list[tuple[float, Order]] = [(3.0, HangUp(goodbye=True)), (3.3, TAKEN)]
    done = passed_on(ASKED + "." * 100, orders)
    assert done.ending == "the operator hung up"
