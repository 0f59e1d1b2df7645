"""How one caller pauses: what is added to the silence that ends their turns."""

from __future__ import annotations

from collections import deque

MEMORY = 4
"""Turns that are remembered, the present one included: a habit shows within as many, and is
forgotten within as many."""

ANYBODYS = 0.35
"""Seconds that anybody pauses within a turn; nobody is answered after less."""

MOST = 0.4
"""Seconds that are added at the most."""

CUT_SHORT = 0.3
"""Seconds that a pause is taken to have lasted beyond the silence after which we cut in: how long
it really would have been, nobody knows."""


class CallerPauses:
    """The pauses after which one caller went on. Seconds of audio; no clock is read."""

    def __init__(self) -> None:
        self._turns: deque[float] = deque(maxlen=MEMORY - 1)
        self.longest = 0.0
        """Seconds of the longest pause within the present turn, so far."""

        self.count = 0
        """Of pauses within the present turn, so far."""

    def went_on(self, seconds: float) -> None:
        """Note that the caller went on after a pause."""
        self.longest = max(self.longest, seconds)
        self.count += 1

    def was_cut_into(self, seconds: float) -> None:
        """Note that the caller went on though we had taken that much silence for the end."""
        self.went_on(seconds + CUT_SHORT)

    def next_turn(self) -> None:
        """Begin a turn."""
        self._turns.append(self.longest)
        self.longest, self.count = 0.0, 0

    @property
    def extra(self) -> float:
        """Seconds to wait beyond what anybody is waited for; 0 for a caller who never pauses.

        The mean, over the last :data:`MEMORY` turns, of what the longest pause of each was longer
        than :data:`ANYBODYS`.
        """
        beyond = sum(max(0.0, pause - ANYBODYS) for pause in (*self._turns, self.longest))
        return min(MOST, beyond / MEMORY)
