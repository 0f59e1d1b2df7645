"""The file ``voice-agent.toml``: its values, the line of each, and all that is no TOML at once."""

from __future__ import annotations

import json
import re
import tomllib
from collections.abc import Iterator, Mapping
from typing import Any

from agent.settings.allowed import in_words
from agent.settings.origins import Origins, Place

MOST_MISTAKES = 20
"""Statements that are no TOML, after which nobody reads on: each costs a reading of the file."""

_BROKEN = "\0broken-"
"""Begins the name of a section whose head cannot be read: what stands in it belongs nowhere."""

_PART = r"""(?:"(?:[^"\\\n]|\\.)*"|'[^'\n]*'|[A-Za-z0-9_-]+)"""
_DOTTED = rf"{_PART}(?:[ \t]*\.[ \t]*{_PART})*"
_HEAD = re.compile(rf"[ \t]*(\[\[?)[ \t]*({_DOTTED})[ \t]*\]")
_KEY = re.compile(rf"[ \t]*({_DOTTED})[ \t]*=")
_TOKEN = re.compile(
    r'"""(?:\\.|[^\\])*?"""'
    r"|'''.*?'''"
    r'|"(?:\\.|[^"\\\n])*"'
    r"|'[^'\n]*'"
    r"|#[^\n]*|[\[\]{}\n]|[^\[\]{}\n\"'#]+|.",
    re.DOTALL,
)
_WHERE = re.compile(r" \(at (?:line (\d+), column \d+|end of document)\)$")

_WORDS = (
    ("", "[\u00a0\u00ad\u200b-\u200f\u2028-\u202f\u2060\ufeff]",
     "an invisible character stands in it, or a space that is none; type the line anew"),
    ("", "[\u2018-\u201f\u2033\u2036\u00ab\u00bb]", "typographic quotation marks; write \" or '"),
    ("^Cannot declare", "", "this section stands twice"),
    ("^Cannot|Duplicate", "", "it stands twice"),
    ("Expected '='|Invalid statement", r"^[^=\[]*$", "write `name = value`"),
    ("^Invalid value", r"=\s*(#.*)?$", "there is no value; write one, or leave the line out"),
    ("^Expected ']", "", "the name of a section stands in [ ]"),
    ("^Invalid value", r"^\s*\[", "a bracket is not closed in a line above"),
    (r"^Unclosed|nterminated|^Illegal character '\\n'|at end of document|^Expected ('\"|\"'|\"'')",
     "", "a bracket or a quotation mark is not closed, here or in a line above"),
    ("^Invalid value", r"(?i)=\s*(true|false)\b", "true and false are written in small letters"),
    ("^Invalid value", r"(?i)=\s*(yes|no|on|off)\b", "write true or false"),
    ("^Invalid value", r"(?i)=\s*(null|none|nil|~)\s*(#.*)?$",
     "leave the line out for what is not set"),
    ("Unescaped|Invalid hex|escape", "",
     "write \\\\ for a backslash, or take ' for quotation marks"),
    ("^Invalid value", "", "a text stands in quotation marks, a list in [ ]"),
    ("after a statement", r"[,;]\s*(#.*)?$", "nothing stands behind a value; take the sign away"),
    ("after a statement", r"=\s*[+-]?\d[^\"'\[{#=]*(#.*)?$",
     "a number has no unit, comma or zero before it; a text stands in quotation marks"),
    ("after a statement", "", "nothing stands behind a value but a comment, which begins with #"),
)  # fmt: skip
"""What the parser says, how the line looks, and what to say of it; the first that fits counts."""


def take(text: str, name: str, origins: Origins) -> list[str]:
    """Put the values of a file into ``origins``, each with its line.

    Args:
        text: Of the file, whose lines end with a line feed.
        name: Of the file.
        origins: Gets them.

    Returns:
        A line for each statement that is no TOML. The others count all the same.
    """
    lines = text.split("\n")
    mistakes: list[str] = []
    while True:
        text = "\n".join(lines)
        try:
            values = tomllib.loads(text)
        except tomllib.TOMLDecodeError as error:
            number = _at(error, lines)
            what = _explain(str(error), lines[number - 1])
            mistakes.append(f"{name}, line {number}: not TOML: {what}")
            if len(mistakes) >= MOST_MISTAKES or not _stands_alone(str(error), lines[number - 1]):
                return mistakes
            is_head = lines[number - 1].lstrip().startswith("[")
            lines[number - 1] = f"[{json.dumps(f'{_BROKEN}{len(mistakes)}')}]" if is_head else ""
        except RecursionError:
            return [*mistakes, f"{name}: not TOML: nested too deep"]
        else:
            break
    values = {key: one for key, one in values.items() if not key.startswith(_BROKEN)}
    lines_of = {place: f"{name}, line {line}" for place, line in key_lines(text)}
    _put(origins, (), values, lines_of, name)
    for place, where in lines_of.items():  # of what is in lists
        origins.places.setdefault(place, where)
    return mistakes


def _at(error: tomllib.TOMLDecodeError, lines: list[str]) -> int:
    """Return the line that a mistake is in; of one at the end, the last with something in it."""
    found = _WHERE.search(str(error))
    if found is not None and found[1] is not None:
        return min(int(found[1]), len(lines))
    return max((number for number, line in enumerate(lines, 1) if line.strip()), default=1)


def _stands_alone(message: str, line: str) -> bool:
    """Return whether a mistake is of this line alone, so that the others can be read without it."""
    if message.startswith("Cannot") or "Duplicate" in message:
        return True
    try:
        tomllib.loads(line)
    except tomllib.TOMLDecodeError:
        return not re.search("^Unclosed|at end of document", message)
    except RecursionError:
        return False
    return False


def _put(
    origins: Origins,
    place: Place,
    values: Mapping[str, Any],
    lines: Mapping[Place, str],
    above: str,
) -> None:
    for key, value in values.items():
        here = (*place, key)
        where = lines.get(here) or lines.get((*here, "0"), above)
        if isinstance(value, dict):
            origins.put(here, {}, where)
            _put(origins, here, value, lines, where)
        else:
            origins.put(here, value, where)


def _explain(message: str, line: str) -> str:
    """Say in words what is wrong with a statement. Nothing of its value is quoted.

    Args:
        message: The parser's.
        line: Where it stopped.
    """
    key = re.match(rf"\s*({_DOTTED})\s*=", line)
    name = f"{key[1]}: " if key else ""
    raw = _WHERE.sub("", message[0].lower() + message[1:])
    return name + (in_words(_WORDS, message, line) or raw)


def key_lines(text: str) -> Iterator[tuple[Place, int]]:
    """Yield each key and head of a section in a TOML file, with its line, from 1.

    Args:
        text: Valid TOML. What stands in an inline table, or in a list, is not told apart.
    """
    at, line, section = 0, 1, Place()
    counted: dict[Place, int] = {}
    while at < len(text):
        if head := _HEAD.match(text, at):
            section = _section(_parts(head[2]), counted, is_list=head[1] == "[[")
            yield section, line
            at = head.end()
        elif key := _KEY.match(text, at):
            parts = _parts(key[1])
            for length in range(1, len(parts) + 1):
                yield (*section, *parts[:length]), line
            at = key.end()
        depth = 0
        while at < len(text):
            token = _TOKEN.match(text, at)
            if token is None:
                return
            found, at = token[0], token.end()
            line += found.count("\n")
            depth += (found in ("[", "{")) - (found in ("]", "}"))
            if found == "\n" and depth <= 0:
                break


def _parts(dotted: str) -> Place:
    found: Any = tomllib.loads(f"{dotted} = 0")
    parts = []
    while isinstance(found, dict):
        ((part, found),) = found.items()
        parts.append(part)
    return tuple(parts)


def _section(parts: Place, counted: dict[Place, int], *, is_list: bool) -> Place:
    """Return the path of a section, with the numbers of the lists that it is in."""
    place = Place()
    for number, part in enumerate(parts, 1):
        place = (*place, part)
        if number == len(parts) and is_list:
            counted[place] = counted.get(place, -1) + 1
        if place in counted:
            place = (*place, str(counted[place]))
    return place
