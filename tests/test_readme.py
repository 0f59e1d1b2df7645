"""What the README says is so."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from agent.cli import main
from pipelines.providers import PROVIDERS
from tests.readme import README, ROOT, TABLES, with_tables
from tests.test_architecture import PATH_OF_A_CALL, lines


@pytest.mark.parametrize("path", TABLES, ids=lambda path: path.parent.name)
def test_tables_are_those_in_the_code(path: Path) -> None:
    """`make readme` writes them."""
    assert with_tables(path) == path.read_text()


@pytest.mark.parametrize("path", TABLES, ids=lambda path: path.parent.name)
def test_the_files_it_points_to_exist(path: Path) -> None:
    """Every relative link leads somewhere."""
    links = re.findall(r"\]\((?!http)([^)#]+)(?:#[^)]*)?\)", path.read_text())
    assert links
    assert not [link for link in links if not (path.parent / link).exists()]


@pytest.mark.parametrize("stage", PROVIDERS)
def test_every_provider_stands_in_the_table(stage: str) -> None:
    """With what it supports, and how that was verified."""
    chapter = README.read_text().partition("## Choose providers")[2].partition("\n## ")[0]
    rows = re.findall(rf"^\| {stage} \| `([a-z-]+)`", chapter, re.MULTILINE)
    assert set(rows) == PROVIDERS[stage].keys() - {"scripted"}  # type: ignore[index]


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


ARCHITECTURE = ROOT / "docs" / "architecture.md"


def test_the_walk_through_the_code_is_up_to_date() -> None:
    """Its links lead somewhere, its numbers are about right, no file of the path is left out."""
    text = ARCHITECTURE.read_text()
    links = re.findall(r"\]\((?!http)([^)#]+)(?:#[^)]*)?\)", text)
    assert not [link for link in links if not (ARCHITECTURE.parent / link).exists()]
    rows = re.findall(r"^\| \[`([^`]+)`\].* \| (\d+) \|", text, re.MULTILINE)
    assert {path for path, _ in rows} >= set(PATH_OF_A_CALL)
    for path, said in rows:
        assert abs(lines(path) - int(said)) <= max(10, lines(path) // 10), path


def test_the_walk_names_only_what_is_there() -> None:
    """Each file, class and method that it names in code is one of the tree."""
    text = ARCHITECTURE.read_text()
    named = set(re.findall(r"`((?:agent|pipelines|tests)/[\w/*.]+)`", text))
    assert not [name for name in named if not list(ROOT.glob(name))]
    stems = {path.stem for path in ROOT.glob("agent/**/*.py")}
    stems |= {path.stem for path in ROOT.glob("pipelines/**/*.py")}
    rooms = text.partition("## Rooms")[2].partition("Three kinds")[0]
    for line in rooms.splitlines():
        _, _, what = line.partition(" | ")
        for name in re.findall(r"`([a-z_0-9]+)`", what):
            assert name in stems, name
