"""What is the same for every call of a process."""

from __future__ import annotations

from dataclasses import dataclass, field

from pydantic import Field

from agent.sinch_limits import MAX_SECONDS
from pipelines.listening.detectors import DetectorSettings
from pipelines.listening.settings import GateSettings
from pipelines.settings import Section
from pipelines.stages.usage import Pricing
from pipelines.turn_taking.end_of_turn import EndOfTurnSettings
from pipelines.turn_taking.settings import TurnSettings


class LineSettings(Section):
    """What one call's socket may ask of the server."""

    max_message_bytes: int = Field(
        1_048_576, ge=65_536, description="Bytes; 11 s at 48 kHz, where 20 ms are expected."
    )
    burst: float = Field(
        15.0, ge=1, description="Seconds of audio that may come at once after a network stall."
    )
    send_timeout: float = Field(
        5.0, gt=0, description="Seconds until a far end that does not read has gone."
    )
    heartbeat_after: float = Field(
        15.0,
        gt=0,
        le=19.5,
        description="Seconds of our silence; the platform allows 60, v1's page 30.",
    )
    no_audio_timeout: float = Field(
        60.0,
        gt=1,
        description="Seconds without a frame until the line is dead; the platform's own.",
    )


class CallLimits(Section):
    """Limits of one call."""

    max_seconds: float = Field(
        3600.0, gt=0, le=MAX_SECONDS, description="Seconds; Sinch allows 14400."
    )
    max_utterance: float = Field(
        60.0, ge=5, description="Seconds a caller may speak without a pause before being answered."
    )
    warn_before: float = Field(
        30.0, ge=5, description="Seconds before `max_seconds` that the caller is told."
    )
    max_failures: int = Field(
        3, ge=1, description="Lost replies in a row before the agent gives up and hangs up."
    )


class VadSettings(GateSettings, DetectorSettings):
    """When the caller is speaking: who hears a voice, and when that is speech."""


class PlayoutSettings(Section):
    """How audio leaves."""

    lead: float = Field(
        1.0,
        ge=0.1,
        le=20,
        description="Seconds sent ahead, so that no stall is heard; 20 s at 96 kHz are 3.8 MB "
        "of the platform's 5.",
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class CallSettings:
    """What a call takes of the settings."""

    line: LineSettings = field(default_factory=LineSettings)
    calls: CallLimits = field(default_factory=CallLimits)
    vad: GateSettings = field(default_factory=GateSettings)
    turns: TurnSettings = field(default_factory=TurnSettings)
    end_of_turn: EndOfTurnSettings = field(default_factory=EndOfTurnSettings)
    playout: PlayoutSettings = field(default_factory=PlayoutSettings)
    pricing: Pricing = field(default_factory=Pricing)
