"""What happens in calls, between the processes of a service: while somebody looks, and only then.

A process where somebody looks asks each that holds calls, again every few seconds. That one leaves
what happens for it in the database, in one transaction for all calls and all who look, a few times
a second; it is deleted as it is read. Whoever does not ask any more is forgotten. What gets lost is
no matter: lines are in the records, and the rest is told anew.

Texts are sealed if records are.
"""

from __future__ import annotations

import asyncio
import base64
import json
from collections.abc import Iterable, Mapping
from typing import Any

import structlog

from agent.records.seals import Seal, SealError
from agent.server.live.call_audio import expanded
from agent.server.live.feed import CallFeeds
from agent.server.live.happenings import CallFacts
from agent.server.live.outlets import Outlets
from agent.server.live.remote_feed import RemoteFeed
from agent.sinch.legs.processes import OtherProcesses
from agent.store.errors import StoreError
from agent.store.live_calls import LiveCall
from pipelines.background import BackgroundTasks
from pipelines.clock import now

log = structlog.get_logger()

ASKED_EVERY = 3.0
"""Seconds after which others are asked again."""

CALLS_EVERY = 1.0
"""Seconds between two looks which calls there are."""

TAKEN_EVERY = 0.25
"""Seconds between two looks what was told."""

HELD_FOR = 3.0
"""Seconds after which a call is over that nobody holds any more: whoever has held it has told the
rest of it by then, or has died. As long a new one may take to be known to all."""


class LiveRelay:
    """Both ends of it: has others be told what happens here, and us what happens elsewhere.

    Args:
        feeds: Of this process; those of others are added while somebody looks.
        others: The other processes.
        seal: Hides what people said.
    """

    def __init__(self, feeds: CallFeeds, others: OtherProcesses, seal: Seal) -> None:
        self._feeds = feeds
        self._others = others
        self._seal = seal
        self._outlets = Outlets(feeds, others, seal)
        self._wanted = asyncio.Event()
        self._asked: dict[str, dict[str, Any]] = {}
        self._asked_at = self._called_at = 0.0

    def run_in(self, background: BackgroundTasks) -> None:
        """Start both."""
        self._feeds.elsewhere = self
        self._others.asked = self._outlets.asked
        background.keep_running(self._outlets.run, "telling others what happens in calls")
        background.keep_running(self._run, "hearing what happens in others' calls")

    def look(self) -> None:
        """See :class:`~agent.server.live.feed.Elsewhere`."""
        if self._is_wanted:
            self._wanted.set()

    @property
    def _is_wanted(self) -> bool:
        looked_at = any(one.followed or one.listened_to for one in self._remote)
        return self._feeds.watched or self._feeds.awaits_any or looked_at

    @property
    def _remote(self) -> list[RemoteFeed]:
        return [one for one in self._feeds.calls.values() if isinstance(one, RemoteFeed)]

    async def _run(self) -> None:
        while True:
            await self._wanted.wait()
            self._wanted.clear()
            self._called_at = self._asked_at = 0.0
            while self._is_wanted:
                try:
                    await self._look_once()
                except StoreError:  # the database has logged it
                    await asyncio.sleep(CALLS_EVERY)
                await asyncio.sleep(TAKEN_EVERY)
            for feed in self._remote:
                self._feeds.end(feed.facts.name)

    async def _look_once(self) -> None:
        if now() - self._called_at > CALLS_EVERY:
            self._take_calls(await self._others.calls())
            self._called_at = now()
        await self._ask()
        for text in await self._others.told():
            try:
                self._take(json.loads(self._seal.show(text, self._others.own)))
            except SealError:
                log.warning("what another process tells cannot be read: its keys are others")

    def _take_calls(self, calls: Iterable[LiveCall]) -> None:
        """Have the feeds be of the calls that others hold."""
        held = {call.name: call for call in calls}
        for feed in self._remote:
            call = held.get(feed.facts.name)
            if call is not None and call.process == feed.process:
                feed.seen_at = now()
            elif call is not None or now() - feed.seen_at > HELD_FOR:
                self._feeds.end(feed.facts.name)
        for name, call in held.items():
            if name not in self._feeds.calls:
                facts = CallFacts(name=name, agent=call.agent, host=call.host, pid=call.pid)
                self._feeds.begin(RemoteFeed(facts, call.process), name)

    async def _ask(self) -> None:
        wanted: dict[str, dict[str, Any]] = {}
        own = self._others.own
        for feed in self._remote:
            of = wanted.setdefault(
                feed.process,
                {"viewer": own, "list": self._feeds.watched, "follow": [], "listen": []},
            )
            if feed.followed:
                of["follow"].append(feed.facts.name)
            if feed.listened_to:
                of["listen"].append(feed.facts.name)
        wanted = {
            process: one
            for process, one in wanted.items()
            if one["list"] or one["follow"] or one["listen"]
        }
        if wanted == self._asked and now() - self._asked_at < ASKED_EVERY:
            return
        due = now() - self._asked_at >= ASKED_EVERY
        news = {p: one for p, one in wanted.items() if due or self._asked.get(p) != one}
        await self._others.ask(news)
        self._asked = wanted
        if due:
            self._asked_at = now()

    def _take(self, told: Mapping[str, Any]) -> None:
        """Take what a process tells of its calls."""
        process, gone = told["from"], set(told["gone"])
        for state in told["calls"]:
            self._update(CallFacts(**state["facts"]), process, state)
        for feed in self._remote:
            name = feed.facts.name
            if feed.process == process:
                feed.take(told["told"].get(name, ()))
                feed.hear(expanded(base64.b64decode(told["audio"].get(name, ""))))
                if name in gone:
                    self._feeds.end(name)

    def _update(self, facts: CallFacts, process: str, state: Mapping[str, Any]) -> None:
        if facts.name not in self._feeds.calls:
            self._feeds.begin(RemoteFeed(facts, process), facts.name)
        feed = self._feeds.calls[facts.name]
        if isinstance(feed, RemoteFeed) and feed.process == process:
            feed.update(facts, state)
