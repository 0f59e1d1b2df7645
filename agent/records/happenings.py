"""What happened in a call beside what was said, in words: a sentence for a line of its record."""

from __future__ import annotations

import json
from collections.abc import Mapping

from agent.records.events import RecordedEvent
from agent.records.legs import LEGS

HAPPENINGS: Mapping[str, tuple[tuple[str, str, str], ...]] = {
    "held": (
        ("stopped, because the caller began to speak", "", ""), (" (", "left", " s were left)"),
    ),
    "resumed": (
        ("went on", "", ""), (": ", "by", ""), (", ", "below", " dB below the caller"),
        (", at ", "level", " dBFS"), (" (silent for ", "after", " s)"),
    ),
    "barge_in": (("talked over, the reply was dropped", "", ""), (": ", "by", "")),
    "backchannel": (
        ("heard meanwhile, not answered: ", "text", ""),
        (" (somebody else, ", "below", " dB below the caller)"),
        (" (somebody else, at ", "level", " dBFS)"),
    ),
    "filler": (("said meanwhile: ", "text", ""),),
    "tool": (
        ("tool ", "name", ""), ("(", "arguments", ")"), (" ", "status", ""),
        (" in ", "seconds", " s"), (": ", "result", ""),
    ),
    "failover": (
        ("", "stage", ": "), ("", "provider", " failed"), (" (", "error", ")"), (" ", "reason", ""),
        ("; ", "to", " took over"),
    ),
    "failed": (
        ("", "stage", " failed, and the reply was lost"), (" (", "error", ")"), (" ", "reason", ""),
    ),
    "transfer": (
        ("transfer", "", ""), (" to ", "to", ""), (": ", "status", ""), (" (", "why", ")"),
        (", by ", "by", ""),
    ),
    "party": (("", "title", ""), (" ", "status", ""), (" (", "why", ")")),
    "disclosed": (("said that it is a machine", "", ""), (", broken off", "cut_off", "")),
    "consent": (("consent ", "status", ""), (", by ", "by", "")),
    "opt_out": (
        ("wants no more calls", "", ""), (", as was known", "known", ""),
        (", which could not be kept", "failed", ""), (" (", "by", ")"),
    ),
    "whisper": (("whispered to the agent", "", ""), (" by ", "by", ""), (": ", "text", "")),
    "screened": (
        ("", "answerer", " answered"), (", by ", "by", ""), (": ", "why", ""),
        (", after ", "seconds", " s"),
    ),
    "beep": (("the machine beeped, for ", "seconds", " s"),),
    "recording": (("recording ", "status", ""), (": ", "file", "")),
    "ended": (
        ("the call ended: ", "reason", ""), (" (hung up by ", "hung_up_by", ")"),
        (", close code ", "close_code", ""), (" ", "close_reason", ""),
    ),
    "platform": (
        ("the platform says: ", "result", ""), (" ", "reason", ""), (", by a ", "answerer", ""),
        (", ", "seconds", " s"), (", ", "amount", ""), (" ", "currency", ""),
    ),
    "leg": (
        ("leg of the call: ", "what", ""), (" ", "to", ""),
        (", told that a machine talks: ", "disclosed", ""), (": ", "result", ""),
        (" ", "reason", ""), (", ", "seconds", " s"), (", ", "amount", ""), (" ", "currency", ""),
    ),
    "summary": (
        ("summary", "", ""), (": ", "text", ""), (" ", "fields", ""),
        ("; missing: ", "missing", ""),
    ),
    "dropped": (("", "lines", " lines could not be written before this one"),),
}  # fmt: skip
"""By kind of line, what it says: fields that are known, each between two texts."""

REASONS: Mapping[tuple[str, str], str] = {
    ("resumed", "backchannel"): "it was a listener's word",
    ("resumed", "noise"): "there were no words in it",
    ("resumed", "background"): "it was somebody else",
    ("resumed", "late"): "what it was came too late",
    ("resumed", "greeting"): "it was a greeting",
    ("barge_in", "words"): "these words want an answer",
    ("barge_in", "length"): "they spoke for long",
    ("barge_in", "keys"): "they pressed keys",
    ("barge_in", "answer"): "they answer the question",
    ("barge_in", "end of ours"): "hardly any of it was left",
    ("transfer", "operator"): "an operator",
    ("transfer", "service"): "itself: they have hung up",
}
"""What decided on a sound over the agent's words, and who on a transfer, by the kind of line and
its ``by``."""


def happening(event: RecordedEvent) -> str:
    """Return one sentence about what happened; of a kind that is not known here, its fields."""
    parts = HAPPENINGS.get(event.kind)
    if parts is None:
        return f"{event.kind}: {fields_of(event.fields)}"
    said = []
    for before, name, behind in parts:
        value = event.fields.get(name) if name else ""
        if name == "by":
            value = REASONS.get((event.kind, str(value)), value)
        if name == "what":
            told = LEGS.get(str(value), str(value))
            value = told if event.fields.get("to") else told.removesuffix(" to")
        if event.kind == "party" and name == "title":
            value = value or "somebody"
        if not name or value not in (None, "", [], {}):
            written = json.dumps(value, ensure_ascii=False) if isinstance(value, dict) else value
            said.append(f"{before}{'' if value is True else written}{behind}")
    return "".join(said)


def fields_of(given: object) -> str:
    """Return fields of a line as ``name value``, with commas; ``""`` if there are none."""
    if not isinstance(given, Mapping):
        return ""
    return ", ".join(f"{key} {value}" for key, value in given.items() if value not in (None, ""))
