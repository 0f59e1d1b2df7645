"""What the operator's interface has of what is kept: to tell of it, and to erase it."""

from __future__ import annotations

from dataclasses import dataclass

from agent.server.erasure import RecordErasure
from agent.server.operator.call_answers import CallAnswers
from agent.server.operator.opt_out_answers import OptOutAnswers
from agent.server.operator.recording_answers import RecordingAnswers


@dataclass(frozen=True, slots=True, kw_only=True)
class OperatorRecords:
    """What answers when records are asked for."""

    answers: CallAnswers
    recording: RecordingAnswers
    """Hands out recordings."""

    erasure: RecordErasure | None = None
    """None without a database."""

    opt_outs: OptOutAnswers | None = None
    """Tells who wants no more calls; None without a database."""
