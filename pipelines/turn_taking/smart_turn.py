"""Smart Turn: an acoustic model that hears whether a sentence falls to its end."""

from __future__ import annotations

from functools import cache
from pathlib import Path

import numpy as np
import numpy.typing as npt

from pipelines.audio import SPEECH_RATE
from pipelines.model_process import Ask, ModelProcess, NotAnsweredError
from pipelines.onnx import load_session, with_outputs
from pipelines.providers.contracts import ProviderError

Floats = npt.NDArray[np.float32]

WINDOW_SECONDS = 8.0
"""What Smart Turn hears; a shorter turn is preceded by silence."""

MODEL = Path(__file__).parents[1] / "models" / "smart-turn-v3.2-cpu.onnx"

_FFT = 400
HOP = 160
BANDS = 80
"""Samples a window (25 ms), samples between two (10 ms), mel bands: Whisper's front end
(openai/whisper, audio.py), which Smart Turn was trained behind."""


class SmartTurn:
    """Smart Turn v3.2 by onnxruntime: about 40 ms of one core a question, in a process of its own.

    One question is answered at a time, in the order in which they came; of more than a few that
    wait the oldest are not.
    """

    def __init__(self) -> None:
        self._process = ModelProcess("smart-turn", load)
        self.workers = self._process.workers

    async def start(self) -> None:
        """See :meth:`TurnModel.start`."""
        try:
            await self._process.start()
        except (LookupError, NotAnsweredError) as error:
            raise ProviderError("stt", f"smart turn: {error.args[0]}") from error

    async def aclose(self) -> None:
        """See :meth:`TurnModel.aclose`."""
        await self._process.aclose()

    async def complete(self, pcm: bytes) -> float:
        """See :meth:`TurnModel.complete`."""
        try:
            return await self._process.ask(pcm)
        except NotAnsweredError as error:
            raise ProviderError("stt", f"smart turn: {error.args[0]}") from error


def log_mel(samples: Floats, frames: int | None = round(WINDOW_SECONDS * 100)) -> Floats:
    """Return what Smart Turn hears of ``samples``: shape (80, ``frames``), of the last 8 s.

    As its publisher feeds it (pipecat 1.14, local_smart_turn_v3.py): silence before what is
    shorter, zero mean and unit variance over all 8 s, then Whisper's log-mel spectrogram.

    Args:
        samples: From -1 to 1, at :data:`pipelines.audio.SPEECH_RATE`.
        frames: Of 10 ms each; None for as many as there are of it, one at least.
    """
    window = unit(
        latest(samples, HOP * (max(2, len(samples) // HOP) if frames is None else frames))
    )
    padded = np.pad(window, _FFT // 2, mode="reflect")
    cut = np.lib.stride_tricks.sliding_window_view(padded, _FFT)[::HOP][:-1]
    hann = np.hanning(_FFT + 1)[:-1].astype(np.float32)
    power = np.abs(np.fft.rfft(cut * hann)) ** 2
    mel = np.log10(np.maximum(_filters() @ power.T, 1e-10))
    floored = np.maximum(mel, mel.max() - 8.0)
    features: Floats = ((floored + 4.0) / 4.0).astype(np.float32)
    return features


def latest(samples: Floats, count: int) -> Floats:
    """Return the last ``count`` samples, after silence where there are fewer; 0 for all of them."""
    if not count:
        return samples
    window = np.zeros(count, np.float32)
    if kept := min(count, len(samples)):
        window[-kept:] = samples[-kept:]
    return window


def unit(window: Floats) -> Floats:
    """Return ``window`` with zero mean and unit variance, as front ends of Whisper do."""
    scaled: Floats = (window - window.mean()) / np.sqrt(window.var() + np.float32(1e-7))
    return scaled


@cache
def _filters() -> npt.NDArray[np.float64]:
    """Return the triangular mel filters, shape (80, 201): Slaney's scale, each of unit area."""
    edges = _hertz(np.linspace(0.0, _mel(SPEECH_RATE / 2), BANDS + 2))
    bins = np.linspace(0.0, SPEECH_RATE / 2, _FFT // 2 + 1)
    low, peak, high = edges[:-2, None], edges[1:-1, None], edges[2:, None]
    triangles = np.minimum((bins - low) / (peak - low), (high - bins) / (high - peak))
    area: npt.NDArray[np.float64] = np.maximum(0.0, triangles) * 2.0 / (high - low)
    return area


_LINEAR = 200 / 3
_LOG_STEP = np.log(6.4) / 27
"""Slaney's scale: a mel is 66.7 Hz up to 1 kHz, then a 27th of the way to 6.4 times that."""


def _mel(hertz: float) -> float:
    return hertz / _LINEAR if hertz < 1000 else 15 + float(np.log(hertz / 1000) / _LOG_STEP)


def _hertz(mels: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
    return np.where(mels < 15, mels * _LINEAR, 1000 * np.exp(_LOG_STEP * (mels - 15)))


ATTENTION = ("val_69", "val_142", "val_215", "val_288")
"""The softmax of each layer's attention. Within a quantized network onnxruntime 1.32 computes it of
whole numbers, one by one: 2.7 ms of a layer's 11, where floats take 0.3. They are nearer to the
network before it was quantized besides: of 144 cuts of recordings, 6 are decided otherwise than by
that, and 12 with whole numbers."""


def load() -> Ask:
    """Open the network and run it once: the first run allocates."""
    session = load_session(with_outputs(MODEL.read_bytes(), ATTENTION))

    def ask(pcm: bytes) -> float:
        samples = np.frombuffer(pcm, "<i2").astype(np.float32) / np.float32(32768)
        features = log_mel(samples)[np.newaxis]
        return float(session.run(["logits"], {"input_features": features})[0][0, 0])

    ask(bytes(2 * SPEECH_RATE))
    return ask
