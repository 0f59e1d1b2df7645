"""What begins with a bracket, or is a call: Mistral's tokens, citations, JSON, ``name(…)``."""

from __future__ import annotations

import re

from pipelines.text.markers.angle import REASONED, stands_last
from pipelines.text.markers.marker import PARTIAL, Effect, Marker, Reading

# Words in brackets, [NAME]: Mistral, Llama 2

_BRACKET = re.compile(
    r"\[(/?)(TOOL_CALLS|TOOL_RESULTS|TOOL_CONTENT|SYSTEM_PROMPT|AVAILABLE_TOOLS|INST|ARGS"
    r"|(?:THINK|THOUGHT|REASON|think|thought|reason)(?:ING|ing)?|CALL_ID|PAD|UNK|CLS|SEP|MASK|BOS|EOS|EOT|END|DONE|STOP|gMASK|IMG)\]"
)
_BRACKETS_OVER = {
    name: re.compile(rf"\[/{name}\]")
    for name in ("TOOL_RESULTS", "TOOL_CONTENT", "AVAILABLE_TOOLS", "SYSTEM_PROMPT")
}
_TURN_ENDS = ("INST", "EOS", "EOT", "END", "DONE", "STOP")
_LAST_ONLY = ("END", "DONE", "STOP", "EOS", "EOT")
"""Words, too, if more follows in the line."""

_MINIMAX_OVER = re.compile(r"\[e~\[")
_MINIMAX_BEGUN = re.compile(r"\[(?:e~?)?")
_ACT = re.compile(r"\[(?:tool: ?\w{1,64}|[a-z]+(?:_[a-z]+)+)\]")
_BRACKET_BEGUN = re.compile(r"\[/?[A-Za-z_]{0,15}")
_MISTRAL_CALL = re.compile(
    r"\s*+[\w.-]{0,64}(?:\[CALL_ID\]\w*+)?(?:\[ARGS\])?\s*+(?=\{|\[\s*[^A-Z\s])"
)
_MISTRAL_BEGUN = re.compile(r"\s*+[\w.-]{0,64}(?:\[[A-Z_]*\]?\w{0,64}){0,4}\s*+")
_CITATION = re.compile(
    r"\[(?:\d{1,3}(?:[,;–-] ?\d{1,3}){0,9}|\^[\w-]{1,20}|(?:oaicite|citation|cite|source|doc|ref)s?"
    r"[: ]\s?[\w, -]{1,20})\]"
)
_CITATION_BEGUN = re.compile(
    r"\[(?:\d[\d,;– -]{0,30}|\^[\w-]{0,20}|[a-z]{1,8}(?:[: ][\w, -]{0,21})?)?"
)

_REFERENCE = re.compile(r":contentReference\[oaicite:\d+\]\{index=\d+\}")
_REFERENCE_BEGUN = re.compile(
    r":(?:c[A-Za-z]{0,15}(?:\[[a-z]*(?::\d*)?\]?(?:\{[a-z]*(?:=\d*)?)?)?)?"
)

# Calls that are bare text

_CALL_KEYS = frozenset(
    """name function tool tool_name function_name recipient_name action type thought tool_calls
    tool_uses     function_call arguments parameters id call tool_call""".split()  # noqa: SIM905
)
_JSON = re.compile(r"(?:\[\s*+)?\{\s*+[\"'](\w*+)([\"']?)")
_JSON_BEGUN = re.compile(r"\[\s*+(?:\{\s*+)?|\{\s*+")
LONGEST_NAME = 64
"""Characters in the name of a function, as providers limit it."""

_NAME = "[A-Za-z_][A-Za-z0-9_.]*+"
_CALL = re.compile(
    rf"\[?\s*+(?:{_NAME}(?::\d++)?)(?=\{{\s*+[\"'}}]|\(\s*+(?:\)|\{{|{_NAME}\s*+[=(](?!=)))"
    rf"|(?=[A-Za-z.]*_|functions\.)(?:{_NAME})(?=\(\s*+[\"'\d\[])"
)
_CALL_BEGUN = re.compile(rf"\[?\s*+{_NAME}(?::\d*+)?(?:\{{\s*+|\(\s*+(?:{_NAME}\s*+)?)?|\[\s*+")
_WORD_CITATION = re.compile(r"(?:file|nav)?cite(?:turn\d+[a-z]+\d+)+", re.IGNORECASE)

_NAMES_A_TOOL = re.compile(
    r"[\"'](?:name|function|tool|tool_name|function_name|recipient_name|action)[\"']\s*:\s*[\"'{]"
)
_BROKEN_OFF = re.compile(r"[\w.-]*+(?:\Z|[\"'])|\s*+(?:\Z|[\"'])")
_HAS_ARGUMENTS = re.compile(
    r"[\"'](?:(?:(?:tool|function|action)_)?(?:arguments|parameters|args|input|params)|kwargs)[\"']"
    r"\s*:"
)
_IS_A_CALL = re.compile(
    r"[\"']type[\"']\s*:\s*[\"'](?:function|tool_use|tool_call|function_call)[\"']"
    r"|[\"'](?:tool_calls|tool_uses|function_call|tool_call)[\"']\s*:\s*[\[{]"
    r"|^[\[\s]*\{\s*[\"'](?:name|tool|function|action)[\"']\s*:\s*[\"']\w+_\w+[\"']\s*\}"
)


def is_call(text: str, *, whole: bool) -> bool:
    """Return whether a JSON text calls a tool; one that broke off does if it begins with a name."""
    if not whole and (begun := _NAMES_A_TOOL.search(text, 0, 40)):
        return _BROKEN_OFF.match(text, begun.end()) is not None
    named = _NAMES_A_TOOL.search(text) and _HAS_ARGUMENTS.search(text)
    return bool(named or _IS_A_CALL.search(text))


def read_bracket(text: str, at: int) -> Reading:
    """Read what begins with ``[``: a token, a call, what refers to a source."""
    if found := _BRACKET.match(text, at):
        return _in_brackets(text, found)
    for read in (read_json, read_call, _read_act):
        if reading := read(text, at):
            return reading
    if (found := _CITATION.match(text, at)) and _stands_close(text, at):
        return Marker(end=found.end())
    if found is None and (begun := _CITATION_BEGUN.fullmatch(text, at)):
        return PARTIAL if not begun[0][1:2].isdigit() or _stands_close(text, at) else None
    return PARTIAL if _BRACKET_BEGUN.fullmatch(text, at) else None


def _read_act(text: str, at: int) -> Reading:
    """Read a call by its name alone, if nothing follows in its line; or the end of a turn."""
    if found := _MINIMAX_OVER.match(text, at):
        return Marker(end=found.end(), space="\n")
    among_words = text[:at].rstrip(" ")[-1:].isalnum()
    if (found := _ACT.match(text, at)) and (found[0][5] == ":" or not among_words):
        last = True if found[0][5] == ":" else stands_last(text, found.end())
        whole = Marker(end=found.end(), kind="tool call", space="\n")
        return PARTIAL if last is None else whole if last else None
    return PARTIAL if _MINIMAX_BEGUN.fullmatch(text, at) else None


def _stands_close(text: str, at: int) -> bool:
    """Return whether something stands behind words, as what refers to a source does.

    A number stands close behind a letter or the end of a sentence; a name behind any word.
    """
    before = text[at - 1]
    if text[at + 1].isalpha():
        return before != "\n"
    return text[at + 1] == "^" or before.isalpha() or before in ".,!?;)]%"


def _in_brackets(text: str, found: re.Match[str]) -> Reading:
    end, closes, name = found.end(), bool(found[1]), found[2]
    if name.upper().startswith(("THINK", "THOUGHT", "REASON")):
        effect: Effect = "anew" if closes else "skip"
        words = name.islower()
        return Marker(end=end, kind="reasoning", effect=effect, until=REASONED, may_be_words=words)
    last = stands_last(text, end) if name in _LAST_ONLY else True
    among_words = text[: found.start()].rstrip(" ")[-1:].isalnum()
    if not last or (name == "INST" and not closes and among_words):
        return PARTIAL if last is None else None
    if name == "TOOL_CALLS" and not closes:
        if call := _MISTRAL_CALL.match(text, end):
            return Marker(end=call.end(), kind="tool call", effect="call", space="\n")
        return PARTIAL if _MISTRAL_BEGUN.fullmatch(text, end) else Marker(end=end)
    if name in _BRACKETS_OVER and not closes:
        return Marker(end=end, kind="tool call", effect="skip", until=_BRACKETS_OVER[name])
    effect = "over" if name == "INST" and not closes else "gone"
    return Marker(end=end, effect=effect, space="\n" if name in _TURN_ENDS else "")


def read_json(text: str, at: int) -> Reading:
    """Read what may be a call in JSON; whether it is one is known at its end."""
    found = _JSON.match(text, at)
    if found is None:
        return PARTIAL if _JSON_BEGUN.fullmatch(text, at) else None
    key, whole = found[1], bool(found[2])
    if whole:
        return Marker(end=at, kind="tool call", effect="balance") if key in _CALL_KEYS else None
    if found.end() < len(text):
        return None
    return PARTIAL if any(known.startswith(key) for known in _CALL_KEYS) else None


def read_call(text: str, at: int) -> Reading:
    """Read the call of a function, by its name; or the name of a source."""
    if found := _WORD_CITATION.match(text, at):
        return Marker(end=found.end()) if found.end() < len(text) else PARTIAL
    if found := _CALL.match(text, at):
        sure = "_" in found[0] or ":" in found[0]
        end = at if text[at] == "[" or not sure else found.end()
        called: Effect = "call" if sure else "closed"
        space = "\n" if sure else ""
        return Marker(end=end, kind="tool call", effect=called, space=space)
    begun = _CALL_BEGUN.match(text, at)
    return (
        PARTIAL if begun and begun.end() == len(text) and begun.end() - at < LONGEST_NAME else None
    )


def read_colon(text: str, at: int) -> Reading:
    """Read a reference to a source that begins with one."""
    if found := _REFERENCE.match(text, at):
        return Marker(end=found.end())
    return PARTIAL if _REFERENCE_BEGUN.fullmatch(text, at) else None
