"""Sinch's stream channel, without the network.

:class:`StreamProtocol` is fed what the websocket received and returns what it means; it is asked
for a command and returns what to send. It does no I/O and reads no clock.

The platform is the websocket client, we are the server. Text messages are JSON commands, binary
messages are 16-bit PCM. The first message is ``connect``; we reply with ``answer``, ``busy`` or
``reject``; then audio flows both ways until either side closes. There are no other messages, no
playback marks and no error message. Where the published sources disagree on names (the v1 page,
the v2 AsyncAPI file, the tutorials), every published spelling is taken.
"""

from __future__ import annotations

import enum
import json
from dataclasses import dataclass

from agent.stream.connect import Connect, parse, read_connect


class StreamState(enum.Enum):
    """How far a connection has come."""

    CONNECTING = enum.auto()
    """Nothing but the socket; ``connect`` is to come."""

    CONNECTED = enum.auto()
    """The call rings: answer it, or refuse it."""

    ANSWERED = enum.auto()
    REFUSED = enum.auto()


@dataclass(slots=True)  # one for each frame, and what is frozen takes four times as long to make
class CallerAudio:
    """Audio from the caller, of any length: the platform promises none, not even whole samples."""

    pcm: bytes


@dataclass(frozen=True, slots=True)
class Ignored:
    """A message with no meaning here. Log the reason and carry on."""

    reason: str
    """Never holds what the message said."""


StreamEvent = Connect | CallerAudio | Ignored


class StreamProtocol:
    """One connection, seen from our end.

    Args:
        requested_rate: The rate we asked the platform for when we routed the call, in hertz; what
            holds when ``connect`` names none, as in v1. None means that we did not ask.
    """

    def __init__(self, requested_rate: int | None = None) -> None:
        self.state = StreamState.CONNECTING
        self._requested_rate = requested_rate

    def receive(self, message: str | bytes) -> StreamEvent:
        """Take a text or a binary message.

        Raises:
            ProtocolError: If it is a ``connect`` for a codec or rate that cannot be served. The
                state is then CONNECTED: :meth:`reject` is what to send next.
        """
        return self._text(message) if isinstance(message, str) else self._bytes(message)

    def _text(self, text: str) -> StreamEvent:
        message = parse(text)
        if message is None:
            return Ignored("not a command")
        command = str(message["command"]).lower()
        if command != "connect":
            # Sinch's own samples expect these from either side, without saying why.
            known = command in ("heartbeat", "clear")
            return Ignored("command without meaning here" if known else "unknown command")
        if self.state is not StreamState.CONNECTING:
            return Ignored("connect came again")
        self.state = StreamState.CONNECTED
        return read_connect(message, self._requested_rate)

    def _bytes(self, data: bytes) -> StreamEvent:
        if self.state is StreamState.ANSWERED:
            return CallerAudio(data)
        if self.state is StreamState.CONNECTING and data.startswith(b"{"):
            return self._text(data.decode("utf-8", "replace"))
        return Ignored("audio before the answer")

    def answer(self) -> str:
        """Pick up; audio flows from here on."""
        return self._decide("answer", StreamState.ANSWERED)

    def busy(self) -> str:
        """Refuse the call for want of room. Close the socket next."""
        return self._decide("busy", StreamState.REFUSED)

    def reject(self) -> str:
        """Refuse the call for what it is. Close the socket next."""
        return self._decide("reject", StreamState.REFUSED)

    def clear(self) -> str:
        """Drop the audio sent but not yet played. Stop sending it first."""
        return self._command("clear", StreamState.ANSWERED)

    def heartbeat(self) -> str:
        """Keep a silent channel open: the platform closes it after a minute without audio."""
        return self._command("heartbeat", StreamState.ANSWERED)

    def _decide(self, command: str, state: StreamState) -> str:
        text = self._command(command, StreamState.CONNECTED)
        self.state = state
        return text

    def _command(self, command: str, required: StreamState) -> str:
        if self.state is not required:
            raise RuntimeError(f"cannot {command} while {self.state.name.lower()}")
        return json.dumps({"command": command})
