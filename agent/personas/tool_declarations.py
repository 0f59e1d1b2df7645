"""Tools as they are declared: under ``tools`` of an agent file, and MCP servers in the settings.

Three kinds, told apart by a field that only one of them has::

    tools:
      - url: https://example.com/book         # an HTTP endpoint
        name: book_table
        ...
      - python: restaurant.tools:free_tables  # a Python function
      - mcp: crm                              # what an MCP server of the settings offers

A mistake is found when the file is loaded: secrets are read, functions imported and schemas checked
then. What an MCP server offers is known when a call begins.
"""

from __future__ import annotations

import re
import shutil
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated, Any, Self
from urllib.parse import urlsplit

import structlog
from pydantic import (
    AfterValidator,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    SecretStr,
    StringConstraints,
    TypeAdapter,
    ValidationError,
    model_validator,
)

from pipelines.conversation import END_CALL, PRESS_KEYS, TRANSFER_CALL, ToolSpec
from pipelines.environment import from_environment
from pipelines.tools.arguments import check_schema
from pipelines.tools.http import http_tool, signing_keys
from pipelines.tools.python import python_tool
from pipelines.tools.tool import OnBargeIn, Tool

if TYPE_CHECKING:
    from pipelines.tools.mcp import McpServer

log = structlog.get_logger()

MAX_TOOLS = 50
"""Tools of one agent. All are read by the model with every reply; well before this many it begins
to choose wrongly."""

_CALL_CONTROL = (END_CALL, TRANSFER_CALL, PRESS_KEYS)

_Text = Annotated[str, StringConstraints(strip_whitespace=True, min_length=1)]
_ToolName = Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9_-]{1,64}$")]
_Variable = Annotated[str, StringConstraints(pattern=r"^[A-Za-z_][A-Za-z0-9_]*$")]


def _address(url: str) -> str:
    try:
        parts = urlsplit(url)
        well_formed = parts.scheme in ("http", "https") and bool(parts.hostname)
        well_formed = well_formed and (parts.port is None or parts.port > 0)
    except ValueError:
        well_formed = False
    if not well_formed or not url.isprintable() or " " in url or parts.fragment:
        message = "must be an http:// or https:// URL"
        raise ValueError(message)
    if parts.username is not None or parts.password is not None:
        message = "must not hold a user or a password"
        raise ValueError(message)
    return url


_Url = Annotated[str, StringConstraints(max_length=2000), AfterValidator(_address)]


def _schema(parameters: object) -> object:
    """Return the whole schema; a bare list of properties is that of an object with them all."""
    if not isinstance(parameters, dict):
        message = "must be a JSON Schema, or the properties of one"
        raise ValueError(message)  # noqa: TRY004 - pydantic turns only this one into a mistake
    if parameters.get("type") != "object":
        parameters = {
            "type": "object",
            "properties": parameters,
            "additionalProperties": False,
            **({"required": list(parameters)} if parameters else {}),
        }
    check_schema(parameters)
    return parameters


class _Strict(BaseModel):
    # Strict: YAML's bare `yes` and `7:30` are not the texts that their author meant.
    model_config = ConfigDict(frozen=True, extra="forbid", strict=True)


_Seconds = Annotated[float, Field(gt=0, le=60, strict=False)]


class _Tool(_Strict):
    timeout: _Seconds = Field(
        default=5.0,
        description="seconds that it may take; then the model is told that there is no result",
    )
    on_barge_in: OnBargeIn = Field(
        default="keep",
        description=(
            "what becomes of it when the caller interrupts while it runs: 'keep' lets it finish "
            "and tells the model the result with the next turn, because half an effect is worse "
            "than one that nobody waited for; 'cancel' is for what is of no use then"
        ),
    )
    filler: str = Field(
        default="",
        max_length=200,
        description="said while it takes long, such as 'Let me look that up.'; otherwise a filler "
        "of the agent's",
    )


class HttpTool(_Tool):
    """An HTTP endpoint of yours that does something or looks something up."""

    name: _ToolName = Field(description="what the model calls it: letters, digits, _ and -")
    description: _Text = Field(
        max_length=1024, description="what it does and when to use it; the model decides by it"
    )
    url: _Url = Field(description="where the request is sent; fixed, nothing is filled in")
    secret_variable: _Variable = Field(
        description="environment variable with the secret that signs requests: whsec_ and 24 to 64 "
        "bytes in base64; or with _FILE behind it, the variable that names a file with it"
    )
    parameters: Annotated[dict[str, Any], BeforeValidator(_schema)] = Field(
        default_factory=lambda: {"type": "object", "properties": {}, "additionalProperties": False},
        description="JSON Schema of the arguments: a whole one of type object, or only its "
        "properties, all of them required then",
    )


class PythonTool(_Tool):
    """A Python function."""

    python: Annotated[str, StringConstraints(pattern=r"^[\w.]+:[\w.]+$")] = Field(
        description="package.module:function, importable; a coroutine function, or one that runs "
        "in a thread. Its signature is the schema, its docstring the description"
    )
    name: _ToolName | None = Field(
        default=None, description="what the model calls it; otherwise the function's own name"
    )


class McpTools(_Tool):
    """Tools of an MCP server."""

    mcp: _ToolName = Field(description="name of a server under `mcp` in the settings")
    only: list[_Text] | None = Field(
        default=None,
        min_length=1,
        description="names of those tools that the model is told of, as the server has them; "
        "otherwise all",
    )


Declaration = HttpTool | PythonTool | McpTools

_KINDS: Mapping[str, type[Declaration]] = {"url": HttpTool, "python": PythonTool, "mcp": McpTools}


class McpServerSettings(BaseModel):
    """An MCP server: either ``url`` or ``command``."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    url: _Url | None = Field(None, description="Address, for streamable HTTP.")
    headers: dict[str, SecretStr] = Field(
        {},
        description="Sent with each request. `${NAME}` in a value is the environment variable "
        "NAME, or the content of the file that NAME_FILE names.",
    )
    command: str | None = Field(
        None, min_length=1, description="Program to start, which talks through its standard input."
    )
    args: tuple[str, ...] = Field((), description="Its arguments.")
    env: dict[str, SecretStr] = Field(
        {}, description="Its environment, besides PATH and HOME; `${NAME}` as in headers."
    )
    show_errors: bool = Field(
        default=False,
        description="Whether what it writes to its standard error goes to ours. For debugging: it "
        "may hold what callers said.",
    )

    @model_validator(mode="after")
    def _is_one_of_the_two(self) -> Self:
        if (self.url is None) == (self.command is None):
            message = "set either url or command"
            raise ValueError(message)
        if self.url is None and self.headers:
            message = "headers go with url"
            raise ValueError(message)
        if self.command is None and (self.args or self.env):
            message = "args and env go with command"
            raise ValueError(message)
        return self


def read(declared: object) -> list[Declaration]:
    """Return what stands under ``tools`` of an agent file; a validator of the field.

    Raises:
        ValueError: In one line: which tool, counted from 1, which field, what is allowed.
    """
    if not isinstance(declared, list) or len(declared) > MAX_TOOLS:
        message = f"must be a list of at most {MAX_TOOLS} tools"
        raise ValueError(message)
    return [_read_one(place, one) for place, one in enumerate(declared, 1)]


def _read_one(place: int, declared: object) -> Declaration:
    if isinstance(declared, Declaration):
        return declared
    kinds = [key for key in _KINDS if isinstance(declared, dict) and key in declared]
    if len(kinds) != 1:
        message = f"{place}: must have one of {', '.join(_KINDS)}, which says what kind it is"
        raise ValueError(message)
    model = _KINDS[kinds[0]]
    try:
        return TypeAdapter[Declaration](model).validate_python(declared)
    except ValidationError as error:
        raise ValueError(f"{place}.{_first_mistake(error, model)}") from None


def _first_mistake(error: ValidationError, model: type[BaseModel]) -> str:
    # An unknown field before a missing one: it is the missing one, misspelt.
    first = min(
        error.errors(include_url=False),
        key=lambda argument_error: argument_error["type"] != "extra_forbidden",
    )
    place = ".".join(str(part) for part in first["loc"])
    match first["type"]:
        case "missing":
            allowed = "is required"
        case "extra_forbidden":
            allowed = "unknown field; there are " + ", ".join(model.model_fields)
        case "string_type":
            allowed = "must be a text; put it in quotes"
        case _:
            allowed = first["msg"].removeprefix("Value error, ")
    return " ".join(f"{place}: {allowed}".split())[:300]


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
                tools.setdefault(tool.spec.name, tool)
        return tuple(tools.values())[:MAX_TOOLS]


def build(declarations: Sequence[Declaration]) -> DeclaredTools:
    """Return the tools of an agent file, ready to run but for those of MCP servers.

    Reads secrets from the environment and imports the modules of Python functions.

    Raises:
        ValueError: In one line, as :func:`read`, if a secret or a function is missing, or if two
            tools have the same name.
    """
    fixed: dict[str, Tool] = {}
    for place, declared in enumerate(declarations, 1):
        match declared:
            case HttpTool():
                tool = _http(place, declared)
            case PythonTool():
                tool = _python(place, declared)
            case McpTools():
                continue
        name = tool.spec.name
        if name in _CALL_CONTROL:
            raise ValueError(f"{place}.name: {name!r} is built in; take another name")
        if name in fixed:
            raise ValueError(f"{place}.name: another tool is called {name!r}")
        fixed[name] = tool
    mcp = tuple(each for each in declarations if isinstance(each, McpTools))
    return DeclaredTools(fixed=tuple(fixed.values()), mcp=mcp)


def _http(place: int, declared: HttpTool) -> Tool:
    variable = declared.secret_variable
    try:
        keys = signing_keys(_secret(variable))
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


def _secret(variable: str) -> str:
    """Return what is in the environment.

    Raises:
        ValueError: If it is not there, or its file cannot be read.
    """
    if secret := from_environment(variable):
        return secret
    raise ValueError(f"set it in the environment, or {variable}_FILE")


def mcp_servers(settings: Mapping[str, McpServerSettings]) -> dict[str, McpServer]:
    """Return the MCP servers of the settings, by name, not started.

    Raises:
        ValueError: In one line, if the ``mcp`` package, a command or a variable is missing.
    """
    if not settings:
        return {}
    try:
        from pipelines.tools.mcp import McpServer  # noqa: PLC0415 - an extra
        from pipelines.tools.mcp_transport import Command, Remote  # noqa: PLC0415 - the same
    except ModuleNotFoundError as error:
        message = (
            f"mcp: the package {error.name!r} is missing: pip install 'sinch-voice-agent[mcp]'"
        )
        raise ValueError(message) from None
    servers: dict[str, McpServer] = {}
    for name, one in settings.items():
        where: Command | Remote
        if one.url is not None:
            where = Remote(url=one.url, headers=_filled_in(f"mcp.{name}.headers", one.headers))
        else:
            command = shutil.which(one.command or "")
            if command is None:
                raise ValueError(f"mcp.{name}.command: there is no program {one.command!r}")
            env = _filled_in(f"mcp.{name}.env", one.env)
            where = Command(command=command, args=one.args, env=env, show_errors=one.show_errors)
        servers[name] = McpServer(name, where)
    return servers


def _filled_in(place: str, values: Mapping[str, SecretStr]) -> dict[str, str]:
    filled: dict[str, str] = {}
    for key, value in values.items():
        try:
            filled[key] = re.sub(
                r"\$\{([A-Za-z_][A-Za-z0-9_]*)\}",
                lambda found: _secret(found[1]),
                value.get_secret_value(),
            )
        except ValueError as error:
            raise ValueError(f"{place}.{key}: {error}") from None
    return filled
