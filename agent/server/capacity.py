"""Whether one more call may come in, and if not, why: asked at every door."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

from agent.server.machine import Room
from agent.server.overload import Overload
from pipelines.providers.contracts import Stage

PROVEN_AFTER = 10.0
"""Seconds after which what a call costs has been measured: a greeting and a first reply."""

GROWTH = 0.1
"""Of the calls in progress, the share that may be younger than that, beyond ``Room.at_once``."""

NOBODY: Mapping[Stage, str] = {"stt": "speech-to-text", "llm": "language model", "tts": "voice"}
"""Without any of these no call can be held."""


def why_broken(stage: Stage) -> str:
    """Return what is said where nobody of a stage works."""
    return f"no {NOBODY[stage]} works"


class Capacity:
    """What this process can carry.

    Args:
        room: How many calls there may be.
        overload: Whether there is too much to do already.
        down: Returns the stages of which nobody works.
    """

    def __init__(
        self, room: Room, overload: Overload, down: Callable[[], Sequence[Stage]] = tuple
    ) -> None:
        self.room = room
        self.overload = overload
        self._down = down
        self.declined = 0
        """Calls that were turned away, since the start."""

    @property
    def broken(self) -> str:
        """Why no call can be held at all, fit for a log; ``""`` if one can."""
        return "".join(why_broken(stage) for stage in self._down()[:1])

    def refusal(self, *, taken: int, young: int, has_place: bool) -> str:
        """Return why no call may come in now, fit for a log; ``""`` if one may.

        Costs next to nothing and changes nothing. Whoever gets a text declines: 503 where a stream
        or a call is asked for, ``sinch.sorry`` to a callback.

        Args:
            taken: Places that are taken, without this call's own.
            young: How many of them have been for less than :data:`PROVEN_AFTER`.
            has_place: Whether this call was let in before, at its callback or when it was dialled,
                and only its stream comes now: somebody has picked up, so what is measured since
                does not send it away.
        """
        if taken >= self.room.most:
            return f"{taken} calls already"
        if has_place:
            return ""
        if self.broken:
            return self.broken
        # One is always taken: nobody is here who would suffer, and it may be another's load.
        if self.overload.reason and taken:
            return f"overload: {self.overload.reason}"
        # What new ones cost shows once they speak: a few at a time, so that it is never too late.
        if taken >= self.room.at_once and young >= max(1, int(GROWTH * taken)):
            return f"{young} of {taken} calls have only begun"
        return ""
