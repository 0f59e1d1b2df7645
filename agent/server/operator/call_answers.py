"""What is told of the records of calls over REST."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import Any, TypeVar

from pydantic import BaseModel, ValidationError

from agent.records import queries
from agent.records.access_log import Access, AccessLog
from agent.records.call_records import CallRecords, Place, RecordFilter
from agent.records.conversation import SpokenTurn, conversation
from agent.records.events import CallRecord, RecordedEvent
from agent.records.legs import price_of
from agent.records.search.found_lines import found_lines
from agent.records.search.number_forms import looked_up_as
from agent.records.search.search_words import Question, QuestionError
from agent.server.operator.records_api import (
    FoundLine,
    RecordAnswer,
    RecordLine,
    RecordQuery,
    RecordsQuery,
    RecordSummary,
    SpokenLine,
)

LOOKED_AT = 1000
"""Lines of a record in which words are looked for once more: most calls have fewer."""

Model = TypeVar("Model", bound=BaseModel)


class QueryError(ValueError):
    """The query is wrong; the message says where, and quotes nothing.

    Args:
        field: The parameter that is; ``query`` if it is one that there is not.
        reason: What is wrong with it, in words.
    """

    def __init__(self, field: str, reason: str) -> None:
        super().__init__(f"{field}: {reason}")
        self.field = field
        self.reason = reason


class CallAnswers:
    """Answers of records. Every method raises StoreError and SealError, as reading them does.

    Args:
        records: Of all calls; None if there is no database, and so no record.
        country: Two letters, of a number without ``+``; ``""`` if there is none.
        access: Notes which records were looked at, before they are shown; None without a database.
    """

    def __init__(
        self, records: CallRecords | None, country: str, access: AccessLog | None = None
    ) -> None:
        self._records = records
        self._access = access
        self._country = country

    async def listed(self, given: Mapping[str, str], who: str = "") -> dict[str, Any]:
        """Return a page of records, and how to ask for the next.

        Args:
            given: As :class:`~agent.server.operator.records_api.RecordsQuery` has it.
            who: Who looks, if that is not the holder of the token.

        Raises:
            QueryError: If it is wrong.
        """
        asked = _checked(RecordsQuery, given)
        wanted, after = self._wanted(asked), _place(asked.cursor)
        if self._records is None:
            return {"records": [], "next": None}
        try:
            found = await self._records.find(wanted, after=after, limit=asked.limit + 1)
        except QuestionError as error:
            raise QueryError("q", str(error)) from None
        page = found[: asked.limit]
        times = await self._records.answer_times(page)
        if self._access is not None:
            what: Access = "list" if wanted.words is None else "search"
            await self._access.note(what, [one.id for one in page], who)
        lines = await found_lines(self._records, wanted, page, lines_of_each=LOOKED_AT)
        more = len(found) > len(page)
        return {
            "records": [
                {**summary(one, times[one.number]), "found": found_in(lines.get(one.number))}
                for one in page
            ],
            "next": queries.cursor((page[-1].started, page[-1].number)) if more else None,
        }

    async def one(
        self, name: str, given: Mapping[str, str], who: str = ""
    ) -> dict[str, Any] | None:
        """Return a record with its lines; None if there is none.

        Args:
            name: Of the record, or of its call.
            given: As :class:`~agent.server.operator.records_api.RecordQuery` has it.
            who: Who looks, if that is not the holder of the token.

        Raises:
            QueryError: If it is wrong.
        """
        asked = _checked(RecordQuery, given)
        record = await self._records.get(name) if self._records is not None else None
        if record is None or self._records is None:
            return None
        if self._access is not None:
            await self._access.note("show", [record.id], who)
        found = await self._records.events(record, after=asked.after, limit=asked.limit + 1)
        events, more = found[: asked.limit], len(found) > asked.limit
        if more and (until := _unfinished(events)):
            events = events[:until]  # the reply whose end is on the next page is there whole
        times = await self._records.answer_times([record])
        return whole(record, times[record.number], events, more=more)

    async def asked(self, given: Mapping[str, str]) -> Question:
        """Return the words that a query searches for, in their forms; empty if there are none.

        Raises:
            QueryError: If it is wrong.
        """
        wanted = self.wanted(given)
        try:
            return await self._records.asked(wanted) if self._records is not None else ()
        except QuestionError as error:
            raise QueryError("q", str(error)) from None

    def wanted(self, given: Mapping[str, str]) -> RecordFilter:
        """Return which records a query asks for, of however many pages.

        Raises:
            QueryError: If it is wrong.
        """
        return self._wanted(_checked(RecordsQuery, given))

    def _wanted(self, asked: RecordsQuery) -> RecordFilter:
        def number(text: str | None) -> str | None:
            return None if text is None else looked_up_as(text, self._country)

        return RecordFilter(
            since=_moment("since", asked.since),
            before=_moment("before", asked.before),
            caller=number(asked.caller),
            called=number(asked.called),
            number=number(asked.number),
            agent=asked.agent,
            outcome=asked.outcome,
            direction=asked.direction,
            disclosed=asked.disclosed,
            words=asked.q,
            language=asked.language,
        )


def _checked(model: type[Model], given: Mapping[str, str]) -> Model:
    try:
        return model.model_validate(dict(given))
    except ValidationError as error:
        first = error.errors(include_url=False, include_input=False)[0]
        where = str(first["loc"][0])
        if where not in model.model_fields:
            raise QueryError("query", f"no such parameter: {first['msg']}") from None
        raise QueryError(where, first["msg"]) from None


def _moment(name: str, text: str | None) -> float | None:
    try:
        return None if text is None else queries.moment(text, datetime.now(UTC))
    except ValueError as error:
        raise QueryError(name, str(error)) from None


def _place(cursor: str | None) -> Place | None:
    try:
        return None if cursor is None else queries.place(cursor)
    except ValueError as error:
        raise QueryError("cursor", str(error)) from None


def summary(record: CallRecord, waited: float | None) -> dict[str, Any]:
    """Return a call as it is listed.

    Args:
        record: Of the call.
        waited: Median of the seconds that its caller has waited for an answer.
    """
    ended, (price, currency) = record.ended, price_of(record.data)
    listed = RecordSummary(
        id=record.id,
        call_id=str(record.data.get("call_id", "")),
        direction=record.direction,
        agent=record.agent,
        caller=str(record.data.get("caller", "")),
        called=str(record.data.get("called", "")),
        started=_iso(record.started),
        ended=None if ended is None else _iso(ended),
        seconds=None if ended is None else round(ended - record.started, 3),
        outcome=record.outcome,
        disclosed=record.disclosed,
        price=price,
        price_currency=currency,
        answer_time=waited,
    )
    return listed.model_dump(mode="json")


def found_in(line: RecordedEvent | None) -> dict[str, Any] | None:
    """Return the line in which words were found, as it is told; None if none was asked for."""
    if line is None:
        return None
    text = line.fields.get("text")
    found = FoundLine(
        kind=line.kind,
        at=line.at,
        text=text if isinstance(text, str) else "",
        language=str(line.fields.get("language", "")),
    )
    return found.model_dump(mode="json")


def whole(
    record: CallRecord,
    waited: float | None,
    events: Sequence[RecordedEvent],
    *,
    more: bool = False,
) -> dict[str, Any]:
    """Return a call with its lines.

    Args:
        record: Of the call.
        waited: Median of the seconds that its caller has waited for an answer.
        events: Its lines, or a page of them.
        more: Whether there are more.
    """
    said = events[: _unfinished(events)] if more else events
    answer = RecordAnswer(
        **summary(record, waited),
        data=dict(record.data),
        conversation=[_line(one) for one in conversation(said)],
        events=[RecordLine.model_validate(one) for one in events],
        next=events[-1].id if more else None,
    )
    return answer.model_dump(mode="json")


def _unfinished(events: Sequence[RecordedEvent]) -> int:
    """Return where the reply begins whose end is not in these lines; behind them, if none does."""
    kinds = [one.kind for one in events]
    last = max((at for at, kind in enumerate(kinds) if kind == "agent"), default=-1)
    return kinds.index("heard", last + 1) if "heard" in kinds[last + 1 :] else len(kinds)


def _line(one: SpokenTurn) -> SpokenLine:
    return SpokenLine(
        who=one.who,
        at=one.at,
        until=one.until,
        text=one.text,
        cut_off=one.cut_off is True,
        unheard=one.unheard or "",
        turn=one.turn,
    )


def _iso(moment: float) -> str:
    try:
        return datetime.fromtimestamp(moment, UTC).isoformat(timespec="milliseconds")
    except (ValueError, OverflowError, OSError):  # a year that there is not
        return _iso(0.0)
