"""Tools as an agent file declares them: what is allowed, and what a mistake says."""

from __future__ import annotations

import asyncio
import json
import re
import sys
from pathlib import Path
from typing import Any

import pytest
import structlog
import yaml
from aiohttp import web
from hypothesis import given
from hypothesis import strategies as st

from agent.personas import yaml_text
from agent.personas.declared_tools import DeclaredTools, build
from agent.personas.tool_declarations import (
    HttpTool,
    McpTools,
    PythonTool,
    read,
)
from agent.server.mcp_servers import mcp_servers
from agent.settings.mcp import McpServerSettings
from pipelines.tools.tool import CallInfo

SECRET = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"

FILE = """
- url: https://example.com/tables
  name: book_table
  description: Book a table once the caller has confirmed day, time and number of guests.
  secret_variable: TABLES_SECRET
  timeout: 4
  filler: Let me put that into the book.
  parameters:
    day: {type: string, description: ISO date}
    guests: {type: integer, minimum: 1}
- python: tests.agent.personas.test_tool_declarations:opening_hours
  on_barge_in: cancel
- mcp: crm
  only: [find_customer]
"""


async def opening_hours(day: str) -> str:
    """Return when we open."""
    return f"ten on {day}"


def declared(text: str) -> DeclaredTools:
    return build(read(yaml.safe_load(text)))


def http(**given: Any) -> dict[str, Any]:
    return {
        "url": "https://example.com/",
        "name": "a",
        "description": "b",
        "secret_variable": "TABLES_SECRET",
        **given,
    }


@pytest.fixture(autouse=True)
def _secret(monkeypatch: pytest.MonkeyPatch) -> None:
    """The operator has set the secret."""
    monkeypatch.setenv("TABLES_SECRET", SECRET)


def test_three_kinds_in_one_file() -> None:
    """Each is told apart by a field that only it has; what is left out has its default."""
    endpoint, function, server = read(yaml.safe_load(FILE))
    assert isinstance(endpoint, HttpTool)
    assert isinstance(function, PythonTool)
    assert isinstance(server, McpTools)
    tools = declared(FILE)
    book, hours = tools.fixed
    assert (book.timeout, book.on_barge_in) == (4.0, "keep")
    assert book.filler == "Let me put that into the book."
    assert book.spec.parameters == {
        "type": "object",
        "properties": {
            "day": {"type": "string", "description": "ISO date"},
            "guests": {"type": "integer", "minimum": 1},
        },
        "required": ["day", "guests"],
        "additionalProperties": False,
    }
    assert (hours.spec.name, hours.timeout, hours.on_barge_in) == ("opening_hours", 5.0, "cancel")
    assert tools.servers == {"crm"}


def test_a_whole_schema_is_taken_as_it_is() -> None:
    """For arguments that may be left out."""
    schema = {"type": "object", "properties": {"a": {"type": "string"}}, "required": []}
    (tool,) = build(read([http(parameters=schema)])).fixed
    assert tool.spec.parameters == schema
    (plain,) = build(read([http()])).fixed
    assert plain.spec.parameters["properties"] == {}


@pytest.mark.parametrize(
    ("tools", "reason"),
    [
        ({}, "must be a list"),
        ([{}], "1: must have one of url, python, mcp"),
        (["book"], "1: must have one of"),
        ([http(), {"url": "https://a", "python": "b:c"}], "2: must have one of"),
        ([http(url="ftp://example.com")], "1.url: must be an http:// or https:// URL"),
        ([http(url="https://user:hunter2@example.com")], "1.url: must not hold a user"),
        ([http(url="https://a b")], "1.url: must be"),
        ([http(url="https://[")], "1.url: must be"),
        ([http(url="https://example.com:99999")], "1.url: must be"),
        ([http(name="book table")], "1.name: "),
        ([http(name="end_call")], "1.name: 'end_call' is built in"),
        ([http(description=" ")], "1.description: "),
        ([http(timeout=0)], "1.timeout: "),
        ([http(timeout=600)], "1.timeout: "),
        ([http(on_barge_in="maybe")], "1.on_barge_in: "),
        ([http(secret_variable="NOT SET")], "1.secret_variable: "),
        (
            [http(secret_variable="NOT_SET")],
            "1.secret_variable: NOT_SET: set it in the environment",
        ),
        ([http(secret_variable="WEAK")], "1.secret_variable: WEAK: a secret is whsec_"),
        ([http(secret="hunter2")], "1.secret: must be a list of texts"),
        ([http(description=7)], "1.description: must be a text"),
        ([http(parameters=[])], "1.parameters: must be a JSON Schema"),
        ([http(parameters={"a": {"type": "text"}})], "1.parameters: properties.a.type: 'text'"),
        ([http(parameters={"a": "string"})], "1.parameters: properties.a: "),
        ([http(), http()], "2.name: another tool is called 'a'"),
        ([{"python": "a"}], "1.python: "),
        ([{"python": "no_such_module_here:a"}], "1.python: no_such_module_here:a: there is no"),
        ([{"python": "os.path:join"}], r"1.python: os.path:join: the parameter"),
        ([{"mcp": "crm", "only": []}], "1.only: "),
        ([{"mcp": "crm", "only": ["a", 1]}], "1.only.2: must be a text"),
        ([{"mcp": "my crm"}], "1.mcp: "),
        ([{"mcp": "crm"}] * 51, "must be a list of at most 50"),
    ],
)
def test_a_mistake_is_one_line_with_its_place(
    tools: object, reason: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Which tool, which field, what is allowed; never a secret."""
    monkeypatch.setenv("WEAK", "hunter2")
    with pytest.raises(ValueError, match="^" + reason.replace("(", r"\(")) as caught:
        build(read(tools))
    assert "\n" not in str(caught.value)
    assert "hunter2" not in str(caught.value)


def test_a_secret_may_be_in_a_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """As container platforms give it; a file that is not there is a mistake."""
    (tmp_path / "secret").write_text(f"{SECRET}\n")
    monkeypatch.setenv("OTHER_FILE", str(tmp_path / "secret"))
    assert build(read([http(secret_variable="OTHER")])).fixed
    monkeypatch.setenv("OTHER_FILE", str(tmp_path / "nothing"))
    with pytest.raises(
        ValueError, match=r"1\.secret_variable: OTHER: .*cannot be read: No such file"
    ):
        build(read([http(secret_variable="OTHER")]))


def test_a_declared_endpoint_is_asked() -> None:
    """From the agent file to the request, and back."""

    async def main() -> None:
        bodies: list[Any] = []

        async def answer(request: web.Request) -> web.Response:
            bodies.append(await request.json())
            return web.json_response({"booked": True})

        application = web.Application()
        application.router.add_post("/", answer)
        runner = web.AppRunner(application)
        await runner.setup()
        await web.TCPSite(runner, "127.0.0.1", 0).start()
        url = f"http://127.0.0.1:{runner.addresses[0][1]}/"
        (tool,) = build(read([http(url=url)])).for_call({})
        result = await tool.run({"guests": 2}, CallInfo(call_id="c", tool_call="1"))
        await runner.cleanup()
        assert json.loads(result) == {"booked": True}
        assert bodies[0]["arguments"] == {"guests": 2}

    asyncio.run(main())


def test_a_server_that_the_settings_do_not_have_offers_nothing() -> None:
    """A call goes on without it, and the log says so."""
    with structlog.testing.capture_logs() as lines:
        tools = declared(FILE).for_call({})
    assert [tool.spec.name for tool in tools] == ["book_table", "opening_hours"]
    assert lines == [
        {"event": "no such mcp server in the settings", "log_level": "warning", "server": "crm"}
    ]


def test_tools_of_a_server_join_those_of_the_file(monkeypatch: pytest.MonkeyPatch) -> None:
    """With what the file declares of them; the file's own tool keeps its name."""
    pytest.importorskip("mcp", reason="an extra")
    monkeypatch.setenv("WHO", "us")
    script = Path(__file__).parents[2] / "pipelines" / "tools" / "mcp_old_server.py"
    settings = McpServerSettings.model_validate(
        {"command": sys.executable, "args": [str(script), "well"], "env": {"A": "${WHO}"}}
    )
    text = "[{mcp: crm, timeout: 3, on_barge_in: cancel, filler: Hm., only: [pid]}]"

    async def main() -> None:
        servers = mcp_servers({"crm": settings})
        await servers["crm"].start()
        (tool,) = declared(text).for_call(servers)
        assert tool.spec.name == "crm_pid"
        assert (tool.timeout, tool.on_barge_in, tool.filler) == (3.0, "cancel", "Hm.")
        own = http(name="crm_pid", description="ours")
        tools = build(read([own, {"mcp": "crm"}])).for_call(servers)
        assert [(t.spec.name, t.spec.description) for t in tools] == [
            ("crm_pid", "ours"),
            ("crm_wait", "wait"),
        ]
        await servers["crm"].aclose()

    asyncio.run(main())


yaml_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=10),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner),
    max_leaves=8,
)
fields = st.dictionaries(
    st.sampled_from(
        ["url", "python", "mcp", "name", "description", "parameters", "timeout", "only", "filler"]
    ),
    yaml_values,
)


@given(st.lists(fields | fields.map(lambda given: http(**given)) | yaml_values, max_size=3))
def test_any_declaration_is_a_tool_or_a_line_for_each_mistake(tools: list[Any]) -> None:
    """Whatever stands in the file."""
    lines: list[str] = []
    try:
        build(read(tools))
    except ValueError as error:
        lines = str(error).split("\n")
    assert all(re.match(r"[1-3][.:]", line) for line in lines)


def test_schemas_are_json_by_the_core_schema() -> None:
    """Numbers, true, false and null are such; codes keep their zeros, and words are words."""
    document = yaml_text.read(
        "parameters:\n"
        "  type: object\n"
        "  additionalProperties: false\n"
        "  properties:\n"
        "    country: {type: string, enum: [no, se, on, y, 007, +49, 7:30, 2026-01-05]}\n"
        "    guests: {type: integer, minimum: 1, maximum: 1e2, multipleOf: 1.0, default: null}\n"
        "    price: {type: number, minimum: 0.10, default: '5'}\n"
        "  required: [country]\n",
        2,
    )
    (tool,) = build(read([http(**document.fields)])).fixed
    found = tool.spec.parameters
    country, guests, price = found["properties"].values()
    assert country["enum"] == ["no", "se", "on", "y", "007", "+49", "7:30", "2026-01-05"]
    assert (guests["minimum"], guests["maximum"], guests["default"]) == (1, 100.0, None)
    assert (price["minimum"], price["default"]) == (0.1, "5")
    assert found["additionalProperties"] is False


def test_nothing_is_nothing_for_what_may_be_left_out() -> None:
    """By YAML's words for it; elsewhere they are words."""
    for word in ("", "~", "null"):
        text = f"tools:\n  - mcp: crm\n    only: {word}\n    timeout: 4\n"
        (tools,) = read(yaml_text.read(text, 2).fields["tools"])
        assert isinstance(tools, McpTools)
        assert (tools.only, tools.timeout) == (None, 4.0)
