"""The agent file: who answers the phone, what it says first, and what it knows.

An agent is one Markdown file in ``prompts/``. Between two ``---`` lines stands the front matter,
YAML that :class:`~agent.personas.front_matter.FrontMatter` describes field by field; below it
stands the system prompt. Greeting, goodbye, apology, unsure, facts, answers and the prompt are
Jinja templates.

A mistake in the file is found when it is loaded and never in a call: templates are compiled, the
names in them are checked, and each is rendered once for every day of the week.
"""

from __future__ import annotations

import functools
import re
from pathlib import Path

from agent.personas.declared_tools import DeclaredTools, build
from agent.personas.errors import PersonaError, one_line
from agent.personas.front_matter import FrontMatter, read_front_matter, texts
from agent.personas.script import Details, Script, value_line
from agent.personas.templates import PROMPT, Templates
from pipelines.conversation import Brief, Destination, Question

MAX_BYTES = 256 * 1024
"""An agent file above this is refused; the one that ships has 16 KB."""

NAME = re.compile(r"[A-Za-z0-9_-]{1,64}")
"""What an agent may be called: no dot and no slash, so that no name leads out of the folder."""


class Persona:
    """One agent file, checked and compiled. Immutable; made by :func:`load`."""

    def __init__(
        self,
        front: FrontMatter,
        prompt: str,
        templates: Templates,
        tools: DeclaredTools,
    ) -> None:
        self.tools = tools
        self._front = front
        self._prompt = prompt
        self._templates = templates

    def render(self, details: Details) -> Script:
        """Fill in the variables of one call.

        Raises:
            PersonaError: If a template fails with these details though it did not at load; only
                one that computes with what the caller sent can. Or if a value was given for a
                variable that the file does not have.
        """
        unknown = sorted(details.given.keys() - self._front.variables.keys())
        if unknown:
            known = ", ".join(sorted(self._front.variables)) or "none"
            raise PersonaError(
                f"no variable {value_line(unknown[0])!r} in the file; there are: {known}"
            )
        given = {name: value_line(value) for name, value in details.given.items()}
        variables = {**self._front.variables, **given, **details.variables()}

        def fill(text: str) -> str:
            return self._templates.fill(text, variables)

        front = self._front
        own = (front.greeting, front.apology, *front.fillers, front.still_there, front.time_up)
        own += (front.transfer_failed, front.goodbye)
        return Script(
            lasting=frozenset(fill(one) for one in own if self._templates.lasts(one, given.keys())),
            greeting=fill(front.greeting),
            apology=fill(front.apology),
            fillers=tuple(map(fill, front.fillers)),
            still_there=fill(front.still_there),
            time_up=fill(front.time_up),
            greeting_interruptible=front.greeting_interruptible,
            transfer_failed=fill(front.transfer_failed),
            numbers={target.name: target.to for target in front.transfers},
            tools=self.tools,
            brief=Brief(
                prompt=self._templates.fill_prompt(self._prompt, variables),
                language=front.language,
                pronounce=front.pronounce,
                facts=tuple(map(fill, front.facts)),
                questions=tuple(
                    Question(asked=tuple(each.ask), answer=fill(each.answer))
                    for each in front.questions
                ),
                unsure=tuple(map(fill, front.unsure)),
                goodbye=fill(front.goodbye),
                destinations=tuple(
                    Destination(
                        name=target.name,
                        when=target.when,
                        asked=tuple(target.ask),
                        announcement=fill(target.announcement),
                    )
                    for target in front.transfers
                ),
                may_press_keys=details.outgoing,
            ),
        )

    @property
    def numbers(self) -> tuple[str, ...]:
        """The numbers whose calls it answers, in E.164."""
        return tuple(self._front.numbers)

    @property
    def transfers(self) -> dict[str, str]:
        """Whom callers may be passed on to: number in E.164 or SIP address, by name."""
        return {target.name: target.to for target in self._front.transfers}


def names(folder: Path) -> list[str]:
    """Return the agents in ``folder``, sorted; whether they are well written is not looked at."""
    return sorted(file.stem for file in folder.glob("*.md") if NAME.fullmatch(file.stem))


def load(folder: Path, name: str) -> Persona:
    """Return the agent ``name`` of ``folder`` as the file is now.

    A file that has not changed is not read again, so this may run for every call and on the event
    loop: 30 microseconds then, 10 milliseconds for a changed file of 16 KB (2 vCPU Xeon).

    Raises:
        PersonaError: If there is no such agent or its file has a mistake.
    """
    if not NAME.fullmatch(name):
        raise PersonaError(f"agent {name[:64]!r}: a name is 1 to 64 letters, digits, - or _")
    path = folder / f"{name}.md"
    try:
        stat = path.stat()
        return _read(path, stat.st_mtime_ns, stat.st_size)
    except FileNotFoundError:
        known = ", ".join(names(folder)) or "none"
        raise PersonaError(f"{path}: no such file; agents here: {known}") from None
    except OSError as error:
        raise PersonaError(f"{path}: cannot be read: {error.strerror}") from error


@functools.lru_cache(maxsize=64)
def _read(path: Path, mtime_ns: int, size: int) -> Persona:  # noqa: ARG001 - a key of the cache
    if size > MAX_BYTES:
        raise PersonaError(f"{path}: {size} bytes; at most {MAX_BYTES} are allowed")
    try:
        text = path.read_text("utf-8-sig")
    except UnicodeDecodeError as error:
        raise PersonaError(f"{path}: byte {error.start + 1}: must be UTF-8") from None
    try:
        return parse(text)
    except PersonaError as error:
        raise PersonaError(f"{path}: {error}") from error.__cause__


def parse(text: str) -> Persona:
    """Return the agent that ``text``, the content of an agent file, describes.

    Raises:
        PersonaError: If there is a mistake; one line with its place, without the file.
    """
    opening, *lines = text.split("\n")
    ends = [number for number, line in enumerate(lines) if line.rstrip() == "---"]
    if opening.rstrip() != "---" or not ends:
        raise PersonaError("line 1: begin with front matter between two lines of ---")
    front = read_front_matter("\n".join(lines[: ends[0]]))
    body = lines[ends[0] + 1 :]
    prompt = "\n".join(body).strip()
    if not prompt:
        raise PersonaError(f"line {ends[0] + 3}: write the system prompt below the front matter")
    blank = next(number for number, line in enumerate(body) if line.strip())
    all_texts = [*texts(front), (PROMPT, prompt)]
    templates = Templates(all_texts, front.variables, first_line=ends[0] + 3 + blank)
    try:
        tools = build(front.tools)
    except ValueError as error:
        raise PersonaError(f"tools.{one_line(error)}") from error.__cause__
    return Persona(front, prompt, templates, tools)
