"""Names that Moonshine is told: heard where they were said, and nowhere else."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np
import onnxruntime as ort
import pytest

from pipelines.audio import Audio
from pipelines.listening.utterance import Utterance
from pipelines.providers.contracts import ProviderError
from pipelines.providers.moonshine import TAIL, WEIGHTS, Samples, Transcriber, _Model
from pipelines.providers.moonshine_names import (
    MARGIN,
    MOST_NAMES,
    MOST_TRIED,
    Tokenizer,
    with_names,
)
from pipelines.providers.scripted import (
    LanguageModel,
    LanguageModelOptions,
    Synthesizer,
    SynthesizerOptions,
)
from pipelines.stages.lineup import Providers
from tests.benchmarks.word_errors import by_phone
from tests.pipelines.stages.scripted import pool
from tests.recordings import TRANSCRIPTS, load, read

OKAY_CLARA = by_phone(read(Path(__file__).parent / "data" / "okay-clara.wav"))
"""The packaged Piper voice, slower by a tenth: "Okay Clara, is there anything on Friday?"."""

LINE = ("Clara", "Ann", "Ben", "Rose")

CROWD = (
    *("Amanda", "Philip", "Joan", "Walter", "Bella", "Trevor", "Nina", "Scott", "Carla", "Hannah"),
    *("Roger", "Meg", "Edgar", "Louise", "Carl", "Penny", "Gloria", "Duncan", "Tess", "Barry"),
    *("Iris", "Malcolm", "Judy", "Fay", "Lena", "Howard", "Beth", "Oliver", "Maxine", "Todd"),
    *("Audrey", "Neil", "Nolan", "Esther", "Craig", "Dana", "Tara", "Gilbert", "Mona", "Adrian"),
)

Likelihood = Callable[[Sequence[int]], float]


@pytest.fixture(scope="module")
def model() -> _Model:
    return _Model(WEIGHTS["tiny"].folder())


@pytest.fixture(scope="module")
def tokenizer() -> Tokenizer:
    return Tokenizer((WEIGHTS["tiny"].folder() / "tokenizer.bin").read_bytes())


def samples_of(audio: Audio) -> Samples:
    return np.frombuffer(audio.pcm, "<i2").astype(np.float32) / np.float32(32_768)


def test_a_name_that_was_misheard_is_heard_once_it_is_told(model: _Model) -> None:
    """The rest of the sentence stays as it was heard."""
    run = ort.RunOptions()
    alone = model.transcribe(samples_of(OKAY_CLARA), run)
    assert alone == "Okay, Claire, is there anything on Friday?"
    told = model.transcribe(samples_of(OKAY_CLARA), run, LINE)
    assert told == "Okay, Clara, is there anything on Friday?"


def test_names_that_nobody_said_are_not_heard(model: _Model) -> None:
    """Forty are told, and recorded speech of people who call nobody is as without them."""
    run = ort.RunOptions()
    for name in TRANSCRIPTS:
        samples = samples_of(by_phone(load(name)))
        assert model.transcribe(samples, run, CROWD) == model.transcribe(samples, run)


def test_what_is_heard_is_written_with_the_tokens_it_was_heard_in(
    model: _Model, tokenizer: Tokenizer
) -> None:
    """So the likelihood of a name's tokens is that of the name as the model itself writes it."""
    for name in TRANSCRIPTS:
        samples = samples_of(by_phone(load(name)))
        feed = model._encode(np.pad(samples, (0, int(TAIL * 16_000)))[np.newaxis], ort.RunOptions())
        tokens = list(model._decode(feed, 100, ort.RunOptions()))
        assert tokenizer.tokens(tokenizer.text(tokens)) == tokens


@pytest.mark.parametrize("text", ["Zoë", "Łukasz, 東京?", "Jean-Luc's", "x", "a  b", ""])
def test_any_text_has_tokens(text: str, tokenizer: Tokenizer) -> None:
    """What has no token of its own is written byte by byte."""
    assert tokenizer.text(tokenizer.tokens(text)) == text.strip()


def test_names_of_a_call_reach_it(model: _Model) -> None:
    """By the line-up of that call, once they are known; one of no names hears as ever."""

    async def main() -> list[str]:
        providers = Providers(
            stt=pool(Transcriber(Transcriber.Options(threads=1)), stage="stt"),
            llm=pool(LanguageModel(LanguageModelOptions())),
            tts=pool(Synthesizer(SynthesizerOptions()), stage="tts"),
        )
        await providers.start()
        heard = []
        try:
            known, alone = providers.lineup(LINE), providers.lineup()
            for lineup in (known, alone, alone):
                utterance = Utterance([OKAY_CLARA])
                utterance.close()
                heard.append((await lineup.stt.transcribe(utterance)).text)
                lineup.stt.expect(LINE)
        finally:
            await providers.aclose()
        return heard

    samples = samples_of(OKAY_CLARA)
    plain = model.transcribe(samples, ort.RunOptions())
    told = model.transcribe(samples, ort.RunOptions(), LINE)
    assert plain != told
    assert asyncio.run(main()) == [told, plain, told]


def test_a_run_that_is_told_to_end_ends(model: _Model) -> None:
    """Also while names are tried: the first likelihood that is asked for fails."""
    run = ort.RunOptions()
    feed = model._encode(samples_of(OKAY_CLARA)[np.newaxis], run)
    run.terminate = True
    with pytest.raises(Exception, match="terminate"):
        model._likelihood([5, 6], feed, run)
    with pytest.raises(ProviderError):
        model.transcribe(samples_of(OKAY_CLARA), run, LINE)


class Asked:
    """Likelihoods by a rule, counted."""

    def __init__(self, tokenizer: Tokenizer, likelihoods: dict[str, float]) -> None:
        self._tokenizer = tokenizer
        self._likelihoods = likelihoods
        self.count = 0

    def __call__(self, tokens: Sequence[int]) -> float:
        self.count += 1
        return self._likelihoods.get(self._tokenizer.text(tokens), -100.0)


def heard_with(
    tokenizer: Tokenizer, text: str, names: Sequence[str], likelihoods: dict[str, float]
) -> tuple[str, int]:
    """Return what becomes of a text, and how many likelihoods that took."""
    asked = Asked(tokenizer, likelihoods)
    found = with_names(tokenizer.tokens(text), names, tokenizer, asked)
    return tokenizer.text(found), asked.count


@pytest.mark.parametrize(
    ("heard", "likelihoods", "becomes"),
    [
        ("Player, is it open?", {"Clara, is it open?": -1.0}, "Clara, is it open?"),
        ("Player, is it open?", {"Clara, is it open?": -MARGIN}, "Player, is it open?"),
        ('"Player, is it open?"', {'"Clara, is it open?"': -1.0}, '"Clara, is it open?"'),
        ("Is it open, play a?", {"Is it open, Clara?": -1.0}, "Is it open, Clara?"),
        ("Clara, is it open, Clare?", {}, "Clara, is it open, Clare?"),
        (
            "Player, is it open, been?",
            {"Clara, is it open, been?": -2.0, "Player, is it open, Ben?": -1.0},
            "Clara, is it open, Ben?",
        ),
        ("", {}, ""),
    ],
)
def test_a_name_takes_the_place_of_words_if_it_is_likely_enough(
    heard: str, likelihoods: dict[str, float], becomes: str, tokenizer: Tokenizer
) -> None:
    """Of a word or of two, with the punctuation around it; two names in two places."""
    known = {heard: 0.0, **likelihoods}
    assert heard_with(tokenizer, heard, ("Clara", "Ben"), known)[0] == becomes


def test_a_name_of_several_words_is_heard_whole(tokenizer: Tokenizer) -> None:
    """In the place of as many words, or one more."""
    heard, meant = "Hello, Linen Street Kitchen.", "Hello, Linden Street Kitchen."
    known = {heard: 0.0, meant: -1.0}
    assert heard_with(tokenizer, heard, ("Linden Street Kitchen",), known)[0] == meant


def test_where_nothing_sounds_like_a_name_nothing_is_tried(tokenizer: Tokenizer) -> None:
    """It costs no run of the model then."""
    text = "Fine, thank you."
    assert heard_with(tokenizer, text, ("Bob", "Marguerite"), {}) == (text, 0)


def test_only_so_much_is_tried(tokenizer: Tokenizer) -> None:
    """However much is said, and however many names are told."""
    names = [f"Clar{vowel}{n}" for n in "abcdefghij" for vowel in "aeiou"]
    assert len(names) > MOST_NAMES
    text = ", ".join(["Player"] * 60)
    assert heard_with(tokenizer, text, names, {text: 0.0}) == (text, MOST_TRIED + 1)
