"""What was sent to a caller, at the rate at which they are heard; read only where that is asked."""

from __future__ import annotations

from dataclasses import dataclass

from pipelines.audio import BYTES_PER_SAMPLE, SPEECH_RATE, Resampler


@dataclass(slots=True, kw_only=True)
class _Unread:
    start: int
    end: int
    """Where it ends; earlier than it would if it was cut."""

    size: int
    """Of what comes of it."""

    pcm: bytes
    """At the rate of the line."""


class SentAudio:
    """What was sent, one after the other. Places and sizes are bytes, at ``SPEECH_RATE``.

    Most of it nobody asks for: until then its place is kept, and it is not resampled. What is read
    is the same bit for bit, however late.

    Args:
        rate: Of what is sent, in hertz.
    """

    def __init__(self, rate: int) -> None:
        self._resampler = Resampler(rate, SPEECH_RATE)
        self._pcm = bytearray()
        self._unread: list[_Unread] = []  # silence stands in its place
        self._taken = self._made = 0  # samples that were sent, and that come of them

    def __len__(self) -> int:
        return len(self._pcm)

    def put(self, pcm: bytes) -> None:
        """Add whole samples."""
        self._taken += len(pcm) // BYTES_PER_SAMPLE
        before, self._made = self._made, self._resampler.comes_of(self._taken)
        size, start = (self._made - before) * BYTES_PER_SAMPLE, len(self._pcm)
        self._unread.append(_Unread(start=start, end=start + size, size=size, pcm=pcm))
        self._pcm += bytes(size)

    def cut(self, at: int) -> None:
        """Drop what is behind a place."""
        del self._pcm[at:]
        for piece in self._unread:
            piece.end = min(piece.end, len(self._pcm))
            piece.start = min(piece.start, piece.end)

    def pad(self, to: int) -> None:
        """Add silence up to a place, if it is not reached."""
        if len(self._pcm) < to:
            self._pcm += bytes(to - len(self._pcm))

    def forget(self, size: int) -> None:
        """Drop the oldest bytes; places count from behind them then."""
        del self._pcm[:size]
        for piece in self._unread:
            piece.start -= size
            piece.end -= size
        self._skip(0)

    def read(self, oldest: int) -> bytearray:
        """Return all of it, silence perhaps for what ends before ``oldest``, now and later."""
        self._skip(oldest)
        if not self._unread:
            return self._pcm
        wanted, self._unread = self._unread, []
        pcm, at = self._resampler.feed(b"".join(piece.pcm for piece in wanted)), 0
        for piece in wanted:
            first, end = max(0, piece.start), max(0, piece.end)
            behind = at - piece.start
            self._pcm[first:end] = pcm[behind + first : behind + end]
            at += piece.size
        return self._pcm

    def _skip(self, until: int) -> None:
        past = [each.pcm for each in self._unread if each.end <= until]
        if past:
            del self._unread[: len(past)]
            self._resampler.skip(b"".join(past))
