"""Where the time of each answer went, as pictures on one scale: plain numbers for a template.

Two lanes lie one above the other. In the first, we wait until the caller's turn is taken for over;
in the second, the answer is made, mostly meanwhile. It is heard once both are done, so that the
longer lane is why it took so long.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from statistics import median, quantiles

from agent.records.statistics.waterfall import Step, StepName, Waterfall

LABELS: Mapping[StepName, str] = {
    "decided": "waiting for the end of the turn",
    "transcript": "the transcript",
    "first_token": "the model’s first word",
    "first_sentence": "its first sentence",
    "first_audio": "the voice’s first sound",
    "heard": "the way to the caller",
}
"""What the time of a step went to."""

FEWEST = 3
"""Answers from which on there is a middle to speak of."""

FEWEST_SLOW = 20
"""Answers from which on 95 in 100 is not just another word for the slowest."""

TICKS = (0.1, 0.2, 0.5, 1.0, 2.0, 5.0, 10.0, 30.0, 60.0, 300.0)
"""Seconds that may lie between two marks of the scale; there are at most :data:`MOST_TICKS`."""

MOST_TICKS = 8


@dataclass(frozen=True, slots=True, kw_only=True)
class Bar:
    """A step as it is drawn; shares are percent of the width."""

    name: StepName
    label: str
    lane: int
    """0 or 1, from above."""

    x: float
    width: float
    began: float
    ended: float
    """Seconds since the end of the caller's speech."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Mark:
    """A line across, with what it says."""

    x: float
    label: str


@dataclass(frozen=True, slots=True, kw_only=True)
class WaterfallPicture:
    """The picture of one answer."""

    bars: Sequence[Bar]
    seconds: float
    """Until it was heard, or as far as is known."""

    zero: float
    """Where the caller's speech ended, in percent."""

    slowest: Bar
    """What the caller waited for longest."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Scale:
    """The one scale of all pictures of a page."""

    begin: float
    end: float
    middle: float | None = None
    """The median of how long callers waited, in seconds; None of too few answers."""

    slow: float | None = None
    """What 95 in 100 answers took at the most; None of too few."""

    def share(self, seconds: float) -> float:
        """Return where a moment lies, in percent of the width."""
        share = (seconds - self.begin) / max(self.end - self.begin, 0.001)
        return round(100 * min(1.0, max(0.0, share)), 2)

    @property
    def ticks(self) -> list[Mark]:
        """The marks of its axis: whole tenths, halves or seconds."""
        span = self.end - self.begin
        step = next((one for one in TICKS if span / one <= MOST_TICKS), span or 1.0)
        first = -int(-self.begin // step)
        moments = [n * step for n in range(first, int(self.end / step) + 1)]
        return [Mark(x=self.share(at), label=f"{at:g} s") for at in moments]

    @property
    def marks(self) -> list[Mark]:
        """Median and slow end, where they are known."""
        known = (("median", self.middle), ("p95", self.slow))
        return [Mark(x=self.share(at), label=name) for name, at in known if at is not None]

    def picture(self, waterfall: Waterfall) -> WaterfallPicture:
        """Return the picture of an answer."""
        bars = [self._bar(one) for one in waterfall.steps]
        return WaterfallPicture(
            bars=bars,
            seconds=waterfall.steps[-1].ended,
            zero=self.share(0.0),
            slowest=slowest(bars),
        )

    def _bar(self, step: Step) -> Bar:
        x = self.share(step.began)
        return Bar(
            name=step.name,
            label=LABELS[step.name],
            lane=0 if step.name == "decided" else 1,
            x=x,
            width=max(0.3, round(self.share(step.ended) - x, 2)),  # a moment is seen, too
            began=step.began,
            ended=step.ended,
        )


def scale_of(waterfalls: Sequence[Waterfall], waited: Sequence[float]) -> Scale:
    """Return the scale on which these fit.

    Args:
        waterfalls: Of a page.
        waited: Seconds that the caller waited for each answer.
    """
    begin = min((one.begin for one in waterfalls), default=0.0)
    end = max((one.end for one in waterfalls), default=1.0)
    if len(waited) < FEWEST:
        return Scale(begin=begin, end=end)
    many = len(waited) >= FEWEST_SLOW
    slow = quantiles(waited, n=20, method="inclusive")[-1] if many else None
    return Scale(begin=begin, end=end, middle=median(waited), slow=slow)


def slowest(bars: Sequence[Bar]) -> Bar:
    """Return the step that the caller waited for longest.

    Where the answer was ready before the turn was taken for over, that is what they waited for;
    otherwise the longest step of making it.
    """
    decided = next((one for one in bars if one.name == "decided"), None)
    made = [one for one in bars if one.lane == 1 and one.name != "heard"]
    ready = max((one.ended for one in made), default=None)
    late = [one for one in bars if one.name == "heard"]
    if decided is not None and (ready is None or decided.ended >= ready):
        return max([decided, *late], key=_length)
    return max([*made, *late], key=_length)


def _length(bar: Bar) -> float:
    return bar.ended - bar.began
