"""Which lines of a journal are told, and as what."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from agent.records.conversation import conversation
from agent.records.events import CallRecord, RecordedEvent
from agent.records.legs import charged_legs, is_settled, price_of
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
    came: float | None = None,
) -> bytes:
    """Return the body of a message: ``type``, ``timestamp`` and ``data``.

    It is the same whenever it is made, whatever has become of the call meanwhile; but what a call
    has cost is told as it is known when it is made.

    Args:
        event: What it is.
        record: Of the call.
        line: Of its journal, which is told.
        conversation: All lines of the call; None if nothing that was said is to be in it.
        came: Unix time at which the line was written, if that was after the call.
    """
    # Of a call that nobody answered there is no more than what the platform says.
    began = {**line.fields, **record.data} if event == "call.settled" else record.data
    data = {
        "id": record.id,
        **{name: began[name] for name in OF_THE_CALL if name in began},
        "started": iso(record.started),
        **_FIELDS[event](record, line, conversation),
    }
    late = came if line.at is None else None  # which is on no call's clock
    at = record.started + (line.at or 0.0) if late is None else late
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
            for one in conversation(said)
        ]
    return fields


def _settled(record: CallRecord, _line: RecordedEvent, _said: Conversation) -> Mapping[str, Any]:
    """Return how the platform says it was; the price is that of all legs of which it has told."""
    data, legs = record.data, list(charged_legs(record.data))
    platform = data.get("platform")
    last = platform if isinstance(platform, dict) else {}
    amount, currency = price_of(data)
    known = ("what", "to", "result", "reason", "seconds", "amount", "currency")
    return {
        **{name: last[name] for name in ("result", "reason", "seconds") if name in last},
        "amount": amount,
        "currency": currency,
        "complete": is_settled(data),
        "legs": [{name: leg[name] for name in known if name in leg} for leg in legs],
    }


def _summarized(record: CallRecord, line: RecordedEvent, said: Conversation) -> Mapping[str, Any]:
    words = () if said is None else ("text", "fields")
    return _chosen(*words, "missing")(record, line, said)


_FIELDS: Mapping[WebhookEvent, _Fields] = {
    "call.started": _chosen("agent_version", "language"),
    "call.ended": _ended,
    "call.settled": _settled,
    "call.transferred": _chosen("to"),
    "call.recorded": _chosen("file", "began", "seconds"),
    "call.summarized": _summarized,
}
