"""The console: who may see it."""

from __future__ import annotations

from pydantic import Field

from pipelines.settings import Section


class ConsoleSettings(Section):
    """The pages: browser phone, live calls, records, agents."""

    enabled: bool | None = Field(
        None,
        description="Whether there are pages. Unset: yes on loopback, and wherever people sign in.",
    )
