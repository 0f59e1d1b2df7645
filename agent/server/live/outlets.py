"""Tells other processes what happens in the calls of this one, as long as they ask."""

from __future__ import annotations

import asyncio
import base64
import json
from collections.abc import Callable, Mapping
from contextlib import AbstractContextManager, ExitStack
from dataclasses import asdict
from typing import Any, Generic, TypeVar

from agent.records.seals import Seal
from agent.server.live.call_audio import AudioListener, compressed
from agent.server.live.feed import CallFeed, CallFeeds, LocalFeed
from agent.server.live.happenings import (
    CallOver,
    FloorChange,
    Follower,
    Happening,
    ListWatch,
    LiveLine,
)
from agent.sinch.legs.processes import OtherProcesses
from agent.store.errors import StoreError
from pipelines.clock import now

TOLD_EVERY = 0.3
"""Seconds in which what happens is collected, for one transaction."""

FORGOTTEN_AFTER = 8.0
"""Seconds after which a process that has not asked again is told nothing more: it asks every 3."""

T = TypeVar("T")


class Outlets:
    """What other processes are told, by their names.

    Args:
        feeds: Of this process.
        others: Who are told.
        seal: Hides what people said.
    """

    def __init__(self, feeds: CallFeeds, others: OtherProcesses, seal: Seal) -> None:
        self._feeds = feeds
        self._others = others
        self._seal = seal
        self._outlets: dict[str, _Outlet] = {}
        self._asked = asyncio.Event()

    def asked(self, wanted: Mapping[str, Any]) -> None:
        """Take what a process wants to know; what is no such question is let be. Returns at once.

        Args:
            wanted: ``viewer``, its name; ``list``, whether all calls are looked at; ``follow`` and
                ``listen``, names of calls.
        """
        match wanted:
            case {"viewer": str(viewer), "list": bool(), "follow": list(), "listen": list()}:
                outlet = self._outlets.setdefault(viewer, _Outlet(self._feeds))
                outlet.asked(wanted)
                self._asked.set()

    async def run(self) -> None:
        """Tell them, until this is cancelled."""
        try:
            while True:
                await self._asked.wait()
                self._asked.clear()
                while self._outlets:
                    await self._tell()
                    await asyncio.sleep(TOLD_EVERY)
        finally:
            for outlet in self._outlets.values():
                outlet.close()
            self._outlets.clear()

    async def _tell(self) -> None:
        for viewer, outlet in list(self._outlets.items()):
            if now() > outlet.until:
                outlet.close()
                del self._outlets[viewer]
        whose = {"from": self._others.own}
        news = {viewer: outlet.news() for viewer, outlet in self._outlets.items()}
        texts = {
            viewer: self._seal.hide(json.dumps(whose | one, default=_plain), viewer)
            for viewer, one in news.items()
            if one is not None
        }
        if not texts:
            return
        try:
            await self._others.tell(texts)
        except StoreError:  # the database has logged it; lines are read from the records
            for outlet in self._outlets.values():
                outlet.begin_anew()


class _Entered(Generic[T]):
    """A context that was entered, until it is left."""

    def __init__(self, manager: AbstractContextManager[T]) -> None:
        self._stack = ExitStack()
        self.value = self._stack.enter_context(manager)

    def leave(self) -> None:
        self._stack.close()


class _Outlet:
    """What one other process is told.

    Args:
        feeds: Of this process.
    """

    def __init__(self, feeds: CallFeeds) -> None:
        self._feeds = feeds
        self._watch: _Entered[ListWatch] | None = None
        self._followed: dict[str, _Entered[Follower]] = {}
        self._listened: dict[str, _Entered[AudioListener]] = {}
        self._changed: dict[str, None] = {}
        """Calls whose state is to be told, besides those of the watch."""

        self.until = 0.0
        """When it is forgotten."""

    def asked(self, wanted: Mapping[str, Any]) -> None:
        """Take what is wanted from now on."""
        self.until = now() + FORGOTTEN_AFTER
        if wanted["list"] and self._watch is None:
            self._watch = _Entered(self._feeds.watching(here=True))
        elif not wanted["list"] and self._watch is not None:
            self._watch.leave()
            self._watch = None
        self._adjust(self._followed, wanted["follow"], lambda feed: feed.following())
        self._adjust(self._listened, wanted["listen"], lambda feed: feed.listening())

    def news(self) -> dict[str, Any] | None:
        """Return what has happened since the last time; None for nothing."""
        changed, self._changed = self._changed, {}
        if self._watch is not None:
            changed.update(dict.fromkeys(self._watch.value.take()))
        told, audio = self._told(changed), self._heard()
        calls = [_state(feed) for name in changed if (feed := self._local(name)) is not None]
        # Names of calls that others hold may be among them: nobody takes that for ours.
        gone = [name for name in changed if self._local(name) is None]
        if not (calls or gone or told or audio):
            return None
        return {"calls": calls, "gone": gone, "told": told, "audio": audio}

    def _told(self, changed: dict[str, None]) -> dict[str, list[Any]]:
        """Return what has happened in calls that are followed; note those that are over."""
        told: dict[str, list[Any]] = {}
        for name, follower in list(self._followed.items()):
            happened = follower.value.take()
            if any(isinstance(one, CallOver) for one in happened):
                changed[name] = None
                self._followed.pop(name).leave()
            if short := [as_list for one in happened if (as_list := _as_list(one))]:
                told[name] = short
        return told

    def _heard(self) -> dict[str, str]:
        """Return what was heard of calls that are listened to."""
        audio: dict[str, str] = {}
        for name, listener in self._listened.items():
            if (feed := self._local(name)) is not None:
                feed.advance()
            if heard := listener.value.take():
                audio[name] = base64.b64encode(compressed(heard)).decode()
        return audio

    def begin_anew(self) -> None:
        """Have all be told once more: what was told last is lost."""
        self._changed.update(dict.fromkeys(self._feeds.calls if self._watch else self._followed))

    def close(self) -> None:
        """Look no more."""
        self.asked({"list": False, "follow": [], "listen": []})

    def _adjust(
        self,
        entered: dict[str, _Entered[T]],
        names: list[Any],
        enter: Callable[[CallFeed], AbstractContextManager[T]],
    ) -> None:
        """Enter what is wanted of calls here, and leave what is not."""
        wanted = {
            name: feed
            for name in names
            if isinstance(name, str) and (feed := self._local(name)) is not None
        }
        for name in entered.keys() - wanted.keys():
            entered.pop(name).leave()
        for name in wanted.keys() - entered.keys():
            entered[name] = _Entered(enter(wanted[name]))
            self._changed[name] = None

    def _local(self, name: str) -> LocalFeed | None:
        feed = self._feeds.calls.get(name)
        return feed if isinstance(feed, LocalFeed) else None


def _state(feed: CallFeed) -> dict[str, Any]:
    """Return how things are in a call."""
    return {
        "facts": asdict(feed.facts),
        "floor": feed.floor_now and [feed.floor_now.floor, feed.floor_now.at],
        "said": feed.said and [feed.said.who, feed.said.text],
        "lines": feed.lines,
    }


def _as_list(what: Happening) -> list[Any]:
    match what:
        case LiveLine(number=number, kind=kind, fields=fields):
            return [number, kind, fields]
        case FloorChange(floor=floor, at=at):
            return [floor, at]
        case CallOver():
            return []


def _plain(value: object) -> str:
    """Return what is told of something that JSON has no word for."""
    return f"({type(value).__name__})"
