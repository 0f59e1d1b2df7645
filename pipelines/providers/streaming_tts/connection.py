"""One websocket to a provider of text-to-speech: opened, read, and closed when of no more use."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence

import structlog

from pipelines.background import BackgroundTasks
from pipelines.clock import now
from pipelines.providers.contracts import ProviderError
from pipelines.providers.streaming_tts.occupancy import Occupancy, Suspicion
from pipelines.providers.streaming_tts.protocol import Address, MessageToSend, SynthesisDialect
from pipelines.providers.streaming_tts.sentence import Sentence
from pipelines.providers.transport.http import Http
from pipelines.providers.transport.websocket import Socket

log = structlog.get_logger()

PINGS = 10.0
"""Seconds between websocket pings, each answered within half of that: a connection that died
without a sign is found before a caller needs it."""

CANCEL_WITHIN = 0.05
"""Seconds to hand a cancel message to the system; a connection that cannot take it is dropped."""


class SynthesisConnection:
    """One connection, and the sentences on it.

    It opens itself, in a task that ends with it. However that task ends, the connection is lost
    then, and the sentences on it fail; if it ends by a bug, that is logged besides.

    Args:
        address: Where it goes.
        http: By what.
        dialect: How to speak there.
        tasks: Where its task runs.
        on_change: Called when it may have room again, or is lost.

    Attributes:
        occupancy: What is on it.
        wanted: Whether it was of use, so that another should be there when it ends.
        doubted: Whether it was given up before it was open, or a sentence on it before the server
            said anything; until it is, or does.
        was_open: Whether it ever was.
        lost: Whether it is of no use any more.
        task: Reads it, and closes it at its end.
    """

    def __init__(
        self,
        address: Address,
        http: Http,
        dialect: SynthesisDialect,
        tasks: BackgroundTasks,
        on_change: Callable[[], None],
    ) -> None:
        self.address = address
        self.occupancy = Occupancy(dialect.limits, now())
        self.wanted = False
        self.doubted = False
        self.was_open = False
        self.lost = False
        self._protocol = dialect.protocol()
        self._on_change = on_change
        self._ready = asyncio.Event()  # it is open, or lost
        self._socket: Socket | None = None
        self.task = tasks.start(self._run(http), "a connection for text-to-speech")

    @property
    def is_ready(self) -> bool:
        """Whether it is not being opened any more."""
        return self._ready.is_set()

    async def until_ready(self) -> None:
        """Wait until it is open, or lost: there is a deadline on the opening.

        Cancelling is safe; the connection is in doubt then until it is open.
        """
        try:
            await self._ready.wait()
        finally:
            self.doubted = not self._ready.is_set()

    def put(self, sentence: Sentence) -> None:
        """Place a sentence on it; :meth:`speak` and :meth:`give_up` have to follow."""
        self.occupancy.put(sentence, now())
        self.wanted = True

    async def speak(self, sentence: Sentence) -> None:
        """Have the server speak a sentence, once the connection is open.

        Raises:
            ProviderError: If it cannot be sent. A connection that is lost meanwhile fails the
                sentence instead.
        """
        await self._ready.wait()  # a deadline is on the opening
        if not self.lost:
            sentence.sent_at = sentence.heard_at = now()
            await self._send(self._protocol.speak(sentence.context, sentence.text, sentence.rate))

    async def give_up(self, sentence: Sentence) -> None:
        """Have the server stop a sentence that nobody listens to any more, unless it has ended.

        Does not wait for the server's answer.
        """
        if sentence.context not in self.occupancy.sentences:
            return
        at = now()
        self.occupancy.remove(sentence.context, at)
        self._on_change()
        if sentence.sent_at is None:
            self.doubted = True  # it is still being opened
            if not self.occupancy.sentences:
                self.drop()
            return
        self._judge(sentence, at)
        self.occupancy.cancelled(sentence.context, at)
        try:
            async with asyncio.timeout(CANCEL_WITHIN):
                await self._send(self._protocol.cancel(sentence.context))
        except (ProviderError, TimeoutError):
            self.drop(ProviderError("tts", "the connection is lost"))
        if self.occupancy.over(at):
            self.drop()

    def drop(self, error: ProviderError | None = None) -> None:
        """Close it, in the background; sentences on it fail with ``error``."""
        if not self.lost:
            self.task.cancel()
        self._lose(error)

    def _judge(self, sentence: Sentence, at: float) -> None:
        """Think of it what a sentence that is given up says about it."""
        suspicion = self.occupancy.judge(sentence, at)
        if suspicion is Suspicion.DOUBTFUL:
            self.doubted = True
        elif suspicion is not Suspicion.NONE:
            silent = suspicion is Suspicion.SILENT
            log.warning("a speech connection is not trusted any more", dropped=silent)
            if silent:
                self.drop(ProviderError("tts", "the server went silent", timed_out=True))

    def _lose(self, error: ProviderError | None = None) -> None:
        """Note that it is of no use any more. Nothing happens the second time."""
        if self.lost:
            return
        self.lost = True
        self.occupancy.fail_all(error or ProviderError("tts", "the connection is closed"))
        self._ready.set()
        self._on_change()

    async def _send(self, messages: Sequence[str]) -> None:
        """Send; nothing if it is not open, which its sentences are told otherwise.

        Raises:
            ProviderError: If it cannot be sent.
        """
        if self._socket is None or self.lost:
            return
        for message in messages:
            await self._socket.send(message)

    # The task

    async def _run(self, http: Http) -> None:
        """Open it, and read it until it is over."""
        socket: Socket | None = None
        path, params = self.address.path, list(self.address.params)
        try:
            self._socket = socket = await http.socket(path, params=params, heartbeat=PINGS)
            self.was_open = True
            self.doubted = False
            self._ready.set()
            await self._read(socket)
        except ProviderError as error:
            self._lose(error)
        finally:
            self._lose()  # before it is closed, which may take a moment
            if socket is not None:
                await socket.aclose()

    async def _read(self, socket: Socket) -> None:
        """Take what comes, until the connection is over.

        Raises:
            ProviderError: If it is lost, or of no use.
        """
        while not self.occupancy.over(at := now()):
            try:
                message = await socket.receive(self.occupancy.look_again_in(at))
            except TimeoutError:
                continue
            at = self.occupancy.heard_at = now()
            self.doubted = False
            try:
                events = list(self._protocol.read(message))
            except ValueError:
                raise ProviderError("tts", "the server's answer cannot be read") from None
            for event in events:
                if isinstance(event, MessageToSend):
                    await socket.send(event.message)
                else:
                    self.occupancy.take(event, at)
            self._on_change()
