"""Frames of a websocket, against another implementation of them."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from agent.bench.frames import (
    BINARY,
    LARGEST,
    TEXT,
    FrameReader,
    NonsenseError,
    accept_of,
    masked,
)


def sent(opcode: int, payload: bytes, *, ends: bool = True) -> bytes:
    """Return a frame of a server, written by RFC 6455 5.2."""
    head = bytes([(0x80 if ends else 0) | opcode])
    if len(payload) < 126:
        return head + bytes([len(payload)]) + payload
    if len(payload) < 65536:
        return head + bytes([126]) + len(payload).to_bytes(2, "big") + payload
    return head + bytes([127]) + len(payload).to_bytes(8, "big") + payload


@given(
    st.lists(
        st.tuples(st.sampled_from([TEXT, BINARY]), st.sampled_from([0, 1, 125, 126, 640, 70_000]))
    ),
    st.integers(1, 5000),
)
def test_frames_are_read_wherever_they_are_cut(frames: list[tuple[int, int]], cut: int) -> None:
    """Whole and in order, of every length that there is."""
    wanted = [(opcode, bytes([7]) * size, True) for opcode, size in frames]
    stream = b"".join(sent(opcode, payload) for opcode, payload, _ in wanted)
    reader, found = FrameReader(), []
    for at in range(0, len(stream), cut):
        found += list(reader.feed(stream[at : at + cut]))
    assert found == wanted


@pytest.mark.parametrize(
    "nonsense",
    [
        b"\xff\xff\xff\xff",
        b"\x83\x00",  # an opcode that there is not
        b"\xc2\x00",  # compressed, which nobody has agreed on
        b"\x82\x81\x00\x00\x00\x00\x00",  # a server does not mask
        b"\x82\x7f" + (LARGEST + 1).to_bytes(8, "big"),
    ],
)
def test_what_is_no_frame_is_nonsense(nonsense: bytes) -> None:
    """And is said to be, before any of it is kept."""
    with pytest.raises(NonsenseError):
        list(FrameReader().feed(nonsense))


@given(st.binary(max_size=700), st.binary(min_size=4, max_size=4))
def test_a_mask_covers_and_uncovers(payload: bytes, mask: bytes) -> None:
    """Byte by byte, as RFC 6455 5.3 has it."""
    frame = masked(BINARY, payload, mask)
    head = 2 if len(payload) < 126 else 4
    assert frame[0] == 0x82
    assert frame[1] & 0x80
    assert frame[head : head + 4] == mask
    body = frame[head + 4 :]
    assert bytes(one ^ mask[at % 4] for at, one in enumerate(body)) == payload


def test_the_handshake_is_that_of_the_standard() -> None:
    """The example of RFC 6455, 1.3."""
    assert accept_of("dGhlIHNhbXBsZSBub25jZQ==") == "s3pPLMBiTxaQ9kYGzzhZRbK+xOo="
