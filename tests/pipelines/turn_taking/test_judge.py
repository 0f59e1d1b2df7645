"""What follows from the evidence on a turn."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass

import pytest

from pipelines.providers.contracts import ProviderError
from pipelines.turn_taking.end_of_turn import EndOfTurnSettings, ScriptedTurnModel, TurnModel
from pipelines.turn_taking.judge import EndOfTurn, TurnJudge
from tests.virtual_time import run

SILENCES = EndOfTurnSettings()


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


def judge(model: TurnModel | None = None, detector: Detector | None = None) -> TurnJudge:
    return TurnJudge(SILENCES, "en", model, detector or Detector())


@pytest.mark.parametrize(
    ("model", "detector", "needed"),
    [
        (None, Detector(), None),
        (ScriptedTurnModel([0.95]), Detector(), SILENCES.shortest),
        (ScriptedTurnModel([0.5]), Detector(), SILENCES.middle),
        (ScriptedTurnModel([0.95]), Detector(detects_turns=True, over=False), SILENCES.long),
        (None, Detector(detects_turns=True), SILENCES.shortest),
    ],
    ids=["nobody", "model is sure", "model is not sure", "transcriber first", "transcriber alone"],
)
def test_who_can_tell_is_asked(
    model: TurnModel | None, detector: Detector, needed: float | None
) -> None:
    """The transcriber, if it detects turns; else the model; where there is neither, nobody."""
    asked = judge(model, detector)
    assert asked.can_ask == (needed is not None)
    if asked.can_ask:
        assert run(asked.ask([]))
    weighed = asked.weigh("", heard_end=False)
    assert (weighed and weighed.silence) == needed


def test_what_was_forgotten_says_nothing_of_the_next_turn() -> None:
    """A caller who was heard to finish may pause in the middle of what they say next."""
    sure = judge(ScriptedTurnModel([0.95]))
    run(sure.ask([]))
    sure.forget()
    assert sure.weigh("", heard_end=False) is None


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
    assert asked.weigh("", heard_end=False) is None


@pytest.mark.parametrize(
    ("probability", "provider", "said", "told"),
    [
        (0.95, False, "", EndOfTurn(by="turn model", silence=0.35, probability=0.95)),
        (0.5, False, "I would like it", EndOfTurn(by="turn model", silence=0.8, probability=0.5)),
        (0.95, False, "my number is", EndOfTurn(by="words", silence=2.2, probability=0.95)),
        (None, False, "yes", EndOfTurn(by="words", silence=0.35)),
        (None, False, "", None),
        (None, True, "I would like it", EndOfTurn(by="provider", silence=0.35)),
    ],
)
def test_it_is_told_what_the_silence_was_weighed_by(
    probability: float | None, provider: bool, said: str, told: EndOfTurn | None
) -> None:
    """Words that want more, or no more, come first; then who heard the end of the turn."""
    asked = judge(ScriptedTurnModel([probability or 0.0]))
    if probability is not None:
        run(asked.ask([]))
    assert asked.weigh(said, heard_end=provider) == told
