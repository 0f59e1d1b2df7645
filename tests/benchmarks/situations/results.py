"""What came of it: counts with intervals, percentiles, and two runs side by side."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from agent.simulator.evaluation.compare import of_ranks, of_signs
from agent.simulator.intervals import of_share, percentile


@dataclass(frozen=True, slots=True, kw_only=True)
class Result:
    """What is said of one call."""

    kind: str
    key: str
    figures: Mapping[str, bool | float | None]


Rows = dict[tuple[str, str], dict[str, bool | float]]
"""By kind and figure: the value of each call, by its key."""


def rows_of(results: Sequence[Result]) -> Rows:
    """Return the figures of all calls, row by row."""
    rows: Rows = {}
    for one in results:
        for label, value in one.figures.items():
            row = rows.setdefault((one.kind, label), {})
            if value is not None:
                row[one.key] = value
    return rows


def in_words(values: Sequence[bool | float]) -> str:
    """Return a count with its interval, or percentiles."""
    if not values:
        return "-"
    if all(isinstance(one, bool) for one in values):
        low, high = of_share(sum(values), len(values)) or (0.0, 1.0)  # type: ignore[arg-type]
        return f"{sum(values)} of {len(values)} ({100 * low:.0f}-{100 * high:.0f} %)"
    p50, p95 = (percentile(values, percent) for percent in (50, 95))
    mean = sum(values) / len(values)
    return f"p50 {p50:.2f}, p95 {p95:.2f}, mean {mean:.2f} (n={len(values)})"


def show(results: Sequence[Result]) -> None:
    """Print a row a figure."""
    last = ""
    for (kind, label), row in rows_of(results).items():
        if kind != last:
            print(kind)
        last = kind
        print(f"  {label:46s} {in_words(list(row.values()))}")


def read(path: Path) -> list[Result]:
    """Return the results of a run."""
    return [Result(**one) for one in json.loads(path.read_text(encoding="utf-8"))]


def compare(before: Path, after: Path) -> None:
    """Print two runs as a table, with an exact test of the calls that are in both."""
    first, second = rows_of(read(before)), rows_of(read(after))
    print("| situation | before | after | p |\n| --- | --- | --- | --- |")
    for kind, label in second | first:
        old, new = first.get((kind, label), {}), second.get((kind, label), {})
        print(
            f"| {kind}: {label.strip()} | {in_words(list(old.values()))} "
            f"| {in_words(list(new.values()))} | {_paired(old, new)} |"
        )


def _paired(old: Mapping[str, bool | float], new: Mapping[str, bool | float]) -> str:
    """Return the p of no difference: McNemar's exact test, Wilcoxon's for seconds."""
    both = [(old[key], new[key]) for key in old if key in new]
    if not both:
        return "-"
    if all(isinstance(one, bool) for pair in both for one in pair):
        worse = sum(b and not a for a, b in both)
        better = sum(a and not b for a, b in both)
        p = of_signs(int(better), int(worse))
    else:
        p = of_ranks([float(b) - float(a) for a, b in both])
    told = "1" if p is None else f"{p:.2g}"
    return told if len(both) == len(old) == len(new) else f"{told} (n={len(both)})"
