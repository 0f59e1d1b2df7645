"""What of a model's text is words for the caller: told as it is written, whatever the pieces."""

from __future__ import annotations

import re
from dataclasses import replace

from pipelines.text.markers.angle import REASONED
from pipelines.text.markers.brackets import is_call
from pipelines.text.markers.labels import read_label
from pipelines.text.markers.marker import LONGEST_MARKER, PARTIAL, Marker
from pipelines.text.markers.places import PLACES, read_word, was_cut_off

_PLACE = re.compile(
    r"""[<\[{◁【\ue000-\uf8ff]
    | `(?=`|\Z)
    | :(?=c|\Z)
    | (?<![\w./@:'’-]) [a-z_][A-Za-z0-9_.]*+ (?= [({] | :\d*+(?:\{|\Z) | \Z )
    | (?i: (?<!\w) (?:file|nav)?citeturn\d )
    | (?<=[\n>]) (?: \#{1,4} | \*{1,2} | [HUCAhu][A-Za-z]{0,7} (?= [ ]?: | [ ]?\Z ) )
    | \](?=~|\Z) | ✿ | (?<=[\n>])>{1,3} | ＜ | &(?=l|\Z)""",
    re.VERBOSE,
)
"""Where a marker may begin. The last word so far may be the name of a function."""

TAIL = 80
"""Characters of the end of a span that are kept: more than what closes one has."""

MOST_THOUGHTS = 4_000
"""Pieces that are kept of what is taken for reasoning, in case that nothing ends it: as many as a
reply that is said to its end has characters."""

_QUOTES, _CLOSING = ("'", '"'), (")", "]", "}")
CONTEXT = 3
"""Characters before a place that tell what it may be: a sentence's end, a line's, an empty one."""

_DEEPER = {"(": 1, "[": 1, "{": 1, ")": -1, "]": -1, "}": -1}
_SPACE = re.compile(r"\s*+")
_STRAY = re.compile(r"[\s)\]}]*+")
_TAG_SO_FAR = re.compile(r"<[^<>\s]{0,60}")
_STRUCTURE = re.compile(r"\\.|[\"'()\[\]{}]", re.DOTALL)

MOST_CALL = 8_000
"""Characters of a call in text; what goes on for longer is none, or of no use."""

MOST_KEPT = 2_000
"""Characters that are kept of the calls that were taken out: their names stand at the beginning."""


class ReplyText:
    """Take a model's text in any pieces; give the words that are for the caller.

    Reasoning, calls of tools, tokens of templates, tags and marks of citations are taken out. What
    may still become one of them is held back, and nothing else: a text without any comes through as
    it is, but for its last word. What only looks like markup stays.

    What it costs grows with the length of the text alone; what it holds is bounded.

    Args:
        thinking: Whether the text is expected to begin within reasoning that the server's template
            has opened. If nothing ends that, all of it was words, and comes at the end.
    """

    def __init__(self, *, thinking: bool = False) -> None:
        self._text = "\n" * CONTEXT  # what is held, behind what was read last
        self._at = CONTEXT  # where to go on in it
        self._out: list[str] = []
        self._said = False  # whether any word was given
        self._fresh = True  # whether the next word is the first, of all or after reasoning
        self._marker: Marker | None = None  # whose effect lasts
        self._brackets = Brackets()
        self._call: list[str] = []
        self._reasoned = False  # an end of reasoning came that had no beginning
        self._thoughts: list[str] | None = [] if thinking else None
        self.kinds: set[str] = set()
        """What was taken out: ``reasoning``, ``tool call``, ``markup``."""

        self.calls = ""
        """The calls of tools that were taken out, as they were written; the rest of what is longer
        than :data:`MOST_KEPT` is not kept."""

        self.anew = False
        """Whether what the last :meth:`feed` gave begins the reply: all before it was reasoning,
        which the server's template had opened."""

        self.over = False
        """Whether the reply has ended: what the model writes after it is somebody else's turn."""

        self.thinks_first = thinking
        """Whether the text began within reasoning, as far as that is known."""

        if thinking:
            self._marker = Marker(end=0, kind="reasoning", effect="skip", until=REASONED)

    def feed(self, delta: str) -> str:
        """Return what is certain by now to be for the caller."""
        if self.over:
            self.anew = False
            return ""
        self._text += delta
        return self._read(last=False)

    def flush(self) -> str:
        """Return what is left, now that no more comes."""
        words = self._read(last=True)
        if self._thoughts and self._marker is not None:
            expected = self._marker.until is REASONED
            self.thinks_first = self.thinks_first and not expected
            rest = ReplyText()
            rest._fresh = expected  # a name that it begins with is known to be none
            given = rest.feed("".join(self._thoughts) + self._text[self._at :]) + rest.flush()
            words += given if expected or "tool call" not in rest.kinds else ""
            self.kinds |= rest.kinds
            self.calls += rest.calls
        return words

    def _read(self, *, last: bool) -> str:
        self.anew = False
        goes_on = True
        while goes_on and self._at < len(self._text) and not self.over:
            if self._marker is None:
                goes_on = self._read_words(last=last)
            elif self._marker.effect == "skip":
                goes_on = self._skip(self._marker)
            elif self._marker.effect == "closing":
                goes_on = self._close(self._marker)
            else:
                goes_on = self._balance(self._marker)
        if last and self._marker is not None and self._call:
            self._end_call(self._marker, whole=False)
        if last and self._marker is not None:
            self._keep(self._marker, self._text[self._at :])
        out = "".join(self._out)
        self._out.clear()
        self._text, self._at = self._text[self._at - CONTEXT :], CONTEXT
        return out

    def _read_words(self, *, last: bool) -> bool:
        """Read up to the next marker; return whether there is more to read."""
        label = read_label(self._text, self._at) if self._fresh else None
        if isinstance(label, Marker):
            return self._take(label)
        if label == PARTIAL and not last:
            return False
        found = _PLACE.search(self._text, self._at)
        place = found.start() if found else len(self._text)
        self._say(self._text[self._at : place])
        self._at = place
        return found is not None and self._read_place(found, last=last)

    def _read_place(self, found: re.Match[str], *, last: bool) -> bool:
        text, at = self._text, self._at
        read = PLACES.get(found[0][0], read_word)
        reading = read(text, at)
        if last and reading == PARTIAL and len(text) - at <= LONGEST_MARKER:
            reading = read(f"{text}\n", at) or PARTIAL  # nothing follows, in its line either
        if isinstance(reading, Marker) and (
            self._said or reading.effect != "over" or not reading.may_be_words
        ):
            return self._take(reading)
        may_be = reading == PARTIAL and len(text) - at <= LONGEST_MARKER
        if may_be and (not last or was_cut_off(text, at)):
            return False
        self._say(found[0])
        self._at += len(found[0])
        return True

    def _say(self, words: str) -> None:
        if self._fresh and not (self._said and not self._reasoned):
            words = words.lstrip()
        if words and not words.isspace():
            if self._reasoned and self._said:
                self._out.clear()
                self.anew = self.thinks_first = True
            self._said, self._fresh, self._reasoned = True, False, False
        self._out.append(words)

    def _take(self, marker: Marker) -> bool:
        """Do what a marker says."""
        if marker.may_be_words and marker.effect == "skip":
            name = self._text[self._at : marker.end]
            self._thoughts = [] if marker.until is REASONED else [name]
        self._keep(marker, self._text[self._at : marker.end])
        self._at = marker.end
        if marker.effect != "balance":
            self.kinds.add(marker.kind)
        match marker.effect:
            case "over":
                self.over = True
            case "anew":
                self._reasoned = self._fresh = True
            case "skip":
                self._marker = marker
            case "balance" | "closed" | "call":
                self._marker, self._brackets, self._call = marker, Brackets(), []
        if marker.space and self._said:
            self._out.append(marker.space)
        return True

    def _keep(self, marker: Marker, taken: str) -> None:
        if marker.kind == "tool call" and len(self.calls) < MOST_KEPT:
            self.calls = f"{self.calls}{taken}"[:MOST_KEPT]

    def _skip(self, marker: Marker) -> bool:
        """Leave out what stands before the end of a span; return whether it has come."""
        found = (marker.until or REASONED).search(self._text, self._at)
        at = found.end() if found else max(self._at, len(self._text) - TAIL)
        if found:
            self._thoughts = None
        elif self._thoughts is not None and len(self._thoughts) < MOST_THOUGHTS:
            self._thoughts.append(self._text[self._at : at])
        self._keep(marker, self._text[self._at : at])
        self._at = at
        if found:
            self._marker = None
            self._fresh = self._fresh or marker.kind == "reasoning"
        return found is not None

    def _balance(self, marker: Marker) -> bool:
        """Leave out a call up to the last of its brackets; return whether there is more to read."""
        text, limit, over = self._text, len(self._text), None
        if marker.until is not None:
            if self._brackets.length == 0:
                self._at = _SPACE.match(text, self._at).end()  # type: ignore[union-attr] # any has
                if text[self._at : self._at + 1] not in ("{", "[", ""):
                    self._marker = replace(marker, effect="skip")
                    return True
            over = marker.until.search(text, self._at)
            begun = text.rfind("<", max(self._at, limit - TAIL))
            limit = over.start() if over else limit if begun < 0 else begun
        at = self._at
        end = self._brackets.end(text, at, limit)
        self._at = limit if end is None else end
        if marker.effect == "call":
            self._keep(marker, text[at : self._at])
        if end is None and over:
            self._at, self._marker = over.end(), None
            return True
        if marker.effect != "call":
            self._call.append(text[at : self._at])
        if end is not None or (self._call and self._brackets.length > MOST_CALL):
            self._end_call(marker, whole=end is not None)
        return end is not None or limit == len(text)

    def _close(self, marker: Marker) -> bool:
        """Leave out what ends a call whose brackets are closed; return whether that is known."""
        after = _STRAY.match(self._text, self._at)
        at = after.end() if after else self._at
        over = marker.until.match(self._text, at) if marker.until else None
        rest = self._text[at : at + TAIL]
        if not over and (not rest or (rest[0] == "<" and _TAG_SO_FAR.fullmatch(rest))):
            return False
        self._at, self._marker = over.end() if over else self._at, None
        return True

    def _end_call(self, marker: Marker, *, whole: bool) -> None:
        """Decide what a JSON text was, as far as it came."""
        text, self._call = "".join(self._call), []
        called = marker.effect == "call" or (
            whole if marker.effect == "closed" else is_call(text, whole=whole)
        )
        self._marker = replace(marker, effect="call") if called and not whole else None
        if whole and marker.until is not None:
            self._marker = replace(marker, effect="closing")
        if called:
            self.kinds.add(marker.kind)
            self._keep(marker, text)
        else:
            self._say(text)


class Brackets:
    """Finds where brackets that were opened are closed, in a text that comes in pieces."""

    def __init__(self) -> None:
        self._depth = 0
        self._quote = ""  # that is open
        self._escaped = False  # whether the next character is
        self.length = 0
        """Characters so far."""

    def end(self, text: str, at: int, limit: int) -> int | None:
        """Return the place behind the last of them; None if it is not before ``limit``.

        What was read last of the text stands before ``at``.
        """
        if at >= limit:
            return None
        self.length += limit - at
        read = at + self._escaped
        for found in _STRUCTURE.finditer(text, read, limit):
            mark, read = found[0], found.end()
            if mark == "'" and not self._quote and text[found.start() - 1].isalnum():
                continue  # an apostrophe
            if self._quote:
                self._quote = "" if mark == self._quote else self._quote
            elif mark in _QUOTES:
                self._quote = mark
            else:
                self._depth += _DEEPER.get(mark, 0)
                if mark in _CLOSING and self._depth <= 0:
                    return read
        self._escaped = text[limit - 1] == "\\" and read < limit
        return None
