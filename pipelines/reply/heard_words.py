"""Which words of a reply have been heard, once so many seconds of it have."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterable
from dataclasses import dataclass, field
from math import ceil, inf

from pipelines.text.words import joined, word_count, words

SLOW_WORD = 0.45
"""Seconds. A word spoken slowly (133 a minute; people and synthesizers speak 150 to 190). Until all
audio of a sentence is known, its words are credited at this rate, so never too many."""

ROUNDING = 1e-6
"""Seconds by which sums of 20 ms frames may miss the total."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Stretch:
    """Words that were heard one after the other: a sentence, or a part of one."""

    text: str
    start: float
    """Seconds of the reply before its first word."""

    end: float
    more: bool
    """Whether its sentence goes on."""


@dataclass(slots=True, kw_only=True)
class _Mark:
    words: list[str]
    """As :func:`pipelines.text.words.words` has them: each with the space after it."""

    slow: float
    """Seconds that they take when spoken slowly."""

    spoken: int
    """Words that the voice was given: "$9" is two."""

    start: float
    """Seconds of the reply before this sentence."""

    end: float | None = None
    """Seconds after it; None while its audio still comes."""

    broke_off: float | None = None
    """Seconds after what there is of it, if its audio broke off: how much that says is not
    known."""

    ends: list[float] = field(default_factory=list)
    """When each of the first words that the voice was given has been spoken, as far as it told;
    seconds from ``start``."""

    timed: bool = False
    """Whether it tells: words of which it has not told were not spoken yet."""

    interjected: bool = False
    told: int = 0
    """Words of it that were told of by :meth:`HeardWords.news`: they have been heard, whatever
    becomes of the rest, also if the sentence is said again."""

    told_until: float = 0.0
    """Seconds of the reply up to there."""


class HeardWords:
    """The sentences of one reply, and where in its audio each of them is.

    Positions are seconds of the reply. Nothing here knows what was sent, or when.
    """

    def __init__(self) -> None:
        self._marks: list[_Mark] = []
        self._starts: list[float] = []  # of them: asked for with every frame
        self._telling = 0  # the first of them that was not told of to its end

    def begin(self, sentence: str, spoken: int, start: float) -> None:
        """Note that the audio from ``start`` on says ``sentence``.

        One before it that has not ended has broken off there.

        Args:
            sentence: As it is kept.
            spoken: Words of it as the voice was given it; 0 if that is the same number.
            start: Where it starts.
        """
        self._break_off(start)
        self._marks.append(_mark(sentence, start, spoken=spoken))
        self._starts.append(start)

    def interject(self, sentence: str, start: float, end: float) -> None:
        """Note that the audio from ``start`` to ``end`` says ``sentence``, all of it.

        A sentence that has begun at ``start``, and of which no audio has come, begins at ``end``.
        """
        at = len(self._marks)
        if self._marks and self._marks[-1].end is None and self._marks[-1].start >= start:
            self._marks[-1].start = end
            at -= 1
        else:
            self._break_off(start)
        self._marks.insert(at, _mark(sentence, start, end=end))
        self._marks[at].interjected = True

    def time(self, ends: Iterable[float]) -> None:
        """Note when the next words of the sentence have been spoken, by the voice's own word.

        Args:
            ends: Seconds from the beginning of its audio. None of them: it will tell.
        """
        self._marks[-1].timed = True
        self._marks[-1].ends.extend(ends)

    def finish(self, end: float) -> None:
        """Note that the audio of the sentence ends at ``end``. Nothing happens the second time."""
        if self._marks and self._marks[-1].end is None:
            self._marks[-1].end = end

    def _break_off(self, at: float) -> None:
        if self._marks and self._marks[-1].end is None and self._marks[-1].broke_off is None:
            self._marks[-1].broke_off = at

    def until(self, position: float, made: float) -> str:
        """Return the words before ``position``, rounded down to whole words.

        Args:
            position: How much has been heard.
            made: How much audio there is so far.
        """
        return joined(_text(mark, 0, _heard_of(mark, position, made)) for mark in self._marks)

    def after(self, position: float, made: float) -> str:
        """Return the words that are not among those :meth:`until` there."""
        counts = (_heard_of(mark, position, made) for mark in self._marks)
        return joined(
            _text(mark, n, len(mark.words)) for mark, n in zip(self._marks, counts, strict=True)
        )

    def news(self, position: float, made: float, *, part: bool, every: bool) -> list[Stretch]:
        """Return what was heard since this was last asked.

        Args:
            position: How much has been heard.
            made: How much audio there is so far.
            part: Whether a part of a sentence is wanted, of the one that is told of next.
            every: Whether it is wanted of any.
        """
        found: list[Stretch] = []
        while self._telling < len(self._marks):
            mark = self._marks[self._telling]
            end = mark.end if mark.end is not None else mark.broke_off
            over = end is not None and position + ROUNDING >= end
            count = _heard_of(mark, position, made) if over or part or every else 0
            if count > mark.told:
                until = end if over and end is not None else position
                if not (over or every):
                    until = min(position, _end_of(mark, count))
                found.append(
                    Stretch(
                        text=_text(mark, mark.told, count),
                        start=self.next_start,
                        end=until,
                        more=count < len(mark.words),
                    )
                )
                mark.told, mark.told_until = count, until
            if not over:
                break
            self._telling += 1
            part = False
        return found

    @property
    def next_start(self) -> float:
        """Where the next words of which is to be told start; infinite if there are none."""
        if self._telling == len(self._marks):
            return inf
        mark = self._marks[self._telling]
        return mark.told_until if mark.told else mark.start

    @property
    def latest_start(self) -> float:
        """Where the latest sentence starts; 0 if there is none."""
        return self._marks[-1].start if self._marks else 0.0

    @property
    def own_start(self) -> float:
        """Where the first sentence starts that was not interjected; infinite if there is none."""
        return next((mark.start for mark in self._marks if not mark.interjected), inf)

    def start_at(self, position: float) -> float:
        """Return where the sentence at ``position`` starts."""
        before = bisect_right(self._starts, position + 1e-6)
        return self._starts[before - 1] if before else 0.0

    def is_within_one(self, position: float) -> bool:
        """Return whether ``position`` is inside the latest sentence, and not where it starts."""
        return any(mark.start < position for mark in self._marks[-1:])


def _mark(sentence: str, start: float, *, spoken: int = 0, end: float | None = None) -> _Mark:
    found, slow = words(sentence), word_count(sentence) * SLOW_WORD
    return _Mark(words=found, slow=slow, spoken=spoken or len(found), start=start, end=end)


def _heard_of(mark: _Mark, position: float, made: float) -> int:
    """Return how many words of a sentence have been heard."""
    if mark.end is None:
        if mark.broke_off is not None:
            position, made = min(position, mark.broke_off), mark.broke_off
        seconds = max(made - mark.start, mark.slow)
    else:
        seconds = mark.end - mark.start
    into = position - mark.start + ROUNDING
    share = into / seconds if seconds > 0 else 0.0
    if mark.timed and (mark.end is None or share < 1):
        share = bisect_right(mark.ends, into) / mark.spoken
    return max(mark.told, int(len(mark.words) * min(1.0, max(0.0, share))))


def _end_of(mark: _Mark, count: int) -> float:
    """Return where the first words of a sentence end; infinite if that is not known."""
    share = count / len(mark.words)
    if mark.timed:
        ends = mark.ends[: ceil(share * mark.spoken)]
        return mark.start + ends[-1] if ends else inf
    return mark.start + share * (mark.end - mark.start) if mark.end is not None else inf


def _text(mark: _Mark, first: int, last: int) -> str:
    return "".join(mark.words[first:last]).rstrip()
