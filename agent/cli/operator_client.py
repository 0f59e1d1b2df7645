"""Asks the operator's interface of a running service, over HTTP."""

from __future__ import annotations

import json
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Mapping
from http.client import HTTPException
from typing import Any

from pipelines.masking import masked

TIMEOUT = 20.0
"""Seconds for an answer: longer than the service asks Sinch for."""

LOOK_EVERY = 1.0
"""Seconds between two looks at how a call goes."""

OVER = ("ended", "failed", "machine")


class DialError(Exception):
    """The call was not placed; one line with the reason."""


def dial(
    server: str,
    token: str,
    body: Mapping[str, Any],
    *,
    key: str = "",
    wait: bool = False,
    tell: Callable[[str], None],
) -> dict[str, Any]:
    """Have a call placed; return what is known of it.

    Args:
        server: Address of the service.
        token: Of its operator.
        body: As :class:`agent.server.operator.DialRequest` has it.
        key: Idempotency key.
        wait: Whether to return only when the call is over.
        tell: Given a line for each change.

    Raises:
        DialError: If it was not.
    """
    base = server.rstrip("/")
    headers = {
        "authorization": f"Bearer {token}",
        "content-type": "application/json",
    }
    extra = {"idempotency-key": key} if key else {}
    call = _ask("POST", f"{base}/calls", headers | extra, dict(body))
    tell(f"{call['id']}: {call['status']}")
    while wait and call["status"] not in OVER:
        time.sleep(LOOK_EVERY)
        before, call = call, _ask("GET", f"{base}/calls/{call['id']}", headers)
        if call["status"] != before["status"]:
            about = ", ".join(str(call[k]) for k in ("result", "reason") if call.get(k))
            tell(f"{call['id']}: {call['status']}" + (f" ({about})" if about else ""))
    return call


def _ask(
    method: str, url: str, headers: Mapping[str, str], body: dict[str, Any] | None = None
) -> dict[str, Any]:
    if not url.startswith(("http://", "https://")) or "@" in url.split("/")[2]:
        raise DialError("--server: give http:// or https://, without user and password")
    data = None if body is None else json.dumps(body).encode()
    request = urllib.request.Request(url, data, dict(headers), method=method)  # noqa: S310 - seen to
    try:
        with urllib.request.urlopen(request, timeout=TIMEOUT) as response:  # noqa: S310 - as above
            answer = json.load(response)
    except urllib.error.HTTPError as error:
        with error:
            raise DialError(_detail(error)) from None
    except (OSError, OverflowError, ValueError, HTTPException) as error:
        raise DialError(f"no answer from {masked(url)}: {masked(str(error))}") from None
    if not isinstance(answer, dict) or not {"id", "status"} <= answer.keys():
        raise DialError(f"{masked(url)} does not answer as a voice-agent does")
    return answer


def _detail(error: urllib.error.HTTPError) -> str:
    try:
        return str(json.load(error)["detail"])
    except (ValueError, KeyError, TypeError):
        return f"HTTP {error.code}"
