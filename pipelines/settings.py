"""What every section of the settings is.

A section stands beside the code that takes it and is itself the value which that code takes, so
that a setting has one definition: its name, bounds, default, reason, and what users are told.
"""

from __future__ import annotations

from pydantic import BaseModel, ConfigDict


class Section(BaseModel):
    """Settings that belong together. Frozen; a name that is not among them is refused.

    Every field has a ``description``, from which the tables in the documentation are made: its
    unit, its meaning, and what speaks for another value.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")
