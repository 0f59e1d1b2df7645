"""A call of several that somebody tries out: its phones at a stand-in, and what came of it."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from pathlib import Path

from agent.simulator.party.party_judging import JudgedTurn, judged
from agent.simulator.scenarios.party_calls import VoicedParty
from agent.simulator.sinch.phone_network import Phone, PhoneLeg
from agent.simulator.sinch.stand_in import StandIn

LOOKS_EVERY = 0.1
"""Seconds between two looks at who has hung up."""


class PartyAtStandIn:
    """The phones of one call of several, at numbers of their own.

    Args:
        party: Who is on the line.
        first: The first of their numbers, in E.164; the others follow it.
    """

    def __init__(self, party: VoicedParty, first: str) -> None:
        self._party = party
        names = list(party.scenario.phones)
        self.numbers: Mapping[str, str] = {
            name: f"+{int(first) + place}" for place, name in enumerate(names)
        }
        """By name, in the order of the file."""

    def phones(self) -> dict[str, Phone]:
        """Return what a stand-in is given."""
        return self._party.phones(list(self.numbers.values()))

    async def over(self, standin: StandIn) -> list[JudgedTurn]:
        """Wait until all who answer have been on the line and left it; return what came of it."""
        while not self._all_have_left(standin):  # noqa: ASYNC110 - legs begin when the agent asks
            await asyncio.sleep(LOOKS_EVERY)
        spoke = [one for there in standin.activities.values() for one in there.agent_spoke]
        return judged(self._party.scenario.expected, standin.turns, sorted(spoke))

    def save(self, standin: StandIn, folder: Path) -> None:
        """Write what each said (left) and heard (right) into a folder: ``NAME.wav``.

        Raises:
            OSError: If it cannot be written.
        """
        folder.mkdir(parents=True, exist_ok=True)
        for name, number in self.numbers.items():
            leg = _leg(standin, number)
            if leg is not None and leg.person is not None:
                leg.person.recording.save(folder / f"{name}.wav")

    def _all_have_left(self, standin: StandIn) -> bool:
        legs = [_leg(standin, self.numbers[name]) for name in self._party.scripts]
        return all(leg is not None and leg.over.is_set() for leg in legs)


def _leg(standin: StandIn, number: str) -> PhoneLeg | None:
    """Return the last leg to a number."""
    return next((leg for leg in reversed(standin.legs) if leg.number == number), None)
