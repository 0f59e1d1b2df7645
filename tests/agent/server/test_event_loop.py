"""Which event loop carries a process."""

from __future__ import annotations

import asyncio
import sys

import pytest

from agent.server.event_loop import loop_factory
from agent.settings.errors import SettingsError


def kind(wanted: str | None) -> str:
    with asyncio.Runner(loop_factory=loop_factory(wanted)) as runner:  # type: ignore[arg-type]
        return type(runner.get_loop()).__module__.partition(".")[0]


@pytest.mark.skipif(sys.platform == "win32", reason="uvloop does not run there")
def test_uvloop_unless_asyncio_is_wanted() -> None:
    """The setting is by name; unset, it is the faster."""
    assert (kind(None), kind("uvloop"), kind("asyncio")) == ("uvloop", "uvloop", "asyncio")


def test_where_it_is_not_there_it_is_asyncio_unless_just_that_was_wanted(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """A mistake in the settings is told by name."""
    monkeypatch.setitem(sys.modules, "uvloop", None)
    assert kind(None) == "asyncio"
    with pytest.raises(SettingsError, match=r"server\.event_loop"):
        kind("uvloop")
