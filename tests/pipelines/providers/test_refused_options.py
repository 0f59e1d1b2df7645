"""A server that does not take a part of the request is asked once more without it."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest
import structlog

from pipelines.conversation import Brief, Message, ToolCall, ToolResult, ToolSpec
from pipelines.providers.contracts import ContextTooLongError

from .language import BRIEF, CONVERSATION, KEY, SECRET_WORDS, Server, body, gather
from .test_anthropic_messages import CLAUDE
from .test_anthropic_messages import HI as CLAUDE_HI
from .test_gemini import GEMINI
from .test_gemini import HI as GEMINI_HI
from .test_openai_chat import CHAT, STOP, said

WEATHER = ToolSpec(name="weather", description="Ask for it.", parameters={"type": "object"})
ASKED = Brief(prompt=BRIEF.prompt, tools=(WEATHER,))
HI = body(said("Hi."), STOP)
ALL = {"temperature": 0.5, "reasoning_effort": "low", "service_tier": "auto"}


def refusing(field: str, status: int, text: Any) -> Server:
    """Return a server that takes no request with that field in it."""
    return CHAT.server(HI, refuses=lambda body: (status, text) if field in body else None)


def asked_twice(server: Server, **options: Any) -> tuple[list[dict[str, Any]], list[Any]]:
    """Ask for two replies; return the requests, and what was logged."""

    async def main() -> None:
        async with CHAT.started(server, **{**ALL, **options}) as model:
            for _ in range(2):
                assert "Hi." in await gather(model, ASKED)

    with structlog.testing.capture_logs() as logged:
        asyncio.run(main())
    return server.bodies, [each for each in logged if each["log_level"] == "warning"]


REFUSALS: list[tuple[str, int, Any]] = [
    (
        "stream_options",
        422,
        {"detail": [{"loc": ["body", "stream_options"], "msg": "Extra inputs"}]},
    ),
    ("stream_options", 400, {"error": {"message": "Unrecognized argument: stream_options"}}),
    ("stream_options", 400, {"error": {"message": "x", "param": "stream_options"}}),
    ("stream_options", 400, 'json: unknown field "stream_options"'),
    ("stream_options", 404, "stream_options.include_usage is not available"),
    ("temperature", 400, {"error": {"message": "'temperature' does not support 0.5", "code": "x"}}),
    ("temperature", 422, {"message": "temperature: Input should be 1"}),
    (
        "reasoning_effort",
        400,
        {"error": {"message": "Unsupported parameter", "param": "reasoning_effort"}},
    ),
    ("reasoning_effort", 400, "model `m` does not know `reasoning_effort`"),
    ("service_tier", 400, {"error": "service_tier is not supported"}),
    (
        "max_tokens",
        400,
        {"error": {"message": "Unsupported: 'max_tokens'. Use 'max_completion_tokens' instead."}},
    ),
    ("tools", 400, {"error": {"message": "registry.ollama.ai/library/m does not support tools"}}),
    ("tools", 404, {"error": {"message": "No endpoints found that support tool use."}}),
    ("tools", 400, {"message": '"auto" tool choice requires --enable-auto-tool-choice'}),
    (
        "tools",
        422,
        {"detail": [{"loc": ["body", "tools"], "msg": "Extra inputs are not permitted"}]},
    ),
    ("tools", 400, {"error": {"message": "Function calling is not enabled for this model"}}),
    ("tools", 400, {"error": {"message": "`tools` is not supported with this model"}}),
    ("tools", 400, {"error": {"message": "This model does not support function calling."}}),
    ("tools", 500, {"error": {"message": "tools param requires --jinja flag"}}),
    ("tools", 400, "Tools are not available for this model."),
    ("tools", 400, "Cannot use tools with this model"),
    ("tools", 400, "Tool support is disabled"),
    ("tools", 400, "This model does not have tool calling capabilities."),
    ("tools", 501, "tool use isn't implemented"),
    ("reasoning_effort", 400, {"error": {"message": '"m" does not support thinking'}}),
    ("reasoning_effort", 400, 'think value "low" is not supported for this model'),
    ("reasoning_effort", 400, "Reasoning effort is not supported"),
    ("reasoning_effort", 400, "Unknown parameter: 'reasoning.effort'"),
    ("stream_options", 400, "include_usage: Extra inputs are not permitted"),
    ("stream_options", 400, "unrecognized property streamOptions"),
    ("stream_options", 422, "stream options are not supported"),
    (
        "stream_options",
        422,
        "unknown field `stream_options`, expected one of `messages`, `max_tokens`, `temperature`, "
        "`tool_choice` or `reasoning_effort` at line 1",
    ),
    (
        "stream_options",
        400,
        {
            "error": {
                "message": "Bad request. Supported parameters are: temperature, max_tokens and n",
                "param": "stream_options",
            }
        },
    ),
    ("service_tier", 400, "Service tier flex is not available"),
]


@pytest.mark.parametrize(("field", "status", "text"), REFUSALS)
def test_what_is_refused_is_left_out(field: str, status: int, text: Any) -> None:
    """Within the same turn, and from then on; all else is asked as before. It is logged once."""
    bodies, logged = asked_twice(refusing(field, status, text))
    assert [field in each for each in bodies] == [True, False, False]
    first, second, third = bodies
    kept = first.keys() - {field}
    assert {name: second[name] for name in kept} == {name: first[name] for name in kept}
    assert second.keys() - kept <= {"max_completion_tokens"}
    assert third == second
    assert [(each["event"], each["refused"]) for each in logged] == [
        ("the server does not take all options", [field])
    ]
    assert KEY not in str(logged)


def test_the_limit_has_two_names_and_may_have_none() -> None:
    """One, then the other, then a reply that ends when the model ends it."""
    names = ("max_tokens", "max_completion_tokens")

    def refuses(sent: dict[str, Any]) -> tuple[int, Any] | None:
        return next(((400, f"unknown: {name}") for name in names if name in sent), None)

    bodies, _ = asked_twice(CHAT.server(HI, refuses=refuses))
    assert [[name for name in names if name in each] for each in bodies] == [
        ["max_tokens"],
        ["max_completion_tokens"],
        [],
        [],
    ]


def test_a_server_that_takes_little_is_asked_until_it_does() -> None:
    """Servers name one fault at a time."""

    def refuses(sent: dict[str, Any]) -> tuple[int, Any] | None:
        for name in ("service_tier", "stream_options", "temperature", "tools"):
            if name in sent:
                return 400, {"error": {"message": f"Unknown parameter: '{name}'", "param": name}}
        return None

    bodies, logged = asked_twice(CHAT.server(HI, refuses=refuses))
    assert len(bodies) == 6
    assert len(logged) == 1


def test_a_server_that_refuses_whatever_is_left_out_has_refused() -> None:
    """It is asked no more often than there are things to leave out, and nothing is remembered."""
    server = CHAT.server(
        HI, refuses=lambda _: (400, {"error": {"message": "temperature? tools are not supported"}})
    )

    async def main() -> None:
        async with CHAT.started(server, **ALL) as model:
            for _ in range(2):
                with pytest.raises(Exception, match="HTTP 400"):
                    await gather(model, ASKED)

    asyncio.run(main())
    assert ["temperature" in each for each in server.bodies] == [True, False, True, False]


@pytest.mark.parametrize(
    ("status", "text"),
    [
        (400, {"error": {"message": "Invalid schema for function 'weather'", "param": "tools[0]"}}),
        (422, {"detail": [{"loc": ["body", "tools", 0, "function"], "msg": "unexpected"}]}),
        (400, {"error": {"message": "The model is not for you"}}),
        (400, {"error": {"message": "Each tool requires a name"}}),
        (422, "Input should be 'user', 'assistant' or 'system'"),
        (500, {"error": {"message": "{'stream_options': {'include_usage': True}} not supported"}}),
        (401, {"error": {"message": "stream_options"}}),
        (429, {"error": {"message": "too many max_tokens"}}),
        (500, {"error": {"message": "{'stream_options': {}, 'temperature': 0.5}"}}),
    ],
)
def test_other_refusals_are_final(status: int, text: Any) -> None:
    """A fault of ours, of the key or of the server is not mended by leaving anything out."""
    server = CHAT.server(HI, refuses=lambda _: (status, text))
    assert f"HTTP {status}" in CHAT.failure(server, brief=ASKED, **ALL)
    assert len(server.bodies) == 1


def test_a_conversation_that_is_too_long_is_no_option() -> None:
    """Though servers mention one when they say so."""
    said = "maximum context length is 4096 tokens. Reduce the length, or max_tokens."
    server = CHAT.server(HI, refuses=lambda _: (400, said))
    assert isinstance(CHAT.error(server), ContextTooLongError)
    assert len(server.bodies) == 1


def test_a_server_that_refuses_tools_is_told_of_their_results_in_words() -> None:
    """They are known from before, or from another model."""
    results = (ToolResult(ToolCall("weather", {}), "Rain."),)
    conversation = [*CONVERSATION, Message("assistant", "One moment.", results=results)]
    server = refusing("tools", 400, "m does not support tools")
    CHAT.reply(server, ASKED, conversation)
    assert "(weather: Rain.)" in str(server.bodies[1]["messages"])
    assert all("tool_calls" not in each for each in server.bodies[1]["messages"])


SYSTEM = [
    (400, {"error": "System role not supported"}),
    (400, {"message": "System role not supported", "code": 400}),
    (500, {"error": {"message": "Jinja Exception: System role not supported"}}),
    (400, {"error": {"message": "This model does not support system messages"}}),
    (400, {"error": {"message": "system messages are not supported by this model"}}),
    (400, {"error": {"message": "'messages[0].role' does not support 'system' with this model."}}),
    (400, "Conversation roles must alternate user/assistant/user/assistant/..."),
    (422, {"error": "Template error: Only user and assistant roles are supported!"}),
    (400, {"error": {"message": "Unexpected role 'system'"}}),
    (422, {"detail": "Invalid role: system"}),
    (400, {"error": {"message": "Developer instruction is not enabled for models/gemma"}}),
    (400, {"error": {"message": "Error rendering prompt: System prompt isn't supported"}}),
    (400, "This model does not accept system messages"),
    (400, "No system message allowed"),
    (400, "First message must be from user"),
    (400, {"message": "Conversations must start with a user prompt"}),
    (
        422,
        {
            "detail": [
                {"loc": ["body", "messages", 0], "msg": "Input should be 'user' or 'assistant'"}
            ]
        },
    ),
]


@pytest.mark.parametrize(("status", "text"), SYSTEM)
def test_a_template_without_a_system_message_has_it_in_the_first_words(
    status: int, text: Any
) -> None:
    """So old chat templates know the agent, too."""

    def refuses(sent: dict[str, Any]) -> tuple[int, Any] | None:
        return (status, text) if sent["messages"][0]["role"] == "system" else None

    bodies, logged = asked_twice(CHAT.server(HI, refuses=refuses))
    assert len(bodies) == 3
    assert bodies[2]["messages"] == bodies[1]["messages"]
    assert bodies[1]["messages"] == [
        {"role": "user", "content": f"{BRIEF.prompt}\n\n{SECRET_WORDS}"}
    ]
    assert "tools" in bodies[1]
    assert [each["refused"] for each in logged] == [["a system message"]]


def test_gemma_has_its_prompt_in_the_first_words_and_no_tools() -> None:
    """Google refuses both in words of its own, and names of fields that a model does not know."""

    def refuses(sent: dict[str, Any]) -> tuple[int, Any] | None:
        if "systemInstruction" in sent:
            text = "Developer instruction is not enabled for models/gemma-3-27b-it"
        elif "tools" in sent:
            text = "Function calling is not enabled for models/gemma-3-27b-it"
        elif "thinkingConfig" in sent["generationConfig"]:
            text = "Thinking level is not supported for this model."
        else:
            return None
        return 400, {"error": {"code": 400, "message": text, "status": "INVALID_ARGUMENT"}}

    server = GEMINI.server(GEMINI_HI, refuses=refuses)
    assert "Hi." in GEMINI.reply(server, ASKED)
    assert len(server.bodies) == 4
    (content,) = server.bodies[-1]["contents"]
    assert content["parts"] == [{"text": BRIEF.prompt}, {"text": SECRET_WORDS}]


@pytest.mark.parametrize(
    ("field", "effort", "text"),
    [
        ("thinking", None, "thinking.type: `disabled` is not supported by this model"),
        ("output_config", "low", "This model does not support the effort parameter."),
        ("tools", None, "tools: Extra inputs are not permitted"),
    ],
)
def test_claude_is_asked_without_what_it_refuses(field: str, effort: Any, text: str) -> None:
    """Its largest models always think; gateways know fewer fields."""
    error = {"type": "error", "error": {"type": "invalid_request_error", "message": text}}
    server = CLAUDE.server(CLAUDE_HI, refuses=lambda body: (400, error) if field in body else None)
    assert "Hi." in CLAUDE.reply(server, ASKED, effort=effort)
    assert [field in each for each in server.bodies] == [True, False]
