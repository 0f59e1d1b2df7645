"""Version 2 of Sinch's Voice API, stood in for: sessions, commands, bridges, call events."""

from __future__ import annotations

import math
import uuid
from collections.abc import Mapping, Sequence
from dataclasses import replace

from agent.simulator.announcements import announce
from agent.simulator.sinch import menus
from agent.simulator.sinch.callbacks import CallbackPoster, Check, cloud_event, timestamp
from agent.simulator.sinch.phone_network import Phone, PhoneLeg, PhoneNetwork
from agent.simulator.sinch.rest import CommandRefusedError, RestAnswer, RestRequest, RestRoute
from agent.sinch.api.signing import Credentials
from agent.sinch.api.svaml import Svaml


class SinchV2:
    """What version 2 makes of requests, and of what legs do.

    Args:
        network: The legs.
        callbacks: Tells what happens, and asks what to do.
        signer: Signs callbacks; None: no version 2.
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
        self._service_id = signer.key_id if signer is not None else "stand-in"
        self._check = check
        self._answered_before: dict[str, RestAnswer] = {}
        """By idempotency key."""

    def routes(self) -> Sequence[RestRoute]:
        """Return what is answered."""
        project = "/v2/projects/{project}"
        return [
            ("POST", f"{project}/calls", self._create),
            ("GET", f"{project}/calls/{{id}}", self._call),
            ("PATCH", f"{project}/calls/{{id}}", self._patch),
            ("PATCH", f"{project}/sessions/{{session}}/calls/{{name}}", self._patch),
            ("GET", f"{project}/services/{{service}}", self._service),
            ("PATCH", f"{project}/services/{{service}}", self._set_service),
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
        reply = await self._post(leg, "call.incoming", called, fields)
        leg.name = str((reply or {}).get("callName", ""))
        leg.events = (reply or {}).get("events")
        await self._follow(leg, reply)
        return leg

    # What is asked

    async def _create(self, request: RestRequest) -> RestAnswer:
        self._check("v2_call", request.body)
        key = request.idempotency_key
        if key and key in self._answered_before:
            return self._answered_before[key]
        session = str(uuid.uuid4())
        origin = PhoneLeg(when_over=self._ended, session=session)
        await self._run(origin, request.body["commands"])
        body = {"projectId": request.found["project"], "serviceId": "", "sessionId": session}
        answer = RestAnswer(body=body, status=201)
        if key:
            self._answered_before[key] = answer
        return answer

    async def _call(self, request: RestRequest) -> RestAnswer:
        leg = self._leg(request)
        body = {"callId": request.found["id"], "sessionId": leg.session}
        bridge = leg.room.removeprefix(leg.session).strip() if leg.room else ""
        return RestAnswer(body=body | ({"bridgeName": bridge} if bridge else {}))

    async def _patch(self, request: RestRequest) -> RestAnswer:
        self._check("v2_patch", request.body)
        leg = self._leg(request)
        if leg.over.is_set():
            raise CommandRefusedError(404, "the call is over")
        key, answer = request.idempotency_key or str(uuid.uuid4()), RestAnswer(status=202)
        if key not in self._answered_before:
            self._answered_before[key] = answer
            self._network.start(self._run(leg, request.body["commands"]))
        return answer

    async def _service(self, request: RestRequest) -> RestAnswer:
        behavior = {"type": "WEBHOOK", "webhook": {"url": self.callback_url or ""}}
        service = request.found["service"]
        return RestAnswer(body={"serviceId": service, "name": "stand-in", "callBehavior": behavior})

    async def _set_service(self, request: RestRequest) -> RestAnswer:
        self.callback_url = request.body["callBehavior"]["webhook"]["url"]
        return await self._service(request)

    def _leg(self, request: RestRequest) -> PhoneLeg:
        found = request.found
        if "id" in found:
            leg = self._network.find(found["id"])
        else:
            leg = self._network.named(found["session"], found["name"])
        if leg is None:
            raise CommandRefusedError(404, "no such call")
        return leg

    # Commands, followed

    async def _follow(self, leg: PhoneLeg, reply: Svaml | None) -> None:
        """Do what an answer says; hang up if there is none."""
        if reply is None:
            await self._network.hang_up(leg, "ERROR")
            return
        self._check("v2_reply", reply)
        await self._run(leg, reply["commands"])

    async def _run(self, leg: PhoneLeg, commands: Sequence[Svaml]) -> None:
        for command in commands:
            await self._do(leg, command)

    async def _do(self, leg: PhoneLeg, command: Svaml) -> None:
        match command:
            case {"command": "answer"}:
                leg.answered = True
            case {"command": "bridgeCall", "bridgeName": bridge}:
                self._network.enter(leg, f"{leg.session} {bridge}")
                self._network.tell(f"{leg.title} is in bridge {bridge}")
            case {"command": "hangup"}:
                name = command.get("callName")
                if found := self._network.named(leg.session, name) if name else leg:
                    await self._network.hang_up(found, "MANAGER_HANGUP")
            case {"command": "dial"}:
                self._dial(leg, command)
            case {"command": "amd"}:
                self._network.start(self._detect_machine(leg, command.get("events")))
            case _:
                await self._say_or_ask(leg, command)

    async def _say_or_ask(self, leg: PhoneLeg, command: Svaml) -> None:
        match command:
            case {"command": "messages", "messages": messages}:
                for message in messages:
                    await announce(leg, self._network, message["say"]["text"])
                await self._run(leg, command.get("events", {}).get("onFinish", []))
            case {"command": "webhook", "webhookName": name}:
                await self._follow(leg, await self._post(leg, f"call.webhook.{name}"))
            case {"command": "menu"}:
                self._network.start(self._run_menu(leg, command))
            case _:
                raise CommandRefusedError(400, f"no command {command.get('command')} here")

    async def _run_menu(self, leg: PhoneLeg, command: Svaml) -> None:
        commands, menu = await menus.run_v2(leg, self._network, command)
        if leg.over.is_set():
            return
        if commands is not None:
            await self._run(leg, commands)
        else:
            await self._follow(leg, await self._post(leg, "call.menu", beside={"menu": menu}))

    def _dial(self, origin: PhoneLeg, dial: Svaml) -> None:
        name, events = dial.get("callName", ""), dial.get("events")
        if name and self._network.named(origin.session, name):
            raise CommandRefusedError(400, f"the session has an active call {name} already")
        leg = self._network.add(
            PhoneLeg(when_over=self._ended, name=name, session=origin.session, events=events)
        )
        match dial["to"]:
            case {"type": "STREAM", "stream": stream}:
                self._dial_stream(origin, leg, stream)
                return
            case {"type": "SIP", "sip": {"endpoint": number}}:
                leg.number = number
            case {"type": "PHONE", "phone": {"number": number}}:
                leg.number = number
        within = dial.get("dialTimeoutDurationSeconds", math.inf)
        self._network.ring(leg, lambda: self._answered(leg), within)

    def _dial_stream(self, origin: PhoneLeg, leg: PhoneLeg, stream: Svaml) -> None:
        leg.is_stream = True
        rate = stream["streamOptions"]["sampleRate"]
        headers = {h["key"]: h["value"] for h in stream.get("callHeaders", [])}
        phone = self._network.phones.get(origin.number, Phone())
        plan = replace(phone.plan, rate=rate, headers=headers, shape="v2")
        plan = replace(plan, application=self._service_id)
        for command in (leg.events or {}).get("onAnswer", ()):
            if command["command"] == "bridgeCall":
                leg.room = f"{leg.session} {command['bridgeName']}"
        self._network.connect_stream(leg, stream["endpoint"], plan)

    # What legs do

    async def _answered(self, leg: PhoneLeg) -> None:
        if leg.events is not None:
            await self._run(leg, leg.events.get("onAnswer", ()))
            return
        await self._follow(leg, await self._post(leg, "call.answered"))

    async def _detect_machine(self, leg: PhoneLeg, events: Svaml | None) -> None:
        phone = self._network.phones[leg.number]
        found = [phone.who] + ["beep"] * (phone.who == "machine" and phone.beeps)
        for what in found:
            if leg.over.is_set():
                return
            if events is not None:
                await self._run(leg, events.get(f"on{what.capitalize()}", ()))
            else:
                await self._follow(leg, await self._post(leg, f"call.amd.{what}"))

    async def _ended(self, leg: PhoneLeg) -> None:
        happened = _ending(leg)
        if leg.events is not None:
            await self._run(leg, leg.events.get(f"on{happened}", ()))
            return
        event = f"call.{'failed' if happened == 'Failure' else happened.lower()}"
        reply = await self._post(leg, event)
        if reply is not None:
            self._check("v2_reply", reply)
            await self._run(leg, reply["commands"])

    async def _post(
        self,
        leg: PhoneLeg,
        event: str,
        called: str = "",
        fields: Mapping[str, object] = {},
        beside: Mapping[str, object] = {},
    ) -> Svaml | None:
        """Send a callback, with more fields of the call, or beside it; return the answer."""
        call = _call(leg, called) | {"serviceId": self._service_id, **fields}
        return await self._callbacks.post(
            self._signer, {"event": event, "call": call, **beside}, cloud_event()
        )


def _ending(leg: PhoneLeg) -> str:
    """Return how a leg ended, as events are named."""
    if leg.refused:
        return {"refused: busy": "Busy", "refused: reject": "Reject"}.get(leg.refused, "Failure")
    if leg.answered:
        return "Hangup"
    return {"BUSY": "Busy", "TIMEOUT": "Timeout"}.get(leg.reason, "Hangup")


def _call(leg: PhoneLeg, called: str) -> Svaml:
    """Return a leg as callbacks have it."""
    call: Svaml = {
        "callId": leg.call_id,
        "projectId": "stand-in",
        "sessionId": leg.session,
        "callName": leg.name,
        "from": {"type": "PHONE", "phone": {"number": leg.number}},
        "to": {"type": "PHONE", "phone": {"number": called}},
        "startTime": timestamp(),
        "callRate": {"currencyCode": "EUR", "amount": "0.0060"},
        "callResult": "IN_PROGRESS",
    }
    if leg.over.is_set():
        not_answered = {"BUSY": "BUSY", "TIMEOUT": "NO_ANSWER"}.get(leg.reason, "CANCEL")
        call["callResult"] = "COMPLETED" if leg.answered else not_answered
        call["callReason"] = "CALLER_HANGUP" if leg.answered else "NOT_AVAILABLE"
        call["callDurationSeconds"] = round(leg.age)
    return call
