"""How the fields of an agent file are read, whatever part of it they stand in."""

from __future__ import annotations

from typing import Annotated

from pydantic import ConfigDict, StringConstraints


def one_or_more(value: object) -> object:
    """Return a single text as a list of one."""
    return [value] if isinstance(value, str) else value


STRICT = ConfigDict(frozen=True, extra="forbid", strict=True)
"""Strict: a value is a text, as it stands in the file; what is something else says so."""

Text = Annotated[str, StringConstraints(strip_whitespace=True, min_length=1)]
"""A text that says something."""


def or_nothing(value: object) -> object:
    """Return a text without the spaces around it; nothing for a field that is left empty."""
    return "" if value is None else value.strip() if isinstance(value, str) else value


_TRUE = frozenset({"true", "t", "yes", "y", "on", "1"})
_SWITCHES = _TRUE | {"false", "f", "no", "n", "off", "0"}


def is_true(value: object) -> bool:
    """Return whether a field that is true or false is true, as it stands in a file."""
    return str(value).strip().lower() in _TRUE


def is_switch(value: object) -> bool:
    """Return whether somebody has taken a field for one that is true or false."""
    return str(value).strip().lower() in _SWITCHES
