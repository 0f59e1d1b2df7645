"""What was said in a call as captions of its recording: WebVTT (https://www.w3.org/TR/webvtt1)."""

from __future__ import annotations

import textwrap
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from agent.records.conversation import SpokenPart, SpokenTurn, conversation
from agent.records.events import RecordedEvent
from agent.records.exports.pages import WholeCall
from agent.records.values import iso, number
from pipelines.text import sentences

LONGEST = 84
"""Characters of a caption: two lines of 42, as broadcasters have it. What is longer is split at its
sentences, and within one only if it alone is twice as long."""

CHARACTERS_A_SECOND = 15.0
"""Of speech, where it is not known how long it lasted."""

SHORTEST = 0.001
"""Seconds of a caption: its end is behind its beginning, in milliseconds."""

LATEST = 360_000.0
"""Seconds; what is said to have been later than hours has no time that can be believed."""

VOICES = {"caller": "Caller", "agent": "Agent"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Caption:
    """A cue: seconds of the recording, who, and words."""

    start: float
    end: float
    who: str
    text: str


def webvtt(call: WholeCall) -> str:
    """Return the captions of a call, by the clock of its recording.

    Without a recording they go by the call's clock, whose zero is the answer. What was said before
    the recording began is left out, and a note says so.
    """
    began = recording_began(call.events)
    found = captions(conversation(call.events), began or 0.0)
    clock = "the call" if began is None else "the recording"
    notes = [f"call {call.record.id}, {iso(call.record.started)}, by the clock of {clock}"]
    spoken = [one for one in found if one.end > 0]
    if before := len(found) - len(spoken):
        notes.append(f"said before the recording began, and left out: {before}")
    parts = ["WEBVTT", *(f"NOTE {_escaped(note)}" for note in notes)]
    return "\n\n".join([*parts, *map(_cue, spoken)]) + "\n"


def recording_began(events: Sequence[RecordedEvent]) -> float | None:
    """Return when the first sample of the recording was heard, on the call's clock; None if never.

    That is of the last, if one was deleted before: there is no other.

    Args:
        events: Of the call.
    """
    for event in reversed(events):
        if event.kind == "recording" and (began := number(event.fields.get("began"))) is not None:
            return began
    return None


def captions(turns: Sequence[SpokenTurn], began: float) -> list[Caption]:
    """Return the captions of turns in their order; those of two who speak at once overlap.

    Args:
        turns: Of a call; those whose time is not known are left out.
        began: Of the recording, on the call's clock.
    """
    found = []
    for turn in turns:
        pieces = [one for one in _pieces(turn) if one.text]
        for n, piece in enumerate(pieces):
            cut = " \u2014" if turn.cut_off and n == len(pieces) - 1 else ""
            start, end = _times(piece, began)
            found.append(Caption(start=start, end=end, who=turn.who, text=piece.text + cut))
    return sorted(found, key=lambda one: one.start)


def _times(piece: SpokenPart, began: float) -> tuple[float, float]:
    start = (piece.at or 0.0) - began
    end = (piece.until or 0.0) - began
    start = max(start, 0.0)
    return start, (end if end <= 0 else max(end, start + SHORTEST))


def _pieces(turn: SpokenTurn) -> Iterator[SpokenPart]:
    """Yield the parts of a turn that are a caption each, with the best times that are known."""
    if turn.at is None or abs(turn.at) > LATEST:
        return
    text = " ".join(turn.text.split())
    until = turn.until if turn.until is not None and turn.until <= LATEST else None
    at, done = turn.at, 0
    for heard in turn.sentences:
        sentence = " ".join(heard.text.split())
        done += text[done : done + 1] == " "
        if heard.at is None or heard.until is None or not text.startswith(sentence, done):
            break
        yield from _split(sentence, heard.at, heard.until)
        at, done = heard.until, done + len(sentence)
    rest = text[done:].strip()
    if rest:
        if until is None or until <= at:
            until = at + max(1.0, len(rest) / CHARACTERS_A_SECOND)
        yield from _split(rest, at, until)


def _split(text: str, at: float, until: float) -> Iterator[SpokenPart]:
    """Yield a text in parts, each with its share of the time by its characters."""
    parts = [text] if len(text) <= LONGEST else _parts(text)
    each = (until - at) / max(1, sum(map(len, parts)))
    for part in parts:
        end = at + each * len(part)
        yield SpokenPart(text=part, at=at, until=end)
        at = end


def _parts(text: str) -> list[str]:
    parts: list[str] = []
    for sentence in sentences.cut(text):
        if parts and len(parts[-1]) + len(sentence) < LONGEST:
            parts[-1] += f" {sentence}"
        else:
            long = len(sentence) > 2 * LONGEST
            parts += textwrap.wrap(sentence, LONGEST) if long else [sentence]
    return parts


def _cue(caption: Caption) -> str:
    times = f"{_stamp(caption.start)} --> {_stamp(caption.end)}"
    return f"{times}\n<v {VOICES[caption.who]}>{_escaped(caption.text)}"


def _stamp(seconds: float) -> str:
    milliseconds = round(seconds * 1000)
    minutes, rest = divmod(milliseconds, 60_000)
    return f"{minutes // 60:02}:{minutes % 60:02}:{rest // 1000:02}.{rest % 1000:03}"


def _escaped(text: str) -> str:
    text = text.replace("\0", "\ufffd").replace("&", "&amp;")
    return text.replace("<", "&lt;").replace(">", "&gt;")
