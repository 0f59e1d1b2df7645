"""The pages of agents, put together, and what runs beside them."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass

from agent.console.agents.agent_list import AgentList
from agent.console.agents.editing import AgentEditing, EditingParts
from agent.console.agents.history import AgentHistory
from agent.console.agents.pages import AgentPages, AgentParts
from agent.console.agents.preview import AgentPreview
from agent.console.agents.speech import AgentSpeech
from agent.console.rendering import Rendering
from agent.console.routes import Pages
from agent.personas.folder import AgentFolder
from agent.server.checks.finding import Finding
from agent.server.registry import CallRegistry
from agent.settings.sinch import Route
from agent.store.agent_versions import AgentVersions
from agent.store.store import Store
from pipelines.background import BackgroundTasks
from pipelines.stages.lineup import Providers


@dataclass(frozen=True, slots=True, kw_only=True)
class AgentAnswering:
    """How agents answer on this machine."""

    usual: str
    """The agent that answers where no rule names another."""

    routes: Sequence[Route]
    """The rules, in order."""

    rate: int
    """Hertz of the line."""

    time_zone: str
    """Of agents that name none; ``""`` is the machine's."""

    check: Callable[[], list[Finding]]
    """Says what is wrong with any agent file, as ``voice-agent check`` does, in a thread."""


class AgentConsole:
    """What the console has of agents.

    Args:
        answering: How they answer.
        agents: The files.
        providers: Started; they speak.
        registry: Knows how busy this process is.
        store: Keeps versions, and knows of calls.
    """

    def __init__(
        self,
        answering: AgentAnswering,
        agents: AgentFolder,
        providers: Providers,
        registry: CallRegistry,
        store: Store,
    ) -> None:
        self._answering = answering
        self._agents = agents
        self._preview = AgentPreview()
        self._speech = AgentSpeech(providers, registry, answering.rate)
        self._versions = AgentVersions(store.database)
        self._history = AgentHistory(agents, self._versions)
        self._database = store.database

    def pages(self, rendering: Rendering) -> Sequence[Pages]:
        """Return the pages."""
        answering, agents = self._answering, self._agents
        listing = AgentList(
            agents, self._preview, self._database, answering.usual, answering.routes
        )
        shown = AgentParts(
            agents=agents,
            usual=answering.usual,
            check=answering.check,
            listing=listing,
            versions=self._versions,
        )
        editing = EditingParts(
            agents=agents,
            preview=self._preview,
            speech=self._speech,
            history=self._history,
            time_zone=answering.time_zone,
        )
        return [AgentPages(rendering, shown), AgentEditing(editing)]

    @asynccontextmanager
    async def running(self) -> AsyncIterator[None]:
        """Keep the history, and end the process that looks at drafts in the end."""
        background = BackgroundTasks()
        background.keep_running(self._history.run, "keeping versions of agents")
        yield
        await background.aclose()
        await self._preview.aclose()
