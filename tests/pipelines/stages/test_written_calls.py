"""Calls of tools that a language model writes among its words, since its server reads none."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from contextlib import aclosing
from typing import Any

import pytest
from structlog.testing import capture_logs

from pipelines.conversation import END_CALL, STAY_SILENT, Brief, ToolCall, ToolSpec
from pipelines.providers.contracts import WrittenCallError
from pipelines.providers.openai_chat import LanguageModel
from pipelines.stages.limits import ModelLimits
from pipelines.stages.llm import FailoverLanguageModel
from pipelines.stages.pool import ProviderPool
from pipelines.stages.usage import DraftCost, Usage
from pipelines.tools.call_control import STAY_SILENT_SPEC
from tests.contract.wires.openai_chat import DONE, chunk
from tests.pipelines.providers.language import Adapter, body
from tests.pipelines.stages.scripted import ASKED, BUDGETS, Model, pool
from tests.virtual_time import run

SILENT = """
<tool_call>{"name": "stay_silent", "arguments": {}}</tool_call>
<tool_call>\\n{"name": "stay_silent"}\\n</tool_call><|im_end|>
<tool_call>{"name": "stay_silent", "arguments": {}
<tool_call>{"name": "stay_silent", "arguments": {</tool_call>
<tool_call>stay_silent</tool_call>
<tool_call name="stay_silent"/>
<function=stay_silent></function>
<function=stay_silent>
<function_calls><invoke name="stay_silent"></invoke></function_calls>
{"name": "stay_silent", "arguments": {}}
{"name": "stay_silent"}
[{"type": "function", "function": {"name": "stay_silent", "arguments": "{}"}}]
```json\\n{"name": "stay_silent", "arguments": {}}\\n```
```tool_code\\nstay_silent()\\n```
[TOOL_CALLS][{"name": "stay_silent", "arguments": {}}]
[TOOL_CALLS]stay_silent[ARGS]{}
<|python_tag|>stay_silent()
<|tool_call>call:stay_silent{}<tool_call|>
<|channel|>commentary to=functions.stay_silent <|constrain|>json<|message|>{}<|call|>
functions.stay_silent:0{}
stay_silent()
[stay_silent()]
[stay_silent]
[tool: stay_silent]
<stay_silent/>
Action: stay_silent\\nAction Input: {}
<think>Ann asks Ben.</think>{"name": "stay_silent", "arguments": {}}
{"name": "stay_silent", "arguments": {}}<|im_start|>user\\nYes.
"""
"""How models write it, a line each; ``\\n`` is a new one of theirs."""

OTHERS = (
    '<tool_call>{"name": "end_call", "arguments": {}}</tool_call>',
    '<tool_call>{"name": "transfer_call", "arguments": {"to": "Sales"}}</tool_call>',
    'book(day="Monday")',
    '{"name": "sing", "arguments": {}}',
    '{"name": "stay_silent", "arguments": {}}{"name": "end_call", "arguments": {}}',
    "<think>I should stay_silent. No.</think>[end_call]",
)
BRIEF = Brief(
    tools=(
        STAY_SILENT_SPEC,
        *(ToolSpec(name=name, description="", parameters={}) for name in (END_CALL, "book")),
    )
)
CHAT = Adapter(
    LanguageModel, "/v1/chat/completions", lambda url: {"base_url": f"{url}/v1", "model": "m"}
)


def written() -> list[str]:
    return [line.replace("\\n", "\n") for line in SILENT.strip().splitlines()]


def letters(text: str) -> Sequence[str]:
    return list(text)


async def pieces(
    providers: ProviderPool[Any], usage: Usage, brief: Brief = BRIEF
) -> list[str | ToolCall]:
    stage = FailoverLanguageModel(providers, BUDGETS, usage, ModelLimits())
    async with aclosing(stage.reply(brief, ASKED, DraftCost())) as reply:
        return [piece async for piece in reply]


@pytest.mark.parametrize("deltas", [lambda text: [text], letters], ids=["whole", "letters"])
@pytest.mark.parametrize("text", written())
def test_silence_that_is_written_as_a_call_is_silence(text: str, deltas: Any) -> None:
    """Asked for once; the provider has answered, and is as healthy as before."""
    model = Model(deltas(text))
    providers = pool(model)
    assert run(pieces(providers, Usage())) == [ToolCall(STAY_SILENT)]
    assert (len(model.asked), providers.candidates[0].status) == (1, "ok")


@pytest.mark.parametrize("deltas", [lambda text: [text], letters], ids=["whole", "letters"])
@pytest.mark.parametrize("text", OTHERS)
def test_another_call_that_is_written_is_one_lost_reply(text: str, deltas: Any) -> None:
    """It is not run. Whoever runs the server is told what to do; no other call is the worse."""
    model, usage = Model(deltas(text)), Usage()
    providers = pool(model)
    with capture_logs() as logs, pytest.raises(WrittenCallError):
        run(pieces(providers, usage))
    assert (len(model.asked), providers.candidates[0].healthy) == (1, True)
    assert usage.of("llm", "p1").failures == 1
    (line,) = [line for line in logs if "tool parser" in line["event"]]
    known = [tool.name for tool in BRIEF.tools]
    assert line["tools"] == [name for name in known if name in text.rpartition("</think>")[2]]
    assert "provider failed" not in str(logs)


def test_whoever_is_left_answers_in_its_place() -> None:
    """At once: the first would only write it again."""
    first, second = Model([OTHERS[0]]), Model(["Goodbye."])
    providers = pool(first, second)
    assert run(pieces(providers, Usage())) == ["Goodbye."]
    assert (len(first.asked), providers.first.name) == (1, "p1")


def test_words_beside_a_written_call_are_said() -> None:
    """As they are beside one that comes as it should; nothing is lost then."""
    providers = pool(Model(["At nine. <tool_call>", '{"name": "stay_silent"}</tool_call>']))
    assert run(pieces(providers, Usage())) == ["At nine."]


def test_silence_is_understood_where_it_is_offered_alone() -> None:
    """A caller who is alone with the agent could dictate it."""
    with pytest.raises(WrittenCallError):
        run(pieces(pool(Model([written()[0]])), Usage(), Brief(tools=BRIEF.tools[1:])))


def test_reasoning_about_a_tool_is_no_call_of_it() -> None:
    """A reply that ends behind it is empty, as before."""
    model = Model(["<think>Shall I call stay_silent() now?</think>"], ["At nine."])
    assert run(pieces(pool(model), Usage())) == ["At nine."]


@pytest.mark.parametrize("text", written()[:1] + written()[9:13])
def test_a_server_without_a_tool_parser_is_no_failed_provider(text: str) -> None:
    """As vLLM sends it without one: the call as content, and ``stop`` as the reason to finish."""
    answer = body(*(chunk({"content": piece}) for piece in text), chunk({}, "stop") + DONE)

    async def main() -> None:
        server = CHAT.server(answer)
        async with CHAT.started(server) as model:
            providers = ProviderPool[Any]("llm", [("vllm", model)])
            for _ in range(3):
                assert await pieces(providers, Usage()) == [ToolCall(STAY_SILENT)]
        assert len(server.bodies) == 3
        assert providers.candidates[0].status == "ok"

    asyncio.run(main())
