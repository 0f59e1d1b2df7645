"""The command line: a parser, and one file a command, which declares its options and runs it.

What a command needs is imported when it runs: ``voice-agent --help`` loads no inference engine.
"""

from __future__ import annotations

import argparse
import os
import sys

from agent.cli import call, check, db, dial, evaluate, serve, settings, sinch


def main(arguments: list[str] | None = None) -> int:
    """Run ``voice-agent``; return its exit status."""
    _fill_descriptors()
    options = _parser().parse_args(arguments)
    try:
        status: int = options.run(options)
        if sys.stdout is not None:  # it may have been closed before we began
            sys.stdout.flush()
    except KeyboardInterrupt:
        return 130
    except BrokenPipeError:  # `| head` has seen enough
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 1
    return status


def _fill_descriptors() -> None:
    """Open the null device for each of stdin, stdout and stderr that is closed.

    The next file or socket that is opened would take its number, and get what libraries write to
    their stderr.
    """
    descriptor = os.open(os.devnull, os.O_RDWR)
    while descriptor <= 2:
        os.set_inheritable(descriptor, True)  # noqa: FBT003 - the standard library's signature
        descriptor = os.open(os.devnull, os.O_RDWR)
    os.close(descriptor)


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="voice-agent", description="A phone agent for Sinch's websocket stream channel."
    )
    commands = parser.add_subparsers(title="commands", required=True, metavar="COMMAND")
    for command in (serve, check, settings, db, call, evaluate, dial, sinch):
        command.add(commands)
    return parser
