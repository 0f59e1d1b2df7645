"""When the caller's turn ends, in whole calls: short answers, late words, numbers, habits."""

from __future__ import annotations

from dataclasses import replace

import pytest

from agent.settings.calls import CallSettings
from pipelines.listening.settings import GateSettings
from pipelines.providers.scripted import Transcriber, TranscriberOptions
from pipelines.turn_taking.end_of_turn import EndOfTurnSettings, ScriptedTurnModel
from pipelines.turn_taking.settings import TurnSettings
from tests.agent.conversation import SCRIPT, Caller, Talk, talk, voice

SILENCES, USUAL = EndOfTurnSettings(), GateSettings().end_after
GREETED = "." * 25
SPOKEN = GREETED + "+" * 10
"""The caller has spoken until 3.5 s."""

UNTIL = 3.5


def call(
    script: str,
    *said: str,
    asks: str = "How can I help?",
    heard: tuple[float, ...] | None = (0.97,),
    words_after: float = 0.0,
    settings: CallSettings | None = None,
    reply: str = "Well.",
) -> Talk:
    """A call in which the agent has asked that, and hears the caller so."""
    stt = Transcriber(TranscriberOptions(lines=said, delay=words_after))
    return talk(
        script,
        voice(stt=stt, replies=[reply]),
        script=replace(SCRIPT, greeting=asks),
        turn_model=None if heard is None else ScriptedTurnModel(heard),
        settings=settings,
    )


def waited(done: Talk, until: float = UNTIL) -> float:
    """Seconds from the end of speech to the first audio of the answer."""
    return min(at for at, _ in done.caller.audio if at > until) - until


def caller_lines(done: Talk) -> list[str]:
    return [str(line["text"]) for line in done.notes.of("caller")]


@pytest.mark.parametrize("pause", [4, 5, 7])
@pytest.mark.parametrize("asks", ["How can I help?", "Shall I book it?", "All right."])
def test_a_short_answer_that_goes_on_is_not_cut_into(asks: str, pause: int) -> None:
    """The model hears that more comes after "yes": the whole is answered, once."""
    lines = ("Yes.", "Yes, I would like a table.")
    done = call(
        GREETED + "+" * 5 + "." * pause + "+" * 10 + "." * 30,
        *lines,
        asks=asks,
        heard=(0.03, 0.05, 0.97),
    )
    assert caller_lines(done) == [lines[1]]
    assert len(done.notes.of("agent")) == 2
    assert done.caller.commands("clear") == []


def test_a_short_answer_that_falls_to_its_end_is_answered_at_once() -> None:
    """A yes to a question of yes or no is all there is."""
    done = call(SPOKEN + "." * 30, "Yes.", asks="Shall I book it?", heard=(0.97, 0.98))
    assert waited(done) == pytest.approx(SILENCES.shortest, abs=0.06)


def test_a_first_word_after_an_open_question_is_given_time() -> None:
    """However final it sounds: "hello" is no answer to "how can I help"."""
    done = call(SPOKEN + "." * 30, "Hello.", heard=(0.97,))
    assert waited(done) == pytest.approx(SILENCES.middle, abs=0.06)


@pytest.mark.parametrize("words_after", [0.05, 0.5, 0.9])
def test_late_words_are_waited_for(words_after: float) -> None:
    """A slow transcriber's "and" holds back a model that is sure, as a fast one's does."""
    lines = ("I would like fish and", "I would like fish and chips.")
    done = call(
        GREETED + "+" * 10 + "." * 14 + "+" * 6 + "." * 40,
        *lines,
        words_after=words_after,
        heard=(0.97,),
    )
    assert caller_lines(done) == [lines[1]]


def test_late_words_cost_nothing_once_they_are_there() -> None:
    """The turn ends with the next frame: the silence that was needed has long passed."""
    done = call(SPOKEN + "." * 30, "Goodbye.", words_after=0.6, heard=(0.97,))
    assert waited(done) == pytest.approx(0.1 + 0.6, abs=0.06)
    decided = done.notes.of("caller")[0]["decided"]
    assert decided["late"] == pytest.approx(0.7 - SILENCES.shortest, abs=0.06)


def test_words_that_never_come_end_with_the_longest_wait() -> None:
    """Then the caller's turn is over all the same, and what to say for it is prepared."""
    stt = Transcriber(TranscriberOptions(fault="hangs"))
    done = talk(
        SPOKEN + "." * 60,
        voice(stt=stt, replies=["Well."]),
        turn_model=ScriptedTurnModel([0.97]),
        settings=CallSettings(turns=TurnSettings(filler_after=2.0)),
    )
    (filler, *_) = [line["at"] for line in done.notes.of("filler")]
    # The silence of ours is counted from when they would have been answered.
    assert filler - UNTIL == pytest.approx(SILENCES.shortest + 2.0, abs=0.2)


@pytest.mark.parametrize(
    "turns", [TurnSettings(drafting=False), TurnSettings(max_drafts=1)], ids=["none", "used up"]
)
def test_words_that_nobody_makes_out_are_not_waited_for(turns: TurnSettings) -> None:
    """Without a draft they are known only once the turn has ended."""
    before = "" if not turns.drafting else "+" * 3 + "." * 3
    done = call(
        GREETED + before + "+" * 10 + "." * 40,
        "I would like to",
        heard=(0.97,),
        settings=CallSettings(turns=turns),
    )
    until = 2.5 + 0.1 * len(before) + 1.0
    assert waited(done, until) == pytest.approx(SILENCES.shortest, abs=0.15)


def test_a_line_that_stalls_ends_the_turn_all_the_same() -> None:
    """Its silence is the caller's, whatever the words have still to tell."""
    line = Caller(SPOKEN + "_" * 60)
    done = talk(
        line,
        voice(["Goodbye."], ["Well."]),
        turn_model=ScriptedTurnModel([0.97]),
    )
    assert [text for role, text in done.lines if role == "user"] == ["Goodbye."]


PIN_ASKED = "What is your PIN?"


def test_a_pin_is_taken_down_group_by_group() -> None:
    """Half of it is waited for however final it sounds; all of it for no more than a second."""
    lines = ("Four seven.", "Four seven one nine.")
    done = call(
        GREETED + "+" * 5 + "." * 10 + "+" * 5 + "." * 30, *lines, asks=PIN_ASKED, heard=(0.97,)
    )
    assert caller_lines(done) == [lines[1]]
    assert waited(done, 4.5) <= 1.06


@pytest.mark.parametrize(
    ("asks", "said"),
    [
        ("What is your zip code?", "9 4 1 1 0"),
        ("In what year were you born?", "Nineteen eighty four"),
        ("Could you spell your name?", "S M I T H"),
        (PIN_ASKED, "4719"),
    ],
)
@pytest.mark.parametrize("heard", [0.97, 0.02])
def test_whole_numbers_and_names_are_answered_within_a_second(
    asks: str, said: str, heard: float
) -> None:
    """Whatever the model makes of single digits and letters."""
    done = call(SPOKEN + "." * 40, said, asks=asks, heard=(heard,))
    assert waited(done) <= 1.06


def pausing(turns: int, pause: int) -> str:
    """So many turns, in each of which the caller pauses once; and one without."""
    return GREETED + ("+" * 5 + "." * pause + "+" * 5 + "." * 30) * turns + "+" * 10 + "." * 40


def test_a_caller_who_pauses_is_given_more_time_and_no_other() -> None:
    """Learned within four turns, and bounded."""
    waits = []
    for pause in (3, 10):
        done = call(pausing(3, pause), "Xyzzy", heard=(0.05,))
        (*_, last) = done.notes.of("caller")
        waits.append(last["decided"].get("extra", 0.0))
    assert waits[0] == 0.0
    assert 0.0 < waits[1] <= 0.4


def test_who_was_cut_into_is_given_more_time_the_next_time() -> None:
    """They went on within a moment of our first word: they had not finished."""
    done = call(
        GREETED + "+" * 10 + "." * 6 + "+" * 12 + "." * 40,
        "Xyzzy",
        "Xyzzy",
        heard=(0.97,),
        reply="We have a table at seven, and another one at nine.",
    )
    assert len(done.caller.commands("clear")) == 1
    (*_, last) = done.notes.of("caller")
    assert last["decided"]["extra"] > 0.0
