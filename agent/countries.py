"""Groups of countries that one law holds for."""

from __future__ import annotations

EU = "EU"
"""Names all countries of :data:`EEA`, beside those that are named by themselves."""

_MEMBERS = "AT BE BG CY CZ DE DK EE ES FI FR GR HR HU IE IT LT LU LV MT NL PL PT RO SE SI SK"
_BESIDE = "IS LI NO"
_REGIONS = "AX GF GP MF MQ RE YT"

EEA = frozenset(f"{_MEMBERS} {_BESIDE} {_REGIONS}".split())
"""The member states of the European Union; the others of the European Economic Area; and those
regions of members that have telephone codes of their own and in which the law of the Union holds
(Article 355 of its Treaty)."""
