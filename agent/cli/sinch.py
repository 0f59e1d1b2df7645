"""``voice-agent sinch``: set an account up, and try it."""

from __future__ import annotations

import argparse
import asyncio
import re
from pathlib import Path
from typing import TYPE_CHECKING

from agent.cli.options import USAGE, Commands, a_file, add_config, address, fail, whole, words

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from agent.settings import Settings
    from agent.simulator.plan import Plan
    from agent.simulator.scenarios.party_calls import PartyScenario
    from agent.sinch.api.signing import Credentials

TALKS_ON = 5.0
"""Seconds for which those talk on whom the agent has passed to each other: a caller and whoever
takes them, who have no words for that; then the caller hangs up."""

HUNG_UP_WITHIN = 5.0
"""Seconds that the service has for hanging up whoever was with a caller who has hung up."""


def add(commands: Commands) -> None:
    """Declare the commands below it, and their options."""
    sinch = commands.add_parser("sinch", help="set an account up, and try it")
    parts = sinch.add_subparsers(title="commands", required=True, metavar="COMMAND")

    setup = parts.add_parser("setup", help="check the credentials, set where callbacks go")
    setup.add_argument(
        "--public-url",
        type=address("https", "http"),
        metavar="URL",
        help="https://... (sinch.public_url)",
    )
    setup.set_defaults(run=_setup)

    verify = parts.add_parser("verify", help="send signed sample callbacks to a running server")
    verify.add_argument(
        "--url",
        type=address("https", "http"),
        help="callback endpoint (sinch.public_url + .callback_path)",
    )
    verify.set_defaults(run=_verify)

    standin = _add_stand_in(parts)
    for part in (setup, verify, standin):
        add_config(part)


def _add_stand_in(parts: Commands) -> argparse.ArgumentParser:
    standin = parts.add_parser(
        "stand-in",
        help="stand in for Sinch: REST, callbacks, phones",
        description="Try incoming and outgoing calls without an account. Takes credentials and "
        "addresses from the settings; point sinch.api_url at it.",
    )
    standin.add_argument(
        "--port", type=whole(0, 65535), default=9090, help="of its REST API (9090)"
    )
    standin.add_argument(
        "--phone", type=_party, action="append", default=[], metavar="NUMBER", help="that answers"
    )
    standin.add_argument(
        "--machine", action="store_true", help="they are machines: --say and a beep"
    )
    standin.add_argument(
        "--screener",
        action="store_true",
        help="an assistant screens their calls: asks who calls and why, then rings; --say is what "
        "they say who pick up then, if anybody does",
    )
    standin.add_argument(
        "--at-menu",
        action="append",
        default=[],
        metavar="TEXT",
        help="what phones that ring answer when they are asked whether they take a call: a key, "
        "words, or '' for nothing; repeat it for each time",
    )
    standin.add_argument(
        "--call", type=_party, metavar="NUMBER", help="call this number of ours, then stop"
    )
    standin.add_argument(
        "--from", dest="caller", type=_party, default="+12025550123", help="who calls"
    )
    standin.add_argument(
        "--say",
        type=words,
        action="append",
        default=[],
        metavar="TEXT",
        help="what people say, in turn",
    )
    _add_party_options(standin)
    standin.add_argument("--api", choices=("v1", "v2"), help="version (sinch.api)")
    standin.set_defaults(run=_stand_in)
    return standin


def _add_party_options(standin: argparse.ArgumentParser) -> None:
    standin.add_argument(
        "--party",
        type=words,
        metavar="NAME",
        help="people who talk to each other on one line, and what came of it; a part of the name "
        "will do",
    )
    standin.add_argument(
        "--scenarios", type=a_file, metavar="FILE", help="calls of several (YAML) instead of ours"
    )
    standin.add_argument(
        "--agent-name", type=words, default="Clara", help="what they call the agent (Clara)"
    )
    standin.add_argument(
        "--save", type=Path, metavar="FOLDER", help="what each of a party said and heard, as WAVs"
    )


def _party(given: str) -> str:
    """Return who calls or is called: a number without what people put into it, or a name."""
    party = re.sub(r"[^\d+]", "", given) if re.fullmatch(r"[\d\s().+-]+", given) else given
    if not re.fullmatch(r"\+?\d{2,15}|sips?:\S+@\S+|[A-Za-z]\S*", party):
        raise argparse.ArgumentTypeError(f"{given!r}: a number, such as +12025550123")
    return party


def _setup(options: argparse.Namespace) -> int:
    from agent.settings import SettingsError, load
    from agent.sinch.api.setup import SetupError, setup

    given = {"public_url": options.public_url} if options.public_url else {}
    try:
        asyncio.run(setup(load(options.config, {"sinch": given}).sinch, print))
    except (SettingsError, SetupError) as error:
        return fail(error)
    return 0


def _verify(options: argparse.Namespace) -> int:
    from agent.settings import SettingsError, load
    from agent.sinch.api.setup import verify

    try:
        settings = load(options.config)
        url = options.url or settings.sinch.callback_url
        right = asyncio.run(verify(settings.sinch, url, print))
    except (SettingsError, ValueError) as error:
        return fail(error)
    return 0 if right else 1


def _stand_in(options: argparse.Namespace) -> int:
    from agent import logs
    from agent.settings import SettingsError, load
    from agent.simulator.scenarios import ScenarioError
    from agent.simulator.stream_caller import CallFailedError

    logs.configure("error", "auto")
    if mistake := _at_cross_purposes(options):
        return fail(ValueError(mistake), USAGE)
    serve = _serve_party if options.party else _serve_stand_in
    try:
        return asyncio.run(serve(options, load(options.config)))
    except ScenarioError as error:
        return fail(error, USAGE)
    except (SettingsError, CallFailedError, OSError) as error:
        return fail(error)


def _at_cross_purposes(options: argparse.Namespace) -> str:
    """Return why what was asked for makes no sense together; ``""`` if it does."""
    if options.machine and options.screener:
        return "--machine, --screener: one of them"
    if not options.party:
        given = "--scenarios" if options.scenarios else "--save" if options.save else ""
        return f"{given} is of a party: name one with --party" if given else ""
    if options.phone or options.say or options.machine or options.screener or options.at_menu:
        return "--party: its file says whose phones there are, and what they say"
    if not re.fullmatch(r"\+\d{7,15}", options.caller):
        return f"--from {options.caller!r}: a party has numbers of its own from there on"
    return ""


async def _serve_stand_in(options: argparse.Namespace, settings: Settings) -> int:
    from agent.simulator.sinch.phone_network import Phone
    from agent.simulator.sinch.stand_in import StandIn

    signers = _signers(settings)
    plan = await _plan_of(options, settings.server.rate)
    phone = Phone(
        plan=plan,
        who="machine" if options.machine or options.screener else "human",
        after=1.0,
        at_menus=options.at_menu,
    )
    standin = StandIn(
        settings.sinch.callback_url,
        v1=signers.get("application"),
        v2=signers.get("service"),
        phones=dict.fromkeys(options.phone, phone),
        tell=lambda line: print(line, flush=True),
    )
    standin.talk_on(TALKS_ON)
    async with standin.running(port=options.port) as url:
        if options.call is None:
            print(f"Sinch's API is at {url}; end with Ctrl-C", flush=True)
            await asyncio.Event().wait()
        version = options.api or settings.sinch.api
        leg = await standin.call_in(options.caller, options.call, plan, version)
        await leg.over.wait()
        await standin.over(HUNG_UP_WITHIN)
        return 1 if leg.refused or leg.said else 0


async def _plan_of(options: argparse.Namespace, rate: int) -> Plan:
    """Return what phones say: people, machines, or an assistant and then people."""
    from agent.simulator import answering_machine as machines
    from agent.simulator.plan import Plan
    from agent.simulator.speech import spoken_turns

    turns = await spoken_turns(options.say, rate)
    if options.machine:
        return machines.answering_machine(turns, rate)
    if options.screener:
        own = await spoken_turns([machines.SCREENER_ASKS, machines.SCREENER_WAITS], rate)
        return machines.call_screener(own[0], own[1], turns, rate)
    return Plan(turns=turns)


async def _serve_party(options: argparse.Namespace, settings: Settings) -> int:
    from agent.simulator.party.party_judging import as_text
    from agent.simulator.party_stand_in import PartyAtStandIn
    from agent.simulator.plan import Plan
    from agent.simulator.scenarios.party_calls import PARTIES, load_parties, voiced
    from agent.simulator.sinch.stand_in import StandIn
    from agent.simulator.speech import spoken_turns

    path = options.scenarios or PARTIES
    scenario = _called(options.party, load_parties(path))
    signers = _signers(settings)
    made = await voiced(
        scenario, options.agent_name, settings.server.rate, spoken_turns, path.parent / "recordings"
    )
    party = PartyAtStandIn(made, options.caller)
    standin = StandIn(
        settings.sinch.callback_url,
        v1=signers.get("application"),
        v2=signers.get("service"),
        phones=party.phones(),
        rate=settings.server.rate,
        tell=lambda line: print(line, flush=True),
    )
    async with standin.running(port=options.port) as url:
        print(f"Sinch's API is at {url}; on the line: {scenario.name}", flush=True)
        for name, number in party.numbers.items():
            print(f"  {name}: {number}", flush=True)
        if options.call is not None:
            version = options.api or settings.sinch.api
            caller = next(iter(party.numbers.values()))
            await standin.call_in(caller, options.call, Plan(), version)
        turns = await party.over(standin)
        print(as_text(turns))
        if options.save is not None:
            party.save(standin, options.save)
        return 0 if turns and all(turn.right for turn in turns) else 1


def _called(name: str, known: Sequence[PartyScenario]) -> PartyScenario:
    from agent.simulator.scenarios import ScenarioError

    found = [one for one in known if name in one.name]
    if len(found) == 1 or name in [one.name for one in found]:
        return next((one for one in found if one.name == name), found[0])
    names = ", ".join(repr(one.name) for one in known)
    raise ScenarioError(f"--party {name!r}: there are {names}")


def _signers(settings: Settings) -> Mapping[str, Credentials]:
    from agent.settings import SettingsError
    from agent.sinch.api import account

    if not settings.sinch.takes_callbacks:
        raise SettingsError("sinch: set public_url and the credentials of a version, any will do")
    return {signer.scheme: signer for signer in account.signers(settings.sinch)}
