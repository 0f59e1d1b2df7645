"""What Spanish, French and Italian have in common."""

from __future__ import annotations

from pipelines.text.languages.language import words


def noun_of_currency(name: str) -> str:
    """Return the noun of a currency's name: "dólar" of "dólar estadounidense"."""
    first, _, rest = name.partition(" ")
    return rest.partition(" ")[0] if first.startswith(("nuev", "nouv", "nuov")) else first


def ends_as_feminine(name: str) -> bool:
    """Return whether a Spanish or Italian name is feminine, by its noun and its adjective.

    "libra egipcia" is, "naira nigeriano" is not, and nor is "día".
    """
    words = name.split()
    if words[0] in _FEMININE:
        return True
    return (
        words[0].endswith(_ENDINGS)
        and words[0] not in _MASCULINE
        and not words[-1].endswith(("o", "os"))
    )


_ENDINGS = (
    "a", "as", "ción", "ciones", "sión", "siones", "dad", "dades", "tad", "tades", "tud",
    "zione", "sione", "gione", "tà", "tù", "trice",
)  # fmt: skip

_MASCULINE = words(
    """día días problema problemas programa programas sistema sistemas tema temas idioma idiomas
    mapa mapas planeta clima poema programma pianeta cinema"""
)
"""Of those that end like that."""

_FEMININE = words(
    """noche noches notte notti vez veces mano manos clase clases calle llave llaves parte partes
    tarde foto señal imagen imágenes red ley flor luz chiave classe voce carne nave mail email
    opzione"""
)
