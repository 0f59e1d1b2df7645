"""The tools of one call, and how they run: once a turn, with a deadline, through a barge-in or not.

What a model may do with the call itself is not among them: :mod:`pipelines.tools.call_control`.
"""

from __future__ import annotations

import asyncio
import itertools
import json
import traceback
from collections.abc import Callable, Coroutine, Iterable, Sequence
from dataclasses import dataclass, replace
from functools import partial
from typing import Any

import structlog

from pipelines.background import BackgroundTasks
from pipelines.clock import now
from pipelines.conversation import ToolCall, ToolResult, ToolSpec
from pipelines.encodable import encodable
from pipelines.tools.arguments import argument_error
from pipelines.tools.tool import CallInfo, Tool, ToolError, ToolRun

log = structlog.get_logger()

MAX_RESULT = 16_000
"""Characters of a result that the model is given: some 4,000 tokens, which it has to read before it
answers, in this turn and in all that follow."""

_BROKEN = "the tool is broken; whether it was done is not known"

CLOSE_WITHIN = 3.0
"""Seconds that a tool which is to be finished may go on after the call. A call is gone within 5."""

STOP_WITHIN = 0.5
"""Seconds that a tool may take to stop once it is cancelled; then it is left behind."""


@dataclass(slots=True, eq=False)
class _Run:
    """One run of a tool, which several that ask for the same share."""

    call: ToolCall
    tool: Tool
    about: CallInfo
    started: float
    task: asyncio.Task[None] | None = None
    result: ToolResult | None = None
    waiting: int = 0
    """Replies that wait for the result."""

    told: bool = False
    """Whether the result has reached somebody, or was given up."""

    @property
    def running(self) -> bool:
        return self.task is not None and not self.task.done()


class Toolbox:
    """The tools of one call.

    Args:
        tools: With names of their own.
        about: The call.
        on_kept: Told the result of a tool that nobody waits for any more: the reply that asked for
            it was interrupted.
        on_done: Told of each run and of each call that could not be run, once; for the journal.
        spawn: Starts a task. What it is given never raises. One that does not stop when the call
            ends is left behind; so it may not be of the call's own, which would wait for it.
    """

    def __init__(
        self,
        tools: Iterable[Tool],
        about: CallInfo,
        *,
        on_kept: Callable[[ToolResult], None],
        on_done: Callable[[ToolRun], None],
        spawn: Callable[[Coroutine[Any, Any, None]], asyncio.Task[None]] | None = None,
    ) -> None:
        self._tools = {tool.spec.name: tool for tool in tools}
        self._about = about
        self._spawn = spawn or partial(BackgroundTasks().start, name="a tool of a call")
        self._on_kept = on_kept
        self._on_done = on_done
        self._numbers = itertools.count(1)
        self._runs: dict[tuple[str, str], _Run] = {}
        self._tasks: set[asyncio.Task[None]] = set()  # of all runs, also of those given up
        self._closed = False

    @property
    def fillers(self) -> tuple[str, ...]:
        """What tools of this call have to say while they take long."""
        return tuple(tool.filler for tool in self._tools.values() if tool.filler)

    @property
    def specs(self) -> tuple[ToolSpec, ...]:
        """What to tell the model of; call control is not among it."""
        return tuple(tool.spec for tool in self._tools.values())

    def new_turn(self) -> None:
        """Forget what has been run: the caller may want the same once more.

        What still runs is not forgotten: who asks for the same meanwhile waits for it.
        """
        self._runs = {key: run for key, run in self._runs.items() if run.running}

    async def run_all(self, calls: Sequence[ToolCall]) -> tuple[ToolResult, ...]:
        """Run what a model asks for, all at once; return the results in the order of ``calls``.

        What does not exist, is asked for wrongly, fails or takes too long gives a result that says
        so. The same call, by name and arguments, runs once a turn: a model that takes over from
        another asks for the same again.

        Cancelling is how a caller interrupts. Tools that are kept go on, and the others are
        cancelled; results that are there already, or come later, go to ``on_kept``.
        """
        runs = [self._begin(call) for call in calls]
        shared = [run for run in runs if isinstance(run, _Run)]
        for run in shared:
            run.waiting += 1
        try:
            if tasks := {run.task for run in shared if run.task is not None}:
                longest = max(run.tool.timeout for run in shared)
                await asyncio.wait(tasks, timeout=longest + STOP_WITHIN)
            for run in shared:
                run.told = True
        finally:
            for run in shared:
                run.waiting -= 1
                self._leave(run)
        return tuple(
            run if isinstance(run, ToolResult) else _result(run, call)
            for run, call in zip(runs, calls, strict=True)
        )

    def slow_filler(self, calls: Sequence[ToolCall]) -> str:
        """Return what to say while ``calls`` take long; ``""`` if they have no words of their own.

        Those of the tool that may take the longest, which is the one waited for in the end.
        """
        asked = (self._tools.get(call.name) for call in calls)
        wordy = [tool for tool in asked if tool is not None and tool.filler]
        return max(wordy, key=lambda tool: tool.timeout).filler if wordy else ""

    async def aclose(self) -> None:
        """End with the call: what is to be kept gets a few seconds, then all are cancelled."""
        self._closed = True
        running = [run for run in self._runs.values() if run.running]
        kept = {run.task for run in running if run.task and run.tool.on_barge_in == "keep"}
        try:
            for run in running:
                if run.tool.on_barge_in == "cancel":
                    self._cancel(run)
            if kept:
                await asyncio.wait(kept, timeout=CLOSE_WITHIN)
        finally:
            for run in running:
                if run.running and not run.told:
                    self._cancel(run)
        if self._tasks:
            await asyncio.wait(self._tasks, timeout=STOP_WITHIN)

    def _begin(self, call: ToolCall) -> _Run | ToolResult:
        """Return the run of ``call``, new or shared, or why it is not run."""
        tool = self._tools.get(call.name)
        if tool is None:
            known = ", ".join(self._tools) or "none"
            return self._refuse(call, f"there is no tool {call.name[:64]!r}; there are: {known}")
        if wrong := argument_error(tool.spec.parameters, call.arguments):
            return self._refuse(call, f"wrong arguments, nothing was done: {wrong}")
        key = _key(call)
        if key in self._runs:
            return self._runs[key]
        if self._closed:
            return self._refuse(call, "the call is over, nothing was done")
        about = replace(self._about, tool_call=str(next(self._numbers)))
        run = _Run(call, tool, about, started=now())
        run.task = self._spawn(self._run(run))
        self._tasks.add(run.task)
        run.task.add_done_callback(self._tasks.discard)
        self._runs[key] = run
        return run

    def _refuse(self, call: ToolCall, reason: str) -> ToolResult:
        result = ToolResult(call, reason, failed=True)
        log.warning("tool call refused", tool=call.name if call.name in self._tools else "unknown")
        tool = self._tools.get(call.name)
        secret = tool.secret if tool is not None else frozenset()
        self._on_done(ToolRun(result=result, tool_call="", seconds=0.0, secret=secret))
        return result

    async def _run(self, run: _Run) -> None:
        """Run it; raises nothing, whatever the tool does."""
        tool = run.tool
        try:
            async with asyncio.timeout(tool.timeout):
                # As a value: a tool is somebody else's code, and may raise anything at all.
                (outcome,) = await asyncio.gather(_attempt(run), return_exceptions=True)
        except TimeoutError:
            outcome = ToolError(
                f"no result within {tool.timeout:g} s; whether it was done is not known"
            )
        if run.told:  # it was cancelled, and came to an end all the same
            return
        run.result = self._judge(run, outcome)
        self._on_done(
            ToolRun(
                result=run.result,
                tool_call=run.about.tool_call,
                seconds=_seconds(run),
                secret=tool.secret,
            )
        )
        if not run.waiting:
            run.told = True
            self._on_kept(run.result)

    def _judge(self, run: _Run, outcome: str | BaseException) -> ToolResult:
        name, seconds = run.tool.spec.name, round(_seconds(run), 3)
        match outcome:
            case str():
                log.info("tool done", tool=name, seconds=seconds)
                return ToolResult(run.call, _bounded(outcome))
            case ToolError():
                log.warning("tool failed", tool=name, seconds=seconds)
                if outcome.undone:
                    self._forget(run)
                return ToolResult(run.call, _bounded(str(outcome) or "it failed"), failed=True)
            case BaseException():
                log.error(
                    "a tool raised what is no ToolError: this is a bug in it",
                    tool=name,
                    error=type(outcome).__name__,
                    frames=traceback.format_tb(outcome.__traceback__),
                )
            case _:
                log.error("a tool returned no text: this is a bug in it", tool=name)
        return ToolResult(run.call, _BROKEN, failed=True)

    def _leave(self, run: _Run) -> None:
        """See what becomes of a run when somebody who waited for it is gone."""
        if run.told or run.waiting:
            return
        if run.result is not None:
            run.told = True
            self._on_kept(run.result)
        elif run.tool.on_barge_in == "cancel":
            self._cancel(run)

    def _cancel(self, run: _Run) -> None:
        if run.task is None or run.task.done():
            return
        run.told = True
        run.task.cancel()
        self._forget(run)
        log.info("tool cancelled", tool=run.tool.spec.name)
        result = ToolResult(run.call, "cancelled before there was a result", failed=True)
        self._on_done(
            ToolRun(
                result=result,
                tool_call=run.about.tool_call,
                seconds=_seconds(run),
                cancelled=True,
                secret=run.tool.secret,
            )
        )

    def _forget(self, run: _Run) -> None:
        self._runs.pop(_key(run.call), None)


async def _attempt(run: _Run) -> str:
    return await run.tool.run(dict(run.call.arguments), run.about)


def _result(run: _Run, call: ToolCall) -> ToolResult:
    if run.result is None:
        return ToolResult(call, "it was stopped; whether it was done is not known", failed=True)
    return replace(run.result, call=call)


def _key(call: ToolCall) -> tuple[str, str]:
    return call.name, json.dumps(dict(call.arguments), sort_keys=True, default=repr)


def _seconds(run: _Run) -> float:
    return now() - run.started


def _bounded(text: str) -> str:
    """Return ``text`` so that it can be sent: not too long, and without halves of characters."""
    text = encodable(text)
    if len(text) <= MAX_RESULT:
        return text
    return f"{text[:MAX_RESULT]}\n[cut here: {len(text)} characters are too long]"
