"""What a recorded caller said, turn by turn, and what each turn waited for."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise

import numpy as np

from agent.simulator.stretches import BREATH, Frames
from pipelines.audio import FRAME_SECONDS, SPEECH_RATE, Audio, Chunker, Resampler, frame_bytes
from pipelines.listening.detectors import VoiceDetector
from pipelines.listening.dtmf import KeypadDetector

SHORTEST = 5
"""Frames of voice, 0.1 s, below which a sound is no word (as for speech-to-text)."""

NO_ANSWER = 3.0
"""Seconds without a sound of either after which the caller spoke because nobody answered: longer
than any silence that ends a turn (about 2 s)."""

USUAL_REACTION = 0.6
"""Seconds from the agent's last sound to the caller's answer, where the recording has none. Turns
on the telephone follow one another after 0.2 to 0.7 s in most languages (Stivers et al. 2009)."""

PATIENCE = 15.0
"""Seconds that the caller waits for an answer where the recording has one; then they go on."""

GAP = 0.3
"""Seconds of quiet within which the agent still speaks."""

EDGE = 10
"""Frames, 0.2 s, said along with a turn before its first voice and after its last."""


@dataclass(frozen=True, slots=True, kw_only=True)
class CallerTurn:
    """What a caller says without a word of the agent's in between. Frames of 20 ms, seconds."""

    began: int
    """The first frame with their voice."""

    ended: int
    """The one after the last; ``began`` if they hang up."""

    over: bool = False
    """Whether it began over words of the agent's."""

    wait: float
    """From the agent's first sound, if it is over its words; from its last otherwise."""

    patience: float = PATIENCE
    """The same from the caller's turn before, while the agent has said nothing."""


def heard_as_speech(audio: Audio, detector: VoiceDetector) -> Frames:
    """Return in which 20 ms of a caller's side there is a voice, or a key."""
    resampler, frames = Resampler(audio.rate, SPEECH_RATE), Chunker(frame_bytes(SPEECH_RATE))
    keypad = KeypadDetector()
    found: list[bool] = []
    pcm = resampler.feed(audio.pcm) + resampler.flush()
    for frame in [*frames.feed(pcm), frames.flush()]:
        if frame:
            pressed = bool(keypad.feed(frame)) or keypad.sounding
            found.append(detector.voiced(frame) or pressed)
    return np.array(found, bool)


def stretches(frames: Frames, breath: float, least: int = 1) -> list[tuple[int, int]]:
    """Return from where to where it sounds, with pauses of up to ``breath`` seconds within.

    Args:
        frames: Whether each sounds.
        breath: Seconds.
        least: Sounding frames that there have to be in one.
    """
    sounding = np.flatnonzero(frames)
    if not len(sounding):
        return []
    cuts = np.flatnonzero(np.diff(sounding) > breath / FRAME_SECONDS)
    first, last = sounding[np.r_[0, cuts + 1]], sounding[np.r_[cuts, -1]] + 1
    found = [(int(a), int(b)) for a, b in zip(first, last, strict=True)]
    return [(a, b) for a, b in found if frames[a:b].sum() >= least]


def caller_turns(caller: Frames, agent: Frames, end: int) -> list[CallerTurn]:
    """Return what the caller did, in order; the last is that they hang up.

    Args:
        caller: Where they speak.
        agent: Where they heard the agent.
        end: Frame in which they hung up.
    """
    spoken: list[list[int]] = []
    for began, ended in stretches(caller, BREATH, SHORTEST):
        last = spoken[-1][1] if spoken else 0
        answered = agent[last:began].any()
        if spoken and not answered and began - last <= NO_ANSWER / FRAME_SECONDS:
            spoken[-1][1] = ended
        else:
            spoken.append([began, ended])
    end = max(end, spoken[-1][1] if spoken else 0)
    talking = np.zeros(len(agent) + 1, bool)
    for first, after in stretches(agent, GAP):
        talking[first + 1 : after] = True
    before = [0, *(ended for _, ended in spoken)]
    return [
        _turn(began, ended, since, agent, over=bool(talking[min(began, len(agent))]))
        for (began, ended), since in zip([*spoken, [end, end]], before, strict=True)
    ]


def _turn(began: int, ended: int, since: int, agent: Frames, *, over: bool) -> CallerTurn:
    """Return a turn with what it waited for; the one before ended in frame ``since``."""
    heard = since + np.flatnonzero(agent[since:began])
    if not len(heard):
        patience = (began - since) * FRAME_SECONDS
        wait = min(USUAL_REACTION, patience)
        return CallerTurn(began=began, ended=ended, wait=wait, patience=patience)
    reference = int(heard[0]) if over else int(heard[-1]) + 1
    return CallerTurn(began=began, ended=ended, over=over, wait=(began - reference) * FRAME_SECONDS)


def voice_edges(turns: list[CallerTurn], frames: int) -> list[tuple[int, int]]:
    """Return from where to where each turn's sound is taken; nothing is taken twice."""
    edges = [
        (max(0, one.began - EDGE), min(frames, one.ended + EDGE))
        if one.ended > one.began
        else (one.began, one.began)
        for one in turns
    ]
    for n, (one, other) in enumerate(pairwise(turns)):
        middle = (one.ended + other.began) // 2
        edges[n] = (edges[n][0], min(edges[n][1], middle))
        edges[n + 1] = (max(edges[n + 1][0], middle), edges[n + 1][1])
    return edges
