"""`consent:` and `opt_out_key:` of an agent file: what they are, and what is wrong with them."""

from __future__ import annotations

from dataclasses import replace

import pytest

from agent.personas.consents import ScriptConsent
from agent.personas.errors import PersonaError
from agent.personas.loader import parse
from agent.personas.script import SAMPLE, Script

OFFICE = """transfers:
  - {name: office, to: "+12025550123", announcement: I put you through.}
  - {name: helped, to: "+12025550123", warm: true, then: help}
"""


def file(fields: str, more: str = "") -> str:
    return f"---\ngreeting: Hello.\ngoodbye: Bye.\n{fields}\n{more}---\nBe kind.\n"


def rendered(fields: str, more: str = "", caller: str = "") -> Script:
    return parse(file(fields, more)).render(replace(SAMPLE, caller=caller))


@pytest.mark.parametrize(
    ("fields", "more", "consent"),
    [
        ("", "", None),
        ("consent: ''", "", None),
        ("consent: May I?", "", ScriptConsent(ask="May I?", refused="Bye.")),
        (
            "consent: {ask: 'May I, {{ weekday }}?', refused: Fine., keys_only: true}",
            "",
            ScriptConsent(ask="May I, Monday?", refused="Fine.", keys_only=True),
        ),
        (
            "consent: {ask: May I?, transfer: office}",
            OFFICE,
            ScriptConsent(ask="May I?", refused="I put you through.", transfer="office"),
        ),
    ],
)
def test_a_question_may_stand_alone(fields: str, more: str, consent: ScriptConsent | None) -> None:
    """What follows a no is the goodbye of the file, or what is said before the transfer."""
    assert rendered(fields, more).consent == consent


@pytest.mark.parametrize(
    ("caller", "asks"),
    [("+4930303986301", "Darf ich?"), ("+33142685300", "May I?"), ("+12025550123", "")],
)
def test_it_is_asked_by_country(caller: str, asks: str) -> None:
    """As the disclosure is said; nobody is asked where it is ''."""
    script = rendered("consent: {ask: {DE: Darf ich?, EU: May I?, default: ''}}", caller=caller)
    assert (script.consent.ask if script.consent else "") == asks


@pytest.mark.parametrize(
    ("fields", "line"),
    [
        ("consent: {}", "consent.ask: is required"),
        ("consent: {ask: {DE: May I?}}", "consent.ask: needs a line 'default'"),
        ("consent: {ask: greeting}", "consent.ask: take a question"),
        ("consent: {ask: May I?, transfer: desk}", "there is no 'desk' among 'transfers'"),
        ("consent: {ask: May I?, transfer: helped}", "'then' of 'helped' has to be leave"),
        ("consent: {aks: May I?}", "did you mean ask?"),
        ("consent: 'May {{ you }}?'", "unknown variable 'you'"),
        ("consent: {ask: May I?, refused: '{{ you }}'}", "consent.refused: unknown variable"),
        ("consent: May I?\ndisclosure: greeting", "disclosure: take a sentence"),
        ("consent: May I?\nopt_out_key: '1'", "opt_out_key: take another"),
        ("consent: true", "consent.ask: write what is said"),
        ("consent: {ask: {DE: 'yes', default: ''}}", "consent.ask: write what is said"),
        ("consent: {ask: {}}", "consent.ask: needs a line 'default'"),
        ("consent: []", "consent: must have ask"),
        ("consent: {ask: May I?, transfer: [office]}", "consent.transfer: must be a text"),
        ("consent: {ask: May I?, transfer: Office}", "there is no 'Office' among 'transfers'"),
        ("consent: {ask: May I?, keys_only: maybe}", "consent.keys_only: must be true or false"),
        ("consent: {ask: May I?, keys_only: true}\nopt_out_key: 2", "opt_out_key: take another"),
        ("consent: May I?\nlanguage: 5", "language: must be a BCP 47 tag"),
        ("disclosure: true", "disclosure: write what is said"),
        ("disclosure: {DE: 'no', default: ''}", "disclosure: write what is said"),
        ("opt_out_key: 99", "opt_out_key"),
        ("opt_out_key: A", "opt_out_key"),
    ],
)
def test_a_mistake_is_told(fields: str, line: str) -> None:
    """When the file is loaded, and by `voice-agent check`: one line for one mistake."""
    with pytest.raises(PersonaError) as told:
        parse(file(fields, OFFICE))
    assert line in str(told.value)
    assert str(told.value).count("\n") == 0


def test_a_language_without_yes_and_no_is_asked_by_keys() -> None:
    """Words of it would never be understood."""
    own = "apology: a\nfillers: [a]\nstill_there: a\ntime_up: a\nunsure: [a]\nreturned: a\n"
    with pytest.raises(PersonaError) as told:
        parse(file(f"{own}language: tr\nconsent: Olur mu?"))
    assert "'keys_only: true'" in str(told.value)
    for true in ("true", "yes", "on"):
        by_key = f"{own}language: tr\nconsent: {{ask: Olur mu?, keys_only: {true}}}"
        assert parse(file(by_key)).language == "tr"
