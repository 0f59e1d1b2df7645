"""The languages in which questions are answered."""

from __future__ import annotations

from pipelines.providers.lookup.english import ENGLISH
from pipelines.providers.lookup.german import GERMAN

LANGUAGES = {"de": GERMAN, "en": ENGLISH}
"""By the primary subtag of the brief's language."""
