"""``voice-agent dial``: have the running service call somebody."""

from __future__ import annotations

import argparse
import re

from agent.cli.options import USAGE, Commands, add_config, address, fail, name_and_value, whole
from agent.sinch_limits import MAX_SECONDS


def add(commands: Commands) -> None:
    """Declare the command and its options."""
    dial = commands.add_parser(
        "dial",
        help="have the running service call somebody",
        description="Ask the operator's interface of a running service to place a call.",
    )
    whom = dial.add_mutually_exclusive_group()
    whom.add_argument("to", nargs="?", help="number, such as +12025550123, or SIP address")
    whom.add_argument("--user", metavar="ID", help="a user of your In-App SDK (version 1)")
    dial.add_argument("--agent", default="", help="agent file, without .md (the usual one)")
    dial.add_argument(
        "--var",
        dest="variables",
        action="append",
        type=name_and_value,
        default=[],
        metavar="K=V",
        help="a variable",
    )
    dial.add_argument("--from", dest="caller_id", default="", help="caller id (sinch.caller_id)")
    dial.add_argument(
        "--max-seconds",
        type=whole(1, MAX_SECONDS),
        default=3600,
        metavar="N",
        help="longest call (3600)",
    )
    _add_machine(dial)
    dial.add_argument(
        "--keys", type=_keys, default="", help="keys to press once answered, such as ww1234#"
    )
    dial.add_argument("--key", default="", help="idempotency key: the same key is the same call")
    dial.add_argument("--wait", action="store_true", help="until the call is over")
    dial.add_argument(
        "--server",
        type=address("http", "https"),
        metavar="URL",
        help="of the service (server.host and .port)",
    )
    add_config(dial)
    dial.set_defaults(run=run)


def _add_machine(dial: argparse.ArgumentParser) -> None:
    dial.add_argument(
        "--machine",
        choices=("talk", "hangup", "message"),
        default="talk",
        help="what to do when a machine answers (talk)",
    )
    dial.add_argument(
        "--screening",
        choices=("platform", "ears", "both"),
        help="who finds out that it is one: Sinch, the agent by what it hears, or both (Sinch)",
    )
    dial.add_argument("--message", default="", metavar="TEXT", help="what to leave on a machine")


def destination(options: argparse.Namespace) -> str | dict[str, str]:
    """Return whom to call, as the REST interface takes it."""
    if options.user is None:
        return str(options.to)
    return {"type": "username", "endpoint": options.user}


def _keys(given: str) -> str:
    if not re.fullmatch("[0-9*#wA-D]{0,64}", given):
        raise argparse.ArgumentTypeError(f"{given!r}: up to 64 of 0-9, *, #, A-D, and w to wait")
    return given


def run(options: argparse.Namespace) -> int:
    """Have the call placed and print how it goes; return the exit status."""
    from agent import phone_numbers
    from agent.cli.operator_client import DialError, dial
    from agent.settings import SettingsError, load

    if options.to is None and options.user is None:
        return fail(DialError("say whom: a number, a SIP address, or --user ID"), USAGE)
    body = {
        name: getattr(options, name)
        for name in ("agent", "caller_id", "max_seconds", "machine", "message", "keys")
    }
    if options.screening is not None:
        body["screening"] = options.screening
    body["to"] = destination(options)
    body["variables"] = dict(options.variables)
    try:
        settings = load(options.config)
        if options.server is None:  # another service may have another country
            to = options.to if options.user is None else f"{phone_numbers.USER}{options.user}"
            try:
                phone_numbers.address(to, settings.sinch.country)
            except ValueError as error:
                return fail(DialError(f"{to!r}: {error}"), USAGE)
        if settings.operator.token is None:
            return fail(DialError("set operator.token, for the service and here"))
        call = dial(
            options.server or f"http://{settings.server.host}:{settings.server.port}",
            settings.operator.token.get_secret_value(),
            body,
            key=options.key,
            wait=options.wait,
            tell=print,
        )
    except (SettingsError, DialError) as error:
        return fail(error)
    return 0 if call["status"] not in ("failed", "machine") else 1
