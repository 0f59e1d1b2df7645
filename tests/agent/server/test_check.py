"""What ``voice-agent check`` and the start of the service find in settings and agent files."""

from __future__ import annotations

import json
import re
import socket
import sqlite3
from pathlib import Path
from typing import Any

import pytest

from agent.cli import main
from agent.server import checks, start
from agent.server.checks import surroundings
from agent.server.checks.finding import Finding, findings_of
from agent.settings import Settings, SettingsError
from agent.settings.server import ServerSettings
from agent.store.schema import HEAD
from tests.agent.sinch.credentials import V1, V2

pytestmark = pytest.mark.usefixtures("tmp_path")  # they write files where they are

AGENT = """---
greeting: Hello.
transfers:
  - {name: desk, to: "+12025550123"}
  - {name: london, to: "+442079460000"}
---
Be brief.
"""

ACCOUNT = {"application_key": V1.key_id, "application_secret": V1.secret}
PUBLIC = ACCOUNT | {"public_url": "https://agent.linden-street.com", "caller_id": "+12025550100"}
NO_MODELS = {stage: {"provider": "scripted"} for stage in ("stt", "llm", "tts")}
EVERY = "0.0.0.0"  # noqa: S104 - it is bound for a moment, and nobody is let in
KEYS = ("DEEPGRAM_API_KEY", "OPENAI_API_KEY", "ANTHROPIC_API_KEY", "GROQ_API_KEY")


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder with an agent, without a key in the environment."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "prompts").mkdir()
    write("reception", "greeting: Hello.")
    for name in KEYS:
        monkeypatch.delenv(name, raising=False)
    return tmp_path


def write(name: str, front: str, prompt: str = "Be brief.") -> None:
    told = "" if "disclosure" in front else "\ndisclosure: This is a chatbot."
    Path("prompts", f"{name}.md").write_text(f"---\n{front}{told}\n---\n{prompt}\n")


def settings(**given: Any) -> Settings:
    return Settings(**{"server": {"port": 0}, **NO_MODELS, **given})


def lines(found: list[Finding]) -> list[str]:
    return [f"{one.severity} {one.line}" for one in found]


def found(**given: Any) -> list[str]:
    """Return all that is found with these settings, a line each."""
    return lines(checks.everything(settings(**given)))


def test_who_cannot_write_is_found(monkeypatch: pytest.MonkeyPatch) -> None:
    """What a file wants of a call afterwards, where the line-up only looks answers up."""
    write("reception", "summary: true\nextract:\n  name: the caller's name")
    assert found() == []
    told = found(llm={"provider": "lookup"})
    assert [line.partition(": nobody writes it")[0].rpartition(" ")[2] for line in told] == [
        "summary",
        "extract",
    ]
    assert all(line.startswith("warning prompts/reception.md: ") for line in told)
    monkeypatch.setenv("OPENAI_API_KEY", "sk-0123456789abcdefghij")
    assert found(llm={"provider": "lookup", "fallback": [{"provider": "openai"}]}) == []


def test_whom_no_caller_could_be_passed_on_to_is_found(tmp_path: Path) -> None:
    """By name, without the number; where nobody is dialled it does not matter."""
    (tmp_path / "reception.md").write_text(AGENT)
    account = {"application_key": V1.key_id, "application_secret": V1.secret}
    sinch = account | {"public_url": "https://agent.example.com", "caller_id": "+12025550100"}
    start.check(Settings(prompts=tmp_path))
    with pytest.raises(SettingsError, match="transfers: london: in GB") as caught:
        start.check(Settings(prompts=tmp_path, sinch=sinch))
    assert "7946" not in str(caught.value)
    sinch["dialling"] = {"countries": ("US", "GB")}  # type: ignore[assignment]
    start.check(Settings(prompts=tmp_path, sinch=sinch))
    (tmp_path / "reception.md").write_text(AGENT.replace("transfers", "parties"))
    del sinch["dialling"]
    with pytest.raises(SettingsError, match="parties: london: in GB"):
        start.check(Settings(prompts=tmp_path, sinch=sinch))


def test_nothing_is_said_of_what_is_well(folder: Path) -> None:
    """And nothing is left behind."""
    assert found() == []
    assert found(sinch=PUBLIC) == []
    assert [path.name for path in folder.iterdir()] == ["prompts"]


# Agent files


FRONTS = [
    ("greting: Hi.", "greting: unknown field"),
    ("greeting: [Hi", "not YAML"),
    ("greeting: Hi {{ you }}.", "greeting: unknown variable 'you'"),
    ("greeting: Hi {{ caller", "greeting: not a template"),
    ("goodbye: '{{ \"Bye.\" if caller }}'", "goodbye: gives an empty text when the caller is not"),
    ("goodbye: '{{ \"Bye.\" if not caller }}'", "gives an empty text when the caller is known"),
    ("goodbye: '{{ \"Bye.\" if not outgoing }}'", "gives an empty text when we have dialled"),
    ("apology: '{{ 1 / (0 if outgoing else 1) }}'", "apology: the template fails: division"),
    ("facts: ['{{ headers.name | int // 0 }}']", "facts.1: the template fails"),
    ("greeting: Hi.\nnumbers: ['2025550123']", "numbers.1: not a telephone number, with +"),
    ("greeting: Hi.\ntransfers: [{name: a, to: desk}]", "transfers.1.to: not a telephone number"),
    ("greeting: Hi.\ntools: [{python: 'nowhere:at_all'}]", "tools.1.python"),
    ("greeting: Hi.\ntools: [{mcp: crm}]", "tools: no mcp.crm in settings"),
    (
        "greeting: Hi.\ntools: [{url: 'https://a.b/c', name: n, description: d, "
        "secret_variable: NO_SUCH_SECRET}]",
        "NO_SUCH_SECRET: set it in the environment",
    ),
    ("greeting: Hallo.\nlanguage: de", "'goodbye' is needed, since language is 'de'"),
]


@pytest.mark.parametrize(("front", "why"), FRONTS, ids=[why[:40] for _, why in FRONTS])
def test_a_mistake_in_any_agent_file_is_found(front: str, why: str) -> None:
    """Not in the usual one alone, with the file before it; the usual one still starts."""
    write("other", front)
    line, *others = found()
    assert re.match(r"error prompts/other\.md(, line \d+)?: ", line)
    assert why in line
    assert all("is needed, since language" in other for other in others)
    start.check(settings())
    with pytest.raises(SettingsError, match=r"^prompts/other\.md(, line \d+)?: "):
        start.check(settings(agent="other"))


def test_a_sentence_for_screeners_that_is_never_said_is_found() -> None:
    """In a language in which no call screener is known by its words; and a template that fails."""
    own = ["goodbye", "apology", "still_there", "time_up", "returned"]
    texts = "".join(f"\n{one}: Sim." for one in own)
    write("other", f"language: pt\nscreener: Sou eu.\nfillers: [Sim.]\nunsure: [Sim.]{texts}")
    write("english", "screener: It is me.")
    [line] = found()
    assert line.startswith("warning prompts/other.md: screener: no call screener is known")
    write("other", "screener: '{{ nobody }}'")
    [line] = found()
    assert line.startswith("error prompts/other.md")
    assert "screener: " in line


def test_all_files_are_told_at_once() -> None:
    """Each on a line; one that says what the folder is for is none."""
    for name in ("a", "b", "c"):
        write(name, f"nonsense_{name}: 1")
    Path("prompts", "README.md").write_text("What stands here.")
    Path("prompts", "two words.md").write_text("---\n---\n")
    assert [line.split(":")[0] for line in found()] == [
        "error prompts/a.md, line 2",
        "error prompts/b.md, line 2",
        "error prompts/c.md, line 2",
        "warning prompts/two words.md",
    ]


def test_an_agent_that_is_not_there_is_told_with_the_nearest() -> None:
    """As the usual one, and in a route."""
    (line,) = found(agent="recepton")
    assert line == (
        "error agent = 'recepton': no such agent file; there are reception; "
        "did you mean 'reception'?"
    )
    with pytest.raises(SettingsError, match=r"^agent = 'recepton'"):
        start.check(settings(agent="recepton"))
    (line,) = found(sinch=PUBLIC | {"routes": [{"agent": "reception.md"}]})
    assert line.startswith("error sinch.routes.0.agent = 'reception.md': no such agent file")
    assert "did you mean 'reception'?" in line
    (line,) = found(agent="Reception")
    assert "did you mean 'reception'?" in line


def test_what_is_found_in_settings_is_told_with_its_line(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """As a mistake in them is; and an agent that is not there is told beside those."""
    monkeypatch.setenv("VOICE_AGENT_SERVER__HOST", "no.such.invalid")
    text = "agent = 'recepton'\n[sinch]\n\n[stt]\nprovider = 'scripted'\n"
    Path("voice-agent.toml").write_text(text)
    err = check(capsys)[2]
    assert "voice-agent: voice-agent.toml, line 1: agent = 'recepton': no such agent file" in err
    assert "voice-agent: VOICE_AGENT_SERVER__HOST: server.host = 'no.such.invalid': no such" in err
    monkeypatch.setenv("VOICE_AGENT_SERVER__PORT", "x")
    err = check(capsys)[2]
    assert "voice-agent: voice-agent.toml, line 1: agent = 'recepton': no such agent file" in err


# Routes and numbers


NEVER = [
    ("2025550123", "with + and the country"),
    ("0012025550123", "with + and the country"),
    ("(202) 555-0123", "with + and the country"),
    ("+44 (0)20 7946 0000", "write +442079460000"),
    ("+1", "not a telephone number"),
    ("+0123456789", "number"),
    ("202*", "write + and the country"),
    ("+0*", "write + and the country"),
    ("tel:+12025550123", "leave out tel:"),
]
WELL = ["", "*", "+12025550123", "+1 (202) 555-0123", "+1202*", "+15550100", "sip:*", "alice"]


@pytest.mark.parametrize(("pattern", "why"), NEVER)
@pytest.mark.parametrize("field", ["called", "caller"])
def test_a_route_that_no_call_can_take_is_found(field: str, pattern: str, why: str) -> None:
    """By the form in which it names a number."""
    (line,) = found(sinch=PUBLIC | {"routes": [{"agent": "reception", field: pattern}]})
    assert line.startswith(f"error sinch.routes.0.{field}: ")
    assert why in line


@pytest.mark.parametrize("pattern", WELL)
def test_a_route_may_name_what_calls_have(pattern: str) -> None:
    """Numbers in any writing that is read, beginnings, SIP addresses and names."""
    assert not found(sinch=PUBLIC | {"routes": [{"agent": "reception", "called": pattern}]})


COVERED: list[tuple[dict[str, Any], dict[str, Any], bool]] = [
    # a route, one behind it, and whether that one is never reached
    ({}, {"called": "+12025550123"}, True),
    ({"called": "+12025550123"}, {"called": "+1 (202) 555-0123"}, True),
    ({"called": "+1.202.555.0123"}, {"called": "+1-202-555-0123"}, True),
    ({"called": "+1*"}, {"called": "+1202*"}, True),
    ({"called": "+1202*"}, {"called": "+1*"}, False),
    ({"called": "+1*"}, {"called": "+442079460000"}, False),
    ({"called": "+12025550123"}, {"called": "+1202555012*"}, False),
    ({"called": "+12025550123"}, {}, False),
    ({"called": "+1*"}, {"called": "+12025550123", "caller": "+44*"}, True),
    ({"called": "+1*", "caller": "+44*"}, {"called": "+12025550123"}, False),
    ({"called": "SIP:Desk@pbx.com"}, {"called": "sip:desk@pbx.com"}, True),
    ({"headers": {"Shop": "a"}}, {"headers": {"shop": "a", "x": "b"}}, True),
    ({"headers": {"shop": "a"}}, {"headers": {"shop": "b"}}, False),
    ({"headers": {"shop": ""}}, {"headers": {"shop": "b"}}, True),
    ({"headers": {"shop": "a"}}, {"called": "+12025550123"}, False),
    ({"called": "*"}, {"called": "+12025550123"}, True),
]


@pytest.mark.parametrize(("first", "second", "covered"), COVERED, ids=str)
def test_a_route_behind_one_that_takes_its_calls_is_found(
    first: dict[str, Any], second: dict[str, Any], covered: bool
) -> None:
    """A mistake if they lead to two agents, a warning if to one."""
    write("other", "greeting: Hi.")
    for agent, severity in (("other", "error"), ("reception", "warning")):
        routes = [{"agent": "reception", **first}, {"agent": agent, **second}]
        said = found(sinch=PUBLIC | {"routes": routes})
        assert [line.partition(":")[0] for line in said] == (
            [f"{severity} sinch.routes.1"] if covered else []
        )


def test_a_number_that_two_agents_claim_is_found() -> None:
    """In whatever writing; a number is told by its end."""
    write("a", "greeting: Hi.\nnumbers: ['+1 (202) 555-0123', '+442079460000']")
    write("b", "greeting: Hi.\nnumbers: ['+12025550199', '+1-202-555-0123']")
    write("c", "greeting: Hi.\nnumbers: ['+44 (0)20 7946 0000', '+44 20 7946 0000']")
    assert found() == [
        "error prompts/b.md: numbers.2: …123 is also in a.md, which answers its calls; "
        "leave one out",
        "error prompts/c.md: numbers.1: …000 is also in a.md, which answers its calls; "
        "leave one out",
        "error prompts/c.md: numbers.2: …000 is also in a.md, which answers its calls; "
        "leave one out",
    ]


def test_a_number_that_stands_twice_or_is_routed_elsewhere_is_found() -> None:
    """The first is no harm."""
    write("a", "greeting: Hi.\nnumbers: ['+12025550123', '+1 202 555 0123']")
    (line,) = found()
    assert line == "warning prompts/a.md: numbers.2: …123 stands there twice"
    write("a", "greeting: Hi.\nnumbers: ['+12025550123']")
    routes = [{"agent": "a", "called": "+44*"}, {"agent": "reception", "called": "+1*"}]
    (line,) = found(sinch=PUBLIC | {"routes": routes})
    assert "numbers.1: …123 is taken before by sinch.routes.1, for 'reception'" in line


def test_a_service_that_refuses_everybody_is_doubted() -> None:
    """Until a file has a number, or there is a route."""
    refusing = PUBLIC | {"refuse_unrouted": True}
    (line,) = found(sinch=refusing)
    assert line.startswith("warning sinch.refuse_unrouted: every call is refused")
    write("a", "greeting: Hi.\nnumbers: ['+12025550123']")
    assert not found(sinch=refusing)


# The line-up


GERMAN = "\n".join(
    f"{name}: Ja."
    for name in ("greeting", "goodbye", "apology", "still_there", "returned", "time_up")
)
GERMAN += "\nfillers: [Ja.]\nunsure: [Ja.]\nlanguage: de-AT"
KEY = "9f2c1e7ab04d5863f19f2c1e7ab04d58"


@pytest.mark.parametrize(
    ("stage", "provider", "options", "heard"),
    [
        ("stt", "moonshine", {}, "en"),
        ("stt", "deepgram", {}, "en"),
        ("stt", "deepgram", {"language": "de"}, ""),
        ("stt", "deepgram", {"language": "de-CH"}, ""),
        ("stt", "deepgram", {"language": "multi"}, ""),
        ("stt", "deepgram-flux", {}, "en"),
        ("stt", "deepgram-flux", {"model": "flux-general-multi"}, ""),
        ("stt", "deepgram-flux", {"model": "flux-general-multi", "languages": ["es"]}, "es"),
        ("stt", "assemblyai", {}, "en"),
        ("stt", "assemblyai", {"languages": []}, ""),
        ("stt", "assemblyai", {"languages": ["en", "de"]}, ""),
        ("stt", "assemblyai", {"model": "universal-streaming-english"}, "en"),
        ("stt", "cartesia", {"language": "de"}, "en"),
        ("stt", "cartesia", {"language": "de", "model": "ink-whisper"}, ""),
        ("stt", "cartesia-turns", {}, "en"),
        ("stt", "elevenlabs", {}, "en"),
        ("stt", "elevenlabs", {"language": None}, ""),
        ("stt", "openai", {}, ""),
        ("stt", "openai", {"language": "fr"}, "fr"),
        ("stt", "openai-realtime", {}, "en"),
        ("llm", "lookup", {}, ""),
        ("llm", "anthropic", {}, ""),
        ("tts", "piper", {}, "en"),
        ("tts", "azure", {}, ""),
        ("tts", "azure", {"voice": "en-GB-SoniaNeural"}, "en"),
        ("tts", "azure", {"voice": "de-DE-KatjaNeural"}, ""),
        ("tts", "google", {}, "en"),
        ("tts", "google", {"voice": "de-DE-Chirp3-HD-Kore"}, ""),
        ("tts", "cartesia", {}, "en"),
        ("tts", "cartesia", {"language": "de"}, ""),
        ("tts", "deepgram", {}, "en"),
        ("tts", "deepgram", {"model": "aura-2-viktoria-de"}, ""),
        ("tts", "elevenlabs", {}, ""),
        ("tts", "elevenlabs", {"language": "en"}, "en"),
        ("tts", "openai", {}, ""),
    ],
    ids=str,
)
def test_a_language_that_the_line_up_does_not_have_is_found(
    stage: str, provider: str, options: dict[str, Any], heard: str
) -> None:
    """By what each provider is told to hear or speaks; a warning where it may never matter."""
    write("german", GERMAN)
    local = provider in ("moonshine", "lookup", "piper")
    options = options | ({} if local else {"api_key": KEY})
    chosen = {"provider": provider, "options": options}

    def said(agent: str, given: dict[str, Any]) -> list[str]:
        return [line for line in found(agent=agent, **{stage: given}) if "german.md" in line]

    does = {"stt": "hears", "llm": "answers in", "tts": "speaks"}[stage]
    line = "prompts/german.md: language: the agent speaks 'de-AT', but "
    line += f"{stage} ({provider!r}) {does} {heard} only; choose another provider, or its options"
    assert said("german", chosen) == ([f"error {line}"] if heard else [])
    assert said("reception", chosen) == ([f"warning {line}"] if heard else [])
    later = [
        one.split()[0] for one in said("german", {"provider": "scripted", "fallback": [chosen]})
    ]
    assert later == (["warning"] if heard else [])


@pytest.mark.parametrize(
    ("value", "why"),
    [
        (None, "set DEEPGRAM_API_KEY in the environment"),
        ("", "set DEEPGRAM_API_KEY in the environment"),
        ("your-api-key", "a placeholder, not a key"),
        ("YOUR_DEEPGRAM_API_KEY", "a placeholder, not a key"),
        ("sk-...", "a placeholder, not a key"),
        ("<key>", "a placeholder, not a key"),
        ("${DEEPGRAM_KEY}", "a placeholder, not a key"),
        ("xxxxxxxxxxxxxxxxxxxx", "a placeholder, not a key"),
        ("changeme", "a placeholder, not a key"),
        ("insert key here", "a character in it that no key has (U+0020 SPACE)"),
        (f"{KEY} {KEY}", "a character in it that no key has (U+0020 SPACE)"),
        (KEY, ""),
    ],
)
def test_a_key_that_is_none_is_found(
    value: str | None, why: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """By its variable, which is named, with the stage that wants it; it is not quoted."""
    if value is not None:
        monkeypatch.setenv("DEEPGRAM_API_KEY", value)
    said = found(stt={"provider": "deepgram"})
    if not why:
        assert said == []
        return
    (line,) = said
    assert line.startswith("error DEEPGRAM_API_KEY: ")
    assert why in line
    assert "'deepgram'" in line
    assert "stt" in line


def test_keys_of_all_stages_are_told_at_once_and_of_none_that_is_not_used(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Whoever takes over has one as well; a server of one's own takes any word, or none."""
    deepgram, openai = {"provider": "deepgram"}, {"provider": "openai"}
    groq = openai | {"options": {"base_url": "https://api.groq.com/openai/v1"}}
    here = openai | {"options": {"base_url": "http://127.0.0.1:11434/v1"}}
    said = found(stt=deepgram | {"fallback": [groq]}, llm={"provider": "anthropic"}, tts=openai)
    assert [line.split()[1] for line in said] == [
        "DEEPGRAM_API_KEY:", "GROQ_API_KEY:", "ANTHROPIC_API_KEY:", "OPENAI_API_KEY:",
    ]  # fmt: skip
    assert found(llm=here) == []
    here["options"] |= {"key_variable": "OLLAMA_KEY"}  # type: ignore[operator]
    assert "OLLAMA_KEY" in found(llm=here)[0]
    monkeypatch.setenv("OLLAMA_KEY", "dummy")
    assert found(llm=here) == []
    monkeypatch.setenv("DEEPGRAM_API_KEY_FILE", "/nowhere/at/all")
    (line,) = found(stt=deepgram)
    assert "cannot be read: No such file" in line
    there = deepgram | {"fallback": [deepgram | {"options": {"api_key": "a\u200bb"}}]}
    (_, line) = found(stt=there)
    assert line.startswith("error stt.fallback.0.options.api_key: there is a character in it")


def test_a_mistake_in_one_stage_hides_nothing_of_another() -> None:
    """Providers that there are not, and options that are wrong."""
    said = found(
        stt={"provider": "deepgrm"},
        llm={"provider": "anthropic"},
        tts={"provider": "deepgram", "options": {"modle": "x"}},
    )
    assert len(said) == 3
    for word in ("deepgrm", "tts.options.modle", "ANTHROPIC_API_KEY"):
        assert word in "\n".join(said)


# Sinch


URLS = [
    ("https://agent.linden-street.com", ""),
    ("https://agent.linden-street.com/voice/", ""),
    ("https://agent.linden-street.com:8443", ""),
    ("https://203.0.112.9", ""),
    ("http://agent.linden-street.com", "https:// is wanted"),
    ("https://localhost", "a name of this machine"),
    ("https://localhost:8080", "a name of this machine"),
    ("https://127.0.0.1", "an address of this machine"),
    ("https://[::1]:8080", "an address of this machine"),
    ("https://192.168.1.7", "an address of this machine or network"),
    ("https://10.0.0.1", "an address of this machine or network"),
    ("https://0.0.0.0", "an address of this machine or network"),
    ("https://agent", "a name of this machine or network"),
    ("https://pbx.local", "a name of this machine or network"),
    ("https://agent.internal", "a name of this machine or network"),
    ("https://agent.example.com", "a sample of documentation"),
    ("https://agent.linden-street.com/sinch", "leave out /sinch"),
    ("https://u:p@agent.linden-street.com", "leave out user and password"),
    ("https://agent linden-street.com", "no address"),
    ("https://", "no address"),
    ("https://agent.linden-street.com:port", "no address"),
    ("https://agent.linden-street.com:99999", "no address"),
    ("https://[::1", "no address"),
]


@pytest.mark.parametrize(("url", "why"), URLS)
def test_an_address_that_sinch_cannot_use_is_found(url: str, why: str) -> None:
    """With what is wrong; a user and password in it are not quoted."""
    try:
        said = found(sinch=PUBLIC | {"public_url": url})
    except ValueError:
        return  # the settings say so themselves
    if why:
        assert why in said[0]
        assert said[0].startswith("error sinch.public_url: ")
        assert "u:p" not in said[0]
    else:
        assert said == []


def test_against_the_stand_in_any_address_will_do() -> None:
    """It is on this machine."""
    tried = {"public_url": "http://127.0.0.1:8080", "api_url": "http://127.0.0.1:9090"}
    assert found(sinch=PUBLIC | tried) == []


@pytest.mark.parametrize(
    ("given", "place", "why"),
    [
        (
            {"sinch": {"public_url": "https://linden.com"}},
            "sinch.public_url",
            "credential",
        ),
        ({"sinch": ACCOUNT}, "sinch.public_url", "not set"),
        ({"sinch": {"routes": [{"agent": "reception"}]}}, "sinch.routes", "not used"),
        ({"operator": {"token": KEY}}, "operator.token", "credentials"),
        ({"server": {"port": 0, "host": EVERY}}, "server.token", "other machines are refused"),
        (
            {"sinch": PUBLIC | {"caller_id": ""}, "operator": {"token": KEY}},
            "sinch.caller_id",
            "that our calls show",
        ),
    ],
)
def test_what_is_set_for_nothing_is_doubted(given: dict[str, Any], place: str, why: str) -> None:
    """With what is missing."""
    (line,) = found(**given)
    assert line.startswith(f"warning {place}: ")
    assert why in line


@pytest.mark.parametrize(
    ("given", "place", "why"),
    [
        ({"api": "v2"}, "sinch.api", "set project_id, service_id, access_key, access_secret"),
        ({"conference": True}, "sinch.region", "a conference of version 1 wants one"),
    ],
)
def test_credentials_that_do_not_fit_the_version_are_found(
    given: dict[str, Any], place: str, why: str
) -> None:
    """We could ask Sinch for nothing."""
    (line,) = found(sinch=PUBLIC | given)
    assert line.startswith(f"error {place}")
    assert why in line


def test_credentials_of_the_other_version_are_found() -> None:
    """With what to set."""
    second = {
        "public_url": PUBLIC["public_url"],
        "project_id": "p-1",
        "service_id": V2.key_id,
        "service_secret": V2.secret,
        "access_key": "a-1",
        "access_secret": KEY,
    }
    (line,) = found(sinch=second)
    assert line == (
        "error sinch.api = 'v1': there are credentials of version 2 only; set api = \"v2\""
    )
    assert found(sinch=second | {"api": "v2"}) == []


def test_paths_that_are_taken_are_found() -> None:
    """The service would not start, or answer something else there."""
    for server, sinch, place in (
        ({"path": "/health"}, {}, "server.path"),
        ({"path": "/metrics/"}, {}, "server.path"),
        ({}, {"callback_path": "/stream"}, "sinch.callback_path"),
        ({}, {"callback_path": "/calls"}, "sinch.callback_path"),
    ):
        (line,) = found(server={"port": 0, **server}, sinch=PUBLIC | sinch)
        assert line.startswith(f"error {place} = ")
        with pytest.raises(SettingsError, match=place):
            start.check(settings(server=server, sinch=PUBLIC | sinch))


# The machine


def test_a_folder_that_cannot_be_used_is_found(folder: Path) -> None:
    """Each by its setting; where things are only kept it is a warning."""
    (folder / "file").touch()
    said = found(transcripts=folder / "file" / "x", phrases=folder / "file" / "y")
    assert [line.split(" = ")[0] for line in said] == ["error transcripts", "warning phrases"]
    said = found(prompts=folder / "nowhere")
    assert [line.split(" = ")[0] for line in said] == ["error agent", "error prompts"]


def test_a_database_of_a_later_version_is_doubted(folder: Path) -> None:
    """It is used all the same; one that cannot be is a mistake."""
    assert main(["db", "upgrade"]) == 0
    assert found() == []
    with sqlite3.connect(folder / "voice-agent.db") as later:
        later.execute("UPDATE alembic_version SET version_num = '9999'")
    assert HEAD < "9999"
    later.close()
    (line,) = found()
    assert line.startswith("warning database = 'sqlite:///voice-agent.db': its tables are of a lat")
    (line,) = found(database=f"sqlite:///{folder}")
    assert line.startswith("error database = ")


def port(**given: Any) -> list[str]:
    return lines(list(surroundings.port(ServerSettings(**given))))


def test_a_port_that_another_program_has_is_found() -> None:
    """And is free again with it."""
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        number = taken.getsockname()[1]
        (line,) = port(port=number)
        assert line.startswith(f"error server.port = {number}: address already in use")
    assert port(port=number) == []


@pytest.mark.parametrize(
    ("host", "why"),
    [
        ("nowhere.invalid", "no such host"),
        ("192.0.2.77", "not an address of this machine"),
        ("a b", "no such host"),
        ("999.1.1.1", "no such host"),
    ],
)
def test_a_host_that_is_not_ours_is_found(host: str, why: str) -> None:
    """By the setting."""
    (line,) = port(host=host, port=0)
    assert line.startswith(f"error server.host = '{host}'")
    assert why in line


def test_every_address_of_this_machine_will_do() -> None:
    """So will all of them."""
    for host in ("127.0.0.1", "localhost", EVERY, ""):
        assert port(host=host, port=0) == []


# The command


def check(capsys: pytest.CaptureFixture[str], *options: str) -> tuple[int, str, str]:
    status = main(["check", *options])
    said = capsys.readouterr()
    return status, said.out, said.err


@pytest.fixture
def no_models(monkeypatch: pytest.MonkeyPatch) -> None:
    for stage in NO_MODELS:
        monkeypatch.setenv(f"VOICE_AGENT_{stage.upper()}__PROVIDER", "scripted")
    monkeypatch.setenv("VOICE_AGENT_SERVER__PORT", "0")


@pytest.mark.usefixtures("no_models")
def test_mistakes_fail_and_warnings_do_not(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Unless they are to; mistakes stand on stderr, a line each."""
    assert check(capsys)[0] == 0
    assert check(capsys, "--strict")[0] == 0
    monkeypatch.setenv("VOICE_AGENT_SERVER__HOST", EVERY)
    status, out, err = check(capsys)
    assert (status, err) == (0, "")
    assert "# warning: server.token: not set" in out
    assert out.endswith("# mistakes: 0, warnings: 1\n")
    assert check(capsys, "--strict")[0] == 1
    write("a", "nonsense: 1")
    status, out, err = check(capsys)
    assert status == 1
    assert err.startswith("voice-agent: prompts/a.md, line 2: nonsense: unknown field")
    assert err.count("\n") == 1


@pytest.mark.usefixtures("no_models")
def test_json_is_a_list_of_what_was_found(capsys: pytest.CaptureFixture[str]) -> None:
    """And nothing else, on stdout; an empty one if all is well."""
    assert check(capsys, "--json") == (0, "[]\n", "")
    write("a", "nonsense: 1")
    write("b", "greeting: Hi.\nnumbers: ['+12025550123', '+12025550123']")
    status, out, err = check(capsys, "--json")
    assert (status, err) == (1, "")
    first, second = json.loads(out)
    assert first == {
        "severity": "error",
        "place": "prompts/a.md, line 2",
        "message": first["message"],
    }
    assert first["message"].startswith("nonsense: unknown field")
    assert (second["severity"], second["place"]) == ("warning", "prompts/b.md")
    assert all(isinstance(text, str) for one in (first, second) for text in one.values())


@pytest.mark.usefixtures("no_models")
def test_agent_files_are_looked_at_though_the_settings_are_wrong(
    capsys: pytest.CaptureFixture[str], folder: Path
) -> None:
    """In the folder that the file or the environment names."""
    write("a", "nonsense: 1")
    Path("voice-agent.toml").write_text("[log]\nlevel = 'loud'\n")
    status, _, err = check(capsys)
    assert status == 1
    assert "log.level" in err
    assert "prompts/a.md, line 2: nonsense" in err
    (folder / "prompts").rename(folder / "agents")
    Path("voice-agent.toml").write_text("prompts = 'agents'\n[log]\nlevel = 'loud'\n")
    assert "agents/a.md, line 2: nonsense" in check(capsys)[2]
    Path("voice-agent.toml").write_text("prompts = 'agents'\nport 9000\n", encoding="utf-16")
    assert "agents/a.md, line 2: nonsense" in check(capsys)[2]
    Path(".env").write_text("VOICE_AGENT_PROMPTS=agents\n")
    Path("voice-agent.toml").write_text("[log]\nlevel = 'loud'\n")
    assert "agents/a.md, line 2: nonsense" in check(capsys)[2]
    Path(".env").unlink()
    Path("voice-agent.toml").write_text("prompts = [")
    _, out, _ = check(capsys, "--json")
    assert [one["severity"] for one in json.loads(out)] == ["error"]


@pytest.mark.usefixtures("no_models")
def test_live_tells_in_json_too(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """A provider that does not work is a mistake; the table is not printed."""
    monkeypatch.setenv("VOICE_AGENT_LLM__OPTIONS", '{"fault": "empty"}')
    status, out, err = check(capsys, "--live", "--json")
    assert (status, err) == (1, "")
    (one,) = json.loads(out)
    assert one["severity"] == "error"
    assert one["place"] == "llm scripted"


def test_lines_of_errors_are_told_apart() -> None:
    """Place, what was given, and what is allowed; a file may stand before it."""
    for line, place, given in (
        ("sinch.api = 'v3': should be 'v1' or 'v2'", "sinch.api", "'v3'"),
        ("a.toml, line 3: log.level = 'x': one of", "a.toml, line 3: log.level", "'x'"),
        ("operator.token: a placeholder, not: a secret", "operator.token", ""),
        ("VOICE_AGENT_X: no such setting; did you mean log?", "VOICE_AGENT_X", ""),
        ("/etc/voice agent.toml: no such file", "/etc/voice agent.toml", ""),
        ("nonsense", "settings", ""),
    ):  # fmt: skip
        (one,) = findings_of(SettingsError(line))
        assert (one.place, one.given) == (place, given)
        assert line in (one.line, one.message)
        assert one.as_json()["place"] == place


# That a machine talks

GERMANY = PUBLIC | {"caller_id": "+4930303986300"}
ADD = "add 'disclosure: You are talking to an automated assistant.' to the file"


def disclosing(front: str, **given: Any) -> list[str]:
    """Return what is found about that, of an agent with these fields."""
    write("reception", front + "\n# disclosure: none is added by this test")
    return [line for line in found(**given) if ": disclosure" in line or ": greeting: " in line]


def test_an_agent_for_europe_that_discloses_nothing_is_a_mistake() -> None:
    """Wherever its number, or whom it may call, says so; with the line to add."""
    (line,) = disclosing("greeting: Hello.", sinch=GERMANY)
    assert line.startswith("error prompts/reception.md: disclosure: in DE people must be told")
    assert ADD in line
    start.check(settings(sinch=GERMANY))  # calls are taken all the same
    abroad = PUBLIC | {"dialling": {"countries": ("US", "FR", "NO")}}
    (line,) = disclosing("greeting: Hello.", sinch=abroad)
    assert line.startswith("error prompts/reception.md: disclosure: in FR, NO people")
    (line,) = disclosing("greeting: Hello.\nnumbers: ['+33142685300']")
    assert line.startswith("error prompts/reception.md: disclosure: in FR people")


def test_elsewhere_it_is_doubtful() -> None:
    """Or where nobody has to be told, by the settings; without a number there is nobody."""
    for given in ({"sinch": PUBLIC}, {"sinch": GERMANY, "disclosure": {"required": ()}}):
        (line,) = disclosing("greeting: Hello.", **given)
        assert line.startswith("warning prompts/reception.md: disclosure: nobody is told")
        assert ADD in line
    (line,) = disclosing("greeting: Hello.", sinch=PUBLIC, disclosure={"required": ("US",)})
    assert line.startswith("error prompts/reception.md: disclosure: in US people")
    assert disclosing("greeting: Hello.") == []


def test_a_greeting_that_says_it_has_to_be_heard() -> None:
    """It is found by its words; elsewhere nobody is bothered."""
    says = "greeting: Hello, I'm the automated assistant."
    (line,) = disclosing(says, sinch=GERMANY)
    assert line.startswith("warning ")
    assert line.endswith("it must be heard; add 'disclosure: greeting'")
    assert disclosing(says, sinch=PUBLIC) == []
    assert disclosing(f"{says}\ndisclosure: greeting", sinch=GERMANY) == []


def test_a_sentence_that_does_not_say_it_is_doubted() -> None:
    """Of each country, and the greeting that should."""
    (line,) = disclosing("disclosure: {EU: This is Ann., default: I am a robot.}", sinch=GERMANY)
    assert line.startswith("warning prompts/reception.md: disclosure.EU: does not seem to say")
    (line,) = disclosing("greeting: Hi.\ndisclosure: greeting", sinch=GERMANY)
    assert line.startswith("warning prompts/reception.md: greeting: does not seem to say")
    assert disclosing("disclosure: {EU: I am a robot., default: ''}", sinch=GERMANY) == []
    (line,) = disclosing("disclosure: {US: I am a robot., default: ''}", sinch=GERMANY)
    assert line.startswith("error prompts/reception.md: disclosure: in DE people")
