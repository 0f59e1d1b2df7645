"""What was said in a call, as text that people read: a paragraph for each stretch of speech."""

from __future__ import annotations

from collections.abc import Iterator

from agent.records.conversation import SpokenTurn, conversation
from agent.records.exports.captions import VOICES
from agent.records.exports.pages import WholeCall
from agent.records.values import iso, number


def plain_text(call: WholeCall) -> str:
    """Return the transcript of a call; times are minutes and seconds since the answer.

    Behind what the agent was not heard to say stands that it was not.
    """
    record = call.record
    head = [
        f"Call {record.id}, {record.direction}, {iso(record.started)}",
        f"Agent {record.agent}, {record.outcome}",
    ]
    return "\n".join([*head, "", *_paragraphs(call)]) + "\n"


def _paragraphs(call: WholeCall) -> Iterator[str]:
    for one in conversation(call.events):
        text = " ".join(one.text.split())
        parts = [text] if text else []
        if one.unheard:
            parts.append(f"[not heard: {' '.join(one.unheard.split())}]")
        if parts:
            yield f"{_clock(one)}  {VOICES[one.who]}: {' '.join(parts)}".replace("\0", "\ufffd")


def _clock(turn: SpokenTurn) -> str:
    at = number(turn.at)
    minutes, seconds = divmod(int(max(0.0, at or 0.0)), 60)
    return "  ?  " if at is None else f"{minutes:2}:{seconds:02}"
