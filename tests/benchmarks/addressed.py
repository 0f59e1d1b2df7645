"""To whom of several it is said: how often that is told right, by kind of turn and by language.

Run ``python -m tests.benchmarks.addressed``: scripted calls of several, written by hand in five
languages (:mod:`tests.parties`). Some were there to choose the rules by; those that are reported
were written afterwards, the rules unchanged since. What came before a turn is as it was meant. All
is told by the rules, as where no language model can tell; which turns are left to one that can is
printed apart. Intervals are Wilson's, of 95 %. ``--choosing`` prints the others; ``--named`` has
the agent answer to its name and to its own questions alone; ``--wrong`` lists what was told wrong;
``--calls`` holds each as a whole call, in virtual time; ``--heard`` takes what a recognizer made of
turns that call somebody by name. ``--set unseen`` takes those whose writer had not seen the rules,
and ``unseen2`` others, of another day; what a listener could not tell there either is of a kind
``unclear``.
"""

from __future__ import annotations

import argparse
from collections import defaultdict
from collections.abc import AsyncGenerator, Sequence
from dataclasses import replace

from agent.personas.party import PartyScript
from agent.personas.script import Script
from agent.settings.calls import CallSettings
from agent.simulator.intervals import of_share
from pipelines.conversation import Brief, Message
from pipelines.providers import scripted
from pipelines.providers.contracts import Piece
from pipelines.turn_taking.addressed import addressed
from pipelines.turn_taking.floor import Addressee, Answers, Verdict
from pipelines.turn_taking.settings import TurnSettings
from tests.agent.conversation import talk, voice
from tests.parties import UNNAMED, PartyCall, Turn, heard_turns, is_right, judged, party_calls

Judged = tuple[Turn, Verdict, str]


def every(which: str, answers: Answers) -> list[Judged]:
    """Return all turns of a folder that can be judged so, with their verdicts and languages."""
    return [
        (turn, verdict, call.language)
        for call in party_calls(which)
        for turn, verdict in judged(call, answers)
        if answers == "asked" or turn.to == "others" or turn.kind not in UNNAMED
    ]


def as_heard(which: str, answers: Answers) -> list[Judged]:
    """Return turns that call somebody, as a recognizer heard them, with their verdicts."""
    return [
        (turn, addressed(turn.text, "en", replace(floor, answers=answers)), "en")
        for turn, floor in heard_turns(which)
    ]


def line(name: str, found: Sequence[Judged]) -> str:
    """Return a line on some turns."""
    right = sum(is_right(turn, verdict) for turn, verdict, _ in found)
    if not found:
        return f"{name:32s}    0/0"
    low, high = of_share(right, len(found)) or (0.0, 1.0)
    share = f"{right / len(found):.1%} [{low:.1%}, {high:.1%}]"
    return f"{name:32s} {right:4d}/{len(found):<4d} {share}"


class _Answers(scripted.LanguageModel):
    """Answers each turn as the script of its call has it."""

    def __init__(self, call: PartyCall) -> None:
        super().__init__(scripted.LanguageModelOptions(lines=("Yes.",)))
        pairs = zip(call.turns, call.turns[1:], strict=False)
        self._replies = {one.text: after.text for one, after in pairs if not after.to}

    async def reply(
        self, brief: Brief, conversation: Sequence[Message]
    ) -> AsyncGenerator[Piece, None]:
        yield self._replies.get(conversation[-1].text, "Yes.")


def held(which: str, answers: Answers) -> None:
    """Hold the calls of a folder, and print what the agent made of each turn, and when it spoke.

    The caller's side is as in the script; between a turn and the next there is time for a reply.
    """
    right = turns = cut_ins = 0
    for call in party_calls(which):
        said = [turn for turn in call.turns if turn.to]
        script = Script(
            greeting=call.turns[0].text if not call.turns[0].to else "Hello.",
            apology="Sorry.",
            brief=Brief(language=call.language, goodbye="Bye."),
            party=PartyScript(
                called=call.called, answers=answers, announces="none", lists_phone=True,
                present={f"p{number}": name for number, name in enumerate(call.others)},
            ),
        )  # fmt: skip
        audio = "." * 60
        for turn in said:
            pause = 60 if turn.to == "agent" else 25
            audio += "+" * max(8, 3 * len(turn.text.split())) + "." * pause
        done = talk(
            audio,
            voice([turn.text for turn in said], llm=_Answers(call)),
            script=script,
            settings=CallSettings(turns=TurnSettings(idle_after=3600.0)),
        )
        to = {line["text"]: line["to"] for line in done.notes.of("caller")}
        right += sum(to.get(turn.text) == turn.to for turn in said)
        turns += len(said)
        others_turns = {o["turn"] for o in done.notes.of("caller") if o["to"] == "others"}
        cut_ins += sum(one["turn"] in others_turns for one in done.notes.of("agent"))
    low, high = of_share(right, turns) or (0.0, 1.0)
    print(f"whole calls: {right}/{turns} {right / turns:.1%} [{low:.1%}, {high:.1%}]")
    print(f"sounds of ours after a turn that was told to be to others: {cut_ins}")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--choosing", action="store_true")
    parser.add_argument("--set", choices=("choosing", "reporting", "unseen", "unseen2", "unseen3"))
    parser.add_argument("--named", action="store_true")
    parser.add_argument("--heard", action="store_true")
    parser.add_argument("--wrong", action="store_true")
    parser.add_argument("--calls", action="store_true")
    options = parser.parse_args()
    which = options.set or ("choosing" if options.choosing else "reporting")
    answers: Answers = "named" if options.named else "asked"
    if options.calls:
        held(which, answers)
        return
    found = as_heard(which, answers) if options.heard else every(which, answers)
    groups: dict[str, list[Judged]] = defaultdict(list)
    for one in found:
        turn, verdict, language = one
        groups[f"to {turn.to}, {turn.kind}"].append(one)
        groups[f"in {language}"].append(one)
        groups[f"all to {turn.to}"].append(one)
    for name in sorted(groups):
        print(line(name, groups[name]))
    print(line("all", found))
    cut_in = sum(v.to is Addressee.AGENT and turn.to == "others" for turn, v, _ in found)
    print(f"answered though it was to others: {cut_in}")
    left = [one for one in found if one[1].may_be_to_others]
    print(line("left to a model that can tell", left))
    ours = sum(turn.to == "agent" for turn, _, _ in left)
    print(f"  of these to the agent: {ours}, to others: {len(left) - ours}")
    print(line("the others", [one for one in found if not one[1].may_be_to_others]))
    for turn, verdict, language in found if options.wrong else ():
        if not is_right(turn, verdict):
            print(f"{language} to {turn.to}, {turn.kind}: {turn.text} ({verdict.by})")


if __name__ == "__main__":
    main()
