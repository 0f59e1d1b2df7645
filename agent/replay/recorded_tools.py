"""Tools that are not run: they give back what they gave in the recorded call."""

from __future__ import annotations

import asyncio
import json
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import replace
from functools import partial
from typing import Any

from agent.records.events import RecordedEvent
from pipelines.conversation import ToolSpec
from pipelines.tools.tool import CallInfo, Tool, ToolError

STAND_IN = json.dumps(
    {
        "replay": "this tool was not run: the recorded call had no result for these arguments. "
        "Take it as done."
    }
)
"""What a tool gives where nothing was recorded."""


class RecordedTools:
    """The tools of one replay.

    Args:
        events: Of the recorded call.
    """

    def __init__(self, events: Sequence[RecordedEvent]) -> None:
        self._results: defaultdict[str, list[Mapping[str, Any]]] = defaultdict(list)
        self._names: dict[str, None] = {}
        for one in events:
            if one.kind == "tool" and one.fields.get("status") in ("done", "failed"):
                name = str(one.fields.get("name", ""))
                self._names[name] = None
                self._results[_key(name, one.fields.get("arguments"))].append(one.fields)
        self.stood_in = 0
        """Times that there was no recorded result."""

    def in_place_of(self, tools: Sequence[Tool], *, complete: bool) -> tuple[Tool, ...]:
        """Return what the model may ask for, none of which runs.

        Args:
            tools: Those of the agent.
            complete: Whether these are all. Those of MCP servers are not known without asking
                them; what the recorded call has run is then offered all the same.
        """
        specs = {tool.spec.name: tool for tool in tools}
        if not complete:
            for name in self._names:
                specs.setdefault(name, _unknown(name))
        return tuple(
            replace(tool, run=partial(self._give, name, tool.timeout))
            for name, tool in specs.items()
        )

    async def _give(
        self, name: str, longest: float, arguments: Mapping[str, Any], _about: CallInfo
    ) -> str:
        """Give the next recorded result of the same request; the last of them again and again."""
        recorded = self._results.get(_key(name, arguments))
        if recorded is None:
            self.stood_in += 1
            return STAND_IN
        fields = recorded.pop(0) if len(recorded) > 1 else recorded[0]
        seconds, result = fields.get("seconds"), str(fields.get("result", ""))
        if isinstance(seconds, int | float):
            await asyncio.sleep(min(max(0.0, seconds), longest / 2))
        if fields.get("status") == "failed":
            raise ToolError(result)
        return result


def _unknown(name: str) -> Tool:
    async def never(_arguments: Mapping[str, Any], _about: CallInfo) -> str:
        raise ToolError("it is not run in a replay")

    spec = ToolSpec(name=name, description="", parameters={"type": "object"})
    return Tool(spec=spec, run=never)


def _key(name: str, arguments: object) -> str:
    return json.dumps([name, arguments or {}], sort_keys=True, default=repr)
