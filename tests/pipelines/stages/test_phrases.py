"""Sentences that are spoken in advance."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Mapping, Sequence

import pytest

from pipelines.audio import SPEECH_RATE, Audio
from pipelines.providers.contracts import ProviderError, Speech
from pipelines.providers.scripted import Synthesizer, SynthesizerOptions
from pipelines.stages.phrases import Key, Phrases, PhraseStore


class Counting(Synthesizer):
    """Notes what it was asked to speak."""

    def __init__(self) -> None:
        super().__init__(SynthesizerOptions())
        self.spoken: list[str] = []
        self.broken = False

    async def speak(self, text: str, rate: int = SPEECH_RATE) -> AsyncGenerator[Speech, None]:
        self.spoken.append(text)
        if self.broken:
            raise ProviderError("tts", "broken")
        async for piece in super().speak(text, rate):
            yield piece


async def said(voice: Phrases, text: str) -> float:
    return sum([piece.seconds async for piece in voice.speak(text) if isinstance(piece, Audio)])


def test_a_prepared_sentence_is_spoken_once() -> None:
    """And sounds the same whenever it is said; other sentences go through."""

    async def main() -> None:
        tts = Counting()
        voice = Phrases(tts)
        await voice.prepare(["One moment.", "Bear with me.", "One moment."])
        assert tts.spoken == ["One moment.", "Bear with me."]
        assert await said(voice, "One moment.") == pytest.approx(0.6)
        assert await said(voice, "Something else.") == pytest.approx(0.6)
        assert tts.spoken == ["One moment.", "Bear with me.", "Something else."]

    asyncio.run(main())


def test_what_could_not_be_spoken_is_not_kept() -> None:
    """The next attempt asks again."""

    async def main() -> None:
        tts = Counting()
        voice = Phrases(tts)
        tts.broken = True
        with pytest.raises(ProviderError):
            await voice.prepare(["One moment."])
        tts.broken = False
        assert voice.kept("One moment.") == ()
        await voice.prepare(["One moment."])
        assert voice.kept("One moment.")

    asyncio.run(main())


def test_the_longest_unused_is_forgotten() -> None:
    """So that memory is bounded, whatever agent files come and go."""

    async def main() -> None:
        voice = Phrases(Counting(), PhraseStore(most_seconds=1.3))
        await voice.prepare(["One two.", "Three four."])
        await voice.prepare(["One two."])  # used again
        await voice.prepare(["Five six."])
        assert voice.kept("Three four.") == ()
        assert voice.kept("One two.")
        assert voice.kept("Five six.")

    asyncio.run(main())


class Slow(Counting):
    """Takes a moment for each word."""

    async def speak(self, text: str, rate: int = SPEECH_RATE) -> AsyncGenerator[Speech, None]:
        self.spoken.append(text)
        for number, _ in enumerate(text.split()):
            await asyncio.sleep(0.01)
            yield Audio(bytes([number + 1]) * 3200, 16000)


def test_a_sentence_that_is_being_prepared_is_not_spoken_twice() -> None:
    """Whoever wants it meanwhile hears it as it comes, from its beginning."""

    async def main() -> None:
        tts = Slow()
        voice = Phrases(tts)
        preparing = asyncio.create_task(voice.prepare(["one two three four"]))
        await asyncio.sleep(0.025)
        first, second = await asyncio.gather(
            said(voice, "one two three four"), said(voice, "one two three four")
        )
        await preparing
        await voice.prepare(["one two three four"])
        assert [first, second] == pytest.approx([0.4, 0.4])
        assert tts.spoken == ["one two three four"]

    asyncio.run(main())


def test_a_preparation_that_is_cancelled_takes_nobody_along() -> None:
    """Another call that hears it already hears the rest, no word twice."""

    async def main() -> None:
        tts = Slow()
        voice = Phrases(tts)
        preparing = asyncio.create_task(voice.prepare(["one two three four"]))
        await asyncio.sleep(0.025)

        async def hear() -> bytes:
            pieces = voice.speak("one two three four")
            return b"".join([piece.pcm async for piece in pieces if isinstance(piece, Audio)])

        hearing = asyncio.create_task(hear())
        await asyncio.sleep(0.001)
        preparing.cancel()
        assert await hearing == b"".join(bytes([n]) * 3200 for n in (1, 2, 3, 4))
        assert tts.spoken == ["one two three four"] * 2
        assert voice.kept("one two three four") == ()

    asyncio.run(main())


class Late(Counting):
    """Fails after a moment."""

    async def speak(self, text: str, rate: int = SPEECH_RATE) -> AsyncGenerator[Speech, None]:
        self.spoken.append(text)
        await asyncio.sleep(0.01)
        raise ProviderError("tts", "broken")
        yield


def test_who_waits_for_a_sentence_that_cannot_be_spoken_is_told_so() -> None:
    """The voice is not asked for it all over again: it has failed a moment ago."""

    async def main() -> None:
        tts = Late()
        voice = Phrases(tts)
        preparing = asyncio.create_task(voice.prepare(["One moment."]))
        await asyncio.sleep(0)
        with pytest.raises(ProviderError):
            await said(voice, "One moment.")
        with pytest.raises(ProviderError):
            await preparing
        assert tts.spoken == ["One moment."]

    asyncio.run(main())


class Picky(Counting):
    """Cannot speak one sentence, in time or at all."""

    def __init__(self, refuses: str, *, timed_out: bool) -> None:
        super().__init__()
        self._refuses, self._timed_out = refuses, timed_out

    async def speak(self, text: str, rate: int = SPEECH_RATE) -> AsyncGenerator[Speech, None]:
        if text == self._refuses:
            raise ProviderError("tts", "not this", timed_out=self._timed_out)
        async for piece in super().speak(text, rate):
            yield piece


@pytest.mark.parametrize("timed_out", [False, True])
def test_one_sentence_that_cannot_be_spoken_leaves_the_others(timed_out: bool) -> None:
    """An apology is wanted the more; only a voice that hangs is left alone, or that fails twice."""

    async def main() -> None:
        tts = Counting()
        tts.broken = True
        with pytest.raises(ProviderError):
            await Phrases(tts).prepare([f"Number {number}." for number in range(9)])
        assert len(tts.spoken) == 2
        voice = Phrases(Picky("Two.", timed_out=timed_out))
        with pytest.raises(ProviderError):
            await voice.prepare(["One.", "Two.", "Three."])
        assert voice.kept("One.")
        assert bool(voice.kept("Three.")) is not timed_out

    asyncio.run(main())


class Files:
    """Files of a disk that takes a moment."""

    def __init__(self) -> None:
        self.audio: dict[Key, Audio] = {}

    async def load(self, keys: Sequence[Key]) -> Mapping[Key, Audio]:
        await asyncio.sleep(0.01)
        return {key: self.audio[key] for key in keys if key in self.audio}

    async def save(self, key: Key, audio: Audio) -> None:
        self.audio[key] = audio


def test_what_lasts_is_in_files_and_a_voice_is_asked_once() -> None:
    """Whoever wants it while the files are read waits for them, and not for the voice."""

    async def main() -> None:
        files, first = Files(), Counting()
        await Phrases(first, PhraseStore(files=files)).prepare(["Hello.", "Ann."], 8000, {"Hello."})
        assert files.audio.keys() == {("Hello.", 8000)}
        second = Counting()
        voice = Phrases(second, PhraseStore(files=files))
        preparing = asyncio.create_task(voice.prepare(["Hello.", "Ann."], 8000, {"Hello."}))
        await asyncio.sleep(0)
        heard = [piece async for piece in voice.speak("Hello.", 8000)]
        assert heard == [files.audio["Hello.", 8000]]
        await preparing
        assert second.spoken == ["Ann."]

    asyncio.run(main())


def test_a_greeting_that_no_file_has_is_spoken_once() -> None:
    """For the call that waits for it, and to be kept."""

    async def main() -> None:
        tts = Slow()
        voice = Phrases(tts, PhraseStore(files=Files()))
        preparing = asyncio.create_task(voice.prepare(["one two"], lasting={"one two"}))
        await asyncio.sleep(0)
        assert await said(voice, "one two") == pytest.approx(0.2)
        await preparing
        assert tts.spoken == ["one two"]

    asyncio.run(main())
