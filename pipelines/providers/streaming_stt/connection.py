"""One websocket to a provider of speech-to-text: opened, read, kept alive, and closed."""

from __future__ import annotations

import asyncio
import math
from collections.abc import Callable
from contextlib import suppress

from pipelines.background import BackgroundTasks
from pipelines.clock import now
from pipelines.providers.contracts import ProviderError
from pipelines.providers.streaming_stt.attribution import Attribution
from pipelines.providers.streaming_stt.protocol import TranscriptionDialect
from pipelines.providers.streaming_stt.turns import Pace
from pipelines.providers.streaming_stt.upkeep import Leave, SendKeepAlive, SendSilence, Upkeep
from pipelines.providers.transport.failures import again
from pipelines.providers.transport.http import Http
from pipelines.providers.transport.websocket import Socket

PINGS = 10.0
"""Seconds between websocket pings, each answered within half of that: a connection that died
without a sign is found while nobody speaks."""

CLOSING_WITHIN = 0.03
"""Seconds to hand the last message to the system; closing the socket may take as long again."""


class TranscriptionConnection:
    """One connection, and what was sent and heard on it. Belongs to one call at a time.

    It opens itself, in a task that ends with it. However that task ends, the connection is lost
    then, and whoever waits on it is told; if it ends by a bug, that is logged besides.

    Args:
        http: Where to.
        dialect: How to speak there.
        pace: How long to wait for what.
        tasks: Where its task runs.

    Attributes:
        dialect: How it was last told to be spoken to.
        protocol: The provider's protocol on it.
        attribution: What was sent and heard.
        upkeep: What is due on it.
        received_at: When the server last said anything.
        lost: Why it is of no use any more; None while it is.
        on_change: Called when anything has changed.
        on_leaving: Called when it ends for its age.
        task: Reads it, keeps it alive, and closes it at its end.
    """

    def __init__(
        self, http: Http, dialect: TranscriptionDialect, pace: Pace, tasks: BackgroundTasks
    ) -> None:
        self._http = http
        self.dialect = dialect
        self._socket: Socket | None = None
        self._changed = asyncio.Event()
        self._reading: asyncio.Timeout | None = None
        self._closing = False
        self.protocol = dialect.protocol()
        self.attribution = Attribution(dialect.limits, pace)
        self.upkeep = Upkeep(dialect.limits, pace, self.attribution)
        self.received_at = -math.inf
        self.lost: ProviderError | None = None
        self.on_change: Callable[[], None] | None = None
        self.on_leaving: Callable[[], None] | None = None
        self.task = tasks.start(self._run(), "a connection for speech-to-text")

    @property
    def is_open(self) -> bool:
        """Whether something can be sent."""
        return self._socket is not None

    @property
    def is_usable(self) -> bool:
        """Whether it is open, or opening, and not at its end."""
        return self.lost is None and not self._closing

    def keep_for(self, seconds: float) -> None:
        """Set for how long it is to be used from now."""
        self.upkeep.leaves_at = now() + seconds
        self.look_again()

    def look_again(self) -> None:
        """Have the task look again at what is due: :attr:`upkeep` was changed."""
        if self._reading is not None and not self._reading.expired():
            due = self.upkeep.due_at(now())
            self._reading.reschedule(None if due == math.inf else due)

    def retire(self) -> None:
        """End it; :attr:`task` closes it, which takes no longer than 0.1 s."""
        self.task.cancel()
        self._lose(ProviderError("stt", "the connection was closed"))

    # Waiting

    def check(self) -> None:
        """Return if it is of use.

        Raises:
            ProviderError: If it is not.
        """
        if self.lost is not None:
            raise again(self.lost)

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

    async def until_change(self, by: float) -> None:
        """Wait until anything has changed, or the loop's time is ``by``. Cancelling is safe.

        Raises:
            ProviderError: If the connection is lost before.
        """
        await self.until(self._changed.is_set, None if by == math.inf else by)

    def _tell(self) -> None:
        changed, self._changed = self._changed, asyncio.Event()
        changed.set()
        if self.on_change is not None:
            self.on_change()

    def _lose(self, error: ProviderError) -> None:
        """Note that it is of no use any more, if that is not known yet."""
        if self.lost is None:
            self.lost = error
        self._tell()

    # Sending

    async def send(self, message: str | bytes) -> None:
        """Send one message; nothing while it is not open.

        What is kept of what was sent has to be noted before: a message that is cancelled on its way
        is sent all the same.

        Raises:
            ProviderError: If the connection is lost.
        """
        self.check()
        if self._socket is None:
            return
        self.upkeep.sent_at = now()
        try:
            await self._socket.send(message)
        except ProviderError as error:
            self.lost = self.lost or error
            raise

    async def send_closing(self) -> None:
        """Have the provider end the connection: it answers before what it owes.

        Raises:
            ProviderError: If the connection is lost.
        """
        if not self._closing:
            self._closing = True
            for message in self.protocol.closing():
                await self.send(message)

    # The task

    async def _run(self) -> None:
        socket: Socket | None = None
        path, params = self.dialect.path, self.dialect.params()
        try:
            socket = await self._http.socket(path, params=params, heartbeat=PINGS)
            for message in self.protocol.opening():
                await socket.send(message)
            self.upkeep.sent_at = now()
            self._socket = socket
            self._tell()
            await self._read(socket)
        except ProviderError as error:
            self.lost = self.lost or error
        finally:
            self._lose(ProviderError("stt", "the connection failed"))
            if socket is not None:
                await self._close(socket)

    async def _read(self, socket: Socket) -> None:
        """Take what comes, and do what is due meanwhile.

        Raises:
            ProviderError: When the connection is at its end.
        """
        while True:
            due = self.upkeep.due_at(now())
            if now() >= due:
                await self._keep_up(socket)
                continue
            try:
                async with asyncio.timeout_at(None if due == math.inf else due) as self._reading:
                    message = await socket.receive()
            except TimeoutError:
                continue
            finally:
                self._reading = None
            self._take(message)

    def _take(self, message: str | bytes) -> None:
        self.received_at = now()
        try:
            events = self.protocol.read(message)
        except ValueError:
            raise ProviderError("stt", "the server's answer cannot be read") from None
        for event in events:
            self.attribution.take(event, self.received_at)
        self._tell()

    async def _keep_up(self, socket: Socket) -> None:
        """Do what is due.

        Raises:
            ProviderError: If that is to end the connection, or it is lost.
        """
        match self.upkeep.due(now()):
            case Leave():
                if self.on_leaving is not None:
                    self.on_leaving()
                raise ProviderError("stt", "the connection was replaced")
            case SendSilence(pcm):
                self.upkeep.sent_at = now()
                await socket.send(self.protocol.audio(pcm))
            case SendKeepAlive():
                self.upkeep.sent_at = now()
                await socket.send(self.protocol.keep_alive())

    async def _close(self, socket: Socket) -> None:
        if not socket.closed and not self._closing:
            with suppress(ProviderError, TimeoutError):  # it is lost then, which is as good
                async with asyncio.timeout(CLOSING_WITHIN):
                    for message in self.protocol.closing():
                        await socket.send(message)
        await socket.aclose()
