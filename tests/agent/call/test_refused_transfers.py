"""Transfers that cannot be made now: nobody hears them announced, in whichever state that is."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Sequence
from dataclasses import replace

import pytest

from agent.call.call import Call
from agent.call.orders import CallerMoved, Order, TransferCaller
from agent.call.transfer import Handover
from agent.warm_transfers import WarmTransfer
from pipelines.conversation import Brief, Destination, Message
from pipelines.providers.contracts import LanguageModel, Piece
from pipelines.providers.lookup.model import LanguageModel as Lookup
from pipelines.providers.prompt import system_message
from pipelines.providers.scripted import LanguageModel as Scripted
from pipelines.providers.scripted import LanguageModelOptions
from tests.agent.conversation import SCRIPT, Talk, talk, voice

DESK = Destination(
    name="desk", asked=("Can I talk to the desk?",), announcement="I will call the desk."
)
SALES = Destination(
    name="sales", asked=("Can I talk to sales?",), announcement="I will call sales."
)
HELPED = replace(
    SCRIPT,
    transfer_failed="It failed.",
    numbers={"desk": "+15550000002", "sales": "+15550000003"},
    warm={"desk": WarmTransfer(introduction="Here you are.", then="help")},
    brief=Brief(goodbye="Bye.", destinations=(DESK, SALES)),
)
TURN = "++++++" + "." * 60
OPERATOR = TransferCaller(to="+15550000009", announcement="Somebody will come.")


class Asked(Scripted):
    """A model that does as its lines say, and keeps what it was told."""

    def __init__(self, *lines: str) -> None:
        super().__init__(LanguageModelOptions(lines=lines))
        self.told: list[tuple[str, Sequence[Message]]] = []

    def reply(self, brief: Brief, conversation: Sequence[Message]) -> AsyncGenerator[Piece, None]:
        self.told.append((system_message(brief), conversation))
        return super().reply(brief, conversation)


def held(
    says: Sequence[str],
    model: LanguageModel,
    orders: Sequence[tuple[float, Order]],
    script: str,
) -> tuple[Talk, list[str]]:
    """Hold a call that is given orders, at these seconds; return it, and whom it has dialled."""
    dialled: list[str] = []

    async def move(handover: Handover) -> None:
        dialled.append(handover.to)

    def made(call: Call) -> None:
        for at, order in orders:
            asyncio.get_running_loop().call_later(at, call.obey, order)

    done = talk(script, voice(says, llm=model), script=HELPED, mover=move, made=made)
    return done, dialled


def spoken(done: Talk) -> list[str]:
    return [line["text"] for line in done.notes.of("agent") if line["text"]][1:]


HELPS = CallerMoved(stay=True, helps=True, introduction="Here you are.")


@pytest.mark.parametrize(
    ("orders", "first", "why"),
    [
        ([(7.0, HELPS)], True, "desk: desk helps already"),
        ([(0.5, OPERATOR)], False, "an operator has somebody else called for the caller"),
    ],
    ids=["helps", "an operator's phone rings"],
)
def test_a_model_is_told_before_it_has_announced_it(
    orders: Sequence[tuple[float, Order]], first: bool, why: str
) -> None:
    """It knows so when it is asked; if it wants it all the same, no word of that is heard."""
    lines = ["I will call the desk. [transfer desk]"] * (1 + first) + ["What else can I do?"]
    model = Asked(*lines)
    says = ["Can I talk to the desk?"] * (1 + first)
    done, dialled = held(says, model, orders, "." * 30 + TURN * first + "." * 30 + TURN)
    assert spoken(done)[-1] == "What else can I do?"
    assert spoken(done).count("I will call the desk.") == first
    assert "It failed." not in spoken(done)
    assert "+15550000002" not in dialled[first:]
    instructions, conversation = model.told[-1]
    assert why in instructions
    assert conversation[-1].results[0].failed
    assert "Not dialled: " in conversation[-1].results[0].text


def test_nobody_else_is_announced_while_somebody_is_introduced() -> None:
    """They have said yes: of that and a second wish the first counts, and nothing is taken back."""
    model = Asked("I will call the desk. [transfer desk]", "I call sales. [transfer sales]", "Yes?")
    introduced = replace(HELPS, introduction="Here is somebody who will help you " * 8)
    says = ["Can I talk to the desk?", "Sales, please.", "Hello?"]
    # They ask as the other says yes; it is answered before the introduction, a second later.
    done, dialled = held(says, model, [(7.55, introduced)], "." * 20 + TURN[:51] + TURN + "." * 40)
    assert dialled == ["+15550000002"]
    assert spoken(done)[1] == "Yes?"
    heard = " ".join(spoken(done))
    assert "Here is somebody" in heard
    assert "I call sales." not in heard
    assert "It failed." not in heard


def test_the_lookup_stage_says_in_its_place_that_it_is_not_done() -> None:
    """In the words of the agent file for a transfer that has failed; others are dialled."""
    says = ["Can I talk to the desk?", "Can I talk to the desk?", "Can I talk to sales?"]
    model = Lookup(Lookup.Options())
    done, dialled = held(says, model, [(7.0, HELPS)], "." * 30 + TURN + "." * 20 + TURN + TURN[:46])
    assert spoken(done) == [
        *("I will call the desk.", "Here you are.", "It failed.", "I will call sales."),
    ]
    assert dialled == ["+15550000002", "+15550000003"]


@pytest.mark.parametrize(
    ("orders", "statuses"),
    [
        ([], ["started"]),
        ([(9.0, replace(HELPS, helps=False, stay=False))], ["started", "accepted"]),
    ],
    ids=["ringing", "about to be introduced"],
)
def test_a_caller_who_hangs_up_cuts_the_transfer_off(
    orders: Sequence[tuple[float, Order]], statuses: list[str]
) -> None:
    """Its record says so, before the call has ended there."""
    model = Asked("I will call the desk. [transfer desk]")
    script = "." * 30 + TURN
    done, _ = held(["Can I talk to the desk?"], model, orders, script)
    assert done.ending == "the caller hung up"
    assert [line["status"] for line in done.notes.of("transfer")] == [*statuses, "cut off"]
