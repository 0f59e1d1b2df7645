"""``voice-agent bench``: a service of its own, callers, providers, and the figures."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
import tomllib
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

import agent
from agent.bench.children import environment, provider_lines, service_settings
from agent.bench.processes import family, use_of
from agent.bench.providers import FIXED
from agent.cli import main
from agent.cli.bench import cores, levels
from agent.settings import load

HURRIED = """
import sys
from agent.bench import caller, children, level, line, metrics
caller.SAID, caller.THINKS, caller.PATIENCE = ("saturday",), (0.0, 0.1), 0.1
caller.INTERRUPTS_EVERY = 1000
children.AGENT = "---\\nlanguage: en\\ngreeting: Hello?\\n---\\nBe kind.\\n"
QUICK = "from agent.bench import providers; providers.SECONDS_A_WORD = 0.05"
ANY_LOAD = "from tests.agent.process import any_load"
children.START = f"{QUICK}\\n{ANY_LOAD}\\n{children.START}"
level.SETTLE = level.REST = 0.0
level.TRIED_FOR = line.CONNECTS_WITHIN = line.ANSWERS_WITHIN = line.TAKES_WITHIN = 60.0
metrics.WITHIN = 60.0
from agent.cli import main
sys.exit(main(["bench", *sys.argv[1:]]))
"""
"""The command: who calls and who answers say little, and do not think; no level rests. However busy
the machine is, all calls are taken, and have the time that they need."""

PARTS = 3
"""Processes: the command, its providers, its service."""


@contextmanager
def started(tmp_path: Path, *arguments: str) -> Iterator[subprocess.Popen[str]]:
    """Start the command; whatever becomes of the test, it is ended with the block."""
    with subprocess.Popen(
        [sys.executable, "-c", HURRIED, *arguments],
        cwd=tmp_path,
        env=os.environ | {"PYTHONPATH": str(Path(agent.__file__).parent.parent)},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    ) as command:
        try:
            yield command
        finally:
            command.kill()


def test_a_service_of_its_own_is_measured(tmp_path: Path) -> None:
    """Two calls are held, what they wait for is told, and nothing is left in the folder."""
    with started(tmp_path, "--calls", "2", "--seconds", "3", "--json") as command:
        said, errors = command.communicate(timeout=100)
    assert command.returncode == 0, errors
    found = json.loads(said)
    one, two = found["levels"]
    assert (one["calls"], two["calls"]) == (1, 2)
    assert (two["answered"], two["refused"], two["failed"]) == (2, 0, {})
    heard = [each["response"]["p50"] for each in (one, two) if each["response"]]
    # Silence that leaves late leaves at once, so it may take no time; providers always take theirs.
    assert found["fixed"] == pytest.approx(0.5 + FIXED + 0.020)
    assert all(seconds > FIXED for seconds in heard)
    assert two["generator_cpu_a_minute"] > 0
    if sys.platform == "linux":
        assert two["cpu_a_minute"] > 0
        assert two["memory_a_call"] is not None
        assert two["lag_p99"] is not None
    assert list(tmp_path.iterdir()) == []


@pytest.mark.skipif(sys.platform != "linux", reason="looks for the children in /proc")
@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGKILL])
def test_whoever_stops_it_stops_all_of_it(tmp_path: Path, number: signal.Signals) -> None:
    """SIGTERM, which is taken as Ctrl-C is, ends its children without a word; so does its death."""
    with started(tmp_path) as command:
        until = time.monotonic() + 60
        while len(found := family(command.pid)) < PARTS:
            assert time.monotonic() < until
            assert command.poll() is None
            time.sleep(0.05)
        command.send_signal(number)
        said, errors = command.communicate(timeout=60)
        assert command.returncode == (130 if number == signal.SIGTERM else -signal.SIGKILL)
        assert said + errors == ""
    while use_of(found[1:]) is not None:
        assert time.monotonic() < until + 60
        time.sleep(0.05)


def test_a_wrong_address_is_said_at_once(capsys: pytest.CaptureFixture[str]) -> None:
    """In one line, before anything is measured."""
    assert main(["bench", "--url", "ws://127.0.0.1:9/stream?token=geheim"]) == 1
    said = capsys.readouterr()
    assert said.out == ""
    assert said.err.startswith("voice-agent: cannot connect: ")
    assert said.err.count("\n") == 1
    assert "geheim" not in said.err


@pytest.mark.parametrize(
    "given",
    [["--calls", "0"], ["--calls", "ten"], ["--calls", "1,,2"], ["--core", "3-1"], ["--core", "x"]],
)
def test_what_makes_no_sense_is_refused(
    given: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    """By the parser, with what is allowed."""
    with pytest.raises(SystemExit) as ended:
        main(["bench", *given])
    assert ended.value.code == 2
    assert given[0] in capsys.readouterr().err


@pytest.mark.skipif(not hasattr(os, "sched_setaffinity"), reason="cores cannot be chosen")
def test_a_core_that_there_is_not_is_said(capsys: pytest.CaptureFixture[str]) -> None:
    """Before anything is started."""
    assert main(["bench", "--core", "4000"]) == 1
    assert "there is no core 4000" in capsys.readouterr().err


def test_levels_rise_and_cores_are_counted() -> None:
    """However they are written."""
    assert levels("20,1,10,10") == [1, 10, 20]
    assert cores("0,2-4") == [0, 2, 3, 4]


def test_the_settings_of_its_service_are_settings(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """They load; without a turn model a fixed silence ends a turn, and with one all is as usual."""
    monkeypatch.chdir(tmp_path)
    file = tmp_path / "voice-agent.toml"
    file.write_text(service_settings(tmp_path, "http://127.0.0.1:9/v1", 300, "none"))
    settings = load(file)
    assert (settings.turns.model, settings.turns.drafting) == ("none", False)
    assert settings.server.max_calls == 300
    file.write_text(service_settings(tmp_path, "http://127.0.0.1:9/v1", 3, "smart-turn"))
    settings = load(file)
    assert (settings.turns.model, settings.turns.drafting) == ("smart-turn", True)
    assert settings.server.max_calls == 100


def test_settings_for_other_servers_are_printed(tmp_path: Path) -> None:
    """Ours as TOML that can be taken as it is, up to what is for others."""
    text = "\n".join(provider_lines("http://127.0.0.1:9/v1"))
    ours, _, others = text.partition("# other servers")
    settings = tomllib.loads(ours.partition("# voice-agent.toml")[2])
    assert settings["tts"]["options"]["base_url"] == "http://127.0.0.1:9/v1"
    assert settings["turns"] == {"model": "none", "drafting": False}
    assert "OPENAI_BASE_URL=http://127.0.0.1:9/v1" in others


def test_children_are_given_no_settings_and_no_keys(monkeypatch: pytest.MonkeyPatch) -> None:
    """What is measured is what was asked for, and nobody is paid."""
    monkeypatch.setenv("VOICE_AGENT_LLM__PROVIDER", "anthropic")
    monkeypatch.setenv("OPENAI_API_KEY", "geheim")
    given = environment()
    assert not {"VOICE_AGENT_LLM__PROVIDER", "OPENAI_API_KEY"} & given.keys()
    assert "geheim" not in given.values()
    assert given["PATH"] == os.environ["PATH"]
