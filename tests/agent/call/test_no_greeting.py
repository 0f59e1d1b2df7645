"""Calls of an agent without a greeting: the caller speaks first. In virtual time."""

from __future__ import annotations

from dataclasses import replace

import pytest

from agent.settings.calls import CallSettings
from pipelines.turn_taking.settings import TurnSettings
from tests.agent.conversation import SCRIPT, Caller, Talk, talk, voice

SILENT = replace(SCRIPT, greeting="")
IDLE_AFTER = CallSettings().turns.idle_after


def called(script: str, *, interruptible: bool = True) -> Talk:
    """Have somebody call who says "Hello?", and is asked what it is about."""
    return talk(
        Caller(script),
        voice(["Hello?"], ["What is it about?"]),
        script=replace(SILENT, greeting_interruptible=interruptible),
    )


@pytest.mark.parametrize("interruptible", [True, False])
@pytest.mark.parametrize("waits", [0, 3, 30, 75], ids=lambda tenths: f"{tenths / 10:g} s")
def test_the_caller_speaks_first(waits: int, interruptible: bool) -> None:
    """Nothing sounds before they have: no filler, no apology, for as long as a caller may take."""
    done = called("." * waits + "+" * 6 + "." * 40, interruptible=interruptible)
    assert done.lines == [("user", "Hello?"), ("assistant", "What is it about?")]
    assert not done.caller.audio_between(0, waits / 10 + 0.6)
    spoken = [line["kind"] for line in done.notes.lines if line["kind"] in ("caller", "agent")]
    assert spoken == ["caller", "agent"]


def test_who_says_nothing_is_asked_as_anybody() -> None:
    """After the usual time, so often as usual; then the agent says goodbye."""
    done = called("." * 600)
    assert done.lines == [
        ("assistant", "Are you still there?"),
        ("assistant", "Are you still there?"),
        ("assistant", "Bye."),
    ]
    assert not done.caller.audio_between(0, IDLE_AFTER)
    assert done.caller.audio[0][0] == pytest.approx(IDLE_AFTER, abs=0.5)
    assert done.ending == "the agent hung up"


def test_nobody_is_asked_sooner_than_the_settings_say() -> None:
    """The wait is counted from the answer."""
    settings = CallSettings(turns=TurnSettings(idle_after=30.0))
    done = talk("." * 290, voice(), script=SILENT, settings=settings)
    assert done.lines == []
    assert not done.caller.audio
