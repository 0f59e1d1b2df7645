"""Secrets in addresses and arguments, planted wherever a setting may hold one: none comes out."""

from __future__ import annotations

import asyncio
import json
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import aiohttp
import pytest
from pydantic import BaseModel
from structlog.testing import capture_logs

from agent.server import start
from agent.settings import Settings, SettingsError, load
from agent.settings.providers import StageSettings
from pipelines.providers import PROVIDERS, find
from tests.agent.loopback import running
from tests.agent.sinch.credentials import V1
from tests.agent.sinch.stories import TOKEN, free_port

PLANTED = ("tom-secret", "hunter2", "query-secret", "arg-secret", "env-secret", "head-secret")
URL = "{scheme}://tom-secret:hunter2@127.0.0.1:{port}/p?key=query-secret"

KNOWN = {"database", "sinch.api_url", "sinch.public_url", "mcp", "webhooks", "recording.store"}
KNOWN |= {"console.public_url", "console.oidc.issuer", "tracing.endpoint"}
"""Settings with addresses or arguments in them, besides those of providers. Those of a bucket and
of the console take none with a user or a password."""


def named(model: type[BaseModel], prefix: str = "") -> Iterator[str]:
    """Yield the settings that may hold an address, by what they are called and how described."""
    for name, field in model.model_fields.items():
        kind = field.annotation
        if isinstance(kind, type) and issubclass(kind, StageSettings):
            continue
        if isinstance(kind, type) and issubclass(kind, BaseModel):
            yield from named(kind, f"{prefix}{name}.")
        elif "url" in name.lower() or any(
            word in (field.description or "") for word in ("://", "`url`")
        ):
            yield prefix + name


def planted(port: int = 1) -> dict[str, Any]:
    """Return settings with secrets in all of them."""
    web, database = (URL.format(scheme=scheme, port=port) for scheme in ("https", "postgresql"))
    return {
        "database": database.replace("key=", "passfile="),
        "sinch": {"api_url": f"http://127.0.0.1:{port}", "public_url": web.partition("?")[0]},
        "mcp": {
            "remote": {
                "url": web.replace("tom-secret:hunter2@", ""),
                "headers": {"a": "head-secret"},
            },
            "local": {
                "command": sys.executable,
                "args": ["-c", "pass", "--token=arg-secret", web],
                "env": {"KEY": "env-secret", "ADDRESS": web},
            },
        },
        "webhooks": {
            "crm": {
                "url": web.replace("tom-secret:hunter2@", ""),
                "secret": "arg-secret",
                "headers": {"a": "head-secret"},
            }
        },
    }


def assert_clean(text: str) -> None:
    found = [secret for secret in PLANTED if secret in text]
    assert not found, text


def test_every_setting_with_an_address_is_planted() -> None:
    """A new one is found here, and has to be shown masked as well."""
    assert set(named(Settings)) == KNOWN


def test_what_is_in_force_is_shown_without_secrets() -> None:
    """By `voice-agent check`, and by whoever prints the settings."""
    settings = Settings(**planted())
    assert_clean(settings.effective())
    assert "sinch.public_url = 'https://***@127.0.0.1:1/p'" in settings.effective()
    assert_clean(
        f"{settings.mcp!r} {settings.webhooks!r} {settings.database!r} {settings.database}"
    )


def test_the_options_of_every_provider_are_shown_without_secrets() -> None:
    """Each that has an address, as the first and as a fallback."""
    seen = 0
    for stage, names in PROVIDERS.items():
        for name in names:
            options = [o for o in find(stage, name).Options.model_fields if "url" in o]
            for option in options:
                given = {option: URL.format(scheme="http", port=1), "region": "x"}
                fields = find(stage, name).Options.model_fields
                given = {key: value for key, value in given.items() if key in fields}
                required = {k: "voice" for k, f in fields.items() if f.is_required()}
                one = {"provider": name, "options": required | given}
                sections: dict[str, Any] = {stage: {**one, "fallback": [one]}}
                try:
                    shown = Settings(**sections).effective()
                except SettingsError as error:
                    shown = str(error)
                assert_clean(shown)
                seen += 1
    assert seen >= 15


@pytest.mark.parametrize(
    "wrong",
    [
        {"sinch": {"api_url": URL.format(scheme="https", port=1)}},
        {"sinch": {"public_url": URL.format(scheme="https", port=1)}},
        {"sinch": {"callback_path": URL.format(scheme="https", port=1)}},
        {"server": {"port": URL.format(scheme="tcp", port=1)}},
        {"server": {"max_calls": [URL.format(scheme="tcp", port=1)]}},
        {"agent": [URL.format(scheme="tcp", port=1)]},
        {"database": URL.format(scheme="mysql", port=1)},
        {"mcp": {"a": {"url": URL.format(scheme="https", port=1)}}},
        {"mcp": {"a": {"command": "no-such-program --token arg-secret"}}},
        {"mcp": {"a": {"command": "true", "args": "arg-secret"}}},
        {"mcp": {"a": {"command": "true", "args": [{"arg-secret": 1}]}}},
        {"mcp": {"a": {"command": ["arg-secret"]}}},
        {"webhooks": {"a": {"url": URL.format(scheme="https", port=1), "secret": "arg-secret"}}},
        {"webhooks": {"a": {"url": "https://h/?query-secret", "secret": "arg-secret"}}},
        {"webhooks": {"a": {"url": "https://h/?query-secret", "secret": ["arg-secret"]}}},
        {"webhooks": {"a": {"url": ["https://h/?query-secret"], "events": "call.ended"}}},
        {"mcp": {"a": {"command": "true", "env": {"A": ["env-secret"]}}}},
        {
            "mcp": {
                "a": {"command": "true", "url": "https://h/?query-secret", "args": ["arg-secret"]}
            }
        },
        {"llm": {"provider": "openai", "options": {"base_url": URL.format(scheme="ftp", port=1)}}},
    ],
    ids=str,
)
def test_a_mistake_is_told_without_secrets(wrong: dict[str, Any]) -> None:
    """Also where an address stands in the wrong place."""
    with pytest.raises(SettingsError) as caught:
        start.check(load(overrides=wrong))
    assert_clean(str(caught.value))


@pytest.mark.parametrize("command", [["check"], ["check", "--live"], ["serve"], ["db", "check"]])
def test_no_command_prints_them(tmp_path: Path, command: list[str]) -> None:
    """With everything set, at debug level, and nothing of it reachable."""
    given = planted(free_port())
    lines = [f"database = {json.dumps(given['database'])}", "[log]", 'level = "debug"']
    lines += ["[server]", "port = 0", "[sinch]"]
    lines += [f"{name} = {json.dumps(value)}" for name, value in given["sinch"].items()]
    lines += [f'application_key = "{V1.key_id}"', f'application_secret = "{V1.secret}"']
    for name, server in given["mcp"].items():
        lines.append(f"[mcp.{name}]")
        for key, value in server.items():
            table = isinstance(value, dict)
            text = ", ".join(f"{k} = {json.dumps(v)}" for k, v in value.items()) if table else ""
            lines.append(f"{key} = {{{text}}}" if table else f"{key} = {json.dumps(value)}")
    for stage in ("stt", "llm", "tts"):
        options = {
            "base_url": URL.format(scheme="http", port=free_port()),
            "api_key": "head-secret",
        }
        text = ", ".join(f"{name} = {json.dumps(value)}" for name, value in options.items())
        lines += [f"[{stage}]", 'provider = "openai"', f"options = {{{text}}}"]
    (tmp_path / "voice-agent.toml").write_text("\n".join(lines))
    done = subprocess.run(
        [sys.executable, "-m", "agent.cli", *command],
        capture_output=True,
        text=True,
        timeout=100,
        env=os.environ | {"PYTHONPATH": str(Path(__file__).parents[3])},
        check=False,
    )
    assert_clean(done.stdout + done.stderr)
    assert "Traceback" not in done.stderr
    if command != ["check"]:
        assert done.returncode == 1
        assert done.stdout + done.stderr


def test_a_running_service_answers_without_them(tmp_path: Path) -> None:
    """Health, metrics, the operator's interface, and the log of it all."""

    async def main() -> None:
        port, given = free_port(), planted(free_port())
        sinch = given["sinch"] | {
            "application_key": V1.key_id,
            "application_secret": V1.secret,
            "caller_id": "+12025550100",
        }
        sections = {"sinch": sinch, "operator": {"token": TOKEN}}
        headers = {"authorization": f"Bearer {TOKEN}"}
        with capture_logs() as logs:
            async with (
                running(tmp_path, None, port, **sections),
                aiohttp.ClientSession(f"http://127.0.0.1:{port}", headers=headers) as http,
            ):
                for path in ("/health", "/metrics", "/calls", "/openapi.json"):
                    async with http.get(path) as answer:
                        assert answer.status == 200
                        assert_clean(await answer.text())
                async with http.post("/calls", json={"to": "+12025550123"}) as answer:
                    assert answer.status == 409
                    assert_clean(await answer.text())
        assert_clean(str(logs))
        assert any(line["event"] == "not dialled" for line in logs)

    asyncio.run(main())
