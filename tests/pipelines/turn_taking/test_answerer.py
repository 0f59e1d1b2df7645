"""Somebody or a machine? By words and timing."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipelines.turn_taking.answerer import (
    NOBODY,
    ON_AND_ON,
    OPENS,
    SHORT,
    WAITS,
    WORDS_LATE,
    Answerer,
    AnswererVerdict,
    HeardSoFar,
    Told,
    Why,
    begins_as_machine,
    says_machine,
    says_screener,
    verdict,
    verdict_on_hold,
)

MACHINES = {
    "en": [
        "Please leave your message after the tone.",
        "Hi, it's Bob, I can't come to the phone right now.",
        "Your call has been forwarded to an automated voice messaging system.",
        "The person you are trying to reach is not available.",
    ],
    "de": [
        "Bitte hinterlassen Sie eine Nachricht nach dem Signalton.",
        "Der Teilnehmer ist zur Zeit nicht erreichbar.",
        "Das ist die Mailbox von Anna.",
    ],
    "fr": ["Laissez un message après le bip sonore.", "Vous êtes sur la messagerie vocale de Luc."],
    "es": ["Deje su mensaje después del tono.", "Este es el buzón de voz de Ana."],
    "it": ["Lasciate un messaggio dopo il segnale acustico.", "Il cliente non è raggiungibile."],
}
SCREENERS = {
    "en": [
        "Hi, if you record your name and reason for calling, I'll see if this person is available.",
        "Go ahead and say your name and why you're calling.",
        "Hi, I'm Call Assist by Google, recording this call for the person you're trying to reach.",
        "Calls to this number are being screened. Please say your name after the tone.",
    ],
    "de": [
        # Google's, as computerbild.de has it.
        "Hallo! Die Person, die Sie anrufen, nutzt einen Screening-Service.",
        "Nennen Sie bitte Ihren Namen und den Grund Ihres Anrufs.",
    ],
    "fr": [
        "Cette personne utilise un service de filtrage d'appels de Google.",
        "Veuillez enregistrer votre nom et la raison de votre appel.",
        # Stop Secret of Orange, as its help pages have it.
        "Bonjour, pour pouvoir contacter votre correspondant, merci de prononcer votre prénom "
        "suivi de votre nom, c'est à vous.",
    ],
    "es": [
        "La persona usa un servicio de filtrado de llamadas de Google.",
        "Si graba su nombre y el motivo de la llamada, veré si esta persona está disponible.",
    ],
    "it": ["La persona che hai contattato utilizza un servizio di filtro di Google."],
}
PEOPLE = {
    "en": [
        "Hello?",
        "Smith speaking.",
        "Who is this?",
        "Good morning, Miller and Sons, Jane here.",
        "What did you say your name was?",
        "Hello, what's the reason for your call?",
        "May I ask why you're calling?",
        "I can't talk right now, I am driving.",
        "Sorry, can I call you back?",
    ],
    "de": [
        "Hallo?",
        "Müller.",
        "Schmidt, guten Tag, wer spricht denn da?",
        "Das passt mir momentan nicht.",
    ],
    "fr": ["Allô ?", "Oui, bonjour.", "Qui est à l'appareil ?"],
    "es": ["¿Diga?", "Bueno, ¿quién habla?", "Hola."],
    "it": ["Pronto?", "Sì, chi parla?", "Buongiorno, studio Rossi."],
}


def of(lines: dict[str, list[str]]) -> list[tuple[str, str]]:
    return [(language, line) for language, every in lines.items() for line in every]


@pytest.mark.parametrize(("language", "line"), of(MACHINES))
def test_machines_are_known_by_what_they_say(language: str, line: str) -> None:
    """At once, however long they have spoken."""
    heard = HeardSoFar(at=1.0, spoken=0.8, text=line)
    assert verdict(heard, language) == AnswererVerdict("machine", "words")


@pytest.mark.parametrize(("language", "line"), of(SCREENERS))
def test_screeners_are_known_by_what_they_ask(language: str, line: str) -> None:
    """They are no machines that record: whoever was called may come."""
    heard = HeardSoFar(at=1.0, spoken=0.8, text=line)
    assert verdict(heard, language) == AnswererVerdict("screener", "words")


@pytest.mark.parametrize(
    ("line", "language"),
    [
        ("Please leave your name and reason for calling after the tone.", "en"),
        ("Hinterlassen Sie bitte Ihren Namen und den Grund Ihres Anrufs.", "de"),
        ("Laissez votre nom et la raison de votre appel après le bip.", "fr"),
        ("Deje su nombre y el motivo de su llamada después del tono.", "es"),
        ("Lasci il suo nome e il motivo della chiamata dopo il segnale.", "it"),
    ],
)
def test_who_asks_for_a_message_is_no_screener(line: str, language: str) -> None:
    """Though a name and a reason are asked for."""
    assert verdict(HeardSoFar(at=1.0, spoken=0.8, text=line), language) == AnswererVerdict(
        "machine", "words"
    )


@pytest.mark.parametrize(
    "heard",
    [
        HeardSoFar(at=6.0, spoken=ON_AND_ON, words_to_come=True),
        HeardSoFar(at=1.0, platform="machine", words_to_come=True),
        HeardSoFar(at=3.0, spoken=2.0, text="The person you are calling", words_to_come=True),
    ],
)
def test_where_screeners_are_told_who_calls_their_words_are_waited_for(heard: HeardSoFar) -> None:
    """For some seconds: then it is a machine, as it is where nobody asks for the words."""
    assert verdict(heard, "en") is None
    late = replace(heard, at=12.0)
    for one in (late, replace(heard, words_to_come=False)):
        found = verdict(one, "en")
        assert found is not None
        assert found.answerer == "machine"


@pytest.mark.parametrize(
    ("heard", "machine", "answerer"),
    [
        (HeardSoFar(at=9.0), False, None),
        (
            HeardSoFar(at=9.0, spoken=2.0, silent=WAITS, text="Please stay on the line."),
            False,
            None,
        ),
        (HeardSoFar(at=9.0, spoken=0.8, silent=WAITS, text="Hello?"), False, "human"),
        (HeardSoFar(at=9.0, spoken=0.8, silent=0.0, text="Hello?"), False, None),
        (HeardSoFar(at=9.0, spoken=0.8, silent=WAITS, words_to_come=True), False, None),
        (HeardSoFar(at=9.0, spoken=0.8, silent=WORDS_LATE, words_to_come=True), False, "human"),
        (HeardSoFar(at=9.0, spoken=3.0, silent=WORDS_LATE, words_to_come=True), False, None),
        (HeardSoFar(at=9.0, spoken=0.9, silent=2.0, text=""), False, None),
        (HeardSoFar(at=9.0, text="She is not available."), False, "machine"),
        (HeardSoFar(at=9.0, beeped=True), False, "machine"),
        (HeardSoFar(at=9.0, text="Sorry, please say your name."), False, "screener"),
        (HeardSoFar(at=9.0, spoken=0.8, silent=WAITS, text="Hello?"), True, "human"),
        (HeardSoFar(at=9.0, spoken=0.8, silent=WAITS, text="Our office is shut."), True, None),
        (HeardSoFar(at=9.0, spoken=0.8, silent=WORDS_LATE, words_to_come=True), True, None),
    ],
)
def test_who_comes_while_we_wait(
    heard: HeardSoFar,
    machine: bool,
    answerer: Answerer | None,
) -> None:
    """Behind a screener any words but its own; in a machine's greeting nothing but a hello."""
    found = verdict_on_hold(heard, "en", machine=machine)
    assert (None if found is None else found.answerer) == answerer


@pytest.mark.parametrize(("language", "line"), of(PEOPLE))
def test_people_say_nothing_of_the_kind(language: str, line: str) -> None:
    """They are greeted when they wait."""
    assert not says_machine(line, language)
    assert not says_screener(line, language)
    heard = HeardSoFar(at=2.0, spoken=1.2, silent=WAITS, text=line)
    assert verdict(heard, language) == AnswererVerdict("human", "short")


@pytest.mark.parametrize(
    ("heard", "answerer", "why"),
    [
        (HeardSoFar(at=NOBODY), "unknown", "silence"),
        (HeardSoFar(at=2.0, spoken=0.8, silent=WAITS), "human", "short"),
        (HeardSoFar(at=5.0, spoken=SHORT + 0.1, silent=OPENS), "human", "pause"),
        (HeardSoFar(at=6.0, spoken=ON_AND_ON), "machine", "length"),
        (HeardSoFar(at=3.0, beeped=True), "machine", "beep"),
        (HeardSoFar(at=4.0, spoken=2.0, beeped=True), "machine", "beep"),
        (HeardSoFar(at=2.0, spoken=0.8, silent=WAITS, beeped=True), "human", "short"),
        (HeardSoFar(at=0.1, platform="machine"), "machine", "platform"),
        (HeardSoFar(at=0.1, platform="human"), "human", "platform"),
        (HeardSoFar(at=9.0, spoken=ON_AND_ON, platform="human"), "machine", "length"),
    ],
)
def test_what_each_is_known_by(heard: HeardSoFar, answerer: Answerer, why: Why) -> None:
    """A row for each reason."""
    assert verdict(heard, "en") == AnswererVerdict(answerer, why)


def test_who_begins_like_a_machine_is_waited_for() -> None:
    """Until it is clear: a receptionist waits, a machine goes on."""
    begun = "You've reached Miller and Sons."
    assert begins_as_machine(begun, "en")
    assert verdict(HeardSoFar(at=2.0, spoken=1.2, silent=WAITS, text=begun), "en") is None
    after = verdict(HeardSoFar(at=3.0, spoken=1.2, silent=OPENS, text=begun), "en")
    assert after == AnswererVerdict("human", "pause")


@given(
    at=st.floats(0, 60),
    spoken=st.floats(0, 60),
    silent=st.floats(0, 60),
    text=st.text(max_size=40),
    beeped=st.booleans(),
    platform=st.sampled_from(["", "human", "machine", "unknown", "beep"]),
    to_come=st.booleans(),
    language=st.sampled_from(["en", "de", "fr", "es", "it", "ja", ""]),
)
def test_there_is_always_a_verdict_in_time(
    at: float,
    spoken: float,
    silent: float,
    text: str,
    beeped: bool,
    platform: Told,
    to_come: bool,
    language: str,
) -> None:
    """After 12 s at the latest, in any language."""
    found = verdict(
        HeardSoFar(
            at=at,
            spoken=spoken,
            silent=silent,
            text=text,
            beeped=beeped,
            platform=platform,
            words_to_come=to_come,
        ),
        language,
    )
    assert found is not None or at < 12
