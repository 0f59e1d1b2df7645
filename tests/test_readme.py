"""What the README and the pages in docs say is so."""

from __future__ import annotations

import re
from pathlib import Path
from typing import get_args

import pytest

from agent.cli import main
from agent.personas.script import CALL_VARIABLES
from agent.records.exports.columns import CALLS, TURNS
from agent.settings.webhooks import WebhookEvent
from pipelines.providers import PROVIDERS
from tests.readme import DOCS, PAGES, README, ROOT, TABLES, with_tables
from tests.test_architecture import PATH_OF_A_CALL, SOURCES, lines

LONGEST_README = 150


def name(path: Path) -> str:
    return str(path.relative_to(ROOT))


def chapter(path: Path, heading: str) -> str:
    """Return what stands below a heading, up to the next one of its level or above."""
    level, _, _ = heading.partition(" ")
    _, found, rest = path.read_text().partition(f"\n{heading}\n")
    assert found, f"{name(path)} has no {heading}"
    return re.split(rf"^#{{1,{len(level)}}} ", rest, maxsplit=1, flags=re.MULTILINE)[0]


def prose(path: Path) -> str:
    """Return a page without its blocks of code, and without what it does not show."""
    shown = re.sub(r"<!--.*?-->", "", path.read_text(), flags=re.DOTALL)
    return re.sub(r"^ *```.*?^ *```$", "", shown, flags=re.DOTALL | re.MULTILINE)


def anchors(path: Path) -> set[str]:
    """Return what can stand behind a # in a link to a page, as GitHub makes it of headings."""
    headings = re.findall(r"^#+ (.+)$", prose(path), re.MULTILINE)
    slugs = [re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-") for heading in headings]
    assert len(slugs) == len(set(slugs)), f"{name(path)}: two headings are called the same"
    return set(slugs)


@pytest.mark.parametrize("path", TABLES, ids=name)
def test_tables_are_those_in_the_code(path: Path) -> None:
    """`make readme` writes them."""
    assert with_tables(path) == path.read_text()


def test_the_readme_is_short() -> None:
    """What is longer has a page."""
    assert len(README.read_text().splitlines()) <= LONGEST_README


@pytest.mark.parametrize("path", PAGES, ids=name)
def test_links_lead_somewhere(path: Path) -> None:
    """Each relative link to a file or folder that is there, and to a heading in it."""
    for link in re.findall(r"\]\((?!https?:)([^)]+)\)", prose(path)):
        file, _, anchor = link.partition("#")
        target = path.parent / file if file else path
        assert target.exists(), link
        if anchor:
            assert anchor in anchors(target), link


def test_every_page_is_in_both_indexes() -> None:
    """A page that nobody finds is not there."""
    for index, prefix in ((README, "docs/"), (DOCS / "README.md", "")):
        links = set(re.findall(rf"\]\({prefix}([a-z-]+\.md)", index.read_text()))
        assert links >= {page.name for page in DOCS.glob("*.md")} - {"README.md"}


@pytest.mark.parametrize("stage", PROVIDERS)
def test_every_provider_stands_in_the_table(stage: str) -> None:
    """With what it supports, and how that was verified."""
    table = chapter(DOCS / "providers.md", "## Choose providers")
    rows = re.findall(rf"^\| {stage} \| `([a-z-]+)`", table, re.MULTILINE)
    assert set(rows) == PROVIDERS[stage].keys() - {"scripted"}  # type: ignore[index]


@pytest.mark.parametrize(
    ("command", "page", "heading"),
    [
        ("call", "testing-an-agent", "## Place calls"),
        ("evaluate", "testing-an-agent", "## Evaluate turn-taking"),
        ("sinch stand-in", "testing-an-agent", "## Stand-in for Sinch"),
        ("replay", "replay", "## Run it"),
        ("dial", "outgoing-calls", "## Dial"),
        ("check", "operating", "## Check before a start"),
        ("init", "first-call", "## An agent of your own"),
        ("calls export", "exports", "## Options"),
        ("calls webhooks", "webhooks", "## When it is not taken"),
    ],
)
def test_the_options_are_all_there(
    command: str, page: str, heading: str, capsys: pytest.CaptureFixture[str]
) -> None:
    """Each option that `--help` knows stands in its chapter, and the other way round."""
    with pytest.raises(SystemExit):
        main([*command.split(), "--help"])
    offered = set(re.findall(r"--[a-z][a-z-]+", capsys.readouterr().out)) - {"--help"}
    said = set(re.findall(r"(?<![\w|-])--[a-z][a-z-]+", chapter(DOCS / f"{page}.md", heading)))
    assert said == offered


def test_the_variables_of_a_call_are_all_there() -> None:
    """What a template may use."""
    table = chapter(DOCS / "agent-files.md", "## Variables")
    named = {one for row in re.findall(r"^\| (.+?) \|", table, re.MULTILINE) for one in row.split()}
    assert {f"`{variable}`" for variable in CALL_VARIABLES} == {
        one.rstrip(",") for one in named if one.startswith("`")
    }


def test_the_columns_of_exports_are_all_there() -> None:
    """Of calls and of turns, with their meaning."""
    tables = chapter(DOCS / "exports.md", "## CSV and Parquet")
    for columns, of in ((CALLS, "call"), (TURNS, "turn")):
        table = tables.partition(f"| column of a {of} |")[2].partition("\n\n")[0]
        rows = re.findall(r"^\| (`.+?) \|", table, re.MULTILINE)
        assert [one for row in rows for one in re.findall(r"`(\w+)`", row)] == list(columns.kinds)


def test_every_event_of_webhooks_is_there() -> None:
    """With when it is told."""
    table = chapter(DOCS / "webhooks.md", "## What is told")
    assert re.findall(r"^\| `(call\.\w+)`", table, re.MULTILINE) == list(get_args(WebhookEvent))


def test_the_lines_of_a_transcript_are_all_there() -> None:
    """Each kind that the code writes."""
    code = "\n".join(
        (ROOT / path).read_text() for path in SOURCES if path.startswith(("agent/call/", "agent/r"))
    )
    kinds = set(re.findall(r'(?:note|add|add_later|_line)\(\s*"(\w+)"', code))
    kinds |= {"call", "platform", "leg", "recording"}  # of the server
    kinds |= {"dropped"}  # of the journal itself
    table = chapter(DOCS / "operating.md", "## Transcripts")
    assert set(re.findall(r"^\| `(\w+)` \|", table, re.MULTILINE)) == kinds


ARCHITECTURE = DOCS / "architecture.md"


def test_the_walk_through_the_code_is_up_to_date() -> None:
    """Its numbers are about right, no file of the path is left out."""
    text = ARCHITECTURE.read_text()
    rows = re.findall(r"^\| \[`([^`]+)`\].* \| (\d+) \|", text, re.MULTILINE)
    assert {path for path, _ in rows} >= set(PATH_OF_A_CALL)
    for path, said in rows:
        assert abs(lines(path) - int(said)) <= max(10, lines(path) // 10), path


def test_the_walk_names_only_what_is_there() -> None:
    """Each file, class and method that it names in code is one of the tree."""
    text = ARCHITECTURE.read_text()
    named = set(re.findall(r"`((?:agent|pipelines|tests)/[\w/*.]+)`", text))
    assert not [one for one in named if not list(ROOT.glob(one))]
    stems = {path.stem for path in ROOT.glob("agent/**/*.py")}
    stems |= {path.stem for path in ROOT.glob("pipelines/**/*.py")}
    rooms = text.partition("## Rooms")[2].partition("Three kinds")[0]
    for line in rooms.splitlines():
        _, _, what = line.partition(" | ")
        for one in re.findall(r"`([a-z_0-9]+)`", what):
            assert one in stems, one
