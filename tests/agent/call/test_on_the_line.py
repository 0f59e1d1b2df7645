"""Who is on the line, as a call is told: by its beginning, by orders, and by both."""

from __future__ import annotations

from typing import Any

from agent.call.on_the_line import LineParty, OnTheLine
from agent.call.orders import HangUp, PartyJoined, PartyLeft


def line() -> tuple[OnTheLine, list[dict[str, Any]]]:
    added: list[dict[str, Any]] = []
    return OnTheLine(lambda kind, **fields: added.append({"kind": kind, **fields})), added


ANN = LineParty(party="p1", title="Ann", present=True)
BEN = LineParty(party="p2", title="Ben", present=False)
CLEO = LineParty(party="p3", title="", present=False)
BEN_JOINS = PartyJoined(party="p2", title="Ben")
BEN_LEAVES = PartyLeft(party="p2", title="Ben", why="left")


def test_of_a_call_between_two_nothing_is_said() -> None:
    """No line of the record, and nobody on the line."""
    parties, added = line()
    parties.begin(())
    parties.obey(HangUp(goodbye=True))
    assert (added, parties.present, parties.expected) == ([], (), ())


def test_the_record_names_who_joins_and_who_leaves() -> None:
    """Each once, with what is known of them, and why somebody has not come."""
    parties, added = line()
    parties.begin((ANN, BEN, CLEO))
    assert (parties.present, parties.expected) == (("Ann",), ("Ben", ""))
    parties.obey(BEN_JOINS)
    assert (parties.present, parties.expected) == (("Ann", "Ben"), ("",))
    parties.obey(PartyLeft(party="p3", title="", why="no answer"))
    parties.obey(PartyLeft(party="p1", title="Ann", why="dropped"))
    parties.obey(BEN_LEAVES)
    assert (parties.present, parties.expected) == ((), ())
    assert added == [
        {"kind": "party", "party": "p1", "title": "Ann", "status": "joined"},
        {"kind": "party", "party": "p2", "title": "Ben", "status": "expected"},
        {"kind": "party", "party": "p3", "status": "expected"},
        {"kind": "party", "party": "p2", "title": "Ben", "status": "joined"},
        {"kind": "party", "party": "p3", "status": "not reached", "why": "no answer"},
        {"kind": "party", "party": "p1", "title": "Ann", "status": "dropped"},
        {"kind": "party", "party": "p2", "title": "Ben", "status": "left"},
    ]


def test_what_is_told_twice_is_noted_once() -> None:
    """By the beginning and by an order that was left for the call meanwhile."""
    parties, added = line()
    parties.begin((ANN, LineParty(party="p2", title="Ben", present=True)))
    parties.obey(BEN_JOINS)
    parties.obey(BEN_LEAVES)
    parties.obey(BEN_LEAVES)
    assert [one["status"] for one in added] == ["joined", "joined", "left"]


def test_who_was_not_reached_may_come_after_all() -> None:
    """The platform dialled though it had told us otherwise."""
    parties, _ = line()
    parties.begin((ANN, BEN))
    parties.obey(PartyLeft(party="p2", title="Ben", why="failed"))
    parties.obey(BEN_JOINS)
    assert parties.present == ("Ann", "Ben")
