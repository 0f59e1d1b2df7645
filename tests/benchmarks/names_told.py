"""How names are heard that the local recognizer is told, and how often one that nobody said.

Run ``python -m tests.benchmarks.names_told``: lines of four names by which nothing was chosen, each
name called in three sentences; sentences that call nobody, with words that sound like some of these
names; and what else is said in scripted calls. All are spoken by the packaged voice in two pitches,
as a phone line carries it, and heard with and without the names of the line, and where nobody is
called with all forty. ``--choosing`` has the names and sentences by which the limits were chosen.
Intervals are Wilson's, of 95 %.

With ``--ordinary FILE``, the sentences of a file, one a line, are said instead, and with ``--sounds
DIR`` prompts that somebody has spoken (:mod:`tests.benchmarks.word_errors`): how many get a name,
with the four names of a line told, and with the twelve of three.
"""

from __future__ import annotations

import argparse
import asyncio
import random
import time
from collections.abc import AsyncIterator, Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from agent.simulator.intervals import of_share
from pipelines.audio import Audio, Resampler
from pipelines.providers import moonshine, piper
from tests.benchmarks.word_errors import by_phone, errors, prompts, spoken, words
from tests.parties import party_calls

LINE_RATE = 8_000
PITCHES = (0.9, 1.15)
SENTENCES_A_NAME = 3
SEED = 3


@dataclass(frozen=True, slots=True, kw_only=True)
class Speech:
    """What is said to measure with."""

    lines: Sequence[str]
    """Who is on a line, between spaces."""

    calling: Sequence[str]
    """With ``{name}`` where somebody is called."""

    nobody: Sequence[str]
    """Sentences without a name, most with a word like one."""

    calls: Sequence[str]
    """Folders of scripted calls (:mod:`tests.parties`), whose turns without a name are said."""


CHOOSING = Speech(
    lines=(
        "Clara Ann Ben Rose",
        "Bruno Keith Angela Dennis",
        "Conrad Victor Monica Eric",
        "Delia Sheila Ralph Amy",
        "Felix Martha Greg Alice",
        "Hazel Karen Steve Nick",
        "Marvin Emma Jack Nora",
        "Nadia Doris Leo Peter",
        "Sophie Ruby Gordon Helen",
        "Thelma Sally Hugo Trudy",
    ),
    calling=(
        "{name}, are you open on Monday?",
        "Okay {name}, is there anything on Friday?",
        "Can you keep a table for us, {name}?",
        "How long does it take, {name}?",
        "{name}, what does a small cake cost?",
        "Thanks, {name}, see you on Sunday.",
    ),
    nobody=(
        "The player was injured last week.",
        "I have been there before.",
        "The prices rose again this year.",
        "You can mark it on the map.",
        "It is clear to me now.",
        "Where are you going tomorrow?",
        "Then we should leave at seven.",
        "And what do you think about it?",
        "Can you tell me how far it is?",
        "Well, I would like a table for two.",
        "Hello, is anybody there?",
        "Okay, let us do that then.",
        "I will call you when I am home.",
        "My prayer was answered.",
        "We need a carer for my mother.",
        "The ran was heavy in the morning.",
        "Tell me more about the menu.",
        "Who goes first tomorrow?",
        "Is the color right for the kitchen?",
        "Nice idea, we should do that.",
        "Sorry, what did you say?",
        "The letter came on Friday.",
        "Please bring a bell for the door.",
        "The area is very quiet at night.",
        "Another time would be better.",
        "Do you have anything later?",
        "No, there is nothing in the mail.",
        "He carries the bag to the car.",
        "The penny dropped at last.",
        "Should I scan the ticket now?",
        "Here is the number of my card.",
        "Better not, it is too late.",
        "Let me know when you are done.",
        "Hm, nine would be too early.",
        "I met a man at the station.",
        "The mall opens at ten.",
        "Thank you, that was all.",
        "What a pity, maybe next time.",
        "Yes, of course we can.",
        "Bread and butter would be fine.",
    ),
    calls=("choosing",),
)
"""By these the limits were chosen."""


REPORTING = Speech(
    lines=(
        "Amanda Philip Joan Walter",
        "Bella Trevor Nina Scott",
        "Carla Hannah Roger Meg",
        "Edgar Louise Carl Penny",
        "Gloria Duncan Tess Barry",
        "Iris Malcolm Judy Fay",
        "Lena Howard Beth Oliver",
        "Maxine Todd Audrey Neil",
        "Nolan Esther Craig Dana",
        "Tara Gilbert Mona Adrian",
    ),
    calling=(
        "{name}, do you deliver in the evening?",
        "Hey {name}, when does the kitchen close?",
        "What is the price of the large room, {name}?",
        "Yes, {name}, please send me the address.",
        "{name}, can we change that to Thursday?",
        "Did you get my message, {name}?",
    ),
    nobody=(
        "We amend the contract next week.",
        "Fill up the tank, please.",
        "The loan was paid back.",
        "Water would be fine, thanks.",
        "He drove there and back.",
        "Mine is the blue one over there.",
        "The cot is for the baby.",
        "A hand would be useful now.",
        "Dodger is the name of our dog.",
        "Make it six, please.",
        "The edge of the table is broken.",
        "Louder, please, I can't hear you.",
        "Call me back tomorrow.",
        "Any of them would be good.",
        "The story was very long.",
        "Done, you can hang up now.",
        "Does the test cost anything?",
        "We buried the cable in the garden.",
        "Irish stew sounds good.",
        "Walk on to the next corner.",
        "You did well today.",
        "Fairly early would be best.",
        "Later is better for us.",
        "How are things at home?",
        "Both of us will come.",
        "All over the city it rained.",
        "Maximum two people, please.",
        "Told you, it was closed.",
        "Order it now and pay later.",
        "Kneel down and look under it.",
        "No one is at the door.",
        "Easter is in April this year.",
        "The crate came this morning.",
        "Then a coffee for me, please.",
        "Terror films are not for me.",
        "Guilty or not, he has to pay.",
        "The moaner in the back should leave.",
        "A dream is all it was.",
        "Hello, can anybody hear me?",
        "Okay, see you in the evening then.",
    ),
    calls=("unseen2",),
)
"""By these nothing was chosen."""


def pitched(audio: Audio, pitch: float) -> Audio:
    """Return speech that is higher and faster by a factor, as a phone line carries it."""
    resampler = Resampler(round(audio.rate * pitch / 20) * 20, LINE_RATE)
    return by_phone(Audio(resampler.feed(audio.pcm) + resampler.flush(), LINE_RATE))


async def said(voice: piper.Synthesizer, text: str) -> AsyncIterator[Audio]:
    """Yield a sentence in each pitch."""
    clauses = [piece async for piece in voice.speak(text) if isinstance(piece, Audio)]
    whole = Audio(b"".join(each.pcm for each in clauses), clauses[0].rate)
    for pitch in PITCHES:
        yield pitched(whole, pitch)


class Measured:
    """What was heard, with names and without."""

    def __init__(self, transcriber: moonshine.Transcriber) -> None:
        self._transcriber = transcriber
        self.seconds = {False: 0.0, True: 0.0}
        self.heard = 0

    async def both(self, audio: Audio, names: Sequence[str]) -> tuple[list[str], list[str]]:
        """Return the words without names, and with them."""
        found = []
        for told in ((), names):
            began = time.process_time()
            text = await self._transcriber.transcribe(spoken(audio), told)
            self.seconds[bool(told)] += time.process_time() - began
            found.append(words(text))
        self.heard += 1
        return found[0], found[1]

    def costs(self) -> str:
        """Return what an utterance costs."""
        plain, told = (1_000 * self.seconds[each] / self.heard for each in (False, True))
        return f"CPU an utterance: {plain:.0f} ms without names, {told:.0f} ms with them"


def share(name: str, count: int, of: int) -> None:
    """Print how many of how many, with the interval."""
    low, high = of_share(count, of) or (0.0, 1.0)
    print(f"{name:44s} {count:4d}/{of:<4d} {count / of:6.1%}  ({low:.1%} to {high:.1%})")


def callings(speech: Speech) -> Iterator[tuple[list[str], str, str]]:
    """Yield who is on a line, whom of them somebody calls, and the sentence."""
    draw = random.Random(SEED)
    for line in speech.lines:
        names = line.split()
        for name in names:
            for sentence in draw.sample(list(speech.calling), SENTENCES_A_NAME):
                yield names, name, sentence.format(name=name)


async def called(speech: Speech, voice: piper.Synthesizer, measured: Measured, show: bool) -> None:
    """Print how many names are heard where somebody is called."""
    right, rest = [0, 0], [0, 0]
    other = of_rest = total = 0
    for names, name, sentence in callings(speech):
        wanted = words(sentence)
        async for audio in said(voice, sentence):
            total += 1
            of_rest += len(wanted) - 1
            found = await measured.both(audio, names)
            for at, each in enumerate(found):
                hit = name.lower() in each
                right[at] += hit
                rest[at] += max(0, errors(wanted, each) - (not hit))
            others = set(words(" ".join(names))) - {name.lower()}
            other += not others.isdisjoint(set(found[1]) - set(found[0]))
            if show and found[0] != found[1]:
                print(f"  {name}: {' '.join(found[0])} -> {' '.join(found[1])}")
    for at, how in enumerate(("without", "with")):
        share(f"names right, {how}", right[at], total)
        share(f"errors in the other words, {how}", rest[at], of_rest)
    share("another name of the line put in", other, total)


async def nobody(speech: Speech, voice: piper.Synthesizer, measured: Measured, show: bool) -> None:
    """Print how many sentences get a name that nobody said."""
    lines = [line.split() for line in speech.lines]
    chosen = [(each, lines[at % len(lines)]) for at, each in enumerate(speech.nobody)]
    talk = [
        (turn.text, [*call.called, *call.others])
        for which in speech.calls
        for call in party_calls(which)
        if call.language == "en"
        for turn in call.turns
        if turn.to and not set(words(turn.text)) & set(words(" ".join(call.called + call.others)))
    ]
    everybody = [name for line in lines for name in line]
    for kind, sentences in (("words like names", chosen), ("talk", talk)):
        false = [0, 0]
        total = 0
        for sentence, names in sentences:
            async for audio in said(voice, sentence):
                total += 1
                for at, told in enumerate((names, everybody)):
                    before, after = await measured.both(audio, told)
                    false[at] += before != after
                    if show and before != after:
                        print(f"  {len(told)}: {sentence}: {' '.join(after)}")
        share(f"{kind}, a name put in, a line's told", false[0], total)
        share(f"{kind}, a name put in, {len(everybody)} told", false[1], total)


async def ordinary(
    speech: Speech, utterances: Sequence[tuple[str, Audio]], measured: Measured, show: bool
) -> None:
    """Print how many utterances get a name of somebody whom nobody called, and the errors.

    Args:
        speech: Whose names are told.
        utterances: Sentences, and how they were said.
        measured: Hears them.
        show: Whether each is printed.
    """
    lines = [line.split() for line in speech.lines]
    for several in (1, 3):
        false = total = 0
        wrong = [0, 0]
        for at, (sentence, audio) in enumerate(utterances):
            told = [name for n in range(several) for name in lines[(at + n) % len(lines)]]
            wanted = words(sentence)
            before, after = await measured.both(audio, told)
            total += len(wanted)
            wrong = [wrong[0] + errors(wanted, before), wrong[1] + errors(wanted, after)]
            false += not set(words(" ".join(told))).isdisjoint(set(after) - set(wanted))
            if show and before != after:
                print(f"  {len(told)}: {sentence} ({' '.join(before)}) -> {' '.join(after)}")
        share(f"a name put in, {4 * several} told", false, len(utterances))
        for how, count in zip(("without", "with"), wrong, strict=True):
            share(f"word errors, {how} {4 * several} names", count, total)


async def main(options: argparse.Namespace) -> None:
    """Measure and print."""
    speech = CHOOSING if options.choosing else REPORTING
    show: bool = options.show
    voice = piper.Synthesizer(piper.Synthesizer.Options(threads=1))
    transcriber = moonshine.Transcriber(moonshine.Transcriber.Options(threads=1))
    await voice.start()
    await transcriber.start()
    try:
        found: list[tuple[str, Audio]] = []
        if options.ordinary:
            sentences = filter(None, map(str.strip, options.ordinary.read_text().splitlines()))
            found = [(one, audio) for one in sentences async for audio in said(voice, one)]
        if options.sounds:
            found += [(text, by_phone(audio)) for text, audio in prompts(options.sounds)]
        kinds = (
            [partial(ordinary, speech, found)]
            if found
            else [partial(called, speech, voice), partial(nobody, speech, voice)]
        )
        for each in kinds:
            measured = Measured(transcriber)
            await each(measured, show)
            print(measured.costs())
    finally:
        await transcriber.aclose()
        await voice.aclose()


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--choosing", action="store_true")
    parser.add_argument("--show", action="store_true", help="print what is heard otherwise")
    parser.add_argument("--ordinary", type=Path, help="sentences that call nobody, one a line")
    parser.add_argument("--sounds", type=Path, help="unpacked Asterisk sound packages")
    asyncio.run(main(parser.parse_args()))
