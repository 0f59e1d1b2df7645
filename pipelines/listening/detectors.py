"""Does this frame hold a voice? Detectors, and which of them a call gets.

What becomes speech of enough such frames is decided in :mod:`pipelines.listening.gate`.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Mapping
from functools import partial
from importlib import import_module
from pathlib import Path
from typing import Final, Protocol, cast, runtime_checkable

import numpy as np
import webrtcvad
from pydantic import Field

from pipelines.audio import FRAME_SECONDS, SPEECH_RATE
from pipelines.listening.caller_frames import CallerFrame, Heard, joined, pcm_of, power_of
from pipelines.onnx import Arrays, FixedRun, load_session
from pipelines.renamed import missing
from pipelines.settings import Section


class VoiceDetector(Protocol):
    """Tells voice from noise, for one call."""

    def voiced(self, frame: bytes) -> bool:
        """Say whether a voice is heard by the end of ``frame``.

        Frames are 20 ms at :data:`pipelines.audio.SPEECH_RATE` (640 bytes) and come in order, none
        left out: what was heard before counts.
        """
        ...


@runtime_checkable
class LineDetector(Protocol):
    """A detector of ours that hears frames as the line carries them, and asks for what it needs."""

    def voiced_on_line(self, frame: Heard) -> bool:
        """As :meth:`VoiceDetector.voiced`, of a frame that need not be resampled."""
        ...


def on_the_line(detector: VoiceDetector) -> Callable[[Heard], bool]:
    """Return what tells voice from noise in frames as they come.

    A detector that is no :class:`LineDetector` is given every frame at SPEECH_RATE.
    """
    if isinstance(detector, LineDetector):
        return detector.voiced_on_line
    return lambda frame: detector.voiced(pcm_of(frame))


WEBRTC_RATES = (8_000, 16_000, 32_000, 48_000)
"""Hertz. It hears 0 to 4 kHz of each, at 8 kHz (common_audio/vad/vad_core.c)."""


class WebRtcDetector:
    """WebRTC's mixture of Gaussians: 2 µs a frame, hardly ever misses, takes noise for voice."""

    def __init__(self) -> None:
        # 3 is its strictest mode. On a quiet line the first voiced frame comes as soon as in mode 2
        # (20/30 ms p50/p95 after the onset, 80 prompts); at 10 dB of white noise it takes half of
        # the frames without speech for voice, mode 2 seven eighths.
        self._vad = webrtcvad.Vad(3)

    def voiced(self, frame: bytes) -> bool:
        """See :meth:`VoiceDetector.voiced`."""
        return self.voiced_on_line(frame)

    def voiced_on_line(self, frame: Heard) -> bool:
        """See :meth:`LineDetector.voiced_on_line`."""
        if isinstance(frame, CallerFrame) and frame.rate in WEBRTC_RATES:
            return bool(self._vad.is_speech(frame.line, frame.rate))
        return bool(self._vad.is_speech(pcm_of(frame), SPEECH_RATE))


_INT16: Final = np.dtype("<i2")

_WINDOW = 512
"""Samples Silero judges at once (32 ms), and ``_CONTEXT`` more from before them: its own wrapper
does so (silero_vad/utils_vad.py, OnnxWrapper)."""
_CONTEXT = 64

_SILERO_MODEL = Path(__file__).parents[1] / "models" / "silero_vad_16k_products.onnx"


_UNIT: Final = 2.0**-15
"""From 16 bits to what the network takes. Exact, and so is its square."""

_UNIT32: Final = np.float32(_UNIT)

NewRun = Callable[[Arrays, Arrays], Callable[[], None]]
"""From what a network reads and what it writes, makes what runs it."""


class SileroDetector:
    """Silero's recurrent network: about 50 µs for each window of 32 ms, sure even in noise.

    Args:
        new_run: Of the network, which all calls share; :func:`_load_silero` makes it. What is
            remembered of a call is kept here.
    """

    START = 0.5
    """Probability from which a voice is heard: Silero's own default."""

    STAY = 0.35
    """Probability below which it is no longer: Silero's own default, 0.15 less."""

    FLOOR = 10**-2.5
    """Power of a frame, of the voice's latest peak, below which it is no voice whatever the network
    thinks: it remembers, and calls the first moments of silence voice. With 25 dB down as the floor
    speech ends 20 ms late (p50; 30 at p95) on 80 prompts, without it 90 (170); from 20 dB, words
    with a soft end are cut."""

    DECAY = 10 ** (-2.0 * FRAME_SECONDS)
    """Of that peak, per frame: 20 dB a second, so that a soft word after a loud one counts."""

    def __init__(self, new_run: NewRun) -> None:
        self._pending = np.zeros(_CONTEXT + 2 * _WINDOW, np.float32)  # a window, and what is behind
        self._filled = _CONTEXT
        self._memory, self._next = np.zeros((2, 2, 1, 128), np.float32)
        self._probability = np.zeros(1, np.float32)
        window = self._pending[np.newaxis, : _CONTEXT + _WINDOW]
        self._run = new_run(
            {"input": window, "h": self._memory[0], "c": self._memory[1]},
            {"speech_probs": self._probability, "hn": self._next[0], "cn": self._next[1]},
        )
        self._speaking = False
        self._peak = 0.0

    def voiced(self, frame: bytes) -> bool:
        """See :meth:`VoiceDetector.voiced`."""
        return self.voiced_on_line(frame)

    def voiced_on_line(self, frame: Heard) -> bool:
        """See :meth:`LineDetector.voiced_on_line`."""
        samples = np.frombuffer(pcm_of(frame), _INT16)
        start, self._filled = self._filled, self._filled + len(samples)
        np.multiply(samples, _UNIT32, out=self._pending[start : self._filled])
        if self._filled >= _CONTEXT + _WINDOW:
            self._judge()
        power = power_of(frame) * _UNIT * _UNIT
        self._peak *= self.DECAY
        if self._speaking:
            self._peak = max(self._peak, power)
        return self._speaking and power > self._peak * self.FLOOR

    def _judge(self) -> None:
        self._run()
        self._memory[:] = self._next
        left = self._filled - _WINDOW
        self._pending[:left] = self._pending[_WINDOW : self._filled]
        self._filled = left
        self._speaking = bool(self._probability[0] >= (self.STAY if self._speaking else self.START))


class GatedDetector:
    """A cheap detector that wakes a good one.

    The judge is asked only from the gate's first voiced frame until ``HOLD`` after its last. It
    is a fresh one each time, and first hears the latest ``CONTEXT`` of what it slept through.

    Args:
        gate: Hears every frame.
        new_judge: Makes the one that decides.
    """

    HOLD = round(0.4 / FRAME_SECONDS)
    """Frames. Longer than the gaps inside a phrase (0.19 s at p90 of 80 prompts), so that the judge
    keeps its memory over them."""

    CONTEXT = round(0.16 / FRAME_SECONDS)
    """Frames: five of Silero's windows, so at most half a millisecond of work."""

    def __init__(self, gate: VoiceDetector, new_judge: Callable[[], VoiceDetector]) -> None:
        self._gate = on_the_line(gate)
        self._new_judge = new_judge
        self._judge: Callable[[Heard], bool] | None = None
        self._unheard: deque[Heard] = deque(maxlen=self.CONTEXT)
        self._left = 0

    def voiced(self, frame: bytes) -> bool:
        """See :meth:`VoiceDetector.voiced`."""
        return self.voiced_on_line(frame)

    def voiced_on_line(self, frame: Heard) -> bool:
        """See :meth:`LineDetector.voiced_on_line`."""
        self._left = self.HOLD if self._gate(frame) else self._left - 1
        if self._left <= 0:
            self._judge = None
            self._unheard.append(frame)
            return False
        if self._judge is None:
            self._judge = on_the_line(self._new_judge())
            joined(self._unheard)  # together they cost less
            for earlier in self._unheard:
                self._judge(earlier)
            self._unheard.clear()
        return self._judge(frame)


NewDetector = Callable[[], VoiceDetector]
"""Makes the detector of one call; quick."""


def _load_silero() -> NewDetector:
    session = load_session(_SILERO_MODEL.read_bytes())
    new_run = partial(FixedRun, session)
    SileroDetector(new_run).voiced(bytes(2 * _WINDOW))  # the first run allocates
    return partial(SileroDetector, new_run)


DETECTORS: Mapping[str, Callable[[], NewDetector]] = {
    "silero": _load_silero,
    "webrtcvad": lambda: WebRtcDetector,
}
"""By name, what loads a detector's model."""

NONE = "none"


class DetectorSettings(Section):
    """Who tells voice from noise."""

    gate: str = Field(
        "webrtcvad", description="The cheap first detector; `none` leaves it to the judge."
    )
    judge: str = Field(
        "silero", description="Decides while the gate is open; `none` leaves it to the gate."
    )


def detectors(settings: DetectorSettings) -> NewDetector:
    """Load what voice detection needs, once, and return what makes a detector for each call.

    Args:
        settings: The detector that hears everything and wakes the judge, and the one that decides.

    Either is a name in :data:`DETECTORS`, ``package.module:Class`` for a class whose instances,
    made without arguments, are detectors, or ``"none"``: then the other decides alone.

    Raises:
        LookupError: If there is no such detector, in one line that says what there is.
    """
    gate, judge = settings.gate, settings.judge
    if gate == judge == NONE:
        raise LookupError(f"gate and judge cannot both be {NONE}: nothing would hear the caller")
    if gate == NONE:
        return _load(judge)
    if judge == NONE:
        return _load(gate)
    new_gate, new_judge = _load(gate), _load(judge)
    return lambda: GatedDetector(new_gate(), new_judge)


def _load(name: str) -> NewDetector:
    if name in DETECTORS:
        return DETECTORS[name]()
    module, separator, attribute = name.partition(":")
    if not separator:
        known = ", ".join(sorted((*DETECTORS, NONE)))
        raise LookupError(f"no voice detector {name!r}; known are {known}, or package.module:Class")
    try:
        return cast("NewDetector", getattr(import_module(module), attribute))
    except ModuleNotFoundError as error:
        if ours := missing(error):
            raise LookupError(f"{module}: {ours}") from error
        raise LookupError(f"the module {error.name!r} is missing: install it") from error
    except AttributeError as error:
        raise LookupError(f"{module} has no {attribute}") from error
