"""The operator's interface: who may use it, and what it makes of mistakes."""

from __future__ import annotations

import asyncio
import json
import os
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import aiohttp
import pytest
from jsonschema import Draft202012Validator
from structlog.testing import capture_logs

from agent.records.seals import NoSeal
from agent.records.stored_records import StoredRecords
from agent.server.operator.openapi import OPENAPI
from agent.settings.database import DatabaseUrl
from agent.store.live_calls import HOST
from agent.store.store import opened
from tests.agent.loopback import command, dialled, running
from tests.agent.records.test_erasing import lines_of
from tests.agent.sinch.credentials import V1
from tests.agent.sinch.stories import CALLER, TOKEN, Story, tell
from tests.databases import FILE, alter

pytestmark = pytest.mark.usefixtures("nothing_left")


async def ask(story: Story, method: str, path: str, **given: Any) -> int:
    async with story.http.request(method, story.base + path, **given) as response:
        return response.status


def test_only_the_token_opens_it(tmp_path: Path) -> None:
    """Every path but the description; what was tried is in no log."""

    async def story(s: Story) -> None:
        with capture_logs() as logs:
            for header in ("", "Bearer", "Bearer wrong-wrong-wrong", f"Basic {TOKEN}", TOKEN):
                given = {"headers": {"authorization": header}}
                for method, path in (
                    ("GET", "/calls"),
                    ("POST", "/calls"),
                    ("GET", "/calls/x"),
                    ("DELETE", "/calls/x"),
                ):
                    assert await ask(s, method, path, **given) == 401
        assert "wrong-wrong-wrong" not in str(logs)
        assert await ask(s, "GET", "/openapi.json") == 200
        assert (await s.operate("GET", "/calls"))[0] == 200

    tell(tmp_path, "v1", story)


def test_without_a_token_in_the_settings_there_is_none(tmp_path: Path) -> None:
    """Nothing answers there."""

    async def main() -> None:
        async with running(tmp_path) as server, aiohttp.ClientSession() as http:
            base = server.url.replace("ws://", "http://").rpartition("/")[0]
            for path in ("/calls", "/openapi.json"):
                async with http.get(base + path) as response:
                    assert response.status == 404

    asyncio.run(main())


def test_without_an_account_it_says_so(tmp_path: Path) -> None:
    """A dial that nobody can place is refused with the reason."""

    async def main() -> None:
        account = {"token": TOKEN}
        async with running(tmp_path, operator=account) as server, aiohttp.ClientSession() as http:
            base = server.url.replace("ws://", "http://").rpartition("/")[0]
            headers = {"authorization": f"Bearer {TOKEN}"}
            async with http.post(f"{base}/calls", json={"to": CALLER}, headers=headers) as answer:
                assert answer.status == 409
                assert "Sinch is not set up" in (await answer.json(content_type=None))["detail"]

    asyncio.run(main())


def test_a_record_is_erased(tmp_path: Path) -> None:
    """Once the call is over; what is no record is none."""

    async def story(s: Story) -> None:
        async with opened(DatabaseUrl(f"sqlite:///{tmp_path}/{FILE}")) as store:
            stored = StoredRecords(store.database, NoSeal())
            now = datetime.now(UTC).isoformat()
            await stored.add([*lines_of("old"), *lines_of("new", ended=False, started=now)])
        assert await s.operate("DELETE", "/calls/old") == (
            200,
            {"lines": 13, "journals": 0, "recordings": 0},
        )
        assert (await s.operate("DELETE", "/calls/old"))[0] == 404
        status, said = await s.operate("DELETE", "/calls/new")
        assert (status, "in progress" in said["detail"]) == (409, True)

    tell(tmp_path, "v1", story)


@pytest.mark.parametrize("with_sinch", [True, False])
def test_a_call_that_was_routed_by_hand_can_be_hung_up(tmp_path: Path, with_sinch: bool) -> None:
    """It is listed by the platform's id, and ended after a goodbye."""

    async def main() -> None:
        account = {"application_key": V1.key_id, "application_secret": V1.secret}
        sinch = account | {"public_url": "https://agent.example.com"} if with_sinch else {}
        given: dict[str, Any] = {"operator": {"token": TOKEN}}
        given["server"] = {"open_to_loopback": True}
        headers = {"authorization": f"Bearer {TOKEN}"}
        async with (
            running(tmp_path, sinch=sinch, **given) as server,
            aiohttp.ClientSession(headers=headers) as http,
            dialled(server.url) as socket,
        ):
            base = server.url.replace("ws://", "http://").rpartition("/")[0]
            await socket.send_json({"command": "connect", "callId": "by hand"})
            assert await command(socket) == "answer"
            async with http.get(f"{base}/calls") as answer:
                here = {"id": "by hand", "agent": "reception", "host": HOST, "pid": os.getpid()}
                assert (await answer.json())["calls"] == [here]
            for name, status in (("by%20hand", 202), ("another", 404)):
                async with http.post(f"{base}/calls/{name}/hangup") as answer:
                    assert answer.status == status
            async with asyncio.timeout(10):
                while await command(socket) != "closed":
                    pass

    asyncio.run(main())


@pytest.mark.parametrize(
    ("body", "headers", "said"),
    [
        ({}, {}, "to: Field required"),
        ({"to": "12"}, {}, "to: not a telephone number"),
        ({"to": "sip:nobody"}, {}, "to: not a SIP address"),
        ({"to": CALLER, "agent": "../etc"}, {}, "agent or variables:"),
        ({"to": CALLER, "agent": "nobody"}, {}, "agents: reception"),
        ({"to": CALLER, "variables": {"nme": "Ann"}}, {}, "there are: name"),
        ({"to": CALLER, "caller_id": "me"}, {}, "caller_id: not a telephone number"),
        ({"to": CALLER, "machine": "beep"}, {}, "machine: Input should be"),
        ({"to": CALLER, "machine": "message"}, {}, "message: is needed"),
        ({"to": CALLER, "machine": "message", "message": " \u200b"}, {}, "message: is needed"),
        ({"to": CALLER, "screening": "ears"}, {}, "screening: only with machine"),
        (
            {"to": [CALLER], "machine": "hangup", "screening": "ears"},
            {},
            "screening: only the platform tells machines on a line of several",
        ),
        (
            {"to": [CALLER], "machine": "hangup", "screening": "both"},
            {},
            "screening: only the platform tells machines on a line of several",
        ),
        ({"to": CALLER, "keys": "12x"}, {}, "keys: String should match"),
        ({"to": CALLER, "keys": "1", "machine": "hangup"}, {}, "keys: only version 1"),
        ({"to": CALLER, "max_seconds": 99999}, {}, "max_seconds: Input should be less"),
        ({"to": CALLER, "surprise": 1}, {}, "surprise: Extra inputs"),
        ({"to": CALLER}, {"idempotency-key": "short"}, "Idempotency-Key: take 16 to 128"),
    ],
)
def test_a_mistake_is_told_where_it_is(
    tmp_path: Path, body: dict[str, Any], headers: dict[str, str], said: str
) -> None:
    """And nobody is dialled."""

    async def story(s: Story) -> None:
        status, answer = await s.operate("POST", "/calls", body, headers)
        assert (status, answer["detail"][: len(said)] == said or said in answer["detail"]) == (
            400,
            True,
        )
        assert s.sinch.legs == []

    tell(tmp_path, "v1", story)


def test_calls_that_are_not_there(tmp_path: Path) -> None:
    """Looking, ending and moving say so; a body that is no JSON is told, too."""

    async def story(s: Story) -> None:
        assert (await s.operate("GET", "/calls/x"))[0] == 404
        assert (await s.operate("POST", "/calls/x/hangup"))[0] == 404
        assert (await s.operate("POST", "/calls/x/transfer", {"to": CALLER}))[0] == 404
        headers = {"authorization": f"Bearer {TOKEN}"}
        assert await ask(s, "POST", "/calls", data=b"{", headers=headers) == 400
        assert await ask(s, "POST", "/calls", data=b" " * 100_000, headers=headers) == 413

    tell(tmp_path, "v1", story)


def test_a_database_that_fails_is_told(tmp_path: Path) -> None:
    """Nobody is dialled whom no process would know; the log says why, without a number."""

    async def story(s: Story) -> None:
        alter(tmp_path, "ALTER TABLE legs RENAME TO lost")
        with capture_logs() as logs:
            status, answer = await s.operate("POST", "/calls", {"to": CALLER})
        assert (status, "the database fails" in answer["detail"]) == (503, True)
        assert {"the database fails; calls in progress go on"} == {line["event"] for line in logs}
        assert s.sinch.legs == []
        alter(tmp_path, "ALTER TABLE lost RENAME TO legs")

    tell(tmp_path, "v1", story)


@pytest.mark.parametrize(
    ("to", "status", "said"),
    [
        ("253-0000", 422, "to: a telephone number of that country has another length"),
        ("000-000-0000", 422, "nobody has"),
        ("+1 900 555 1234", 422, "premium-rate"),
        ("+44 20 7946 0000", 422, "in GB"),
        ("911", 422, "emergency"),
        ("sip:desk@another.example", 422, "sip_hosts"),
        ("+1 202 555 0123", 429, "as often as it may be"),
    ],
)
def test_what_may_not_be_dialled_is_told_why(
    tmp_path: Path, to: str, status: int, said: str
) -> None:
    """By whoever asks, before anything is asked of Sinch."""

    async def story(s: Story) -> None:
        path = "/calls"
        for body in ({"to": to}, {"to": to, "machine": "hangup"}):
            answer = await s.operate("POST", path, body)
            assert (answer[0], said in answer[1]["detail"]) == (status, True), answer
        if status == 422:
            answer = await s.operate("POST", "/calls/x/transfer", {"to": to})
            assert answer[0] == 422
        assert s.sinch.legs == []

    dialling = {"calls_to_a_number": 0, "sip_hosts": ("example.com",)}
    tell(tmp_path, "v1", story, sinch={"country": "US", "dialling": dialling})


def test_calls_can_be_ended_when_no_more_may_be_dialled(tmp_path: Path) -> None:
    """Requests to look, to dial and to hang up are counted apart."""

    async def story(s: Story) -> None:
        for _ in range(3):
            assert (await s.operate("POST", "/calls", {"to": "12"}))[0] == 400
        assert (await s.operate("POST", "/calls", {"to": "12"}))[0] == 429
        assert (await s.operate("POST", "/calls/x/transfer", {"to": CALLER}))[0] == 429
        for _ in range(3):
            assert (await s.operate("GET", "/calls"))[0] == 200
        assert (await s.operate("GET", "/calls"))[0] == 429
        for _ in range(9):
            assert (await s.operate("POST", "/calls/x/hangup"))[0] == 404
        assert (await s.operate("POST", "/calls/x/hangup"))[0] == 429

    limits = {"requests_a_minute": 3, "hang_ups_a_minute": 9}
    tell(tmp_path, "v1", story, operator={"token": TOKEN, **limits})


def test_too_many_requests_are_told_to_wait(tmp_path: Path) -> None:
    """Those with the token, and those without, who cannot lock the operator out."""

    async def story(s: Story) -> None:
        for header in ({"authorization": "x"}, {}):
            for expected in ({"x": 401}.get(header.get("authorization", ""), 200), 429):
                for _ in range(3):
                    assert (await s.operate("GET", "/calls", headers=header))[0] == expected
            given = {"authorization": f"Bearer {TOKEN}"} | header
            async with s.http.get(f"{s.base}/calls", headers=given) as response:
                assert response.status == 429
                assert 50 <= int(response.headers["retry-after"]) <= 61

    tell(tmp_path, "v1", story, operator={"token": TOKEN, "requests_a_minute": 3})


def test_a_number_is_taken_as_people_write_it(tmp_path: Path) -> None:
    """With the country of the settings; what is dialled is E.164."""

    async def story(s: Story) -> None:
        status, call = await s.operate("POST", "/calls", {"to": "(202) 555-0123"})
        assert (status, call["to"]) == (201, "+12025550123")
        status, call = await s.operate("POST", "/calls", {"to": "sip:desk@example.com"})
        assert (status, call["to"]) == (201, "sip:desk@example.com")

    tell(tmp_path, "v1", story, sinch={"country": "US"})


def test_the_description_is_of_what_is_there(tmp_path: Path) -> None:
    """Every path and method that is described is answered, and no other is."""

    async def story(s: Story) -> None:
        routes: set[tuple[str, str]] = set()
        for route in s.server.app.router.routes():
            path = route.resource.canonical if route.resource else ""
            if path.startswith(("/calls", "/opt-outs")) and route.method != "HEAD":
                routes.add((path, route.method.lower()))
        described = {(p, method) for p, methods in OPENAPI["paths"].items() for method in methods}
        assert described == routes
        operations = [
            o
            for methods in json.loads(json.dumps(OPENAPI))["paths"].values()
            for o in methods.values()
        ]
        for operation in operations:
            assert {"401", "429"} <= operation["responses"].keys()
            for part in [operation.get("requestBody", {}), *operation["responses"].values()]:
                for media in part.get("content", {}).values():
                    Draft202012Validator.check_schema(media["schema"])
            for parameter in operation["parameters"]:
                Draft202012Validator.check_schema(parameter["schema"])

    tell(tmp_path, "v1", story)


def test_who_wants_no_more_calls_is_listed_added_and_taken_back(tmp_path: Path) -> None:
    """They are refused with the reason, by 422; numbers are in no log."""

    async def story(s: Story) -> None:
        with capture_logs() as logs:
            added = await s.operate("POST", "/opt-outs", {"number": "+1 (202) 555-0123"})
            assert added == (201, {"number": "+12025550123"})
            again = await s.operate("POST", "/opt-outs", {"number": "+12025550123"})
            assert again[0] == 200
            status, refused = await s.operate("POST", "/calls", {"to": "+12025550123"})
            assert status == 422
            assert refused["detail"].startswith("wants no more calls from us")
            status, listed = await s.operate("GET", "/opt-outs")
            (one,) = listed["opt_outs"]
            assert (one["number"], one["how"], one["agent"]) == ("+12025550123", "operator", "")
            assert datetime.fromisoformat(one["since"]).tzinfo is not None
            assert (await s.operate("DELETE", "/opt-outs/%2B12025550123"))[0] == 200
            assert (await s.operate("DELETE", "/opt-outs/+12025550123"))[0] == 404
            assert (await s.operate("GET", "/opt-outs"))[1] == {"opt_outs": []}
            assert (await s.operate("POST", "/opt-outs", {"number": "desk"}))[0] == 400
            assert (await s.operate("GET", "/opt-outs?limit=0"))[0] == 400
            by_sip = {"number": "sip:12025550123@pbx.example.com"}  # we call from the same country
            assert await s.operate("POST", "/opt-outs", by_sip) == (201, {"number": "+12025550123"})
            assert await ask(s, "GET", "/opt-outs") == 401
            assert await ask(s, "DELETE", "/opt-outs/+12025550123") == 401
        assert "5550123" not in str(logs)

    tell(tmp_path, "v1", story)
