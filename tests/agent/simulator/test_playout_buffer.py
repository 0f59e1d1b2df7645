"""The platform's playout buffer."""

from __future__ import annotations

from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from agent.simulator.playout_buffer import PlayoutBuffer


@given(st.lists(st.one_of(st.binary(max_size=400), st.none(), st.integers(0, 300)), max_size=60))
def test_the_buffer_plays_in_order_and_drops_the_oldest(steps: list[Any]) -> None:
    """A plain byte string with the same rules behaves the same. None is a clear."""
    buffer, model, lost = PlayoutBuffer(max_bytes=1000), b"", 0
    for step in steps:
        if step is None:
            buffer.clear()
            model = b""
        elif isinstance(step, bytes):
            buffer.add(step)
            model += step
            lost += max(0, len(model) - 1000)
            model = model[-1000:]
        else:
            assert buffer.take(step) == model[:step]
            model = model[step:]
        assert (buffer.size, buffer.overflowed) == (len(model), lost)
