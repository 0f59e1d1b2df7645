"""`voice-agent dial`: ask the operator's interface of a running service, over HTTP."""

from __future__ import annotations

import json
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Mapping
from typing import Any

from agent.settings import Settings

TIMEOUT = 20.0
"""Seconds for an answer: longer than the service asks Sinch for."""

LOOK_EVERY = 1.0
"""Seconds between two looks at how a call goes."""

OVER = ("ended", "failed", "machine")


class DialError(Exception):
    """The call was not placed; one line with the reason."""


def dial(
    settings: Settings,
    body: Mapping[str, Any],
    *,
    server: str | None = None,
    key: str = "",
    wait: bool = False,
    tell: Callable[[str], None],
) -> dict[str, Any]:
    """Have a call placed; return what is known of it.

    Args:
        settings: For the token, and where the service is.
        body: As :class:`agent.server.operator.DialRequest` has it.
        server: Address of the service, instead of that in the settings.
        key: Idempotency key.
        wait: Whether to return only when the call is over.
        tell: Given a line for each change.

    Raises:
        DialError: If it was not.
    """
    if settings.operator.token is None:
        raise DialError("set operator.token, for the service and here")
    base = server or f"http://{settings.server.host}:{settings.server.port}"
    headers = {
        "authorization": f"Bearer {settings.operator.token.get_secret_value()}",
        "content-type": "application/json",
    }
    extra = {"idempotency-key": key} if key else {}
    call = _ask("POST", f"{base.rstrip('/')}/calls", headers | extra, dict(body))
    tell(f"{call['id']}: {call['status']}")
    while wait and call["status"] not in OVER:
        time.sleep(LOOK_EVERY)
        before, call = call, _ask("GET", f"{base.rstrip('/')}/calls/{call['id']}", headers)
        if call["status"] != before["status"]:
            about = ", ".join(str(call[k]) for k in ("result", "reason") if call.get(k))
            tell(f"{call['id']}: {call['status']}" + (f" ({about})" if about else ""))
    return call


def _ask(
    method: str, url: str, headers: Mapping[str, str], body: dict[str, Any] | None = None
) -> dict[str, Any]:
    if not url.startswith(("http://", "https://")):
        raise DialError("--server: give http:// or https://")
    data = None if body is None else json.dumps(body).encode()
    request = urllib.request.Request(url, data, dict(headers), method=method)  # noqa: S310 - seen to
    try:
        with urllib.request.urlopen(request, timeout=TIMEOUT) as response:  # noqa: S310 - as above
            answer = json.load(response)
    except urllib.error.HTTPError as error:
        with error:
            raise DialError(_detail(error)) from None
    except (OSError, ValueError) as error:
        raise DialError(f"no answer from {url}: {error}") from None
    return dict(answer)


def _detail(error: urllib.error.HTTPError) -> str:
    try:
        return str(json.load(error)["detail"])
    except (ValueError, KeyError, TypeError):
        return f"HTTP {error.code}"
