"""What an agent file wants to be made of a call afterwards: ``summary`` and ``extract``.

``extract`` is a JSON Schema of an object, or a short form: a name a line, with a type or with what
is meant by it::

    extract:
      name: the caller's full name
      guests: integer
      date: {type: string, format: date}

All that is wrong with it is told, each at its place. References are put in where they stand, so
that no model has to follow one.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from agent.personas.yaml_text import Plain, resolved
from agent.settings.allowed import did_you_mean, nearest, shown
from pipelines.tools.forms import FORMATS, pattern_mistake, schema_mistakes

SUMMARY = "summary"
"""The name of the summary among the fields; no field of a file may have it."""

TYPES = ("string", "integer", "number", "boolean", "array", "object", "null")
SHORT_TYPES = ("string", "integer", "number", "boolean", "date", "time", "email")
"""Types of the short form; the last three are texts of that ``format``."""

KEYWORDS = (
    *("type", "properties", "required", "additionalProperties", "items", "enum", "const"),
    *("anyOf", "description", "title", "format", "pattern", "minLength", "maxLength", "minimum"),
    *("maximum", "exclusiveMinimum", "exclusiveMaximum", "multipleOf", "minItems", "maxItems"),
    *("uniqueItems", "$ref"),
)
"""What is known of JSON Schema: what is checked here, and every model of today understands."""

OUTERMOST = ("type", "properties", "required", "additionalProperties", "description", "title")
"""Of those, what the whole may say: each mistake is one field's."""

DEEPEST = 5
"""Objects and lists within each other; OpenAI's structured output takes so many."""

MOST_NODES = 200
"""Schemas within the whole, references put in. A model is told all of it with each call."""

MOST_BYTES = 16_384
"""Of the whole as JSON, references put in."""

_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_-]{0,63}")

Schema = dict[str, Any]


def summary_wanted(value: object) -> str | bool:
    """Return whether a summary is wanted, or what it should hold; a validator of the field.

    Raises:
        ValueError: If it is neither.
    """
    if isinstance(value, Plain) and value.lower() in ("true", "false"):
        return value.lower() == "true"
    if isinstance(value, bool):
        return value
    if not isinstance(value, str) or len(value.split()) < 2:
        message = "must be true, false, or a sentence that says what it should hold"
        raise ValueError(message)
    return value.strip()


@dataclass(slots=True)
class _Reader:
    """Reads one declaration."""

    definitions: Mapping[str, Any] = field(default_factory=dict)
    mistakes: list[tuple[str, str]] = field(default_factory=list)
    nodes: int = 0

    def tell(self, place: str, what: str) -> None:
        self.mistakes.append((place, what))

    def schema(self, given: object, place: str, depth: int, within: tuple[str, ...]) -> Schema:
        """Return one schema with all references put in; what is wrong is noted.

        Args:
            given: As it stands in the file.
            place: Where, from ``extract`` on.
            depth: Objects and lists around it.
            within: Names of the references that led here.
        """
        self.nodes += 1
        if self.nodes > MOST_NODES:
            return {}
        if not isinstance(given, dict):
            self.tell(place, "must be a JSON Schema, such as {type: string}")
            return {}
        if depth > DEEPEST:
            self.tell(place, f"is nested too deep: {DEEPEST} objects and lists at the most")
            return {}
        self._keywords(given, place)
        if "$ref" in given:
            return self._referred(given, place, depth, within)
        made = {name: value for name, value in given.items() if name in KEYWORDS}
        self._types(made, place)
        if isinstance(properties := given.get("properties"), dict):
            made["properties"] = self.properties(
                properties, _at(place, "properties"), depth, within
            )
        if isinstance(items := given.get("items"), dict | bool):
            made["items"] = self.schema(items, _at(place, "items"), depth + 1, within)
        if isinstance(several := given.get("anyOf"), list):
            made["anyOf"] = [
                self.schema(one, _at(place, f"anyOf.{number}"), depth, within)
                for number, one in enumerate(several, 1)
            ]
        self._required(made, place)
        return made

    def properties(
        self, given: Mapping[str, Any], place: str, depth: int, within: tuple[str, ...]
    ) -> Schema:
        """Return the schemas of properties by their names."""
        for name in given:
            if not _NAME.fullmatch(name):
                self.tell(
                    _at(place, name), "take letters, digits, - and _ for its name, 64 at most"
                )
        return {
            name: self.schema(one, _at(place, name), depth + 1, within)
            for name, one in given.items()
        }

    def _referred(
        self, given: Mapping[str, Any], place: str, depth: int, within: tuple[str, ...]
    ) -> Schema:
        here, to = _at(place, "$ref"), given["$ref"]
        found = re.fullmatch(r"#/\$defs/([^/~%]+)", to) if isinstance(to, str) else None
        if found is None or found[1] not in self.definitions:
            names = ", ".join(f"'#/$defs/{name}'" for name in self.definitions)
            there = f"; there are {names}" if names else ", and there are no $defs"
            self.tell(here, f"must name one of the file's own $defs{there}")
            return {}
        if found[1] in within:
            self.tell(here, f"'{found[1]}' refers to itself")
            return {}
        made = self.schema(
            self.definitions[found[1]], f"$defs.{found[1]}", depth, (*within, found[1])
        )
        return {**made, **{k: v for k, v in given.items() if k in ("description", "title")}}

    def _keywords(self, given: Mapping[str, Any], place: str) -> None:
        for name in given.keys() - set(KEYWORDS):
            meant = did_you_mean(nearest(name, KEYWORDS))
            known = meant or f"; there are {', '.join(KEYWORDS)}"
            self.tell(_at(place, name), f"unknown keyword{known}")

    def _types(self, made: Mapping[str, Any], place: str) -> None:
        kind = made.get("type")
        for one in kind if isinstance(kind, list) else [kind]:
            if isinstance(one, str) and one not in TYPES:
                hint = did_you_mean(nearest(one, TYPES)) or f"; there are {', '.join(TYPES)}"
                self.tell(_at(place, "type"), f"no type is called {shown(one)}{hint}")
        form = made.get("format")
        if isinstance(form, str) and form not in FORMATS:
            self.tell(
                _at(place, "format"), f"must be one of {', '.join(FORMATS)}: they are checked"
            )
        pattern = made.get("pattern")
        if isinstance(pattern, str) and (why := pattern_mistake(pattern)):
            self.tell(_at(place, "pattern"), why)
        if not made.keys() & {"type", "enum", "const", "anyOf", "$ref"}:
            self.tell(place, "needs a type, an enum, or anyOf")

    def _required(self, made: Mapping[str, Any], place: str) -> None:
        properties, required = made.get("properties", {}), made.get("required", [])
        if isinstance(properties, dict) and isinstance(required, list):
            for number, name in enumerate(required, 1):
                if isinstance(name, str) and name not in properties:
                    hint = did_you_mean(nearest(name, properties))
                    self.tell(_at(place, f"required.{number}"), f"no such property{hint}")


def read_extract(declared: object) -> tuple[Schema, list[tuple[str, str]]]:
    """Return the schema of the fields that a file wants, and what is wrong with it, by place.

    Args:
        declared: What stands under ``extract``.
    """
    given = resolved(declared)
    if not isinstance(given, dict) or not given:
        return {}, [("", "must be a JSON Schema of an object, or a line for each field")]
    if isinstance(given.get("properties"), dict) or given.get("type") == "object":
        return _whole(given)
    reader = _Reader()
    spelt = {name: _short(reader, name, value) for name, value in given.items()}
    made: Schema = {"type": "object", "properties": reader.properties(spelt, "", 0, ())}
    return _finished(reader, made, "")


def _short(reader: _Reader, name: str, value: object) -> object:
    if isinstance(value, str) and value.strip():
        if value in SHORT_TYPES:
            return {"type": value} if value in TYPES else {"type": "string", "format": value}
        if value in TYPES or (" " not in value and nearest(value, SHORT_TYPES)):
            reader.tell(name, f"must be one of {', '.join(SHORT_TYPES)}, or say what is meant")
        return {"type": "string", "description": value.strip()}
    if not isinstance(value, dict):
        reader.tell(name, "must be a type, what is meant by it, or a JSON Schema")
        return {"type": "string"}
    return value


def _whole(given: Mapping[str, Any]) -> tuple[Schema, list[tuple[str, str]]]:
    definitions = given.get("$defs", {})
    reader = _Reader(definitions if isinstance(definitions, dict) else {})
    for name in given.keys() - {*OUTERMOST, "$defs"}:
        known = name in KEYWORDS
        hint = did_you_mean(nearest(name, (*OUTERMOST, "$defs")))
        there = f"; there are {', '.join((*OUTERMOST, '$defs'))}"
        reader.tell(
            name, "is for the fields, not for the whole" if known else f"unknown{hint or there}"
        )
    if not isinstance(definitions, dict):
        reader.tell("$defs", "must have schemas by their names")
    if given.get("type", "object") != "object":
        reader.tell("type", "must be object: fields by their names")
    if not isinstance(given.get("properties"), dict) or not given["properties"]:
        reader.tell("properties", "must have the fields by their names")
        return {}, reader.mistakes
    outer = {name: given[name] for name in OUTERMOST if name in given}
    made = reader.schema({**outer, "type": "object"}, "", 0, ())
    return _finished(reader, made, "properties")


def _finished(reader: _Reader, made: Schema, fields: str) -> tuple[Schema, list[tuple[str, str]]]:
    """Look at the whole once all of it is there."""
    if reader.nodes > MOST_NODES:
        reader.tell("", f"is too large: {MOST_NODES} schemas at the most, $defs put in")
    elif len(json.dumps(made)) > MOST_BYTES:
        reader.tell("", f"is too large: {MOST_BYTES} bytes of JSON at the most, $defs put in")
    else:
        told = {place for place, _ in reader.mistakes}
        for path, what in schema_mistakes(made):
            parts = [str(part + 1 if isinstance(part, int) else part) for part in path]
            place = ".".join(parts if fields else parts[1:])
            if place not in told:
                reader.tell(place, what)
    if SUMMARY in made.get("properties", {}):
        reader.tell(_at(fields, SUMMARY), "is what `summary: true` gives; take another name")
    return made, list(dict.fromkeys(reader.mistakes))


def _at(place: str, name: str) -> str:
    return f"{place}.{name}" if place else name
