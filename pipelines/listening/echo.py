"""Is the voice that is heard our own? What comes in, beside what has just been sent.

A loudspeaker's microphone, a hybrid of the network, a far end's telephone return what we say, up to
a second later, 10 to 40 dB softer, through a room and a codec. To a voice detector that is a voice.
Here both directions lie side by side on one clock, that of the audio that comes in; no other is
read. Nothing is computed until there is a voice while, or just after, we sound:

1. It is correlated with what was sent, over all delays. An echo has one, frame after frame; another
   voice has none, or another each time.
2. Least squares give the filter that makes the one of the other, around that delay.
3. From then on the filter says what of a frame is echo. A voice that leaves little more is the
   echo; what leaves more is somebody, over our echo or not.

A wrong guess costs frames, not turns: what is no echo does not go on as a filter says it would.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Sequence
from itertools import islice

import numpy as np

from pipelines.audio import BYTES_PER_SAMPLE, FRAME_SECONDS, SPEECH_RATE
from pipelines.listening.caller_frames import Heard, joined, pcm_of
from pipelines.listening.echo_path import (
    BEFORE,
    REACH,
    TAPS,
    EchoPath,
    Samples,
    differences,
    find_delay,
    learn,
    noise,
    power,
)
from pipelines.listening.sent_audio import SentAudio

LONGEST_DELAY = 1.0
"""Seconds until our words are back, at the most: satellites and mobile networks stay below."""

EARLIEST = 0.2
"""Seconds that our words may seem to be back before they sound: the clock is that of what comes in,
which may begin late."""

SOUGHT = 0.4
"""Seconds of what is heard that are correlated: an onset, and the silence before it."""

MOVED = 0.1
"""Seconds of it once an echo is known, whose delay has changed: by a packet or two, ``BY``."""

BY = 0.07
"""Seconds by which a delay may change at once."""

FITTED = 0.6
"""Seconds that a filter is fitted to."""

ALIKE = 0.45
"""Correlation of an echo, at the least."""

LOUDEST = 1.0
"""Of the power of our words, that of an echo: what comes back louder is no echo."""

LEFT = 0.3
"""Of the power of an echo, what its filter leaves at the most: the rest of the room, the codec."""

FADING = 0.6
"""Of what was compared, per frame: a voice over an echo is told from it within two."""

NOISE = 1.5
"""Times the noise of the line, which is left, too: it varies."""

LOUDER = 2.0
"""Times, at the most, by which an echo that is known grows at once, or fades."""

LEARNING = 50
"""Frames that a filter has explained until it has learnt its echo, and changes in steps no more."""

SURE = 10
"""Frames that a filter must have explained before it changes what is heard."""

_FRAME = round(FRAME_SECONDS * SPEECH_RATE)
_SOUGHT = round(SOUGHT * SPEECH_RATE)
_BACK, _AHEAD = round(LONGEST_DELAY * SPEECH_RATE), round(EARLIEST * SPEECH_RATE)
_KEPT = round((FITTED + LONGEST_DELAY + 0.4) * SPEECH_RATE)
_SENT = _KEPT + _BACK + REACH  # what is kept at least of what was sent, for all that is heard
_LASTS = round((LONGEST_DELAY + SOUGHT) * SPEECH_RATE)
_APART = round(0.3 * SPEECH_RATE)  # of a voice from the one before
_SAME = round(0.01 * SPEECH_RATE)  # delay
_CLOSELY, _RARELY = 8, 10  # frames of a voice that are all searched; and then each how manieth


class EchoGuard:
    """What the caller of one call has been hearing, and whether it comes back.

    Tell it all that is sent and cleared, and give it every frame that comes, in order.

    Args:
        rate: Of what is sent, in hertz.
    """

    def __init__(self, rate: int) -> None:
        # Side by side, up to the same moment; what was sent may reach into the future, or end
        # earlier: there is silence then.
        self._heard: deque[Heard] = deque(maxlen=_KEPT // _FRAME)
        self._sent = SentAudio(rate)
        self._now = 0
        self._silent_from = -_LASTS  # samples, as all places: nothing was sent that may come back
        self._path: EchoPath | None = None
        self._search: _Search | None = None
        self._explained = 0  # frames, by this path
        self._learnt_until = 0
        self._asked, self._asked_at = 0, 0
        self._predicted = self._left = self._noise = 0.0
        self.own_voice = 0.0
        """Seconds in which the voice that was heard was ours, so far."""

    def sent(self, pcm: bytes) -> None:
        """Take audio that is sent now: it sounds behind what was sent before, or at once."""
        self._sent.pad(self._now * BYTES_PER_SAMPLE)
        self._sent.put(pcm)
        self._silent_from = len(self._sent) // BYTES_PER_SAMPLE

    def cleared(self) -> None:
        """Note that what has not sounded by now never will."""
        self._sent.cut(self._now * BYTES_PER_SAMPLE)
        self._silent_from = min(self._silent_from, self._now)

    def without_echo(self, frame: Heard) -> Heard:
        """Take the next 20 ms that are heard; return them less the echo in them.

        Nothing is made of them while there is none.
        """
        self._heard.append(frame)
        self._now += _FRAME
        if self._now > _SENT + _KEPT:
            self._forget(self._now - _SENT)
        if self._path is None or not self._may_come_back:
            return frame
        heard, echo = _samples(pcm_of(frame)), self._echo(self._path, _FRAME)
        rest = heard - echo
        self._compare(echo, rest)
        if self._explained < SURE or power(rest) >= power(heard):
            return frame  # there is no such echo, or not now: it would be put in
        rest = np.minimum(np.maximum(np.rint(rest), -32768), 32767)  # np.clip takes twice as long
        pcm: bytes = rest.astype("<i2").tobytes()
        return pcm

    def is_own_voice(self) -> bool:
        """Say whether the voice in the latest frame is ours; ask only if there is one."""
        if not self._may_come_back:
            return False
        if self._now - self._asked_at > _APART:
            self._asked, self._search = 0, None
        self._asked, self._asked_at = self._asked + 1, self._now
        own = self._is_explained() or (
            (self._asked <= _CLOSELY or self._asked % _RARELY == 0 or self._is_learning)
            and (self._has_changed() or self._is_found())
        )
        if own:
            self._asked = 0
            self.own_voice += FRAME_SECONDS
        return own

    @property
    def _recent(self) -> Samples:
        length = min(self._now, _KEPT)
        return self._latest(length)

    @property
    def _may_come_back(self) -> bool:
        return self._now < self._silent_from + _LASTS

    def _is_explained(self) -> bool:
        if self._path is None or self._left >= LEFT * self._predicted + self._noise:
            return False
        self._explained += 1
        if self._explained % _RARELY == 0:
            self._path = self._learnt(self._path.delay, self._path)
            self._learnt_until = self._now
        return True

    @property
    def _is_learning(self) -> bool:
        return self._path is not None and self._explained < LEARNING and self._asked < 2 * LEARNING

    def _has_changed(self) -> bool:
        """Look for the known echo behind another delay, louder or softer."""
        path = self._path
        if path is None:
            return False
        by, length = round(BY * SPEECH_RATE), round(MOVED * SPEECH_RATE)
        # All that the filter makes of what was sent about then.
        echo = self._echo(path.changed(-by, 1.0), length + 2 * by)
        place, _ = find_delay(self._recent, length, echo)
        heard = differences(self._latest(length))
        nearby = [echo[n : n + length] for n in range(max(0, place - 1), place + 2)]
        alike = [float(heard @ differences(np.pad(n, (0, length - len(n))))) for n in nearby]
        best = int(np.argmax(alike))
        louder = alike[best] / (power(differences(nearby[best])) + 1.0)
        moved = path.changed(by - max(0, place - 1) - best, min(LOUDER, max(1 / LOUDER, louder)))
        for other in (moved, path.changed(_FRAME, 1.0), path.changed(-_FRAME, 1.0)):
            if self._explains(other, 2):
                return True
        if not (self._is_learning and self._explains(self._learnt(path.delay, path), 5)):
            return False
        self._learnt_until = self._now
        return True

    def _is_found(self) -> bool:
        """Look for an echo anywhere: it is one if it lay there before, and a filter makes it."""
        before, latest = self._search, self._searched()
        self._search = latest
        # Two are needed, and most find nothing: the first is looked into only if the second has
        # found something, the second not at all if the first is known not to have.
        if before is None or before.is_vain or latest.delay is None or before.delay is None:
            return False
        delay, length = latest.delay, _SOUGHT
        if abs(delay - before.delay) > _SAME:
            return False
        self._learnt_until = self._now - length
        sent = self._sent_part(self._now - length - delay, length)
        if power(differences(self._latest(length))) > LOUDEST * power(differences(sent)):
            return False
        if not self._explains(self._learnt(delay), length // _FRAME):
            return False
        self._explained, self._learnt_until = 0, self._now
        return True

    def _searched(self) -> _Search:
        start = self._now - _SOUGHT - _BACK
        sent = self._sent_pcm(start, _SOUGHT + _BACK + _AHEAD)
        return _Search(tuple(self._heard), min(self._now, _KEPT), sent)

    def _learnt(self, delay: int, known: EchoPath | None = None) -> EchoPath:
        """Return what is learnt of the samples since the last time."""
        length = min(self._now - self._learnt_until, _KEPT)
        start = self._now - length - delay + BEFORE - REACH
        sent = self._sent_part(start, length + REACH)
        return learn(self._latest(length), sent, delay, known)

    def _explains(self, path: EchoPath, frames: int) -> bool:
        """Take a path if what it predicts of the latest frames is what was heard."""
        known = self._path, self._predicted, self._left
        heard, echo = self._latest(frames * _FRAME), self._echo(path, frames * _FRAME)
        self._noise = NOISE * noise(differences(self._recent), _FRAME) / (1 - FADING)
        self._predicted = self._left = 0.0
        for end in range(0, len(heard), _FRAME):
            part = slice(end, end + _FRAME)
            self._compare(echo[part], heard[part] - echo[part])
        if self._left >= LEFT * self._predicted + self._noise:
            _, self._predicted, self._left = known
            return False
        self._path = path
        return True

    def _compare(self, echo: Samples, rest: Samples) -> None:
        self._predicted = FADING * self._predicted + power(differences(echo))
        self._left = FADING * self._left + power(differences(rest))

    def _echo(self, path: EchoPath, length: int) -> Samples:
        """Return what comes back of us in the latest samples."""
        start = self._now - length - path.delay + BEFORE - (TAPS - 1)
        return path.predict(self._sent_part(start, length + TAPS - 1))

    def _latest(self, length: int) -> Samples:
        """Return the latest samples that were heard, behind silence if there are fewer."""
        return _latest(self._heard, length)

    def _sent_part(self, start: int, length: int) -> Samples:
        """Return samples that were sent, silence where there are none."""
        return _samples(self._sent_pcm(start, length))

    def _sent_pcm(self, start: int, length: int) -> bytes:
        sent = self._sent.read(BYTES_PER_SAMPLE * (self._now - 2 * _KEPT))
        first = max(start, 0)
        last = max(first, start + length)
        found = bytes(memoryview(sent)[first * BYTES_PER_SAMPLE : last * BYTES_PER_SAMPLE])
        if start >= 0 and len(found) == length * BYTES_PER_SAMPLE:
            return found
        behind = bytes((first - start) * BYTES_PER_SAMPLE) + found
        return behind.ljust(length * BYTES_PER_SAMPLE, b"\0")

    def _forget(self, samples: int) -> None:
        """Drop the oldest of what was sent, and count from where it ends."""
        if self._now - self._asked_at > _APART:
            self._search = None
        self._now -= samples
        self._sent.forget(samples * BYTES_PER_SAMPLE)
        self._silent_from -= samples
        self._asked_at -= samples
        self._learnt_until -= samples


class _Search:
    """A look for an echo among all delays, of what was known when there was reason for it.

    Args:
        heard: Frames.
        length: Samples of them, behind silence if there are fewer.
        sent: What may come back in the latest of them.
    """

    def __init__(self, heard: Sequence[Heard], length: int, sent: bytes) -> None:
        self._given: tuple[Sequence[Heard], int, bytes] | None = heard, length, sent
        self._delay: int | None = None

    @property
    def is_vain(self) -> bool:
        """Whether it is known to have found nothing."""
        return self._given is None and self._delay is None

    @property
    def delay(self) -> int | None:
        """Samples until our words are back; None if nothing of them is heard."""
        if self._given is not None:
            heard, length, sent = self._given
            place, alike = find_delay(_latest(heard, length), _SOUGHT, _samples(sent))
            self._given, self._delay = None, _BACK - place if alike >= ALIKE else None
        return self._delay


def _latest(heard: Sequence[Heard], length: int) -> Samples:
    """Return the latest samples of frames, behind silence if there are fewer."""
    frames = min(len(heard), -(-length // _FRAME))
    latest = islice(heard, len(heard) - frames, None)
    found = _samples(joined(latest)[-length * BYTES_PER_SAMPLE :])
    return np.pad(found, (length - len(found), 0)) if len(found) < length else found


def _samples(pcm: bytes) -> Samples:
    return np.frombuffer(pcm, "<i2").astype(np.float32)
