"""Call screeners in four languages, by words that none was chosen by; and people who ask."""

from __future__ import annotations

import pytest

from pipelines.turn_taking.answerer import keeps_waiting, says_screener

UNSEEN = {
    "de": [
        "Bitte sagen Sie Ihren Namen und warum Sie anrufen.",
        "Sie sprechen mit dem virtuellen Assistenten. Wie heißen Sie, und "
        "worum geht es? Ich sehe nach, ob die Person verfügbar ist.",
        "Der Angerufene nimmt keine anonymen Anrufe an. Bitte nennen Sie nach dem Ton Ihren Namen.",
        "Hallo, bitte nennen Sie Ihren Namen und den Grund für Ihren Anruf, "
        "dann frage ich, ob die Person erreichbar ist.",
        "Die Person, die du anrufst, verwendet einen Anruffilter von Google. "
        "Sag bitte, wer du bist und warum du anrufst.",
        "Bevor ich Sie verbinde: Teilen Sie mir bitte Ihren Namen und Ihr Anliegen mit.",
    ],
    "fr": [
        "Veuillez indiquer votre nom et le motif de votre appel.",
        "Dites votre nom et la raison de votre appel, je vais voir si la personne est disponible.",
        "Votre correspondant n'accepte pas les appels masqués. Merci de prononcer votre nom.",
        "Pour être mis en relation, merci de vous identifier en disant votre prénom et votre nom.",
        "La personne que vous appelez utilise un filtrage des appels. Dites "
        "qui vous êtes et pourquoi vous appelez.",
        "Avant de transférer votre appel, puis-je connaître votre nom et l'objet de votre appel ?",
    ],
    "es": [
        "Por favor, diga su nombre y el motivo de su llamada.",
        "Indique quién es y por qué llama, y veré si la persona está disponible.",
        "La persona a la que llama filtra sus llamadas. Diga su nombre después de la señal.",
        "Hola, soy el asistente virtual de este número. Dígame su nombre y el "
        "motivo de la llamada.",
        "Antes de pasar su llamada, grabe su nombre, por favor.",
        "Esta persona utiliza un filtro de llamadas de Google. Di tu nombre y por qué llamas.",
    ],
    "it": [
        "Dica il suo nome e il motivo della chiamata.",
        "Per favore, registri il suo nome e il motivo della chiamata, vedrò se "
        "la persona è disponibile.",
        "La persona chiamata filtra le telefonate. Pronunci il suo nome dopo il segnale.",
        "Sono l'assistente virtuale di questo numero. Mi dica chi è e perché chiama.",
        "Prima di inoltrare la chiamata, può dirmi il suo nome e il motivo?",
        "Questa persona usa un servizio di filtro delle chiamate. Di' il tuo nome e perché chiami.",
    ],
}
"""Written like published ones, before the words for the French ones were mended."""

PEOPLE = {
    "de": [
        "Wer ist denn da?",
        "Worum geht es?",
        "Wie war Ihr Name?",
        "Sagen Sie mir bitte, warum Sie anrufen.",
        "Hallo, hier ist Müller, mit wem spreche ich?",
    ],
    "fr": [
        "Qui êtes-vous ?",
        "C'est à quel sujet ?",
        "Quel est votre nom, déjà ?",
        "Pourquoi vous m'appelez ?",
        "Merci de patienter, je finis de garer la voiture.",
    ],
    "es": [
        "¿Quién es?",
        "¿De parte de quién?",
        "¿Cómo dijo que se llama?",
        "¿Por qué me llama?",
        "¿Qué desea?",
    ],
    "it": [
        "Chi è?",
        "Chi parla, scusi?",
        "Come ha detto che si chiama?",
        "Perché mi chiama?",
        "Di che si tratta?",
    ],
}


@pytest.mark.parametrize(("language", "known"), [("de", 4), ("fr", 5), ("es", 6), ("it", 5)])
def test_of_what_no_word_was_chosen_by_as_many_are_known(language: str, known: int) -> None:
    """As when it was measured, of 6 each; of people who ask who calls, none is taken for one."""
    assert sum(says_screener(line, language) for line in UNSEEN[language]) >= known
    assert not any(says_screener(line, language) for line in PEOPLE[language])


def test_who_tries_to_reach_whoever_was_called_keeps_us_waiting() -> None:
    """Stop Secret of Orange, as its help pages have it, once somebody has said who they are."""
    said = "Merci de patienter, nous tentons de joindre votre correspondant."
    assert keeps_waiting(said, "fr")
    assert not says_screener(said, "fr")
