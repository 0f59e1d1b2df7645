"""What a language model is told of a conversation, and how much it may say."""

from __future__ import annotations

from pydantic import Field

from pipelines.settings import Section


class ModelLimits(Section):
    """How long a conversation and a reply may be."""

    max_history: int = Field(
        12_000,
        ge=500,
        description="Tokens of the conversation that the model is shown, estimated from its "
        "length, results of tools included; the agent file is not counted. Beyond, the oldest "
        "turns are left out. The default is an hour of talk; less is cheaper and answers sooner. "
        "A server that says that it is too long is asked again with half of it.",
    )
    max_reply: int = Field(
        4_000,
        ge=400,
        description="Characters of one reply; what comes after the last whole sentence within "
        "them is not said. Four minutes of speech, three times what `max_tokens` allows by "
        "default: only a model that does not stop gets there.",
    )
