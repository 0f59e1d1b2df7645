"""What a model asks of a tool, against the schema of the tool."""

from __future__ import annotations

from typing import Any

import pytest

from pipelines.tools.arguments import argument_error, check_schema
from pipelines.tools.tool import MAX_REASON


@pytest.mark.parametrize(
    "schema",
    [
        {},
        {"type": "string"},
        {"type": "object", "properties": {"a": {"type": "nothing"}}},
        {"type": "object", "properties": {"a": {"pattern": "("}}},
        {"type": "object", "properties": []},
    ],
)
def test_what_is_no_schema_is_refused(schema: dict[str, Any]) -> None:
    """Found when a tool is made, not in a call."""
    with pytest.raises(ValueError, match=r"\w"):
        check_schema(schema)


def test_a_schema_that_points_elsewhere_fetches_nothing() -> None:
    """A reference into the network, or in circles, is a broken tool, not a request."""
    away = {"type": "object", "properties": {"a": {"$ref": "http://10.0.0.1/schema.json"}}}
    assert "schema" in argument_error(away, {"a": 1})
    circle = {
        "type": "object",
        "properties": {"a": {"$ref": "#/$defs/a"}},
        "$defs": {"a": {"$ref": "#/$defs/a"}},
    }
    assert "schema" in argument_error(circle, {"a": 1})


def test_a_reason_is_short_and_says_what_is_allowed() -> None:
    """However long the value that was wrong."""
    schema = {"type": "object", "properties": {"size": {"enum": ["small", "large"]}}}
    reason = argument_error(schema, {"size": "x" * 10_000})
    assert "small" in reason
    assert len(reason) <= MAX_REASON
