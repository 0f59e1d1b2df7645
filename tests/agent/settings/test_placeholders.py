"""Credentials that everybody knows stop the start."""

from __future__ import annotations

import asyncio
import base64
import secrets
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from agent.cli import main
from agent.server import start
from agent.settings import Settings, SettingsError, load
from agent.settings.placeholders import PUBLISHED, refuse_placeholders, weakness

GOOD = "3f0c9a6d1be84572a1f4c60d98e7b35c2d1f8a4e6b7c9053"
SECRET = base64.b64encode(bytes(range(120, 136))).decode()


@pytest.mark.parametrize(
    ("sinch", "named"),
    [
        (
            {
                "application_key": "669E367E-6BBA-48AB-AF15-266871C28135",
                "application_secret": "BeIukql3pTKJ8RGL5zo0DA==",
            },
            {"sinch.application_key", "sinch.application_secret"},
        ),
        (
            {"application_key": "mine", "application_secret": "JViE5vDor0Sw3WllZka15Q=="},
            {"sinch.application_secret"},
        ),
        (
            {
                "service_id": "A74B1566-0F18-4F8E-9C23-8E6B5DF8FD3E",
                "service_secret": "F5wrP9SKYU6w8sbZXkp7GA==",
            },
            {"sinch.service_id", "sinch.service_secret"},
        ),
        (
            {"application_key": "any", "application_secret": "c2VjcmV0"},
            {"sinch.application_key", "sinch.application_secret"},
        ),
        (
            {"application_key": "mine", "application_secret": "AAAAAAAAAAAAAAAAAAAAAA=="},
            {"sinch.application_secret"},
        ),
        ({"service_id": "mine", "service_secret": "WU9VUl9TRUNSRVQ="}, {"sinch.service_secret"}),
        (
            {
                "application_key": "any",
                "application_secret": "c2VjcmV0",
                "api_url": "http://127.0.0.1:9090",
            },
            set(),
        ),
        ({"application_key": "mine", "application_secret": SECRET}, set()),
    ],
)
def test_the_samples_of_sinch_s_documentation_are_refused(
    sinch: dict[str, Any], named: set[str]
) -> None:
    """In whatever case a key is written; the line names the setting and not the value."""
    settings = Settings(sinch=sinch)
    if not named:
        refuse_placeholders(settings)
        return
    with pytest.raises(SettingsError) as caught:
        refuse_placeholders(settings)
    lines = str(caught.value).splitlines()
    assert {line.partition(":")[0] for line in lines} == named
    assert not any(value.lower() in str(caught.value).lower() for value in PUBLISHED)


@pytest.mark.parametrize(
    "token",
    [
        "change-me-to-a-long-random-text",
        "a-long-random-text",
        "CHANGE_ME_CHANGE_ME",
        "changeit-changeit!",
        "this is a secret, really",
        "my-password-is-good",
        "<your token goes here>",
        "your_token_goes_here",
        "replace-me-with-something",
        "operator-token-0001",
        "aaaaaaaaaaaaaaaaaaaa",
        "abababababababababab",
        "abcdefghabcdefghabcdefgh",
        "1234567890123456",
        "0123456789abcdef",
        "abcdefghijklmnopqrst",
        "                    ",
        "too short",
        "a-token-of-your-own",
        "TODO: set this token",
        "supersecuretoken",
        "REPLACE_WITH_TOKEN",
        "none-of-your-business",
        "ch4ngeme-ch4ngeme",
        "voice-agent-operator",
        "openssl rand -hex 24",
        "$(openssl rand -hex 24)",
        "1q2w3e4r5t6y7u8i",
        "correct horse battery staple",
        "BeIukql3pTKJ8RGL5zo0DA==",
    ],
)
def test_a_token_that_can_be_guessed_is_refused(token: str) -> None:
    """Placeholders, few characters, repetitions, rows."""
    assert weakness(token)
    if len(token) >= 16:  # less is refused by the settings themselves
        for section in ("operator", "server"):
            with pytest.raises(SettingsError, match=f"^{section}.token: .*openssl") as caught:
                refuse_placeholders(Settings(**{section: {"token": token}}))  # type: ignore[arg-type]
            assert token not in str(caught.value).replace("`openssl rand -hex 24`", "")


def test_a_random_token_is_taken() -> None:
    """Of any kind that people make them by; a draw that is poor by chance is rare."""
    assert not weakness(GOOD)
    kinds: tuple[Callable[[], str], ...] = (
        lambda: secrets.token_hex(24),
        lambda: secrets.token_urlsafe(16),
    )
    refused = sum(bool(weakness(kind())) for kind in kinds for _ in range(2000))
    assert refused <= 2


def test_neither_check_nor_serve_goes_on_with_them(
    capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    """One line, status 1."""
    (tmp_path / "voice-agent.toml").write_text('[operator]\ntoken = "change-me-change-me"\n')
    assert main(["check"]) == 1
    said = capsys.readouterr().err.splitlines()
    assert len(said) == 1
    assert said[0].startswith("voice-agent: voice-agent.toml, line 2: operator.token: a placeh")
    with pytest.raises(SettingsError, match=r"line 2: operator\.token: a placeholder"):
        asyncio.run(start.serve(load(), print))
