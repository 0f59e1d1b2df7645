"""What the operator's interface has of records: to tell of them, and to erase them."""

from __future__ import annotations

from dataclasses import dataclass

from agent.server.call_answers import CallAnswers
from agent.server.erasure import RecordErasure
from agent.server.recording_answers import RecordingAnswers


@dataclass(frozen=True, slots=True, kw_only=True)
class OperatorRecords:
    """What answers when records are asked for."""

    answers: CallAnswers
    recording: RecordingAnswers
    """Hands out recordings."""

    erasure: RecordErasure | None = None
    """None without a database."""
