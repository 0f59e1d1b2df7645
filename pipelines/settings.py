"""What every section of the settings is.

A section stands beside the code that takes it and is itself the value which that code takes, so
that a setting has one definition: its name, bounds, default, reason, and what users are told.
"""

from __future__ import annotations

from typing import get_args

from pydantic import BaseModel, ConfigDict, ValidationInfo, field_validator
from pydantic_core import PydanticCustomError


class Section(BaseModel):
    """Settings that belong together. Frozen; a name that is not among them is refused.

    Every field has a ``description``, from which the tables in the documentation are made: its
    unit, its meaning, and what speaks for another value.
    """

    model_config = ConfigDict(
        frozen=True, extra="forbid", allow_inf_nan=False, hide_input_in_errors=True
    )

    @field_validator("*", mode="before")
    @classmethod
    def _true_is_no_number(cls, value: object, info: ValidationInfo) -> object:
        """Refuse true for a number, which Python takes for 1."""
        kind = cls.model_fields[info.field_name].annotation if info.field_name else None
        kinds = {kind, *get_args(kind)}
        if isinstance(value, bool) and kinds & {int, float} and bool not in kinds:
            raise PydanticCustomError("no_number", "must be a number")
        return value
