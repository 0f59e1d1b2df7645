r"""Calls that a call screener answers, or a machine that begins like a person: whole, virtual time.

Run ``python -m tests.benchmarks.screeners --sounds DIR``, with the folder of
:mod:`tests.benchmarks.machines`. Each call goes over the lines of the simulator
to the voice detector, the screening and the turn-taking of a real call; only speech-to-text is a
stand-in, which knows what was said when, and tells it 0.4 s after a pause.

*Screeners* say a prompt, hear who calls, say "please stay on the line", ring, and then a person
says "hello?". The prompts are spoken by the local voice. ``chosen`` are those by which the words
were chosen, as they are published; ``unseen`` are others that no word was chosen by. *Late
machines* say "hello?", pause, and go on as Asterisk's voicemail does, in English, of the half that
nothing was chosen on; then they beep. *People* say "hello?", and after the greeting something
else.

With ``--recognized`` the words are those that the packaged recognizer makes of each sentence, heard
whole, as the line carries it; then ``--sounds`` is not needed, and no machines are called.
"""

from __future__ import annotations

import argparse
import asyncio
import logging
from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import structlog

from agent.call.screening import Screening, Screens
from agent.simulator.line import Kind
from agent.simulator.speech import spoken_turns
from pipelines.audio import SPEECH_RATE, Audio, at_rate
from pipelines.listening.detectors import DetectorSettings, NewDetector, detectors
from pipelines.providers import moonshine
from pipelines.providers.contracts import PlainTranscriptionSession, TranscriptionSession
from pipelines.stages.stt import FailoverTranscriber
from tests.agent.conversation import SCRIPT, Caller, Talk, talk, voice
from tests.benchmarks.machines import (
    KNOWN_AFTER,
    LINES,
    RATE,
    Samples,
    beep,
    carried,
    greetings,
    share,
)

CHOSEN = (
    "Hi, if you record your name and reason for calling, I'll see if this person is available.",
    "Hi, the person you're calling is using a screening service from Google, and will get a copy "
    "of this conversation. Go ahead and say your name, and why you're calling.",
    "Hi, I'm Call Assist by Google, recording this call for the person you're trying to reach. "
    "Before I try to connect you, can I ask what you're calling about?",
    "Hello. Calls to this number are being screened by Smart call blocker. Please say your name "
    "after the tone, then press pound.",
)
UNSEEN = (
    "Hello. Please state your name after the tone, and Google Voice will try to connect you.",
    "The person you are calling does not accept unidentified calls. Your caller ID was not "
    "received. To record your name so that your call can be announced, press two.",
    "Hi. Please state your name after the tone.",
    "The person you're calling has caller ID screening. Please state your name.",
    "I'm going to ask someone to let you in. Please state your name after the beep.",
    "Hello, I am the virtual assistant of this number. Who is calling, and what is it about?",
    "Who is calling? What company are you with? What is the reason for your call?",
    "Please record your name, and I will try to connect your call.",
)
WAITS = "Thanks. Please stay on the line."
HELLO = "Hello?"
PEOPLE = (
    "Yes, who is speaking, please?",
    "This is Ann. What is it about?",
    "I can't talk right now, I am driving.",
    "Sorry, what did you say your name was?",
    "Yes, tonight at eight, we are coming.",
    "Can I ask why you are calling me?",
    "One moment, please, I am just at the door.",
    "No, I am not interested, thank you.",
)
TOLD = "This is Linden Street Kitchen about your booking tonight."
MESSAGE = "Please call us back."


@dataclass(frozen=True, slots=True)
class Part:
    """Something that is heard, after a silence."""

    after: float
    """Seconds of silence before it."""

    sound: Samples
    text: str = ""


@dataclass
class Said:
    """Speech-to-text that knows what was said when; and the far end of a line, that says it."""

    parts: Sequence[Part]
    kind: Kind

    def __post_init__(self) -> None:
        self.words: list[tuple[float, str]] = []
        self.ends: list[float] = []
        at, sounds = 0.0, list[Samples]()
        for part in self.parts:
            at += part.after
            sounds += [np.zeros(round(part.after * RATE)), part.sound]
            every, seconds = part.text.split(), len(part.sound) / RATE
            for number, word in enumerate(every):
                self.words.append((at + seconds * (number + 0.5) / len(every), word))
            at += seconds
            self.ends.append(at)
        self.pcm = carried(np.concatenate(sounds), self.kind)

    async def start(self) -> None: ...
    async def warm(self) -> None: ...
    async def aclose(self) -> None: ...

    def open_session(self) -> TranscriptionSession:
        return PlainTranscriptionSession(self.transcribe)

    async def transcribe(self, speech: AsyncIterator[Audio]) -> str:
        seconds = 0.0
        async for audio in speech:
            seconds += audio.seconds
        end = asyncio.get_running_loop().time()
        await asyncio.sleep(KNOWN_AFTER)
        return " ".join(word for at, word in self.words if end - seconds - 0.1 <= at <= end)


class Line(Caller):
    """A caller whose end of the line was recorded before."""

    def __init__(self, pcm: bytes) -> None:
        super().__init__("")
        self.pcm = pcm

    async def receive(self) -> str | bytes | None:
        size = RATE // 25
        at = round(self._due / 0.02) * size
        self._due += 0.02
        await asyncio.sleep(max(0.0, self._due - asyncio.get_running_loop().time()))
        return self.pcm[at : at + size] or None


def held(said: Said, new: NewDetector) -> Talk:
    """Hold a call whose machine gets a message, and return it."""
    script = replace(SCRIPT, screener=TOLD, greeting="Hello, this is Linden Street Kitchen.")

    async def nobody() -> None: ...

    def ears(transcriber: FailoverTranscriber) -> Screening:
        screens = Screens(machine="message", message=MESSAGE)
        return Screening(screens, script, new(), transcriber, nobody)

    providers = voice((), ["I see."], stt=said)
    return talk(Line(said.pcm), providers, script=script, ears=ears, detector=new())


def found(done: Talk) -> list[str]:
    """Return who it was, one after the other."""
    return [line["answerer"] for line in done.notes.of("screened") if "why" in line]


def heard(done: Talk, text: str) -> list[dict[str, Any]]:
    """Return the lines of what was heard in full."""
    return [one for one in done.notes.of("agent") if one["text"] == text and not one["cut_off"]]


def screeners(new: NewDetector, kind: Kind, prompts: Sequence[Part], voices: Sequence[Part]) -> str:
    """Return how many were told who calls, and how many people were greeted then."""
    told, greeted = 0, 0
    waits, hello = voices
    for prompt in prompts:
        silence = Part(8.0, np.zeros(1))
        said = Said([prompt, replace(waits, after=8.0), replace(hello, after=6.0), silence], kind)
        done = held(said, new)
        introduced = heard(done, TOLD)
        right = bool(introduced) and introduced[0]["at"] >= said.ends[0] - 0.2
        told += right
        late = [one for one in heard(done, SCRIPT_GREETING) if one["at"] >= said.ends[2] - 0.2]
        greeted += right and bool(late) and late[0]["at"] <= said.ends[2] + 1.5
        if not right:
            print(f"{'':9}   wrong: {found(done)} {prompt.text[:60]!r}")
    return f"told {share(told, len(prompts))}; then greeted {share(greeted, len(prompts))}"


SCRIPT_GREETING = "Hello, this is Linden Street Kitchen."


def late_machines(new: NewDetector, kind: Kind, machines: Sequence[Part], hello: Part) -> str:
    """Return how many had the message after their beep, and nothing else once they were known."""
    random, known, right = np.random.default_rng(19), 0, 0
    for machine in machines:
        tone = Part(random.uniform(0.3, 1.5), beep(random))
        parts = [hello, replace(machine, after=0.9), tone, Part(9.0, np.zeros(1))]
        said = Said(parts, kind)
        done = held(said, new)
        known += found(done)[-1:] == ["machine"]
        messages = heard(done, MESSAGE)
        right += bool(messages) and 0 <= messages[0]["at"] - said.ends[2] + 0.05 <= 1.0
    after = f"message within 1 s of the beep {share(right, len(machines))}"
    return f"known {share(known, len(machines))}; {after}"


def people(new: NewDetector, kind: Kind, hello: Part, says: Sequence[Part]) -> str:
    """Return how many were taken for people throughout."""
    right = 0
    for one in says:
        done = held(Said([hello, replace(one, after=4.0), Part(5.0, np.zeros(1))], kind), new)
        right += set(found(done)) <= {"human", "unknown"}
        if not set(found(done)) <= {"human", "unknown"}:
            print(f"{'':9}   wrong: {found(done)} {one.text!r}")
    return f"taken for people {share(right, len(says))}"


def spoken(texts: Sequence[str], after: float = 0.6) -> list[Part]:
    """Return texts as the local voice says them."""
    turns = asyncio.run(spoken_turns(list(texts), RATE))
    sounds = [np.frombuffer(turn.audio.pcm, "<i2") / 32768 for turn in turns]
    return [Part(after, sound, text) for sound, text in zip(sounds, texts, strict=True)]


def recognized(parts: Sequence[Part], kind: Kind) -> list[Part]:
    """Return sentences with the words that the packaged recognizer makes of them on a line."""

    async def heard_all() -> list[Part]:
        transcriber = moonshine.Transcriber(moonshine.Transcriber.Options(threads=1))
        await transcriber.start()
        try:
            return [replace(one, text=await _text(transcriber, one.sound, kind)) for one in parts]
        finally:
            await transcriber.aclose()

    return asyncio.run(heard_all())


async def _text(transcriber: moonshine.Transcriber, sound: Samples, kind: Kind) -> str:
    around = np.zeros(RATE // 4)

    async def speech() -> AsyncIterator[Audio]:
        pcm = carried(np.concatenate([around, sound, around]), kind)
        yield at_rate([Audio(pcm, RATE)], SPEECH_RATE)

    return await transcriber.transcribe(speech())


def report(sounds: Path | None, *, with_recognizer: bool) -> None:
    """Print all of it."""
    new = detectors(DetectorSettings())
    machines = [
        Part(0.9, one.sound, one.text)
        for one in (greetings(sounds, choosing=False) if sounds is not None else ())
        if one.who == "voicemail" and one.language == "en"
    ]
    as_said = {"chosen": spoken(CHOSEN), "unseen": spoken(UNSEEN), "people": spoken(PEOPLE)}
    as_said["between"] = spoken([WAITS, HELLO])
    for kind in LINES:
        parts = as_said
        if with_recognizer:
            parts = {name: recognized(several, kind) for name, several in as_said.items()}
        waits, hello = parts["between"]
        for name in ("chosen", "unseen"):
            result = screeners(new, kind, parts[name], (waits, hello))
            print(f"{kind:9} screeners, {name}:", result)
        if machines:
            print(f"{kind:9} late machines:", late_machines(new, kind, machines, hello))
        print(f"{kind:9} people:", people(new, kind, hello, parts["people"]))


def main() -> None:
    """Print it."""
    parser = argparse.ArgumentParser(description=__doc__)
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(logging.ERROR))
    parser.add_argument("--sounds", type=Path, metavar="DIR")
    parser.add_argument("--recognized", action="store_true")
    options = parser.parse_args()
    if options.sounds is None and not options.recognized:
        parser.error("--sounds DIR, or --recognized")
    report(options.sounds, with_recognizer=options.recognized)


if __name__ == "__main__":
    main()
