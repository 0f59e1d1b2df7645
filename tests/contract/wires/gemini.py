"""The Gemini API: https://ai.google.dev/api/generate-content."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from itertools import pairwise
from typing import Any

from aiohttp import web

from pipelines.providers.gemini import LanguageModel
from tests.contract.case import Case, Plan
from tests.contract.events import Server, cut, dumped, duplicate

NAME = re.compile("[A-Za-z0-9_.:-]{1,64}")


def event(payload: object) -> bytes:
    """Return a server-sent event, with the line ends that Google sends."""
    return f"data: {dumped(payload)}\r\n\r\n".encode()


def chunk(*parts: object, finish: str | None = None, **usage: int) -> bytes:
    """Return a piece of a reply."""
    candidate: dict[str, object] = {"index": 0}
    if parts:
        candidate["content"] = {"role": "model", "parts": list(parts)}
    if finish:
        candidate["finishReason"] = finish
    counted = {"promptTokenCount": 9, "totalTokenCount": 9, **usage}
    return event({"candidates": [candidate], "usageMetadata": counted, **_TAIL})


_TAIL = {"modelVersion": "gemini-3.5-flash-lite", "responseId": "r-1"}


class Generate:
    """Streams parts; tool calls whole, the first of them signed."""

    path = "/v1beta/models/{model:[^:/]+}:streamGenerateContent"

    def key(self, request: web.Request) -> str:
        """Return the key; the answer is a stream of events only if that is asked for."""
        assert request.query["alt"] == "sse"
        return request.headers["x-goog-api-key"]

    def mistake(self, body: Mapping[str, Any]) -> str | None:
        """Return what is wrong with a request."""
        return mistake(body)

    def error(self, status: int, text: str) -> object:
        """Return an error as Google words it."""
        kind = {401: "UNAUTHENTICATED", 429: "RESOURCE_EXHAUSTED", 400: "INVALID_ARGUMENT"}
        status_name = kind.get(status, "UNAVAILABLE")
        return {"error": {"code": status, "message": text, "status": status_name}}

    def events(self, plan: Plan, body: Mapping[str, Any]) -> Iterator[bytes]:
        """Yield a reply."""
        if plan.fault == "garbage":
            yield b'data: {"candidates": [{"content": \xff\r\n\r\n'
            return
        if plan.fault == "error":
            yield event(self.error(503, " ".join(plan.secrets)))
            return
        if plan.fault != "empty":
            for piece in cut(plan.text):
                yield chunk({"text": piece})
                if plan.fault == "early":
                    return
            for at, call in enumerate(plan.calls):
                function = {"name": call.name, "args": dict(call.arguments), "id": f"g{at}"}
                signature = {} if at else {"thoughtSignature": "EjQKMgEM+/8="}
                yield chunk({"functionCall": function, **signature})
        tokens = plan.tokens
        yield chunk(
            {"text": ""},
            finish="STOP",
            promptTokenCount=tokens.input,
            cachedContentTokenCount=tokens.cached,
            candidatesTokenCount=tokens.output - 2,
            thoughtsTokenCount=2,
        )


def mistake(body: Mapping[str, Any]) -> str | None:
    """Return what is wrong with a request, by the rules of Gemini 3."""
    if body["generationConfig"].get("maxOutputTokens", 0) < 1:
        return "no maxOutputTokens"
    system = body.get("systemInstruction", {"parts": [{"text": "-"}]})
    if any(not part["text"].strip() for part in system["parts"]):
        return "a blank system instruction"
    if "toolConfig" in body and "tools" not in body:
        return "toolConfig without tools"
    contents = body["contents"]
    calls = [p["functionCall"] for each in contents for p in each["parts"] if "functionCall" in p]
    wrong = _calls(calls, told=bool(body.get("tools")))
    return wrong or next(filter(None, map(_content, contents)), None) or _order(contents)


def _calls(calls: Sequence[Mapping[str, Any]], *, told: bool) -> str | None:
    if calls and not told:
        return "calls without tools"
    if not all(NAME.fullmatch(call["name"]) and isinstance(call["args"], dict) for call in calls):
        return "a call with a bad name or args"
    return "two calls of one id" if duplicate([call["id"] for call in calls]) else None


def _content(content: Mapping[str, Any]) -> str | None:
    if not content["parts"]:
        return "a content without parts"
    allowed = {"user": {"text", "functionResponse"}, "model": {"text", "functionCall"}}
    kinds = [next(iter(part)) for part in content["parts"]]
    if not set(kinds) <= allowed[content["role"]]:
        return f"{kinds} of the {content['role']}"
    if any(not part.get("text", "x").strip() for part in content["parts"]):
        return "a blank text"
    if "functionResponse" in kinds and set(kinds) != {"functionResponse"}:
        return "other parts among results"
    signed = ["thoughtSignature" in p for p in content["parts"] if "functionCall" in p]
    return "the first call has no signature" if signed and not signed[0] else None


def _order(contents: Sequence[Mapping[str, Any]]) -> str | None:
    roles = [content["role"] for content in contents]
    if not roles or roles[0] != "user":
        return "the contents do not begin with the user"
    if roles[-1] != "user":
        return "requests ending with a model turn are not supported"
    if ("model", "model") in pairwise(roles):
        return "a model turn after a model turn"
    wanted: list[tuple[str, str]] = []
    for content in contents:
        got = _named(content, "functionResponse")
        if got != wanted:
            return f"results of {got}, not of {wanted}"
        wanted = _named(content, "functionCall")
    return "calls without results" if wanted else None


def _named(content: Mapping[str, Any], kind: str) -> list[tuple[str, str]]:
    return [(part[kind]["id"], part[kind]["name"]) for part in content["parts"] if kind in part]


CASE = Case(
    name="gemini",
    needs=frozenset(
        [
            "candidates",
            "content",
            "parts",
            "text",
            "functionCall",
            "name",
            "args",
            "seats",
            "finishReason",
        ]
    ),
    stage="llm",
    provider=LanguageModel,
    options=lambda url: {"base_url": url},
    wire=lambda plan: Server(plan, Generate()),
    variable="GEMINI_API_KEY",
)
