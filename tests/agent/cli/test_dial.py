"""``voice-agent dial``: whom it is told to call."""

from __future__ import annotations

import argparse

import pytest

from agent.cli import dial
from agent.cli.dial import destination
from agent.cli.options import Parser


def parsed(*arguments: str) -> argparse.Namespace:
    parser = Parser()
    dial.add(parser.add_subparsers())
    return parser.parse_args(["dial", *arguments])


@pytest.mark.parametrize(
    ("arguments", "to"),
    [
        (["+12025550123"], "+12025550123"),
        (["sip:desk@example.com"], "sip:desk@example.com"),
        (["--user", "ann"], {"type": "username", "endpoint": "ann"}),
        (["--user", ""], {"type": "username", "endpoint": ""}),
        (["--agent", "x", "--user", "+1202"], {"type": "username", "endpoint": "+1202"}),
    ],
)
def test_a_number_or_a_user_is_called(arguments: list[str], to: object) -> None:
    """Whatever an id looks like; the service says what is wrong with it."""
    assert destination(parsed(*arguments)) == to


def test_one_of_them_and_not_both(capsys: pytest.CaptureFixture[str]) -> None:
    """Which is said in a line."""
    with pytest.raises(SystemExit):
        parsed("+12025550123", "--user", "ann")
    assert "--user" in capsys.readouterr().err
