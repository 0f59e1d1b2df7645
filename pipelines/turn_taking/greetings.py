"""What people say as they pick up, or to greet: "Hello?", "Smith speaking", "Who is this?"."""

from __future__ import annotations

import re
from collections.abc import Mapping

from pipelines.turn_taking.annotations import words_of

GREETINGS: Mapping[str, frozenset[str]] = {
    "en": frozenset(
        """
        hello hallo hullo hi hiya hey yes yeah yep yo speaking morning afternoon evening howdy
        """.split()  # noqa: SIM905 - a list that is read and edited
    )
    | {"good morning", "good afternoon", "good evening", "good day", "hi there", "hello there"}
    | {"hey there", "who is this", "whos this", "who is it", "who is calling", "whos calling"}
    | {"who is there", "whos there", "whos that", "who is speaking", "whos speaking"}
    | {"anybody there", "anyone there", "is anybody there", "is anyone there", "are you there"}
    | {"can you hear me", "how are you", "how can i help", "how can i help you", "can i help you"}
    | {"how may i help you", "may i help you", "what can i do for you", "who am i speaking to"}
    | {"who are you"},
    "de": frozenset(
        """
        hallo ja hi hey moin servus grüezi tag mahlzeit bitte apparat
        """.split()  # noqa: SIM905
    )
    | {"guten tag", "guten morgen", "guten abend", "grüß gott", "grüss gott", "wer ist da"}
    | {"wer ist dran", "wer spricht", "wer spricht da", "mit wem spreche ich", "ja bitte"}
    | {"hören sie mich", "ist da jemand", "sind sie da", "was kann ich für sie tun"}
    | {"wie kann ich helfen", "wie kann ich ihnen helfen", "wer sind sie", "am apparat"},
    "es": frozenset(
        """
        hola sí si diga dígame aló alo bueno oigo buenas mande
        """.split()  # noqa: SIM905
    )
    | {
        "buenos días",
        "buenas tardes",
        "buenas noches",
        "quién es",
        "quién habla",
        "de parte de quién",
    }
    | {
        "con quién hablo",
        "quién llama",
        "me escucha",
        "me oye",
        "hay alguien",
        "en qué puedo ayudarle",
    }
    | {"quién eres", "quién es usted"},
    "fr": frozenset(
        """
        allô allo bonjour bonsoir oui salut coucou
        """.split()  # noqa: SIM905
    )
    | {
        "qui est à lappareil",
        "qui est là",
        "cest qui",
        "qui êtes vous",
        "qui estce",
        "cest de la part de qui",
    }
    | {"vous mentendez", "il y a quelquun", "je vous écoute", "que puisje faire pour vous"},
    "it": frozenset(
        """
        pronto sì si ciao buongiorno buonasera salve dica
        """.split()  # noqa: SIM905
    )
    | {"chi è", "chi parla", "con chi parlo", "chi sei", "mi sente", "cè qualcuno", "mi dica"}
    | {"buon giorno", "buona sera", "come posso aiutarla"},
}
"""By primary language subtag: words, and phrases of them, without apostrophes and hyphens. They
are taken away from what was said, as often as they are there; a language that is not here has
none."""

NAMES: Mapping[str, re.Pattern[str]] = {
    "en": re.compile(r"(?:this is|my name is|im|its) (.+)|(.+) (?:speaking|here|residence)"),
    "de": re.compile(
        r"(?:hier ist|hier spricht|hier|mein name ist|ich bin) (.+)|(.+) (?:hier|am apparat)"
    ),
    "es": re.compile(r"(?:soy|habla|le habla|aquí|mi nombre es|me llamo) (.+)|(.+) al habla"),
    "fr": re.compile(r"(?:ici|cest|je suis|je mappelle) (.+)|(.+) à lappareil"),
    "it": re.compile(r"(?:sono|parla|mi chiamo|qui) (.+)|(.+) al telefono"),
}
"""How people say who they are, once greetings have been taken away."""

WANTS: Mapping[str, frozenset[str]] = {
    "en": frozenset(
        """
        no not dont cant wont stop wait hold busy wrong later never remove want need please help
        interested cancel call calling
        """.split()  # noqa: SIM905
    ),
    "de": frozenset(
        """
        nein nicht kein keine stopp stop moment warten falsch später nie will möchte brauche hilfe
        interesse
        """.split()  # noqa: SIM905
    ),
    "es": frozenset(
        """
        no pare espere espera ocupado ocupada equivocado nunca quiero necesito ayuda momento luego
        después
        """.split()  # noqa: SIM905
    ),
    "fr": frozenset(
        """
        non pas arrêtez stop attendez occupé occupée erreur jamais veux voudrais besoin aide moment
        plus tard
        """.split()  # noqa: SIM905
    ),
    "it": frozenset(
        """
        no non basta aspetti aspetta occupato occupata sbagliato mai voglio vorrei bisogno aiuto
        momento dopo
        """.split()  # noqa: SIM905
    ),
}
"""With one of these, a few words are no name: somebody wants something."""

MOST_OF_A_NAME = 3
"""Words: "Acme Plumbing Limited"."""

_APOSTROPHE = re.compile(r"['’]")
_JOINT = re.compile(r"[-‐‑]")
_WORD = re.compile(r"\w+")


def is_greeting(text: str, language: str, *, picked_up: bool = False) -> bool:
    """Return whether ``text`` is nothing but greetings, as said over the beginning of ours.

    Args:
        text: A transcript; case and punctuation do not matter.
        language: BCP 47 tag.
        picked_up: Whether whoever says it was called, and picks up: then they may say their name,
            or that of their firm, in up to three words.
    """
    language = language.partition("-")[0].lower()
    known = GREETINGS.get(language, frozenset())
    words = _WORD.findall(_JOINT.sub("", _APOSTROPHE.sub("", words_of(text).casefold())))
    if not words:
        return False
    rest = _without(words, known)
    if not rest or not picked_up:
        return not rest
    if (named := NAMES.get(language)) and (found := named.fullmatch(" ".join(rest))):
        rest = next(group for group in found.groups() if group).split()
    return len(rest) <= MOST_OF_A_NAME and not WANTS.get(language, frozenset()).intersection(rest)


def _without(words: list[str], known: frozenset[str]) -> list[str]:
    """Return ``words`` without the known phrases among them, the longest first."""
    left, at = [], 0
    while at < len(words):
        ends = range(min(len(words), at + 7), at, -1)
        end = next((end for end in ends if " ".join(words[at:end]) in known), at)
        if end == at:
            left.append(words[at])
        at = max(end, at + 1)
    return left
