"""The lines of one call as they may be written: redacted, in whatever turns a number comes.

A number that is whole is taken out of its line at once. One that a caller gives in two turns, with
the agent's "go on" between, is known when the second has come: a caller's line that ends in digits
nobody has a name for **waits** for the caller's next line, for :data:`WAITS` seconds of the call at
the most, or for its end. So do lines that repeat those digits. What is heard of a reply comes in
parts of a second, in which no number is whole: they wait for the end of their sentence, and for the
next one as long as it ends in digits. All others are written at once.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import accumulate
from typing import Any

from agent import phone_numbers
from agent.records.recordings.silences import Silence, Silences
from agent.records.redaction.finder import Finder, Span, redacted
from agent.records.redaction.turns import bare, goes_on, repeats, unfinished
from agent.records.sounding import HeardSentence, SoundingReply, within
from agent.records.understood import UNDERSTOOD
from agent.settings.privacy import Redacted

WAITS = 60.0
"""Seconds of the call that a line waits for the rest of a number."""

MOST_TURNS = 4
"""Turns of a caller that are read together: a card number has four groups."""

MOST_KNOWN = 50
"""Numbers of one call whose parts are looked for in later lines."""

MOST_HELD = 200
"""Lines that wait at the most; before there are more, all are written."""

_AS_IT_IS: Mapping[str, frozenset[str]] = {
    "call": frozenset(
        (
            "id",
            "call_id",
            "direction",
            "caller",
            "called",
            "agent",
            "agent_version",
            "language",
            "discloses",
            "lineup",
            "announced",
            "connected",
            "started",
            "rate",
            "dialled",
            "application",
            "trace",
            "legs",
        )
    ),
    "leg": frozenset(("leg", "what", "to")),
    "platform": frozenset(("leg",)),
    "party": frozenset(("party",)),
    "recording": frozenset(("file",)),
}
"""Fields that are no words, by kind of line: what records are found by."""

_NAMES = frozenset(("name", "status", "kind", "stage", "provider", "language", "decided", "said"))

_LEAST = 10**6
"""Of whole numbers, which tools may give: less is no number of a person's."""

_DEEPEST = 20
"""Levels of objects in objects of a tool; what is below is not kept."""

Fields = Mapping[str, Any]
Line = tuple[str, dict[str, Any]]
"""Kind and fields."""


@dataclass(slots=True, eq=False)
class _Held:
    kind: str
    fields: dict[str, Any]
    written: bool = False
    """Whether it is known only to be read together with what follows."""

    spans: list[Span] = field(default_factory=list)
    parts: Sequence[tuple[int, Fields]] = ()
    """Where in its text parts of it begin that were lines of their own, and these."""

    @property
    def text(self) -> str:
        return str(self.fields.get("text", ""))


class PrivateLines:
    """Redacts the lines of one call, in the thread that writes them.

    Args:
        kinds: What is taken out; nothing if there are none.
        silence: Told what to silence in the recording; None if that is not wanted.
    """

    def __init__(
        self,
        kinds: Sequence[Redacted] = (),
        silence: Callable[[Silence], None] | None = None,
    ) -> None:
        self._finder = Finder(kinds=frozenset(kinds))
        self._silences = Silences(silence)
        self._language = ""
        self._numbers: frozenset[str] = frozenset()
        self._asked = ""  # what the agent said last
        self._known: list[str] = []
        self._turns: list[_Held] = []  # of the caller, read together
        self._waiting: list[_Held] = []  # in their order
        self._code = ""  # what may go on
        self._sounding = SoundingReply()

    def take(self, kind: str, fields: Fields) -> list[Line]:
        """Return the lines that can be written now, in their order; this one may come later."""
        if not self._finder.kinds:
            return [(kind, dict(fields))]
        line = _Held(kind, dict(fields))
        if kind == "call":
            self._begin(fields)
        if kind == "caller":
            return self._caller(line)
        ready = self._overdue(fields)
        if kind in ("understood", "backchannel"):
            return [*ready, *self._understood(line)]
        if kind == "heard":
            return [*ready, *self._heard(line)]
        if kind == "agent":
            ready += self._said(str(fields.get("unheard") or ""))
            self._asked = line.text
        elif kind == "ended":
            ready += self.rest()
        return [*ready, *self._put(line)]

    def rest(self) -> list[Line]:
        """Return the lines that have waited: the call is over."""
        return [*self._said(), *self._release()]

    def _begin(self, fields: Fields) -> None:
        self._language = str(fields.get("language") or "")
        numbers = [str(fields[name]) for name in ("caller", "called") if fields.get(name)]
        self._numbers = frozenset(numbers)
        countries = [phone_numbers.country_of(number) for number in numbers]
        home = next((country for country in countries if country), "")
        self._finder = Finder(kinds=self._finder.kinds, country=home)

    def _heard(self, line: _Held) -> list[Line]:
        ready = [] if self._sounding.goes_on_in(line.fields) else self._said()
        self._sounding.add(line.fields)
        self._asked = text = self._sounding.text
        waits = self._sounding.in_a_sentence or unfinished(text, self._language, least=1)
        if self._silences.wanted and unfinished(text, self._language):
            self._silences.unsure("agent", [part for _, part in self._sounding.last_parts])
        return ready if waits and not self._sounding.is_long else [*ready, *self._said()]

    def _said(self, unheard: str = "") -> list[Line]:
        """Return what was heard and has waited; ``unheard`` is how it would have gone on."""
        text = self._sounding.text
        if not text:
            return []
        spans = self._find(f"{text} {unheard}", self._language)
        return [line for one in self._sounding.take(spans) for line in self._put(_of(one))]

    def _put(self, line: _Held) -> list[Line]:
        """Return a line to be written, unless it repeats what waits."""
        if self._waiting and len(self._waiting) < MOST_HELD and self._repeats(line):
            self._waiting.append(line)
            return []
        return [self._finished(line)]

    def _caller(self, line: _Held) -> list[Line]:
        language = str(line.fields.get("language") or self._language)
        line.spans = self._find(line.text, language)
        joined = self._turns and goes_on(line.text, language)
        together = joined and self._read_together(line, language)
        code = "" if _is_whole(line) else unfinished(line.text, language, self._asked)
        ready: list[Line] = []
        if together or not joined or len(self._turns) >= MOST_TURNS:
            ready = self._release()
        if code:
            self._turns.append(line)
            self._code += code
            line.written = bool(line.spans) and not together
            if together or line.written:
                line.written = True
                return [*ready, self._finished(line)]
            self._waiting.append(line)
            self._silences.unsure("caller", [line.fields])
            return ready
        return [*ready, *self._release(), self._finished(line)]

    def _understood(self, line: _Held) -> list[Line]:
        """Return what is not the last word on what a caller said, if nothing of it has to wait.

        What may go on, also within a turn, is left out: the ``caller`` line will tell it.
        """
        language = str(line.fields.get("language") or self._language)
        going_on = self._turns and (goes_on(line.text, language) or self._repeats(line))
        if line.fields.get("so_far") or going_on:
            return []
        opened = unfinished(line.text, language, self._asked)
        line.spans = self._find(line.text, language)
        whole_address = opened == "@" and line.spans
        return [self._finished(line)] if whole_address or not opened else []

    def _read_together(self, line: _Held, language: str) -> bool:
        """Find what begins in turns before and ends in this one; return whether there is any."""
        parts = [*self._turns, line]
        whole = [part.text for part in parts]
        # What is said around the digits, such as "okay, then", would divide them.
        digits = [
            bare(part.text, language, head=part is not parts[0], tail=part is not line)
            for part in parts
        ]
        found = [self._found_across(parts, texts, language) for texts in (whole, digits)]
        return any(found)  # both, since each takes out what it finds

    def _found_across(self, parts: Sequence[_Held], texts: Sequence[str], language: str) -> bool:
        starts = list(accumulate((len(text) + 1 for text in texts), initial=0))
        crossing = False
        for span in self._find(" ".join(texts), language):
            touched = [
                (part, text, start)
                for part, text, start in zip(parts, texts, starts, strict=False)
                if span.start < start + len(text) and span.end > start
            ]
            if len(touched) < 2:
                continue
            crossing = True
            for part, text, start in touched:
                first = max(len(text) - len(text.lstrip()), span.start - start)
                last = min(len(text.rstrip()), span.end - start)
                others = [one for one in part.spans if one.end <= first or one.start >= last]
                part.spans = sorted([*others, Span(first, last, span.label, span.value, span.sure)])
        return crossing

    def _find(self, text: str, language: str) -> list[Span]:
        spans = self._finder.find(text, language, self._asked, self._known)
        self._remember(spans)
        return spans

    def _remember(self, spans: Sequence[Span]) -> None:
        for span in spans:
            if span.value and span.value not in self._known:
                self._known.append(span.value)
        del self._known[:-MOST_KNOWN]

    def _overdue(self, fields: Fields) -> list[Line]:
        at = fields.get("at")
        since = next((one.fields.get("at") for one in self._waiting), None)
        ready = self._said() if _is_late(at, self._sounding.since) else []
        if len(self._waiting) >= MOST_HELD or _is_late(at, since):
            return [*self._release(), *ready]
        return ready

    def _repeats(self, line: _Held) -> bool:
        return any(repeats(text, self._code) for text in _texts(line.fields))

    def _release(self) -> list[Line]:
        """Return what waits, and begin anew."""
        waiting, self._waiting, self._turns, self._code = self._waiting, [], [], ""
        return [self._finished(one) for one in waiting]

    def _finished(self, line: _Held) -> Line:
        """Return a line as it is written."""
        fields = line.fields
        if line.kind in UNDERSTOOD:
            self._silences.tell("caller", line.fields, line.spans)
            return line.kind, {**fields, **_of_text(line)}
        spoken = self._spoken(line) if line.kind in ("agent", "heard") else {}
        as_it_is = _AS_IT_IS.get(line.kind, frozenset()) | _NAMES
        return line.kind, {
            name: value if name in as_it_is else self._clean(value, name)
            for name, value in (fields | spoken).items()
        }

    def _spoken(self, line: _Held) -> dict[str, str]:
        """Return what was said, and what was not heard, without what is not to be kept.

        They are read together: a number may have been broken off.
        """
        heard, unheard = line.text, line.fields.get("unheard")
        whole = f"{heard} {unheard}" if isinstance(unheard, str) else heard
        found = self._find(whole, self._language)
        spans = within(found, 0, len(heard))
        free = [one for one in spans if not any(_overlap(one, other) for other in line.spans)]
        spans = sorted([*free, *line.spans])
        self._silences.tell(line.kind, line.fields, spans, line.parts)
        cleaned = {"text": redacted(heard, spans)} if spans else {}
        if whole != heard:
            begins = len(heard) + 1
            rest = within(found, begins, len(whole))
            cleaned["unheard"] = redacted(whole[begins:], rest)
        return cleaned

    def _clean(self, value: Any, name: str, depth: int = 0) -> Any:  # noqa: ANN401 - any JSON
        if isinstance(value, str):
            return value if value in self._numbers else self._clean_text(value, name)
        if isinstance(value, int) and not isinstance(value, bool) and abs(value) >= _LEAST:
            cleaned = self._clean_text(str(value), name)
            return value if cleaned == str(value) else cleaned
        if depth > _DEEPEST:
            return None
        if isinstance(value, Mapping):
            return {
                self._clean_text(str(key), ""): self._clean(one, str(key), depth + 1)
                for key, one in value.items()
            }
        if isinstance(value, list | tuple):
            return [self._clean(one, name, depth + 1) for one in value]
        return value

    def _clean_text(self, text: str, name: str) -> str:
        spans = self._finder.find(text, self._language, name.replace("_", " "), self._known)
        self._remember(spans)
        return redacted(text, spans)


def _of(sentence: HeardSentence) -> _Held:
    held = _Held("heard", sentence.fields, spans=sentence.spans)
    held.parts = sentence.parts
    return held


def _overlap(one: Span, other: Span) -> bool:
    return one.start < other.end and one.end > other.start


def _is_late(at: object, since: object) -> bool:
    known = isinstance(at, int | float) and isinstance(since, int | float)
    return known and at - since > WAITS  # type: ignore[operator]


def _of_text(line: _Held) -> dict[str, str]:
    return {"text": redacted(line.text, line.spans)} if line.spans else {}


def _is_whole(line: _Held) -> bool:
    """Return whether the line ends in a number that has all its digits."""
    last = line.spans[-1] if line.spans else None
    if last is None or not last.sure:
        return False
    return not any(char.isdigit() for char in line.text[last.end :])


def _texts(value: Any, depth: int = 0) -> list[str]:  # noqa: ANN401 - any JSON
    if isinstance(value, str):
        return [value]
    if isinstance(value, int) and not isinstance(value, bool):
        return [str(value)]
    if depth > _DEEPEST:
        return []
    if isinstance(value, Mapping):
        return [text for one in value.values() for text in _texts(one, depth + 1)]
    if isinstance(value, list | tuple):
        return [text for one in value for text in _texts(one, depth + 1)]
    return []
