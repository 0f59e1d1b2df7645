"""Records over REST: what is asked, what comes back, and what is wrong with it."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest
from aiohttp import web
from aiohttp.test_utils import make_mocked_request
from jsonschema import Draft202012Validator
from structlog.testing import capture_logs

from agent.records.call_records import CallRecords
from agent.records.events import JournalLine
from agent.records.seals import NoSeal, SealError
from agent.records.stored_records import StoredRecords
from agent.server.operator.call_answers import CallAnswers, QueryError
from agent.server.operator.errors import answered
from agent.server.operator.openapi import OPENAPI
from agent.settings.database import DatabaseUrl
from agent.store.engine import SqlDatabase
from agent.store.store import opened
from tests.agent.sinch.stories import CALLED, CALLER, Story, tell
from tests.databases import FILE, alter

pytestmark = pytest.mark.usefixtures("nothing_left")

STARTED = "2026-11-25T12:00:0{}.000+00:00"


async def store(stored: StoredRecords, n: int, **about: Any) -> None:
    """Store a call: a greeting, a question, and an answer that broke off."""
    call = {
        "id": f"call-{n}", "call_id": f"sinch-{n}", "agent": "reception", "caller": CALLER,
        "called": CALLED, "direction": "incoming", "started": STARTED.format(n), "language": "en",
    }  # fmt: skip
    lines: list[tuple[str, float | None, dict[str, Any]]] = [
        ("call", None, call | about),
        ("agent", 0.1, {"turn": 1, "text": "Hello?", "cut_off": False}),
        ("caller", 1.0, {"turn": 2, "text": f"Table {n}, please.", "until": 2.0}),
        ("timing", 2.7, {"turn": 2, "speech_end": 2.0, "heard": 2.6}),
        ("heard", 2.6, {"turn": 2, "text": "One", "until": 3.0}),
        ("heard", 3.0, {"turn": 2, "text": "moment.", "until": 4.0}),
        ("ended", 4.5, {"reason": "interrupted"}),
    ]
    await stored.add(
        [
            JournalLine(journal=f"call-{n}", line=at, kind=kind, at=when, fields=fields)
            for at, (kind, when, fields) in enumerate(lines)
        ]
    )


@asynccontextmanager
async def answers(folder: Path) -> AsyncIterator[tuple[CallAnswers, StoredRecords]]:
    async with opened(DatabaseUrl(f"sqlite:///{folder}/{FILE}")) as store:
        records = CallRecords(store.database, NoSeal())
        yield CallAnswers(records, "US"), StoredRecords(store.database, NoSeal())


def schema(name: str) -> Draft202012Validator:
    return Draft202012Validator({"$ref": f"#/components/schemas/{name}", **OPENAPI})


def test_records_are_listed_in_pages(tmp_path: Path) -> None:
    """With what they are listed by; `next` leads through all of them, each once."""

    async def main() -> None:
        async with answers(tmp_path) as (asked, stored):
            for n in range(5):
                await store(stored, n)
            pages, given = [], {"limit": "2"}
            while True:
                answer = await asked.listed(given)
                schema("CallsAnswer").validate({"calls": [], **answer})
                pages.append([one["id"] for one in answer["records"]])
                if answer["next"] is None:
                    break
                given = {"limit": "2", "cursor": answer["next"]}
            assert pages == [["call-4", "call-3"], ["call-2", "call-1"], ["call-0"]]
            assert answer["records"][0] == {
                "id": "call-0",
                "call_id": "sinch-0",
                "direction": "incoming",
                "agent": "reception",
                "caller": CALLER,
                "called": CALLED,
                "started": "2026-11-25T12:00:00.000+00:00",
                "ended": "2026-11-25T12:00:04.500+00:00",
                "seconds": 4.5,
                "outcome": "interrupted",
                "disclosed": "no",
                "price": None,
                "price_currency": "",
                "answer_time": 0.6,
                "found": None,
            }
            (named,) = (await asked.listed({"q": '"table 1"'}))["records"]
            assert named["found"]["kind"] == "caller"
            assert named["found"]["text"] == "Table 1, please."

    asyncio.run(main())


@pytest.mark.parametrize(
    ("given", "found"),
    [
        ({"q": "tables"}, 3),
        ({"q": '"table 1"'}, 1),
        ({"q": "nothing"}, 0),
        ({"caller": "001 (555) 000-0001"}, 2),
        ({"caller": "555-000-0001", "called": CALLED}, 2),
        ({"caller": "sip:ann@example.com"}, 1),
        ({"since": "2026-11-25T12:00:01Z", "before": "2026-11-25T12:00:02+00:00"}, 1),
        ({"since": "1s"}, 0),
        ({"outcome": "interrupted", "direction": "incoming", "agent": "reception"}, 3),
        ({"outcome": "failed"}, 0),
        ({"disclosed": "no"}, 3),
        ({"disclosed": "cut-off"}, 0),
        ({"agent": "\0"}, 0),
    ],
)
def test_records_are_asked_for_as_people_write(
    tmp_path: Path, given: dict[str, str], found: int
) -> None:
    """Numbers in any form, dates, words."""

    async def main() -> None:
        async with answers(tmp_path) as (asked, stored):
            for n in range(2):
                await store(stored, n)
            await store(stored, 2, caller="sip:ann@example.com")
            assert len((await asked.listed(given))["records"]) == found

    asyncio.run(main())


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ({"cursor": "x"}, "cursor: take `next`"),
        ({"cursor": "f" * 30 + ".1"}, "cursor: take `next`"),
        ({"since": "soon"}, "since: a date such as"),
        ({"before": "2026-02-30"}, "before: a date such as"),
        ({"since": "9999999w"}, "since: a date such as"),
        ({"since": "999999w"}, ""),
        ({"outcome": "gone"}, "outcome: Input should be"),
        ({"direction": "up"}, "direction: Input should be"),
        ({"disclosed": "cut off"}, "disclosed: Input should be"),
        ({"limit": "0"}, "limit: Input should be"),
        ({"limit": "many"}, "limit: Input should be"),
        ({"q": "..."}, "q: there is no word in it"),
        ({"q": "x" * 2000}, "q: String should have"),
        ({"agents": "a"}, "query: no such parameter"),
    ],
)
def test_a_mistake_in_a_query_is_told(tmp_path: Path, given: dict[str, str], said: str) -> None:
    """Where it is, without what was given."""

    async def main() -> None:
        async with answers(tmp_path) as (asked, _):
            if not said:
                assert (await asked.listed(given))["records"] == []
                return
            with pytest.raises(QueryError) as caught:
                await asked.listed(given)
            assert str(caught.value).startswith(said)

    asyncio.run(main())


def test_a_record_is_told_whole(tmp_path: Path) -> None:
    """By its id, the platform's and ours of a call that we placed; its lines in pages, if many."""

    async def main() -> None:
        async with answers(tmp_path) as (asked, stored):
            await store(stored, 1, dialled="our-name", direction="outgoing")
            record = await asked.one("call-1", {})
            schema("RecordAnswer").validate(record)
            assert record is not None
            assert record["data"]["ended"]["reason"] == "interrupted"
            assert [
                (one["who"], one["text"], one["cut_off"]) for one in record["conversation"]
            ] == [
                ("agent", "Hello?", False),
                ("caller", "Table 1, please.", False),
                ("agent", "One moment.", True),
            ]
            assert len(record["events"]) == 7
            for name in ("sinch-1", "our-name"):
                assert await asked.one(name, {}) == record
            assert await asked.one("call-2", {}) is None
            page = await asked.one("call-1", {"limit": "4"})
            assert page is not None
            rest = await asked.one("call-1", {"after": str(page["next"])})
            assert rest is not None
            assert page["events"] + rest["events"] == record["events"]
            with pytest.raises(QueryError, match="after: Input should be"):
                await asked.one("call-1", {"after": "-1"})

    asyncio.run(main())


@pytest.mark.parametrize("limit", range(1, 8))
def test_a_reply_is_on_one_page(tmp_path: Path, limit: int) -> None:
    """That on which it ends, whole; every line is on some page, once."""

    async def main() -> None:
        async with answers(tmp_path) as (asked, stored):
            await store(stored, 1)
            kinds = ("agent", "heard", "heard", "agent", "caller")
            told = [
                {"turn": 2, "text": "One moment."},
                {"turn": 3, "text": "Yes,"},
                {"turn": 3, "text": "sir."},
                {"turn": 3, "text": "Yes, sir."},
            ]
            lines = zip(kinds, [*told, {"turn": 4, "text": "Fine."}], strict=True)
            await stored.add(
                [
                    JournalLine(journal="call-1", line=n, kind=kind, at=1.0 * n, fields=fields)
                    for n, (kind, fields) in enumerate(lines, 10)
                ]
            )
            everything = await asked.one("call-1", {})
            assert everything is not None
            events, said, after = [], [], 0
            while after is not None:
                page = await asked.one("call-1", {"limit": str(limit), "after": str(after)})
                assert page is not None
                events += page["events"]
                said += page["conversation"]
                after = page["next"]
            assert events == everything["events"]
            assert said == everything["conversation"]
            assert not any(one["cut_off"] for one in said)

    asyncio.run(main())


def test_without_a_database_there_is_no_record() -> None:
    """And that is no failure."""

    async def main() -> None:
        asked = CallAnswers(None, "")
        assert await asked.listed({}) == {"records": [], "next": None}
        assert await asked.one("call-1", {}) is None

    asyncio.run(main())


def test_the_interface_tells_of_calls_and_records(tmp_path: Path) -> None:
    """A call that is over is known by its record; one that we placed by both."""

    async def story(s: Story) -> None:
        status, placed = await s.operate("POST", "/calls", {"to": CALLER})
        assert status == 201
        database = SqlDatabase(DatabaseUrl(f"sqlite:///{tmp_path}/{FILE}"))
        stored = StoredRecords(database, NoSeal())
        await store(stored, 1)
        await store(stored, 2, dialled=placed["id"], direction="outgoing")
        await database.aclose()
        status, answer = await s.operate("GET", "/calls?q=tables")
        assert status == 200
        schema("CallsAnswer").validate(answer)
        assert {one["id"] for one in answer["records"]} == {"call-1", "call-2"}
        status, answer = await s.operate("GET", "/calls/call-1")
        schema("CallAnswer").validate(answer)
        assert (status, answer["id"], answer["record"]["id"]) == (200, "call-1", "call-1")
        status, answer = await s.operate("GET", f"/calls/{placed['id']}")
        schema("CallAnswer").validate(answer)
        assert (answer["id"], answer["to"]) == (placed["id"], CALLER)
        for path, wrong in {
            "/calls?cursor=x": 400,
            "/calls?outcome=gone": 400,
            "/calls/call-1?after=x": 400,
            "/calls/nobody": 404,
        }.items():
            status, answer = await s.operate("GET", path)
            assert (status, answer["status"]) == (wrong, wrong)
        alter(tmp_path, "ALTER TABLE call_records RENAME TO lost")
        assert (await s.operate("GET", "/calls"))[0] == 503
        alter(tmp_path, "ALTER TABLE lost RENAME TO call_records")

    tell(tmp_path, "v1", story)


def test_what_cannot_be_shown_is_told_without_a_traceback() -> None:
    """The log says why, not what."""

    async def refuse(_request: web.Request) -> web.Response:
        raise SealError("no key")

    with capture_logs() as logs:
        answer = asyncio.run(answered(refuse, make_mocked_request("GET", "/calls/x")))
    assert (answer.status, answer.content_type) == (503, "application/problem+json")
    assert [line["log_level"] for line in logs] == ["warning"]
