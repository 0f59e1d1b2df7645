"""Asks the operator's interface of a running service, over HTTP."""

from __future__ import annotations

import json
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Collection, Mapping
from http.client import HTTPException
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

from pipelines.masking import masked

if TYPE_CHECKING:
    from agent.settings import Settings  # imported late: a command that fails is to fail soon

TIMEOUT = 20.0
"""Seconds for an answer: longer than the service asks Sinch for."""

LOOK_EVERY = 1.0
"""Seconds between two looks at how a call goes."""

OVER = ("ended", "failed", "machine")


class DialError(Exception):
    """The call was not placed; one line with the reason."""


def service_of(settings: Settings, given: str | None) -> tuple[str, str]:
    """Return the address of the service, and the token of its operator.

    Args:
        settings: What it is set up by.
        given: The address, if it is another than these have.

    Raises:
        DialError: If there is no token.
    """
    if settings.operator.token is None:
        raise DialError("set operator.token, for the service and here")
    server = given or f"http://{settings.server.host}:{settings.server.port}"
    return server, settings.operator.token.get_secret_value()


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
        body: As :class:`agent.server.operator.requests.DialRequest` has it.
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
    call = _ask("POST", f"{base}/calls", headers | extra, dict(body), _CALL)
    tell(f"{call['id']}: {call['status']}")
    for line in _parties(call):
        tell(line)
    while wait and call["status"] not in OVER:
        time.sleep(LOOK_EVERY)
        before, call = call, _ask("GET", f"{base}/calls/{call['id']}", headers, wanted=_CALL)
        for line in _parties(call, before):
            tell(line)
        if call["status"] != before["status"]:
            about = ", ".join(str(call[k]) for k in ("result", "reason") if call.get(k))
            tell(f"{call['id']}: {call['status']}" + (f" ({about})" if about else ""))
    return call


def calls(server: str, token: str, tell: Callable[[str], None]) -> None:
    """Tell which calls are in progress, in all processes.

    Raises:
        DialError: If the service does not say.
    """
    headers = {"authorization": f"Bearer {token}"}
    found = _ask("GET", f"{server.rstrip('/')}/calls", headers, wanted={"calls"})["calls"]
    for line in [f"{one['id']}: {one['agent']}" for one in found] or ["no calls in progress"]:
        tell(line)


def act(server: str, token: str, call: str, path: str, body: Mapping[str, Any]) -> None:
    """Have something done to a call in progress; return once the service has taken it.

    Args:
        server: Address of the service.
        token: Of its operator.
        call: Its name.
        path: What: ``transfer``, ``take-over``, ``return``, ``whisper`` or ``hangup``.
        body: As the request of that name has it in :mod:`agent.server.operator.requests`.

    Raises:
        DialError: If it is not done.
    """
    headers = {"authorization": f"Bearer {token}", "content-type": "application/json"}
    _ask("POST", f"{server.rstrip('/')}/calls/{quote(call, safe='')}/{path}", headers, dict(body))


def parties(server: str, token: str, call: str, tell: Callable[[str], None]) -> None:
    """Tell who is, was or is to be on the line of a call.

    Raises:
        DialError: If there is no such call, or the service does not say.
    """
    headers = {"authorization": f"Bearer {token}"}
    url = f"{server.rstrip('/')}/calls/{quote(call, safe='')}"
    found = _parties(_ask("GET", url, headers))
    for line in found or ["nobody but the one phone"]:
        tell(line)


def add_party(
    server: str, token: str, call: str, body: Mapping[str, Any], tell: Callable[[str], None]
) -> None:
    """Have somebody dialled onto the line of a call.

    Args:
        server: Address of the service.
        token: Of its operator.
        call: Its name.
        body: As :class:`agent.server.operator.requests.PartyRequest` has it.
        tell: Given a line.

    Raises:
        DialError: If they were not dialled.
    """
    headers = {"authorization": f"Bearer {token}", "content-type": "application/json"}
    url = f"{server.rstrip('/')}/calls/{quote(call, safe='')}/parties"
    for line in _parties({"parties": [_ask("POST", url, headers, dict(body))]}):
        tell(line)


def drop_party(server: str, token: str, call: str, party: str) -> None:
    """Have somebody on the line of a call hung up.

    Raises:
        DialError: If they were not.
    """
    headers = {"authorization": f"Bearer {token}"}
    url = f"{server.rstrip('/')}/calls/{quote(call, safe='')}/parties/{quote(party, safe='')}"
    _ask("DELETE", url, headers)


_CALL = frozenset({"id", "status"})
"""What an answer about a call that was placed has to have."""


def _parties(call: Mapping[str, Any], before: Mapping[str, Any] | None = None) -> list[str]:
    """Return a line for each party of a call, or for each with whom it stands otherwise now."""
    known = [] if before is None else before.get("parties", [])
    return [
        f"{one['party']}: {one.get('title') or one['to']}: {one['status']}"
        + (f" ({one['why']})" if one.get("why") else "")
        for one in call.get("parties", [])
        if one not in known
    ]


def _ask(
    method: str,
    url: str,
    headers: Mapping[str, str],
    body: dict[str, Any] | None = None,
    wanted: Collection[str] = (),
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
    if not isinstance(answer, dict) or not answer.keys() >= set(wanted):
        raise DialError(f"{masked(url)} does not answer as a voice-agent does")
    return answer


def _detail(error: urllib.error.HTTPError) -> str:
    try:
        return str(json.load(error)["detail"])
    except (ValueError, KeyError, TypeError):
        return f"HTTP {error.code}"
