"""``voice-agent calls``: the records of calls. One file a command below it."""

from __future__ import annotations

from agent.cli.calls import access, erasing, export, listing, play, showing, webhooks
from agent.cli.options import Commands


def add(commands: Commands) -> None:
    """Declare the commands below it, and their options."""
    calls = commands.add_parser("calls", help="the records of calls: list, show, search, erase")
    parts = calls.add_subparsers(title="commands", required=True, metavar="COMMAND")
    for part in (listing, showing, play, export, erasing, access, webhooks):
        part.add(parts)
