"""YAML as people mean it: what stands in a file is a text, and a number only where one is wanted.

YAML 1.1, which libraries still read, makes 450 of ``7:30``, false of ``no`` and a date of
``2026-01-05``; YAML 1.2's core schema still takes a zero or a plus from the beginning of a number.
So a scalar without quotation marks is kept as it stands, a :class:`Plain`, and whoever declares a
field says what becomes of it. Tags, and keys that are no texts, are refused; ``<<`` is a key.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from itertools import pairwise
from typing import Any

import yaml

from agent.personas.errors import one_line
from agent.settings.allowed import in_words

MOST_NODES = 50_000
"""Values in a file, each counted as often as an alias repeats it."""

DEEPEST = 20
"""Lists in lists; libyaml's composer, ten times faster than PyYAML's, dies of thousands."""

LONGEST_NAME = 1024
"""Characters, as YAML has it for all but those behind a ``?``: each place below repeats it."""


class Plain(str):
    """A scalar without quotation marks, as it stands in the file."""

    __slots__ = ()


@dataclass(slots=True, kw_only=True)
class Document:
    """What is in a file, as far as it can be read, and all that is wrong with it."""

    fields: dict[str, Any] = field(default_factory=dict)
    lines: dict[str, int] = field(default_factory=dict)
    """Where each value is named, by its path, such as ``questions.2.ask``; items count from 1."""

    texts: dict[str, int] = field(default_factory=dict)
    """Where each text begins: in a block, ``|`` or ``>``, a line below."""

    mistakes: list[str] = field(default_factory=list)
    broken: set[str] = field(default_factory=set)
    """Places whose values cannot be read; ``""`` is everywhere."""

    lacks_anchor: bool = False
    """Whether what it repeats is missing: read alone, it may stand elsewhere in the file."""

    commented: dict[str, tuple[str, str]] = field(default_factory=dict)
    """Texts without quotation marks, with the comment that stands behind each, by their place."""

    def line(self, place: str) -> int:
        """Return the line of a value, or of what it would be in; 0 if it is not known."""
        while place and place not in self.lines:
            place = place.rpartition(".")[0]
        return self.lines.get(place, 0)

    def tell(self, place: str, what: str) -> None:
        """Note a mistake at a place."""
        self.tell_at(self.line(place), f"{place}: {what}")

    def tell_at(self, line: int, what: str) -> None:
        """Note a mistake in a line."""
        what = one_line(what)
        self.mistakes.append(f"line {line}: {what}" if line else what)


def read(text: str, first_line: int) -> Document:
    """Return the fields that a text has: YAML, a mapping.

    Where it is no YAML, each of the outermost fields is read by itself, so that all are told.

    Args:
        text: Without the lines around it.
        first_line: Its number in the file.
    """
    text = re.sub("[\x85\u2028\u2029]", " ", text)  # line ends of YAML 1.1 alone
    whole = _read(text, first_line)
    if not whole.mistakes or not whole.broken:
        return whole
    lines = text.split("\n")
    blocks = [(at, _read("\n".join(lines[at]), first_line + at.start)) for at in _blocks(lines)]
    for wrong in (
        [one for one in blocks if one[1].broken and not one[1].lacks_anchor],
        [one for one in blocks if one[1].broken],
    ):
        others = list(lines)
        for at, _ in wrong:
            others[at] = [""] * (at.stop - at.start)
        found = _read("\n".join(others), first_line)
        if not found.broken:
            found.mistakes += [told for _, one in wrong for told in one.mistakes]
            found.broken.update(*(one.broken for _, one in wrong))
            return found
    whole.broken = {""}
    return whole


def _blocks(lines: Sequence[str]) -> Iterator[slice]:
    """Yield where each outermost field of a text stands."""
    starts = [n for n, line in enumerate(lines) if re.match(r"[^\s#\-\]}]", line)]
    for start, end in pairwise([*starts, len(lines)]):
        yield slice(start, end)


def _read(text: str, first_line: int) -> Document:
    document = Document()
    name = re.match(r"\s*[\"']?([\w.-]+)[\"']?\s*:", text)
    broken = {name[1]} if name else {""}
    try:
        _look_at_events(text, first_line, document)
        node = yaml.compose(text, yaml.CBaseLoader)
    except yaml.MarkedYAMLError as error:
        document.lacks_anchor = isinstance(error, yaml.composer.ComposerError)
        number, what = _explain(error, text.split("\n"))
        document.broken = broken
        document.tell_at(first_line + number, f"not YAML: {what}")
        return document
    except (yaml.YAMLError, UnicodeEncodeError, RecursionError) as error:
        document.broken = broken
        document.tell_at(first_line, f"not YAML: {_unreadable(error)}")
        return document
    if isinstance(node, yaml.MappingNode):
        _Reader(document, text.split("\n"), first_line).mapping(node, "", 0)
    elif not document.mistakes:
        document.broken = broken
        document.tell_at(first_line, "write the front matter as `field: value`, a field a line")
    return document


def _unreadable(error: Exception) -> str:
    if isinstance(error, yaml.reader.ReaderError):
        return f"a character that no text has (U+{error.character:04X})"
    return "half a character" if isinstance(error, UnicodeEncodeError) else "nested too deep"


def _look_at_events(text: str, first_line: int, document: Document) -> None:
    """Find what is told by the signs of the text alone: depth, tags, names that nobody uses."""
    depth, anchors = 0, dict[str, int]()
    for event in yaml.parse(text, yaml.CBaseLoader):
        depth += isinstance(event, yaml.CollectionStartEvent)
        depth -= isinstance(event, yaml.CollectionEndEvent)
        if depth > DEEPEST:
            raise RecursionError
        line = first_line + (event.start_mark.line if event.start_mark is not None else 0)
        if isinstance(event, yaml.AliasEvent):
            anchors.pop(str(event.anchor), None)
        elif isinstance(event, yaml.NodeEvent):
            if event.anchor is not None:
                anchors[event.anchor] = line
            if getattr(event, "tag", None) is not None:
                sign = "put a text that begins with ! in quotation marks; tags are not taken"
                document.tell_at(line, f"not YAML: {sign}")
    for name, line in anchors.items():
        document.tell_at(line, f"not YAML: put a text that begins with &{name} in quotation marks")


class _Reader:
    """Makes values of the nodes of one document."""

    def __init__(self, document: Document, lines: list[str], first_line: int) -> None:
        self._document = document
        self._lines = lines
        self._first_line = first_line
        self._nodes = 0
        self._told = False

    def mapping(self, node: yaml.MappingNode, place: str, depth: int) -> dict[str, Any]:
        """Return the values of a mapping by their names; of the outermost, put them into it."""
        found = self._document.fields if not place else dict[str, Any]()
        for key, value in node.value:
            line = self._first_line + key.start_mark.line
            if not isinstance(key, yaml.ScalarNode) or len(key.value) > LONGEST_NAME:
                self._document.broken.add(place)
                sign = "?" if isinstance(key, yaml.ScalarNode) else "{"
                what = f"put a text that begins with {sign} in quotation marks"
                self._document.tell_at(line, f"{place}: {what}" if place else what)
                continue
            name = str(key.value)
            if name in found:
                self._document.tell_at(line, f"{name!r} stands twice")
                continue
            here = f"{place}.{name}" if place else name
            self._document.lines[here] = line
            found[name] = self._value(value, here, depth + 1)
        return found

    def _value(self, node: yaml.Node, place: str, depth: int) -> object:
        self._nodes += 1
        if depth > DEEPEST or self._nodes > MOST_NODES:
            if not self._told:
                self._document.tell(place, "repeats too much, or is nested too deep")
            self._told = True
            return ""
        line = self._first_line + node.start_mark.line
        self._document.lines.setdefault(place, line)
        if isinstance(node, yaml.ScalarNode):
            return self._scalar(node, place, line)
        if isinstance(node, yaml.MappingNode):
            return self.mapping(node, place, depth)
        found = []
        for number, item in enumerate(node.value, 1):
            here = f"{place}.{number}"
            self._document.lines[here] = self._first_line + item.start_mark.line
            found.append(self._value(item, here, depth + 1))
        return found

    def _scalar(self, node: yaml.ScalarNode, place: str, line: int) -> str:
        self._document.texts[place] = line + (node.style in ("|", ">"))
        if node.style:
            return str(node.value)
        if node.end_mark.line < len(self._lines):
            behind = self._lines[node.end_mark.line][node.end_mark.column :]
            if re.match(r"\s+#", behind):
                self._document.commented[place] = (str(node.value), behind.strip())
        return Plain(node.value)


_WORDS = (
    (
        "mapping values are not allowed",
        r"^\s+[\w.-]+:(\s[^:]*)?$",
        "indent it as the others are; a text with `: ` in it stands in quotation marks",
    ),
    ("mapping values are not allowed", "", "put a text with `: ` in it in quotation marks"),
    ("mapping keys are not allowed", "", "put a text that begins with ? in quotation marks"),
    ("sequence entries are not allowed", "", "put a text that begins with - in quotation marks"),
    ("unexpected end of stream", "", "the quotation marks that open here are not closed"),
    ("undefined alias|alphabetic or", "", "put a text that begins with * or & in quotation marks"),
    ("comment or line break", "", "put a text that begins with | or > in quotation marks"),
    ("expected ':'", "", "write `field: value`"),
    ("unknown escape", "", "write \\\\ for a backslash, or put the text in single quotation marks"),
    ("another document|<document start>", "", "there is no second document in an agent file"),
    ("cannot start any token", r"^\s*\t", "indent with spaces, not with a tab"),
    (
        "cannot start any token",
        "",
        "put a text that begins with @, `, % or a tab in quotation marks",
    ),
    ("expected key|expected node", r"\{\{", "put a text that begins with {{ in quotation marks"),
    ("expected key", "", "nothing stands behind quotation marks; or the line is indented oddly"),
    ("expected node", "", "put a text that begins with a sign in quotation marks"),
    ("expected ',' or", "", "the bracket that opens here is not closed, or lacks a comma"),
)
"""What the parser says, how the line looks, and what to say of it; the first that fits counts."""


def _explain(error: yaml.MarkedYAMLError, lines: list[str]) -> tuple[int, str]:
    """Return the line of a mistake, from 0, and what to do about it."""
    problem, mark = str(error.problem), error.problem_mark
    if re.search("end of stream|expected ':'|expected ',' or", problem):  # it began there
        mark = error.context_mark or mark
    number = min(mark.line if mark is not None else 0, len(lines) - 1)
    return number, in_words(_WORDS, problem, lines[number]) or one_line(problem)


_INTEGER = re.compile(r"-?(0|[1-9][0-9]*)")
_FLOAT = re.compile(r"[-+]?(\.[0-9]+|[0-9]+(\.[0-9]*)?)([eE][-+]?[0-9]+)?")
_MOST_DIGITS = 18
"""Of a number; longer ones are codes."""


class Flag(int):
    """True or false, which is printed as it was written."""

    written: str

    def __new__(cls, written: str) -> Flag:
        """Return the flag that is called ``true`` or ``false``, in any case."""
        flag = super().__new__(cls, written.lower() == "true")
        flag.written = written
        return flag

    def __str__(self) -> str:
        """Return it as it was written."""
        return self.written


def as_written(value: object) -> object:
    """Return a scalar as a template may count with it, and as it is printed the same.

    A number whose digits would be printed otherwise, such as ``0301``, ``+49`` or ``1.10``, is a
    text; so is everything else, ``yes`` and ``null`` included, but for ``true`` and ``false``.
    """
    if not isinstance(value, Plain):
        return value
    if value.lower() in ("true", "false"):
        return Flag(value)
    if len(value) <= _MOST_DIGITS:
        if _INTEGER.fullmatch(value) and value != "-0":
            return int(value)
        if _FLOAT.fullmatch(value) and str(float(value)) == value:
            return float(value)
    return str(value)


_WORDS_OF_THE_SCHEMA: dict[str, bool | None] = {
    **dict.fromkeys(("true", "True", "TRUE"), True),
    **dict.fromkeys(("false", "False", "FALSE"), False),
    **dict.fromkeys(("", "~", "null", "Null", "NULL"), None),
}


def resolved(value: object) -> object:
    """Return a value by YAML 1.2's core schema, with all that is in it: for JSON.

    Codes are texts all the same: digits with a zero or a plus at their beginning.
    """
    if isinstance(value, dict):
        return {key: resolved(one) for key, one in value.items()}
    if isinstance(value, list):
        return [resolved(one) for one in value]
    return _resolved(value) if isinstance(value, Plain) else value


def _resolved(text: Plain) -> object:
    if text in _WORDS_OF_THE_SCHEMA:
        return _WORDS_OF_THE_SCHEMA[text]
    if _INTEGER.fullmatch(text) and len(text) <= _MOST_DIGITS:
        return int(text)
    is_code = re.match(r"\+|-?0[0-9]", text)
    return float(text) if _FLOAT.fullmatch(text) and not is_code else str(text)
