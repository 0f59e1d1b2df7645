"""Whose turn it is: what of it can be set."""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from pipelines.settings import Section


class TurnSettings(Section):
    """Whose turn it is."""

    model: str = Field(
        "smart-turn",
        description="What listens for the end of a turn: `smart-turn`, the path of an `.onnx` "
        "file, or `package.module:Class`; `none`: silence and words.",
    )
    model_rate: Literal[8000, 16000] = Field(
        16_000, description="Hertz of the audio that a turn model out of a file hears."
    )
    model_normalized: bool = Field(
        default=False,
        description="Whether it hears samples of zero mean and unit variance, as models behind "
        "Wav2Vec2 do; log-mel features are always made of such.",
    )
    model_output: Literal["probability", "logit"] = Field(
        "probability",
        description="What it gives: a probability; or a logit (of several, softmax is taken).",
    )
    model_index: int = Field(
        -1, description="Which number of its output says that the turn is over; -1 is the last."
    )
    drafting: bool = Field(
        default=True, description="Whether to draft; without, providers start when the turn ends."
    )
    max_drafts: int = Field(
        6, ge=1, description="Drafts a turn; a caller with more pauses waits for the providers."
    )
    confirm_after: float = Field(
        1.0,
        ge=0.1,
        le=3,
        description="Seconds of speech over the agent's from which it stops, whatever is said.",
    )
    """We are silent from its onset on, so that nothing is lost by waiting for the words; "oh" and
    "okay" are drawn out to 0.9 s."""
    decide_within: float = Field(
        0.25,
        ge=0.1,
        le=2,
        description="Seconds of silence after a sound over the agent's words, until it goes on "
        "though nobody knows what was said; about their end a second.",
    )
    rewind_after: float = Field(
        1.5, ge=0, description="Seconds of hold after which the sentence begins again."
    )
    filler_after: float = Field(
        2.0,
        ge=0.5,
        description="Seconds of silence of ours, while the caller waits, until a filler.",
    )
    tool_filler_after: float = Field(
        1.0,
        ge=0.3,
        description="The same, while a tool runs: that takes seconds, as is known beforehand.",
    )
    idle_after: float = Field(
        8.0,
        ge=2,
        description="Seconds without a word until the caller is asked if they are there.",
    )
    idle_times: int = Field(
        2, ge=0, description="Times of asking; then the agent says goodbye and hangs up."
    )
    keys_after: float = Field(
        2.0,
        ge=0.3,
        description="Seconds after a key until what was pressed is answered; `#` ends it at once.",
    )
