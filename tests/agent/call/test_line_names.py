"""The names of a line while a call lasts: who is added to them, and in which order."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from agent.call.history import History
from agent.call.orders import Order, PartyExpected, PartyJoined, PartyLeft
from agent.personas.party import MOST_NAMES, PartyScript
from agent.personas.script import Script
from pipelines.stages.usage import Pricing, Usage
from tests.agent.call.test_warm_transfers import ASKED, TAKEN, passed_on
from tests.agent.conversation import SCRIPT, Notes
from tests.virtual_time import run

CALLED = ("Linden", "Linden Street Kitchen")
ALONE = replace(SCRIPT, party=PartyScript(called=CALLED))


def told(*orders: Order, script: Script = ALONE) -> list[list[str]]:
    """Return what the transcriber of a call is told, each time, while it obeys these."""
    found: list[list[str]] = []

    def note(names: Sequence[str]) -> None:
        found.append(list(names))

    async def main() -> None:
        history = History(Notes(), Usage(), Pricing(), script)
        history.party.names.on_change = note
        for order in orders:
            history.obey(order)

    run(main())
    return found


def test_somebody_who_is_dialled_onto_a_call_of_one_is_told_with_what_the_agent_is_called() -> None:
    """Before, nothing was."""
    assert told(PartyExpected(party="p1", title="Mr Tim Smith")) == [[*CALLED, "Tim", "Smith"]]


def test_nothing_is_told_twice() -> None:
    """Whoever was expected joins, and others of the same name come."""
    orders: list[Order] = [
        PartyExpected(party="p1", title="Tim Smith"),
        PartyExpected(party="p2", title="Ben"),
        PartyJoined(party="p1", title=""),
        PartyJoined(party="p3", title="Ben Smith"),
    ]
    assert told(*orders) == [[*CALLED, "Tim", "Smith"], [*CALLED, "Ben", "Tim", "Smith"]]


def test_a_newcomer_is_told_before_those_who_were_there() -> None:
    """Those stay, also after they have left: they are spoken of."""
    party = replace(ALONE.party, present={"p0": "Ann"})
    orders: list[Order] = [
        PartyLeft(party="p0", title="Ann", why="left"),
        PartyJoined(party="p1", title="Ben"),
    ]
    assert told(*orders, script=replace(ALONE, party=party)) == [[*CALLED, "Ben", "Ann"]]


def test_somebody_without_a_title_has_the_agent_called_by_its_name() -> None:
    """The line is one of several then."""
    assert told(PartyJoined(party="p1", title="")) == [[*CALLED]]


def test_however_many_come_the_last_is_told() -> None:
    """Those of long ago make room."""
    last = told(*(PartyJoined(party=f"p{n}", title=f"Name{n}") for n in range(100)))[-1]
    assert last == [*CALLED, *(f"Name{n}" for n in range(99, 99 - MOST_NAMES + 2, -1))]


def test_whoever_takes_a_call_to_be_helped_is_told() -> None:
    """By the name of the transfer, from their yes on."""
    orders: list[tuple[float, Order]] = [(1.5, replace(TAKEN, stay=True, helps=True))]
    done = passed_on(ASKED + "." * 100, orders)
    assert done.call.history.party.names.known == ("desk",)
