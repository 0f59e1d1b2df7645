"""What several commands share: their options, and how they say that they failed."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path
from typing import TypeAlias

Commands: TypeAlias = "argparse._SubParsersAction[argparse.ArgumentParser]"  # noqa: SLF001 - it has no public name
"""What a command is added to."""


def add_config(command: argparse.ArgumentParser) -> None:
    """Add ``--config``, for commands that read the settings."""
    command.add_argument("--config", type=Path, metavar="FILE", help="instead of voice-agent.toml")


def add_stream_options(command: argparse.ArgumentParser) -> None:
    """Add ``--rate``, ``--line`` and ``--headers``, for commands that place calls."""
    command.add_argument("--rate", type=int, default=8000, help="sample rate in hertz (8000)")
    command.add_argument(
        "--line",
        choices=("clear", "landline", "mobile", "bad"),
        default="clear",
        help="what the caller calls over: band, noise, echo, G.711 and lost packets (clear)",
    )
    command.add_argument(
        "--headers", action="append", default=[], metavar="K=V", help="a call header"
    )


def name_and_value(given: str) -> tuple[str, str]:
    """Return both parts of ``K=V``, without the spaces around them."""
    name, _, value = given.partition("=")
    return name.strip(), value.strip()


def fail(error: Exception) -> int:
    """Say what is wrong, on standard error; return the exit status of a command that failed."""
    for line in str(error).splitlines():
        print(f"voice-agent: {line}", file=sys.stderr)
    return 1
