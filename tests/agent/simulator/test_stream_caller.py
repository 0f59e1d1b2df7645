"""What the stand-in for the platform sends first."""

from __future__ import annotations

from typing import Any

import pytest

from agent.simulator.plan import Plan
from agent.simulator.stream_caller import connect_message
from agent.stream.connect import Connect
from agent.stream.protocol import StreamProtocol


@pytest.mark.parametrize("shape", ["v1", "v2", "tutorial"])
def test_its_connect_is_one_that_we_understand(shape: Any) -> None:
    """Each published shape carries the id and the headers."""
    plan = Plan(rate=16000, headers={"Key": "value"}, shape=shape)
    event = StreamProtocol(16000).receive(connect_message(plan, "c1"))
    assert isinstance(event, Connect)
    assert (event.call_id, event.headers["key"], event.rate) == ("c1", "value", 16000)
