"""``voice-agent settings``: all that can be set, as tables."""

from __future__ import annotations

import argparse

from agent.cli.options import Commands


def add(commands: Commands) -> None:
    """Declare the command."""
    settings = commands.add_parser("settings", help="print what can be set, as Markdown tables")
    settings.set_defaults(run=run)


def run(_options: argparse.Namespace) -> int:
    """Print the tables; return the exit status."""
    from agent.settings.tables import provider_tables, settings_table

    print(settings_table())
    print(provider_tables(), end="")
    return 0
