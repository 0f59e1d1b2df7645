"""How the fields of an agent file are read, whatever part of it they stand in."""

from __future__ import annotations

from typing import Annotated

from pydantic import ConfigDict, StringConstraints

STRICT = ConfigDict(frozen=True, extra="forbid", strict=True)
"""Strict: YAML's bare `yes` and `7:30` are not the texts that their author meant."""

Text = Annotated[str, StringConstraints(strip_whitespace=True, min_length=1)]
"""A text that says something."""
