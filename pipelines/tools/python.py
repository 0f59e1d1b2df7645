"""Python functions as tools.

The schema comes from the signature, through pydantic, and the description from the docstring.
"""

from __future__ import annotations

import asyncio
import inspect
import typing
from collections.abc import Callable, Coroutine, Mapping
from importlib import import_module
from operator import attrgetter
from typing import Any, NotRequired, cast

from pydantic import ConfigDict, TypeAdapter, ValidationError
from pydantic.errors import PydanticSchemaGenerationError, PydanticUserError
from pydantic.fields import FieldInfo
from pydantic.json_schema import GenerateJsonSchema
from pydantic_core import to_json
from typing_extensions import TypedDict

from pipelines.conversation import ToolSpec
from pipelines.renamed import RenamedError, missing
from pipelines.tools.arguments import check_schema
from pipelines.tools.tool import MAX_REASON, CallInfo, OnBargeIn, Tool, ToolError

CALL = "call"
"""The parameter that is given the :class:`CallInfo` instead of an argument of the model's."""

_SECTIONS = ("Args:", "Returns:", "Raises:", "Yields:", "Parameters", "Note:", "Example")
"""Where the part of a docstring begins that is not for the model."""


def python_tool(
    reference: str,
    *,
    name: str = "",
    timeout: float = 5.0,
    on_barge_in: OnBargeIn = "keep",
    filler: str = "",
) -> Tool:
    """Return the function that ``reference`` names as a tool.

    A coroutine function is awaited, any other runs in a thread, which nothing can stop: it needs
    deadlines of its own. What is returned goes to the model as it is if it is a text, and as JSON
    if it is not. A function says what went wrong by raising :class:`ToolError`.

    Args:
        reference: ``package.module:function``.
        name: For the model; ``""`` is the function's own.
        timeout: Seconds.
        on_barge_in: As in :class:`Tool`.
        filler: As in :class:`Tool`.

    Raises:
        ValueError: If there is no such function, or a model cannot be told how to call it.
    """
    function = _find(reference)
    description = _description(function)
    adapter = _arguments(function)
    takes_call = CALL in inspect.signature(function).parameters
    parameters = adapter.json_schema(schema_generator=_Untitled)
    parameters.pop("title", None)
    parameters.setdefault("properties", {})
    check_schema(parameters)

    async def run(arguments: Mapping[str, Any], about: CallInfo) -> str:
        try:
            given = dict(adapter.validate_python(dict(arguments)))
        except ValidationError as error:
            raise ToolError(_words(error), undone=True) from None
        if takes_call:
            given[CALL] = about
        if inspect.iscoroutinefunction(function):
            result = await cast("Coroutine[Any, Any, object]", function(**given))
        else:
            result = await asyncio.to_thread(function, **given)
        return _text(result)

    return Tool(
        spec=ToolSpec(
            name=name or function.__name__, description=description, parameters=parameters
        ),
        run=run,
        timeout=timeout,
        on_barge_in=on_barge_in,
        filler=filler,
    )


def _find(reference: str) -> Callable[..., object]:
    module, _, attribute = reference.partition(":")
    if not module or not attribute:
        message = "must be package.module:function"
        raise ValueError(message)
    try:
        function = attrgetter(attribute)(import_module(module))
    except RenamedError as error:
        message = f"{module} cannot be imported: {error}"
        raise ValueError(message) from None
    except ModuleNotFoundError as error:
        message = f"there is no module {error.name!r}; is it installed, or on PYTHONPATH?"
        raise ValueError(f"{module}: {ours}" if (ours := missing(error)) else message) from None
    except AttributeError:
        message = f"there is no {attribute!r} in {module}, or it cannot be imported"
        raise ValueError(message) from None
    except (
        ArithmeticError,
        AssertionError,
        ImportError,
        LookupError,
        NameError,
        OSError,
        RuntimeError,
        SyntaxError,
        TypeError,
        ValueError,
    ) as error:  # somebody else's module; what it quotes may be a secret
        message = f"{module} cannot be imported: {type(error).__name__}"
        raise ValueError(message) from error
    if not inspect.isfunction(function):
        message = f"{attribute} is not a function"
        raise ValueError(message)
    return cast("Callable[..., object]", function)


def _description(function: Callable[..., object]) -> str:
    """Return the docstring's part for the model: up to the first section.

    Raises:
        ValueError: If there is none.
    """
    lines = (inspect.getdoc(function) or "").split("\n")
    end = next((n for n, line in enumerate(lines) if line.startswith(_SECTIONS)), len(lines))
    if text := "\n".join(lines[:end]).strip():
        return text
    message = "the function needs a docstring: the model decides by it"
    raise ValueError(message)


def _arguments(function: Callable[..., object]) -> TypeAdapter[dict[str, Any]]:
    """Return what checks and converts the arguments.

    Raises:
        ValueError: If a parameter is of a kind, or a type, that JSON cannot give.
    """
    try:
        hints = typing.get_type_hints(function, include_extras=True)
    except (NameError, TypeError, AttributeError) as error:
        message = f"the types of the parameters cannot be read: {type(error).__name__}"
        raise ValueError(message) from error
    fields: dict[str, Any] = {}
    for parameter in inspect.signature(function).parameters.values():
        if parameter.name == CALL:
            if hints.get(CALL) is not CallInfo:
                message = f"the parameter {CALL!r} must be of type pipelines.tools.CallInfo"
                raise ValueError(message)
            continue
        fields[parameter.name] = _field(parameter, hints)
    arguments = TypedDict("Arguments", fields)  # type: ignore[misc] # made from a signature
    arguments.__pydantic_config__ = ConfigDict(extra="forbid")  # type: ignore[attr-defined]
    try:
        adapter: TypeAdapter[dict[str, Any]] = TypeAdapter(cast("Any", arguments))
        adapter.json_schema()
    except (PydanticSchemaGenerationError, PydanticUserError) as error:
        message = "a parameter has a type that no JSON can give"
        raise ValueError(message) from error
    return adapter


def _field(parameter: inspect.Parameter, hints: Mapping[str, Any]) -> object:
    kinds = (inspect.Parameter.POSITIONAL_OR_KEYWORD, inspect.Parameter.KEYWORD_ONLY)
    if parameter.kind not in kinds:
        message = f"the parameter {parameter.name!r} cannot be given by name"
        raise ValueError(message)
    if parameter.name not in hints:
        message = f"the parameter {parameter.name!r} needs a type"
        raise ValueError(message)
    if isinstance(parameter.default, FieldInfo):
        message = f"the parameter {parameter.name!r}: write Annotated[type, Field(...)]"
        raise ValueError(message)  # noqa: TRY004 - one error for all that can be wrong
    hint = hints[parameter.name]
    return hint if parameter.default is inspect.Parameter.empty else NotRequired[hint]


class _Untitled(GenerateJsonSchema):
    """Without titles: they repeat the names, and a model reads all of it each time."""

    def field_title_should_be_set(self, schema: Any) -> bool:  # noqa: ANN401, ARG002 - pydantic's
        """Return False."""
        return False


def _words(error: ValidationError) -> str:
    first = error.errors(include_url=False, include_context=False, include_input=False)[0]
    place = ".".join(map(str, first["loc"]))
    return f"wrong arguments, nothing was done: {place}: {first['msg']}"[:MAX_REASON]


def _text(result: object) -> str:
    match result:
        case str():
            return result
        case None:
            return "done"
    return to_json(result).decode()
