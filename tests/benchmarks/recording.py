"""What recording costs: the event loop a frame, the disk and a core a call-minute.

``python -m tests.benchmarks.recording`` prints it; ``--wav FILE`` takes real speech of a stereo WAV
file in place of shaped noise, from which Opus and FLAC make what they make of a call.
"""

from __future__ import annotations

import argparse
import time
from itertools import cycle
from pathlib import Path
from statistics import median
from tempfile import TemporaryDirectory

import numpy as np

from agent.records.recordings import recorder as recorder_module
from agent.records.recordings.audio_log import ENDING, AudioLog, LogHead
from agent.records.recordings.encoding import finish
from agent.records.recordings.recorder import Recorder
from agent.records.recordings.recording_files import RecordingWriter
from agent.records.recordings.sides import PlacedAudio
from agent.records.recordings.stereo import read
from agent.records.seals import NoSeal

MINUTES = 5


def sides(rate: int, wav: Path | None) -> list[bytes]:
    """Return a minute of each side: speech, or noise with the shape of turns."""
    if wav is not None:
        audio = read(wav)
        pcm = [audio.caller.pcm, audio.agent.pcm]
        return [(one * (120 * rate // len(one) + 1))[: 120 * rate] for one in pcm]
    chance = np.random.default_rng(1)
    turns = np.repeat(np.arange(12) % 2, 5 * rate)  # who speaks, 5 s each
    noise = np.cumsum(chance.normal(0, 300, 60 * rate)) * 0.9 ** np.arange(60 * rate).clip(0, 50)
    speech = chance.normal(0, 1500, 60 * rate) + np.clip(noise, -2000, 2000)
    return [(speech * (turns == side)).astype("<i2").tobytes() for side in (0, 1)]


def on_the_loop(rate: int, minute: list[bytes]) -> None:
    """Print what a frame costs the call that it is of."""
    at = [0.0]
    recorder_module.now = lambda: at[0]  # type: ignore[attr-defined]
    with TemporaryDirectory() as folder:
        writer = RecordingWriter(Path(folder), NoSeal(), limit_mb=1e6, min_free_mb=0)
        recorder = Recorder(
            rate, 0.0, lambda first: writer.begin("a.flac", LogHead(rate=rate, begin=first))
        )
        recorder.begin()
        size, took, cpu = rate // 25, list[float](), time.thread_time()
        frames = [[one[n : n + size] for n in range(0, len(one), size)] for one in minute]
        for number, (caller, agent) in zip(
            range(MINUTES * 3000), cycle(zip(*frames, strict=True)), strict=False
        ):
            at[0] = (number + 1) * 0.02
            began = time.perf_counter()
            recorder.received(caller)
            recorder.sent(agent)
            took.append(time.perf_counter() - began)
        cpu = (time.thread_time() - cpu) / len(took)
        recorder.stop(keep=True)
        print(
            f"{rate:6} Hz  loop, a frame of both sides: median {median(took) * 1e6:.1f} us, "
            f"{cpu * 1e6:.1f} us of CPU with what is handed over each second"
        )


def beside_it(rate: int, minute: list[bytes]) -> None:
    """Print what writing and encoding cost, and what comes of it."""
    with TemporaryDirectory() as name:
        folder = Path(name)
        for kind in ("flac", "opus"):
            part = folder / f"a.{kind}{ENDING}"
            began = time.process_time()
            log = AudioLog(part, LogHead(rate=rate, begin=0), NoSeal())
            for second in range(MINUTES * 60):
                for side, pcm in zip(("caller", "agent"), minute, strict=True):
                    first = 2 * rate * (second % 60)
                    log.add(side, PlacedAudio(second * rate, pcm[first : first + 2 * rate]))  # type: ignore[arg-type]
            log.close()
            wrote = (time.process_time() - began) / MINUTES
            raw = part.stat().st_size / MINUTES
            began = time.process_time()
            finish(part, folder / f"a.{kind}", NoSeal(), lambda _: True)
            took = (time.process_time() - began) / MINUTES
            size = (folder / f"a.{kind}").stat().st_size / MINUTES
            print(
                f"{rate:6} Hz  {kind}: a call-minute takes {wrote * 1000:.1f} ms of CPU to write "
                f"({raw / 1e6:.2f} MB), {took * 1000:.0f} ms to encode ({size / 1e6:.3f} MB)"
            )


def main() -> None:
    """Print it for telephone and for wide band."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--wav", type=Path)
    given = parser.parse_args()
    for rate in (8000, 16000, 48000) if given.wav is None else (8000,):
        minute = sides(rate, given.wav)
        on_the_loop(rate, minute)
        beside_it(rate, minute)


if __name__ == "__main__":
    main()
