"""Whom callers of an agent can be passed on to, as its file has them."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import Annotated, Any, Self

from pydantic import (
    BaseModel,
    BeforeValidator,
    Field,
    StringConstraints,
    field_validator,
    model_validator,
)

from agent.personas.fields import STRICT, Text, is_true, one_or_more, or_nothing
from agent.phone_numbers import address, user
from agent.warm_transfers import CONSENT, INTRODUCTION, SUMMARY, NotReached, Then, WarmTransfer

FAILURES: Mapping[NotReached, str] = {
    "no answer": "I'm sorry, nobody answers there. Can I help with anything else?",
    "busy": "I'm sorry, the line there is busy. Can I help with anything else?",
    "machine": "I'm sorry, there is only an answering machine. Can I help with anything else?",
    "declined": "I'm sorry, they cannot take your call now. Can I help with anything else?",
}
"""What a caller is told, by why they were not passed on, where the file has nothing of its own and
somebody is asked first: then the usual answer would leave open what they have waited for."""

TEMPLATES = ("announcement", "briefing", "consent", "introduction")
"""The fields of one that are templates."""


class TransferTarget(BaseModel):
    """Somebody whom callers can be passed on to."""

    model_config = STRICT

    name: Annotated[str, StringConstraints(pattern=r"^[a-z0-9][a-z0-9_-]{0,39}$")] = Field(
        description="what the language model calls it: lower-case letters, digits, _ and -"
    )
    to: Text = Field(
        description="number in E.164, such as +12025550123, SIP address, or `user:` and the id of "
        "an In-App user"
    )
    when: Text = Field(
        default="the caller asks for it", description="when to, for a language model"
    )
    ask: Annotated[list[Text], BeforeValidator(one_or_more)] = Field(
        default=[], max_length=50, description="ways of asking for it, for the lookup stage"
    )
    announcement: Text = Field(
        default="I'm connecting you now. One moment, please.",
        description="template; said before, by the lookup stage",
    )
    warm: bool = Field(
        default=False,
        strict=False,
        description="true: they are called alone, hear the `briefing`, and are asked whether they "
        "take the call; no In-App users",
    )
    briefing: Text = Field(
        default="A caller would like to talk to you. {{ summary }}",
        description="template; what the platform's voice tells them. `{{ summary }}` is what the "
        "call was about, by the language model, if it has written that before they pick up",
    )
    consent: Text = Field(
        default=CONSENT,
        description="template; what it asks them then: 1 is yes and 2 is no, in version 1 these "
        "words, too. With the briefing, 600 characters at the most",
    )
    introduction: Annotated[str, BeforeValidator(or_nothing)] = Field(
        default=INTRODUCTION,
        description="template; what the agent says to both once they are together",
    )
    then: Then = Field(
        default="leave",
        description="what the agent does then: `leave`, stay `silent`, or stay to `help`; once "
        "they have left, one that has stayed talks to the caller again",
    )
    discloses: bool = Field(
        default=True,
        strict=False,
        description="whether one with whom the agent stays to `help` hears the `disclosure` before "
        "the briefing, as of their country",
    )

    @field_validator("to")
    @classmethod
    def _can_be_dialled(cls, to: str) -> str:
        return address(to)

    @model_validator(mode="after")
    def _can_be_asked(self) -> Self:
        if self.warm and user(self.to):
            message = "an In-App user cannot be asked first: leave `warm` out"
            raise ValueError(message)
        return self


def english_of_warm(transfers: list[Any]) -> Iterator[str]:
    """Yield what is needed, around warm transfers, where the defaults are in another language.

    Args:
        transfers: As they stand in the file.
    """
    warm = [one for one in transfers if isinstance(one, dict) and is_true(one.get("warm"))]
    for text in ("briefing", "consent", "introduction"):
        if any(text not in one for one in warm):
            yield f"'{text}' is needed for each of 'transfers' that is warm"


def warm_transfer(target: TransferTarget, fill: Callable[..., str], told: str = "") -> WarmTransfer:
    """Return how somebody is asked first.

    Args:
        target: Who.
        fill: Fills a template in, with more variables by their names.
        told: That a machine talks, as they hear it first if it stays; ``""`` for nothing.
    """

    def briefing(summary: str) -> str:
        # What stands nowhere in the file is no template of its.
        text = fill(target.briefing, summary=summary)
        return text.replace("{{ summary }}", summary).strip()

    with_summary = briefing(SUMMARY)
    return WarmTransfer(
        briefing=briefing(""),
        disclosure=told if target.then == "help" and target.discloses else "",
        with_summary=with_summary if SUMMARY in with_summary else "",
        consent=fill(target.consent),
        introduction=fill(target.introduction),
        then=target.then,
    )
