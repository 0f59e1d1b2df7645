"""What went wrong at the other end, in words of ours.

The text of a :class:`ProviderError` holds a status or a close code of theirs, and nothing else:
servers quote prompts, words and keys.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator, Mapping

from pipelines.providers.contracts import (
    ContextTooLongError,
    ProviderError,
    RequestRefusedError,
    Stage,
)
from pipelines.providers.transport.refused_options import refused_options

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


class OptionRefusedError(RequestRefusedError):
    """A server names a part of the request that it does not take; without it, it may.

    Attributes:
        options: What it names, of what may be left out.
    """

    def __init__(self, status: int, options: frozenset[str]) -> None:
        super().__init__(f"HTTP {status}: it does not take {', '.join(sorted(options))}")
        self.options = options


def refused_reply(status: int, said: str, options: Collection[str] = ()) -> ProviderError:
    """Return the error for a language model's refusal.

    Args:
        status: Of the answer; 200 if the refusal came in the stream.
        said: The server's own words, or their beginning; they get into no error.
        options: What the request can do without (:func:`.refused_options`): it is an
            :class:`OptionRefusedError` if the server names any of them.
    """
    said = said[:MAX_REFUSAL]
    if status == 413 or (status != TOO_MANY and _TOO_LONG.search(said)):
        where = f"HTTP {status}: " if status >= 300 else ""
        return ContextTooLongError(f"{where}the conversation is too long for the model")
    if named := refused_options(status, said, options):
        return OptionRefusedError(status, named)
    if status in _FAULTS:
        return RequestRefusedError(f"HTTP {status}")
    if status >= 300:
        return refused("llm", status)
    return ProviderError("llm", "the server reported an error")


_CODES = ("code", "status", "status_code", "statusCode", "http_status", "error_code", "type")
"""Where servers put what kind of error it is."""

_OVERLOADED = (503, 529)

_KINDS = {
    TOO_MANY: re.compile(
        r"rate.?limit|too.?many.?requests|resource.?exhausted|quota|throttl|insufficient.?(?:balance|"
        "credit)",
        re.IGNORECASE,
    ),
    401: re.compile(
        r"authenticat|invalid.?(?:api.?)?key|incorrect.?api.?key|unauthori[sz]ed|permission.?(?:denied"
        "|error)|forbidden|api.?key.{0,20}(?:invalid|expired|not.?valid)",
        re.IGNORECASE,
    ),
    503: re.compile(r"overloaded|unavailable|at.?capacity", re.IGNORECASE),
}
"""What servers call an error that has no number, by the status that it would have."""


_NO_ERROR = {"", "null", "none", "nil", "false", "0", "200", "ok", "success"}
"""What stands for none where errors stand, in small letters."""


def is_error(error: object, depth: int = 4) -> bool:
    """Return whether what stands where a server reports errors is one.

    Some send the field with all replies: empty, with empty fields, or with a code of success.
    """
    match error:
        case None:
            return False
        case Mapping():
            return bool(error) and (
                not depth or any(is_error(v, depth - 1) for v in error.values())
            )
        case list():
            return bool(error) and (not depth or any(is_error(v, depth - 1) for v in error))
    return str(error).strip().lower() not in _NO_ERROR


def reported(error: object) -> ProviderError:
    """Return the error that a language model's server reports amid its answer.

    Args:
        error: What it says of it: an object, or a text, or one in the other.
    """
    said = str(error)[:MAX_REFUSAL]
    failure = refused_reply(200, said)
    if isinstance(failure, ContextTooLongError):
        return failure
    codes = [code for code in _codes(error) if 400 <= code < 600]
    status = next(iter(codes), 0) or next(
        (status for status, kind in _KINDS.items() if kind.search(said)), 0
    )
    if status in _FAULTS:
        return RequestRefusedError(f"the server reported an error ({status})")
    if status in _OVERLOADED:
        return ProviderError("llm", "the server is overloaded")
    if status in _STATUS:
        return ProviderError(
            "llm",
            f"the server reported an error{_STATUS[status]}",
            retryable=status not in _REFUSALS,
            limited=status == TOO_MANY,
        )
    return failure


def _codes(error: object, depth: int = 4) -> Iterator[int]:
    """Yield the numbers in an error that may be an HTTP status, those on top first."""
    if not isinstance(error, Mapping) or not depth:
        return
    for name in _CODES:
        code = error.get(name)
        if isinstance(code, int) or (isinstance(code, str) and code.isdecimal() and len(code) < 5):
            yield int(code)
    for inner in error.values():
        yield from _codes(inner, depth - 1)


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
