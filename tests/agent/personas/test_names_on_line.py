"""The names that are told to whoever hears a call."""

from __future__ import annotations

from dataclasses import replace

from agent.personas.party import MOST_NAMES, PartyScript
from agent.personas.script import ScriptParty
from tests.agent.conversation import SCRIPT

PARTY = PartyScript(called=("Linden", "Linden Street Kitchen"))


def test_of_one_phone_alone_nothing_is_told() -> None:
    """However the agent is called: whoever is alone with it need not call it."""
    assert replace(SCRIPT, party=PARTY).names_on_line == ()


def test_of_several_their_names_are_told() -> None:
    """The agent's first, whole; of people every word by which they are called, once."""
    several = replace(
        PARTY,
        present={"p0": "Dr. Ann Miller", "p1": "", "p2": "Bob Miller"},
        expected={"p3": "Jean-Luc de la Tour"},
    )
    assert replace(SCRIPT, party=several).names_on_line == (
        *("Linden", "Linden Street Kitchen"),
        *("Ann", "Miller", "Bob", "Jean-Luc", "Tour"),
    )


def test_whom_the_agent_may_add_is_told_from_the_beginning() -> None:
    """The line may become one of several then."""
    added = ScriptParty(name="smith", to="+12025550123", title="Mrs Smith")
    assert replace(SCRIPT, party=PARTY, parties=(added,)).names_on_line[-1] == "Smith"


def test_there_are_only_so_many() -> None:
    """Whatever is expected."""
    crowd = {f"p{n}": f"First{n} Last{n}" for n in range(100)}
    script = replace(SCRIPT, party=replace(PARTY, expected=crowd))
    assert len(script.names_on_line) == MOST_NAMES
