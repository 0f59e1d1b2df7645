"""The legs of a call on its record: what they cost together, and whose number finds it."""

from __future__ import annotations

import asyncio
import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import Connection, func, select, text

from agent.records.call_records import CallRecords, RecordFilter
from agent.records.erasing import Erasing
from agent.records.events import JournalLine
from agent.records.legs import MOST, legs_of, price_of, with_leg
from agent.records.private_lines import PrivateLines
from agent.records.resealing import Resealing
from agent.records.retention import DAY, Retention
from agent.records.seals import KeySeal, NoSeal, Seal
from agent.records.search.call_numbers import had
from agent.records.stored_records import StoredRecords
from agent.server.operator.call_answers import summary
from agent.settings.database import DatabaseUrl
from agent.settings.privacy import PrivacySettings
from agent.store.record_tables import call_numbers, call_records
from agent.store.store import Store, opened
from tests.agent.records.test_seals import NEW, OLD

ANN, BEN, CLEO, DESK = (f"+1202555012{n}" for n in range(4))
SIP = "sip:dora@example.com"
NAMES = "p1", "p2", "p3", "t1"
both_seals = pytest.mark.parametrize("seal", [NoSeal(), KeySeal([NEW])], ids=["plain", "sealed"])


def line(journal: str, n: int, kind: str, at: float | None = None, **fields: Any) -> JournalLine:
    return JournalLine(journal=journal, line=n, kind=kind, at=at, fields=fields)


def call(name: str = "a") -> list[JournalLine]:
    """Return the lines of a call to two, of whom the first is called; it is over."""
    legs = [
        {"leg": one, "what": "party", "to": to} for one, to in zip(NAMES, (ANN, BEN), strict=False)
    ]
    first: dict[str, Any] = {
        "id": name,
        "call_id": f"sinch-{name}",
        "direction": "outgoing",
        "agent": "reception",
    }
    first |= {"caller": "+12025550199", "called": ANN, "started": "2026-05-28T20:26:40+00:00"}
    return [
        line(name, 0, "call", **first, legs=legs),
        line(name, 1, "caller", 1.0, text="Good morning."),
        line(name, 2, "ended", 60.0, reason="the caller hung up"),
    ]


def later(name: str, kind: str, of: str = "a", **fields: Any) -> list[JournalLine]:
    """Return a line that has a journal of its own."""
    return [line(name, 0, kind, call_id=f"sinch-{of}", about={"agent": "reception"}, **fields)]


def told(leg: str, amount: float | None, **fields: Any) -> dict[str, Any]:
    charged = {"result": "ANSWERED", "seconds": 61.0, "amount": amount, "currency": "EUR"}
    return charged | {"leg": leg} | fields


async def stored(store: Store, seal: Seal, name: str = "a") -> CallRecords:
    """Store a call to Ann and Ben, to which Cleo was added, and which was passed on to a desk."""
    stored = StoredRecords(store.database, seal)
    await stored.add(call(name))
    for n, (leg, what, to) in enumerate(
        (("p3", "party", CLEO), ("t1", "transfer", DESK), ("p4", "party", SIP))
    ):
        await stored.add(later(f"{name}-dialled-{n}", "leg", name, leg=leg, what=what, to=to))
    await stored.add(later(f"{name}-1", "leg", name, **told("p2", 0.1)))
    await stored.add(later(f"{name}-2", "platform", name, **told("p1", 0.02)))
    return CallRecords(store.database, seal)


@both_seals
def test_the_price_is_that_of_all_legs(database_url: DatabaseUrl, seal: Seal) -> None:
    """Whenever one is told, once; the list has the sum, the record each."""

    async def main() -> None:
        async with opened(database_url) as store:
            records = await stored(store, seal)
            record = await records.get("a")
            assert record is not None
            assert price_of(record.data) == (0.12, "EUR")
            late = later("late", "leg", **told("t1", 0.3))
            for _ in range(2):
                await StoredRecords(store.database, seal).add(late)
            (record,) = await records.find(RecordFilter())
            assert (summary(record, None)["price"], record.outcome) == (0.42, "caller hung up")
            known = {leg["leg"]: (leg["to"], leg.get("amount")) for leg in legs_of(record.data)}
            assert known == {
                "p1": (ANN, None),  # on the line of the call itself
                "p2": (BEN, 0.1),
                "p3": (CLEO, None),
                "t1": (DESK, 0.3),
                "p4": (SIP, None),
            }
            assert record.data["platform"]["leg"] == "p1"

    asyncio.run(main())


FORMS = (ANN, BEN, "(202) 555-0122", "0012025550121", "sip:+12025550123@host.example", SIP)


@both_seals
def test_a_call_is_found_by_whoever_had_to_do_with_it(
    database_url: DatabaseUrl, seal: Seal
) -> None:
    """Searched and erased, alone or with words, however the number is written; once."""

    async def main() -> None:
        async with opened(database_url) as store:
            records = await stored(store, seal)
            await StoredRecords(store.database, seal).add(call("other")[1:])
            erasing = Erasing(store.database, seal, Path("nowhere"))
            for form in (*FORMS, "+12025550199"):
                from agent.records.search.number_forms import looked_up_as  # noqa: PLC0415

                number = looked_up_as(form, "US")
                for words in (None, "morning"):
                    found = await records.find(RecordFilter(number=number, words=words))
                    assert [one.id for one in found] == ["a"], form
                assert [one.id for one in await erasing.of_number(form, "US")] == ["a"], form
            assert await records.find(RecordFilter(number="+12025550124")) == []
            assert await records.find(RecordFilter(called=BEN)) == []
            for one in await erasing.of_number(DESK):
                await erasing.erase(one)
            left = select(func.count()).select_from(call_numbers)
            assert await store.database.read(lambda c: c.execute(left).scalar()) == 0
            # Sinch takes its time to tell what the last has cost.
            await StoredRecords(store.database, seal).add(later("late", "leg", **told("p3", 0.3)))
            assert await records.find(RecordFilter()) == []

    asyncio.run(main())


def test_whose_calls_they_are_is_looked_up_by_indexes(database_url: DatabaseUrl) -> None:
    """However many calls there are, none of somebody else is read."""

    def plan(connection: Connection) -> str:
        dialect = connection.dialect
        found = select(call_records).where(had([ANN], dialect.name))
        words = str(found.compile(dialect=dialect, compile_kwargs={"literal_binds": True}))
        explain = "EXPLAIN QUERY PLAN"
        if dialect.name == "postgresql":  # which reads small tables whole, if it may
            connection.execute(text("SET LOCAL enable_seqscan = off"))
            explain = "EXPLAIN"
        return "\n".join(str(row) for row in connection.execute(text(f"{explain} {words}")))

    async def main() -> None:
        async with opened(database_url) as store:
            told = await store.database.read(plan)
            assert "ix_call_records_caller" in told
            assert "ix_call_records_called" in told

    asyncio.run(main())


@both_seals
def test_a_leg_that_is_told_of_before_the_call_line_is_stored(
    database_url: DatabaseUrl, seal: Seal
) -> None:
    """Another process was faster than the one with the journal: it is one record, whole."""

    async def main() -> None:
        async with opened(database_url) as store:
            adds, records = StoredRecords(store.database, seal), CallRecords(store.database, seal)
            await adds.add(later("first", "leg", leg="p3", what="party", to=CLEO))
            await adds.add(later("then", "leg", **told("p2", 0.1)))
            await adds.add(call()[:2])
            (record,) = await records.find(RecordFilter(number=CLEO))
            assert (record.id, record.outcome, record.agent) == ("a", "in progress", "reception")
            assert [leg["leg"] for leg in legs_of(record.data)] == ["p1", "p2", "p3"]
            assert price_of(record.data) == (0.1, "EUR")
            await adds.add(call()[2:])
            (record,) = await records.find(RecordFilter(number=BEN))
            assert (record.outcome, len(await records.events(record))) == ("caller hung up", 5)

    asyncio.run(main())


@both_seals
def test_nobody_had_an_agent_and_the_record_has_them_all(
    database_url: DatabaseUrl, seal: Seal
) -> None:
    """In whatever order its lines are stored."""
    legs = [{"leg": one, "what": "party", "to": to} for one, to in (("p1", ANN), ("p2", BEN))]

    async def main() -> None:
        async with opened(database_url) as store:
            adds, records = StoredRecords(store.database, seal), CallRecords(store.database, seal)
            for name in ("a", "b"):
                about = {"agent": "reception", "called": ANN, "legs": legs}
                ended = line(
                    f"{name}-p", 0, "platform", call_id=name, about=about, **told("p1", 0.1)
                )
                other = line(f"{name}-l", 0, "leg", call_id=name, about=about, **told("p2", 0.2))
                for one in (ended, other) if name == "a" else (other, ended):
                    await adds.add([one])
            found = await records.find(RecordFilter(number=BEN))
            assert [price_of(one.data) for one in found] == [(0.3, "EUR")] * 2
            assert [one.outcome for one in found] == ["not answered"] * 2

    asyncio.run(main())


@both_seals
def test_numbers_go_in_their_time_and_prices_stay(
    database_url: DatabaseUrl, seal: Seal, tmp_path: Path
) -> None:
    """And words before them take no number along."""

    async def main() -> None:
        async with opened(database_url) as store:
            records = await stored(store, seal)
            (record,) = await records.find(RecordFilter())
            settings = PrivacySettings(keep_words=1, keep_numbers=2)
            erasing = Erasing(store.database, seal, tmp_path)
            retention = Retention(settings, store.database, seal, tmp_path, erasing)
            await retention.sweep(record.started + 1.5 * DAY)
            (record,) = await records.find(RecordFilter(number=CLEO))
            assert price_of(record.data) == (0.12, "EUR")
            assert legs_of(record.data)[1]["to"] == BEN
            await retention.sweep(record.started + 2.5 * DAY)
            assert await records.find(RecordFilter(number=CLEO)) == []
            (record,) = await records.find(RecordFilter())
            events = [dict(one.fields) for one in await records.events(record)]
            assert "+1202555012" not in json.dumps([events, dict(record.data)])
            assert price_of(record.data) == (0.12, "EUR")

    asyncio.run(main())


def test_a_new_key_finds_them_too(database_url: DatabaseUrl) -> None:
    """When all is sealed anew, the old one is not needed."""

    async def main() -> None:
        async with opened(database_url) as store:
            await stored(store, KeySeal([OLD]))
            await stored(store, NoSeal(), "b")
            await Resealing(store.database, [NEW, OLD]).run([])
            records = CallRecords(store.database, KeySeal([NEW]))
            for number in (BEN, CLEO, DESK):
                found = await records.find(RecordFilter(number=number))
                assert sorted(one.id for one in found) == ["a", "b"]

    asyncio.run(main())


def test_records_of_the_version_before_are_found_as_they_were(database_url: DatabaseUrl) -> None:
    """It knows no table of numbers, and writes beside us: what it stores has no row there."""

    async def main() -> None:
        async with opened(database_url) as store:
            records = await stored(store, NoSeal())
            gone = text("DELETE FROM call_numbers")
            await store.database.write(lambda c: c.execute(gone))
            assert [one.id for one in await records.find(RecordFilter(number=ANN))] == ["a"]
            assert await records.find(RecordFilter(number=BEN)) == []

    asyncio.run(main())


def test_redaction_leaves_what_a_call_is_found_by() -> None:
    """Numbers of whoever was dialled stay until `privacy.keep_numbers`, as the caller's do."""
    private = PrivateLines(("phone", "card", "identity"))
    legs = [{"leg": "p4111111111111111", "what": "party", "to": BEN}]
    fields = {"caller": ANN, "called": DESK, "legs": legs}
    assert private.take("call", fields) == [("call", fields)]
    for kind, known in (
        ("leg", {"leg": "p4111111111111111", "to": BEN, "what": "party"}),
        ("platform", {"leg": "p4111111111111111", "result": "ANSWERED"}),
        ("party", {"party": "p4111111111111111", "status": "joined"}),
    ):
        assert private.take(kind, known) == [(kind, known)]


TITLES = [
    ("Ann, ann@example.com", "Ann, [e-mail address]"),
    ("Ann +49 30 901820", "Ann [phone number]"),
    ("4111 1111 1111 1111", "[card number]"),
    ("Ann", "Ann"),
]
"""Titles of parties, and what of them is kept: names are not looked for."""


@pytest.mark.parametrize(("title", "kept"), TITLES)
def test_titles_are_redacted_wherever_they_stand(title: str, kept: str) -> None:
    """In the line of who is there, in what the agent says of them, and in what its tools do."""
    private = PrivateLines(("phone", "card", "email"))
    private.take("call", {"caller": ANN, "called": DESK})
    lines: list[tuple[str, dict[str, Any]]] = [
        ("party", {"party": "p1", "title": title, "status": "expected"}),
        ("party", {"party": "p1", "title": title, "status": "joined"}),
        ("agent", {"turn": 1, "text": f"{title} has joined.", "said": "announcement"}),
        ("tool", {"name": "add_party", "result": f"{title} is being called."}),
    ]
    written = [one for kind, fields in lines for one in private.take(kind, fields)]
    for (kind, fields), (was, read) in zip([*written, *private.rest()], lines, strict=True):
        assert kind == was
        assert fields == {
            name: value.replace(title, kept) if isinstance(value, str) else value
            for name, value in read.items()
        }


ANY = st.recursive(
    st.none() | st.booleans() | st.floats() | st.text(max_size=3) | st.integers(),
    lambda inside: (
        st.lists(inside, max_size=3)
        | st.dictionaries(st.sampled_from(["leg", "amount", "currency", "result", "to"]), inside)
    ),
    max_leaves=9,
)


@given(legs=ANY, platform=ANY, fields=st.dictionaries(st.sampled_from(["leg", "amount"]), ANY))
def test_a_record_may_hold_anything(legs: Any, platform: Any, fields: dict[str, Any]) -> None:
    """Journals are files, which anybody may have written: nothing is raised, and it is bounded."""
    data = {"legs": legs, "platform": platform}
    amount, currency = price_of(data)
    assert (amount is not None) or not currency
    assert len(with_leg(data, fields)) <= max(MOST, len(legs_of(data)))


def test_prices_in_two_currencies_have_no_sum() -> None:
    """Nobody knows what they are worth to each other."""
    data = {"platform": told("p1", 0.1), "legs": [told("p2", 0.1, currency="USD")]}
    assert price_of(data) == (None, "")
    assert price_of({"platform": told("p1", None), "legs": []}) == (None, "")
