"""Whole calls with real speech, real voice detection and turn model, in virtual time.

A few of the situations that ``tests.benchmarks.conversations`` counts by the hundred, those in
which what happens does not hang on the last decimals of a model.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from itertools import pairwise

import pytest

from agent.simulator.virtual_time import VirtualTimeLoop
from tests.benchmarks.situations.answers import ANSWER, LAST, LONG
from tests.benchmarks.situations.caller import Turn, about_the_end, after_quiet, at, into
from tests.benchmarks.situations.held import MODEL_TAKES, Held, Plan, Rig, Room
from tests.benchmarks.situations.others import SHORTS, decibels, when_replying
from tests.benchmarks.situations.speech import drawn_out, joined, own

Hold = Callable[[Plan], Held]


ASKING = "Hello, this is the bakery. Do you want to order a cake?"
ASKED = after_quiet(0.5, sentences=2)


@pytest.fixture(scope="module")
def hold() -> Iterator[Hold]:
    """Return what holds a call."""
    loop, room = VirtualTimeLoop(MODEL_TAKES), Room(Rig())
    loop.run_until_complete(room.start())
    yield lambda plan: loop.run_until_complete(room.hold(plan, loop))
    loop.run_until_complete(room.aclose())
    loop.run_until_complete(loop.shutdown_default_executor())
    loop.close()


@pytest.mark.parametrize(
    ("word", "after"),
    [
        ("yes", -0.1),
        ("yes", 0.1),
        ("okay", 0.0),
        ("right", 0.1),
        ("yes", 0.3),
    ],
)
def test_a_short_answer_about_the_end_of_a_question_is_answered(
    hold: Hold, word: str, after: float
) -> None:
    """A word that listeners say is an answer when it comes about the end of our question."""
    turn = Turn(speech=own()[word], when=about_the_end("order a cake?", after))
    held = hold(
        Plan(
            greeting=ASKING,
            replies=(ANSWER,),
            turns=[turn],
            lasts=4.0,
            done=lambda line: line.heard_whole("Very good"),
        )
    )
    assert held.line.heard_whole("Very good")


def test_a_yes_is_enough_to_know_the_caller_from_a_talker_in_the_background(hold: Hold) -> None:
    """The first turn may be that short; whoever is 12 dB below it does not end our reply."""
    yes, other = own()["yes"], own()["not-at-desk"]
    held = hold(
        Plan(
            greeting=ASKING,
            replies=(LONG, "I beg your pardon."),
            turns=[Turn(speech=yes, when=ASKED)],
            background=when_replying(other.louder(decibels(yes, other) - 12)),
            lasts=22.0,
            done=lambda line: line.heard_whole(LAST),
        )
    )
    assert held.line.heard_whole(LAST)


def test_who_is_hardly_heard_over_the_greeting_does_not_end_it(hold: Hold) -> None:
    """Even while nobody knows how loud the caller is: a talker 35 dB softer than a recording."""
    other = own()["not-at-desk"].louder(-35)
    held = hold(
        Plan(
            greeting=LONG,
            background=when_replying(other),
            lasts=22.0,
            done=lambda line: line.heard_whole(LAST),
        )
    )
    assert held.line.heard_whole(LAST)


@pytest.mark.parametrize("below", [9, 18])
def test_a_talker_in_the_background_does_not_end_our_reply(hold: Hold, below: int) -> None:
    """Somebody who is softer than the caller was may stop us for a moment, and no more."""
    caller, other = own()["did-not-understand"], own()["not-at-desk"]
    held = hold(
        Plan(
            replies=(LONG, "I beg your pardon."),
            turns=[Turn(speech=caller, when=ASKED)],
            background=when_replying(other.louder(decibels(caller, other) - below)),
            lasts=22.0,
            done=lambda line: line.heard_whole(LAST),
        )
    )
    assert held.line.heard_whole(LAST)


@pytest.mark.parametrize(
    ("word", "pause"),
    [
        ("okay", 0.7),
        ("hello", 0.7),
        ("no", 0.6),
    ],
)
def test_a_short_answer_may_go_on(hold: Hold, word: str, pause: float) -> None:
    """Who has said "yes" may say more after a pause, without hearing us in it."""
    first = own()[word]
    speech = joined(word, [first, pause, own()["phone-number"]])
    turn = Turn(speech=speech, when=ASKED)
    held = hold(Plan(greeting=ASKING, replies=(ANSWER,), turns=[turn], lasts=1.0))
    began = held.line.said[0].began
    assert held.line.sound_between(began + 0.2, began + first.seconds + pause) is None


@pytest.mark.parametrize(("word", "seconds"), [("okay", 0.6), ("right", 0.8), ("i-see", 0.8)])
def test_a_drawn_out_okay_is_no_barge_in(hold: Hold, word: str, seconds: float) -> None:
    """A word that listeners say is that, however slowly they say it: we go on after it."""
    turn = Turn(speech=drawn_out(own()[word], seconds), when=into("We are open from", 1.2))
    held = hold(
        Plan(greeting=LONG, turns=[turn], lasts=16.0, done=lambda line: line.heard_whole(LAST))
    )
    assert held.line.heard_whole(LAST)


@pytest.mark.parametrize("word", ["mm-hm", "uh-huh", "yeah"])
def test_a_backchannel_lets_us_go_on(hold: Hold, word: str) -> None:
    """A word of a listener in the middle of our words stops us for a moment at most."""
    turn = Turn(speech=own()[word], when=into("We are open from", 1.2))
    held = hold(
        Plan(greeting=LONG, turns=[turn], lasts=16.0, done=lambda line: line.heard_whole(LAST))
    )
    assert held.line.heard_whole(LAST)


def test_words_that_come_late_count_while_nothing_has_sounded(hold: Hold) -> None:
    """A transcriber that takes 0.5 s tells in time that "save the" is not the end."""
    part = own()["which-folder"].part(0, 1.72)
    assert part.text.endswith(" the")
    held = hold(Plan(turns=[Turn(speech=part, when=ASKED)], lasts=1.4, delay=0.5))
    ended = held.line.said[0].ended
    assert held.line.sound_between(ended - 1.0, ended + 1.3) is None


def test_a_number_of_the_asked_length_is_answered_within_a_second(hold: Hold) -> None:
    """Four digits after "your four digit PIN?" are all of it."""
    seven = own()["seven"]
    speech = joined("pin", [seven, 0.15, seven, 0.2, seven, 0.15, seven])
    turn = Turn(speech=speech, when=ASKED)
    greeting = "Hello, this is the bank. What is your four digit PIN?"
    held = hold(Plan(greeting=greeting, replies=(ANSWER,), turns=[turn], lasts=2.0))
    began, ended = held.line.said[0].began, held.line.said[0].ended
    assert held.line.sound_between(began + 0.2, ended) is None
    assert held.line.sound_between(ended, ended + 1.0) is not None


def test_a_sentence_that_is_no_whole_one_is_waited_for(hold: Hold) -> None:
    """Nobody answers within 0.8 s of "If this is the person you are"."""
    part = own()["press-one"].part(0, 2.15)
    assert part.text.endswith("you are")
    held = hold(Plan(turns=[Turn(speech=part, when=ASKED)], lasts=1.0))
    ended = held.line.said[0].ended
    assert held.line.sound_between(ended - 1.0, ended + 0.8) is None


@pytest.mark.parametrize("down", [30, 20, 10])
def test_our_own_echo_is_nobody(hold: Hold, down: int) -> None:
    """Our voice, back 0.25 s later, is no turn of the caller's, and does not stop us."""
    held = hold(
        Plan(
            greeting=LONG,
            echo=down,
            longest=16.0,
            lasts=16.0,
            done=lambda line: len(line.clears) > 2 or line.heard_whole(LAST),
        )
    )
    assert not held.of("caller")
    assert held.line.heard_whole(LAST)


def test_a_caller_stops_us_over_our_echo(hold: Hold) -> None:
    """The caller's own words count, whatever comes back with them."""
    caller = own()["phone-number"]
    held = hold(Plan(greeting=LONG, echo=15, turns=[Turn(speech=caller, when=at(2.0))], lasts=3.0))
    began = held.line.said[0].began
    assert held.line.sound_between(began + 1.0, began + 2.0) is None
    assert any("phone" in one["text"] for one in held.of("caller"))


def test_a_slow_voice_leaves_no_holes(hold: Hold) -> None:
    """Sentences are spoken ahead: one that takes 0.8 s to its first sound is there in time."""
    turn = Turn(speech=own()["did-not-understand"], when=ASKED)
    plan = Plan(replies=(SHORTS[0],), turns=[turn], lasts=8.0, first_audio=0.8, speed=2.0)
    held = hold(plan)
    began = [one for one in held.line.heard if one.sentence.text in SHORTS[0]]
    holes = [later.began - (one.began + one.sentence.audible) for one, later in pairwise(began)]
    assert len(holes) == 3
    assert max(holes) < 0.35


@pytest.mark.parametrize("after", [0.2, 0.7])
def test_a_hello_at_pick_up_does_not_cost_the_greeting(hold: Hold, after: float) -> None:
    """Whoever was called says hello, and hears why we call."""
    greeting = "Hello, this is Anna from the clinic. I am calling about your appointment."
    held = hold(
        Plan(
            greeting=greeting,
            replies=("Hello.",),
            turns=[Turn(speech=own()["hello"], when=at(after))],
            lasts=8.0,
            done=lambda line: line.heard_whole("I am calling about"),
        )
    )
    assert held.line.heard_whole("I am calling about")


def test_a_silent_caller_is_asked_after_eight_seconds(hold: Hold) -> None:
    """Nobody is left in silence for more than 8 s or so."""
    held = hold(Plan(greeting="Hello?", longest=10.5, lasts=20.0))
    assert any("still there" in one.sentence.text for one in held.line.heard)


def test_callers_are_heard_at_once(hold: Hold) -> None:
    """From the onset of speech over ours to the command that silences us: an eighth of a second.

    A soft "s" takes twice that: the line carries half of it.
    """
    late = {}
    for name in ("saturday", "not-in-service", "phone-number", "try-again", "which-folder"):
        turn = Turn(speech=own()[name], when=into("We are open from", 1.0))
        held = hold(
            Plan(greeting=LONG, turns=[turn], lasts=0.5, done=lambda line: bool(line.clears))
        )
        late[name] = held.line.clears[0] - held.line.said[0].began
    assert sorted(late.values())[-2] < 0.125, late
    assert late["saturday"] < 0.27, late
