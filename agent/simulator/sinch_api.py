"""A stand-in for Sinch's Voice API, both versions: REST in, signed callbacks out, legs in between.

It does what the documents say the platform does, as far as a phone agent meets it: it takes
callouts and calls, asks the callback address what to do, follows the SVAML that comes back, and
places the stream call through :mod:`agent.simulator.stream_caller`. Phones are scripted: what a
phone would say is the plan of the stream that it talks with. Two phones that talk to each other are
only noted.

It is strict: a command that the documents do not have is refused as the platform would.
"""

from __future__ import annotations

import asyncio
import json
import uuid
from collections import deque
from collections.abc import AsyncIterator, Awaitable, Callable, Coroutine, Mapping, Sequence
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from typing import Any, Literal
from urllib.parse import urlsplit

import aiohttp
from aiohttp import web

from agent.simulator.call_in_progress import CallInProgress
from agent.simulator.plan import Plan
from agent.simulator.stream_caller import CallFailedError, place_call
from agent.sinch.callbacks import Version
from agent.sinch.signing import Credentials
from agent.sinch.svaml import Svaml

CALLBACK_TIMEOUT = 5.0
"""Seconds that the platform waits for an answer (version 2; version 1 does not say)."""

Check = Callable[[str, object], None]
"""Given the name of a schema and a body, raises if the body does not follow it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Phone:
    """Somebody with a telephone."""

    plan: Plan = field(default_factory=Plan)
    """What they say once a stream listens."""

    answers: Literal["yes", "no", "busy"] = "yes"
    after: float = 0.05
    """Seconds of ringing."""

    who: Literal["human", "machine"] = "human"
    beeps: bool = True
    """Whether a machine does."""


class Leg:
    """One leg of a call."""

    def __init__(self, version: Version, number: str, name: str, session: str = "") -> None:
        self.version = version
        self.number = number
        self.name = name
        """``custom`` in version 1, ``callName`` in version 2."""

        self.session = session
        self.call_id = str(uuid.uuid4())
        self.room = ""
        """The conference or bridge that it is in."""

        self.is_stream = False
        self.answered = False
        self.said: list[str] = []
        """What the platform's own voice said on it."""

        self.on_hangup: Sequence[Svaml] | None = None
        self.over = asyncio.Event()
        self.reason = ""
        self.began = asyncio.get_running_loop().time()
        self.stream: asyncio.Task[None] | None = None
        self.held: CallInProgress | None = None
        """The stream's call, once it has ended."""

        self.refused = ""
        """Why the stream was not answered."""


class StandIn:
    """The platform.

    Args:
        callback_url: Where callbacks go.
        v1: Signs version 1's callbacks, and is asked for on its requests; None: no version 1.
        v2: The same for version 2.
        phones: By number or SIP address; any other does not answer.
        check: Looks at every SVAML and request body, if given.
        connects_after: Seconds that it takes to connect a stream: TLS over the Internet, say.
        tell: Given a line for each thing that happens.
    """

    def __init__(
        self,
        callback_url: str,
        *,
        v1: Credentials | None = None,
        v2: Credentials | None = None,
        phones: Mapping[str, Phone] | None = None,
        check: Check | None = None,
        connects_after: float = 0.0,
        tell: Callable[[str], None] = lambda _line: None,
    ) -> None:
        self.callback_url = callback_url
        self._signers: dict[Version, Credentials | None] = {"v1": v1, "v2": v2}
        self.phones = dict(phones or {})
        self._check = check or (lambda _name, _body: None)
        self._connects_after = connects_after
        self._tell = tell
        self.legs: list[Leg] = []
        self.callbacks: list[tuple[str, int]] = []
        """Every event that was posted, with the status of the answer."""

        self.failures: deque[tuple[str, int, dict[str, Any], dict[str, str]]] = deque()
        """What the next requests are answered with instead: method, status, body, headers."""

        self.requests: list[tuple[str, str]] = []
        """Every request that came: method and path."""

        self.configured: dict[str, Any] = {}
        """What was set as callback address: ``v1`` and ``v2``."""

        self.faults: list[BaseException] = []
        """What went wrong in what legs did: an answer that does not follow its schema, say."""

        self._keys: dict[str, dict[str, Any]] = {}
        self._tasks: set[asyncio.Task[None]] = set()
        self._session: aiohttp.ClientSession | None = None

    @asynccontextmanager
    async def running(self, host: str = "127.0.0.1", port: int = 0) -> AsyncIterator[str]:
        """Serve the REST API; yield its address. In the end every leg is cut off."""
        runner = web.AppRunner(self._application(), access_log=None)
        await runner.setup()
        self._session = aiohttp.ClientSession(timeout=aiohttp.ClientTimeout(total=CALLBACK_TIMEOUT))
        try:
            await web.TCPSite(runner, host, port).start()
            yield "http://{}:{}".format(*runner.addresses[0][:2])
        finally:
            for task in list(self._tasks):
                task.cancel()
            if self._tasks:
                await asyncio.wait(self._tasks)
            await self._session.close()
            await runner.cleanup()

    def _application(self) -> web.Application:
        app = web.Application(middlewares=[self._gate])
        v1, v2 = "/calling/v1", "/v2/projects/{project}"
        app.add_routes(
            [
                web.post(f"{v1}/callouts", self._callout),
                web.get(f"{v1}/calls/id/{{id}}", self._v1_get),
                web.patch(f"{v1}/calls/id/{{id}}", self._v1_patch),
                web.delete(f"{v1}/conferences/id/{{id}}", self._kick_all),
                web.get("/v1/configuration/numbers", self._numbers),
                web.get("/v1/configuration/callbacks/applications/{key}", self._v1_callbacks),
                web.post("/v1/configuration/callbacks/applications/{key}", self._v1_callbacks),
                web.post(f"{v2}/calls", self._v2_create),
                web.patch(f"{v2}/calls/{{id}}", self._v2_patch),
                web.patch(f"{v2}/sessions/{{session}}/calls/{{name}}", self._v2_patch),
                web.get(f"{v2}/services/{{service}}", self._service),
                web.patch(f"{v2}/services/{{service}}", self._service),
            ]
        )
        return app

    # What tests and people start

    async def call_in(
        self, caller: str, called: str, plan: Plan, version: Version = "v1", **fields: object
    ) -> Leg:
        """Have somebody call; return their leg once the platform knows what to do with it.

        Args:
            caller: Their number.
            called: Ours.
            plan: What they say.
            version: Whose callbacks are sent.
            fields: More for the callback.
        """
        leg = Leg(version, caller, "", str(uuid.uuid4()))
        leg.answered = True
        self.legs.append(leg)
        self.phones[caller] = replace(self.phones.get(caller, Phone()), plan=plan)
        if version == "v1":
            body = {
                "event": "ice",
                "to": {"type": "did", "endpoint": called.removeprefix("+")},
                "cli": caller.removeprefix("+"),
                "domain": "pstn",
                "originationType": "PSTN",
            }
            await self._v1_act(leg, await self._post(leg, body | fields), "v1_ice")
        else:
            leg.number = caller
            reply = await self._post(leg, {"event": "call.incoming"}, called=called, **fields)
            leg.name = str((reply or {}).get("callName", ""))
            events = (reply or {}).get("events", {})
            leg.on_hangup = events.get("onHangup")
            await self._v2_reply(leg, reply)
        return leg

    async def hang_up(self, leg: Leg, reason: str = "CALLERHANGUP") -> None:
        """Have the phone of a leg hung up; return once the callback was answered."""
        if leg.over.is_set():
            return
        leg.over.set()
        leg.reason = reason
        self._tell(f"{self._title(leg)} is over: {reason}")
        if leg.stream is not None and leg.stream is not asyncio.current_task():
            leg.stream.cancel()
            await asyncio.wait([leg.stream])
        if leg.version == "v1":
            await self._v1_ended(leg)
        else:
            await self._v2_ended(leg)

    async def settle(self) -> None:
        """Return when all callbacks are answered and all legs have done what they were told."""
        while self._tasks:
            await asyncio.wait(self._tasks)

    def in_room(self, room: str) -> list[Leg]:
        """Return the legs that talk in a conference or bridge."""
        return [leg for leg in self.legs if leg.room == room and not leg.over.is_set()]

    # Version 1

    async def _callout(self, request: web.Request) -> web.Response:
        body = await request.json()
        self._check("v1_callout", body)
        method, callout = body["method"], body[body["method"]]
        leg = Leg("v1", "", callout.get("custom", ""))
        self.legs.append(leg)
        if method == "conferenceCallout":
            leg.number = callout["destination"]["endpoint"]
            self._start(self._ring(leg, self._v1_answered, callout["conferenceId"]))
        elif method == "customCallout":
            ice = json.loads(callout["ice"])
            self._check("v1_ice", ice)
            if "ace" in callout:
                self._check("v1_ace", json.loads(callout["ace"]))
            match ice["action"]:
                case {"name": "connectStream"} as action:
                    leg.is_stream = True
                    ace = json.loads(callout["ace"])
                    leg.room = ace["action"]["conferenceId"]
                    self._stream(leg, self._v1_stream_plan(action, leg.room))
                case {"name": "connectPstn", "number": number} as action:
                    leg.number = number
                    self._start(self._ring(leg, self._v1_answered, "", action.get("amd")))
                case action:
                    return _v1_error(400, 40003, f"no {action['name']} in a callout here")
        else:
            return _v1_error(400, 40003, f"no {method} here")
        return web.json_response({"callId": leg.call_id})

    def _v1_stream_plan(self, action: Svaml, room: str) -> tuple[str, Plan]:
        phones = [leg for leg in self.in_room(room) if not leg.is_stream]
        plan = self.phones[phones[0].number].plan if phones else Plan()
        options = action.get("streamingOptions", {})
        headers = {h["key"]: h["value"] for h in action.get("callHeaders", [])}
        return action["destination"]["endpoint"], replace(
            plan, rate=options.get("sampleRate", 8000), headers=headers, shape="v1"
        )

    async def _v1_answered(self, leg: Leg, room: str, amd: Svaml | None = None) -> None:
        phone = self.phones[leg.number]
        detect = amd is not None and amd.get("enabled")
        later = bool(amd and amd.get("async"))
        found = {"status": phone.who, "reason": "n/a", "duration": 2}
        body: Svaml = {"event": "ace"}
        if detect:
            body["amd"] = {"status": "inprogress"} if later else found
        leg.room = room
        await self._v1_act(leg, await self._post(leg, body), "v1_ace")
        if not (detect and later):
            return
        await self._v1_tell(leg, {"event": "notify", "type": "amd", "amd": found})
        if phone.who == "machine" and phone.beeps:
            beep = {"status": "machine", "reason": "beep"}
            await self._v1_tell(leg, {"event": "notify", "type": "amd_beep", "amd": beep})

    async def _v1_act(self, leg: Leg, reply: Svaml | None, schema: str) -> None:
        if reply is None:
            await self.hang_up(leg, "CALLBACKERROR")
            return
        self._check(schema, reply)
        for instruction in reply.get("instructions", []):
            if instruction["name"] == "say":
                leg.said.append(instruction["text"])
        match reply["action"]:
            case {"name": "hangup"}:
                await self.hang_up(leg, "MANAGERHANGUP")
            case {"name": "connectConf", "conferenceId": room}:
                leg.room = room
                self._tell(f"{self._title(leg)} is in conference {room}")
            case {"name": "connectStream"} as action:
                leg.room = f"direct {leg.call_id}"
                self._stream(leg, self._v1_stream_plan(action, leg.room))

    async def _v1_ended(self, leg: Leg) -> None:
        result = "ANSWERED" if leg.answered else {"TIMEOUT": "NOANSWER"}.get(leg.reason, "FAILED")
        body = {
            "event": "dice",
            "result": "BUSY" if leg.reason == "BUSY" else result,
            "reason": leg.reason,
            "duration": round(self._age(leg)),
            "debit": {"currencyId": "EUR", "amount": 0.0758},
        }
        await self._v1_tell(leg, body)

    async def _v1_tell(self, leg: Leg, body: Svaml) -> None:
        """Send a callback whose answer has nothing to decide."""
        reply = await self._post(leg, body)
        if reply is not None:
            self._check("v1_nothing", reply)

    async def _v1_get(self, request: web.Request) -> web.Response:
        leg = self._leg(request.match_info["id"])
        status = "FINAL" if leg.over.is_set() else "ONGOING"
        return web.json_response({"callId": leg.call_id, "status": status})

    async def _v1_patch(self, request: web.Request) -> web.Response:
        leg, body = self._leg(request.match_info["id"]), await request.json()
        self._check("v1_patch", body)
        if leg.over.is_set():
            return _v1_error(404, 40400, "the call is over")
        if body["action"]["name"] == "hangup":
            self._start(self.hang_up(leg, "MANAGERHANGUP" if leg.answered else "CANCEL"))
        return web.Response(status=204)

    async def _kick_all(self, request: web.Request) -> web.Response:
        legs = self.in_room(request.match_info["id"])
        if not legs:
            return _v1_error(404, 40400, "no such conference")
        for leg in legs:
            self._start(self.hang_up(leg, "MANAGERHANGUP"))
        return web.Response(status=204)

    async def _numbers(self, _request: web.Request) -> web.Response:
        signer = self._signers["v1"]
        key = signer.key_id if signer else ""
        return web.json_response(
            {"numbers": [{"number": "+15550100", "applicationkey": key, "capability": "voice"}]}
        )

    async def _v1_callbacks(self, request: web.Request) -> web.Response:
        if request.method == "POST":
            body = await request.json()
            self._check("v1_callback_url", body)
            self.configured["v1"] = body["url"]["primary"]
            return web.Response(status=204)
        return web.json_response({"url": {"primary": self.configured.get("v1", "")}})

    # Version 2

    async def _v2_create(self, request: web.Request) -> web.Response:
        body, key = await request.json(), request.headers.get("idempotency-key", "")
        self._check("v2_call", body)
        if key and key in self._keys:
            return web.json_response(self._keys[key], status=201)
        session = str(uuid.uuid4())
        origin = Leg("v2", "", "", session)
        await self._v2_run(origin, body["commands"])
        answer = {"projectId": request.match_info["project"], "serviceId": "", "sessionId": session}
        self._keys[key] = answer
        return web.json_response(answer, status=201)

    async def _v2_patch(self, request: web.Request) -> web.Response:
        body, found = await request.json(), request.match_info
        self._check("v2_patch", body)
        if "id" in found:
            leg = self._leg(found["id"])
        else:
            leg = self._named(found["session"], found["name"])
        if leg.over.is_set():
            raise _problem(404, "the call is over")
        key = request.headers.get("idempotency-key", "")
        if key not in self._keys:
            self._keys[key or str(uuid.uuid4())] = {}
            self._start(self._v2_run(leg, body["commands"]))
        return web.Response(status=202)

    async def _v2_reply(self, leg: Leg, reply: Svaml | None) -> None:
        if reply is None:
            await self.hang_up(leg, "ERROR")
            return
        self._check("v2_reply", reply)
        await self._v2_run(leg, reply["commands"])

    async def _v2_run(self, leg: Leg, commands: Sequence[Svaml]) -> None:
        for command in commands:
            await self._v2_do(leg, command)

    async def _v2_do(self, leg: Leg, command: Svaml) -> None:
        match command:
            case {"command": "answer"}:
                leg.answered = True
            case {"command": "bridgeCall", "bridgeName": bridge}:
                leg.room = f"{leg.session} {bridge}"
                self._tell(f"{self._title(leg)} is in bridge {bridge}")
            case {"command": "hangup"}:
                name = command.get("callName")
                if found := self._find(leg.session, name) if name else leg:
                    await self.hang_up(found, "MANAGER_HANGUP")
            case {"command": "dial"}:
                self._v2_dial(leg, command)
            case {"command": "amd"}:
                self._start(self._v2_amd(leg))
            case _:
                await self._v2_tell(leg, command)

    async def _v2_tell(self, leg: Leg, command: Svaml) -> None:
        match command:
            case {"command": "messages", "messages": messages}:
                leg.said += [message["say"]["text"] for message in messages]
                await self._v2_run(leg, command.get("events", {}).get("onFinish", []))
            case {"command": "webhook", "webhookName": name}:
                await self._v2_reply(leg, await self._post(leg, {"event": f"call.webhook.{name}"}))
            case _:
                raise _problem(400, f"no command {command.get('command')} here")

    def _v2_dial(self, origin: Leg, dial: Svaml) -> None:
        leg = Leg("v2", "", dial.get("callName", ""), origin.session)
        self.legs.append(leg)
        events = dial.get("events")
        leg.on_hangup = events.get("onHangup", []) if events is not None else None
        match dial["to"]:
            case {"type": "STREAM", "stream": stream}:
                leg.is_stream = True
                options = stream["streamOptions"]
                headers = {h["key"]: h["value"] for h in stream.get("callHeaders", [])}
                phone = self.phones.get(origin.number, Phone())
                plan = replace(phone.plan, rate=options["sampleRate"], headers=headers, shape="v2")
                leg.room = origin.room
                self._stream(leg, (stream["endpoint"], plan))
            case {"type": "SIP", "sip": {"endpoint": number}}:
                leg.number = number
                self._start(self._ring(leg, self._v2_answered))
            case {"type": "PHONE", "phone": {"number": number}}:
                leg.number = number
                self._start(self._ring(leg, self._v2_answered))

    async def _v2_answered(self, leg: Leg, *_rest: object) -> None:
        await self._v2_reply(leg, await self._post(leg, {"event": "call.answered"}))

    async def _v2_amd(self, leg: Leg) -> None:
        phone = self.phones[leg.number]
        found = [phone.who] + ["beep"] * (phone.who == "machine" and phone.beeps)
        for what in found:
            if not leg.over.is_set():
                await self._v2_reply(leg, await self._post(leg, {"event": f"call.amd.{what}"}))

    async def _v2_ended(self, leg: Leg) -> None:
        if leg.on_hangup is not None:
            await self._v2_run(leg, leg.on_hangup)
            return
        event = "call.hangup"
        if not leg.answered:
            event = {"BUSY": "call.busy", "TIMEOUT": "call.timeout"}.get(leg.reason, "call.hangup")
        reply = await self._post(leg, {"event": event})
        if reply is not None:
            self._check("v2_reply", reply)
            await self._v2_run(leg, reply["commands"])

    async def _service(self, request: web.Request) -> web.Response:
        if request.method == "PATCH":
            self.configured["v2"] = (await request.json())["callBehavior"]["webhook"]["url"]
        behavior = {"type": "WEBHOOK", "webhook": {"url": self.configured.get("v2", "")}}
        service = request.match_info["service"]
        return web.json_response(
            {"serviceId": service, "name": "stand-in", "callBehavior": behavior}
        )

    # Legs

    async def _ring(
        self, leg: Leg, answered: Callable[..., Awaitable[None]], *arguments: object
    ) -> None:
        phone = self.phones.get(leg.number, Phone(answers="no"))
        with suppress(TimeoutError):
            async with asyncio.timeout(phone.after):
                await leg.over.wait()
                return
        if phone.answers != "yes":
            await self.hang_up(leg, {"busy": "BUSY", "no": "TIMEOUT"}[phone.answers])
            return
        leg.answered = True
        self._tell(f"{self._title(leg)} answers")
        await answered(leg, *arguments)

    def _stream(self, leg: Leg, how: tuple[str, Plan]) -> None:
        leg.stream = self._start(self._hold_stream(leg, *how))

    async def _hold_stream(self, leg: Leg, endpoint: str, plan: Plan) -> None:
        leg.answered = True
        await asyncio.sleep(self._connects_after)
        try:
            leg.held = await place_call(
                endpoint, plan, lambda at, line: self._tell(f"{at:7.2f}  {line}"), leg.call_id
            )
            reason = "CALLEEHANGUP" if leg.held.report.ended_by == "agent" else "CALLERHANGUP"
        except CallFailedError as error:
            leg.refused = str(error)
            self._tell(f"stream: {error}")
            reason = "CANCEL"
        if leg.is_stream and reason == "CALLERHANGUP":
            # The plan is the phone's: when it has come to its end, they have hung up.
            for phone in [x for x in self.in_room(leg.room) if not x.is_stream]:
                await self.hang_up(phone)
        await self.hang_up(leg, reason)

    # HTTP

    async def _post(self, leg: Leg, body: Svaml, **fields: object) -> Svaml | None:
        """Send a callback; return the answer, None if it was refused or came too late."""
        if leg.version == "v1":
            body = body | {
                "callid": leg.call_id,
                "version": 1,
                "timestamp": _now(),
                "applicationKey": "stand-in",
            }
            body |= {"custom": leg.name} if leg.name else {}
        else:
            body = body | {"call": self._v2_call(leg, **fields)}
        signer = self._signers[leg.version]
        if signer is None or self._session is None:
            raise RuntimeError(f"no credentials for {leg.version}")
        data = json.dumps(body).encode()
        headers = signer.headers(
            method="POST",
            path=urlsplit(self.callback_url).path,
            body=data,
            now=datetime.now(UTC),
        )
        if leg.version == "v2":
            headers |= {"ce-id": str(uuid.uuid4()), "ce-source": "stand-in"}
        event = body["event"]
        try:
            async with self._session.post(
                self.callback_url, data=data, headers=headers
            ) as response:
                self.callbacks.append((event, response.status))
                self._tell(f"callback {event}: {response.status}")
                if response.status != 200:
                    return None
                reply = await response.json()
        except (aiohttp.ClientError, TimeoutError, ValueError) as error:
            self.callbacks.append((event, 0))
            self._tell(f"callback {event}: {type(error).__name__}")
            return None
        return reply if isinstance(reply, dict) else None

    def _v2_call(self, leg: Leg, called: object = "", **fields: object) -> Svaml:
        call: Svaml = {
            "callId": leg.call_id,
            "projectId": "stand-in",
            "serviceId": "stand-in",
            "sessionId": leg.session,
            "callName": leg.name,
            "from": {"type": "PHONE", "phone": {"number": leg.number}},
            "to": {"type": "PHONE", "phone": {"number": called}},
            "startTime": _now(),
            "callRate": {"currencyCode": "EUR", "amount": "0.0060"},
            "callResult": "IN_PROGRESS",
        }
        if leg.over.is_set():
            not_answered = {"BUSY": "BUSY", "TIMEOUT": "NO_ANSWER"}.get(leg.reason, "CANCEL")
            call["callResult"] = "COMPLETED" if leg.answered else not_answered
            call["callReason"] = "CALLER_HANGUP" if leg.answered else "NOT_AVAILABLE"
            call["callDurationSeconds"] = round(self._age(leg))
        return call | fields

    @web.middleware
    async def _gate(
        self, request: web.Request, handler: Callable[[web.Request], Awaitable[web.StreamResponse]]
    ) -> web.StreamResponse:
        """Ask for credentials, and fail when told to."""
        self.requests.append((request.method, request.path))
        if self.failures and self.failures[0][0] == request.method:
            _, status, body, headers = self.failures.popleft()
            return web.json_response(body, status=status, headers=headers)
        scheme = request.headers.get("authorization", "").partition(" ")[0].lower()
        if "/callbacks/applications/" in request.path and scheme != "application":
            return _v1_error(401, 40100, "this request has to be signed")
        if scheme not in ("basic", "application"):
            return _v1_error(401, 40100, "no Authorization header")
        return await handler(request)

    def _leg(self, call_id: str) -> Leg:
        for leg in self.legs:
            if leg.call_id == call_id:
                return leg
        raise _problem(404, "no such call")

    def _find(self, session: str, name: str) -> Leg | None:
        found = [leg for leg in self.legs if leg.session == session and leg.name == name]
        return next((leg for leg in found if not leg.over.is_set()), None)

    def _named(self, session: str, name: str) -> Leg:
        if leg := self._find(session, name):
            return leg
        raise _problem(404, "no such call")

    def _start(self, work: Coroutine[Any, Any, None]) -> asyncio.Task[None]:
        task = asyncio.create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._finished)
        return task

    def _finished(self, task: asyncio.Task[None]) -> None:
        self._tasks.discard(task)
        if not task.cancelled() and (fault := task.exception()) is not None:
            self.faults.append(fault)
            self._tell(f"fault: {fault}")

    @staticmethod
    def _age(leg: Leg) -> float:
        return asyncio.get_running_loop().time() - leg.began

    @staticmethod
    def _title(leg: Leg) -> str:
        return "the stream" if leg.is_stream else f"the phone {leg.number}"


def _now() -> str:
    return datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%S.%f") + "0Z"


def _v1_error(status: int, code: int, message: str) -> web.Response:
    body = {"errorCode": code, "message": message, "reference": "stand-in"}
    return web.json_response(body, status=status)


def _problem(status: int, detail: str) -> web.HTTPException:
    kinds = {400: web.HTTPBadRequest, 404: web.HTTPNotFound}
    text = json.dumps({"status": status, "detail": detail})
    return kinds[status](text=text, content_type="application/problem+json")
