"""Python functions as tools: what a model is told of them, and what becomes of its arguments."""

from __future__ import annotations

import asyncio
import contextlib
import threading
import time
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Annotated, Any, Literal

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import BaseModel, Field

from pipelines.tools.python import python_tool
from pipelines.tools.tool import CallInfo, Tool, ToolError

HERE = __name__
ABOUT = CallInfo(call_id="call-1", tool_call="7", caller="+15550001")


@dataclass
class Table:
    """What is found."""

    number: int
    by_the_window: bool


class Guest(BaseModel):
    """Who comes."""

    name: str
    age: int | None = None


async def free_tables(
    day: Annotated[date, Field(description="ISO date")],
    guests: Annotated[int, Field(ge=1, le=12, description="how many come")],
    place: Literal["inside", "garden"] = "inside",
) -> list[Table]:
    """Return the tables that are free.

    Use it before booking.

    Raises:
        ValueError: That is not for the model.
    """
    assert isinstance(day, date)
    return [Table(guests, place == "inside")]


def thread_name(call: CallInfo, *, loud: bool = False) -> str:
    """Return where this runs and for whom."""
    name = f"{threading.current_thread() is threading.main_thread()} {call.caller}"
    return name.upper() if loud else name


async def seat(guests: list[Guest]) -> None:
    """Seat guests."""
    assert all(isinstance(guest, Guest) for guest in guests)


async def weekend_only(day: date) -> str:
    """Say whether there is room."""
    if day.weekday() < 5:
        raise ToolError("we only open on weekends")
    return "yes"


async def odd_names(copy: int, schema: str, _hidden: int = 3) -> str:
    """Have parameters with names that pydantic's models use."""
    return f"{copy} {schema} {_hidden}"


def undocumented() -> str:
    return ""


async def untyped(a) -> str:  # type: ignore[no-untyped-def] # noqa: ANN001
    """Leave a type out."""
    return str(a)


async def gathers(*args: int) -> str:
    """Take any number."""
    return str(args)


async def takes_a_thread(thread: threading.Thread) -> str:
    """Take what no JSON has."""
    return str(thread)


async def wrong_call(call: str) -> str:
    """Take a call that is none."""
    return call


async def field_default(a: int = Field(default=3)) -> str:
    """Use a field as a default."""
    return str(a)


async def unknown_type(when: Someday) -> str:  # type: ignore[name-defined] # noqa: F821
    """Have a type that is none."""
    return str(when)


NOT_A_FUNCTION = 7


def run(tool: Tool, **arguments: Any) -> str:
    return asyncio.run(tool.run(arguments, ABOUT))


def test_the_model_is_told_what_signature_and_docstring_say() -> None:
    """Types, bounds and descriptions of parameters; the docstring up to its sections."""
    spec = python_tool(f"{HERE}:free_tables").spec
    assert spec.name == "free_tables"
    assert spec.description == "Return the tables that are free.\n\nUse it before booking."
    assert spec.parameters == {
        "type": "object",
        "properties": {
            "day": {"type": "string", "format": "date", "description": "ISO date"},
            "guests": {
                "type": "integer",
                "minimum": 1,
                "maximum": 12,
                "description": "how many come",
            },
            "place": {"type": "string", "enum": ["inside", "garden"]},
        },
        "required": ["day", "guests"],
        "additionalProperties": False,
    }


def test_arguments_arrive_as_the_types_of_the_function() -> None:
    """A date is a date; what comes back is JSON."""
    tool = python_tool(f"{HERE}:free_tables", name="tables")
    assert tool.spec.name == "tables"
    assert run(tool, day="2026-12-24", guests=2) == '[{"number":2,"by_the_window":true}]'
    nested = python_tool(f"{HERE}:seat")
    assert run(nested, guests=[{"name": "Ann"}, {"name": "Bo", "age": 7}]) == "done"


def test_what_the_schema_cannot_say_is_still_told() -> None:
    """JSON Schema takes any text for a date; the model learns that this is none."""
    tool = python_tool(f"{HERE}:free_tables")
    with pytest.raises(ToolError, match="day") as caught:
        run(tool, day="tomorrow", guests=2)
    assert caught.value.undone
    assert "tomorrow" not in str(caught.value)


def test_the_call_is_given_and_no_argument() -> None:
    """A parameter named `call` is ours; a function that is no coroutine runs in a thread."""
    tool = python_tool(f"{HERE}:thread_name")
    assert list(tool.spec.parameters["properties"]) == ["loud"]
    assert run(tool) == "False +15550001"
    assert run(tool, loud=True) == "FALSE +15550001"
    with pytest.raises(ToolError, match="call"):
        run(tool, call="mine")


def test_a_function_says_what_went_wrong() -> None:
    """By a ToolError, whose text is the model's."""
    with pytest.raises(ToolError, match="we only open on weekends"):
        run(python_tool(f"{HERE}:weekend_only"), day="2026-12-24")


def test_parameters_may_have_any_name() -> None:
    """Also those that are methods elsewhere."""
    assert run(python_tool(f"{HERE}:odd_names"), copy=1, schema="b") == "1 b 3"


@pytest.mark.parametrize(
    ("reference", "reason"),
    [
        ("nothing", "package.module:function"),
        (":a", "package.module:function"),
        ("no_such_module_here:a", "no_such_module_here"),
        (f"{HERE}:nobody", "nobody"),
        (f"{HERE}:NOT_A_FUNCTION", "not a function"),
        (f"{HERE}:Guest", "not a function"),
        (f"{HERE}:undocumented", "docstring"),
        (f"{HERE}:untyped", "needs a type"),
        (f"{HERE}:gathers", "by name"),
        (f"{HERE}:takes_a_thread", "no JSON"),
        (f"{HERE}:wrong_call", "CallInfo"),
        (f"{HERE}:field_default", "Annotated"),
        (f"{HERE}:unknown_type", "NameError"),
    ],
)
def test_what_cannot_be_a_tool_is_refused_at_the_start(reference: str, reason: str) -> None:
    """With a line that says why."""
    with pytest.raises(ValueError, match=reason):
        python_tool(reference)


def test_a_module_that_cannot_be_imported_is_one_line(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Without what it says, which may be a secret."""
    (tmp_path / "broken_tools.py").write_text('raise RuntimeError("hunter2")')
    monkeypatch.syspath_prepend(tmp_path)
    with pytest.raises(ValueError, match="broken_tools cannot be imported: RuntimeError") as caught:
        python_tool("broken_tools:a")
    assert "hunter2" not in str(caught.value)


def test_a_function_in_a_thread_holds_nobody_up() -> None:
    """When it is given up it goes on by itself, but the call does not wait."""

    async def main() -> float:
        tool = python_tool(f"{HERE}:naps")
        began = time.monotonic()
        task = asyncio.ensure_future(tool.run({}, ABOUT))
        await asyncio.sleep(0.02)
        task.cancel()
        await asyncio.wait({task})
        return time.monotonic() - began

    assert asyncio.run(main()) < 0.2


def naps() -> str:
    """Sleep where it cannot be cancelled."""
    time.sleep(0.25)
    return "slept"


@given(st.dictionaries(st.sampled_from(["day", "guests", "place", "x"]), st.integers() | st.text()))
def test_no_arguments_raise_but_a_tool_error(arguments: Mapping[str, Any]) -> None:
    """Whatever gets past the schema."""
    tool = python_tool(f"{HERE}:free_tables")
    with contextlib.suppress(ToolError, StopIteration):
        tool.run(arguments, ABOUT).send(None)
