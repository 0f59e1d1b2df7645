"""The tables, and the clock that all rows count by.

Names of calls and legs come from outside and may be anything, so rows go by their digests. Values
are JSON objects in ASCII, which any database takes. Every row has an age, by which it is swept.
"""

from __future__ import annotations

import hashlib
import json
from typing import Any

from sqlalchemy import Column, Float, Integer, MetaData, String, Table, Text
from sqlalchemy.engine import Dialect
from sqlalchemy.ext.compiler import compiles
from sqlalchemy.sql.compiler import SQLCompiler
from sqlalchemy.sql.expression import FunctionElement
from sqlalchemy.types import TypeDecorator

DIGEST = 40
"""Characters of the name of a row."""


class JsonObject(TypeDecorator[dict[str, Any]]):
    """A JSON object; what cannot be read is None, as if it were not there."""

    impl = Text
    cache_ok = True

    def process_bind_param(self, value: dict[str, Any] | None, dialect: Dialect) -> str | None:  # noqa: ARG002 - SQLAlchemy's signature
        """Return ``value`` as text."""
        return None if value is None else json.dumps(value)

    def process_result_value(self, value: str | None, dialect: Dialect) -> dict[str, Any] | None:  # noqa: ARG002 - SQLAlchemy's signature
        """Return the object that stands in ``value``."""
        try:
            read = None if value is None else json.loads(value)
        except ValueError:
            return None
        return read if isinstance(read, dict) else None


class Now(FunctionElement[float]):
    """Unix time by the database's clock: those of several hosts may differ."""

    inherit_cache = True
    type = Float()


@compiles(Now, "postgresql")
def _now_in_postgresql(_element: Now, _compiler: SQLCompiler, **_given: object) -> str:
    return "CAST(extract(epoch FROM clock_timestamp()) AS double precision)"


@compiles(Now, "sqlite")
def _now_in_sqlite(_element: Now, _compiler: SQLCompiler, **_given: object) -> str:
    return "((julianday('now') - 2440587.5) * 86400.0)"


def digest(name: str) -> str:
    """Return what a row of that name goes by."""
    return hashlib.sha256(name.encode("utf-8", "surrogatepass")).hexdigest()[:DIGEST]


metadata = MetaData()


def _age() -> Column[float]:
    """Return the column by which rows are swept: the Unix time of their last change."""
    return Column("at", Float(53), nullable=False, index=True)


claims = Table(
    "claims",
    metadata,
    Column("name", String(DIGEST), primary_key=True),
    Column("owner", String(DIGEST), nullable=False),  # the process that has made it
    Column("value", JsonObject),
    _age(),
)
"""What is done once: streams that came, callbacks seen (with their answers), keys of dials."""

legs = Table(
    "legs",
    metadata,
    Column("name", String(DIGEST), primary_key=True),
    Column("value", JsonObject),
    _age(),
)

calls = Table(
    "calls",
    metadata,
    Column("name", String(DIGEST), primary_key=True),
    Column("value", JsonObject),
    _age(),
)

orders = Table(
    "orders",
    metadata,
    Column("id", Integer, primary_key=True, autoincrement=True),
    Column("call", String(DIGEST), nullable=False, index=True),
    Column("value", JsonObject),
    _age(),
    sqlite_autoincrement=True,
)

processes = Table(
    "processes",
    metadata,
    Column("id", String(DIGEST), primary_key=True),
    Column("value", JsonObject),  # host and process id, for people
    _age(),  # its last heartbeat
)

live_calls = Table(
    "live_calls",
    metadata,
    Column("name", String(DIGEST), primary_key=True),
    Column("process", String(DIGEST), nullable=False, index=True),
    Column("value", JsonObject),  # its name as it is, and its agent
    _age(),
)

dials = Table(
    "dials",
    metadata,
    Column("name", String(DIGEST), primary_key=True),  # of the leg
    Column("number", String(DIGEST), nullable=False, index=True),
    Column("amount", Float(53), nullable=False),  # its price, or the most that this may be
    Column("until", Float(53), nullable=False, index=True),  # until then it may be in progress
    _age(),  # when it was dialled; this never changes
)
"""What was dialled lately, for the limits of it."""

SWEPT = (claims, legs, calls, orders, processes, live_calls, dials)
"""Tables whose rows are deleted when they are old."""
