"""``voice-agent completion``: what a shell has to know to complete our commands."""

from __future__ import annotations

import argparse
from collections.abc import Callable, Iterator
from typing import Any

from agent.cli.options import Commands

SHELLS = ("bash", "zsh", "tcsh")
"""Those that shtab writes for."""


def add(commands: Commands, parser: Callable[[], argparse.ArgumentParser]) -> None:
    """Declare the command; ``parser`` makes the parser of all commands."""
    completion = commands.add_parser(
        "completion", help="print what makes a shell complete commands and options"
    )
    completion.add_argument("shell", choices=SHELLS)
    completion.set_defaults(run=lambda options: run(options, parser()))


def run(options: argparse.Namespace, parser: argparse.ArgumentParser) -> int:
    """Print it; return the exit status."""
    import shtab

    for action in _actions(parser):
        if action.metavar == "FILE":
            vars(action)["complete"] = shtab.FILE  # where shtab looks for it
        elif action.metavar == "FOLDER":
            vars(action)["complete"] = shtab.DIRECTORY
    print(shtab.complete(parser, options.shell))
    return 0


def _actions(parser: argparse.ArgumentParser) -> Iterator[argparse.Action]:
    """Yield the options and arguments of a parser, and of those below it."""
    for action in parser._actions:  # noqa: SLF001 - argparse shows them nowhere else
        yield action
        if isinstance(action, argparse._SubParsersAction):  # noqa: SLF001 - the same
            below: dict[str, Any] = dict(action.choices)
            for one in below.values():
                yield from _actions(one)
