"""An agent that was sent away from its caller, and is called back, in virtual time."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Callable, Sequence
from dataclasses import replace

import pytest

from agent.call.call import Call
from agent.call.history import COLLEAGUE_TALKED
from agent.call.orders import CallerMoved, Order, ReturnToCaller, TransferCaller, Whisper
from agent.settings.calls import CallLimits, CallSettings
from pipelines.conversation import Brief, Message
from pipelines.providers import scripted
from pipelines.providers.contracts import Piece
from tests.agent.conversation import SCRIPT, Talk, talk, voice

BACK = "I'm back."
TAKEN = replace(SCRIPT, returned=BACK)
MOVED = CallerMoved(stay=True, returns=True)
RETURNED = ReturnToCaller(by="operator")


class Listener(scripted.LanguageModel):
    """A language model that keeps what it was told by operators, request by request."""

    def __init__(self, *lines: str) -> None:
        super().__init__(scripted.LanguageModelOptions(lines=lines))
        self.told: list[tuple[str, ...]] = []

    async def reply(
        self, brief: Brief, conversation: Sequence[Message]
    ) -> AsyncGenerator[Piece, None]:
        self.told.append(brief.whispers)
        async for piece in super().reply(brief, conversation):
            yield piece


def ordering(*orders: tuple[float, Order]) -> Callable[[Call], None]:
    """Return what gives a call these orders, each so many seconds after it was built."""

    def made(call: Call) -> None:
        def give(order: Order) -> None:
            call.obey(order)
            call.history.obey(order)

        for at, order in orders:
            asyncio.get_running_loop().call_later(at, give, order)

    return made


def spoken(done: Talk) -> list[str]:
    return [line["text"] for line in done.notes.of("agent")]


def statuses(done: Talk) -> list[tuple[str, str]]:
    return [(line["status"], line.get("by", "")) for line in done.notes.of("transfer")]


def test_the_agent_is_back_and_says_so() -> None:
    """It heard nothing while it was away; from then on it listens, answers and can be stopped."""
    away = "." * 30 + "++++++++.." * 6
    script = "." * 30 + away + "." * 30 + "++++++" + "." * 40 + "+" * 14 + "." * 20
    model = Listener("A long answer that is interrupted.", "All right.")
    done = talk(
        script,
        voice(["And now?", "Stop it there."], llm=model),
        script=TAKEN,
        made=ordering((3.0, MOVED), (12.0, RETURNED)),
    )
    assert spoken(done)[:3] == [SCRIPT.greeting, BACK, "A long answer that is interrupted."]
    back = done.notes.of("agent")[1]["at"]
    assert back == pytest.approx(12.0, abs=0.2)
    assert done.caller.audio_between(3.1, 11.9) == []
    assert next(text for role, text in done.lines if role == "user") == "And now?"
    assert statuses(done) == [("done", ""), ("returned", "operator")]
    assert done.ending == "the caller hung up"


def test_the_model_knows_that_somebody_has_talked_to_them() -> None:
    """And what was whispered before, meanwhile and since, each once however often it goes."""
    twice = ((3.0, MOVED), (6.0, RETURNED), (9.0, MOVED), (12.0, RETURNED))
    whispers = [
        (at, Whisper(text=text, by="ann")) for at, text in ((1.0, "A"), (4.0, "B"), (13.5, "C"))
    ]
    model = Listener("Yes.")
    done = talk(
        "." * 145 + "++++++" + "." * 30,
        voice(["And now?"], llm=model),
        script=TAKEN,
        made=ordering(*twice, *whispers),
    )
    assert model.told[-1] == ("A", "B", COLLEAGUE_TALKED, "C")
    assert spoken(done) == [SCRIPT.greeting, BACK, BACK, "Yes."]
    assert [status for status, _ in statuses(done)] == ["done", "returned"] * 2


def test_a_caller_who_speaks_as_we_return_is_heard_first() -> None:
    """They interrupt us like any caller, and are answered."""
    done = talk(
        "." * 60 + "+++++++" + "." * 60,
        voice(["Hello?"], ["Yes, here."]),
        script=TAKEN,
        made=ordering((3.0, MOVED), (6.0, RETURNED)),
    )
    _, back, answer = done.notes.of("agent")
    assert back["cut_off"]
    assert (answer["text"], answer["cut_off"]) == ("Yes, here.", False)


def test_what_was_said_before_it_went_is_kept_and_not_answered() -> None:
    """Somebody else has answered that: it stands in the conversation, with what they say next."""
    done = talk(
        "." * 20 + "++++++" + "." * 60 + "++++++" + "." * 40,
        voice(["The first.", "The second."], ["Answered."]),
        script=TAKEN,
        made=ordering((2.9, MOVED), (6.0, RETURNED)),
    )
    said = [text for role, text in done.lines if role == "user"]
    assert said == ["The first.", "The second."]
    assert spoken(done) == [SCRIPT.greeting, BACK, "Answered."]


@pytest.mark.parametrize("order", [RETURNED, ReturnToCaller(by="service")])
def test_an_agent_that_is_not_away_does_not_return(order: ReturnToCaller) -> None:
    """The order came twice, or too late: nothing is said of it, or on the record."""
    done = talk(
        "." * 90,
        voice(),
        script=TAKEN,
        made=ordering((2.0, order), (3.0, MOVED), (4.0, order), (4.0, order), (6.5, order)),
    )
    assert spoken(done) == [SCRIPT.greeting, BACK]
    assert statuses(done) == [("done", ""), ("returned", order.by)]


def test_what_was_to_be_done_before_is_not_done_afterwards() -> None:
    """A second transfer that waited for its turn, and keys that were not answered yet."""
    later = TransferCaller(to="+15550000003", announcement="I'll pass you on.")
    done = talk(
        "." * 20 + "+" * 20 + "." * 100,
        voice(["Well then."], []),
        script=TAKEN,
        made=ordering((2.5, later), (3.0, MOVED), (5.0, RETURNED)),
    )
    assert spoken(done)[:2] == [SCRIPT.greeting, BACK]
    assert "I'll pass you on." not in spoken(done)


def test_the_caller_is_asked_whether_they_are_there_only_after_as_long_as_ever() -> None:
    """The clock of silence begins anew."""
    done = talk(
        "." * 300,
        voice(),
        script=TAKEN,
        made=ordering((2.0, MOVED), (20.0, RETURNED)),
    )
    asked = done.notes.of("agent")[2]
    assert asked["text"] == SCRIPT.still_there
    assert asked["at"] >= done.notes.of("agent")[1]["until"] + 7.9


def test_a_call_that_is_too_long_already_is_warned_before_it_ends() -> None:
    """Time away counts, and nobody is cut off the moment we are back."""
    settings = CallSettings(calls=CallLimits(max_seconds=60, warn_before=10))
    done = talk(
        "." * 900,
        voice(),
        script=TAKEN,
        settings=settings,
        made=ordering((2.0, MOVED), (70.0, RETURNED)),
    )
    assert spoken(done)[1:3] == [BACK, SCRIPT.time_up]
    assert done.ending == "the call was too long"
    assert done.caller.closed is not None
    assert done.caller.closed[0] == pytest.approx(80.0, abs=0.3)
