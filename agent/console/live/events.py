"""Calls in progress, pushed to browsers: the list, and one from its first line on.

And what an operator does to one.
"""

from __future__ import annotations

import asyncio
import re
import sys
from collections.abc import Awaitable, Callable, Mapping, Sequence
from contextlib import suppress
from functools import partial
from typing import Any

import structlog
from aiohttp import web

from agent.console.live.event_stream import (
    AUDIO_HEADERS,
    EVENT_HEADERS,
    EventStream,
    LastingAnswer,
    TooManyViewersError,
    Viewers,
)
from agent.console.live.lines import call_as_shown, line_as_shown
from agent.console.routes import PageRoute
from agent.console.visitor import Role, Visitor
from agent.records.access_log import AccessLog
from agent.records.call_records import CallRecords
from agent.records.events import CallRecord
from agent.records.stored_lines import StoredLines
from agent.server.live.call_audio import PACE
from agent.server.live.feed import CallFeed, CallFeeds
from agent.server.live.happenings import (
    CallFacts,
    CallOver,
    FloorChange,
    Follower,
    ListWatch,
    LiveLine,
)
from agent.server.operator.call_actions import CallActions
from agent.server.operator.errors import problem, read_body
from agent.server.operator.requests import (
    HangUpRequest,
    ReturnRequest,
    TakeOverRequest,
    TransferRequest,
    WhisperRequest,
)
from agent.sinch.refusals import NoSuchCallError
from agent.store.errors import StoreError
from agent.stream.addresses import client_address
from pipelines.clock import now

log = structlog.get_logger()

BEGINS_WITHIN = 15.0
"""Seconds for a call to begin that is asked for: a browser asks before its call is answered."""

LOOKED_FOR_EVERY = 1.0
"""Seconds between two looks whether it is over already, or why no calls are taken."""

TOGETHER = 0.2
"""Seconds in which changes of the list are collected: it is for eyes."""

STORED_WITHIN = 5.0
"""Seconds for a line to be in the database, as it is within a second; then it is let be."""

LOOK_EVERY = 0.25
"""Seconds between two looks for it."""

AGAIN_AFTER = "5"
"""Seconds until it is worth asking again, where too many look."""

_LINE = re.compile(r"(.+):([0-9]{1,15})")
"""What an event is told by: the record, and the number of the line."""

_Handler = Callable[[web.Request, Visitor], Awaitable[web.StreamResponse]]


class LiveEvents:
    """The streams of events, and what is done to a call in progress.

    Args:
        feeds: What happens in calls.
        actions: Gives them orders.
        lines: Those that stand in the database.
        records: Which calls there were.
        access: Notes who looks, before they do.
        viewers: Counts them.
    """

    def __init__(
        self,
        feeds: CallFeeds,
        actions: CallActions,
        lines: StoredLines,
        records: CallRecords,
        access: AccessLog,
        viewers: Viewers,
    ) -> None:
        self._feeds = feeds
        self._actions = actions
        self._lines = lines
        self._records = records
        self._access = access
        self._viewers = viewers

    def routes(self) -> Sequence[PageRoute]:
        """Return their paths."""
        one, operate = "/console/live/{name}", Role.OPERATE
        done = {
            "hang-up": self._hang_up,
            "transfer": self._transfer,
            "whisper": self._whisper,
            "take-over": self._take_over,
            "return": self._give_back,
        }
        return [
            PageRoute(method="GET", path="/console/events", handler=self._counted(self._list)),
            PageRoute(method="GET", path=f"{one}/events", handler=self._counted(self._follow)),
            PageRoute(
                method="GET",
                path=f"{one}/audio",
                role=Role.LISTEN,
                handler=self._counted(self._listen),
            ),
            *(
                PageRoute(method="POST", path=f"{one}/{what}", role=operate, handler=handler)
                for what, handler in done.items()
            ),
        ]

    def _counted(self, handler: _Handler) -> _Handler:
        async def counted(request: web.Request, visitor: Visitor) -> web.StreamResponse:
            try:
                with self._viewers.one_more():
                    return await handler(request, visitor)
            except TooManyViewersError:
                return problem(503, "too many look on just now", {"retry-after": AGAIN_AFTER})

        return counted

    # The list

    async def _list(self, request: web.Request, visitor: Visitor) -> web.StreamResponse:
        with self._feeds.watching() as watch:
            first = [feed for name in watch.take() if (feed := self._feeds.calls.get(name))]
            await self._note_listed(first, visitor)
            answer = LastingAnswer(request, EVENT_HEADERS)
            stream, refusing = EventStream(answer), None
            try:
                await stream.begin()
                await stream.send("calls", {"calls": [call_as_shown(f, visitor) for f in first]})
                while True:
                    if refusing != (refusing := self._actions.refusing):
                        await stream.send("refusing", {"reason": refusing})
                    await stream.wait(partial(self._changed, watch, refusing))
                    if self._feeds.closed:
                        break
                    await asyncio.sleep(TOGETHER)
                    await self._tell(stream, watch.take(), visitor)
            except (ConnectionError, TimeoutError, StoreError):
                return answer.abort()
            return await answer.finish()

    async def _changed(self, watch: ListWatch, refusing: str) -> None:
        """Wait for calls to change, or for the reason why no more are taken."""
        while self._actions.refusing == refusing:
            with suppress(TimeoutError):
                async with asyncio.timeout(LOOKED_FOR_EVERY):
                    await watch.wait()
                    return

    async def _tell(self, stream: EventStream, names: Sequence[str], visitor: Visitor) -> None:
        found = {name: self._feeds.calls.get(name) for name in names}
        await self._note_listed([feed for feed in found.values() if feed is not None], visitor)
        for name, feed in found.items():
            if feed is None:
                await stream.send("gone", {"name": name})
            else:
                await stream.send("call", call_as_shown(feed, visitor))

    async def _note_listed(self, feeds: Sequence[CallFeed], visitor: Visitor) -> None:
        if records := [feed.facts.record for feed in feeds if feed.facts.record]:
            await self._access.note("list", records, visitor.name)

    # One call

    async def _follow(self, request: web.Request, visitor: Visitor) -> web.StreamResponse:
        answer = LastingAnswer(request, EVENT_HEADERS)
        stream = EventStream(answer)
        told = _Told(stream, visitor, self._lines, request.headers.get("last-event-id", ""))
        try:
            await stream.begin()
            feed, record = await self._looked_for(request.match_info["name"])
            if feed is not None:
                with self._feeds.following(feed) as follower:
                    if not await self._is_known(feed):
                        return await answer.finish()
                    await self._access.note("follow", [feed.facts.record], visitor.name)
                    if not await self._follow_on(told, feed, follower):
                        return await answer.finish()
                await stream.send("over", {"record": feed.facts.record})
            elif record is not None:
                await self._access.note("follow", [record.id], visitor.name)
                await told.all_of(_facts(record))
                await stream.send("over", {"record": record.id})
            else:
                await stream.send("none", {})
        except (ConnectionError, TimeoutError, StoreError):
            return answer.abort()
        return await answer.finish()

    async def _looked_for(self, name: str) -> tuple[CallFeed | None, CallRecord | None]:
        """Return a call in progress, once there is one; or the record of one that is over."""
        until = now() + BEGINS_WITHIN
        while True:
            if (feed := self._feeds.find(name)) is not None:
                return feed, None
            record = await self._records.get(name)
            over = record is not None and record.ended is not None
            if over or self._feeds.closed or now() >= until:
                return None, record
            within = min(LOOKED_FOR_EVERY, until - now())
            if (feed := await self._feeds.arrival(name, within)) is not None:
                return feed, None

    async def _is_known(self, feed: CallFeed) -> bool:
        """Return whether it is known which record a call has, once whoever holds it has told."""
        try:
            async with asyncio.timeout(STORED_WITHIN):
                await feed.known.wait()
        except TimeoutError:
            return False
        return True

    async def _follow_on(self, told: _Told, feed: CallFeed, follower: Follower) -> bool:
        """Tell what happens; return whether the call is over, or they may look no more."""
        before = feed.lines
        while not self._feeds.closed:
            happened = follower.take()
            for what in happened:
                if isinstance(what, CallOver):
                    await told.up_to(feed.facts, feed.lines - 1)
                    await told.all_of(feed.facts)
                    return True
                await told.tell(feed.facts, what)
            await told.up_to(feed.facts, before - 1)
            before = feed.lines if not happened else 0
            await told.stream.wait(follower.wait)
        return False

    async def _listen(self, request: web.Request, visitor: Visitor) -> web.StreamResponse:
        feed = self._feeds.find(request.match_info["name"])
        # What cannot be noted, since nobody knows of which record it is, is not heard.
        if feed is None or not await self._is_known(feed) or not feed.facts.record:
            raise NoSuchCallError
        await self._access.note("listen", [feed.facts.record], visitor.name)
        answer = LastingAnswer(request, AUDIO_HEADERS)
        try:
            with self._feeds.listening(feed) as listener:
                await answer.begin()
                while not (feed.over or self._feeds.closed):
                    await asyncio.sleep(PACE)
                    feed.advance()
                    if heard := listener.take():
                        await answer.write(heard)
            return await answer.finish()
        except (ConnectionError, TimeoutError):
            return answer.abort()

    # What is done

    async def _hang_up(self, request: web.Request, visitor: Visitor) -> web.Response:
        asked = await read_body(request, HangUpRequest)
        await self._actions.hang_up(request.match_info["name"], goodbye=asked.goodbye)
        return _done("hang up", request, visitor)

    async def _whisper(self, request: web.Request, visitor: Visitor) -> web.Response:
        asked = await read_body(request, WhisperRequest)
        await self._actions.whisper(request.match_info["name"], asked.text, visitor.name)
        return _done("whisper", request, visitor)

    async def _take_over(self, request: web.Request, visitor: Visitor) -> web.Response:
        """Have the operator's telephone rung, and the caller passed on to it; the agent stays."""
        asked = await read_body(request, TakeOverRequest)
        await self._actions.take_over(request.match_info["name"], asked)
        return _done("take over", request, visitor)

    async def _give_back(self, request: web.Request, visitor: Visitor) -> web.Response:
        await read_body(request, ReturnRequest)
        await self._actions.give_back(request.match_info["name"])
        return _done("give back", request, visitor)

    async def _transfer(self, request: web.Request, visitor: Visitor) -> web.Response:
        asked = await read_body(request, TransferRequest)
        await self._actions.transfer(request.match_info["name"], asked)
        return _done("transfer", request, visitor)


def _done(what: str, request: web.Request, visitor: Visitor) -> web.Response:
    """Return that it will be done, and note by whom; numbers and words are on the record."""
    name = request.match_info["name"][:64]
    log.info(
        "done by the console",
        what=what,
        call_id="".join(char for char in name if char.isprintable()),
        who=visitor.name,
        remote=client_address(request),
    )
    return web.json_response({}, status=202)


def _facts(record: CallRecord) -> CallFacts:
    return CallFacts(
        name=record.id,
        agent=record.agent,
        record=record.id,
        caller=str(record.data.get("caller", "")),
        called=str(record.data.get("called", "")),
    )


class _Told:
    """What one browser was told of one call: each line once, in its order."""

    def __init__(
        self, stream: EventStream, visitor: Visitor, lines: StoredLines, last: str
    ) -> None:
        self.stream = stream
        self._visitor = visitor
        self._lines = lines
        self._numbers: list[str] = []
        """To which the caller was passed on."""

        found = _LINE.fullmatch(last)
        self._record, self._last = (found[1], int(found[2])) if found else ("", -1)

    async def tell(self, facts: CallFacts, what: LiveLine | FloorChange) -> None:
        """Tell what happens, after all lines before it."""
        if isinstance(what, FloorChange):
            await self.stream.send("floor", {"floor": what.floor, "at": what.at})
            return
        if what.number is not None:
            self._check(facts)
            if what.number <= self._last:
                return
            await self.up_to(facts, what.number - 1)
        await self._line(facts, what.number, what.kind, what.fields)

    async def up_to(self, facts: CallFacts, number: int) -> None:
        """Tell what stands in the record up to a line, once it does, and was not told."""
        self._check(facts)
        until = now() + STORED_WITHIN
        while self._last < number:
            if not await self._more(facts, number):
                if now() > until:
                    self._last = number
                    return
                await asyncio.sleep(LOOK_EVERY)

    async def all_of(self, facts: CallFacts) -> None:
        """Tell all that stands in the record, and was not told."""
        self._check(facts)
        while await self._more(facts, sys.maxsize):
            continue

    async def _more(self, facts: CallFacts, number: int) -> bool:
        found = await self._lines.after(facts.record, self._last)
        for one in found:
            if one.number <= number:
                await self._line(facts, one.number, one.kind, one.fields)
        return bool(found)

    async def _line(
        self, facts: CallFacts, number: int | None, kind: str, fields: Mapping[str, Any]
    ) -> None:
        if kind == "transfer":
            self._numbers.append(str(fields.get("to", "")))
        text = line_as_shown(kind, fields, facts, self._visitor, self._numbers)
        if number is None:
            await self.stream.send("line", text)
            return
        self._last = number
        await self.stream.send("line", text, f"{facts.record}:{number}")

    def _check(self, facts: CallFacts) -> None:
        """Begin with the first line, if what was told was of another call of the name."""
        if self._record != facts.record:
            self._numbers.clear()
            self._record, self._last = facts.record, -1
