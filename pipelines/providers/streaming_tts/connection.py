"""Text-to-speech over websockets that all calls share: one engine for every provider.

What differs between providers is a :class:`Dialect`: messages in and out, no I/O, no clock. The
engine has the connections: it opens them, keeps a few, spreads sentences over them, and replaces
them before the provider would close them. Each connection is one task that reads; sentences are
generators that take what it has read for them.

A sentence is a *context* to most providers: a name that we make up, and that is never used again.
What comes for a name that nobody waits for is thrown away, so one sentence can never be heard in
another, however late it is.
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import AsyncGenerator, Iterable, Sequence
from dataclasses import dataclass, field
from functools import partial
from typing import Protocol
from uuid import uuid4

import structlog

from pipelines.audio import SPEECH_RATE, Audio
from pipelines.providers.contracts import ProviderError, Speech, Timing
from pipelines.providers.transport.http import CONNECT_WITHIN, Http
from pipelines.providers.transport.websocket import Socket

log = structlog.get_logger()

PINGS = 10.0
"""Seconds between websocket pings, each answered within half of that: a connection that died
without a sign is found before a caller needs it."""

SILENCE = 10.0
"""Seconds without any result after which a sentence fails. Whoever asks for it has a shorter
deadline; this one is for those who have none."""

CANCEL_WITHIN = 0.05
"""Seconds to hand a cancel message to the system; a connection that cannot take it is dropped."""

MOST_SECONDS = 120.0
"""Of audio that one sentence may have. What has come of it and was not listened to yet waits in
memory: 2 MB for the longest at 8 kHz, 0.1 MB for a usual one."""


@dataclass(frozen=True, slots=True)
class Chunk:
    """Audio of a sentence, cut anywhere, even within a sample."""

    context: str
    pcm: bytes


@dataclass(frozen=True, slots=True)
class Words:
    """When the next words of a sentence end, in seconds of its audio."""

    context: str
    ends: tuple[float, ...]


@dataclass(frozen=True, slots=True)
class Ended:
    """Nothing more comes of a sentence: it is whole, or was cancelled, or failed."""

    context: str
    error: ProviderError | None = None


@dataclass(frozen=True, slots=True)
class Reply:
    """What the protocol wants to be answered."""

    message: str


Event = Chunk | Words | Ended | Reply


@dataclass(frozen=True, slots=True)
class Address:
    """Where a connection goes; connections to the same one are alike."""

    path: str
    params: tuple[tuple[str, str], ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Limits:
    """What a connection can be used for."""

    contexts: int
    """Sentences at once."""

    confirms: bool
    """Whether a cancelled sentence takes up room until :class:`Ended` comes for it."""

    idle: float
    """Seconds without a sentence, after which it is closed."""

    age: float
    """Seconds after which it is given no more sentences."""

    a_minute: int | None = None
    """Sentences that may be begun in any minute; None if as many as you like."""

    confirmed_within: float = 5.0
    """Seconds for :class:`Ended` to come for a cancelled sentence; else the connection is dropped.
    A provider that finishes what it had begun takes a second or two for it."""

    suspect_after: float = 1.0
    """Seconds: a connection is given no more sentences once one was given up that had waited so
    long for audio; and is dropped, with what is on it, if the server said nothing at all meanwhile
    (https://github.com/pipecat-ai/pipecat/issues/5305: a socket that took everything and sent
    nothing, for a minute). Healthy ones need 0.1 to 0.5."""


class Session(Protocol):
    """One connection, as the provider's protocol has it: what to say, and what was meant.

    Methods return what is to be sent, in order.
    """

    def speak(self, context: str, text: str, rate: int) -> Sequence[str]:
        """Have ``text`` spoken, whole."""
        ...

    def cancel(self, context: str) -> Sequence[str]:
        """Have it stop."""
        ...

    def read(self, message: str | bytes) -> Iterable[Event]:
        """Return what a message means; nothing if it is of no interest.

        Raises:
            ProviderError: If it means that the connection is of no use.
            ValueError: If it is not of the protocol.
        """
        ...


class Dialect(Protocol):
    """How to speak to one provider."""

    @property
    def limits(self) -> Limits:
        """What its connections can be used for."""
        ...

    def rate(self, line: int) -> int:
        """Return the rate to ask for, in hertz, for a line of ``line`` hertz."""
        ...

    def address(self, rate: int) -> Address:
        """Return where sentences of ``rate`` hertz are spoken."""
        ...

    def session(self) -> Session:
        """Return what a fresh connection knows."""
        ...


def closest(rates: Sequence[int], line: int) -> int:
    """Return ``line`` if it is one of ``rates``, else 24,000: what voices are made at."""
    return line if line in rates else 24_000


class WordEnds:
    """Tells when the words of a text end, from what a provider says of parts of it.

    Parts may be characters, words, or several words; only their letters and digits are looked at.
    From the first that is not in the text, nothing is told any more: to say that a word was heard
    when it was not is worse than not to know.

    Args:
        text: What is spoken; its words are separated by white space.
    """

    def __init__(self, text: str) -> None:
        self._left = deque(_letters(word) for word in text.split())
        self._part = ""

    def add(self, parts: Iterable[tuple[str, float]]) -> tuple[float, ...]:
        """Return the ends of the next words.

        Args:
            parts: Of the text, in order, each with the second it ends at.
        """
        ends: list[float] = []
        for part, end in parts:
            self._part += _letters(part)
            # Once it begins with what the text does not have, it never begins with a word again.
            while self._left and self._part and self._part.startswith(self._left[0]):
                self._part = self._part[len(self._left.popleft()) :]
                ends.append(end)
            while ends and self._left and not self._left[0]:  # a dash: heard with the word before
                self._left.popleft()
                ends.append(end)
        return tuple(ends)


def _letters(text: str) -> str:
    return "".join(char for char in text.casefold() if char.isalnum())


class _Sentence:
    """One text on its way to whoever listens."""

    def __init__(self, text: str, rate: int) -> None:
        self.context = uuid4().hex
        self.text = text
        self.rate = rate
        self.sent_at: float | None = None
        self.heard_at = 0.0
        """When the last audio came; before the first, when it was sent."""

        self.seconds = 0.0
        """Of audio that has come."""

        self._odd = b""
        self._untimed = len(text.split())
        self._last_end = 0.0
        self._results: asyncio.Queue[Speech | ProviderError | None] = asyncio.Queue()

    def add(self, pcm: bytes) -> None:
        """Take the next piece.

        Raises:
            ProviderError: If it will not end.
        """
        pcm = self._odd + pcm
        whole = len(pcm) & ~1
        self._odd = pcm[whole:]
        if not whole:
            return
        audio = Audio(pcm[:whole], self.rate)
        self.seconds += audio.seconds
        if self.seconds > MOST_SECONDS:
            raise ProviderError("tts", "a sentence does not end")
        self._results.put_nowait(audio)

    def time(self, ends: Sequence[float]) -> None:
        """Take the ends of the next words; more of them than there are words are left out."""
        kept: list[float] = []
        for end in ends[: self._untimed]:
            self._last_end = max(self._last_end, end)
            kept.append(self._last_end)
        self._untimed -= len(kept)
        if kept:
            self._results.put_nowait(Timing(tuple(kept)))

    def end(self, error: ProviderError | None = None) -> None:
        """Note that no more comes; ``error`` says why if it is not whole."""
        self._results.put_nowait(error)

    async def next(self) -> Speech | None:
        """Return what comes next; None at the end. Cancelling is safe.

        Raises:
            ProviderError: If it failed.
        """
        try:
            async with asyncio.timeout(SILENCE):
                result = await self._results.get()
        except TimeoutError:
            raise ProviderError("tts", f"nothing came for {SILENCE:g} s", timed_out=True) from None
        if isinstance(result, ProviderError):
            raise result
        return result


@dataclass(slots=True, kw_only=True)
class _Connection:
    """One websocket and what is on it. Is told the time, in seconds of the loop's clock."""

    address: Address
    session: Session
    limits: Limits
    opened_at: float
    idle_since: float
    heard_at: float
    """When the server said anything."""

    sentences: dict[str, _Sentence] = field(default_factory=dict)
    """Those that are listened to."""

    cancelled: dict[str, float] = field(default_factory=dict)
    """When, of those that still take up room."""

    begun: deque[float] = field(default_factory=deque)
    """When the last few sentences were."""

    retired: bool = False
    """Whether it is given no more."""

    doubted: bool = False
    """Whether it was given up before it was open, or a sentence on it before the server said
    anything; until it is, or does."""

    wanted: bool = False
    """Whether it was of use, so that another should be there when it ends."""

    ready: asyncio.Event = field(default_factory=asyncio.Event)
    """Set once it is open, or lost."""

    lost: bool = False
    socket: Socket | None = None
    task: asyncio.Task[None] | None = None

    def put(self, sentence: _Sentence, now: float) -> None:
        """Place a sentence on it."""
        self.sentences[sentence.context] = sentence
        self.wanted = True
        self.begun.append(now)
        while len(self.begun) > (self.limits.a_minute or 0):
            self.begun.popleft()

    def has_room(self, now: float) -> bool:
        """Return whether it can take another sentence."""
        limits = self.limits
        exhausted = len(self.begun) == limits.a_minute and now - self.begun[0] < 60
        full = len(self.sentences) + len(self.cancelled) >= limits.contexts
        aged = now - self.opened_at >= limits.age
        return not (self.retired or exhausted or full or aged)

    def over(self, now: float) -> bool:
        """Return whether it should be closed: it is of no use, or soon would not be."""
        if any(now - at >= self.limits.confirmed_within for at in self.cancelled.values()):
            self.retired = True
        if self.sentences:
            return False
        idle = now - self.idle_since >= self.limits.idle
        return self.retired or idle or now - self.opened_at >= self.limits.age

    def look_again_in(self, now: float) -> float:
        """Return in how many seconds :meth:`over` may have changed by itself."""
        if self.sentences:
            return self.limits.idle
        idle = self.idle_since + self.limits.idle
        return max(0.0, min(idle, self.opened_at + self.limits.age) - now)

    def remove(self, context: str, now: float) -> None:
        """Take a sentence off it, if it is on it."""
        self.sentences.pop(context, None)
        if not self.sentences:
            self.idle_since = now

    def take(self, event: Chunk | Words | Ended, now: float) -> None:
        """Give what the server said to the sentence that it is for, if somebody listens to it.

        Raises:
            ProviderError: If the server says too much.
        """
        sentence = self.sentences.get(event.context)
        if isinstance(event, Ended):
            self.cancelled.pop(event.context, None)
            self.remove(event.context, now)
        match event:
            case _ if sentence is None:
                return
            case Chunk(_, pcm):
                sentence.add(pcm)
                sentence.heard_at = now
            case Words(_, ends):
                sentence.time(ends)
            case Ended(_, error):
                sentence.end(error)


class StreamingTts:
    """Speak for all calls at once, over a few websockets.

    A connection that is lost fails the sentences on it, and no others. One that took a sentence and
    said nothing until that was given up is passed over until it says something; if that took long,
    it is not used again (:attr:`Limits.suspect_after`). One that is closed after it was of use, for
    whatever reason, is replaced once, so that the next sentence of a call finds one open.

    An adapter is one of these, with its dialect, and a ``start`` that finds the key and calls
    :meth:`connect_by`.

    Args:
        dialect: How.
        most: Connections at once.
    """

    def __init__(self, dialect: Dialect, most: int) -> None:
        self._dialect = dialect
        self._most = most
        self._connections: list[_Connection] = []
        self._tasks: set[asyncio.Task[None]] = set()
        self._room = asyncio.Event()
        self._line = SPEECH_RATE  # of the last sentence
        self._http: Http | None = None

    async def connect_by(self, http: Http) -> None:
        """Be ready; sends nothing.

        Args:
            http: Where to; started and closed by this.
        """
        await http.start()
        self._http = http

    async def warm(self) -> None:
        """Have a connection open, for sentences like the last; return when it is, or failed."""
        if self._http is None:
            return
        address = self._dialect.address(self._dialect.rate(self._line))
        connection = self._choose(address)
        if connection is not None:
            connection.wanted = True
            try:
                await connection.ready.wait()  # a deadline is on the opening
            finally:
                connection.doubted = not connection.ready.is_set()

    async def aclose(self) -> None:
        """Close all connections. Sentences under way fail with ProviderError; so do later ones."""
        http, self._http = self._http, None
        for connection in list(self._connections):
            self._drop(connection, ProviderError("tts", "closed"))
        # Closing a socket has a deadline of its own.
        await asyncio.gather(*self._tasks, return_exceptions=True)
        if http is not None:
            await http.aclose()

    async def speak(self, text: str, rate: int = SPEECH_RATE) -> AsyncGenerator[Speech, None]:
        """Yield ``text`` as audio and word timings; nothing if it is blank.

        Closing the generator has the server stop, without waiting for its answer.

        Args:
            text: See :meth:`Synthesizer.speak`.
            rate: Hertz on the caller's line.

        Raises:
            ProviderError: If no connection can be had, it is lost, the server refuses, or no audio
                comes.
        """
        if not text.strip():
            return
        self._line = rate
        sentence = _Sentence(text, self._dialect.rate(rate))
        connection = await self._place(sentence)
        session, context = connection.session, sentence.context
        try:
            await connection.ready.wait()  # a deadline is on the opening
            if not connection.lost:
                sentence.sent_at = sentence.heard_at = self._now()
                await self._send(connection, session.speak(context, text, sentence.rate))
            while (result := await sentence.next()) is not None:
                yield result
        finally:
            if context in connection.sentences:
                await self._give_up(connection, sentence)
        if not sentence.seconds:
            raise ProviderError("tts", "no audio came")

    async def _place(self, sentence: _Sentence) -> _Connection:
        """Put a sentence on a connection, which may still be opening.

        Raises:
            ProviderError: If all are busy for long, or the engine is closed.
        """
        address = self._dialect.address(sentence.rate)
        try:
            async with asyncio.timeout(CONNECT_WITHIN):
                while (connection := self._choose(address)) is None:
                    self._room.clear()
                    await self._room.wait()
        except TimeoutError:
            raise ProviderError("tts", "all connections are busy", timed_out=True) from None
        connection.put(sentence, self._now())
        return connection

    def _choose(self, address: Address) -> _Connection | None:
        """Return a connection with room, a new one if need be; None if all are full.

        One that is open comes before one that is being opened, and one in doubt comes last.

        Raises:
            ProviderError: If the engine is closed.
        """
        now = self._now()
        for connection in list(self._connections):
            if connection.over(now):
                self._drop(connection)
        able = [c for c in self._connections if c.address == address and c.has_room(now)]
        able.sort(key=lambda c: (c.doubted, not c.ready.is_set()))
        best = able[0] if able else None
        if best is None or best.doubted:
            return self._open(address) or best
        return best

    def _open(self, address: Address) -> _Connection | None:
        """Begin to open another connection, in place of an idle one if need be; None if all work.

        Raises:
            ProviderError: If the engine is closed.
        """
        if self._http is None:
            raise ProviderError("tts", "not started, or closed", retryable=False)
        if len(self._connections) >= self._most:
            idle = next((c for c in self._connections if not c.sentences), None)
            if idle is None:
                return None
            self._drop(idle)
        now = self._now()
        connection = _Connection(
            address=address,
            session=self._dialect.session(),
            limits=self._dialect.limits,
            opened_at=now,
            idle_since=now,
            heard_at=now,
        )
        self._connections.append(connection)
        connection.task = asyncio.create_task(self._run(connection, self._http))
        self._tasks.add(connection.task)
        connection.task.add_done_callback(partial(self._ended, connection))
        return connection

    async def _run(self, connection: _Connection, http: Http) -> None:
        """Open a connection, and read it until it is over.

        Raises:
            ProviderError: If it cannot be opened, is lost, or of no use.
        """
        address = connection.address
        socket = await http.socket(address.path, params=list(address.params), heartbeat=PINGS)
        try:
            connection.socket = socket
            connection.doubted = False
            connection.ready.set()
            await self._read(connection, socket)
        except ProviderError as error:
            self._forget(connection, error)
            raise
        finally:
            self._forget(connection)  # before it is closed, which may take a moment
            await socket.aclose()

    async def _read(self, connection: _Connection, socket: Socket) -> None:
        while not connection.over(now := self._now()):
            try:
                message = await socket.receive(connection.look_again_in(now))
            except TimeoutError:
                continue
            now = connection.heard_at = self._now()
            connection.doubted = False
            try:
                events = list(connection.session.read(message))
            except ValueError:
                raise ProviderError("tts", "the server's answer cannot be read") from None
            for event in events:
                if isinstance(event, Reply):
                    await socket.send(event.message)
                else:
                    connection.take(event, now)
            self._room.set()

    def _ended(self, connection: _Connection, task: asyncio.Task[None]) -> None:
        """Note that a connection's task is over; open another if it was of use.

        Raises:
            BaseException: What is a bug; the loop reports it.
        """
        self._tasks.discard(task)
        error = None if task.cancelled() else task.exception()
        self._forget(connection, error if isinstance(error, ProviderError) else None)
        another = any(c.address == connection.address for c in self._connections)
        opened = connection.socket is not None
        may = self._http is not None and len(self._connections) < self._most
        if connection.wanted and opened and not another and may:
            self._open(connection.address)
        if error is not None and not isinstance(error, ProviderError):
            raise error

    def _drop(self, connection: _Connection, error: ProviderError | None = None) -> None:
        """Close a connection; sentences on it fail with ``error``."""
        if not connection.lost and connection.task is not None:
            connection.task.cancel()
        self._forget(connection, error)

    def _forget(self, connection: _Connection, error: ProviderError | None = None) -> None:
        """Have nothing more to do with a connection. Nothing happens the second time."""
        if connection.lost:
            return
        connection.lost = True
        self._connections.remove(connection)
        for sentence in connection.sentences.values():
            sentence.end(_again(error))
        connection.sentences.clear()
        connection.ready.set()
        self._room.set()

    async def _send(self, connection: _Connection, messages: Sequence[str]) -> None:
        """Send; nothing if the connection is not open, which its sentences are told otherwise.

        Raises:
            ProviderError: If it cannot be sent.
        """
        if connection.socket is None or connection.lost:
            return
        for message in messages:
            await connection.socket.send(message)

    async def _give_up(self, connection: _Connection, sentence: _Sentence) -> None:
        """Have the server stop a sentence that nobody listens to any more."""
        now = self._now()
        connection.remove(sentence.context, now)
        self._room.set()
        if sentence.sent_at is None:
            connection.doubted = True  # it is still being opened
            if not connection.sentences:
                self._drop(connection)
            return
        self._judge(connection, sentence, now)
        if connection.limits.confirms:
            connection.cancelled[sentence.context] = now
        try:
            async with asyncio.timeout(CANCEL_WITHIN):
                await self._send(connection, connection.session.cancel(sentence.context))
        except (ProviderError, TimeoutError):
            self._drop(connection, ProviderError("tts", "the connection is lost"))
        if connection.over(now):
            self._drop(connection)

    def _judge(self, connection: _Connection, sentence: _Sentence, now: float) -> None:
        """Think of a connection what a sentence that was given up says about it."""
        silent = connection.heard_at <= sentence.heard_at  # to others, too
        if now - sentence.heard_at >= connection.limits.suspect_after:
            connection.retired = True
            log.warning("a speech connection is not trusted any more", dropped=silent)
            if silent:
                self._drop(
                    connection, ProviderError("tts", "the server went silent", timed_out=True)
                )
        elif silent and not sentence.seconds:
            connection.doubted = True

    def _now(self) -> float:
        return asyncio.get_running_loop().time()


def _again(error: ProviderError | None) -> ProviderError:
    """Return an error to raise once more: one for each sentence, so that tracebacks stay apart."""
    if error is None:
        return ProviderError("tts", "the connection is closed")
    reason = str(error).removeprefix(f"{error.stage}: ")
    return ProviderError(error.stage, reason, timed_out=error.timed_out, retryable=error.retryable)
