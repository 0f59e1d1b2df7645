"""A turn model by path or class: fed as it wants to be, or refused with one clear line."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from pipelines.audio import SPEECH_RATE
from pipelines.providers.contracts import ProviderError
from pipelines.turn_taking.settings import TurnSettings
from pipelines.turn_taking.smart_turn import SmartTurn
from pipelines.turn_taking.turn_models import (
    OnnxTurnModel,
    OwnTurnModel,
    check_turn_model,
    load,
    turn_model,
)
from tests.pipelines.turn_taking.onnx_files import INT64, mean_model
from tests.pipelines.turn_taking.test_smart_turn import speech

SHIPPED = Path(__file__).parents[3] / "pipelines" / "models" / "smart-turn-v3.2-cpu.onnx"
HALF = np.full(SPEECH_RATE, 16_384, "<i2").tobytes()
"""A second of 0.5."""


class Mine:
    """A turn model of somebody's own."""

    async def start(self) -> None: ...

    async def aclose(self) -> None: ...

    async def complete(self, pcm: bytes) -> float:
        return len(pcm) / 100_000


class NotQuite:
    """It answers at once, which would hold the calls of the process."""

    async def start(self) -> None: ...

    def complete(self, pcm: bytes) -> float:
        return 0.5


class Wants:
    """It wants to be told something."""

    def __init__(self, threads: int) -> None: ...


def ask(settings: TurnSettings, *audio: bytes) -> list[float]:
    """Return what a model says, started and closed as by the service."""

    async def main() -> list[float]:
        model = turn_model(settings)
        assert model is not None
        try:
            await model.start()
            return [await model.complete(pcm) for pcm in audio]
        finally:
            await model.aclose()

    return asyncio.run(main())


def test_the_one_that_comes_with_the_install_or_none() -> None:
    """By name."""
    assert isinstance(turn_model(TurnSettings()), SmartTurn)
    assert turn_model(TurnSettings(model="none")) is None


def test_smart_turn_by_its_path_says_the_same() -> None:
    """Its file tells how it is fed: nothing else is set. Only its attention is rounded then."""
    audio = [speech("first-in-line"), speech("first-in-line", 0.3)]
    by_path = ask(TurnSettings(model=str(SHIPPED)), *audio)
    assert by_path == pytest.approx(ask(TurnSettings(), *audio), abs=0.05)


@pytest.mark.parametrize(
    ("shape", "given", "expected"),
    [
        ([1, 32_000], {}, 0.25),
        (["batch", 32_000], {}, 0.25),
        ([1, 8_000], {}, 0.5),
        ([1, "samples"], {}, 0.5),
        (["batch", "samples"], {}, 0.5),
        ([1, 16_000], {"model_rate": 8_000}, 0.25),
        ([1, 32_000], {"model_normalized": True}, 1.0),
    ],
    ids=["2 s", "open batch", "0.5 s", "as it is", "all open", "2 s at 8 kHz", "normalized"],
)
def test_samples_are_fed_as_the_shape_of_the_input_says(
    tmp_path: Path, shape: list[Any], given: dict[str, Any], expected: float
) -> None:
    """The last of the turn, after silence where that is shorter: a second of 0.5 tells."""
    path = mean_model(tmp_path / "mean.onnx", shape)
    answer = load(TurnSettings(model=str(path), **given))
    assert answer(HALF) == pytest.approx(expected, abs=0.01)


@pytest.mark.parametrize("shape", [[1, 80, 800], [1, 80, 3000], ["b", 80, "frames"]])
def test_three_dimensions_are_log_mel_features(tmp_path: Path, shape: list[Any]) -> None:
    """Of as many frames as it hears; where that is open, of the turn as it is."""
    path = mean_model(tmp_path / "mel.onnx", shape, scale=(0.1,))
    answer = load(TurnSettings(model=str(path)))
    loud, silent = answer(speech("first-in-line")), answer(bytes(2 * SPEECH_RATE))
    assert 0 < loud != silent
    assert [answer(b""), answer(bytes(2))] == pytest.approx([silent, silent], abs=0.2)


@pytest.mark.parametrize(
    ("scale", "offset", "given", "expected"),
    [
        ((0.0, 0.0), (0.3, 0.7), {}, 0.7),
        ((0.0, 0.0), (0.3, 0.7), {"model_index": 0}, 0.3),
        ((0.0,), (2.0,), {"model_output": "logit"}, 0.881),
        ((0.0,), (-900.0,), {"model_output": "logit"}, 0.0),
        ((0.0, 0.0), (3.0, 1.0), {"model_output": "logit"}, 0.119),
        ((0.0, 0.0), (3.0, 1.0), {"model_output": "logit", "model_index": 0}, 0.881),
        ((0.0, 0.0, 0.0), (0.0, 0.0, 0.0), {"model_output": "logit"}, 0.333),
    ],
)
def test_what_a_model_gives_becomes_a_probability(
    tmp_path: Path,
    scale: tuple[float, ...],
    offset: tuple[float, ...],
    given: dict[str, Any],
    expected: float,
) -> None:
    """One of several numbers, or of logits what they stand for."""
    path = mean_model(tmp_path / "two.onnx", [1, 100], scale=scale, offset=offset)
    answer = load(TurnSettings(model=str(path), **given))
    assert answer(HALF) == pytest.approx(expected, abs=1e-3)


def test_a_class_of_ones_own_is_made_and_asked() -> None:
    """By module and name, as providers and detectors are."""
    assert ask(TurnSettings(model=f"{__name__}:Mine"), bytes(50_000)) == [0.5]


@pytest.mark.parametrize(
    ("shape", "how", "given", "message"),
    [
        ([1, 2, 3, 4], {}, {}, r"audio tensor\(float\) \(1, 2, 3, 4\); allowed is one of float"),
        ([1, 64, 800], {}, {}, r"\(1, 64, 800\); allowed is"),
        ([16], {}, {}, r"\(16,\); allowed is"),
        ([2, 100], {}, {}, r"\(2, 100\); allowed is"),
        ([1, 100], {"kind": INT64}, {}, r"tensor\(int64\).*allowed is one of float"),
        ([1, 100], {"more": ["state"]}, {}, r"state tensor\(float\) \(1,\); allowed is one"),
        ([1, 16_000_000], {}, {}, "allowed is"),
        ([1, 80, 90_000], {}, {}, "more than 60 s"),
        ([1, 80, 800], {}, {"model_rate": 8000}, "turns.model_rate is 16000"),
        ([1, 100], {}, {"model_index": 3}, r"turns.model_index = 3: its output has 1 numbers"),
        ([1, 100], {"offset": (4.0,)}, {}, r'gives 4, .* turns.model_output = "logit"'),
        ([1, 100], {"offset": (float("nan"),)}, {}, "gives nan"),
    ],
)
def test_a_file_that_cannot_be_fed_or_understood_is_refused(
    tmp_path: Path, shape: list[Any], how: dict[str, Any], given: dict[str, Any], message: str
) -> None:
    """Before the first call, in one line that says what is allowed."""
    path = mean_model(tmp_path / "wrong.onnx", shape, **how)
    settings = TurnSettings(model=str(path), **given)
    with pytest.raises(LookupError, match=message) as caught:
        check_turn_model(settings)
    assert "\n" not in str(caught.value)


def test_a_file_that_is_refused_does_not_start(tmp_path: Path) -> None:
    """Its process tells why, in the same words."""
    path = mean_model(tmp_path / "wrong.onnx", [1, 64, 800])
    with pytest.raises(ProviderError, match=r"\(1, 64, 800\); allowed is"):
        ask(TurnSettings(model=str(path)))


@pytest.mark.parametrize(
    ("model", "message"),
    [
        ("smart", "no such turn model; allowed are smart-turn, none, the path of an .onnx file"),
        ("/nowhere/at-all.onnx", "there is no such file"),
        (__file__.replace(".py", ".onnx"), "there is no such file"),
        ("no.such:Thing", "the module 'no' is missing: install it"),
        (f"{__name__}:Nobody", "has no Nobody"),
        (f"{__name__}:NotQuite", "no async def aclose, async def complete: see docs/turn-taking"),
        (f"{__name__}:Wants", "cannot be made without arguments"),
        ("pipelines.vad:Model", "which is called pipelines.listening.detectors now"),
    ],
)
def test_a_model_that_is_not_there_is_refused(model: str, message: str) -> None:
    """The name is a mistake, or the class is none of a turn model."""
    with pytest.raises(LookupError, match=message):
        check_turn_model(TurnSettings(model=model))


def test_what_is_no_model_is_refused(tmp_path: Path) -> None:
    """A web page that was saved in place of a file, say."""
    file = tmp_path / "page.onnx"
    file.write_text("<html>Sign in to download</html>")
    with pytest.raises(LookupError, match="onnxruntime cannot open the file"):
        check_turn_model(TurnSettings(model=str(file)))


def test_one_that_was_not_started_is_a_provider_error(tmp_path: Path) -> None:
    """So that a call goes on without it."""
    model = OnnxTurnModel(TurnSettings(model=str(tmp_path / "x.onnx")))
    with pytest.raises(ProviderError, match="not started"):
        asyncio.run(model.complete(b""))
    asyncio.run(model.aclose())


def test_one_that_stops_making_sense_is_a_provider_error(tmp_path: Path) -> None:
    """Sure of silence, and beyond all measure loud afterwards."""
    path = mean_model(tmp_path / "loud.onnx", [1, 100], scale=(9.0,))
    with pytest.raises(ProviderError, match="turn model"):
        ask(TurnSettings(model=str(path)), HALF)


class Mistaken:
    """It raises, or gives what is no probability."""

    def __init__(self, gives: Any) -> None:
        self._gives = gives

    async def start(self) -> None:
        if isinstance(self._gives, RuntimeError):
            raise self._gives

    async def aclose(self) -> None: ...

    async def complete(self, pcm: bytes) -> float:
        if isinstance(self._gives, Exception):
            raise self._gives
        given: float = self._gives
        return given


@pytest.mark.parametrize("gives", [1.7, -0.1, float("nan"), "x", None, KeyError("x")])
def test_what_a_class_of_ones_own_does_wrong_costs_no_call(gives: object) -> None:
    """It is a provider that failed: silence and words decide."""
    with pytest.raises(ProviderError, match="turn model"):
        asyncio.run(OwnTurnModel(Mistaken(gives)).complete(HALF))


def test_a_class_of_ones_own_that_does_not_start_says_so() -> None:
    """The start ends with one line, as with a file that cannot be opened."""
    with pytest.raises(ProviderError, match="its start raises RuntimeError"):
        asyncio.run(OwnTurnModel(Mistaken(RuntimeError("no weights"))).start())


@pytest.mark.parametrize(
    "model", ["./mine.py:Base", ":Base", "mine:", "a..b:C", "nope.onnx", f"{__name__}:Raises"]
)
def test_what_cannot_be_made_is_one_line(model: str) -> None:
    """A path where a module belongs, a name left out, a file that is not there."""
    settings = TurnSettings(model=model)
    with pytest.raises(LookupError) as raised:
        check_turn_model(settings)
    assert "\n" not in str(raised.value.args[0])


class Raises:
    """It misses its weights."""

    def __init__(self) -> None:
        raise ValueError("no weights")
