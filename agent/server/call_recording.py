"""Whether a call is recorded, and when: consent, pause, resume, stop; by word, key or operator."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any, Literal

import structlog

from agent.call.orders import CallerMoved, ControlRecording, Order, ReturnToCaller
from agent.call.turn_record import Journal
from agent.personas.script import Script
from agent.records.recordings.audio_log import LogHead
from agent.records.recordings.recorder import Recorder
from agent.records.recordings.recording_files import RecordingFile, RecordingWriter
from agent.settings.recording import RecordingSettings
from pipelines.conversation import (
    PAUSE_RECORDING,
    RESUME_RECORDING,
    STOP_RECORDING,
    ToolSpec,
)
from pipelines.tools.tool import CallInfo, Tool

log = structlog.get_logger()

By = Literal["model", "keys", "operator", "transfer", "machine"]
"""On whose word a recording pauses, goes on or stops; or that it was of a machine."""


Note = Callable[..., None]
"""Puts a line on the record of the call: ``note`` of its history."""


class CallRecording:
    """The recording of one call: a :class:`~agent.stream.tap.Tap` of its channel.

    Where the caller is told of it first, nothing is recorded before they have heard that in full:
    the line of the record that says so begins it. If it is cut off, or cannot be spoken, the call
    goes on and is not recorded. A call that is screened by what the agent hears is not recorded
    before it is known that a person has answered. What was recorded is deleted if it turns out to
    have been a machine, or a call screener; somebody who comes then is recorded anew.

    Args:
        writer: Writes it.
        name: What its file will be called.
        rate: Hertz.
        settings: When it begins, and by which keys it stops.
        consent: What the caller is told first; ``""`` if it begins without.
        asks: Whether they are asked first if the agent may deal with them at all: then it begins
            with their yes, or once they have heard the consent after it.
    """

    def __init__(
        self,
        writer: RecordingWriter,
        name: str,
        rate: int,
        settings: RecordingSettings,
        consent: str,
        *,
        asks: bool = False,
    ) -> None:
        self._asks = asks
        self._writer = writer
        self._name = name
        self._rate = rate
        self._settings = settings
        self._consent = _words(consent)
        self._recorder: Recorder | None = None
        self._note: Note | None = None
        self._resumes = False  # once the caller is with us again

    def start(self, zero: float, note: Note, *, screened: bool = False) -> None:
        """Note that the call has begun, before anything has passed on its channel.

        Args:
            zero: When, by :func:`pipelines.clock.now`: zero of its clock.
            note: Of its history.
            screened: Whether the agent listens first for who has answered.
        """
        self._note = note
        self._recorder = Recorder(self._rate, zero, self._begin_file)
        if not (self._consent or screened or self._asks):
            self._begin()

    def watching(self, journal: Journal) -> Journal:
        """Return a journal that passes all on to ``journal``, and hears when there is consent."""
        return _WatchedJournal(journal, self._heard)

    @property
    def paused(self) -> bool:
        """Whether nothing of what is said now may be kept."""
        return self._recorder is not None and self._recorder.state == "paused"

    @property
    def tools(self) -> tuple[Tool, ...]:
        """What a language model may do with it."""
        return tuple(
            Tool(spec=_spec(name, description), run=self._tool(action), timeout=1.0)
            for name, action, description in _TOOLS
        )

    # What passes on the channel

    def received(self, pcm: bytes) -> None:
        """Take audio of the caller."""
        if self._recorder is not None:
            self._recorder.received(pcm)
            if self._recorder.failed:
                self._give_up(self._recorder)

    def sent(self, pcm: bytes) -> None:
        """Take audio of the agent."""
        if self._recorder is not None:
            self._recorder.sent(pcm)

    def cleared(self) -> None:
        """Note that the platform drops what was not heard."""
        if self._recorder is not None:
            self._recorder.cleared()

    def pressed(self, keys: str) -> str:
        """Do what keys of the telephone stand for; return the others."""
        for key in keys:
            if key == self._settings.stop_key:
                self.control("stop", "keys")
            elif key == self._settings.pause_key:
                paused = self._recorder is not None and self._recorder.state == "paused"
                self.control("resume" if paused else "pause", "keys")
        ours = {self._settings.stop_key, self._settings.pause_key} - {""}
        return "".join(key for key in keys if key not in ours)

    # What is asked for

    def obey(self, order: Order) -> None:
        """Do what an operator asks for; stop once the caller talks to somebody else, or pause.

        Whom they are passed on to was not told that they are recorded.
        """
        match order:
            case ControlRecording(action=action):
                self._resumes = False
                self.control(action, "operator")
            case CallerMoved(returns=True):
                going_on = self._recorder is not None and self._recorder.state == "recording"
                self._resumes = self._resumes or going_on
                self.control("pause", "transfer")
            case CallerMoved():
                self.control("stop", "transfer")
            case ReturnToCaller(leg="") if self._resumes:
                self._resumes = False
                self.control("resume", "transfer")

    def control(self, action: Literal["pause", "resume", "stop"], by: By) -> str:
        """Pause, go on or stop, if that can be; return what is so now, in a sentence."""
        recorder = self._recorder
        if recorder is None or recorder.state == "stopped":
            return "This call is not recorded any more."
        match action, recorder.state:
            case "stop", state:
                self._stop(recorder, by, begun=state != "waiting")
                return "The recording has been stopped for good."
            case _, "waiting":
                return "Nothing is recorded yet."
            case "pause", "recording":
                recorder.pause()
                self._tell("paused", self._where(), by=by)
            case "resume", "paused":
                recorder.resume()
                self._tell("resumed", self._where(), by=by)
        return _STATES[recorder.state]

    def close(self) -> None:
        """End it with the call."""
        if self._recorder is None or self._recorder.state == "stopped":
            return
        if self._recorder.state == "waiting":
            log.info("not recorded: nobody has heard that they would be")
            self._recorder.stop(keep=False)
            return
        seconds = self._recorder.stop(keep=True, over=True)
        self._tell("stopped", self._where(seconds))

    def _heard(self, kind: str, fields: Mapping[str, Any]) -> None:
        """Begin once the caller has heard all that they have to, or it is known to be a caller."""
        if self._recorder is None:
            return
        answerer = fields["answerer"] if kind == "screened" and "why" in fields else ""
        if answerer in ("machine", "screener") and self._recorder.forget():
            self._writer.counts.deleted += 1
            self._tell("stopped", {}, by="machine", deleted=True)
        if self._recorder.state != "waiting":
            return
        if not self._consent and self._asks:
            may_begin = kind == "consent" and fields["status"] == "given"
        elif not self._consent:
            may_begin = answerer in ("human", "unknown")
        else:
            said = _words(str(fields.get("text", "")))
            may_begin = kind == "agent" and not fields.get("cut_off") and said == self._consent
        if may_begin:
            self._begin()

    def _begin(self) -> None:
        if self._recorder is not None:
            self._recorder.begin()
            self._tell("started", self._where())

    def _begin_file(self, first: int) -> RecordingFile:
        return self._writer.begin(self._name, LogHead(rate=self._rate, begin=first))

    def _stop(self, recorder: Recorder, by: By, *, begun: bool) -> None:
        declined = by in ("model", "keys")
        delete = declined and self._settings.delete_declined
        seconds = recorder.stop(keep=not delete)
        if not begun:
            self._tell("stopped", {}, by=by)
        elif delete:
            self._writer.counts.deleted += 1
            self._tell("stopped", {}, by=by, deleted=True)
        else:
            self._tell("stopped", self._where(seconds), by=by)

    def _give_up(self, recorder: Recorder) -> None:
        if recorder.state != "stopped":
            why = recorder.failed
            seconds = recorder.stop(keep=True)
            self._tell("stopped", self._where(seconds), by=why)

    def _where(self, seconds: float | None = None) -> dict[str, object]:
        if self._recorder is None:
            return {}
        known: dict[str, object] = {"file": self._name, "began": round(self._recorder.began, 3)}
        return known if seconds is None else known | {"seconds": round(seconds, 3)}

    def _tell(self, status: str, where: Mapping[str, object], **fields: object) -> None:
        if self._note is not None:
            self._note("recording", status=status, **where, **fields)

    def _tool(self, action: Literal["pause", "resume", "stop"]) -> Callable[..., Any]:
        async def run(_arguments: Mapping[str, Any], _about: CallInfo) -> str:
            return self.control(action, "model")

        return run


class _WatchedJournal:
    def __init__(self, journal: Journal, watch: Callable[[str, Mapping[str, Any]], None]) -> None:
        self._journal = journal
        self._watch = watch

    def add(self, kind: str, **fields: object) -> None:
        self._journal.add(kind, **fields)
        self._watch(kind, fields)


RecordingOf = Callable[[Script, str, int], tuple[CallRecording | None, Script]]


def not_recorded(script: Script, _name: str, _rate: int) -> tuple[None, Script]:
    """Return no recording, and what the agent says then."""
    return None, replace(script, recording_consent="")


def recording_of(
    settings: RecordingSettings, writer: RecordingWriter, script: Script, name: str, rate: int
) -> tuple[CallRecording | None, Script]:
    """Return the recording of a call, if it is to be; and what its agent says then.

    A message to an answering machine is not recorded.

    Args:
        settings: Whether calls are recorded, if the agent does not say.
        writer: Writes it.
        script: Of the call.
        name: Of its record.
        rate: Hertz.
    """
    wanted = settings.calls == "on" if script.record is None else script.record
    if settings.calls == "never" or not wanted or script.hang_up_after_greeting:
        return not_recorded(script, name, rate)
    consent = script.recording_consent or settings.consent
    file = f"{name}.{settings.format}"
    asks = script.consent is not None
    recording = CallRecording(writer, file, rate, settings, consent, asks=asks)
    return recording, replace(script, recording_consent=consent)


_TOOLS: tuple[tuple[str, Literal["pause", "resume", "stop"], str], ...] = (
    (
        PAUSE_RECORDING,
        "pause",
        "Pause the recording of this call. Always use it before the caller says or types a card "
        "number, its security code, a password or the like, and wait for the result.",
    ),
    (
        RESUME_RECORDING,
        "resume",
        "Go on recording this call, once what must not be recorded has been said.",
    ),
    (
        STOP_RECORDING,
        "stop",
        "Stop recording this call for good. Use it at once when the caller does not want to be "
        "recorded; the conversation goes on as before.",
    ),
)

_STATES = {
    "recording": "The call is being recorded.",
    "paused": "The recording is paused: nothing of what is said now is kept.",
}


def _spec(name: str, description: str) -> ToolSpec:
    schema = {"type": "object", "properties": {}, "additionalProperties": False}
    return ToolSpec(name=name, description=description, parameters=schema)


def _words(text: str) -> str:
    return " ".join(text.split())
