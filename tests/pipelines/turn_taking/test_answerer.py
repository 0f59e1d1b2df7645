"""Somebody or a machine? By words and timing."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipelines.turn_taking.answerer import (
    NOBODY,
    ON_AND_ON,
    OPENS,
    SHORT,
    WAITS,
    Answerer,
    AnswererVerdict,
    HeardSoFar,
    Told,
    Why,
    begins_as_machine,
    says_machine,
    verdict,
)

MACHINES = {
    "en": [
        "Please leave your message after the tone.",
        "Hi, it's Bob, I can't come to the phone right now.",
        "Your call has been forwarded to an automated voice messaging system.",
        "The person you are trying to reach is not available.",
        "Hi, if you record your name and reason for calling, I'll see if this person is available.",
        "Go ahead and say your name and why you're calling.",
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
PEOPLE = {
    "en": [
        "Hello?",
        "Smith speaking.",
        "Who is this?",
        "Good morning, Miller and Sons, Jane here.",
    ],
    "de": ["Hallo?", "Müller.", "Schmidt, guten Tag, wer spricht denn da?"],
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


@pytest.mark.parametrize(("language", "line"), of(PEOPLE))
def test_people_say_nothing_of_the_kind(language: str, line: str) -> None:
    """They are greeted when they wait."""
    assert not says_machine(line, language)
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
    language=st.sampled_from(["en", "de", "fr", "es", "it", "ja", ""]),
)
def test_there_is_always_a_verdict_in_time(
    at: float, spoken: float, silent: float, text: str, beeped: bool, platform: Told, language: str
) -> None:
    """After 12 s at the latest, in any language."""
    found = verdict(
        HeardSoFar(
            at=at, spoken=spoken, silent=silent, text=text, beeped=beeped, platform=platform
        ),
        language,
    )
    assert found is not None or at < 12
