"""What stands in `deploy/`: no container can be built here, so it is read and compared instead."""

from __future__ import annotations

import configparser
import re
from pathlib import Path

import pytest
import yaml

from agent.server.registry import DRAINED_WITHIN, GOODBYE_WITHIN
from agent.settings import Settings, load
from agent.settings.server import ServerSettings
from agent.sinch import account
from agent.sinch.follow_ups import FINISH_WITHIN
from agent.store.engine import WITHIN

ROOT = Path(__file__).parent.parent
DEPLOY = ROOT / "deploy"


def variables() -> dict[str, str]:
    """Return the example's variables, those in comments included."""
    lines = re.findall(r"^#? ?([A-Z_]+)=(.*)$", (DEPLOY / "env.example").read_text(), re.MULTILINE)
    return {name: value for name, value in lines if value or not name.startswith("VOICE_AGENT_")}


def test_every_variable_of_the_example_that_is_left_open_exists() -> None:
    """Those in comments without a value, too."""
    text = (DEPLOY / "env.example").read_text()
    for section, field in re.findall(r"^# VOICE_AGENT_([A-Z]+)__([A-Z_]+)=", text, re.MULTILINE):
        assert field.lower() in type(getattr(Settings(), section.lower())).model_fields


def test_each_variable_of_the_example_is_a_setting(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """A name that no longer exists would stop the start."""
    monkeypatch.chdir(tmp_path)
    given = variables()
    ours = {name: value for name, value in given.items() if name.startswith("VOICE_AGENT_")}
    ours["VOICE_AGENT_SINCH__API"] = "v1"  # the other stands there in a comment
    for name, value in ours.items():
        monkeypatch.setenv(name, value)
    settings = load(None)
    assert settings.llm.provider == "openai"
    assert settings.sinch.takes_callbacks
    assert account.client(settings.sinch) is not None
    assert settings.operator.token is not None
    assert settings.operator.token.get_secret_value() == given["VOICE_AGENT_OPERATOR__TOKEN"]
    for name in ours:
        section, _, field = name.removeprefix("VOICE_AGENT_").lower().partition("__")
        known = type(getattr(settings, section)).model_fields if field else Settings.model_fields
        assert (field or section) in known
    assert settings.database.is_postgresql


def test_the_image_is_not_root_has_a_health_check_and_copies_what_is_there() -> None:
    """And nothing that the wheel needs is missing."""
    lines = (DEPLOY / "Dockerfile").read_text().splitlines()
    copied = [line.split()[1:-1] for line in lines if re.match(r"COPY (?!--)", line)]
    assert all((ROOT / name).exists() for names in copied for name in names)
    assert {"agent", "pipelines", "prompts"} <= {name for names in copied for name in names}
    last_stage = lines[max(n for n, line in enumerate(lines) if line.startswith("FROM")) :]
    assert "USER voice-agent" in last_stage
    assert any(line.startswith("HEALTHCHECK") for line in last_stage)
    assert f"127.0.0.1:{ServerSettings().port}/live'" in "".join(last_stage)


def test_all_wait_for_the_drain() -> None:
    """A stop that comes sooner cuts calls off."""
    drain = ServerSettings().drain + GOODBYE_WITHIN + DRAINED_WITHIN + FINISH_WITHIN + WITHIN
    compose = yaml.safe_load((DEPLOY / "compose.yaml").read_text())
    assert float(compose["services"]["agent"]["stop_grace_period"].rstrip("s")) > drain
    unit = configparser.ConfigParser(strict=True, interpolation=None)
    unit.optionxform = str  # type: ignore[assignment,method-assign] # the documented way
    unit.read_string((DEPLOY / "voice-agent.service").read_text())
    assert float(unit["Service"]["TimeoutStopSec"]) > drain
    assert unit["Service"]["ExecStart"].endswith("/.venv/bin/voice-agent serve")


def test_the_proxy_passes_callbacks_and_streams_and_nothing_else() -> None:
    """It names the service and the paths that are there; the operator's interface stays inside."""
    compose = yaml.safe_load((DEPLOY / "compose.yaml").read_text())
    caddy = (DEPLOY / "Caddyfile").read_text()
    path = Settings().server.path
    assert f"@stream path {path} {path}/*" in caddy
    assert f"handle {Settings().sinch.callback_path} {{" in caddy
    assert caddy.count(f"reverse_proxy agent:{Settings().server.port}") == 2
    assert len(re.findall("handle [@/]", caddy)) == 2
    assert variables()["VOICE_AGENT_SINCH__PUBLIC_URL"] == f"https://{variables()['DOMAIN']}"
    assert "agent" in compose["services"]
    assert "DOMAIN" in variables()
    assert caddy.count("{") == caddy.count("}")


def test_the_image_installs_what_the_tests_ran_with() -> None:
    """Its lock is a part of the project's own."""
    pins = re.compile(r"^([\w.-]+)==(\S+)", re.MULTILINE)
    image = dict(pins.findall((DEPLOY / "requirements.lock").read_text()))
    project = dict(pins.findall((ROOT / "requirements-dev.lock").read_text()))
    assert image
    assert image.items() <= project.items()
    assert "moonshine-voice" in image
    assert "pytest" not in image
