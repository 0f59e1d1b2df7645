"""What signs are called, by language: on keys, between numbers, between words."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace

from pipelines.text.languages.language import SpokenLanguage


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class SignNames:
    """Words for what is no word."""

    star: str
    hash: str
    """The keys of a telephone."""

    stars: str
    """Behind the number of them that a house has."""

    press: str
    """What is done with a key, before it; words as a regular expression, in any case."""

    for_key: str
    """What is said behind a key: "# to go on"; likewise."""

    keys: str
    """What the keys are called, and other signs are not; likewise."""

    less: str
    more: str
    at_most: str
    at_least: str
    equals: str
    unequal: str
    times: str
    """Between factors."""

    by: str
    """Between the sides of something."""

    divided: str
    plus_minus: str
    to_the_power: str
    squared: str
    cubed: str
    root: str
    infinite: str
    sharp: str
    """In the names of languages and notes: C#."""

    arrow: str
    """From one place or thing to another."""

    backslash: str
    section: str
    copyright: str
    ratio: str
    """Between the terms of a ratio, and in a score."""

    out_of: str
    """Before the most that a rating can be."""

    version: str
    times_ten: str
    """Before the power of ten: 1.5e6."""


# fmt: off
ENGLISH = SignNames(
    stars="star", star="star", hash="hash",
    press="press(?:ing)?|dial(?:l?ing)?|enter(?:ing)?|hit|push|key in|type|use",
    for_key="to|for|key|sign|button|when|if|and|or|followed",
    keys="(?:pound|hash|number|star)(?: key| sign|-key)?|asterisk",
    less="less than", more="more than", at_most="at most", at_least="at least", equals="equals",
    unequal="is not", times="times", by="by", divided="divided by", plus_minus="plus or minus",
    to_the_power="to the power of", squared="squared", cubed="cubed", root="the root of",
    infinite="infinity", sharp="sharp", arrow="to", backslash="backslash", section="section",
    copyright="copyright", ratio="to", out_of="out of", version="version",
    times_ten="times ten to the power of",
)
AMERICAN = replace(ENGLISH, hash="pound")
GERMAN = SignNames(
    stars="Sterne", star="Stern", hash="Raute",
    press=r"drück\w*|tipp\w*|wähl\w*|Tasten?|gib|geben Sie",
    for_key="um|für|zum|zur|Taste|Zeichen|wenn|und|oder|gedrückt|drücken|wählen",
    keys=r"(?:Raute|Stern|Gitter)(?:-?\w+)?|Doppelkreuz",
    less="weniger als", more="mehr als", at_most="höchstens", at_least="mindestens",
    equals="gleich", unequal="ungleich", times="mal", by="mal", divided="geteilt durch",
    plus_minus="plus minus", to_the_power="hoch", squared="zum Quadrat", cubed="hoch drei",
    root="Wurzel aus", infinite="unendlich", sharp="sharp", arrow="nach",
    backslash="umgekehrter Schrägstrich",
    section="Paragraf", copyright="Copyright", ratio="zu", out_of="von", version="Version",
    times_ten="mal zehn hoch",
)
SPANISH = SignNames(
    stars="estrellas", star="asterisco", hash="almohadilla",
    press=r"puls\w*|presion\w*|marqu\w*|marcar|oprim\w*|teclas?|teclee|digite|aprieta|apriete",
    for_key="para|si|y|o|tecla",
    keys="almohadilla|numeral|gato|asterisco|estrella",
    less="menos de", more="más de", at_most="como máximo", at_least="como mínimo",
    equals="igual a", unequal="distinto de", times="por", by="por", divided="entre",
    plus_minus="más menos", to_the_power="elevado a", squared="al cuadrado", cubed="al cubo",
    root="raíz de", infinite="infinito", sharp="sharp", arrow="a", backslash="barra invertida",
    section="sección", copyright="copyright", ratio="a", out_of="sobre", version="versión",
    times_ten="por diez elevado a",
)
FRENCH = SignNames(
    stars="étoiles", star="étoile", hash="dièse",
    press=r"appuy\w*|tap\w+|compos\w*|touches?|press\w*|fai(?:s|tes)|saisi\w*",
    for_key="pour|si|et|ou|puis|afin",
    keys="dièse|croisillon|étoile|astérisque",
    less="moins de", more="plus de", at_most="au plus", at_least="au moins",
    equals="égale", unequal="différent de", times="fois", by="sur", divided="divisé par",
    plus_minus="plus ou moins", to_the_power="puissance", squared="au carré", cubed="au cube",
    root="racine de", infinite="l'infini", sharp="sharp", arrow="à",
    backslash="barre oblique inverse",
    section="paragraphe", copyright="copyright", ratio="à", out_of="sur", version="version",
    times_ten="fois dix puissance",
)
ITALIAN = SignNames(
    stars="stelle", star="asterisco", hash="cancelletto",
    press=r"prem\w*|digit\w*|compon\w*|tast[oi]|schiacci\w*|selezion\w*",
    for_key="per|se|e|o|tasto",
    keys="cancelletto|asterisco|stelletta",
    less="meno di", more="più di", at_most="al massimo", at_least="almeno",
    equals="uguale a", unequal="diverso da", times="per", by="per", divided="diviso",
    plus_minus="più o meno", to_the_power="elevato a", squared="al quadrato", cubed="al cubo",
    root="radice di", infinite="infinito", sharp="sharp", arrow="a", backslash="barra rovesciata",
    section="paragrafo", copyright="copyright", ratio="a", out_of="su", version="versione",
    times_ten="per dieci elevato a",
)
# fmt: on

_NAMES: Mapping[str, SignNames] = {
    "en": ENGLISH, "de": GERMAN, "es": SPANISH, "fr": FRENCH, "it": ITALIAN
}  # fmt: skip


def sign_names(language: SpokenLanguage) -> SignNames:
    """Return what signs are called in ``language``; in the United States "#" is a pound."""
    return AMERICAN if language.code == "en" and language.month_first else _NAMES[language.code]
