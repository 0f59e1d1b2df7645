"""Whole calls by chance, in virtual time: never twice, never lost.

A schedule is made from a number: what the caller says, presses and when they hang up, what the
operator orders, how late each stage is and how it fails. Every word of either side is written into
its samples, so that what was heard can be read from the audio that a platform would have played,
and held against the transcript and what the model was told.

``python -m tests.agent.call.schedules 5000`` runs as many, and prints those that break a rule;
``--from 1234`` begins there.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import random
import struct
import sys
from collections import Counter
from collections.abc import AsyncGenerator, AsyncIterator, Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from itertools import accumulate
from math import ceil
from typing import Any

import structlog

from agent.call.call import Call
from agent.call.clock import TICK
from agent.call.orders import CallerMoved, CallerNotMoved, HangUp, Order, TransferCaller
from agent.call.transfer import Handover, TransferError
from agent.settings.calls import CallLimits, CallSettings
from agent.stream.channel import Channel
from agent.stream.connect import Connect
from agent.stream.protocol import StreamProtocol
from agent.stream.tap import NO_TAP, Tap
from pipelines.audio import SPEECH_RATE, Audio
from pipelines.clock import now
from pipelines.conversation import (
    END_CALL,
    GO_ON,
    PRESS_KEYS,
    TRANSFER_CALL,
    Brief,
    Destination,
    Message,
    ToolCall,
    ToolSpec,
)
from pipelines.listening.dtmf import tones
from pipelines.listening.echo import EchoGuard
from pipelines.providers.contracts import (
    Piece,
    PlainTranscriptionSession,
    ProviderError,
    Speech,
    Stage,
    Timing,
    TranscriptionSession,
)
from pipelines.stages.budgets import Budgets
from pipelines.stages.tts import usual
from pipelines.text.words import joined
from pipelines.tools.tool import CallInfo, Tool, ToolError
from pipelines.turn_taking.end_of_turn import ScriptedTurnModel
from pipelines.turn_taking.settings import TurnSettings
from tests.agent.conversation import SCRIPT, Notes, voice
from tests.virtual_time import run

FRAME = 0.020
SAMPLES = SPEECH_RATE // 50
SILENCE = bytes(2 * SAMPLES)
WORD_FRAMES = 10
"""Of a word of the caller; ours are as long as voices make them."""

GONE_WITHIN = 5.0
NOISE, UH_HUH = 1, 2
"""Values of sounds that are no words of the caller."""

FIRST_WORD = 10
"""The value of the first word; the others follow."""


MOST_LATE = 1.0
"""Seconds until what was heard stands on record."""


class BrokenRuleError(Exception):
    """What a call has done and must not."""


# Words as audio


def length(word: str) -> int:
    """Return the frames that a voice takes for a word: as long as voices are taken to speak."""
    return ceil(usual(word) / FRAME)


def frames_of(value: int, count: int = WORD_FRAMES) -> list[bytes]:
    """Return a word as frames: which word, and which frame of it, over and over."""
    return [struct.pack("<hh", 1000 + value, 500 + n) * (SAMPLES // 2) for n in range(count)]


def read_frame(frame: bytes) -> tuple[int, int] | None:
    """Return which word a frame is of, and which frame of it; None for silence and tones."""
    value, number = struct.unpack_from("<hh", frame)
    same = frame == struct.pack("<hh", value, number) * (SAMPLES // 2)
    return (value - 1000, number - 500) if same and value >= 1000 else None


class Vocabulary:
    """The words of the agent, each with its own audio."""

    def __init__(self) -> None:
        self.values: dict[str, int] = {}
        self.words: list[str] = []

    def value(self, word: str) -> int:
        if word not in self.values:
            self.values[word] = len(self.words)
            self.words.append(word)
        return self.values[word]


def letters(number: int) -> str:
    """Return a number as letters, which are read out as they are written."""
    return "".join(chr(ord("a") + int(digit)) for digit in f"{number:03d}")


# What is going to happen


@dataclass(frozen=True, slots=True)
class Trouble:
    """How one request to a provider goes."""

    delay: float
    gap: float = 0.0
    """Seconds between two words; a word that a voice says takes about half of one."""

    fault: str = ""
    """"", "fails", "hangs", "breaks" or "stalls" after a part."""


ORDERS: tuple[Order, ...] = (
    HangUp(goodbye=True),
    HangUp(goodbye=False),
    TransferCaller(to="desk", announcement="You are passed on now."),
    CallerMoved(stay=True),
    CallerMoved(stay=False),
    CallerNotMoved(),
)


@dataclass
class Schedule:
    """What will happen in one call, by its number."""

    number: int
    frames: list[bytes | None] = field(default_factory=list)
    """Of the caller, 20 ms each; None is a frame that does not come."""

    said: list[tuple[float, int]] = field(default_factory=list)
    """Words that the caller says, with when they begin."""

    pressed: list[tuple[float, str]] = field(default_factory=list)
    orders: list[tuple[float, Order]] = field(default_factory=list)
    story: list[str] = field(default_factory=list)
    sounds: bool = False
    """Whether the caller makes any that are no words."""

    telling: list[bool] = field(default_factory=list)
    """Of each voice, whether it tells when its words end."""

    def __post_init__(self) -> None:
        self.chance = random.Random(self.number)
        chance = self.chance
        self.calm_ears = chance.random() < 0.6
        self.calm_voice = chance.random() < 0.5
        self.calm_mind = chance.random() < 0.5
        self.telling = [chance.random() < 0.3 for _ in range(2)]
        self.settings = CallSettings(
            turns=TurnSettings(
                drafting=chance.random() < 0.8,
                rewind_after=3600.0,
                filler_after=chance.choice([0.5, 1.0, 2.0]),
                tool_filler_after=chance.choice([0.3, 1.0]),
                max_drafts=chance.choice([1, 6]),
                keys_after=chance.choice([0.3, 2.0]),
            ),
            calls=CallLimits(max_utterance=chance.choice([5.0, 60.0])),
        )
        self.script = replace(
            SCRIPT,
            greeting="Hello and welcome to the house of the words. Who is it?",
            greeting_interruptible=chance.random() < 0.8,
            numbers={"desk": "+15550000002"},
            brief=Brief(
                goodbye="Bye.",
                destinations=(Destination(name="desk"),),
                may_press_keys=True,
            ),
        )
        self._write()

    def _write(self) -> None:
        chance = self.chance
        weights = {self._say: 8, self._quieten: 9, self._noise: 1, self._uh_huh: 2, self._press: 2}
        parts = {**weights, self._stall: 0.5}
        for _ in range(chance.randint(2, 14)):
            part = chance.choices(list(parts), list(parts.values()))[0]
            self.story.append(f"{self.seconds:.2f} {part.__name__.strip('_')}")
            part()
            self._quiet(chance.choice([0.1, 0.3, 0.6, 1.0, 2.0, 4.0, 7.0]))
        for _ in range(chance.choice([0, 0, 0, 1, 2])):
            order = chance.choice(ORDERS)
            self.orders.append((chance.uniform(0.3, self.seconds), order))
            self.story.append(f"{self.orders[-1][0]:.2f} {order}")
        if chance.random() < 0.3:  # a hang-up at any moment
            self.frames = self.frames[: chance.randint(1, len(self.frames))]

    def _say(self) -> None:
        for _ in range(self.chance.choice([1, 1, 2, 3, 5, 9])):
            word = FIRST_WORD + len(self.said)
            self.said.append((self.seconds, word))
            self.frames += frames_of(word)
            if self.chance.random() < 0.2:
                self._quiet(self.chance.choice([0.1, 0.2, 0.4]))

    def _noise(self) -> None:
        self.sounds = True
        self.frames += frames_of(NOISE, self.chance.randint(5, 20))

    def _uh_huh(self) -> None:
        self.sounds = True
        self.frames += frames_of(UH_HUH, self.chance.randint(8, 16))

    def _press(self) -> None:
        key, size = self.chance.choice("0123456789*#"), len(SILENCE)
        self.pressed.append((self.seconds, key))
        pcm = tones(key, SPEECH_RATE)
        cut = [pcm[at : at + size] for at in range(0, len(pcm), size)]
        self.frames += [piece.ljust(size, b"\0") for piece in cut]

    def _stall(self) -> None:
        self.frames += [None] * self.chance.randint(5, 100)

    def _quieten(self) -> None:
        self._quiet(self.chance.choice([0.1, 1.0, 5.0]))

    def _quiet(self, seconds: float) -> None:
        self.frames += [SILENCE] * round(seconds / FRAME)

    @property
    def seconds(self) -> float:
        return len(self.frames) * FRAME

    def trouble(self, calm: bool) -> Trouble:
        """Return how the next request goes."""
        chance = self.chance
        if calm:
            return Trouble(chance.choice([0.0, 0.1, 0.3, 0.8]))
        return Trouble(
            chance.choice([0.0, 0.1, 0.3, 0.8, 1.5, 2.5]),
            chance.choice([0.0, 0.0, 0.05, 0.3, 0.6]),
            chance.choices(["", "fails", "hangs", "breaks", "stalls"], [8, 1, 1, 1, 1])[0],
        )


# The stages


class Stand:
    """What the stages share."""

    Options = None
    stage: Stage

    def __init__(self, world: World) -> None:
        self._world = world

    async def start(self) -> None: ...

    async def aclose(self) -> None: ...

    async def warm(self) -> None: ...

    async def _strike(self, trouble: Trouble, fails: str, hangs: str) -> None:
        if trouble.fault == fails:
            raise ProviderError(self.stage, "by chance")
        if trouble.fault == hangs:
            await asyncio.Event().wait()


class Ears(Stand):
    """Reads the words from the samples."""

    stage = "stt"

    def open_session(self) -> TranscriptionSession:
        return PlainTranscriptionSession(self.transcribe)

    async def transcribe(self, speech: AsyncIterator[Audio]) -> str:
        trouble = self._world.schedule.trouble(self._world.schedule.calm_ears)
        await self._strike(trouble, "fails", "hangs")
        count: Counter[int] = Counter()
        async for piece in speech:
            for at in range(0, len(piece.pcm), len(SILENCE)):
                read = read_frame(piece.pcm[at : at + len(SILENCE)])
                if read is not None:
                    count[read[0]] += 1
        await asyncio.sleep(min(trouble.delay, 1.0))
        await self._strike(trouble, "breaks", "stalls")
        words = [
            f"w{value}" for value, frames in count.items() if value >= FIRST_WORD and frames >= 5
        ]
        if words:
            return " ".join(words)
        if count[UH_HUH]:
            return "Mm-hm."
        return self._world.schedule.chance.choice([".", "[BLANK_AUDIO]", ""])


class Mind(Stand):
    """Answers each message with its own sentences, the same each time that it is asked."""

    stage = "llm"

    async def reply(
        self, brief: Brief, conversation: Sequence[Message]
    ) -> AsyncGenerator[Piece, None]:
        world = self._world
        trouble = world.schedule.trouble(world.schedule.calm_mind)
        await self._strike(trouble, "fails", "hangs")
        await asyncio.sleep(trouble.delay)
        asked = [m for m in conversation if m.role == "user" and m.text != GO_ON]
        got = any(m.results for m in conversation[conversation.index(asked[-1]) :])
        words, call = world.answer(asked[-1].text, len(asked), after_tools=got)
        for number, word in enumerate(words):
            yield word + " "
            await asyncio.sleep(trouble.gap)
            if number == len(words) // 2:
                await self._strike(trouble, "breaks", "stalls")
        if call is not None and brief.may_call_tools:
            yield call


class Voice(Stand):
    """Writes each word into its samples, some in two pieces.

    Args:
        world: Where it speaks.
        telling: Whether it tells when its words end.
    """

    stage = "tts"

    def __init__(self, world: World, *, telling: bool) -> None:
        super().__init__(world)
        self._telling = telling

    async def speak(self, text: str, rate: int = SPEECH_RATE) -> AsyncGenerator[Speech, None]:
        world = self._world
        trouble = world.schedule.trouble(world.schedule.calm_voice)
        words = text.split()
        world.asked(words)
        await self._strike(trouble, "fails", "hangs")
        await asyncio.sleep(trouble.delay)
        pieces = self._pieces(words)
        breaks_at = world.schedule.chance.randrange(len(pieces)) if trouble.fault else -1
        if self._telling:
            lengths = [length(word) * FRAME for word in words]
            yield Timing(tuple(accumulate(lengths)))
        for number, (word, frames) in enumerate(pieces):
            if number == breaks_at:
                await self._strike(trouble, "breaks", "stalls")
            yield Audio(b"".join(frames), SPEECH_RATE)
            await asyncio.sleep(trouble.gap * len(frames) / length(word))
        world.whole |= dict.fromkeys(words, now())

    def _pieces(self, words: Sequence[str]) -> list[tuple[str, list[bytes]]]:
        """Return the audio piece by piece: of which word, and its frames."""
        pieces: list[tuple[str, list[bytes]]] = []
        for word in words:
            frames = frames_of(self._world.vocabulary.value(word), length(word))
            half = len(frames) // 2 if self._world.schedule.chance.random() < 0.5 else 0
            pieces += [(word, frames[:half])] if half else []
            pieces.append((word, frames[half:]))
        return pieces


@dataclass
class Far:
    """The platform, and the caller behind it."""

    schedule: Schedule
    received: list[tuple[float, str | bytes]] = field(default_factory=list)
    closed: tuple[float, int] | None = None
    gone_at: float | None = None
    _at: int = 0

    async def receive(self) -> str | bytes | None:
        frames = self.schedule.frames
        while self._at < len(frames) and frames[self._at] is None:
            self._at += 1
        await asyncio.sleep(max(0.0, (self._at + 1) * FRAME - now()))
        if self._at >= len(frames):
            self.gone_at = now()
            return None
        self._at += 1
        return frames[self._at - 1]

    async def send(self, message: str | bytes) -> None:
        if self.closed is not None:
            raise BrokenRuleError("something is sent on a line that we have closed")
        self.received.append((now(), message))
        await asyncio.sleep(0)

    async def close(self, code: int, reason: str = "") -> None:
        self.closed = self.closed or (now(), code)

    def heard(self) -> Iterator[tuple[float, bytes]]:
        """Yield the frames that were played to their end, with when they began."""
        queue: list[tuple[float, bytes]] = []
        ends = 0.0
        until = self.gone_at if self.gone_at is not None else (self.closed or (0.0,))[0]
        for at, message in [*self.received, (until, "")]:
            while queue and queue[0][0] + FRAME <= at + 1e-6:
                yield queue.pop(0)
            if isinstance(message, bytes):  # of one frame or, once a lead stands, of several
                for start in range(0, len(message), len(SILENCE)):
                    begins = max(at, ends)
                    queue.append((begins, message[start : start + len(SILENCE)]))
                    ends = begins + FRAME
            elif "clear" in message:
                queue, ends = [], at


class TimedNotes(Notes):
    """A journal that knows when each line was written."""

    def add(self, kind: str, **fields: object) -> None:
        self.lines.append({"kind": kind, "written": now(), **fields})


@dataclass
class World:
    """One call, while it lasts and afterwards."""

    schedule: Schedule
    vocabulary: Vocabulary = field(default_factory=Vocabulary)
    notes: TimedNotes = field(default_factory=TimedNotes)
    begun: set[str] = field(default_factory=set)
    """The last words of the sentences that a voice was asked for."""

    again: set[str] = field(default_factory=set)
    """Words at which the next voice was asked to go on: half of them may have been said."""

    whole: dict[str, float] = field(default_factory=dict)
    """Words of sentences of which it is known that no more of them comes, and since when."""

    answers: dict[tuple[str, int, bool], tuple[list[str], ToolCall | None]] = field(
        default_factory=dict
    )
    runs: Counter[str] = field(default_factory=Counter)
    returned_at: float = 0.0
    sentences: int = 0
    tap: Tap = NO_TAP
    """Told of what passes on the channel."""

    def answer(
        self, text: str, turn: int, *, after_tools: bool
    ) -> tuple[list[str], ToolCall | None]:
        """Return the words of the answer, and what it asks for."""
        key = (text, turn, after_tools)
        if key not in self.answers:
            chance, words = random.Random(f"{self.schedule.number} {key}"), list[str]()
            for _ in range(chance.randint(1, 3)):
                self.sentences += 1
                count = chance.randint(2, 9)
                name = letters(self.sentences)
                sentence = [f"q{name}{chr(ord('a') + n)}" for n in range(count)]
                sentence[0] = sentence[0].capitalize()
                words += [*sentence[:-1], sentence[-1] + "."]
            call: ToolCall | None = None
            if not after_tools:
                what = chance.choices(
                    ["", "keep", "cancel", "desk", "end", "press"], [9, 2, 2, 1, 0.7, 0.5]
                )[0]
                first = str(turn) if text.startswith("Keypad") else text.partition(" ")[0]
                match what:
                    case "keep" | "cancel":
                        call = ToolCall(what, {"of": first})
                        words = words if chance.random() < 0.5 else []
                    case "desk":
                        call = ToolCall(TRANSFER_CALL, {"to": "desk"})
                    case "end":
                        call = ToolCall(END_CALL)
                    case "press":
                        call = ToolCall(PRESS_KEYS, {"keys": "12"})
            self.answers[key] = words, call
        return self.answers[key]

    def asked(self, words: Sequence[str]) -> None:
        """Note what a voice is asked for, when perhaps another has begun with it."""
        self.again |= {words[0]} if words[-1] in self.begun else set()
        self.begun.add(words[-1])

    @property
    def tools(self) -> list[Tool]:
        """One that is finished in any case, and one that is not."""
        schema = {"type": "object", "properties": {"of": {"type": "string"}}}

        def made(name: Any) -> Tool:
            async def body(arguments: Mapping[str, Any], about: CallInfo) -> str:
                run = f"{name} {arguments['of']}"
                self.runs[run] += name == "keep"
                await asyncio.sleep(self.schedule.chance.choice([0.0, 0.5, 2.0, 6.0]))
                self.runs[run] += name == "cancel"
                if self.schedule.chance.random() < 0.1:
                    raise ToolError("by chance")
                return "done"

            spec = ToolSpec(name=name, description="Do it.", parameters=schema)
            return Tool(spec=spec, run=body, timeout=9.0, on_barge_in=name)

        return [made("keep"), made("cancel")]

    async def move(self, _handover: Handover) -> None:
        """Dial somebody, who answers or not."""
        chance, loop = self.schedule.chance, asyncio.get_running_loop()
        await asyncio.sleep(chance.choice([0.05, 0.5, 12.0]))
        if chance.random() < 0.3:
            raise TransferError("by chance")
        then = chance.choice(ORDERS[-3:])
        loop.call_later(chance.choice([0.1, 1.0, 4.0]), self._order, then)

    def _order(self, order: Order) -> None:
        if self.far.closed is None:
            self.call.obey(order)

    async def main(self) -> None:
        """Hold the call."""
        schedule = self.schedule
        protocol = StreamProtocol()
        connect = protocol.receive(
            json.dumps({"command": "connect", "callId": "c1", "sampleRate": SPEECH_RATE})
        )
        assert isinstance(connect, Connect)
        protocol.answer()
        self.far = Far(schedule)
        providers = voice(
            stt=[Ears(self), Ears(self)],
            llm=[Mind(self), Mind(self)],
            tts=[Voice(self, telling=telling) for telling in schedule.telling],
            budgets=Budgets(patience=1.0, transcript=2.0),
        )
        channel = Channel(self.far, protocol, SPEECH_RATE, self.tap)
        self.call = Call(
            channel=channel,
            lineup=providers.lineup(),
            script=schedule.script,
            detector=Words(),
            turn_model=ScriptedTurnModel([0.01, 0.5, 0.99] * 9, delay=0.1),
            journal=self.notes,
            settings=schedule.settings,
            mover=self.move,
            tools=self.tools,
            about=CallInfo(call_id=connect.call_id),
        )
        # Both sides speak in the same codes here: what listens is not told what was sent.
        channel.echo = EchoGuard(SPEECH_RATE)
        timers = [
            asyncio.get_running_loop().call_later(at, self._order, order)
            for at, order in schedule.orders
        ]
        self.ended = await self.call.run()
        self.returned_at = now()
        for timer in timers:
            timer.cancel()


class Words:
    """A voice detector for such audio; tones and silence are no voice."""

    def voiced(self, frame: bytes) -> bool:
        return read_frame(frame) is not None


# The rules


def check(world: World) -> None:
    """Hold what was heard against what is on record.

    Raises:
        BrokenRuleError: If they differ, with what does.
    """
    for rule in RULES:
        if wrong := rule(world):
            raise BrokenRuleError(f"{rule.__name__}: {wrong}")


def words_heard(world: World) -> dict[str, list[tuple[float, int]]]:
    """Return for each word of ours when which of its frames was heard."""
    heard: dict[str, list[tuple[float, int]]] = {}
    for at, frame in world.far.heard():
        read = read_frame(frame)
        if read is not None:
            heard.setdefault(world.vocabulary.words[read[0]], []).append((at, read[1]))
    return heard


def ours(word: str) -> bool:
    """Return whether a word is of an answer, and so is said once in a call."""
    return word[:1] in "qQ" and word.rstrip(".") != word[:1]


def recorded(world: World) -> list[str]:
    return [word for line in world.notes.of("agent") for word in line["text"].split()]


def nothing_is_said_twice(world: World) -> str:
    """Every frame of an answer is heard once, and in order; half a word may be said anew."""
    for word, frames in words_heard(world).items():
        numbers, takes = [number for _, number in frames], list[int]()
        for number in numbers:
            takes = [*takes, 0] if number == 0 else takes
            if ours(word) and (not takes or number != takes[-1]):
                return f"{word}: frames {numbers} at {frames[0][0]:.2f}"
            takes[-1:] = [number + 1]
        halves = takes[:-1] if word in world.again else []
        if ours(word) and (len(takes) > len(halves) + 1 or length(word) in halves):
            return f"{word}: frames {numbers} at {frames[0][0]:.2f}"
    return ""


def no_word_is_kept_that_was_not_heard(world: World) -> str:
    heard = words_heard(world)
    for word in recorded(world):
        frames = {number for _, number in heard.get(word, ())}
        if ours(word) and len(frames) < length(word):
            return f"{word}: {len(frames)} frames were heard"
    return ""


def no_sentence_is_lost_that_was_heard(world: World) -> str:
    heard, kept = words_heard(world), Counter(recorded(world))
    edges = [line["written"] for line in world.notes.of("agent")]
    edges += [world.far.closed[0]] if world.far.closed is not None else []

    def surely(word: str) -> bool:
        """Return whether a word was heard, and known to be the last, not just when it was cut."""
        if len({number for _, number in heard.get(word, ())}) < length(word):
            return False
        times = (heard[word][-1][0] + FRAME, world.whole.get(word, edges[-1]))
        return not any(abs(edge - at) < 1.5 * FRAME for edge in edges for at in times)

    for sentence in sentences(world):
        whole = all(map(surely, sentence))
        if whole and (missing := [word for word in sentence if not kept[word]]):
            return f"{missing} of {sentence}"
        if twice := [word for word in sentence if kept[word] > 1]:
            return f"{twice} twice"
    return ""


def sentences(world: World) -> Iterator[list[str]]:
    """Yield all sentences that the model has for the asking."""
    for words, _ in world.answers.values():
        sentence: list[str] = []
        for word in words:
            sentence.append(word)
            if word.endswith("."):
                yield sentence
                sentence = []


def record_and_model_agree(world: World) -> str:
    role = {"caller": "user", "agent": "assistant"}
    lines = [
        (role[line["kind"]], line["text"])
        for line in world.notes.lines
        if line["kind"] in role and line["text"]
    ]
    # What was not heard of a greeting is told, too, and is no line of what was said.
    messages = world.call.history.conversation
    told = [(m.role, m.text) for m in messages if not m.results and (m.text or not m.unheard)]
    return "" if lines == told else f"record {lines}, model {told}"


def nothing_follows_a_reply_that_is_over(world: World) -> str:
    """Once a reply was cut off, no audio of its sentences leaves."""
    sentence_of = {
        word: number for number, (words, _) in enumerate(world.answers.values()) for word in words
    }
    for line in world.notes.of("agent"):
        over = {sentence_of.get(word) for word in line["text"].split()} - {None}
        for at, message in world.far.received:
            if isinstance(message, bytes) and at > line["written"] + 1e-6:
                read = read_frame(message)
                word = world.vocabulary.words[read[0]] if read is not None else ""
                if line["cut_off"] and sentence_of.get(word) in over:
                    return f"{word} at {at:.2f}, after {line['written']:.2f}"
    return ""


def a_tool_runs_once(world: World) -> str:
    if many := {what: count for what, count in world.runs.items() if count > 1}:
        return str(many)  # one that was cancelled may be begun again, and is not counted
    results = [
        (result.call.name, result.call.arguments.get("of"))
        for message in world.call.history.conversation
        for result in message.results
        if result.call.name in ("keep", "cancel")
    ]
    done = {
        (line["name"], line["arguments"].get("of"))
        for line in world.notes.of("tool")
        if line["status"] != "cancelled"
    }
    missing = done ^ set(results)
    return f"record and model differ in {missing}" if missing else ""


def away_since(world: World) -> float:
    done = [line["at"] for line in world.notes.of("transfer") if line["status"] == "done"]
    moved = [at for at, order in world.schedule.orders if isinstance(order, CallerMoved)]
    return min([*done, *moved], default=1e9)


def the_caller_is_heard_once(world: World) -> str:
    """All that they said and pressed, in order, and nothing twice."""
    schedule, end = world.schedule, (world.far.closed or (0.0, 0))[0]
    until = min(end, away_since(world) - 3.0)  # what is not known by then is of no use to anybody
    kept = [word for line in world.notes.of("caller") for word in line["text"].split()]
    words = [int(word[1:]) for word in kept if word.startswith("w")]
    if words != sorted(set(words)):
        return f"twice, or out of order: {words}"
    stt_failed = any(line["stage"] == "stt" for line in world.notes.of("failed"))
    endless = schedule.settings.calls.max_utterance < 10  # the rest of it is not listened to
    if not (stt_failed or endless) and schedule.calm_ears:
        spoken = [v for at, v in schedule.said if at + WORD_FRAMES * FRAME + 0.05 < until]
        if lost := [value for value in spoken if value not in words]:
            return f"lost: {lost}"
    keys = "".join(
        line["text"].removeprefix("Keypad: ")
        for line in world.notes.of("caller")
        if line["text"].startswith("Keypad: ")
    )
    pressed = "".join(key for at, key in schedule.pressed if at + 0.2 < until)
    if not keys.startswith(pressed):
        return f"pressed {pressed}, kept {keys}"
    return ""


def lines_say_when_the_caller_spoke(world: World) -> str:
    began = {f"w{value}": at for at, value in world.schedule.said}
    for line in world.notes.of("caller"):
        first = line["text"].split()[0]
        early = 99.0 if world.schedule.sounds else 0.05  # a sound before the words is with them
        if first in began and not -early <= line["at"] - began[first] <= 0.2:
            return f"{first} was said at {began[first]:.2f}, and stands at {line['at']}"
    return ""


def the_call_is_gone_in_time(world: World) -> str:
    far = world.far
    if far.closed is None:
        return "the line was never closed"
    if far.gone_at is not None and far.closed[0] - far.gone_at > 0.2:
        return f"hung up at {far.gone_at}, closed at {far.closed[0]}"
    after = world.returned_at - far.closed[0]
    return f"{after:.1f} s after its end" if after > GONE_WITHIN else ""


def the_record_has_an_end(world: World) -> str:
    kinds = [line["kind"] for line in world.notes.lines]
    return "" if kinds[-1:] == ["ended"] and kinds.count("ended") == 1 else str(kinds[-3:])


def turns_are_numbered_without_a_hole(world: World) -> str:
    numbers = list(dict.fromkeys(line["turn"] for line in world.notes.lines if "turn" in line))
    if sorted(numbers) != list(range(1, len(numbers) + 1)):
        return str(numbers)
    callers = [line["turn"] for line in world.notes.of("caller")]
    return f"two of one turn: {callers}" if len(set(callers)) < len(callers) else ""


def what_was_heard_piece_by_piece_is_what_was_heard(world: World) -> str:
    """And no piece is put down later than a second after its last word was known to be heard."""
    heard: dict[int, list[str]] = {}
    told = [line["written"] for line in world.notes.of("failover")]  # how much a voice had said
    for line in world.notes.lines:
        if line["kind"] == "heard":
            heard.setdefault(line["turn"], []).append(line["text"])
            late = line["written"] - line["until"]
            news = any(0 <= line["written"] - at <= TICK for at in told)
            if line["at"] > line["until"] or not (-1e-3 <= late <= MOST_LATE or news):
                return f"late: {line}"
        if line["kind"] == "agent":
            pieces = heard.pop(line["turn"], [])
            if joined(pieces) != line["text"]:
                return f"{pieces} is not {line['text']!r}"
    return f"never summed up: {heard}" if heard else ""


def made_is_heard_or_unheard(world: World) -> str:
    """Each word of an answer that a voice was asked for stands in one of the two."""
    for line in world.notes.of("agent"):
        words = f"{line['text']} {line.get('unheard', '')}".split()
        if many := [word for word, n in Counter(words).items() if ours(word) and n > 1]:
            return f"{many} is heard and is not: {line}"
        for sentence in sentences(world):
            if 0 < sum(word in words for word in sentence) < len(sentence):
                return f"{sentence} is there in part: {line}"
    return ""


ORDER = ("transcript", "first_token", "first_sentence", "first_audio", "heard")


def times_of_a_turn_are_in_order(world: World) -> str:
    turns = {line["turn"]: line for line in world.notes.of("caller")}
    for line in world.notes.of("timing"):
        for order in (("speech_end", "decided", "heard"), ORDER):
            known = [line[name] for name in order if name in line]
            if known != sorted(known):
                return str(line)
        caller = turns.get(line["turn"])
        if caller and not caller["at"] <= caller["until"] == line["speech_end"]:
            return f"{caller}, {line}"
    return ""


def every_hold_has_an_end(world: World) -> str:
    held = 0.0
    for line in world.notes.lines:
        match line["kind"]:
            case "held":
                if held:
                    return f"held twice: {held}, {line['written']}"
                held = line["written"]
            case "resumed" if abs(line["after"] - (line["written"] - held)) > 2e-3:
                return f"{line} after {held}"
            case "resumed" | "barge_in" | "transfer" | "ended":
                held = 0.0
    return ""


def a_caller_who_is_heard_says_what_ended_the_turn(world: World) -> str:
    for line in world.notes.of("caller"):
        by = line["decided"]["by"]
        if line["text"].startswith("Keypad") and by not in ("keys", "hang-up"):
            return str(line)
        if by == "silence" and not 0.1 <= line["decided"]["silence"] <= 5.0:
            return str(line)
    return ""


RULES: tuple[Callable[[World], str], ...] = (
    the_call_is_gone_in_time,
    the_record_has_an_end,
    nothing_is_said_twice,
    no_word_is_kept_that_was_not_heard,
    no_sentence_is_lost_that_was_heard,
    record_and_model_agree,
    nothing_follows_a_reply_that_is_over,
    a_tool_runs_once,
    the_caller_is_heard_once,
    lines_say_when_the_caller_spoke,
    turns_are_numbered_without_a_hole,
    what_was_heard_piece_by_piece_is_what_was_heard,
    made_is_heard_or_unheard,
    times_of_a_turn_are_in_order,
    every_hold_has_an_end,
    a_caller_who_is_heard_says_what_ended_the_turn,
)


def hold(number: int) -> World:
    """Hold the call of a number, and check it.

    Raises:
        BrokenRuleError: If it breaks a rule.
        ExceptionGroup: If there is a bug.
    """
    world = World(Schedule(number))
    run(world.main())
    check(world)
    return world


def show(number: int) -> None:
    """Print what happens in the call of a number."""
    world = World(Schedule(number))
    try:
        run(world.main())
    finally:
        print(*world.schedule.story, world.schedule.said, sep="\n")
        commands = [
            {"written": at, "command": message}
            for at, message in world.far.received
            if isinstance(message, str)
        ]
        lines = sorted([*world.notes.lines, *commands], key=lambda line: line["written"])
        print(*(line for line in lines if line.get("kind") != "usage"), sep="\n")
        print("hung up", world.far.gone_at, "closed", world.far.closed)
    check(world)


def main() -> int:
    """Run many, and print those that break a rule."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("count", type=int, nargs="?", default=1000)
    parser.add_argument("--from", dest="first", type=int, default=0)
    parser.add_argument("--show", action="store_true")
    given = parser.parse_args()
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(50))
    if given.show:
        show(given.first)
    broken = 0
    for number in range(given.first, given.first + given.count):
        try:
            hold(number)
        except (BrokenRuleError, ExceptionGroup, AssertionError, RuntimeError) as error:
            broken += 1
            print(number, describe(error))
    print(f"{given.count} calls, {broken} break a rule")
    return bool(broken)


def describe(error: BaseException) -> str:
    """Return an error with what is in it, on one line."""
    if isinstance(error, BaseExceptionGroup):
        return "; ".join(describe(one) for one in error.exceptions)
    return f"{type(error).__name__}: {error}"[:300]


if __name__ == "__main__":
    sys.exit(main())
