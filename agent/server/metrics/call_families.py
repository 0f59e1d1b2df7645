"""Which metrics are made of the lines of records: names, labels, bounds. Data, and nothing else."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from agent.records.events import DISCLOSED
from agent.records.statistics.call_figures import LONG

OTHER = "other"
"""What is of no set."""

RESPONSE = (0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9, 1, 1.2, 1.5, 2, 3, 4, 6, 10)
"""Seconds; finest around what callers take for an answer without a pause."""

STAGE = (0.005, 0.01, 0.02, 0.05, 0.1, 0.15, 0.2, 0.3, 0.4, 0.5, 0.75, 1, 1.5, 2, 3, 5, 10)
DURATION = (5, 15, 30, 60, 120, 180, 300, 600, 900, 1800, 3600)
SMALL = (0.001, 0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1)

BARGE_INS = ("words", "length", "keys", "answer", "end of ours")
RESUMES = ("backchannel", "noise", "background", "late", "greeting")
ERRORS = ("timeout", "limited", "refused", "context too long", "failed")
STAGES = ("stt", "llm", "tts")
STEPS = ("decided", "transcript", "first_token", "first_sentence", "first_audio", "heard")
TOKENS = ("input", "cached", "output")


@dataclass(frozen=True, slots=True, kw_only=True)
class Family:
    """A metric that is made of lines: its name without ``voice_agent_``, and its labels."""

    name: str
    meaning: str
    labels: tuple[str, ...] = ()
    values: tuple[tuple[str, ...], ...] = ()
    """The values of each label, where they are a closed set: its series are there at once."""

    bounds: Sequence[float] = ()
    """Of a histogram; none of a counter."""


FAMILIES = (
    Family(
        name="calls_ended",
        meaning="Calls that are over, by the agent that answered, and by how they ended.",
        labels=("agent", "outcome"),
    ),
    Family(
        name="calls_disclosed",
        meaning="Calls that are over, by whether it was heard in full that a machine talks.",
        labels=("disclosed",),
        values=(DISCLOSED,),
    ),
    Family(name="call_duration_seconds", meaning="From the answer to the end.", bounds=DURATION),
    Family(
        name="response_seconds",
        meaning="From the end of the caller's speech to the first sound of the answer.",
        labels=("agent",),
        bounds=RESPONSE,
    ),
    Family(
        name="response_stage_seconds",
        meaning="What an answer waited for in each stage, some of it at the same time.",
        labels=("stage",),
        values=(STEPS,),
        bounds=STAGE,
    ),
    Family(
        name="overhead_seconds",
        meaning="Of each call: what its answers took beside providers and silence (medians).",
        bounds=SMALL,
    ),
    Family(
        name="barge_ins",
        meaning="Replies that callers broke off, by what they did.",
        labels=("by",),
        values=(BARGE_INS,),
    ),
    Family(name="holds", meaning="Replies that stopped since the caller made a sound."),
    Family(
        name="resumes",
        meaning="Holds that were false alarms: the reply went on. By what the sound was.",
        labels=("by",),
        values=(RESUMES,),
    ),
    Family(
        name="dead_air",
        meaning=f"Answers before which nobody spoke for more than {LONG:g} s.",
    ),
    Family(name="dead_air_seconds", meaning=f"Seconds of that silence beyond the first {LONG:g}."),
    Family(name="fillers", meaning="Words said while an answer was late."),
    Family(
        name="provider_failovers",
        meaning="Times that a call went on with the next provider, by what was wrong with this.",
        labels=("stage", "provider", "error"),
    ),
    Family(
        name="replies_lost",
        meaning="Replies that no provider could make: the caller heard an apology.",
        labels=("stage", "error"),
        values=(STAGES, ERRORS),
    ),
    Family(
        name="tools",
        meaning="Tools that were run, by what became of them.",
        labels=("status",),
        values=(("done", "failed", "cancelled"),),
    ),
    Family(name="tool_seconds", meaning="How long tools took.", bounds=RESPONSE),
    Family(
        name="transfers",
        meaning="Callers to be passed on, by what became of it.",
        labels=("status",),
        values=(("started", "briefed", "accepted", "declined", "done", "failed", "returned"),),
    ),
    Family(name="replies", meaning="Replies of which something was heard."),
    Family(
        name="underruns",
        meaning="Gaps within a sentence that callers heard, as the next audio came too late.",
    ),
    Family(
        name="provider_tokens",
        meaning="Tokens of language models, as they count them; those from a cache are input, too.",
        labels=("provider", "kind"),
    ),
    Family(
        name="provider_characters",
        meaning="Characters that were given to voices.",
        labels=("provider",),
    ),
    Family(
        name="provider_audio_seconds",
        meaning="Seconds of speech that were given to be transcribed.",
        labels=("provider",),
    ),
    Family(
        name="provider_cost",
        meaning="Money, by `pricing`; of the stage `phone`, by the platform's word.",
        labels=("stage", "provider", "currency"),
    ),
    Family(name="drafts_discarded", meaning="Answers that were begun, and nobody heard."),
    Family(name="tokens_wasted", meaning="Pieces that language models wrote of them."),
)
