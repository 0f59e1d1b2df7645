"""Whose voice is it? How loud the caller is, learned from their turns, and who is fainter.

Somebody else in the room, or a television, reaches the telephone 8 to 20 dB below whoever holds
it. No clock is read: all times are audio time.
"""

from __future__ import annotations

from array import array
from bisect import bisect_left, insort
from collections import deque
from itertools import islice
from math import log10

from pipelines.audio import BYTES_PER_SAMPLE, FRAME_SECONDS
from pipelines.listening.caller_frames import SIZE, Heard, power_of

FAINT = 6.0
"""Decibels below the caller's level from which a voice is somebody else's. By the first second of
it (325 prompts, four speakers) 86 % of voices 8 dB below their speaker's own level are taken for
another's, all that are 12 dB below, 17 % of those 5 dB below and 3 % of those 4 dB below."""

UNHEARD = 8.0
"""The same, for a voice that is not even listened to. Its first half second has to be that faint;
it is less certain than the first second."""

SHUNNED = 4.5
"""The same, just after a voice as faint as this turned out to be somebody else's: it goes on."""

SOFT = -42.0
"""dBFS below which a voice over our words is somebody else's while the caller's level is not known.
It is some 4 dB above the mean level of speech, of which telephone callers' is -36 to -16 dBFS."""

LASTS = round(0.5 / FRAME_SECONDS)
"""Frames after the last moment that was loud enough in which a voice counts however faint:
sentences fall to their end. Of 135 prompts by three speakers one has a softer stretch of 0.1 s
that does not count then; with half of it, 12 have."""

ONSET = round(0.5 / FRAME_SECONDS)
"""Voiced frames by which a voice is told at its beginning."""

MOMENT = round(0.24 / FRAME_SECONDS)
"""The same, within what the caller says: a syllable or two."""

LEARNED = round(0.3 / FRAME_SECONDS)
"""Voiced frames from which a turn has a level: a word. That of prompts of less than 0.8 s is within
3 dB of the speaker's own in 92 of 100 cases (251 prompts)."""

LEARNED_FIRST = round(0.16 / FRAME_SECONDS)
"""The same while nothing is known: a "yes". Of 24 prompts by four speakers that have 8 to 14 voiced
frames 20 are within 3 dB of the speaker's sentences, none is 6 dB above."""

SOUND = round(2.0 / FRAME_SECONDS)
"""Voiced frames that the level of a sound is made of: the last two seconds."""

APART = round(0.5 / FRAME_SECONDS)
"""Frames without a voice between two sounds."""

TURNS = 5
"""Turns of which the caller's level is made: their lower median. A shout does not make whoever
shouted once a faint voice."""

PATIENCE = round(5.0 / FRAME_SECONDS)
"""Frames for which we wait for the caller to be as loud as ever, while nothing but a faint voice is
heard. Then they are taken to have moved away from their telephone, and any voice is theirs."""


_FULL = 2.0**-30 / (SIZE // BYTES_PER_SAMPLE)
"""From a frame's sum of squares to its mean, as a share of what is loudest."""


class VoiceLevels:
    """How loud voices are in one call, in dBFS, and whether they can be the caller's.

    A level is the 90th percentile of voiced frames of 20 ms: of a second of speech it is within
    3 dB of the speaker's own in 94 of 100 cases (325 prompts, four speakers), and soft sounds and
    pauses change it less than a mean. While no turn was heard, nobody is faint; within the
    first one, who is fainter than its beginning does not count.
    """

    def __init__(self) -> None:
        self._turns: deque[float] = deque(maxlen=TURNS)
        self.caller: float | None = None
        """The caller's level; None while it is not known."""
        self._sound = _Latest(SOUND)  # of its voiced frames
        self._theirs = _Latest(SOUND)  # of those that were loud enough
        self._silent = 0  # frames since the last voiced one
        self._lasts = 0  # frames for which a voice still counts
        self._shuns = False
        self._waits = False
        self._waited = self._faint = 0

    @property
    def below(self) -> float | None:
        """Decibels by which the latest sound is below the caller's level; None if unknown."""
        if self.caller is None or not self._sound:
            return None
        return self.caller - self._sound.level

    @property
    def faint(self) -> bool:
        """Whether the latest sound is a voice of somebody else, by its level."""
        return self.below is not None and self.below > FAINT

    @property
    def soft(self) -> float | None:
        """The level of the latest sound, if it is hardly a caller's and theirs is not known."""
        level = self._sound.level if self._sound and self.caller is None else SOFT
        return level if level < SOFT else None

    def counts(self, frame: Heard, *, voiced: bool, in_speech: bool = False) -> bool:
        """Return whether a frame holds a voice that can be the caller's.

        Args:
            frame: The next, of 20 ms, in order.
            voiced: Whether it holds a voice.
            in_speech: Whether it is heard within what the caller says.
        """
        self._lasts -= 1
        self._waited += self._waits
        if not voiced:
            self._silent += 1
            return False
        if self._silent >= APART:
            self._sound.clear()
            if not in_speech:
                self._theirs.clear()
            self._shuns = self._shuns and self._silent < 4 * APART
        self._silent = 0
        level = 10 * log10(power_of(frame) * _FULL + 1e-10)
        self._sound.append(level)
        if self._is_near(in_speech=in_speech):
            self._lasts, self._waited, self._faint, self._shuns = LASTS, 0, 0, False
            self._theirs.append(level)
        elif self._lasts <= 0:
            self._miss()
        return self._lasts > 0

    def turn_ended(self, *, theirs: bool) -> None:
        """Learn how loud the caller is from what was heard last, if it was a turn of theirs."""
        if theirs and len(self._theirs) >= (LEARNED if self._turns else LEARNED_FIRST):
            self._turns.append(self._theirs.level)
            self.caller = sorted(self._turns)[(len(self._turns) - 1) // 2]
        self._theirs.clear()

    def shun(self) -> None:
        """Hear no more of the latest sound: it turned out to be somebody else's voice."""
        self._shuns, self._lasts = True, 0
        self._theirs.clear()

    def wait(self, *, waits: bool) -> None:
        """Note whether it is for the caller to speak, and nobody does."""
        if waits and not self._waits:
            self._waited = self._faint = 0
            self._shuns = self._shuns and self.caller is not None  # any voice may be theirs
        self._waits = waits

    def _is_near(self, *, in_speech: bool) -> bool:
        """Whether the latest of a voice is loud enough to be the caller's."""
        known = [] if (caller := self.caller) is None else [caller]
        if len(self._theirs) >= ONSET:  # they may be louder than ever, or speak for the first time
            known.append(self._theirs.level)
        if not known and not self._shuns:
            return True
        margin = SHUNNED if self._shuns else FAINT if in_speech else UNHEARD
        least = max(known) - margin if known else SOFT
        return self._sound.reaches(least, of_latest=MOMENT if in_speech else ONSET)

    def _miss(self) -> None:
        """Forget the caller's level, if this is all that is heard of them for long."""
        self._faint += self._waits
        if self._waited >= PATIENCE and self._faint >= ONSET:
            self._turns.clear()
            self.caller = None
            self._theirs.clear()
            self._lasts = LASTS


class _Latest:
    """The latest decibels, and their level without sorting them each time.

    Args:
        most: How many.
    """

    def __init__(self, most: int) -> None:
        self._most = most
        self._in_order: deque[float] = deque()
        self._sorted = array("d")  # side by side: objects would lie about in memory

    def __len__(self) -> int:
        return len(self._sorted)

    def append(self, decibels: float) -> None:
        if len(self._sorted) == self._most:
            del self._sorted[bisect_left(self._sorted, self._in_order.popleft())]
        self._in_order.append(decibels)
        insort(self._sorted, decibels)

    def clear(self) -> None:
        self._in_order.clear()
        del self._sorted[:]

    def reaches(self, least: float, *, of_latest: int) -> bool:
        """Return whether so many of the latest have a level of at least ``least``."""
        needed = 1 + min(of_latest, len(self._in_order)) // 10  # of fewer than ten, the loudest
        for decibels in islice(reversed(self._in_order), of_latest):
            if decibels >= least:
                needed -= 1
                if not needed:
                    return True
        return False

    @property
    def level(self) -> float:
        return self._sorted[-1 - len(self._sorted) // 10]
