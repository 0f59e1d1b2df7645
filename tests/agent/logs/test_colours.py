"""Where the log is coloured."""

from __future__ import annotations

import os
import pty
import subprocess
import sys
from pathlib import Path

import pytest

from agent.logs.colours import wanted

ESCAPE = "\x1b"

CASES: list[tuple[dict[str, str], bool, bool]] = [
    # environment, on a terminal, elsewhere
    ({}, True, False),
    ({"TERM": "xterm-256color"}, True, False),
    ({"TERM": "dumb"}, False, False),
    ({"NO_COLOR": "1"}, False, False),
    ({"NO_COLOR": "0"}, False, False),
    ({"NO_COLOR": ""}, True, False),
    ({"FORCE_COLOR": "1"}, True, True),
    ({"FORCE_COLOR": "3", "TERM": "dumb"}, True, True),
    ({"FORCE_COLOR": "0"}, False, False),
    ({"FORCE_COLOR": ""}, True, False),
    ({"NO_COLOR": "1", "FORCE_COLOR": "1"}, False, False),
    ({"CLICOLOR": "0"}, False, False),
    ({"CLICOLOR": "1"}, True, False),
    ({"CLICOLOR_FORCE": "1"}, True, True),
    ({"CLICOLOR_FORCE": "0"}, False, False),
    ({"CLICOLOR_FORCE": "1", "NO_COLOR": "yes"}, False, False),
]


@pytest.mark.parametrize(("environment", "on_terminal", "elsewhere"), CASES, ids=str)
def test_the_environment_says_whether(
    environment: dict[str, str], on_terminal: bool, elsewhere: bool
) -> None:
    """By the variables that programs agree on; an empty one is none."""
    assert wanted(environment, terminal=True) == on_terminal
    assert wanted(environment, terminal=False) == elsewhere


LOGS = """
import sys, structlog
from agent import logs
logs.configure("info", "text")
structlog.get_logger().info("hello", who="you")
"""


@pytest.mark.parametrize("environment", [{}, {"NO_COLOR": "1"}, {"FORCE_COLOR": "1"}], ids=str)
def test_a_file_has_none_and_a_terminal_some(environment: dict[str, str], tmp_path: Path) -> None:
    """Unless it is wanted otherwise; a terminal that is one tells."""
    colourless = {name: v for name, v in os.environ.items() if "COLOR" not in name}
    env = {**colourless, "TERM": "xterm", **environment}
    with (tmp_path / "log").open("wb") as file:
        subprocess.run([sys.executable, "-c", LOGS], stderr=file, env=env, check=True, timeout=60)
    in_file = (tmp_path / "log").read_text()
    assert "hello" in in_file
    assert (ESCAPE in in_file) == ("FORCE_COLOR" in environment)
    ours, theirs = pty.openpty()
    with open(ours, "rb", buffering=0) as terminal:  # noqa: PTH123 - a descriptor
        subprocess.run([sys.executable, "-c", LOGS], stderr=theirs, env=env, check=True, timeout=60)
        on_terminal = terminal.read(4096).decode()
        os.close(theirs)
    assert "hello" in on_terminal
    assert (ESCAPE in on_terminal) == ("NO_COLOR" not in environment)
