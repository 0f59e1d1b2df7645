"""What a model gives for a form: taken as it is, field by field, or not at all."""

from __future__ import annotations

import time
from typing import Any

import pytest

from pipelines.tools.forms import Form, pattern_mistake

STRING, INTEGER = {"type": "string"}, {"type": "integer"}


def looked_at(schema: dict[str, Any], value: object) -> tuple[dict[str, Any], dict[str, str]]:
    return Form({"type": "object", "properties": {"a": schema}}).looked_at({"a": value})


@pytest.mark.parametrize(
    ("schema", "value"),
    [
        (INTEGER, 4),
        (STRING, "Jürgen, 田中"),
        ({"type": "string", "format": "date"}, "2026-02-28"),
        ({"type": "string", "format": "time"}, "19:30"),
        ({"type": "string", "format": "date-time"}, "2026-02-28T19:30:00+01:00"),
        ({"type": "string", "format": "email"}, "ann@example.com"),
        ({"type": "string", "pattern": "^[A-Z]{2}[0-9]{4}$"}, "AB1234"),
        ({"enum": ["garden", "hall"]}, "hall"),
        ({"type": ["string", "null"]}, None),
        ({"type": "array", "items": INTEGER}, [1, 2]),
    ],
)
def test_what_fits_is_taken_as_it_is(schema: dict[str, Any], value: object) -> None:
    """The very value that the model gave."""
    assert looked_at(schema, value) == ({"a": value}, {})


@pytest.mark.parametrize(
    ("schema", "value"),
    [
        (INTEGER, "4"),
        (INTEGER, 4.5),
        (INTEGER, True),
        ({"type": "boolean"}, "yes"),
        (STRING, 4),
        ({"type": "string", "format": "date"}, "28 February"),
        ({"type": "string", "format": "date"}, "2026-02-30"),
        ({"type": "string", "format": "time"}, "half past seven"),
        ({"type": "string", "format": "email"}, "ann at example dot com"),
        ({"type": "string", "pattern": "^[A-Z]{2}[0-9]{4}$"}, "AB12345"),
        ({"enum": ["garden", "hall"]}, "the hall"),
        ({"type": "array", "items": INTEGER}, [1, "2"]),
        ({"type": "number"}, float("inf")),
        (STRING, "x" * 20_000),
    ],
)
def test_what_does_not_fit_is_not_made_to(schema: dict[str, Any], value: object) -> None:
    """No number is made of a text, and no text of a number; it is said what is wrong."""
    right, wrong = looked_at(schema, value)
    assert right == {}
    assert 0 < len(wrong["a"]) <= 300


def test_each_field_stands_for_itself() -> None:
    """One that is wrong takes no other with it; null is nothing, strange names are left out."""
    schema = {
        "type": "object",
        "properties": {"a": INTEGER, "b": STRING, "c": STRING, "d": {"enum": [1]}},
        "required": ["a", "b", "c"],
        "additionalProperties": False,
    }
    right, wrong = Form(schema).looked_at({"a": "?", "b": "yes", "c": None, "e": 5})
    assert right == {"b": "yes"}
    assert wrong.keys() == {"a"}


def test_half_a_character_can_be_stored() -> None:
    """It is mended, as everywhere."""
    right, _ = looked_at(STRING, "a\ud800b")
    assert right["a"].encode()


def test_no_pattern_makes_a_text_slow() -> None:
    """What would take Python's engine years is matched in linear time."""
    began = time.perf_counter()
    assert pattern_mistake("^(a+)+$") == ""
    assert looked_at({"type": "string", "pattern": "^(a+)+$"}, "a" * 5_000 + "!")[1]
    assert time.perf_counter() - began < 5
