"""Recorded calls, made of real speech and of tones for an agent; and how they are replayed."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from agent.records.recordings import stereo
from agent.records.recordings.stereo import StereoAudio
from agent.replay.batch import ReplayPace, ReplayResults, replay_all
from agent.replay.held_call import ReplaySettings
from agent.replay.sources import in_folder
from agent.settings import Settings
from pipelines.audio import Audio
from pipelines.listening.detectors import NewDetector, detectors
from tests.agent.conversation import LOUD
from tests.recordings import load

RATE = 8000

AGENT = """---
greeting: Hello there.
transfers:
  - name: office
    to: "+12025550100"
    when: they ask for it
---
Be brief.
"""

DETECTOR: NewDetector = detectors(Settings().vad)


def silence(seconds: float) -> bytes:
    return bytes(2 * round(RATE * seconds))


def tone(seconds: float) -> bytes:
    return (LOUD * (round(seconds * 50) + 1))[: 2 * round(RATE * seconds)]


def sound_of(
    says: Sequence[str], *, greeting: float = 1.0, thinks: float = 0.8, answers: float = 1.2
) -> StereoAudio:
    """Return a call: a greeting, then each recording of speech with an answer of the agent's.

    Args:
        says: Names of recordings.
        greeting: Seconds that it takes.
        thinks: Seconds until each answer.
        answers: Seconds that each takes.
    """
    left, right = bytearray(silence(greeting + 0.6)), bytearray(tone(greeting))
    for name in says:
        left += load(name).pcm
        right = right.ljust(len(left), b"\0") + silence(thinks) + tone(answers)
        left = left.ljust(len(right), b"\0") + silence(0.5)
    right = right.ljust(len(left), b"\0")
    return StereoAudio(caller=Audio(bytes(left), RATE), agent=Audio(bytes(right), RATE))


def put(
    folder: Path,
    name: str,
    sound: StereoAudio,
    events: Sequence[Mapping[str, Any]] | None = None,
    **call: object,
) -> Path:
    """Put a recording into a folder, with its record unless there is none; return its path."""
    folder.mkdir(exist_ok=True)
    path = folder / f"{name}.flac"
    stereo.write(path, sound)
    if events is not None:
        first: dict[str, object] = {
            "kind": "call",
            "id": name,
            "call_id": f"sinch-{name}",
            "agent": "it",
        }
        first |= {"started": "2026-11-26T10:00:00.000+00:00", "rate": RATE, **call}
        text = "".join(json.dumps(one) + "\n" for one in (first, *events))
        path.with_suffix(".jsonl").write_text(text)
    return path


SCRIPTED = {
    "stt": {"provider": "scripted", "options": {"lines": ["What is it?", "I see."]}},
    "llm": {"provider": "scripted", "options": {"lines": ["It is this one.", "Good."]}},
    "tts": {"provider": "scripted"},
    "turns": {"model": "none"},
}


def settings(folder: Path, **changed: Any) -> Settings:
    """Return settings with scripted providers, and an agent that is called ``it``."""
    prompts = folder / "prompts"
    prompts.mkdir(exist_ok=True)
    (prompts / "it.md").write_text(AGENT)
    tree: dict[str, Any] = {
        "prompts": prompts,
        "agent": "it",
        "transcripts": folder / "transcripts",
    }
    tree |= {"phrases": folder / "phrases", **SCRIPTED, **changed}
    return Settings(**tree)


def replayed(
    recordings: Path,
    output: Path,
    given: Settings,
    pace: ReplayPace | None = None,
    **how: Any,
) -> ReplayResults:
    """Replay a folder."""
    return replay_all(
        in_folder(recordings),
        ReplaySettings(settings=given, new_detector=DETECTOR, output=output, **how),
        pace or ReplayPace(),
        lambda _: None,
    )
