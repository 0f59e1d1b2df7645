"""``voice-agent calls``: the records of calls. One file a command below it."""

from __future__ import annotations

from agent.cli.calls import export, listing, webhooks
from agent.cli.options import Commands


def add(commands: Commands) -> None:
    """Declare the commands below it, and their options."""
    calls = commands.add_parser("calls", help="the records of calls: list, show, search")
    parts = calls.add_subparsers(title="commands", required=True, metavar="COMMAND")
    for part in (listing, export, webhooks):
        part.add(parts)
