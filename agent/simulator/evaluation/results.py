"""The result of an evaluation: figures with intervals, as a table and as JSON, written and read."""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from agent.simulator import intervals
from agent.simulator.evaluation.judging import Outcome, Tried
from agent.simulator.evaluation.rows import BY_PAUSE, ROWS, Count, Time
from agent.simulator.plan import LineName
from agent.simulator.scenarios.entries import Kind

FORMAT = 2
"""Of the JSON. The first one had no number, and no fingerprints."""

MAX_BYTES = 100_000_000


class ResultError(Exception):
    """A file of results is not usable; the message is one line."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Result:
    """What came of an evaluation, and how it was made."""

    url: str
    line: LineName
    rate: int
    repeats: int
    outcomes: Sequence[Outcome]
    whole: bool = True
    """Whether all was tried: not if it was interrupted."""


def by_situation(outcomes: Sequence[Outcome]) -> dict[str, list[Outcome]]:
    """Return the outcomes of each situation, which are not independent of each other."""
    found: dict[str, list[Outcome]] = defaultdict(list)
    for outcome in outcomes:
        found[outcome.tried.name].append(outcome)
    return found


def counted(row: Count, outcomes: Sequence[Outcome]) -> dict[str, Any] | None:
    """Return how often it happened, of how many calls and situations; None of none."""
    groups = []
    for repeats in by_situation(outcomes).values():
        known = [bool(value) for value in map(row.of, repeats) if value is not None]
        if known:
            groups.append((sum(known), len(known)))
    if not groups:
        return None
    held, of = (sum(numbers) for numbers in zip(*groups, strict=True))
    low, high = intervals.of_clustered_share(groups)
    return {
        "held": held,
        "of": of,
        "situations": len(groups),
        "interval": [round(low, 4), round(high, 4)],
    }


def timed(row: Time, outcomes: Sequence[Outcome]) -> dict[str, Any] | None:
    """Return percentiles over situations, each of which counts by its median; None of none."""
    seconds = list(times_of(row, outcomes).values())
    if not seconds:
        return None
    found: dict[str, Any] = {"situations": len(seconds)}
    for percent in (50, 95):
        ends = intervals.of_percentile(seconds, percent)
        found[f"p{percent}"] = round(intervals.percentile(seconds, percent), 3)
        found[f"p{percent}_interval"] = [None if end is None else round(end, 3) for end in ends]
    return found


def times_of(row: Time, outcomes: Sequence[Outcome]) -> dict[str, float]:
    """Return the seconds of each situation: the median of its repeats."""
    found = {
        name: [value for value in map(row.of, repeats) if value is not None]
        for name, repeats in by_situation(outcomes).items()
    }
    return {name: intervals.percentile(some, 50) for name, some in found.items() if some}


def summary(outcomes: Sequence[Outcome]) -> dict[str, Any]:
    """Return the figures by the name of their row; rows that nothing is known of are left out."""
    found: dict[str, Any] = {}
    for row in ROWS:
        figure = counted(row, outcomes) if isinstance(row, Count) else timed(row, outcomes)
        if figure is not None:
            found[row.name] = figure
    return found


# As JSON


def as_json(result: Result) -> dict[str, Any]:
    """Return all of it, for scripts and for a comparison."""
    return {
        "format": FORMAT,
        "url": result.url,
        "line": result.line,
        "rate": result.rate,
        "repeats": result.repeats,
        "whole": result.whole,
        "calls": len(result.outcomes),
        "not_measured": sum(bool(one.failed) for one in result.outcomes),
        "summary": summary(result.outcomes),
        "situations": [_flat(one) for one in result.outcomes],
    }


def _flat(outcome: Outcome) -> dict[str, Any]:
    fields = asdict(outcome)
    tried = fields.pop("tried")
    values = tried | fields | {"verdict": outcome.verdict}
    return {k: round(v, 3) if isinstance(v, float) else v for k, v in values.items()}


_Number = Annotated[float, Field(ge=-3600, le=3600, allow_inf_nan=False)]
_Seconds = Annotated[float, Field(ge=0, le=3600, allow_inf_nan=False)]


class _Row(BaseModel):
    model_config = ConfigDict(extra="ignore", strict=True)

    name: str
    kind: Kind
    repeat: Annotated[int, Field(ge=0)]
    fingerprint: str
    pause: _Seconds | None
    offset: _Number | None
    below: _Number | None
    failed: str
    response: _Seconds | None
    cut_in: bool
    stopped: _Seconds | None
    stale: _Seconds
    resumed: _Seconds | None
    whole: bool | None
    answered_itself: bool | None


class _File(BaseModel):
    model_config = ConfigDict(extra="ignore", strict=True)

    format: Literal[2]
    url: str
    line: LineName
    rate: Annotated[int, Field(ge=1, le=1_000_000)]
    repeats: Annotated[int, Field(ge=1, le=1_000_000)]
    whole: bool
    situations: list[_Row]


def read(path: Path) -> Result:
    """Read what an evaluation has written.

    Raises:
        ResultError: If it cannot be read, or is of another format.
    """
    try:
        with path.open("rb") as file:
            data = file.read(MAX_BYTES + 1)
        if len(data) > MAX_BYTES:
            raise ResultError(f"{path}: more than {MAX_BYTES} bytes")
        found = _File.model_validate(json.loads(data))
    except OSError as error:
        raise ResultError(f"{path}: {error.strerror}") from None
    except (ValueError, RecursionError) as error:
        raise ResultError(f"{path}: {_why(error)}") from None
    outcomes = [_outcome(row) for row in found.situations]
    places = [(one.tried.name, one.tried.repeat) for one in outcomes]
    if len(places) != len(set(places)):
        raise ResultError(f"{path}: a situation stands twice in it")
    return Result(
        url=found.url,
        line=found.line,
        rate=found.rate,
        repeats=found.repeats,
        outcomes=outcomes,
        whole=found.whole,
    )


def _why(error: Exception) -> str:
    if not isinstance(error, ValidationError):
        return "no JSON"
    first = error.errors(include_url=False)[0]
    where = ".".join(map(str, first["loc"]))
    if where in ("", "format"):
        return f"no result of `voice-agent evaluate` in format {FORMAT}; measure it anew"
    return f"{where}: {first['msg']}"


def _outcome(row: _Row) -> Outcome:
    values = row.model_dump()
    tried = {name: values.pop(name) for name in Tried.__dataclass_fields__}
    return Outcome(tried=Tried(**tried), **values)


# As a table


def table(result: Result) -> str:
    """Return the figures as lines to read, with 95 % intervals, at most 100 columns wide."""
    outcomes = result.outcomes
    rows: list[tuple[str, str]] = []
    for row in ROWS:
        if isinstance(row, Time):
            if (figure := timed(row, outcomes)) is not None:
                rows.append((row.label, _times(figure)))
        elif (figure := counted(row, outcomes)) is not None:
            rows.append((row.label, _count(figure)))
            rows += _by_pause(row, outcomes)
    failed = sum(bool(one.failed) for one in outcomes)
    rows.append(("calls, not measured", f"{len(outcomes)}, {failed}"))
    lines = [f"{what:36s} {value}" for what, value in rows]
    if result.repeats > 1:
        lines += ["", *_varying(outcomes)]
        lines.append(
            "Intervals are of situations: repeats of one count as far as they differ; its time is"
        )
        lines.append("the median of them.")
    return "\n".join(lines)


def _by_pause(row: Count, outcomes: Sequence[Outcome]) -> list[tuple[str, str]]:
    if len(row.kinds) != 1 or row.kinds[0] not in BY_PAUSE:
        return []
    mine = [one for one in outcomes if one.kind in row.kinds and one.tried.pause is not None]
    pauses = sorted({one.tried.pause for one in mine if one.tried.pause is not None})
    found = []
    for pause in pauses:
        figure = counted(row, [one for one in mine if one.tried.pause == pause])
        if figure is not None:
            found.append((f"  of {pause:g} s", _count(figure)))
    return found


def _count(figure: Mapping[str, Any]) -> str:
    low, high = figure["interval"]
    return f"{figure['held']} of {figure['of']} ({low:.0%} to {high:.0%})"


def _times(figure: Mapping[str, Any]) -> str:
    both = (f"{p} {figure[p]:.2f} s{_ends(figure[f'{p}_interval'])}" for p in ("p50", "p95"))
    return f"{', '.join(both)} (n={figure['situations']})"


def _ends(interval: Sequence[float | None]) -> str:
    """Say between what a time is, as far as that is known."""
    low, high = interval
    if high is None:
        return "" if low is None else f" (from {low:.2f})"
    return f" (to {high:.2f})" if low is None else f" ({low:.2f} to {high:.2f})"


def _varying(outcomes: Sequence[Outcome]) -> list[str]:
    """Return situations that did not come out the same each time."""
    lines = []
    for name, repeats in by_situation(outcomes).items():
        for row in ROWS:
            if not isinstance(row, Count):
                continue
            known = [value for value in map(row.of, repeats) if value is not None]
            if 0 < sum(known) < len(known):
                what = row.label.strip()
                lines.append(f"{name:36.36s} {what}: {sum(known)} of {len(known)}")
    return ["Not the same each time:", *lines, ""] if lines else []
