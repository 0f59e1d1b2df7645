"""What a language model may have done: the tools of one call, and how they run.

A tool is a name, a JSON Schema and a coroutine function; :mod:`pipelines.tools.python`,
:mod:`pipelines.tools.http` and :mod:`pipelines.tools.mcp` make them. Call control is not among
them: what it asks for is done by the call itself, after what was said before has been heard.
"""

from __future__ import annotations

import asyncio
import itertools
import json
import traceback
from collections.abc import Callable, Coroutine, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, Literal

import structlog
from jsonschema import Draft202012Validator, SchemaError, ValidationError
from jsonschema.exceptions import best_match
from jsonschema.validators import validator_for
from referencing import Registry
from referencing.exceptions import Unresolvable

from pipelines.conversation import (
    END_CALL,
    PRESS_KEYS,
    TRANSFER_CALL,
    Brief,
    ToolCall,
    ToolResult,
    ToolSpec,
)

log = structlog.get_logger()

MAX_RESULT = 16_000
"""Characters of a result that the model is given: some 4,000 tokens, which it has to read before it
answers, in this turn and in all that follow."""

MAX_REASON = 300
"""Characters of a reason why something failed."""

_BROKEN = "the tool is broken; whether it was done is not known"

CLOSE_WITHIN = 3.0
"""Seconds that a tool which is to be finished may go on after the call. A call is gone within 5."""

STOP_WITHIN = 1.0
"""Seconds that a tool may take to stop once it is cancelled; then it is left behind."""


def call_control(brief: Brief) -> tuple[ToolSpec, ...]:
    """Return what a model may do with the call itself, given whom and what ``brief`` allows."""
    specs = [
        _control(
            END_CALL,
            "Hang up the phone. Use it once the caller has said goodbye or needs nothing more, and "
            "always write a short goodbye in the same message: the call ends after it was spoken.",
        )
    ]
    if brief.destinations:
        whom = " ".join(f"{d.name}: {d.when}." for d in brief.destinations)
        specs.append(
            _control(
                TRANSFER_CALL,
                "Pass the caller on to somebody else. Always say so in a short sentence in the "
                f"same message: they are dialled after it was spoken. Whom, and when: {whom}",
                to={"type": "string", "enum": [d.name for d in brief.destinations]},
            )
        )
    if brief.may_press_keys:
        specs.append(
            _control(
                PRESS_KEYS,
                "Press keys of the telephone, to choose from a menu that answered the call. They "
                "are pressed after what you write in the same message was spoken; write nothing if "
                "a machine listens.",
                keys={"type": "string", "pattern": "^[0-9*#A-Dw]{1,32}$"},
            )
        )
    return tuple(specs)


def _control(name: str, description: str, **parameters: object) -> ToolSpec:
    schema: dict[str, object] = {
        "type": "object",
        "properties": parameters,
        "additionalProperties": False,
    }
    if parameters:  # an empty list is an error by older drafts of JSON Schema
        schema["required"] = list(parameters)
    return ToolSpec(name=name, description=description, parameters=schema)


class ToolError(Exception):
    """A tool could not do what it was asked to; the message tells the model why.

    Args:
        message: A sentence or so, without secrets. It is spoken of, and kept in the transcript.
        undone: Whether it is certain that nothing was done, so that the same may be asked for
            again in this turn.
    """

    def __init__(self, message: str, *, undone: bool = False) -> None:
        super().__init__(message)
        self.undone = undone


@dataclass(frozen=True, slots=True, kw_only=True)
class CallInfo:
    """What a tool is told of the call besides its arguments."""

    call_id: str
    tool_call: str = ""
    """Which of the call's tool calls this is; no two of a call have the same. A tool that has an
    effect elsewhere passes on both, so that a repeat is recognised there."""

    caller: str = ""
    """Number in E.164, or SIP address; ``""`` if it is withheld."""

    called: str = ""


OnBargeIn = Literal["cancel", "keep"]
"""What becomes of a tool that runs when the caller interrupts: it is cancelled, or it goes on to
its end and the model is told the result with the next turn."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Tool:
    """Something that a model may have done."""

    spec: ToolSpec

    run: Callable[[Mapping[str, Any], CallInfo], Coroutine[Any, Any, str]]
    """Does it, and returns what the model is told: JSON or plain text. Raises :class:`ToolError`.
    The arguments have been checked against ``spec.parameters``; cancelling has to be safe."""

    timeout: float = 5.0
    """Seconds. Nobody waits on the phone for much longer without being told why."""

    on_barge_in: OnBargeIn = "keep"
    """Half a booking is worse than one that the caller did not wait for, so ``keep``."""

    filler: str = ""
    """What to say while it takes long; ``""`` if it has no words of its own."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ToolRun:
    """A tool has been run, or was asked for in a way that it could not be."""

    result: ToolResult
    tool_call: str
    """As in :class:`CallInfo`; ``""`` if nothing was run."""

    seconds: float
    cancelled: bool = False


def check_schema(parameters: Mapping[str, Any]) -> None:
    """See whether ``parameters`` can be the schema of a tool's arguments.

    Raises:
        ValueError: If it is no JSON Schema, or not that of an object.
    """
    if parameters.get("type") != "object":
        message = "must be a JSON Schema of type object"
        raise ValueError(message)
    try:
        validator_for(parameters, default=Draft202012Validator).check_schema(dict(parameters))
    except SchemaError as error:
        place = ".".join(map(str, error.absolute_path))
        text = f"{place}: {error.message}" if place else error.message
        raise ValueError(" ".join(text.split())[:MAX_REASON]) from None
    except RecursionError:
        message = "is nested too deep"
        raise ValueError(message) from None


def argument_error(parameters: Mapping[str, Any], arguments: Mapping[str, Any]) -> str:
    """Return what is wrong with ``arguments``, for a model; ``""`` if they fit ``parameters``.

    Args:
        parameters: JSON Schema that :func:`check_schema` found right.
        arguments: As the model gave them.
    """
    kind = validator_for(parameters, default=Draft202012Validator)
    # Without a registry, jsonschema would fetch what a schema refers to from the network.
    validator = kind(parameters, registry=Registry())
    try:
        json.dumps(dict(arguments), allow_nan=False)
        error = best_match(validator.iter_errors(arguments))
    except (Unresolvable, RecursionError):  # found in no check of the schema alone
        return "the tool's own schema cannot be used"
    except (ArithmeticError, TypeError, ValueError):  # NaN, which Python's parser lets pass
        return "there is a value that JSON does not have"
    return _words(error) if error is not None else ""


def _words(error: ValidationError) -> str:
    place = ".".join(map(str, error.absolute_path))
    text = error.message
    if len(text) > MAX_REASON // 2:  # it quotes a long value first; what is allowed comes last
        text = f"does not fit {error.validator}: {error.validator_value!r}"
    return (f"{place}: {text}" if place else text)[:MAX_REASON]


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
        spawn: Starts a task that belongs to the call. What it is given never raises.
        on_kept: Told the result of a tool that nobody waits for any more: the reply that asked for
            it was interrupted.
        on_done: Told of each run and of each call that could not be run, once; for the journal.
    """

    def __init__(
        self,
        tools: Iterable[Tool],
        about: CallInfo,
        *,
        spawn: Callable[[Coroutine[Any, Any, None]], asyncio.Task[None]],
        on_kept: Callable[[ToolResult], None],
        on_done: Callable[[ToolRun], None],
    ) -> None:
        self._tools = {tool.spec.name: tool for tool in tools}
        self._about = about
        self._spawn = spawn
        self._on_kept = on_kept
        self._on_done = on_done
        self._numbers = itertools.count(1)
        self._runs: dict[tuple[str, str], _Run] = {}
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
        if left := {run.task for run in running if run.task and not run.task.done()}:
            await asyncio.wait(left, timeout=STOP_WITHIN)

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
        run = _Run(call, tool, about, started=asyncio.get_running_loop().time())
        run.task = self._spawn(self._run(run))
        self._runs[key] = run
        return run

    def _refuse(self, call: ToolCall, reason: str) -> ToolResult:
        result = ToolResult(call, reason, failed=True)
        log.warning("tool call refused", tool=call.name if call.name in self._tools else "unknown")
        self._on_done(ToolRun(result=result, tool_call="", seconds=0.0))
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
            ToolRun(result=run.result, tool_call=run.about.tool_call, seconds=_seconds(run))
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
    return asyncio.get_running_loop().time() - run.started


def _bounded(text: str) -> str:
    """Return ``text`` so that it can be sent: not too long, and without halves of characters."""
    text = text.encode("utf-8", "replace").decode()
    if len(text) <= MAX_RESULT:
        return text
    return f"{text[:MAX_RESULT]}\n[cut here: {len(text)} characters are too long]"
