"""What comes to the callback endpoint, and what must not get through it."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from structlog.testing import capture_logs

from agent.simulator.sinch.phone_network import Phone
from agent.sinch.api.signing import Credentials
from agent.sinch.callbacks import CallbackError, IncomingCall, LegAnswered, LegEnded, Other, parse
from agent.sinch.webhook import BODY_WITHIN
from tests.agent.loopback import command, declined, dialled, running, until
from tests.agent.sinch import schemas
from tests.agent.sinch.credentials import V1, V2
from tests.agent.sinch.stories import CALLED, CALLER, Story, tell
from tests.databases import alter, make_older

STAMP = "2026-11-24T12:00:00Z"
ICE = {
    "event": "ice",
    "callId": "c1",
    "cli": "15550000001",
    "to": {"type": "did", "endpoint": "12025550199"},
    "timestamp": STAMP,
    "version": 1,
    "callHeaders": [{"key": "X-Order", "value": "7"}, {"key": None}, "junk"],
}
INCOMING = {
    "event": "call.incoming",
    "call": {
        "callId": "c1",
        "sessionId": "s1",
        "from": {"type": "PHONE", "phone": {"number": CALLER}},
        "to": {"type": "PHONE", "phone": {"number": CALLED}},
        "startTime": STAMP,
    },
}


@pytest.mark.parametrize("body", [ICE, ICE | {"callid": "c1", "callId": ""}, INCOMING])
def test_an_incoming_call_is_read(body: dict[str, Any]) -> None:
    """Both versions, and both spellings of the call's id; numbers get their plus."""
    event = parse(json.dumps(body).encode())
    assert isinstance(event, IncomingCall)
    assert (event.leg.call_id, event.caller, event.called) == ("c1", CALLER, CALLED)
    assert event.headers == ({"x-order": "7"} if body["event"] == "ice" else {})


@pytest.mark.parametrize(
    ("fields", "caller"),
    [
        ({"cli": "ann"}, "ann"),
        ({"cli": "4915112345678"}, "4915112345678"),
        ({"cli": "+12025550123"}, "+12025550123"),
        ({"cli": "", "from": "ann"}, "ann"),
        ({"cli": "", "userId": "ann@example.com"}, "ann@example.com"),
        ({"cli": None, "from": {"type": "username", "endpoint": "ann"}}, "ann"),
        ({"cli": ""}, ""),
    ],
)
def test_the_caller_of_an_app_is_their_id(fields: dict[str, Any], caller: str) -> None:
    """As the app has it: what is all digits there is no number."""
    to = {"type": "username", "endpoint": "12025550199"}
    body = ICE | {"originationType": "MXP", "domain": "mxp", "to": to} | fields
    event = parse(json.dumps(body).encode())
    assert isinstance(event, IncomingCall)
    assert (event.caller, event.called) == (caller, "12025550199")


@pytest.mark.parametrize(
    ("body", "by"),
    [
        ({"event": "ace"}, ""),
        ({"event": "ACE", "amd": {"status": "human"}}, "human"),
        ({"event": "ace", "amd": {"status": "machine", "reason": "longgreeting"}}, "machine"),
        ({"event": "ace", "amd": {"status": "notsure"}}, "unknown"),
        ({"event": "ace", "amd": {"status": "inprogress"}}, "pending"),
        ({"event": "notify", "type": "amd", "amd": {"status": "human"}}, "human"),
        ({"event": "notify", "type": "amd", "amd": {"status": "machine"}}, "machine"),
        ({"event": "notify", "type": "amd_beep"}, "beep"),
        ({"event": "notify", "type": "amd", "amd": {"reason": "beep"}}, "beep"),
        ({"event": "call.answered"}, ""),
        ({"event": "call.amd.human"}, "human"),
        ({"event": "call.amd.machine"}, "machine"),
        ({"event": "call.amd.beep"}, "beep"),
        ({"event": "call.amd.unknown"}, "unknown"),
    ],
)
def test_who_answered_is_read(body: dict[str, Any], by: str) -> None:
    """With answering machine detection and without, at once and later."""
    event = parse(json.dumps({"callid": "c1", "call": {"callId": "c1"}} | body).encode())
    assert isinstance(event, LegAnswered)
    assert event.by == by


def test_the_end_of_a_call_is_read() -> None:
    """Result, reason, seconds and price, of either version."""
    dice = {
        "event": "dice",
        "callid": "c1",
        "result": "ANSWERED",
        "reason": "CALLERHANGUP",
        "duration": 12,
        "debit": {"currencyId": "EUR", "amount": 0.0758},
    }
    assert parse(json.dumps(dice).encode()) == LegEnded(
        leg=parse(json.dumps(dice).encode()).leg,
        result="ANSWERED",
        reason="CALLERHANGUP",
        seconds=12.0,
        amount="0.0758",
        currency="EUR",
    )
    call = {
        "callId": "c1",
        "callResult": "NO_ANSWER",
        "callReason": "NOT_AVAILABLE",
        "callRate": {"currencyCode": "EUR", "amount": "0.0060"},
    }
    for event in ("call.hangup", "call.timeout", "call.busy", "call.webhook.ended"):
        ended = parse(json.dumps({"event": event, "call": call}).encode())
        assert isinstance(ended, LegEnded)
        assert (ended.result, ended.amount, ended.answered) == ("NO_ANSWER", "0.0060", False)


_JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner),
    max_leaves=8,
)
_NAMES = ["ice", "ace", "dice", "notify", "pie", "call.incoming", "call.hangup", "call.amd.human"]
_FIELDS = [*ICE, *INCOMING["call"], "call", "amd", "type", "debit", "duration", "custom"]


@given(
    st.binary()
    | _JSON.map(lambda value: json.dumps(value).encode())
    | st.builds(
        lambda event, fields: json.dumps({"event": event} | fields).encode(),
        st.sampled_from(_NAMES),
        st.dictionaries(st.sampled_from(_FIELDS), _JSON),
    )
)
def test_anything_is_an_event_or_one_kind_of_error(body: bytes) -> None:
    """Nothing that comes in raises anything else."""
    try:
        event = parse(body)
    except CallbackError:
        return
    assert isinstance(event, IncomingCall | LegAnswered | LegEnded | Other)


def test_deep_nesting_is_no_callback() -> None:
    """It is refused, whatever the parser of JSON thinks of it."""
    with pytest.raises(CallbackError):
        parse(b"[" * 60_000)


class Poster:
    """Posts callbacks of one's own making."""

    def __init__(self, story: Story) -> None:
        self._story = story

    async def post(
        self,
        body: dict[str, Any] | bytes,
        signer: Credentials | None = V1,
        *,
        at: datetime | None = None,
        headers: dict[str, str] | None = None,
    ) -> tuple[int, Any]:
        """Return the status and the answer."""
        data = body if isinstance(body, bytes) else json.dumps(body).encode()
        given = headers
        if given is None:
            now = at or datetime.now(UTC)
            given = (
                signer.headers(method="POST", path="/sinch", body=data, now=now) if signer else {}
            )
        url = self._story.base + "/sinch"
        async with self._story.http.post(url, data=data, headers=given) as response:
            text = await response.text()
            return response.status, json.loads(text) if text else None


def post(folder: Path, story: Callable[[Story, Poster], Awaitable[None]], **given: Any) -> None:
    tell(folder, "v1", lambda s: story(s, Poster(s)), **given)


def test_what_cannot_be_trusted_gets_no_word(tmp_path: Path) -> None:
    """A status and a line in the log, without a word of what came."""

    async def story(_s: Story, poster: Poster) -> None:
        long_ago = datetime.now(UTC) - timedelta(hours=1)
        with capture_logs() as logs:
            assert await poster.post(ICE, None) == (401, None)
            wrong = Credentials(scheme="application", key_id=V1.key_id, secret=V2.secret)
            assert await poster.post(ICE, wrong) == (401, None)
            assert await poster.post(ICE, at=long_ago) == (401, None)
            assert await poster.post(b"{", V1) == (400, None)
            assert await poster.post(b"[]", V2) == (400, None)
            assert await poster.post({"event": "ice"}) == (400, None)
            assert await poster.post(b" " * 70_000) == (413, None)
            gzip = {"content-encoding": "gzip"}
            assert await poster.post(b"no gzip", headers=gzip) == (400, None)
        refused = [line for line in logs if line["event"] == "callback refused"]
        assert [line["status"] for line in refused] == [401, 401, 401, 400, 400, 400, 413, 400]
        assert V1.secret not in str(logs)
        assert "15550000001" not in str(logs)
        assert "c1" not in [line.get("call_id") for line in logs]

    post(tmp_path, story)


def test_what_we_do_not_know_is_answered_with_nothing(tmp_path: Path) -> None:
    """An object without anything to do, and 200: neither version takes it for an error."""

    async def story(_s: Story, poster: Poster) -> None:
        v1 = {"event": "pie", "callid": "c1", "menuResult": {"type": "timeout"}}
        status, answer = await poster.post(v1)
        schemas.check("v1_pie", answer)
        assert (status, answer["action"]["name"]) == (200, "continue")
        assert await poster.post({"event": "notify", "type": "recording_finished"}) == (200, {})
        assert await poster.post({"event": "dice", "callid": "never seen"}) == (200, {})
        call = {"event": "call.recording.finished", "call": {"callId": "c1"}}
        assert await poster.post(call, V2) == (200, {"commands": []})
        stranger = {"event": "call.answered", "call": {"callId": "c1", "callName": "other"}}
        assert await poster.post(stranger, V2) == (200, {"commands": []})
        status, answer = await poster.post({"event": "ace", "callid": "c1", "custom": "other"})
        schemas.check("v1_ace", answer)
        assert (status, answer["action"]["name"]) == (200, "continue")

    post(tmp_path, story)


@pytest.mark.parametrize(("body", "signer"), [(ICE, V1), (INCOMING, V2)])
def test_a_call_that_is_announced_twice_gets_one_answer(
    tmp_path: Path, body: dict[str, Any], signer: Credentials
) -> None:
    """Sent again, or signed again: the same answer, and one stream only."""

    async def story(s: Story, poster: Poster) -> None:
        first = await poster.post(body, signer)
        data = json.dumps(body).encode()
        again = signer.headers(method="POST", path="/sinch", body=data, now=datetime.now(UTC))
        second = await poster.post(data, headers=again)
        third = await poster.post(data, headers=again)
        assert first == second == third
        endpoint = find(first[1])
        assert endpoint.startswith(s.server.url + "/")
        connect = {"command": "connect", "callId": "c1", "sampleRate": 8000}
        async with dialled(endpoint) as socket:
            await socket.send_json(connect)
            assert await command(socket) == "answer"
            assert await declined(endpoint) == 401
        with capture_logs() as logs:
            assert await declined(endpoint) == 401
            await asyncio.sleep(0.05)
        assert "the token was used" in [line.get("reason") for line in logs]
        assert endpoint.rpartition("/")[2] not in str(logs)

    post(tmp_path, story)


def test_an_answer_that_was_lost_is_given_again(tmp_path: Path) -> None:
    """Whatever the event: the platform asks again, and is told the same, with effects once."""

    async def story(s: Story, poster: Poster) -> None:
        _, call = await s.operate("POST", "/calls", {"to": CALLER, "machine": "hangup"})
        body = {"event": "ace", "callid": "p1", "custom": call["id"], "amd": {"status": "human"}}
        data = json.dumps(body).encode()
        headers = V1.headers(method="POST", path="/sinch", body=data, now=datetime.now(UTC))
        first = await poster.post(data, headers=headers)
        assert first == await poster.post(data, headers=headers)
        schemas.check("v1_ace", first[1])
        await until(lambda: [leg for leg in s.sinch.legs if leg.is_stream])
        await asyncio.sleep(0.2)
        assert len([leg for leg in s.sinch.legs if leg.is_stream]) == 1

    # It rings for longer than this takes: a leg that has ended is not connected any more.
    post(tmp_path, story, phones={CALLER: Phone(after=3.0)})


@pytest.mark.parametrize("broken", ["", "{}", '{"svaml": 7}', "[1]"])
def test_an_answer_that_cannot_be_read_is_made_again(tmp_path: Path, broken: str) -> None:
    """What the store holds of it may be cut off, or of another version: that is no 500."""

    async def story(_s: Story, poster: Poster) -> None:
        data = json.dumps(ICE).encode()
        headers = V1.headers(method="POST", path="/sinch", body=data, now=datetime.now(UTC))
        assert (await poster.post(data, headers=headers))[0] == 200
        alter(tmp_path, f"UPDATE claims SET value = '{broken}'")  # noqa: S608 - of this test
        status, answer = await poster.post(data, headers=headers)
        assert status == 200
        schemas.check("v1_ice", answer)
        assert find(answer)

    post(tmp_path, story)


def find(svaml: dict[str, Any]) -> str:
    """Return the endpoint of the stream."""
    if "action" in svaml:
        return str(svaml["action"]["destination"]["endpoint"])
    dial = next(c for c in svaml["commands"] if c["command"] == "dial")
    return str(dial["to"]["stream"]["endpoint"])


def test_a_replay_is_refused(tmp_path: Path) -> None:
    """The very same callback, later than the platform itself would send it again."""

    def a_minute_passes() -> None:
        make_older(tmp_path, 60)

    async def story(_s: Story, poster: Poster) -> None:
        data = json.dumps({"event": "dice", "callid": "c1"}).encode()
        headers = V1.headers(method="POST", path="/sinch", body=data, now=datetime.now(UTC))
        assert (await poster.post(data, headers=headers))[0] == 200
        assert (await poster.post(data, headers=headers))[0] == 200
        a_minute_passes()
        assert (await poster.post(data, headers=headers))[0] == 401
        named = {"ce-id": "e1", "ce-source": "x"}
        call = json.dumps({"event": "call.hangup", "call": {"callId": "c1"}}).encode()
        for expected in (200, 401):
            again = V2.headers(method="POST", path="/sinch", body=call, now=datetime.now(UTC))
            assert (await poster.post(call, headers=again | named))[0] == expected
            a_minute_passes()

    post(tmp_path, story)


ACE = {"event": "ace", "callid": "c1", "timestamp": STAMP}
ANSWERED = {"event": "call.answered", "call": {"callId": "c1"}}


def test_what_one_process_took_is_a_replay_to_another(tmp_path: Path) -> None:
    """At once it is answered the same, which the platform may need; later it is refused."""

    async def story(s: Story, poster: Poster) -> None:
        given = {"application_key": V1.key_id, "application_secret": V1.secret}
        account = given | {"public_url": s.base}
        async with running(tmp_path, alone=False, sinch=account) as other:
            url = other.url.replace("ws://", "http://").rpartition("/")[0] + "/sinch"
            data = json.dumps(ICE).encode()
            headers = V1.headers(method="POST", path="/sinch", body=data, now=datetime.now(UTC))
            first = await poster.post(data, headers=headers)
            for status, after in ((200, 0), (401, 60)):
                make_older(tmp_path, after)
                async with s.http.post(url, data=data, headers=headers) as response:
                    assert response.status == status
                    assert status == 401 or await response.json() == first[1]

    post(tmp_path, story)


def test_who_sends_slowly_is_not_waited_for(tmp_path: Path) -> None:
    """Nor is one answered with a 500 whose headers are no text."""

    async def story(s: Story, poster: Poster) -> None:
        host, port = s.base.removeprefix("http://").split(":")
        reader, writer = await asyncio.open_connection(host, int(port))
        writer.write(b"POST /sinch HTTP/1.1\r\nHost: x\r\nContent-Length: 9\r\n\r\n{")
        async with asyncio.timeout(BODY_WITHIN + 3):
            assert b" 408 " in await reader.readline()
        writer.write(b"12345678")
        writer.close()
        await writer.wait_closed()

        reader, writer = await asyncio.open_connection(host, int(port))
        stamp = datetime.now(UTC).isoformat().encode()
        key = f"Authorization: application {V1.key_id}:x\r\n".encode()
        writer.write(
            b"POST /sinch HTTP/1.1\r\nHost: x\r\nContent-Length: 0\r\nx-timestamp: " + stamp
        )
        writer.write(b"\r\nContent-Type: \xff\xfe\r\n" + key + b"\r\n")
        async with asyncio.timeout(3):
            assert b" 401 " in await reader.readline()
        writer.close()
        await writer.wait_closed()

    post(tmp_path, story)


@pytest.mark.parametrize(
    ("body", "lost"),
    [
        *((body, "claims") for body in (ICE, INCOMING, ACE, ANSWERED)),
        (ICE, "calls"),
        (INCOMING, "calls"),
        (ACE | {"custom": "d1"}, "legs"),
    ],
)
def test_an_error_of_ours_is_said_politely(tmp_path: Path, body: dict[str, Any], lost: str) -> None:
    """The call ends with words and valid SVAML, and a line in the log; never with a 500."""

    async def story(_s: Story, poster: Poster) -> None:
        v1 = "call" not in body
        alter(tmp_path, f"ALTER TABLE {lost} RENAME TO lost")
        with capture_logs() as logs:
            status, answer = await poster.post(body, V1 if v1 else V2)
        assert status == 200
        schemas.check(f"v1_{body['event']}" if v1 else "v2_reply", answer)
        assert "we cannot take your call right now" in json.dumps(answer)
        assert {line["log_level"] for line in logs} & {"error", "critical"}
        alter(tmp_path, f"ALTER TABLE lost RENAME TO {lost}")

    post(tmp_path, story)


def test_a_call_that_never_comes_is_forgotten(tmp_path: Path) -> None:
    """It was prepared for; after a while nothing of it is kept, and the log says so."""

    async def story(s: Story, poster: Poster) -> None:
        with capture_logs() as logs:
            await poster.post(ICE)
            assert s.server.registry._expected
            missed = "an announced call did not come"
            await until(lambda: missed in [line["event"] for line in logs])
            assert not s.server.registry._expected

    post(tmp_path, story, sinch={"token_lifetime": 1})


def test_a_proxy_may_change_the_path(tmp_path: Path) -> None:
    """What is signed is the public path; the one that we see may be another."""

    async def story(s: Story, _poster: Poster) -> None:
        data = json.dumps(ICE).encode()
        headers = V1.headers(method="POST", path="/voice/sinch", body=data, now=datetime.now(UTC))
        async with s.http.post(s.base + "/sinch", data=data, headers=headers) as response:
            answer = await response.json()
        assert find(answer).startswith("wss://agent.example.com/voice/stream/")

    post(tmp_path, story, sinch={"public_url": "https://agent.example.com/voice"})
