"""Tools of a call: side by side, once, in time; interrupted, and at the end."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Awaitable, Callable, Coroutine, Mapping
from typing import Any

import structlog
from hypothesis import given
from hypothesis import strategies as st

from pipelines.conversation import ToolCall, ToolResult, ToolSpec
from pipelines.reply.request import Tools
from pipelines.tools.tool import CallInfo, OnBargeIn, Tool, ToolError, ToolRun
from pipelines.tools.toolbox import MAX_RESULT, STOP_WITHIN, Toolbox
from tests import virtual_time

ANYTHING = {"type": "object"}
ABOUT = CallInfo(call_id="call-1", caller="+15550001", called="+15550002")

Body = Callable[[Mapping[str, Any], CallInfo], Coroutine[Any, Any, str]]


def tool(
    name: str,
    run: Body,
    *,
    timeout: float = 5.0,
    on_barge_in: OnBargeIn = "keep",
    filler: str = "",
    parameters: Mapping[str, Any] = ANYTHING,
) -> Tool:
    return Tool(
        spec=ToolSpec(name=name, description=name, parameters=parameters),
        run=run,
        timeout=timeout,
        on_barge_in=on_barge_in,
        filler=filler,
    )


class Slow:
    """A tool that takes some seconds and notes what happens to it."""

    def __init__(self, seconds: float = 1.0, text: str = "done") -> None:
        self.seconds = seconds
        self.text = text
        self.begun: list[CallInfo] = []
        self.cancelled = 0

    async def __call__(self, arguments: Mapping[str, Any], about: CallInfo) -> str:
        self.begun.append(about)
        try:
            await asyncio.sleep(self.seconds)
        except asyncio.CancelledError:
            self.cancelled += 1
            raise
        return self.text


class Records:
    """What a toolbox told."""

    def __init__(self) -> None:
        self.kept: list[ToolResult] = []
        self.ran: list[ToolRun] = []


def toolbox(*tools: Tool, records: Records | None = None) -> Toolbox:
    records = records or Records()
    return Toolbox(
        tools,
        ABOUT,
        spawn=asyncio.get_running_loop().create_task,
        on_kept=records.kept.append,
        on_done=records.ran.append,
    )


async def interrupt(running: Awaitable[object], after: float) -> None:
    """Let ``running`` go on for some seconds, then cancel it as a barge-in does."""
    task = asyncio.ensure_future(running)
    await asyncio.sleep(after)
    task.cancel()
    await asyncio.wait({task})
    assert task.cancelled()


def test_a_toolbox_is_what_the_chain_expects() -> None:
    """Whoever changes one of the two finds out."""

    async def main() -> None:
        box: Tools = toolbox()
        assert await box.run_all([]) == ()

    virtual_time.run(main())


def test_side_by_side_in_the_order_asked_for() -> None:
    """Three tools take as long as the slowest; results come in the order of the calls."""

    async def main() -> None:
        times = {"slow": 3.0, "quick": 1.0, "middle": 2.0}
        box = toolbox(*(tool(name, Slow(s, name)) for name, s in times.items()))
        results = await box.run_all([ToolCall(name, {}, id=name) for name in times])
        assert [(r.text, r.call.id) for r in results] == [(name, name) for name in times]
        assert not any(result.failed for result in results)
        assert asyncio.get_running_loop().time() == 3.0

    virtual_time.run(main())


def test_each_has_a_deadline_of_its_own() -> None:
    """A tool that takes too long has failed; the other beside it has not."""

    async def main() -> None:
        hung = Slow(60.0)
        box = toolbox(tool("hung", hung, timeout=2.0), tool("fine", Slow(1.0)))
        late, fine = await box.run_all([ToolCall("hung"), ToolCall("fine")])
        assert late.failed
        assert "2 s" in late.text
        assert hung.cancelled == 1
        assert not fine.failed
        assert asyncio.get_running_loop().time() == 2.0

    virtual_time.run(main())


def test_one_that_cannot_be_cancelled_does_not_hold_up_the_reply() -> None:
    """A tool that ignores its deadline is left behind a second later."""

    async def stubborn(arguments: Mapping[str, Any], about: CallInfo) -> str:
        for _ in range(100):
            try:
                await asyncio.sleep(1.0)
            except asyncio.CancelledError:
                continue
        return "at last"

    async def main() -> None:
        records = Records()
        box = toolbox(tool("stubborn", stubborn, timeout=2.0), records=records)
        (result,) = await box.run_all([ToolCall("stubborn")])
        assert result.failed
        assert asyncio.get_running_loop().time() == 2.0 + STOP_WITHIN
        await box.aclose()
        assert asyncio.get_running_loop().time() < 10.0
        await asyncio.sleep(100.0)
        assert records.kept == []

    virtual_time.run(main())


def test_what_does_not_exist_is_said_to_the_model() -> None:
    """An invented tool gives a failed result that names those there are."""

    async def main() -> None:
        records = Records()
        box = toolbox(tool("weather", Slow()), records=records)
        (result,) = await box.run_all([ToolCall("wether")])
        assert result.failed
        assert "weather" in result.text
        assert [ran.result for ran in records.ran] == [result]

    virtual_time.run(main())


def test_wrong_arguments_run_nothing() -> None:
    """The model is told what is wrong, and the tool is not begun."""
    parameters = {
        "type": "object",
        "properties": {"guests": {"type": "integer", "minimum": 1}},
        "required": ["guests"],
        "additionalProperties": False,
    }

    async def main() -> None:
        body = Slow()
        box = toolbox(tool("book", body, parameters=parameters))
        results = await box.run_all(
            [
                ToolCall("book", {"guests": "four"}),
                ToolCall("book", {}),
                ToolCall("book", {"guests": 0}),
                ToolCall("book", {"guests": 2, "name": "Ann"}),
            ]
        )
        assert all(result.failed for result in results)
        assert "guests" in results[0].text
        assert "integer" in results[0].text
        assert "guests" in results[1].text
        assert "minimum" in results[2].text
        assert "name" in results[3].text
        assert body.begun == []

    virtual_time.run(main())


def test_a_broken_tool_fails_alone_and_visibly() -> None:
    """Its author finds the line in the log; neither log nor model sees the values."""

    async def broken(arguments: Mapping[str, Any], about: CallInfo) -> str:
        raise KeyError(arguments["secret"])

    async def main() -> ToolResult:
        box = toolbox(tool("broken", broken))
        (result,) = await box.run_all([ToolCall("broken", {"secret": "hunter2"})])
        return result

    with structlog.testing.capture_logs() as lines:
        result = virtual_time.run(main())
    assert result.failed
    assert "hunter2" not in result.text
    (line,) = [line for line in lines if line["log_level"] == "error"]
    assert line["error"] == "KeyError"
    assert any("broken" in frame for frame in line["frames"])
    assert "hunter2" not in str(lines)


def test_a_tool_that_is_no_coroutine_function_fails_alone() -> None:
    """Even what cannot be awaited, or gives no text, is a failed result."""

    def plain(arguments: Mapping[str, Any], about: CallInfo) -> Any:
        raise ZeroDivisionError

    async def number(arguments: Mapping[str, Any], about: CallInfo) -> Any:
        return 7

    async def main() -> None:
        box = toolbox(tool("plain", plain), tool("number", number))
        results = await box.run_all([ToolCall("plain"), ToolCall("number")])
        assert all(result.failed for result in results)

    virtual_time.run(main())


def test_a_tool_says_why_it_failed() -> None:
    """The message of a ToolError is for the model."""

    async def full(arguments: Mapping[str, Any], about: CallInfo) -> str:
        raise ToolError("no table is free at eight; there is one at nine")

    async def main() -> None:
        (result,) = await toolbox(tool("book", full)).run_all([ToolCall("book")])
        assert result == ToolResult(
            ToolCall("book"), "no table is free at eight; there is one at nine", failed=True
        )

    virtual_time.run(main())


def test_the_same_call_runs_once_a_turn() -> None:
    """A model that takes over asks for the same again; the caller, a turn later, means it."""

    async def main() -> None:
        body = Slow()
        box = toolbox(tool("book", body), tool("other", body))
        twice = [ToolCall("book", {"a": 1, "b": 2}, id="x"), ToolCall("book", {"b": 2, "a": 1})]
        results = await box.run_all(twice)
        assert [result.call.id for result in results] == ["x", ""]
        await box.run_all([ToolCall("book", {"a": 1, "b": 2}, id="of another provider")])
        assert len(body.begun) == 1
        await box.run_all([ToolCall("book", {"a": 1}), ToolCall("other", {"a": 1, "b": 2})])
        assert len(body.begun) == 3
        box.new_turn()
        await box.run_all(twice)
        assert len(body.begun) == 4
        names = [about.tool_call for about in body.begun]
        assert len(set(names)) == 4
        assert {about.call_id for about in body.begun} == {"call-1"}

    virtual_time.run(main())


def test_what_may_have_been_done_is_not_tried_again_in_a_turn() -> None:
    """A failure is shared as a success is, unless it is certain that nothing was done."""
    begun: list[str] = []

    async def fails(arguments: Mapping[str, Any], about: CallInfo) -> str:
        begun.append(about.tool_call)
        raise ToolError("no", undone=arguments["undone"])

    async def main() -> None:
        box = toolbox(tool("fails", fails))
        for undone in (False, False, True, True):
            await box.run_all([ToolCall("fails", {"undone": undone})])
        assert begun == ["1", "2", "3"]

    virtual_time.run(main())


def test_barge_in_cancels_what_is_to_be_cancelled() -> None:
    """Its result is nobody's; asked for again, it runs again."""

    async def main() -> None:
        body, records = Slow(3.0), Records()
        box = toolbox(tool("search", body, on_barge_in="cancel"), records=records)
        await interrupt(box.run_all([ToolCall("search")]), after=1.0)
        await asyncio.sleep(0)
        assert body.cancelled == 1
        await asyncio.sleep(10.0)
        assert records.kept == []
        assert [(ran.cancelled, ran.seconds) for ran in records.ran] == [(True, 1.0)]
        (result,) = await box.run_all([ToolCall("search")])
        assert not result.failed

    virtual_time.run(main())


def test_barge_in_keeps_what_is_to_be_kept() -> None:
    """It goes on to its end, and its result is told then."""

    async def main() -> None:
        body, records = Slow(3.0, "booked"), Records()
        box = toolbox(tool("book", body, on_barge_in="keep"), records=records)
        await interrupt(box.run_all([ToolCall("book", {"at": 8}, id="x")]), after=1.0)
        assert records.kept == []
        await asyncio.sleep(2.5)
        assert records.kept == [ToolResult(ToolCall("book", {"at": 8}, id="x"), "booked")]
        assert [ran.seconds for ran in records.ran] == [3.0]
        assert body.cancelled == 0

    virtual_time.run(main())


def test_results_that_were_there_at_a_barge_in_are_not_lost() -> None:
    """One is done, one is cancelled, one goes on: two results are told, each once."""

    async def main() -> None:
        records = Records()
        box = toolbox(
            tool("done", Slow(0.5, "1"), on_barge_in="cancel"),
            tool("cancelled", Slow(2.0, "2"), on_barge_in="cancel"),
            tool("kept", Slow(3.0, "3"), on_barge_in="keep"),
            records=records,
        )
        names = ["done", "cancelled", "kept"]
        await interrupt(box.run_all([ToolCall(name) for name in names]), after=1.0)
        assert [result.text for result in records.kept] == ["1"]
        await asyncio.sleep(5.0)
        assert [result.text for result in records.kept] == ["1", "3"]

    virtual_time.run(main())


def test_the_next_turn_waits_for_what_still_runs() -> None:
    """A caller who says 'yes, book it' over the booking has not booked twice."""

    async def main() -> None:
        body, records = Slow(3.0, "booked"), Records()
        box = toolbox(tool("book", body), records=records)
        await interrupt(box.run_all([ToolCall("book")]), after=1.0)
        box.new_turn()
        (result,) = await box.run_all([ToolCall("book", {}, id="new")])
        assert (result.text, result.call.id) == ("booked", "new")
        assert len(body.begun) == 1
        assert records.kept == []

    virtual_time.run(main())


def test_the_end_of_a_call_gives_a_few_seconds_to_what_is_kept() -> None:
    """Three seconds, then it is cancelled; what is not kept is cancelled at once."""

    async def main() -> None:
        soon, never, other = Slow(2.0, "booked"), Slow(60.0), Slow(60.0)
        records = Records()
        box = toolbox(
            tool("soon", soon, timeout=90.0),
            tool("never", never, timeout=90.0),
            tool("other", other, timeout=90.0, on_barge_in="cancel"),
            records=records,
        )
        names = ["soon", "never", "other"]
        running = asyncio.ensure_future(box.run_all([ToolCall(name) for name in names]))
        await asyncio.sleep(1.0)
        running.cancel()
        await asyncio.wait({running})
        await box.aclose()
        assert asyncio.get_running_loop().time() == 4.0
        assert [result.text for result in records.kept] == ["booked"]
        assert never.cancelled == 1
        assert other.cancelled == 1
        (result,) = await box.run_all([ToolCall("soon", {"again": True})])
        assert result.failed

    virtual_time.run(main())


def test_a_reply_that_waits_at_the_end_of_a_call_is_let_go() -> None:
    """Closing leaves nobody waiting."""

    async def main() -> None:
        box = toolbox(tool("never", Slow(60.0), timeout=90.0))
        running = asyncio.ensure_future(box.run_all([ToolCall("never")]))
        await asyncio.sleep(1.0)
        await box.aclose()
        (result,) = await running
        assert result.failed

    virtual_time.run(main())


def test_a_tool_that_was_given_up_just_before_the_end_has_ended_with_it() -> None:
    """Nobody waits for its result; but the call is not over before it is."""

    async def slow_to_stop(arguments: Mapping[str, Any], about: CallInfo) -> str:
        try:
            await asyncio.sleep(60.0)
        finally:
            await asyncio.sleep(0.2)
        return ""

    async def main() -> None:
        box = toolbox(tool("slow", slow_to_stop, timeout=90.0, on_barge_in="cancel"))
        await interrupt(box.run_all([ToolCall("slow")]), after=1.0)
        await box.aclose()
        assert round(asyncio.get_running_loop().time(), 3) == 1.2

    virtual_time.run(main())


def test_closing_can_be_cancelled() -> None:
    """What runs is cancelled then, too."""

    async def main() -> None:
        body = Slow(60.0)
        box = toolbox(tool("never", body, timeout=90.0))
        await interrupt(box.run_all([ToolCall("never")]), after=1.0)
        await interrupt(box.aclose(), after=0.5)
        await asyncio.sleep(0)
        await asyncio.sleep(0)
        assert body.cancelled == 1

    virtual_time.run(main())


def test_tasks_cancelled_from_outside_leave_no_one_waiting() -> None:
    """When the call's own task group is torn down, the results say that there are none."""

    async def main() -> None:
        tasks: list[asyncio.Task[None]] = []

        def spawn(work: Coroutine[Any, Any, None]) -> asyncio.Task[None]:
            tasks.append(asyncio.get_running_loop().create_task(work))
            return tasks[-1]

        records = Records()
        box = Toolbox(
            [tool("slow", Slow())],
            ABOUT,
            spawn=spawn,
            on_kept=records.kept.append,
            on_done=records.ran.append,
        )
        running = asyncio.ensure_future(box.run_all([ToolCall("slow")]))
        await asyncio.sleep(0.5)
        tasks[0].cancel()
        (result,) = await running
        assert result.failed

    virtual_time.run(main())


def test_a_long_result_is_cut_and_says_so() -> None:
    """A model is not given a megabyte, and nothing that cannot be sent."""

    async def main() -> None:
        box = toolbox(
            tool("long", Slow(0.0, "x" * 1_000_000)), tool("half", Slow(0.0, "a\ud83d b"))
        )
        long, half = await box.run_all([ToolCall("long"), ToolCall("half")])
        assert len(long.text) < MAX_RESULT + 100
        assert "1000000" in long.text
        assert not long.failed
        assert half.text == "a\ufffd b"

    virtual_time.run(main())


def test_the_filler_is_that_of_the_tool_waited_for() -> None:
    """Of several, the words of the one that may take the longest."""

    async def main() -> None:
        box = toolbox(
            tool("plain", Slow(), timeout=9.0),
            tool("quick", Slow(), timeout=1.0, filler="Just a second."),
            tool("slow", Slow(), timeout=8.0, filler="Let me look that up."),
        )
        assert box.slow_filler([ToolCall("plain"), ToolCall("unknown")]) == ""
        assert box.slow_filler([ToolCall("plain"), ToolCall("quick")]) == "Just a second."
        calls = [ToolCall("quick"), ToolCall("slow"), ToolCall("plain")]
        assert box.slow_filler(calls) == "Let me look that up."

    virtual_time.run(main())


json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(), inner, max_size=4),
    max_leaves=12,
)
SCHEMA = {
    "$schema": "http://json-schema.org/draft-07/schema#",
    "type": "object",
    "properties": {
        "a": {"type": "integer", "multipleOf": 0.1},
        "b": {"type": "array", "uniqueItems": True, "items": {"type": "string", "pattern": "^a"}},
        "c": {"oneOf": [{"type": "number"}, {"type": "object", "maxProperties": 1}]},
    },
    "required": ["a"],
}


@given(
    st.dictionaries(st.sampled_from("abcd"), json_values) | st.dictionaries(st.text(), json_values)
)
def test_any_arguments_at_all_have_a_result(arguments: dict[str, Any]) -> None:
    """Whatever a model makes up, the tool gets what fits, as JSON, or is not run."""

    async def echo(arguments: Mapping[str, Any], about: CallInfo) -> str:
        return json.dumps(arguments, allow_nan=False)

    async def main() -> None:
        box = toolbox(tool("echo", echo, parameters=SCHEMA))
        (result,) = await box.run_all([ToolCall("echo", arguments)])
        result.text.encode()
        if not result.failed:
            assert json.loads(result.text) == arguments

    virtual_time.run(main())
