"""What a sound over our words means."""

from __future__ import annotations

import pytest

from pipelines.turn_taking.barge_in import BargeInJudge, Meaning, OverWords
from pipelines.turn_taking.settings import TurnSettings
from tests.pipelines.turn_taking.test_judge import Detector


def judge(so_far: str = "", *, outgoing: bool = False, language: str = "en") -> BargeInJudge:
    return BargeInJudge(TurnSettings(), language, Detector(so_far=so_far), outgoing=outgoing)


MIDDLE = OverWords(left=2.0)


@pytest.mark.parametrize(
    ("so_far", "spoken", "by"),
    [
        ("", 0.99, None),
        ("", 1.0, "length"),
        ("Stop", 0.3, None),  # the first guess at an "mm-hm" is often another word
        ("Stop that", 0.3, "words"),
        ("uh huh", 0.3, None),
        ("uh huh", 0.9, None),
        ("uh huh", 1.0, "length"),
        ("等", 0.3, None),
        ("等一下", 0.3, "words"),
        ("หยุดก่อน", 0.3, "words"),
    ],
)
def test_a_barge_in_is_long_or_two_words_that_want_an_answer(
    so_far: str, spoken: float, by: Meaning | None
) -> None:
    """A second is meant, whatever is said; an "okay" is drawn out to 0.9 s."""
    assert judge(so_far).so_far(spoken, MIDDLE) == by


@pytest.mark.parametrize("words", ["Yes.", "Okay.", "Mm-hm.", "Stop."])
@pytest.mark.parametrize(
    ("over", "meaning"),
    [
        (OverWords(left=0.0), "end of ours"),
        (OverWords(left=0.5), "end of ours"),
        (OverWords(left=0.9, ends_asking=True), "answer"),
        (OverWords(asks=True), "answer"),
        (OverWords(left=0.9), "backchannel"),
        (OverWords(left=1.5, ends_asking=True), "backchannel"),
        (OverWords(ends_asking=True), "backchannel"),  # more of ours is being made
        (OverWords(left=0.1, faint=True), "background"),
        (OverWords(asks=True, faint=True), "background"),
    ],
)
def test_what_a_word_means_depends_on_where_in_ours_it_came(
    words: str, over: OverWords, meaning: Meaning
) -> None:
    """Around the end of ours, and of a question, any word is an answer; a faint voice never is."""
    stop = words == "Stop." and meaning == "backchannel"
    assert judge().meaning(words, over) == ("words" if stop else meaning)


@pytest.mark.parametrize("over", [MIDDLE, OverWords(left=0.0), OverWords(asks=True)])
@pytest.mark.parametrize("words", ["", ".", "[BLANK_AUDIO]"])
def test_what_has_no_word_is_noise_wherever_it_comes(words: str, over: OverWords) -> None:
    """No answer is made of it."""
    assert judge().meaning(words, over) == "noise"


def test_a_faint_voice_never_stops_us() -> None:
    """It is somebody else's, as long and as wordy as it may be."""
    faint = OverWords(left=5.0, faint=True)
    heard = judge("I told you to stop that")
    assert [heard.so_far(at, faint) for at in (0.3, 0.9, 1.0, 9.0)] == [
        None,
        None,
        "background",
        "background",
    ]


def test_over_the_beginning_of_a_greeting_a_greeting_is_let_finish() -> None:
    """Whoever picks up takes longer than a second to say who they are."""
    start = OverWords(greeting=True)
    assert judge("Hello Ann Smith", outgoing=True).so_far(1.5, start) is None
    assert judge("Hello Ann Smith", outgoing=True).so_far(3.0, start) == "length"
    assert judge("I want to cancel").so_far(0.6, start) == "words"
    assert judge("Hello Ann Smith", outgoing=True).meaning("Hello?", MIDDLE) == "words"
