"""Speech-to-text over one websocket a call: the engine that adapters give their dialect.

What differs between providers is a dialect, see :mod:`pipelines.providers.streaming_stt.protocol`.
The engine has the connections: it opens one when a call begins, sends what is said as it is said,
keeps it alive while nobody speaks, and replaces it before the provider would close it.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Mapping, Sequence

import structlog

from pipelines.background import BackgroundTasks
from pipelines.providers.contracts import ProviderError
from pipelines.providers.streaming_stt.connection import TranscriptionConnection
from pipelines.providers.streaming_stt.protocol import NamingDialect, TranscriptionDialect
from pipelines.providers.streaming_stt.session import StreamingTranscriptionSession
from pipelines.providers.streaming_stt.turns import Pace
from pipelines.providers.transport.http import Http

log = structlog.get_logger()

MOST_SPARES = 8
"""Connections that wait for calls which were announced."""

CLOSE_WITHIN = 1.0
"""Seconds for connections to close; each takes 0.1 at most."""


class StreamingStt:
    """The connections to one provider, of all calls.

    An adapter is one of these, with its dialect, and a ``start`` that finds the key and calls
    :meth:`connect_by`.

    Args:
        dialect: How to speak to it.
        pace: Other than usual, for tests.
    """

    def __init__(self, dialect: TranscriptionDialect, pace: Pace | None = None) -> None:
        self.dialect = dialect
        self.pace = pace or Pace()
        self._http: Http | None = None
        self._tasks = BackgroundTasks()
        self._connections: set[TranscriptionConnection] = set()
        self._spares: deque[TranscriptionConnection] = deque()

    async def connect_by(self, http: Http, headers: Mapping[str, str]) -> None:
        """Be ready; connects to nothing.

        Args:
            http: Where to; started and closed by this.
            headers: Sent with every request, the key among them.
        """
        await http.start(headers)
        self._http = http

    async def warm(self) -> None:
        """Have one more connection open, for a call that was announced. Cancelling is safe."""
        if self._http is None or len(self._spares) >= MOST_SPARES:
            return
        connection = self._open(self.pace.spare)
        kept = False
        try:
            kept = await connection.until(lambda: connection.is_open)
        except ProviderError as error:
            log.debug("not warmed", error=str(error))
        finally:
            if not kept:
                connection.retire()
        if kept:
            self._spares.append(connection)

    def open_session(self) -> StreamingTranscriptionSession:
        """Return the session of one call; begins to connect."""
        return StreamingTranscriptionSession(self, self.dialect.limits, self.pace)

    def open_session_with(self, names: Sequence[str]) -> StreamingTranscriptionSession:
        """Return the session of one call in which these names may be said; begins to connect.

        One that waits for a call was opened without them, so it is closed, and a fresh one had,
        unless this provider is not told names, or there are none yet.
        """
        if not isinstance(self.dialect, NamingDialect):
            return self.open_session()
        connections = _OfCall(self, self.dialect, names)
        return StreamingTranscriptionSession(connections, self.dialect.limits, self.pace)

    def take_in(self, dialect: TranscriptionDialect) -> TranscriptionConnection:
        """Return a connection of a dialect; if it is not the usual, a fresh one, which is opening.

        Raises:
            ProviderError: If not started, or closed.
        """
        if dialect is self.dialect:
            return self.take()
        if self._spares:
            self._spares.popleft().retire()
        return self._open(self.dialect.limits.age, dialect)

    def take(self) -> TranscriptionConnection:
        """Return a connection: one that waits for a call, or a fresh one, which is opening.

        Raises:
            ProviderError: If not started, or closed.
        """
        while self._spares:
            connection = self._spares.popleft()
            if connection.is_usable:
                connection.keep_for(self.dialect.limits.age)
                return connection
        return self._open(self.dialect.limits.age)

    async def aclose(self) -> None:
        """Close all connections; what is heard on them fails with ProviderError."""
        http, self._http = self._http, None
        self._spares.clear()
        for connection in self._connections:
            connection.retire()
        await self._tasks.aclose(CLOSE_WITHIN)
        if http is not None:
            await http.aclose()

    def _open(
        self, seconds: float, dialect: TranscriptionDialect | None = None
    ) -> TranscriptionConnection:
        if self._http is None:
            raise ProviderError("stt", "not started, or closed", retryable=False)
        connection = TranscriptionConnection(
            self._http, dialect or self.dialect, self.pace, self._tasks
        )
        connection.keep_for(seconds)
        self._connections.add(connection)
        connection.task.add_done_callback(lambda _: self._forget(connection))
        return connection

    def _forget(self, connection: TranscriptionConnection) -> None:
        self._connections.discard(connection)
        if connection in self._spares:
            self._spares.remove(connection)


class _OfCall:
    """The connections of one call, which are told its names as they are by then."""

    def __init__(
        self, provider: StreamingStt, dialect: NamingDialect, names: Sequence[str]
    ) -> None:
        self._provider = provider
        self._without = self._told = dialect
        self._names = names
        self._known: tuple[str, ...] = ()

    @property
    def dialect(self) -> TranscriptionDialect:
        """The same one as long as the names are the same."""
        if (names := tuple(self._names)) != self._known:
            self._known, self._told = names, self._without.with_names(names)
        return self._told

    def take(self) -> TranscriptionConnection:
        return self._provider.take_in(self.dialect)
