"""Whole calls in virtual time whose first providers do not do their job."""

from __future__ import annotations

from typing import Any

import pytest

from agent.settings.calls import CallSettings
from pipelines.providers.scripted import (
    Fault,
    LanguageModel,
    LanguageModelOptions,
    Synthesizer,
    SynthesizerOptions,
    Transcriber,
    TranscriberOptions,
)
from pipelines.stages.budgets import Budgets
from pipelines.turn_taking.settings import TurnSettings
from tests.agent.conversation import SCRIPT, Talk, talk, voice

QUESTION = "When do you open?"
ANSWER = "We open at nine. On Sundays we open at ten. Please come and see us."
BUDGETS = Budgets(patience=1.5)
SETTINGS = CallSettings(turns=TurnSettings(idle_after=3600.0))
GREETED = "." * 25
STOPPED = 3.5
"""Seconds at which the caller has asked."""

STAGES: dict[str, tuple[Any, Any, dict[str, Any]]] = {
    "stt": (Transcriber, TranscriberOptions, {"lines": (QUESTION,)}),
    "llm": (LanguageModel, LanguageModelOptions, {"lines": (ANSWER,)}),
    "tts": (Synthesizer, SynthesizerOptions, {}),
}
FAULTS: list[Fault] = ["fails", "hangs", "breaks off", "stalls", "empty"]


def provider(stage: str, **options: Any) -> Any:
    made, options_class, usual = STAGES[stage]
    return made(options_class(**{**usual, **options}))


def story(stage: str, *faulty: dict[str, Any], then: bool = True) -> Talk:
    """Hold a call whose ``stage`` has these providers, and after them one that works."""
    given: dict[str, Any] = {name: provider(name) for name in STAGES}
    given[stage] = [provider(stage, **options) for options in faulty]
    given[stage] += [provider(stage)] if then else []
    providers = voice(budgets=BUDGETS, **given)
    return talk(GREETED + "+" * 10 + "." * 250, providers, settings=SETTINGS)


def waited(done: Talk) -> float:
    """Return how long the caller waited for the first sound of the answer."""
    return min(at for at, _ in done.caller.audio if at > STOPPED) - STOPPED


def said(done: Talk) -> str:
    """Return what we said after the greeting, fillers left out."""
    text = " ".join(text for role, text in done.lines[1:] if role == "assistant")
    for filler in SCRIPT.fillers:
        text = text.replace(filler, "")
    return " ".join(text.split())


def faults_of(stage: str) -> list[Fault]:
    return [fault for fault in FAULTS if stage != "stt" or fault != "empty"]  # nobody spoke


@pytest.mark.parametrize(
    ("stage", "fault"), [(stage, fault) for stage in STAGES for fault in faults_of(stage)]
)
def test_the_caller_hears_the_answer_in_time(stage: str, fault: Fault) -> None:
    """Whatever the first provider does, the next one answers within the same turn."""
    done = story(stage, {"fault": fault})
    assert done.notes.of("failed") == []
    assert [text for role, text in done.lines if role == "user"] == [QUESTION]
    assert SCRIPT.apology not in said(done)
    assert waited(done) <= 0.6 + 2 * BUDGETS.patience
    if stage != "tts":
        assert said(done) == ANSWER


@pytest.mark.parametrize("fault", ["fails", "hangs", "breaks off", "stalls", "empty"])
def test_no_sentence_is_spoken_twice(fault: Fault) -> None:
    """Neither by another model nor by another voice."""
    for stage in ("llm", "tts"):
        done = story(stage, {"fault": fault})
        for sentence in ANSWER.split(". "):
            assert said(done).count(sentence.rstrip(".")) == 1, stage


@pytest.mark.parametrize("stage", STAGES)
def test_a_fault_that_is_over_at_once_is_not_noticed(stage: str) -> None:
    """The same provider answers the second request; the next one is not asked."""
    done = story(stage, {"fault": "fails", "faults": 1})
    assert said(done) == ANSWER
    assert waited(done) <= 0.6


@pytest.mark.parametrize("stage", STAGES)
def test_two_that_fail_are_survived(stage: str) -> None:
    """By a third."""
    done = story(stage, {"fault": "fails"}, {"fault": "hangs"})
    assert said(done) == ANSWER
    assert waited(done) <= 0.6 + 2 * BUDGETS.patience


def test_when_nobody_can_answer_the_agent_says_so() -> None:
    """And goes on listening."""
    done = story("llm", {"fault": "fails"}, {"fault": "fails"}, then=False)
    assert said(done) == SCRIPT.apology
    assert [line["stage"] for line in done.notes.of("failed")] == ["llm"]


def test_a_second_question_does_not_wait_for_the_one_that_hung() -> None:
    """It rests meanwhile."""
    given: dict[str, Any] = {name: provider(name) for name in STAGES}
    given["llm"] = [provider("llm", fault="hangs"), provider("llm", lines=("Nine.", "Ten."))]
    script = GREETED + "+" * 10 + "." * 60 + "+" * 10 + "." * 60
    done = talk(script, voice(budgets=BUDGETS, **given), settings=SETTINGS)
    second = 10.5
    assert min(at for at, _ in done.caller.audio if at > second) - second <= 0.6
    assert [text for role, text in done.lines if role == "assistant"][-1] == "Ten."
