"""A form that a language model fills in: a JSON Schema of an object, checked field by field.

What a model gives is taken as it is or not at all: nothing is made into another type.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator, Mapping
from datetime import date, datetime, time
from typing import Annotated, Any

from jsonschema import Draft202012Validator, FormatChecker, ValidationError
from jsonschema.exceptions import best_match
from jsonschema.validators import extend
from pydantic import StringConstraints, TypeAdapter
from pydantic import ValidationError as NoMatchError
from pydantic_core import SchemaError as PatternError
from referencing import Registry

from pipelines.encodable import encodable_json

MOST_BYTES = 16_384
"""Of one field as JSON; more is not data about a call but a copy of it."""

MAX_REASON = 300
"""Characters of what is wrong, for a model and a record."""

EMAIL = re.compile(r"[^\s@]{1,64}@[^\s@]{1,255}")


def _is_written(read: Callable[[str], object], form: str) -> Callable[[object], bool]:
    def check(value: object) -> bool:
        if not isinstance(value, str):
            return True  # another keyword's matter
        if not re.fullmatch(form, value):
            return False
        try:
            read(value)
        except ValueError:
            return False
        return True

    return check


def _is_email(value: object) -> bool:
    return not isinstance(value, str) or EMAIL.fullmatch(value) is not None


_DATE = r"\d{4}-\d\d-\d\d"
_TIME = r"\d\d:\d\d(:\d\d)?"
_CHECKS: Mapping[str, Callable[[object], bool]] = {
    "date": _is_written(date.fromisoformat, _DATE),
    "time": _is_written(time.fromisoformat, _TIME),
    "date-time": _is_written(
        datetime.fromisoformat, rf"{_DATE}T{_TIME}(\.\d{{1,6}})?(Z|[+-]\d\d:\d\d)?"
    ),
    "email": _is_email,
}

FORMATS = tuple(_CHECKS)
"""Values of ``format`` that are checked."""

_formats = FormatChecker(())
for _name, _check in _CHECKS.items():
    _formats.checks(_name)(_check)


def pattern_mistake(pattern: str) -> str:
    """Return what is wrong with the pattern of a text; ``""`` if nothing is.

    Patterns are matched in linear time, whatever they are: without look-around and back-references.
    """
    try:
        _matches(pattern, "")
    except PatternError:
        return "is no regular expression, or has look-around or back-references in it"
    return ""


def _matches(pattern: str, text: str) -> bool:
    # pydantic's engine is Rust's: no pattern makes it slow, as Python's own can be made.
    adapter = TypeAdapter(Annotated[str, StringConstraints(pattern=pattern)])
    try:
        adapter.validate_python(text, strict=True)
    except NoMatchError:
        return False
    return True


def _pattern(
    _validator: object, pattern: str, value: object, _schema: object
) -> Iterator[ValidationError]:
    if isinstance(value, str) and not _matches(pattern, value):
        yield ValidationError(f"{value!r} does not match {pattern!r}")


_Validator = extend(Draft202012Validator, {"pattern": _pattern})  # type: ignore[no-untyped-call]


def schema_mistakes(schema: Mapping[str, Any]) -> Iterator[tuple[list[str | int], str]]:
    """Yield where in a JSON Schema something is no JSON Schema, and what is wrong there."""
    meta = Draft202012Validator(Draft202012Validator.META_SCHEMA)
    for error in meta.iter_errors(dict(schema)):
        # Of an alternative, what is nearest to being right.
        nearest = best_match([error]) or error
        yield list(nearest.absolute_path), " ".join(nearest.message.split())[:MAX_REASON]


class Form:
    """A form to be filled in.

    Args:
        schema: JSON Schema of an object, without ``$ref``; it says ``properties``.
    """

    def __init__(self, schema: Mapping[str, Any]) -> None:
        self.schema = schema
        self.names: tuple[str, ...] = tuple(schema["properties"])
        # What is not there is missing, which is no mistake of what is.
        checked = {**schema, "required": []}
        self._validator = _Validator(checked, registry=Registry(), format_checker=_formats)

    def looked_at(self, given: Mapping[str, Any]) -> tuple[dict[str, Any], dict[str, str]]:
        """Return the fields that are right, and what is wrong with the others.

        Fields that the form does not have are left out, as are those whose value is null where
        null is not allowed: so models say that something is not known.
        """
        right: dict[str, Any] = {}
        wrong: dict[str, str] = {}
        for name in self.names:
            if name not in given:
                continue
            what = self._wrong(name, given[name])
            if not what:
                right[name] = encodable_json({name: given[name]})[name]
            elif given[name] is not None:
                wrong[name] = what
        return right, wrong

    def _wrong(self, name: str, value: object) -> str:
        try:
            if len(json.dumps(value, allow_nan=False)) > MOST_BYTES:
                return "it is too long"
            errors = sorted(self._validator.iter_errors({name: value}), key=_depth)
        except (ArithmeticError, RecursionError, TypeError, ValueError):
            return "it has a value that JSON does not have"
        if not errors:
            return ""
        place = ".".join(map(str, list(errors[0].absolute_path)[1:]))
        text = errors[0].message
        if len(text) > MAX_REASON // 2:  # it quotes a long value first
            text = f"does not fit {errors[0].validator}: {errors[0].validator_value!r}"
        return (f"{place}: {text}" if place else text)[:MAX_REASON]


def _depth(error: ValidationError) -> int:
    return len(error.absolute_path)
