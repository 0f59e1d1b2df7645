"""What carries a process: its event loop (uvloop where it runs), and its garbage collector."""

from __future__ import annotations

import asyncio
import gc
from collections.abc import Callable
from importlib.util import find_spec
from typing import Literal

from agent.settings.errors import SettingsError

EventLoopName = Literal["uvloop", "asyncio"]


def loop_factory(wanted: EventLoopName | None) -> Callable[[], asyncio.AbstractEventLoop]:
    """Return what makes the event loop, for :class:`asyncio.Runner`.

    Args:
        wanted: By name; None is uvloop if it is there, which it is not on Windows.

    Raises:
        SettingsError: If just that was wanted, and it is not there.
    """
    there = find_spec("uvloop") is not None
    if wanted == "asyncio" or (wanted is None and not there):
        return asyncio.new_event_loop
    if not there:
        raise SettingsError("server.event_loop: uvloop is not installed here; asyncio is")
    from uvloop import new_event_loop  # noqa: PLC0415 - not on all systems

    return new_event_loop


def keep_what_is_there() -> None:
    """Have the garbage collector look no more through what the start has made. Call it once.

    Modules, settings and providers are 130,000 objects that stay: looking through them took 80 ms
    each time, in which no call was served. What calls leave behind is collected as ever.
    """
    gc.freeze()  # without a collection before, which would hold the calls that come first
