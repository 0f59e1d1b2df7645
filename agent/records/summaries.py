"""What a language model makes of a call once it is over: a summary, and the fields asked for.

It has all the time there is: one call after the other, when nothing else has too much to do. What
is wanted stands in the record itself, so that it is done whichever process is there to do it.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from math import inf
from typing import Any

import structlog

from agent.personas.afterwards import SUMMARY
from agent.records.call_records import CallRecords
from agent.records.conversation import SpokenTurn, conversation
from agent.records.due_summaries import TAKEN_FOR, DueSummaries
from agent.records.events import CallRecord, RecordedEvent
from agent.records.seals import SealError
from agent.store.errors import StoreError
from pipelines.background import BackgroundTasks
from pipelines.providers.contracts import LanguageModel, ProviderError
from pipelines.providers.prompt import CUT_OFF
from pipelines.stages.context import BYTES_A_TOKEN
from pipelines.stages.forms import Filled, FormFiller, writers
from pipelines.stages.limits import ModelLimits
from pipelines.stages.pool import ProviderPool
from pipelines.stages.usage import Pricing, Usage
from pipelines.tools.forms import Form, schema_mistakes

log = structlog.get_logger()

LOOK_EVERY = 2.0
"""Seconds between two looks for calls that are over."""

AT_ONCE = 2
"""Calls at once, each of which is one request at a time: fewer than a process has calls."""

AGAIN = 300.0
"""Seconds until it is tried again when no provider has answered: the longest cooldown."""

GIVEN_UP = 86_400.0
"""Seconds since the end of a call after which what is not there is missing."""

LONGEST_SUMMARY = 4_000
"""Characters: a page and a half."""

SHORT = "what the caller wanted, what was agreed, and what is left to be done, in a few sentences"
"""What a summary holds, if the agent file does not say."""

NOBODY_WRITES = "no language model in the line-up can write: lookup only says what it was given"
NOTHING_SAID = "the caller said nothing"
NOT_AGREED = "the caller has not agreed to the agent"
ONLY_A_MACHINE = "nobody has answered but a machine"
NOBODY_ANSWERED = "no language model has answered within a day"
SEALED_AWAY = "the key for what was said is not among privacy.keys"
UNUSABLE = "what the agent file wanted cannot be read"

Write = Callable[[CallRecord, str, Mapping[str, Any]], None]
"""Adds a line to the journal of a call that is over: of which record, kind, fields."""


def form_of(wanted: Mapping[str, Any]) -> Form | None:
    """Return the form of what an agent file wants.

    Args:
        wanted: The fields of a ``wanted`` line.

    Returns:
        The form; None if that is none, as in a line of another version.
    """
    extract = wanted.get("extract", {"type": "object", "properties": {}})
    if not isinstance(extract, dict) or not isinstance(extract.get("properties"), dict):
        return None
    if any(schema_mistakes(extract)):
        return None
    schema = dict(extract)
    # What was not said is missing, and a model that has to fill it in would make it up.
    schema.pop("required", None)
    summary = wanted.get("summary")
    if summary:
        holds = summary if isinstance(summary, str) else SHORT
        text = {"type": "string", "minLength": 1, "maxLength": LONGEST_SUMMARY}
        described = {**text, "description": f"Summary of the call: {holds}"}
        schema["properties"] = {SUMMARY: described, **schema["properties"]}
    return Form(schema) if schema["properties"] else None


@dataclass(frozen=True, slots=True, kw_only=True)
class SummaryModel:
    """Who writes summaries, and by which rules."""

    pool: ProviderPool[LanguageModel]
    limits: ModelLimits
    pricing: Pricing
    busy: Callable[[], bool]
    """Whether calls need all there is, so that nothing is begun."""


class Summaries:
    """Writes summaries of calls that are over; see :meth:`run`.

    Args:
        due: Which calls want one.
        records: What was said in them.
        model: Who writes them.
        write: Where they go.
    """

    def __init__(
        self, due: DueSummaries, records: CallRecords, model: SummaryModel, write: Write
    ) -> None:
        self._due = due
        self._records = records
        self._model = model
        self._write = write
        self._filler = FormFiller(model.pool, model.limits.max_history * BYTES_A_TOKEN)
        self._doing: dict[str, CallRecord] = {}

    async def run(self) -> None:
        """Write what is due, until this is cancelled, which is safe: it is due again then."""
        background = BackgroundTasks()
        try:
            while True:
                room = AT_ONCE - len(self._doing)
                if room and not self._model.busy():
                    for record in await self._taken(room):
                        self._doing[record.id] = record
                        background.start(self._summarise(record), "summary of a call")
                await asyncio.sleep(LOOK_EVERY)
        finally:
            await background.aclose()

    async def _taken(self, most: int) -> Sequence[CallRecord]:
        try:
            return await self._due.take(most)
        except StoreError:  # the database has logged it
            return []

    async def _summarise(self, record: CallRecord) -> None:
        done = False
        try:
            events = await self._records.events(record)
            done = await self._written(record, events)
        except SealError as error:
            await self._give_up(record, error)
            done = True
        except StoreError:  # the database has logged it
            log.warning("a summary waits for the database")
        finally:
            del self._doing[record.id]
            if not done:
                await self._put_off(record)

    async def _give_up(self, record: CallRecord, why: SealError) -> None:
        """Have it due no more: the key for what was said is lost."""
        log.warning("a call has no summary", record=record.id, reason=str(why))
        try:
            await self._due.give_up(record.id)
        except StoreError:
            log.warning("a summary is due again later", seconds=TAKEN_FOR)
            return
        if record.data:  # else nothing can be stored of it any more
            self._write_summary(record, Filled(fields={}, missing={SUMMARY: SEALED_AWAY}))

    async def _put_off(self, record: CallRecord) -> None:
        task = asyncio.current_task()
        stopped = task is not None and task.cancelling()  # by the end of this process
        try:
            await self._due.put_off(record, 0.0 if stopped else AGAIN)
        except StoreError:
            log.warning("a summary is due again later", seconds=TAKEN_FOR)

    async def _written(self, record: CallRecord, events: Sequence[RecordedEvent]) -> bool:
        """Write the lines of one call; return False if nobody of those who can has answered."""
        said = [one for one in conversation(events) if one.text.strip()]
        wanted = next((event.fields for event in events if event.kind == "wanted"), {})
        form, agreed = form_of(wanted), _agreed(events) if wanted.get("after_consent") else -inf
        said = [one for one in said if agreed is not None and (one.at or 0.0) >= agreed]
        why = self._why_not(record, said) if form is not None else UNUSABLE
        why = NOT_AGREED if agreed is None else why
        why = why or (ONLY_A_MACHINE if _was_a_machine(events) else "")
        if form is None or why:
            names = form.names if form is not None else (SUMMARY,)
            self._write_summary(record, Filled(fields={}, missing=dict.fromkeys(names, why)))
            return True
        usage = Usage()
        lines = [{"who": one.who, "said": _marked(one)} for one in said]
        language = str(record.data.get("language", ""))
        try:
            filled = await self._filler.fill(form, lines, language, usage)
        except ProviderError:  # each is logged
            return False
        finally:
            for used in usage.lines(self._model.pricing):
                self._write(record, "usage", {**used, "for": SUMMARY})
        self._write_summary(record, filled)
        return True

    def _why_not(self, record: CallRecord, said: Sequence[SpokenTurn]) -> str:
        """Return why nobody is asked about a call; ``""`` if somebody is."""
        if not any(one.who == "caller" for one in said):
            return NOTHING_SAID
        if not writers(self._model.pool):
            return NOBODY_WRITES
        late = time.time() - (record.ended or 0.0) > GIVEN_UP
        return NOBODY_ANSWERED if late else ""

    def _write_summary(self, record: CallRecord, filled: Filled) -> None:
        fields = dict(filled.fields)
        line: dict[str, Any] = {"text": fields.pop(SUMMARY)} if SUMMARY in fields else {}
        line |= {"fields": fields, "missing": dict(filled.missing)}
        line |= {"shortened": True} if filled.shortened else {}
        self._write(record, SUMMARY, line)


def _agreed(events: Sequence[RecordedEvent]) -> float | None:
    """Return when the caller has agreed to the agent, in seconds; None if they have not.

    What was said before is for no model. The last line holds: a machine may have agreed before.
    """
    asked = [one for one in events if one.kind == "consent"]
    return asked[-1].at if asked and asked[-1].fields.get("status") == "given" else None


def _was_a_machine(events: Sequence[RecordedEvent]) -> bool:
    """Return whether the agent has heard that no person has answered: then no model is shown it."""
    who = [one.fields for one in events if one.kind == "screened" and "why" in one.fields]
    return bool(who) and who[-1].get("answerer") in ("machine", "screener")


def _marked(one: SpokenTurn) -> str:
    said = one.text.strip()
    return f"{said} {CUT_OFF}" if one.cut_off else said
