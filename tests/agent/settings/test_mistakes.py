"""Every mistake in the settings is one line, in words, and all of them are told at once."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import BaseModel

from agent.personas.front_matter import FrontMatter
from agent.personas.tool_declarations import HttpTool, McpTools, PythonTool
from agent.settings import Settings, SettingsError, load, toml_file
from agent.settings.allowed import PATTERNS, kind_of, unwrapped
from agent.settings.origins import Origins
from pipelines.providers import PROVIDERS, find

pytestmark = pytest.mark.usefixtures("tmp_path")  # they write files where they are

RAW = re.compile(
    "should be|valid (dict|integer|number|string|boolean|list|tuple)|instance of|Settings?Source"
    r"|Input |type=|\[type|pydantic|Traceback|error parsing|pattern|\^"
)
"""Words of the libraries, which nobody who writes settings has to know."""


def told() -> list[str]:
    """Return what is said of the settings that are here; nothing of good ones."""
    try:
        load().providers()
    except SettingsError as error:
        return str(error).splitlines()
    return []


TOML = [
    # Types and ranges.
    ("[server]\nport = 77777", "2: server.port = 77777: must be a whole number from 0 to 65535"),
    ("[server]\nport = -1", "2: server.port = -1: must be a whole number from 0 to 65535"),
    ("[server]\nport = 80.5", "2: server.port = 80.5: must be a whole number from 0 to 65535"),
    ("[server]\nport = true", "2: server.port = true: must be a whole number from 0 to 65535"),
    ("[server]\nport = [80]", "2: server.port = [80]: must be a whole number from 0 to 65535"),
    (f"[server]\nport = 1{'0' * 25}", f"2: server.port = 1{'0' * 25}: must be a whole number"),
    ("[server]\nworkers = 65", "2: server.workers = 65: auto, or a whole number from 1 to 64"),
    ("[server]\nmax_calls = 0", "2: server.max_calls = 0: must be a whole number, 1 or more"),
    (
        "[calls]\nmax_seconds = 0",
        "2: calls.max_seconds = 0: must be a number, more than 0 and at m",
    ),
    (
        '[server]\ndrain = "30s"',
        "2: server.drain = '30s': must be a number, 0 or more, without a u",
    ),
    (
        '[server]\ndrain = "0,5"',
        "2: server.drain = '0,5': must be a number, 0 or more, with a poin",
    ),
    ("[server]\ndrain = nan", "2: server.drain = nan: must be a number, 0 or more, and finite"),
    ("[server]\ndrain = inf", "2: server.drain = inf: must be a number, 0 or more, and finite"),
    ("[server]\nhost = 5", "2: server.host = 5: must be a text, in quotation marks"),
    ("agent = 2026-01-05", "1: agent = 2026-01-05: must be a text, in quotation marks"),
    ("agent = true", "1: agent = true: must be a text, in quotation marks"),
    ("prompts = 1", "1: prompts = 1: must be a path"),
    ('[sinch]\nconference = "maybe"', "2: sinch.conference = 'maybe': must be true or false"),
    ('[sinch]\ncountry = "usa"', "2: sinch.country = 'usa': must be a country in two capital let"),
    ('[sinch]\npublic_url = "a.b"', "2: sinch.public_url = 'a.b': must be an address that begins "),
    ('[operator]\ntoken = "short"', "2: operator.token = (hidden): must be a text of 16 character"),
    ("[sinch]\ntoken_lifetime = 0", "2: sinch.token_lifetime = 0: must be a number from 1 to 3600"),
    (
        '[sinch]\napplication_secret = "SECRETé="',
        "2: sinch.application_secret = (hidden): not base64, as Sinch's dashboard shows it",
    ),
    # One of a few words.
    (
        '[log]\nlevel = "INFO"',
        "2: log.level = 'INFO': must be one of debug, info, warning, error; ",
    ),
    ('[log]\nlevel = "warn"', "2: log.level = 'warn': must be one of debug, info, warning, error;"),
    ("[log]\nlevel = 1", "2: log.level = 1: must be one of debug, info, warning, error"),
    ('[sinch]\napi = "2"', "2: sinch.api = '2': must be one of v1, v2; did you mean v2?"),
    (
        '[llm]\nprovider = "opnai"',
        "2: llm.provider = 'opnai': known are anthropic, gemini, lookup,",
    ),
    # Sections, lists and values in each other's place.
    ("server = 8080", "1: server: must be a section of settings, and no number"),
    ('stt = "deepgram"', "1: stt: must be a section of settings, and no text"),
    ('[agent]\nname = "x"', "1: agent: must be a text, and no section"),
    ('[llm]\noptions = "x"', "2: llm.options: must be a section of names and values, and no text"),
    ("[[server]]\nport = 1", "1: server: must be a section of settings, and no list"),
    ('[sinch]\nroutes = "x"', "2: sinch.routes = (hidden): must be a list of sections"),
    (
        '[sinch.dialling]\ncountries = "US,CA"',
        "2: sinch.dialling.countries = 'US,CA': must be a li",
    ),
    ("[sinch.dialling]\nnumbers = [12]", "2: sinch.dialling.numbers.0 = 12: must be a text, in qu"),
    ("[[llm.fallback]]\noptions = {}", "1: llm.fallback.0.provider: must be given"),
    # Names.
    ("[Server]\nport = 1", "1: Server: no such setting; did you mean server?"),
    ("[server]\nport = 0\n[Server]\nport = 1", "3: Server: no such setting; did you mean server?"),
    ("[Server]\nPort = 1", "1: Server: no such setting; did you mean server?"),
    ('Agent = "x"', "1: Agent: no such setting; did you mean agent?"),
    (
        'OPENAI_API_KEY = "x"',
        "1: OPENAI_API_KEY: no setting, but a variable: it stands in .env, or",
    ),
    (
        '[llm]\nprovider = "openai"\nbase-url = "http://x"',
        "3: llm.base-url: no such setting; did you mean llm.options.base_url?",
    ),
    (
        '[llm]\nprovider = "openai"\nmodel = "x"',
        "3: llm.model: no such setting; did you mean llm.options.model?",
    ),
    (
        '[[llm.fallback]]\nprovider = "anthropic"\nmodel = "x"',
        "3: llm.fallback.0.model: no such setting; did you mean llm.fallback.0.options.model?",
    ),
    (
        '[tts]\nprovider = "elevenlabs"\nVoice = "x"',
        "3: tts.Voice: no such setting; did you mean tts.options.voice?",
    ),
    ("port = 9000", "1: port: no such setting; did you mean server.port?"),
    ("[server]\nPort = 1", "2: server.Port: no such setting; did you mean server.port?"),
    ("[server]\nmax-calls = 1", "2: server.max-calls: no such setting; did you mean server.max_ca"),
    ("[server]\nmaxCalls = 1", "2: server.maxCalls: no such setting; did you mean server.max_call"),
    ("[server]\nmax_call = 1", "2: server.max_call: no such setting; did you mean server.max_call"),
    ("[servers]\nport = 1", "1: servers: no such setting; did you mean server?"),
    ("[end-of-turn]\nx = 1", "1: end-of-turn: no such setting; did you mean end_of_turn?"),
    ('token = "x"', "1: token: no such setting; did you mean server.token or operator.token?"),
    (
        '[sinch.dialing]\ncountries = ["US"]',
        "1: sinch.dialing: no such setting; did you mean sinch",
    ),
    (
        "[stt.options]\nmodle = 1",
        "2: stt.options.modle: no such setting; did you mean stt.options.m",
    ),
    # What is no TOML.
    ("[server\nport = 1", "1: not TOML: the name of a section stands in [ ]"),
    ("[server]\nport 1", "2: not TOML: write `name = value`"),
    ("[server]\nport: 1", "2: not TOML: write `name = value`"),
    ("[server]\nport =", "2: not TOML: port: there is no value; write one, or leave the line out"),
    ("[server]\nport = 1,", "2: not TOML: port: nothing stands behind a value; take the sign away"),
    ("[server]\nport = 08", "2: not TOML: port: a number has no unit, comma or zero before it; a "),
    ("[server]\ndrain = 5s", "2: not TOML: drain: a number has no unit, comma or zero before it;"),
    ("[server]\nport = 1\nport = 2", "3: not TOML: port: it stands twice"),
    ("[server]\nport = 1\n[server]", "3: not TOML: this section stands twice"),
    ("agent = reception", "1: not TOML: agent: a text stands in quotation marks, a list in [ ]"),
    ("agent = \u201creception\u201d", "1: not TOML: agent: typographic quotation marks; write"),
    ("agent = 'it's'", "1: not TOML: agent: nothing stands behind a value but a comment, which be"),
    ('agent = "reception', "1: not TOML: agent: a bracket or a quotation mark is not closed, here"),
    ("agent\u00a0= 'a'", "1: not TOML: agent: an invisible character stands in it, or a space tha"),
    (
        'prompts = "C:\\Users"',
        "1: not TOML: prompts: write \\\\ for a backslash, or take ' for quo",
    ),
    ("[sinch]\nconference = True", "2: not TOML: conference: true and false are written in small "),
    ("[sinch]\nconference = yes", "2: not TOML: conference: write true or false"),
    ("[server]\ntoken = None", "2: not TOML: token: leave the line out for what is not set"),
    ("[sinch]\nroutes = [\n{agent = 'a'},\n", "3: not TOML: a bracket or a quotation mark is not"),
]


@pytest.mark.parametrize(("toml", "line"), TOML, ids=[line for _, line in TOML])
def test_a_mistake_in_the_file_is_one_line_in_words(toml: str, line: str) -> None:
    """The line of the file, the setting, what was given, what is allowed, the nearest name."""
    Path("voice-agent.toml").write_text(toml + "\n", encoding="utf-8")
    (said,) = told()
    assert said.startswith(f"voice-agent.toml, line {line}")
    assert not RAW.search(said)


VARIABLES = [
    ("SERVER__PORT", "x", "server.port = 'x': must be a whole number from 0 to 65535"),
    ("SERVER__PORT", '"9000"', "server.port = '\"9000\"': must be a whole number from 0 to 65535,"),
    ("SERVER__DRAIN", "5 s", "server.drain = '5 s': must be a number, 0 or more, without a unit"),
    ("LOG__LEVEL", "Debug", "log.level = 'Debug': must be one of debug, info, warning, error; did"),
    ("SERVER", "8080", "server = (hidden): must be a section, as JSON; or set its parts, with __"),
    ("SERVER", '{"port": -1}', "server.port = -1: must be a whole number from 0 to 65535"),
    ("STT", "deepgram", "stt = (hidden): must be a section, as JSON; or set its parts, with __"),
    ("LLM__FALLBACK", "openai", "llm.fallback = (hidden): must be a list of sections, as JSON, su"),
    ("LLM__FALLBACK__0__PROVIDER", "openai", "llm.fallback has no parts: set VOICE_AGENT_LLM__FAL"),
    ("LLM__OPTIONS", "x", "llm.options = (hidden): must be a section of names and values, as JSON"),
    ("SINCH__DIALLING__COUNTRIES", "US, CA", "sinch.dialling.countries = 'US, CA': must be a list o"
     'f texts, as JSON, such as ["US", "CA"]'),
    ("SINCH__DIALLING__COUNTRIES", '["US"', "sinch.dialling.countries = '[\"US\"': must be a list"),
    ("SINCH__DIALLING__COUNTRIES", "7", "sinch.dialling.countries = '7': must be a list of texts,"),
    ("SINCH__ROUTES", "[" * 5000, "sinch.routes = (hidden): must be a list of sections, as JSON"),
    ("SINCH__ROUTES", "[{'headers': {'a': 'sekret'}}]", "sinch.routes = (hidden): must be a list "),
    ("LLM__FALLBACK", '[{"options": {"api_key": "sekret"}]', "llm.fallback = (hidden): must be "),
    ("LLM__FALLBACK", '{"options": {"api_key": "sekret"}}', "llm.fallback = (hidden): must be a "),
    ("LLM__MODEL", "x", "no such setting; known are VOICE_AGENT_LLM__MAX_HISTORY, "),
    ("MCP__CRM__ARGS", "--token=sekret", "mcp.crm.args = (hidden): must be a list of texts, as JS"),
    ("AGENT__NAME", "x", "agent has no parts"),
    ("SERVRE__PORT", "1", "no such setting; did you mean VOICE_AGENT_SERVER__PORT?"),
    ("SERVER__PROT", "1", "no such setting; did you mean VOICE_AGENT_SERVER__PORT?"),
    ("SERVICE__PORT", "1", "no such setting; did you mean VOICE_AGENT_SERVER__PORT?"),
    ("SERVER_PORT", "1", "no such setting; did you mean VOICE_AGENT_SERVER__PORT?"),
    ("SERVER.PORT", "1", "no such setting; did you mean VOICE_AGENT_SERVER__PORT?"),
    ("SERVER__MAX-CALLS", "1", "no such setting; did you mean VOICE_AGENT_SERVER__MAX_CALLS?"),
    ("PORT", "9000", "no such setting; did you mean VOICE_AGENT_SERVER__PORT?"),
    ("SINCH__APLICATION_SECRET", "sekret", "no such setting; did you mean VOICE_AGENT_SINCH__APPL"),
    ("", "1", "no such setting; known are VOICE_AGENT_AGENT, "),
]  # fmt: skip


@pytest.mark.parametrize(
    ("name", "value", "said"), VARIABLES, ids=[f"{n}={v[:9]}" for n, v, _ in VARIABLES]
)
@pytest.mark.parametrize("place", ["environment", ".env"])
def test_a_mistake_in_a_variable_names_it(
    place: str, name: str, value: str, said: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As it was spelt; in `.env`, behind the line that it stands in."""
    name = f"VOICE_AGENT_{name}"
    if place == ".env":
        quote = '"' if "'" in value else "'"
        Path(".env").write_text(f"# ours\n\nexport {name} = {quote}{value}{quote} # mine\n")
    else:
        monkeypatch.setenv(name, value)
    (line,) = told()
    where = f".env, line 3: {name}" if place == ".env" else name
    assert line.startswith(f"{where}: {said}")
    assert not RAW.search(line)
    assert "sekret" not in line


def test_mistakes_of_all_sources_are_told_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    """As they stand in each file, one line each; statements that are no TOML hide no others."""
    Path("voice-agent.toml").write_text(
        "agent = reception\n[server]\nport = 99999\nprot = 1\n[sinch\napi = 1\n[llm]\n"
        'provider = "openai"\n[llm.options]\ntemprature = 1\ntemperature = "hot"\n'
        '[[llm.fallback]]\nprovider = "nobody"\n[log]\nlevel = "loud"\n'
    )
    Path(".env").write_text("VOICE_AGENT_SERVER__RATE=x\nno variable\n")
    monkeypatch.setenv("VOICE_AGENT_STT__PROVIDER", "ears")
    monkeypatch.setenv("VOICE_AGENT_SERVRE__PORT", "1")
    with pytest.raises(SettingsError) as caught:
        load(None, {"server": {"host": 5}})
    lines = str(caught.value).splitlines()
    assert [line.partition(": ")[0] for line in lines] == [
        *(".env, line 1", ".env, line 2"),
        *(f"voice-agent.toml, line {n}" for n in (1, 3, 4, 5, 10, 11, 13, 15)),
        *("VOICE_AGENT_SERVRE__PORT", "command line", "VOICE_AGENT_STT__PROVIDER"),
    ]


def test_an_option_among_variables_is_told_where_it_belongs(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """By the provider that another variable names."""
    monkeypatch.setenv("VOICE_AGENT_LLM__MODEL", "gpt-4.1")
    monkeypatch.setenv("VOICE_AGENT_LLM__PROVIDER", "openai")
    assert told() == [
        "VOICE_AGENT_LLM__MODEL: no such setting; did you mean VOICE_AGENT_LLM__OPTIONS__MODEL?"
    ]


def test_what_belongs_together_is_told_together() -> None:
    """A section that is wrong in several ways has a line for each."""
    Path("voice-agent.toml").write_text(
        '[sinch]\napplication_key = "k"\nservice_id = "s"\nregion = "us1"\n'
        '[mcp.crm]\nargs = ["x"]\nheaders = { a = "b" }\n'
    )
    assert [line.partition(": ")[2] for line in told()] == [
        "sinch: application_key and application_secret go together",
        "sinch: service_id and service_secret go together",
        "sinch: region: version 1 has euc1, use1, sae1, apse1, apse2",
        "mcp.crm: set either url or command",
    ]


def patterns(model: type[BaseModel]) -> Iterator[str]:
    """Yield the regular expressions that a model, or what is in it, checks texts with."""
    for field in model.model_fields.values():
        kind = kind_of(field)
        for bound in unwrapped(kind).bounds:
            if found := getattr(bound, "pattern", None):
                yield found
        for inner in (kind.model, kind.item.model):
            if inner is not None:
                yield from patterns(inner)


def test_every_pattern_has_words() -> None:
    """Of settings, options of providers and agent files: no regular expression is shown."""
    models: list[type[BaseModel]] = [Settings, FrontMatter, HttpTool, PythonTool, McpTools]
    models += [find(stage, name).Options for stage, names in PROVIDERS.items() for name in names]
    used = {pattern for model in models for pattern in patterns(model)}
    assert used <= PATTERNS.keys()
    assert PATTERNS.keys() <= used


PIECES = [*"ab=[]{},.\n #1\\\u201c", '"x"', "'y'", "[[", "]]", '"""', "'''"]


@settings(max_examples=300, deadline=None)
@given(st.lists(st.sampled_from(PIECES), max_size=30))
def test_no_text_breaks_the_reader(pieces: list[str]) -> None:
    """Whatever stands in the file has its values, or a line for each mistake."""
    origins = Origins()
    for line in toml_file.take("".join(pieces), "f", origins):
        assert line.startswith("f")
        assert "\n" not in line


KEYS = st.sampled_from(["a", '"b c"', "'d.e'", "f-g", "h.i"])
VALUES = st.sampled_from(
    ["1", '"x # ]"', "'[y'", '"""\nz = 1\n"""', "'''\n[q]\n'''", "[1,\n 2, # ]\n]", "{ r = [1] }"]
)


@settings(max_examples=100, deadline=None)
@given(st.lists(st.tuples(st.sampled_from(["[s", "[[t"]), KEYS, st.lists(VALUES, max_size=3))))
def test_every_key_has_its_line(sections: list[tuple[str, str, list[str]]]) -> None:
    """Behind texts and lists of several lines, too."""
    text, lines = "# first\n", {}
    for number, (opening, key, values) in enumerate(sections):
        name = f"{opening.lstrip('[')}{number}"
        text += f"{opening}{number}{']' * opening.count('[')}\n"
        for n, value in enumerate(values):
            lines[f"{name}.{n}"] = text.count("\n") + 1
            text += f"{key}.k{n} = {value}\n"
    origins = Origins()
    assert toml_file.take(text, "f", origins) == []
    where = {
        place[0] + "." + place[-1][1:]: at
        for place, at in origins.places.items()
        if place[-1][:1] == "k"
    }
    assert where == {name: f"f, line {line}" for name, line in lines.items()}


def test_no_section_of_a_user_is_taken_for_one_that_cannot_be_read() -> None:
    """Whatever it is called; what stands below a broken head is nowhere."""
    Path("voice-agent.toml").write_text("[sinch\nx = 1\n[broken-1]\ny = 1\n")
    assert [line.partition(": ")[0] for line in told()] == [
        "voice-agent.toml, line 1",
        "voice-agent.toml, line 3",
    ]
