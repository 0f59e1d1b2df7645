"""What else is on the line: somebody in the background, our own echo, nobody; and slow voices."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from functools import partial
from math import log10

from tests.benchmarks.situations.answers import LAST, LONG, listened
from tests.benchmarks.situations.caller import CallerEnd, Turn, after_quiet, at, into
from tests.benchmarks.situations.held import Held, Plan
from tests.benchmarks.situations.situation import Bank, Figures, Judge, Situation
from tests.benchmarks.situations.speech import Speech, level, spread

BELOW = (8, 12, 16, 20)
"""Decibels by which a talker in the background is softer than the caller."""

Background = Callable[[CallerEnd], Speech | None]
"""Returns what somebody else begins to say now, if they do."""


def in_the_background(bank: Bank) -> Iterator[Situation]:
    """Yield somebody who talks behind the caller: over our reply, and after the caller's turn."""
    callers = spread(bank.sentences(), bank.count(6, 16))
    talkers = [one for one in bank.sentences() if one.seconds > 2.0]
    for number, caller in enumerate(callers):
        for place, below in enumerate(BELOW):
            other = talkers[(5 * number + place + 1) % len(talkers)]
            soft = other.louder(decibels(caller, other) - below)
            yield Situation(
                kind="a talker in the background, over our reply",
                key=f"{caller.name} {other.name} {below}",
                plan=Plan(
                    replies=(LONG, "I beg your pardon."),
                    turns=[Turn(speech=caller, when=after_quiet(0.6, sentences=2))],
                    background=when_replying(soft),
                    lasts=25.0,
                    done=lambda line: line.heard_whole(LAST),
                ),
                judge=_survived(below),
            )
            yield Situation(
                kind="a talker in the background, after the caller's turn",
                key=f"{caller.name} {other.name} {below}",
                plan=Plan(
                    replies=("We are open until nine that day.",),
                    turns=[Turn(speech=caller, when=after_quiet(0.6, sentences=2))],
                    background=_from_the_middle(soft, talkers, below, caller),
                    lasts=7.0,
                    done=lambda line: line.heard_whole("We are open until nine"),
                ),
                judge=_answered_all_the_same(below),
            )


def decibels(caller: Speech, other: Speech) -> float:
    """Return by how much the caller is louder than somebody else."""
    return 20 * log10(level(caller.samples) / level(other.samples))


def when_replying(other: Speech) -> Background:
    def now(line: CallerEnd) -> Speech | None:
        if "background" not in line.marks and into("We are open from seven", 0.6)(line):
            line.marks["background"] = line.now
            return other
        return None

    return now


def _from_the_middle(
    first: Speech, talkers: list[Speech], below: float, caller: Speech
) -> Background:
    """Somebody begins 0.3 s before the caller's end, and talks on for some seven seconds."""

    def now(line: CallerEnd) -> Speech | None:
        if not line.said or line.now < line.said[0].ended - 0.3:
            return None
        until = line.marks.get("background", 0.0)
        count = int(line.marks.get("count", 0))
        if line.now < until or line.now > line.said[0].ended + 6.5:
            return None
        other = talkers[(count * 3 + len(caller.name)) % len(talkers)]
        speech = first if not count else other.louder(decibels(caller, other) - below)
        line.marks["background"] = line.now + speech.seconds + 0.25
        line.marks["count"] = count + 1
        return speech

    return now


def _survived(below: int) -> Judge:
    def judge(held: Held) -> Figures:
        if "background" not in held.line.marks:
            return {"reply lost": None}
        lost = not held.line.heard_whole(LAST)
        return {"reply lost": lost, f"  {below} dB below": lost}

    return judge


def _answered_all_the_same(below: int) -> Judge:
    def judge(held: Held) -> Figures:
        line = held.line
        if not line.said:
            return {"not answered within 3 s": None}
        ended = line.said[0].ended
        sound = line.sound_between(ended - 0.3, ended + 7.0)
        late = sound is None or sound > ended + 3.0
        return {
            "not answered within 3 s": late,
            f"  {below} dB below": late,
            "seconds to the reply": None if sound is None else sound - ended,
        }

    return judge


TALKATIVE = (
    "Hello, and welcome to the bakery in Linden Street. We have bread, rolls and cakes every day. "
    "How can I help?"
)


def echo(bank: Bank) -> Iterator[Situation]:
    """Yield our own voice back on the line: the caller silent, and the caller over it."""
    for down in (30, 20, 15, 10):
        for greeting in (TALKATIVE, LONG + " What would you like?"):
            yield Situation(
                kind="our echo, the caller silent",
                key=f"{down} {greeting[:8]}",
                plan=Plan(
                    greeting=greeting,
                    replies=("We have bread, rolls and cakes. Would you like some?",),
                    echo=float(down),
                    longest=25.0,
                    lasts=25.0,
                ),
                judge=_nobody(down),
            )
    for number, speech in enumerate(spread(listened(bank), bank.count(10, 40))):
        down = (30, 20, 15, 10)[number % 4]
        yield Situation(
            kind="the caller over our echo",
            key=f"{speech.name} {down}",
            plan=Plan(
                greeting=LONG,
                echo=float(down),
                turns=[Turn(speech=speech, when=at(3.0 + number % 5 / 5))],
                lasts=5.0,
            ),
            judge=_stopped,
        )


def _nobody(down: int) -> Judge:
    def judge(held: Held) -> Figures:
        turns, clears = len(held.of("caller")), len(held.line.clears)
        return {
            "we answered ourselves": turns > 0,
            "we stopped ourselves": clears > 0,
            f"  turns, {down} dB down": float(turns),
            f"  clears, {down} dB down": float(clears),
        }

    return judge


def _stopped(held: Held) -> Figures:
    line = held.line
    if not line.said:
        return {"not stopped within 1 s": None}
    said = line.said[0]
    if line.sound_between(said.began - 0.1, said.began) is None:
        return {"not stopped within 1 s": None}  # we were silent
    first = said.speech.words[1].text.lower().strip(".,")
    understood = any(first in str(one["text"]).lower() for one in held.of("caller"))
    sound = line.sound_between(said.began + 1.0, min(said.ended, said.began + 1.6))
    return {"not stopped within 1 s": sound is not None, "their words not answered": not understood}


def onsets(bank: Bank) -> Iterator[Situation]:
    """Yield callers who speak over us, loudly and softly."""
    for number, loud in enumerate(listened(bank)):
        speech = loud.louder(-14 if number % 2 else 0)
        yield Situation(
            kind="onset of speech to clear",
            key=f"{speech.name}{', softly' if number % 2 else ''}",
            plan=Plan(
                greeting=LONG,
                turns=[Turn(speech=speech, when=into("We are open from", 0.7 + number % 7 / 10))],
                lasts=0.5,
                done=lambda line: bool(line.clears),
            ),
            judge=cleared,
        )


def cleared(held: Held) -> Figures:
    """Tell whether we stopped for the caller, and how soon."""
    line = held.line
    if not line.said:
        return {"no clear": None}
    clears = [one for one in line.clears if one >= line.said[0].began]
    return {
        "no clear": not clears,
        "seconds from onset to clear": clears[0] - line.said[0].began if clears else None,
    }


SHORTS = (
    "Yes, we are open. Come at any time. We have rolls. And cakes, too.",
    "Of course we do. One large coffee. It is ready soon. Anything else?",
    "I see what you mean. That is no problem. Until Monday then. Thank you for calling.",
    "No, not on Sundays. We are sorry. You can call again. We open at seven.",
    "Yes. We are. Come in any time. See you.",
    "Of course. One coffee. To go. Anything else?",
    "I see. That is fine. Until Monday. Thank you.",
    "No. Not on Sundays. We are sorry. Call again.",
)


def slow_voice(bank: Bank) -> Iterator[Situation]:
    """Yield replies of short sentences by a voice that takes 0.8 s to its first audio.

    It speaks twice as fast as it is heard.
    """
    caller = bank.sentences()[0]
    for reply in SHORTS:
        last = reply.split(". ")[-1][:8]
        yield Situation(
            kind="a slow voice, short sentences",
            key=reply[:16],
            plan=Plan(
                replies=(reply,),
                turns=[Turn(speech=caller, when=after_quiet(0.6, sentences=2))],
                first_audio=0.8,
                speed=2.0,
                lasts=12.0,
                done=partial(CallerEnd.heard_whole, text=last),
            ),
            judge=_holes,
        )


def _holes(held: Held) -> Figures:
    line = held.line
    if not line.said:
        return {"a hole of more than 0.35 s": None}
    frames = line.loud[round(line.said[0].ended / 0.02) :]
    gaps: list[int] = []
    run, begun = 0, False
    for loud in frames:
        if loud:
            if begun and run:
                gaps.append(run)
            begun, run = True, 0
        elif begun:
            run += 1
    hole = 0.02 * max(gaps, default=0)
    return {"a hole of more than 0.35 s": hole > 0.35, "longest hole, seconds": hole}


def nobody_there(bank: Bank) -> Iterator[Situation]:
    """Yield a caller who says nothing."""
    del bank
    for greeting in (TALKATIVE, "Hello?", LONG):
        yield Situation(
            kind="a silent caller",
            key=greeting[:12],
            plan=Plan(
                greeting=greeting,
                lasts=60.0,
                done=lambda line: any("still there" in one.sentence.text for one in line.heard),
            ),
            judge=_asked,
        )


def _asked(held: Held) -> Figures:
    line = held.line
    asked = next((one for one in line.heard if "still there" in one.sentence.text), None)
    if asked is None:
        return {"not asked": True}
    before = [one for one in line.heard if one is not asked]
    ended = before[-1].began - before[-1].start + before[-1].sentence.audible
    return {"not asked": False, "seconds until we ask": asked.began - ended}
