"""What is recorded of one call: told what passes on its channel, it keeps both sides in step.

Every sample has its place on the call's clock. What is recorded is handed over about once a second,
to be written elsewhere; nothing here waits, reads or writes.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from itertools import chain
from typing import Literal, Protocol

from agent.records.recordings.recording_files import Reason, Written
from agent.records.recordings.sides import AgentSide, CallerSide, joined
from pipelines.clock import now

BLOCK = 1.0
"""Seconds of both sides that are handed over at once."""

State = Literal["waiting", "recording", "paused", "stopped"]


class RecordingSink(Protocol):
    """Where a recording goes: :class:`~agent.records.recordings.recording_files.RecordingFile`."""

    @property
    def failed(self) -> Reason | None:
        """Why it cannot go on; None if it can."""
        ...

    def add(self, written: Sequence[Written]) -> None:
        """Take stretches. Returns at once, raises nothing."""
        ...

    def close(self, end: int) -> None:
        """Take no more; it has ended at that sample."""
        ...

    def discard(self) -> None:
        """Take no more, and keep nothing."""
        ...


class Recorder:
    """Keeps what passes on a channel, while it is told to.

    Args:
        rate: Hertz.
        zero: When the call began, by :func:`pipelines.clock.now`: zero of its history.
        begin: Makes the file, given the first sample that will be in it.
    """

    def __init__(self, rate: int, zero: float, begin: Callable[[int], RecordingSink]) -> None:
        self.rate = rate
        self._zero = zero
        self._begin = begin
        self._file: RecordingSink | None = None
        self._caller = CallerSide(rate, 0)
        self._agent = AgentSide()
        self._first = self._block = self._last = 0
        self.state: State = "waiting"

    def received(self, pcm: bytes) -> None:
        """Take audio of the caller."""
        if self.state == "recording":
            self._last = at = self._at()
            self._caller.add(pcm, at)
            if at >= self._block:
                self._hand_over(at)

    def sent(self, pcm: bytes) -> None:
        """Take audio that is sent: it is heard once what was sent before was."""
        at = self._at()
        self._agent.add(pcm, at)
        if self.state != "recording":
            self._agent.take(at)  # which nobody wants
        elif at >= self._block:
            self._hand_over(at)

    def cleared(self) -> None:
        """Note that what is not heard by now is dropped."""
        self._agent.clear(self._at())

    @property
    def failed(self) -> str:
        """Why it cannot go on; ``""`` if it can."""
        return (self._file.failed or "") if self._file is not None else ""

    @property
    def began(self) -> float:
        """Seconds on the call's clock at which the first sample of the recording is heard."""
        return self._first / self.rate

    def begin(self) -> None:
        """Record from now on."""
        self._first = at = self._at()
        self._file = self._begin(at)
        self._go_on(at)

    def pause(self) -> None:
        """Record nothing, until :meth:`resume`: what comes late, from before, is dropped, too."""
        self._hand_over_all(self._at())
        self.state = "paused"

    def resume(self) -> None:
        """Go on; what was spoken before and comes late is dropped."""
        self._go_on(self._at())

    def stop(self, *, keep: bool, over: bool = False) -> float:
        """End the recording; return how many seconds it has.

        Args:
            keep: Whether what was recorded stays.
            over: Whether the call is over: it ends with its last audio then.
        """
        if self._file is None:
            self.state = "stopped"
            return 0.0
        end = at = self._at()
        heard = self._hand_over_all(at) if self.state == "recording" else self._last
        if over:
            end = max(self._first, self._last, heard)
        self.state = "stopped"
        if keep:
            self._file.close(end)
        else:
            self._file.discard()
        return (end - self._first) / self.rate

    def forget(self) -> bool:
        """Keep nothing of it, and wait to begin anew; return whether there was anything."""
        if self.state not in ("recording", "paused"):
            return False
        self.stop(keep=False)
        self._file, self.state = None, "waiting"
        return True

    def _go_on(self, at: int) -> None:
        self._agent.take(at)
        self._caller = CallerSide(self.rate, at)
        self._last = at
        self._block = at + round(BLOCK * self.rate)
        self.state = "recording"

    def _at(self) -> int:
        return max(0, round((now() - self._zero) * self.rate))

    def _hand_over(self, at: int) -> None:
        self._block = at + round(BLOCK * self.rate)
        self._write(
            [("caller", one) for one in joined(self._caller.take())]
            + [("agent", one) for one in joined(self._agent.take(at))]
        )

    def _hand_over_all(self, at: int) -> int:
        """Hand over what there is; return the sample behind the last of the agent's."""
        caller, agent = self._caller.finish(), self._agent.take(at)
        self._write(
            [
                *(("caller", one) for one in joined(caller)),
                *(("agent", one) for one in joined(agent)),
            ]
        )
        return max((one.end for one in chain(agent)), default=0)

    def _write(self, written: list[Written]) -> None:
        if written and self._file is not None:
            self._file.add(written)
