"""One recorded caller, answered by the present configuration: offline, and as fast as it goes."""

from __future__ import annotations

import asyncio
import json
import re
from collections.abc import Callable, Mapping, Sequence
from contextlib import AsyncExitStack
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, get_args

import structlog

from agent.call import orders
from agent.call.opting_out import OptingOut, no_more_calls
from agent.call.transfer import Handover
from agent.call_headers import CallHeaders
from agent.personas import loader
from agent.personas.errors import PersonaError
from agent.personas.script import Details, Script
from agent.private_files import make_private_file
from agent.records.events import RecordedEvent
from agent.records.recordings import stereo
from agent.records.recordings.stereo import StereoAudio
from agent.replay.caller_turns import caller_turns, heard_as_speech
from agent.replay.conversation import MeasuredConversation, happened
from agent.replay.recorded_call import NotReplayedError, RecordedCall
from agent.replay.recorded_tools import RecordedTools
from agent.replay.replayed_caller import ReplayedCaller, as_frames
from agent.replay.started_providers import StartedProviders
from agent.server.admission import Admitted
from agent.server.call_runner import CallResources
from agent.server.mcp_servers import running_mcp_servers
from agent.server.providers import warm
from agent.settings import Settings
from agent.simulator.stretches import sounding
from agent.simulator.virtual_time import VirtualTimeLoop
from agent.store.opt_outs import How
from agent.stream.channel import Channel
from agent.stream.protocol import StreamProtocol
from pipelines.audio import FRAME_SECONDS, Audio
from pipelines.background import BackgroundTasks
from pipelines.clock import now
from pipelines.listening.detectors import NewDetector
from pipelines.stages.probe import probe_speech

log = structlog.get_logger()

WHOLE = 1000.0
"""Seconds, longer than any start takes; calls begin at a whole multiple of it."""

TRANSFER_TAKES = 3.0
"""Seconds until somebody takes a call that is passed on, where that was not recorded."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ReplaySettings:
    """How calls are replayed."""

    settings: Settings
    new_detector: NewDetector
    output: Path
    """Folder of what comes of it."""

    agent: str = ""
    """Who answers, by name or file; ``""`` for whoever answered then."""

    tools: bool = False
    """Whether tools run."""

    timeline: bool = False
    """Whether the caller speaks when they did then, whatever the agent does."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Replayed:
    """A call, then and now."""

    call: RecordedCall
    then: MeasuredConversation
    now: MeasuredConversation
    stood_in: int
    """Times that a tool was asked for what the recorded call has no result of."""

    real_time: bool
    """Whether it went as the wall's clock does: a provider was asked over the network."""

    record: Path
    recording: Path
    """Files of the replay."""


class _Lines:
    """The record of a replay, in memory; tells the caller when a reply is over."""

    def __init__(self) -> None:
        self.lines: list[dict[str, Any]] = []
        self.on_reply_over: Callable[[], None] = lambda: None

    def add(self, kind: str, **fields: object) -> None:
        self.lines.append({"kind": kind, **fields})
        if kind == "agent":
            self.on_reply_over()


@dataclass(slots=True)
class _CallerLine:
    """A line without a network: the caller's end, a frame each 20 ms."""

    caller: ReplayedCaller
    began: float = field(init=False)
    frames: int = 0
    closed: bool = False

    def __post_init__(self) -> None:
        self.began = now()

    async def receive(self) -> str | bytes | None:
        self.frames += 1
        await asyncio.sleep(max(0.0, self.began + self.frames * FRAME_SECONDS - now()))
        if self.closed or self.caller.done:
            return None
        return self.caller.frame()

    async def send(self, message: str | bytes) -> None:
        self.caller.received(message)

    async def close(self, code: int, reason: str = "") -> None:  # noqa: ARG002 - a Line's
        self.closed = True


async def replay(
    call: RecordedCall, how: ReplaySettings, started: StartedProviders, *, alone: bool
) -> Replayed:
    """Hold a recorded call once more. Nothing leaves the machine but what providers are asked.

    Args:
        call: Which.
        how: By what.
        started: Who answers.
        alone: Whether nothing else runs on this loop, so that its clock may be set.

    Raises:
        NotReplayedError: If it cannot be.
        SettingsError: If the providers cannot be started, for any call.
        ExceptionGroup: If there is a bug.
    """
    script = _script(call, how)
    spoken = heard_as_speech(call.sound.caller, how.new_detector())
    heard_then = sounding(call.sound.agent.pcm, call.sound.agent.rate)
    end = next((one.at for one in call.events if one.kind == "ended" and one.at), None)
    frames = len(spoken) if end is None else min(len(spoken), round(end / FRAME_SECONDS))
    turns = caller_turns(spoken, heard_then, frames)
    if len(turns) == 1:
        raise NotReplayedError("no voice of a caller is in its recording")
    caller = ReplayedCaller(call.sound.caller, spoken, turns, timeline=how.timeline)
    tools = RecordedTools(call.events)
    lines = _Lines()
    lines.on_reply_over = caller.reply_over
    loop = asyncio.get_running_loop()
    async with started.for_call(how.new_detector) as resources:
        await warm(resources.providers, script, call.sound.caller.rate)
        if alone and isinstance(loop, VirtualTimeLoop):
            loop.round_up(WHOLE)
        await _hold(call, how, script, caller, lines, tools, resources)
    heard = caller.heard
    record, recording = _write(call, how.output, lines, caller)
    return Replayed(
        call=call,
        then=MeasuredConversation(
            caller=spoken,
            agent=heard_then,
            turns=tuple((one.began, one.ended) for one in turns[:-1]),
            events=call.events,
            frames=max(frames, turns[-1].ended),
        ),
        now=MeasuredConversation(
            caller=as_frames(heard.caller),
            agent=as_frames(heard.agent),
            turns=tuple(heard.turns),
            events=happened(lines.lines),
            frames=len(heard.caller),
        ),
        stood_in=tools.stood_in,
        real_time=not isinstance(loop, VirtualTimeLoop) or loop.ever_connected,
        record=record,
        recording=recording,
    )


async def _hold(
    call: RecordedCall,
    how: ReplaySettings,
    script: Script,
    caller: ReplayedCaller,
    lines: _Lines,
    recorded: RecordedTools,
    resources: CallResources,
) -> None:
    rate = call.sound.caller.rate
    async with AsyncExitStack() as opened:
        tools = recorded.in_place_of(script.tools.fixed, complete=not script.tools.mcp)
        if how.tools:
            servers = await opened.enter_async_context(running_mcp_servers(how.settings.mcp))
            tools = script.tools.for_call(servers)
        if opts_out := call.outgoing and not any(one.kind == "party" for one in call.events):
            tools += (no_more_calls(_keep_nothing, lines.add),)
        providers = resources.providers
        background, speech = BackgroundTasks(), probe_speech()
        opened.push_async_callback(background.aclose)
        background.keep_running(lambda: providers.watch(speech), "watching the providers")
        lineup = providers.lineup(script.names_on_line)
        opened.push_async_callback(lineup.aclose)
        lines.add("call", **_first_line(call, how))
        mover = _Mover(call.events, background, caller)
        held = resources.build(
            _admitted(call, how, script),
            Channel(_CallerLine(caller), _answered(call.call_id, rate), rate),
            lineup,
            lines,
            mover=mover.move,
            tools=tools,
        )
        mover.obey = held.obey
        if opts_out:
            opting_out = OptingOut(_keep_nothing, held.history, held.obey, script)
            opened.push_async_callback(opting_out.aclose)
        await held.run()


async def _keep_nothing(_how: How) -> bool:
    """Return True, as the list of who wants no more calls would: a replay puts nobody on it."""
    return True


def _answered(call_id: str, rate: int) -> StreamProtocol:
    """Return the protocol of a stream that was connected and answered."""
    protocol = StreamProtocol()
    protocol.receive(json.dumps({"command": "connect", "callId": call_id, "sampleRate": rate}))
    protocol.answer()
    return protocol


_NOT_REACHED: Mapping[object, orders.NotReached] = {why: why for why in get_args(orders.NotReached)}


class _Mover:
    """Passes nobody on: it says what became of it in the recorded call, after as long as then.

    Of the first transfer what became of the first there, and so on.
    """

    def __init__(
        self, events: Sequence[RecordedEvent], background: BackgroundTasks, caller: ReplayedCaller
    ) -> None:
        self._background = background
        self._caller = caller
        recorded: list[list[RecordedEvent]] = []
        for one in (one for one in events if one.kind == "transfer" and one.at is not None):
            if one.fields.get("status") == "started" or not recorded:
                recorded.append([])
            recorded[-1].append(one)
        self._recorded = iter(recorded)
        self.obey: Callable[[orders.Order], None] = lambda _order: None

    async def move(self, handover: Handover) -> None:
        """Dial nobody; the call is told later."""
        steps = next(self._recorded, [])
        over = [one for one in steps if one.fields.get("status") in ("done", "failed", "cut off")]
        end = over[0].fields if over else {}
        seconds = TRANSFER_TAKES
        if over and steps[0] is not over[0]:
            seconds = max(0.0, (over[0].at or 0.0) - (steps[0].at or 0.0))
        then = next((one.fields.get("then") for one in steps), None)
        stay, helps = then in ("silent", "help"), then == "help"
        answer: orders.Order = orders.CallerMoved(stay=stay, helps=helps, leg=handover.leg)
        if end.get("status") == "failed":
            answer = orders.CallerNotMoved(why=_NOT_REACHED.get(end.get("why")), leg=handover.leg)
        self._caller.on_hold = True
        if end.get("status") == "cut off" or end.get("why") == "replaced":
            return  # it rang to the end of the call, or until another was dialled
        self._background.start_later(seconds, lambda: self._tell(answer), "a transfer")

    async def _tell(self, order: orders.Order) -> None:
        self._caller.on_hold = False
        self.obey(order)


def _script(call: RecordedCall, how: ReplaySettings) -> Script:
    """Return what the agent says in this call, on the day that it was held."""
    name, folder = how.agent or call.agent or how.settings.agent, how.settings.prompts
    if name.endswith(".md"):
        folder, name = Path(name).parent, Path(name).stem
    about = Details(
        now=call.started.astimezone(),
        caller=call.headers.get("caller", ""),
        called=call.headers.get("called", ""),
        call_id=call.call_id,
        headers=call.headers,
        outgoing=call.outgoing,
    ).by_the_clock_of(how.settings.time_zone)
    try:
        return loader.load(folder, name).render(about)
    except PersonaError as error:
        raise NotReplayedError(" ".join(str(error).split())) from None


def _admitted(call: RecordedCall, how: ReplaySettings, script: Script) -> Admitted:
    return Admitted(
        name=call.name,
        call_id=f"replay-{call.call_id}",  # a tool that runs is not to take it for the real one
        agent=how.agent or call.agent,
        script=script,
        headers=CallHeaders(call.headers.items()),
    )


def _first_line(call: RecordedCall, how: ReplaySettings) -> Mapping[str, Any]:
    return {
        "id": f"replay-{call.name}",
        "replay_of": call.name,
        "call_id": f"replay-{call.call_id}",
        "agent": how.agent or call.agent or how.settings.agent,
        "started": call.started.isoformat(timespec="milliseconds"),
        "rate": call.sound.caller.rate,
    }


def _write(
    call: RecordedCall, folder: Path, lines: _Lines, caller: ReplayedCaller
) -> tuple[Path, Path]:
    """Write the record of a replay and its recording; return where they are."""
    stem = re.sub(r"[^A-Za-z0-9_.-]+", "_", call.name)[:100] or "call"
    record, recording = folder / f"{stem}.jsonl", folder / f"{stem}.flac"
    rate = call.sound.caller.rate
    try:
        make_private_file(record)
        make_private_file(recording)
        text = "".join(
            json.dumps(one, ensure_ascii=False, default=repr) + "\n" for one in lines.lines
        )
        record.write_text(text, encoding="utf-8", errors="backslashreplace")
        heard = caller.heard
        sides = [Audio(bytes(side), rate) for side in (heard.caller_pcm, heard.agent_pcm)]
        stereo.write(recording, StereoAudio(caller=sides[0], agent=sides[1]))
    except OSError as error:
        raise NotReplayedError(f"{folder}: cannot be written: {error.strerror}") from None
    return record, recording
