"""How long a stage may take."""

from __future__ import annotations

from pydantic import Field

from pipelines.settings import Section


class Budgets(Section):
    """Seconds that a stage may take before it has failed, and the reply counts as lost."""

    transcript: float = Field(5.0, gt=0, description="Seconds, end of speech to transcript.")
    first_token: float = Field(8.0, gt=0, description="Seconds to the first piece of the reply.")
    """From the transcript."""

    next_token: float = Field(
        5.0,
        gt=0,
        description="Seconds that a reply may fall behind half the pace of speech, in all.",
    )
    first_audio: float = Field(5.0, gt=0, description="Seconds to a sentence's first audio.")
    next_audio: float = Field(
        2.0,
        gt=0,
        description="Seconds that a sentence may fall behind while spoken, in all: silence.",
    )
    """Nothing can be said in the meantime."""

    patience: float = Field(
        2.0,
        gt=0,
        description="Seconds, for any of these at the most, while another provider is left to "
        "try; about when a caller hears a filler.",
    )
    """The last provider gets the whole budget."""
