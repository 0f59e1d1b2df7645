"""Short answers: around the end of a question, that go on, drawn out over our words, at pick-up."""

from __future__ import annotations

from collections.abc import Iterator

from tests.benchmarks.situations.caller import Turn, about_the_end, after_quiet, at, into
from tests.benchmarks.situations.held import Held, Plan
from tests.benchmarks.situations.situation import Bank, Figures, Judge, Situation
from tests.benchmarks.situations.speech import (
    Speech,
    drawn_out,
    in_another_voice,
    in_half,
    joined,
    spread,
)

VOICES = (1.0, 0.88, 0.94, 1.08, 1.16)
"""A recording as it is, and as lower and higher voices: each is a recording of its own when the
speech is halved, since there are so few short words."""

QUESTIONS = (
    "Hello, this is the bakery. Do you want to hear what we have today?",
    "Good morning, you have reached the clinic. Are you calling about an appointment?",
    "Welcome to the library. Shall I look for a book?",
)
ANSWER = "Very good, one moment please. Here is what I have found for you."
LONG = (
    "We are open from seven in the morning until nine in the evening. The kitchen closes at eight, "
    "and the bar is open until midnight. On Sundays we are closed all day long."
)
LAST = "On Sundays we are closed"
OFFSETS = (-0.15, -0.05, 0.0, 0.1, 0.2, 0.3)
PAUSES = (0.35, 0.5, 0.7)


def short_words(bank: Bank, names: tuple[str, ...]) -> list[Speech]:
    """Return short words of this half in several voices."""
    ours = bank.all()
    found = [
        in_another_voice(ours[name], voice) if voice != 1.0 else ours[name]
        for name in names
        for voice in VOICES
        if name in ours
    ]
    return [one for one in found if in_half(one.name, bank.half)]


def around_the_end(bank: Bank) -> Iterator[Situation]:
    """Yield answers from shortly before the end of a question until shortly after it."""
    for number, word in enumerate(
        short_words(bank, ("yes", "yeah", "okay", "sure", "no", "right"))
    ):
        question = QUESTIONS[number % len(QUESTIONS)]
        last = question[-18:]
        for offset in OFFSETS:
            yield Situation(
                kind="answers around the end of a question",
                key=f"{word.name} {offset:+.2f}",
                plan=Plan(
                    greeting=question,
                    replies=(ANSWER,),
                    turns=[Turn(speech=word, when=about_the_end(last, offset))],
                    lasts=5.0,
                    done=lambda line: line.heard_whole("Very good"),
                ),
                judge=_answered,
            )


def _answered(held: Held) -> Figures:
    line = held.line
    if not line.said:
        return {"answer lost": None}
    end = line.said[0].ended
    sentence = next((one for one in line.heard if "Very good" in one.sentence.text), None)
    return {
        "answer lost": sentence is None,
        "seconds to the reply": None if sentence is None else sentence.began - end,
    }


def that_go_on(bank: Bank) -> Iterator[Situation]:
    """Yield short answers with more after a pause."""
    names: tuple[str, ...] = ("yes", "hello", "okay", "no", "sure", "right", "yeah")
    if bank.language != "en":
        names = ("hello", "auth-thankyou", "privacy-thankyou", "vm-no", "goodbye", "activated")
        names += ("im-sorry", "hello-world", "cancelled", "conf-errormenu")
    words, more = short_words(bank, names), bank.sentences()
    for number, word in enumerate(words):
        for place, pause in enumerate(PAUSES):
            rest = more[(7 * number + 3 * place) % len(more)]
            speech = joined(word.name, [word, pause, rest])
            yield Situation(
                kind="short answers that go on",
                key=f"{word.name} {pause:g} {rest.name}",
                plan=Plan(
                    greeting="Hello, this is the bakery. Do you want to order a cake?",
                    replies=(ANSWER,),
                    turns=[Turn(speech=speech, when=after_quiet(0.5, sentences=2))],
                    lasts=5.0,
                ),
                judge=_cut_in(word.seconds, word.seconds + pause, pause),
            )


def _cut_in(stops: float, goes_on: float, pause: float) -> Judge:
    def judge(held: Held) -> Figures:
        if not held.line.said:
            return {"cut into": None}
        began, ended = held.line.said[0].began, held.line.said[0].ended
        sound = held.line.sound_between(began + stops * 0.5, began + goes_on)
        answer = held.line.sound_between(ended, ended + 5.0)
        cut = sound is not None
        return {
            "cut into": cut,
            f"  pause of {pause:g} s": cut,
            "seconds to the reply": None if answer is None or cut else answer - ended,
        }

    return judge


def over_our_words(bank: Bank) -> Iterator[Situation]:
    """Yield drawn-out words, and backchannels as they are, in the middle of our words."""
    long = short_words(bank, ("digits/oh", "okay", "right", "yeah", "i-see", "okay-yeah"))
    for word in long:
        for seconds in (0.55, 0.8):
            drawn = drawn_out(word, seconds)
            yield _over("drawn-out words over ours", f"{word.name} {seconds:g}", drawn, 1.2)
    names = ("mm-hm", "uh-huh", "okay", "yeah", "right", "i-see", "okay-yeah")
    for word in short_words(bank, names):
        for after in (0.6, 1.7):
            yield _over("backchannels over our words", f"{word.name} {after:g}", word, after)


def _over(kind: str, key: str, word: Speech, after: float) -> Situation:
    return Situation(
        kind=kind,
        key=key,
        plan=Plan(
            greeting=LONG,
            replies=(ANSWER,),
            turns=[Turn(speech=word, when=into("We are open from seven", after))],
            lasts=18.0,
            done=lambda line: line.heard_whole(LAST),
        ),
        judge=_went_on,
    )


def _went_on(held: Held) -> Figures:
    line = held.line
    if not line.said:
        return {"reply lost": None}
    said = line.said[0]
    clears = [one for one in line.clears if said.began <= one <= said.ended + 1.0]
    silent = None
    if clears:
        again = line.sound_between(clears[0] + 0.04, clears[0] + 10)
        silent = None if again is None else again - clears[0]
    return {
        "reply lost": not line.heard_whole(LAST),
        "stopped us": bool(clears),
        "seconds of silence": silent,
    }


def at_pick_up(bank: Bank) -> Iterator[Situation]:
    """Yield what is said as somebody picks up, over the first words of an outgoing call."""
    names = ("hello", "yes", "yeah", "goodbye", "okay")
    for number, word in enumerate(short_words(bank, names)):
        if word.name.startswith("goodbye"):
            continue
        for after in (0.0, 0.2, 0.5, 0.9):
            yield Situation(
                kind="a hello at pick-up",
                key=f"{word.name} {after:g}",
                plan=Plan(
                    greeting="Hello, this is Anna from the clinic. I am calling about your "
                    "appointment on Monday. Can you still come?",
                    replies=("Hello.", "Yes, I am here."),
                    turns=[Turn(speech=word, when=at(0.2 + after + 0.02 * (number % 3)))],
                    lasts=15.0,
                    done=lambda line: line.heard_whole("appointment on Monday"),
                ),
                judge=lambda held: {
                    "reason never said": not held.line.heard_whole("appointment on Monday")
                },
            )


def listened(bank: Bank) -> list[Speech]:
    """Return sentences that are said over ours: enough for percentiles."""
    return spread(bank.sentences(), bank.count(40, 150))
