"""How often ``voice-agent verify`` finds fault with a right record, and overlooks a wrong one.

Run ``python -m tests.benchmarks.verify``: it prints, and asserts nothing. ``--choose`` prints
figures of the recordings that the tolerances were chosen on instead, for several of them.

Calls are put together of sentences of their own: each reply is one to three of them, which follow
each other without a pause as they do in a call; some are cut off in the middle of a sentence, with
the words claimed that :mod:`pipelines.reply.heard_words` credits, as a call does. Chosen on: the
packaged Piper voice, sentences ``CHOSEN``. Reported on, and never looked at before: the same voice
slower and faster, other sentences, the recording through Opus. And recorded speech of a person. One
limit, for the pause that a sentence begins with, was set after a look at that and at these.
"""

from __future__ import annotations

import argparse
import asyncio
import hashlib
import random
import tempfile
from collections import Counter
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from agent.records.recordings import stereo
from agent.records.recordings.stereo import StereoAudio
from agent.records.verification.check import Tolerances, Verification, check
from agent.records.verification.claims import ClaimedSpeech
from agent.simulator.intervals import of_share
from pipelines.audio import Audio, at_rate
from pipelines.providers import moonshine, piper
from pipelines.reply.heard_words import HeardWords
from pipelines.text.speakable import speakable
from tests.recordings import TRANSCRIPTS, load

RATE = 8_000

CHOSEN = """\
Hello, this is Linden Street Kitchen. How can I help you?
We are open until nine that day.
The kitchen closes at eight, and the bar is open until midnight.
Your total is $45.20.
I have booked a table for four on Friday at 7:30 pm.
Could you tell me your name, please?
Thank you, Mr. Baker.
I'm sorry, we are fully booked on Saturday.
Would half past six work for you instead?
Yes, there is parking behind the house.
No, dogs have to stay outside.
Let me look that up for you.
One moment, please.
The soup of the day is tomato with basil.
All of our bread is baked here in the morning.
You can cancel until noon on the same day.
Your order number is 48213.
It will be ready in twenty minutes.
Is there anything else I can do for you?
Thank you for calling. Goodbye.
Good morning, you have reached the dental practice of Doctor Moore.
What can I do for you today?
The next free appointment is on Tuesday, March 3, at 10:15.
I can also offer you Thursday afternoon.
May I have your date of birth?
Please bring your insurance card with you.
A cleaning takes about forty minutes and costs $120.
I understand. That sounds painful.
Please call 911 if you have trouble breathing.
The doctor will call you back before five o'clock.
You don't need to pay anything in advance.
We have moved to 27 Market Street, on the second floor.
Sure.
I did not catch that. Could you say it again?
Your appointment has been moved to the 14th.
I have sent you a message with the address.
Are you taking any medication at the moment?
He is out of the office until Monday.
I'm connecting you now.
Have a nice day!
""".splitlines()

REPORTED = """\
Welcome to the city library. This is the automated assistant.
Which book are you looking for?
That one is on the third floor, next to the reading room.
It is due back on the 21st of next month.
You may keep it for four weeks, and renew it twice.
The fine is 25 cents a day.
I have put your name on the list.
There are two people before you.
Children under twelve need the signature of a parent.
Of course.
We close early on Wednesday, at a quarter past three.
Your card number ends in 7706. Is that right?
I could not find anything under that title.
Do you know who wrote it?
The computers are free for everybody who has a card.
A new card costs $3.50.
Please hold the line.
I will pass you on to Mrs. Alvarez.
She is not at her desk right now.
See you soon!
""".splitlines()

CALLS = 30
"""Put together of each set."""

Said = Callable[[str], Awaitable[Audio]]


@dataclass(frozen=True, slots=True, kw_only=True)
class Made:
    """A call, and the right record of it."""

    claims: Sequence[ClaimedSpeech]
    recording: StereoAudio


@dataclass(frozen=True, slots=True, kw_only=True)
class Voice:
    """A set of recordings."""

    name: str
    sentences: Sequence[str]
    say: Said
    suffix: str = ".flac"


async def made(voice: Voice, draw: random.Random) -> Made:
    """Put a call together."""
    pcm, claims = bytearray(2 * RATE), list[ClaimedSpeech]()
    for _ in range(4):
        for _ in range(draw.randint(1, 3)):
            text = draw.choice(voice.sentences)
            audio = await voice.say(text)
            at = len(pcm) / 2 / RATE
            claim = ClaimedSpeech(text=text, at=at, until=at + audio.seconds)
            if draw.random() < 0.15 and audio.seconds > 1:
                claim, audio = _cut_off(claim, audio, draw.uniform(0.2, 0.95) * audio.seconds)
                claims += [claim] if claim.text else []
                pcm += audio.pcm
                break
            claims.append(claim)
            pcm += audio.pcm
        pcm += bytes(2 * round(draw.uniform(1.2, 5.0) * RATE))
    agent = Audio(bytes(pcm), RATE)
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / f"call{voice.suffix}"
        stereo.write(path, StereoAudio(caller=Audio(bytes(len(pcm)), RATE), agent=agent))
        read = stereo.read(path)
    recording = StereoAudio(caller=at_rate([read.caller], RATE), agent=at_rate([read.agent], RATE))
    return Made(claims=claims, recording=recording)


def _cut_off(claim: ClaimedSpeech, audio: Audio, at: float) -> tuple[ClaimedSpeech, Audio]:
    heard = HeardWords()
    heard.begin(claim.text, len(speakable(claim.text, "en").split()), 0.0)
    heard.finish(audio.seconds)
    text = heard.until(at, audio.seconds)
    whole = Audio(audio.pcm[: 2 * round(at * audio.rate)], audio.rate)
    return replace(claim, text=text, until=claim.at + whole.seconds, cut_off=True), whole


# Records that are wrong; each returns its claims, and when something has to be found

Tried = tuple[Made, Sequence[str]]
"""A call, and the sentences of its set."""

Wrong = tuple[list[ClaimedSpeech], tuple[float, float]]
Tamper = Callable[[Made, Sequence[str], random.Random], Wrong | None]


def removed(call: Made, _others: Sequence[str], draw: random.Random) -> Wrong:
    """A sentence is not in the record."""
    claims = list(call.claims)
    gone = claims.pop(draw.randrange(len(claims)))
    return claims, (gone.at, gone.until or gone.at)


def added(call: Made, others: Sequence[str], draw: random.Random) -> Wrong:
    """A sentence is in the record, in a pause, that nobody has heard."""
    claims = list(call.claims)
    place = draw.randrange(len(claims))
    begin = (claims[place].until or 0.0) + 0.1
    text = draw.choice([one for one in others if one != claims[place].text])
    claims.insert(place + 1, ClaimedSpeech(text=text, at=begin, until=begin + 1.5))
    return claims, (begin, begin + 1.5)


def longer(call: Made, others: Sequence[str], draw: random.Random) -> Wrong:
    """A sentence is put to the text of another, in the same time."""
    claims = list(call.claims)
    place = draw.randrange(len(claims))
    one = claims[place]
    text = draw.choice([other for other in others if other != one.text])
    claims[place] = replace(one, text=f"{one.text} {text}")
    return claims, (one.at, one.until or one.at)


def moved(seconds: float) -> Tamper:
    """A sentence is said to be heard at another time."""

    def tamper(call: Made, _others: Sequence[str], draw: random.Random) -> Wrong:
        by = draw.choice((-1, 1)) * seconds
        claims = list(call.claims)
        place = draw.randrange(len(claims))
        one = claims[place]
        until = one.until or one.at
        claims[place] = replace(one, at=one.at + by, until=until + by)
        claims.sort(key=lambda claim: claim.at)
        return claims, (min(one.at, one.at + by) - 0.3, max(until, until + by) + 0.3)

    return tamper


def two_words_more(call: Made, others: Sequence[str], draw: random.Random) -> Wrong | None:
    """A sentence that was cut off is claimed two words further than it was heard."""
    cut = [n for n, one in enumerate(call.claims) if one.cut_off]
    if not cut:
        return None
    place = draw.choice(cut)
    one = call.claims[place]
    whole = next(text for text in others if text.startswith(one.text))
    words = whole.split()
    # What is heard of the next word is not claimed, so that two words more are a third of it.
    more = words[: len(one.text.split()) + 3]
    if len(more) < len(one.text.split()) + 3:
        return None
    claims = list(call.claims)
    claims[place] = replace(one, text=" ".join(more))
    return claims, (one.at, one.until or one.at)


def exchanged(call: Made, others: Sequence[str], draw: random.Random) -> Wrong:
    """A sentence has the text of another."""
    claims = list(call.claims)
    place = draw.randrange(len(claims))
    one = claims[place]
    text = draw.choice([other for other in others if other != one.text])
    claims[place] = replace(one, text=text)
    return claims, (one.at, one.until or one.at)


TAMPERS: dict[str, Tamper] = {
    "a sentence removed": removed,
    "a sentence added in a pause": added,
    "a sentence added to another": longer,
    "a sentence exchanged": exchanged,
    "moved by 0.3 s": moved(0.3),
    "moved by 1 s": moved(1.0),
    "cut off, two words more": two_words_more,
}


def found_at(verification: Verification, where: tuple[float, float]) -> bool:
    """Return whether something is found where the record was made wrong."""
    begin, end = where
    spans = [(one.at, one.until) for one in verification.unclaimed]
    spans += [
        (one.claim.at, one.claim.until or one.claim.at)
        for one in verification.sentences
        if one.findings
    ]
    return any(a < end and b > begin for a, b in spans)


class Listener:
    """Local speech-to-text that hears nothing twice."""

    def __init__(self, stt: moonshine.Transcriber) -> None:
        self._stt = stt
        self._known: dict[bytes, str] = {}

    async def hear(self, audio: Audio) -> str:
        """Return what is said."""
        key = hashlib.sha256(audio.pcm).digest()
        if key not in self._known:
            self._known[key] = await self._stt.transcribe(_once(audio))
        return self._known[key]


async def _once(audio: Audio) -> AsyncIterator[Audio]:
    yield audio


def share(held: int, of: int) -> str:
    """Return a share with its interval of 95 %, by Wilson."""
    interval = of_share(held, of)
    if interval is None:
        return "none of none"
    return f"{held:4d} of {of:4d} = {held / of:6.1%}  ({interval[0]:.1%} to {interval[1]:.1%})"


async def alarms(calls: Sequence[Tried], listener: Listener, limits: Tolerances) -> None:
    """Print how often right records are found fault with."""
    counts = {False: [0, 0], True: [0, 0]}  # sentences and alarms, by whether it was cut off
    with_any, unclaimed = 0, 0
    offsets: list[float] = []
    told: Counter[str] = Counter()
    for call, _ in calls:
        right = await check(call.claims, call.recording, listener.hear, tolerances=limits)
        with_any += right.differs
        unclaimed += len(right.unclaimed)
        offsets += [abs(one.offset) for one in right.checked]
        for one in right.checked:
            counts[one.claim.cut_off][0] += 1
            counts[one.claim.cut_off][1] += bool(one.findings)
            if one.findings:
                told[f"{one.claim.text!r} was heard as {one.heard!r}: {one.findings}"] += 1
        told.update(f"unclaimed: {one.heard!r}" for one in right.unclaimed)
    for line, times in told.most_common():
        print(f"  {times:3d} x {line}")
    print(f"  false alarms, whole sentences    {share(counts[False][1], counts[False][0])}")
    print(f"  the same of sentences cut off    {share(counts[True][1], counts[True][0])}")
    print(f"  calls with any                   {share(with_any, len(calls))}")
    print(f"  voices that nothing is claimed of, in all  {unclaimed}")
    offsets.sort()
    p50, p99 = (offsets[int(len(offsets) * part)] for part in (0.5, 0.99))
    print(f"  offset, seconds                  p50 {p50:.3f}, p99 {p99:.3f}")


async def detections(calls: Sequence[Tried], listener: Listener, limits: Tolerances) -> None:
    """Print how often it is found that a record was made wrong."""
    for what, tamper in TAMPERS.items():
        draw, found, tried = random.Random(11), 0, 0
        for call, others in [*calls, *calls]:
            wrong = tamper(call, others, draw)
            if wrong is None:
                continue
            claims, where = wrong
            looked = await check(claims, call.recording, listener.hear, tolerances=limits)
            tried += 1
            found += found_at(looked, where)
        print(f"  found: {what:27s}{share(found, tried)}")


def piper_voice(name: str, sentences: Sequence[str], tts: piper.Synthesizer, suffix: str) -> Voice:
    """Return what the packaged voice says."""
    kept: dict[str, Audio] = {}

    async def say(text: str) -> Audio:
        if text not in kept:
            pieces = [p async for p in tts.speak(speakable(text, "en"), RATE)]
            kept[text] = at_rate([p for p in pieces if isinstance(p, Audio)], RATE)
        return kept[text]

    return Voice(name=name, sentences=sentences, say=say, suffix=suffix)


def person() -> Voice:
    """Return recorded speech."""
    names = {text: name for name, text in TRANSCRIPTS.items()}

    async def say(text: str) -> Audio:
        return load(names[text])

    return Voice(name="a person's recordings", sentences=list(names), say=say)


async def main() -> None:
    """Print it."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--choose", action="store_true")
    parser.add_argument("--calls", type=int, default=CALLS)
    options = parser.parse_args()
    speeds = (1.0,) if options.choose else (0.9, 1.15)
    voices = [piper.Synthesizer(piper.Synthesizer.Options(speed=one)) for one in speeds]
    stt = moonshine.Transcriber(moonshine.Transcriber.Options())
    await stt.start()
    for one in voices:
        await one.start()
    if options.choose:
        sets = [piper_voice("Piper, chosen on", CHOSEN, voices[0], ".flac")]
    else:
        sets = [
            piper_voice("Piper, slower, other sentences", REPORTED, voices[0], ".flac"),
            piper_voice("Piper, faster, by Opus", REPORTED, voices[1], ".opus"),
            person(),
        ]
    draw, listener = random.Random(5), Listener(stt)
    for voice in sets:
        calls = [(await made(voice, draw), voice.sentences) for _ in range(options.calls)]
        tried = [Tolerances()]
        if options.choose:
            tried += [Tolerances(missing=letters) for letters in (3, 5, 6)]
            tried += [Tolerances(alike=share) for share in (0.5, 0.7)]
        for limits in tried:
            print(f"\n{voice.name}; {limits}", flush=True)
            await alarms(calls, listener, limits)
            await detections(calls, listener, limits)
    await stt.aclose()
    for one in voices:
        await one.aclose()


if __name__ == "__main__":
    asyncio.run(main())
