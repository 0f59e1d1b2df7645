"""What a language model may do about who is on the line: add and drop those of the agent file."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from agent.personas.script import ScriptParty
from agent.sinch.call_control import CallControl
from agent.sinch.contracts import Party
from agent.sinch.dialling.dial_rules import OPTED_OUT_HINT
from agent.sinch.refusals import CallControlError, RefusedError
from agent.store.errors import StoreError
from pipelines.conversation import ADD_PARTY, DROP_PARTY, ToolSpec
from pipelines.tools.tool import CallInfo, Tool, ToolError

WITHIN = 15.0
"""Seconds for the platform to take a request: those that it may be asked again in, and a little."""


def party_tools(
    parties: Sequence[ScriptParty], call_control: CallControl, call_name: str
) -> tuple[Tool, ...]:
    """Return the tools of a call; none if its agent file names nobody.

    The same rules and limits hold for whom they dial as for an operator. No number reaches the
    model, and it drops nobody whom its file does not name.

    Args:
        parties: As the agent file has them.
        call_control: Dials and hangs up.
        call_name: Our name of the call.
    """
    if not parties:
        return ()
    tools = _PartyTools(parties, call_control, call_name)
    whom = " ".join(f"{one.name}: {one.when}." for one in parties)
    added = (
        "Call somebody, so that they join this conversation. They ring for a while; do not promise "
        f"that they come. Whom, and when: {whom}"
    )
    dropped = "Take somebody off the line again whom you have added. The conversation goes on."
    names = [one.name for one in parties]
    return (
        Tool(spec=_spec(ADD_PARTY, added, names), run=tools.add, timeout=WITHIN),
        Tool(spec=_spec(DROP_PARTY, dropped, names), run=tools.drop, timeout=WITHIN),
    )


class _PartyTools:
    def __init__(
        self, parties: Sequence[ScriptParty], call_control: CallControl, call_name: str
    ) -> None:
        self._named = {one.name: one for one in parties}
        self._call_control = call_control
        self._call_name = call_name

    async def add(self, arguments: Mapping[str, Any], _about: CallInfo) -> str:
        one = self._named[arguments["who"]]
        if await self._on_line(one):
            return f"{one.title} is on the line already, or is being called."
        try:
            await self._call_control.parties.add(self._call_name, _party(one))
        except RefusedError:  # Sinch's words may quote the number
            raise ToolError(f"{one.title} cannot be called: Sinch does not dial") from None
        except (CallControlError, StoreError) as error:
            why = str(error).partition(OPTED_OUT_HINT)[0]  # what operators do is no model's matter
            raise ToolError(f"{one.title} cannot be called: {why}", undone=True) from None
        return f"{one.title} is being called, and will be on the line if they answer."

    async def drop(self, arguments: Mapping[str, Any], _about: CallInfo) -> str:
        one = self._named[arguments["who"]]
        leg = await self._on_line(one)
        if not leg:
            raise ToolError(f"{one.title} is not on the line", undone=True)
        try:
            await self._call_control.parties.drop(self._call_name, leg, by="agent")
        except RefusedError:
            raise ToolError(f"{one.title} cannot be hung up: Sinch does not do it") from None
        except (CallControlError, StoreError) as error:
            raise ToolError(f"{one.title}: {error}", undone=True) from None
        return f"{one.title} is not on the line any more."

    async def _on_line(self, one: ScriptParty) -> str:
        """Return the name of the leg of somebody who is there, or to come; ``""`` if nobody is.

        Raises:
            ToolError: If the database fails.
        """
        try:
            legs = await self._call_control.parties.of(self._call_name)
        except StoreError as error:
            raise ToolError(f"the database fails: {error}", undone=True) from None
        there = [leg for leg in legs if leg.standing in ("expected", "joined")]
        return next((leg.name for leg in there if leg.to == one.to), "")


def _party(one: ScriptParty) -> Party:
    return Party(
        to=one.to,
        title=one.title,
        ring_seconds=one.ring_seconds,
        announcement=one.announcement,
        disclosure=one.disclosure,
    )


def _spec(name: str, description: str, names: Sequence[str]) -> ToolSpec:
    who = {"type": "string", "enum": [*names]}
    schema = {
        "type": "object",
        "properties": {"who": who},
        "required": ["who"],
        "additionalProperties": False,
    }
    return ToolSpec(name=name, description=description, parameters=schema)
