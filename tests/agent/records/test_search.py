"""What was said is found: in every language, by whatever people type, on both databases."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sqlalchemy import text

from agent.records.call_records import CallRecords, RecordFilter
from agent.records.events import JournalLine
from agent.records.seals import KeySeal, NoSeal, Seal
from agent.records.search import words_index
from agent.records.search.search_words import QuestionError, matches, question, words_of
from agent.records.stored_records import StoredRecords
from agent.settings.database import DatabaseUrl
from agent.store.engine import Database
from agent.store.store import opened
from tests.agent.records.test_seals import NEW

NOON = datetime(2026, 11, 26, 12, tzinfo=UTC).timestamp()

CALLS = {
    "en": ("en-US", "Do you have tables for the bookings of Ann's parties?", "We don't."),
    "de": ("de", "Ich möchte die Öffnungszeiten der Häuser in der Müllerstraße.", "Gern."),
    "fr": ("fr-FR", "Je voudrais deux réservations à l'hôtel.", "C'est noté."),
    "es": ("es", "Quisiera dos habitaciones para mañana.", "Claro."),
    "pt": ("pt-BR", "Preciso de informações.", "Sim."),
    "ru": ("ru", "Есть ли ещё свободные столики?", "Да."),
    "tr": ("tr", "Kitaplarımızı masaları istiyorum.", "Tamam."),
    "el": ("el", "Θέλω δύο τραπέζια.", "Ναι."),
    "ar": ("ar", "أُريد حجزَ طاولةٍ", "نعم"),
    "he": ("he", "אני רוצה שולחן", "כן"),
    "hi": ("hi", "मुझे एक मेज़ चाहिए", "जी"),
    "ja": ("ja", "明日の予約をお願いします。カフェはありますか", "はい"),
    "zh": ("zh", "我想预订一张桌子", "好的"),
    "th": ("th", "ขอจองโต๊ะสำหรับสองคน", "ได้ค่ะ"),
    "km": ("km", "ខ្ញុំចង់កក់តុ", "បាទ"),
    "ko": ("ko", "내일 예약을 하고 싶어요", "네"),
    "xx": ("", "Number 555-0134, order B12 at 5:30, please. \U0001f600\0", "Keypad: 12#"),
}
"""Of each call its language, what the caller said, and the agent."""

FOUND = {
    "table": "en", "TABLES booking": "en", "ann": "en", '"anns party" ann\'s': None,
    "don't": "en", '"tables for the booking"': "en", '"for tables"': None, "tabl*": "en",
    "öffnungszeit": "de", "Offnungszeiten": "de", "haus": "de", "Muellerstrasse": "de",
    "müllerstraße": "de", "haeuser": "de", "moechte": "de", "öffnungs*": "de",
    "reservation": "fr", "RÉSERVATION hotel": "fr", "l'hôtel": "fr",
    "habitacion": "es", "habitación manana": "es",
    "informacao": "pt", "informação": "pt",
    "столик": "ru", "еще": "ru", "ЕЩЁ СТОЛИКОВ": "ru",
    "kitap": "tr", "masalari": "tr", "masa": "tr",
    "τραπεζια": "el", "ΘΕΛΩ": "el",
    "اريد طاولة": "ar", "حجز": "ar", "שולחן": "he", "मेज़": "hi", "मेज*": "hi",
    "予約": "ja", "明日の予約を": "ja", "ｶﾌｪ": "ja", "約": "ja", "預約": None,
    "桌子": "zh", "想预订": "zh", "子": "zh", "จอง": "th", "โต๊ะ": "th", "កក់": "km", "예약": "ko",
    "5550134": "xx", "555-0134": "xx", "555 0134": "xx", "b12": "xx", "5:30": "xx",
    "keypad 12": "xx", "\U0001f600 please": "xx",
}  # fmt: skip
"""In which call a question is found; None in none."""


SEALS: list[Seal] = [NoSeal(), KeySeal([NEW])]


@dataclass
class Desk:
    """Records, and who writes them."""

    database: Database
    records: CallRecords
    stored: StoredRecords
    began: int = 0

    async def call(self, name: str, lines: Sequence[tuple[str, str]], **about: Any) -> None:
        """Store a call, each a second after the one before; it ends unless ``open``."""
        started = datetime.fromtimestamp(NOON + self.began, UTC).isoformat()
        self.began += 1
        ends = not about.pop("open", False)
        call: dict[str, Any] = {
            "id": name, "call_id": f"sinch-{name}", "agent": "reception", "caller": "+15550000001",
            "called": "+15550000002", "direction": "incoming", "started": started,
        }  # fmt: skip
        await self.stored.add(journal(name, call | about, lines, ends=ends))

    async def all_calls(self) -> None:
        for name, (language, caller, agent) in CALLS.items():
            await self.call(name, [("caller", caller), ("agent", agent)], language=language)

    async def find(self, words: str, **given: Any) -> list[str]:
        """Return the ids of the records in which words were said."""
        found = await self.records.find(RecordFilter(words=words, **given))
        return [one.id for one in found]


def journal(
    name: str, call: dict[str, Any], lines: Sequence[tuple[str, str]], *, ends: bool = True
) -> list[JournalLine]:
    every: list[tuple[str, float | None, dict[str, Any]]] = [("call", None, call)]
    every += [(kind, at, {"text": said, "turn": at}) for at, (kind, said) in enumerate(lines, 1)]
    if ends:
        every.append(("ended", 9.0, {"reason": "the caller hung up"}))
    return [
        JournalLine(journal=name, line=n, kind=kind, at=at, fields=fields)
        for n, (kind, at, fields) in enumerate(every)
    ]


@asynccontextmanager
async def desk(url: DatabaseUrl, seal: Seal | None = None) -> AsyncIterator[Desk]:
    seal = seal or NoSeal()
    async with opened(url) as store:
        database = store.database
        yield Desk(database, CallRecords(database, seal), StoredRecords(database, seal))


@pytest.mark.parametrize("seal", SEALS, ids=["plain", "sealed"])
def test_words_are_found_in_every_language(database_url: DatabaseUrl, seal: Seal) -> None:
    """As they are typed: in other forms, without accents, in any case, as phrases, in part."""

    async def main() -> None:
        async with desk(database_url, seal) as d:
            await d.all_calls()
            for words, name in FOUND.items():
                if "*" in words and isinstance(seal, KeySeal):
                    with pytest.raises(QuestionError, match="whole words"):
                        await d.find(words)
                else:
                    assert await d.find(words) == ([name] if name else []), words
            assert await d.find("reservation", language="de") == []
            assert await d.find("reservation", language="fr") == ["fr"]

    asyncio.run(main())


def test_the_line_in_which_it_was_found_is_known() -> None:
    """By the same words."""
    for words, name in FOUND.items():
        if name is not None:
            language, caller, agent = CALLS[name]
            asked = question(words, {one for one, _, _ in CALLS.values()})
            lines = [matches(words_of(said, language), asked) for said in (caller, agent)]
            assert max(lines) == len(asked) or name == "xx", words


NASTY = [
    '"', '""', '" "', "'", "*", "* *", "a*", '"open', "AND", "a AND OR NOT b", "NEAR(a b)", "^a",
    "a:b", "{a}", "-a", "+a", "(a", "a)", "\\", "a\\'b", "'; DROP TABLE call_words; --", "%", "_",
    "\0", "a\0b", "\ud83d", "\U0001f600", "=agent", "words:a", "a . b", "a | b & !c", "a:*", "<->",
    "x" * 10_000, "x " * 5_000, "約" * 1000, "é" * 999, "1 " * 500, '"' + "w " * 400 + '"',
    " ".join(f"w{n}" for n in range(64)), " ".join(f"w{n}" for n in range(65)), "\u0301", "ﷺ" * 90,
]  # fmt: skip


def test_whatever_people_type_is_no_error_of_the_database(database_url: DatabaseUrl) -> None:
    """It is found, or not, or refused in words of ours."""

    async def main() -> None:
        async with desk(database_url) as d:
            await d.all_calls()
            for words in NASTY:
                with suppress(QuestionError):
                    await d.find(words)
            for nasty in ("\0", "\ud800", "'", '"', "x" * 500):
                for field in ("caller", "called", "agent"):
                    assert await d.find("table", **{field: nasty}) == []
                assert await d.records.get(nasty) is None
                assert await d.records.beginning(nasty) == []

    asyncio.run(main())


@settings(max_examples=200, deadline=None)
@given(st.text(max_size=60), st.sampled_from(["", "en", "de", "pt", "th", "tr", "ar"]))
def test_a_text_is_found_by_itself(said: str, language: str) -> None:
    """Whatever it consists of, it is made of words that are found in it."""
    words = words_of(said, language)
    for word in (*words.spoken, *words.besides):
        assert word
        assert word.isprintable()
        assert len(word) <= 32
        assert not set(word) & set(" '\"*\\=.")
    try:
        asked = question(said.replace("*", " "), [language])
    except QuestionError:
        return
    assert matches(words, asked) == len(asked)


def test_filters_go_with_words(database_url: DatabaseUrl) -> None:
    """Each of them, and the outcome as it is now."""

    async def main() -> None:
        async with desk(database_url) as d:
            said = [("caller", "A table, please.")]
            await d.call("a", said, caller="+4930123", agent="sales", language="en")
            await d.call("b", said, direction="outgoing", called="sip:ann@example.com")
            await d.call("c", said, open=True)
            assert await d.find("table") == ["c", "b", "a"]
            assert await d.find("table", caller="+4930123") == ["a"]
            assert await d.find("table", called="sip:ann@example.com") == ["b"]
            assert await d.find("table", agent="sales", caller="+15550000001") == []
            assert await d.find("table", direction="outgoing") == ["b"]
            assert await d.find("table", outcome="in progress") == ["c"]
            assert await d.find("table", since=NOON + 1) == ["c", "b"]
            assert await d.find("table", before=NOON + 1) == ["a"]
            assert await d.find("table", since=NOON + 1, before=NOON + 2) == ["b"]
            ended = JournalLine(
                journal="c", line=2, kind="ended", at=5.0, fields={"reason": "the agent hung up"}
            )
            await d.stored.add([ended])
            assert await d.find("table", outcome="in progress") == []
            assert await d.find("table", outcome="agent hung up") == ["c"]

    asyncio.run(main())


def test_pages_of_what_was_found_hold_each_once(database_url: DatabaseUrl) -> None:
    """The latest first, though calls come in meanwhile, and many began in one moment."""

    async def main() -> None:
        async with desk(database_url) as d:
            for n in range(7):
                d.began = n // 3
                await d.call(f"c{n}", [("caller", "A table, please.")])
            pages: list[str] = []
            after = None
            while page := await d.records.find(RecordFilter(words="table"), after=after, limit=2):
                pages += [one.id for one in page]
                after = (page[-1].started, page[-1].number)
                d.began = 100
                await d.call(f"new{len(pages)}", [("caller", "A table, please.")])
            assert pages == [f"c{n}" for n in range(6, -1, -1)]

    asyncio.run(main())


def test_words_are_added_as_they_come_and_once(database_url: DatabaseUrl) -> None:
    """Lines may come twice and in whatever pieces; no phrase goes from one into the next."""

    async def main() -> None:
        async with desk(database_url) as d:
            said = [("caller", "A green table."), ("agent", "A blue chair.")]
            lines = journal("a", {"id": "a", "started": "2026-11-26T10:00:00+00:00"}, said)
            for piece in (lines[:2], lines[:2], lines[2:3], lines, lines[1:]):
                await d.stored.add(piece)
                assert await d.find('"green table"') == ["a"]
            assert await d.find("green chair") == ["a"]
            assert await d.find('"table a"') == []
            words = text("SELECT CAST(words AS text) FROM call_words")
            row = await d.database.read(lambda c: c.execute(words).scalar_one())
            assert row.count("green") == 1

    asyncio.run(main())


def test_a_reply_that_a_kill_has_cut_is_found_by_what_was_heard(
    database_url: DatabaseUrl,
) -> None:
    """Once; what has a line of its own is found by that."""

    async def main() -> None:
        async with desk(database_url) as d:
            said = [("heard", "We open at ten."), ("heard", "And close at nine.")]
            lines = journal("a", {"id": "a", "started": "2026-11-26T10:00:00+00:00"}, said)
            whole = replace(lines[1], kind="agent", line=10)
            await d.stored.add([lines[0], lines[1], whole])
            await d.stored.add([replace(lines[2], line=11), replace(lines[3], line=12)])
            assert await d.find("close") == ["a"]
            assert await d.find("open") == ["a"]

    asyncio.run(main())


def test_what_a_caller_said_before_a_kill_is_found(database_url: DatabaseUrl) -> None:
    """By what was understood last; what a line of the whole supersedes is not."""

    async def main() -> None:
        async with desk(database_url) as d:
            told = [
                ("understood", "I want a toboggan."),
                ("caller", "I want a table."),
                ("understood", "For eight"),
                ("understood", "For eighteen people."),
            ]
            lines = journal("a", {"id": "a", "started": "2026-11-26T10:00:00+00:00"}, told)
            times = [(1.0, 2.0), (1.0, 2.5), (4.0, 5.0), (4.0, 6.0)]
            timed = [
                replace(line, at=at, fields={**line.fields, "until": until})
                for line, (at, until) in zip(lines[1:5], times, strict=True)
            ]
            await d.stored.add([lines[0], *timed, *lines[5:]])
            assert await d.find("people") == ["a"]
            assert await d.find("eight") == await d.find("toboggan") == []

    asyncio.run(main())


def test_a_long_call_costs_what_it_says(database_url: DatabaseUrl) -> None:
    """While it goes on it is written anew only as it grows; when it ends, all is found."""

    async def main() -> None:
        async with desk(database_url) as d:
            every = [("caller", " ".join(f"word{n}x{k}" for k in range(40))) for n in range(300)]
            lines = journal("a", {"id": "a", "started": "2026-11-26T10:00:00+00:00"}, every)
            written = set()
            upto = text("SELECT upto FROM call_words")
            for at in range(0, 301, 10):
                await d.stored.add(lines[at : at + 10])
                written.add(await d.database.read(lambda c: c.execute(upto).scalar()))
            assert len(written) < 25
            await d.stored.add(lines[301:])
            assert await d.find("word299x39") == ["a"]

    asyncio.run(main())


def test_what_is_removed_is_gone(database_url: DatabaseUrl) -> None:
    """From what is found at once; from the pages of SQLite's index when it is scrubbed."""

    async def main() -> None:
        async with desk(database_url) as d:
            for n in range(20):
                said = "Zanzibar and a table" if n == 7 else "a table"
                await d.call(f"c{n}", [("caller", said)])
            record = await d.records.get("c7")
            assert record is not None
            assert await d.find("zanzibar") == ["c7"]

            async def is_kept() -> bool:
                pages = text("SELECT block FROM call_words_data")
                blocks = await d.database.read(lambda c: [*c.execute(pages).scalars()])
                return any(b"anzibar" in block for block in blocks)

            assert database_url.is_postgresql or await is_kept()
            await d.database.write(lambda c: words_index.remove(c, record.number))
            assert await d.find("zanzibar") == []
            await d.database.scrub()
            assert database_url.is_postgresql or not await is_kept()
            assert len(await d.find("table")) == 19

    asyncio.run(main())
