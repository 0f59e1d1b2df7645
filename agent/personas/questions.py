"""What callers ask, and what is answered to the agent's own questions, as its file has it."""

from __future__ import annotations

from typing import Annotated

from pydantic import BaseModel, BeforeValidator, Field

from agent.personas.fields import STRICT, Text, one_or_more


def _one_length_or_more(value: object) -> object:
    return value if isinstance(value, list) else [value]


_Length = Annotated[int, Field(ge=1, le=64, strict=False)]


class FrequentQuestion(BaseModel):
    """A question that callers ask, and its answer."""

    model_config = STRICT

    ask: Annotated[list[Text], BeforeValidator(one_or_more)] = Field(
        min_length=1, max_length=50, description="ways of asking it, as callers say it, best first"
    )
    answer: Text = Field(description="template; what to say")


class DeclaredAnswer(BaseModel):
    """What an answer looks like to one of the agent's questions."""

    model_config = STRICT

    when: Text = Field(description="words of the question, in the agent's language: `table number`")
    digits: Annotated[list[_Length], BeforeValidator(_one_length_or_more)] = Field(
        default=[],
        max_length=64,
        description="how many digits the number has: a count, or a list of all that it may have",
    )
    spelled: bool = Field(
        default=False, strict=False, description="true for a name that is spelled, letter by letter"
    )
