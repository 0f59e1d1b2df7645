"""HTTP endpoints as tools.

A request is signed as Standard Webhooks has it
(https://github.com/standard-webhooks/standard-webhooks/blob/main/spec/standard-webhooks.md), for
which most languages have a library that verifies it. It is sent once: only if no connection could
be made at all, so that nothing was sent, a second attempt is made, with the same ``webhook-id``.
"""

from __future__ import annotations

import asyncio
import base64
import binascii
import hashlib
import json
import time
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

from standardwebhooks import Webhook

from pipelines.conversation import ToolSpec
from pipelines.tools.post import Answer, UnansweredError, post_once
from pipelines.tools.tool import MAX_REASON, CallInfo, OnBargeIn, Tool, ToolError

MAX_ANSWER = 64 * 1024
"""Bytes of an answer that are read."""

CONNECT_WITHIN = 2.0
"""Seconds to connect, TLS included: a lost first packet is sent again after one."""

AGAIN_AFTER = 0.25
"""Seconds until the second attempt to connect: a server that is being restarted may be back."""

PREFIX = "whsec_"
_BITS = "a secret is whsec_ and then 24 to 64 random bytes in base64"


def signing_keys(secret: str) -> tuple[bytes, ...]:
    """Return the keys in ``secret``: one, or while it is being replaced several, with spaces.

    Each is ``whsec_`` and 24 to 64 bytes in base64, as the specification has it. Anything else is
    refused rather than guessed at: libraries differ in what they take it for.

    Raises:
        ValueError: If it is not written so. Does not quote it.
    """
    keys = []
    for part in secret.split():
        try:
            key = base64.b64decode(part.removeprefix(PREFIX), validate=True)
        except (binascii.Error, ValueError):
            key = b""
        if not part.startswith(PREFIX) or not 24 <= len(key) <= 64:
            raise ValueError(_BITS)
        keys.append(key)
    if not keys:
        raise ValueError(_BITS)
    return tuple(keys)


def signature(keys: Sequence[bytes], webhook_id: str, timestamp: int, body: bytes) -> str:
    """Return the header ``webhook-signature``: one signature for each key.

    Args:
        keys: From :func:`signing_keys`.
        webhook_id: Without a dot.
        timestamp: Unix time of the attempt.
        body: As it is sent, in UTF-8.
    """
    at, text = datetime.fromtimestamp(timestamp, UTC), body.decode()
    return " ".join(Webhook(key).sign(webhook_id, at, text) for key in keys)


def signed_headers(keys: Sequence[bytes], webhook_id: str, body: bytes) -> dict[str, str]:
    """Return the headers that sign a request, made now.

    Args:
        keys: From :func:`signing_keys`.
        webhook_id: The same for each attempt; without a dot.
        body: As it is sent, in UTF-8.
    """
    timestamp = int(time.time())
    return {
        "webhook-id": webhook_id,
        "webhook-timestamp": str(timestamp),
        "webhook-signature": signature(keys, webhook_id, timestamp, body),
    }


def webhook_id(about: CallInfo) -> str:
    """Return what a request is recognised by: the same for the same tool call of the same call.

    A digest, since a call id comes from outside and might hold a dot, which the specification
    forbids.
    """
    name = f"{about.call_id}\n{about.tool_call}".encode("utf-8", "surrogatepass")
    return f"msg_{hashlib.sha256(name).hexdigest()[:32]}"


def http_tool(
    spec: ToolSpec,
    url: str,
    keys: Sequence[bytes],
    *,
    timeout: float = 5.0,
    on_barge_in: OnBargeIn = "keep",
    filler: str = "",
) -> Tool:
    """Return the endpoint at ``url`` as a tool.

    It is sent ``call_id``, ``tool_call``, ``name``, ``arguments``, ``caller`` and ``called`` as
    JSON. A status from 200 to 299 is success, and the body is the result: JSON or plain text. From
    any other answer the model learns the status and, if the body is JSON, what it has as ``error``.

    Args:
        spec: What the model is told.
        url: ``http://`` or ``https://``; nothing that the model or the caller says gets into it.
        keys: From :func:`signing_keys`.
        timeout: Seconds.
        on_barge_in: As in :class:`Tool`. The effect is at the other end, where nothing cancels it.
        filler: As in :class:`Tool`.
    """

    async def run(arguments: Mapping[str, Any], about: CallInfo) -> str:
        content = {
            "call_id": about.call_id,
            "tool_call": about.tool_call,
            "name": spec.name,
            "arguments": dict(arguments),
            "caller": about.caller,
            "called": about.called,
        }
        body = json.dumps(content, separators=(",", ":")).encode()
        try:
            answer = await _post(url, keys, about, body)
        except UnansweredError as error:
            done = "whether it was done is not known" if error.sent else "nothing was done"
            raise ToolError(f"{error}; {done}", undone=not error.sent) from None
        text = answer.body.decode("utf-8-sig", "replace").strip()
        if not 200 <= answer.status < 300:
            raise ToolError(_refusal(answer.status, text))
        return text or "done"

    return Tool(spec=spec, run=run, timeout=timeout, on_barge_in=on_barge_in, filler=filler)


async def _post(url: str, keys: Sequence[bytes], about: CallInfo, body: bytes) -> Answer:
    try:
        return await _attempt(url, keys, about, body)
    except UnansweredError as error:
        if error.sent:
            raise
    await asyncio.sleep(AGAIN_AFTER)
    return await _attempt(url, keys, about, body)


async def _attempt(url: str, keys: Sequence[bytes], about: CallInfo, body: bytes) -> Answer:
    signed = signed_headers(keys, webhook_id(about), body)
    headers = {"Accept": "application/json, text/plain", **signed}
    if about.traceparent:
        headers["traceparent"] = about.traceparent
    return await post_once(url, body, headers, connect_timeout=CONNECT_WITHIN, max_bytes=MAX_ANSWER)


def _refusal(status: int, text: str) -> str:
    """Say what the endpoint said, if it did so for us: its ``error``, or ``error.message``."""
    if 300 <= status < 400:
        return f"HTTP {status}: redirects are not followed"
    try:
        content = json.loads(text)
    except (ValueError, RecursionError):
        content = None
    reason = content.get("error") if isinstance(content, dict) else None
    if isinstance(reason, dict):
        reason = reason.get("message")
    said = f": {reason}"[:MAX_REASON] if isinstance(reason, str) else ""
    return f"HTTP {status}{said}"
