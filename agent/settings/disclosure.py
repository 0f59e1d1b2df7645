"""Where people have to be told that they talk to a machine."""

from __future__ import annotations

from typing import Annotated

from pydantic import AfterValidator, Field

from agent import phone_numbers
from agent.countries import EU
from pipelines.settings import Section


def _country(code: str) -> str:
    if code != EU and not phone_numbers.is_country(code):
        raise ValueError("EU, or two letters of a country with telephone numbers, such as US")
    return code


class DisclosureSettings(Section):
    """Where people have to be told that they talk to a machine."""

    required: tuple[Annotated[str, AfterValidator(_country)], ...] = Field(
        (EU,),
        description="Countries in which `voice-agent check` takes it for a mistake, and elsewhere "
        "for doubtful, that an agent does not say that it is a machine. `EU`, the usual value, is "
        "the European Economic Area: Regulation (EU) 2024/1689, Article 50, from 2 August 2026. "
        "`[]`: none.",
    )
