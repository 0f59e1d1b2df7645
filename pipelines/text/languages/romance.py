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
        words[0].endswith(("a", "as"))
        and not words[0].startswith("día")
        and not words[-1].endswith(("o", "os"))
    )


_FEMININE = words("noche noches unidad unidades notte notti")
