"""``voice-agent dial``: have the running service call somebody, or several onto one line."""

from __future__ import annotations

import argparse
import re

from agent.cli.options import USAGE, Commands, add_server, fail, name_and_value, whole
from agent.sinch_limits import MAX_SECONDS


def add(commands: Commands) -> None:
    """Declare the command and its options."""
    dial = commands.add_parser(
        "dial",
        help="have the running service call somebody",
        description="Ask the operator's interface of a running service to place a call.",
    )
    _add_whom(dial)
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
    add_server(dial)
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


def _add_whom(dial: argparse.ArgumentParser) -> None:
    """Declare who is called, and what is said of several."""
    whom = dial.add_mutually_exclusive_group()
    whom.add_argument(
        "to",
        nargs="*",
        default=[],
        help="number, such as +12025550123, SIP address, or user:ID; several are on one line",
    )
    whom.add_argument("--user", metavar="ID", help="a user of your In-App SDK (version 1)")
    dial.add_argument(
        "--title",
        dest="titles",
        action="append",
        default=[],
        metavar="NAME",
        help="what they are called, such as Ann; repeat it, in the order of the numbers",
    )
    dial.add_argument(
        "--ends-with",
        choices=("phone", "last", "host"),
        help="whose leaving ends a call to several: the first who answered, the last, or the host, "
        "who is the first number (last)",
    )
    dial.add_argument(
        "--ring-seconds", type=whole(1, 60), metavar="N", help="how long each of several rings"
    )
    dial.add_argument(
        "--announcement",
        default="",
        metavar="TEXT",
        help="what each hears alone, by the platform's voice, before they are on the line",
    )
    dial.add_argument(
        "--no-disclosure",
        action="store_true",
        help="who joins a line of several later does not hear the agent's disclosure",
    )


def destination(options: argparse.Namespace) -> object:
    """Return whom to call, as the REST interface takes it: one, or a list.

    Raises:
        ValueError: If there is nobody, or more titles than people.
    """
    given = [*options.to, *([f"user:{options.user}"] if options.user is not None else [])]
    if not given:
        raise ValueError("say whom: a number, a SIP address, or --user ID")
    if len(options.titles) > len(given):
        raise ValueError("--title: there are more than numbers")
    about = (options.titles, options.ends_with, options.ring_seconds, options.announcement)
    if len(given) == 1 and not any((*about, options.no_disclosure)):
        by_id = {"type": "username", "endpoint": options.user}
        return given[0] if options.user is None else by_id
    titles = [*options.titles, *[""] * len(given)]
    parties: list[dict[str, object]] = [
        {"to": to, "title": title} for to, title in zip(given, titles, strict=False)
    ]
    for_each: dict[str, object] = {
        "ring_seconds": options.ring_seconds,
        "announcement": options.announcement or None,
        "discloses": False if options.no_disclosure else None,
    }
    for party in parties:
        party |= {name: value for name, value in for_each.items() if value is not None}
    if options.ends_with == "host":
        parties[0]["host"] = True
    return parties


def _keys(given: str) -> str:
    if not re.fullmatch("[0-9*#wA-D]{0,64}", given):
        raise argparse.ArgumentTypeError(f"{given!r}: up to 64 of 0-9, *, #, A-D, and w to wait")
    return given


def run(options: argparse.Namespace) -> int:
    """Have the call placed and print how it goes; return the exit status."""
    from agent import phone_numbers
    from agent.cli.operator_client import DialError, dial, service_of
    from agent.settings import SettingsError, load

    try:
        to = destination(options)
    except ValueError as error:
        return fail(DialError(str(error)), USAGE)
    body = {
        name: getattr(options, name)
        for name in ("agent", "caller_id", "max_seconds", "machine", "message", "keys")
    }
    body["to"] = to
    wanted = {name: getattr(options, name) for name in ("ends_with", "screening")}
    body |= {name: value for name, value in wanted.items() if value}
    body["variables"] = dict(options.variables)
    try:
        settings = load(options.config)
        if options.server is None:  # another service may have another country
            users = [f"{phone_numbers.USER}{options.user}"] if options.user is not None else []
            for one in (*options.to, *users):
                try:
                    phone_numbers.address(one, settings.sinch.country)
                except ValueError as error:
                    return fail(DialError(f"{one!r}: {error}"), USAGE)
        server, token = service_of(settings, options.server)
        call = dial(server, token, body, key=options.key, wait=options.wait, tell=print)
    except (SettingsError, DialError) as error:
        return fail(error)
    return 0 if call["status"] not in ("failed", "machine") else 1
