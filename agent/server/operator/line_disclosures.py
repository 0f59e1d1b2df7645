"""What those who are dialled onto a line hear of its agent before: that a machine talks."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace

from agent.personas.errors import PersonaError
from agent.personas.folder import AgentFolder
from agent.personas.machine_words import example
from agent.server.admission import details
from agent.server.operator.call_actions import CallActions
from agent.server.operator.errors import UnreadableError
from agent.sinch.call_control import CallControl
from agent.sinch.contracts import Dial, ExpectedCall, Party


class LineDisclosures:
    """Finds it in the agent files, as of the country of each.

    Every method raises UnreadableError if there is no such agent, or it has no such variable.

    Args:
        agents: The files.
        actions: Knows the agents of calls in progress.
        call_control: Knows the calls that we placed; None if there is no account.
    """

    def __init__(
        self, agents: AgentFolder, actions: CallActions, call_control: CallControl | None
    ) -> None:
        self._agents = agents
        self._actions = actions
        self._call_control = call_control

    async def dialled(self, dial: Dial, discloses: Sequence[bool]) -> Dial:
        """Return a call whose parties hear it.

        Args:
            dial: To several; or to one, to whom the agent itself says it.
            discloses: Whether it is for each of several, in their order.
        """
        await self._of(dial.agent, dial.to, dial.variables)
        parties = [
            await self._told(one, dial.agent, dial.variables) if told else one
            for one, told in zip(dial.parties, discloses, strict=True)
        ]
        return replace(dial, parties=tuple(parties))

    async def added(self, name: str, party: Party) -> Party:
        """Return somebody who hears it before they come to a call in progress.

        Args:
            name: Of the call; nothing is found if there is none.
            party: They.
        """
        placed = await self._call_control.placed(name) if self._call_control else None
        if placed is not None:
            return await self._told(party, placed.agent, placed.variables)
        for call in await self._actions.in_progress():
            if call["id"] == name:
                return await self._told(party, call["agent"], {})
        return party

    async def _told(self, party: Party, agent: str, variables: Mapping[str, str]) -> Party:
        return replace(party, disclosure=await self._of(agent, party.to, variables))

    async def _of(self, agent: str, to: str, variables: Mapping[str, str]) -> str:
        expected = ExpectedCall(
            call="", agent=agent, caller="", called=to, variables=variables, outgoing=True
        )
        try:
            script = await self._agents.script(agent, details({"called": to}, "", expected))
        except PersonaError as error:
            known = ", ".join(self._agents.names)
            raise UnreadableError(f"agent or variables: {error} (agents: {known})") from None
        return example(script.brief.language) if script.greeting_discloses else script.disclosure
