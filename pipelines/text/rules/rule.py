"""What a rule is."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass, field

from pipelines.text.languages.language import SpokenLanguage
from pipelines.text.replacements import Replacement


@dataclass(frozen=True, slots=True)
class Rule:
    """What is looked for in a text, and how it is read out.

    It sees what the rules before it left, and at most a piece of the text at once
    (:data:`pipelines.text.speakable.PIECE`). Its pattern should look at that once: a call waits.
    """

    pattern: str | Callable[[SpokenLanguage], str]
    """A regular expression, or what makes one of a language's words."""

    read: Callable[[re.Match[str], SpokenLanguage], str]
    """Returns what stands in the place of what was found."""

    only: tuple[str, ...] = field(default=(), kw_only=True)
    """Codes of the languages that it is for; empty if it is for all."""

    def is_for(self, language: SpokenLanguage) -> bool:
        """Return whether texts of ``language`` are read by it."""
        return not self.only or language.code in self.only

    def for_language(self, language: SpokenLanguage) -> Replacement:
        """Return what it does to texts of ``language``."""
        pattern = self.pattern if isinstance(self.pattern, str) else self.pattern(language)
        return re.compile(pattern), lambda found: self.read(found, language)
