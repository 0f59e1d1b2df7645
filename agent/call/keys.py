"""Keys that a caller has pressed, and that nobody has answered yet. Pure."""

from __future__ import annotations

from collections.abc import Callable
from math import inf

KEYPAD = "Keypad: {}"
"""How keys that were pressed stand in conversation and transcript."""

MOST = 64
"""Keys that are kept at once; a card number has 19."""

PRESSED_AGAIN = 2.0
"""Seconds after a key that was all of an answer in which the same, or ``#``, belongs to it."""


class PressedKeys:
    """Those of one call. All times are of the event loop's clock."""

    def __init__(self) -> None:
        self._pressed: list[tuple[str, float]] = []
        self._meant: dict[str, Callable[[], None]] = {}
        self._answered = "", -inf
        self.one_answers = False
        """Whether one of them is all of an answer, so that no other is waited for."""

    def __bool__(self) -> bool:
        return bool(self._pressed)

    @property
    def last_at(self) -> float:
        """When the last was pressed; there has to be one."""
        return self._pressed[-1][1]

    @property
    def is_ended(self) -> bool:
        """Whether no other follows: ``#`` says so, or one is enough."""
        return bool(self._pressed) and (self.one_answers or self._pressed[-1][0] == "#")

    def press(self, keys: str, now: float) -> bool:
        """Add some; more than :data:`MOST` are dropped, and what has a meaning is none of them.

        Return whether they are more than an answer that is pressed again.
        """
        acted = self.act_on(keys)
        answer, until = self._answered
        if now <= until and not keys.strip(f"{answer}#"):
            self._answered = answer, now + PRESSED_AGAIN
            return False
        kept = [(key, now) for key in keys if key not in self._meant]
        self._pressed = [*self._pressed, *kept][:MOST]
        return acted or bool(kept)

    def answered(self, key: str, now: float) -> None:
        """Note that this one was all of an answer: people press it two or three times."""
        self._answered = key, now + PRESSED_AGAIN
        self._pressed = [one for one in self._pressed if one[0] not in (key, "#")]

    def act_on(self, keys: str) -> bool:
        """Do what those mean that have a meaning, and keep none; return whether there was one."""
        meant = [self._meant[key] for key in keys if key in self._meant]
        for act in meant:
            act()
        return bool(meant)

    def on(self, key: str, act: Callable[[], None]) -> None:
        """Have a key mean this from now on: ``act`` is called each time, and returns at once."""
        self._meant[key] = act

    def until(self, time: float) -> str:
        """Return those that were pressed by then."""
        return "".join(key for key, at in self._pressed if at <= time)

    def take(self, until: float = inf) -> tuple[str, float, float]:
        """Take those away that were pressed by then, or all; return when the first and last was."""
        taken = [one for one in self._pressed if one[1] <= until]
        self._pressed = self._pressed[len(taken) :]
        if not taken:
            return "", 0.0, 0.0
        return "".join(key for key, _ in taken), taken[0][1], taken[-1][1]
