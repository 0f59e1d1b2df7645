"""The command line; no logic."""

from __future__ import annotations

import argparse
import asyncio
import json
import sys
import uuid
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable

    from agent.platform import CallInProgress


def main(arguments: list[str] | None = None) -> int:
    """Run ``voice-agent``; return its exit status."""
    options = _parser().parse_args(arguments)
    try:
        status: int = options.run(options)
    except KeyboardInterrupt:
        return 130
    return status


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="voice-agent", description="A phone agent for Sinch's websocket stream channel."
    )
    commands = parser.add_subparsers(title="commands", required=True, metavar="COMMAND")

    serve = commands.add_parser("serve", help="answer calls")
    serve.add_argument("--config", type=Path, metavar="FILE", help="instead of voice-agent.toml")
    serve.add_argument("--host", help="address to listen on (server.host)")
    serve.add_argument("--port", help="TCP port (server.port)")
    serve.set_defaults(run=_serve)

    check = commands.add_parser("check", help="print the effective settings, secrets masked")
    check.add_argument("--config", type=Path, metavar="FILE", help="instead of voice-agent.toml")
    check.set_defaults(run=_check)

    settings = commands.add_parser("settings", help="print what can be set, as Markdown tables")
    settings.set_defaults(run=_settings)

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
        "--interrupt-after",
        type=float,
        metavar="S",
        help="talk over the agent, S seconds after it begins",
    )
    call.add_argument("--rate", type=int, default=8000, help="sample rate in hertz (8000)")
    call.add_argument("--headers", action="append", default=[], metavar="K=V", help="a call header")
    call.add_argument(
        "--connect",
        choices=("v1", "v2", "tutorial"),
        default="v2",
        help="which of the published connect messages to send (v2); only v2 tells the rate",
    )
    call.add_argument("--save", type=Path, metavar="FILE", help="stereo WAV: caller, agent")
    call.add_argument("--transcribe", action="store_true", help="print what the agent said")
    call.add_argument("--json", action="store_true", help="print measurements, not a timeline")
    call.set_defaults(run=_call)
    _add_evaluate(commands)
    return parser


def _add_evaluate(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    evaluate = commands.add_parser(
        "evaluate",
        help="put an agent into many situations, and measure its turn-taking",
        description="Place scripted calls to any server that speaks the stream channel.",
    )
    evaluate.add_argument("url", help="the stream endpoint, ws:// or wss://")
    evaluate.add_argument(
        "--scenarios", type=Path, metavar="FILE", help="situations (YAML) instead of the shipped"
    )
    evaluate.add_argument(
        "--only", metavar="WORD", help="situations of this kind, or with this in their name"
    )
    evaluate.add_argument("--at-once", type=_positive, default=4, metavar="N", help="calls (4)")
    evaluate.add_argument("--rate", type=int, default=8000, help="sample rate in hertz (8000)")
    evaluate.add_argument(
        "--headers", action="append", default=[], metavar="K=V", help="a call header"
    )
    evaluate.add_argument("--json", action="store_true", help="print everything, for scripts")
    evaluate.set_defaults(run=_evaluate)


def _positive(given: str) -> int:
    number = int(given)
    if number < 1:
        raise ValueError
    return number


def _serve(options: argparse.Namespace) -> int:
    from agent import logs, server
    from agent.settings import SettingsError, load

    given = {"host": options.host, "port": options.port}
    given = {name: value for name, value in given.items() if value is not None}
    try:
        settings = load(options.config, {"server": given})
        logs.configure(settings.log.level, settings.log.format)
        asyncio.run(server.serve(settings, lambda url: print(f"listening on {url}", flush=True)))
    except (SettingsError, OSError) as error:
        return _fail(error)
    return 0


def _check(options: argparse.Namespace) -> int:
    from agent import server
    from agent.settings import SettingsError, load

    try:
        settings = load(options.config)
        server.check(settings)
        print(settings.effective())
    except SettingsError as error:
        return _fail(error)
    return 0


def _settings(_options: argparse.Namespace) -> int:
    from agent.settings import markdown

    print(markdown(), end="")
    return 0


def _call(options: argparse.Namespace) -> int:
    from agent import logs
    from agent.platform import CallFailedError

    logs.configure("error", "auto")
    try:
        return asyncio.run(_place(options))
    except CallFailedError as error:
        return _fail(error)


async def _place(options: argparse.Namespace) -> int:
    from agent.caller import recorded_turn, spoken_turns, transcribe_agent
    from agent.platform import CallFailedError, Plan, place_call

    spoken = iter(
        await spoken_turns([what for how, what in options.turns if how == "say"], options.rate)
    )
    turns = [
        next(spoken) if how == "say" else recorded_turn(Path(what), options.rate)
        for how, what in options.turns
    ]
    headers = dict(_header(given) for given in options.headers)
    plan = Plan(
        turns=turns,
        rate=options.rate,
        headers=headers,
        shape=options.connect,
        interrupt_after=options.interrupt_after,
    )
    call = await place_call(options.url, plan, _timeline(options), f"stand-in-{uuid.uuid4()}")
    if options.save:
        call.save(options.save)
    words = await transcribe_agent(call) if options.transcribe else None
    _print_report(call, words, as_json=options.json)
    if failure := call.failure():
        raise CallFailedError(failure)
    return 0


def _evaluate(options: argparse.Namespace) -> int:
    from agent import evaluate, logs, scenarios
    from agent.platform import CallFailedError

    logs.configure("error", "auto")
    try:
        situations = scenarios.load(options.scenarios or scenarios.DEFAULT, options.rate)
    except (scenarios.ScenarioError, CallFailedError) as error:
        return _fail(error)
    if options.only:
        situations = [s for s in situations if options.only == s.kind or options.only in s.name]
    if not situations:
        return _fail(ValueError(f"--only {options.only}: no such situation"))

    def tell(outcome: evaluate.Outcome) -> None:
        if not options.json:
            print(f"{outcome.kind:11s}  {outcome.name:26s} {outcome.verdict}", flush=True)

    headers = dict(_header(given) for given in options.headers)
    outcomes = asyncio.run(
        evaluate.run(options.url, situations, at_once=options.at_once, headers=headers, tell=tell)
    )
    if options.json:
        print(json.dumps(evaluate.as_json(options.url, outcomes)))
    else:
        print(f"\n{evaluate.table(outcomes)}")
    return 1 if any(outcome.failed for outcome in outcomes) else 0


def _header(given: str) -> tuple[str, str]:
    name, _, value = given.partition("=")
    return name.strip(), value.strip()


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


def _fail(error: Exception) -> int:
    for line in str(error).splitlines():
        print(f"voice-agent: {line}", file=sys.stderr)
    return 1


if __name__ == "__main__":
    sys.exit(main())
