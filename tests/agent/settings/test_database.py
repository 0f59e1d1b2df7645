"""Where the database is, and what is shown of that."""

from __future__ import annotations

import pytest
from pydantic import ValidationError

from agent.settings import Settings, SettingsError, load

SHOWN = [
    ("sqlite:///voice-agent.db", "sqlite:///voice-agent.db"),
    ("postgresql://host/name", "postgresql://host/name"),
    ("postgresql://user@host/name", "postgresql://***@host/name"),
    ("postgres://user:hunter2@h1,h2/name", "postgres://***@h1,h2/name"),
    ("postgresql://user:hunter2@host:5432/name", "postgresql://***@host:5432/name"),
    ("postgresql://user:hun:t@er2@host/name", "postgresql://***@host/name"),
    ("postgresql://user:hunt/er2@host/name", "postgresql://***@host/name"),
    (
        "postgresql://host/n?user=u&password=hunter2&ssl=x",
        "postgresql://host/n?***",
    ),
]


@pytest.mark.parametrize(("url", "shown"), SHOWN)
def test_a_password_is_never_shown(url: str, shown: str) -> None:
    """Wherever it stands, and whatever is in it; the rest is."""
    settings = Settings(database=url)
    assert settings.database.get_secret_value() == url
    assert str(settings.database) == shown
    assert f"database = '{shown}'" in settings.effective().splitlines()
    assert "hunt" not in repr(settings) + str(settings) + settings.effective()


@pytest.mark.parametrize("url", ["mysql://u:hunter2@h/n", "hunter2", "sqlite:///", "sqlite://"])
def test_what_is_no_address_is_told_and_not_shown(
    url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """In one line, with what is allowed."""
    monkeypatch.setenv("VOICE_AGENT_DATABASE", url)
    with pytest.raises(SettingsError) as caught:
        load()
    assert str(caught.value).startswith(
        "VOICE_AGENT_DATABASE: database = (hidden): sqlite:///FILE, or postgresql://"
    )
    assert "hunter2" not in str(caught.value)
    with pytest.raises(ValidationError) as raised:
        Settings(database=url)
    assert "hunter2" not in str(raised.value)


def test_the_folder_has_another_name_now(monkeypatch: pytest.MonkeyPatch) -> None:
    """Whoever has set it is told, from the environment and from a file."""
    monkeypatch.setenv("VOICE_AGENT_STATE", "/var/lib/voice-agent")
    with pytest.raises(SettingsError, match=r"^VOICE_AGENT_STATE: state: is called database now$"):
        load()
