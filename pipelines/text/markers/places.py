"""What may stand at a place of a reply, by the character that it begins with."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping

from pipelines.text.markers.angle import CALLS, REASONED, REASONING, read_angle
from pipelines.text.markers.brackets import read_bracket, read_call, read_colon, read_json
from pipelines.text.markers.marker import PARTIAL, Marker, Reading

_THEIR_NAMES = ("Human:", "User:", "USER:", "Caller:")
"""As a model writes them at the beginning of a line, when it goes on with the caller's turn."""

_BOX = re.compile(r"【\s*[\d†][^】\n]{0,80}】")
_BOX_BEGUN = re.compile(r"【\s*(?:[\d†][^】\n]{0,80})?")
_PRIVATE = re.compile(
    "\ue200[^\ue201\n]{0,100}\ue201|[\ue000-\ue1ff\ue201-\uf8ff]|\ue200(?=[^\ue201]{101}|[^\ue201]*\n)"
)
_PRIVATE_BEGUN = re.compile("\ue200[^\ue201\n]{0,100}")

_LANGUAGE = re.compile(r"```[ \t]*+(?:([\w+-]{0,20})[ \t]*+\n)?")
_LANGUAGE_BEGUN = re.compile(r"```[ \t]*+[\w+-]{0,20}[ \t]*+")
_FENCE = re.compile("```")

_CUT_OFF = re.compile(
    rf"```|<[|｜]\w|</?(?:{'|'.join(sorted({name[:3] for name in (*REASONING, *CALLS)}))})\w*"
    r"|\[/?(?:TOOL|THIN|INST|AVAI|SYST)",
    re.IGNORECASE,
)


def read_word(text: str, at: int) -> Reading:
    """Read what begins with a letter, or with a character for private use."""
    if text[at] >= "\ue000":  # as OpenAI's models wrap what refers to a source
        return _complete(text, at, _PRIVATE, _PRIVATE_BEGUN)
    if text[at - 1] in "\n>" and text[at].isupper():
        if text.startswith(_THEIR_NAMES, at):
            return Marker(end=at, effect="over")
        begun = text[at : at + 8]
        return PARTIAL if any(name.startswith(begun) for name in _THEIR_NAMES) else None
    return read_call(text, at)


def was_cut_off(text: str, at: int) -> bool:
    """Return whether a text ends within a marker, rather than with words that look like one."""
    return _CUT_OFF.match(text, at) is not None


def _read_kimi(text: str, at: int) -> Reading:
    end = at + len("◁think▷")
    if text.startswith("◁think▷", at):
        return Marker(end=end, kind="reasoning", effect="skip", until=REASONED)
    if text.startswith("◁/think▷", at):
        return Marker(end=end + 1, kind="reasoning", effect="anew")
    begun = text[at : at + 9]
    return PARTIAL if "◁think▷".startswith(begun) or "◁/think▷".startswith(begun) else None


def _read_fence(text: str, at: int) -> Reading:
    found = _LANGUAGE.match(text, at)
    if found is None:
        return PARTIAL if text[at : at + 3] in ("`", "``") else None
    if _LANGUAGE_BEGUN.fullmatch(text, at):
        return PARTIAL
    if (found[1] or "").startswith(("tool", "function")):
        return Marker(end=found.end(), kind="tool call", effect="skip", until=_FENCE, space="\n")
    return Marker(end=found.end(), space="\n")


def _read_box(text: str, at: int) -> Reading:
    return _complete(text, at, _BOX, _BOX_BEGUN)


def _complete(text: str, at: int, whole: re.Pattern[str], begun: re.Pattern[str]) -> Reading:
    if found := whole.match(text, at):
        return Marker(end=found.end())
    return PARTIAL if begun.fullmatch(text, at) else None


PLACES: Mapping[str, Callable[[str, int], Reading]] = {
    "<": read_angle,
    "[": read_bracket,
    "{": read_json,
    ":": read_colon,
    "`": _read_fence,
    "◁": _read_kimi,
    "【": _read_box,
}
"""Who reads what begins with a character; a letter, or anything else, is for
:func:`read_word`."""
