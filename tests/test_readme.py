"""What the README says is so."""

from __future__ import annotations

import re

import pytest

from agent.cli import main
from tests.readme import README, with_tables


def test_its_settings_tables_are_those_in_the_code() -> None:
    """`make readme` writes them."""
    assert with_tables(README.read_text()) == README.read_text()


def test_the_files_it_points_to_exist() -> None:
    """Every relative link leads somewhere."""
    links = re.findall(r"\]\((?!http)([^)#]+)\)", README.read_text())
    assert links
    assert not [link for link in links if not (README.parent / link).exists()]


@pytest.mark.parametrize(
    ("command", "chapter", "next_chapter"),
    [
        ("call", "## Place calls", "## Evaluate turn-taking"),
        ("evaluate", "## Evaluate turn-taking", "## Transcripts"),
    ],
)
def test_the_options_are_all_there(
    command: str, chapter: str, next_chapter: str, capsys: pytest.CaptureFixture[str]
) -> None:
    """Each option that `--help` knows stands in the README, and the other way round."""
    with pytest.raises(SystemExit):
        main([command, "--help"])
    offered = set(re.findall(r"--[a-z][a-z-]+", capsys.readouterr().out)) - {"--help"}
    section = README.read_text().partition(chapter)[2].partition(next_chapter)[0]
    assert set(re.findall(r"--[a-z][a-z-]+", section)) == offered
