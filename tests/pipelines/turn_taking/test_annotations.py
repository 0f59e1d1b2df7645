"""What a transcriber says of sounds that are no words."""

from __future__ import annotations

import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipelines.turn_taking.annotations import words_of


@pytest.mark.parametrize(
    "transcript",
    [
        *("", ".", "...", "?!", "—", "♪ ♪", "👍", "_", "[BLANK_AUDIO]", "(silence)", "[Music]"),
        *("[ Silence ]", "(wind blowing)", "*coughs*", "<|nospeech|>", "[Music] (laughter).", "。"),
        *(
            "（音楽）",
            "【音楽】",
            "[Musik]",
            "[inaudible]...",
            "[INAUDIBLE]",
            "(Applaus)",
            "[música]",
        ),
        *("[MUSIC PLAYING]", "(speaking in foreign language)", "- [Music]", "♪", "♪♪♪", "***"),
        *("**coughs**", "[Musique] [Rires]", "(laughs) (coughs)", "[BLANK_AUDIO] [BLANK_AUDIO]"),
        *("{noise}", "<unk>", "<noise>", "<|startoftranscript|><|en|>", "<|0.00|> <|2.00|>", "…"),
        *("[00:00.000 --> 00:02.000]", "[_BEG_]", "[_TT_50]", "[BLANK_AUDIO", "(upbeat music"),
        *("♪ We will rock you ♪", "♪ la la la", "🎵", "[Musik] ♪", "(笑)", "［拍手］", "[музыка]"),
        *("[موسيقى]", "[ __ ]", "( )", "[]", "()", "-", "¿?", "\ufeff.", "\u200b", "\u00a0", "، ؟"),
        *("<background noise>", "<no speech>", "((inaudible))", "[Speaker 1]", "[SPEAKER_00]:"),
        *("[silence 5s]", "(5 seconds of silence)", "[inaudible 00:12]", "[00:00:00]", "[ 00:01 ]"),
        *("00:00:00,000 --> 00:00:02,000", "1\n00:00.000 --> 00:02.000", "<v Speaker 1>"),
        *("„(Musik)“", "'(silence)'", "_(music)_", "〈音楽〉", "＜音楽＞", "〔音楽〕", "「音楽」"),
        *("*coughs", "Music]", "silence)", "*no audio*", "(no speech detected)", "[Laughs.]"),
    ],
)
def test_a_sound_is_no_word_whatever_a_transcriber_calls_it(transcript: str) -> None:
    """Nobody has said anything then."""
    assert words_of(transcript) == ""


@pytest.mark.parametrize(
    "transcript",
    [
        *("No.", "5", "(555) 123-4567", "(555)", "是。", "हाँ", "I said (no)!", "Ja", "¿Sí?", "हाँ।"),
        *("My name is Smyth (S-M-Y-T-H).", "I (we) want two", "It is [CARD_1].", "ก", "7 * 8 * 9"),
        *("Five < six and seven > four 3", "a*b", "the *5* key", "É (2)", "No [3]", "Ok :)"),
        *(
            "(Yes.)",
            "(no)",
            "*yes*",
            "[yes]",
            "（はい）",
            "【はい】",
            "[Sí]",
            "(Ja, bitte)",
            "<yes>",
        ),
        *("(I think so)", "(Hello?)", "*No.*", "[At nine.]", "I'd like [a table", "Two (please"),
        *("「はい」", "Yes]", "(no, thanks)"),
    ],
)
def test_words_are_kept_as_they_are(transcript: str) -> None:
    """In any script; figures are words."""
    assert words_of(transcript) == transcript


@pytest.mark.parametrize(
    ("transcript", "words"),
    [
        ("[Music] Hello?", "Hello?"),
        ("Hello. [BLANK_AUDIO]", "Hello."),
        ("(laughs) Yes.", "Yes."),
        ("Yes. (laughs) At nine. *coughs*", "Yes. At nine."),
        ("Two, (coughs) please", "Two, (coughs) please"),
        ("<|en|>Bonjour<|endoftext|>", "Bonjour"),
        ("[00:00.000 --> 00:02.000]  At nine.", "At nine."),
        ("♪ la la ♪ Hello.", "Hello."),
        ("- [Applaus] Guten Tag.", "- Guten Tag."),
        ("A table [inaudible] for two", "A table for two"),
        ("（笑）はい。", "はい。"),
    ],
)
def test_words_are_kept_beside_an_annotation(transcript: str, words: str) -> None:
    """It is left out where it cannot be taken for words."""
    assert words_of(transcript) == words


@given(st.text(alphabet="ab1 .[](){}<>|*♪\n-", max_size=30))
def test_nothing_is_made_up(transcript: str) -> None:
    """Whatever comes, what is left stood there, and has no annotations any more."""
    words = words_of(transcript)
    assert not words or any(map(str.isalnum, words))
    left = iter(transcript)
    assert all(letter in left for letter in words if not letter.isspace())


@pytest.mark.parametrize(
    "worst", ["(", "[", "*", "<|", "(a", "<|a|", "[(", "((*", "（", "【", "♪a", "[ "]
)
def test_long_transcripts_cost_no_more_than_their_length(worst: str) -> None:
    """Twice the length, some twice the time: this thread alone, the least of five runs."""

    def seconds(count: int) -> float:
        text, times = worst * count, list[float]()
        for _ in range(5):
            began = time.thread_time()
            words_of(text)
            times.append(time.thread_time() - began)
        return min(times)

    assert seconds(40_000) <= 8 * seconds(10_000) + 0.01
