"""A bench: a server, a proxy that breaks what the server sends, and an adapter before them."""

from __future__ import annotations

import asyncio
import traceback
from collections.abc import AsyncGenerator, AsyncIterator, Callable, Iterable, Sequence
from contextlib import aclosing, asynccontextmanager
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import Any

import pytest
from aiohttp import web

from pipelines.audio import SPEECH_RATE, Audio, Resampler, frame_bytes
from pipelines.conversation import Brief, Message, Tokens, ToolCall, ToolSpec
from pipelines.providers.contracts import (
    Piece,
    ProviderError,
    Speech,
    Stage,
    Timing,
    TranscriptionSession,
)
from tests import recordings
from tests.own_time import now

from .case import Case, Plan, Wire
from .proxy import Proxy, listening, proxying

AT_ONCE = 0.1
"""Seconds that cancelling may take, as the contract has it."""

HANGS = 2.0
"""Seconds after which something that should end has hung."""

PATIENCE = 0.03
"""Seconds that nothing comes before a request is taken to hang."""

KEY = "sk-kit-7ca11ed-by-the-k1t"
"""Given to the adapter."""

WORDS = "Zanzibar"
"""In what is heard and what is replied."""

PROMPT_WORDS = "Xylophone"
"""In prompts and in what the caller has said."""

SPOKEN_WORDS = "Quetzalcoatl"
"""In what is to be spoken."""

RESULT_WORDS = "marzipan"
"""In the result of a tool."""

SECRETS = (KEY, WORDS, PROMPT_WORDS, SPOKEN_WORDS, RESULT_WORDS)
"""In no error and no log."""

TEXT = f'Die Ärztin näht für 9 € in {WORDS} — ja, "wirklich"?'
"""With characters of two and three bytes, and some that JSON escapes."""

BRIEF = Brief(
    prompt=f"You know all about the {PROMPT_WORDS}.",
    tools=(
        ToolSpec(
            name="book_table",
            description="Book a table.",
            parameters={
                "type": "object",
                "properties": {"name": {"type": "string"}, "seats": {"type": "integer"}},
                "required": ["name", "seats"],
                "additionalProperties": False,
            },
        ),
        ToolSpec(
            name="weather",
            description="Ask for the weather.",
            parameters={"type": "object", "properties": {}, "additionalProperties": False},
        ),
    ),
)
CONVERSATION: tuple[Message, ...] = (
    Message("assistant", "Hello, what can I do for you?"),
    Message("user", f"I want a {PROMPT_WORDS}."),
)
CALLS = (
    ToolCall("book_table", {"name": f"Zoë of {WORDS}", "seats": 2}),
    ToolCall("weather", {}),
)

Result = str | Piece | Speech


class TooSlowError(AssertionError):
    """A check took too long, which may be the machine's fault."""


# What is asked of an adapter, and what is wrong with its answer, a stage each.


@cache
def speech() -> tuple[Audio, ...]:
    """Return real speech, as sessions are given it: 20 ms each, 0.8 s in all."""
    recording = recordings.load("hello")
    resampler = Resampler(recording.rate, SPEECH_RATE)
    pcm = resampler.feed(recording.pcm) + resampler.flush()
    size = frame_bytes(SPEECH_RATE)
    return tuple(
        Audio(pcm[at : at + size], SPEECH_RATE) for at in range(0, len(pcm) - size + 1, size)
    )


class Spoken:
    """Speech, piece by piece as it is spoken, only faster. Needs no closing, unlike a generator."""

    def __init__(self, pieces: Iterable[Audio]) -> None:
        self._pieces = iter(pieces)

    def __aiter__(self) -> Spoken:
        return self

    async def __anext__(self) -> Audio:
        await asyncio.sleep(0)
        for piece in self._pieces:
            return piece
        raise StopAsyncIteration


async def _hear(provider: Any) -> AsyncGenerator[Result, None]:
    session: TranscriptionSession = provider.open_session()
    try:
        yield await session.transcribe(Spoken(speech()))
    finally:
        await session.aclose()


def ask(stage: Stage, provider: Any) -> AsyncGenerator[Result, None]:
    """Ask the adapter for one whole thing of its stage."""
    match stage:
        case "stt":
            return _hear(provider)
        case "llm":
            reply: AsyncGenerator[Result, None] = provider.reply(BRIEF, CONVERSATION)
            return reply
        case "tts":
            spoken: AsyncGenerator[Result, None] = provider.speak(f"{SPOKEN_WORDS} is here.", 8000)
            return spoken


def words(text: str) -> str:
    """Return ``text`` with single spaces."""
    return " ".join(text.split())


def fault_in(stage: Stage, plan: Plan, results: Sequence[Result]) -> str | None:
    """Return what is wrong with ``results`` as a whole answer; None if nothing is."""
    match stage:
        case "stt":
            return _fault_in_text(plan, results)
        case "llm":
            return _fault_in_reply(plan, results)
        case "tts":
            return _fault_in_speech(plan, results)


def _fault_in_text(plan: Plan, results: Sequence[Result]) -> str | None:
    heard = [words(each) for each in results if isinstance(each, str)]
    return None if heard == [words(plan.text)] else f"heard {heard}, not {plan.text!r}"


def _fault_in_reply(plan: Plan, results: Sequence[Result]) -> str | None:
    text = "".join(each for each in results if isinstance(each, str))
    calls = [(each.name, dict(each.arguments)) for each in results if isinstance(each, ToolCall)]
    tokens = [each for each in results if isinstance(each, Tokens)]
    if text != plan.text:
        return f"the reply is {text!r}, not {plan.text!r}"
    if calls != [(each.name, dict(each.arguments)) for each in plan.calls]:
        return f"the tool calls are {calls}"
    return None if tokens == [plan.tokens] else f"the tokens are {tokens}, not {plan.tokens}"


def _fault_in_speech(plan: Plan, results: Sequence[Result]) -> str | None:
    audio = [each for each in results if isinstance(each, Audio)]
    rates = {each.rate for each in audio}
    if len(rates) != 1:
        return f"audio at {sorted(rates)} Hz"
    seconds = sum(each.seconds for each in audio)
    if abs(seconds - plan.seconds) > 0.03:
        return f"{seconds:.3f} s of audio, not {plan.seconds:g}"
    ends = [end for each in results if isinstance(each, Timing) for end in each.ends]
    if ends != sorted(ends) or any(not 0 <= end <= plan.seconds + 0.03 for end in ends):
        return f"words end at {ends}"
    return None


def check_kind(stage: Stage, result: Result) -> None:
    """Check that a result is of the kind that its stage gives."""
    match result:
        case str():
            assert stage in ("stt", "llm"), "text from a text-to-speech"
        case Audio(pcm, rate):
            assert stage == "tts", "audio from no text-to-speech"
            assert isinstance(pcm, bytes), f"audio of {type(pcm)}"
            assert len(pcm) % 2 == 0, f"half a sample in {len(pcm)} bytes"
            assert rate >= 8000, f"audio at {rate} Hz"
        case Timing():
            assert stage == "tts", "timing from no text-to-speech"
        case ToolCall(name, arguments):
            assert stage == "llm", "a tool call from no language model"
            assert isinstance(name, str), f"a tool called {name!r}"
            assert isinstance(arguments, dict), f"arguments {arguments!r}"
        case Tokens():
            assert stage == "llm", "tokens from no language model"
        case _:
            pytest.fail(f"a result of {type(result)}")


def check_error(stage: Stage, error: ProviderError) -> None:
    """Check that an error names its stage and holds nothing that was said, and no key."""
    assert error.stage == stage, f"an error of {error.stage}"
    shown = "".join(traceback.format_exception(error))
    for secret in SECRETS:
        assert secret.lower() not in shown.lower(), f"{secret} is in the error's traceback"


# A server, a proxy and an adapter.


@dataclass(slots=True)
class Outcome:
    """How one request ended."""

    results: list[Result] = field(default_factory=list)
    error: ProviderError | None = None
    cancelled: bool = False
    """Whether it was, by us, because nothing came any more."""


@dataclass(slots=True, kw_only=True)
class Bench:
    """One adapter that is started, and what is before it."""

    case: Case
    plan: Plan
    wire: Wire
    proxy: Proxy
    provider: Any
    _served: int = 0
    """Requests before the last that :meth:`outcome` made."""

    def ask(self) -> AsyncGenerator[Result, None]:
        """Ask for one thing."""
        return ask(self.case.stage, self.provider)

    def start(self) -> tuple[asyncio.Task[None], Outcome]:
        """Ask for one thing in a task of its own; return it, and how it goes."""
        outcome = Outcome()
        return asyncio.create_task(self._run(outcome)), outcome

    async def _run(self, outcome: Outcome) -> None:
        try:
            async with aclosing(self.ask()) as results:
                async for result in results:
                    check_kind(self.case.stage, result)
                    outcome.results.append(result)
        except ProviderError as error:
            check_error(self.case.stage, error)
            outcome.error = error

    async def outcome(self, *, may_hang: bool = False) -> Outcome:
        """Ask for one thing, and return how that ended.

        Args:
            may_hang: Whether it may, once nothing comes any more; then it is cancelled.
        """
        self._served = self.wire.served
        task, outcome = self.start()
        over, come = now() + HANGS, -1
        while not task.done() and now() < over:
            if may_hang and self.proxy.downloaded == come:
                outcome.cancelled = True
                await self._cancel(task)
                return outcome
            come = self.proxy.downloaded
            await asyncio.wait({task}, timeout=PATIENCE)
        assert task.done(), f"hangs: not done after {HANGS:g} s"
        await task
        return outcome

    async def _cancel(self, task: asyncio.Task[None]) -> None:
        """Cancel a request; check that the other end is told, unless it was not asked yet.

        A connection that is being opened may be kept for the next request.
        """
        proxy = self.proxy
        uploaded, opened = len(proxy.uploaded), proxy.open
        asked = self.wire.served > self._served
        await cancel(task)
        await until(
            lambda: not asked or len(proxy.uploaded) > uploaded or proxy.open < opened,
            "the adapter to close its connection, or to say that it wants no more",
        )

    async def works(self) -> None:
        """Check that one request gives all that it should."""
        async with deadline():
            task, outcome = self.start()
            await task
        assert outcome.error is None, f"failed: {outcome.error}"
        wrong = fault_in(self.case.stage, self.plan, outcome.results)
        assert wrong is None, wrong

    async def fails(self) -> ProviderError:
        """Check that one request fails; return its error."""
        async with deadline():
            task, outcome = self.start()
            await task
        assert outcome.error is not None, f"no error, but {len(outcome.results)} results"
        return outcome.error

    async def served(self, count: int) -> None:
        """Wait until the server began to answer so many requests."""
        await until(lambda: self.wire.served >= count, f"{count} requests at the server", HANGS)

    async def seen(self, cancelled: int) -> None:
        """Wait until the server knows that so many requests were cancelled.

        The session of a call may keep its websocket and cancel nothing, until it is closed.
        """
        session = self.case.stage == "stt"
        await until(
            lambda: self.wire.cancelled >= cancelled or (session and not self.proxy.open),
            "the server to see that the client has gone",
        )


@asynccontextmanager
async def deadline() -> AsyncIterator[None]:
    """Fail if what is inside hangs."""
    begun, loop = now(), asyncio.get_running_loop()
    timer: asyncio.TimerHandle

    def look() -> None:
        nonlocal timer
        left = HANGS - (now() - begun)
        if left > 0:
            timer = loop.call_later(left, look)
        else:
            limit.reschedule(loop.time())

    timer = loop.call_later(HANGS, look)
    try:
        async with asyncio.timeout(None) as limit:
            yield
    except TimeoutError:
        pytest.fail(f"hangs: not done after {HANGS:g} s")
    finally:
        timer.cancel()


async def until(true: Callable[[], bool], what: str, within: float = AT_ONCE) -> None:
    """Wait until ``true()``.

    Raises:
        TooSlowError: If it is not in time.
    """
    over = now() + within
    while not true():
        if now() > over:
            raise TooSlowError(f"waited {within:g} s for {what}")
        await asyncio.sleep(0.001)


async def cancel(task: asyncio.Task[None]) -> None:
    """Cancel a task that waits for something that does not come; check that it ends at once."""
    begun = now()
    task.cancel()
    while not task.done() and now() - begun < HANGS:
        await asyncio.wait({task}, timeout=HANGS - (now() - begun))
    took = now() - begun
    assert task.done(), f"goes on {HANGS:g} s after it was cancelled"
    assert task.cancelled(), f"swallows the cancelling: {task.exception()!r}"
    if took > AT_ONCE:
        raise TooSlowError(f"ended {took:.3f} s after it was cancelled")


@dataclass(frozen=True, slots=True, kw_only=True)
class Trial:
    """One adapter under one check."""

    case: Case
    runner: asyncio.Runner
    environment: pytest.MonkeyPatch
    folder: Path

    @asynccontextmanager
    async def server(self, plan: Plan | None = None) -> AsyncIterator[tuple[Plan, Wire, Proxy]]:
        """Run a server and the proxy before it."""
        plan = plan or Plan()
        plan.text = TEXT if plan.text == Plan().text else plan.text
        plan.secrets = SECRETS
        wire = self.case.wire(plan)
        runner = web.AppRunner(
            wire.application(), handler_cancellation=True, shutdown_timeout=0.05, access_log=None
        )
        await runner.setup()
        sock = listening()
        await web.SockSite(runner, sock).start()
        try:
            async with proxying(sock.getsockname()[1]) as proxy:
                yield plan, wire, proxy
        finally:
            await runner.cleanup()

    def build(self, proxy: Proxy, key: str | None = KEY) -> Any:
        """Return the adapter, not started."""
        options = dict(self.case.options(f"http://127.0.0.1:{proxy.port}"))
        kind = self.case.provider.Options
        if key is not None and "api_key" in kind.model_fields:
            options["api_key"] = key
        return self.case.provider(kind.model_validate(options))

    @asynccontextmanager
    async def bench(
        self, wanted: Plan | None = None, *, key: str | None = KEY
    ) -> AsyncIterator[Bench]:
        """Run the adapter, and check that it leaves nothing once it is closed."""
        async with self.server(wanted) as (plan, wire, proxy):
            before = asyncio.all_tasks()
            provider = self.build(proxy, key)
            try:
                await provider.start()
                yield Bench(case=self.case, plan=plan, wire=wire, proxy=proxy, provider=provider)
            finally:
                async with deadline():
                    await provider.aclose()
            proxy.release()
            await until(lambda: not proxy.open, "the adapter to close its connections")
            me = asyncio.current_task()
            await until(lambda: asyncio.all_tasks() - {me} <= before, "the adapter's tasks to end")
