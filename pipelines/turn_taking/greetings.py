"""What people say as they pick up, or to greet: "Hello?", "Smith speaking", "Who is this?"."""

from __future__ import annotations

from pipelines.turn_taking.annotations import words_of
from pipelines.turn_taking.words_by_language import spoken_words, words_in

MOST_OF_A_NAME = 3
"""Words: "Acme Plumbing Limited"."""


def is_greeting(text: str, language: str, *, picked_up: bool = False) -> bool:
    """Return whether ``text`` is nothing but greetings, as said over the beginning of ours.

    Args:
        text: A transcript; case and punctuation do not matter.
        language: BCP 47 tag.
        picked_up: Whether whoever says it was called, and picks up: then they may say their name,
            or that of their firm, in up to three words.
    """
    known = words_in(language)
    said = " ".join(spoken_words(words_of(text)))
    if not said:
        return False
    rest = said if known is None else known.greetings.sub("", said).strip()
    if not rest or not picked_up:
        return not rest
    if known is None:
        return len(rest.split()) <= MOST_OF_A_NAME
    if before := known.introduces.match(rest):
        name = rest[before.end() :]
    else:
        name = known.introduced.sub("", rest)
    return len(name.split()) <= MOST_OF_A_NAME and not known.wants.search(name)
