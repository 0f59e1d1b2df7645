"""Summaries of calls that are over: asked for when there is time, and once."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Callable, Coroutine, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from sqlalchemy import select, update

from agent.records import summaries
from agent.records.call_records import CallRecords
from agent.records.conversation import conversation
from agent.records.due_summaries import DueSummaries
from agent.records.events import CallRecord, JournalLine, RecordedEvent
from agent.records.seals import KeySeal, NoSeal
from agent.records.stored_records import StoredRecords
from agent.records.summaries import Summaries, SummaryModel, form_of
from agent.settings.database import DatabaseUrl
from agent.store.record_tables import call_events, call_records
from agent.store.store import opened
from pipelines.conversation import Tokens, ToolCall
from pipelines.stages.forms import TOOL
from pipelines.stages.limits import ModelLimits
from pipelines.stages.pool import ProviderPool
from pipelines.stages.usage import Price, Pricing
from tests.agent.records.test_seals import OLD
from tests.pipelines.stages.scripted import Model, broken

WANTED = {
    "summary": True,
    "extract": {"type": "object", "properties": {"guests": {"type": "integer"}}},
}
ANSWER = [ToolCall(TOOL, {"summary": "A table was booked.", "guests": 4}), Tokens(1_000, 50)]
PRICING = Pricing(currency="EUR", providers={"m": Price(input=2.0, output=10.0)})


def journal(
    name: str, *said: str, wanted: Mapping[str, Any] | None = WANTED, ago: float = 60.0
) -> list[JournalLine]:
    """Return the lines of a call that is over, in which the caller said this."""
    started = (datetime.now(UTC) - timedelta(seconds=ago)).isoformat()
    lines: list[tuple[str, float | None, dict[str, Any]]] = [
        ("call", None, {"id": name, "call_id": f"sinch-{name}", "agent": "a", "started": started}),
        *([("wanted", None, dict(wanted))] if wanted else []),
        ("agent", 0.1, {"turn": 1, "text": "Hello.", "until": 1.0}),
        *(("caller", 2.0 + n, {"turn": n + 2, "text": text}) for n, text in enumerate(said)),
        ("agent", 3.5, {"turn": 2, "text": "A table for", "cut_off": True}),
        ("ended", 5.5, {"reason": "the caller hung up"}),
    ]
    return [
        JournalLine(journal=name, line=n, kind=kind, at=at, fields=fields)
        for n, (kind, at, fields) in enumerate(lines)
    ]


@dataclass
class Bench:
    """A database, and what writes summaries into it; lines come back as the loader brings them."""

    stored: StoredRecords
    records: CallRecords
    due: DueSummaries
    pool: ProviderPool[Any]
    lines: list[tuple[str, str, Mapping[str, Any]]] = field(default_factory=list)
    busy: bool = False
    wrote: asyncio.Event = field(default_factory=asyncio.Event)

    def write(self, record: CallRecord, kind: str, fields: Mapping[str, Any]) -> None:
        self.lines.append((record.id, kind, fields))
        if kind == "summary":
            self.wrote.set()

    def summaries(self) -> Summaries:
        model = SummaryModel(
            pool=self.pool, limits=ModelLimits(), pricing=PRICING, busy=lambda: self.busy
        )
        return Summaries(self.due, self.records, model, self.write)

    @asynccontextmanager
    async def running(self) -> AsyncIterator[None]:
        task = asyncio.ensure_future(self.summaries().run())
        try:
            yield
        finally:
            task.cancel()
            await asyncio.wait([task])

    async def load(self) -> None:
        """Store the lines that were written, as the loader does."""
        for number, (name, kind, fields) in enumerate(self.lines, 100):
            line = JournalLine(journal=name, line=number, kind=kind, at=None, fields=fields)
            await self.stored.add([line])

    async def is_due(self) -> list[str]:
        return [record.id for record in await self.due.take(10)]


@pytest.fixture
def bench(
    database_url: DatabaseUrl, monkeypatch: pytest.MonkeyPatch
) -> Callable[[Callable[[Bench], Coroutine[Any, Any, None]], Any], None]:
    monkeypatch.setattr(summaries, "LOOK_EVERY", 0.01)

    def run(
        main: Callable[[Bench], Coroutine[Any, Any, None]], *models: Any, name: str = "m"
    ) -> None:
        async def opening() -> None:
            async with asyncio.timeout(30), opened(database_url) as store:
                records = CallRecords(store.database, NoSeal())
                await main(
                    Bench(
                        stored=StoredRecords(store.database, NoSeal()),
                        records=records,
                        due=DueSummaries(store.database, records),
                        pool=ProviderPool("llm", [(name, model) for model in models]),
                    )
                )

        asyncio.run(opening())

    return run


Run = Callable[..., None]


def test_a_call_that_is_over_gets_its_summary(bench: Run) -> None:
    """And what it cost, once: as lines of its journal, found in its record."""
    model = Model(ANSWER)

    async def main(it: Bench) -> None:
        await it.stored.add(journal("a", "A table for four, please."))
        await it.stored.add(journal("b", "Nobody wants to know of me.", wanted=None))
        async with it.running():
            await it.wrote.wait()
        assert [(name, kind) for name, kind, _ in it.lines] == [("a", "usage"), ("a", "summary")]
        await it.load()
        await it.load()
        record = await it.records.get("a")
        assert record is not None
        assert record.data["summary"] == {
            "at": None,
            "text": "A table was booked.",
            "fields": {"guests": 4},
            "missing": {},
        }
        (usage,) = [one for one in record.data["usage"] if one.get("for") == "summary"][:1]
        assert (usage["provider"], usage["cost"], usage["currency"]) == ("m", 0.0025, "EUR")
        assert await it.is_due() == []
        # Its journal may be read once more after that.
        await it.stored.add(journal("a", "A table for four, please."))
        assert await it.is_due() == []

    bench(main, model)
    assert len(model.asked) == 1
    shown = model.asked[0][0].text
    assert "four" in shown
    assert "A table for —" in shown  # the caller heard no more


def test_a_call_in_progress_waits_for_its_end(bench: Run) -> None:
    """Nothing is asked while somebody may still talk."""

    async def main(it: Bench) -> None:
        lines = journal("a", "Hello?")
        await it.stored.add(lines[:-1])
        assert await it.is_due() == []
        await it.stored.add(lines[-1:])
        assert await it.is_due() == ["a"]

    bench(main, Model(ANSWER))


def test_two_processes_do_not_ask_twice(bench: Run) -> None:
    """Who takes a record has it; it is due again only if nothing came of it."""

    async def main(it: Bench) -> None:
        for n in range(8):
            await it.stored.add(journal(f"r{n}", "Hello?"))
        taken = await asyncio.gather(*(it.due.take(2) for _ in range(4)))
        names = sorted(record.id for some in taken for record in some)
        assert len(set(names)) == len(names)
        rest = [name for name in await it.is_due() if name in names]
        assert rest == []
        await it.due.put_off(taken[0][0], 0.0)
        assert await it.is_due() == [taken[0][0].id]

    bench(main, Model(ANSWER))


def test_a_process_that_stops_leaves_it_to_the_next(bench: Run) -> None:
    """What was begun is asked again, at once, by whoever is there."""

    async def main(it: Bench) -> None:
        await it.stored.add(journal("a", "Hello?"))
        async with it.running():
            while not model.asked:  # noqa: ASYNC110
                await asyncio.sleep(0.01)
        assert it.lines == [("a", "usage", it.lines[0][2])]
        async with it.running():
            await it.wrote.wait()
        assert it.lines[-1][2]["fields"] == {"guests": 4}

    model = Model([3600.0], ANSWER)
    bench(main, model)


@pytest.mark.parametrize(
    ("said", "name", "ago", "why"),
    [
        ((), "m", 60.0, "the caller said nothing"),
        (("Hello?",), "lookup", 60.0, "no language model in the line-up can write"),
        (("Hello?",), "m", 200_000.0, "no language model has answered within a day"),
    ],
)
def test_nobody_is_asked_in_vain(
    bench: Run, said: tuple[str, ...], name: str, ago: float, why: str
) -> None:
    """All that was wanted is marked as missing, with why."""
    model = Model(ANSWER)

    async def main(it: Bench) -> None:
        await it.stored.add(journal("a", *said, ago=ago))
        async with it.running():
            await it.wrote.wait()
        ((_, _, line),) = it.lines
        assert line["fields"] == {}
        assert line["missing"].keys() == {"summary", "guests"}
        assert all(one.startswith(why) for one in line["missing"].values())

    bench(main, model, name=name)
    assert model.asked == []


BY_A_MACHINE = ("given", "refused")


@pytest.mark.parametrize(
    "answers", [("given",), ("refused",), (), BY_A_MACHINE, (*BY_A_MACHINE, "given")]
)
def test_what_was_said_before_consent_is_shown_to_nobody(
    bench: Run, answers: tuple[str, ...]
) -> None:
    """Without a yes no model is asked at all; after the last word on it, about what came then."""
    answer = answers[-1] if answers else None
    model = Model(ANSWER)

    async def main(it: Bench) -> None:
        wanted = {**WANTED, "after_consent": True}
        lines = journal("a", "My secret.", "Yes.", "A table for four.", wanted=wanted)
        for n, status in enumerate(answers):
            at = 3.2 - (len(answers) - n - 1) * 0.5
            fields = {"status": status, "by": "word"}
            line = JournalLine(journal="a", line=90 + n, kind="consent", at=at, fields=fields)
            lines.insert(-1, line)
        await it.stored.add(lines)
        async with it.running():
            await it.wrote.wait()
        if answer != "given":
            ((_, _, line_of),) = it.lines
            assert set(line_of["missing"].values()) == {"the caller has not agreed to the agent"}

    bench(main, model)
    assert bool(model.asked) == (answer == "given")
    if model.asked:
        shown = model.asked[0][0].text
        assert "four" in shown
        assert "secret" not in shown
        assert "Yes." not in shown


def test_providers_that_fail_are_asked_again_later(bench: Run) -> None:
    """Nothing is written meanwhile but what it cost."""

    async def main(it: Bench) -> None:
        await it.stored.add(journal("a", "Hello?"))
        async with it.running():
            while not it.lines:  # noqa: ASYNC110
                await asyncio.sleep(0.01)
        assert [kind for _, kind, _ in it.lines] == ["usage"]
        assert await it.is_due() == []
        record = await it.records.get("a")
        assert record is not None
        await it.due.put_off(record, 0.0)
        async with it.running():
            await it.wrote.wait()

    bench(main, Model([broken()], ANSWER))


def test_calls_come_first(bench: Run) -> None:
    """While there is too much to do, nothing is begun."""
    model = Model(ANSWER)

    async def main(it: Bench) -> None:
        it.busy = True
        await it.stored.add(journal("a", "Hello?"))
        async with it.running():
            await asyncio.sleep(0.1)
            assert model.asked == []
            it.busy = False
            await it.wrote.wait()

    bench(main, model)


@pytest.mark.parametrize(
    "wanted",
    [{}, {"extract": 3}, {"extract": {"type": "object", "properties": {"a": {"type": "strin"}}}}],
)
def test_what_another_version_wanted_is_no_form(wanted: Mapping[str, Any]) -> None:
    """It is marked as missing, and nothing breaks."""
    assert form_of(wanted) is None


def test_what_has_to_be_there_is_not_told_to_the_model() -> None:
    """It would make something up."""
    schema = {"type": "object", "properties": {"a": {"type": "string"}}, "required": ["a"]}
    form = form_of({"extract": schema, "summary": "The order, in one line."})
    assert form is not None
    assert "required" not in form.schema
    assert "The order, in one line." in form.schema["properties"]["summary"]["description"]


def test_the_conversation_is_as_heard() -> None:
    """In the order of speech; sentences where the reply's own line was never written."""
    lines: list[tuple[str, float, dict[str, Any]]] = [
        ("heard", 0.1, {"turn": 1, "text": "Hello.", "until": 0.6}),
        ("agent", 0.1, {"turn": 1, "text": "Hello.", "cut_off": False}),
        ("tool", 1.0, {"name": "x", "result": "secret"}),
        ("agent", 4.0, {"turn": 2, "text": "At nine.", "unheard": "And on Sundays not."}),
        ("understood", 2.0, {"text": "When", "until": 2.4}),
        ("caller", 2.0, {"turn": 2, "text": "When?", "until": 2.5}),
        ("understood", 4.5, {"text": "Yeah.", "until": 4.9, "so_far": True}),
        ("backchannel", 4.5, {"text": "Yeah.", "until": 4.9}),
        ("heard", 7.0, {"turn": 3, "text": "I was going to", "until": 8.0}),
        ("caller", 6.0, {"turn": 3, "text": " "}),
        ("understood", 8.0, {"text": "No, the", "until": 8.5, "so_far": True}),
        ("understood", 8.0, {"text": "No, the other one.", "until": 9.5}),
    ]
    events = [
        RecordedEvent(id=n, kind=kind, at=at, fields=fields)
        for n, (kind, at, fields) in enumerate(lines)
    ]
    said = [(one.who, one.text) for one in conversation(events) if one.text.strip()]
    assert said == [
        ("agent", "Hello."),
        ("caller", "When?"),
        ("agent", "At nine."),
        ("agent", "I was going to"),
        ("caller", "No, the other one."),
    ]


def test_taking_nothing_writes_nothing(bench: Run) -> None:
    """A look that finds nothing costs an index, and locks no database."""

    async def main(it: Bench) -> None:
        began = time.perf_counter()
        for _ in range(20):
            assert await it.is_due() == []
        assert time.perf_counter() - began < 5

    bench(main)


@pytest.mark.parametrize("sealed", ["record", "words"])
def test_what_no_key_opens_is_given_up(bench: Run, sealed: str) -> None:
    """It holds up no other, and is not tried for ever; what can be put on its record is."""
    due = select(call_records.c.id).where(call_records.c.summary_due.is_not(None))
    hidden = KeySeal([OLD]).hide("{}")

    async def main(it: Bench) -> None:
        await it.stored.add(journal("a", "Hello?"))
        lost: Any = update(call_records if sealed == "record" else call_events)
        await it.due._database.write(lambda c: c.execute(lost.values(data=hidden)))
        await it.stored.add(journal("b", "A table for four, please."))
        writing = it.summaries()
        for record in await writing._taken(10):
            writing._doing[record.id] = record
            await writing._summarise(record)
        left = await it.due._database.write(lambda c: c.execute(due).scalars().all())
        assert list(left) == ["b"], "until what was written is stored"
        told = [(name, fields["missing"]) for name, kind, fields in it.lines if kind == "summary"]
        given_up = [("a", {"summary": summaries.SEALED_AWAY})] if sealed == "words" else []
        assert told == [*given_up, ("b", {})]

    bench(main, Model(ANSWER))


@pytest.mark.parametrize("answerers", [("machine",), ("human", "machine"), ("screener",)])
def test_what_was_said_with_a_machine_is_shown_to_no_model(
    bench: Run, answerers: tuple[str, ...]
) -> None:
    """That nobody else has answered is the reason; a person who came is summarised as any."""
    model = Model(ANSWER)

    def lines(name: str, *found: str) -> list[JournalLine]:
        every = journal(name, "Leave a message.")
        screened = [
            JournalLine(
                journal=name,
                line=len(every) + n,
                kind="screened",
                at=2.0 + n,
                fields={"by": "ears", "answerer": who, "why": "words"},
            )
            for n, who in enumerate(found)
        ]
        return [*every, *screened]

    async def main(it: Bench) -> None:
        await it.stored.add(lines("a", *answerers))
        async with it.running():
            await it.wrote.wait()
        why = "nobody has answered but a machine"
        assert set(it.lines[0][2]["missing"].values()) == {why}
        assert model.asked == []
        it.wrote.clear()
        await it.stored.add(lines("b", *answerers, "human"))
        async with it.running():
            await it.wrote.wait()
        assert len(model.asked) == 1

    bench(main, model)
