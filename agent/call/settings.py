"""What is the same for every call of a process."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from pipelines.listening.gate import GateSettings
from pipelines.stages.usage import Price
from pipelines.turn_taking.end_of_turn import EndOfTurnSettings


@dataclass(frozen=True, slots=True, kw_only=True)
class CallSettings:
    """What is the same for every call of a process. Times in seconds."""

    gate: GateSettings = field(default_factory=GateSettings)
    endpoint: EndOfTurnSettings = field(default_factory=EndOfTurnSettings)
    lead: float = 1.0
    drafting: bool = True
    max_drafts: int = 6
    confirm_after: float = 0.5
    decide_within: float = 0.25
    rewind_after: float = 1.5
    filler_after: float = 2.0
    tool_filler_after: float = 1.0
    idle_after: float = 12.0
    idle_times: int = 2
    keys_after: float = 2.0
    max_utterance: float = 60.0
    max_failures: int = 3
    heartbeat_after: float = 15.0
    no_audio_timeout: float = 60.0
    max_seconds: float = 3600.0
    warn_before: float = 30.0
    prices: Mapping[str, Price] = field(default_factory=dict)
    """What providers charge, by name."""
