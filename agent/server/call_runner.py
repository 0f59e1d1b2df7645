"""An answered call: built of what the process has, held to its end, and recorded."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from contextlib import AsyncExitStack
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import TYPE_CHECKING

import structlog

from agent.call.call import Call
from agent.call.ending import CallEnded
from agent.call.history import Journal
from agent.call.transfer import Mover, TransferError
from agent.records.writer import Record
from agent.server.admission import Admitted
from agent.server.registry import CallRegistry
from agent.settings.calls import CallSettings
from agent.sinch.call_control import CallControl
from agent.sinch.contracts import CallControlError, RefusedError
from agent.sinch.tokens import Claims
from agent.store.errors import StoreError
from agent.stream.channel import Channel
from agent.stream.connect import Connect
from agent.stream.protocol import StreamProtocol
from agent.stream.websocket import WebSocketLine
from pipelines.listening.detectors import VoiceDetector
from pipelines.stages.lineup import Lineup, Providers
from pipelines.tools.tool import CallInfo, Tool
from pipelines.turn_taking.end_of_turn import TurnModel

if TYPE_CHECKING:
    from pipelines.tools.mcp import McpServer  # an extra

log = structlog.get_logger()


@dataclass(frozen=True, slots=True, kw_only=True)
class CallResources:
    """What a process has for its calls."""

    settings: CallSettings
    providers: Providers
    """Started."""

    new_detector: Callable[[], VoiceDetector]
    """Gives each call its own voice detector."""

    turn_model: TurnModel | None = None
    """Started; None if turns end by silence and words alone."""

    mcp_servers: Mapping[str, McpServer] = field(default_factory=dict)
    """Started, by name."""

    def build(
        self,
        admitted: Admitted,
        channel: Channel,
        lineup: Lineup,
        journal: Journal,
        *,
        mover: Mover | None,
        tools: Sequence[Tool],
    ) -> Call:
        """Return a call that is answered; run it next.

        Args:
            admitted: Who calls, and which agent answers.
            channel: Answered.
            lineup: Of this call; whoever opened it closes it afterwards.
            journal: Gets its record.
            mover: Passes the caller on; None if nobody can.
            tools: What the model may have done.
        """
        return Call(
            channel=channel,
            lineup=lineup,
            script=admitted.script,
            detector=self.new_detector(),
            turn_model=self.turn_model,
            journal=journal,
            settings=self.settings,
            mover=mover,
            tools=tools,
            about=CallInfo(
                call_id=admitted.call_id,
                caller=admitted.headers.get("caller", ""),
                called=admitted.headers.get("called", ""),
            ),
        )


@dataclass(frozen=True, slots=True)
class _RecordOfLine:
    """The record of a call, whose last line says how the far end has left, if it was first."""

    journal: Record
    line: WebSocketLine

    def add(self, kind: str, **fields: object) -> None:
        self.journal.add(kind, **fields, **(_left(self.line) if kind == "ended" else {}))


def _left(line: WebSocketLine) -> dict[str, object]:
    """Return how the far end has left, if it was the first to close the stream."""
    closed = line.socket.far_end_closed
    return {} if closed is None else {"close_code": closed.code, "close_reason": closed.reason}


class CallRunner:
    """Hold calls, from the answer to the record.

    Args:
        resources: What calls are built of.
        registry: Where they are while they last.
        call_control: Passes callers on, and is told of the end of their streams; None without an
            account.
    """

    def __init__(
        self, resources: CallResources, registry: CallRegistry, call_control: CallControl | None
    ) -> None:
        self._resources = resources
        self._registry = registry
        self._call_control = call_control

    async def hold(
        self, admitted: Admitted, line: WebSocketLine, protocol: StreamProtocol, connect: Connect
    ) -> None:
        """Hold a conversation, to its end and into its record. The socket stays open.

        Raises:
            ExceptionGroup: If there is a bug.
        """
        started = datetime.now(UTC)
        ended = CallEnded("failed")
        try:
            async with AsyncExitStack() as opened:
                journal = self._begin_transcript(admitted, started, connect.rate)
                opened.push_async_callback(journal.aclose)
                lineup = self._resources.providers.lineup()
                opened.push_async_callback(lineup.aclose)
                record = _RecordOfLine(journal, line)
                call = self._build(admitted, line, protocol, connect, lineup, record)
                log.info("call answered", agent=admitted.agent, rate=connect.rate)
                with self._registry.holding(admitted.name, call, admitted.agent):
                    try:
                        ended = await call.run()
                    finally:
                        await opened.aclose()  # it is in progress until then
        finally:
            self.leave(admitted.claims, moved=ended.moved)
        seconds = (datetime.now(UTC) - started).total_seconds()
        log.info("call ended", reason=ended.reason, seconds=round(seconds, 1), **_left(line))

    def leave(self, claims: Claims | None, *, moved: bool = False) -> None:
        """Tell call control that no stream of this token is, or will be: it is used up."""
        if claims is not None and self._call_control is not None:
            self._call_control.stream_ended(claims, moved=moved)

    def _begin_transcript(self, admitted: Admitted, started: datetime, rate: int) -> Record:
        claims = admitted.claims
        journal = self._registry.records.begin(admitted.call_id, started)
        known = {"dialled": claims.dialled} if claims is not None and claims.dialled else {}
        if admitted.application:
            known["application"] = admitted.application
        journal.add(
            "call",
            call_id=admitted.call_id,
            agent=admitted.agent,
            started=started.isoformat(timespec="milliseconds"),
            rate=rate,
            **known,
        )
        return journal

    def _build(
        self,
        admitted: Admitted,
        line: WebSocketLine,
        protocol: StreamProtocol,
        connect: Connect,
        lineup: Lineup,
        journal: Journal,
    ) -> Call:
        return self._resources.build(
            admitted,
            Channel(line, protocol, connect.rate),
            lineup,
            journal,
            mover=self._mover(admitted.claims),
            tools=admitted.script.tools.for_call(self._resources.mcp_servers),
        )

    def _mover(self, claims: Claims | None) -> Mover | None:
        """Return what passes the caller of a stream on."""
        call_control = self._call_control
        if claims is None or call_control is None:
            return None

        async def move(to: str) -> None:
            try:
                await call_control.transfer(claims, to)
            except RefusedError:  # Sinch's words may quote the number
                raise TransferError("Sinch does not dial") from None
            except CallControlError as error:
                raise TransferError(str(error)) from None
            except StoreError as error:
                raise TransferError(f"the database fails: {error}") from None

        return move
