"""What may be asked of the records of calls over REST, and what comes back, for OpenAPI too."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field
from pydantic.json_schema import models_json_schema

from agent.records.events import Disclosed, Outcome
from agent.records.queries import MOMENT
from agent.records.search.search_words import MOST_CHARACTERS

MOST_RECORDS, MOST_EVENTS = 200, 2000
"""Of one page: some 0.5 MB, and a tenth of a second at the most."""

Text = Annotated[str, Field(min_length=1, max_length=300)]


class RecordsQuery(BaseModel):
    """Which records are wanted. All that is given has to be so."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    since: Text | None = Field(
        None, description=f"When they began, at the earliest: {MOMENT}; UTC."
    )
    before: Text | None = Field(None, description="Before when they began, in the same words.")
    caller: Text | None = Field(None, description="Number, as people write it, or address.")
    called: Text | None = Field(None, description="Number, as people write it, or address.")
    number: Text | None = Field(
        None,
        description="The same, of anybody who had to do with the call: caller, called, whoever "
        "else was on the line, or to whom it was passed on.",
    )
    agent: Text | None = Field(None, description="Agent file, without `.md`.")
    outcome: Outcome | None = Field(None, description="How it ended.")
    direction: Literal["incoming", "outgoing"] | None = Field(None, description="Who called.")
    disclosed: Disclosed | None = Field(
        None,
        description="Whether it was heard that a machine talks: in full, not to its end, or not at "
        "all in a call that is over.",
    )
    q: str | None = Field(
        None,
        max_length=MOST_CHARACTERS,
        description='What was said: words, all of them; a "phrase"; word* for its beginning.',
    )
    language: Text | None = Field(
        None, description="Tag of the language of `q`, such as `de`. Unset: any that was spoken."
    )
    limit: int = Field(50, ge=1, le=MOST_RECORDS, description="Most records in the answer.")
    cursor: Text | None = Field(None, description="`next` of the page before.")


class RecordQuery(BaseModel):
    """Which lines of a record are wanted."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    after: int = Field(0, ge=0, lt=2**63, description="`next` of the page before.")
    limit: int = Field(MOST_EVENTS, ge=1, le=MOST_EVENTS, description="Most lines in the answer.")


class RecordSummary(BaseModel):
    """A call, as it is listed."""

    model_config = ConfigDict(frozen=True)

    id: str
    call_id: str = Field(description="The platform's.")
    direction: str
    agent: str
    caller: str
    called: str
    started: str = Field(description="The answer: UTC, ISO 8601.")
    ended: str | None = Field(description="The same; null while it is in progress.")
    seconds: float | None = Field(description="From the answer to the end.")
    outcome: Outcome
    disclosed: Disclosed | None = Field(
        description="Whether it was heard that a machine talks; null if nobody answered, or while "
        "it may still be heard."
    )
    price: float | None = Field(
        description="What the platform charges for all legs of the call; null if it is not known."
    )
    price_currency: str = Field(description="Of `price`; empty if it is not known.")
    answer_time: float | None = Field(
        description="Seconds from the end of the caller's speech to the first audio that they "
        "heard: the median of the call."
    )


class FoundLine(BaseModel):
    """The line of a record in which most of the words stand that were asked for."""

    model_config = ConfigDict(frozen=True)

    kind: str
    at: float | None = Field(description="Seconds since the answer.")
    text: str
    language: str = Field(description="Tag of the language it is in; empty if not known.")


class FoundSummary(RecordSummary):
    """A call, as it is listed when words were asked for."""

    found: FoundLine | None = Field(None, description="In which line; null without `q`.")


class SpokenLine(BaseModel):
    """What one of both has said."""

    model_config = ConfigDict(frozen=True)

    who: Literal["caller", "agent"]
    at: float | None = Field(description="Seconds since the answer.")
    until: float | None
    text: str = Field(description="Of the agent: as heard.")
    cut_off: bool = Field(description="Whether that was not all.")
    unheard: str = Field(description="What was made and not heard.")
    turn: int | None


class RecordLine(BaseModel):
    """A line of the record."""

    model_config = ConfigDict(frozen=True, from_attributes=True)

    id: int
    kind: str
    at: float | None = Field(description="Seconds since the answer.")
    fields: dict[str, Any] = Field(description="What the line says; see the page on records.")


class RecordAnswer(RecordSummary):
    """A call with all that is known of it."""

    data: dict[str, Any] = Field(
        description="The first line, and by kind the last `ended`, `platform`, `summary` and "
        "`recording`; in `usage` and `legs` lists; `answer_time`, once it is over."
    )
    conversation: list[SpokenLine] = Field(description="What was said, in these lines.")
    events: list[RecordLine]
    next: int | None = Field(description="For `after`, if there are more lines.")


class HeldCall(BaseModel):
    """A call that some process holds."""

    model_config = ConfigDict(frozen=True)

    id: str
    agent: str
    host: str
    pid: int


class CallsAnswer(BaseModel):
    """The calls in progress, and records."""

    model_config = ConfigDict(frozen=True)

    calls: list[HeldCall] = Field(
        description="The calls in progress, of all processes, whatever records are asked for."
    )
    records: list[FoundSummary] = Field(description="The latest first.")
    next: str | None = Field(description="For `cursor`, if there are more.")


class CallAnswer(BaseModel):
    """A call in progress, one that we placed, or one that has a record."""

    model_config = ConfigDict(frozen=True)

    id: str
    agent: str
    host: str | None = Field(None, description="Whose process holds it, if it is in progress.")
    pid: int | None = None
    to: str | None = Field(None, description="Whom we called, if we placed it; with all below.")
    status: str | None = None
    call_id: str | None = Field(None, description="The platform's, as soon as it is known.")
    result: str | None = None
    reason: str | None = None
    record: RecordAnswer | None = Field(
        None, description="What was said and what happened, as soon as there is a record."
    )


_REF = "#/components/schemas/{model}"

SCHEMAS: dict[str, Any] = models_json_schema(
    [(CallsAnswer, "serialization"), (CallAnswer, "serialization")], ref_template=_REF
)[1]["$defs"]
"""Of answers, by their names."""


def answer_of(model: type[BaseModel]) -> dict[str, Any]:
    """Return the schema of an answer."""
    return {"$ref": _REF.format(model=model.__name__)}


def parameters(model: type[BaseModel]) -> list[dict[str, Any]]:
    """Return the parameters of a query, as OpenAPI 3.1 has them."""
    return [
        {
            "name": name,
            "in": "query",
            "required": False,
            "description": schema["description"],
            "schema": {key: value for key, value in schema.items() if key in _OF_A_VALUE},
        }
        for name, schema in model.model_json_schema()["properties"].items()
    ]


_OF_A_VALUE = ("type", "anyOf", "enum", "minimum", "maximum", "maxLength", "minLength", "default")
