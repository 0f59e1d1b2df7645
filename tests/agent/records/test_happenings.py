"""What happened beside what was said, as people read it."""

from __future__ import annotations

from typing import Any

import pytest

from agent.records.events import RecordedEvent
from agent.records.happenings import happening


@pytest.mark.parametrize(
    ("kind", "fields", "told"),
    [
        ("party", {"party": "p1", "title": "Ann", "status": "joined"}, "Ann joined"),
        ("party", {"party": "p1", "status": "dropped"}, "somebody dropped"),
        ("disclosed", {"text": "A machine."}, "said that it is a machine"),
        ("disclosed", {"cut_off": True}, "said that it is a machine, broken off"),
        ("opt_out", {"by": "keys"}, "wants no more calls (keys)"),
        ("opt_out", {"by": "model", "known": True}, "wants no more calls, as was known (model)"),
        (
            "transfer",
            {"to": "desk", "status": "failed", "warm": True, "why": "no answer"},
            "transfer to desk: failed (no answer)",
        ),
        (
            "transfer",
            {"to": "desk", "status": "failed", "by": "operator"},
            "transfer to desk: failed, by an operator",
        ),
        (
            "transfer",
            {"to": "desk", "status": "returned", "by": "service"},
            "transfer to desk: returned, by itself: they have hung up",
        ),
    ],
)
def test_a_line_is_told_as_a_sentence(kind: str, fields: dict[str, Any], told: str) -> None:
    """With somebody for those whose title is not known, and no names of fields."""
    assert happening(RecordedEvent(id=1, kind=kind, at=0.0, fields=fields)) == told
