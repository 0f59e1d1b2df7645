"""What may be asked of the operator's interface: the bodies of its requests, checked."""

from __future__ import annotations

from typing import Annotated, Literal, Self

from pydantic import (
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Discriminator,
    Field,
    StringConstraints,
    Tag,
    WithJsonSchema,
    model_validator,
)

from agent import phone_numbers
from agent.call.orders import LONGEST_WHISPER, RecordingAction
from agent.plain_lines import SpokenLine, Title
from agent.sinch.contracts import MOST_PHONES
from agent.sinch.legs.leg_kinds import After, EndsWith
from agent.sinch_limits import MAX_SAY
from agent.warm_transfers import Then, WarmTransfer

ANNOUNCEMENT = "I'm connecting you now. One moment, please."
HANDING_OVER = "I'm handing you over to a colleague. One moment, please."


ONE, SEVERAL = SHAPES = ("one phone", "several phones")
"""What ``to`` may be; stands in the place of a mistake, where nobody has to read it."""

_SCHEMES = {"number": "", "sip": "sip:", "username": phone_numbers.USER}
"""Of what may be called, in the words of Sinch's API: what it begins with here."""


def _as_it_is_dialled(given: object) -> object:
    """Return whom to call as a text, if it is in the words of Sinch's API."""
    if not isinstance(given, dict):
        return given
    kind, endpoint = str(given.get("type", "")).lower(), given.get("endpoint")
    known = kind in _SCHEMES and given.keys() == {"type", "endpoint"}
    if not known or not isinstance(endpoint, str) or (kind == "number" and ":" in endpoint):
        message = "take a text, or type (number, sip or username) and endpoint"
        raise ValueError(message)
    has_scheme = kind == "sip" and endpoint.lower().startswith(("sip:", "sips:"))
    return endpoint if has_scheme else _SCHEMES[kind] + endpoint


Dialled = Annotated[
    str,
    StringConstraints(max_length=300),
    BeforeValidator(_as_it_is_dialled),
    WithJsonSchema(
        {
            "anyOf": [
                {"type": "string", "maxLength": 300},
                {
                    "type": "object",
                    "required": ["type", "endpoint"],
                    "properties": {
                        "type": {"enum": list(_SCHEMES)},
                        "endpoint": {"type": "string", "maxLength": 300},
                    },
                    "additionalProperties": False,
                },
            ]
        }
    ),
]
"""Whom to call, as :func:`agent.phone_numbers.address` takes it."""


class PartyRequest(BaseModel):
    """Somebody to be dialled onto the line of a call."""

    model_config = ConfigDict(frozen=True, extra="forbid", title="PartyRequest")

    to: Dialled = Field(description="Whom, as `to` of `POST /calls` has one.")
    title: Title = Field(
        "",
        description="What they are called on the line, such as `Ann`: the agent is told.",
    )
    host: bool = Field(
        default=False, description="Whether the call ends with them, if it ends with its host."
    )
    ring_seconds: int | None = Field(
        None, ge=1, le=60, description="How long they ring. Unset: `sinch.ring_seconds`."
    )
    machine: Literal["talk", "hangup"] | None = Field(
        None,
        description="When a machine answers them. Unset: as of the call that is dialled with "
        "them; for somebody who is added later, `talk`.",
    )
    announcement: SpokenLine = Field(
        "",
        description="What the platform's voice tells them alone, before they are on the line.",
    )
    discloses: bool = Field(
        default=True,
        description="Whether that begins with the `disclosure` of the agent file, as of their "
        "country. The first who answers a call that dials several hears it of the agent.",
    )


def _one_of_several(given: object) -> object:
    return given if isinstance(given, dict) and "to" in given else {"to": given}


_Several = Annotated[
    tuple[Annotated[PartyRequest, BeforeValidator(_one_of_several)], ...],
    Field(min_length=1, max_length=MOST_PHONES),
]


class DialRequest(BaseModel):
    """A call to place."""

    model_config = ConfigDict(frozen=True, extra="forbid", title="DialRequest")

    to: Annotated[
        Annotated[Dialled, Tag(ONE)] | Annotated[_Several, Tag(SEVERAL)],
        Discriminator(lambda given: SEVERAL if isinstance(given, list | tuple) else ONE),
    ] = Field(
        description="Number, as people write it, SIP address, or `user:` and the id of an In-App "
        "user; or the same as Sinch's API has it, by its type. To dial several onto one line: a "
        "list of these, or of objects with more about each."
    )
    ends_with: EndsWith | None = Field(
        None,
        description="Of several: whose leaving ends the call. `phone`: of the first who has "
        "answered; `last`: of the last; `host`: of whoever is marked so. Unset: `host` if somebody "
        "is, otherwise `last`.",
    )
    agent: str = Field("", description="Agent file, without `.md`. Unset: the usual one.")
    variables: dict[str, str] = Field({}, description="Values for the agent file's variables.")
    caller_id: str = Field("", description="Number of yours to show. Unset: `sinch.caller_id`.")
    max_seconds: int = Field(3600, ge=1, le=14400, description="Longest that the call may be.")
    machine: Literal["talk", "hangup", "message"] = Field(
        "talk",
        description="When a machine answers: talk to it as to anyone (nobody listens for "
        "machines, so people are greeted sooner), hang up, or leave `message` after the beep.",
    )
    message: str = Field(
        "", max_length=2000, description="What to leave on a machine; not of several."
    )
    screening: Literal["platform", "ears", "both"] | None = Field(
        None,
        description="Who finds out whether a machine has answered, with `machine` hangup or "
        "message: the platform, before the agent comes; the agent, by what it hears; or both. "
        "Of several: the platform. Unset: the platform, where it can.",
    )
    keys: str = Field(
        "",
        pattern="^[0-9*#wA-D]{0,64}$",
        description="Pressed once answered; `w` is half a second. Version 1, `machine` talk, not "
        "of several.",
    )


class HangUpRequest(BaseModel):
    """A call to end."""

    model_config = ConfigDict(frozen=True, extra="forbid", title="HangUpRequest")

    goodbye: bool = Field(default=True, description="Whether the agent says goodbye before.")


class TransferRequest(BaseModel):
    """A caller to pass on."""

    model_config = ConfigDict(frozen=True, extra="forbid", title="TransferRequest")

    to: Dialled = Field(description="As of `POST /calls`.")
    announcement: str = Field(
        ANNOUNCEMENT, min_length=1, max_length=2000, description="What the agent says before."
    )
    warm: bool = Field(
        default=False,
        description="Whether they are called alone and asked first; no In-App users.",
    )
    briefing: str = Field(
        "",
        max_length=MAX_SAY,
        description="With `warm`: what they are told. This and the next two: unset, as the first "
        "warm transfer of the agent file has it.",
    )
    consent: str = Field(
        "", max_length=300, description="With `warm`: what they are asked; 1 is yes, 2 is no."
    )
    introduction: str = Field(
        "", max_length=2000, description="With `warm`: what the agent says to both then."
    )
    then: Then = Field(
        "leave", description="With `warm`: whether the agent leaves then, is silent, or helps."
    )
    discloses: bool = Field(
        default=True,
        description="With `warm` and `then` help: whether they hear the `disclosure` of the agent "
        "file first, as of their country.",
    )

    @model_validator(mode="after")
    def _belongs_together(self) -> Self:
        if not self.warm and self.model_fields_set & _OF_WARM:
            message = f"{', '.join(sorted(self.model_fields_set & _OF_WARM))}: only with warm"
            raise ValueError(message)
        return self

    @property
    def terms(self) -> WarmTransfer | None:
        """How they are asked first; None if they are not."""
        if not self.warm:
            return None
        return WarmTransfer(
            briefing=self.briefing,
            consent=self.consent,
            introduction=self.introduction,
            then=self.then,
        )


_OF_WARM = {"briefing", "consent", "introduction", "then", "discloses"}


class WhisperRequest(BaseModel):
    """An instruction to the agent of a call, which the caller does not hear."""

    model_config = ConfigDict(frozen=True, extra="forbid", title="WhisperRequest")

    text: Annotated[str, StringConstraints(strip_whitespace=True)] = Field(
        min_length=1,
        max_length=LONGEST_WHISPER,
        description="What the agent is to do or to know. It is in force from the next request to "
        "the language model on, for the rest of the call; the latest 20 are.",
    )


class TakeOverRequest(BaseModel):
    """A caller whom an operator takes over, by a telephone of theirs."""

    model_config = ConfigDict(frozen=True, extra="forbid", title="TakeOverRequest")

    phone: Dialled = Field(description="Of the operator: as `to` of `POST /calls`.")
    announcement: str = Field(
        HANDING_OVER, min_length=1, max_length=2000, description="What the agent says before."
    )
    introduction: str = Field(
        "",
        max_length=2000,
        description="What the agent says to both once the operator has picked up, before it falls "
        "silent. Unset: nothing.",
    )
    after: After = Field(
        "return",
        description="What becomes of the call when the operator's phone hangs up first: the agent "
        "comes back (`return`), or the call ends (`end`).",
    )


class ReturnRequest(BaseModel):
    """A caller whom an operator gives back to the agent."""

    model_config = ConfigDict(frozen=True, extra="forbid", title="ReturnRequest")


class RecordingRequest(BaseModel):
    """What to do with a recording that is being made."""

    model_config = ConfigDict(frozen=True, extra="forbid", title="RecordingRequest")

    action: RecordingAction = Field(
        description="`pause`, so that nothing of what is said is kept; `resume`; `stop` for good. "
        "What was recorded before is kept."
    )
