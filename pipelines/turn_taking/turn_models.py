"""Which turn model listens: the one that comes with the install, a file, or a class of yours."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine
from importlib import import_module
from inspect import iscoroutinefunction
from pathlib import Path
from typing import Any, cast

import numpy as np
import numpy.typing as npt
import structlog

from pipelines.audio import SPEECH_RATE, Audio, at_rate
from pipelines.model_process import Ask, ModelProcess, NotAnsweredError
from pipelines.onnx import ORT_ERRORS, load_session, ort
from pipelines.providers.contracts import ProviderError
from pipelines.renamed import missing
from pipelines.turn_taking.end_of_turn import TurnModel
from pipelines.turn_taking.settings import TurnSettings
from pipelines.turn_taking.smart_turn import BANDS, HOP, Floats, SmartTurn, latest, log_mel, unit
from pipelines.workers import OnThisMachine

log = structlog.get_logger()

ALLOWED = "smart-turn, none, the path of an .onnx file, or package.module:Class"

MOST_SECONDS = 60.0
"""A window that is longer is none: 30 is the longest of published models (Whisper's)."""

_WARM_UP = 1.0
"""Seconds of silence that a model is asked about when it is loaded."""


def turn_model(settings: TurnSettings) -> TurnModel | None:
    """Return the turn model that is named, to be started; None for ``none``.

    Raises:
        LookupError: If there is no such model, in one line that says what is allowed.
    """
    name = settings.model
    if name == "none":
        return None
    if name == "smart-turn":
        return SmartTurn()
    if name.endswith((".onnx", ".ort")):
        return OnnxTurnModel(settings)
    module, separator, attribute = name.partition(":")
    if not separator:
        raise LookupError(f"no such turn model; allowed are {ALLOWED}")
    return _made(module, attribute)


def check_turn_model(settings: TurnSettings) -> None:
    """Find out whether :func:`turn_model` has one that can be used; a file is opened and asked.

    Takes as long as loading the file does: not for an event loop that carries calls.

    Raises:
        LookupError: If not, in one line that says what is allowed.
    """
    model = turn_model(settings)
    if isinstance(model, OnnxTurnModel):
        load(settings)


class OnnxTurnModel:
    """A turn model out of an ONNX file, asked in a process of its own. See :func:`load`.

    Args:
        settings: The file, and what is to be known of it besides.
    """

    def __init__(self, settings: TurnSettings) -> None:
        self._process = ModelProcess("turn-model", load, settings)
        self.workers = self._process.workers

    async def start(self) -> None:
        """See :meth:`TurnModel.start`."""
        try:
            await self._process.start()
        except (LookupError, NotAnsweredError) as error:
            raise ProviderError("stt", f"turn model: {error.args[0]}") from error

    async def aclose(self) -> None:
        """See :meth:`TurnModel.aclose`."""
        await self._process.aclose()

    async def complete(self, pcm: bytes) -> float:
        """See :meth:`TurnModel.complete`."""
        try:
            return await self._process.ask(pcm)
        except (LookupError, NotAnsweredError) as error:
            raise ProviderError("stt", f"turn model: {error.args[0]}") from error


def load(settings: TurnSettings) -> Ask:
    """Open an ONNX file, and ask it about a second of silence.

    What it is fed is told by the shape of its one input: ``(1, samples)`` is audio from -1 to 1,
    ``(1, 80, frames)`` is Whisper's log-mel spectrogram, a frame for every 10 ms. As many as there
    are is what it hears: silence comes before what is shorter. Where the number is open, it is
    given the turn as it is, of at most 8 s.

    Raises:
        LookupError: If it cannot be opened, fed or understood.
    """
    try:
        session = load_session(Path(settings.model).expanduser(), any_length=True)
    except ORT_ERRORS as error:
        why = type(error).__name__
        if why == "NoSuchFile":
            raise LookupError(f"there is no such file; allowed: {ALLOWED}") from None
        raise LookupError(f"onnxruntime cannot open the file ({why}); allowed: {ALLOWED}") from None
    features = _front_end(session, settings)
    name = session.get_inputs()[0].name

    def ask(pcm: bytes) -> float:
        return _probability(session.run(None, {name: features(pcm)})[0], settings)

    try:
        ask(bytes(2 * round(_WARM_UP * SPEECH_RATE)))
    except ORT_ERRORS as error:
        raise LookupError(f"the model fails on silence ({type(error).__name__})") from None
    return ask


def _front_end(session: ort.InferenceSession, settings: TurnSettings) -> Callable[[bytes], Floats]:
    """Return what makes the input of a model of audio.

    Raises:
        LookupError: If it takes none that can be made.
    """
    rate, normalized = settings.model_rate, settings.model_normalized
    inputs = session.get_inputs()
    shape = list(inputs[0].shape) if len(inputs) == 1 else []
    sizes = [size if isinstance(size, int) else 0 for size in shape]  # 0: open
    float32 = len(inputs) == 1 and inputs[0].type == "tensor(float)"
    match sizes:
        case [0 | 1, count] if float32 and count <= MOST_SECONDS * rate:

            def samples(pcm: bytes) -> Floats:
                heard = latest(_samples(pcm, rate), count)
                return (unit(heard) if normalized else heard)[np.newaxis]

            return samples
        case [0 | 1, bands, frames] if float32 and bands == BANDS:
            if rate != SPEECH_RATE:
                raise LookupError(f"it hears log-mel features: turns.model_rate is {SPEECH_RATE}")
            if not 0 <= frames * HOP <= MOST_SECONDS * rate:
                raise LookupError(f"it hears more than {MOST_SECONDS:g} s")
            return lambda pcm: log_mel(_samples(pcm, rate), frames or None)[np.newaxis]
    found = ", ".join(f"{one.name} {one.type} {tuple(one.shape)}" for one in inputs) or "none"
    raise LookupError(
        f"its inputs are {found}; allowed is one of float, (1, samples) or (1, {BANDS}, frames); "
        "what is fed otherwise needs a class of your own: package.module:Class"
    )


def _probability(output: npt.ArrayLike, settings: TurnSettings) -> float:
    """Return the probability that the turn is over, of what a model gives.

    Raises:
        LookupError: If that is none.
    """
    numbers = np.asarray(output, np.float64).ravel()
    at = settings.model_index
    if not -len(numbers) <= at < len(numbers):
        raise LookupError(f"turns.model_index = {at}: its output has {len(numbers)} numbers")
    if settings.model_output == "logit":
        logits = numbers if len(numbers) > 1 else np.append(0.0, numbers)
        weights = np.exp(logits - logits.max())
        numbers = (weights / weights.sum())[-len(numbers) :]
    found = float(numbers[at])
    if not 0 <= found <= 1:
        raise LookupError(
            f'it gives {found:.3g}, which is no probability: turns.model_output = "logit" takes '
            "logits, turns.model_index chooses one of several numbers"
        )
    return found


def _samples(pcm: bytes, rate: int) -> Floats:
    pcm = at_rate([Audio(pcm, SPEECH_RATE)], rate).pcm
    return np.frombuffer(pcm, "<i2").astype(np.float32) / np.float32(32768)


class OwnTurnModel:
    """A turn model of somebody's own: what it does wrong is an error of a provider, and no bug.

    Args:
        model: As it was made.
    """

    def __init__(self, model: TurnModel) -> None:
        self._model = model
        if isinstance(model, OnThisMachine):
            self.workers = model.workers

    async def start(self) -> None:
        """See :meth:`TurnModel.start`."""
        await self._outcome(self._model.start(), "start")

    async def aclose(self) -> None:
        """See :meth:`TurnModel.aclose`."""
        await self._outcome(self._model.aclose(), "aclose")

    async def complete(self, pcm: bytes) -> float:
        """See :meth:`TurnModel.complete`."""
        found = await self._outcome(self._model.complete(pcm), "complete")
        if isinstance(found, (int, float, np.floating)) and 0 <= found <= 1:
            return float(found)
        log.warning("turn model gave no probability", given=type(found).__name__)
        raise ProviderError("stt", "turn model: it gave no probability")

    async def _outcome(self, work: Coroutine[Any, Any, object], name: str) -> object:
        (end,) = await asyncio.gather(work, return_exceptions=True)
        if isinstance(end, ProviderError | asyncio.CancelledError):
            raise end
        if isinstance(end, BaseException):
            log.warning("turn model failed", where=name, error=type(end).__name__)
            raise ProviderError("stt", f"turn model: its {name} raises {type(end).__name__}")
        return end


def _made(module: str, attribute: str) -> TurnModel:
    """Return a turn model of a class of one's own.

    Raises:
        LookupError: If there is no such class, or it is none of a turn model.
    """
    if not all(part.isidentifier() for part in (*module.split("."), attribute)):
        raise LookupError(f"no such turn model; allowed are {ALLOWED}")
    try:
        made = getattr(import_module(module), attribute)()
    except ModuleNotFoundError as error:
        if ours := missing(error):
            raise LookupError(f"{module}: {ours}") from error
        raise LookupError(f"the module {error.name!r} is missing: install it") from error
    except AttributeError as error:
        raise LookupError(f"{module} has no {attribute}") from error
    except TypeError as error:
        raise LookupError(f"{attribute} cannot be made without arguments") from error
    except _OTHERS_ERRORS as error:
        raise LookupError(f"{module}:{attribute} raises {type(error).__name__}") from error
    wanted = ("start", "aclose", "complete")
    if lacking := [one for one in wanted if not iscoroutinefunction(getattr(made, one, None))]:
        have = ", ".join(f"async def {one}" for one in lacking)
        raise LookupError(f"{attribute} has no {have}: see docs/turn-taking.md")
    return OwnTurnModel(cast("TurnModel", made))


_OTHERS_ERRORS = (
    SyntaxError, ImportError, NameError, ValueError, LookupError, RuntimeError, OSError,
)  # fmt: skip
"""What importing and making a class raises when it is mistaken, or misses its files."""
