"""What went wrong at the other end, in words of ours.

The text of a :class:`ProviderError` holds a status or a close code of theirs, and nothing else:
servers quote prompts, words and keys.
"""

from __future__ import annotations

import re

from pipelines.providers.contracts import (
    ContextTooLongError,
    ProviderError,
    RequestRefusedError,
    Stage,
)

TOO_MANY = 429
"""The status of a rate limit, which is passed once time has gone by, not with a shorter request."""

_STATUS = {
    401: ": the key is refused",
    402: ": no credit",
    403: ": the key is refused",
    404: ": the server does not know the model, the voice or the URL",
    TOO_MANY: ": too many requests, or no credit",
}

_REFUSALS = {400, 401, 402, 403, 404, 405, 422}
"""Statuses that come again if the same is asked again."""


def refused(stage: Stage, status: int) -> ProviderError:
    """Return the error for an HTTP status."""
    return ProviderError(
        stage,
        f"HTTP {status}{_STATUS.get(status, '')}",
        retryable=status not in _REFUSALS,
        limited=status == TOO_MANY,
    )


MAX_REFUSAL = 16 * 1024
"""Characters that are looked at of what a server says of its refusal; most say it in 200."""

_FAULTS = (400, 422)
"""Statuses that find fault with a request."""

_TOO_LONG = re.compile(
    r"""
    context_length_exceeded | string_above_max_length | exceed_context_size_error  # codes
    | ContextWindowExceeded | request_too_large
    | context [ -_]? (?: length | size | window | limit )   # vLLM, llama.cpp, Ollama, LM Studio
    | maximum \ (?: prompt | input | model | sequence ) \ length      # xAI, TensorRT
    | (?: prompt | inputs? | request | conversation | history | messages? )
      \ (?: length \ )? (?: (?: is | are | was | were ) \ )? too \ (?: long | large | big | many )
    | too \ many \ (?: (?: input | prompt ) \ )? (?: tokens | messages )
    | (?: input | prompt ) \ token \ count .{0,40} exceed                 # Gemini
    | (?: tokens? | length ) .{0,40} (?: exceed | longer \ than )         # SGLang, Cohere
    | exceed .{0,60} (?: tokens | token \ limit )
    | max_(?: new_tokens | total_tokens | model_len | input_length ) .{0,40} (?: <= | less | must )
    | reduce \ (?: the \ | your \ )? (?: length | prompt | input | messages | conversation )
    """,
    re.VERBOSE | re.IGNORECASE | re.DOTALL,
)
"""How servers say that a conversation is too long: by a code of their own, or only in words. What
OpenAI, Azure, Groq, Mistral, Together, Fireworks, OpenRouter, xAI, DeepSeek, Anthropic, Gemini,
vLLM, SGLang, TGI, llama.cpp, llama-cpp-python, LM Studio and Ollama were seen to answer, November
2026. What is taken for it by mistake costs a request or two."""


def refused_reply(status: int, said: str) -> ProviderError:
    """Return the error for a language model's refusal.

    Args:
        status: Of the answer; 200 if the refusal came in the stream.
        said: The server's own words, or their beginning; they get into no error.
    """
    if status == 413 or (status != TOO_MANY and _TOO_LONG.search(said[:MAX_REFUSAL])):
        where = f"HTTP {status}: " if status >= 300 else ""
        return ContextTooLongError(f"{where}the conversation is too long for the model")
    if status in _FAULTS:
        return RequestRefusedError(f"HTTP {status}")
    if status >= 300:
        return refused("llm", status)
    return ProviderError("llm", "the server reported an error")


def again(error: ProviderError) -> ProviderError:
    """Return an equal error, to raise once more.

    Each who waits has one of their own, so that tracebacks stay apart.
    """
    return ProviderError(
        error.stage,
        error.reason,
        timed_out=error.timed_out,
        retryable=error.retryable,
        limited=error.limited,
    )
