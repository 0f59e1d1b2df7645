"""When silence becomes speech, and speech silence."""

from __future__ import annotations

from pydantic import Field

from pipelines.settings import Section


class GateSettings(Section):
    """When silence becomes speech, and speech silence."""

    start_after: float = Field(
        0.08,
        ge=0.02,
        le=1,
        description="Seconds of voice until speech has started; shorter barges in on a click.",
    )
    """Within the pre-roll. With 0.08 that is known 140 ms after the onset (p50; 180 at p95; 80
    prompts, line noise), and made-up clicks, pops, coughs start speech once in 540 times; with
    0.04, one pop in six does."""

    pause_after: float = Field(
        0.1,
        ge=0.06,
        le=1,
        description="Seconds of silence until a reply is drafted; its making hides in the rest.",
    )
    """Earlier than anyone would answer: what it starts takes longer than the rest of the
    silence."""

    end_after: float = Field(
        0.5,
        ge=0.1,
        le=5,
        description="Seconds of silence until the turn is over; shorter cuts in on a pause.",
    )
    """Since the last voiced frame, unless :meth:`SpeechGate.end_after` says otherwise. The pauses
    within a prompt reach 0.37."""

    pre_roll: float = Field(
        0.4,
        ge=0.1,
        le=2,
        description="Seconds kept from before speech was noticed; speech-to-text needs the onset.",
    )
    """Before speech is known to have started, what made it so included: the onset is soft, and no
    detector notices it."""
