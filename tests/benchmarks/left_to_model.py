"""What the rules leave of a line of several: how often a language model tells to whom it was said.

Run ``python -m tests.benchmarks.left_to_model --url http://127.0.0.1:8000/v1 --model NAME``, with
any server that speaks OpenAI's chat completions; ``--options`` has what else stands in
``LLM__OPTIONS``, ``{"temperature": 0}`` for one. The calls are those of
:mod:`tests.benchmarks.addressed` (``--set``). Each turn that the rules leave to a model is asked as
a call would ask: by the same adapter and chain, with the same prompt, tools and remark. What came
before is as it was meant, what was said to others told from what was not. Of the agent file there
is a paragraph: who the agent is, and how it has greeted.

A model that begins to say something has answered; one that asks for ``stay_silent``, or writes that
it is silent, has not. A request that fails, or gives nothing, is never right; too slow for a call
is no failure here. Printed are what it told right, by whom it was to and by language, the same
with what the rules decide, and, to compare, with a model that always answers or never does, and
with none, where the rules take what is likelier: a model that tells less is of no use.
Intervals are Wilson's, of 95 %. ``--wrong`` lists what was told wrong, and what was said then.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import time
from collections.abc import AsyncIterator, Iterable, Iterator, Sequence
from contextlib import aclosing, asynccontextmanager
from dataclasses import dataclass
from typing import Literal

from agent.call.maker import with_tools
from agent.call.party_line import PartyLine
from agent.personas.party import PartyScript
from agent.personas.script import Script
from agent.simulator.intervals import of_share, percentile
from pipelines.conversation import Brief, Message
from pipelines.listening.utterance import Utterance
from pipelines.providers import openai_chat, scripted
from pipelines.providers.contracts import ProviderError
from pipelines.reply.chain import answer
from pipelines.reply.request import ReplyRequest
from pipelines.reply.steps import EndCall, SentenceStarted, StaySilent
from pipelines.stages.budgets import Budgets
from pipelines.stages.lineup import Providers
from pipelines.stages.pool import ProviderPool
from pipelines.stages.usage import DraftCost
from pipelines.tools.tool import CallInfo
from pipelines.tools.toolbox import Toolbox
from pipelines.turn_taking.floor import Answers, Verdict
from tests.agent.conversation import RATE, Notes
from tests.parties import UNNAMED, PartyCall, Turn, is_right, judged, party_calls

SLOWEST = 300.0
"""Seconds for a reply to begin: a model on a small machine is asked, too."""

PROMPT = """\
You are {name}, who answers the phone. You have greeted with: "{greeting}" Help with what people \
call there for. Be brief: your words are spoken. Speak the language that they speak."""

Outcome = Literal["answers", "stays silent", "fails"]


@dataclass(frozen=True, slots=True, kw_only=True)
class JudgedTurn:
    """A turn of a call, what the rules say of it, and what came before."""

    call: PartyCall
    turn: Turn
    verdict: Verdict
    before: tuple[Message, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Told:
    """What a model made of a turn."""

    judged: JudgedTurn
    outcome: Outcome
    seconds: float
    """Until it began to answer, or had said that it stays silent."""

    words: str = ""
    """How its answer begins, or why it failed."""

    @property
    def right(self) -> bool:
        """Whether it did as was meant."""
        wanted = "answers" if self.judged.turn.to == "agent" else "stays silent"
        return self.outcome == wanted


class _AsJudged:
    """A line on which the verdict on what is said is known.

    Args:
        line: Says what the model is told.
        verdict: It.
    """

    def __init__(self, line: PartyLine, verdict: Verdict) -> None:
        self._line = line
        self._verdict = verdict

    def is_for_us(self, text: str) -> bool:
        """Return that it may be."""
        return True

    def brief(self, brief: Brief) -> Brief:
        """Return what the language model is told."""
        return self._line.brief(brief, self._verdict)


def turns_of(call: PartyCall, answers: Answers) -> Iterator[JudgedTurn]:
    """Yield the turns of a call that can be judged so."""
    verdicts = judged(call, answers)
    before: list[Message] = []
    for turn in call.turns:
        if not turn.to:
            before.append(Message("assistant", turn.text))
            continue
        _, verdict = next(verdicts)
        if answers == "asked" or turn.to == "others" or turn.kind not in UNNAMED:
            yield JudgedTurn(call=call, turn=turn, verdict=verdict, before=tuple(before))
        before.append(Message("user", turn.text, to_others=turn.to == "others"))


def script_of(call: PartyCall, answers: Answers) -> Script:
    """Return the agent of a call."""
    greeting = next((turn.text for turn in call.turns if not turn.to), "Hello.")
    prompt = PROMPT.format(name=call.called[0], greeting=greeting)
    return Script(
        greeting=greeting,
        apology="Sorry.",
        brief=Brief(prompt=prompt, language=call.language, goodbye="Bye."),
        party=PartyScript(
            called=call.called, answers=answers, announces="none", lists_phone=True,
            present={f"p{number}": name for number, name in enumerate(call.others)},
        ),
    )  # fmt: skip


def _request(
    one: JudgedTurn, answers: Answers, providers: Providers, released: asyncio.Event
) -> ReplyRequest:
    toolbox = Toolbox(
        (),
        CallInfo(call_id="c"),
        spawn=asyncio.create_task,
        on_kept=lambda _: None,
        on_done=lambda *_: None,
    )
    script = with_tools(script_of(one.call, answers), toolbox)
    return ReplyRequest(
        lineup=providers.lineup(),
        brief=script.brief,
        conversation=one.before,
        rate=RATE,
        line=_AsJudged(PartyLine(script, Notes().add), one.verdict),
        tools=toolbox,
        released=released,
        spent=DraftCost(),
    )


async def ask(one: JudgedTurn, answers: Answers, providers: Providers) -> Told:
    """Ask a model for its reply to a turn, until it begins to sound or is none."""
    released = asyncio.Event()
    released.set()
    began = time.monotonic()

    def told(outcome: Outcome, words: str = "") -> Told:
        return Told(judged=one, outcome=outcome, words=words, seconds=time.monotonic() - began)

    request = _request(one, answers, providers, released)
    try:
        async with aclosing(answer(request, Utterance(text=one.turn.text))) as steps:
            async for step in steps:
                match step:
                    case SentenceStarted(text):
                        return told("answers", text)
                    case EndCall():
                        return told("answers", "(hangs up)")
                    case StaySilent():
                        return told("stays silent")
    except ProviderError as error:
        return told("fails", str(error))
    return told("fails", "no reply")


@asynccontextmanager
async def model_at(
    url: str, model: str, options: dict[str, object] | None = None
) -> AsyncIterator[Providers]:
    """Have the providers of calls whose language model is at a URL."""
    chosen = openai_chat.LanguageModel.Options.model_validate(
        {
            "base_url": url,
            "model": model,
            "first_token_timeout": SLOWEST,
            "gap_timeout": SLOWEST,
            **(options or {}),
        }
    )
    providers = Providers(
        stt=ProviderPool("stt", [("none", scripted.Transcriber(scripted.TranscriberOptions()))]),
        llm=ProviderPool("llm", [("asked", openai_chat.LanguageModel(chosen))]),
        tts=ProviderPool("tts", [("none", scripted.Synthesizer(scripted.SynthesizerOptions()))]),
        budgets=Budgets(first_token=SLOWEST, next_token=SLOWEST),
    )
    await providers.start()
    try:
        yield providers
    finally:
        await providers.aclose()


def share(name: str, right: Iterable[bool]) -> str:
    """Return a line that says how many are right."""
    all_ = list(right)
    low, high = of_share(sum(all_), len(all_)) or (0.0, 1.0)
    part = f"{sum(all_) / len(all_):.0%} [{low:.0%}, {high:.0%}]" if all_ else ""
    return f"{name:44s} {sum(all_):4d}/{len(all_):<4d} {part}"


def report(every: Sequence[JudgedTurn], told: Sequence[Told]) -> Iterator[str]:
    """Yield the lines that say how a model did.

    Args:
        every: All turns, those that the rules decide included.
        told: What became of the others.
    """
    decided = [is_right(o.turn, o.verdict) for o in every if not o.verdict.may_be_to_others]
    yield share("decided by the rules, and right", decided)
    yield share("left to the model, and right", (one.right for one in told))
    for to in ("agent", "others"):
        yield share(f"  to {to}", (o.right for o in told if o.judged.turn.to == to))
    for language in sorted({one.judged.call.language for one in told}):
        yield share(
            f"  in {language}", (o.right for o in told if o.judged.call.language == language)
        )
    yield share("all: rules and model", [*decided, *(one.right for one in told)])
    ours = [one.judged.turn.to == "agent" for one in told]
    yield share("  if it always answered", [*decided, *ours])
    yield share("  if it never did", [*decided, *(not one for one in ours)])
    likelier = [is_right(one.judged.turn, one.judged.verdict) for one in told]
    yield share("  if none were asked: the likelier", [*decided, *likelier])
    yield f"requests that failed: {sum(one.outcome == 'fails' for one in told)}"
    seconds = [one.seconds for one in told] or [0.0]
    middle, late = percentile(seconds, 50), percentile(seconds, 95)
    yield f"seconds until it answered or was silent: median {middle:.2f}, 95 % within {late:.2f}"


async def measure(options: argparse.Namespace) -> None:
    """Ask for each turn of a set, one after the other, and print what became of it."""
    answers: Answers = options.answers
    every = [one for call in party_calls(options.set) for one in turns_of(call, answers)]
    told: list[Told] = []
    async with model_at(options.url, options.model, json.loads(options.options)) as providers:
        for one in every:
            if one.verdict.may_be_to_others:
                told.append(await ask(one, answers, providers))
                if options.wrong and not told[-1].right:
                    print(wrong(told[-1]), flush=True)
    for line in report(every, told):
        print(line)


def wrong(told: Told) -> str:
    """Return lines on a turn that was told wrong."""
    turn = told.judged.turn
    return (
        f"{told.judged.call.language} to {turn.to}, {turn.kind}: {turn.text}\n"
        f"    {told.outcome} {told.words}"
    )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--url", required=True, help="up to and without /chat/completions")
    parser.add_argument("--model", required=True, help="as the server knows it")
    parser.add_argument("--options", default="{}", help="JSON: more, as LLM__OPTIONS has it")
    parser.add_argument(
        "--set", choices=("choosing", "reporting", "unseen", "unseen2"), default="unseen2"
    )
    parser.add_argument("--answers", choices=("asked", "named"), default="asked")
    parser.add_argument("--wrong", action="store_true", help="list what was told wrong")
    asyncio.run(measure(parser.parse_args()))


if __name__ == "__main__":
    main()
