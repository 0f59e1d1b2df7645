"""What ``voice-agent init`` writes: a small agent, and settings for it."""

from __future__ import annotations

import json
import re
import unicodedata
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from agent.personas.machine_words import example
from pipelines.providers.contracts import Stage

Options = Mapping[str, str | Sequence[str]]
"""What a provider is told, so that it has the agent's language."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Texts:
    """What an agent says in one language; ``NAME`` is whom it answers for."""

    greeting: str
    of_nobody: str
    """The greeting of an agent that answers for nobody in particular."""

    ask: str
    answer: str
    goodbye: str
    apology: str
    fillers: tuple[str, ...]
    still_there: str
    returned: str
    """After a colleague has talked to the caller."""

    time_up: str
    unsure: tuple[str, ...]
    prompt: str
    hint: str
    """A comment: what to do with the file."""


ENGLISH = Texts(
    greeting="Hello, this is NAME. How can I help you?",
    of_nobody="Hello, how can I help you?",
    ask="When are you open?",
    answer="We are open from nine to five, Monday to Friday.",
    goodbye="Thank you for calling. Goodbye.",
    apology="Sorry, I lost my train of thought. Could you say that again?",
    fillers=("One moment, please.", "I'm still looking into it.", "Thank you for waiting."),
    still_there="Are you still there?",
    returned="I'm back with you. What else can I do?",
    time_up="I'm sorry, we only have half a minute left.",
    unsure=("I'm sorry, I don't know that.", "I'm afraid I don't have an answer to that."),
    prompt="You answer the telephone. Be brief and friendly, and say nothing that you do not know.",
    hint="What the agent says and knows: change it, and the next call has it.",
)

TEXTS: Mapping[str, Texts] = {
    "en": ENGLISH,
    "de": Texts(
        greeting="Guten Tag, hier ist NAME. Wie kann ich Ihnen helfen?",
        of_nobody="Guten Tag, wie kann ich Ihnen helfen?",
        ask="Wann haben Sie geöffnet?",
        answer="Wir haben montags bis freitags von neun bis siebzehn Uhr geöffnet.",
        goodbye="Vielen Dank für Ihren Anruf. Auf Wiederhören.",
        apology="Entschuldigung, ich habe den Faden verloren. Können Sie das bitte wiederholen?",
        fillers=("Einen Moment, bitte.", "Ich sehe noch nach.", "Danke, dass Sie warten."),
        still_there="Sind Sie noch da?",
        returned="Da bin ich wieder. Was kann ich noch für Sie tun?",
        time_up="Es tut mir leid, wir haben nur noch eine halbe Minute.",
        unsure=("Das weiß ich leider nicht.", "Darauf habe ich leider keine Antwort."),
        prompt="Du nimmst Anrufe entgegen. Antworte auf Deutsch, kurz und freundlich, und sage "
        "nichts, was du nicht weißt.",
        hint="Was der Agent sagt und weiß: eine Änderung gilt ab dem nächsten Anruf.",
    ),
    "es": Texts(
        greeting="Hola, ha llamado a NAME. ¿En qué puedo ayudarle?",
        of_nobody="Hola, ¿en qué puedo ayudarle?",
        ask="¿Cuándo están abiertos?",
        answer="Abrimos de lunes a viernes, de nueve a cinco.",
        goodbye="Gracias por llamar. Adiós.",
        apology="Perdone, he perdido el hilo. ¿Puede repetirlo?",
        fillers=("Un momento, por favor.", "Sigo buscando.", "Gracias por esperar."),
        still_there="¿Sigue ahí?",
        returned="Aquí estoy de nuevo. ¿Qué más puedo hacer por usted?",
        time_up="Lo siento, solo nos queda medio minuto.",
        unsure=("Lo siento, no lo sé.", "Lo siento, no tengo respuesta a eso."),
        prompt="Atiendes el teléfono. Responde en español, con brevedad y amabilidad, y no digas "
        "nada que no sepas.",
        hint="Lo que el agente dice y sabe: un cambio vale desde la próxima llamada.",
    ),
    "fr": Texts(
        greeting="Bonjour, vous êtes chez NAME. Comment puis-je vous aider ?",
        of_nobody="Bonjour, comment puis-je vous aider ?",
        ask="Quand êtes-vous ouverts ?",
        answer="Nous sommes ouverts du lundi au vendredi, de neuf heures à dix-sept heures.",
        goodbye="Merci de votre appel. Au revoir.",
        apology="Excusez-moi, j'ai perdu le fil. Pouvez-vous répéter ?",
        fillers=("Un instant, s'il vous plaît.", "Je cherche encore.", "Merci de patienter."),
        still_there="Êtes-vous toujours là ?",
        returned="Me revoilà. Que puis-je faire d'autre pour vous ?",
        time_up="Je suis désolé, il ne nous reste qu'une demi-minute.",
        unsure=("Je suis désolé, je ne sais pas.", "Je n'ai malheureusement pas la réponse."),
        prompt="Tu réponds au téléphone. Réponds en français, brièvement et aimablement, et ne dis "
        "rien que tu ne saches.",
        hint="Ce que l'agent dit et sait : une modification vaut dès l'appel suivant.",
    ),
    "it": Texts(
        greeting="Buongiorno, risponde NAME. Come posso aiutarla?",
        of_nobody="Buongiorno, come posso aiutarla?",
        ask="Quando siete aperti?",
        answer="Siamo aperti dal lunedì al venerdì, dalle nove alle diciassette.",
        goodbye="Grazie per aver chiamato. Arrivederci.",
        apology="Mi scusi, ho perso il filo. Può ripetere?",
        fillers=("Un momento, per favore.", "Sto ancora cercando.", "Grazie per l'attesa."),
        still_there="È ancora in linea?",
        returned="Eccomi di nuovo. Cos'altro posso fare per lei?",
        time_up="Mi dispiace, ci resta solo mezzo minuto.",
        unsure=("Mi dispiace, non lo so.", "Purtroppo non ho una risposta."),
        prompt="Rispondi al telefono. Rispondi in italiano, in modo breve e gentile, e non dire "
        "nulla che non sai.",
        hint="Ciò che l'agente dice e sa: una modifica vale dalla chiamata successiva.",
    ),
}
"""By primary subtag."""

REGIONS = {"en": "en-US", "de": "de-DE", "es": "es-ES", "fr": "fr-FR", "it": "it-IT"}
"""Where voices that have a region in their name come from."""

AURA = {"de": "viktoria", "es": "celeste", "fr": "agathe", "it": "livia"}
"""A voice of Deepgram's for each language (developers.deepgram.com/docs/tts-models)."""


def _english(language: str) -> Options | None:
    return {} if language == "en" else None


def _named(language: str) -> Options:
    return {} if language == "en" else {"language": language}


def _several(language: str) -> Options:
    return {} if language == "en" else {"languages": [language]}


OPTIONS: Mapping[tuple[Stage, str], Callable[[str], Options | None]] = {
    ("stt", "moonshine"): _english,
    ("stt", "assemblyai"): _several,
    ("stt", "cartesia"): lambda one: (
        {} if one == "en" else {"model": "ink-whisper", "language": one}
    ),
    ("stt", "cartesia-turns"): _english,
    ("stt", "deepgram"): _named,
    ("stt", "deepgram-flux"): lambda one: (
        {} if one == "en" else {"model": "flux-general-multi", "languages": [one]}
    ),
    ("stt", "elevenlabs"): _named,
    ("stt", "openai"): lambda one: {"language": one},
    ("stt", "openai-realtime"): _named,
    ("llm", "lookup"): lambda one: {} if one in ("de", "en") else None,
    ("tts", "piper"): _english,
    ("tts", "cartesia"): _named,
    ("tts", "deepgram"): lambda one: {} if one == "en" else {"model": f"aura-2-{AURA[one]}-{one}"},
    ("tts", "google"): lambda one: (
        {} if one == "en" else {"voice": f"{REGIONS[one]}-Chirp3-HD-Kore"}
    ),
}
"""What a provider has to be told to have a language, one of :data:`TEXTS`; None: it cannot. Who is
not here finds out by itself."""


def options_for(stage: Stage, provider: str, language: str) -> Options | None:
    """Return what a provider is told, so that it has ``language``; None if it never has."""
    options = OPTIONS.get((stage, provider))
    return {} if options is None else options(language)


def file_name(name: str) -> str:
    """Return what an agent is called that answers for ``name``: letters, digits and hyphens."""
    letters = unicodedata.normalize("NFKD", name.replace("'", "").replace("’", ""))
    plain = re.sub("[^a-z0-9]+", "-", letters.encode("ascii", "ignore").decode().lower())
    return plain.strip("-")[:64].strip("-") or "agent"


def agent_file(name: str, tag: str) -> str:
    """Return an agent file.

    Args:
        name: Whom it answers for; ``""`` for nobody in particular.
        tag: Of the language, whose primary subtag is in :data:`TEXTS`.
    """
    texts = TEXTS[tag.partition("-")[0]]
    greeting = texts.greeting.replace("NAME", name) if name else texts.of_nobody
    fields: dict[str, object] = {
        "disclosure": example(tag),
        "greeting": greeting,
        "language": tag,
        "questions": [{"ask": [texts.ask], "answer": texts.answer}],
        "goodbye": texts.goodbye,
    }
    if texts is not ENGLISH:  # which are the defaults
        fields |= {
            "apology": texts.apology,
            "fillers": texts.fillers,
            "still_there": texts.still_there,
            "returned": texts.returned,
            "time_up": texts.time_up,
            "unsure": texts.unsure,
        }
    lines = (f"{name}: {_quoted(value)}" for name, value in fields.items())
    return "\n".join(["---", f"# {texts.hint}", *lines, "---", texts.prompt, ""])


DOES: Mapping[Stage, str] = {"stt": "who hears", "llm": "who thinks", "tts": "who speaks"}


def settings_file(
    agent: str, providers: Mapping[Stage, tuple[str, Options]], keys: Mapping[Stage, str]
) -> str:
    """Return the text of a ``voice-agent.toml``.

    Args:
        agent: The name of the agent file.
        providers: Who does each stage, and what they are told.
        keys: The variables that their keys are taken from; ``""`` if none is wanted.
    """
    lines = [
        "# `voice-agent settings` prints all that can be set here, `voice-agent check` says what",
        "# is wrong. A variable of the environment, or of a file .env in this folder, comes before",
        "# what stands here: VOICE_AGENT_SERVER__PORT=9000.",
        "",
        f'agent = "{agent}"  # prompts/{agent}.md answers',
    ]
    for stage, (provider, options) in providers.items():
        key = f"; its key is taken from {keys[stage]}" if keys[stage] else ""
        lines += ["", f"[{stage}]  # {DOES[stage]}{key}", f'provider = "{provider}"']
        if provider == "lookup":
            lines.append("# It says what stands in the agent file, and is no language model.")
        if options:
            given = ", ".join(f"{name} = {_quoted(value)}" for name, value in options.items())
            lines.append(f"options = {{ {given} }}")
    lines += [
        "",
        "[server]",
        'host = "127.0.0.1"  # 0.0.0.0 takes calls of other machines, which want a token',
        "port = 8080",
        "",
        "# For a Sinch number: its application in the dashboard has both, and public_url is where",
        "# Sinch reaches this service. Secrets may as well stand in .env.",
        "# [sinch]",
        '# public_url = "https://agent.example.com"',
        '# application_key = "..."',
        '# application_secret = "..."',
    ]
    return "\n".join([*lines, ""])


def _quoted(value: object) -> str:
    """Return texts, in lists or not, as YAML and TOML alike have them."""
    return json.dumps(value, ensure_ascii=False)
