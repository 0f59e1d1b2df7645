"""Conversations that are judged: hundreds of whole calls in virtual time, with real speech.

Run ``python -m tests.benchmarks.conversations``. With ``--sounds DIR``, a folder in which Debian's
``asterisk-core-sounds-{en,es,fr,it}-wav`` and ``asterisk-core-sounds-{en,es,fr,it}`` were unpacked
(``dpkg-deb -x``), the callers say hundreds of things; without it, what is in this repository.

Voice detection, turn model and the call are the real ones, the callers recorded. What is said is
known, as late as ``--delay`` says; the language model takes 0.2 s to its first word, the voice
0.1 s to its first sound. A question to the turn model takes 0.04 s of a call, whatever it computes:
the same tree gives the same figures each time.

Half of the speech is for choosing by, half for reporting (``--half``), by a hash of its name.
"""

from __future__ import annotations

import argparse
import json
import logging
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ProcessPoolExecutor
from dataclasses import replace
from pathlib import Path

import structlog

from agent.simulator import virtual_time
from tests.benchmarks.situations import answers, others, pauses, running
from tests.benchmarks.situations.held import MODEL_TAKES, Rig, Room
from tests.benchmarks.situations.results import Result, compare, show
from tests.benchmarks.situations.situation import Bank, Situation

KINDS: dict[str, Callable[[Bank], Iterator[Situation]]] = {
    "answers": answers.around_the_end,
    "background": others.in_the_background,
    "go-on": answers.that_go_on,
    "over": answers.over_our_words,
    "late": pauses.at_unfinished_points,
    "digits": pauses.dictated,
    "pauses": pauses.inside_sentences,
    "whole": pauses.whole_sentences,
    "natural": running.their_own_pauses,
    "echo": others.echo,
    "onset": others.onsets,
    "slow-voice": others.slow_voice,
    "pick-up": answers.at_pick_up,
    "idle": others.nobody_there,
}
"""By the name that ``--only`` takes."""

IN_EVERY_LANGUAGE = ("go-on", "late", "digits", "pauses", "whole", "natural", "onset")


def situations(bank: Bank, only: list[str]) -> list[Situation]:
    """Return what is measured, in order."""
    known = KINDS if bank.language == "en" else {name: KINDS[name] for name in IN_EVERY_LANGUAGE}
    wanted = [name for name in known if not only or name in only]
    return [one for name in wanted for one in known[name](bank)]


async def _hold(
    room: Room, chosen: list[Situation], loop: virtual_time.VirtualTimeLoop, *, show_each: bool
) -> list[Result]:
    await room.start()
    try:
        found = []
        for one in chosen:
            began = time.perf_counter()
            held = await room.hold(one.plan, loop)
            figures = dict(one.judge(held))
            found.append(Result(kind=one.kind, key=one.key, figures=figures))
            if show_each:
                print(
                    f"{one.kind}: {one.key}  {figures}  [{time.perf_counter() - began:.2f} s]",
                    flush=True,
                )
        return found
    finally:
        await room.aclose()


def measure(
    bank: Bank, rig: Rig, only: list[str], share: tuple[int, int], *, show_each: bool
) -> list[Result]:
    """Hold every ``share[1]``-th call from the ``share[0]``-th on, and judge them."""
    chosen = situations(bank, only)[share[0] :: share[1]]
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(logging.ERROR))
    loop = virtual_time.VirtualTimeLoop(MODEL_TAKES)
    try:
        return loop.run_until_complete(_hold(Room(rig), chosen, loop, show_each=show_each))
    finally:
        loop.run_until_complete(loop.shutdown_default_executor())
        loop.close()


def main() -> None:
    """Read the command line, measure, print."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0] if __doc__ else None)
    parser.add_argument("--sounds", type=Path, help="unpacked Asterisk sound packages")
    parser.add_argument(
        "--running-speech",
        type=Path,
        action="append",
        default=[],
        metavar="FILE",
        help="of a speaker in neither half, English, WAV of 16 bits, mono; may be repeated",
    )
    parser.add_argument("--half", choices=("choose", "report", "all"), default="choose")
    parser.add_argument("--language", choices=("en", "es", "fr", "it"), default="en")
    parser.add_argument(
        "--only", action="append", default=[], choices=KINDS, help="may be repeated"
    )
    parser.add_argument("--full", action="store_true", help="more of each kind")
    parser.add_argument("--delay", type=float, default=0.15, help="of the transcriber, in seconds")
    parser.add_argument(
        "--no-interims", action="store_true", help="it tells nothing before the end"
    )
    parser.add_argument("--errors", type=float, default=0.0, help="share of words heard wrong")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--workers", type=int, default=1, help="processes")
    parser.add_argument("--json", type=Path, help="keep the results in this file")
    parser.add_argument("--show", action="store_true", help="print each call")
    parser.add_argument(
        "--compare", type=Path, nargs=2, metavar="FILE", help="print two runs side by side instead"
    )
    given = parser.parse_args()
    if given.compare:
        compare(*given.compare)
        return
    bank = Bank(
        sounds=given.sounds,
        half=given.half,
        language=given.language,
        full=given.full,
        running=tuple(given.running_speech),
    )
    rig = replace(
        Rig(),
        delay=given.delay,
        interims=not given.no_interims,
        errors=given.errors,
        seed=given.seed,
        language=given.language,
    )
    began = time.perf_counter()
    shares = [(number, given.workers) for number in range(given.workers)]
    if given.workers > 1:
        with ProcessPoolExecutor(given.workers) as pool:
            parts = [
                pool.submit(measure, bank, rig, given.only, share, show_each=given.show)
                for share in shares
            ]
            results = [one for part in parts for one in part.result()]
    else:
        results = measure(bank, rig, given.only, shares[0], show_each=given.show)
    results.sort(key=lambda one: (one.kind, one.key))
    show(results)
    print(f"{len(results)} calls, half {given.half!r}, {time.perf_counter() - began:.0f} s")
    if given.json:
        kept = [{"kind": one.kind, "key": one.key, "figures": one.figures} for one in results]
        given.json.write_text(json.dumps(kept, indent=1), encoding="utf-8")


if __name__ == "__main__":
    main()
