"""What a reply is made from."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from typing import Protocol

from pipelines.conversation import Brief, Destination, Message, ToolCall, ToolResult
from pipelines.stages.lineup import Lineup
from pipelines.stages.usage import DraftCost


class Tools(Protocol):
    """The tools of one call."""

    def slow_filler(self, calls: Sequence[ToolCall]) -> str:
        """Return what to say while they take long; ``""`` if they have nothing of their own."""
        ...

    async def run_all(self, calls: Sequence[ToolCall]) -> tuple[ToolResult, ...]:
        """Run them side by side, each within its deadline; return a result for each, in order.

        Never raises: a tool that fails has a result that says so. When cancelled, it lets go of
        those that can be, and lets the others run on.
        """
        ...


class NoTools:
    """For an agent that has none."""

    def slow_filler(self, calls: Sequence[ToolCall]) -> str:  # noqa: ARG002 - Tools' signature
        """Say nothing."""
        return ""

    async def run_all(self, calls: Sequence[ToolCall]) -> tuple[ToolResult, ...]:
        """Refuse all of them."""
        return tuple(ToolResult(call, "There is no such tool.", failed=True) for call in calls)


class OnLine(Protocol):
    """To whom something is said, where there may be several on the line."""

    def is_for_us(self, text: str) -> bool:
        """Return whether what was said may be said to the agent, and wants a reply."""
        ...

    def brief(self, brief: Brief) -> Brief:
        """Return what the language model is told, with who is on the line."""
        ...


class OnePhone:
    """A line on which all is said to the agent."""

    def is_for_us(self, text: str) -> bool:  # noqa: ARG002 - OnLine's signature
        """Return that it is."""
        return True

    def brief(self, brief: Brief) -> Brief:
        """Return it as it is."""
        return brief


@dataclass(frozen=True, slots=True, kw_only=True)
class ReplyRequest:
    """What a reply is made from."""

    lineup: Lineup
    brief: Brief
    conversation: Sequence[Message]
    before: Callable[[], Sequence[Message]] | None = None
    """Gives, once it is known what the caller said, what the model is shown before it; None for the
    conversation."""

    destinations: Callable[[Sequence[Destination]], tuple[Destination, ...]] = tuple
    """Gives whom the caller can be passed on to, each with why they cannot be now."""

    whispers: Sequence[str] = ()
    """What operators have told the agent: it may grow until a model is asked."""

    rate: int
    """Hertz of the line, which voices are asked for."""

    line: OnLine = field(default_factory=OnePhone)
    tools: Tools = field(default_factory=NoTools)
    released: asyncio.Event
    """Set once the reply is no draft any more: no tool runs before."""

    spent: DraftCost

    def conversation_now(self) -> Sequence[Message]:
        """Return what a model is shown before what the caller said, if it is asked now."""
        return self.conversation if self.before is None else self.before()

    def brief_now(self, *, may_call_tools: bool) -> Brief:
        """Return what a model is told that is asked now."""
        brief = self.line.brief(self.brief)
        return replace(
            brief,
            may_call_tools=may_call_tools,
            whispers=tuple(self.whispers),
            destinations=self.destinations(brief.destinations),
        )
