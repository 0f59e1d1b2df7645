"""The agent file: who answers the phone, what it says first, and what it knows.

An agent is one Markdown file in ``prompts/``. Between two ``---`` lines stands the front matter,
YAML that :class:`Persona` describes field by field; below it stands the system prompt. Greeting,
goodbye, apology, unsure, facts, answers and the prompt are Jinja templates.

A mistake in the file is found when it is loaded and never in a call: templates are compiled, the
names in them are checked, and each is rendered once for every day of the week.
"""

from __future__ import annotations

import functools
import re
from collections.abc import Hashable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from pathlib import Path
from typing import Annotated, Any, Self

import yaml
from jinja2 import StrictUndefined, Template, TemplateError, TemplateSyntaxError, meta
from jinja2.sandbox import SandboxedEnvironment
from pydantic import (
    AfterValidator,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    StringConstraints,
    ValidationError,
    field_validator,
    model_validator,
)

from agent.personas.tool_declarations import Declaration, DeclaredTools, build, read
from agent.phone_numbers import address, number
from pipelines.conversation import Brief, Destination, Question
from pipelines.text.sentences import cut
from pipelines.text.speakable import speakable

MAX_BYTES = 256 * 1024
"""An agent file above this is refused; the one that ships has 16 KB."""

MAX_VALUE = 200
"""Characters kept of a value that comes with a call; a number in full is 16 (E.164)."""

NAME = re.compile(r"[A-Za-z0-9_-]{1,64}")
"""What an agent may be called: no dot and no slash, so that no name leads out of the folder."""


class PersonaError(Exception):
    """The agent file cannot be used. The message is one line: file, place, what is allowed."""


def _line(text: str) -> str:
    return "".join(c for c in text[:MAX_VALUE] if c.isprintable())


class _Headers(dict[str, str]):
    """Call headers for a template: one that did not come with the call is ``""``."""

    def __missing__(self, key: str) -> str:
        return ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Details:
    """What a call brings to its templates. Texts are data there, whatever stands in them."""

    now: datetime
    """Local time of the agent; gives ``date``, ``time`` and ``weekday``."""

    caller: str = ""
    """Who calls: a number, or ``""`` if withheld."""

    called: str = ""
    """The number that was called."""

    call_id: str = ""

    headers: Mapping[str, str] = field(default_factory=dict)
    """Call headers; names as the platform gave them."""

    outgoing: bool = False
    """Whether we dialled."""

    given: Mapping[str, str] = field(default_factory=dict)
    """Values for the file's own variables, from whoever dialled."""

    def variables(self) -> dict[str, object]:
        """Return the Jinja variables of this call: single lines of at most MAX_VALUE characters."""
        return {
            "caller": _line(self.caller),
            "called": _line(self.called),
            "call_id": _line(self.call_id),
            "date": f"{self.now:%B} {self.now.day}, {self.now.year}",
            "time": f"{self.now:%H:%M}",
            "weekday": f"{self.now:%A}",
            "headers": _Headers({_line(k): _line(v) for k, v in self.headers.items()}),
            "outgoing": self.outgoing,
        }


_SAMPLE = Details(now=datetime(2026, 1, 5, 9, 30))  # noqa: DTZ001 - wall time, of no one place
_CALL_NAMES = frozenset(_SAMPLE.variables())


def _scalar(value: object) -> object:
    if isinstance(value, str | int | float):
        return value
    message = "take a text, a number, true or false"
    raise ValueError(message)


def _one_or_more(value: object) -> object:
    return [value] if isinstance(value, str) else value


_Text = Annotated[str, StringConstraints(strip_whitespace=True, min_length=1)]
_Scalar = Annotated[Any, AfterValidator(_scalar)]


class _Strict(BaseModel):
    # Strict: YAML's bare `yes` and `7:30` are not the texts that their author meant.
    model_config = ConfigDict(frozen=True, extra="forbid", strict=True)


class FrequentQuestion(_Strict):
    """A question that callers ask, and its answer."""

    ask: Annotated[list[_Text], BeforeValidator(_one_or_more)] = Field(
        min_length=1, max_length=50, description="ways of asking it, as callers say it, best first"
    )
    answer: _Text = Field(description="template; what to say")


class TransferTarget(_Strict):
    """Somebody whom callers can be passed on to."""

    name: Annotated[str, StringConstraints(pattern=r"^[a-z0-9][a-z0-9_-]{0,39}$")] = Field(
        description="what the language model calls it: lower-case letters, digits, _ and -"
    )
    to: _Text = Field(description="number in E.164, such as +15551234567, or SIP address")
    when: _Text = Field(
        default="the caller asks for it", description="when to, for a language model"
    )
    ask: Annotated[list[_Text], BeforeValidator(_one_or_more)] = Field(
        default=[], max_length=50, description="ways of asking for it, for the lookup stage"
    )
    announcement: _Text = Field(
        default="I'm connecting you now. One moment, please.",
        description="template; said before, by the lookup stage",
    )

    @field_validator("to")
    @classmethod
    def _can_be_dialled(cls, to: str) -> str:
        return address(to)


class FrontMatter(_Strict):
    """What stands between the two ``---`` lines."""

    greeting: _Text = Field(description="template; what the agent says first")
    language: str = Field(
        default="en", pattern=r"^[a-z]{2,3}(-[A-Za-z0-9]{2,8})*$", description="BCP 47 tag"
    )
    goodbye: _Text = Field(
        default="Thank you for calling. Goodbye.",
        description="template; said before hanging up",
    )
    apology: _Text = Field(
        default="Sorry, I lost my train of thought. Could you say that again?",
        description="template; said in place of a reply when a provider failed",
    )
    greeting_interruptible: bool = Field(
        default=True,
        description="false for a legal notice: what the caller says over it waits until it is said",
    )
    fillers: list[_Text] = Field(
        default=["One moment, please.", "I'm still looking into it.", "Thank you for waiting."],
        min_length=1,
        max_length=20,
        description="templates; said in turn when an answer is late; a sentence each",
    )
    still_there: _Text = Field(
        default="Are you still there?", description="template; said when the caller is silent"
    )
    time_up: _Text = Field(
        default="I'm sorry, we only have half a minute left.",
        description="template; said before the call reaches its maximum length",
    )
    pronounce: dict[_Text, _Text] = Field(
        default={},
        max_length=500,
        description="words that a voice reads wrongly, and how to write them so that it does not",
    )
    unsure: list[_Text] = Field(
        default=["I'm sorry, I don't know that.", "I'm afraid I don't have an answer to that."],
        min_length=1,
        max_length=20,
        description="templates; said in turn when the answer is not known",
    )
    facts: list[_Text] = Field(
        default=[], max_length=500, description="templates; true sentences, each speakable alone"
    )
    questions: list[FrequentQuestion] = Field(default=[], max_length=500)
    numbers: list[_Text] = Field(
        default=[], max_length=500, description="numbers in E.164 whose calls this agent answers"
    )
    transfers: list[TransferTarget] = Field(
        default=[], max_length=50, description="whom callers can be passed on to"
    )
    tools: Annotated[list[Declaration], BeforeValidator(read)] = Field(
        default=[],
        description="what the language model may have done: HTTP endpoints, Python "
        "functions, tools of MCP servers",
    )
    transfer_failed: _Text = Field(
        default="I'm sorry, nobody is available there right now. Can I help with anything else?",
        description="template; said when a transfer fails",
    )
    variables: dict[str, _Scalar] = Field(
        default={}, description="Jinja variables of this file; a name and a text or number each"
    )

    @field_validator("numbers")
    @classmethod
    def _are_numbers(cls, numbers: list[str]) -> list[str]:
        return [number(one) for one in numbers]

    @field_validator("transfers")
    @classmethod
    def _have_names_of_their_own(cls, transfers: list[TransferTarget]) -> list[TransferTarget]:
        if len({one.name for one in transfers}) < len(transfers):
            message = "two have the same name"
            raise ValueError(message)
        return transfers

    @model_validator(mode="after")
    def _defaults_are_english(self) -> Self:
        for name in ("goodbye", "apology", "fillers", "still_there", "time_up", "unsure"):
            if not self.language.startswith("en") and name not in self.model_fields_set:
                message = f"'{name}' is needed, since language is {self.language!r}"
                raise ValueError(message)
        if self.transfers and not self.language.startswith("en"):
            spoken = {"announcement"} <= set.intersection(
                *(one.model_fields_set for one in self.transfers)
            )
            if not spoken or "transfer_failed" not in self.model_fields_set:
                message = (
                    "'transfer_failed', and an 'announcement' for each of 'transfers', are needed, "
                    f"since language is {self.language!r}"
                )
                raise ValueError(message)
        return self

    @model_validator(mode="after")
    def _names_are_free(self) -> Self:
        for name in self.variables:
            if name in _CALL_NAMES or not re.fullmatch(r"[A-Za-z_][A-Za-z0-9_]*", name):
                message = (
                    f"'variables.{name}': take letters, digits and _, and none of "
                    + ", ".join(sorted(_CALL_NAMES))
                )
                raise ValueError(message)
        return self


@dataclass(frozen=True, slots=True, kw_only=True)
class Script:
    """An agent file with its variables filled in: all of it that one call needs."""

    greeting: str
    apology: str
    fillers: tuple[str, ...] = ("One moment, please.",)
    still_there: str = "Are you still there?"
    time_up: str = "I'm sorry, our time is almost up."
    transfer_failed: str = "I'm sorry, nobody is available there right now."
    greeting_interruptible: bool = True
    numbers: Mapping[str, str] = field(default_factory=dict)
    """Whom callers can be passed on to: name and number or SIP address."""

    hang_up_after_greeting: bool = False
    """Whether the greeting is a message for an answering machine."""

    tools: DeclaredTools = field(default_factory=DeclaredTools)
    brief: Brief

    @property
    def own_sentences(self) -> tuple[str, ...]:
        """What the agent says of itself, as a voice reads it; first what is needed first."""
        brief = self.brief
        texts = [self.greeting, *self.fillers, self.apology, brief.goodbye]
        if self.numbers:
            texts.append(self.transfer_failed)
        sentences = [
            sentence for text in (*texts, self.still_there, self.time_up) for sentence in cut(text)
        ]
        sentences += [tool.filler for tool in self.tools.fixed if tool.filler]
        return tuple(speakable(one, brief.language, brief.pronounce) for one in sentences)


class Persona:
    """One agent file, checked and compiled. Immutable; made by :func:`load`."""

    def __init__(
        self,
        front: FrontMatter,
        prompt: str,
        templates: Mapping[str, Template],
        tools: DeclaredTools,
    ) -> None:
        self.tools = tools
        self._front = front
        self._prompt = prompt
        self._templates = templates  # by their source; a text without a brace is not in it

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
            raise PersonaError(f"no variable {_line(unknown[0])!r} in the file; there are: {known}")
        given = {name: _line(value) for name, value in details.given.items()}
        variables = {**self._front.variables, **given, **details.variables()}

        def fill(text: str) -> str:
            template = self._templates.get(text)
            return " ".join(_render(template, variables).split()) if template else text

        front = self._front
        prompt = self._templates.get(self._prompt)
        return Script(
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
                prompt=_render(prompt, variables).strip() if prompt else self._prompt,
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
    front = _front_matter("\n".join(lines[: ends[0]]))
    body = lines[ends[0] + 1 :]
    prompt = "\n".join(body).strip()
    if not prompt:
        raise PersonaError(f"line {ends[0] + 3}: write the system prompt below the front matter")
    blank = next(number for number, line in enumerate(body) if line.strip())
    texts = [*_texts(front), ("prompt", prompt)]
    templates = {
        source: _compile(source, place, front, first_line=ends[0] + 3 + blank)
        for place, source in texts
        if "{" in source
    }
    _try_out(texts, templates, front)
    try:
        tools = build(front.tools)
    except ValueError as error:
        raise PersonaError(f"tools.{_one_line(error)}") from error.__cause__
    return Persona(front, prompt, templates, tools)


class _Loader(yaml.CSafeLoader):
    """YAML in which a field stands once: PyYAML would keep the last one without a word."""

    def construct_mapping(self, node: yaml.MappingNode, deep: bool = False) -> dict[Hashable, Any]:  # noqa: FBT001, FBT002 - PyYAML's signature
        seen = set()
        for key, _ in node.value:
            if isinstance(key, yaml.ScalarNode) and key.value in seen:
                raise yaml.constructor.ConstructorError(
                    problem=f"{key.value!r} stands twice", problem_mark=key.start_mark
                )
            seen.add(key.value if isinstance(key, yaml.ScalarNode) else key)
        return super().construct_mapping(node, deep)


def _check_depth(text: str) -> None:
    """Refuse deep nesting: libyaml's composer, ten times faster than PyYAML's, dies of it."""
    depth = 0
    for event in yaml.parse(text, yaml.CSafeLoader):
        depth += isinstance(event, yaml.CollectionStartEvent)
        depth -= isinstance(event, yaml.CollectionEndEvent)
        if depth > 20:
            raise PersonaError("front matter: nested too deep")


def _front_matter(text: str) -> FrontMatter:
    try:
        _check_depth(text)
        fields = yaml.load(text, _Loader)  # noqa: S506 - a safe loader
    except yaml.MarkedYAMLError as error:
        line = error.problem_mark.line + 2 if error.problem_mark else 1
        raise PersonaError(f"line {line}: not YAML: {_one_line(error.problem)}") from None
    except (yaml.YAMLError, ValueError, RecursionError) as error:
        # ValueError: an impossible date, a number of thousands of digits
        raise PersonaError(f"front matter: not YAML: {_one_line(error)}") from None
    if not isinstance(fields, dict):
        raise PersonaError("line 2: write the front matter as `field: value`, a field a line")
    try:
        return FrontMatter.model_validate(fields)
    except ValidationError as error:
        raise PersonaError(_first_mistake(error)) from None


_NESTED: Mapping[str, type[BaseModel]] = {
    "questions": FrequentQuestion,
    "transfers": TransferTarget,
}


def _first_mistake(error: ValidationError) -> str:
    """Say where the first mistake is, items counted from 1, and what is allowed there."""
    # An unknown field before a missing one: it is the missing one, misspelt.
    first = min(
        error.errors(include_url=False),
        key=lambda argument_error: argument_error["type"] != "extra_forbidden",
    )
    where = first["loc"][:1] if "[key]" in first["loc"] else first["loc"]
    place = ".".join(str(part + 1 if isinstance(part, int) else part) for part in where)
    match first["type"]:
        case "missing":
            allowed = "is required"
        case "extra_forbidden":
            model = FrontMatter if len(where) == 1 else _NESTED[str(where[0])]
            allowed = "unknown field; there are " + ", ".join(model.model_fields)
        case "string_type":
            allowed = "must be a text; put it in quotes"
        case "string_pattern_mismatch" if where == ("language",):
            allowed = "must be a BCP 47 tag, such as en or en-GB"
        case _:
            allowed = first["msg"].removeprefix("Value error, ")
    return _one_line(f"{place}: {allowed}" if place else allowed)


def _one_line(text: object) -> str:
    return " ".join(str(text).split())[:300]


def _texts(front: FrontMatter) -> Iterator[tuple[str, str]]:
    """Yield each text of the front matter that may be a template, with its place."""
    yield "greeting", front.greeting
    yield "goodbye", front.goodbye
    yield "apology", front.apology
    yield "still_there", front.still_there
    yield "time_up", front.time_up
    lists = (("fillers", front.fillers), ("unsure", front.unsure), ("facts", front.facts))
    for field_name, several in lists:
        for place, text in enumerate(several, 1):
            yield f"{field_name}.{place}", text
    for place, question in enumerate(front.questions, 1):
        yield f"questions.{place}.answer", question.answer
    yield "transfer_failed", front.transfer_failed
    for place, target in enumerate(front.transfers, 1):
        yield f"transfers.{place}.announcement", target.announcement


def _environment() -> SandboxedEnvironment:
    # What is rendered is spoken or read by a model: there is no markup to escape.
    environment = SandboxedEnvironment(undefined=StrictUndefined, autoescape=False)
    del environment.globals["lipsum"]
    return environment


_ENVIRONMENT = _environment()


def _compile(source: str, place: str, front: FrontMatter, *, first_line: int) -> Template:
    try:
        tree = _ENVIRONMENT.parse(source)
        template = _ENVIRONMENT.from_string(tree)
    except TemplateSyntaxError as error:
        where = f"line {first_line + error.lineno - 1}" if place == "prompt" else place
        raise PersonaError(f"{where}: not a template: {_one_line(error.message)}") from None
    except RecursionError:
        raise PersonaError(f"{place}: not a template: nested too deep") from None
    known = {*_CALL_NAMES, *front.variables}
    if unknown := meta.find_undeclared_variables(tree) - known - _ENVIRONMENT.globals.keys():
        raise PersonaError(
            f"{place}: unknown variable {min(unknown)!r}; there are " + ", ".join(sorted(known))
        )
    return template


def _try_out(
    texts: list[tuple[str, str]], templates: Mapping[str, Template], front: FrontMatter
) -> None:
    """Render each template for every day of a week, with nothing known of the caller."""
    for day in range(7):
        details = Details(now=_SAMPLE.now + timedelta(days=day))
        variables = {**front.variables, **details.variables()}
        for place, source in texts:
            try:
                spoken = (
                    not (template := templates.get(source)) or _render(template, variables).strip()
                )
            except PersonaError as error:
                raise PersonaError(f"{place}: {error}") from None
            if not spoken:
                raise PersonaError(f"{place}: gives an empty text when the caller is not known")


def _render(template: Template, variables: Mapping[str, object]) -> str:
    """Return the text; whatever an expression in a template can raise is a PersonaError."""
    try:
        return template.render(variables)
    except (
        TemplateError,
        ArithmeticError,
        AttributeError,
        LookupError,
        RecursionError,
        TypeError,
        ValueError,
    ) as error:
        raise PersonaError(f"the template fails: {_one_line(error)}") from None
