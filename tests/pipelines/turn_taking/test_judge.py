"""What follows from the evidence on a turn."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass

import pytest

from pipelines.conversation import Brief, ExpectedAnswer
from pipelines.providers.contracts import ProviderError
from pipelines.turn_taking.end_of_turn import EndOfTurnSettings, ScriptedTurnModel, TurnModel
from pipelines.turn_taking.expectation import AnswerKind
from pipelines.turn_taking.judge import TurnJudge
from tests.virtual_time import run

SILENCES, USUAL = EndOfTurnSettings(), 0.5


@dataclass
class Detector:
    """A transcriber that knows, or does not, whether the turn is over."""

    detects_turns: bool = False
    so_far: str = ""
    over: bool | ProviderError = True

    async def turn_over(self) -> bool:
        if isinstance(self.over, ProviderError):
            raise self.over
        return self.over


def judge(
    model: TurnModel | None = None, detector: Detector | None = None, brief: Brief | None = None
) -> TurnJudge:
    return TurnJudge(SILENCES, USUAL, brief or Brief(), model, detector or Detector())


@pytest.mark.parametrize(
    ("model", "detector", "needed"),
    [
        (None, Detector(), USUAL),
        (ScriptedTurnModel([0.95]), Detector(), SILENCES.shortest),
        (ScriptedTurnModel([0.01]), Detector(detects_turns=True), SILENCES.shortest),
        (ScriptedTurnModel([0.95]), Detector(detects_turns=True, over=False), SILENCES.long),
        (None, Detector(detects_turns=True), SILENCES.shortest),
    ],
    ids=["nobody", "model is sure", "transcriber says so", "transcriber first", "no model"],
)
def test_who_can_tell_is_asked(model: TurnModel | None, detector: Detector, needed: float) -> None:
    """The transcriber, if it detects turns; else the model; where there is neither, nobody."""
    asked = judge(model, detector)
    assert asked.can_ask == (needed != USUAL)
    if asked.can_ask:
        assert run(asked.ask([]))
    assert asked.weigh("").silence == pytest.approx(needed)


def test_what_was_forgotten_says_nothing_of_the_next_turn() -> None:
    """A caller who was heard to finish may pause in the middle of what they say next."""
    sure = judge(ScriptedTurnModel([0.95]))
    run(sure.ask([]))
    sure.forget()
    assert (sure.weigh("").silence, sure.weigh("").by) == (USUAL, "silence")


@pytest.mark.parametrize(
    ("model", "detector", "took"),
    [
        (ScriptedTurnModel([0.95], delay=60.0), Detector(), SILENCES.longest),
        (None, Detector(detects_turns=True, over=ProviderError("stt", "gone")), 0.0),
    ],
    ids=["no answer", "failed"],
)
def test_who_cannot_tell_changes_nothing(
    model: TurnModel | None, detector: Detector, took: float
) -> None:
    """And is waited for no longer than any turn is."""
    asked = judge(model, detector)

    async def main() -> float:
        assert not await asked.ask([])
        return asyncio.get_running_loop().time()

    assert run(main()) == pytest.approx(took)
    assert asked.weigh("").silence == USUAL


def test_a_model_that_is_asked_again_has_both_its_answers_weighed() -> None:
    """Of 0.9 and 0.3, neither is believed."""
    asked = judge(ScriptedTurnModel([0.9, 0.3]))
    run(asked.ask([]))
    first = asked.weigh("")
    run(asked.ask([]))
    both = asked.weigh("")
    assert (first.asked, both.asked) == (1, 2)
    assert first.silence is not None
    assert both.silence is not None
    assert first.silence < both.silence < SILENCES.long
    assert both.probability == pytest.approx(0.66, abs=0.01)


def test_words_that_are_being_made_out_are_waited_for() -> None:
    """However sure the model is; what would have been decided without them is told as well."""
    sure = judge(ScriptedTurnModel([0.97]))
    run(sure.ask([]))
    assert sure.weigh(None, words_to_come=True).silence == SILENCES.longest
    assert sure.weigh(None).silence == SILENCES.shortest


def test_words_so_far_count_where_nobody_brings_all_of_them() -> None:
    """Without a draft, what a streaming transcriber has is all that is known."""
    asked = judge(None, Detector(so_far="my number is"))
    assert asked.weigh(None).silence == SILENCES.longest
    assert asked.weigh("").silence == USUAL


@pytest.mark.parametrize(
    ("probability", "heard_end", "said", "by", "words"),
    [
        (0.95, False, "", "turn model", ""),
        (0.95, False, "my number is", "words", "open"),
        (None, False, "goodbye", "words", "whole"),
        (None, False, "", "silence", ""),
        (None, True, "xyzzy", "provider", ""),
        (0.5, False, "four one five", "words", "dictated: part"),
    ],
)
def test_it_is_told_what_the_silence_was_weighed_by(
    probability: float | None, heard_end: bool, said: str, by: str, words: str
) -> None:
    """The witness that weighs most, or the words where they leave no choice."""
    asked = judge(ScriptedTurnModel([probability or 0.0]))
    if probability is not None:
        run(asked.ask([]))
    told = asked.weigh(said, heard_end=heard_end)
    assert (told.by, told.words) == (by, words)
    assert told.probability == (None if probability is None else pytest.approx(probability))


def test_what_the_agent_has_asked_counts_as_heard_or_as_declared() -> None:
    """A table number has three digits, says the agent file; no question tells that."""
    brief = Brief(expects=(ExpectedAnswer(when="table number", digits=(3,)),))
    declared, plain = judge(brief=brief), judge()
    asked = "What is your table number?"
    told = declared.weigh("four one five", asked=asked)
    assert told.silence is not None
    assert told.silence <= SILENCES.middle
    assert plain.weigh("four one five", asked=asked).silence == SILENCES.longest
    assert plain.weigh("", asked=asked).expected is AnswerKind.NUMBER


def test_a_caller_who_pauses_is_given_more_time() -> None:
    """Also where nothing is known, and never beyond the longest."""
    patient = judge()
    for _ in range(4):
        patient.pauses.went_on(2.0)
        patient.pauses.next_turn()
    assert patient.weigh("").silence == pytest.approx(USUAL + 0.4, abs=0.11)
    assert patient.weigh("my number is").silence == SILENCES.longest
