"""Who gets a websocket, who waits for how long, and who is told so in HTTP."""

from __future__ import annotations

import asyncio
import time
from contextlib import AsyncExitStack, suppress
from pathlib import Path
from typing import Any

import aiohttp
import pytest
from structlog.testing import capture_logs

from agent.server.connections import BESIDES_CALLS, HttpConnections, _State
from agent.settings.server import ServerSettings
from agent.simulator.plan import Plan
from agent.simulator.sinch.phone_network import Phone
from agent.sinch.tokens import Claims, StreamTokens
from agent.store.errors import StoreError
from tests.agent.loopback import Running, command, declined, dialled, until
from tests.agent.raw_socket import TEXT, RawSocket, connected, frame, upgrade
from tests.agent.server.test_app import CONNECT, converse, serve
from tests.agent.sinch.stories import TOKEN as OPERATOR_TOKEN
from tests.agent.sinch.stories import Story, tell
from tests.agent.sinch.test_callbacks import ICE, Poster, find

pytestmark = pytest.mark.usefixtures("nothing_left")

TOKEN = "a-long-random-text"


# Those who say nothing


@pytest.mark.parametrize("count", [82, 300])
def test_silent_sockets_keep_nobody_out(tmp_path: Path, count: int) -> None:
    """However many there are, of the caller's own address: the one that waited longest goes."""

    async def story(server: Running) -> None:
        async with AsyncExitStack() as stack:
            for _ in range(count):
                raw = await stack.enter_async_context(connected(server.url, upgrade(server.url)))
                assert "101" in await raw.head()
            assert (await converse(server.url, Plan())).failure() == ""

    serve(tmp_path, story, server={"max_calls": 1})


def test_those_with_a_token_need_no_place_of_those(tmp_path: Path) -> None:
    """A caller with a token is not sent away for others who come, however long they take."""

    async def story(server: Running) -> None:
        async with dialled(f"{server.url}?token={TOKEN}") as honest, AsyncExitStack() as stack:
            for _ in range(20):
                await stack.enter_async_context(dialled(server.url))
            await honest.send_json(CONNECT)
            assert await command(honest) == "answer"

    serve(tmp_path, story, server={"max_calls": 2, "max_waiting": 4, "token": TOKEN})


def test_many_sockets_of_one_address_share_what_they_may_send(tmp_path: Path) -> None:
    """Below the limit of each, they are above that of their address; a call goes on beside it."""

    async def story(server: Running) -> None:
        call = asyncio.create_task(converse(server.url, Plan()))
        await until(lambda: server.registry.in_progress)
        async with AsyncExitStack() as stack:
            raws = [
                await stack.enter_async_context(connected(server.url, upgrade(server.url)))
                for _ in range(20)
            ]
            for raw in raws:
                assert "101" in await raw.head()
                await raw.send(frame(TEXT, b"{}") * 200)
            async with dialled(server.url) as honest:
                await honest.send_json(CONNECT)
                assert await command(honest) == "answer"
        assert (await call).failure() == ""

    with capture_logs() as logs:
        serve(tmp_path, story, server={"connect_timeout": 3})
    reasons = [entry.get("reason") for entry in logs]
    assert "too many messages from one address" in reasons


# Tokens, before there is a websocket


def routed(folder: Path, told: Any, **given: Any) -> None:
    """Run a story on a service with an account, given the address of a stream."""

    async def story(s: Story) -> None:
        _, answer = await Poster(s).post(ICE)
        await told(s, find(answer))

    tell(folder, "v1", story, **given)


def test_one_of_many_who_bring_a_token_gets_the_stream(tmp_path: Path) -> None:
    """At the same moment, too: one websocket, and 401 for the others."""

    async def story(_s: Story, endpoint: str) -> None:
        async with AsyncExitStack() as stack:
            raws = [
                await stack.enter_async_context(connected(endpoint, upgrade(endpoint)))
                for _ in range(8)
            ]
            heads = [(await raw.head()).split()[1] for raw in raws]
            assert sorted(heads) == ["101"] + ["401"] * 7

    routed(tmp_path, story)


@pytest.mark.parametrize(
    "wrong",
    [
        {"Sec-WebSocket-Key": "short"},
        {"Sec-WebSocket-Version": "1"},
        {"Upgrade": "h2c"},
        {"Upgrade": "", "Connection": ""},
    ],
    ids=str,
)
def test_what_is_no_websocket_uses_no_token_up(tmp_path: Path, wrong: dict[str, str]) -> None:
    """It is told so; the platform's own request is served afterwards."""

    async def story(_s: Story, endpoint: str) -> None:
        async with connected(endpoint, upgrade(endpoint, **wrong)) as raw:
            assert "400" in await raw.head()
        async with dialled(endpoint) as socket:
            await socket.send_json(CONNECT)
            assert await command(socket) == "answer"

    routed(tmp_path, story)


def test_whoever_leaves_while_a_token_is_looked_at_may_come_again(tmp_path: Path) -> None:
    """Their websocket never was: the token is good for another, and for no more than that."""

    async def story(s: Story, endpoint: str) -> None:
        for _ in range(5):
            async with connected(endpoint, upgrade(endpoint)) as raw:
                raw.reset()
            await asyncio.sleep(0.3)
            if await declined(endpoint + "x") != 401:
                raise AssertionError
        async with AsyncExitStack() as stack:
            statuses = []
            for _ in range(2):
                raw = await stack.enter_async_context(connected(endpoint, upgrade(endpoint)))
                statuses.append((await raw.head()).split()[1])
        assert statuses in (["101", "401"], ["401", "401"])  # the first reset may have come late
        assert not s.server.registry.in_progress

    routed(tmp_path, story)


class AwayStore:
    """Claims whose database is away."""

    async def claim(self, _name: str) -> None:
        raise StoreError("away")


def test_a_wrong_token_gets_no_websocket(tmp_path: Path) -> None:
    """Forged, late, cut, of another service: 401, and nothing of it in the log."""

    async def story(s: Story, endpoint: str) -> None:
        base = s.server.url
        token = endpoint.rpartition("/")[2]
        late = StreamTokens(b"", AwayStore()).mint(  # type: ignore[arg-type]
            Claims(call="c", agent="reception", rate=8000, expires=int(time.time()) - 1)
        )
        with capture_logs() as logs:
            for wrong in (token[:-1], token + "x", token.upper(), late, "x", "." * 2000):
                assert await declined(f"{base}/{wrong}") == 401, wrong
                assert await declined(f"{base}?token={wrong}") == 401, wrong
        assert token[:-1] not in str(logs)

    routed(tmp_path, story)


def test_without_a_token_one_may_come_with_connect(tmp_path: Path) -> None:
    """Where there are tokens at all; elsewhere nobody gets a websocket who has none."""

    async def waits(server: Running) -> None:
        async with dialled(server.url) as socket:
            await socket.send_json(CONNECT | {"callHeaders": {"token": TOKEN}})
            assert await command(socket) == "answer"

    async def nobody(server: Running) -> None:
        assert await declined(server.url) == 403
        assert await declined(server.url + "?token=any") == 403

    serve(tmp_path, waits, server={"token": TOKEN})
    serve(tmp_path, nobody, server={"open_to_loopback": False})


# No room


def test_no_call_is_routed_or_dialled_into_a_full_house(tmp_path: Path) -> None:
    """The caller hears why; `dial` gets 503 and is told when to ask again; then there is room."""

    async def story(s: Story) -> None:
        first = await s.call_in(Plan(patience=30))
        await until(lambda: s.lines("call"))
        second = await s.call_in(Plan(patience=30))
        await until(second.over.is_set, 5)
        assert "we cannot take your call right now" in second.said[0]
        body = {"to": "+15550000009"}
        async with s.http.post(
            f"{s.base}/calls", json=body, headers={"authorization": f"Bearer {OPERATOR_TOKEN}"}
        ) as answer:
            assert answer.status == 503
            assert int(answer.headers["retry-after"]) > 0
        await s.sinch.hang_up(first)
        await until(lambda: not s.server.registry.in_progress)
        status, _ = await s.operate("POST", "/calls", body)
        assert status == 201

    tell(tmp_path, "v1", story, server={"max_calls": 1}, phones={"+15550000009": Phone()})


def test_a_service_that_stops_takes_no_call_anywhere(tmp_path: Path) -> None:
    """At the callback, at the operator's interface, and at the door; the call there is goes on."""

    async def story(s: Story) -> None:
        first = await s.call_in(Plan(patience=30))
        await until(lambda: s.lines("call"))
        draining = asyncio.create_task(s.server.registry.drain(20))
        await asyncio.sleep(0.05)
        second = await s.call_in(Plan(patience=30))
        await until(second.over.is_set, 5)
        assert "we cannot take your call right now" in second.said[0]
        assert (await s.operate("POST", "/calls", {"to": "+15550000009"}))[0] == 503
        assert await declined(s.server.url) == 503
        assert not first.over.is_set()
        await s.sinch.hang_up(first)
        await draining

    tell(tmp_path, "v2", story)


# Pages of other sites, and proxies


@pytest.mark.parametrize(
    "headers",
    [
        {"Origin": "https://evil.example"},
        {"Origin": "null"},
        {"Origin": "http://127.0.0.1:1"},
        {"Origin": "http://localhost.evil.example"},
        {"Host": "evil.example"},
        {"Host": "evil.example:8080", "Origin": "http://evil.example:8080"},
        {"Host": "127.0.0.1.evil.example"},
        {"Host": "0.0.0.0:8080"},
        {"Host": "localhost@evil.example"},
        {"Host": "agent.example.com"},
        {"X-Forwarded-For": "127.0.0.1"},
        {"X-Forwarded-Proto": "https"},
        {"CF-Connecting-IP": "203.0.113.7"},
        {"Via": "1.1 proxy"},
    ],
    ids=str,
)
def test_what_is_open_to_this_machine_is_open_to_no_page_and_no_proxy(
    tmp_path: Path, headers: dict[str, str]
) -> None:
    """By whatever name a page or a proxy reaches it; the machine's own callers still do."""

    async def story(server: Running) -> None:
        async with connected(server.url, upgrade(server.url, **headers)) as raw:
            assert "403" in await raw.head()
        port = server.url.split(":")[2].split("/")[0]
        ours: list[dict[str, str]] = [
            {},
            {"Host": f"localhost:{port}"},
            {"Host": f"LOCALHOST:{port}"},
            {"Host": f"[::1]:{port}"},
        ]
        page = {"Host": f"localhost:{port}", "Origin": f"http://localhost:{port}"}
        async with connected(server.url, upgrade(server.url, **page)) as raw:
            assert "403" in await raw.head()  # a page of ours has a ticket
        for same in ours:
            async with connected(server.url, upgrade(server.url, **same)) as raw:
                assert "101" in await raw.head()

    serve(tmp_path, story)


def test_with_a_token_it_is_nobodys_page_that_matters(tmp_path: Path) -> None:
    """The platform comes by the public name, through whatever proxy."""

    async def story(server: Running) -> None:
        headers = {"Host": "agent.example.com", "X-Forwarded-For": "203.0.113.7"}
        url = f"{server.url}?token={TOKEN}"
        async with connected(url, upgrade(url, **headers)) as raw:
            assert "101" in await raw.head()

    serve(tmp_path, story, server={"token": TOKEN, "open_to_loopback": True})


@pytest.mark.parametrize(
    ("headers", "status"),
    [
        ({}, 200),
        ({"Origin": "https://evil.example"}, 403),
        ({"Host": "evil.example"}, 403),
        ({"Host": "agent.example.com"}, 200),
        ({"Host": "agent.example.com", "Origin": "https://agent.example.com"}, 200),
        ({"Host": "proxy", "X-Forwarded-For": "203.0.113.7"}, 200),
        ({"Host": "proxy", "X-Forwarded-For": "1.2.3.4", "Origin": "https://evil.example"}, 403),
    ],
    ids=str,
)
def test_an_operators_browser_is_not_borrowed(
    tmp_path: Path, headers: dict[str, str], status: int
) -> None:
    """A page of another site is refused with the right token, too."""

    async def story(server: Running) -> None:
        url = server.url.replace("ws:", "http:").replace("/stream", "/calls")
        given = {"Authorization": f"Bearer {TOKEN}", **headers}
        async with (
            aiohttp.ClientSession() as session,
            session.get(url, headers=given) as answer,
        ):
            assert answer.status == status

    sinch = {"public_url": "https://agent.example.com"}
    serve(tmp_path, story, operator={"token": TOKEN}, sinch=sinch, server={"token": TOKEN})


# HTTP connections


async def nothing(_raw: RawSocket) -> None:
    """Only connect."""


async def a_slow_head(raw: RawSocket) -> None:
    for letter in b"GET /health HTTP/1.1\r\nHost: a\r\n" + b"X: y\r\n" * 999:
        await raw.send(bytes([letter]))
        await asyncio.sleep(0.05)


async def a_slow_body(raw: RawSocket) -> None:
    await raw.send(b"POST /calls HTTP/1.1\r\nHost: a\r\nContent-Length: 9000\r\n\r\n")
    for _ in range(9000):
        await raw.send(b" ")
        await asyncio.sleep(0.05)


async def one_request(raw: RawSocket) -> None:
    await raw.send(b"GET /health HTTP/1.1\r\nHost: a\r\n\r\n")


@pytest.mark.parametrize(
    "slow", [nothing, a_slow_head, a_slow_body, one_request], ids=lambda one: one.__name__
)
def test_idle_and_slow_connections_close(tmp_path: Path, slow: Any) -> None:
    """Whatever it is that they are slow with."""

    async def story(server: Running) -> None:
        async with connected(server.url) as raw:
            doing = asyncio.create_task(slow(raw))
            await raw.until_closed(25)
            doing.cancel()
            with suppress(asyncio.CancelledError, ConnectionError):
                await doing

    serve(tmp_path, story, head_within=1.0, server={"idle_timeout": 5.0})


def test_silent_connections_beyond_number_make_room(tmp_path: Path) -> None:
    """Those who have asked for nothing go, before the process has no descriptor left."""

    async def story(server: Running) -> None:
        async with AsyncExitStack() as stack:
            raws = [await stack.enter_async_context(connected(server.url)) for _ in range(200)]
            assert (await converse(server.url, Plan())).failure() == ""
            closed = [asyncio.create_task(raw.until_closed(5)) for raw in raws[:60]]
            await asyncio.gather(*closed)

    serve(tmp_path, story, server={"max_calls": 2, "max_waiting": 2})


def test_of_too_many_connections_the_silent_ones_go() -> None:
    """Those that have never asked first, then the longest silent; who waits for an answer stays."""

    class Connection:
        """Is its own transport."""

        aborted = False

        @property
        def transport(self) -> Connection:
            return self

        def abort(self) -> None:
            self.aborted = True

    def connection() -> Any:
        return Connection()

    connections = HttpConnections(ServerSettings(max_waiting=2), most_calls=1)
    most = 1 + 2 + BESIDES_CALLS
    asking, asked, never = connection(), [connection() for _ in range(most)], connection()
    connections._states[asking] = _State(0.0, asks=True, asked_before=True)
    for number, one in enumerate(asked):
        connections._states[one] = _State(float(number % 50), asked_before=True)
    connections._states[never] = _State(49.0)
    connections._look([asking, *asked, never], 50.0)
    gone = [one for one in asked if one.aborted]
    assert gone == [asked[0]]
    assert never.aborted
    assert not asking.aborted
