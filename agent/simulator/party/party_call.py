"""A call of several phones with one stream, held as a call of one: frame by frame.

Whatever holds a :class:`~agent.simulator.call_in_progress.CallInProgress` can hold this::

    ann = PhoneScript(name="Ann", turns=[
        PartyTurn(key="a1", audio=..., agent="answer", cue=PartyCue(event="agent", seconds=1.0)),
        PartyTurn(key="a2", leaves=True, cue=PartyCue(event="turn", of="b1", seconds=0.5)),
    ])
    bob = PhoneScript(name="Bob", joins_after=4.0, turns=[
        PartyTurn(key="b1", audio=..., agent="silence", cue=PartyCue(event="agent", of="a1")),
    ])
    call = PartyCall([ann, bob], Plan(rate=8000), lambda at, line: print(at, line))
    await hold_call(url, call, Plan(rate=8000), "party-1")   # over a socket, on the wall's clock
    call.save(folder)                                        # one WAV for each, as they heard it

Without a socket, in whatever time: give :meth:`PartyCall.received` what the agent sends, and ask
:meth:`PartyCall.frame` for what it is sent, 20 ms each. In a stand-in of the platform, phones get
their script by ``Phone(script=...)``, and calls in a conference are mixed there.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path

from agent.simulator.call_in_progress import CallInProgress
from agent.simulator.party.conference import Conference, LineActivity
from agent.simulator.party.party_phones import PhoneScript, ScriptedPhone, StereoRecording
from agent.simulator.plan import Plan
from agent.simulator.report import Report
from pipelines.audio import FRAME_SECONDS, frame_bytes


class StreamMember:
    """The agent's stream in a conference: what it plays is heard by all.

    Args:
        call: The stream's call, which this asks for its frames; its plan has nobody speak.
        send: Given the 20 ms of all others, for the agent.
    """

    is_agent = True
    name = "agent"

    def __init__(self, call: CallInProgress, send: Callable[[bytes], None]) -> None:
        self.recording = StereoRecording(call.report.rate)
        self._call = call
        self._send = send
        self._played = b""
        self._activity = LineActivity()

    @property
    def rate(self) -> int:
        """Hertz, of the stream."""
        return self._call.report.rate

    @property
    def report(self) -> Report:
        """What is measured of the stream."""
        return self._call.report

    def received(self, message: str | bytes) -> None:
        """Take what the agent sent, after its ``answer``."""
        clears = len(self.report.clears)
        self._call.received(message)
        if len(self.report.clears) > clears:
            self._activity.cut_off()

    def speak(self, at: float, activity: LineActivity) -> bytes:  # noqa: ARG002 - see ConferenceMember
        """Return what the platform plays of the agent's."""
        self._activity = activity
        self._call.frame()
        self._played = bytes(self._call.agent_channel[-frame_bytes(self.rate) :])
        return self._played

    def hear(self, heard: bytes, at: float) -> None:  # noqa: ARG002 - see ConferenceMember
        """Send the agent what all others say."""
        self.recording.add(self._played, heard)
        self._send(heard)

    def finish(self) -> Report:
        """End the stream; return what was measured."""
        self._activity.cut_off()
        return self._call.finish()


class PartyCall:
    """Several phones and one stream, frame by frame.

    Args:
        phones: Who is on the line; one who never answers is not among them.
        plan: Of its rate and how long it lasts at most; what a caller says is in scripts instead.
        tell: Given a time and a line for the timeline, as things happen.
    """

    def __init__(
        self, phones: Sequence[PhoneScript], plan: Plan, tell: Callable[[float, str], None]
    ) -> None:
        self.phones = [ScriptedPhone(script, plan.rate, tell) for script in phones]
        self.conference = Conference(plan.rate)
        self.done = False
        """Whether nobody has anything more to say, or nobody is on the line any more."""

        self._plan = plan
        self._sent = b""
        self._now = 0.0
        self._stream = StreamMember(CallInProgress(Plan(rate=plan.rate), tell), self._take)
        self.conference.join(self._stream)

    @property
    def report(self) -> Report:
        """What was measured of the agent; who said what is in the conference's activity."""
        return self._stream.report

    def received(self, message: str | bytes) -> None:
        """Take what the agent sent, after its ``answer``."""
        self._stream.received(message)

    def frame(self) -> bytes:
        """Let 20 ms pass on the line; return what all phones say, for the agent."""
        for phone in self.phones:
            is_in = phone in self.conference.members
            if phone.left and is_in:
                self.conference.leave(phone)
            elif not phone.left and not is_in and self._now >= phone.script.joins_after:
                self.conference.join(phone)
        self.conference.frame(self._now)
        self._now = round(self._now + FRAME_SECONDS, 6)
        self.done = self._now >= self._plan.max_seconds or self._is_over()
        return self._sent

    def finish(self) -> Report:
        """End the call; return what was measured."""
        return self._stream.finish()

    def save(self, folder: Path) -> None:
        """Write what each said (left) and heard (right) into a folder: ``NAME.wav``."""
        self._stream.recording.save(folder / "agent.wav")
        for phone in self.phones:
            phone.recording.save(folder / f"{phone.name}.wav")

    def _take(self, frame: bytes) -> None:
        self._sent = frame

    def _is_over(self) -> bool:
        if all(phone.left for phone in self.phones):
            return True
        if any(phone.has_more for phone in self.phones):
            return False
        activity, plan = self.conference.activity, self._plan
        said = activity.turns.values()
        if said and not activity.agent_spoke_after(max(turn.ended for turn in said)):
            return self._now - activity.anybody_since() >= plan.answer_timeout
        quiet = self._now - activity.anybody_since()
        return activity.agent_since is None and quiet >= plan.patience + plan.linger
