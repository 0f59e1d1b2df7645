"""``voice-agent call``: place a call, as the platform would."""

from __future__ import annotations

import argparse
import asyncio
import json
import uuid
from pathlib import Path
from typing import TYPE_CHECKING

from agent.cli.options import (
    USAGE,
    Commands,
    a_file,
    add_stream_options,
    address,
    fail,
    new_file,
    seconds,
    words,
)

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from agent.simulator.call_in_progress import CallInProgress
    from agent.simulator.plan import Turn

LONGEST_WAIT = 600.0
"""Seconds: the call is over by then."""


def add(commands: Commands) -> None:
    """Declare the command and its options."""
    call = commands.add_parser(
        "call",
        help="place a call, as the platform would",
        description="Place a call to any server that speaks the stream channel.",
    )
    call.add_argument("url", type=address("ws", "wss"), help="the stream endpoint, ws:// or wss://")
    call.add_argument(
        "--say",
        dest="turns",
        action="append",
        type=lambda text: ("say", words(text)),
        default=[],
        metavar="TEXT",
        help="what the caller says; several are several turns",
    )
    call.add_argument(
        "--wav",
        dest="turns",
        action="append",
        type=lambda path: ("wav", a_file(path)),
        metavar="FILE",
        help="speak a recording: 16-bit WAV, any rate",
    )
    call.add_argument(
        "--press",
        dest="turns",
        action="append",
        type=lambda keys: ("press", keys),
        metavar="KEYS",
        help="press keys, such as 123#",
    )
    call.add_argument(
        "--interrupt-after",
        type=seconds(LONGEST_WAIT),
        metavar="S",
        help="talk over the agent, S seconds after it begins",
    )
    add_stream_options(call)
    call.add_argument(
        "--connect",
        choices=("v1", "v2", "tutorial"),
        default="v2",
        help="which of the published connect messages to send (v2); only v2 tells the rate",
    )
    call.add_argument("--save", type=new_file, metavar="FILE", help="stereo WAV: caller, agent")
    call.add_argument("--transcribe", action="store_true", help="print what the agent said")
    call.add_argument("--json", action="store_true", help="print measurements, not a timeline")
    call.set_defaults(run=run)


def run(options: argparse.Namespace) -> int:
    """Place the call and print how it went; return the exit status."""
    from agent import logs
    from agent.simulator.speech import UnusableTurnError
    from agent.simulator.stream_caller import CallFailedError

    logs.configure("error", "auto")
    try:
        return asyncio.run(_place(options))
    except UnusableTurnError as error:
        return fail(error, USAGE)
    except CallFailedError as error:
        return fail(error)


async def _place(options: argparse.Namespace) -> int:
    from agent.simulator.plan import Plan
    from agent.simulator.speech import transcribe_agent
    from agent.simulator.stream_caller import CallFailedError, place_call

    plan = Plan(
        turns=await _turns(options.turns, options.rate),
        rate=options.rate,
        headers=dict(options.headers),
        shape=options.connect,
        interrupt_after=options.interrupt_after,
    )
    if options.line != "clean":
        from agent.simulator.line import on_line

        plan = on_line(plan, options.line)
    call = await place_call(options.url, plan, _timeline(options), f"stand-in-{uuid.uuid4()}")
    if options.save:
        _save(call, options.save)
    said = await transcribe_agent(call) if options.transcribe else None
    _print_report(call, said, as_json=options.json)
    if failure := call.failure():
        raise CallFailedError(failure)
    return 0


async def _turns(given: list[tuple[str, str]], rate: int) -> Sequence[Turn]:
    """Return what the caller says and presses, in the order that it was given in."""
    from agent.simulator.speech import pressed_turn, recorded_turn, spoken_turns

    spoken = iter(await spoken_turns([what for how, what in given if how == "say"], rate))
    turns = []
    for how, what in given:
        match how:
            case "wav":
                turns.append(recorded_turn(Path(what), rate))
            case "press":
                turns.append(pressed_turn(what, rate))
            case _:
                turns.append(next(spoken))
    return turns


def _save(call: CallInProgress, path: Path) -> None:
    from agent.simulator.stream_caller import CallFailedError

    try:
        call.save(path)
    except OSError as error:
        raise CallFailedError(f"--save {path}: {error.strerror}") from None


def _timeline(options: argparse.Namespace) -> Callable[[float, str], None]:
    def tell(at: float, line: str) -> None:
        if not options.json:
            print(f"{at:7.2f}  {line}", flush=True)

    return tell


def _print_report(call: CallInProgress, said: list[str] | None, *, as_json: bool) -> None:
    report = call.report
    if as_json:
        heard = {} if said is None else {"agent_said": said}
        print(json.dumps(report.as_json() | heard))
        return
    print(f"{report.seconds:7.2f}  the {report.ended_by} hangs up")
    responses = [e.response for e in report.exchanges if e.response is not None]
    if responses:
        print("response times: " + ", ".join(f"{seconds:.2f} s" for seconds in responses))
    if report.gaps:
        print(f"gaps within the agent's speech: {report.gaps}")
    for (began, _), text in zip(report.agent_spoke, said or [], strict=False):
        print(f"{began:7.2f}  agent: {text}")
