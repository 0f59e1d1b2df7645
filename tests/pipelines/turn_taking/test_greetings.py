"""Greetings, as people pick up with them."""

from __future__ import annotations

import pytest

from pipelines.turn_taking.greetings import is_greeting


@pytest.mark.parametrize(
    ("text", "language"),
    [
        ("Hello?", "en"),
        ("Hello? Hello?", "en-US"),
        ("Yes?", "en"),
        ("Who is this?", "en"),
        ("Who's this?", "en"),
        ("Hi, good morning. Who's calling?", "en"),
        ("Hallo? Wer ist da?", "de"),
        ("Grüß Gott!", "de-AT"),
        ("¿Hola? ¿Quién es?", "es"),
        ("¿Sí, dígame?", "es"),
        ("Allô ? C'est qui ?", "fr"),
        ("Pronto? Chi parla?", "it"),
        ("Pronto, chi è?", "it"),
        ("Pronto, chi e?", "it-IT"),
        ("Sì, pronto. Dica pure.", "it"),
        ("buenos dias", "es-MX"),
        ("¿Bueno? ¿De parte de quién?", "es_MX"),
        ("Muy buenas, ¿qué tal?", "es"),
        ("Oui, bonjour madame.", "fr"),
        ("Oui allô, j'écoute.", "fr-CA"),
        ("Qui est-ce ?", "fr"),
        ("Schönen guten Tag, wer spricht denn da?", "de"),
        ("Estou sim? Quem fala?", "pt-PT"),
        ("Alô, bom dia, tudo bem?", "pt-BR"),
        ("Goedemorgen, met wie spreek ik?", "nl"),
    ],
)
def test_nothing_but_greetings(text: str, language: str) -> None:
    """Whoever says it, to whomever."""
    assert is_greeting(text, language)
    assert is_greeting(text, language, picked_up=True)


@pytest.mark.parametrize(
    ("text", "language"),
    [
        ("Hello, Ann Smith speaking.", "en"),
        ("Smith.", "en"),
        ("Acme Plumbing, how can I help you?", "en"),
        ("Hello, this is Bob.", "en"),
        ("Schmidt.", "de"),
        ("Ja, hier ist Anna Schmidt.", "de"),
        ("Hola, soy Ana.", "es"),
        ("Allô, ici Marie Dupont.", "fr"),
        ("Pronto, sono Carlo.", "it"),
        ("Clínica Rivera, buenos días.", "es"),
        ("Allô, Dupont à l'appareil.", "fr"),
        ("Sim, aqui é a Ana.", "pt"),
        ("Met Jan de Vries.", "nl"),
        ("もしもし", "ja"),
    ],
)
def test_whoever_picks_up_may_say_their_name(text: str, language: str) -> None:
    """Whoever calls us, and says it, wants something."""
    assert is_greeting(text, language, picked_up=True)
    assert not is_greeting(text, language)


@pytest.mark.parametrize(
    ("text", "language"),
    [
        ("", "en"),
        (".", "en"),
        ("[BLANK_AUDIO]", "en"),
        ("Hello, I want to cancel my booking.", "en"),
        ("I want to cancel my booking.", "en"),
        ("Stop.", "en"),
        ("No.", "en"),
        ("I'm busy.", "en"),
        ("Wrong number.", "en"),
        ("Not interested.", "en"),
        ("Hello, can you call me back in an hour?", "en"),
        ("Kein Interesse.", "de"),
        ("No, gracias.", "es"),
        ("Non merci.", "fr"),
        ("No, grazie.", "it"),
    ],
)
def test_who_wants_something_does_not_greet(text: str, language: str) -> None:
    """Not even at pick-up."""
    assert not is_greeting(text, language, picked_up=True)
    assert not is_greeting(text, language)
