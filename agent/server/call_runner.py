"""An answered call: built of what the process has, held to its end, and recorded."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from contextlib import AsyncExitStack, ExitStack, suppress
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from functools import partial
from typing import TYPE_CHECKING

import structlog

from agent.call.briefing import summary_of
from agent.call.call import Call
from agent.call.ending import CallEnded
from agent.call.opting_out import Keep, OptingOut, no_more_calls
from agent.call.screening import Screening
from agent.call.transfer import Handover, HasAnsweredError, Mover, TransferError
from agent.call.turn_record import Journal
from agent.records.journals.secret_keys import SecretKeys
from agent.records.journals.writer import Record
from agent.server.admission import Admitted
from agent.server.call_recording import CallRecording, RecordingOf, not_recorded
from agent.server.live.call_audio import CallAudio
from agent.server.live.feed import LocalFeed
from agent.server.live.happenings import CallFacts
from agent.server.metrics.frame_cost import FrameCosts
from agent.server.registry import CallRegistry
from agent.settings.calls import CallSettings
from agent.sinch.call_control import CallControl
from agent.sinch.dialling.party_tools import party_tools
from agent.sinch.refusals import AnsweredError, CallControlError, RefusedError
from agent.sinch.tokens import Claims
from agent.store.errors import StoreError
from agent.stream.channel import Channel
from agent.stream.connect import Connect
from agent.stream.protocol import StreamProtocol
from agent.stream.tap import NO_TAP
from agent.stream.websocket import WebSocketLine
from pipelines.clock import now
from pipelines.listening.detectors import VoiceDetector
from pipelines.stages.lineup import Lineup, Providers
from pipelines.stages.stt import FailoverTranscriber
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

    record: RecordingOf = not_recorded
    """Returns the recording of a call, if it is to be, and what its agent says then."""

    mcp_servers: Mapping[str, McpServer] = field(default_factory=dict)
    """Started, by name."""

    frame_costs: FrameCosts = field(default_factory=FrameCosts)
    """Is told what a caller's audio costs."""

    new_trace: Callable[[], str] = str
    """Returns the id of the next call's trace; ``""`` if there are none."""

    def build(
        self,
        admitted: Admitted,
        channel: Channel,
        lineup: Lineup,
        journal: Journal,
        *,
        mover: Mover | None,
        tools: Sequence[Tool],
        trace: str = "",
    ) -> Call:
        """Return a call that is answered; run it next.

        Args:
            admitted: Who calls, and which agent answers.
            channel: Answered.
            lineup: Of this call; whoever opened it closes it afterwards.
            journal: Gets its record.
            mover: Passes the caller on; None if nobody can.
            tools: What the model may have done.
            trace: Id of its trace; ``""`` if there is none.
        """
        call = Call(
            channel=channel,
            lineup=lineup,
            script=admitted.script,
            detector=self.new_detector(),
            turn_model=self.turn_model,
            journal=SecretKeys(journal) if admitted.script.keys_are_secret else journal,
            settings=self.settings,
            mover=mover,
            tools=tools,
            about=CallInfo(
                call_id=admitted.call_id,
                caller=admitted.headers.get("caller", ""),
                called=admitted.headers.get("called", ""),
                traceparent=f"00-{trace}-{trace[16:]}-01" if trace else "",
            ),
        )
        call.history.party.names.on_change = lineup.stt.expect
        return call


@dataclass(frozen=True, slots=True)
class _RecordOfLine:
    """The record of a call, whose last line says how the far end has left, if it was first."""

    journal: Record
    line: WebSocketLine

    def add(self, kind: str, **fields: object) -> None:
        self.journal.add(kind, **fields, **(_left(self.line) if kind == "ended" else {}))


def _paused(recording: CallRecording | None) -> bool:
    """Return whether nothing of what is said now may be kept, or heard by others."""
    return recording is not None and recording.paused


def _left(line: WebSocketLine) -> dict[str, object]:
    """Return how the far end has left, if it was the first to close the stream."""
    closed = line.socket.far_end_closed
    return {} if closed is None else {"close_code": closed.code, "close_reason": closed.reason}


def _iso(time: datetime) -> str:
    return time.isoformat(timespec="milliseconds")


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
        self,
        admitted: Admitted,
        line: WebSocketLine,
        protocol: StreamProtocol,
        connect: Connect,
        came: float,
        place: ExitStack,
    ) -> None:
        """Hold a conversation, to its end and into its record. The socket stays open.

        Args:
            admitted: How it is answered.
            line: The socket.
            protocol: Answered.
            connect: What it said.
            came: When the socket was connected, by the event loop's clock.
            place: What it had until now; closed once it is among the calls in progress.

        Raises:
            ExceptionGroup: If there is a bug.
        """
        started, since = datetime.now(UTC), now()
        if trace := self._resources.new_trace():
            structlog.contextvars.bind_contextvars(trace_id=trace)
        ended = CallEnded("failed")
        try:
            async with AsyncExitStack() as opened:
                journal, feed = self._begin_record(admitted, started, came, connect.rate, trace)
                opened.push_async_callback(journal.aclose)
                lineup = self._resources.providers.lineup(admitted.script.names_on_line)
                opened.push_async_callback(lineup.aclose)
                recording, script = self._resources.record(
                    admitted.script, journal.id, connect.rate
                )
                admitted = replace(admitted, script=script)
                record = _RecordOfLine(journal, line)
                measured = self._resources.frame_costs.measured(line, connect.rate)
                channel = Channel(measured, protocol, connect.rate, recording or NO_TAP)
                screening = self._screening(admitted, lineup)
                if screening is not None:
                    opened.push_async_callback(screening.aclose)
                call = self._build(admitted, channel, lineup, record, recording, trace, screening)
                self._listen_for_opt_out(admitted, call, opened)
                call.history.line.pacing = self._resources.frame_costs.pacing
                paused = partial(_paused, recording)
                feed.attach(call.history.record, CallAudio(channel, paused))
                log.info("call answered", agent=admitted.agent, rate=connect.rate)
                with self._registry.holding(admitted.name, call, admitted.agent, recording, feed):
                    place.close()  # not before: another would take it
                    try:
                        ended = await call.run(screening)
                    finally:
                        if recording is not None:
                            recording.close()
                        await opened.aclose()  # it is in progress until then
        finally:
            hung_up = ended.by in ("agent", "operator")
            self.leave(admitted.claims, moved=ended.moved, hung_up=hung_up)
        seconds = round(now() - since, 1)  # whatever becomes of the time of day meanwhile
        log.info("call ended", reason=ended.reason, seconds=seconds, **_left(line))

    def leave(self, claims: Claims | None, *, moved: bool = False, hung_up: bool = False) -> None:
        """Tell call control that no stream of this token is, or will be: it is used up."""
        if claims is not None and self._call_control is not None:
            self._call_control.stream_ended(claims, moved=moved, hung_up=hung_up)

    def _begin_record(
        self, admitted: Admitted, started: datetime, came: float, rate: int, trace: str
    ) -> tuple[Record, LocalFeed]:
        resources, script, headers = self._resources, admitted.script, admitted.headers
        lineup: dict[str, object] = {
            pool.stage: [one.name for one in pool.order()] for pool in resources.providers.pools
        }
        if resources.turn_model is not None:
            lineup["turn_model"] = resources.settings.turns.model
        known = {
            "direction": "incoming",
            "caller": headers.get("caller"),
            "called": headers.get("called"),
            **admitted.facts,
            "agent": admitted.agent,
            "agent_version": script.version,
            "language": script.brief.language,
            "discloses": bool(script.disclosure) or script.greeting_discloses,
            "lineup": lineup,
            "headers": headers.lasting,
            "connected": _iso(started - timedelta(seconds=now() - came)),
            "started": _iso(started),
            "rate": rate,
            "application": admitted.application,
            "trace": trace,
        }
        journal = self._registry.records.begin(admitted.call_id, started)
        said = {name: value for name, value in known.items() if value}
        facts = CallFacts(
            name=admitted.name,
            agent=admitted.agent,
            record=journal.id,
            direction=str(said["direction"]),
            caller=str(said.get("caller", "")),
            called=str(said.get("called", "")),
            started=started.timestamp(),
        )
        feed = LocalFeed(facts, journal, awaited=self._registry.feeds.awaits(admitted.name))
        journal.add("call", call_id=admitted.call_id, **said)
        if script.wanted:
            journal.add("wanted", **script.wanted)
        return journal, feed

    def _build(
        self,
        admitted: Admitted,
        channel: Channel,
        lineup: Lineup,
        journal: Journal,
        recording: CallRecording | None,
        trace: str,
        screening: Screening | None,
    ) -> Call:
        def note(kind: str, **fields: object) -> None:
            call.history.record.note(kind, **fields)

        tools = admitted.script.tools.for_call(self._resources.mcp_servers)
        if self._call_control is not None:
            tools += party_tools(admitted.script.parties, self._call_control, admitted.name)
        if screening is not None:
            journal = screening.watching(journal)
        if recording is not None:
            journal = recording.watching(journal)
            tools += recording.tools
        if (keep := self._opts_out(admitted)) is not None:
            tools += (no_more_calls(keep, note),)
        call = self._resources.build(
            admitted,
            channel,
            lineup,
            journal,
            mover=self._mover(admitted.claims),
            tools=tools,
            trace=trace,
        )
        if recording is not None:
            record = call.history.record
            recording.start(record.began, record.note, screened=screening is not None)
        return call

    def _opts_out(self, admitted: Admitted) -> Keep | None:
        """Return what keeps that whoever we have called wants no more calls; None if we have not.

        Args:
            admitted: Their call.
        """
        if not admitted.whom or self._call_control is None:
            return None
        return partial(self._call_control.opt_out, admitted.whom, admitted.agent)

    def _listen_for_opt_out(self, admitted: Admitted, call: Call, opened: AsyncExitStack) -> None:
        """Have whoever we have called opt out by key, or in their answer to the question."""
        if (keep := self._opts_out(admitted)) is not None:
            opting_out = OptingOut(keep, call.history, call.obey, admitted.script)
            opened.push_async_callback(opting_out.aclose)

    def _screening(self, admitted: Admitted, lineup: Lineup) -> Screening | None:
        """Return what hears who has answered a call of ours; None if nobody asks."""
        if admitted.screens is None:
            return None
        providers = self._resources.providers
        return Screening(
            admitted.screens,
            admitted.script,
            self._resources.new_detector(),
            FailoverTranscriber(providers.stt, providers.budgets, lineup.usage),
            partial(self._machine_answered, admitted.claims),
        )

    async def _machine_answered(self, claims: Claims | None) -> None:
        if claims is not None and self._call_control is not None:
            with suppress(StoreError):  # the database has logged it; it is hung up all the same
                await self._call_control.machine_answered(claims)

    def _mover(self, claims: Claims | None) -> Mover | None:
        """Return what passes the caller of a stream on."""
        call_control = self._call_control
        if claims is None or call_control is None:
            return None

        async def move(handover: Handover) -> None:
            summary = partial(summary_of, handover, self._resources.providers.llm)
            try:
                await call_control.transfer(
                    claims,
                    handover.to,
                    handover.warm,
                    summary,
                    leg_name=handover.leg,
                    helpers=handover.beside,
                )
            except AnsweredError as error:
                raise HasAnsweredError(str(error)) from None
            except RefusedError:  # Sinch's words may quote the number
                raise TransferError("Sinch does not dial") from None
            except CallControlError as error:
                raise TransferError(str(error)) from None
            except StoreError as error:
                raise TransferError(f"the database fails: {error}") from None

        return move
