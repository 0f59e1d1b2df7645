"""What the words alone tell of whether more will come, and with the turn model together.

Run ``python -m tests.benchmarks.text_completeness``: what callers say, written by hand, in each
language. With ``--sounds DIR``, a folder in which Debian's ``asterisk-core-sounds-{en,es,fr,it}``
were unpacked (``dpkg-deb -x``): also the half of their prompts that nothing was fitted on; with
their ``-wav`` packages, and ``--pauses``, the turn model as well, at the quiet points of a prompt
(:mod:`tests.benchmarks.endpoints`), whose words are taken to have come in proportion to its time.

AUC is how often a whole utterance is rated above an unfinished one. Intervals are of 95 %, by 1,000
draws of the utterances with replacement.
"""

from __future__ import annotations

import argparse
import asyncio
import re
import time
import timeit
from collections.abc import Iterator, Sequence
from pathlib import Path

import numpy as np

from pipelines.listening.settings import GateSettings
from pipelines.turn_taking.end_of_turn import EndOfTurnSettings, Evidence, silence_needed
from pipelines.turn_taking.smart_turn import SmartTurn
from pipelines.turn_taking.text_completeness import text_completeness, words_at_end
from tests.benchmarks.endpoints import FIXED, end, quiet_points, up_to
from tests.benchmarks.fit_text_completeness import asterisk, chosen, sentences
from tests.benchmarks.word_errors import by_phone
from tests.callers import CALLERS, Rated, callers, rated
from tests.recordings import read

SPEAKERS = {"en": "en_US_f_Allison", "es": "es_MX_f_Allison", "fr": "fr_CA_f_June"} | {
    "it": "it_IT_m_Carlo"
}
DRAWS, SEED = 1000, 11
PAUSE = 0.8
ASKED_AT = GateSettings().pause_after
"""Seconds of silence at which the turn model is asked: once, here."""

UNFINISHED = 0.2
"""Below it, the words say that more will come."""


def reported(folder: Path, language: str, *, half: bool = False) -> tuple[list[str], list[str]]:
    """Return prompts of one sentence that are not to choose by, and the same cut after each word.

    What is a whole prompt somewhere is not unfinished.

    Args:
        folder: Unpacked packages.
        language: Primary subtag.
        half: Whether to return the other half instead.
    """
    every = list(asterisk(folder, language))
    whole = {tuple(words_at_end(one, elides=False)) for _, text in every for one in sentences(text)}
    whole.add(())
    prompts, cuts = [], []
    for name, text in every:
        words = text.split()
        if chosen(name) is half and len(sentences(text)) == 1 and len(words) >= 4:
            prompts.append(text)
            cut = (" ".join(words[:at]) for at in range(1, len(words)))
            cuts += [one for one in cut if tuple(words_at_end(one, elides=False)) not in whole]
    return prompts, cuts


def figures(name: str, found: Rated) -> str:
    """Return a line on them."""
    draw = np.random.default_rng(SEED)
    low, high = np.quantile([found.drawn(draw).auc() for _ in range(DRAWS)], (0.025, 0.975))
    few = [f"{int((kind < UNFINISHED).sum())}/{len(kind)}" for kind in (found.whole, found.cut)]
    half = [f"{int((kind < 0.5).sum())}/{len(kind)}" for kind in (found.whole, found.cut)]
    return (
        f"{name:18s} AUC {found.auc():.3f} [{low:.3f}, {high:.3f}]"
        f"  below {UNFINISHED}: whole {few[0]}, cut {few[1]}  below 0.5: {half[0]}, {half[1]}"
    )


def reliability(every: Sequence[Rated]) -> Iterator[str]:
    """Yield what was said and what was so, where whole and unfinished ones weigh the same."""
    whole, cut = (
        np.concatenate([getattr(one, kind) for one in every]) for kind in ("whole", "cut")
    )
    for low in np.arange(0, 1, 0.2):
        high = low + 0.2 + (low > 0.7)
        shares = [((kind >= low) & (kind < high)).mean() for kind in (whole, cut)]
        inside = np.concatenate([kind[(kind >= low) & (kind < high)] for kind in (whole, cut)])
        if len(inside):
            so = shares[0] / sum(shares)
            yield f"  {low:.1f} to {low + 0.2:.1f}: n {len(inside)}, whole {so:.2f}"


def heard(folder: Path, language: str) -> Iterator[tuple[str, str, bytes, bool]]:
    """Yield name, text and audio of prompts to report on, and whether they are whole there.

    Of a pause inside, the text is what was said by then, if words come in proportion to time.
    """
    texts = dict(asterisk(folder, language))
    sounds = next(folder.rglob(SPEAKERS[language]))
    for path in sorted(sounds.rglob("*.wav")):
        name = str(path.relative_to(sounds).with_suffix(""))
        text = texts.get(name, "")
        if chosen(name) or len(text.split()) < 4 or len(sentences(text)) != 1:
            continue
        audio = read(path)
        if not 1 <= audio.seconds <= 12:
            continue
        pcm = by_phone(audio, lead=0, tail=0).pcm
        last = end(pcm)
        yield name, text, up_to(pcm, last, ASKED_AT), True
        ends = [found.end() for found in re.finditer(r"\S+", text)]
        for at in quiet_points(pcm):
            nearest = min(ends[:-1], key=lambda place: abs(place / len(text) - at / last))
            yield name, text[:nearest], up_to(pcm, at, ASKED_AT), False


async def pauses(folder: Path, language: str) -> Iterator[str]:
    """Return lines on the turn model, the words, and both, on the same silences."""
    model = SmartTurn()
    await model.start()
    try:
        found = [
            (whole, text, await model.complete(pcm))
            for _, text, pcm, whole in heard(folder, language)
        ]
    finally:
        await model.aclose()
    return _compared(found, language)


def _compared(found: Sequence[tuple[bool, str, float]], language: str) -> Iterator[str]:
    so = np.array([whole for whole, _, _ in found])
    sound = np.clip([probability for _, _, probability in found], 0.001, 0.999)
    words = np.array([text_completeness(text, language) or 0.5 for _, text, _ in found])
    both = 1 / (1 + np.exp(-np.log(sound / (1 - sound)) / 2 - np.log(words / (1 - words))))
    for name, rate in (("turn model", sound), ("words", words), ("both", both)):
        yield figures(f"{language} {name}", Rated(whole=rate[so], cut=rate[~so]))
    settings = EndOfTurnSettings()

    def wait(text: str, heard: float, complete: float | None) -> float:
        evidence = Evidence(said=text, heard=[heard], complete=complete)
        weighed = silence_needed(settings, evidence, language)
        return FIXED if weighed is None else weighed.seconds

    listed = np.array([wait(text, p, None) for _, text, p in found])
    judged = np.array([wait(text, p, text_completeness(text, language)) for _, text, p in found])
    for name, waits in (("lists of words", listed), ("and completeness", judged)):
        cut = int((waits[~so] <= PAUSE).sum())
        yield (
            f"{language} {name}: {cut} of {int((~so).sum())} pauses of {PAUSE} s cut into;"
            f" mean wait after {int(so.sum())} whole ones {waits[so].mean():.2f} s"
        )


def main() -> None:
    """Read the command line, measure, print."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--sounds", type=Path, help="unpacked Asterisk sound packages")
    parser.add_argument("--pauses", action="store_true", help="ask the turn model too")
    parser.add_argument("--show", type=int, default=0, help="print so many of the worst rated")
    names = sorted(path.stem for path in CALLERS.glob("*.txt"))
    parser.add_argument("languages", nargs="*", default=names)
    given = parser.parse_args()
    every = []
    for language in given.languages:
        sets = {"callers": (callers(language)["whole"], callers(language)["cut"])}
        if given.sounds and language in SPEAKERS:
            sets["prompts"] = reported(given.sounds, language)
        for name, (whole, cut) in sets.items():
            found = rated(whole, cut, language)
            every.append(found)
            print(figures(f"{language} {name}", found))
            for place in np.argsort(found.whole)[: given.show]:
                print(f"    whole {found.whole[place]:.2f} {whole[place]}")
            for place in np.argsort(-found.cut)[: given.show]:
                print(f"    cut   {found.cut[place]:.2f} {cut[place]}")
        if given.sounds and given.pauses and language in SPEAKERS:
            for line in asyncio.run(pauses(given.sounds, language)):
                print(line)
    print("\n".join(("said and so, all of these together:", *reliability(every))))
    said = "So I'd like to book a table for two people on Friday evening at seven, and " * 20
    cost = min(
        timeit.repeat(lambda: text_completeness(said, "en"), timer=time.process_time, number=1000)
    )
    print(f"a call takes {cost * 1000:.0f} µs")


if __name__ == "__main__":
    main()
