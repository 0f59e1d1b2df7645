"""What is wrong with an agent file, said in a line for each mistake to whoever wrote it."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path

from pydantic import BaseModel, ValidationError
from pydantic_core import ErrorDetails

from agent.settings.allowed import Kind, allowed, at, did_you_mean, hint, nearest, shown

MOST_TOLD = 20
"""Mistakes of a file; who has more mends these first. To look for what each meant costs time."""


class PersonaError(Exception):
    """The agent file cannot be used. A line for each mistake: where, and what is allowed there."""


def one_line(text: object) -> str:
    """Return ``text`` without line breaks and what is not seen, no longer than anybody reads."""
    said = " ".join(str(text).split())[:300]
    return "".join(char if char.isprintable() else "?" for char in said)


def in_order(mistakes: Iterable[str]) -> PersonaError:
    """Return the error that tells them all, each once, as they stand in the file."""
    lines = sorted(dict.fromkeys(mistakes), key=_line)
    more = [f"and {len(lines) - MOST_TOLD} more mistakes"] if len(lines) > MOST_TOLD else []
    return PersonaError("\n".join(lines[:MOST_TOLD] + more))


def in_file(path: Path, error: PersonaError) -> PersonaError:
    """Return the same error with the file at the beginning of each line."""
    lines = str(error).split("\n")
    return PersonaError("\n".join(f"{path}{', ' if _line(one) else ': '}{one}" for one in lines))


def _line(mistake: str) -> int:
    found = re.match(r"line (\d+):", mistake)
    return int(found[1]) if found else 0


def mistakes_in(
    error: ValidationError,
    model: type[BaseModel],
    nested: Mapping[str, type[BaseModel]] | None = None,
) -> Iterator[tuple[str, str]]:
    """Yield where each mistake is, items counted from 1, and what is allowed there.

    Args:
        error: Of validating ``model``.
        model: Whose fields are named if there is no such field.
        nested: The models inside of it, by the field that they stand in.
    """
    mistakes = error.errors(include_url=False)[: 5 * MOST_TOLD]
    misspelt = {
        (*one["loc"][:-1], *nearest(str(one["loc"][-1]), _there(one, model, nested).model_fields))
        for one in mistakes
        if one["type"] == "extra_forbidden"
    }
    for mistake in mistakes:
        if mistake["type"] == "missing" and mistake["loc"] in misspelt:
            continue
        parts = mistake["loc"][:-1] if "[key]" in mistake["loc"] else mistake["loc"]
        place = ".".join(str(part + 1 if isinstance(part, int) else part) for part in parts)
        if mistake["type"] == "value_error":
            for text in mistake["msg"].removeprefix("Value error, ").split("\n"):
                inner, colon, what = text.partition(": ")
                is_place = colon and re.fullmatch(r"\d+(\.[\w-]+)*", inner)
                yield (f"{place}.{inner}", what) if is_place else (place, text)
        elif mistake["type"] == "extra_forbidden":
            yield place, unknown(str(parts[-1]), _there(mistake, model, nested))
        else:
            yield place, _allowed(mistake, at(model, parts))


def _there(
    mistake: ErrorDetails, model: type[BaseModel], nested: Mapping[str, type[BaseModel]] | None
) -> type[BaseModel]:
    """Return the model that a field was looked for in."""
    loc = mistake["loc"]
    return (nested or {}).get(str(loc[0]), model) if len(loc) > 1 else model


def unknown(name: str, model: type[BaseModel]) -> str:
    """Say that a field is not known, and which was probably meant, or which there are."""
    meant = did_you_mean(nearest(name, model.model_fields))
    return f"unknown field{meant or '; there are ' + ', '.join(model.model_fields)}"


def _allowed(mistake: ErrorDetails, kind: Kind | None) -> str:
    given = mistake["input"]
    if mistake["type"] == "missing":
        return "is required"
    if kind is None:
        return str(mistake["msg"])
    if kind.model is not None:
        return f"must have {', '.join(kind.model.model_fields)}, each with `name: value`"
    if given == "":
        return f"has no value; it must be {allowed(kind)}"
    return f"must be {allowed(kind)}{_how(kind, given)}"


def _how(kind: Kind, given: object) -> str:
    """Say what is to be changed in what was given. Texts and numbers of people are not quoted."""
    if kind.is_text and isinstance(given, dict | list):
        return "; put one with `: ` in it, or a bracket at its beginning, in quotation marks"
    if kind.is_list and isinstance(given, str):
        return ": a line each, which begins with -"
    bare = kind.is_number or kind.plain is bool or kind.is_choice
    said = f", and not {shown(str(given))}" if bare and isinstance(given, str) else ""
    return said + hint(kind, given)
