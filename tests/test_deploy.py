"""What stands in `deploy/`: no container can be built here, so it is read and compared instead."""

from __future__ import annotations

import re
import shutil
import subprocess
import tomllib
from functools import reduce
from pathlib import Path

import pytest
import yaml

from agent.server.registry import DRAINED_WITHIN, GOODBYE_WITHIN
from agent.settings import Settings, load
from agent.settings.placeholders import PUBLISHED, refuse_placeholders
from agent.settings.server import ServerSettings
from agent.sinch.api import account
from agent.sinch.follow_ups import FINISH_WITHIN
from agent.store.engine import WITHIN

ROOT = Path(__file__).parent.parent
DEPLOY = ROOT / "deploy"

FILLED_IN = {
    "VOICE_AGENT_SINCH__APPLICATION_KEY": "key",
    "VOICE_AGENT_SINCH__APPLICATION_SECRET": "q3RZ0kVd8m1uYt5gHc7xWA==",
    "VOICE_AGENT_SINCH__CALLER_ID": "+12025550100",
    "VOICE_AGENT_OPERATOR__TOKEN": "3f0c9a6d1be84572a1f4c60d98e7b35c",
}
"""What stands in the example without a value, for everybody to fill in."""


def variables() -> dict[str, str]:
    """Return the example's variables, those in comments included."""
    lines = re.findall(r"^#? ?([A-Z_]+)=(.*)$", (DEPLOY / "env.example").read_text(), re.MULTILINE)
    return {name: value for name, value in lines if value or not name.startswith("VOICE_AGENT_")}


def test_every_variable_of_the_example_that_is_left_open_exists() -> None:
    """Those in comments without a value, too."""
    text = (DEPLOY / "env.example").read_text()
    for name in re.findall(r"^# VOICE_AGENT_([A-Z_]+)=", text, re.MULTILINE):
        *sections, field = name.lower().split("__")
        assert field in type(reduce(getattr, sections, Settings())).model_fields


def test_each_variable_of_the_example_is_a_setting(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """A name that no longer exists would stop the start."""
    monkeypatch.chdir(tmp_path)
    ours = {name: value for name, value in variables().items() if name.startswith("VOICE_AGENT_")}
    ours["VOICE_AGENT_SINCH__API"] = "v1"  # the other stands there in a comment
    ours |= FILLED_IN
    for name, value in ours.items():
        monkeypatch.setenv(name, value)
    settings = load(None)
    assert settings.llm.provider == "openai"
    assert settings.sinch.takes_callbacks
    assert account.client(settings.sinch) is not None
    assert settings.operator.token is not None
    refuse_placeholders(settings)
    for name in ours:
        section, _, field = name.removeprefix("VOICE_AGENT_").lower().partition("__")
        known = type(getattr(settings, section)).model_fields if field else Settings.model_fields
        assert (field or section) in known
    assert settings.database.is_postgresql


def test_no_line_of_the_example_is_a_secret() -> None:
    """Whoever copies it and edits half of it gets a service without an account, not an open one."""
    text = (DEPLOY / "env.example").read_text()
    lines = re.findall(r"^([A-Z_]+)=(.*)$", text, re.MULTILINE)
    assert not [name for name, _ in lines if re.search("KEY|SECRET|TOKEN|SERVICE_ID", name)]
    left_open = re.findall(r"^# ([A-Z_]+)=$", text, re.MULTILINE)
    assert FILLED_IN.keys() <= set(left_open)
    assert not any(sample.lower() in text.lower() for sample in PUBLISHED)


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


def service_unit() -> dict[str, list[str]]:
    """Return the service's lines, each name with all that is given to it."""
    section = (DEPLOY / "voice-agent.service").read_text().partition("[Service]")[2]
    found: dict[str, list[str]] = {}
    for name, value in re.findall(r"^(\w+)=(.*)$", section.partition("[Install]")[0], re.MULTILINE):
        found.setdefault(name, []).append(value)
    return found


def test_every_image_is_pinned_by_its_whole_version() -> None:
    """What is built next month is what was built today."""
    images = re.findall(r"^FROM (\S+)", (DEPLOY / "Dockerfile").read_text(), re.MULTILINE)
    compose = yaml.safe_load((DEPLOY / "compose.yaml").read_text())
    images += [one["image"] for one in compose["services"].values() if "image" in one]
    assert len(images) == 3
    assert images[0] == images[1]
    for image in images:
        assert re.fullmatch(r"[a-z]+:\d+\.\d+\.\d+(-[a-z-]+)?(@sha256:[0-9a-f]{64})?", image), image


def test_the_container_is_bounded_and_has_its_settings() -> None:
    """A file that is not there stops the start, rather than become a folder; it is in the tree."""
    compose = yaml.safe_load((DEPLOY / "compose.yaml").read_text())
    agent = compose["services"]["agent"]
    assert agent["read_only"]
    assert agent["cap_drop"] == ["ALL"]
    assert {"mem_limit", "pids_limit"} <= agent.keys()
    (mount,) = [one for one in agent["volumes"] if isinstance(one, dict)]
    assert mount["target"] == "/data/voice-agent.toml"
    assert mount["read_only"]
    assert mount["bind"] == {"create_host_path": False}
    assert (DEPLOY / mount["source"]).is_file()
    assert "chmod 700 /data" in (DEPLOY / "Dockerfile").read_text()


def test_the_settings_of_the_container_are_settings(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """As it stands it sets nothing; with its comments taken away it is taken."""
    monkeypatch.chdir(tmp_path)
    text = (DEPLOY / "voice-agent.toml").read_text()
    assert tomllib.loads(text) == {}
    settings = re.sub(r"^# (?=\[|\w+ = )", "", text, flags=re.MULTILINE)
    (tmp_path / "voice-agent.toml").write_text(settings)
    assert load().sinch.dialling.countries == ("US", "CA")


def test_the_unit_is_private_and_bounded() -> None:
    """Its files for itself alone, and no more memory than it may have."""
    unit = service_unit()
    assert unit["UMask"] == ["0077"]
    assert unit["StateDirectoryMode"] == ["0700"]
    assert re.fullmatch(r"\d+%", unit["MemoryMax"][0])
    wanted = ["NoNewPrivileges", "PrivateDevices", "ProtectHome", "PrivateUsers", "LockPersonality"]
    wanted += ["MemoryDenyWriteExecute", "RestrictNamespaces", "ProtectKernelTunables"]
    assert all(unit[name] == ["yes"] for name in wanted)
    assert unit["CapabilityBoundingSet"] == [""]
    assert set(unit["RestrictAddressFamilies"][0].split()) == {"AF_INET", "AF_INET6", "AF_UNIX"}


def test_systemd_finds_little_to_reproach(tmp_path: Path) -> None:
    """Under 3 of 10, where less is better; 1.4 by its version 252."""
    analyze = shutil.which("systemd-analyze")
    if analyze is None:
        pytest.skip("systemd-analyze is not installed")
    command = [analyze, "security", "--no-pager", "--offline=yes", "--threshold=30"]
    unit = str(DEPLOY / "voice-agent.service")
    done = subprocess.run([*command, unit], capture_output=True, text=True, check=False)
    if "unrecognized option" in done.stderr:
        pytest.skip("systemd-analyze cannot judge a file")
    assert done.returncode == 0, done.stdout[-2000:] + done.stderr


def test_all_wait_for_the_drain() -> None:
    """A stop that comes sooner cuts calls off."""
    drain = ServerSettings().drain + GOODBYE_WITHIN + DRAINED_WITHIN + FINISH_WITHIN + WITHIN
    compose = yaml.safe_load((DEPLOY / "compose.yaml").read_text())
    assert float(compose["services"]["agent"]["stop_grace_period"].rstrip("s")) > drain
    assert float(service_unit()["TimeoutStopSec"][-1]) > drain
    assert service_unit()["ExecStart"][-1].endswith("/.venv/bin/voice-agent serve --workers auto")


def test_a_process_that_hangs_is_started_again() -> None:
    """Whoever runs it restarts what has ended; systemd waits until it has said where it stood."""
    compose = yaml.safe_load((DEPLOY / "compose.yaml").read_text())
    assert compose["services"]["agent"]["restart"] == "unless-stopped"
    unit = (DEPLOY / "voice-agent.service").read_text()
    found = dict(re.findall(r"^(Type|Restart|WatchdogSec)=(.+)$", unit, re.MULTILINE))
    assert found["Type"] == "notify"
    assert found["Restart"] in {"on-failure", "always"}
    assert 0 < ServerSettings().held_limit < float(found["WatchdogSec"])


def test_the_proxy_passes_callbacks_streams_and_the_console_and_nothing_else() -> None:
    """It names the service and the paths that are there; the operator's interface stays inside.

    Nobody brings a header to the console that a proxy would name somebody by.
    """
    compose = yaml.safe_load((DEPLOY / "compose.yaml").read_text())
    caddy = (DEPLOY / "Caddyfile").read_text()
    path = Settings().server.path
    assert f"@stream path {path} {path}/*" in caddy
    assert f"handle {Settings().sinch.callback_path} {{" in caddy
    assert "@console path / /console /console/*" in caddy
    assert caddy.count("header_up -") == 3
    assert caddy.count(f"reverse_proxy agent:{Settings().server.port}") == 3
    assert len(re.findall("handle [@/]", caddy)) == 3
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
