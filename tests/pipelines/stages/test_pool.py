"""Whom a stage asks, for how long, and who goes on where another broke off; in virtual time."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Sequence
from contextlib import aclosing
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipelines.audio import SPEECH_RATE, Audio
from pipelines.conversation import GO_ON, Brief, Message, Tokens, ToolCall
from pipelines.listening.utterance import Utterance
from pipelines.providers.contracts import Piece, ProviderError, Speech, Timing
from pipelines.providers.scripted import (
    Synthesizer,
    SynthesizerOptions,
    Transcriber,
    TranscriberOptions,
)
from pipelines.stages.attempts import Attempts, Budgets
from pipelines.stages.lineup import Providers
from pipelines.stages.llm import FailoverLanguageModel
from pipelines.stages.pool import FIRST_COOLDOWN, LONGEST_COOLDOWN, ProviderPool
from pipelines.stages.probe import probe
from pipelines.stages.stt import FailoverTranscriber
from pipelines.stages.tts import FailoverSynthesizer
from pipelines.stages.usage import DraftCost, Usage
from tests.virtual_time import run

BUDGETS = Budgets(
    transcript=4.0, first_token=4.0, next_token=1.0, first_audio=4.0, next_audio=1.0, patience=2.0
)
ASKED = [Message("user", "When do you open?")]
SECOND = bytes(2 * SPEECH_RATE)


class Model:
    """Do what a script says, request by request: text, a piece, seconds to wait, an error."""

    def __init__(self, *requests: Sequence[Any]) -> None:
        self._requests = list(requests)
        self.asked: list[Sequence[Message]] = []
        self.closed = 0

    async def warm(self) -> None: ...

    async def reply(
        self, brief: Brief, conversation: Sequence[Message]
    ) -> AsyncGenerator[Piece, None]:
        self.asked.append(list(conversation))
        try:
            for step in self._requests.pop(0) if len(self._requests) > 1 else self._requests[0]:
                if isinstance(step, float):
                    await asyncio.sleep(step)
                elif isinstance(step, ProviderError):
                    raise step
                else:
                    yield step
        finally:
            self.closed += 1


class Voice(Model):
    """The same for text-to-speech; a number of words is that many seconds of audio."""

    async def speak(self, text: str, rate: int = SPEECH_RATE) -> AsyncGenerator[Speech, None]:
        async with aclosing(self.reply(Brief(), [Message("user", text)])) as steps:
            async for step in steps:
                seconds: Any = step
                yield Audio(SECOND * seconds, SPEECH_RATE) if isinstance(seconds, int) else seconds

    @property
    def read(self) -> list[str]:
        return [conversation[0].text for conversation in self.asked]


def broken(**how: bool) -> ProviderError:
    return ProviderError("llm", "it broke", **how)


def pool(*providers: Any, stage: Any = "llm") -> ProviderPool[Any]:
    return ProviderPool(stage, [(f"p{number}", one) for number, one in enumerate(providers, 1)])


async def pieces(thinking: FailoverLanguageModel) -> list[str | ToolCall]:
    async with aclosing(thinking.reply(Brief(), ASKED, DraftCost())) as reply:
        return [piece async for piece in reply]


def think(*models: Model, usage: Usage | None = None) -> tuple[list[str | ToolCall], float]:
    """Return a reply and the seconds it took."""

    async def main() -> tuple[list[str | ToolCall], float]:
        said = await pieces(FailoverLanguageModel(pool(*models), BUDGETS, usage or Usage()))
        return said, asyncio.get_running_loop().time()

    return run(main())


def test_the_first_provider_answers_when_it_can() -> None:
    """Nobody else is asked."""
    first, second = Model(["We open ", "at nine. ", "Until", " six."]), Model(["No."])
    assert think(first, second)[0] == ["We open at nine.", "Until six."]
    assert second.asked == []


def test_a_quick_failure_is_tried_once_more_at_the_same_provider() -> None:
    """Most are connections that had died unnoticed."""
    first, second = Model([broken()], ["Nine."]), Model(["Ten."])
    assert think(first, second)[0] == ["Nine."]
    assert len(first.asked) == 2


def test_then_the_next_is_given_the_same() -> None:
    """Within the same turn."""
    first, second = Model([broken()]), Model(["Ten."])
    assert think(first, second)[0] == ["Ten."]
    assert first.asked == [ASKED, ASKED]
    assert second.asked == [ASKED]


@pytest.mark.parametrize("how", [{"retryable": False}, {"timed_out": True}])
def test_one_that_will_fail_again_is_not_asked_again(how: dict[str, bool]) -> None:
    """A refused key stays refused, and a second deadline would be silence."""
    first = Model([broken(**how)])
    assert think(first, Model(["Ten."]))[0] == ["Ten."]
    assert len(first.asked) == 1


def test_one_that_hangs_is_left_when_patience_ends() -> None:
    """Not when the budget does; and its request is closed."""
    first = Model([9.0])
    said, seconds = think(first, Model(["Ten."]))
    assert said == ["Ten."]
    assert seconds == pytest.approx(BUDGETS.patience)
    assert first.closed == 1


def test_the_last_provider_gets_the_whole_budget() -> None:
    """It is the only hope."""
    assert think(Model([broken(retryable=False)]), Model([3.5, "Ten."]))[0] == ["Ten."]


def test_a_server_that_sends_only_blanks_is_late() -> None:
    """Signs of life are no answer."""
    first = Model(["", 0.5, " ", 0.5, "", 0.5, " ", 0.5, "", 0.5, "Nine."])
    said, seconds = think(first, Model(["Ten."]))
    assert said == ["Ten."]
    assert seconds == pytest.approx(BUDGETS.patience)


def test_when_all_fail_the_last_error_is_told() -> None:
    """After each was asked as often as makes sense."""
    first, second = Model([broken()]), Model([broken()])
    with pytest.raises(ProviderError):
        think(first, second)
    assert (len(first.asked), len(second.asked)) == (2, 2)


def test_the_next_goes_on_after_the_last_whole_sentence() -> None:
    """It is told what was said; half a sentence is said whole by the one that goes on."""
    first = Model(["We open at nine. On Sun", broken(retryable=False)])
    second = Model(["On Sundays at ten."])
    assert think(first, second)[0] == ["We open at nine.", "On Sundays at ten."]
    assert second.asked[0] == [
        *ASKED,
        Message("assistant", "We open at nine."),
        Message("user", GO_ON),
    ]


def test_no_sentence_is_said_twice() -> None:
    """Though the next begins from the beginning, in spite of what it was told."""
    first = Model(["We open at nine. ", "Please come. ", broken(retryable=False)])
    second = Model(["We open at NINE! Please come. And bring a friend."])
    assert think(first, second)[0] == ["We open at nine.", "Please come.", "And bring a friend."]


def test_nothing_more_to_say_is_an_end() -> None:
    """When the one that broke off had said all."""
    assert think(Model(["Nine. ", broken(retryable=False)]), Model([""]))[0] == ["Nine."]


def test_a_sentence_may_be_said_twice_on_purpose() -> None:
    """Only a provider that takes over may not repeat."""
    assert think(Model(["No. No. No."]))[0] == ["No.", "No.", "No."]


def test_tools_are_asked_for_once_and_last() -> None:
    """Those of a reply that broke off are dropped: whoever takes over asks for its own."""
    first = Model([ToolCall("book"), "Let me see. ", broken(retryable=False)])
    second = Model([ToolCall("book"), "One moment.", Tokens(output=3)])
    assert think(first, second)[0] == ["Let me see.", "One moment.", ToolCall("book")]


def test_an_empty_reply_is_a_failure() -> None:
    """Some servers give one now and then; asked again, they answer."""
    assert think(Model([" "], ["Nine."]))[0] == ["Nine."]
    with pytest.raises(ProviderError, match="empty"):
        think(Model([" "]))


def test_the_account_holds_what_each_has_done() -> None:
    """Requests, failures, tokens, and the time to the first word."""
    usage = Usage()
    first = Model([broken(retryable=False)])
    second = Model([0.25, "Ten.", Tokens(input=100, output=3, cached=60)])
    think(first, second, usage=usage)
    one, two = usage.lines({})
    assert (one["provider"], one["requests"], one["failures"], one["retries"]) == ("p1", 1, 1, 0)
    assert (two["requests"], two["failures"], two["retries"]) == (1, 0, 1)
    assert (two["tokens_in"], two["tokens_out"], two["tokens_cached"]) == (100, 3, 60)
    assert two["first_result"] == 0.25


# Text to speech.


def speak(text: str, *voices: Voice, usage: Usage | None = None) -> list[Speech]:
    async def main() -> list[Speech]:
        speaking = FailoverSynthesizer(pool(*voices, stage="tts"), BUDGETS, usage or Usage())
        async with aclosing(speaking.speak(text)) as source:
            return [piece async for piece in source]

    return run(main())


def seconds(spoken: Sequence[Speech]) -> float:
    return sum(piece.seconds for piece in spoken if isinstance(piece, Audio))


def ends(spoken: Sequence[Speech]) -> list[float]:
    return [end for piece in spoken if isinstance(piece, Timing) for end in piece.ends]


TEXT = "One two three four five six seven eight"


def test_a_voice_that_never_began_is_replaced_whole() -> None:
    """The next speaks the same."""
    second = Voice([1])
    assert seconds(speak(TEXT, Voice([broken(retryable=False)]), second)) == 1
    assert second.read == [TEXT]


def test_no_audio_is_a_failure() -> None:
    """Silence is no sentence."""
    second = Voice([1])
    assert seconds(speak(TEXT, Voice([]), second)) == 1


def test_the_next_voice_speaks_the_words_that_are_left() -> None:
    """By the usual pace, rounded down: a second is three words of these."""
    second = Voice([2])
    spoken = speak(TEXT, Voice([1, broken(retryable=False)]), second)
    assert second.read == ["four five six seven eight"]
    assert seconds(spoken) == 3
    assert ends(spoken) == [1.0, 1.0, 1.0]


def test_the_voice_s_own_word_on_its_words_counts_more() -> None:
    """With times, it is known what was spoken; the next one's times follow on."""
    first = Voice([Timing((0.3, 0.6, 0.9)), 1, broken(retryable=False)])
    second = Voice([Timing((0.5, 1.0)), 2])
    spoken = speak(TEXT, first, second)
    assert second.read == ["four five six seven eight"]
    assert ends(spoken) == pytest.approx([0.3, 0.6, 0.9, 1.5, 2.0])


def test_a_voice_that_breaks_off_at_the_end_has_said_all() -> None:
    """Nobody is asked for nothing."""
    second = Voice([1])
    assert seconds(speak("Yes.", Voice([2, broken(retryable=False)]), second)) == 2
    assert second.read == []


@given(st.lists(st.tuples(st.integers(0, 3), st.booleans()), max_size=5))
def test_however_voices_break_off_no_word_is_left_out(faults: list[tuple[int, bool]]) -> None:
    """Each is asked for an end of the text, and none for more than the one before."""
    voices = [
        Voice([*([Timing((0.1,) * n)] if timed else []), n, broken(retryable=False)])
        for n, timed in faults
    ]
    voices.append(Voice([1]))
    speak(TEXT, *voices)
    read = [voice.read[0] for voice in voices if voice.read]
    assert all(TEXT.endswith(text) for text in read)
    assert [len(text) for text in read] == sorted((len(text) for text in read), reverse=True)


# Speech to text.


def hear(*open_session: Transcriber, usage: Usage | None = None) -> tuple[str, float]:
    """Return what is heard of a second of speech, and how long after its end."""

    async def main() -> tuple[str, float]:
        hearing = FailoverTranscriber(pool(*open_session, stage="stt"), BUDGETS, usage or Usage())
        utterance = Utterance()
        told = asyncio.create_task(hearing.transcribe(utterance))
        for _ in range(10):
            await asyncio.sleep(0.1)
            utterance.add(Audio(SECOND[: len(SECOND) // 10], SPEECH_RATE))
        utterance.close()
        heard = await told
        await hearing.aclose()
        return heard.text, asyncio.get_running_loop().time() - 1.0

    return run(main())


def open_session(*lines: str, **options: Any) -> Transcriber:
    return Transcriber(TranscriberOptions(lines=lines, **options))


@pytest.mark.parametrize("fault", ["fails", "hangs", "breaks off", "stalls"])
def test_the_next_ears_are_given_all_that_was_said(fault: Any) -> None:
    """In time, whatever was wrong."""
    text, after = hear(open_session(fault=fault), open_session("Hello.", delay=0.2))
    assert text == "Hello."
    assert after <= BUDGETS.patience + 0.2 + 1e-6


def test_what_was_heard_is_on_the_account() -> None:
    """A second by each that heard it."""
    usage = Usage()
    hear(open_session(fault="breaks off"), open_session("Hello."), usage=usage)
    assert [line["seconds"] for line in usage.lines({})] == [2.0, 1.0]


# How providers are.


def test_one_that_failed_comes_last_until_it_works_again() -> None:
    """It cooldowns, and each time twice as long, up to five minutes."""

    async def main() -> None:
        first, second = Model(["Nine."]), Model(["Ten."])
        group = pool(first, second)
        one = group.candidates[0]
        assert group.first is one
        cooldowns = []
        for _ in range(8):
            group.failed(one, broken())
            cooldowns.append(one.cooldown)
        assert cooldowns[:3] == [FIRST_COOLDOWN, 2 * FIRST_COOLDOWN, 4 * FIRST_COOLDOWN]
        assert cooldowns[-1] == LONGEST_COOLDOWN
        assert one.status == "cooling down"
        assert group.first is group.candidates[1]
        assert group.to_probe() == []
        await asyncio.sleep(LONGEST_COOLDOWN)
        assert group.to_probe() == [one]
        assert group.first is group.candidates[1]  # until it has shown that it works
        group.worked(one)
        assert group.first is one

    run(main())


def test_one_that_is_alone_is_asked_whatever_was() -> None:
    """And never probed: its next request is the probe."""

    async def main() -> None:
        group = pool(Model(["Nine."]))
        group.failed(group.candidates[0], broken())
        assert Attempts(group, Usage()).candidate is group.candidates[0]
        await asyncio.sleep(LONGEST_COOLDOWN)
        assert group.to_probe() == []

    run(main())


def test_a_provider_that_rests_is_probed_and_comes_back() -> None:
    """In the background, without a call."""

    async def main() -> None:
        model = Model([broken()], [broken()], ["Yes."])
        providers = Providers(
            stt=pool(open_session("Thank you."), stage="stt"),
            llm=pool(model, Model(["Ten."])),
            tts=pool(Synthesizer(SynthesizerOptions()), stage="tts"),
        )
        watching = asyncio.create_task(providers.watch(Audio(SECOND, SPEECH_RATE)))
        lineup = providers.lineup()
        async with aclosing(lineup.llm.reply(Brief(), ASKED, DraftCost())) as reply:
            assert [piece async for piece in reply] == ["Ten."]
        assert providers.llm.candidates[0].status == "cooling down"
        await asyncio.sleep(FIRST_COOLDOWN + 2)
        assert len(model.asked) == 3
        assert providers.llm.first.name == "p1"
        watching.cancel()
        await asyncio.wait([watching])

    run(main())


def test_a_probe_asks_for_something_tiny() -> None:
    """And fails when nothing comes of it."""

    async def main() -> None:
        speech = Audio(SECOND, SPEECH_RATE)
        voice = Synthesizer(SynthesizerOptions(delay=0.5))
        assert await probe("tts", voice, speech) == 0.5
        assert await probe("stt", open_session("Thank you.", delay=0.25), speech) == 0.25
        with pytest.raises(ProviderError, match="nothing came for 10 s"):
            await probe("llm", Model([60.0]), speech)
        with pytest.raises(ProviderError, match="did not hear"):
            await probe("stt", open_session(""), speech)

    run(main())
