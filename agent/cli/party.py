"""``voice-agent party``: who is on the line of a call in progress; add one, drop one."""

from __future__ import annotations

import argparse

from agent.cli.options import Commands, add_server, fail, whole


def add(commands: Commands) -> None:
    """Declare the command and its options."""
    party = commands.add_parser(
        "party",
        help="tell who is on the line of a call; add somebody, or drop them",
        description="Ask the operator's interface of a running service about the line of a call.",
    )
    actions = party.add_subparsers(title="actions", required=True, metavar="ACTION")
    listing = actions.add_parser("list", help="tell who is, was or is to be on the line")
    adding = actions.add_parser("add", help="dial somebody onto the line")
    dropping = actions.add_parser("drop", help="have somebody on the line hung up")
    for action in (listing, adding, dropping):
        action.add_argument("call", help="as `voice-agent dial` printed it, or the platform's id")
    adding.add_argument("to", help="number, such as +12025550123, SIP address, or user:ID")
    adding.add_argument("--title", default="", metavar="NAME", help="what they are called")
    adding.add_argument("--ring-seconds", type=whole(1, 60), metavar="N", help="how long they ring")
    adding.add_argument(
        "--machine", choices=("talk", "hangup"), default="talk", help="when one answers (talk)"
    )
    adding.add_argument(
        "--announcement",
        default="",
        metavar="TEXT",
        help="what they hear alone, by the platform's voice, before they are on the line",
    )
    adding.add_argument(
        "--no-disclosure",
        action="store_true",
        help="do not begin with the agent's disclosure, which they hear otherwise",
    )
    dropping.add_argument("party", help="as `list` prints it first, p and 24 characters")
    for action, run in ((listing, _list), (adding, _add), (dropping, _drop)):
        add_server(action)
        action.set_defaults(run=run)


def _list(options: argparse.Namespace) -> int:
    return _run(options, "list")


def _add(options: argparse.Namespace) -> int:
    return _run(options, "add")


def _drop(options: argparse.Namespace) -> int:
    return _run(options, "drop")


def _run(options: argparse.Namespace, action: str) -> int:
    """Ask the service; return the exit status."""
    from agent.cli.operator_client import DialError, add_party, drop_party, parties, service_of
    from agent.settings import SettingsError, load

    try:
        settings = load(options.config)
        server, token = service_of(settings, options.server)
        if action == "list":
            parties(server, token, options.call, print)
        elif action == "drop":
            drop_party(server, token, options.call, options.party)
        else:
            names = ("to", "title", "ring_seconds", "machine", "announcement")
            given = {name: getattr(options, name) for name in names}
            body: dict[str, object] = {name: value for name, value in given.items() if value}
            body |= {"discloses": False} if options.no_disclosure else {}
            add_party(server, token, options.call, body, print)
    except (SettingsError, DialError) as error:
        return fail(error)
    return 0
