"""What a reply begins with that is no part of it: the speaker's name, reasoning by its name."""

from __future__ import annotations

import re

from pipelines.text.markers.marker import PARTIAL, Marker, Reading

_SPACE = re.compile(r"\s++")
_SPEAKER = re.compile(
    r"(?i:(?:(?:ai )?assistant|ai|chatbot|bot)[ \t]*:\s*+|assistant[ \t]*\n\s*+)|final(?=[A-Z])"
)
_LABELLED = (
    # gpt-oss, from a server that drops the tokens and keeps what stands between them
    (
        re.compile(r"analysis(?=[A-Z])|commentary(?=[A-Z]|\s*to=)"),
        re.compile(r"assistantfinal|assistant\s*<\|channel\|>final"),
    ),
    (re.compile(r"(?i:thought)[ \t]*:"), re.compile(r"(?:Final )?Answer[ \t]*:\s*+")),  # ReAct
    (
        re.compile(r"(?i:here(?: is|['’]s) my thought process)\s*:"),  # Granite
        re.compile(r"(?i:here(?: is|['’]s) my response)\s*:\s*+"),
    ),
)
_LABELS: tuple[str, ...] = (
    "assistant:",
    "ai assistant:",
    "ai:",
    "chatbot:",
    "bot:",
    "assistant :",
    "assistant\n",
)
_LABELS += ("analysis-", "commentary to=", "commentary-", "final-", "thought:", "thought :")
_LABELS += tuple(f"here{verb} my thought process:" for verb in (" is", "'s", "’s"))


def read_label(text: str, at: int) -> Reading:
    """Read the name of the speaker, or of what comes first, at the beginning of a reply."""
    if space := _SPACE.match(text, at):
        at = space.end()
    if found := _SPEAKER.match(text, at):
        return Marker(end=found.end())
    for label, until in _LABELLED:
        if found := label.match(text, at):
            return Marker(end=found.end(), kind="reasoning", effect="skip", until=until)
    begun = text[at : at + 30].lower()
    return PARTIAL if begun and any(label.startswith(begun) for label in _LABELS) else None
