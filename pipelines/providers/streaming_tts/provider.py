"""Text-to-speech over websockets that all calls share: the engine that adapters give their dialect.

What differs between providers is a dialect, see :mod:`pipelines.providers.streaming_tts.protocol`.
The engine has the connections: it opens them, keeps a few, spreads sentences over them, and
replaces them before the provider would close them. Each connection is one task that reads;
sentences are generators that take what it has read for them.

What comes for a sentence that nobody waits for is thrown away, so one sentence can never be heard
in another, however late it is.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Mapping

from pipelines.audio import SPEECH_RATE
from pipelines.background import BackgroundTasks
from pipelines.clock import now
from pipelines.providers.contracts import ProviderError, Speech
from pipelines.providers.streaming_tts.connection import SynthesisConnection
from pipelines.providers.streaming_tts.protocol import Address, SynthesisDialect
from pipelines.providers.streaming_tts.sentence import Sentence
from pipelines.providers.transport.http import CONNECT_WITHIN, Http

CLOSE_WITHIN = 1.0
"""Seconds for connections to close; each takes 0.1 at most."""


class StreamingTts:
    """Speak for all calls at once, over a few websockets.

    A connection that is lost fails the sentences on it, and no others. One that took a sentence and
    said nothing until that was given up is passed over until it says something; if that took long,
    it is not used again (:attr:`SynthesisLimits.suspect_after`). One that is closed after it was of
    use, for whatever reason, is replaced once, so that the next sentence of a call finds one open.

    An adapter is one of these, with its dialect, and a ``start`` that finds the key and calls
    :meth:`connect_by`.

    Args:
        dialect: How.
        most: Connections at once.
    """

    def __init__(self, dialect: SynthesisDialect, most: int) -> None:
        self._dialect = dialect
        self._most = most
        self._connections: list[SynthesisConnection] = []
        self._tasks = BackgroundTasks()
        self._room = asyncio.Event()
        self._line = SPEECH_RATE  # of the last sentence
        self._http: Http | None = None

    async def connect_by(self, http: Http, headers: Mapping[str, str]) -> None:
        """Be ready; sends nothing.

        Args:
            http: Where to; started and closed by this.
            headers: Sent with every request, the key among them.
        """
        await http.start(headers)
        self._http = http

    async def warm(self) -> None:
        """Have a connection open, for sentences like the last; return when it is, or failed."""
        if self._http is None:
            return
        address = self._dialect.address(self._dialect.rate(self._line))
        connection = self._choose(address)
        if connection is not None:
            connection.wanted = True
            await connection.until_ready()

    async def aclose(self) -> None:
        """Close all connections. Sentences under way fail with ProviderError; so do later ones."""
        http, self._http = self._http, None
        for connection in self._alive():
            connection.drop(ProviderError("tts", "closed"))
        await self._tasks.aclose(CLOSE_WITHIN)
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
        sentence = Sentence(text, self._dialect.rate(rate))
        connection = await self._place(sentence)
        try:
            await connection.speak(sentence)
            while (result := await sentence.next()) is not None:
                yield result
        finally:
            await connection.give_up(sentence)
        if not sentence.seconds:
            raise ProviderError("tts", "no audio came")

    async def _place(self, sentence: Sentence) -> SynthesisConnection:
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
        connection.put(sentence)
        return connection

    def _choose(self, address: Address) -> SynthesisConnection | None:
        """Return a connection with room, a new one if need be; None if all are full.

        One that is open comes before one that is being opened, and one in doubt comes last.

        Raises:
            ProviderError: If the engine is closed.
        """
        at = now()
        for connection in self._alive():
            if connection.occupancy.over(at):
                connection.drop()
        able = [c for c in self._alive() if c.address == address and c.occupancy.has_room(at)]
        able.sort(key=lambda c: (c.doubted, not c.is_ready))
        best = able[0] if able else None
        if best is None or best.doubted:
            return self._open(address) or best
        return best

    def _open(self, address: Address) -> SynthesisConnection | None:
        """Begin to open another connection, in place of an idle one if need be; None if all work.

        Raises:
            ProviderError: If the engine is closed.
        """
        if self._http is None:
            raise ProviderError("tts", "not started, or closed", retryable=False)
        if len(self._alive()) >= self._most:
            idle = next((c for c in self._alive() if not c.occupancy.sentences), None)
            if idle is None:
                return None
            idle.drop()
        connection = SynthesisConnection(
            address, self._http, self._dialect, self._tasks, self._room.set
        )
        self._connections.append(connection)
        connection.task.add_done_callback(lambda _: self._ended(connection))
        return connection

    def _alive(self) -> list[SynthesisConnection]:
        """Return the connections that are not lost, oldest first."""
        self._connections = [c for c in self._connections if not c.lost]
        return self._connections

    def _ended(self, connection: SynthesisConnection) -> None:
        """Open another connection if one that has ended was of use."""
        alive = self._alive()
        another = any(each.address == connection.address for each in alive)
        may = self._http is not None and len(alive) < self._most
        if connection.wanted and connection.was_open and not another and may:
            self._open(connection.address)
