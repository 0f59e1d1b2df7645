"""Settings that are given by their names, on the command line: over every other source."""

from __future__ import annotations

from pathlib import Path

import pytest

from agent.settings import Settings, SettingsError, load

pytestmark = pytest.mark.usefixtures("tmp_path")  # they write files where they are


def named(*given: tuple[str, str], file: str = "") -> Settings:
    """Return the settings with ``given`` over a file."""
    Path("voice-agent.toml").write_text(file)
    return load(named=given)


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Each test has a folder of its own to be in."""
    monkeypatch.chdir(tmp_path)


def test_a_setting_is_named_by_its_dots() -> None:
    """Its value is text, as in a variable."""
    settings = named(("turns.idle_after", "5"), file="[turns]\nidle_after = 7\nmax_drafts = 2\n")
    assert (settings.turns.idle_after, settings.turns.max_drafts) == (5, 2)


def test_an_option_of_a_provider_may_stand_beside_it() -> None:
    """With `options` between them or without; a list is JSON, whatever the order."""
    for name in ("stt.lines", "stt.options.lines"):
        settings = named((name, '["a b", "c"]'), ("stt.provider", "scripted"))
        assert settings.providers()["stt"][0].options.model_dump()["lines"] == ("a b", "c")


def test_another_provider_has_no_options_of_the_one_before() -> None:
    """Nor is one that is named again without those it had."""
    file = '[llm]\nprovider = "scripted"\noptions = {delay = 2.0}\n'
    assert named(("llm.provider", "lookup"), file=file).llm.options == {}
    assert named(("llm.provider", "scripted"), file=file).llm.options == {"delay": 2.0}


@pytest.mark.parametrize(
    ("name", "value", "line"),
    [
        ("turns.idle_aftr", "5", "--set turns.idle_aftr: no such setting; did you mean turns."),
        ("turns.idle_after", "soon", "--set turns.idle_after: turns.idle_after = 'soon': must be"),
        ("turns.idle_after.x", "1", "--set turns.idle_after.x: turns.idle_after has no parts"),
        ("turns.idle_after", "1", "--set turns.idle_after: turns.idle_after = '1': must be a numb"),
        ("llm.modle", "x", "--set llm.modle: llm.options.modle: no such setting"),
        ("llm.provider", "opnai", "--set llm.provider: llm.provider = 'opnai': "),
    ],
)
def test_a_mistake_is_told_as_of_any_source(name: str, value: str, line: str) -> None:
    """With the name that was given."""
    with pytest.raises(SettingsError) as found:
        named((name, value)).providers()
    assert str(found.value).startswith(line)
