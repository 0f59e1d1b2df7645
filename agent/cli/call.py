"""``voice-agent call``: place a call, as the platform would."""

from __future__ import annotations

import argparse
import asyncio
import json
import uuid
from pathlib import Path
from typing import TYPE_CHECKING

from agent.cli.options import Commands, add_stream_options, fail, name_and_value

if TYPE_CHECKING:
    from collections.abc import Callable

    from agent.simulator.call_in_progress import CallInProgress


def add(commands: Commands) -> None:
    """Declare the command and its options."""
    call = commands.add_parser(
        "call",
        help="place a call, as the platform would",
        description="Place a call to any server that speaks the stream channel.",
    )
    call.add_argument("url", help="the stream endpoint, ws:// or wss://")
    call.add_argument(
        "--say",
        dest="turns",
        action="append",
        type=lambda text: ("say", text),
        default=[],
        metavar="TEXT",
        help="what the caller says; several are several turns",
    )
    call.add_argument(
        "--wav",
        dest="turns",
        action="append",
        type=lambda path: ("wav", path),
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
        type=float,
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
    call.add_argument("--save", type=Path, metavar="FILE", help="stereo WAV: caller, agent")
    call.add_argument("--transcribe", action="store_true", help="print what the agent said")
    call.add_argument("--json", action="store_true", help="print measurements, not a timeline")
    call.set_defaults(run=run)


def run(options: argparse.Namespace) -> int:
    """Place the call and print how it went; return the exit status."""
    from agent import logs
    from agent.simulator.stream_caller import CallFailedError

    logs.configure("error", "auto")
    try:
        return asyncio.run(_place(options))
    except CallFailedError as error:
        return fail(error)


async def _place(options: argparse.Namespace) -> int:
    from agent.simulator.plan import Plan
    from agent.simulator.speech import pressed_turn, recorded_turn, spoken_turns, transcribe_agent
    from agent.simulator.stream_caller import CallFailedError, place_call

    made = {"wav": lambda what: recorded_turn(Path(what), options.rate)}
    made["press"] = lambda what: pressed_turn(what, options.rate)
    spoken = iter(
        await spoken_turns([what for how, what in options.turns if how == "say"], options.rate)
    )
    turns = [next(spoken) if how == "say" else made[how](what) for how, what in options.turns]
    headers = dict(name_and_value(given) for given in options.headers)
    plan = Plan(
        turns=turns,
        rate=options.rate,
        headers=headers,
        shape=options.connect,
        interrupt_after=options.interrupt_after,
    )
    if options.line != "clear":
        from agent.simulator.line import on_line

        plan = on_line(plan, options.line)
    call = await place_call(options.url, plan, _timeline(options), f"stand-in-{uuid.uuid4()}")
    if options.save:
        call.save(options.save)
    words = await transcribe_agent(call) if options.transcribe else None
    _print_report(call, words, as_json=options.json)
    if failure := call.failure():
        raise CallFailedError(failure)
    return 0


def _timeline(options: argparse.Namespace) -> Callable[[float, str], None]:
    def tell(at: float, line: str) -> None:
        if not options.json:
            print(f"{at:7.2f}  {line}", flush=True)

    return tell


def _print_report(call: CallInProgress, words: list[str] | None, *, as_json: bool) -> None:
    report = call.report
    if as_json:
        heard = {} if words is None else {"agent_said": words}
        print(json.dumps(report.as_json() | heard))
        return
    print(f"{report.seconds:7.2f}  the {report.ended_by} hangs up")
    responses = [e.response for e in report.exchanges if e.response is not None]
    if responses:
        print("response times: " + ", ".join(f"{seconds:.2f} s" for seconds in responses))
    if report.gaps:
        print(f"gaps within the agent's speech: {report.gaps}")
    for (began, _), said in zip(report.agent_spoke, words or [], strict=False):
        print(f"{began:7.2f}  agent: {said}")
