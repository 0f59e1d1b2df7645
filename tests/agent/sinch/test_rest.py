"""The REST client against a server of ours: what it sends, repeats, and makes of errors."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime, parsedate_to_datetime
from typing import Any

import pytest
from aiohttp import web

from agent.sinch.api import v1 as version_1
from agent.sinch.api import v2 as version_2
from agent.sinch.api.rest import BACKOFF, Basic, Rest, SinchError
from agent.sinch.api.signing import Verifier
from agent.sinch.api.v1_requests import VoiceV1
from agent.sinch.api.v2_requests import VoiceV2
from tests.agent.loopback import until
from tests.agent.sinch.credentials import V1

pytestmark = pytest.mark.usefixtures("nothing_left")
Answer = tuple[int, Any, dict[str, str]]


class Server:
    """Answers with what it was given, in turn; the last again and again."""

    def __init__(self, *answers: Answer) -> None:
        self.answers = list(answers)
        self.requests: list[tuple[str, str, dict[str, str], bytes]] = []
        self.url = ""

    async def handle(self, request: web.Request) -> web.Response:
        body = await request.read()
        headers = {name.lower(): value for name, value in request.headers.items()}
        self.requests.append((request.method, request.raw_path, headers, body))
        answer = self.answers.pop(0) if len(self.answers) > 1 else self.answers[0]
        status, given, extra = answer
        data = given if isinstance(given, bytes) else json.dumps(given).encode()
        return web.Response(status=status, body=data, headers=extra)


def ask(server: Server, story: Callable[[VoiceV1, VoiceV2], Awaitable[None]]) -> None:
    async def main() -> None:
        app = web.Application()
        app.router.add_route("*", "/{path:.*}", server.handle)
        runner = web.AppRunner(app, shutdown_timeout=0.1)
        await runner.setup()
        await web.TCPSite(runner, "127.0.0.1", 0).start()
        server.url = f"http://127.0.0.1:{runner.addresses[0][1]}"
        v1 = VoiceV1(V1, url=server.url)
        v2 = VoiceV2(Basic(name="key", password="pass"), "project", "service", url=server.url)
        try:
            async with asyncio.timeout(30):
                await story(v1, v2)
        finally:
            await v1.aclose()
            await v2.aclose()
            await runner.cleanup()
            await asyncio.sleep(0.05)

    asyncio.run(main())


def test_version_1_is_asked_by_name_and_secret() -> None:
    """At the paths of its documents, with ids that cannot lead out of them."""
    server = Server((200, {"callId": "x/1"}, {}))

    async def story(v1: VoiceV1, _v2: VoiceV2) -> None:
        assert await v1.callout({"method": "customCallout", "customCallout": {}}) == "x/1"
        await v1.update_call("x/1", version_1.hang_up())
        await v1.get_call("x/1")
        await v1.kick_all("c?1")
        await v1.get_numbers()

    ask(server, story)
    asked = [(method, path) for method, path, _, _ in server.requests]
    assert asked == [
        ("POST", "/calling/v1/callouts"),
        ("PATCH", "/calling/v1/calls/id/x%2F1"),
        ("GET", "/calling/v1/calls/id/x%2F1"),
        ("DELETE", "/calling/v1/conferences/id/c%3F1"),
        ("GET", "/v1/configuration/numbers"),
    ]
    assert {h["authorization"].split()[0] for _, _, h, _ in server.requests} == {"Basic"}


def test_the_callback_address_is_set_by_a_signed_request() -> None:
    """As that endpoint wants it; the signature is one that we would take ourselves."""
    server = Server((200, {"url": {"primary": "https://a/b"}}, {}))

    async def story(v1: VoiceV1, _v2: VoiceV2) -> None:
        await v1.update_callbacks("https://a/b")
        assert await v1.get_callbacks() == {"primary": "https://a/b"}

    ask(server, story)
    for method, path, headers, body in server.requests:
        assert Verifier([V1]).verify(
            method=method, paths=[path], headers=headers, body=body, now=datetime.now(UTC)
        )


def test_version_2_is_asked_for_its_project_and_service() -> None:
    """Each request that does something carries an idempotency key."""
    server = Server((201, {"sessionId": "s"}, {}))

    async def story(_v1: VoiceV1, v2: VoiceV2) -> None:
        assert await v2.create_call(version_2.hang_up(), "k" * 16) == "s"
        await v2.update_call("c", version_2.hang_up(), "l" * 16)
        await v2.update_session_call("s", "caller", version_2.hang_up(), "m" * 16)
        await v2.get_call("c")
        await v2.get_service()
        await v2.update_service("https://a/b")

    ask(server, story)
    assert [(m, p, h.get("idempotency-key", "")[:1]) for m, p, h, _ in server.requests] == [
        ("POST", "/v2/projects/project/calls?serviceId=service", "k"),
        ("PATCH", "/v2/projects/project/calls/c", "l"),
        ("PATCH", "/v2/projects/project/sessions/s/calls/caller", "m"),
        ("GET", "/v2/projects/project/calls/c", ""),
        ("GET", "/v2/projects/project/services/service", ""),
        ("PATCH", "/v2/projects/project/services/service", ""),
    ]


def test_servers_are_where_the_documents_say() -> None:
    """By version and region."""
    basic = Basic(name="a", password="b")
    assert VoiceV1(V1)._url == "https://calling.api.sinch.com"
    assert VoiceV1(V1, "euc1")._url == "https://calling-euc1.api.sinch.com"
    assert VoiceV1(V1)._configuration == "https://callingapi.sinch.com"
    v2 = VoiceV2(basic, "p", "s")
    assert v2._url == "https://voice.api.sinch.com/v2/projects/p"
    assert VoiceV2(basic, "p", "s", "us1")._url.startswith("https://us1.voice.api.sinch.com/")


@pytest.mark.parametrize(
    ("status", "body", "said"),
    [
        (
            402,
            {"errorCode": 40200, "message": "Not enough\ncredit", "reference": "r1"},
            "Sinch refused: Not enough credit (HTTP 402, code 40200, id r1)",
        ),
        (
            400,
            {"type": "x", "title": "Bad Request", "detail": "commands: too few", "traceId": "t"},
            "Sinch refused: commands: too few (HTTP 400, id t)",
        ),
        (404, {"error": {"code": 5, "message": "gone"}}, "Sinch refused: gone (HTTP 404, code 5)"),
        (403, b"<html>", "Sinch refused: no reason given (HTTP 403)"),
        (401, ["odd"], "Sinch refused: no reason given (HTTP 401)"),
    ],
)
def test_a_refusal_is_one_line(status: int, body: Any, said: str) -> None:
    """In the words of either version, or none; and nothing is sent again."""
    server = Server((status, body, {}))

    async def story(v1: VoiceV1, v2: VoiceV2) -> None:
        for work in (v1.callout({}), v2.get_call("c")):
            with pytest.raises(SinchError) as caught:
                await work
            assert str(caught.value) == said
            assert caught.value.status == status

    ask(server, story)
    assert len(server.requests) == 2


def test_what_was_turned_away_is_sent_again_when_the_server_says() -> None:
    """429 did nothing: even a callout may go again, after `Retry-After`."""
    server = Server((429, {}, {"retry-after": "1"}), (200, {"callId": "c"}, {}))

    async def story(v1: VoiceV1, _v2: VoiceV2) -> None:
        loop = asyncio.get_running_loop()
        began = loop.time()
        assert await v1.callout({}) == "c"
        assert 1 <= loop.time() - began < 3

    ask(server, story)


def test_a_date_to_wait_for_is_honoured_as_seconds_are() -> None:
    """`Retry-After` has two forms; what is in neither is as if it were not there."""
    soon = format_datetime(datetime.now(UTC) + timedelta(seconds=3), usegmt=True)
    server = Server((429, {}, {"retry-after": soon}), (200, {"callId": "c"}, {}))
    odd = Server((429, {}, {"retry-after": "in a while"}), (200, {"callId": "c"}, {}))

    async def waits(v1: VoiceV1, _v2: VoiceV2) -> None:
        await v1.callout({})
        assert datetime.now(UTC) >= parsedate_to_datetime(soon)

    async def goes_on(v1: VoiceV1, _v2: VoiceV2) -> None:
        began = asyncio.get_running_loop().time()
        await v1.callout({})
        assert asyncio.get_running_loop().time() - began >= BACKOFF

    ask(server, waits)
    ask(odd, goes_on)


@pytest.mark.parametrize("header", ["60", "Fri, 01 Jan 2100 00:00:00 GMT"])
def test_who_would_have_to_wait_too_long_is_told_at_once(header: str) -> None:
    """The server's reason and how long it would take, rather than that time has run out."""
    server = Server((429, {"message": "Capacity exceeded"}, {"retry-after": header}))

    async def story(v1: VoiceV1, _v2: VoiceV2) -> None:
        async with asyncio.timeout(5):
            with pytest.raises(SinchError, match=r"Capacity exceeded \(HTTP 429, wait \d+ s\)"):
                await v1.callout({})

    ask(server, story)
    assert len(server.requests) == 1


class Slow(Server):
    """Takes its time before it answers, or between two halves of the answer."""

    def __init__(self, *, before: float = 0.0, between: float = 0.0) -> None:
        super().__init__((200, {}, {}))
        self._before, self._between = before, between

    async def handle(self, request: web.Request) -> web.StreamResponse:  # type: ignore[override]
        self.requests.append((request.method, request.raw_path, {}, b""))
        await asyncio.sleep(self._before)
        response = web.StreamResponse()
        await response.prepare(request)
        for half in (b'{"callId":', b'"c"}'):
            await response.write(half)
            await asyncio.sleep(self._between)
        return response


def test_an_answer_may_come_in_pieces() -> None:
    """As a long list of numbers does."""

    async def story(v1: VoiceV1, _v2: VoiceV2) -> None:
        assert await v1.callout({}) == "c"

    ask(Slow(between=0.1), story)


@pytest.mark.parametrize("where", ["before", "between"])
def test_a_server_that_hangs_is_left_in_time(where: str) -> None:
    """A callout is asked for once; what may be repeated is, until time has run out."""
    server = Slow(**{where: 60.0})

    async def story(_v1: VoiceV1, _v2: VoiceV2) -> None:
        rest = Rest(Basic(name="a", password="b"), timeout=1.2, attempt_timeout=0.5)
        try:
            with pytest.raises(SinchError, match=r"did not answer within 0\.5 s"):
                await rest.request("POST", f"{server.url}/x", {})
            assert len(server.requests) == 1
            with pytest.raises(SinchError, match=r"did not answer within (0\.5|1\.2) s"):
                await rest.request("GET", f"{server.url}/x")
            assert len(server.requests) >= 2
        finally:
            await rest.aclose()

    ask(server, story)


def test_a_callout_is_never_made_twice() -> None:
    """A server that fails may have placed it; reading and ending are repeated."""
    server = Server((503, {"message": "busy"}, {}))

    async def story(v1: VoiceV1, v2: VoiceV2) -> None:
        with pytest.raises(SinchError, match="busy"):
            await v1.callout({})
        assert len(server.requests) == 1
        with pytest.raises(SinchError, match="busy"):
            await v1.update_call("c", version_1.hang_up())
        assert len(server.requests) == 4
        with pytest.raises(SinchError, match="busy"):
            await v2.create_call(version_2.hang_up(), "k" * 16)
        assert len(server.requests) == 7

    ask(server, story)


def test_an_answer_that_is_none_is_an_error() -> None:
    """No JSON, or without what was asked for."""
    server = Server((200, b"<html>", {}), (200, {}, {}))

    async def story(v1: VoiceV1, v2: VoiceV2) -> None:
        with pytest.raises(SinchError, match="not JSON"):
            await v1.get_call("c")
        with pytest.raises(SinchError, match="no call id"):
            await v1.callout({})
        with pytest.raises(SinchError, match="no session id"):
            await v2.create_call({}, "k" * 16)

    ask(server, story)


def test_nobody_there_is_an_error_in_time() -> None:
    """The connection is refused: tried three times, then told."""

    async def main() -> None:
        v1 = VoiceV1(V1, url="http://127.0.0.1:9")
        try:
            with pytest.raises(SinchError, match="cannot be reached"):
                await v1.callout({})
        finally:
            await v1.aclose()

    asyncio.run(main())


def test_secrets_are_in_no_repr() -> None:
    """A traceback or a log line may show one."""
    assert V1.secret not in repr(V1)
    assert "pass" not in repr(Basic(name="key", password="pass"))


class Stuck(Server):
    """Lets whoever dials wait, and answers whoever hangs up."""

    def __init__(self) -> None:
        super().__init__((204, b"", {}))
        self.let_go = asyncio.Event()

    async def handle(self, request: web.Request) -> web.Response:
        if request.method == "POST":
            self.requests.append((request.method, "", {}, b""))
            await self.let_go.wait()
        return await super().handle(request)


def test_a_hang_up_does_not_wait_for_those_who_dial() -> None:
    """However many requests to dial are on their way: it has connections of its own."""
    server = Stuck()

    async def story(v1: VoiceV1, _v2: VoiceV2) -> None:
        calls = [asyncio.create_task(v1.callout({})) for _ in range(120)]
        await until(lambda: len(server.requests) >= 100)  # as many connections as these have
        await v1.update_call("c", {}, urgent=True)
        await v1.kick_all("conference")
        assert [method for method, *_ in server.requests if method != "POST"] == ["PATCH", "DELETE"]
        for call in calls:
            call.cancel()
        server.let_go.set()
        await asyncio.gather(*calls, return_exceptions=True)

    ask(server, story)


def test_a_hang_up_that_was_turned_away_is_asked_for_again_soon() -> None:
    """Whatever the server says of waiting, which it means for those who dial."""
    busy = (429, {"message": "Velocity constraint"}, {"retry-after": "60"})
    server = Server(busy, busy, busy, busy, (204, b"", {}))

    async def story(v1: VoiceV1, _v2: VoiceV2) -> None:
        await v1.update_call("c", {}, urgent=True)

    ask(server, story)
    assert len(server.requests) == 5
