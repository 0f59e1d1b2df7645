"""What the stand-in's REST side is asked and answers, without HTTP."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from typing import Any


@dataclass(frozen=True, slots=True, kw_only=True)
class RestRequest:
    """A request that came."""

    found: Mapping[str, str] = field(default_factory=dict)
    """The variable parts of the path."""

    body: Any = None
    """From JSON; None if the method has none."""

    idempotency_key: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class RestAnswer:
    """What it is answered with."""

    body: object = None
    """Written as JSON; None for no body."""

    status: int = 200
    content_type: str = "application/json"


class CommandRefusedError(Exception):
    """The request is answered with a problem, wherever that shows."""

    def __init__(self, status: int, detail: str) -> None:
        super().__init__(detail)
        self.answer = RestAnswer(
            body={"status": status, "detail": detail},
            status=status,
            content_type="application/problem+json",
        )


def v1_error(status: int, code: int, message: str) -> RestAnswer:
    """Return an error as version 1 writes it."""
    body = {"errorCode": code, "message": message, "reference": "stand-in"}
    return RestAnswer(body=body, status=status)


RestRoute = tuple[str, str, Callable[[RestRequest], Awaitable[RestAnswer]]]
"""Method, path with variable parts in braces, and what answers."""
