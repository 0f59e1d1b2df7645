r"""How far the turn model's answers move from one processor to another.

Its weights are whole numbers of 8 bits, which processors with VNNI add up more exactly than others.
Run this on one of them with ``--keep FILE``, on another with ``--beside FILE``::

    python -m tests.benchmarks.processors --keep here.json
    qemu-x86_64-static -cpu Haswell .venv/bin/python -m tests.benchmarks.processors \
        --beside here.json

(the second is a processor without VNNI, emulated; it takes ten minutes). Each recording of the
tests is cut at several places, and asked about. What 20 ms more of silence change is printed
besides: chance, on one and the same processor.
"""

from __future__ import annotations

import argparse
import asyncio
import json
from pathlib import Path

import numpy as np

from pipelines.audio import SPEECH_RATE
from pipelines.turn_taking.end_of_turn import EndOfTurnSettings
from pipelines.turn_taking.smart_turn import SmartTurn
from tests.pipelines.turn_taking.test_smart_turn import speech
from tests.recordings import TRANSCRIPTS

PARTS = (0.3, 0.5, 0.7, 1.0)
LATER = bytes(2 * SPEECH_RATE // 50)
SETTINGS = EndOfTurnSettings()


async def answers() -> dict[str, tuple[float, float]]:
    """Return what the model says of each cut, and of the same with 20 ms more of silence."""
    model = SmartTurn()
    await model.start()
    try:
        return {
            f"{name} {part}": (
                await model.complete(cut := speech(name, part)),
                await model.complete(cut + LATER),
            )
            for name in TRANSCRIPTS
            for part in PARTS
        }
    finally:
        await model.aclose()


def sure(probability: float) -> int:
    """Return what is made of an answer: 1 is over, -1 goes on, 0 is not sure."""
    if probability >= SETTINGS.finished_from:
        return 1
    return -1 if probability < SETTINGS.going_on_below else 0


def tell(what: str, pairs: list[tuple[float, float]]) -> None:
    """Print how far the second of each pair is from the first."""
    moved = np.abs(np.diff(np.array(pairs), axis=1))[:, 0]
    decisions = [(sure(first), sure(second)) for first, second in pairs]
    other = sum(first != second for first, second in decisions)
    opposite = sum(first * second < 0 for first, second in decisions)
    print(
        f"{what}: n={len(pairs)}, moved by {np.median(moved):.3f} p50, "
        f"{np.quantile(moved, 0.95):.3f} p95, {moved.max():.3f} at most; "
        f"another decision {other}, the opposite one {opposite}"
    )


def main() -> None:
    """Ask, and print what has moved."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--keep", type=Path, metavar="FILE", help="where answers are kept")
    parser.add_argument("--beside", type=Path, metavar="FILE", help="answers to compare with")
    given = parser.parse_args()
    here = asyncio.run(answers())
    tell("20 ms later", list(here.values()))
    if given.keep:
        given.keep.write_text(json.dumps(here))
    if given.beside:
        there = json.loads(given.beside.read_text())
        tell("another processor", [(there[name][0], here[name][0]) for name in here])


if __name__ == "__main__":
    main()
