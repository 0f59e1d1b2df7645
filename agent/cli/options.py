"""What several commands share: their options, what may stand there, how they say what is wrong."""

from __future__ import annotations

import argparse
import math
import sys
from collections.abc import Callable
from pathlib import Path
from typing import NoReturn, TypeAlias
from urllib.parse import urlsplit

from agent.sinch_limits import DEFAULT_RATE, RATES

FAILED = 1
"""Exit status of a command that could not do what it was asked for."""

LINES = ("clean", "landline", "mobile", "noisy", "echo", "bad")
"""What a caller calls over: :data:`agent.simulator.plan.LineName`, which takes longer to import."""

USAGE = 2
"""Exit status where what was asked for makes no sense; argparse has it so, too."""


class Parser(argparse.ArgumentParser):
    """Says in one line what is wrong, where argparse prints the usage before it."""

    def error(self, message: str) -> NoReturn:
        """Say it, and exit with :data:`USAGE`."""
        self.exit(USAGE, f"{self.prog}: {' '.join(message.split())} (see {self.prog} --help)\n")


Commands: TypeAlias = "argparse._SubParsersAction[Parser]"  # noqa: SLF001 - it has no public name
"""What a command is added to."""


def add_config(command: argparse.ArgumentParser) -> None:
    """Add ``--config``, for commands that read the settings."""
    command.add_argument("--config", type=Path, metavar="FILE", help="instead of voice-agent.toml")


def add_server(command: argparse.ArgumentParser) -> None:
    """Add ``--server`` and ``--config``, for commands that ask a running service."""
    command.add_argument(
        "--server",
        type=address("http", "https"),
        metavar="URL",
        help="of the service (server.host and .port)",
    )
    add_config(command)


def add_stream_options(command: argparse.ArgumentParser) -> None:
    """Add ``--rate``, ``--line`` and ``--headers``, for commands that place calls."""
    command.add_argument(
        "--rate",
        type=line_rate,
        default=DEFAULT_RATE,
        metavar="HZ",
        help=f"sample rate: {', '.join(map(str, RATES))} ({DEFAULT_RATE})",
    )
    command.add_argument(
        "--line",
        type=line_name,
        choices=LINES,
        default="clean",
        help="what the caller calls over: band, noise, echo, G.711, lost and late packets (clean)",
    )
    command.add_argument(
        "--headers",
        action="append",
        type=name_and_value,
        default=[],
        metavar="K=V",
        help="a call header",
    )


# What argparse takes as the type of an option: each returns what was meant, or says what is allowed


def name_and_value(given: str) -> tuple[str, str]:
    """Return both parts of ``K=V``, without the spaces around them.

    Raises:
        argparse.ArgumentTypeError: If there is no ``=``, or no name before it. A value that was
            meant may be a token: it is not quoted.
    """
    name, sign, value = given.partition("=")
    if not sign or not name.strip():
        raise argparse.ArgumentTypeError("write NAME=VALUE, such as agent=reception")
    return name.strip(), value.strip()


def line_name(given: str) -> str:
    """Return what a line is called now: ``clean`` was ``clear``, as the command is."""
    return "clean" if given == "clear" else given


def line_rate(given: str) -> int:
    """Return a sample rate of the stream channel, in hertz.

    Raises:
        argparse.ArgumentTypeError: If it is none.
    """
    if given.strip() not in map(str, RATES):
        allowed = ", ".join(map(str, RATES))
        raise argparse.ArgumentTypeError(f"{given!r}: hertz, one of {allowed}")
    return int(given)


def whole(least: int, most: int) -> Callable[[str], int]:
    """Return what takes a whole number between two."""

    def take(given: str) -> int:
        digits = given.strip()
        if not (digits.isascii() and digits.isdigit() and least <= int(digits[:10]) <= most):
            raise argparse.ArgumentTypeError(f"{given!r}: a whole number from {least} to {most}")
        return int(digits)

    return take


def seconds(most: float) -> Callable[[str], float]:
    """Return what takes seconds, from 0 to ``most``."""

    def take(given: str) -> float:
        try:
            found = float(given)
        except ValueError:
            found = math.nan
        if not 0 <= found <= most:  # which nan is not
            raise argparse.ArgumentTypeError(f"{given!r}: seconds, from 0 to {most:g}")
        return found

    return take


def words(given: str) -> str:
    """Return a text that says something.

    Raises:
        argparse.ArgumentTypeError: If there is no letter or digit in it.
    """
    if not any(char.isalnum() for char in given):
        raise argparse.ArgumentTypeError(f"{given!r}: there is nothing to say in it")
    return given


def a_file(given: str) -> Path:
    """Return the path of a file that is there.

    Raises:
        argparse.ArgumentTypeError: If it is not.
    """
    path = Path(given)
    if not path.is_file():
        why = "this is a folder" if path.is_dir() else "no such file"
        raise argparse.ArgumentTypeError(f"{given!r}: {why}")
    return path


def new_file(given: str) -> Path:
    """Return the path of a file that can be made, or made anew.

    Raises:
        argparse.ArgumentTypeError: If there is no folder for it, or a folder in its place.
    """
    path = Path(given)
    if path.is_dir() or not path.name:
        raise argparse.ArgumentTypeError(f"{given!r}: this is a folder; name a file in it")
    if not path.parent.is_dir():
        raise argparse.ArgumentTypeError(f"{given!r}: there is no folder {str(path.parent)!r}")
    return path


def address(*schemes: str) -> Callable[[str], str]:
    """Return what takes an address of one of ``schemes``. It may hold a token: it is not quoted."""
    example = f"{schemes[0]}://127.0.0.1:8080"
    wanted = f"{' or '.join(f'{scheme}://' for scheme in schemes)} and a host, such as {example}"

    def take(given: str) -> str:
        try:
            parts = urlsplit(given)
            right = parts.scheme.lower() in schemes and bool(parts.hostname) and parts.port != 0
        except ValueError:  # a port that is none, half of an IPv6 address
            right = False
        if not right or not given.isprintable() or " " in given:
            raise argparse.ArgumentTypeError(f"no address: {wanted}")
        return given

    return take


# How a command says that it failed


def fail(error: Exception, status: int = FAILED) -> int:
    """Say what is wrong, on standard error, a line each; return the exit status."""
    for line in str(error).splitlines() or [type(error).__name__]:
        print(f"voice-agent: {line}", file=sys.stderr)
    return status
