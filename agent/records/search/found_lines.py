"""In which line of a record it stands what was searched for."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import replace

from agent.records.call_records import CallRecords, RecordFilter
from agent.records.conversation import whole_replies
from agent.records.events import CallRecord, RecordedEvent
from agent.records.search.search_words import Question, matches, words_of

SAID = ("caller", "agent", "summary")
"""Kinds of lines in which words stand."""


async def found_lines(
    records: CallRecords,
    wanted: RecordFilter,
    found: Sequence[CallRecord],
    *,
    lines_of_each: int | None = None,
) -> dict[int, RecordedEvent]:
    """Return, by number of the record, the line in which most of the words stand, the first.

    Its ``language`` is that in which the words were found.

    Args:
        records: Where they are read from.
        wanted: What was asked for; without words, no line was.
        found: The records.
        lines_of_each: Most lines that are looked at of a record; None for all.

    Raises:
        StoreError: If the database fails.
    """
    asked = await records.asked(wanted)
    if not asked:
        return {}
    lines = {}
    for record in found:
        events = await records.events(record, limit=lines_of_each)
        line = await asyncio.to_thread(_best, record, events, asked)  # calls go on meanwhile
        if line is not None:
            lines[record.number] = line
    return lines


def _best(
    record: CallRecord, events: Sequence[RecordedEvent], asked: Question
) -> RecordedEvent | None:
    best, most = None, 0
    for event in whole_replies(events):
        if event.kind not in SAID:
            continue
        language = event.fields.get("language") or record.data.get("language") or ""
        stand = matches(words_of(str(event.fields.get("text", "")), str(language)), asked)
        if stand > most:
            fields = {**event.fields, "language": str(language)}
            best, most = replace(event, fields=fields), stand
    return best
