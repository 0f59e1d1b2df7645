"""Whoever is told of all that passes on a stream."""

from __future__ import annotations

from typing import Protocol


class Tap(Protocol):
    """Told of what passes on a channel, at the moment at which it does. Raises nothing.

    All of it is called within the call's own stack: whatever takes long belongs into a thread.
    """

    def received(self, pcm: bytes) -> None:
        """Take audio of the caller, 16-bit PCM of any length, half samples included."""
        ...

    def sent(self, pcm: bytes) -> None:
        """Take audio that leaves now: the platform plays it behind what it has."""
        ...

    def cleared(self) -> None:
        """Note that the platform drops what it has not played by now."""
        ...

    def pressed(self, keys: str) -> str:
        """Take keys that the caller has pressed; return those that are for the agent."""
        ...


class _NoTap:
    def received(self, pcm: bytes) -> None:
        """Nobody listens."""

    def sent(self, pcm: bytes) -> None:
        """Nobody listens."""

    def cleared(self) -> None:
        """Nobody listens."""

    def pressed(self, keys: str) -> str:
        """All of them are the agent's."""
        return keys


NO_TAP: Tap = _NoTap()
"""Where nobody is told."""
