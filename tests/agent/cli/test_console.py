"""``voice-agent console password``: what it prints is a setting, and a password opens it."""

from __future__ import annotations

import io
import sys
from pathlib import Path

import pytest
from argon2 import PasswordHasher

from agent.cli import main
from agent.settings import SettingsError, load

PASSWORD = "correct horse battery"


def said(monkeypatch: pytest.MonkeyPatch, *lines: str, arguments: tuple[str, ...] = ()) -> int:
    """Run it as at a terminal where these lines are typed."""
    typed = iter(lines)
    monkeypatch.setattr("getpass.getpass", lambda _prompt: next(typed))
    monkeypatch.setattr("sys.stdin.isatty", lambda: True, raising=False)
    return main(["console", "password", *arguments])


def test_what_it_prints_is_a_setting(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    """Of one person, or of several; it is asked for twice."""
    assert said(monkeypatch, PASSWORD, PASSWORD) == 0
    lines = capsys.readouterr().out
    assert said(monkeypatch, PASSWORD, PASSWORD, arguments=("ann@x.org", "--role", "listen")) == 0
    lines += capsys.readouterr().out
    (tmp_path / "voice-agent.toml").write_text(lines)
    accounts = load().console.accounts
    assert {name: one.role for name, one in accounts.items()} == {
        "admin": "edit",
        "ann@x.org": "listen",
    }
    for account in accounts.values():
        assert PasswordHasher().verify(account.password.get_secret_value(), PASSWORD)


def test_a_pipe_brings_it(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """In a line."""
    monkeypatch.setattr(sys, "stdin", io.StringIO(f"{PASSWORD}\n"))
    assert main(["console", "password"]) == 0
    hashed = capsys.readouterr().out.split('"')[1]
    assert PasswordHasher().verify(hashed, PASSWORD)


@pytest.mark.parametrize(
    ("typed", "arguments"),
    [
        (("short",), ()),
        ((PASSWORD, PASSWORD + "x"), ()),
        (("aaaaaaaaaaaaaaaa",), ()),
        ((), ("no name",)),
        ((), ("x" * 65,)),
    ],
)
def test_what_is_not_taken(
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    typed: tuple[str, ...],
    arguments: tuple[str, ...],
) -> None:
    """Which is said in a line, without quoting it."""
    assert said(monkeypatch, *typed, arguments=arguments) == 1
    told = capsys.readouterr()
    assert not told.out
    assert told.err.startswith("voice-agent: password: ")
    assert not any(one in told.err for one in typed)


@pytest.mark.parametrize(
    "given",
    [
        'password = "correct horse battery"',
        'password = "$argon2id=19=65536,t=3,p=1"',
        'password = "$argon2id$v=19$m=9999999,t=3,p=1$k61BgbCz9x8M7snrW0AufQ$TRjXIl8I74m8tUaEMhB"',
        'password = "$argon2id$v=19$m=8,t=1,p=1$k61BgbCz9x8M7snrW0AufQ$TRjXIl8I74m8tUaEMhB"',
        'users.ann.password = "correct horse battery"',
        'users."ann b".password = "x"',
    ],
)
def test_a_password_is_no_setting(tmp_path: Path, given: str) -> None:
    """It is not quoted; what makes its hash is named."""
    (tmp_path / "voice-agent.toml").write_text(f"[console]\n{given}")
    with pytest.raises(SettingsError) as wrong:
        load()
    assert "correct horse" not in str(wrong.value)
    assert "argon2" in str(wrong.value) or "from" in str(wrong.value) or "ann b" in str(wrong.value)
