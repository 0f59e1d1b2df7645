"""``voice-agent serve``: answer calls."""

from __future__ import annotations

import argparse
import asyncio
import os
import sys

from agent.cli.options import Commands, add_config, fail, whole


def add(commands: Commands) -> None:
    """Declare the command and its options."""
    serve = commands.add_parser("serve", help="answer calls")
    add_config(serve)
    serve.add_argument("--host", help="address to listen on (server.host)")
    serve.add_argument("--port", type=whole(0, 65535), help="TCP port (server.port)")
    serve.set_defaults(run=run)


def run(options: argparse.Namespace) -> int:
    """Serve until a signal; return the exit status."""
    from agent import logs
    from agent.private_files import keep_files_private
    from agent.server import start
    from agent.settings import SettingsError, load

    keep_files_private()
    given = {"host": options.host, "port": options.port}
    given = {name: value for name, value in given.items() if value is not None}
    try:
        settings = load(options.config, {"server": given})
        logs.configure(settings.log.level, settings.log.format)
        asyncio.run(start.serve(settings, _ready))
    except (SettingsError, OSError) as error:
        return fail(error)
    return 0


def _ready(url: str) -> None:
    """Say where calls are answered; that nobody can be told is no reason not to answer them."""
    try:
        print(f"listening on {url}", flush=True)
    except OSError:
        # What could not be written would be tried again at the end, and fail there.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
