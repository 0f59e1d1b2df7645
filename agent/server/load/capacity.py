"""Whether one more call may come in, and if not, why: asked at every door."""

from __future__ import annotations

import asyncio
import threading
from collections import Counter
from collections.abc import Callable, Mapping, Sequence

from agent.server.load.loop_load import LoopLoad, LoopTime
from agent.server.load.machine import Room
from agent.server.load.memory import MemoryReturn, give_back
from agent.server.load.overload import LOOK_EVERY, Overload
from pipelines.clock import now
from pipelines.providers.contracts import Stage

GROWTH = 0.1
"""Of the calls in progress, the share that may be younger than that, beyond ``Room.at_once``."""

AS_MANY = "as many calls as may be"
CARRIED = "as many calls as the machine carries"
BEGUN = "calls have only begun"

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
        load: What calls cost; None if nothing is known of that.
        down: Returns the stages of which nobody works.
    """

    def __init__(
        self,
        room: Room,
        overload: Overload,
        down: Callable[[], Sequence[Stage]] = tuple,
        load: LoopLoad | None = None,
    ) -> None:
        self.room = room
        self.overload = overload
        self.load = load or LoopLoad()
        self._down = down
        self.memory = MemoryReturn()
        known = (AS_MANY, CARRIED, BEGUN, *map(why_broken, NOBODY))
        self.declined_for: Counter[str] = Counter(dict.fromkeys(known, 0))
        """Calls that were turned away since the start, by why; there are few different reasons."""

    @property
    def declined(self) -> int:
        """Calls that were turned away, since the start."""
        return self.declined_for.total()

    @property
    def broken(self) -> str:
        """Why no call can be held at all, fit for a log; ``""`` if one can."""
        return "".join(why_broken(stage) for stage in self._down()[:1])

    @property
    def overloaded(self) -> str:
        """What is too much of what is measured, fit for a log; ``""`` if nothing is."""
        return f"overload: {self.overload.reason}" if self.overload.reason else ""

    @property
    def busy(self) -> str:
        """Why nothing but calls is to be begun, fit for a log: they want all of the machine."""
        return self.overloaded or (CARRIED if self.load.full else "")

    def decline(self, reason: str) -> None:
        """Note that a call was turned away, for what :meth:`refusal` has said."""
        self.declined_for[reason] += 1

    def room_left(self, here: int) -> int:
        """Return how many more calls this process could carry, with so many places taken here.

        A reckoning: fewer come in at once where a model on this machine hears or speaks.
        """
        if self.broken:
            return 0
        room = 0 if self.overloaded else self.load.room(here)
        return max(room, 0 if here else 1)  # as in `refusal`: one is always taken

    def refusal(self, *, taken: int, here: int, young: int, has_place: bool) -> str:
        """Return why no call may come in now, fit for a log and a label; ``""`` if one may.

        Costs next to nothing and changes nothing. Whoever gets a text declines: 503 where a stream
        or a call is asked for, ``sinch.sorry`` to a callback.

        Args:
            taken: Places that are taken in the service, without this call's own.
            here: Of them, those of this process, whose core they share.
            young: How many of them have been for less than :data:`PROVEN_AFTER`.
            has_place: Whether this call was let in before, at its callback or when it was dialled,
                and only its stream comes now: somebody has picked up, so what is measured since
                does not send it away.
        """
        if taken >= self.room.most:
            return AS_MANY
        if has_place:
            return ""
        # One is always taken: nobody is here who would suffer, and it may be another's load.
        return self.broken or (self._measured(taken, here, young) if here else "")

    def _measured(self, taken: int, here: int, young: int) -> str:
        """Return why no call may come in, by what is measured of those that are here."""
        if self.overloaded:
            return self.overloaded
        if self.load.room(here) < 1:
            return CARRIED
        return self.refusal_everywhere(taken=taken, young=young)

    def refusal_everywhere(self, *, taken: int, young: int) -> str:
        """Return why no worker of the service takes a call, whatever room each may have."""
        if taken >= self.room.most:
            return AS_MANY
        # Models of this machine answer in bursts that no average shows: a few at a time.
        if taken >= self.room.at_once and young >= max(1, int(GROWTH * taken)):
            return BEGUN
        return ""

    async def watch(self, calls: Callable[[], int]) -> None:
        """Measure, every :data:`LOOK_EVERY` seconds, until this is cancelled; see to the memory.

        Args:
            calls: Returns how many are in progress.
        """
        thread = threading.get_native_id()
        loop_time = await asyncio.to_thread(LoopTime, thread)
        try:
            while True:
                await asyncio.sleep(LOOK_EVERY)
                here, at = calls(), now()
                self.load.look(loop_time.read(), here, at)
                self.overload.look(at)
                if self.memory.due(here, at):
                    await asyncio.to_thread(give_back)
        finally:
            loop_time.close()
