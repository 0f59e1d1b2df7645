"""One answered stream: what leaves, in which order, and what comes."""

from __future__ import annotations

import json

from hypothesis import given, settings
from hypothesis import strategies as st
from structlog.testing import capture_logs

from agent.stream.channel import IGNORED_LOGGED
from tests.agent.call.parts import Line, channel_on
from tests.virtual_time import run

CLEAR, HEARTBEAT = json.dumps({"command": "clear"}), json.dumps({"command": "heartbeat"})


@settings(max_examples=50)
@given(st.lists(st.sampled_from(["clear", "send", "flush"]), max_size=20), st.floats(0, 0.5))
def test_what_leaves_keeps_its_order(asked: list[str], full: float) -> None:
    """A command leaves before any audio that is sent after it, on a full line too, and once."""
    line, wanted = Line(full=full), list[str | bytes]()

    async def main() -> None:
        channel = channel_on(line)
        for number, what in enumerate(asked):
            match what:
                case "clear":
                    channel.clear()
                    wanted.append(CLEAR)
                case "send":
                    await channel.send(bytes([number]))
                    wanted.append(bytes([number]))
                case _:
                    await channel.flush()
        await channel.flush()

    run(main())
    assert [message for _, message in line.sent] == wanted


def test_audio_comes_as_it_is_and_what_says_nothing_as_nothing() -> None:
    """The first few of those are logged, never what they said; None is the end."""

    async def main() -> None:
        channel = channel_on(Line(gives=[b"\1\2\3", *["secret"] * 9, b"\4"]))
        with capture_logs() as logs:
            assert await channel.receive() == b"\1\2\3"
            assert [await channel.receive() for _ in range(9)] == [b""] * 9
        assert await channel.receive() == b"\4"
        assert await channel.receive() is None
        assert len(logs) == IGNORED_LOGGED
        assert "secret" not in str(logs)

    run(main())
