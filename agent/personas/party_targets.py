"""Whom an agent may add to the line of its call, as they stand in its file."""

from __future__ import annotations

from typing import Annotated

from pydantic import BaseModel, Field, StringConstraints, field_validator

from agent.personas.fields import STRICT, Text
from agent.personas.script import ScriptParty
from agent.phone_numbers import address
from agent.plain_lines import SpokenLine, Title


class PartyTarget(BaseModel):
    """Somebody who can be added to the line of a call."""

    model_config = STRICT

    name: Annotated[str, StringConstraints(pattern=r"^[a-z0-9][a-z0-9_-]{0,39}$")] = Field(
        description="what the language model calls them: lower-case letters, digits, _ and -"
    )
    to: Text = Field(description="as of `transfers`")
    title: Title = Field(
        default="", description="what they are called on the line; otherwise the name"
    )
    when: Text = Field(
        default="somebody on the line asks for it", description="when to, for a language model"
    )
    ring_seconds: int = Field(
        default=30, ge=1, le=60, strict=False, description="seconds that their phone rings"
    )
    announcement: SpokenLine = Field(
        default="",
        description="what the platform's voice tells them alone, before they are on the line",
    )
    discloses: bool = Field(
        default=True,
        strict=False,
        description="whether that begins with the `disclosure`, as of their country",
    )

    @field_validator("to")
    @classmethod
    def _can_be_dialled(cls, to: str) -> str:
        return address(to)


def script_party(target: PartyTarget, told: str = "") -> ScriptParty:
    """Return somebody of a file as a call has them.

    Args:
        target: They.
        told: That a machine talks, as they hear it first; ``""`` for nothing.
    """
    return ScriptParty(
        name=target.name,
        to=target.to,
        title=target.title or target.name,
        when=target.when,
        ring_seconds=target.ring_seconds,
        announcement=target.announcement,
        disclosure=told if target.discloses else "",
    )
