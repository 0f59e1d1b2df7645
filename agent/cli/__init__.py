"""The command line; no logic."""

from __future__ import annotations

import argparse
import asyncio
import json
import os
import sys
import uuid
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable

    from agent.settings import Settings
    from agent.simulator.stream_caller import CallInProgress


def main(arguments: list[str] | None = None) -> int:
    """Run ``voice-agent``; return its exit status."""
    options = _parser().parse_args(arguments)
    try:
        status: int = options.run(options)
        sys.stdout.flush()
    except KeyboardInterrupt:
        return 130
    except BrokenPipeError:  # `| head` has seen enough
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 1
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

    check = commands.add_parser(
        "check", help="print the effective settings, secrets masked, and how the service is"
    )
    check.add_argument("--config", type=Path, metavar="FILE", help="instead of voice-agent.toml")
    check.add_argument(
        "--live",
        action="store_true",
        help="ask each configured provider for something tiny, and print how it went",
    )
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
    _add_stream_options(call)
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
    _add_dial(commands)
    _add_sinch(commands)
    return parser


def _add_stream_options(command: argparse.ArgumentParser) -> None:
    command.add_argument("--rate", type=int, default=8000, help="sample rate in hertz (8000)")
    command.add_argument(
        "--headers", action="append", default=[], metavar="K=V", help="a call header"
    )


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
    _add_stream_options(evaluate)
    evaluate.add_argument("--json", action="store_true", help="print everything, for scripts")
    evaluate.set_defaults(run=_evaluate)


def _add_dial(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    dial = commands.add_parser(
        "dial",
        help="have the running service call somebody",
        description="Ask the operator's interface of a running service to place a call.",
    )
    dial.add_argument("to", help="number, such as +15551234567, or SIP address")
    dial.add_argument("--agent", default="", help="agent file, without .md (the usual one)")
    dial.add_argument(
        "--var", dest="variables", action="append", default=[], metavar="K=V", help="a variable"
    )
    dial.add_argument("--from", dest="caller_id", default="", help="caller id (sinch.caller_id)")
    dial.add_argument("--max-seconds", type=int, default=3600, help="longest call (3600)")
    dial.add_argument(
        "--machine",
        choices=("talk", "hangup", "message"),
        default="talk",
        help="what to do when a machine answers (talk)",
    )
    dial.add_argument("--message", default="", metavar="TEXT", help="what to leave on a machine")
    dial.add_argument("--keys", default="", help="keys to press once answered, such as ww1234#")
    dial.add_argument("--key", default="", help="idempotency key: the same key is the same call")
    dial.add_argument("--wait", action="store_true", help="until the call is over")
    dial.add_argument("--server", metavar="URL", help="of the service (server.host and .port)")
    dial.add_argument("--config", type=Path, metavar="FILE", help="instead of voice-agent.toml")
    dial.set_defaults(run=_dial)


def _add_sinch(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    sinch = commands.add_parser("sinch", help="set an account up, and try it")
    parts = sinch.add_subparsers(title="commands", required=True, metavar="COMMAND")

    setup = parts.add_parser("setup", help="check the credentials, set where callbacks go")
    setup.add_argument("--public-url", metavar="URL", help="https://... (sinch.public_url)")
    setup.set_defaults(run=_sinch_setup)

    verify = parts.add_parser("verify", help="send signed sample callbacks to a running server")
    verify.add_argument("--url", help="callback endpoint (sinch.public_url + .callback_path)")
    verify.set_defaults(run=_sinch_verify)

    standin = parts.add_parser(
        "stand-in",
        help="stand in for Sinch: REST, callbacks, phones",
        description="Try incoming and outgoing calls without an account. Takes credentials and "
        "addresses from the settings; point sinch.api_url at it.",
    )
    standin.add_argument("--port", type=int, default=9090, help="of its REST API (9090)")
    standin.add_argument(
        "--phone", action="append", default=[], metavar="NUMBER", help="one that answers"
    )
    standin.add_argument("--machine", action="store_true", help="they are answering machines")
    standin.add_argument("--call", metavar="NUMBER", help="call this number of ours, then stop")
    standin.add_argument("--from", dest="caller", default="+12025550123", help="who calls")
    standin.add_argument(
        "--say", action="append", default=[], metavar="TEXT", help="what people say, in turn"
    )
    standin.add_argument("--api", choices=("v1", "v2"), help="version (sinch.api)")
    standin.set_defaults(run=_sinch_standin)
    for part in (setup, verify, standin):
        part.add_argument("--config", type=Path, metavar="FILE", help="instead of voice-agent.toml")


def _positive(given: str) -> int:
    number = int(given)
    if number < 1:
        raise ValueError
    return number


def _serve(options: argparse.Namespace) -> int:
    from agent import logs
    from agent.server import start
    from agent.settings import SettingsError, load

    given = {"host": options.host, "port": options.port}
    given = {name: value for name, value in given.items() if value is not None}
    try:
        settings = load(options.config, {"server": given})
        logs.configure(settings.log.level, settings.log.format)
        asyncio.run(start.serve(settings, lambda url: print(f"listening on {url}", flush=True)))
    except (SettingsError, OSError) as error:
        return _fail(error)
    return 0


def _check(options: argparse.Namespace) -> int:
    from agent import logs
    from agent.cli.health import running_service
    from agent.server import providers, start
    from agent.settings import SettingsError, load

    try:
        settings = load(options.config)
        start.check(settings)
        if options.live:
            logs.configure("error", "auto")
            built = providers.build(settings.providers(), settings.budget)
            probed = asyncio.run(providers.probe_all(built))
            print(providers.table(probed))
            return 1 if any(one.error for one in probed) else 0
        print(settings.effective())
        print(running_service(settings.server))
    except SettingsError as error:
        return _fail(error)
    return 0


def _settings(_options: argparse.Namespace) -> int:
    from agent.settings.tables import provider_tables, settings_table

    print(settings_table())
    print(provider_tables(), end="")
    return 0


def _call(options: argparse.Namespace) -> int:
    from agent import logs
    from agent.simulator.stream_caller import CallFailedError

    logs.configure("error", "auto")
    try:
        return asyncio.run(_place(options))
    except CallFailedError as error:
        return _fail(error)


async def _place(options: argparse.Namespace) -> int:
    from agent.simulator.speech import pressed_turn, recorded_turn, spoken_turns, transcribe_agent
    from agent.simulator.stream_caller import CallFailedError, Plan, place_call

    made = {"wav": lambda what: recorded_turn(Path(what), options.rate)}
    made["press"] = lambda what: pressed_turn(what, options.rate)
    spoken = iter(
        await spoken_turns([what for how, what in options.turns if how == "say"], options.rate)
    )
    turns = [next(spoken) if how == "say" else made[how](what) for how, what in options.turns]
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
    from agent import logs
    from agent.simulator import evaluate, scenarios
    from agent.simulator.stream_caller import CallFailedError

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


def _dial(options: argparse.Namespace) -> int:
    from agent.cli.dial import DialError, dial
    from agent.settings import SettingsError, load

    body = {
        name: getattr(options, name)
        for name in ("to", "agent", "caller_id", "max_seconds", "machine", "message", "keys")
    }
    body["variables"] = dict(_header(given) for given in options.variables)
    try:
        settings = load(options.config)
        call = dial(
            settings, body, server=options.server, key=options.key, wait=options.wait, tell=print
        )
    except (SettingsError, DialError) as error:
        return _fail(error)
    return 0 if call["status"] not in ("failed", "machine") else 1


def _sinch_setup(options: argparse.Namespace) -> int:
    from agent.settings import SettingsError, load
    from agent.sinch.setup import SetupError, setup

    given = {"public_url": options.public_url} if options.public_url else {}
    try:
        asyncio.run(setup(load(options.config, {"sinch": given}).sinch, print))
    except (SettingsError, SetupError) as error:
        return _fail(error)
    return 0


def _sinch_verify(options: argparse.Namespace) -> int:
    from agent.settings import SettingsError, load
    from agent.sinch.setup import verify

    try:
        settings = load(options.config)
        url = options.url or settings.sinch.callback_url
        right = asyncio.run(verify(settings.sinch, url, print))
    except (SettingsError, ValueError) as error:
        return _fail(error)
    return 0 if right else 1


def _sinch_standin(options: argparse.Namespace) -> int:
    from agent import logs
    from agent.settings import SettingsError, load
    from agent.simulator.stream_caller import CallFailedError

    logs.configure("error", "auto")
    try:
        return asyncio.run(_stand_in(options, load(options.config)))
    except (SettingsError, CallFailedError, OSError) as error:
        return _fail(error)


async def _stand_in(options: argparse.Namespace, settings: Settings) -> int:
    from agent.settings import SettingsError
    from agent.simulator.sinch_api import Phone, StandIn
    from agent.simulator.speech import spoken_turns
    from agent.simulator.stream_caller import Plan
    from agent.sinch import account

    signers = {signer.scheme: signer for signer in account.signers(settings.sinch)}
    if not settings.sinch.takes_callbacks:
        raise SettingsError("sinch: set public_url and the credentials of a version, any will do")
    plan = Plan(turns=await spoken_turns(options.say, settings.server.rate))
    phone = Phone(plan=plan, who="machine" if options.machine else "human", after=1.0)
    standin = StandIn(
        settings.sinch.callback_url,
        v1=signers.get("application"),
        v2=signers.get("service"),
        phones=dict.fromkeys(options.phone, phone),
        tell=lambda line: print(line, flush=True),
    )
    async with standin.running(port=options.port) as url:
        if options.call is None:
            print(f"Sinch's API is at {url}; end with Ctrl-C", flush=True)
            await asyncio.Event().wait()
        version = options.api or settings.sinch.api
        leg = await standin.call_in(options.caller, options.call, plan, version)
        await leg.over.wait()
        await standin.settle()
        return 1 if leg.refused or leg.said else 0


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
