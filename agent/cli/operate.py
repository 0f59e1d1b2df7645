"""``voice-agent operate``: calls in progress; pass a caller on, take them over, give them back."""

from __future__ import annotations

import argparse
from collections.abc import Mapping
from dataclasses import dataclass

from agent.cli.options import Commands, Parser, add_server, fail

_DESTINATION = "number, such as +12025550123, SIP address, or user:ID"
_NOT_FIELDS = frozenset({"command", "run", "action", "call", "server", "config"})


@dataclass(frozen=True, slots=True)
class _Action:
    """One of the actions on a call."""

    path: str
    """Below the call, of the operator's interface."""

    help: str
    then: str
    """What is printed once it was taken: it is done while the call goes on."""


_ACTIONS: Mapping[str, _Action] = {
    "transfer": _Action("transfer", "have the agent pass the caller on", "is being passed on"),
    "take-over": _Action("take-over", "have your phone rung, and talk", "your phone is rung"),
    "return": _Action("return", "give the caller back to the agent", "the agent comes back"),
    "whisper": _Action("whisper", "tell the agent what the caller does not hear", "was told"),
    "hangup": _Action("hangup", "end the call, after a goodbye", "is being ended"),
}


def add(commands: Commands) -> None:
    """Declare the command and its options."""
    operate = commands.add_parser(
        "operate",
        help="pass on, take over, give back, whisper to and end calls in progress",
        description="Ask the operator's interface of a running service about calls in progress.",
    )
    actions = operate.add_subparsers(title="actions", required=True, metavar="ACTION")
    listing = actions.add_parser("list", help="tell which calls are in progress")
    add_server(listing)
    listing.set_defaults(run=_list)
    for name, action in _ACTIONS.items():
        parser = actions.add_parser(name, help=action.help)
        parser.add_argument(
            "call", help="as `list` prints it, or `voice-agent dial`, or the platform's id"
        )
        _add_fields(name, parser)
        add_server(parser)
        parser.set_defaults(run=_act, action=name)


def _add_fields(name: str, parser: Parser) -> None:
    """Declare what an action may be given: each is a field of the request, by its name."""
    match name:
        case "transfer":
            parser.add_argument("to", help=_DESTINATION)
            _add_text(parser, "announcement", "what the agent says before")
            parser.add_argument("--warm", action="store_true", help="ask them first, alone")
            _add_text(parser, "briefing", "with --warm: what they are told")
            _add_text(parser, "consent", "with --warm: what they are asked; 1 is yes, 2 is no")
            _add_text(parser, "introduction", "with --warm: what the agent says to both then")
            parser.add_argument(
                "--then",
                choices=("leave", "silent", "help"),
                help="with --warm: what the agent does then (leave)",
            )
            parser.add_argument(
                "--no-disclosure",
                dest="discloses",
                action="store_const",
                const=False,
                help="with --then help: do not tell them first that a machine talks",
            )
        case "take-over":
            parser.add_argument("phone", help=f"yours: {_DESTINATION}")
            _add_text(parser, "announcement", "what the agent says before")
            _add_text(parser, "introduction", "what the agent says to both, once you are there")
            parser.add_argument(
                "--after",
                choices=("return", "end"),
                help="when you hang up: the agent comes back (return), or the call ends",
            )
        case "whisper":
            parser.add_argument("text", help="what it is to do or to know, for the rest of it")
        case "hangup":
            parser.add_argument(
                "--at-once",
                dest="goodbye",
                action="store_const",
                const=False,
                help="without the goodbye",
            )


def _add_text(parser: Parser, field: str, about: str) -> None:
    parser.add_argument(f"--{field}", metavar="TEXT", help=about)


def _list(options: argparse.Namespace) -> int:
    from agent.cli.operator_client import DialError, calls, service_of
    from agent.settings import SettingsError, load

    try:
        calls(*service_of(load(options.config), options.server), print)
    except (SettingsError, DialError) as error:
        return fail(error)
    return 0


def _act(options: argparse.Namespace) -> int:
    """Ask the service; return the exit status."""
    from agent.cli.operator_client import DialError, act, service_of
    from agent.settings import SettingsError, load

    action = _ACTIONS[options.action]
    given = {name: value for name, value in vars(options).items() if name not in _NOT_FIELDS}
    body = {name: value for name, value in given.items() if value is not None}
    if not body.get("warm", True):
        del body["warm"]
    try:
        server, token = service_of(load(options.config), options.server)
        act(server, token, options.call, action.path, body)
    except (SettingsError, DialError) as error:
        return fail(error)
    print(f"{options.call}: {action.then}")
    return 0
