"""One call from the caller's end, frame by frame: what they say, hear, and wait for."""

from __future__ import annotations

import json
import wave
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np

from agent.simulator.plan import Cue, Plan, Turn
from agent.simulator.playout_buffer import PlayoutBuffer
from agent.simulator.report import Exchange, Report
from agent.simulator.stretches import BREATH, Stretches, sounds
from pipelines.audio import FRAME_SECONDS, Chunker, frame_bytes


class CallInProgress:
    """One call, frame by frame: no clock, no socket. Time is the number of frames.

    Args:
        plan: What the caller does.
        tell: Given a time and a line for the timeline, as things happen.
    """

    def __init__(self, plan: Plan, tell: Callable[[float, str], None]) -> None:
        self.buffer = PlayoutBuffer()
        self.report = Report(rate=plan.rate)
        self.caller_channel = bytearray()
        self.agent_channel = bytearray()
        self._plan = plan
        self._line = plan.line() if plan.line is not None else None
        self._tell = tell
        self._frame_size = frame_bytes(plan.rate)
        self._agent = Stretches(self._agent_changed)
        self._turns = iter(plan.turns)
        self._next: Turn | None = next(self._turns, None)
        self._speech: Iterator[bytes] | None = None
        self._dry = 0
        self._now = 0.0
        self.done = False
        """Whether the caller has nothing more to say and nothing more to wait for."""

    def received(self, message: str | bytes) -> None:
        """Take what the agent sent, after its ``answer``."""
        if isinstance(message, bytes):
            self.buffer.add(message)
            return
        match command_of(message):
            case "clear":
                self._cleared()
            case "heartbeat":
                self.report.heartbeats += 1
            case _:
                self.report.unknown += 1
                self._tell(self._now, "the agent sent something that is no command")

    def frame(self) -> bytes:
        """Play 20 ms; return what leaves the caller's line meanwhile, in whole frames.

        That is one frame, but on a line on which packets are late: none then, or several.
        """
        played = self.buffer.take(self._frame_size)
        self._count_gap(played)
        played = played.ljust(self._frame_size, b"\0")
        self._agent.feed(played, self._now)
        spoken = self._speak()
        self.agent_channel += played
        self.caller_channel += spoken
        self._now = round(self._now + FRAME_SECONDS, 6)
        self.done = self.done or self._now >= self._plan.max_seconds
        return spoken if self._line is None else self._line.carry(spoken, played)

    def finish(self) -> Report:
        """End the call; return what was measured."""
        self._agent.flush()
        self.report.seconds = self._now
        self.report.overflowed_bytes = self.buffer.overflowed
        return self.report

    def failure(self) -> str:
        """Return why this was no conversation, in one line; ``""`` if it was one."""
        if not self.report.agent_spoke:
            return "answered, but the agent said nothing"
        silent = [e.label for e in self.report.exchanges if e.response is None]
        if silent:
            return f"nothing was answered to {silent[0]!r}"
        if self._next is not None and self.report.ended_by == "caller":
            return f"{self._plan.max_seconds:g} s were over before {self._next.label!r}"
        if self._next is not None:
            return f"the agent hung up before {self._next.label!r}"
        return ""

    def save(self, path: Path) -> None:
        """Write the call as a stereo WAV: caller left, agent right."""
        both = np.stack(
            [np.frombuffer(bytes(c), "<i2") for c in (self.caller_channel, self.agent_channel)],
            axis=1,
        )
        with wave.open(str(path), "wb") as file:
            file.setnchannels(2)
            file.setsampwidth(2)
            file.setframerate(self._plan.rate)
            file.writeframes(both.tobytes())

    def _speak(self) -> bytes:
        if self._speech is None and self._next is not None and self._may_speak(self._next):
            self._begin_turn(self._next)
            self._next = next(self._turns, None)
        if self._speech is not None:
            if frame := next(self._speech, None):
                if sounds(frame):
                    self._mark_sound(self.report.exchanges[-1])
                return frame
            self._speech = None
            self._tell(self.report.exchanges[-1].ended, "caller stops")
        if self._next is None:
            self.done = self._nothing_to_wait_for()
        return bytes(self._frame_size)

    def _mark_sound(self, exchange: Exchange) -> None:
        if exchange.ended == exchange.began:
            exchange.began = self._now
        exchange.ended = self._now + FRAME_SECONDS

    def _begin_turn(self, turn: Turn) -> None:
        self._tell(self._now, f"caller speaks: {turn.label}")
        self.report.exchanges.append(Exchange(label=turn.label, began=self._now, ended=self._now))
        frames = Chunker(self._frame_size)
        pieces = [*frames.feed(turn.audio.pcm), frames.flush()]
        self._speech = iter([piece for piece in pieces if piece])

    def _may_speak(self, turn: Turn) -> bool:
        if turn.cue is not None and turn.cue.event != "reply":
            return self._is_cued(turn.cue)
        plan, since = self._plan, self._agent.began
        interrupt_after = turn.cue.seconds if turn.cue else plan.interrupt_after
        if interrupt_after is not None and since is not None:
            last = self.report.exchanges[-1] if self.report.exchanges else None
            replying = last is None or last.response is not None
            return replying and self._now - since >= interrupt_after
        waited = self._agent.quiet_for(self._now)
        if not self.report.agent_spoke and not self.report.exchanges:
            return since is None and waited >= plan.greeting_timeout
        return since is None and self._settled()

    def _is_cued(self, cue: Cue) -> bool:
        """Whether it is time, however the agent takes it; without an opening it never is."""
        spoke = self.report.agent_spoke
        if cue.event == "opening" and not spoke:
            return False
        since = 0.0 if cue.event == "answer" else spoke[0][0]
        return self._now - since > cue.seconds - FRAME_SECONDS / 2  # the nearest frame

    def _settled(self) -> bool:
        """Whether the last turn has been replied to, or will not be."""
        plan = self._plan
        if self.report.exchanges and not self._replied(self.report.exchanges[-1]):
            return self._now - self.report.exchanges[-1].ended >= plan.answer_timeout
        return self._agent.quiet_for(self._now) >= plan.patience and not self.buffer.size

    def _replied(self, exchange: Exchange) -> bool:
        """Whether the agent has answered; words that only cut in are no answer."""
        return exchange.response is not None and self.report.agent_spoke[-1][1] > exchange.ended

    def _nothing_to_wait_for(self) -> bool:
        if not self.report.exchanges and not self.report.agent_spoke and self._agent.began is None:
            return self._now >= self._plan.answer_timeout
        lingered = self._agent.quiet_for(self._now) >= self._plan.patience + self._plan.linger
        return self._agent.began is None and self._settled() and lingered

    def _agent_changed(self, began: bool, at: float) -> None:  # noqa: FBT001 - see Stretches
        if not began:
            self.report.agent_spoke[-1] = (self.report.agent_spoke[-1][0], at)
            self._tell(at, "agent stops")
            return
        self.report.agent_spoke.append((at, at))
        last = self.report.exchanges[-1] if self.report.exchanges else None
        if last is None or last.response is not None:
            self._tell(at, "agent speaks")
            return
        last.response = at - last.ended
        cut_in = self._speech is not None
        if cut_in:
            self._tell(at, "agent speaks: cuts in")
        else:
            self._tell(at, f"agent speaks: {last.response:.2f} s after the caller")

    def _cleared(self) -> None:
        self.report.clears.append(self._now)
        self.buffer.clear()
        last = self.report.exchanges[-1] if self.report.exchanges else None
        if last is not None and last.clear is None and self._speech is not None:
            last.clear = self._now - last.began
            self._tell(self._now, f"clear: {last.clear:.2f} s after the caller began")
        else:
            self._tell(self._now, "clear")
        self._dry = 0
        # What sounded until now was cut off: what follows is another stretch.
        self._agent.flush()

    def _count_gap(self, played: bytes) -> None:
        if len(played) == self._frame_size:
            if 0 < self._dry * FRAME_SECONDS < BREATH and self._agent.began is not None:
                self.report.gaps += 1
            self._dry = 0
        else:
            self._dry += 1


def command_of(message: str) -> str:
    """Return the command that a text message of the agent gives; ``""`` if it is none."""
    try:
        return str(json.loads(message)["command"])
    except (ValueError, TypeError, KeyError):
        return ""
