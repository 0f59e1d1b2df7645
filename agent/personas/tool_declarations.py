"""Tools as they are declared under ``tools`` of an agent file.

Three kinds, told apart by a field that only one of them has::

    tools:
      - url: https://example.com/book         # an HTTP endpoint
        name: book_table
        ...
      - python: restaurant.tools:free_tables  # a Python function
      - mcp: crm                              # what an MCP server of the settings offers

:mod:`agent.personas.declared_tools` makes tools of them.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Any

from pydantic import (
    BaseModel,
    BeforeValidator,
    Field,
    StringConstraints,
    TypeAdapter,
    ValidationError,
)

from agent.personas.errors import mistakes_in
from agent.personas.fields import STRICT, Text
from agent.personas.yaml_text import Plain, resolved
from agent.urls import Url
from pipelines.tools.arguments import check_schema
from pipelines.tools.tool import OnBargeIn

MAX_TOOLS = 50
"""Tools of one agent. All are read by the model with every reply; well before this many it begins
to choose wrongly."""

_ToolName = Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9_-]{1,64}$")]
_Variable = Annotated[str, StringConstraints(pattern=r"^[A-Za-z_][A-Za-z0-9_]*$")]


def _schema(parameters: object) -> object:
    """Return the whole schema; a bare list of properties is that of an object with them all."""
    parameters = resolved(parameters)
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


def _nothing(value: object) -> object:
    """Return None for what YAML calls so."""
    is_nothing = isinstance(value, Plain) and value.lower() in ("", "~", "null")
    return None if is_nothing else value


_Seconds = Annotated[float, Field(gt=0, le=60, strict=False)]


class _Tool(BaseModel):
    model_config = STRICT

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
    secret: list[Text] = Field(
        default=[],
        max_length=50,
        description="names of arguments whose values are on no record: `***` stands there; the "
        "tool and the model have them in full",
    )


class HttpTool(_Tool):
    """An HTTP endpoint of yours that does something or looks something up."""

    name: _ToolName = Field(description="what the model calls it: letters, digits, _ and -")
    description: Text = Field(
        max_length=1024, description="what it does and when to use it; the model decides by it"
    )
    url: Url = Field(description="where the request is sent; fixed, nothing is filled in")
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
    name: Annotated[_ToolName | None, BeforeValidator(_nothing)] = Field(
        default=None, description="what the model calls it; otherwise the function's own name"
    )


class McpTools(_Tool):
    """Tools of an MCP server."""

    mcp: _ToolName = Field(description="name of a server under `mcp` in the settings")
    only: Annotated[list[Text] | None, BeforeValidator(_nothing)] = Field(
        default=None,
        min_length=1,
        description="names of those tools that the model is told of, as the server has them; "
        "otherwise all",
    )


Declaration = HttpTool | PythonTool | McpTools

_KINDS: Mapping[str, type[Declaration]] = {"url": HttpTool, "python": PythonTool, "mcp": McpTools}


def read(declared: object) -> list[Declaration]:
    """Return what stands under ``tools`` of an agent file; a validator of the field.

    Raises:
        ValueError: A line for each mistake: which tool, counted from 1, which field, what is
            allowed.
    """
    if not isinstance(declared, list) or len(declared) > MAX_TOOLS:
        message = f"must be a list of at most {MAX_TOOLS} tools"
        raise ValueError(message)
    found: list[Declaration] = []
    mistakes: list[str] = []
    for place, one in enumerate(declared, 1):
        try:
            found.append(_read_one(place, one))
        except ValueError as error:
            mistakes.append(str(error))
    if mistakes:
        raise ValueError("\n".join(mistakes))
    return found


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
        lines = [f"{place}.{where}: {what}" for where, what in mistakes_in(error, model)]
        raise ValueError("\n".join(lines)) from None
