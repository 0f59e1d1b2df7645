"""The history of agent files: what is found on the disk is kept beside what is saved here."""

from __future__ import annotations

import asyncio

import structlog

from agent.personas.folder import AgentFolder
from agent.personas.loader import version_of
from agent.store.agent_versions import AgentVersions
from agent.store.errors import StoreError

log = structlog.get_logger()

LOOK_EVERY = 5.0
"""Seconds between two looks at what the folder has: as often as it looks at the disk."""


class AgentHistory:
    """Keeps each version of an agent that comes to answer calls.

    Args:
        agents: The files.
        versions: Where they are kept.
    """

    def __init__(self, agents: AgentFolder, versions: AgentVersions) -> None:
        self._agents = agents
        self._versions = versions
        self._kept: dict[str, str] = {}
        """The texts that are kept already, by agent."""

    async def run(self) -> None:
        """Keep what is found; runs until it is cancelled, which is safe."""
        while True:
            try:
                await self.keep()
            except StoreError:  # the database has logged it; the next look finds it again
                log.debug("versions of agents are kept later")
            await asyncio.sleep(LOOK_EVERY)

    async def keep(self) -> None:
        """Keep what has changed since the last time.

        Raises:
            StoreError: If the database fails.
        """
        files = self._agents.known.items()
        texts = {name: file.text for name, file in files if file.text is not None}
        for agent, text in texts.items():
            known = self._kept.get(agent)
            if text is not known and text != known:
                await self._versions.add(agent, version_of(text), text, anew=known is not None)
            self._kept[agent] = text
        for gone in self._kept.keys() - texts.keys():
            del self._kept[gone]

    async def saved(self, agent: str, before: str, text: str, who: str) -> bool:
        """Keep a version that somebody has saved, and the one before; return whether they are kept.

        Args:
            agent: Its name.
            before: What stood in the file: a look may not have found it yet; ``""`` if nothing.
            text: What stands there now.
            who: Whoever saved it.
        """
        try:
            if before:
                await self._versions.add(agent, version_of(before), before, anew=False)
            await self._versions.add(agent, version_of(text), text, who)
        except StoreError:  # the database has logged it
            return False
        return True
