"""Which words of a reply have been heard, once so many seconds of it have."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterable
from dataclasses import dataclass, field

from pipelines.text.words import joined, word_count, words

SLOW_WORD = 0.45
"""Seconds. A word spoken slowly (133 a minute; people and synthesizers speak 150 to 190). Until all
audio of a sentence is known, its words are credited at this rate, so never too many."""


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


class HeardWords:
    """The sentences of one reply, and where in its audio each of them is.

    Positions are seconds of the reply. Nothing here knows what was sent, or when.
    """

    def __init__(self) -> None:
        self._marks: list[_Mark] = []
        self._starts: list[float] = []  # of them: asked for with every frame

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
        return joined(_heard_of(mark, position, made) for mark in self._marks)

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


def _heard_of(mark: _Mark, position: float, made: float) -> str:
    if mark.end is None:
        if mark.broke_off is not None:
            position, made = min(position, mark.broke_off), mark.broke_off
        seconds = max(made - mark.start, mark.slow)
    else:
        seconds = mark.end - mark.start
    # The margin is for sums of 20 ms frames that miss the total by a rounding error.
    into = position - mark.start + 1e-6
    share = into / seconds if seconds > 0 else 0.0
    if mark.timed and (mark.end is None or share < 1):
        share = bisect_right(mark.ends, into) / mark.spoken
    heard = int(len(mark.words) * min(1.0, max(0.0, share)))
    return "".join(mark.words[:heard]).rstrip()
