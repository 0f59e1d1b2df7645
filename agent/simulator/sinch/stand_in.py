"""A stand-in for Sinch's Voice API, both versions: REST in, signed callbacks out, legs in between.

It does what the documents say the platform does, as far as a phone agent meets it: it takes
callouts and calls, asks the callback address what to do, follows the SVAML that comes back, and
places the stream call through :mod:`agent.simulator.stream_caller`. It is strict: a command that
the documents do not have is refused as the platform would.

Four objects take part, none of which knows this one: legs and phones (``phone_network``), what
posts callbacks (``callbacks``), and the two versions of the API (``v1``, ``v2``),
which have the first two do things.
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping, Sequence
from contextlib import asynccontextmanager, suppress
from dataclasses import replace
from fnmatch import fnmatch
from typing import Any

from aiohttp import web

from agent.simulator.party.conference import LineActivity, LineTurn
from agent.simulator.plan import Plan
from agent.simulator.sinch.callbacks import CallbackPoster, Check
from agent.simulator.sinch.phone_network import Phone, PhoneLeg, PhoneNetwork, Voice
from agent.simulator.sinch.rest import CommandRefusedError, RestAnswer, RestRequest, v1_error
from agent.simulator.sinch.v1 import SinchV1
from agent.simulator.sinch.v2 import SinchV2
from agent.sinch.api.signing import Credentials
from agent.sinch.callbacks import Version


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
        rate: Hertz of conferences, where phones have scripts: what streams are asked for at.
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
        rate: int = 8000,
    ) -> None:
        check = check or (lambda _name, _body: None)
        self._network = PhoneNetwork(phones or {}, connects_after, tell, rate)
        self._callbacks = CallbackPoster(callback_url, tell)
        self._v1 = SinchV1(self._network, self._callbacks, v1, check)
        self._v2 = SinchV2(self._network, self._callbacks, v2, check)
        self.failures: deque[tuple[str, int, dict[str, Any], dict[str, str]]] = deque()
        """What the next requests are answered with instead: method, status, body, headers."""

        self.refused: dict[tuple[str, str], int] = {}
        """Statuses of what is refused for as long as it stands here: by a method, and what the path
        is like, as files are named in a shell."""

        self.requests: list[tuple[str, str]] = []
        """Every request that came: method and path."""

    @asynccontextmanager
    async def running(self, host: str = "127.0.0.1", port: int = 0) -> AsyncIterator[str]:
        """Serve the REST API; yield its address. In the end every leg is cut off."""
        app = web.Application(middlewares=[self._gate])
        for method, path, answer in (*self._v1.routes(), *self._v2.routes()):
            app.router.add_route(method, path, _handler(answer))
        runner = web.AppRunner(app, access_log=None)
        await runner.setup()
        try:
            async with self._callbacks.running():
                try:
                    await web.TCPSite(runner, host, port).start()
                    yield "http://{}:{}".format(*runner.addresses[0][:2])
                finally:
                    await self._network.aclose()
        finally:
            await runner.cleanup()

    # What tests and people start, and what they may see

    async def call_in(
        self, caller: str, called: str, plan: Plan, version: Version = "v1", **fields: object
    ) -> PhoneLeg:
        """Have somebody call; return their leg once the platform knows what to do with it.

        Args:
            caller: Their number.
            called: Ours.
            plan: What they say.
            version: Whose callbacks are sent.
            fields: More for the callback.
        """
        phones = self._network.phones
        phones[caller] = replace(phones.get(caller, Phone()), plan=plan)
        api = self._v1 if version == "v1" else self._v2
        return await api.call_in(caller, called, **fields)

    async def hang_up(self, leg: PhoneLeg, reason: str = "CALLERHANGUP") -> None:
        """Have the phone of a leg hung up; return once the callback was answered."""
        await self._network.hang_up(leg, reason)

    def speak_with(self, voice: Voice) -> None:
        """Have the platform's own voice heard, where phones have scripts; else it has no sound."""
        self._network.voice = voice

    def talk_on(self, seconds: float) -> None:
        """Have two whom the agent leaves with each other hang up after some seconds.

        Otherwise they stay until somebody hangs up on them. Where phones have scripts, they go by
        those.
        """
        self._network.talk_on = seconds

    def press(self, leg: PhoneLeg, keys: str) -> None:
        """Have whoever listens to a menu on a leg answer it by keys, or in words."""
        leg.presses.put_nowait(keys)

    async def settle(self) -> None:
        """Return when all callbacks are answered and all legs have done what they were told."""
        await self._network.settle()

    async def over(self, within: float) -> None:
        """Return when every leg is over and that was told; at the latest after some seconds.

        Whoever is left with nobody is hung up by the service, a moment after the other has gone.
        """
        with suppress(TimeoutError):
            async with asyncio.timeout(within):
                for leg in self.legs:
                    await leg.over.wait()
        await self.settle()

    def in_room(self, room: str) -> list[PhoneLeg]:
        """Return the legs that talk in a conference or bridge."""
        return self._network.in_room(room)

    def begin_again(self, phones: Mapping[str, Phone]) -> None:
        """Take other phones for those that there were, and forget all legs and what was said."""
        self._network.begin_again(phones)

    @property
    def turns(self) -> Mapping[str, LineTurn]:
        """What phones with a script have said, by the keys of their turns."""
        return self._network.bridge.turns

    @property
    def activities(self) -> Mapping[str, LineActivity]:
        """Who spoke in conferences and bridges that are or were mixed, by their rooms."""
        return self._network.bridge.activities

    @property
    def legs(self) -> Sequence[PhoneLeg]:
        """All legs, over or not, in the order in which they began."""
        return self._network.legs

    @property
    def faults(self) -> Sequence[BaseException]:
        """What went wrong in what legs did: an answer that does not follow its schema, say."""
        return self._network.faults

    @property
    def callbacks(self) -> Sequence[tuple[str, int]]:
        """Every event that was posted, with the status of the answer; 0 if there was none."""
        return self._callbacks.posted

    def lose_answer(self, event: str) -> None:
        """Lose the answer to the next callback of an event, as a connection that breaks does."""
        self._callbacks.lost.append(event)

    @property
    def configured(self) -> dict[Version, str]:
        """What was set as callback address, by version."""
        urls: dict[Version, str | None] = {
            "v1": self._v1.callback_url,
            "v2": self._v2.callback_url,
        }
        return {version: url for version, url in urls.items() if url is not None}

    @web.middleware
    async def _gate(
        self, request: web.Request, handler: Callable[[web.Request], Awaitable[web.StreamResponse]]
    ) -> web.StreamResponse:
        """Ask for credentials, and fail when told to."""
        self.requests.append((request.method, request.path))
        if self.failures and self.failures[0][0] == request.method:
            _, status, body, headers = self.failures.popleft()
            return web.json_response(body, status=status, headers=headers)
        for (method, path), status in self.refused.items():
            if method == request.method and fnmatch(request.path, path):
                return _response(v1_error(status, status * 100, "not to be done"))
        scheme = request.headers.get("authorization", "").partition(" ")[0].lower()
        if "/callbacks/applications/" in request.path and scheme != "application":
            return _response(v1_error(401, 40100, "this request has to be signed"))
        if scheme not in ("basic", "application"):
            return _response(v1_error(401, 40100, "no Authorization header"))
        return await handler(request)


def _handler(
    answer: Callable[[RestRequest], Awaitable[RestAnswer]],
) -> Callable[[web.Request], Awaitable[web.StreamResponse]]:
    async def handle(http: web.Request) -> web.StreamResponse:
        request = RestRequest(
            found=http.match_info,
            body=await http.json() if http.method in ("POST", "PATCH") else None,
            idempotency_key=http.headers.get("idempotency-key", ""),
        )
        try:
            return _response(await answer(request))
        except CommandRefusedError as error:
            return _response(error.answer)

    return handle


def _response(answer: RestAnswer) -> web.Response:
    if answer.body is None:
        return web.Response(status=answer.status)
    return web.json_response(answer.body, status=answer.status, content_type=answer.content_type)
