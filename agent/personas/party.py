"""How an agent behaves on a line of several, as its file says: the section ``party``."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Annotated, Literal

from pydantic import BaseModel, BeforeValidator, Field

from agent.personas.fields import STRICT, Text, one_or_more
from pipelines.turn_taking.floor import Answers
from pipelines.turn_taking.names_heard import parts_of_name

Announces = Literal["all", "joined", "none"]
PartyText = Literal["waiting", "joined", "left", "absent"]

MOST_NAMES = 40
"""Names of a line that a transcriber is told."""

PARTY_TEXTS: tuple[PartyText, ...] = ("waiting", "joined", "left", "absent")
"""The fields that are said."""


class PartySection(BaseModel):
    """How the agent behaves on a line of several."""

    model_config = STRICT

    answers: Answers = Field(
        default="asked",
        description="what it answers there: `named`, what is said to it by name, and answers to "
        "its own questions; `asked`, also questions and requests that are to nobody else; "
        "`always`, everything",
    )
    called: Annotated[list[Text], BeforeValidator(one_or_more)] = Field(
        default=[],
        max_length=20,
        description="the names that it listens to, as people say them, its own first",
    )
    announces: Announces = Field(
        default="all",
        description="of whom it says that they are expected, have joined, have left or will not "
        "come: `all`; `joined`, who has joined and who is expected; or `none`",
    )
    waiting: Text = Field(
        default="We are still waiting for {{ expected }}.",
        description="template; said after the greeting if somebody is expected",
    )
    joined: Text = Field(
        default="{{ who or 'Somebody' }} has joined.",
        description="template; said when somebody has joined, `who`",
    )
    left: Text = Field(
        default="{{ who or 'Somebody' }} has left.",
        description="template; said when somebody has left and two or more are still there",
    )
    absent: Text = Field(
        default="{{ who or 'Somebody' }} cannot be reached.",
        description="template; said when somebody was expected and will not come",
    )


def party_texts(section: object) -> Iterator[tuple[str, str]]:
    """Yield the place of each text that is said, and the text, of a section as it is written."""
    if isinstance(section, dict):
        for name in PARTY_TEXTS:
            text = section.get(name, PartySection.model_fields[name].default)
            if isinstance(text, str) and text.strip():
                yield f"party.{name}", text.strip()


def names_to_tell(
    called: Sequence[str], people: Iterable[str], others: Sequence[str] = ()
) -> tuple[str, ...]:
    """Return what whoever transcribes a line is told: each name once, :data:`MOST_NAMES` of them.

    Args:
        called: What the agent is called; first of all, and whole.
        people: Titles of those who count most; told is each word by which somebody is called.
        others: Names that were told before.
    """
    parts = [part for title in people for part in parts_of_name(title)]
    return tuple(dict.fromkeys([*called, *parts, *others]))[:MOST_NAMES]


def said_in_english(section: object) -> Iterator[str]:
    """Yield the texts that a section, as it is written, leaves to their English defaults."""
    if isinstance(section, dict) and (announces := section.get("announces", "all")) != "none":
        said = PARTY_TEXTS[:2] if announces == "joined" else PARTY_TEXTS
        yield from (name for name in said if name not in section)


def _in_english(what: PartyText, values: Mapping[str, str]) -> str:
    """Return a text of an agent without a file."""
    who = values["who"] or "Somebody"
    return {
        "waiting": f"We are still waiting for {values['expected']}.",
        "joined": f"{who} has joined.",
        "left": f"{who} has left.",
        "absent": f"{who} cannot be reached.",
    }[what]


@dataclass(frozen=True, slots=True, kw_only=True)
class PartyScript:
    """The same for one call, with who is there at its beginning."""

    answers: Answers = "asked"
    called: tuple[str, ...] = ()
    announces: Announces = "all"
    says: Callable[[PartyText, Mapping[str, str]], str] = _in_english
    """Fills a text in, with ``who``, ``parties`` and ``expected``; may raise PersonaError."""

    present: Mapping[str, str] = field(default_factory=dict)
    """Who is on the line: titles, perhaps ``""``, by the names of their legs."""

    expected: Mapping[str, str] = field(default_factory=dict)
    """Who is being called: the same."""

    lists_phone: bool = False
    """Whether these hold the phone that the call goes by, too; otherwise it is there besides."""


def party_script(
    section: PartySection | None, language: str, there: PartyScript, fill: Callable[..., str]
) -> PartyScript:
    """Return how an agent behaves on the line of one call.

    Args:
        section: As its file has it; None if it has none.
        language: What it speaks, a BCP 47 tag.
        there: Who is on the line.
        fill: Fills a template in, with more variables by their names.
    """
    if section is None:  # the usual words are English
        return there if language.startswith("en") else replace(there, announces="none")

    def says(what: PartyText, values: Mapping[str, str]) -> str:
        return fill(getattr(section, what), **values)

    return replace(
        there,
        answers=section.answers,
        called=tuple(section.called),
        announces=section.announces,
        says=says,
    )
