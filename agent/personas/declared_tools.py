"""The tools of an agent file, made of their declarations.

A mistake is found when the file is loaded: secrets are read and functions imported then. What an
MCP server offers is known when a call begins.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import structlog

from agent.personas.tool_declarations import (
    MAX_TOOLS,
    Declaration,
    HttpTool,
    McpTools,
    PythonTool,
)
from pipelines.conversation import (
    END_CALL,
    NO_MORE_CALLS,
    PARTY_TOOLS,
    PRESS_KEYS,
    RECORDING_TOOLS,
    TRANSFER_CALL,
    ToolSpec,
)
from pipelines.environment import required_from_environment
from pipelines.tools.http import http_tool, signing_keys
from pipelines.tools.python import python_tool
from pipelines.tools.tool import Tool

if TYPE_CHECKING:
    from pipelines.tools.mcp import McpServer  # an extra

log = structlog.get_logger()

_CALL_CONTROL = (END_CALL, TRANSFER_CALL, PRESS_KEYS, NO_MORE_CALLS, *RECORDING_TOOLS, *PARTY_TOOLS)


@dataclass(frozen=True, slots=True, kw_only=True)
class DeclaredTools:
    """The tools of one agent file."""

    fixed: tuple[Tool, ...] = ()
    mcp: tuple[McpTools, ...] = ()

    @property
    def servers(self) -> frozenset[str]:
        """Names of the MCP servers that it needs."""
        return frozenset(each.mcp for each in self.mcp)

    def for_call(self, servers: Mapping[str, McpServer]) -> tuple[Tool, ...]:
        """Return the tools of a call that begins now.

        A server that is not there is as one that offers nothing; of two tools with one name, the
        one declared in the file stays.

        Args:
            servers: By their names in the settings.
        """
        tools = {tool.spec.name: tool for tool in self.fixed}
        for declared in self.mcp:
            server = servers.get(declared.mcp)
            if server is None:
                log.warning("no such mcp server in the settings", server=declared.mcp)
                continue
            offered = server.tools(
                declared.only,
                timeout=declared.timeout,
                on_barge_in=declared.on_barge_in,
                filler=declared.filler,
            )
            for tool in offered:
                tools.setdefault(tool.spec.name, replace(tool, secret=frozenset(declared.secret)))
        return tuple(tools.values())[:MAX_TOOLS]


def build(declarations: Sequence[Declaration]) -> DeclaredTools:
    """Return the tools of an agent file, ready to run but for those of MCP servers.

    Reads secrets from the environment and imports the modules of Python functions.

    Raises:
        ValueError: As :func:`read`, if secrets or functions are missing, or if two tools have the
            same name.
    """
    fixed: dict[str, Tool] = {}
    mistakes: list[str] = []
    cause: BaseException | None = None
    for place, declared in enumerate(declarations, 1):
        if isinstance(declared, McpTools):
            continue
        try:
            tool = _built(place, declared)
        except ValueError as error:
            mistakes.append(str(error))
            cause = cause or error.__cause__
            continue
        if tool.spec.name in fixed:
            mistakes.append(f"{place}.name: another tool is called {tool.spec.name!r}")
        fixed.setdefault(tool.spec.name, tool)
    if mistakes:
        raise ValueError("\n".join(mistakes)) from cause
    mcp = tuple(each for each in declarations if isinstance(each, McpTools))
    return DeclaredTools(fixed=tuple(fixed.values()), mcp=mcp)


def _built(place: int, declared: HttpTool | PythonTool) -> Tool:
    tool = _http(place, declared) if isinstance(declared, HttpTool) else _python(place, declared)
    if tool.spec.name in _CALL_CONTROL:
        raise ValueError(f"{place}.name: {tool.spec.name!r} is built in; take another name")
    known = _names(tool.spec.parameters)
    if not known.issuperset(declared.secret):  # not quoted: it may be a secret itself
        names = ", ".join(sorted(known)) or "none"
        raise ValueError(
            f"{place}.secret: no argument of the tool is called so; there are: {names}"
        )
    return replace(tool, secret=frozenset(declared.secret))


def _names(schema: object) -> set[str]:
    """Return the names of all properties in a JSON Schema, at whatever depth."""
    if isinstance(schema, list):
        return {name for one in schema for name in _names(one)}
    if not isinstance(schema, Mapping):
        return set()
    properties = schema.get("properties")
    own = set(properties) if isinstance(properties, Mapping) else set()
    return own.union(*(_names(one) for one in schema.values()))


def _http(place: int, declared: HttpTool) -> Tool:
    variable = declared.secret_variable
    try:
        keys = signing_keys(required_from_environment(variable))
    except ValueError as error:
        raise ValueError(f"{place}.secret_variable: {variable}: {error}") from None
    return http_tool(
        ToolSpec(
            name=declared.name, description=declared.description, parameters=declared.parameters
        ),
        declared.url,
        keys,
        timeout=declared.timeout,
        on_barge_in=declared.on_barge_in,
        filler=declared.filler,
    )


def _python(place: int, declared: PythonTool) -> Tool:
    try:
        return python_tool(
            declared.python,
            name=declared.name or "",
            timeout=declared.timeout,
            on_barge_in=declared.on_barge_in,
            filler=declared.filler,
        )
    except ValueError as error:
        raise ValueError(f"{place}.python: {declared.python}: {error}") from error.__cause__
