"""What a reply begins with that is no part of it: the speaker's name, reasoning by its name."""

from __future__ import annotations

import re

from pipelines.text.markers.marker import PARTIAL, Marker, Reading

_SPACE = re.compile(r"\s++")
_SPEAKER = re.compile(
    r"(?i:(?:\#{1,4}[ ]?)?(?:(?:ai )?assistant|final answer)[ \t]*:\s*+|assistant[ \t]*\n\s*+)"
    r"|\#{1,4}[ ]?Response[ ]?:\s*+|(?i:ai|chatbot|bot)[ \t]*:\s*+(?![a-zß-ÿ]|\Z)|final(?=[A-Z])"
)
_LABELLED = (
    # gpt-oss, from a server that drops the tokens and keeps what stands between them
    (
        re.compile(r"analysis(?=[A-Z])|commentary(?=[A-Z]|\s*to=)"),
        re.compile(r"assistantfinal|assistant\s*<\|channel\|>final"),
    ),
    (
        re.compile(r"analysis<\|message\|>"),
        re.compile(r"<\|(?:end|return)\|>|(?=<\|(?:start|channel)\|>)"),
    ),
    (re.compile(r"(?i:thought)[ \t]*:"), re.compile(r"(?:Final )?Answer[ \t]*:\s*+")),  # ReAct
    (
        re.compile(r"(?i:here(?: is|['’]s) my thought process)\s*:"),  # Granite
        re.compile(r"(?i:here(?: is|['’]s) my response)\s*:\s*+"),
    ),
)
_NAME_ALONE = re.compile(r"(?i:ai|chatbot|bot)[ \t]*:\s*+\Z")

_MAY_BE_WORDS = ("t", "T", "h", "H")
"""How labels begin that somebody may say."""

_LABELS: tuple[str, ...] = (
    "assistant:",
    "ai assistant:",
    "ai:",
    "chatbot:",
    "bot:",
    "assistant :",
    "assistant\n",
)
_LABELS += tuple(
    f"{signs}{name}:"
    for signs in ("#", "##", "###", "####", "# ", "## ", "### ", "#### ")
    for name in ("assistant", "response")
)
_LABELS += (
    "final answer:",
    "final answer :",
    "analysis<|message|>",
    "analysis-",
    "commentary to=",
    "commentary-",
    "final-",
    "thought:",
    "thought :",
)
_LABELS += tuple(f"here{verb} my thought process:" for verb in (" is", "'s", "’s"))


def read_label(text: str, at: int) -> Reading:
    """Read the name of the speaker, or of what comes first, at the beginning of a reply."""
    if space := _SPACE.match(text, at):
        at = space.end()
    if found := _SPEAKER.match(text, at):
        return Marker(end=found.end())
    for label, until in _LABELLED:
        if found := label.match(text, at):
            words = text[at] in _MAY_BE_WORDS
            end = found.end()
            return Marker(end=end, kind="reasoning", effect="skip", until=until, may_be_words=words)
    begun = text[at : at + 30].lower()
    if begun and any(label.startswith(begun) for label in _LABELS):
        return PARTIAL
    return PARTIAL if _NAME_ALONE.match(text, at) else None
