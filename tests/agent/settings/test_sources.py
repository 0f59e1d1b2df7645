"""What settings are read from: variables, `.env`, files of every editor."""

from __future__ import annotations

import os
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

import pytest

from agent.settings import SettingsError, load
from agent.settings.variables import injected
from agent.text_files import UnreadableTextError, decode, read_text

pytestmark = pytest.mark.usefixtures("tmp_path")  # they write files where they are

TOML = 'agent = "caf\u00e9"\n[server]\nport = 9000\n'
DOT_ENV = "# caf\u00e9\nVOICE_AGENT_SERVER__PORT=9000\n"

READ: dict[str, Callable[[str], bytes]] = {
    "UTF-8": str.encode,
    "with a mark": lambda text: text.encode("utf-8-sig"),
    "UTF-16": lambda text: text.encode("utf-16"),
    "UTF-16, big end first": lambda text: b"\xfe\xff" + text.encode("utf-16-be"),
    "UTF-32": lambda text: text.encode("utf-32"),
    "Windows' line ends": lambda text: text.replace("\n", "\r\n").encode(),
    "old Macs' line ends": lambda text: text.replace("\n", "\r").encode(),
    "no line end": lambda text: text.strip().encode(),
}

REFUSED: dict[str, tuple[Callable[[str], bytes], str]] = {
    "Latin-1": (lambda text: text.encode("latin-1"), "not UTF-8 (line 1); save it as UTF-8"),
    "no mark": (lambda text: text.encode("utf-16-le"), "UTF-16 without a byte order mark"),
    "cut": (lambda text: text.encode("utf-16")[:-1], "not UTF-16 (line "),
    "NUL": (lambda text: text.encode() + b"\n\n\0", "no text: a NUL character is in line "),
    "binary": (lambda _: bytes(range(128, 256)), "not UTF-8 (line 1)"),
    "large": (lambda text: text.encode() + b"#" * 2_000_000, "larger than 1048576 bytes"),
}


@pytest.mark.parametrize("encoding", READ)
@pytest.mark.parametrize(("name", "text"), [("voice-agent.toml", TOML), (".env", DOT_ENV)])
def test_a_file_of_any_editor_is_read(name: str, text: str, encoding: str) -> None:
    """Whatever marks it begins with, and however its lines end."""
    Path(name).write_bytes(READ[encoding](text))
    assert load().server.port == 9000


@pytest.mark.parametrize("encoding", REFUSED)
@pytest.mark.parametrize(("name", "text"), [("voice-agent.toml", TOML), (".env", DOT_ENV)])
def test_what_is_no_text_is_one_line(name: str, text: str, encoding: str) -> None:
    """Not a traceback: it says what to do."""
    spoilt, said = REFUSED[encoding]
    Path(name).write_bytes(spoilt(text))
    with pytest.raises(SettingsError) as caught:
        load()
    assert str(caught.value).startswith(f"{name}: {said}")
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("name", ["voice-agent.toml", ".env"])
@pytest.mark.parametrize("kind", ["folder", "pipe", "link to itself"])
def test_what_is_no_file_is_one_line(name: str, kind: str) -> None:
    """Docker makes a folder where a file to be mounted is missing."""
    match kind:
        case "folder":
            Path(name).mkdir()
        case "pipe":
            os.mkfifo(name)
        case _:
            Path(name).symlink_to(name)
    with pytest.raises(SettingsError) as caught:
        load()
    assert str(caught.value).startswith(f"{name}: ")
    assert "\n" not in str(caught.value)


def test_a_file_that_is_named_has_to_be_there() -> None:
    """The usual one need not; neither need a link of that name lead anywhere."""
    Path(".env").symlink_to("nowhere")
    assert load().server.port == 8080
    with pytest.raises(SettingsError, match=r"^no.toml: no such file$"):
        load(Path("no.toml"))


def test_a_virtual_environment_may_be_called_like_the_file() -> None:
    """Some people's is `.env`."""
    Path(".env").mkdir()
    (Path(".env") / "pyvenv.cfg").touch()
    assert load().server.port == 8080


@pytest.mark.parametrize("blank", ["", "  ", "\t", '""', "''"])
@pytest.mark.parametrize(
    "name",
    [
        *("SERVER__PORT", "SERVER__TOKEN", "SERVER", "SINCH__ROUTES", "MCP", "DATABASE"),
        *("LLM__OPTIONS__MODEL", "NO_SUCH__THING", "STT__PROVIDER", "SINCH__DIALLING__COUNTRIES"),
    ],
)
def test_an_empty_variable_is_not_set(
    name: str, blank: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Compose and CI hand down those that nobody has set; the next source counts."""
    for value in (blank, None):
        if value is None:
            monkeypatch.delenv(f"VOICE_AGENT_{name}")
            Path(".env").write_text(f"VOICE_AGENT_{name}={blank}\nVOICE_AGENT_{name}2=\n")
        else:
            monkeypatch.setenv(f"VOICE_AGENT_{name}", value)
        Path("voice-agent.toml").write_text('[server]\nport = 9\n[sinch]\ncountry = "SE"\n')
        loaded = load()
        assert (loaded.server.port, loaded.sinch.country) == (9, "SE")
        assert loaded.server.token is None
        assert loaded.llm.options == {}


def test_an_empty_variable_does_not_hide_the_next_source(monkeypatch: pytest.MonkeyPatch) -> None:
    """Neither a setting's nor a key's in `.env`; one that is set does."""
    Path(".env").write_text("VOICE_AGENT_SERVER__PORT=9\nSOME_KEY=in-file\nOTHER_KEY=in-file\n")
    monkeypatch.setenv("VOICE_AGENT_SERVER__PORT", "")
    monkeypatch.setenv("SOME_KEY", "")
    monkeypatch.setenv("OTHER_KEY", "set")
    assert load().server.port == 9
    assert (os.environ["SOME_KEY"], os.environ["OTHER_KEY"]) == ("in-file", "set")
    monkeypatch.setenv("voice_agent_server__port", "10")
    assert load().server.port == 10


INJECTED = {
    # Kubernetes, for a Service called voice-agent, and others that begin so.
    "PORT": "tcp://10.0.0.1:8080",
    "SERVICE_HOST": "10.0.0.1",
    "SERVICE_PORT": "8080",
    "SERVICE_PORT_HTTP": "8080",
    "SERVICE_PORT_HTTP_METRICS": "9090",
    "PORT_8080_TCP": "tcp://10.0.0.1:8080",
    "PORT_8080_TCP_PROTO": "tcp",
    "PORT_8080_TCP_PORT": "8080",
    "PORT_8080_TCP_ADDR": "10.0.0.1",
    "PORT_8080_TCP_START": "tcp://172.17.0.2:8080",
    "PORT_8080_TCP_PORT_END": "8090",
    "PORT_5060_UDP": "udp://10.0.0.1:5060",
    "PORT_5060_UDP_PROTO": "udp",
    "PORT_36412_SCTP_ADDR": "fd00::1",
    "POSTGRESQL_SERVICE_HOST": "10.0.0.2",
    "POSTGRESQL_SERVICE_PORT_TCP_POSTGRESQL": "5432",
    "POSTGRESQL_PORT": "tcp://10.0.0.2:5432",
    "POSTGRESQL_PORT_5432_TCP_ADDR": "10.0.0.2",
    "SERVER_PORT": "tcp://10.0.0.3:80",
    # Docker, for a container that is linked under that name.
    "NAME": "/web/voice-agent",
    "DB_NAME": "/web/voice-agent-db",
    "ENV_PYTHONUNBUFFERED": "1",
    "1_ENV_PATH": "/bin",
    "DB_1_ENV_PGDATA": "/var/lib/postgresql/data",
    "ENV_VOICE_AGENT_SERVER__PORT": "x",
}


def test_what_kubernetes_and_docker_set_is_no_setting(monkeypatch: pytest.MonkeyPatch) -> None:
    """For a Service or a container that is called like us; in `.env`, too."""
    for name, value in INJECTED.items():
        monkeypatch.setenv(f"VOICE_AGENT_{name}", value)
    Path(".env").write_text("VOICE_AGENT_PORT=tcp://10.0.0.1:80\nVOICE_AGENT_SERVER__PORT=7\n")
    assert load().server.port == 7


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("PORT", "9000"),
        ("SERVER_PORT", "9000"),
        ("NAME", "reception"),
        ("SERVICE__PORT", "9000"),
        ("SERVICE__HOST", "0.0.0.0"),  # noqa: S104 - nobody listens
        ("SERVER__PORT", "tcp://10.0.0.1:80"),
        ("PORT_TCP", "tcp://10.0.0.1:80"),
        ("MCP_CRM_ENV_TOKEN", "x"),
        ("SERVICEHOST", "10.0.0.1"),
    ],
)
def test_what_people_misspell_is_not_taken_for_it(name: str, value: str) -> None:
    """A typo is told, however much it looks like one of those."""
    assert not injected(f"VOICE_AGENT_{name}", value)


def test_variables_are_read_as_people_write_them(monkeypatch: pytest.MonkeyPatch) -> None:
    """JSON for lists and sections; options of providers as texts, which they read themselves."""
    Path("voice-agent.toml").write_text('[server]\nhost = "::1"\nport = 1\n')
    for name, value in {
        "SERVER": '{"port": 2, "drain": 3}',
        "SERVER__DRAIN": " 4.5\r",
        "SINCH__DIALLING__COUNTRIES": '["US", "CA"]',
        "SINCH__REFUSE_UNROUTED": "yes",
        "LLM__PROVIDER": "openai",
        "LLM__OPTIONS__MODEL": "123",
        "LLM__OPTIONS__TEMPERATURE": "0.5",
        "LLM__FALLBACK": '[{"provider": "lookup"}]',
        "MCP__CRM__URL": "https://crm.example.com/",
        "MCP__CRM__HEADERS__AUTHORIZATION": "Bearer 1",
    }.items():
        monkeypatch.setenv(f"VOICE_AGENT_{name}", value)
    loaded = load()
    assert (loaded.server.host, loaded.server.port, loaded.server.drain) == ("::1", 2, 4.5)
    assert loaded.sinch.dialling.countries == ("US", "CA")
    assert loaded.sinch.refuse_unrouted
    first, second = loaded.providers()["llm"]
    assert (first.options.model, first.options.temperature) == ("123", 0.5)  # type: ignore[attr-defined]
    assert second.name == "lookup"
    assert loaded.mcp["crm"].headers["authorization"].get_secret_value() == "Bearer 1"


@pytest.mark.parametrize(
    ("text", "port"),
    [
        ("VOICE_AGENT_SERVER__PORT=9", 9),
        ("export VOICE_AGENT_SERVER__PORT=9", 9),
        ("VOICE_AGENT_SERVER__PORT = 9", 9),
        ("VOICE_AGENT_SERVER__PORT='9' # mine", 9),
        ('VOICE_AGENT_SERVER__PORT="9"', 9),
        ("VOICE_AGENT_SERVER__PORT=9 # mine", 9),
        ("voice_agent_server__port=9", 9),
        ("A=9\nVOICE_AGENT_SERVER__PORT=${A}", 9),
        ("# VOICE_AGENT_SERVER__PORT=9", 8080),
        ("VOICE_AGENT_SERVER__PORT= # nothing", 8080),
        ("\n\nKEY='a\nb'\nVOICE_AGENT_SERVER__PORT=9\n", 9),
    ],
)
def test_dot_env_is_read_as_shells_and_docker_do(text: str, port: int) -> None:
    """Quotation marks, comments, `export`, spaces."""
    Path(".env").write_text(text)
    assert load().server.port == port


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("VOICE_AGENT_SERVER__PORT\n", ".env, line 1: write NAME=value"),
        ("# a\nVOICE_AGENT_SERVER__PORT: 9\n", ".env, line 2: write NAME=value"),
        ("sekret-key\n", ".env, line 1: write NAME=value"),
        ("KEY='sekret\n", ".env, line 1: KEY: close the quotation marks"),
        ("VOICE_AGENT_MCP=\nVOICE_AGENT_MCP=\n", ".env, line 2: VOICE_AGENT_MCP is in line 1, too"),
    ],
)  # fmt: skip
def test_what_is_no_variable_is_told(text: str, said: str) -> None:
    """By its line; what stands there may be a secret."""
    Path(".env").write_text(text)
    with pytest.raises(SettingsError) as caught:
        load()
    assert str(caught.value).startswith(said)
    assert "sekret" not in str(caught.value)


def test_text_is_text_or_is_told() -> None:
    """Every pair of bytes: no other error comes out."""
    for first in range(256):
        for second in (0, 10, 13, 65, 0x85, 0xBB, 0xFE, 0xFF):
            with suppress(UnreadableTextError):
                assert "\r" not in decode(bytes([first, second, 65, 10]))


def test_a_device_is_no_file() -> None:
    """One that never ends, too."""
    with pytest.raises(UnreadableTextError, match="not a file"):
        read_text(Path("/dev/zero"))


def test_a_name_with_an_invisible_character_is_told() -> None:
    """Whosever it is, with the character by its name: else it would be of no effect."""
    Path(".env").write_text(
        "\u200bVOICE_AGENT_AGENT=x\nVOICE_AGENT_AGENT\u200b=x\nOPENAI_API_KEY\u2060=x\n", "utf-8"
    )
    with pytest.raises(SettingsError) as caught:
        load()
    lines = str(caught.value).splitlines()
    assert [line.partition(": there is a character in the name")[0] for line in lines] == [
        ".env, line 1: ?VOICE_AGENT_AGENT",
        ".env, line 2: VOICE_AGENT_AGENT?",
        ".env, line 3: OPENAI_API_KEY?",
    ]
