"""What an agent file may want of a call afterwards, and what is said of what it may not."""

from __future__ import annotations

from typing import Any

import pytest

from agent.personas.errors import PersonaError
from agent.personas.loader import parse
from pipelines.tools.forms import Form


def wanted(front: str) -> dict[str, Any]:
    return parse(f"---\n{front}\n---\nYou answer.\n").afterwards.wanted


def mistakes(front: str) -> list[str]:
    with pytest.raises(PersonaError) as caught:
        wanted(front)
    return str(caught.value).split("\n")


def test_nothing_is_wanted_unless_the_file_says_so() -> None:
    """No model is told what was said after a call of an agent that does not ask for it."""
    assert wanted("greeting: Hello.") == {}
    assert wanted("summary: false") == {}


@pytest.mark.parametrize(
    ("written", "value"),
    [
        ("true", True),
        ("true  # for the sales team", True),
        ("What was ordered, and when it is needed.", "What was ordered, and when it is needed."),
        ("'Was bestellt wurde, und bis wann.'", "Was bestellt wurde, und bis wann."),
    ],
)
def test_a_summary_is_wanted(written: str, value: object) -> None:
    """By `true`, or by words that say what it should hold."""
    assert wanted(f"summary: {written}") == {"summary": value}


@pytest.mark.parametrize("written", ["ture", "yes", "''", "3", "[a, b]", "{a: b}"])
def test_what_is_no_summary(written: str) -> None:
    """A word alone is a slip of the pen, not what a summary should hold."""
    told = "line 2: summary: must be true, false, or a sentence that says what it should hold"
    assert mistakes(f"summary: {written}") == [told]


def test_the_short_form() -> None:
    """A type, what is meant, or a schema; digits of a code stay a text."""
    front = """extract:
  name: the caller's full name
  guests: integer
  day: date
  room: {enum: [garden, hall, 007], description: which room}"""
    schema = wanted(front)["extract"]
    assert schema["properties"] == {
        "name": {"type": "string", "description": "the caller's full name"},
        "guests": {"type": "integer"},
        "day": {"type": "string", "format": "date"},
        "room": {"enum": ["garden", "hall", "007"], "description": "which room"},
    }
    assert Form(schema).names == ("name", "guests", "day", "room")


def test_references_are_put_in() -> None:
    """No model has to follow one, and what is beside it stays."""
    front = """extract:
  type: object
  properties:
    first: {$ref: '#/$defs/day', description: arrival}
    days: {type: array, items: {$ref: '#/$defs/day'}}
  $defs:
    day: {type: string, format: date}"""
    day = {"type": "string", "format": "date"}
    assert wanted(front)["extract"]["properties"] == {
        "first": day | {"description": "arrival"},
        "days": {"type": "array", "items": day},
    }


@pytest.mark.parametrize(
    ("extract", "told"),
    [
        ("  name: strnig", "line 3: extract.name: must be one of string, integer"),
        ("  name: {typ: string}", "line 3: extract.name.typ: unknown keyword; did you mean type?"),
        ("  name: 3", "line 3: extract.name: must be a type, what is meant by it"),
        ("  name:", "line 3: extract.name: must be a type, what is meant by it"),
        ("  summary: string", "line 3: extract.summary: is what `summary: true` gives"),
        ("  'a b': string", "line 3: extract.a b: take letters, digits, - and _"),
        ("  a: {type: strin}", "line 3: extract.a.type: no type is called 'strin'; did you mean"),
        ("  a: {type: [string, nul]}", "line 3: extract.a.type: no type is called 'nul'"),
        ("  a: {description: b}", "line 3: extract.a: needs a type, an enum, or anyOf"),
        ("  a: {type: string, maxLength: b}", "line 3: extract.a.maxLength: 'b' is not of type"),
        ("  a: {type: number, maximum: .inf}", "line 3: extract.a.maximum: '.inf' is not of type"),
        ("  a: {type: string, format: uri}", "line 3: extract.a.format: must be one of date"),
        ("  a: {type: string, pattern: '('}", "line 3: extract.a.pattern: is no regular"),
        ("  a: {type: string, pattern: '(?=a)'}", "line 3: extract.a.pattern: is no regular"),
        ("  a: {$ref: 'https://example.com/a.json'}", "line 3: extract.a.$ref: must name one"),
        ("  a: {$ref: '#/properties/b'}", "line 3: extract.a.$ref: must name one of the file's"),
        ("  a: {type: array, items: true}", "line 3: extract.a.items: must be a JSON Schema"),
        ("  a: {anyOf: [{type: strin}]}", "line 3: extract.a.anyOf.1.type: no type is called"),
        ("  a: {oneOf: [{type: string}], type: string}", "line 3: extract.a.oneOf: unknown"),
        ("  properties: {a: {type: string}}\n  type: array", "line 4: extract.type: must be"),
        ("  type: object", "line 3: extract.properties: must have the fields by their names"[8:]),
        (
            "  properties: {a: {type: string}}\n  required:\n    - b",
            "line 5: extract.required.1: no such property",
        ),
        (
            "  properties: {a: {type: string}}\n  minLength: 3",
            "line 4: extract.minLength: is for the fields, not for the whole",
        ),
    ],
)
def test_a_mistake_has_its_line(extract: str, told: str) -> None:
    """And says what is allowed."""
    assert any(told in one for one in mistakes(f"extract:\n{extract}")), mistakes(
        f"extract:\n{extract}"
    )


@pytest.mark.parametrize("empty", ["", "[]", "{}", "text", "3"])
def test_fields_are_a_mapping(empty: str) -> None:
    """What is none says so."""
    told = "line 2: extract: must be a JSON Schema of an object, or a line for each field"
    assert mistakes(f"extract: {empty}") == [told]


def test_all_mistakes_are_told_at_once() -> None:
    """Those that only JSON Schema's own schema knows, too."""
    lines = mistakes(
        "extract:\n  a: {type: strin}\n  b: {type: string, minLength: -1}\n  c: {typ: string}"
    )
    assert [line.split(":")[0] for line in lines] == ["line 3", "line 4", "line 5", "line 5"]


def test_what_grows_without_end_is_refused() -> None:
    """A definition within itself, lists within lists, definitions that double each time."""
    loop = "extract:\n  properties: {a: {$ref: '#/$defs/a'}}\n  $defs:\n    a: {type: array, items"
    assert "'a' refers to itself" in mistakes(f"{loop}: {{$ref: '#/$defs/a'}}}}")[0]
    deep = "{type: array, items: " * 8 + "{type: string}" + "}" * 8
    assert "nested too deep" in mistakes(f"extract:\n  a: {deep}")[0]
    both = (
        "{{type: object, properties: {{a: {{$ref: '#/$defs/{0}'}}, b: {{$ref: '#/$defs/{0}'}}}}}}"
    )
    chain = "".join(f"    d{n}: {both.format(f'd{n + 1}')}\n" for n in range(60))
    front = f"extract:\n  properties: {{a: {{$ref: '#/$defs/d0'}}}}\n  $defs:\n{chain}"
    assert "nested too deep" in mistakes(f"{front}    d60: {{type: string}}")[0]
    wide = "\n".join(f"  f{n}: string" for n in range(300))
    assert "200 schemas at the most" in mistakes(f"extract:\n{wide}")[0]
    long = "\n".join(f"  f{n}: {'x ' * 500}" for n in range(30))
    assert "16384 bytes of JSON" in mistakes(f"extract:\n{long}")[0]
