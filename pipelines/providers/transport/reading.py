"""What a server sends, read with no more than is needed of it.

The models of an adapter hold what it looks at. A field has a default: what it is taken for where a
server leaves it out, sends null, or something else than it documents, as gateways, proxies and new
versions do. So no reply is lost for a field that nobody needs. What has to be right are the words
(:data:`Words`), and fields without a default: an object that lacks one of these is left out itself.
"""

from __future__ import annotations

import base64
import json
import math
import re
from collections.abc import AsyncGenerator, Iterator
from contextlib import aclosing, suppress
from typing import Annotated, Any, TypeVar

from pydantic import BaseModel, BeforeValidator, ValidationError
from pydantic_core import PydanticCustomError

from pipelines.encodable import encodable, mended_json
from pipelines.providers.transport.sse import DONE, sse

M = TypeVar("M", bound=BaseModel)

MOST_FAULTS = 64
"""Fields that are left out of one message; one with more is something else."""

DEEPEST = 8
"""Times that a message is looked at, each time without what could not be read: what is left out
takes what is around it along at most so often."""


def _words(value: object) -> object:
    if value is None or value is False or value in ([], {}):
        return ""
    if not isinstance(value, str):
        raise PydanticCustomError("words", "no text")
    return value


Words = Annotated[str, BeforeValidator(_words)]
"""What was said, or is to be: null is nothing, as are false and what is empty; anything else than
text cannot be read."""


def _count(value: object) -> object:
    return int(value) if isinstance(value, float) and 0 <= value < 1e12 else value


Count = Annotated[int | None, BeforeValidator(_count)]
"""Of tokens; None if it is not told, or cannot be read."""


def _several(value: object) -> object:
    return [value] if isinstance(value, dict) else value


SEVERAL = BeforeValidator(_several)
"""For a list of objects: an object is a list of one."""


def _times(value: object) -> tuple[float, ...]:
    if not isinstance(value, list):
        raise ValueError("no list of times")  # noqa: TRY004 - pydantic's error
    try:
        times = tuple(map(float, value))
    except (TypeError, OverflowError):
        raise ValueError("no list of times") from None
    if not all(map(math.isfinite, times)):
        raise ValueError("no list of times")
    return times


Times = Annotated[tuple[float, ...], BeforeValidator(_times)]
"""Of what stands in another list: each is right, or all of them are left out."""


def read(kind: type[M], value: object) -> M:
    """Return what is needed of a message; what cannot be read of the rest is left out.

    Args:
        kind: What is needed.
        value: JSON, already read. It is changed. If it is no object, it is taken for an empty one.

    Raises:
        ValueError: If what has to be right is not.
    """
    for _ in range(DEEPEST):
        try:
            return kind.model_validate(value)
        except ValidationError as error:
            if error.error_count() > MOST_FAULTS:
                raise
            value = _without(value, error)
    raise ValueError("it cannot be read")


def read_message(kind: type[M], message: str | bytes) -> M:
    """Return what is needed of a message that is JSON; see :func:`read`.

    Raises:
        ValueError: If it is not JSON, or what has to be right is not.
    """
    try:
        return kind.model_validate_json(message)
    except ValidationError:
        return read(kind, parsed(message))


def parsed(message: str | bytes) -> Any:  # noqa: ANN401 - any JSON
    """Return what a message says. NaN and infinity are null.

    Halves of characters in ``bytes`` are mended; a text may hold one, whose other half comes with
    the next.

    Raises:
        ValueError: If it is not JSON, or nested too deep.
    """
    if isinstance(message, bytes):
        text = message.decode(json.detect_encoding(message), "replace")
        message = mended_json(encodable(text))
    try:
        return json.loads(message.removeprefix("\ufeff"), parse_constant=_nothing)
    except RecursionError:
        raise ValueError("nested too deep") from None


async def objects(
    body: AsyncGenerator[bytes, None],
) -> AsyncGenerator[tuple[str, dict[str, Any] | None], None]:
    """Yield the objects in the server-sent events of a body, each with the name of its event.

    None in place of an object says that the stream is whole. A list is as good as what is in it;
    an event that is no JSON from its beginning says nothing (``keepalive``), and so does one
    without data. A body that is one JSON text is one event, and whole: a server that was asked for
    a stream may answer so. Closing the generator does not close ``body``.

    Raises:
        ValueError: If an event cannot be read.
    """
    async with aclosing(sse(body)) as events:
        async for name, data in events:
            if data.strip(_AROUND_DONE).upper() == DONE[1:-1]:
                yield name, None
                continue
            for each in _objects(data):
                yield name, each


def _objects(data: str) -> Iterator[dict[str, Any]]:
    try:
        value = parsed(data) if data.strip() else None
    except ValueError:
        if _BEGINS_JSON.match(data):
            raise
        value = None
    for each in value if isinstance(value, list) else [value]:
        if isinstance(each, dict):
            yield each


_AROUND_DONE = ' \t\r\n\ufeff"[]'

_BEGINS_JSON = re.compile(r"\s*\ufeff?\s*(?:[\"{]|\[\s*(?:[\[{]|\Z))")
"""Of what can be an object, or a list of them; ``[PING]`` cannot."""


def samples(encoded: str) -> bytes:
    """Return audio that was sent in base64: of either alphabet, in lines, or not filled up.

    Raises:
        ValueError: If it is something else.
    """
    with suppress(ValueError):
        return base64.b64decode(encoded, validate=True)
    packed = "".join(encoded.split()).rstrip("=").replace("-", "+").replace("_", "/")
    try:
        return base64.b64decode(packed + "=" * (-len(packed) % 4), validate=True)
    except ValueError:
        raise ValueError("no base64") from None


def _nothing(_constant: str) -> None:
    return None


def _without(value: object, error: ValidationError) -> object:
    """Return ``value`` without what could not be read of it.

    Raises:
        ValidationError: ``error``, if that had to be right.
    """
    places: list[tuple[int | str, ...]] = []
    for fault in error.errors(include_url=False, include_context=False, include_input=False):
        place = fault["loc"]
        if fault["type"] == "words" or (fault["type"] == "missing" and len(place) == 1):
            raise error
        if not place:  # it is no object
            return {}
        places.append(place[:-1] if fault["type"] == "missing" else place)
    for place in reversed(list(dict.fromkeys(places))):  # of a list, the last first
        if not any(place[:length] in places for length in range(1, len(place))):
            _leave_out(value, place)
    return value


def _leave_out(value: Any, place: tuple[int | str, ...]) -> None:  # noqa: ANN401 - any JSON
    *way, last = place
    for step in way:
        if not (isinstance(value, dict) and isinstance(step, int)):  # SEVERAL
            value = value[_key(value, step)]
    if isinstance(value, dict) and isinstance(last, int):
        value.clear()
    else:
        del value[_key(value, last)]


def _key(value: dict[str, Any] | list[Any], step: int | str) -> Any:  # noqa: ANN401 - either
    """Return what a step is called there: a field may have come by its own name or its alias."""
    if isinstance(step, int) or step in value:
        return step
    return next(key for key in value if _plain(key) == _plain(step))


def _plain(name: str) -> str:
    return name.replace("_", "").lower()
