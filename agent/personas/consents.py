"""What an agent asks before it deals with anybody, as its file says: the section ``consent``."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Annotated, Any

from pydantic import BaseModel, BeforeValidator, Field

from agent.personas.disclosures import GREETING, Disclosure, disclosure_texts, read_disclosure
from agent.personas.fields import STRICT, is_true, or_nothing
from agent.personas.transfer_targets import TransferTarget
from agent.yes_and_no import DECLINE, TAKE, knows_words_of


def _read_ask(value: object) -> object:
    read = read_disclosure(value)
    if GREETING in (read.values() if isinstance(read, dict) else [read]):
        message = "take a question; 'greeting' is for 'disclosure'"
        raise ValueError(message)
    return read


class ConsentSection(BaseModel):
    """What is asked before the agent deals with anybody."""

    model_config = STRICT

    ask: Annotated[str | dict[str, str], BeforeValidator(_read_ask)] = Field(
        description="template; the question, said after the disclosure: 1 is yes and 2 is no; or "
        "one for each country, `EU` and `default`, `''` where nobody is asked"
    )
    keys_only: bool = Field(
        default=False,
        strict=False,
        description="true: they answer by key alone, and what they say before is not even heard by "
        "a speech-to-text provider; otherwise words count, too",
    )
    refused: Annotated[str, BeforeValidator(or_nothing)] = Field(
        default="",
        description="template; said after a no; otherwise `goodbye`, or the `announcement` of the "
        "transfer",
    )
    transfer: Annotated[str, BeforeValidator(or_nothing)] = Field(
        default="",
        description="the name of one of `transfers`, to whom is passed on who says no; otherwise "
        "the agent hangs up",
    )


def read_consent(value: object) -> object:
    """Return the section; a question alone stands for one with nothing else in it."""
    return {"ask": value} if isinstance(value, str) else value


@dataclass(frozen=True, slots=True, kw_only=True)
class ScriptConsent:
    """What one call asks before its agent deals with whoever is there."""

    ask: str
    refused: str
    """What is said after a no."""

    transfer: str = ""
    """Whom they are passed on to then: a name of the agent file; ``""`` hangs up."""

    keys_only: bool = False


def consent_in(
    section: ConsentSection | None,
    ask: str,
    fill: Callable[[str], str],
    transfers: Sequence[TransferTarget],
    goodbye: str,
) -> ScriptConsent | None:
    """Return what a call asks; None if that is nothing.

    Args:
        section: Of the file.
        ask: Its question for the country of the call.
        fill: Fills a template in.
        transfers: Of the file.
        goodbye: The same; both for what the section does not say.
    """
    if section is None or not ask:
        return None
    usual = {one.name: one.announcement for one in transfers}
    return ScriptConsent(
        ask=fill(ask),
        refused=fill(section.refused or usual.get(section.transfer, goodbye)),
        transfer=section.transfer,
        keys_only=section.keys_only,
    )


def question_of(section: ConsentSection | None) -> Disclosure:
    """Return the question, or one for each country."""
    return "" if section is None else section.ask


def consent_texts(section: object) -> Iterator[tuple[str, str]]:
    """Yield the place of each template, and the template.

    Args:
        section: As it stands in the file, whatever that is.
    """
    if isinstance(section, str):
        yield from disclosure_texts(section, "consent")
    elif isinstance(section, dict):
        yield from disclosure_texts(section.get("ask"), "consent.ask")
        yield from disclosure_texts(section.get("refused"), "consent.refused")


def consent_mistakes(fields: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    """Yield what of ``consent`` does not go with the rest of a file: where, and what is wrong.

    Args:
        fields: Of the file, as they stand there.
    """
    section = read_consent(fields.get("consent"))
    if not isinstance(section, dict):
        return
    told = fields.get("disclosure")
    several = told.values() if isinstance(told, dict) else [told]
    if any(isinstance(one, str) and one.strip() == GREETING for one in several):
        yield "disclosure", "take a sentence: with 'consent', the greeting comes after the question"
    language = str(fields.get("language", "en"))
    is_tag = language.partition("-")[0].isalpha()  # else that is what is wrong
    if is_tag and not knows_words_of(language) and not is_true(section.get("keys_only")):
        why = f"a yes and a no are not understood in {language!r}"
        yield "consent", f"add 'keys_only: true', since {why}"
    if str(fields.get("opt_out_key", "")) in (TAKE, DECLINE):
        yield "opt_out_key", f"take another: {TAKE} and {DECLINE} answer 'consent'"
    name, transfers = section.get("transfer"), fields.get("transfers") or []
    if isinstance(name, str) and name.strip() and isinstance(transfers, list):
        yield from _transfer_mistakes(name.strip(), transfers)


def _transfer_mistakes(name: str, known: list[Any]) -> Iterator[tuple[str, str]]:
    target = next((one for one in known if isinstance(one, dict) and one.get("name") == name), None)
    if target is None:
        yield "consent.transfer", f"there is no {name!r} among 'transfers'"
    elif str(target.get("then", "leave")) != "leave":
        why = "the agent would go on listening to who has said no"
        yield "consent.transfer", f"'then' of {name!r} has to be leave: {why}"
