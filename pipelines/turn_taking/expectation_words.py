"""How questions are put, by language: what tells a "yes or no" from a number from a spelling.

Patterns are matched with a sentence in lower case, without punctuation, its words a space apart.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from pipelines.turn_taking.words_by_language import primary

TELEPHONE = tuple(range(7, 12))
"""Digits of a telephone number as it is dictated, from a local one to one with its area code."""

PIN = (4, 5, 6)
CARD = (15, 16)
"""American Express has 15."""

UNKNOWN = ()
"""Some number: nobody knows beforehand how many digits it has."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Questions:
    """How questions are put in one language."""

    open: re.Pattern[str]
    """Words that ask for more than yes or no."""

    polar: re.Pattern[str]
    """The beginning of a question that yes or no answers."""

    tag: re.Pattern[str]
    """The end of one: "..., is that right"."""

    either: re.Pattern[str]
    """Offers a choice: no yes-or-no question after all."""

    request: re.Pattern[str]
    """Asks for something to be said: "could you give me", "please enter"."""

    spelling: re.Pattern[str]
    numbers: Sequence[tuple[re.Pattern[str], tuple[int, ...]]]
    """What a number is called, and how many digits it has; the first that is found counts."""

    counted: re.Pattern[str]
    """How many digits there are, in so many words: its group is one of ``counts``, or digits."""

    counts: Sequence[str]
    """The words for 1, 2, 3, ..., 12."""

    def is_tag(self, text: str) -> bool:
        """Return whether ``text`` ends by asking for a yes."""
        return bool(self.tag.search(text))

    def is_polar(self, text: str) -> bool:
        """Return whether ``text``, which is a question, is answered by yes or no."""
        return bool(self.polar.match(text)) and not (
            self.open.search(text) or self.either.search(text)
        )

    def digits_in(self, text: str) -> tuple[int, ...] | None:
        """Return how many digits the number has that ``text`` asks for; None if it asks for none.

        Empty is a number of unknown length.
        """
        if found := self.counted.search(text):
            word = found.group(1)
            count = int(word) if word.isdigit() else self.counts.index(word) + 1
            return (count,) if count else UNKNOWN
        return next((digits for name, digits in self.numbers if name.search(text)), None)


def _any(text: str) -> re.Pattern[str]:
    """Return what finds any of the words and phrases, one a line or divided by ``|``."""
    phrases = [one.strip() for line in text.splitlines() for one in line.split("|")]
    return re.compile(rf"\b(?:{'|'.join(one for one in phrases if one)})\b")


def _last(text: str) -> re.Pattern[str]:
    """Return what finds any of them at the end."""
    return re.compile(rf"(?:^|\s)(?:{'|'.join(one.strip() for one in text.split('|'))})$")


def _unless_named(its: str, things: str, verbs: str, please: str) -> re.Pattern[str]:
    """Return what finds any question but one that only names something: "And your name, please?".

    For languages that tell a question for yes or no by its melody alone.

    Args:
        its: Possessives, and "and" if it may come before.
        things: What is asked for by its name alone, its article included.
        verbs: With one of these it is a whole question: "Is your order ready?".
        please: What may come behind.
    """
    word = rf"(?!(?:{verbs}|{please})\b)[\w']+"
    named = rf"(?:(?:{its}) {word}(?: {word}){{0,3}}|(?:\w+ )?(?:{things})(?: {word})?)"
    return re.compile(rf"(?!{named}(?: (?:{please}))?$).")


def _counted(counts: str, digits: str) -> tuple[re.Pattern[str], tuple[str, ...]]:
    words = tuple(counts.split())
    return re.compile(rf"\b({'|'.join(words)}|\d{{1,2}})\s*{digits}"), words


_EN, _EN_COUNTS = _counted(
    "one two three four five six seven eight nine ten eleven twelve", r"digits?\b"
)
_DE, _DE_COUNTS = _counted(
    "ein zwei drei vier fünf sechs sieben acht neun zehn elf zwölf", r"(?:stellig|ziffern\b)"
)
_ES, _ES_COUNTS = _counted(
    "un dos tres cuatro cinco seis siete ocho nueve diez once doce", r"(?:dígitos?|cifras?)\b"
)
_FR, _FR_COUNTS = _counted(
    "un deux trois quatre cinq six sept huit neuf dix onze douze", r"chiffres?\b"
)
_IT, _IT_COUNTS = _counted(
    "una due tre quattro cinque sei sette otto nove dieci undici dodici", r"cifr[ae]\b"
)

_PT, _PT_COUNTS = _counted(
    "um dois três quatro cinco seis sete oito nove dez onze doze", r"(?:dígitos?|algarismos?)\b"
)
_NL, _NL_COUNTS = _counted(
    "één twee drie vier vijf zes zeven acht negen tien elf twaalf", r"(?:cijferig\w*|cijfers?\b)"
)

_LANGUAGES: Mapping[str, Questions] = {
    "en": Questions(
        open=_any("what|what's|which|who|whose|where|when|why|how"),
        polar=re.compile(
            r"""(?:(?:and|so|or|okay|alright|now|well|then|just\ to\ (?:check|confirm))\ )*
            (?:is|isn't|are|aren't|was|were|do|don't|does|doesn't|did|didn't|have|haven't|has|had
            |shall|should|can|could|may|might|will|won't|would|wouldn't|must|am|any|anything)\b""",
            re.VERBOSE,
        ),
        tag=_last(
            "right|correct|is that right|is that correct|is that okay|is that ok|okay|ok|yes"
            "|isn't it|aren't you|don't you|won't you|or not|yes or no"
        ),
        either=re.compile(r"\bor\b(?! not\b)"),
        request=re.compile(
            r"""\b(?:(?:can|could|may|might|would|will)\ (?:i|we|you)\ (?:please\ |kindly\ |just\ )*
            (?:have|get|take|ask|give|tell|say|spell|repeat|provide|read|enter|dial|type|let|share
            |confirm|key)
            |would\ you\ mind|please\ (?:say|tell|give|enter|spell|provide|read|repeat|dial|type
            |state|key|confirm|let)|(?:tell|give)\ me|i(?:'ll|\ will)?\ (?:also\ |just\ )?need
            |i'd\ like\ to\ have|let\ me\ have)\b
            |^(?:(?:and|now|then|first|next)\ )*(?:say|enter|dial|spell|type|key|read)\b""",
            re.VERBOSE,
        ),
        spelling=_any("spell|spelled|spelling|spelt|letter by letter"),
        numbers=(
            (_any("pin|pins|pin code|passcode"), PIN),
            (_any("cvv|cvc|security code"), (3, 4)),
            (_any("zip|zip code"), (5,)),
            (_any("card number|credit card|debit card"), CARD),
            (_any("(?:phone|telephone|mobile|cell|callback|contact|fax) number"), TELEPHONE),
            (_any("number .*(?:call|reach|ring)"), TELEPHONE),
            (_any("(?:what|which|the|your) year|year of"), (4,)),
            (_any("date of birth|birth date|birthday"), UNKNOWN),
            (_any("number|code|numbers|digits"), UNKNOWN),
        ),
        counted=_EN,
        counts=_EN_COUNTS,
    ),
    "de": Questions(
        open=_any("was|wer|wem|wen|wo|wohin|woher|wann|warum|wieso|wie|welche[rsnm]?|womit|wofür"),
        polar=re.compile(
            r"""(?:(?:und|also|oder|gut|okay|dann)\ )*(?:sonst|noch|ist|sind|war|waren|haben|hat
            |hätten|soll
            |sollen|sollte|möchten|wollen|wünschen|darf|dürfen|dürfte|kann|können|könnten|wird
            |werden|würden|passt|stimmt|brauchen|braucht|gibt|geht|kennen|wissen|sagen|reicht
            |kommen|kommt|bleibt)\b""",
            re.VERBOSE,
        ),
        tag=_last("richtig|korrekt|oder|stimmt das|ist das richtig|ja|in ordnung|nicht wahr|okay"),
        either=re.compile(r"\boder\b(?! nicht\b)."),
        request=re.compile(
            r"""\b(?:bitte\b.*\b(?:sagen|nennen|geben|buchstabieren|wiederholen|eingeben|tippen)
            |(?:sagen|nennen|geben|buchstabieren|wiederholen|diktieren)\ sie
            |(?:können|könnten|würden|möchten)\ sie\b.*\b(?:sagen|nennen|geben|buchstabieren
            |wiederholen|durchgeben|mitteilen|verraten)|(?:darf|dürfte|kann|könnte)\ ich\b.*
            \b(?:haben|fragen|bekommen|erfahren)|ich\ (?:brauche|bräuchte|benötige))\b""",
            re.VERBOSE,
        ),
        spelling=_any(r"buchstabier\w*|buchstabe für buchstabe"),
        numbers=(
            (_any("pin|geheimzahl|pin-nummer"), PIN),
            (_any("prüfziffer|prüfnummer|sicherheitscode"), (3, 4)),
            (_any("postleitzahl|plz"), (5,)),
            (_any("kartennummer|kreditkartennummer"), CARD),
            (_any("telefonnummer|handynummer|rufnummer|mobilnummer|rückrufnummer"), TELEPHONE),
            (_any(r"(?:welche[ms]|das|ihr) jahr|jahrgang|baujahr|geburtsjahr"), (4,)),
            (_any("geburtsdatum|geburtstag"), UNKNOWN),
            (re.compile(r"\w*(?:nummer|code)\b"), UNKNOWN),
        ),
        counted=_DE,
        counts=_DE_COUNTS,
    ),
    "es": Questions(
        open=_any(
            "qué|que día|cuál|cuáles|cómo|cuándo|dónde|adónde|quién|quiénes|cuánto|cuánta|cuántos"
            "|cuántas|por qué"
        ),
        polar=_unless_named(
            "(?:y )?(?:su|tu)",
            "(?:la |el )?(?:nombre|apellidos?|dirección|teléfono|fecha|número)",
            "es|está|son|tiene|ha|era",
            "por favor",
        ),
        tag=_last("verdad|correcto|cierto|no|sí|de acuerdo|vale|es correcto|está bien|o no"),
        either=re.compile(r"\bo\b(?! no\b)"),
        request=re.compile(
            r"""\b(?:(?:puede|podría|puedes|podrías)\b.*\b(?:decir\w*|dar\w*|deletrear\w*|repetir\w*
            |indicar\w*|facilitar\w*|confirmarme)|(?:me\ (?:dice|da|dé|diga|indique|confirma)
            |dígame|deme
            |díganos|indíqueme|deletree|repita|marque|introduzca|teclee|necesito|necesitaría))\b""",
            re.VERBOSE,
        ),
        spelling=_any(r"deletre\w+|letra por letra"),
        numbers=(
            (_any("pin|clave"), PIN),
            (_any("código de seguridad|cvv|cvc"), (3, 4)),
            (_any("código postal"), (5,)),
            (_any("número de (?:la |su )?tarjeta|número de (?:la |su )?tarjeta de crédito"), CARD),
            (_any("teléfono|celular|móvil"), TELEPHONE),
            (_any("qué año|el año|año de"), (4,)),
            (_any("fecha de nacimiento"), UNKNOWN),
            (_any("número|código"), UNKNOWN),
        ),
        counted=_ES,
        counts=_ES_COUNTS,
    ),
    "fr": Questions(
        open=_any(
            "quel|quelle|quels|quelles|quoi|qu'est ce que|comment|quand|où|qui|combien|pourquoi"
            "|lequel|laquelle"
        ),
        polar=_unless_named(
            "(?:et )?(?:votre|ton|ta|vos)",
            "(?:le |la |l')?(?:nom|prénom|adresse|téléphone|date|numéro)",
            "est|sont|a|va|vous|convient|fonctionne",
            "s'il vous plaît|s'il te plaît",
        ),
        tag=_last("c'est ça|c'est bien ça|n'est ce pas|d'accord|correct|exact|oui|non|ou non"),
        either=re.compile(r"\bou\b(?! non\b| pas\b)"),
        request=re.compile(
            r"""\b(?:(?:pouvez|pourriez|voulez|voudriez)\ vous\b.*\b(?:donner|dire|épeler|répéter
            |indiquer|communiquer|préciser|confirmer)|(?:vous\ )?(?:pouvez|pourriez)\ (?:me\ )?
            (?:donner|dire|épeler|répéter)|puis\ je\ avoir|(?:donnez|dites|indiquez|confirmez)\ moi
            |me\ confirmez
            |(?:veuillez|merci\ de)\b.*\b(?:donner|dire|épeler|répéter|saisir|composer|entrer
            |indiquer)|épelez|j'ai\ besoin|j'aurais\ besoin|il\ me\ faut|il\ me\ faudrait)\b""",
            re.VERBOSE,
        ),
        spelling=_any(r"épel\w+|lettre par lettre"),
        numbers=(
            (_any("pin|code secret|code confidentiel"), PIN),
            (_any("cryptogramme|code de sécurité"), (3, 4)),
            (_any("code postal"), (5,)),
            (_any("numéro de (?:la |votre )?carte"), CARD),
            (_any("téléphone|portable|mobile"), TELEPHONE),
            (_any("quelle année|l'année|année de"), (4,)),
            (_any("date de naissance"), UNKNOWN),
            (_any("numéro|code"), UNKNOWN),
        ),
        counted=_FR,
        counts=_FR_COUNTS,
    ),
    "it": Questions(
        open=_any(
            "che cosa|cosa|quale|quali|qual|come|quando|dove|chi|quanto|quanta|quanti|quante|perché"
            "|che (?:giorno|ora|ore|tipo|anno|nome|numero)|in che|a che"
        ),
        polar=_unless_named(
            "(?:e )?(?:il|la|lo|i|le) (?:suo|sua|suoi|sue|tuo|tua)",
            "(?:il |la |l')?(?:nome|cognome|indirizzo|telefono|data|numero)",
            "è|sono|ha|va|era|funziona",
            "per favore|per piacere|per cortesia",
        ),
        tag=_last("giusto|corretto|vero|esatto|va bene|è corretto|è giusto|o no|sì"),
        either=re.compile(r"\bo(?:ppure)?\b(?! no\b)"),
        request=re.compile(
            r"""\b(?:(?:può|potrebbe|puoi|potresti)\b.*\b(?:dirmi|darmi|ripeter\w*|dettar\w*|dire
            |dare|indicar\w*|sillabar\w*|fornir\w*|compitar\w*|confermarmi)|far\w*\ lo\ spelling
            |mi\ (?:dica|dia|dice|dà|conferma
            |può\ dire|può\ dare|detti|indichi|serve|servirebbe|ripeta)|(?:digiti|inserisca|prego
            |sillabi|compiti)|ho\ bisogno|posso\ avere)\b""",
            re.VERBOSE,
        ),
        spelling=_any(r"spelling|sillab\w+|compit\w+|lettera per lettera"),
        numbers=(
            (_any("pin|codice segreto"), PIN),
            (_any("codice di sicurezza|cvv|cvc"), (3, 4)),
            (_any("codice postale|cap|codice di avviamento postale"), (5,)),
            (_any("numero (?:della|di|della sua) carta"), CARD),
            (_any("telefono|cellulare"), TELEPHONE),
            (_any("che anno|quale anno|l'anno|anno di"), (4,)),
            (_any("data di nascita"), UNKNOWN),
            (_any("numero|codice"), UNKNOWN),
        ),
        counted=_IT,
        counts=_IT_COUNTS,
    ),
    "pt": Questions(
        open=_any(
            "o que|(?:em|no|a|de|para) que|que (?:dia|hora|horas|ano|nome|número|tipo)|qual"
            "|quais|como|quando|onde|aonde|quem|quanto|quanta|quantos|quantas"
            "|por que|porque|porquê|quê"
        ),
        polar=_unless_named(
            "(?:e )?(?:o|a) (?:seu|sua|teu|tua)",
            "(?:o |a )?(?:nome|apelido|sobrenome|morada|endereço|telefone|número)",
            "é|está|são|tem|foi",
            "por favor|por gentileza",
        ),
        tag=_last("certo|correto|verdade|não é|né|está bem|tá bom|sim|ou não|pode ser|está certo"),
        either=re.compile(r"\bou\b(?! não\b)"),
        request=re.compile(
            r"""\b(?:(?:pode|poderia|podia|consegue)\b.*\b(?:dizer\w*|dar\w*|soletrar\w*
            |repetir\w*|informar\w*|indicar\w*|confirmar\ o|falar)
            |(?:me\ (?:diga|dê|diz|informe|fala)
            |diga\ me|dê\ me|soletre|repita|digite|marque|introduza|informe|preciso|precisava
            |precisaria))\b""",
            re.VERBOSE,
        ),
        spelling=_any(r"soletr\w+|letra por letra"),
        numbers=(
            (_any("pin|senha"), PIN),
            (_any("código de segurança|cvv|cvc"), (3, 4)),
            (_any("cep"), (8,)),
            (_any("código postal"), (7,)),
            (_any("cpf"), (11,)),
            (_any("número d[oe] (?:seu )?cartão"), CARD),
            (_any("telefone|celular|telemóvel"), TELEPHONE),
            (_any("que ano|o ano|ano de"), (4,)),
            (_any("data de nascimento"), UNKNOWN),
            (_any("número|código"), UNKNOWN),
        ),
        counted=_PT,
        counts=_PT_COUNTS,
    ),
    "nl": Questions(
        open=_any(
            "wat|wie|wiens|waar|waarheen|waarom|waarmee|wanneer|hoe|hoeveel|hoelang|welke?"
            "|waarover|waarvoor"
        ),
        polar=re.compile(
            r"""(?:(?:en|dus|of|goed|oké|dan)\ )*(?:is|zijn|was|waren|heeft|heb|hebt|hebben|zal
            |zullen
            |zou|zouden|wil|wilt|willen|mag|mogen|kan|kunt|kunnen|wordt|worden|klopt|komt|past|moet
            |moeten|gaat|bent|ben|doet|schikt|weet|kent)\b""",
            re.VERBOSE,
        ),
        tag=_last("toch|klopt dat|juist|correct|goed|ja|oké|hè|nietwaar|of niet|is dat goed"),
        either=re.compile(r"\bof\b(?! niet\b)."),
        request=re.compile(
            r"""\b(?:(?:kunt|kan|kun|zou|zoudt|wilt|wil)\ (?:u|je|ik)\b.*\b(?:zeggen|geven|noemen
            |spellen|herhalen|doorgeven|vertellen|hebben|vragen|invoeren)|mag\ ik\b.*
            \b(?:hebben|vragen|weten|noteren)|mag\ ik\ (?:uw|je)
            |(?:zegt|noemt|geeft|spelt|herhaalt|toetst)\ u|ik\ heb\b.*\bnodig)\b""",
            re.VERBOSE,
        ),
        spelling=_any(r"spel|spelt|spellen|letter voor letter"),
        numbers=(
            (_any("pin|pincode"), PIN),
            (_any("beveiligingscode|cvc"), (3, 4)),
            (_any("kaartnummer|creditcardnummer"), CARD),
            (_any("telefoonnummer|mobiele nummer|06-nummer"), (10,)),
            (_any("welk jaar|het jaar|bouwjaar|geboortejaar"), (4,)),
            (_any("geboortedatum"), UNKNOWN),
            (re.compile(r"\w*(?:nummer|code)\b"), UNKNOWN),
        ),
        counted=_NL,
        counts=_NL_COUNTS,
    ),
}
"""By primary language subtag."""


def questions_in(language: str) -> Questions | None:
    """Return how questions are put in a language; None if that is not known.

    Args:
        language: BCP 47 tag.
    """
    return _LANGUAGES.get(primary(language))
