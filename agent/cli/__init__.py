"""The command line: a parser, and one file a command, which declares its options and runs it.

What a command needs is imported when it runs: ``voice-agent --help`` loads no inference engine.
"""

from __future__ import annotations

import argparse
import io
import os
import sys

from agent.cli import (
    bench,
    call,
    calls,
    check,
    completion,
    console,
    db,
    dial,
    evaluate,
    init,
    operate,
    opt_outs,
    party,
    replay,
    serve,
    settings,
    sinch,
    talk,
    verify,
)
from agent.cli.options import FAILED, Parser, fail


def main(arguments: list[str] | None = None) -> int:
    """Run ``voice-agent``; return its exit status."""
    _fill_descriptors()
    if isinstance(sys.stdout, io.TextIOWrapper):  # what users give may be no text
        sys.stdout.reconfigure(errors="backslashreplace")
    options = _parser().parse_args(arguments)
    try:
        status: int = options.run(options)
        if sys.stdout is not None:  # it may have been closed before we began
            sys.stdout.flush()
    except KeyboardInterrupt:
        return 130
    except BrokenPipeError:  # `| head` has seen enough
        return _unheard()
    except OSError as error:  # of a disk that is full; what else may fail a command sees to itself
        fail(error)
        return _unheard()
    return status


def _unheard() -> int:
    """Write no more to stdout: Python would try once more when it ends."""
    if sys.stdout is not None:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
    return FAILED


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
    parser = Parser(
        prog="voice-agent", description="A phone agent for Sinch's websocket stream channel."
    )
    parser.add_argument("--version", action=_Version, nargs=0, help="print the version, and exit")
    commands = parser.add_subparsers(title="commands", required=True, metavar="COMMAND")
    for command in (
        init,
        serve,
        check,
        settings,
        console,
        db,
        talk,
        call,
        calls,
        verify,
        evaluate,
        bench,
        replay,
        dial,
        opt_outs,
        operate,
        party,
        sinch,
    ):
        command.add(commands)
    completion.add(commands, _parser)
    return parser


class _Version(argparse.Action):
    """Prints the version; argparse's own wants to know it before it is asked for."""

    def __call__(self, parser: argparse.ArgumentParser, *_: object) -> None:
        from agent.version import VERSION

        print(f"voice-agent {VERSION}")
        parser.exit()
