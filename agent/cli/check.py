"""``voice-agent check``: what is set, and whether the service and its providers work."""

from __future__ import annotations

import argparse
import asyncio
import json
from typing import TYPE_CHECKING

from agent.cli.options import Commands, add_config, fail

if TYPE_CHECKING:
    from agent.settings import Settings


def add(commands: Commands) -> None:
    """Declare the command and its options."""
    check = commands.add_parser(
        "check", help="print the effective settings, secrets masked, and how the service is"
    )
    add_config(check)
    check.add_argument(
        "--live",
        action="store_true",
        help="ask each configured provider for something tiny, and print how it went",
    )
    check.set_defaults(run=run)


def run(options: argparse.Namespace) -> int:
    """Print the settings, or how the providers are; return the exit status."""
    from agent import logs
    from agent.server import providers, start
    from agent.settings import SettingsError, load

    try:
        settings = load(options.config)
        start.check(settings)
        if options.live:
            logs.configure("error", "auto")
            built = providers.build(settings.providers(), settings.budget, settings.llm)
            probed = asyncio.run(providers.probe_all(built))
            print(providers.table(probed))
            return 1 if any(one.error for one in probed) else 0
        print(settings.effective())
        print(_running_service(settings.server.host, settings.server.port))
        return _surroundings(settings)
    except SettingsError as error:
        return fail(error)


def _surroundings(settings: Settings) -> int:
    """Say what is wrong with the folders and the database; return 1 if one cannot be used."""
    from agent.server.health import ANSWERED_WITHIN, look_within
    from agent.server.start import looks
    from agent.store.checking import writable
    from agent.store.errors import StoreError

    wrong: list[str] = []
    for name, look in looks(settings).items():
        found = look_within(name, look, ANSWERED_WITHIN)
        if found.error:
            wrong.append(f"{name} = {str(getattr(settings, name))!r}: {found.error}")
        if found.warning:
            print(f"# warning: {name}: {found.warning}")
    try:
        asyncio.run(writable(settings.database))
    except StoreError as error:
        wrong.append(f"database = {str(settings.database)!r}: {error}")
    return fail(ValueError("\n".join(wrong))) if wrong else 0


def _running_service(host: str, port: int) -> str:
    """Return how the providers of the service on this machine are, a comment line for each."""
    from urllib.error import HTTPError
    from urllib.request import urlopen

    host = "127.0.0.1" if host == "0.0.0.0" else host  # noqa: S104 - to ask, not to listen
    try:
        try:
            answer = urlopen(f"http://{host}:{port}/health", timeout=2)
        except HTTPError as unwell:  # 503, with the same body
            answer = unwell
        with answer:
            found = json.load(answer)["providers"]
            return "\n".join(
                f"# the running service: {one['stage']} {one['provider']}: {one['status']}"
                for one in found
            )
    except (OSError, ValueError, KeyError, TypeError):
        return f"# no service answers on port {port}"
