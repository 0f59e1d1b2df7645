"""What keeps the operator's interface from an answer, and how it says so: problem+json."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from typing import TypeVar

import structlog
from aiohttp import web
from pydantic import BaseModel, ValidationError

from agent.personas.errors import PersonaError
from agent.records.recordings.buckets import BucketError
from agent.records.recordings.kept import NoRecordingError
from agent.records.seals import SealError
from agent.server.operator.call_answers import QueryError
from agent.server.operator.requests import SHAPES
from agent.sinch.refusals import (
    AllowanceUsedUpError,
    CallControlError,
    CallGoneError,
    DestinationRefusedError,
    NoRoomError,
    NoSuchCallError,
    NoSuchPartyError,
)
from agent.store.errors import StoreError
from pipelines.encodable import read_json

log = structlog.get_logger()

Model = TypeVar("Model", bound=BaseModel)

Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]

BODY_WITHIN = 5.0
"""Seconds for the body of a request to come."""

AGAIN_AFTER = 15
"""Seconds until it is worth asking for a call again that there was no room for."""


class UnreadableError(Exception):
    """The request is wrong; the message says where."""


class CannotBeDialledError(Exception):
    """The request is right, but nobody has this number; the message says where."""


class NotRecordedError(Exception):
    """There is no recording that could be paused or stopped."""


class NotFollowedError(Exception):
    """No model is there that could follow an instruction; the message says why."""


_STATUS: Mapping[type[Exception], int] = {
    NoRecordingError: 404,
    BucketError: 503,
    NoSuchCallError: 404,
    NoSuchPartyError: 404,
    CallGoneError: 410,
    UnreadableError: 400,
    QueryError: 400,
    CannotBeDialledError: 422,
    DestinationRefusedError: 422,
    NoRoomError: 503,
    AllowanceUsedUpError: 429,
}
"""What an error is answered with; any other is that it cannot be done as things are, 409."""


TOLD = (
    CallControlError,
    PersonaError,
    UnreadableError,
    CannotBeDialledError,
    NotRecordedError,
    NotFollowedError,
    NoRecordingError,
    BucketError,
    QueryError,
)
"""Errors whose text is for whoever asks."""


async def answered(handler: Handler, request: web.Request) -> web.StreamResponse:
    """Return what ``handler`` answers, or what keeps it from that."""
    try:
        return await handler(request)
    except TOLD as error:
        again = {"retry-after": str(AGAIN_AFTER)} if isinstance(error, NoRoomError) else None
        return problem(_STATUS.get(type(error), 409), str(error), again)
    except web.HTTPRequestEntityTooLarge:
        return problem(413, "the body is too long")
    except SealError:
        log.warning("a record cannot be shown: there is no key for it, or it was changed")
        return problem(503, "a record cannot be shown: see the log")
    except TimeoutError:
        return problem(503, "the recording cannot be read: it takes too long")
    except StoreError:  # the database has logged it
        return problem(503, "the database fails: see the log")


async def read_body(request: web.Request, model: type[Model]) -> Model:
    """Return what the body of a request asks for.

    Raises:
        UnreadableError: If it does not come in time, or is not what ``model`` says.
    """
    try:
        async with asyncio.timeout(BODY_WITHIN):
            body = await request.read()
    except TimeoutError:
        raise UnreadableError(f"body: did not come within {BODY_WITHIN:g} s") from None
    except (web.RequestPayloadError, ConnectionError):
        raise UnreadableError("body: broke off, or is not encoded as it says") from None
    try:
        return model.model_validate(read_json(body or b"{}"))
    except ValidationError as error:
        first = error.errors(include_url=False)[0]
        where = ".".join(str(part) for part in first["loc"] if part not in SHAPES)
        raise UnreadableError(f"{where or 'body'}: {first['msg']}") from None
    except ValueError:  # ValidationError is one, too
        raise UnreadableError("body: not JSON") from None


def problem(status: int, detail: str, headers: Mapping[str, str] | None = None) -> web.Response:
    """Return an error as RFC 9457 has it."""
    body = {"status": status, "detail": detail}
    return web.json_response(
        body, status=status, headers=headers, content_type="application/problem+json"
    )
