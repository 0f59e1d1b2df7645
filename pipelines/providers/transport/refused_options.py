"""Which part of a request a language model's server does not take, from how it says so.

Each pattern stands beside a server that says so, or its words. A blank in it is any run of up to
four characters that are neither letters nor digits: quotes, underscores and commas, too.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping

SYSTEM = "a system message"
"""An option that has no name: that the prompt is a message of its own."""

TOOLS = "tools"
"""An option that is told by what is said of it: that the model is told of tools. A tool that is
described wrongly (``tools.0``) is a mistake of ours, and no reason to go without."""

THINKING_LEVEL = "thinkingLevel"
"""Gemini's name of how much its model thinks; it is refused in several spellings."""

EFFORT = "output_config"
"""Anthropic's name of what has the effort in it."""

_NAMING = (400, 404, 422)
"""Statuses of a request that has a field in it which the server does not take."""

_MEANING = (*_NAMING, 500, 501)
"""The same for what is told without a name: llama.cpp says 500 of what the template of a model
refuses. The text of a 500 may quote the whole request, so that a name in it means nothing."""

_NOT = r"(?:not|\w{1,6}n t|never)"  # isn't
_NO = r"(?:not|\w{1,6}n t|\bno)"
_TAKE = "(?:support|enabled?|allow|accept|permit|available|implement)"
_STRANGE = "(?:unknown|unrecogni[sz]ed|unsupported|unexpected|extra|additional)"
_TURN = "(?:role|messages?|prompts?|instructions?)"
_USE = "(?:tools?|functions?)(?: (?:use|usage|calls?|calling|choice|support|param(?:eter)?s?))?"

_OTHER_NAMES: Mapping[str, tuple[str, ...]] = {
    "stream_options": ("include usage",),
    THINKING_LEVEL: ("thinking (?:config|budget)",),
    EFFORT: ("effort",),
}
"""Of fields, besides their own in any spelling (``stream_options``, ``streamOptions``, ``Stream
options``), which count for all but those that have no name."""

_MEANT: Mapping[str, tuple[str, ...]] = {
    "reasoning_effort": (
        rf"{_NOT} {_TAKE}.{{0,20}} (?:thinking|reasoning)\b",  # Ollama: "m" does not support
        "think value",  # Ollama: think value "low" is not supported for this model
        rf"(?:thinking|reasoning) (?:is|are) {_NOT} {_TAKE}",  # thinking is not supported
    ),
    SYSTEM: (
        rf"\bsystem {_TURN}.{{0,20}} (?:{_NOT}|unsupp)",  # templates of Gemma
        rf"{_NO} (?:{_TAKE}(?:s|ed)? )?(?:the |a |any )?\bsystem\b",  # no system message allowed
        rf"{_TURN}.{{0,20}} \bsystem\b.{{0,40}} (?:{_NOT}|{_STRANGE}|invalid)",  # OpenAI: o1-mini
        rf"(?:{_STRANGE}|invalid).{{0,40}} role.{{0,12}} \bsystem\b",  # Invalid role: system
        rf"{_STRANGE}.{{0,40}} \bsystem\b.{{0,12}} (?:role|message)",  # unknown system role
        "roles must alternate",  # Llama 2's template, Gemma's, Mistral's
        "only user.{0,40} roles",  # templates of Hugging Face
        "(?:first message|conversations?) must (?:be from|start with|begin with)"
        " (?:a |the )?user",  # templates of Mistral; Bedrock: a user prompt
        rf"(?:developer|system) instruction.{{0,20}} {_NOT} (?:enabled|supp)",  # Gemini, of Gemma
        r"input should be user (?:or )?(?:assistant|model)(?! (?:or )?(?:system|developer))",
    ),
    TOOLS: (
        rf"{_NOT} (?:\w+ )?{_TAKE}.{{0,20}} \b{_USE}\b",  # Ollama: does not support tools
        rf"\b{_USE} (?:(?:is|are) )?(?:(?:currently|yet) )?(?:{_NOT} {_TAKE}|disabled|unsupp)",
        "(?:support|enable)s? (?:the )?(?:tool|function) (?:use|call)",  # OpenRouter: No endpoints
        rf"(?:{_NOT}|unable to) use (?:tools?|functions?)\b",  # cannot use tools
        rf"{_NO} (?:have |has )?(?:(?:support for )?(?:tool|function) (?:use|call\w*)"
        " )(?:capab|support|abilit|feature)",  # does not have tool calling capabilities
        "tools param(?:eter)? requires",  # llama.cpp: tools param requires --jinja flag
        "tool choice requires",  # vLLM: requires --enable-auto-tool-choice
        rf"{_STRANGE}.{{0,40}} \btools\b(?! \d)",  # Unrecognized request argument: tools
        rf"\btools\b(?! \d).{{0,40}} (?:extra (?:inputs|fields)|{_NOT} permitted|{_STRANGE})",
    ),
}
"""How servers say it of what has no name, or without its name."""

_ITEM = r"[\\`'\"]*[\w.-]+[\\`'\"]*"

_LISTED = re.compile(
    r"""(?: expected \s one \s of | (?<! not \s ) (?<! n't \s ) \b
            (?: supported | allowed | valid | accepted | known | permitted | available | expected )
            \s (?: field | param | key | argument | option | propert | name ) \w*
            (?: \s (?: are | is ) \b )?
        ) [\s:\[(]*"""
    rf"{_ITEM} (?: \s? , \s? (?: (?: or | and ) \s )? {_ITEM} | \s (?: or | and ) \s {_ITEM} )*",
    re.IGNORECASE | re.VERBOSE,
)
"""What a server lists as taken, which names what is not refused."""


def _pattern(words: str) -> str:
    return words.replace(" ", r"[\W_]{1,4}")


def _spelled(name: str) -> str:
    """Return a pattern of a field's name, however it is spelled."""
    parts = re.sub("([a-z])([A-Z])", r"\1_\2", name).split("_")
    return r"[ _.-]?".join(parts)


def _either(patterns: Collection[str]) -> re.Pattern[str]:
    return re.compile("|".join(map(_pattern, patterns)), re.IGNORECASE | re.DOTALL)


_SAID = {option: _either(patterns) for option, patterns in _MEANT.items()}


def refused_options(status: int, said: str, options: Collection[str]) -> frozenset[str]:
    """Return which of ``options`` a server refuses.

    Args:
        status: Of its answer.
        said: Its own words. What it lists as taken is not looked at.
        options: What the request can do without: names of fields, or :data:`SYSTEM`.
    """
    said = _LISTED.sub(" ", said)
    found = set()
    for option in options:
        meant = _SAID.get(option)
        by_name = status in _NAMING and option not in (SYSTEM, TOOLS)
        if (by_name and _names(option, said)) or (
            status in _MEANING and meant and meant.search(said)
        ):
            found.add(option)
    return frozenset(found)


def _names(option: str, said: str) -> bool:
    names = "|".join((_spelled(option), *map(_pattern, _OTHER_NAMES.get(option, ()))))
    return bool(re.search(rf"(?<![\w-])(?:{names})(?![\w-])", said, re.IGNORECASE))
