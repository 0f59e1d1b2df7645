"""Conferences of version 1 of Sinch's Voice API, stood in for: who is in one, and what of them."""

from __future__ import annotations

from collections.abc import Sequence

from agent.simulator.sinch.callbacks import Check
from agent.simulator.sinch.phone_network import PhoneLeg, PhoneNetwork
from agent.simulator.sinch.rest import (
    CommandRefusedError,
    RestAnswer,
    RestRequest,
    RestRoute,
    v1_error,
)
from agent.sinch.api.svaml import Svaml


class V1Conferences:
    """Lists participants, mutes them, puts them on hold, and kicks one or all.

    Args:
        network: The legs.
        check: Looks at every request body.
    """

    def __init__(self, network: PhoneNetwork, check: Check) -> None:
        self._network = network
        self._check = check

    def routes(self) -> Sequence[RestRoute]:
        """Return what is answered."""
        conference = "/calling/v1/conferences/id/{id}"
        return [
            ("GET", conference, self._participants),
            ("DELETE", conference, self._kick_all),
            ("PATCH", f"{conference}/{{call}}", self._manage),
            ("DELETE", f"{conference}/{{call}}", self._kick),
        ]

    async def _participants(self, request: RestRequest) -> RestAnswer:
        legs = self._network.in_room(request.found["id"])
        if not legs:
            return v1_error(404, 40400, "no such conference")
        return RestAnswer(body={"participants": [_participant(leg) for leg in legs]})

    async def _manage(self, request: RestRequest) -> RestAnswer:
        self._check("v1_participant", request.body)
        person = self._named(request).person
        if person is None:
            return v1_error(400, 40003, "whoever it is has no voice here")
        match request.body["command"]:
            case "mute" | "unmute" as command:
                person.muted = command == "mute"
            case command:
                person.on_hold = command == "onhold"
        return RestAnswer(status=204)

    async def _kick(self, request: RestRequest) -> RestAnswer:
        leg = self._named(request)
        self._network.start(self._network.hang_up(leg, "MANAGERHANGUP"))
        return RestAnswer(status=204)

    def _named(self, request: RestRequest) -> PhoneLeg:
        leg = self._network.find(request.found["call"])
        if leg is None or leg not in self._network.in_room(request.found["id"]):
            raise CommandRefusedError(404, "not in this conference")
        return leg

    async def _kick_all(self, request: RestRequest) -> RestAnswer:
        legs = self._network.in_room(request.found["id"])
        if not legs:
            return v1_error(404, 40400, "no such conference")
        for leg in legs:
            self._network.start(self._network.hang_up(leg, "MANAGERHANGUP"))
        return RestAnswer(status=204)


def _participant(leg: PhoneLeg) -> Svaml:
    """Return a leg as a conference lists it."""
    person = leg.person
    return {
        "cli": leg.number,
        "id": leg.call_id,
        "duration": round(leg.age),
        "muted": person is not None and person.muted,
        "onhold": person is not None and person.on_hold,
    }
