"""How often the lookup stage answers what callers mean, and how long that takes.

Run ``python -m tests.benchmarks.lookup_answers``; ``--show`` prints what went wrong in the half of
the texts that rules may be chosen by. The other half is counted only: see
``tests/benchmarks/lookup/README.md``.
"""

from __future__ import annotations

import argparse
import asyncio
import statistics
import time
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import yaml

from agent.personas import loader
from agent.personas.script import Details
from agent.simulator.intervals import of_share
from pipelines.conversation import Brief, Message
from pipelines.providers.lookup.languages import LANGUAGES
from pipelines.providers.lookup.model import LanguageModel
from tests.benchmarks.halves import is_for_choosing

HERE = Path(__file__).parent / "lookup"
PROMPTS = Path(__file__).parents[2] / "prompts"
TUESDAY = datetime(2026, 11, 24, 16, 0, tzinfo=UTC)

OUTCOMES = ("right", "asked back", "asked back amiss", "unsure", "wrong")
"""``asked back``: with the right question among those offered, which none is of an unanswerable."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Said:
    """What a caller says, and what is meant."""

    agent: str
    kind: str
    """``asked``, ``unanswerable`` or ``follow``."""

    texts: tuple[str, ...]
    """One utterance, or two, the second of which counts."""

    topic: str | None
    """First wording of the question that is meant; None if the agent file has no answer."""

    @property
    def held_out(self) -> bool:
        """Whether it belongs to the half that nothing is chosen by."""
        return not is_for_choosing("\n".join(self.texts))


def load(path: Path) -> list[Said]:
    """Return what callers say to one agent."""
    data: dict[str, Any] = yaml.safe_load(path.read_text(encoding="utf-8"))
    agent = data["agent"]
    rows = [
        Said(agent=agent, kind="asked", texts=(text,), topic=topic)
        for topic, texts in data["asked"].items()
        for text in texts
    ]
    rows += [
        Said(agent=agent, kind="unanswerable", texts=(text,), topic=None)
        for text in data["unanswerable"]
    ]
    rows += [
        Said(agent=agent, kind="follow", texts=(first, then), topic=topic)
        for first, then, topic in data["follow"]
    ]
    return rows


def brief_of(agent: str) -> Brief:
    """Return what an agent knows."""
    folder = HERE if (HERE / f"{agent}.md").exists() else PROMPTS
    return loader.load(folder, agent).render(Details(now=TUESDAY)).brief


async def reply(model: LanguageModel, brief: Brief, conversation: Sequence[Message]) -> str:
    """Return what is said next."""
    pieces = [piece async for piece in model.reply(brief, conversation)]
    return "".join(piece for piece in pieces if isinstance(piece, str)).strip()


async def answered(model: LanguageModel, brief: Brief, said: Said) -> tuple[str, str]:
    """Return the outcome, and the words of the last reply."""
    conversation = [Message("assistant", "Hello.")]
    for text in said.texts:
        conversation.append(Message("user", text))
        conversation.append(Message("assistant", await reply(model, brief, conversation)))
    return outcome(brief, said.topic, conversation[-1].text), conversation[-1].text


def outcome(brief: Brief, topic: str | None, text: str) -> str:
    """Say how it went; to answer anything besides the question that is meant is wrong."""
    say = LANGUAGES[brief.language.partition("-")[0]]
    if topic and text == next(q.answer for q in brief.questions if q.asked[0] == topic):
        return "right"
    if text.startswith((say.this_one, say.which)):
        return "asked back" if topic and topic in text else "asked back amiss"
    answers = [question.answer for question in brief.questions] + [*brief.facts]
    return "wrong" if any(each in text for each in answers) else "unsure"


def share(held: int, of: int) -> str:
    """Return a share with the interval that so few texts leave."""
    low, high = of_share(held, of) or (0.0, 1.0)
    return f"{held:3d} of {of:3d} = {held / max(of, 1):4.0%} ({low:3.0%} to {high:4.0%})"


def report(title: str, rows: Sequence[tuple[Said, str]]) -> None:
    """Print the outcomes of some texts."""
    for kind in ("asked", "unanswerable", "follow"):
        found = Counter(outcome for said, outcome in rows if said.kind == kind)
        if total := found.total():
            counts = "  ".join(f"{each} {found[each]}" for each in OUTCOMES)
            print(f"  {title:22s} {kind:13s} n={total:3d}  {counts}")


def summary(title: str, rows: Sequence[tuple[Said, str]]) -> None:
    """Print what the reach is stated in: right of what can be answered, wrong of everything."""
    asked = [outcome for said, outcome in rows if said.kind == "asked"]
    single = [outcome for said, outcome in rows if said.kind != "follow"]
    follow = [outcome for said, outcome in rows if said.kind == "follow"]
    print(f"  {title:22s} right {share(asked.count('right'), len(asked))}")
    near = asked.count("right") + asked.count("asked back")
    print(f"  {'':22s}   or asked back {share(near, len(asked))}")
    print(f"  {'':22s} wrong {share(single.count('wrong'), len(single))}")
    print(f"  {'':22s} follow-ups right {share(follow.count('right'), len(follow))}")


async def cost(briefs: Sequence[Brief], texts: Sequence[str]) -> None:
    """Print what one reply of an agent with a hundred topics takes of a processor's time."""
    topics = tuple(question for brief in briefs for question in brief.questions)
    brief = replace(briefs[0], questions=topics)
    model = LanguageModel(LanguageModel.Options())
    for what, said in (
        ("as said", texts),
        ("ten times as long", [" ".join([t] * 10) for t in texts]),
    ):
        taken = []
        for text in said:
            conversation = [Message("user", text)]
            await reply(model, brief, conversation)  # the index is made once
            began = time.thread_time()
            await reply(model, brief, conversation)
            taken.append(1000 * (time.thread_time() - began))
        p95 = statistics.quantiles(taken, n=20)[-1]
        p50, count = statistics.median(taken), len(topics) + len(brief.facts)
        print(f"one reply of {count} topics, {what}:", end=" ")
        print(f"p50 {p50:.2f} ms, p95 {p95:.2f} ms (n={len(taken)})")


async def measure(model: LanguageModel, *, show: bool) -> list[tuple[Said, str]]:
    """Return the outcome of each text whose language is spoken, those of a table one by one.

    Args:
        model: Who answers.
        show: Print what went wrong, in the half for choosing only.
    """
    rows: list[tuple[Said, str]] = []
    for path in sorted(HERE.glob("*.yaml")):
        texts = load(path)
        brief = brief_of(texts[0].agent)
        if brief.language not in LANGUAGES:
            print(f"{texts[0].agent}: lookup does not speak {brief.language}")
            continue
        for said in texts:
            found, words = await answered(model, brief, said)
            rows.append((said, found))
            well = found == "right" or (said.topic is None and found == "unsure")
            if show and not well and not said.held_out:
                print(f"  {said.agent} {found}: {' / '.join(said.texts)!r}", end=" ")
                print(f"({said.topic}) -> {words!r}")
    return rows


async def main() -> None:
    """Read the command line, ask, print."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0] if __doc__ else None)
    parser.add_argument("--show", action="store_true", help="print failures of the first half")
    rows = await measure(LanguageModel(LanguageModel.Options()), show=parser.parse_args().show)
    languages = {said.agent: brief_of(said.agent).language for said, _ in rows}
    for held_out, half in ((False, "for choosing"), (True, "held out")):
        print(f"{half}:")
        part = [(said, found) for said, found in rows if said.held_out == held_out]
        for agent in languages:
            report(agent, [row for row in part if row[0].agent == agent])
        for language in sorted(set(languages.values())):
            of_it = [row for row in part if languages[row[0].agent] == language]
            summary(f"all in {language}", of_it)
    english = [agent for agent, language in languages.items() if language == "en"]
    texts = [said.texts[0] for said, _ in rows if said.agent in english]
    await cost([brief_of(agent) for agent in english], texts)


if __name__ == "__main__":
    asyncio.run(main())
