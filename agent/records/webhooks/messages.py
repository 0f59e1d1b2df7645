"""Which lines of a journal are told, and as what."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from agent.records.events import CallRecord, RecordedEvent
from agent.records.turns import spoken_turns
from agent.records.values import iso, plain_json
from agent.settings.webhooks import WebhookEvent
from pipelines.encodable import encodable

OF_THE_CALL = ("call_id", "direction", "agent", "caller", "called", "dialled")
"""Fields of the ``call`` line that are in every message."""


def event_of(kind: str, fields: Mapping[str, Any]) -> WebhookEvent | None:
    """Return what a line is told as; None if it is not.

    Args:
        kind: Of the line.
        fields: Of the line.
    """
    if kind == "call" and not fields.get("agent"):
        return None  # nobody has answered it
    return _EVENTS.get(kind) or _EVENTS.get(f"{kind} {fields.get('status')}")


_EVENTS: Mapping[str, WebhookEvent] = {
    "call": "call.started",
    "ended": "call.ended",
    "platform": "call.settled",
    "transfer done": "call.transferred",
    "recording stored": "call.recorded",
    "summary": "call.summarized",
}
"""By the kind of a line, or its kind and status."""


def message(
    event: WebhookEvent,
    record: CallRecord,
    line: RecordedEvent,
    conversation: Sequence[RecordedEvent] | None,
    told_at: float | None = None,
) -> bytes:
    """Return the body of a message: ``type``, ``timestamp`` and ``data``.

    It is the same whenever it is made, whatever has become of the call meanwhile.

    Args:
        event: What it is.
        record: Of the call.
        line: Of its journal, which is told.
        conversation: All lines of the call; None if nothing that was said is to be in it.
        told_at: When the line was written, in Unix time, if its journal says so: the time of what
            comes after the call.
    """
    # Of a call that nobody answered there is no more than what the platform says.
    began = {**line.fields, **record.data} if event == "call.settled" else record.data
    data = {
        "id": record.id,
        **{name: began[name] for name in OF_THE_CALL if name in began},
        "started": iso(record.started),
        **_FIELDS[event](record, line, conversation),
    }
    at = record.started + line.at if line.at is not None else max(told_at or 0.0, record.started)
    content = {"type": event, "timestamp": iso(at), "data": plain_json(data)}
    return encodable(json.dumps(content, ensure_ascii=False, separators=(",", ":"))).encode()


def message_id(endpoint: str, journal: str, line: int) -> str:
    """Return what a message is recognised by: the same however often it is sent."""
    name = f"{endpoint}\n{journal}\n{line}"
    return f"msg_{hashlib.sha256(name.encode('utf-8', 'surrogatepass')).hexdigest()[:32]}"


Conversation = Sequence[RecordedEvent] | None
_Fields = Callable[[CallRecord, RecordedEvent, Conversation], Mapping[str, Any]]


def _chosen(*names: str) -> _Fields:
    def choose(_record: CallRecord, line: RecordedEvent, _said: Conversation) -> dict[str, Any]:
        return {name: line.fields[name] for name in names if name in line.fields}

    return choose


def _ended(record: CallRecord, line: RecordedEvent, said: Conversation) -> dict[str, Any]:
    fields = {
        "ended": iso(record.started + (line.at or 0.0)),
        "seconds": line.at,
        "outcome": record.outcome,
        **_chosen("reason", "hung_up_by", "close_code")(record, line, said),
    }
    if said is not None:
        fields["conversation"] = [
            {"who": one.who, "text": one.text, "at": one.at, "until": one.until}
            for one in spoken_turns(said)
        ]
    return fields


def _summarized(record: CallRecord, line: RecordedEvent, said: Conversation) -> Mapping[str, Any]:
    words = () if said is None else ("text", "fields")
    return _chosen(*words, "missing")(record, line, said)


_FIELDS: Mapping[WebhookEvent, _Fields] = {
    "call.started": _chosen("agent_version", "language"),
    "call.ended": _ended,
    "call.settled": _chosen("result", "reason", "seconds", "amount", "currency"),
    "call.transferred": _chosen("to"),
    "call.recorded": _chosen("file", "began", "seconds"),
    "call.summarized": _summarized,
}
