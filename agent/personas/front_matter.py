"""What stands between the two ``---`` lines of an agent file, and how it is read."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Annotated, Any, TypeVar

from pydantic import (
    AfterValidator,
    BaseModel,
    BeforeValidator,
    Field,
    StringConstraints,
    ValidationError,
    field_validator,
)

from agent import time_zones
from agent.personas.afterwards import read_extract, summary_wanted
from agent.personas.consents import (
    ConsentSection,
    consent_mistakes,
    consent_texts,
    read_consent,
)
from agent.personas.disclosures import disclosure_texts, lacks_greeting, read_disclosure
from agent.personas.errors import mistakes_in
from agent.personas.fields import STRICT, Text, or_nothing
from agent.personas.party import PartySection, party_texts, said_in_english
from agent.personas.party_targets import PartyTarget
from agent.personas.questions import DeclaredAnswer, FrequentQuestion
from agent.personas.script import CALL_VARIABLES
from agent.personas.tool_declarations import Declaration, read
from agent.personas.transfer_targets import TEMPLATES, TransferTarget, english_of_warm
from agent.personas.yaml_text import Document, as_written
from agent.phone_numbers import number
from agent.settings.allowed import shown
from agent.warm_transfers import NotReached

TAG = re.compile(r"[a-z]{2,3}(-[A-Za-z0-9]{2,8})*")


def _scalar(value: object) -> object:
    if not isinstance(value, str | int | float):
        message = "take a text, a number, true or false"
        raise ValueError(message)  # noqa: TRY004 - pydantic turns only this one into a mistake
    if value == "" and type(value) is not str:
        message = "has no value; write '' for an empty text"
        raise ValueError(message)
    return as_written(value)


def _language_tag(tag: str) -> str:
    if not TAG.fullmatch(tag):
        meant = tag.strip().replace("_", "-").partition("-")
        right = meant[0].lower() + meant[1] + meant[2]
        hint = f"; did you mean {right}?" if TAG.fullmatch(right) else ""
        message = f"must be a BCP 47 tag, such as en or en-GB, and not {shown(tag)}{hint}"
        raise ValueError(message)
    return tag


_Scalar = Annotated[Any, AfterValidator(_scalar)]


_Named = TypeVar("_Named", TransferTarget, PartyTarget)


class FrontMatter(BaseModel):
    """What stands between the two ``---`` lines."""

    model_config = STRICT

    greeting: Annotated[str, BeforeValidator(or_nothing)] = Field(
        default="",
        description="template; what the agent says first. Without one, or where it gives nothing, "
        "the caller speaks first",
    )
    language: Annotated[str, AfterValidator(_language_tag)] = Field(
        default="en", description="BCP 47 tag"
    )
    time_zone: Annotated[str, AfterValidator(time_zones.name)] = Field(
        default="",
        description="name by IANA, such as `Europe/Berlin`: by whose clock dates and times are "
        "said; otherwise the setting `time_zone`",
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
        strict=False,
        description="false for a legal notice: what the caller says over it waits until it is said",
    )
    record: bool | None = Field(
        default=None,
        strict=False,
        description="whether its calls are recorded; otherwise the setting `recording.calls` says",
    )
    recording_consent: Annotated[str, BeforeValidator(or_nothing)] = Field(
        default="",
        description="template; what the caller is told first if the call is recorded, which begins "
        "once it was heard in full; otherwise the setting `recording.consent`",
    )
    disclosure: Annotated[str | dict[str, str], BeforeValidator(read_disclosure)] = Field(
        default="",
        description="template; that a machine talks, said first and heard in full; `greeting` if "
        "the greeting says it; or one of them for each country, `EU` and `default`",
    )
    consent: Annotated[ConsentSection | None, BeforeValidator(read_consent)] = Field(
        default=None,
        description="a question, or a section: what is asked before the agent deals with anybody",
    )
    opt_out_key: Annotated[str, StringConstraints(pattern="^[0-9*#]?$")] = Field(
        default="",
        description="in calls that we place, the key by which whoever was called wants no more of "
        "them",
    )
    opted_out: Text = Field(
        default="We will not call you again. Goodbye.",
        description="template; said to whoever has pressed it, before the agent hangs up",
    )
    screener: Annotated[str, BeforeValidator(or_nothing)] = Field(
        default="",
        description="template; what an assistant that screens calls is told when we call: who "
        "calls, and why. Without it, a screener is treated as an answering machine",
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
    expects: list[DeclaredAnswer] = Field(
        default=[],
        max_length=100,
        description="what answers to the agent's questions look like, where the question alone "
        "does not tell: a dictated number is not taken for whole before it is",
    )
    numbers: list[Annotated[Text, AfterValidator(number)]] = Field(
        default=[], max_length=500, description="numbers in E.164 whose calls this agent answers"
    )
    transfers: list[TransferTarget] = Field(
        default=[], max_length=50, description="whom callers can be passed on to"
    )
    parties: list[PartyTarget] = Field(
        default=[],
        max_length=50,
        description="whom the language model may add to the line, and drop again",
    )
    tools: Annotated[list[Declaration], BeforeValidator(read)] = Field(
        default=[],
        description="what the language model may have done: HTTP endpoints, Python "
        "functions, tools of MCP servers",
    )
    keys_are_secret: bool = Field(
        default=False,
        strict=False,
        description="whether keys that callers press are on no record, `***` in their place; the "
        "model and its tools have them in full",
    )
    transfer_failed: Text = Field(
        default="I'm sorry, nobody is available there right now. Can I help with anything else?",
        description="template; said when a transfer fails. `{{ why }}` is `no answer`, `busy`, "
        "`machine`, `declined`, `failed`, or nothing if that is not known",
    )
    transfer_failures: dict[NotReached, Text] = Field(
        default={}, description="templates; said in its place, by `why` it fails"
    )
    returned: Text = Field(
        default="I'm back with you. What else can I do?",
        description="template; said when the agent is alone with the caller again: whoever they "
        "were passed on to, or has taken them over, has left, and the agent has stayed",
    )
    party: PartySection | None = Field(
        default=None,
        description="how it behaves on a line of several: [party lines](party-lines.md)",
    )
    variables: dict[str, _Scalar] = Field(
        default={}, description="Jinja variables of this file; a name and a text or number each"
    )

    summary: Annotated[str | bool, BeforeValidator(summary_wanted)] = Field(
        default=False,
        description="true, or a sentence that says what it should hold: the language model writes "
        "a summary of each call once it is over",
    )
    extract: Any = Field(
        default=None,
        description="fields that the language model fills in once a call is over: a line each "
        "with a type or what is meant, or a JSON Schema of an object",
    )

    @field_validator("transfers", "parties")
    @classmethod
    def _have_names_of_their_own(cls, named: list[_Named]) -> list[_Named]:
        if len({one.name for one in named}) < len(named):
            message = "two have the same name"
            raise ValueError(message)
        return named


_SPOKEN = ("goodbye", "apology", "fillers", "still_there", "time_up", "unsure", "returned")
"""Texts that an agent says of its own, whose defaults are English."""

_NESTED: Mapping[str, type[BaseModel]] = {
    "questions": FrequentQuestion,
    "expects": DeclaredAnswer,
    "transfers": TransferTarget,
    "parties": PartyTarget,
    "party": PartySection,
    "consent": ConsentSection,
}


def read_front_matter(document: Document) -> FrontMatter | None:
    """Return the fields of a document. What is wrong with them is noted there, and gives None."""
    front = None
    try:
        front = FrontMatter.model_validate(document.fields)
    except ValidationError as error:
        for place, what in mistakes_in(error, FrontMatter, _NESTED):
            if place not in document.broken and "" not in document.broken:
                document.tell(place, what)
    _look_at_comments(document)
    _look_at_defaults(document)
    _look_at_names(document)
    _look_at_extract(document)
    if lacks_greeting(document.fields) and "greeting" not in document.broken:
        document.tell("disclosure", "there is no greeting that could say it")
    for place, what in consent_mistakes(document.fields):
        if place not in document.broken:
            document.tell(place, what)
    return None if document.mistakes else front


_ENDED = (".", "!", "?", ":", "\u2026", "\u3002", '"', "'", ")", "\u201d")
"""How a sentence ends, behind which a comment may stand."""

_CODES = re.compile(
    r"(language|greeting_interruptible|record|numbers|expects|tools|variables|summary|extract)\b.*"
    r"|opt_out_key|consent\.(keys_only|transfer)|.*\.(name|to|warm|then)|party\.(answers|announces)"
)
"""Places of what is no sentence."""


def _look_at_comments(document: Document) -> None:
    """Find what YAML takes for a comment, and its author meant to be said: `Press # to go on`."""
    for place, (text, comment) in document.commented.items():
        begun = not text.endswith(_ENDED) and (" " in text or not _CODES.fullmatch(place))
        if begun or comment[1:2].strip():
            document.tell(place, "put a text with # in it in quotation marks")


def _look_at_defaults(document: Document) -> None:
    """Find what is said in English by an agent that speaks another language."""
    fields, broken = document.fields, document.broken
    language = str(fields.get("language", "en"))
    if language.startswith("en") or not TAG.fullmatch(language):
        return
    by_key = ["opted_out"] if fields.get("opt_out_key") else []
    for name in (*_SPOKEN, *by_key):
        if name not in fields and name not in broken:
            document.tell("language", f"'{name}' is needed, since language is {language!r}")
    for name in said_in_english(fields.get("party")):
        document.tell("language", f"'party.{name}' is needed, since language is {language!r}")
    transfers = fields.get("transfers")
    if not isinstance(transfers, list) or not transfers:
        return
    own = all("announcement" in one for one in transfers if isinstance(one, dict))
    if not own or "transfer_failed" not in fields.keys() | broken:
        document.tell(
            "language",
            "'transfer_failed', and an 'announcement' for each of 'transfers', are needed, since "
            f"language is {language!r}",
        )
    for what in english_of_warm(transfers):
        document.tell("language", f"{what}, since language is {language!r}")


def _look_at_names(document: Document) -> None:
    """Find variables of the file that no template could name."""
    variables = document.fields.get("variables")
    for name in variables if isinstance(variables, dict) else ():
        if name in CALL_VARIABLES or not re.fullmatch(r"[A-Za-z_][A-Za-z0-9_]*", name):
            document.tell(
                f"variables.{name}",
                "take letters, digits and _ for its name, and none of "
                + ", ".join(sorted(CALL_VARIABLES)),
            )


def _look_at_extract(document: Document) -> None:
    """Find what is wrong with the fields that are wanted of a call."""
    if "extract" in document.fields and "extract" not in document.broken:
        for place, what in read_extract(document.fields["extract"])[1]:
            document.tell(f"extract.{place}".rstrip("."), what)


def own_variables(document: Document) -> dict[str, Any] | None:
    """Return the variables of a file, whatever else is wrong with it; None if nobody can tell."""
    variables = document.fields.get("variables", {})
    if "variables" in document.broken or "" in document.broken or not isinstance(variables, dict):
        return None
    return {name: as_written(value) for name, value in variables.items()}


def texts(fields: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    """Yield the place of each text that may be a template, such as ``facts.2``, and the text.

    Args:
        fields: As they stand in the file: what is no text, where one should be, is left out.
    """
    for name in (
        "greeting",
        "recording_consent",
        "screener",
        "goodbye",
        "apology",
        "still_there",
        "time_up",
        "transfer_failed",
        "returned",
        "opted_out",
    ):
        yield from _text(name, fields.get(name))
    yield from party_texts(fields.get("party"))
    for name in ("fillers", "unsure", "facts", "transfer_failures"):
        for place, text in _items(fields, name):
            yield from _text(place, text)
    yield from disclosure_texts(fields.get("disclosure"))
    yield from consent_texts(fields.get("consent"))
    for name, parts in (("questions", ("answer",)), ("transfers", TEMPLATES)):
        for place, one in _items(fields, name):
            if isinstance(one, dict):
                for part in parts:
                    yield from _text(f"{place}.{part}", one.get(part))


def _items(fields: Mapping[str, Any], name: str) -> Iterator[tuple[str, Any]]:
    several = fields.get(name)
    if isinstance(several, dict):
        yield from ((f"{name}.{key}", one) for key, one in several.items())
    elif isinstance(several, list):
        yield from ((f"{name}.{number}", one) for number, one in enumerate(several, 1))


def _text(place: str, value: object) -> Iterator[tuple[str, str]]:
    if isinstance(value, str) and value.strip():
        yield place, value.strip()
