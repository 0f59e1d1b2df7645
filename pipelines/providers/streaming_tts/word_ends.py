"""When the words of a sentence end, from what a provider says of parts of it."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable

from pipelines.text.words import words


class WordEnds:
    """Tells when the words of a text end, from what a provider says of parts of it.

    Parts may be characters, words, or several words; only their letters and digits are looked at.
    From the first that is not in the text, nothing is told any more: to say that a word was heard
    when it was not is worse than not to know.

    Args:
        text: What is spoken; its words are those of :func:`pipelines.text.words.words`.
    """

    def __init__(self, text: str) -> None:
        self._left = deque(_letters(word) for word in words(text))
        self._part = ""

    def add(self, parts: Iterable[tuple[str, float]]) -> tuple[float, ...]:
        """Return the ends of the next words.

        Args:
            parts: Of the text, in order, each with the second it ends at.
        """
        ends: list[float] = []
        for part, end in parts:
            self._part += _letters(part)
            # Once it begins with what the text does not have, it never begins with a word again.
            while self._left and self._part and self._part.startswith(self._left[0]):
                self._part = self._part[len(self._left.popleft()) :]
                ends.append(end)
            while ends and self._left and not self._left[0]:  # a dash: heard with the word before
                self._left.popleft()
                ends.append(end)
        return tuple(ends)


def _letters(text: str) -> str:
    return "".join(char for char in text.casefold() if char.isalnum())
