"""Fit the weights of :mod:`pipelines.turn_taking.text_completeness` on text that packages bring.

Run ``python -m tests.benchmarks.fit_text_completeness --corpora DIR en es fr``: it writes one file
a language into ``pipelines/turn_taking/completeness``; ``tests.benchmarks.text_completeness``
prints what they are worth. DIR has these, unpacked (``dpkg-deb -x``, ``unzip``):

- Debian's ``freedroidrpg-data`` (GPL-2+) and ``wesnoth-1.16-{data,did,dm,dw,ei,httt,l,low,nr,sof,
  sota,sotbe,thot,trow,tsg,ttb,utbs}`` (GPL-2+): the dialogues of two games and their translations,
- Debian's ``fillets-ng-data`` (GPL-2+): what two fish say to each other,
- Debian's ``asterisk-core-sounds-{en,es,fr,it}`` (CC-BY-SA-3.0): prompts; the half to choose by,
- PyPI's ``chatterbot-corpus`` (BSD-3-Clause): questions and answers.

A sentence is whole; cut after each of its words it is not, unless what is left is a sentence that
somebody says somewhere; :data:`CUTS` a sentence are drawn. Both weigh the same in total. Sentences
begin at any distance from the beginning of the turn, as in a call.
"""

from __future__ import annotations

import argparse
import gettext
import gzip
import json
import random
import re
from collections import Counter
from collections.abc import Iterable, Iterator
from pathlib import Path

import numpy as np
import numpy.typing as npt
import yaml
from scipy import optimize, sparse

from pipelines.turn_taking.text_completeness import WEIGHTS, features, words_at_end
from tests.benchmarks.halves import is_for_choosing

NAMES = {
    "de": "german",
    "en": "english",
    "es": "spanish",
    "fr": "french",
    "it": "italian",
    "nl": "dutch",
    "pt": "portuguese",
}
"""By the folder of the ChatterBot corpus."""

ELIDING = frozenset({"fr", "it"})
CUTS, COMMON, SMALLEST = 3, 500, 0.2
"""Unfinished examples for a whole one; words that are told apart; the least weight that is kept:
in Spanish, on the prompts to choose by, 0.25 keeps a third of what 0.08 does, and tells as much."""

ENOUGH = 15_000
"""Sentences from which each feature has to come :data:`FEWEST` times, and weights are held smaller:
of less text, the rarer words are needed."""

FEWEST = 5
"""Times that a pair or a triple of words has to come: what is rarer may be somebody's sentence."""

PLAIN = frozenset({"en"})
"""Languages with enough text beside the campaigns of Wesnoth, whose narrators speak as no caller
does: without them, pauses of the prompts to choose by are told from their ends with an AUC of 0.79
rather than 0.75, and what callers say as well as with them."""

Floats = npt.NDArray[np.float64]

Example = tuple[list[str], bool]
"""The words at the end of a transcript, and whether it is whole."""

SEED = 11

_SENTENCE = re.compile(r"[^.?!…;:\n\t]+[.?!…]*")
_UNSPOKEN = re.compile(r"[<>{}\[\]_*=%#@|/\\()+~^$]|--|https?:")
_BROKEN_OFF = re.compile(r"\.\.|…|[-–—,;:]\s*$")
"""Somebody hesitates, or is interrupted: nobody knows whether that is whole."""

_SPOKEN_BY = re.compile(r'dialogStr\("((?:[^"\\]|\\.)*)"\)|dialogId\("[^"]*", "[^"]*", "([^"]*)"\)')


_SEVERAL = re.compile(r"\d\d+ ").match
"""Whether a feature is of several words."""

_ENDS = tuple('.?!…"')
_MANUALS = frozenset(f"wesnoth-{one}" for one in ("editor", "help", "lib", "multiplayer", "units"))


def asterisk(folder: Path, language: str) -> Iterator[tuple[str, str]]:
    """Yield names and texts of the prompts in a language."""
    for table in folder.rglob(f"core-sounds-{language}.txt.gz"):
        data = gzip.decompress(table.read_bytes())
        for line in data.decode("utf-8-sig", errors="replace").splitlines():
            name, colon, text = line.partition(":")
            if colon and not name.startswith(";") and text.strip():
                # The Italian file has lost some accented letters: "non pu? essere".
                yield name.strip(), re.sub(r"(?<=\w)\?(?= ?[a-z])", "", text.strip())


def game(folder: Path, language: str) -> Iterator[str]:
    """Yield the dialogues of FreedroidRPG; in English, what was translated into German."""
    english = language == "en"
    for path in sorted(folder.rglob("freedroidrpg-dialogs.mo")):
        if path.parts[-3].partition("_")[0] == ("de" if english else language):
            with path.open("rb") as file:
                catalog = gettext.GNUTranslations(file)._catalog  # type: ignore[attr-defined]
            yield from (text if english else told for text, told in catalog.items() if text)


def stories(folder: Path, language: str) -> Iterator[str]:
    """Yield what is told and said in the campaigns of Wesnoth, as with :func:`game`."""
    english, tag = language == "en", {"en": "de", "pt": "pt_BR"}.get(language, language)
    for path in sorted(folder.rglob("wesnoth-*.mo")):
        if path.parts[-3] == tag and path.stem not in _MANUALS:
            with path.open("rb") as file:
                catalog = gettext.GNUTranslations(file)._catalog  # type: ignore[attr-defined]
            for text, told in catalog.items():
                said = text if english else told
                if isinstance(text, str) and text and said.rstrip()[-1:] in _ENDS:
                    yield said.rpartition("^")[2]


def fish(folder: Path, language: str) -> Iterator[str]:
    """Yield the lines of Fish Fillets."""
    for path in sorted(folder.rglob(f"dialogs_{language}.lua")):
        for found in _SPOKEN_BY.finditer(path.read_text(encoding="utf-8", errors="replace")):
            text = found[2] if language == "en" else found[1]
            yield (text or "").replace("\\n", " ").replace("\\", "")


def talks(folder: Path, language: str) -> Iterator[str]:
    """Yield the questions and answers of the ChatterBot corpus, but for those about code."""
    for path in sorted(folder.rglob(f"chatterbot_corpus/data/{NAMES[language]}/*.yml")):
        if path.stem not in {"coding", "tech_support"}:
            for talk in yaml.safe_load(path.read_text(encoding="utf-8"))["conversations"]:
                yield from map(str, talk)


def turns(folder: Path, language: str) -> Iterator[str]:
    """Yield what somebody says at one go."""
    yield from game(folder, language)
    if language not in PLAIN:
        yield from stories(folder, language)
    yield from fish(folder, language)
    yield from talks(folder, language)
    yield from (text for name, text in asterisk(folder, language) if is_for_choosing(name))


def sentences(turn: str) -> list[str]:
    """Return the sentences of ``turn`` that somebody could say on the phone."""
    found = [sentence.strip() for sentence in _SENTENCE.findall(turn.replace("\n", " "))]
    if _UNSPOKEN.search(turn) or _BROKEN_OFF.search(turn):
        return []
    return [one for one in found if re.search(r"\w", one)]


def examples(texts: Iterable[str], language: str) -> Iterator[Example]:
    """Yield the words at the end of transcripts."""
    talk = [sentences(text) for text in texts]
    elides = language in ELIDING
    whole = {tuple(words_at_end(sentence, elides=elides)) for turn in talk for sentence in turn}
    draw = random.Random(SEED)
    for turn in talk:
        for index, sentence in enumerate(turn):
            before = turn[index - 1] if index and draw.random() < 0.5 else ""
            words = sentence.split()
            for at in range(1, len(words) + 1):
                said = " ".join(words[:at])
                is_whole = at == len(words)
                here = words_at_end(said, elides=elides)
                if not here or (not is_whole and tuple(here) in whole):
                    continue
                yield words_at_end(f"{before} {said}", elides=elides), is_whole


def drawn(found: list[Example]) -> list[Example]:
    """Return all whole ones, and :data:`CUTS` times as many of the others."""
    whole = sum(one[1] for one in found)
    share, draw = CUTS * whole / (len(found) - whole), random.Random(SEED)
    return [one for one in found if one[1] or draw.random() < share]


def fit(found: list[Example], common: frozenset[str]) -> dict[str, float]:
    """Return the weights of the features that come often enough."""
    rows = [list(features(words, common)) for words, _ in found]
    counts = Counter(name for row in rows for name in row)
    alone, penalty = (FEWEST, 4.0) if sum(whole for _, whole in found) >= ENOUGH else (3, 2.0)
    names = sorted(
        name for name, count in counts.items() if count >= (FEWEST if _SEVERAL(name) else alone)
    )
    index = {name: at for at, name in enumerate(names)}
    columns = [[index[name] for name in row if name in index] for row in rows]
    pointers = np.cumsum([0, *map(len, columns)])
    flat = np.fromiter((column for row in columns for column in row), np.int32)
    matrix = sparse.csr_matrix((np.ones(len(flat)), flat, pointers), (len(rows), len(names)))
    whole = np.array([is_whole for _, is_whole in found])
    weight = np.where(whole, 1.0, whole.sum() / (~whole).sum())
    sign = np.where(whole, 1.0, -1.0)

    def loss(weights: Floats) -> tuple[float, Floats]:
        margin = sign * (matrix @ weights)
        value = weight @ np.logaddexp(0, -margin) + penalty / 2 * weights @ weights
        slope = -weight * sign / (1 + np.exp(np.clip(margin, -50, 50)))
        return float(value), matrix.T @ slope + penalty * weights

    solved = optimize.minimize(
        loss, np.zeros(len(names)), jac=True, method="L-BFGS-B", options={"maxiter": 300}
    )
    return dict(zip(names, solved.x.tolist(), strict=True))


def learn(folder: Path, language: str) -> dict[str, object]:
    """Return what the file of a language has in it."""
    found = drawn(list(examples(turns(folder, language), language)))
    counts = Counter(word for words, whole in found if whole for word in words)
    common = frozenset(word for word, _ in counts.most_common(COMMON))
    weights = fit(found, common)
    print(f"{language}: {sum(whole for _, whole in found)} sentences, {len(found)} examples")
    kept = {n: round(100 * w) for n, w in sorted(weights.items()) if abs(w) >= SMALLEST}
    return {
        "about": "Fitted by tests/benchmarks/fit_text_completeness.py, which names the sources.",
        "elides": language in ELIDING,
        "common": " ".join(sorted(common)),
        "hundredths": kept,
    }


def main() -> None:
    """Read the command line, fit, write."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--corpora", type=Path, required=True, help="unpacked packages")
    parser.add_argument("languages", nargs="*", choices=sorted(NAMES), default=sorted(NAMES))
    given = parser.parse_args()
    for language in given.languages:
        text = json.dumps(learn(given.corpora, language), ensure_ascii=False, indent=0)
        (WEIGHTS / f"{language}.json").write_text(text + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
