"""What the agent has just asked for."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipelines.conversation import ExpectedAnswer, ToolSpec
from pipelines.turn_taking.expectation import AnswerKind, Expectation, expectation, expected_by

NOTHING, ANYTHING, YES, NUMBER, SPELLING = AnswerKind
PHONE = tuple(range(7, 12))


@pytest.mark.parametrize(
    ("said", "asked", "digits"),
    [
        ("Shall I book it?", YES, ()),
        ("Is that right?", YES, ()),
        ("Do you want a table for two?", YES, ()),
        ("So that's four people, correct?", YES, ()),
        ("Is your zip code 90210?", YES, ()),
        ("Can I help you with anything else?", YES, ()),
        ("Do you want red or blue?", ANYTHING, ()),
        ("How can I help?", ANYTHING, ()),
        ("Can you tell me your name?", ANYTHING, ()),
        ("What's your PIN?", NUMBER, (4, 5, 6)),
        ("Could I have your zip code, please?", NUMBER, (5,)),
        ("Please enter your card number.", NUMBER, (15, 16)),
        ("What are the last four digits of your card?", NUMBER, (4,)),
        ("In what year were you born?", NUMBER, (4,)),
        ("And your telephone number?", NUMBER, PHONE),
        ("Which number should we call?", NUMBER, PHONE),
        ("What is your date of birth?", NUMBER, ()),
        ("I need your booking number.", NUMBER, ()),
        ("What is your zip code? Take your time.", NUMBER, (5,)),
        ("Could you spell that?", SPELLING, ()),
        ("Please spell your last name.", SPELLING, ()),
        ("Your order number is 12345.", NOTHING, ()),
        ("We open at ten.", NOTHING, ()),
        ("", NOTHING, ()),
    ],
)
def test_a_question_tells_what_answers_it(
    said: str, asked: AnswerKind, digits: tuple[int, ...]
) -> None:
    """A statement that names a number asks for none, and a yes-or-no question neither."""
    assert expectation(said, "en") == Expectation(asked=asked, digits=digits)


@pytest.mark.parametrize(
    ("language", "said", "asked", "digits"),
    [
        ("de-DE", "Soll ich den Tisch buchen?", YES, ()),
        ("de", "Am Montag, richtig?", YES, ()),
        ("de", "Wie lautet Ihre Postleitzahl?", NUMBER, (5,)),
        ("de", "Nennen Sie mir bitte Ihre sechsstellige Kundennummer.", NUMBER, (6,)),
        ("de", "Könnten Sie das bitte buchstabieren?", SPELLING, ()),
        ("de", "Wie kann ich Ihnen helfen?", ANYTHING, ()),
        ("es", "¿Quiere que lo reserve?", YES, ()),
        ("es", "¿Podría darme su número de teléfono?", NUMBER, PHONE),
        ("es", "Dígame su PIN de cuatro dígitos.", NUMBER, (4,)),
        ("es", "¿En qué puedo ayudarle?", ANYTHING, ()),
        ("fr", "Est-ce que c'est correct ?", YES, ()),
        ("fr", "Quel est votre code à quatre chiffres ?", NUMBER, (4,)),
        ("fr", "Pouvez-vous épeler votre nom ?", SPELLING, ()),
        ("it", "Vuole prenotare?", YES, ()),
        ("it", "In che anno è nato?", NUMBER, (4,)),
        ("it", "Come posso aiutarla?", ANYTHING, ()),
        ("de", "Sonst noch etwas?", YES, ()),
        ("es_MX", "¿Su número de teléfono, por favor?", NUMBER, PHONE),
        ("es", "¿Me confirma su número de cliente?", NUMBER, ()),
        ("es", "¿Nombre?", ANYTHING, ()),
        ("es", "¿La quiere?", YES, ()),
        ("fr", "Et votre adresse, s'il vous plaît ?", ANYTHING, ()),
        ("fr", "Votre numéro d'appel, s'il vous plaît ?", NUMBER, ()),
        ("fr", "Votre carte est-elle valide ?", YES, ()),
        ("it", "Il suo numero di telefono, per favore?", NUMBER, PHONE),
        ("it", "Il suo ordine è pronto?", YES, ()),
        ("it", "Può farmi lo spelling?", SPELLING, ()),
        ("pt", "Pode me dizer o seu CEP?", NUMBER, (8,)),
        ("pt", "Em que posso ajudar?", ANYTHING, ()),
        ("pt-PT", "É tudo?", YES, ()),
        ("pt", "Pode soletrar o seu nome?", SPELLING, ()),
        ("nl", "Klopt dat?", YES, ()),
        ("nl", "Wat is uw viercijferige code?", NUMBER, (4,)),
        ("nl", "Waarmee kan ik u helpen?", ANYTHING, ()),
        ("nl", "Kunt u uw naam spellen?", SPELLING, ()),
        ("sw", "Habari gani?", ANYTHING, ()),
        ("sw", "Sawa.", NOTHING, ()),
    ],
)
def test_questions_are_told_apart_in_other_languages(
    language: str, said: str, asked: AnswerKind, digits: tuple[int, ...]
) -> None:
    """In one without words of ours, a question is an open one."""
    assert expectation(said, language) == Expectation(asked=asked, digits=digits)


def test_what_is_declared_counts_first_and_in_any_language() -> None:
    """If the agent asks for it, and not where it only mentions it."""
    declared = (
        ExpectedAnswer(when="zip code", digits=(6,)),
        ExpectedAnswer(when="jina lako", spelled=True),
    )
    assert expectation("What's your zip code?", "en", declared).digits == (6,)
    assert expectation("Your zip code is known.", "en", declared).asked is NOTHING
    assert expectation("Jina lako ni nani?", "sw", declared).asked is SPELLING


def test_tools_declare_what_they_ask_for_by_a_pattern_of_digits() -> None:
    """Under the name of the parameter, as it is said."""
    properties = {
        "ticketCode": {"type": "string", "pattern": r"^\\d{8}$".replace("\\\\", "\\")},
        "table_number": {"type": "string", "pattern": "[0-9]{2,3}"},
        "name": {"type": "string", "pattern": "^[a-z]+$"},
        "day": {"type": "string"},
        "odd": True,
    }
    tool = ToolSpec(name="book", description="", parameters={"properties": properties})
    found = list(expected_by([tool, ToolSpec(name="x", description="", parameters={})]))
    assert found == [
        ExpectedAnswer(when="ticket code", digits=(8,)),
        ExpectedAnswer(when="table number", digits=(2, 3)),
    ]
    asked = expectation("What is your ticket code?", "en", found)
    assert asked == Expectation(asked=NUMBER, digits=(8,))


@given(st.text(), st.sampled_from(["en", "de", "es", "fr", "it", "x"]))
def test_anything_may_have_been_said(said: str, language: str) -> None:
    """No text is a mistake."""
    assert isinstance(expectation(said, language), Expectation)
