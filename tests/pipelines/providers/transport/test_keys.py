"""Keys, as they are pasted."""

from __future__ import annotations

from pathlib import Path

import pytest
from pydantic import SecretStr

from pipelines.environment import strange_character
from pipelines.providers.contracts import ProviderError
from pipelines.providers.transport.keys import find_key

KEY = "sk-abc_DEF-123.x/y+z=="


def given(text: str) -> str:
    return find_key("llm", SecretStr(text), "ANY_KEY")


@pytest.mark.parametrize(
    "pasted",
    [
        *(KEY, f" {KEY}\n", f"{KEY}\r\n", f"\t{KEY}", f"\u00a0{KEY}\u00a0", f'"{KEY}"'),
        *(f"'{KEY}'", f"\u201c{KEY}\u201d", f"`{KEY}`", f'" {KEY} "\n', f"Bearer {KEY}"),
        *(f"bearer  {KEY}", f'"Bearer {KEY}"'),
    ],
)
def test_what_surrounds_a_key_is_left_out(
    pasted: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """Blanks, ends of lines, quotes, and the word that goes before it in a header."""
    assert given(pasted) == KEY
    monkeypatch.setenv("ANY_KEY", pasted)
    assert find_key("llm", None, "ANY_KEY") == KEY
    monkeypatch.delenv("ANY_KEY")
    (tmp_path / "key").write_text(f"\ufeff{pasted}", encoding="utf-8")
    monkeypatch.setenv("ANY_KEY_FILE", str(tmp_path / "key"))
    assert find_key("llm", None, "ANY_KEY") == KEY


@pytest.mark.parametrize(
    ("pasted", "named"),
    [
        (f"{KEY}\u200b", "U+200B ZERO WIDTH SPACE"),
        (f"\ufeff{KEY}", "U+FEFF ZERO WIDTH NO-BREAK SPACE"),
        ("sk-\u00adabc", "U+00AD SOFT HYPHEN"),
        ("sk-a\u2060bc", "U+2060 WORD JOINER"),
        ("sk-a\u202ebc", "U+202E RIGHT-TO-LEFT OVERRIDE"),
        ("sk\u2011abc", "U+2011 NON-BREAKING HYPHEN"),
        ("sk\u2013abc", "U+2013 EN DASH"),
        ("sk-a\u00a0bc", "U+00A0 NO-BREAK SPACE"),
        ("sk-a bc", "U+0020 SPACE"),
        ("sk-abc\n# mine", "U+000A a control character"),
        ("sk-a\0bc", "U+0000 a control character"),
        (f"\u201c{KEY}", "U+201C LEFT DOUBLE QUOTATION MARK"),
        ("sk-\u0430bc", "U+0430 CYRILLIC SMALL LETTER A"),
        ("sk-ab\u2026", "U+2026 HORIZONTAL ELLIPSIS"),
    ],
)
def test_what_no_key_has_is_refused_by_name(
    pasted: str, named: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """At start, with the character and the setting, and without the key."""
    (tmp_path / "key").write_text(pasted, encoding="utf-8")
    monkeypatch.setenv("FILED_KEY_FILE", str(tmp_path / "key"))
    if "\0" not in pasted:
        monkeypatch.setenv("ANY_KEY", pasted)
    places = [
        ("llm.options.api_key", SecretStr(pasted), "ANY_KEY"),
        ("ANY_KEY", None, "ANY_KEY") if "\0" not in pasted else ("", None, "FILED_KEY"),
        ("FILED_KEY", None, "FILED_KEY") if pasted[0] != "\ufeff" else ("", None, "ANY_KEY"),
    ]
    for setting, option, variable in places:
        with pytest.raises(ProviderError) as caught:
            find_key("llm", option, variable)
        assert named in str(caught.value)
        assert setting in str(caught.value)
        assert "abc" not in str(caught.value)
        assert not caught.value.retryable


@pytest.mark.parametrize("nothing", ["", " ", '""', "Bearer "])
def test_a_key_that_is_nothing_is_missing(nothing: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """In whatever is around it."""
    monkeypatch.setenv("ANY_KEY", nothing)
    with pytest.raises(ProviderError, match="set ANY_KEY in the environment"):
        find_key("llm", None, "ANY_KEY")
    with pytest.raises(ProviderError, match=r"llm\.options\.api_key"):
        given(nothing)


@pytest.mark.parametrize(
    "text", ["gpt-5", "a b", "Zoë", "https://x.y/v1", "模型", "is it 'so'?", ""]
)
def test_names_may_have_all_that_is_seen(text: str) -> None:
    """In any script."""
    assert strange_character(text) == ""


@pytest.mark.parametrize(
    "text",
    [
        "gpt-5\u200b",
        " gpt-5",
        "gpt-5 ",
        "gpt\u00a05",
        "\ufeffgpt",
        "gpt\n",
        "\u201cgpt\u201d",
        "a\u3164",
    ],
)
def test_names_have_nothing_that_is_not_seen(text: str) -> None:
    """Nobody finds out why a server does not know them."""
    assert strange_character(text).startswith("U+")
