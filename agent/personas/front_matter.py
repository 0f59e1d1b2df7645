"""What stands between the two ``---`` lines of an agent file, and how it is read."""

from __future__ import annotations

import re
from collections.abc import Hashable, Iterator, Mapping
from typing import Annotated, Any, Self

import yaml
from pydantic import (
    AfterValidator,
    BaseModel,
    BeforeValidator,
    Field,
    StringConstraints,
    ValidationError,
    field_validator,
    model_validator,
)

from agent.personas.errors import PersonaError, first_mistake, one_line
from agent.personas.fields import STRICT, Text
from agent.personas.script import CALL_VARIABLES
from agent.personas.tool_declarations import Declaration, read
from agent.phone_numbers import address, number


def _scalar(value: object) -> object:
    if isinstance(value, str | int | float):
        return value
    message = "take a text, a number, true or false"
    raise ValueError(message)


def _one_or_more(value: object) -> object:
    return [value] if isinstance(value, str) else value


def _or_nothing(value: object) -> object:
    """Return a text without the spaces around it; nothing for a field that is left empty."""
    return "" if value is None else value.strip() if isinstance(value, str) else value


def _language_tag(tag: str) -> str:
    if not re.fullmatch(r"[a-z]{2,3}(-[A-Za-z0-9]{2,8})*", tag):
        message = "must be a BCP 47 tag, such as en or en-GB"
        raise ValueError(message)
    return tag


_Scalar = Annotated[Any, AfterValidator(_scalar)]


class FrequentQuestion(BaseModel):
    """A question that callers ask, and its answer."""

    model_config = STRICT

    ask: Annotated[list[Text], BeforeValidator(_one_or_more)] = Field(
        min_length=1, max_length=50, description="ways of asking it, as callers say it, best first"
    )
    answer: Text = Field(description="template; what to say")


class TransferTarget(BaseModel):
    """Somebody whom callers can be passed on to."""

    model_config = STRICT

    name: Annotated[str, StringConstraints(pattern=r"^[a-z0-9][a-z0-9_-]{0,39}$")] = Field(
        description="what the language model calls it: lower-case letters, digits, _ and -"
    )
    to: Text = Field(description="number in E.164, such as +12025550123, or SIP address")
    when: Text = Field(
        default="the caller asks for it", description="when to, for a language model"
    )
    ask: Annotated[list[Text], BeforeValidator(_one_or_more)] = Field(
        default=[], max_length=50, description="ways of asking for it, for the lookup stage"
    )
    announcement: Text = Field(
        default="I'm connecting you now. One moment, please.",
        description="template; said before, by the lookup stage",
    )

    @field_validator("to")
    @classmethod
    def _can_be_dialled(cls, to: str) -> str:
        return address(to)


class FrontMatter(BaseModel):
    """What stands between the two ``---`` lines."""

    model_config = STRICT

    greeting: Annotated[str, BeforeValidator(_or_nothing)] = Field(
        default="",
        description="template; what the agent says first. Without one, or where it gives nothing, "
        "the caller speaks first",
    )
    language: Annotated[str, AfterValidator(_language_tag)] = Field(
        default="en", description="BCP 47 tag"
    )
    goodbye: Text = Field(
        default="Thank you for calling. Goodbye.",
        description="template; said before hanging up",
    )
    apology: Text = Field(
        default="Sorry, I lost my train of thought. Could you say that again?",
        description="template; said in place of a reply when a provider failed",
    )
    greeting_interruptible: bool = Field(
        default=True,
        description="false for a legal notice: what the caller says over it waits until it is said",
    )
    fillers: list[Text] = Field(
        default=["One moment, please.", "I'm still looking into it.", "Thank you for waiting."],
        min_length=1,
        max_length=20,
        description="templates; said in turn when an answer is late; a sentence each",
    )
    still_there: Text = Field(
        default="Are you still there?", description="template; said when the caller is silent"
    )
    time_up: Text = Field(
        default="I'm sorry, we only have half a minute left.",
        description="template; said before the call reaches its maximum length",
    )
    pronounce: dict[Text, Text] = Field(
        default={},
        max_length=500,
        description="words that a voice reads wrongly, and how to write them so that it does not",
    )
    unsure: list[Text] = Field(
        default=["I'm sorry, I don't know that.", "I'm afraid I don't have an answer to that."],
        min_length=1,
        max_length=20,
        description="templates; said in turn when the answer is not known",
    )
    facts: list[Text] = Field(
        default=[], max_length=500, description="templates; true sentences, each speakable alone"
    )
    questions: list[FrequentQuestion] = Field(
        default=[], max_length=500, description="what callers ask, and what to answer"
    )
    numbers: list[Text] = Field(
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
    transfer_failed: Text = Field(
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
            if name in CALL_VARIABLES or not re.fullmatch(r"[A-Za-z_][A-Za-z0-9_]*", name):
                message = (
                    f"'variables.{name}': take letters, digits and _, and none of "
                    + ", ".join(sorted(CALL_VARIABLES))
                )
                raise ValueError(message)
        return self


def texts(front: FrontMatter) -> Iterator[tuple[str, str]]:
    """Yield the place of each text that may be a template, such as ``facts.2``, and the text."""
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


_NESTED: Mapping[str, type[BaseModel]] = {
    "questions": FrequentQuestion,
    "transfers": TransferTarget,
}


def read_front_matter(text: str) -> FrontMatter:
    """Return the fields that ``text`` holds: YAML, which begins in the file's second line.

    Raises:
        PersonaError: If there is a mistake; one line with its place, without the file.
    """
    try:
        _check_depth(text)
        fields = yaml.load(text, _Loader)  # noqa: S506 - a safe loader
    except yaml.MarkedYAMLError as error:
        line = error.problem_mark.line + 2 if error.problem_mark else 1
        raise PersonaError(f"line {line}: not YAML: {one_line(error.problem)}") from None
    except (yaml.YAMLError, ValueError, RecursionError) as error:
        # ValueError: an impossible date, a number of thousands of digits
        raise PersonaError(f"front matter: not YAML: {one_line(error)}") from None
    if not isinstance(fields, dict):
        raise PersonaError("line 2: write the front matter as `field: value`, a field a line")
    try:
        return FrontMatter.model_validate(fields)
    except ValidationError as error:
        raise PersonaError(first_mistake(error, FrontMatter, _NESTED)) from None
