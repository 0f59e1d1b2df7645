"""What is printed of a level, and what is handed to machines."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass
from math import isfinite
from typing import Any

from agent.bench.level import Level
from agent.bench.verdict import LATE, LevelFigures, Percentiles

FORMAT = 1
"""Of the JSON."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Judged:
    """A level, and what is to be said of it."""

    level: Level
    figures: LevelFigures
    reasons: Sequence[str]
    """Why it does not hold; none if it does."""

    @property
    def holds(self) -> bool:
        """Whether it does."""
        return not self.reasons

    @property
    def verdict(self) -> str:
        """Say it in a word, for machines."""
        if self.holds:
            return "holds"
        return "not known" if self.figures.generator_late or self.figures.crowded else "fails"


def lines(judged: Judged) -> Iterator[str]:
    """Yield what is printed of a level."""
    found, level = judged.figures, judged.level
    yield (
        f"{_calls(found.calls)}: {found.answered} answered, {level.refused} refused; begun over "
        f"{level.spread:.0f} s, measured for {level.seconds:.0f} s; a caller speaks "
        f"{found.speaking:.0%} of the time, {level.most_at_once} at once at most"
    )
    more = f", {found.unanswered} never, {found.cut_ins} times it cut in"
    yield from _row("response time", found.response, more)
    yield from _row("overhead", found.overhead)
    yield from _row("speech to clear", found.stops, f", {found.unstopped} not stopped")
    yield f"  old audio after clear     {1000 * found.stale:.0f} ms in all"
    yield from _row("gaps", found.gaps)
    if found.cpu_a_minute is not None:
        yield f"  CPU a call-minute         {found.cpu_a_minute:.2f} s"
    if found.memory_a_call is not None and found.memory_kept is not None:
        yield (
            f"  memory a call             {found.memory_a_call / 1e6:.2f} MB, "
            f"{found.memory_kept / 1e6:.2f} MB of it stays"
        )
    for name, late in (("event loop lag", found.lag_p99), ("pacing error", found.pacing_p99)):
        if late is not None:
            at_most = f"at most {1000 * late:g} ms" if isfinite(late) else "off its scale"
            yield f"  {name:25s} p99 {at_most}"
    yield (
        f"  generator                 {found.generator_cpu_a_minute:.3f} CPU s a call-minute, "
        f"{found.generator_share:.0%} of a core with the providers; sends late p99 "
        f"{_p99(found.generator_sent)}, wakes late p99 {_p99(found.generator_woken)}"
    )
    yield from _verdict(judged)


def _verdict(judged: Judged) -> Iterator[str]:
    if judged.figures.generator_late:
        yield (
            f"  THE GENERATOR WAS LATE (over {1000 * LATE:.0f} ms at p99): what follows may be its "
            "own doing; give it a core of its own, or fewer calls"
        )
    if judged.figures.crowded:
        yield (
            f"  SOMEBODY ELSE USED {judged.figures.others:.0%} OF THE SERVER'S CORES: what follows "
            "may be their doing; stop them, or choose other cores"
        )
    if judged.holds:
        yield "  HOLDS"
    else:
        what = "DOES NOT HOLD" if judged.verdict == "fails" else "NOT KNOWN WHETHER IT HOLDS"
        yield f"  {what}: {'; '.join(judged.reasons)}"


def _calls(count: int) -> str:
    return "1 call" if count == 1 else f"{count} calls"


def _row(name: str, found: Percentiles | None, more: str = "") -> Iterator[str]:
    if found is None:
        yield f"  {name:25s} none{more}"
    else:
        yield (
            f"  {name:25s} p50 {1000 * found.p50:.0f}  p95 {1000 * found.p95:.0f}  "
            f"longest {1000 * found.most:.0f} ms  (n={found.count}{more})"
        )


def _p99(found: Percentiles | None) -> str:
    return "-" if found is None else f"{1000 * found.p99:.1f} ms"


def highest(levels: Sequence[Judged]) -> int:
    """Return the highest level that holds, with all below it holding too; 0 if none does."""
    most = 0
    for judged in sorted(levels, key=lambda one: one.level.calls):
        if not judged.holds:
            break
        most = judged.level.calls
    return most


def as_json(levels: Sequence[Judged], **more: object) -> dict[str, Any]:
    """Return all of it. Times in seconds, sizes in bytes; what is not known is null."""
    return {
        "format": FORMAT,
        **more,
        "highest_that_holds": highest(levels),
        "levels": [_flat(judged) for judged in levels],
    }


def _flat(judged: Judged) -> dict[str, Any]:
    level, found = judged.level, judged.figures
    return {
        "verdict": judged.verdict,
        "reasons": list(judged.reasons),
        "refused": level.refused,
        "failed": dict(level.failed),
        "seconds": level.seconds,
        "spread": level.spread,
        "most_speaking_at_once": level.most_at_once,
        "generator_late": judged.figures.generator_late,
        "crowded": judged.figures.crowded,
        **asdict(found),
        "lag_p99": _finite(found.lag_p99),
        "pacing_p99": _finite(found.pacing_p99),
    }


def _finite(seconds: float | None) -> float | None:
    return seconds if seconds is not None and isfinite(seconds) else None  # as JSON has it
