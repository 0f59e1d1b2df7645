"""Tools give back what they gave: for equal calls, in their order; else a stand-in that says so."""

from __future__ import annotations

from collections.abc import Coroutine
from typing import Any

import pytest

from agent.records.events import RecordedEvent
from agent.replay.recorded_tools import STAND_IN, RecordedTools
from pipelines.clock import now
from pipelines.conversation import ToolSpec
from pipelines.tools.tool import CallInfo, Tool, ToolError
from tests.virtual_time import run

ABOUT = CallInfo(call_id="c")


async def forbidden(*_: object) -> str:
    raise AssertionError("it was run")


BOOK = Tool(spec=ToolSpec(name="book", description="Book.", parameters={}), run=forbidden)


def ran(status: str = "done", result: str = "", name: str = "book", **given: object) -> Any:
    fields = {"name": name, "status": status, "result": result, "seconds": 0.5}
    return RecordedEvent(id=1, kind="tool", at=1.0, fields={**fields, "arguments": given})


def ask(tool: Tool, **given: object) -> tuple[str, float]:
    async def main() -> tuple[str, float]:
        return await tool.run(given, ABOUT), now()

    work: Coroutine[Any, Any, tuple[str, float]] = main()
    return run(work)


def test_equal_calls_get_what_was_recorded() -> None:
    """In the order of then, after as long as then; the last again and again."""
    tools = RecordedTools([ran(result="1", day="Mon"), ran(result="2", day="Mon")])
    (tool,) = tools.in_place_of([BOOK], complete=True)
    assert [ask(tool, day="Mon") for _ in range(3)] == [("1", 0.5), ("2", 0.5), ("2", 0.5)]
    assert tools.stood_in == 0


def test_other_arguments_get_a_stand_in() -> None:
    """Which is marked, and counted."""
    tools = RecordedTools([ran(result="1", day="Mon"), ran("cancelled", day="Tue")])
    (tool,) = tools.in_place_of([BOOK], complete=True)
    assert ask(tool, day="Tue") == (STAND_IN, 0.0)
    assert tools.stood_in == 1


def test_what_failed_fails() -> None:
    """With the same words."""
    (tool,) = RecordedTools([ran("failed", "no room")]).in_place_of([BOOK], complete=True)
    with pytest.raises(ToolError, match="no room"):
        ask(tool)


def test_tools_of_servers_that_are_not_asked_are_offered() -> None:
    """Those that the recorded call has run."""
    tools = RecordedTools([ran(result="x", name="look_up", of="it")])
    book, look_up = tools.in_place_of([BOOK], complete=False)
    assert (book.spec, look_up.spec.name) == (BOOK.spec, "look_up")
    assert ask(look_up, of="it")[0] == "x"
    assert [one.spec.name for one in tools.in_place_of([BOOK], complete=True)] == ["book"]
