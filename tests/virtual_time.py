"""The event loop of tests, whose clock jumps: :mod:`agent.simulator.virtual_time`."""

from __future__ import annotations

from agent.simulator.virtual_time import VirtualTimeLoop, run

__all__ = ["VirtualTimeLoop", "run"]
