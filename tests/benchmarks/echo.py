"""What becomes of our own voice that comes back, and of a caller who speaks over it.

Run ``python -m tests.benchmarks.echo``: the recordings of this repository. With ``--sounds DIR``, a
folder in which Debian's ``asterisk-core-sounds-{en,fr,it}-wav`` were unpacked (``dpkg-deb -x``): we
say English prompts, callers say Italian and French ones, and English ones in the very same voice,
of the half (``--half``) that ``tests.benchmarks.onsets`` describes.

The line has noise at -62 dBFS and G.711 mu-law, both ways; its echo comes back after 50 to 600 ms:
``room`` has eight reflections over 50 ms, ``swell`` grows and fades by 6 dB, ``jitter`` is a delay
that changes by a packet every 1.5 s. We do not stop when somebody speaks: every start is counted.
"""

from __future__ import annotations

import argparse
import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np

from pipelines.audio import at_rate
from pipelines.listening.detectors import DetectorSettings, NewDetector, detectors
from pipelines.listening.echo import EchoGuard
from pipelines.listening.listener import Listener
from pipelines.listening.settings import GateSettings
from pipelines.listening.speech_events import SpeechStarted
from tests.benchmarks.onsets import prompts
from tests.pipelines.listening.echo_paths import RATE, EchoOf, Wave, frames, level, on_the_line
from tests.recordings import TRANSCRIPTS, load

LEAD = 15
"""Frames sent ahead."""

CALLS = 12
"""Of each kind."""


@dataclass(slots=True)
class Heard:
    """What a listener makes of some seconds."""

    starts: list[float] = field(default_factory=list)
    """Seconds at which speech starts."""

    costs: list[float] = field(default_factory=list)
    """Processor seconds, of each frame."""


def hear(new: NewDetector, sent: Wave, heard: Wave, *, told: bool) -> Heard:
    """Return what comes of it; ``told`` is whether the guard knows what we say."""
    echo = EchoGuard(RATE)
    listener = Listener(RATE, new(), GateSettings(), echo)
    out, found = frames(on_the_line(sent, 1)), Heard()
    for number, frame in enumerate(frames(on_the_line(heard, 2))):
        began = time.thread_time()
        if told:
            for ahead in out[:LEAD] if number == 0 else out[number + LEAD - 1 : number + LEAD]:
                echo.sent(ahead)
        started = any(isinstance(event, SpeechStarted) for event in [*listener.feed(frame)])
        found.costs.append(time.thread_time() - began)
        found.starts += [(number + 1) / 50] * started
    return found


def monologue(voice: Sequence[Wave], number: int) -> Wave:
    """Return some 15 s of ours, with breaths."""
    parts = [np.zeros(RATE // 4)]
    for place in range(4):
        parts += [voice[(5 * number + place) % len(voice)], np.zeros(int(0.4 * RATE))]
    return np.concatenate([*parts, np.zeros(RATE)])


def echoes(new: NewDetector, ours: Sequence[Wave]) -> None:
    """Print how often our own voice starts speech."""
    kinds = {"plain": {}, "room": {"room": True}, "room, swell": {"room": True, "swell": True}}
    kinds["room, jitter"] = {"room": True, "jitter": True}
    print(f"{CALLS} calls each       starts of speech, without the guard    µs a frame: p50, mean")
    for kind, how in kinds.items():
        for down in (10, 15, 20, 30):
            random, costs = np.random.default_rng(down), list[float]()
            own = without = 0
            for number in range(CALLS):
                sent = monologue(ours, number)
                path = EchoOf(down=down, delay=float(random.uniform(0.05, 0.6)), **how)
                back = path.of(sent, number)
                guarded = hear(new, sent, back, told=True)
                own, costs = own + len(guarded.starts), costs + guarded.costs
                without += len(hear(new, sent, back, told=False).starts)
            spent = np.array(costs) * 1e6
            numbers = f"{own:8}{without:8}{np.median(spent):24.0f}{spent.mean():8.0f}"
            print(f"{kind:14}-{down} dB{numbers}", flush=True)


def callers(new: NewDetector, ours: Sequence[Wave], theirs: Sequence[Wave], who: str) -> None:
    """Print how much later a caller is heard than by a listener who knows no echo, without one."""
    for down, softer, early in (
        (0, 0, 1),
        (0, 0, 0),
        (10, 0, 0),
        (10, 6, 0),
        (20, 0, 0),
        (20, 6, 0),
    ):
        random, later, missed = np.random.default_rng(7), list[float](), 0
        for number in range(CALLS):
            sent = monologue(ours, number)
            at = float(random.uniform(0.4, 1.4) if early else random.uniform(2.5, 6))
            caller = theirs[(7 * number + 3) % len(theirs)] * 10 ** (-softer / 20)
            own, start = np.zeros(len(sent)), int(at * RATE)
            own[start : start + len(caller)] = caller[: len(own) - start]
            path = EchoOf(down=down, delay=float(random.uniform(0.05, 0.6)), room=True)
            back = path.of(sent, number) if down else np.zeros(len(sent))
            alone = [one for one in hear(new, sent, own, told=False).starts if one > at]
            over = [one for one in hear(new, sent, own + back, told=True).starts if one > at]
            missed += not over or over[0] > alone[0] + 0.5
            later += [over[0] - alone[0]] * bool(over)
        where = f"echo -{down} dB" if down else "no echo" + ", our first words" * early
        p50, p95 = np.percentile(later, [50, 95]) * 1000
        print(f"{who:12}{where:26}{-softer:4} dB{missed:8}{p50:8.0f}{p95:8.0f}", flush=True)


def main() -> None:
    """Print the tables."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--sounds", type=Path, help="where Debian's packages were unpacked")
    parser.add_argument("--half", default="report", choices=["choose", "report"])
    options = parser.parse_args()
    new = detectors(DetectorSettings())
    if options.sounds is None:
        every = [level(at_rate([load(name)], RATE)) for name in sorted(TRANSCRIPTS)]
        voices = {"ours": every[::2], "another": every[1::2]}
    else:
        voices = {}
        for language, audio in prompts(options.sounds, options.half):
            voices.setdefault(language, []).append(level(audio))
        english = voices.pop("en_US_f_Allison")
        voices = {"ours": english[::2], "same voice": english[1::2]} | {
            name: voices[name] for name in ("it_IT_m_Carlo", "fr_CA_f_June")
        }
    ours = voices.pop("ours")
    echoes(new, ours)
    print(f"\n{CALLS} callers over our words{'missed':>26}   later, ms: p50, p95")
    for who, theirs in voices.items():
        callers(new, ours, theirs, who[:11])


if __name__ == "__main__":
    main()
