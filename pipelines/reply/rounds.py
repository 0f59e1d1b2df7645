"""One request to the language model, and what it asks for."""

from __future__ import annotations

from collections.abc import AsyncGenerator
from contextlib import aclosing

from pipelines.conversation import ToolCall, ToolResult
from pipelines.reply.control import CONTROLS, as_asked, control_step, unless_refused
from pipelines.reply.request import ReplyRequest
from pipelines.reply.speech import say
from pipelines.reply.steps import SentenceEnded, Step


class ModelRound:
    """One request to the language model, and what it asks for.

    Args:
        request: With the conversation so far.
    """

    def __init__(self, request: ReplyRequest) -> None:
        self._request = request
        self._calls: list[ToolCall] = []
        self._controls: dict[int, ToolResult] = {}
        self.said: list[str] = []
        self.end: list[Step] = []
        """What to do once all was heard."""

    async def speak(self) -> AsyncGenerator[Step, None]:
        """Say the words; gather the rest."""
        async with aclosing(say(self._request, self._sentences())) as steps:
            async for step in steps:
                if isinstance(step, SentenceEnded):
                    self.said.append(step.text)
                yield step

    @property
    def to_run(self) -> list[ToolCall]:
        """The tools to run before the model goes on; none if it has said all.

        A mistake in call control is one of them: the model is told, and may mend it.
        """
        mistaken = any(result.failed for result in self._controls.values())
        return self._calls if mistaken or len(self._controls) < len(self._calls) else []

    async def run(self) -> tuple[ToolResult, ...]:
        """Run them; return a result for each, in order."""
        others = [call for at, call in enumerate(self._calls) if at not in self._controls]
        results = iter(await self._request.tools.run_all(others)) if others else iter(())
        return tuple(
            self._controls[at] if at in self._controls else next(results)
            for at in range(len(self._calls))
        )

    async def _sentences(self) -> AsyncGenerator[str, None]:
        request = self._request
        reply = request.lineup.llm.reply(request.brief, request.conversation, request.spent)
        async with aclosing(unless_refused(reply, request.brief)) as pieces:
            async for given in pieces:
                piece = as_asked(given, request.brief)
                if isinstance(piece, str):
                    yield piece
                else:
                    self._take(piece)

    def _take(self, call: ToolCall) -> None:
        if call.name in CONTROLS:
            step = control_step(call, self._request.brief)
            if isinstance(step, str):
                self._controls[len(self._calls)] = ToolResult(call, step, failed=True)
            else:
                self.end.append(step)
                self._controls[len(self._calls)] = ToolResult(call, "Done once you have spoken.")
        self._calls.append(call)
