"""What is wrong with an agent file, said in one line for whoever wrote it."""

from __future__ import annotations

from collections.abc import Mapping

from pydantic import BaseModel, ValidationError


class PersonaError(Exception):
    """The agent file cannot be used. The message is one line: file, place, what is allowed."""


def one_line(text: object) -> str:
    """Return ``text`` without line breaks, and no longer than anybody reads."""
    return " ".join(str(text).split())[:300]


def first_mistake(
    error: ValidationError,
    model: type[BaseModel],
    nested: Mapping[str, type[BaseModel]] | None = None,
) -> str:
    """Say where the first mistake is, items counted from 1, and what is allowed there.

    Args:
        error: Of validating ``model``.
        model: Whose fields are named if there is no such field.
        nested: The models inside of it, by the field that they stand in.
    """
    # An unknown field before a missing one: it is the missing one, misspelt.
    first = min(
        error.errors(include_url=False),
        key=lambda mistake: mistake["type"] != "extra_forbidden",
    )
    where = first["loc"][:1] if "[key]" in first["loc"] else first["loc"]
    place = ".".join(str(part + 1 if isinstance(part, int) else part) for part in where)
    match first["type"]:
        case "missing":
            allowed = "is required"
        case "extra_forbidden":
            there = model if len(where) == 1 else (nested or {})[str(where[0])]
            allowed = "unknown field; there are " + ", ".join(there.model_fields)
        case "string_type":
            allowed = "must be a text; put it in quotes"
        case _:
            allowed = first["msg"].removeprefix("Value error, ")
    return one_line(f"{place}: {allowed}" if place else allowed)
