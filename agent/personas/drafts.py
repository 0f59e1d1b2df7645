"""What a draft of an agent file would be in a call, found out in a process of its own.

Run as ``python -m agent.personas.drafts``: a JSON object a line on standard input, one a line on
standard output. Templates are somebody's, half written, and parsing them keeps the interpreter's
lock, for which calls would wait: so this process has nothing of a call, is polite about the
processor, and ends itself if a draft takes too long or nobody asks for a while.
"""

from __future__ import annotations

import json
import os
import re
import signal
import sys
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Any

from agent.personas.errors import PersonaError
from agent.personas.front_matter import FrontMatter
from agent.personas.loader import Persona, front_matter_of, parse
from agent.personas.script import Details, Script
from agent.personas.tool_declarations import HttpTool, McpTools, PythonTool
from pipelines.providers.prompt import system_message

CPU_SECONDS = 2.0
"""Of the processor, for one draft: an agent of 256 KB takes 0.6."""

IDLE_SECONDS = 120
"""Without a question, after which the process ends: nobody is writing any more."""

MEMORY_BYTES = 1 << 30
"""Of addresses, beyond what the process has to begin with: a filter may make a text of any size."""

WORDS = 24
"""Of the first sentence of an agent's prompt, or of its greeting, for a list."""

_NOWHERE = Path("-")
_PLACE = re.compile(r"(?:-(?:, |: ))?line (\d+): (.*)", re.DOTALL)


@dataclass(frozen=True, slots=True, kw_only=True)
class DraftMistake:
    """Something that is wrong with a draft."""

    line: int
    """From 1; 0 if it is of no line."""

    text: str


@dataclass(frozen=True, slots=True, kw_only=True)
class OwnSentence:
    """Something that an agent would say of its own."""

    occasion: str
    """Such as ``greeting``, or ``fact 2``."""

    text: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Draft:
    """What a draft is; of one with mistakes, as much as can be told."""

    mistakes: tuple[DraftMistake, ...] = ()
    untrusted: bool = False
    """Whether it names Python functions that it may not name: it is not to be saved, either."""

    language: str = ""
    about: str = ""
    """What it is for, in a few words."""

    tools: tuple[str, ...] = ()
    """Their names, or where they come from. None of their addresses and secrets."""

    numbers: tuple[str, ...] = ()
    variables: Mapping[str, str] = field(default_factory=dict)
    """Its own, with the values that they have unless a call brings others."""

    pronounce: Mapping[str, str] = field(default_factory=dict)
    prompt: str = ""
    """As a language model gets it, filled in; ``""`` if there are mistakes."""

    said: tuple[OwnSentence, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class SampleCall:
    """A call to fill a draft in for. No one value of it is trusted."""

    caller: str = ""
    called: str = ""
    at: str = ""
    """The moment, in ISO 8601; ``""`` is now."""

    outgoing: bool = False
    given: Mapping[str, str] = field(default_factory=dict)
    """Values for its own variables."""

    time_zone: str = ""
    """Of agents that name none; ``""`` is the machine's."""

    def details(self) -> Details:
        """Return it as templates have it.

        Raises:
            ValueError: If its moment is none.
        """
        moment = datetime.fromisoformat(self.at) if self.at else datetime.now()  # noqa: DTZ005
        return Details(
            now=moment.astimezone(),
            caller=self.caller,
            called=self.called,
            call_id="preview",
            outgoing=self.outgoing,
            given=self.given,
        ).by_the_clock_of(self.time_zone)


def looked_at(text: str, call: SampleCall, trusted: frozenset[str] = frozenset()) -> Draft:
    """Return what ``text`` is, and what it would be in ``call``.

    Args:
        text: Of an agent file.
        call: To fill it in for.
        trusted: Python functions that it may name, as ``module:function``; any other is a mistake
            here, and its module is not imported: whoever writes in a browser is not let run any
            code that there is.
    """
    try:
        front = front_matter_of(_NOWHERE, text)
    except PersonaError:
        return Draft(mistakes=_mistakes(_told(text)))
    known = _known(text, front)
    if strange := [one for one in _functions(front) if one not in trusted]:
        why = "{}: Python functions are added in the file itself, on the machine, not here"
        told = (DraftMistake(line=_line(text, one), text=why.format(one)) for one in strange)
        return Draft(mistakes=tuple(told), untrusted=True, **known)
    try:
        persona = parse(text)
        script = persona.render(call.details())
    except PersonaError as error:
        return Draft(mistakes=_mistakes(str(error)), **known)
    except (ValueError, OverflowError):
        wrong = DraftMistake(line=0, text="the time of the sample call is none")
        return Draft(mistakes=(wrong,), **known)
    return Draft(prompt=system_message(script.brief), said=tuple(_said(persona, script)), **known)


def python_functions(text: str) -> frozenset[str]:
    """Return the Python functions that an agent file names; none if it has mistakes."""
    try:
        return frozenset(_functions(front_matter_of(_NOWHERE, text)))
    except PersonaError:
        return frozenset()


def _told(text: str) -> str:
    """Return all that is wrong with a text whose front matter is, its templates included."""
    try:
        parse(text)
    except PersonaError as error:
        return str(error)
    return ""


def _functions(front: FrontMatter) -> Iterator[str]:
    return (one.python for one in front.tools if isinstance(one, PythonTool))


def _known(text: str, front: FrontMatter) -> dict[str, Any]:
    return {
        "language": front.language,
        "about": _about(text, front),
        "tools": tuple(map(_name, front.tools)),
        "numbers": tuple(front.numbers),
        "variables": {name: str(value) for name, value in front.variables.items()},
        "pronounce": front.pronounce,
    }


def _name(tool: HttpTool | PythonTool | McpTools) -> str:
    if isinstance(tool, McpTools):
        return f"{tool.mcp} (MCP)"
    if isinstance(tool, PythonTool) and not tool.name:
        return tool.python.rpartition(":")[2]
    return tool.name or ""


def _about(text: str, front: FrontMatter) -> str:
    """Return the first words of the prompt, without its templates; else of the greeting."""
    below = text.split("\n---", 1)[-1]
    for source in (below, front.greeting):
        plain = re.sub(r"\{[%{#].*?[%}#]\}|[#*_`]", " ", source, flags=re.DOTALL).split()
        if plain:
            whole = next((n for n, word in enumerate(plain, 1) if word[-1] in ".!?。"), len(plain))
            return " ".join(plain[: min(whole, WORDS)]) + (" …" if whole > WORDS else "")
    return ""


def _said(persona: Persona, script: Script) -> Iterator[OwnSentence]:
    brief = script.brief
    several: list[tuple[str, Iterable[str]]] = [
        ("disclosure", [script.disclosure]),
        ("consent", [script.consent.ask, script.consent.refused] if script.consent else []),
        ("opted out", [script.opted_out] if script.opt_out_key else []),
        ("recording consent", [script.recording_consent]),
        ("greeting", [script.greeting]),
        ("screener", [script.screener]),
        ("filler", script.fillers),
        ("still there", [script.still_there]),
        ("unsure", brief.unsure),
        ("apology", [script.apology]),
        ("transfer", [one.announcement for one in brief.destinations]),
        (
            "transfer failed",
            [script.transfer_failed, *script.transfer_failures.values()]
            if persona.transfers
            else [],
        ),
        ("introduction", [one.introduction for one in script.warm.values()]),
        ("returned", [script.returned]),
        ("tool", [tool.filler for tool in script.tools.fixed]),
        ("time up", [script.time_up]),
        ("goodbye", [brief.goodbye]),
        ("answer", [one.answer for one in brief.questions]),
        ("fact", brief.facts),
    ]
    for occasion, texts in several:
        spoken = [text for text in texts if text]
        for number, text in enumerate(spoken, 1):
            name = f"{occasion} {number}" if len(spoken) > 1 else occasion
            yield OwnSentence(occasion=name, text=text)


def _mistakes(told: str) -> tuple[DraftMistake, ...]:
    """Return mistakes of a text that has a line for each."""
    found = []
    for line in told.split("\n"):
        place = _PLACE.fullmatch(line)
        number, text = (int(place[1]), place[2]) if place else (0, line.removeprefix("-: "))
        found.append(DraftMistake(line=number, text=text))
    return tuple(found)


def _line(text: str, words: str) -> int:
    lines = text.split("\n")
    return next((number for number, line in enumerate(lines, 1) if words in line), 0)


def answer(question: Mapping[str, Any]) -> dict[str, Any]:
    """Return the answer to a question of :mod:`agent.console.agents.preview`."""
    text = question["text"]
    trusted = python_functions(question["trusted"])
    return _plain(looked_at(text, SampleCall(**question["call"]), trusted))


def _plain(draft: Draft) -> dict[str, Any]:
    names = (
        "untrusted",
        "language",
        "about",
        "tools",
        "numbers",
        "variables",
        "pronounce",
        "prompt",
    )
    return {name: getattr(draft, name) for name in names} | {
        "mistakes": [{"line": one.line, "text": one.text} for one in draft.mistakes],
        "said": [{"occasion": one.occasion, "text": one.text} for one in draft.said],
    }


def main() -> None:
    """Answer questions until there are no more, or none comes for :data:`IDLE_SECONDS`."""
    answers = os.fdopen(os.dup(1), "w", encoding="utf-8")
    os.dup2(2, 1)  # what a module prints that a draft names is no answer
    _be_modest()
    while True:
        # The default of both signals is the end of the process, whatever it is in.
        signal.setitimer(signal.ITIMER_REAL, IDLE_SECONDS)
        line = sys.stdin.buffer.readline()
        if not line:
            return
        signal.setitimer(signal.ITIMER_PROF, CPU_SECONDS)
        answers.write(json.dumps(answer(json.loads(line))) + "\n")
        answers.flush()
        signal.setitimer(signal.ITIMER_PROF, 0)


def _be_modest() -> None:
    """Have calls go first, and bound the memory."""
    import resource  # noqa: PLC0415 - not on every system, and this process is of this module alone

    os.nice(10)
    used = int(Path("/proc/self/statm").read_text().split()[0]) * resource.getpagesize()
    resource.setrlimit(resource.RLIMIT_AS, (used + MEMORY_BYTES, used + MEMORY_BYTES))


if __name__ == "__main__":
    main()
