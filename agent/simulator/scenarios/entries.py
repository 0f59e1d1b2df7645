"""What may stand in a file of situations: one class for each form that an entry can have."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field

from agent.simulator.scenarios.sounds import SoundName

Kind = Literal[
    "turn",
    "pause",
    "hesitation",
    "goes-on",
    "digits",
    "spelling",
    "answer",
    "barge-in",
    "backchannel",
    "noise",
    "background",
    "echo",
    "pick-up",
]

_Seconds = Annotated[float, Field(ge=0, le=60)]
_Pause = Annotated[float, Field(gt=0, le=10)]
_Pauses = Annotated[list[_Pause], Field(min_length=1)]
_Name = Annotated[str, Field(min_length=1, max_length=100)]
_Words = Annotated[str, Field(min_length=1, max_length=400, pattern=r"\S")]
_Down = Annotated[list[Annotated[float, Field(ge=0, le=90)]], Field(min_length=1)]


class _Situation(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)

    name: _Name


class WholeTurn(_Situation):
    """The caller says something, and is answered."""

    kind: Literal["turn"]
    recording: _Name
    """Name of a WAV file, without ``.wav``, in the folder ``recordings``."""


class TurnWithPause(_Situation):
    """The caller pauses inside of a sentence; each length is a situation."""

    kind: Literal["pause", "hesitation"]
    recording: _Name
    at: _Seconds
    """Where in the recording the pause is put."""

    pauses: _Pauses
    filler: _Name | None = None
    """A recording such as "um", said 0.2 s into the pause, which then begins anew."""


class JoinedTurn(_Situation):
    """The caller says several recordings, with pauses between; each length is a situation."""

    kind: Literal["goes-on", "digits", "spelling"]
    groups: Annotated[list[_Words], Field(min_length=2, max_length=20)]
    """Names of recordings, with blanks between: one group each."""

    gap: _Pause = 0.3
    """Between two recordings of a group."""

    pauses: _Pauses
    """Between two groups."""


class AnswerToOpening(_Situation):
    """The caller answers the agent's opening; each time is a situation."""

    kind: Literal["answer"]
    recording: _Name
    offsets: Annotated[
        list[Annotated[float, Field(ge=-5, le=5)]], Field(min_length=1, max_length=100)
    ]
    """From the end of what is heard of the opening to the first sound of the answer."""


class Interruption(_Situation):
    """The caller makes themselves heard while the agent speaks."""

    kind: Literal["barge-in", "backchannel"]
    recording: _Name
    after: _Seconds
    """From when the agent began to speak."""

    echo: Annotated[float, Field(ge=0, le=90)] | None = None
    """Decibels by which the agent's own sound comes back softer, if it does."""


class Noise(_Situation):
    """Something is heard while the agent speaks."""

    kind: Literal["noise"]
    sound: SoundName
    decibels: Annotated[float, Field(ge=-90, le=0)]
    """RMS of its loudest 20 ms, against full scale."""

    after: _Seconds


class Background(_Situation):
    """Somebody else talks while the agent replies; each level is a situation."""

    kind: Literal["background"]
    recording: _Name
    """What the caller says, at their own level, to be replied to."""

    talker: _Name
    """The other voice."""

    below: _Down
    """Decibels that it is softer than the caller."""

    after: _Seconds = 1.0
    """From when the reply began."""


class Echo(_Situation):
    """The caller is silent, and hears the opening; it comes back. Each level is a situation."""

    kind: Literal["echo"]
    below: _Down
    """Decibels that it comes back softer."""

    delay: Annotated[float, Field(ge=0.02, le=2)] = 0.25


class PickUp(_Situation):
    """The caller speaks as soon as the call is answered; each time is a situation."""

    kind: Literal["pick-up"]
    recording: _Name
    at: Annotated[list[_Seconds], Field(min_length=1)]
    """Seconds after the answer."""


Entry = (
    WholeTurn
    | TurnWithPause
    | JoinedTurn
    | AnswerToOpening
    | Interruption
    | Noise
    | Background
    | Echo
    | PickUp
)
