"""Speech-to-text over one websocket a call: one engine for every provider.

What differs between providers is a :class:`Dialect` and its :class:`Session`: messages in and out,
no I/O, no clock. The engine owns the connection of a call: it opens it when the call begins, sends
what is said as it is said, keeps it alive while nobody speaks, and replaces it before the provider
would close it. Each connection is one task, which reads.

What a provider hears belongs to one utterance, whatever became of it meanwhile. Between two
utterances the provider is asked to finish; what comes before it says that it has belongs to the
first. A provider that decides itself when a turn is over cannot be asked; there a connection is
used for the next utterance only once the last turn on it is over, else a fresh one is.
"""

from __future__ import annotations

import asyncio
import enum
import math
from collections import deque
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Protocol

import structlog

from pipelines.audio import BYTES_PER_SAMPLE, SPEECH_RATE, Audio, Resampler
from pipelines.providers.contracts import ProviderError
from pipelines.providers.transport.http import Http
from pipelines.providers.transport.websocket import Socket

log = structlog.get_logger()

PINGS = 10.0
"""Seconds between websocket pings, each answered within half of that: a connection that died
without a sign is found while nobody speaks."""

BYE_WITHIN = 0.03
"""Seconds to hand the last message to the system; closing may take as long again."""

MOST_SPARES = 8
"""Connections that wait for calls which were announced."""


# What a provider tells.


@dataclass(frozen=True, slots=True)
class Interim:
    """What was heard since the last :class:`Final`, as far as it is known by now."""

    text: str


@dataclass(frozen=True, slots=True)
class Final:
    """What was heard since the last one; it will not change."""

    text: str


@dataclass(frozen=True, slots=True)
class Finished:
    """Everything was heard that was sent before the oldest :meth:`Session.finish` not answered."""


@dataclass(frozen=True, slots=True)
class Ended:
    """Everything that was sent was heard, and the connection is at its end."""


@dataclass(frozen=True, slots=True)
class TurnBegan:
    """The caller has begun to speak."""


@dataclass(frozen=True, slots=True)
class TurnMayBeOver:
    """The caller has perhaps finished; the text is final if they have."""


@dataclass(frozen=True, slots=True)
class TurnResumed:
    """They had not."""


@dataclass(frozen=True, slots=True)
class TurnOver:
    """The caller has finished."""


TurnEvent = TurnBegan | TurnMayBeOver | TurnResumed | TurnOver
Event = Interim | Final | Finished | Ended | TurnEvent


# What a provider is told.


@dataclass(frozen=True, slots=True, kw_only=True)
class Limits:
    """How a provider wants its connections to be treated."""

    age: float
    """Seconds after which a connection is replaced, once nobody speaks."""

    rate: int = SPEECH_RATE
    """Hertz of the audio that is sent. What the caller says comes at SPEECH_RATE, whatever their
    line carries; where the provider takes that, it costs nothing to send it so, and it is what
    most models were trained at."""

    group: float = 0.08
    """Seconds of audio in a message, while it is spoken: four frames of the line. Less makes
    messages more than it makes results sooner."""

    longest: float = 1.0
    """Seconds of audio in any message. AssemblyAI takes no more; nobody wants more."""

    keep_alive: float | None = None
    """Seconds without a message after which :meth:`Session.keep_alive` is sent; None for never."""

    detects_turns: bool = False
    """Whether the provider decides when a turn is over. It is not asked to finish then."""

    answers_within: float = 2.0
    """Seconds for :class:`Finished` to come. A connection that owes it for longer is not used
    again; whether to wait for longer is decided by those who ask."""

    asks_after: float | None = None
    """Seconds for :class:`Finished` to come, after which the connection is ended to have an answer:
    for a provider that may say nothing where nothing is left to say. None if it always answers."""


class Session(Protocol):
    """One connection, as the provider's protocol has it: what to say, and what was meant.

    Methods return what is to be sent, in order.
    """

    def hello(self) -> Sequence[str]:
        """Begin."""
        ...

    def audio(self, pcm: bytes) -> str | bytes:
        """Have ``pcm`` heard."""
        ...

    def finish(self) -> Sequence[str]:
        """Have the rest of what was sent heard, without waiting for more.

        Nothing is returned if nothing is left to be heard; :class:`Finished` does not come then.
        Never called if the provider detects turns.
        """
        ...

    def keep_alive(self) -> str | bytes:
        """Have the connection kept; called only if there is :attr:`Limits.keep_alive`."""
        ...

    def bye(self) -> Sequence[str]:
        """End. If there is :attr:`Limits.asks_after`, :class:`Ended` comes after that."""
        ...

    def read(self, message: str | bytes) -> Sequence[Event]:
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
        """How its connections are to be treated."""
        ...

    @property
    def path(self) -> str:
        """Where to connect to, below the base URL."""
        ...

    def params(self) -> list[tuple[str, str]]:
        """Return the query of the URL."""
        ...

    def session(self) -> Session:
        """Return what a fresh connection knows."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Pace:
    """How long to wait for what. Seconds."""

    spare: float = 20.0
    """How long a connection waits for the call that was announced: one that is not answered within
    three rings mostly never is, and some providers are paid by the second."""

    patience: float = 1.0
    """From the end of speech, for a provider that detects turns to say that this is one. Healthy
    ones take 0.25 to 0.5 if the sentence is complete; if it is not, there is a text all the same,
    and our own turn model decides."""

    lag: float = 0.25
    """What a provider says sooner than this after audio was sent is about what came before it."""

    settled: float = 1.0
    """Without speech, after which a provider has said all about what it heard."""

    silence: float = 0.1
    """Between two pieces of the silence that a provider is given to decide on."""

    gives_up: float = 8.0
    """Of silence, after which a provider will not decide any more. All of them have a limit of
    their own, of 5 at most as we set it."""

    quiet: float = 3.0
    """Without speech, after which a connection may be replaced for its age: by then an utterance
    does not go on, and nothing has to be sent twice."""


class StreamingStt:
    """The connections to one provider, of all calls.

    An adapter is one of these, with its dialect, and a ``start`` that finds the key and calls
    :meth:`connect_by`.

    Args:
        dialect: How to speak to it.
        pace: Other than usual, for tests.
    """

    def __init__(self, dialect: Dialect, pace: Pace | None = None) -> None:
        self.dialect = dialect
        self.pace = pace or Pace()
        self._http: Http | None = None
        self._links: set[_Link] = set()
        self._spares: deque[_Link] = deque()

    async def connect_by(self, http: Http) -> None:
        """Be ready; connects to nothing.

        Args:
            http: Where to; started and closed by this.
        """
        await http.start()
        self._http = http

    async def warm(self) -> None:
        """Have one more connection open, for a call that was announced. Cancelling is safe."""
        if self._http is None or len(self._spares) >= MOST_SPARES:
            return
        link = self._open(self.pace.spare)
        kept = False
        try:
            kept = await link.until(lambda: link.is_open)
        except ProviderError as error:
            log.debug("not warmed", error=str(error))
        finally:
            if not kept:
                link.retire()
        if kept:
            self._spares.append(link)

    def open_session(self) -> StreamingTranscriptionSession:
        """Return what hears one call; begins to connect."""
        return StreamingTranscriptionSession(self)

    def link(self) -> _Link:
        """Return a connection: one that waits for a call, or a fresh one, which is opening.

        Raises:
            ProviderError: If not started, or closed.
        """
        while self._spares:
            link = self._spares.popleft()
            if link.may_go_on():
                link.stay(self.dialect.limits.age)
                return link
        return self._open(self.dialect.limits.age)

    @property
    def started(self) -> bool:
        """Whether there can be connections."""
        return self._http is not None

    async def aclose(self) -> None:
        """Close all connections; what is heard on them fails with ProviderError."""
        http, self._http = self._http, None
        self._spares.clear()
        for link in self._links:
            link.retire()
        if self._links:
            await asyncio.wait([link.task for link in self._links])
        if http is not None:
            await http.aclose()

    def _open(self, seconds: float) -> _Link:
        if self._http is None:
            raise ProviderError("stt", "not started, or closed", retryable=False)
        link = _Link(self._http, self.dialect, self.pace)
        link.stay(seconds)
        self._links.add(link)
        link.task.add_done_callback(lambda _: self._forget(link))
        return link

    def _forget(self, link: _Link) -> None:
        self._links.discard(link)
        if link in self._spares:
            self._spares.remove(link)


class _Turn(enum.Enum):
    """Whether a provider that detects turns has heard the end of one."""

    GOING = enum.auto()
    MAYBE_OVER = enum.auto()
    OVER = enum.auto()


@dataclass(slots=True, eq=False)
class _Utterance:
    """What is heard of one utterance, on one connection."""

    link: _Link
    pieces: list[Audio] = field(default_factory=list)
    """What was taken to be sent. Kept, because an utterance goes on with the very same objects."""

    finals: list[str] = field(default_factory=list)
    interim: str = ""
    heard_at: float = -math.inf
    """When the text changed."""

    went_on_at: float = -math.inf
    """When it began, or went on after it had ended for all we knew."""

    turn: _Turn = _Turn.GOING
    turned_at: float = -math.inf
    """When that was said."""

    resumed: bool = False
    """Whether it turned out that the turn was not over, and nobody was told yet."""

    @property
    def text(self) -> str:
        """What was heard by now."""
        return " ".join(" ".join([*self.finals, self.interim]).split())

    def go_on(self, now: float) -> None:
        """Note that the caller speaks, or speaks on."""
        self.turn, self.resumed, self.went_on_at = _Turn.GOING, False, now

    def take_turn(self, event: TurnEvent, now: float) -> None:
        """Note what the provider says of the turn."""
        match event:
            case TurnBegan() | TurnResumed():
                self.turn = _Turn.GOING
            case TurnMayBeOver():
                self.turn = _Turn.MAYBE_OVER
            case TurnOver():
                self.turn = _Turn.OVER
        self.resumed = isinstance(event, TurnResumed)
        self.turned_at = now


class _Turns:
    """When a provider that detects turns can be believed. Reads no clock.

    Attributes:
        open: Whether it has heard the beginning of one, and not its end.
        spoken_at: When speech was last sent.
    """

    def __init__(self, pace: Pace) -> None:
        self._pace = pace
        self.open = False
        self.spoken_at = -math.inf

    def end_believed_at(self, utterance: _Utterance) -> float:
        """Return from when on an end of the turn is about all that was sent."""
        lag = self._pace.lag
        return min(self.spoken_at + lag, utterance.turned_at + 2 * lag)

    def done_at(self, utterance: _Utterance) -> float:
        """Return from when on nothing that was sent can be taken for the next utterance."""
        if self.open:
            return math.inf
        if utterance.turn is _Turn.OVER:
            return self.end_believed_at(utterance)
        return self.spoken_at + self._pace.settled

    def verdict(self, utterance: _Utterance, *, speaking: bool) -> tuple[float, bool]:
        """Return when it is decided, if nothing comes; and whether the turn is over then."""
        if utterance.turn is _Turn.OVER:
            return self.end_believed_at(utterance), True
        if speaking:
            return math.inf, False
        if not self.open and utterance.turn is _Turn.GOING:
            return self.spoken_at + self._pace.settled, True  # it has heard nobody since
        return self.spoken_at + self._pace.gives_up, False

    def wants_silence(self, now: float) -> bool:
        """Return whether the provider has to be given silence to decide on."""
        for_long = self._pace.gives_up if self.open else self._pace.settled
        return now - self.spoken_at < for_long


class StreamingTranscriptionSession:
    """What hears one call: :class:`pipelines.providers.contracts.TranscriptionSession`."""

    def __init__(self, provider: StreamingStt) -> None:
        self.detects_turns = provider.dialect.limits.detects_turns
        self._provider = provider
        self._pace = provider.pace
        self._link: _Link | None = None
        self._utterance: _Utterance | None = None
        self._sending: asyncio.Timeout | None = None
        self._certain = asyncio.Event()  # which utterance is the current one
        self._certain.set()
        self._closed = False
        if provider.started:
            self._connect()

    @property
    def so_far(self) -> str:
        """What has been heard of the utterance by now."""
        return self._utterance.text if self._utterance else ""

    async def transcribe(self, speech: AsyncIterator[Audio]) -> str:
        """Return what was said; see the contract, :class:`TranscriptionSession`.

        Raises:
            ProviderError: At once if the connection is lost. The utterance is heard from its
                beginning then, on a fresh one, if this is called again.
        """
        self._certain.clear()
        try:
            utterance = await self._send(speech)
            if utterance is None:
                return ""
            self._certain.set()
            if self.detects_turns:
                await utterance.link.hear_out(utterance)
            else:
                await utterance.link.finish(utterance)
            return utterance.text
        finally:
            self._certain.set()
            if self._link is not None:
                self._link.rest()

    async def turn_over(self) -> bool:
        """Return whether the provider says that the utterance was all.

        Raises:
            ProviderError: If it does not detect turns, or will not decide, or the connection is
                lost.
        """
        if not self.detects_turns:
            raise ProviderError("stt", "does not detect turns", retryable=False)
        await self._certain.wait()
        if self._utterance is None:
            raise ProviderError("stt", "nothing was said")
        return await self._utterance.link.verdict(self._utterance)

    async def aclose(self) -> None:
        """Close the connection, within 0.1 s."""
        self._closed = True
        link, self._link = self._link, None
        if link is not None:
            link.retire()
            await asyncio.wait([link.task])

    # Sending

    async def _send(self, speech: AsyncIterator[Audio]) -> _Utterance | None:
        """Send what is new of ``speech``, until it ends or the provider says that the turn has.

        Returns:
            The utterance; None if there was no audio.

        Raises:
            ProviderError: If the connection is lost.
        """
        bound = asyncio.timeout(None)
        try:
            async with bound:
                return await self._pump(speech, bound)
        except TimeoutError:
            if not bound.expired() or self._utterance is None:
                raise
        finally:
            self._sending = None
        self._utterance.link.check()
        return self._utterance

    async def _pump(
        self, speech: AsyncIterator[Audio], bound: asyncio.Timeout
    ) -> _Utterance | None:
        earlier = self._earlier()
        known: list[Audio] = []
        utterance: _Utterance | None = None
        async for piece in speech:
            if utterance is not None:
                if self._sending is None:  # the first that is new
                    utterance.go_on(asyncio.get_running_loop().time())
                    self._sending = bound
                    self._certain.set()
                await utterance.link.hear(utterance, piece)
                continue
            known.append(piece)
            if earlier is None or earlier.pieces[len(known) - 1] is not piece:
                utterance = await self._begin(known, bound)
            elif len(known) == len(earlier.pieces):
                utterance = earlier
                utterance.link.attend()
        if utterance is None and known:  # it is shorter than it was
            utterance = await self._begin(known, bound)
        return utterance

    def _earlier(self) -> _Utterance | None:
        """Return the last utterance, if it could go on where it was."""
        utterance = self._utterance
        if utterance is None or not utterance.pieces or not utterance.link.may_go_on():
            return None
        return utterance

    async def _begin(self, pieces: Sequence[Audio], bound: asyncio.Timeout) -> _Utterance:
        link = self._link
        if link is None or not link.may_begin():
            if link is not None:
                link.retire()
            link = self._connect()
        utterance = self._utterance = _Utterance(link)
        link.attend()
        self._sending = bound
        self._certain.set()
        await link.begin(utterance)
        for piece in pieces:
            await link.hear(utterance, piece)
        return utterance

    def _connect(self) -> _Link:
        if self._closed:
            raise ProviderError("stt", "the call is over", retryable=False)
        link = self._link = self._provider.link()
        link.on_change = self._look
        link.on_leaving = self._renew
        return link

    def _renew(self) -> None:
        """Have a fresh connection, since the one there is leaves for its age."""
        if not self._closed and self._provider.started:
            self._connect()

    def _look(self) -> None:
        """Stop sending, at once if that is of no use, soon if the provider heard the turn end."""
        utterance, sending = self._utterance, self._sending
        if utterance is None or sending is None or sending.expired():
            return
        if utterance.link.lost is not None:
            sending.reschedule(asyncio.get_running_loop().time())
        elif utterance.turn is _Turn.OVER:
            # What was sent meanwhile may be the next turn, which would be told of by then.
            sending.reschedule(utterance.turned_at + 2 * self._pace.lag)
        else:
            sending.reschedule(None)


@dataclass(frozen=True, slots=True)
class _Owed:
    """An answer that the provider owes."""

    utterance: _Utterance
    since: float


class _Link:
    """One connection, and what was said on it. Belongs to one call at a time.

    Attributes:
        lost: Why it is of no use any more.
        on_change: Called when anything has changed.
        on_leaving: Called when it ends for its age.
        task: Reads, keeps it alive, and closes it at its end.
    """

    def __init__(self, http: Http, dialect: Dialect, pace: Pace) -> None:
        self._http = http
        self._dialect = dialect
        self._limits = dialect.limits
        self._session = dialect.session()
        self._pace = pace
        self._now = asyncio.get_running_loop().time
        self._socket: Socket | None = None
        self._changed = asyncio.Event()
        self._reading: asyncio.Timeout | None = None
        self._leaves_at = math.inf
        self._said_bye = False
        self._attended = False  # somebody transcribes
        self._speaking = False  # and what they transcribe has not ended
        self._utterance: _Utterance | None = None  # the one that is sent
        self._owed: deque[_Owed] = deque()
        self._unfinished = False  # whether audio was sent since the last finish
        self._resampler = Resampler(SPEECH_RATE, self._limits.rate)
        self._rest = bytearray()  # resampled, and not sent
        self._turns = _Turns(pace)
        self._doubtful = False  # whether it took a whole utterance without a word
        self._sent_at = self._received_at = -math.inf
        self.lost: ProviderError | None = None
        self.on_change: Callable[[], None] | None = None
        self.on_leaving: Callable[[], None] | None = None
        self.task = asyncio.create_task(self._live())

    # What it can be used for

    @property
    def is_open(self) -> bool:
        """Whether something can be sent."""
        return self._socket is not None

    def may_go_on(self) -> bool:
        """Return whether the utterance on it can go on."""
        overdue = self._owed and self._now() - self._owed[0].since > self._limits.answers_within
        return self.lost is None and not (self._said_bye or self._doubtful or overdue)

    def may_begin(self) -> bool:
        """Return whether an utterance can be begun on it."""
        if not self.may_go_on() or self._now() >= self._leaves_at:
            return False
        utterance = self._utterance
        if utterance is None or not self._limits.detects_turns:
            return True
        return self._now() >= self._turns.done_at(utterance)

    def stay(self, seconds: float) -> None:
        """Set for how long it is to be used from now."""
        self._leaves_at = self._now() + seconds
        self._wake()

    def attend(self) -> None:
        """Note that somebody transcribes."""
        self._attended = self._speaking = True

    def rest(self) -> None:
        """Note that nobody does; a provider that detects turns is given silence to decide on."""
        self._attended = self._speaking = False
        self._wake()

    def retire(self) -> None:
        """End it, in the background."""
        self.lost = self.lost or ProviderError("stt", "the connection was closed")
        self.task.cancel()
        self._tell()

    # Waiting

    def check(self) -> None:
        """Return if it is of use.

        Raises:
            ProviderError: If it is not.
        """
        if (lost := self.lost) is not None:
            message = str(lost).removeprefix(f"{lost.stage}: ")
            raise ProviderError("stt", message, timed_out=lost.timed_out, retryable=lost.retryable)
        if self.task.done():
            self.task.result()  # raises what is a bug

    async def until(self, true: Callable[[], bool], by: float | None = None) -> bool:
        """Wait until ``true()``, or the loop's time is ``by``; return which. Cancelling is safe.

        Raises:
            ProviderError: If the connection is lost before.
        """
        while not true():
            self.check()
            try:
                async with asyncio.timeout_at(by):
                    await self._changed.wait()
            except TimeoutError:
                return true()
        return True

    def _tell(self) -> None:
        changed, self._changed = self._changed, asyncio.Event()
        changed.set()
        if self.on_change is not None:
            self.on_change()

    # Speaking

    async def begin(self, utterance: _Utterance) -> None:
        """Begin an utterance; what was sent before is none of it.

        Raises:
            ProviderError: If the connection is lost.
        """
        before, self._utterance = self._utterance, utterance
        self._rest.clear()
        self._resampler = Resampler(SPEECH_RATE, self._limits.rate)
        utterance.go_on(self._now())
        if before is not None and not self._limits.detects_turns:
            await self._ask_to_finish(before)

    async def hear(self, utterance: _Utterance, piece: Audio) -> None:
        """Send one more piece, with others if it is short. Cancelling is safe: nothing is lost.

        Raises:
            ProviderError: If the connection is lost.
        """
        utterance.pieces.append(piece)
        self._rest += self._resampler.feed(piece.pcm)
        if len(self._rest) >= self._limits.group * self._limits.rate * BYTES_PER_SAMPLE:
            await self._send_rest()

    async def finish(self, utterance: _Utterance) -> None:
        """Wait until the provider has heard all of the utterance. Cancelling is safe.

        Raises:
            ProviderError: If the connection is lost.
        """
        await self._send_rest(last=True)
        await self._ask_to_finish(utterance)
        by = None
        if self._limits.asks_after is not None:
            by = self._now() + self._limits.asks_after
        if not await self.until(lambda: self._has_answered(utterance), by):
            await self._say_bye()
            await self.until(lambda: self._has_answered(utterance))

    def _has_answered(self, utterance: _Utterance) -> bool:
        return all(owed.utterance is not utterance for owed in self._owed)

    async def _ask_to_finish(self, utterance: _Utterance) -> None:
        if not self._unfinished:
            return
        self._unfinished = False
        if messages := self._session.finish():
            self._owed.append(_Owed(utterance, self._now()))
            for message in messages:
                await self._post(message)

    async def _send_rest(self, *, last: bool = False) -> None:
        """Send what waits to be sent.

        Args:
            last: Whether nothing follows for now.
        """
        await self.until(lambda: self.is_open)
        if last:
            self._rest += self._resampler.flush()
            self._resampler = Resampler(SPEECH_RATE, self._limits.rate)
        most = BYTES_PER_SAMPLE * int(self._limits.longest * self._limits.rate)
        while self._rest:
            pcm = bytes(self._rest[:most])
            del self._rest[:most]
            self._unfinished = True
            self._turns.spoken_at = self._now()
            await self._post(self._session.audio(pcm))

    async def _say_bye(self) -> None:
        """Have the provider end the connection: it answers before what it owes."""
        if not self._said_bye:
            self._said_bye = True
            for message in self._session.bye():
                await self._post(message)

    async def _post(self, message: str | bytes) -> None:
        # What is kept of what was sent is noted before: a message that is cancelled on its way is
        # sent all the same.
        self.check()
        if self._socket is not None:
            self._sent_at = self._now()
            try:
                await self._socket.send(message)
            except ProviderError as error:
                self.lost = self.lost or error
                raise

    # Turns

    async def hear_out(self, utterance: _Utterance) -> None:
        """Wait until the provider has heard the end of the turn, or perhaps; or for long enough.

        Raises:
            ProviderError: If the connection is lost.
        """
        await self._send_rest(last=True)
        self._speaking = False
        self._wake()
        patience = self._pace.patience
        patient_until = self._now() + patience
        while True:
            # What was sent faster than it was spoken, it may be hearing still.
            by = max(patient_until, utterance.heard_at + patience / 2)
            if utterance.turn is not _Turn.GOING:
                by = min(by, self._turns.end_believed_at(utterance))
            if self._now() >= by:
                break
            await self.until(self._changed.is_set, by)
        self._doubtful = self._received_at < utterance.went_on_at

    async def verdict(self, utterance: _Utterance) -> bool:
        """Return whether the utterance was all, once the provider knows. Cancelling is safe.

        Raises:
            ProviderError: If it does not decide, or the connection is lost.
        """
        while True:
            if utterance.resumed:
                utterance.resumed = False
                return False
            by, over = self._turns.verdict(utterance, speaking=self._speaking)
            if self._now() >= by:
                if over:
                    return True
                raise ProviderError("stt", "the turn does not end", timed_out=True)
            await self.until(self._changed.is_set, None if by == math.inf else by)

    # The task

    async def _live(self) -> None:
        socket: Socket | None = None
        try:
            dialect = self._dialect
            socket = await self._http.socket(dialect.path, params=dialect.params(), heartbeat=PINGS)
            for message in self._session.hello():
                await socket.send(message)
            self._sent_at = self._now()
            self._socket = socket
            self._tell()
            await self._read(socket)
        except ProviderError as error:
            self.lost = self.lost or error
        finally:
            self._tell()
            if socket is not None:
                await self._close(socket)

    async def _read(self, socket: Socket) -> None:
        """Take what comes, and do what is due meanwhile.

        Raises:
            ProviderError: When the connection is at its end.
        """
        while True:
            due = self._due()
            if self._now() >= due:
                await self._tend(socket)
                continue
            try:
                async with asyncio.timeout_at(None if due == math.inf else due) as self._reading:
                    message = await socket.receive()
            except TimeoutError:
                continue
            finally:
                self._reading = None
            self._received_at = self._now()
            try:
                events = self._session.read(message)
            except ValueError:
                raise ProviderError("stt", "the server's answer cannot be read") from None
            for event in events:
                self._take(event)
            self._tell()

    def _due(self) -> float:
        """Return when there is something to do, if no message comes."""
        due = self._may_leave_at()
        if self._limits.keep_alive is not None:
            due = min(due, self._sent_at + self._limits.keep_alive)
        if self._is_to_decide():
            due = min(due, self._sent_at + self._pace.silence)
        return due

    def _may_leave_at(self) -> float:
        if self._attended or self._owed or self._turns.open:
            return math.inf
        return max(self._leaves_at, self._turns.spoken_at + self._pace.quiet)

    def _is_to_decide(self) -> bool:
        """Return whether the provider has to be given silence, to decide whether a turn is over."""
        if not self._limits.detects_turns or self._speaking:
            return False
        return self._turns.wants_silence(self._now())

    async def _tend(self, socket: Socket) -> None:
        now = self._now()
        if now >= self._may_leave_at():
            if self.on_leaving is not None:
                self.on_leaving()
            raise ProviderError("stt", "the connection was replaced")
        if self._is_to_decide():
            # As much as was not said meanwhile, unless we were held up ourselves.
            seconds = min(now - self._sent_at, 2 * self._pace.silence)
            self._sent_at = now
            silence = bytes(BYTES_PER_SAMPLE * round(seconds * self._limits.rate))
            await socket.send(self._session.audio(silence))
        elif self._limits.keep_alive is not None and now >= self._sent_at + self._limits.keep_alive:
            self._sent_at = now
            await socket.send(self._session.keep_alive())

    def _wake(self) -> None:
        """Look again at what is due."""
        if self._reading is not None and not self._reading.expired():
            due = self._due()
            self._reading.reschedule(None if due == math.inf else due)

    async def _close(self, socket: Socket) -> None:
        if not socket.closed and not self._said_bye:
            with suppress(ProviderError, TimeoutError):  # it is lost then, which is as good
                async with asyncio.timeout(BYE_WITHIN):
                    for message in self._session.bye():
                        await socket.send(message)
        await socket.aclose()

    # What is heard

    def _take(self, event: Event) -> None:
        match event:
            case Interim() | Final():
                self._take_text(event)
            case Finished():
                if self._owed:
                    self._owed.popleft()
            case Ended():
                self._owed.clear()
            case _:
                self._take_turn(event)

    def _take_text(self, event: Interim | Final) -> None:
        utterance = self._owed[0].utterance if self._owed else self._utterance
        if not (self._owed or self._unfinished):
            return  # late: all that was sent was heard
        if utterance is None:
            return
        before = utterance.text
        if isinstance(event, Final):
            utterance.finals.append(event.text)
            utterance.interim = ""
        else:
            utterance.interim = event.text
            if event.text and not self._turns.open and self._limits.detects_turns:
                self._take_turn(TurnBegan())
        if utterance.text != before:
            utterance.heard_at = self._now()

    def _take_turn(self, event: TurnEvent) -> None:
        self._turns.open = not isinstance(event, TurnOver)
        if self._utterance is not None:
            self._utterance.take_turn(event, self._now())
