"""Version 1 of Sinch's Voice API, stood in for: callouts, conferences, ICE, ACE, DiCE and PIE."""

from __future__ import annotations

import json
import math
import uuid
from collections.abc import Sequence
from dataclasses import replace
from functools import partial

from agent.simulator.announcements import announce
from agent.simulator.plan import Plan
from agent.simulator.sinch import menus
from agent.simulator.sinch.callbacks import CallbackPoster, Check, timestamp
from agent.simulator.sinch.phone_network import PhoneLeg, PhoneNetwork
from agent.simulator.sinch.rest import (
    CommandRefusedError,
    RestAnswer,
    RestRequest,
    RestRoute,
    v1_error,
)
from agent.simulator.sinch.v1_conferences import V1Conferences
from agent.sinch.api.signing import Credentials
from agent.sinch.api.svaml import Svaml


class SinchV1:
    """What version 1 makes of requests, and of what legs do.

    Args:
        network: The legs.
        callbacks: Tells what happens, and asks what to do.
        signer: Signs callbacks; None: no version 1.
        check: Looks at every SVAML and request body.
    """

    def __init__(
        self,
        network: PhoneNetwork,
        callbacks: CallbackPoster,
        signer: Credentials | None,
        check: Check,
    ) -> None:
        self.callback_url: str | None = None
        """What was set as callback address."""

        self._network = network
        self._callbacks = callbacks
        self._signer = signer
        self._application = signer.key_id if signer is not None else "stand-in"
        self._check = check

    def routes(self) -> Sequence[RestRoute]:
        """Return what is answered."""
        v1, configuration = "/calling/v1", "/v1/configuration"
        application = f"{configuration}/callbacks/applications/{{key}}"
        return [
            ("POST", f"{v1}/callouts", self._callout),
            ("GET", f"{v1}/calls/id/{{id}}", self._get),
            ("PATCH", f"{v1}/calls/id/{{id}}", self._patch),
            *V1Conferences(self._network, self._check).routes(),
            ("GET", f"{configuration}/numbers", self._numbers),
            ("GET", application, self._get_callback_url),
            ("POST", application, self._set_callback_url),
        ]

    async def call_in(self, caller: str, called: str, **fields: object) -> PhoneLeg:
        """Have somebody call; return their leg once it is known what to do with it.

        Args:
            caller: Their number.
            called: Ours.
            fields: More for the callback.
        """
        leg = self._network.add(
            PhoneLeg(when_over=self._ended, number=caller, session=str(uuid.uuid4()), answered=True)
        )
        body = {
            "event": "ice",
            "to": {"type": "did", "endpoint": called.removeprefix("+")},
            "cli": caller.removeprefix("+"),
            "domain": "pstn",
            "originationType": "PSTN",
        }
        await self._act(leg, await self._post(leg, body | fields), "v1_ice")
        return leg

    # What is asked

    async def _callout(self, request: RestRequest) -> RestAnswer:
        self._check("v1_callout", request.body)
        method, callout = request.body["method"], request.body[request.body["method"]]
        leg = self._network.add(PhoneLeg(when_over=self._ended, name=callout.get("custom", "")))
        if method == "conferenceCallout":
            self._conference_callout(leg, callout)
        elif method == "customCallout":
            if error := self._custom_callout(leg, callout):
                return error
        else:
            return v1_error(400, 40003, f"no {method} here")
        return RestAnswer(body={"callId": leg.call_id})

    def _conference_callout(self, leg: PhoneLeg, callout: Svaml) -> None:
        room, to = callout["conferenceId"], callout["destination"]
        leg.number = to["endpoint"]
        # The platform does not ask what to do with an In-App user who has answered.
        leg.asks = callout.get("enableAce", False) and to["type"] != "username"
        leg.informs = callout.get("enableDice", False)
        greeting = callout.get("greeting", "")

        async def answered() -> None:
            if greeting:
                await announce(leg, self._network, greeting)
            await self._answered(leg, room)

        self._network.ring(leg, answered)

    def _custom_callout(self, leg: PhoneLeg, callout: Svaml) -> RestAnswer | None:
        ice = json.loads(callout["ice"])
        self._check("v1_ice", ice)
        ace = json.loads(callout["ace"]) if "ace" in callout else None
        if ace is not None:
            self._check("v1_ace", ace)
        match ice["action"]:
            case {"name": "connectStream"} as action if ace is not None:
                leg.is_stream = True
                leg.room = ace["action"]["conferenceId"]
                self._connect_stream(leg, action)
                return None
            case {"name": "connectPstn", "number": number} as action:
                leg.number = number
            case {"name": "connectSip" | "connectMxp" as how} as action:
                leg.number, leg.asks = action["destination"]["endpoint"], how == "connectSip"
            case action:
                return v1_error(400, 40003, f"no {action['name']} in a callout here")
        answered = partial(self._answered, leg, "", action.get("amd"), ace)
        self._network.ring(leg, answered, action.get("dialTimeout", math.inf))
        return None

    async def _get(self, request: RestRequest) -> RestAnswer:
        leg = self._leg(request.found["id"])
        status = "FINAL" if leg.over.is_set() else "ONGOING"
        return RestAnswer(body={"callId": leg.call_id, "status": status})

    async def _patch(self, request: RestRequest) -> RestAnswer:
        leg = self._leg(request.found["id"])
        self._check("v1_patch", request.body)
        if leg.over.is_set():
            return v1_error(404, 40400, "the call is over")
        if request.body["action"]["name"] == "hangup":
            reason = "MANAGERHANGUP" if leg.answered else "CANCEL"
            self._network.start(self._network.hang_up(leg, reason))
        return RestAnswer(status=204)

    async def _numbers(self, _request: RestRequest) -> RestAnswer:
        key = self._signer.key_id if self._signer else ""
        ours = {"number": "+15550100", "applicationkey": key, "capability": "voice"}
        return RestAnswer(body={"numbers": [ours]})

    async def _get_callback_url(self, _request: RestRequest) -> RestAnswer:
        return RestAnswer(body={"url": {"primary": self.callback_url or ""}})

    async def _set_callback_url(self, request: RestRequest) -> RestAnswer:
        self._check("v1_callback_url", request.body)
        self.callback_url = request.body["url"]["primary"]
        return RestAnswer(status=204)

    def _leg(self, call_id: str) -> PhoneLeg:
        if leg := self._network.find(call_id):
            return leg
        raise CommandRefusedError(404, "no such call")

    # What legs do

    async def _answered(
        self, leg: PhoneLeg, room: str, amd: Svaml | None = None, inline: Svaml | None = None
    ) -> None:
        """Ask what to do with a phone that was answered, unless the callout said so itself."""
        phone = self._network.phones[leg.number]
        detect = amd is not None and amd.get("enabled")
        later = bool(amd and amd.get("async"))
        found = {"status": phone.who, "reason": "n/a", "duration": 2}
        body: Svaml = {"event": "ace"}
        if detect:
            body["amd"] = {"status": "inprogress"} if later else found
        leg.room = room
        if inline is not None:
            await self._act(leg, inline, "v1_ace")
        elif leg.asks:
            await self._act(leg, await self._post(leg, body), "v1_ace")
        if leg.room:  # what is said on the way in is said to them alone
            self._network.enter(leg, leg.room)
        if not (detect and later):
            return
        await self._inform(leg, {"event": "notify", "type": "amd", "amd": found})
        if phone.who == "machine" and phone.beeps:
            beep = {"status": "machine", "reason": "beep"}
            await self._inform(leg, {"event": "notify", "type": "amd_beep", "amd": beep})

    async def _act(self, leg: PhoneLeg, reply: Svaml | None, schema: str) -> None:
        """Follow the SVAML of an answer; hang up if there is none."""
        if reply is None:
            await self._network.hang_up(leg, "CALLBACKERROR")
            return
        self._check(schema, reply)
        for instruction in reply.get("instructions", []):
            if instruction["name"] == "say":
                await announce(leg, self._network, instruction["text"])
        match reply["action"]:
            case {"name": "hangup"}:
                await self._network.hang_up(leg, "MANAGERHANGUP")
            case {"name": "connectConf", "conferenceId": room}:
                self._network.enter(leg, room)
                self._network.tell(f"{leg.title} is in conference {room}")
            case {"name": "connectStream"} as action:
                self._network.enter(leg, f"direct {leg.call_id}")
                self._connect_stream(leg, action)
            case {"name": "runMenu"} as action:
                self._network.start(self._run_menu(leg, action))

    async def _run_menu(self, leg: PhoneLeg, action: Svaml) -> None:
        result = await menus.run_v1(leg, self._network, action)
        if not leg.over.is_set():
            pie = {"event": "pie", "menuResult": result}
            await self._act(leg, await self._post(leg, pie), "v1_pie")

    def _connect_stream(self, leg: PhoneLeg, action: Svaml) -> None:
        """Have the phone in the room of ``leg`` say its plan to the stream."""
        phones = [one for one in self._network.in_room(leg.room) if not one.is_stream]
        # The answer to the callback of a phone may be slower than the request for the stream.
        late = [one for one in self._network.legs if not one.room and not one.over.is_set()]
        phones += [one for one in late if one.number in self._network.phones]
        plan = self._network.phones[phones[0].number].plan if phones else Plan()
        options = action.get("streamingOptions", {})
        headers = {h["key"]: h["value"] for h in action.get("callHeaders", [])}
        rate = options.get("sampleRate", 8000)
        self._network.connect_stream(
            leg,
            action["destination"]["endpoint"],
            replace(plan, rate=rate, headers=headers, shape="v1", application=self._application),
        )

    async def _ended(self, leg: PhoneLeg) -> None:
        if not leg.informs:
            return
        result = "ANSWERED" if leg.answered else {"TIMEOUT": "NOANSWER"}.get(leg.reason, "FAILED")
        body = {
            "event": "dice",
            "result": "BUSY" if leg.reason == "BUSY" else result,
            "reason": leg.reason,
            "duration": round(leg.age),
            "debit": {"currencyId": "EUR", "amount": 0.0758},
        }
        await self._inform(leg, body)

    async def _inform(self, leg: PhoneLeg, body: Svaml) -> None:
        """Send a callback whose answer has nothing to decide."""
        reply = await self._post(leg, body)
        if reply is not None:
            self._check("v1_nothing", reply)

    async def _post(self, leg: PhoneLeg, body: Svaml) -> Svaml | None:
        of_the_leg = {
            "callid": leg.call_id,
            "version": 1,
            "timestamp": timestamp(),
            "applicationKey": self._application,
        }
        custom = {"custom": leg.name} if leg.name else {}
        return await self._callbacks.post(self._signer, body | of_the_leg | custom)
