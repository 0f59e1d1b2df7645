"""Piper: a real voice, understood again by Moonshine, and the plain parts around it."""

from __future__ import annotations

import asyncio
import gc
import re
import threading
from collections.abc import Callable, Coroutine
from contextlib import aclosing
from pathlib import Path
from typing import Any, cast

import numpy as np
import onnxruntime as ort
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pipelines.audio import Audio, Resampler
from pipelines.providers import moonshine
from pipelines.providers.contracts import ProviderError
from pipelines.providers.piper import (
    MARGIN,
    Samples,
    Synthesizer,
    _Model,
    dictionary_spelling,
    packaged_voice,
    trimmed,
)
from pipelines.providers.piper_clauses import Clause, clauses
from tests.benchmarks.word_errors import by_phone, errors, spoken, words

Story = Callable[[Synthesizer], Coroutine[None, None, None]]

RATE = 22_050
"""Hertz, of the packaged voice."""

LONG = "Our rooms are on the second floor, next to the stairs, and they look out on the garden."

leaves_nothing = pytest.mark.usefixtures("nothing_left")


def tell(story: Story, **options: Any) -> None:
    """Run ``story`` with a started synthesizer, closed afterwards; its noise is always the same."""
    ort.set_seed(7)

    async def main() -> None:
        synthesizer = Synthesizer(Synthesizer.Options(**{"threads": 1, **options}))
        await synthesizer.start()
        try:
            await story(synthesizer)
        finally:
            await synthesizer.aclose()

    asyncio.run(main())


async def speak(synthesizer: Synthesizer, text: str) -> list[Audio]:
    async with aclosing(synthesizer.speak(text)) as pieces:
        return [piece async for piece in pieces if isinstance(piece, Audio)]


def joined(pieces: list[Audio]) -> Audio:
    return Audio(b"".join(piece.pcm for piece in pieces), RATE)


def level(audio: Audio) -> float:
    """Return the loudness of speech in dBFS: the RMS of the 10 ms frames above -40."""
    samples = np.frombuffer(audio.pcm, "<i2").astype(np.float64) / 32_768
    frames = samples[: len(samples) // 220 * 220].reshape(-1, 220)
    power = np.square(frames).mean(axis=1)
    return float(10 * np.log10(power[power > 1e-4].mean()))


# The real voice.


def test_the_audio_transcribed_back_holds_the_words() -> None:
    """Times, prices and phone numbers are understood at 8 kHz: at most one word in ten is wrong."""
    said = {
        "We open at 9:30 in the morning.": "we open at nine thirty in the morning",
        "Please hold the line while I connect you with the kitchen.": (
            "please hold the line while i connect you with the kitchen"
        ),
        "Children pay five dollars. You can call us on 555-0142.": (
            "children pay five dollars you can call us on five five five zero one four two"
        ),
        "Thank you for calling, how can I help you?": "thank you for calling how can i help you",
    }

    async def story(synthesizer: Synthesizer) -> None:
        transcriber = moonshine.Transcriber(moonshine.Transcriber.Options())
        await transcriber.start()
        wrong = total = 0
        for text, expected in said.items():
            audio = joined(await speak(synthesizer, text))
            resampler = Resampler(audio.rate, 8_000)
            line = Audio(resampler.feed(audio.pcm) + resampler.flush(), 8_000)
            heard = await transcriber.transcribe(spoken(by_phone(line)))
            wrong += errors(words(expected), words(heard))
            total += len(words(expected))
        await transcriber.aclose()
        assert wrong <= 0.1 * total

    tell(story)


def test_speech_comes_in_clauses_of_one_loudness() -> None:
    """Each clause is one piece at the voice's rate; none jumps out, and none is clipped."""

    async def story(synthesizer: Synthesizer) -> None:
        pieces = await speak(synthesizer, LONG)
        assert len(pieces) == len(list(clauses(LONG))) >= 2
        levels = [level(piece) for piece in pieces]
        assert max(levels) - min(levels) < 6  # dB
        assert all(-30 < each < -15 for each in levels)  # dBFS
        for piece in pieces:
            assert piece.rate == RATE
            assert len(piece.pcm) % 2 == 0
            assert np.abs(np.frombuffer(piece.pcm, "<i2").astype(int)).max() < 32_767

    tell(story)


def test_pauses_are_short_and_silent() -> None:
    """A clause begins at once, and is followed by its pause, no more."""

    async def story(synthesizer: Synthesizer) -> None:
        (piece,) = await speak(synthesizer, "We are open.")
        samples = np.frombuffer(piece.pcm, "<i2").astype(int)
        loud = np.flatnonzero(np.abs(samples) > 300)
        assert loud[0] / RATE < 0.1
        after = (len(samples) - loud[-1]) / RATE
        assert 0.25 <= after < 0.45
        assert not samples[-int(0.25 * RATE) :].any()

    tell(story)


def test_speed_makes_it_shorter() -> None:
    """Twice as fast is about two thirds as long, pauses aside: no phoneme is shorter than 12 ms."""
    seconds: list[float] = []

    async def story(synthesizer: Synthesizer) -> None:
        (piece,) = await speak(synthesizer, "Please hold the line for a moment.")
        seconds.append(piece.seconds - 0.25)

    tell(story)
    tell(story, speed=2.0)
    assert 0.5 < seconds[1] / seconds[0] < 0.8


@pytest.mark.parametrize("text", ["", "  \n", "...", "?!", "—", "😀", "你好", "**", "$", "'-'"])
def test_nothing_speakable_is_no_audio(text: str) -> None:
    """Without a word or number nothing is yielded, and it is no error."""

    async def main() -> None:
        synthesizer = Synthesizer(Synthesizer.Options())  # not even started
        assert await speak(synthesizer, text) == []
        await synthesizer.aclose()

    asyncio.run(main())


def test_the_event_loop_goes_on_meanwhile() -> None:
    """Other tasks run again and again while the model works."""

    async def story(synthesizer: Synthesizer) -> None:
        request = asyncio.create_task(speak(synthesizer, LONG))
        ticks = 0
        while not request.done():
            await asyncio.sleep(0.001)
            ticks += 1
        assert request.result()
        assert ticks >= 20  # a blocked loop would have seen one or two

    tell(story)


@leaves_nothing
def test_closing_fails_what_is_under_way() -> None:
    """Texts running and queued when it closes get ProviderError, and so do later ones."""

    async def story(synthesizer: Synthesizer) -> None:
        requests = [asyncio.create_task(speak(synthesizer, LONG)) for _ in range(3)]
        await asyncio.sleep(0.02)
        await synthesizer.aclose()
        for result in await asyncio.gather(*requests, return_exceptions=True):
            assert isinstance(result, ProviderError)
        assert not [each for each in threading.enumerate() if each.name.startswith("piper")]
        with pytest.raises(ProviderError, match="closed"):
            await speak(synthesizer, LONG)

    tell(story)


@leaves_nothing
def test_a_cancelled_text_leaves_nothing() -> None:
    """Cancelling ends the model's run; the next text is spoken."""

    async def story(synthesizer: Synthesizer) -> None:
        request = asyncio.create_task(speak(synthesizer, LONG))
        await asyncio.sleep(0.02)
        (run,) = synthesizer._runs
        request.cancel()
        with pytest.raises(asyncio.CancelledError):
            await request
        assert run.terminate
        assert not synthesizer._runs
        assert await speak(synthesizer, "Hello.")

    tell(story)


def test_a_terminated_run_is_a_provider_error() -> None:
    """Onnxruntime's own exceptions do not leave the provider."""
    run = ort.RunOptions()
    run.terminate = True
    with pytest.raises(ProviderError) as caught:
        _Model(packaged_voice(), 1.0).say(Clause("Hello.", 0.25), run)
    assert caught.value.stage == "tts"


def start(**options: Any) -> None:
    """Start and close a synthesizer."""

    async def main() -> None:
        synthesizer = Synthesizer(Synthesizer.Options(**options))
        try:
            await synthesizer.start()
        finally:
            await synthesizer.aclose()

    asyncio.run(main())


def test_a_missing_voice_is_told_by_its_name(tmp_path: Path) -> None:
    """A wrong path fails the start, in one line."""
    with pytest.raises(ProviderError, match=r"tts: the voice none\.onnx does not load"):
        start(voice=tmp_path / "none.onnx")


@leaves_nothing
def test_a_damaged_voice_is_a_provider_error(tmp_path: Path) -> None:
    """A file that is no model fails the start, in one line."""
    voice = tmp_path / "damaged.onnx"
    voice.write_bytes(b"\0no model")
    packaged = packaged_voice()
    config = packaged.with_name(packaged.name + ".json").read_text("utf-8")
    (tmp_path / "damaged.onnx.json").write_text(config, "utf-8")
    with pytest.raises(ProviderError, match=r"damaged\.onnx does not load"):
        start(voice=voice)


def test_a_voice_of_another_language_is_refused(tmp_path: Path) -> None:
    """There is an English dictionary only; German read by it would be gibberish."""
    packaged = packaged_voice()
    config = packaged.with_name(packaged.name + ".json").read_text("utf-8")
    config = config.replace('"voice": "en-us"', '"voice": "de"')
    assert '"de"' in config
    (tmp_path / "thorsten.onnx.json").write_text(config, "utf-8")
    with pytest.raises(ProviderError, match="not English"):
        start(voice=tmp_path / "thorsten.onnx")


# Working ahead, with a model that is told when to speak.


class Prompted:
    """A model that is done with a clause when it is told so."""

    rate = RATE

    def __init__(self) -> None:
        self.begun: list[str] = []
        self.may_end = threading.Semaphore(0)

    def say(self, clause: Clause, run: ort.RunOptions) -> Audio:
        self.begun.append(clause.text)
        while not self.may_end.acquire(timeout=0.001):
            if run.terminate:
                raise ProviderError("tts", "terminated")
        return Audio(b"\1\0", RATE)


def prompt(story: Callable[[Synthesizer, Prompted], Coroutine[None, None, None]]) -> None:
    """Run ``story`` with a synthesizer that has a prompted model, closed afterwards."""

    async def main() -> None:
        synthesizer = Synthesizer(Synthesizer.Options(threads=2))
        model = Prompted()
        synthesizer._model = cast("_Model", model)
        try:
            await story(synthesizer, model)
        finally:
            await synthesizer.aclose()

    asyncio.run(main())


def test_one_clause_at_most_is_made_ahead() -> None:
    """Each is made while the one before it is heard; nothing takes time from the first."""

    async def story(synthesizer: Synthesizer, model: Prompted) -> None:
        texts = [clause.text for clause in clauses("One. Two. Three. Four.")]
        async with aclosing(synthesizer.speak("One. Two. Three. Four.")) as pieces:
            for heard in range(3):
                piece = asyncio.ensure_future(anext(pieces))
                await asyncio.sleep(0.02)
                assert model.begun == texts[: heard + 1]
                model.may_end.release()
                await piece

    prompt(story)


@leaves_nothing
def test_nothing_is_made_after_closing() -> None:
    """A reply that is interrupted ends the clause under way, and begins no other."""

    async def story(synthesizer: Synthesizer, model: Prompted) -> None:
        async with aclosing(synthesizer.speak("One. Two. Three. Four.")) as pieces:
            model.may_end.release()
            await anext(pieces)
        model.may_end.release(9)
        await asyncio.sleep(0.02)
        assert len(model.begun) <= 2

    prompt(story)


@leaves_nothing
def test_closing_does_not_wait_for_a_clause() -> None:
    """What the model is at is ended when the provider closes."""

    async def story(synthesizer: Synthesizer, model: Prompted) -> None:
        request = asyncio.create_task(speak(synthesizer, "One. Two."))
        await asyncio.sleep(0.02)
        await synthesizer.aclose()  # the model is never told that it may end
        with pytest.raises(ProviderError, match="terminated"):
            await request

    prompt(story)


def test_a_failure_ahead_is_told_when_its_turn_comes() -> None:
    """What was made before it is heard; if nobody waits for it, it is forgotten without a sound."""
    unasked: list[dict[str, Any]] = []

    class Failing(Prompted):
        def say(self, clause: Clause, run: ort.RunOptions) -> Audio:
            if clause.text == "One.":
                return Audio(b"\1\0", RATE)
            raise ProviderError("tts", "no voice")

    async def story(synthesizer: Synthesizer, _: Prompted) -> None:
        asyncio.get_running_loop().set_exception_handler(lambda _, what: unasked.append(what))
        synthesizer._model = cast("_Model", Failing())
        async with aclosing(synthesizer.speak("One. Two.")) as pieces:
            assert isinstance(await anext(pieces), Audio)
            with pytest.raises(ProviderError, match="no voice"):
                await anext(pieces)
        async with aclosing(synthesizer.speak("One. Two.")) as pieces:
            assert isinstance(await anext(pieces), Audio)
            await asyncio.sleep(0.02)

        gc.collect()  # a future that nobody asked complains when it goes

    prompt(story)
    assert not unasked


# Text that can be spoken.


@pytest.mark.parametrize(
    ("text", "spoken_text"),
    [
        ("Mr. Smith and Dr. Lee", "Mr. Smith and Dr. Lee"),
        ("50% of R&D, $11.50 in 2024", "50% of R&D, $11.50 in 2024"),
        ("Hello — it’s “Zoë’s” café…", "Hello, it's Zoe's cafe"),
        ("**Bold** and _so_ on 😀 你好", "Bold and so on"),
        ("We (the staff): check-in; now!!", "We, the staff, check-in, now!"),
        ("a dotless \u0131, a long \u017f", "a dotless, a long s"),
    ],
)
def test_what_is_spoken(text: str, spoken_text: str) -> None:
    """Signs are rewritten where the dictionary would read them wrongly."""
    assert dictionary_spelling(text) == spoken_text


@pytest.mark.parametrize("text", ["1" * 500 + ",1", "1" * 500 + "x", "11 " * 500 + "x", ".," * 500])
def test_a_long_number_is_read_in_time(text: str) -> None:
    """No text makes a pattern try all ways of cutting it, which would hold up every call."""
    dictionary_spelling(text)  # or the test's deadline passes


@given(st.text() | st.text("019 :.,-–/$€%&@#()apmst'\n", max_size=30))
def test_only_known_characters_are_spoken(text: str) -> None:
    """Of any text, what is left is ASCII and two currencies, on one line; no mark begins it."""
    plain = dictionary_spelling(text)
    assert not set(re.sub("[A-Za-z0-9]", "", plain)) - set(" ,.!?'$£€%&+@/-")
    assert plain == plain.strip(", ")


@pytest.fixture(scope="module")
def voice() -> _Model:
    return _Model(packaged_voice(), 1.0)


@settings(max_examples=60, deadline=None)
@given(text=st.text("ab1 0:.,-/$€%&@#()p'é\n", max_size=25) | st.text(max_size=10))
def test_any_text_has_phonemes_or_none(voice: _Model, text: str) -> None:
    """Whatever a language model writes, the dictionary does not fail on it."""
    for clause in clauses(dictionary_spelling(text)):
        voice.phonemes(clause.text)


def test_phonemes_are_framed_and_padded(voice: _Model) -> None:
    """A text is begin, then each phoneme and a pad, then end; a stop at its end is spoken too."""
    ids = voice.phonemes("Hello.").tolist()
    assert ids[:2] == [1, 0]
    assert ids[-1] == 2
    assert not any(ids[3:-1:2])
    assert ids[-3] == 10  # the id of a stop


# Silence around a clause.


@given(st.integers(0, 9_000), st.integers(200, 9_000), st.integers(0, 9_000))
def test_silence_around_a_clause_is_cut(before: int, during: int, after: int) -> None:
    """What is loud is kept whole, and next to nothing around it."""
    samples: Samples = np.zeros(before + during + after, np.float32)
    samples[before : before + during] = 0.1
    kept = trimmed(samples, RATE)
    slack = 2 * (int(MARGIN * RATE) + RATE // 200)
    assert np.count_nonzero(kept) >= during - RATE // 200
    assert len(kept) <= during + slack


def test_silence_alone_is_nothing() -> None:
    """A clause in which nothing is heard takes no time."""
    assert len(trimmed(np.zeros(RATE, np.float32), RATE)) == 0
