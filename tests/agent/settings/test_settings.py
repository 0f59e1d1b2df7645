"""The settings tree: sources, and one clear line for each mistake."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from agent.settings import Settings, SettingsError, load
from agent.settings.errors import RENAMED
from agent.settings.tables import table
from pipelines.conversation import Tokens
from pipelines.stages.usage import Usage


def test_the_command_line_beats_the_environment_beats_the_file(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Each source overrides single settings of the next."""
    (tmp_path / "voice-agent.toml").write_text(
        '[server]\nport = 1\nhost = "0.0.0.0"\nmax_calls = 3\n'
    )
    (tmp_path / ".env").write_text("VOICE_AGENT_SERVER__PORT=2\nVOICE_AGENT_PLAYOUT__LEAD=2\n")
    monkeypatch.setenv("VOICE_AGENT_SERVER__PORT", "3")
    server = load(None, {"server": {"host": "::1"}}).server
    assert (server.host, server.port, server.max_calls) == ("::1", 3, 3)
    assert load().playout.lead == 2


@pytest.mark.parametrize(
    ("toml", "message"),
    [
        (
            "[server]\nport = 77777",
            "line 2: server.port = 77777: must be a whole number from 0 to 65535",
        ),
        ('[server]\nport = "x"', "line 2: server.port = 'x': must be a whole number"),
        ("[server]\nprot = 1", "server.prot: no such setting; did you mean server.port?"),
        ("[severs]\nport = 1", "severs: no such setting; did you mean server?"),
        ("[server]\nrate = 11025", "server.rate = 11025: one of 8000, 16000, 24000"),
        ('[log]\nlevel = "loud"', "line 2: log.level = 'loud': must be one of debug, info"),
        ('time_zone = "CET"', "time_zone = 'CET': no time zone by its area and city; did you mean"),
        ("[server\n", "not TOML"),
        ('[stt.options]\nmodle = "base"', "stt.options.modle: no such setting; did you mean"),
        ('[stt]\nprovider = "ears"', "stt.provider = 'ears': known are assemblyai, "),
        (
            '[[llm.fallback]]\nprovider = "nobody"',
            "llm.fallback.0.provider = 'nobody': known are anthropic, gemini",
        ),
        (
            '[[llm.fallback]]\nprovider = "openai"\noptions = { modle = "m" }',
            "llm.fallback.0.options.modle: no such setting; did you mean",
        ),
        ("[[llm.fallback]]\noptions = {}", "llm.fallback.0.provider: must be given"),
        ("[pricing.providers.openai]\nminute = -1", "minute = -1"),
        ('[mcp.crm]\nargs = ["x"]', "set either url or command"),
        ('[mcp.crm]\nurl = "ftp://x"', "must be an http:// or https:// URL"),
        ('[tts]\nprovider = "no.such:Thing"', "tts.provider = 'no.such:Thing': the package"),
        ('[llm]\nprovider = "openai"\n[llm.options]\napi_key = 7', "api_key = (hidden): "),
        ('[vad]\njudge = "me"', "vad"),
        ('[turns]\nmodel = "smart"', "turns.model = 'smart': no such turn model; allowed are"),
        ('[turns]\nmodel = "x.onnx"', "turns.model = 'x.onnx': there is no such file"),
        ('agent = "nobody"', "agent = 'nobody'"),
    ],
)
def test_a_mistake_is_one_line_that_names_it(tmp_path: Path, toml: str, message: str) -> None:
    """It names the setting, what was given and what is allowed."""
    from agent.server.start import check  # noqa: PLC0415 - heavy

    file = tmp_path / "settings.toml"
    file.write_text(toml + "\n")
    with pytest.raises(SettingsError) as caught:
        check(load(file))
    assert message in str(caught.value)
    assert len(str(caught.value).splitlines()) == 1


def test_a_misspelt_variable_stops_the_start(monkeypatch: pytest.MonkeyPatch) -> None:
    """A variable with our prefix that means nothing is a mistake, not a coincidence."""
    monkeypatch.setenv("VOICE_AGENT_SEVER__PORT", "1")
    with pytest.raises(SettingsError, match="VOICE_AGENT_SEVER__PORT: no such setting"):
        load()


OLD, NOW = "turns.pause_after", "vad.pause_after"


def from_file(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (path / "voice-agent.toml").write_text("[turns]\npause_after = 0.2\n")
    load()


def from_the_environment(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("VOICE_AGENT_TURNS__PAUSE_AFTER", "0.2")
    load()


def from_the_command_line(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    load(None, {"turns": {"pause_after": 0.2}})


@pytest.mark.parametrize(
    ("given", "where"),
    [
        (from_file, "voice-agent.toml, line 2"),
        (from_the_environment, "VOICE_AGENT_TURNS__PAUSE_AFTER"),
        (from_the_command_line, "command line"),
    ],
)
def test_an_old_name_says_the_new_one(
    given: Callable[[Path, pytest.MonkeyPatch], None],
    where: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """In one line, wherever it stands."""
    with pytest.raises(SettingsError) as caught:
        given(tmp_path, monkeypatch)
    assert str(caught.value).startswith(f"{where}: {OLD}: is called {NOW} now")
    assert "\n" not in str(caught.value)


def test_an_old_name_leads_to_a_setting() -> None:
    """Each new name is there, and no old one is."""
    names = {name for name, _, _ in table()}
    assert {OLD: NOW}.items() <= RENAMED.items()
    for old, now in RENAMED.items():
        assert any(name == now or name.startswith(f"{now}.") for name in names), now
        assert not any(name == old or name.startswith(f"{old}.") for name in names), old


def test_every_mistake_is_reported_at_once(tmp_path: Path) -> None:
    """One line each."""
    file = tmp_path / "settings.toml"
    file.write_text("[server]\nport = -1\nmax_calls = 0\n")
    with pytest.raises(SettingsError) as caught:
        load(file)
    assert len(str(caught.value).splitlines()) == 2


@pytest.mark.parametrize(
    "toml",
    [
        'application_key = "k"\napplication_secret = "c2VjcmV0"\nregion = "us1"',
        'application_secret = "c2VjcmV0"',
        'application_secret = "c2VjcmV0!"',
        'application_key = "k"\napplication_secret = "c2VjcmV0"\nsurprise = 1',
    ],
)
def test_a_mistake_beside_a_secret_does_not_show_it(tmp_path: Path, toml: str) -> None:
    """Whether it is in the secret, or between it and another setting."""
    file = tmp_path / "settings.toml"
    file.write_text(f"[sinch]\n{toml}\n")
    with pytest.raises(SettingsError, match="sinch") as caught:
        load(file)
    assert "c2VjcmV0" not in str(caught.value)


def test_secrets_are_masked_in_what_check_prints(tmp_path: Path) -> None:
    """The effective settings can be pasted into an issue."""
    file = tmp_path / "settings.toml"
    file.write_text('[llm]\nprovider = "openai"\n[llm.options]\napi_key = "sk-secret"\n')
    printed = load(file).effective()
    assert "sk-secret" not in printed
    assert "llm.options.api_key = " in printed
    assert "server.port = 8080" in printed


def test_providers_are_asked_in_the_order_of_the_file(tmp_path: Path) -> None:
    """One that is there twice has a number behind its name, by which it can be told apart."""
    file = tmp_path / "settings.toml"
    file.write_text(
        """
        [llm]
        provider = "openai"
        [[llm.fallback]]
        provider = "openai"
        options = { base_url = "http://127.0.0.1:11434/v1", api_key = "sk-secret" }
        [[llm.fallback]]
        provider = "lookup"
        """
    )
    settings = load(file)
    assert [one.name for one in settings.providers()["llm"]] == ["openai", "openai#2", "lookup"]
    printed = settings.effective()
    assert "llm.fallback.0.options.base_url = 'http://127.0.0.1:11434/v1'" in printed
    assert "llm.fallback.1.provider = 'lookup'" in printed
    assert "sk-secret" not in printed


def test_a_price_is_money_a_unit(tmp_path: Path) -> None:
    """Minutes, million tokens, million characters; cached tokens have a price of their own."""
    file = tmp_path / "settings.toml"
    file.write_text(
        """
        [pricing]
        currency = "EUR"
        [pricing.providers.x]
        minute = 0.6
        input = 2
        cached = 1
        output = 10
        characters = 50
        """
    )
    pricing = load(file).pricing
    usage = Usage()
    usage.of("stt", "x").seconds = 90.0
    usage.of("llm", "x").count(Tokens(input=1000, output=100, cached=400))
    usage.of("tts", "x").characters = 2000
    usage.of("tts", "free").characters = 2000
    lines = list(usage.lines(pricing))
    assert [line.get("cost") for line in lines] == [
        pytest.approx(0.9),
        pytest.approx(600 * 2e-6 + 400 * 1e-6 + 100 * 10e-6),
        pytest.approx(0.1),
        None,
    ]
    assert lines[0]["currency"] == "EUR"


def test_every_setting_has_a_description() -> None:
    """The table in docs/settings.md is made of them."""
    for name, _, description in table():
        assert description, name


def test_the_tree_cannot_be_changed() -> None:
    """It is read once and handed down."""
    with pytest.raises(ValueError, match="frozen"):
        Settings().server.port = 1  # type: ignore[misc]


@pytest.mark.parametrize(
    "text",
    [
        '[mcp.crm]\nurl = "https://user:sekret@host/"',
        '[mcp.crm]\nurl = "https://host/"\nheaders = "Authorization: Bearer sekret"',
        '[mcp.crm]\ncommand = "crm"\nenv = { PASS = ["sekret"] }',
        '[llm]\nprovider = "openai"\noptions = "sk-sekret"',
        'operator = "sekret-token"',
        '[operator]\ntoken = ["sekret"]',
    ],
)
def test_what_may_be_a_secret_is_not_quoted(text: str, tmp_path: Path) -> None:
    """Wherever it was put by mistake: headers, environment, options, addresses, whole sections."""
    (tmp_path / "voice-agent.toml").write_text(text)
    with pytest.raises(SettingsError) as caught:
        load().providers()
    assert "sekret" not in str(caught.value)
