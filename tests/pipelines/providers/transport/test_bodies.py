"""Bodies of answers."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator

import pytest

from pipelines.providers.transport.bodies import whole_body, whole_samples


async def cut(*pieces: bytes) -> AsyncGenerator[bytes, None]:
    for piece in pieces:
        yield piece


def test_a_body_is_whole_within_its_bound() -> None:
    """And refused as soon as it is longer, not once all of it is there."""
    assert asyncio.run(whole_body(cut(b"12", b"34"), 4)) == b"1234"
    with pytest.raises(ValueError, match="too long"):
        asyncio.run(whole_body(cut(b"12", b"345", b"..."), 4))


def test_samples_are_whole_and_pieces_as_long_as_they_are_wanted() -> None:
    """But for the last; half a sample at the end costs no more than itself."""

    async def main(*pieces: bytes) -> list[bytes]:
        return [audio.pcm async for audio in whole_samples(cut(*pieces), 8_000, least=4)]

    assert asyncio.run(main(b"\1\2\3", b"\4\5", b"\6")) == [b"\1\2\3\4", b"\5\6"]
    assert asyncio.run(main(b"\1\2\3")) == [b"\1\2"]
    assert asyncio.run(main(b"\1")) == []
