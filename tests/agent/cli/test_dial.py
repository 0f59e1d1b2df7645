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


ANN, BEN = "+12025550123", "+12025550124"


@pytest.mark.parametrize(
    ("arguments", "to"),
    [
        ([ANN, BEN], [{"to": ANN, "title": ""}, {"to": BEN, "title": ""}]),
        (
            [ANN, BEN, "--title", "Ann"],
            [{"to": ANN, "title": "Ann"}, {"to": BEN, "title": ""}],
        ),
        (
            [ANN, BEN, "--no-disclosure"],
            [{"to": to, "title": "", "discloses": False} for to in (ANN, BEN)],
        ),
        ([ANN, "--title", "Ann"], [{"to": ANN, "title": "Ann"}]),
        ([ANN, "--ends-with", "host"], [{"to": ANN, "title": "", "host": True}]),
        (
            [ANN, "user:ben", "--ring-seconds", "20", "--announcement", "Hello."],
            [
                {"to": to, "title": "", "ring_seconds": 20, "announcement": "Hello."}
                for to in (ANN, "user:ben")
            ],
        ),
    ],
)
def test_several_are_called_onto_one_line(arguments: list[str], to: object) -> None:
    """With what is given about each, in the order of the numbers."""
    assert destination(parsed(*arguments)) == to


def test_more_titles_than_people_are_a_mistake() -> None:
    """Somebody may have been left out."""
    with pytest.raises(ValueError, match="--title"):
        destination(parsed(ANN, "--title", "Ann", "--title", "Ben"))


def test_one_of_them_and_not_both(capsys: pytest.CaptureFixture[str]) -> None:
    """Which is said in a line."""
    with pytest.raises(SystemExit):
        parsed("+12025550123", "--user", "ann")
    assert "--user" in capsys.readouterr().err
