"""``voice-agent check``: what is set, and whether the service and its providers work."""

from __future__ import annotations

import argparse
import asyncio
import json
import sys
from collections.abc import Sequence
from contextlib import suppress
from typing import TYPE_CHECKING

from agent.cli.options import FAILED, Commands, add_config

if TYPE_CHECKING:
    from agent.server.checks.finding import Finding
    from agent.settings import Settings


def add(commands: Commands) -> None:
    """Declare the command and its options."""
    check = commands.add_parser(
        "check",
        help="print the effective settings, secrets masked, and all that is wrong with them",
    )
    add_config(check)
    check.add_argument(
        "--live",
        action="store_true",
        help="ask each configured provider, bucket and webhook for something tiny, and print how "
        "that went",
    )
    check.add_argument("--strict", action="store_true", help="fail for warnings, too")
    check.add_argument(
        "--json", action="store_true", help="print what is wrong and no more, for scripts"
    )
    check.set_defaults(run=run)


def run(options: argparse.Namespace) -> int:
    """Print the settings, or how the providers are, and what is wrong; return the exit status."""
    from agent import logs
    from agent.server.checks import everything, without_settings
    from agent.server.checks.outside import outside
    from agent.settings import SettingsError, load

    logs.configure("critical", "auto")  # what a look finds is told below
    live: list[Finding] = []
    try:
        settings = load(options.config)
    except SettingsError as error:
        found = without_settings(error)
    else:
        found = everything(settings)
        if options.live:
            found += outside(settings)
            live = _ask_providers(settings, silent=options.json)
        elif not options.json:
            _print_settings(settings)
    if options.json:
        print(json.dumps([finding.as_json() for finding in (*found, *live)], indent=2))
    else:
        _tell(found)  # the table has the others
    fatal = ("error", "warning") if options.strict else ("error",)
    return FAILED if any(one.severity in fatal for one in (*found, *live)) else 0


def _ask_providers(settings: Settings, *, silent: bool) -> list[Finding]:
    """Ask each for something tiny, and print how it went; return those that do not work."""
    from agent.server import providers
    from agent.server.checks.finding import Finding
    from agent.settings import SettingsError

    try:
        built = providers.build(settings.providers(), settings.budget, settings.llm)
    except SettingsError:  # which is told already
        return []
    probed = asyncio.run(providers.probe_all(built))
    if not silent:
        print(providers.table(probed))
    return [Finding(place=f"{p.stage} {p.name}", message=p.error) for p in probed if p.error]


def _tell(found: Sequence[Finding]) -> None:
    """Print a line for each, mistakes on stderr, and how many there are of each kind."""
    counts = {"error": 0, "warning": 0}
    for one in found:
        counts[one.severity] += 1
        if one.severity == "error":
            print(f"voice-agent: {one.line}", file=sys.stderr)
        else:
            print(f"# warning: {one.line}")
    print("# mistakes: {error}, warnings: {warning}".format_map(counts))


def _print_settings(settings: Settings) -> None:
    from agent.server.checks.surroundings import running_providers
    from agent.settings import SettingsError

    with suppress(SettingsError):  # of a provider: it is told below
        print(settings.effective())
    providers = running_providers(settings.server)
    if providers is None:
        print(f"# no service answers on port {settings.server.port}")
    for one in providers or ():
        print(f"# the running service: {one['stage']} {one['provider']}: {one['status']}")
