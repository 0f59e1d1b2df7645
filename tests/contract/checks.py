"""What every adapter must do: each check states one fact, and is named after it."""

from __future__ import annotations

import asyncio
import random
import re
from collections.abc import (
    AsyncGenerator,
    AsyncIterator,
    Awaitable,
    Callable,
    Coroutine,
    Iterable,
    Sequence,
)
from contextlib import AsyncExitStack, aclosing, asynccontextmanager, suppress
from dataclasses import dataclass, replace
from functools import partial
from typing import Any, Literal

import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from pipelines.audio import Audio
from pipelines.conversation import Message, Tokens, ToolCall, ToolResult
from pipelines.providers.contracts import ProviderError, Stage, Timing, TranscriptionSession
from tests.own_time import now

from .bench import (
    AT_ONCE,
    BRIEF,
    CALLS,
    HANGS,
    KEY,
    PATIENCE,
    RESULT_WORDS,
    TEXT,
    Bench,
    Result,
    Spoken,
    TooSlowError,
    Trial,
    cancel,
    deadline,
    fault_in,
    speech,
    words,
)
from .case import Fault, Plan
from .fields import How, Names, Without
from .proxy import GOOD, SLOW, SPLIT, TRICKLE, Break, Line

Ask = Callable[[Trial], Coroutine[Any, Any, None] | None]


@dataclass(frozen=True, slots=True, kw_only=True)
class Check:
    """One thing that is asked of adapters."""

    name: str
    stages: tuple[Stage, ...]
    ask: Ask


CHECKS: list[Check] = []
"""All of them, in the order of this file."""

ALL: tuple[Stage, ...] = ("stt", "llm", "tts")


def check(*stages: Stage, **each: Iterable[Any]) -> Callable[[Any], Any]:
    """Make a function a check of ``stages`` (all if none is named), once for each value."""

    def add(function: Any) -> Any:
        asked = [(function.__name__, function)]
        for parameter, values in each.items():
            asked = [
                (f"{name}-{value}", partial(ask, **{parameter: value}))
                for name, ask in asked
                for value in values
            ]
        CHECKS.extend(Check(name=n, stages=stages or ALL, ask=ask) for n, ask in asked)
        return function

    return add


LONG = "Another word, and another. " * 2000
"""A reply that no buffer between server and adapter holds whole."""

LONG_SECONDS = 80.0
"""As much audio, even at 8 kHz."""


def _long() -> Plan:
    """Return a plan whose answer is still being sent when its first result has arrived."""
    return Plan(text=LONG, seconds=LONG_SECONDS)


# It works.


@check()
async def works(trial: Trial) -> None:
    """It gives what the server gave, on a fresh connection and on a used one."""
    async with trial.bench() as bench:
        await bench.works()
        await bench.works()


@check(line=("split", "slow", "trickle"))
async def works_on_a_bad_line(trial: Trial, line: str) -> None:
    """However what the server sends is cut and delayed, the result is the same."""
    async with trial.bench() as bench:
        bench.proxy.line = {"split": SPLIT, "slow": SLOW, "trickle": TRICKLE}[line]
        await bench.works()


@check("llm", "tts")
async def comes_promptly(trial: Trial) -> None:
    """The first result is here while the server has most of the answer still to send."""
    async with trial.bench(Plan(text=" ".join([TEXT] * 5))) as bench:
        bench.proxy.line = TRICKLE
        first, whole = await _bytes(bench)
        assert first < whole * 0.6, f"first result after {first} of {whole} bytes"


@check()
async def connections_are_kept(trial: Trial) -> None:
    """One request after the other opens no new connection; one call's session opens one at most."""
    async with trial.bench() as bench:
        if trial.case.stage == "stt":
            async with hearing(bench) as session:
                await _hear_another(bench, session)
                opened = bench.proxy.opened
                await _hear_another(bench, session)
        else:
            await bench.works()
            opened = bench.proxy.opened
            await bench.works()
        assert bench.proxy.opened == opened, "connections are not used again"


@check()
async def requests_at_once_are_apart(trial: Trial) -> None:
    """Requests that run at the same time on one provider each get their own result."""
    async with trial.bench() as bench:
        bench.proxy.line = TRICKLE
        plans, running = [], []
        for number in range(6):
            bench.plan.text = f"{TEXT} And that is number {number}, if you do not mind."
            bench.plan.seconds = 0.5 + number / 10
            plans.append(replace(bench.plan))
            running.append(bench.start())
            await bench.served(number + 1)
        async with deadline():
            await asyncio.gather(*(task for task, _ in running))
        for plan, (_, outcome) in zip(plans, running, strict=True):
            assert outcome.error is None, str(outcome.error)
            assert (wrong := fault_in(trial.case.stage, plan, outcome.results)) is None, wrong


# Connections break.


async def _bytes(bench: Bench) -> tuple[int, int]:
    """Return how many bytes of an answer come until its first result, and in all."""
    begun, first = bench.proxy.downloaded, 0
    task, outcome = bench.start()
    while not task.done():
        if outcome.results and not first:
            first = bench.proxy.downloaded - begun
        await asyncio.sleep(0)
    await task
    whole = bench.proxy.downloaded - begun
    return first or whole, whole


async def _places(trial: Trial) -> list[int]:
    """Return after how many bytes of an answer a line is to break: from none to nearly all."""
    async with trial.bench() as bench:
        bench.proxy.line = replace(TRICKLE, gap=0)
        first, whole = await _bytes(bench)
    places = {0, 1, first // 2, first, (first + whole) // 2, whole - 40, whole - 8}
    return sorted(place for place in places if place >= 0)


@check(how=("drop", "end", "half_open"))
async def breaks(trial: Trial, how: Break) -> None:
    """Wherever the connection breaks: ProviderError, or the result if it was whole by then.

    If it goes dead without a sign, the request can be cancelled.
    """
    for after in await _places(trial):
        async with trial.bench() as bench:
            bench.proxy.line = Line(piece=701, breaks=how, after=after)
            try:
                outcome = await bench.outcome(may_hang=how == "half_open")
            except AssertionError as error:
                error.add_note(f"broken after {after} bytes")
                raise
            if not outcome.error and not outcome.cancelled:
                wrong = fault_in(trial.case.stage, bench.plan, outcome.results)
                assert wrong is None, f"broken after {after} bytes, taken for whole: {wrong}"


@check()
async def is_refused(trial: Trial) -> None:
    """Where nobody listens: ProviderError, at once; and it works once somebody does."""
    async with trial.bench() as bench:
        bench.proxy.refuse()
        await bench.fails()
        await bench.proxy.listen()
        await bench.works()


@check(how=("drop", "end", "dead"))
async def idle_connection_breaks(trial: Trial, how: str) -> None:
    """A connection that broke between two requests does no harm to the second.

    One that is dead without a sign may do it to the second, which is cancelled, not to the third.
    """
    async with trial.bench() as bench:
        await bench.works()
        match how:
            case "drop":
                bench.proxy.reset_all()
            case "end":
                bench.proxy.close_all()
            case "dead":
                bench.proxy.kill_all()
        await asyncio.sleep(0.01)
        if how == "dead":
            await bench.outcome(may_hang=True)
        await bench.works()


@check(how=("refused", "dropped", "dead"))
async def warming_fails(trial: Trial, how: str) -> None:
    """Warming raises nothing, and can be cancelled; afterwards all works."""
    async with trial.bench() as bench:
        proxy = bench.proxy
        if how == "refused":
            proxy.refuse()
        else:
            proxy.line = Line(breaks="drop" if how == "dropped" else "half_open")
        warming = asyncio.create_task(bench.provider.warm())
        await asyncio.wait({warming}, timeout=PATIENCE if how == "dead" else HANGS)
        if warming.done():
            await warming
        else:
            assert how == "dead", "warming hangs"
            await cancel(warming)
        if how == "refused":
            await proxy.listen()
        proxy.line = GOOD
        await bench.works()


@check()
async def warming_works(trial: Trial) -> None:
    """After warming, and again, all works."""
    async with trial.bench() as bench:
        async with deadline():
            await bench.provider.warm()
            await bench.provider.warm()
        await bench.works()


# The server fails.


@check(fault=("error", "unauthorized", "rate_limit", "garbage", "early"))
async def server_fails(trial: Trial, fault: Fault) -> None:
    """ProviderError, without the server's words; final if the key is refused; then all works."""
    async with trial.bench() as bench:
        bench.plan.fault = fault
        error = await bench.fails()
        assert not error.retryable or fault != "unauthorized", "asking again with a refused key"
        assert error.retryable or fault not in ("rate_limit", "early"), "it passes"
        bench.plan.fault = "none"
        await bench.works()


@check()
async def server_has_nothing(trial: Trial) -> None:
    """No words heard are an empty text; no reply and no audio may be an error."""
    async with trial.bench(Plan(fault="empty")) as bench:
        outcome = await bench.outcome()
        if trial.case.stage == "stt":
            assert outcome.error is None, f"failed: {outcome.error}"
            assert outcome.results == [""]
        else:
            bench.plan.text, bench.plan.seconds = "", 0
            assert not any(isinstance(each, str) and each for each in outcome.results)
            assert not any(isinstance(each, Audio) for each in outcome.results)


PAIRS = 8
"""Two changes at once, each at one place, that are tried of all that there could be."""


@check()
async def no_other_field_is_needed(trial: Trial) -> None:
    """Without a field that is not among ``Case.needs``, or with something else in it, it works."""
    chance = random.Random(14)
    plan = Plan(calls=CALLS) if trial.case.stage == "llm" else None
    async with trial.bench(plan) as bench:
        names = Names()
        bench.proxy.line = Line(mutate=names)
        await bench.works()
        others = [name for name in names.found if name not in trial.case.needs]
        for number, name in enumerate(others):
            await _works_without(bench, Without(name=name, how="dropped"))
            await _works_without(bench, Without(name=name, how=("null", "other")[number % 2]))
        for _ in range(PAIRS if len(others) > 1 else 0):
            await _works_without(bench, *(_somewhere(chance, names, others) for _ in range(2)))
        bench.proxy.line = GOOD
        await bench.works()


def _somewhere(chance: random.Random, names: Names, others: Sequence[str]) -> Without:
    name = chance.choice(others)
    how: How = chance.choice(("dropped", "null", "other"))
    return Without(name=name, how=how, at=chance.randrange(names.found[name]))


async def _works_without(bench: Bench, *changes: Without) -> None:
    def changed(data: bytes) -> bytes:
        for change in changes:
            data = change(data)
        return data

    bench.proxy.line = Line(mutate=changed)
    told = " and ".join(f"{each.name} {each.how} at {each.at}" for each in changes)
    try:
        outcome = await bench.outcome()
    except AssertionError as error:
        error.add_note(told)
        raise
    assert outcome.error is None, f"{told}: {outcome.error}"
    results = [each for each in outcome.results if not isinstance(each, Tokens | Timing)]
    tokens = [bench.plan.tokens] if bench.case.stage == "llm" else []
    wrong = fault_in(bench.case.stage, bench.plan, [*results, *tokens])
    assert wrong is None, f"{told}: {wrong}"


# Nobody wants the result any more.


@check()
async def is_cancelled_before_the_first_result(trial: Trial) -> None:
    """It ends at once, the server sees it, and the next request works."""
    async with trial.bench(Plan(fault="silent")) as bench:
        task, _ = bench.start()
        await bench.served(1)
        await asyncio.sleep(0.005)
        await cancel(task)
        await bench.seen(1)
        bench.plan.fault = "none"
        await bench.works()


@check("llm", "tts", how=("cancelled", "closed"))
async def is_left_in_the_middle(trial: Trial, how: str) -> None:
    """Cancelled or closed amid its results it ends at once, and the server sees it."""
    async with trial.bench(_long()) as bench:
        async with deadline():
            results = bench.ask()
            await anext(results)
        bench.proxy.hold()
        pulled = _Pulled()
        pulling = asyncio.create_task(_exhaust(results, pulled))
        if how == "cancelled":
            await pulled.waits()
            await cancel(pulling)
        else:
            await asyncio.sleep(0)
            pulling.cancel()  # what it pulls may be there already
            await asyncio.wait({pulling})
        await _close(results)
        bench.proxy.release()
        await bench.seen(1)
        bench.plan.text, bench.plan.seconds = TEXT, 1.0
        await bench.works()


@dataclass(slots=True)
class _Pulled:
    """How far somebody has come who pulls results."""

    count: int = 0
    is_waiting: bool = False
    """Whether they have asked for one that has not come."""

    async def waits(self) -> None:
        """Return once what was on its way has come, and they wait for more."""
        before = -1
        async with deadline():
            while not (self.is_waiting and self.count == before):
                before = self.count
                await asyncio.sleep(0.01)


async def _exhaust(results: AsyncGenerator[Result, None], pulled: _Pulled) -> None:
    pulled.is_waiting = True
    async for _ in results:
        pulled.is_waiting = False
        pulled.count += 1
        await asyncio.sleep(0)
        pulled.is_waiting = True


async def _close(results: AsyncGenerator[Result, None]) -> None:
    begun = now()
    async with deadline():
        await results.aclose()
    if now() - begun > AT_ONCE:
        raise TooSlowError(f"closed after {now() - begun:.3f} s")


@check("stt")
async def is_cancelled_amid_speech(trial: Trial) -> None:
    """Cancelled while the caller speaks it ends at once; the next utterance is heard."""
    async with trial.bench() as bench, hearing(bench) as session:
        task = asyncio.create_task(_pull(session, Paused(speech())))
        await asyncio.sleep(0.02)
        await cancel(task)
        assert words(await session.transcribe(Spoken(_again()))) == words(TEXT)


@check()
async def is_cancelled_at_any_time(trial: Trial) -> None:
    """Of many requests at once, cancelled here and there, those that are not are whole."""
    chance = random.Random(8)
    async with trial.bench() as bench:
        bench.proxy.line = TRICKLE
        running = []
        for _ in range(24):
            running.append(bench.start())
            await asyncio.sleep(chance.uniform(0, 0.004))
            if chance.random() < 0.7:
                chance.choice(running)[0].cancel()
        async with deadline():
            await asyncio.wait([task for task, _ in running])
        for task, outcome in running:
            if not task.cancelled():
                await task
                assert outcome.error is None, str(outcome.error)
                wrong = fault_in(trial.case.stage, bench.plan, outcome.results)
                assert wrong is None, wrong
        bench.proxy.line = GOOD
        await bench.works()


@check()
async def is_closed_while_it_answers(trial: Trial) -> None:
    """Closing the provider ends what is under way with ProviderError, and leaves nothing."""
    async with trial.bench(Plan(fault="silent")) as bench:
        task, outcome = bench.start()
        await bench.served(1)
        async with deadline():
            await bench.provider.aclose()
            await task
        assert outcome.error is not None


@check()
async def is_closed_or_not_started(trial: Trial) -> None:
    """What is not started, or closed, raises ProviderError; closing it twice does no harm."""
    async with trial.server() as (plan, wire, proxy):
        provider = trial.build(proxy)
        bench = Bench(case=trial.case, plan=plan, wire=wire, proxy=proxy, provider=provider)
        await bench.fails()
        await provider.aclose()
        await provider.start()
        await bench.works()
        await provider.aclose()
        await provider.aclose()
        await bench.fails()


# Keys.


def _has_key(trial: Trial) -> bool:
    return "api_key" in trial.case.provider.Options.model_fields


@check()
async def key_is_missing(trial: Trial) -> None:
    """Without its key the start fails, names the variable, and asks no server."""
    if not trial.case.variable:
        pytest.skip("needs no key")
    async with trial.server() as (_, _, proxy):
        provider = trial.build(proxy, None)
        with pytest.raises(ProviderError, match=trial.case.variable) as caught:
            await provider.start()
        assert not caught.value.retryable, "asking again without a key"
        assert caught.value.stage == trial.case.stage
        await provider.aclose()
        assert not proxy.opened, "a server was asked without a key"


@check(where=("option", "variable", "file"))
async def key_reaches_the_server(trial: Trial, where: str) -> None:
    """The key comes from the options, the environment, or a file that it names."""
    variable = trial.case.variable
    if not _has_key(trial) or (where != "option" and not variable):
        pytest.skip("has no such key")
    key = f"{KEY}-{where}"
    if where == "variable":
        trial.environment.setenv(f"{variable}", f"{key}\n")
    if where == "file":
        file = trial.folder / "key"
        file.write_text(f"{key}\n")
        trial.environment.setenv(f"{variable}_FILE", str(file))
    async with trial.bench(key=key if where == "option" else None) as bench:
        await bench.works()
        assert set(bench.wire.keys) == {key}


# Sessions.


@asynccontextmanager
async def hearing(bench: Bench) -> AsyncIterator[TranscriptionSession]:
    """Yield the session of one call."""
    session: TranscriptionSession = bench.provider.open_session()
    try:
        async with deadline():
            yield session
    finally:
        await session.aclose()


async def _pull(session: TranscriptionSession, pieces: AsyncIterator[Audio]) -> None:
    await session.transcribe(pieces)


def _again() -> tuple[Audio, ...]:
    """Return the same speech as other objects: another utterance."""
    return tuple(Audio(each.pcm, each.rate) for each in speech())


class Paused(Spoken):
    """Speech that does not end until it is told to: nobody has decided yet whether it was all."""

    def __init__(self, pieces: Iterable[Audio]) -> None:
        super().__init__(pieces)
        self.end = asyncio.Event()

    async def __anext__(self) -> Audio:
        try:
            return await super().__anext__()
        except StopAsyncIteration:
            await self.end.wait()
            raise


FIRST, MORE = "Do you have a table", "for two, by the window?"


@check("stt", first=("heard", "cancelled"))
async def utterance_goes_on(trial: Trial, first: str) -> None:
    """When an utterance goes on, the whole of it is returned, whatever became of its beginning."""
    async with trial.bench(Plan(text=FIRST)) as bench, hearing(bench) as session:
        begun = await _hear_another(bench, session)
        if first == "heard":
            assert words(await session.transcribe(Spoken(speech()))) == FIRST
        else:
            await _cancel_once_sent(bench, session)
        sent = len(bench.proxy.uploaded) - begun
        bench.plan.text = MORE
        task = asyncio.create_task(_result(session.transcribe(Spoken([*speech(), *_again()[:20]]))))
        await asyncio.sleep(0.01)
        bench.proxy.release()
        heard = words(await task)
        sent_again = len(bench.proxy.uploaded) - begun - sent > sent * 0.8
        whole = MORE if sent_again else f"{FIRST} {MORE}"
        assert heard == whole, f"heard {heard!r}, not {whole!r}; all sent again: {sent_again}"


@check("stt")
async def utterance_is_new(trial: Trial) -> None:
    """Nothing of an utterance that was cancelled, its late result included, is in the next one."""
    async with trial.bench(Plan(text=FIRST)) as bench, hearing(bench) as session:
        await _hear_another(bench, session)
        await _cancel_once_sent(bench, session)
        bench.plan.text = MORE
        task = asyncio.create_task(_result(session.transcribe(Spoken(_again()))))
        await asyncio.sleep(0.01)
        bench.proxy.release()
        heard = words(await task)
        assert heard == MORE, f"heard {heard!r}"


async def _result(heard: Awaitable[str]) -> str:
    return await heard


async def _cancel_once_sent(bench: Bench, session: TranscriptionSession) -> None:
    """Cancel an utterance that the server has heard whole, while its result is on the way."""
    served = bench.wire.served
    said = Paused(speech())
    task = asyncio.create_task(_pull(session, said))
    await asyncio.sleep(0.02)  # a connection may have to be opened
    bench.proxy.hold()
    said.end.set()
    await bench.served(served + 1)
    await asyncio.sleep(0.02)
    await cancel(task)


async def _hear_another(bench: Bench, session: TranscriptionSession) -> int:
    """Have another utterance heard, so that a websocket is open; return bytes sent by then."""
    assert words(await session.transcribe(Spoken(_again()))) == words(bench.plan.text)
    return len(bench.proxy.uploaded)


@check("stt", how=("drop", "end", "error"))
async def session_outlives_a_failure(trial: Trial, how: str) -> None:
    """Of one call, the utterance after one that failed is heard, and it alone."""
    async with trial.bench() as bench, hearing(bench) as session:
        bench.plan.text = FIRST
        if how == "error":
            bench.plan.fault = "error"
        else:
            bench.proxy.line = Line(breaks="drop" if how == "drop" else "end", after=20)
        with pytest.raises(ProviderError):
            await session.transcribe(Spoken(speech()))
        bench.plan.fault, bench.plan.text, bench.proxy.line = "none", MORE, GOOD
        assert words(await session.transcribe(Spoken(_again()))) == MORE


@check("stt", how=("drop", "end"))
async def session_outlives_a_pause(trial: Trial, how: str) -> None:
    """A connection that broke while the caller was silent does no harm."""
    async with trial.bench() as bench, hearing(bench) as session:
        for _ in range(2):
            assert words(await session.transcribe(Spoken(_again()))) == words(TEXT)
            (bench.proxy.reset_all if how == "drop" else bench.proxy.close_all)()
            await asyncio.sleep(0.01)


@check("stt")
async def nothing_was_said(trial: Trial) -> None:
    """Speech without any audio is an empty text, sessions may be closed unused, and twice."""
    async with trial.bench(Plan(fault="empty")) as bench, hearing(bench) as session:
        assert await session.transcribe(Spoken(())) == ""
        unused = bench.provider.open_session()
        await unused.aclose()
        await unused.aclose()


@check("stt")
async def returns_promptly(trial: Trial) -> None:
    """What was heard is returned once the server has sent the last of it."""
    async with trial.bench() as bench, hearing(bench) as session:
        task = asyncio.create_task(_result(session.transcribe(Spoken(speech()))))
        come, at = 0, now()
        while not task.done():
            if bench.proxy.downloaded != come:
                come, at = bench.proxy.downloaded, now()
            await asyncio.sleep(0.001)
        assert words(await task) == words(TEXT)
        if now() - at > AT_ONCE:
            raise TooSlowError(f"returned {now() - at:.3f} s after the last byte came")


@check("stt")
async def turn_is_given_up(trial: Trial) -> None:
    """Waiting for the end of a turn can be cancelled, and the utterance with it."""
    async with trial.bench(Plan(fault="silent")) as bench, hearing(bench) as session:
        if not session.detects_turns:
            pytest.skip("detects no turns")
        hearing_it = asyncio.create_task(_pull(session, Paused(speech())))
        waiting = asyncio.create_task(_turn(session))
        await asyncio.sleep(0.02)
        await cancel(waiting)
        await cancel(hearing_it)


async def _turn(session: TranscriptionSession) -> None:
    await session.turn_over()


@check("stt")
async def turns_are_detected_or_not(trial: Trial) -> None:
    """Sessions that detect turns tell that this one is over; others raise ProviderError."""
    async with trial.bench() as bench, hearing(bench) as session:
        assert session.so_far == ""
        await session.transcribe(Spoken(speech()))
        assert session.so_far in ("", session.so_far.strip())
        if session.detects_turns:
            assert isinstance(await session.turn_over(), bool)
        else:
            with pytest.raises(ProviderError):
                await session.turn_over()


# Language models.


@check("llm", how=("alone", "with_words"), line=("good", "split"))
async def tools_are_called(trial: Trial, how: str, line: str) -> None:
    """Parallel calls arrive whole, with and without words in the same message."""
    text = "One moment, please." if how == "with_words" else ""
    async with trial.bench(Plan(text=text, calls=CALLS)) as bench:
        bench.proxy.line = SPLIT if line == "split" else GOOD
        await bench.works()


@check("llm")
async def tool_call_breaks_off(trial: Trial) -> None:
    """Half of a tool call is none: it is not made with what arguments there are."""
    plan = Plan(text="", calls=CALLS)
    async with trial.bench(plan) as bench:
        begun = bench.proxy.downloaded
        await bench.works()
        whole = bench.proxy.downloaded - begun
    for after in range(0, whole, whole // 8):
        async with trial.bench(plan) as bench:
            bench.proxy.line = Line(breaks="end", after=after)
            outcome = await bench.outcome()
            asked = [each for each in outcome.results if isinstance(each, ToolCall)]
            assert [(each.name, each.arguments) for each in asked] == [
                (each.name, each.arguments) for each in CALLS[: len(asked)]
            ]
            assert outcome.error or len(asked) == len(CALLS)


@check("llm", ids=("own", "foreign", "none"))
async def results_are_told(trial: Trial, ids: str) -> None:
    """A conversation with tools and their results goes out, whoever named the calls."""
    async with trial.bench(Plan(calls=CALLS, text="")) as bench:
        asked = await _calls(bench)
        if ids != "own":
            names = ("", "") if ids == "none" else ("call/1:ü|" + "x" * 60, "functions.weather:0")
            asked = [replace(each, id=name) for each, name in zip(asked, names, strict=True)]
        bench.plan.calls, bench.plan.text = (), TEXT
        results = (
            ToolResult(asked[0], f"It serves {RESULT_WORDS}."),
            ToolResult(asked[1], "There is no weather.", failed=True),
        )
        conversation = [
            Message("user", "Book it."),
            Message("assistant", "", results=results),
            Message("assistant", "It is", cut_off=True),
            Message("user", "And the weather?"),
        ]
        for brief in (BRIEF, replace(BRIEF, may_call_tools=False)):
            bench.proxy.uploaded.clear()
            async with aclosing(bench.provider.reply(brief, conversation)) as pieces:
                told = [piece async for piece in pieces]
            assert (wrong := fault_in("llm", bench.plan, told)) is None, wrong
            assert RESULT_WORDS.encode() in bench.proxy.uploaded
            assert b"There is no weather." in bench.proxy.uploaded


async def _calls(bench: Bench) -> list[ToolCall]:
    async with aclosing(bench.ask()) as pieces:
        return [piece async for piece in pieces if isinstance(piece, ToolCall)]


# Text-to-speech.


@check("tts", rate=(8000, 16000, 24000))
async def speaks_at_any_rate(trial: Trial, rate: int) -> None:
    """Whatever the line's rate, the audio is as long as what the server made, with any text."""
    async with trial.bench() as bench:
        for text in ('Is 5 < 6 & "so" on, O\'Neill?', "Grüße für 9 €! 😀"):
            async with aclosing(bench.provider.speak(text, rate)) as results:
                spoken = [result async for result in results]
            assert (wrong := fault_in("tts", bench.plan, spoken)) is None, wrong


# Nonsense.

EXAMPLES = 12
"""Of each kind of nonsense; each costs a request, and PATIENCE if that hangs."""

VALUE = re.compile(rb'":\s*("(?:[^"\\]|\\.)*"|-?\d[\d.eE+-]*|true|false|null)')
NAME = re.compile(rb'"(\w{2,})":')

Kind = Literal["bytes", "value", "name"]


@dataclass(slots=True, kw_only=True)
class Twist:
    """Changes one thing in what the server sends; everything keeps its length and place."""

    kind: Kind
    place: int
    """Which byte is changed, or which value or name of JSON, counted on."""

    new: bytes
    seen: int = 0

    def __call__(self, data: bytes) -> bytes:
        """Return ``data``, changed if the place is in it."""
        match self.kind:
            case "bytes":
                spans = [(at, at + len(self.new)) for at in range(len(data))]
            case "value":
                spans = [match.span(1) for match in VALUE.finditer(data)]
            case "name":
                spans = [match.span(1) for match in NAME.finditer(data)]
        at, self.seen = self.place - self.seen, self.seen + len(spans)
        if not 0 <= at < len(spans):
            return data
        start, end = spans[at]
        new = self.new.ljust(end - start)
        return data if len(new) > end - start else data[:start] + new + data[end:]


@check(kind=("bytes", "value", "name"))
def survives_nonsense(trial: Trial, kind: Kind) -> None:
    """Whatever the server sends, nothing but ProviderError is raised; then all works again."""
    stack = AsyncExitStack()
    bench = trial.runner.run(stack.enter_async_context(trial.bench()))
    whole = trial.runner.run(_downloaded(bench))
    values = st.sampled_from([b"null", b"0", b"-1", b"[]", b"{}", b'""', b"1e99", b"true", b'"?"'])
    places = st.integers(0, whole if kind == "bytes" else 30)
    news = {"bytes": st.binary(min_size=1, max_size=8), "value": values, "name": st.just(b"x")}

    @settings(
        max_examples=EXAMPLES,
        derandomize=True,
        database=None,
        deadline=None,
        suppress_health_check=list(HealthCheck),
        phases=(Phase.generate,),
    )
    @given(places, news[kind])
    def survives(place: int, new: bytes) -> None:
        bench.proxy.line = Line(mutate=Twist(kind=kind, place=place, new=new))
        with suppress(TooSlowError):
            trial.runner.run(bench.outcome(may_hang=True))

    try:
        survives()
        trial.runner.run(_works_again(bench))
    finally:
        trial.runner.run(stack.aclose())


async def _works_again(bench: Bench) -> None:
    bench.proxy.line = GOOD
    bench.proxy.reset_all()  # what half a frame was taken for may still be waited for
    await asyncio.sleep(0.01)
    await bench.works()


async def _downloaded(bench: Bench) -> int:
    await bench.works()
    return bench.proxy.downloaded
