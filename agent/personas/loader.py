"""The agent file: who answers the phone, what it says first, and what it knows.

An agent is one Markdown file in ``prompts/``. Between two ``---`` lines stands the front matter,
YAML that :class:`~agent.personas.front_matter.FrontMatter` describes field by field; below it
stands the system prompt. Greeting, goodbye, apology, unsure, facts, answers and the prompt are
Jinja templates.

A mistake in the file is found when it is loaded and never in a call: templates are compiled, the
names in them are checked, and each is rendered once for every day of the week.
"""

from __future__ import annotations

import hashlib
import os
import re
import time
from collections.abc import Callable, Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import get_args

from agent.personas import yaml_text
from agent.personas.afterwards import read_extract
from agent.personas.consents import consent_in, question_of
from agent.personas.declared_tools import DeclaredTools, build
from agent.personas.disclosures import GREETING, Disclosure, disclosure_in, filled, told_alone
from agent.personas.errors import PersonaError, in_file, in_order
from agent.personas.front_matter import FrontMatter, own_variables, read_front_matter, texts
from agent.personas.party import party_script
from agent.personas.party_targets import script_party
from agent.personas.script import Afterwards, Details, Script, value_line
from agent.personas.templates import PROMPT, Templates
from agent.personas.transfer_targets import FAILURES, warm_transfer
from agent.text_files import UnreadableTextError, decode, open_file
from agent.warm_transfers import NotReached
from pipelines.conversation import Brief, Destination, ExpectedAnswer, Question
from pipelines.providers.lookup.no_more_calls import CONFIRMED
from pipelines.turn_taking.words_by_language import words_in

MAX_BYTES = 256 * 1024
"""An agent file above this is refused; the one that ships has 16 KB."""

TRIES = 10
"""Times that a file is read which is being written, :data:`SETTLED` seconds apart."""

SETTLED = 0.02
"""Seconds since the last write after which a file has the time of that write and no other: Linux
counts in steps of up to 10 ms, and sets the time before the bytes."""

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
        version: str,
    ) -> None:
        self.tools = tools
        self.version = version
        """Of its text: :func:`version_of`."""

        self._front = front
        self._prompt = prompt
        self._templates = templates
        extract = None if front.extract is None else read_extract(front.extract)[0]
        self.afterwards = Afterwards(summary=front.summary, extract=extract)
        """What is to be made of each call."""

    def render(self, details: Details) -> Script:
        """Fill in the variables of one call.

        Raises:
            PersonaError: If a template fails with these details though it did not at load; only
                one that computes with what the caller sent can. Or if a value was given for a
                variable that the file does not have.
        """
        self._refuse_unknown(details)
        front = self._front
        given = {name: value_line(value) for name, value in details.given.items()}
        of_the_call = self._templates.variables(details)
        variables = {"why": "", "summary": "", **front.variables, **given, **of_the_call}

        def fill(text: str, **more: str) -> str:
            return self._templates.fill(text, {**variables, **more} if more else variables)

        several = (front.disclosure, question_of(front.consent))
        discloses, ask = (disclosure_in(one, details.country) for one in several)
        disclosure = "" if discloses == GREETING else discloses
        alone = filled(front.disclosure, fill)
        told = partial(told_alone, alone, language=front.language)
        own = (disclosure, ask, *_own_texts(front))
        failures, lasts = self._failures(), partial(self._templates.lasts, given=given.keys())
        failed = {why: fill(text, why=why) for why, text in failures.items()}
        return Script(
            lasting=frozenset(fill(one) for one in own if lasts(one))
            | {failed[why] for why, text in failures.items() if lasts(text)},
            greeting=fill(front.greeting),
            record=front.record,
            recording_consent=fill(front.recording_consent),
            disclosure=fill(disclosure),
            discloses_alone=alone,
            screener=fill(front.screener),
            greeting_discloses=discloses == GREETING,
            consent=consent_in(front.consent, ask, fill, front.transfers, front.goodbye),
            opt_out_key=front.opt_out_key,
            opted_out=fill(self._opted_out()),
            apology=fill(front.apology),
            fillers=tuple(map(fill, front.fillers)),
            still_there=fill(front.still_there),
            time_up=fill(front.time_up),
            greeting_interruptible=front.greeting_interruptible,
            outgoing=details.outgoing,
            keys_are_secret=front.keys_are_secret,
            transfer_failed=fill(front.transfer_failed),
            transfer_failures=failed,
            returned=fill(front.returned),
            numbers={target.name: target.to for target in front.transfers},
            warm={x.name: warm_transfer(x, fill, told(x.to)) for x in front.transfers if x.warm},
            parties=tuple(script_party(one, told(one.to)) for one in front.parties),
            tools=self.tools,
            version=self.version,
            afterwards=self.afterwards,
            party=party_script(front.party, front.language, details.party, fill),
            brief=self._brief(fill, variables, may_press_keys=details.outgoing),
        )

    def _opted_out(self) -> str:
        """Return the template of what is said to whoever wants no more calls."""
        front = self._front
        primary = front.language.partition("-")[0].lower()
        if primary == "en" or "opted_out" in front.model_fields_set:
            return front.opted_out
        return CONFIRMED.get(primary, front.opted_out)  # without a key, phrases are understood

    def _failures(self) -> dict[NotReached, str]:
        """Return the templates of what is said when a transfer fails, by why, if that matters."""
        front = self._front
        usual: dict[NotReached, str] = {}
        if (
            any(one.warm for one in front.transfers)
            and "transfer_failed" not in front.model_fields_set
        ):
            usual = dict(FAILURES)
        if self._templates.uses(front.transfer_failed, "why"):
            usual = dict.fromkeys(get_args(NotReached), front.transfer_failed)
        return {**usual, **front.transfer_failures}

    def _brief(
        self,
        fill: Callable[[str], str],
        variables: Mapping[str, object],
        *,
        may_press_keys: bool,
    ) -> Brief:
        front = self._front
        return Brief(
            prompt=self._templates.fill_prompt(self._prompt, variables),
            language=front.language,
            pronounce=front.pronounce,
            facts=tuple(map(fill, front.facts)),
            questions=tuple(
                Question(asked=tuple(each.ask), answer=fill(each.answer))
                for each in front.questions
            ),
            unsure=tuple(map(fill, front.unsure)),
            expects=tuple(
                ExpectedAnswer(when=each.when, digits=tuple(each.digits), spelled=each.spelled)
                for each in front.expects
            ),
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
            may_press_keys=may_press_keys,
        )

    def _refuse_unknown(self, details: Details) -> None:
        unknown = sorted(details.given.keys() - self._front.variables.keys())
        if unknown:
            known = ", ".join(sorted(self._front.variables)) or "none"
            raise PersonaError(
                f"no variable {value_line(unknown[0])!r} in the file; there are: {known}"
            )

    @property
    def language(self) -> str:
        """What it speaks, a BCP 47 tag."""
        return self._front.language

    @property
    def greeting(self) -> str:
        """What it says first: a template."""
        return self._front.greeting

    @property
    def disclosure(self) -> Disclosure:
        """That a machine talks, as the file has it: templates."""
        return self._front.disclosure

    @property
    def screener(self) -> str:
        """What a call screener is told: a template; ``""`` for nothing."""
        return self._front.screener

    @property
    def numbers(self) -> tuple[str, ...]:
        """The numbers whose calls it answers, in E.164."""
        return tuple(self._front.numbers)

    @property
    def transfers(self) -> dict[str, str]:
        """Whom callers may be passed on to: number in E.164 or SIP address, by name."""
        return {target.name: target.to for target in self._front.transfers}

    @property
    def parties(self) -> dict[str, str]:
        """Whom it may add to its line: number in E.164 or address, by name."""
        return {target.name: target.to for target in self._front.parties}


def _own_texts(front: FrontMatter) -> tuple[str, ...]:
    """Return what an agent says of its own in any call: templates, without its disclosure."""
    own = (front.greeting, front.apology, *front.fillers, front.still_there, front.time_up)
    own += (front.transfer_failed, front.goodbye, front.recording_consent, front.opted_out)
    return (*own, front.returned, *(one.introduction for one in front.transfers))


def load(folder: Path, name: str) -> Persona:
    """Return the agent ``name`` of ``folder`` as the file is now. Reads it: not for the event loop.

    Raises:
        PersonaError: If there is no such agent or its file has a mistake.
    """
    path = path_of(folder, name)
    try:
        _, text = read(path)
    except FileNotFoundError:
        known = (file.stem for file in folder.glob("*.md") if NAME.fullmatch(file.stem))
        raise PersonaError(missing(path, sorted(known))) from None
    except OSError as error:
        raise PersonaError(f"{path}: cannot be read: {error.strerror}") from error
    return parse_file(path, text)


def version_of(text: str) -> str:
    """Return what tells one version of an agent file from another: 12 hexadecimal digits.

    They are the first of the SHA-256 of its text in UTF-8, as ``sha256sum`` has it of a file in
    UTF-8 with the line ends of Unix.
    """
    return hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()[:12]


def path_of(folder: Path, name: str) -> Path:
    """Return the path of an agent's file, whether it is there or not.

    Raises:
        PersonaError: If that is no name.
    """
    if not NAME.fullmatch(name):
        raise PersonaError(f"agent {name[:64]!r}: a name is 1 to 64 letters, digits, - or _")
    return folder / f"{name}.md"


def missing(path: Path, known: Sequence[str]) -> str:
    """Say that there is no such agent, and which there are."""
    return f"{path}: no such file; agents here: {', '.join(known) or 'none'}"


Stamp = tuple[int, int, int, int]
"""What changes when a file does: when it was written, when its entry was, its size, its inode."""


def stamp_of(status: os.stat_result) -> Stamp:
    """Return the stamp of a file."""
    return (status.st_mtime_ns, status.st_ctime_ns, status.st_size, status.st_ino)


def read(path: Path) -> tuple[Stamp, str]:
    """Return the text of an agent file, whole, and its stamp. Waits for a write to be over.

    Raises:
        FileNotFoundError: If there is none.
        OSError: If it cannot be read.
        PersonaError: If it is no file, too large, no text, or does not stand still.
    """
    try:
        return _read(path)
    except UnreadableTextError as error:
        raise PersonaError(f"{path}: {error}") from None


def _read(path: Path) -> tuple[Stamp, str]:
    for _ in range(TRIES):
        with open_file(path) as file:
            before = os.fstat(file.fileno())
            if before.st_size > MAX_BYTES:
                message = f"{before.st_size} bytes; at most {MAX_BYTES} are allowed"
                raise UnreadableTextError(message)
            content = file.read(MAX_BYTES + 1)
            after = os.fstat(file.fileno())
        settled = abs(time.time_ns() - after.st_mtime_ns) >= SETTLED * 1e9
        if settled and stamp_of(before) == stamp_of(after) and len(content) == after.st_size:
            return stamp_of(after), decode(content)
        time.sleep(SETTLED)
    raise UnreadableTextError("is being written")


def parse_file(path: Path, text: str) -> Persona:
    """Return the agent that ``text``, the content of ``path``, describes.

    Raises:
        PersonaError: If there are mistakes; a line for each, with file and place.
    """
    try:
        return parse(text)
    except PersonaError as error:
        raise in_file(path, error) from error.__cause__


def front_matter_of(path: Path, text: str) -> FrontMatter:
    """Return the front matter of ``text``, the content of ``path``; its templates are not tried.

    Raises:
        PersonaError: As :func:`parse_file`.
    """
    try:
        document = yaml_text.read(_halves(text)[0], 2)
        front = read_front_matter(document)
        if front is None:
            raise in_order(document.mistakes)
    except PersonaError as error:
        raise in_file(path, error) from error.__cause__
    return front


def _halves(text: str) -> tuple[str, list[str], int]:
    """Return the front matter, the lines below it, and the number of the first of those."""
    opening, *lines = text.split("\n")
    if opening.rstrip() != "---":
        raise PersonaError("line 1: begin with front matter between two lines of ---")
    end = next((number for number, line in enumerate(lines) if line.rstrip() == "---"), None)
    if end is None:
        raise PersonaError("line 1: begin with front matter between two lines of ---; one is there")
    return "\n".join(lines[:end]), lines[end + 1 :], end + 3


def parse(text: str) -> Persona:
    """Return the agent that ``text``, the content of an agent file, describes.

    Raises:
        PersonaError: If there are mistakes; a line for each with its place, without the file.
    """
    head, body, first_line = _halves(text)
    document = yaml_text.read(head, 2)
    front = read_front_matter(document)
    mistakes = list(document.mistakes)
    prompt = "\n".join(body).strip()
    if not prompt:
        mistakes.append(f"line {first_line}: write the system prompt below the front matter")
    blank = next((number for number, line in enumerate(body) if line.strip()), 0)
    templates = Templates(
        [*texts(document.fields), *([(PROMPT, prompt)] if prompt else [])],
        own_variables(document),
        {**document.texts, PROMPT: first_line + blank},
        language=front.language if front else "en",
        time_zone=front.time_zone if front else "",
    )
    mistakes += templates.mistakes
    tools = DeclaredTools()
    cause: BaseException | None = None
    if front is not None:
        try:
            tools = build(front.tools)
        except ValueError as error:
            cause = error.__cause__
            for line in str(error).split("\n"):
                document.tell("tools." + line.partition(": ")[0], line.partition(": ")[2])
            mistakes += document.mistakes
    if front is None or mistakes:
        raise in_order(mistakes) from cause
    words_in(front.language)  # read now: later, it would be in the middle of a call
    return Persona(front, prompt, templates, tools, version_of(text))
