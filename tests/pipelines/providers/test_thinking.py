"""How long a model is waited for that visibly thinks."""

from __future__ import annotations

import asyncio

import pytest

from pipelines.clock import now
from pipelines.providers.openai_chat import _Wait
from pipelines.providers.openai_chat_stream import Chunk
from tests.virtual_time import run


def until(*came: tuple[float, bool, bool]) -> float:
    """Return when the wait for the first token (5 s, gaps of 3 s) ends, after what came."""

    async def main() -> float:
        wait, began = _Wait(5.0, 3.0), now()
        for seconds, content, thinks in came:
            await asyncio.sleep(began + seconds - now())
            assert now() <= wait.deadline, "it was given up before"
            wait.came(content=content, thinks=thinks)
        return wait.deadline - began

    return run(main())


def test_visible_reasoning_is_a_sign_of_life() -> None:
    """Six seconds of it, then the reply: the wait begins anew with each sign."""
    thoughts = [(0.5 * at, False, True) for at in range(1, 13)]
    assert until(*thoughts, (6.1, True, False)) == pytest.approx(9.1)


def test_nobody_waits_for_ever_for_a_model_that_thinks() -> None:
    """Twice the wait is the most."""
    assert until(*((float(at), False, True) for at in range(1, 10))) == pytest.approx(10)


def test_other_signs_are_none() -> None:
    """A role alone, a ping: the server is there, the model need not be."""
    assert until((1.0, False, False), (4.0, False, False)) == pytest.approx(5)


@pytest.mark.parametrize(
    ("delta", "thinks"),
    [
        ({"reasoning_content": "Hm."}, True),
        ({"reasoning": "Hm."}, True),
        ({"reasoning_details": [{"text": "Hm."}]}, True),
        ({"content": [{"type": "thinking", "thinking": []}]}, True),
        ({"role": "assistant", "content": "", "reasoning_content": ""}, False),
        ({"reasoning": None}, False),
        (None, False),
    ],
)
def test_reasoning_has_several_names(delta: object, thinks: bool) -> None:
    """Whatever the server calls it, it is neither content nor spoken."""
    chunk = Chunk.of({"choices": [{"delta": delta}]})
    assert chunk.thinks is thinks
    assert not chunk.has_content
