"""A tool call as language models stream it, in fragments of JSON, whatever servers make of that."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass, field
from typing import Any, NoReturn

from pipelines.conversation import ToolCall
from pipelines.encodable import encodable, mended_json
from pipelines.providers.contracts import ProviderError

MAX_ARGUMENTS = 16_000
"""Characters of a tool call's arguments: as many as of a result. A model that writes on and on
writes no call."""


EMPTY: tuple[object, ...] = ({}, [], None, "", False)
"""Arguments that are none, as servers write them; some write them before the real ones, too."""

WRITTEN_EMPTY = {"", "{}", "[]", "null", '""', "[{}]", "false", "None", "undefined"}
"""The same, before they are read."""

LONGEST_EMPTY = 16
"""Characters, with blanks."""

MOST_AT_ONCE = 16
"""Calls that are written as one."""


@dataclass(slots=True)
class PartialCall:
    """A tool call, as far as it has arrived."""

    name: str = ""
    id: str = ""
    fragments: list[str] = field(default_factory=list)
    """Of the arguments, which are JSON."""

    size: int = 0
    """Characters of them."""

    _depth: int = 0
    _quoted: bool = False
    _escaped: bool = False

    def add(self, fragment: object) -> None:
        """Add a fragment of the arguments: text, nothing, or an object that is all of them.

        Raises:
            ProviderError: If they are longer than :data:`MAX_ARGUMENTS`, or cannot be written.
        """
        if fragment is None or fragment is False:
            return
        if not isinstance(fragment, str):
            try:
                fragment = json.dumps(fragment, ensure_ascii=False, allow_nan=False)
            except (ValueError, RecursionError):
                raise unreadable_call() from None
        self.size += len(fragment)
        if self.size > MAX_ARGUMENTS:
            raise unreadable_call()
        if fragment:
            self.fragments.append(fragment)
            self._follow(fragment)

    @property
    def amid(self) -> bool:
        """Whether the arguments are begun and not whole, as far as brackets and quotes tell."""
        return self._depth > 0 or self._quoted

    @property
    def begun(self) -> bool:
        """Whether there is anything in it: some servers send one without, beside words."""
        return bool(self.name.strip()) or not self.empty

    @property
    def empty(self) -> bool:
        """Whether there is nothing in the arguments yet."""
        return self.size < LONGEST_EMPTY and "".join(self.fragments).strip() in WRITTEN_EMPTY

    def _follow(self, fragment: str) -> None:
        """Look at each character once, since :attr:`amid` is asked for each fragment."""
        marks = _MARK.finditer(fragment, 1 if self._escaped else 0)
        self._escaped = False
        for mark in marks:
            match mark[0]:
                case '"':
                    self._quoted = not self._quoted
                case "\\":  # at the end of the fragment: what it is for comes with the next
                    self._escaped = True
                case "{" | "[" if not self._quoted:
                    self._depth += 1
                case "}" | "]" if not self._quoted:
                    self._depth -= 1

    def whole(self) -> list[ToolCall]:
        """Return the call, now that all of it is here; none, if there is nothing in it.

        Arguments that were sent twice are one; several that differ are as many calls of that tool.

        Raises:
            ProviderError: If it has no name, or its arguments are not a JSON object.
        """
        try:
            several = self._all()
        except ValueError:
            raise unreadable_call() from None
        name = plain_name(self.name)
        if not name and not several:
            return []
        several = several or [{}]
        if not name or not all(isinstance(each, dict) for each in several):
            raise unreadable_call()
        ids = [self.id, *[""] * len(several)]
        return [ToolCall(name, each, id_) for each, id_ in zip(several, ids, strict=False)]

    def _all(self) -> list[Any]:
        """Return the different arguments, none of them empty.

        Raises:
            ValueError: If they are not JSON.
        """
        if self.empty:
            return []
        try:
            found = _in_a_row("".join(self.fragments))
        except ValueError:
            # Some servers send all that they have by now each time.
            last = self.fragments[-1]
            if not all(last.startswith(each) for each in self.fragments):
                raise
            found = _in_a_row(last)
        several: list[Any] = []
        for each in found:
            if each not in (*EMPTY, *several):
                several.append(each)
            if len(several) > MOST_AT_ONCE:
                raise ValueError("no arguments")
        return several


def plain_name(name: str) -> str:
    """Return the name of a tool without what models and their templates put around it.

    ``functions.book``, ``book<|channel|>commentary``, ``default_api.book``, ``functions.book:0``.
    """
    name = name.partition("<|")[0].strip(" \t\r\n\"'`()")
    return _NUMBERED.sub("", _IN_A_ROOM.sub("", name))


_IN_A_ROOM = re.compile(r"^(?:functions?|tools?|default_api)[.:]")
_NUMBERED = re.compile(r":\d{1,4}$")


def _in_a_row(text: str) -> list[Any]:
    """Return the JSON values that stand in a text, one after the other.

    One that is a text is arguments once more, written as text; a list of objects is these. A fence
    around them is no part of them, and a comma too many is left out.

    Raises:
        ValueError: If anything else stands there.
    """
    text = mended_json(encodable(text)).strip(_BLANK)
    if fence := _FENCE.match(text):
        text = text[fence.end() :].removesuffix("```").strip(_BLANK)
    try:
        try:
            values = _values(text)
        except ValueError:
            values = _values(_LAST_COMMA.sub(lambda found: found["text"] or "", text))
    except RecursionError:
        raise ValueError("nested too deep") from None
    return values


def _values(text: str) -> list[Any]:
    values: list[Any] = []
    at = 0
    while at < len(text):
        value, end = _JSON.raw_decode(text, at)
        if isinstance(value, str) and value:
            values += _in_a_row(value)
        elif isinstance(value, list) and all(isinstance(each, dict) for each in value):
            values += value
        else:
            values.append(value)
        blank = _BLANKS.match(text, end)
        at = blank.end() if blank else end
    return values


def _refuse(constant: str) -> NoReturn:
    raise ValueError(f"{constant} is not JSON")


_JSON = json.JSONDecoder(parse_constant=_refuse, strict=False)  # line ends within texts
_FENCE = re.compile(r"```\w*\s*")
_LAST_COMMA = re.compile(
    r"""(?P<text> "(?:\\.|[^"\\])*"? ) | ,(?=\s*[}\]])""", re.VERBOSE | re.DOTALL
)
_BLANK = " \t\r\n\ufeff"
_MARK = re.compile(r'\\.?|["{}\[\]]', re.DOTALL)
_BLANKS = re.compile(r"\s*")


def unreadable_call() -> ProviderError:
    """Return the error for a tool call that cannot be made."""
    return ProviderError("llm", "a tool call that cannot be read")
