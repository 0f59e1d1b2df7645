"""What may stand at a place of a reply, by the character that it begins with."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping

from pipelines.text.markers.angle import REASONED, read_angle, read_escaped
from pipelines.text.markers.brackets import read_bracket, read_call, read_colon, read_json
from pipelines.text.markers.marker import PARTIAL, Marker, Reading
from pipelines.text.markers.names import CALLS, REASONING

_LINE = re.compile(
    r"""(?:\#{1,4}+[ ]?|\*\*)?
    (?: (?P<theirs> (?i:human|user) | (?:(?<=\n\n)|(?<=[.!?…]\n)) (?:Caller|CALLER|Customer) )
      | (?P<ours> (?<=\#[ ]) (?:Assistant|Response) )
      | (?P<asks> (?<=\#[ ]) Instruction ) )
    [ ]?:(?:\*\*)?""",
    re.VERBOSE,
)
"""Names of speakers, as a model writes them at the beginning of a line when it goes on with the
caller's turn. What may stand in a form ("Caller: Ann") is one after a whole sentence only."""

_LINE_BEGUN = re.compile(r"(?:\#{1,4}+[ ]?|\*\*?)?[A-Za-z]{0,11}[ ]?(?:\Z|:\*?\Z)")
_LINE_NAMES = ("human", "user", "caller", "customer", "assistant", "response", "instruction")
_ACTION = re.compile(r"Action[ ]?:[^\n]{1,80}\n\s{0,4}Action Input[ ]?:")
_ACTION_BEGUN = re.compile(
    r"A(?:c(?:t(?:i(?:on?)?)?)?)?\Z|Action[ ]?\Z|Action[ ]?:[^\n]{0,80}"
    r"(?:\n\s{0,4}(?:A[a-z]{0,5}(?:[ ](?:I[a-z]{0,4}[ ]?)?)?)?)?\Z"
)
_ANSWER = re.compile(r"Final Answer[ \t]*:\s*+")

_BOX = re.compile(r"【\s*(?:\d{1,4}(?::\d{1,4})?)?†[^】\n]{0,80}】")
_BOX_BEGUN = re.compile(r"【\s*(?:\d{1,4}(?::\d{0,4})?)?(?:†[^】\n]{0,80})?")
_PRIVATE = re.compile(
    "\ue200[^\ue201\n]{0,100}\ue201|[\ue000-\ue1ff\ue201-\uf8ff]|\ue200(?=[^\ue201]{101}|[^\ue201]*\n)"
)
_PRIVATE_BEGUN = re.compile("\ue200[^\ue201\n]{0,100}")

_LANGUAGE = re.compile(r"```[ \t]*+(?:([\w+-]{0,20})[ \t]*+\n)?")
_LANGUAGE_BEGUN = re.compile(r"```[ \t]*+[\w+-]{0,20}[ \t]*+")
_FENCE = re.compile("```")

_CUT_OFF = re.compile(
    rf"```|<[|｜]\w|</?(?:{'|'.join(sorted({name[:3] for name in (*REASONING, *CALLS)}))})"
    r"[\w:-]*+(?!>)"
    r"|<(?:start_of_turn|im_start|extra_id_\d+)>|\[/?(?:TOOL|THIN|INST|AVAI|SYST)"
    r"|(?-i:[\[<](?:EOS|EOT|EOD|END|DONE|STOP)[\]>])|\[[a-z]+(?:_[a-z]+)+\]|\]~!?b\S|✿[A-Z]"
    r"|Action ?:[^\n]*\n\s*Action",
    re.IGNORECASE,
)


def read_word(text: str, at: int) -> Reading:
    """Read what begins with a letter, or with a character for private use."""
    if text[at] >= "\ue000":  # as OpenAI's models wrap what refers to a source
        return _complete(text, at, _PRIVATE, _PRIVATE_BEGUN)
    if text[at - 1] in "\n>" and (reading := _read_line(text, at)):
        return reading
    return read_call(text, at) if text[at].islower() or text[at] == "_" else None


def _read_line(text: str, at: int) -> Reading:
    """Read whose turn begins with a line, or what is done in it."""
    if found := _LINE.match(text, at):
        if found["ours"]:
            return Marker(end=found.end(), space="\n")
        return Marker(end=at, effect="over", may_be_words=True)
    if found := _ACTION.match(text, at):  # ReAct
        return Marker(end=found.end(), kind="tool call", effect="skip", until=_ANSWER, space="\n")
    if _ACTION_BEGUN.match(text, at):
        return PARTIAL
    if _LINE_BEGUN.match(text, at):
        begun = text[at : at + 20].lower().strip("#* :")
        return PARTIAL if any(name.startswith(begun) for name in _LINE_NAMES) else None
    return None


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


_MINIMAX = re.compile(r"\]~!?b[\]\[](?:(ai|user|system|tool)\b(?=[^\n]{0,40}\n)[^\n]*+|(?!\Z))")
_MINIMAX_BEGUN = re.compile(r"\](?:~(?:!?(?:b(?:[\]\[][^\n]{0,50}\n?)?)?)?)?")


def _read_minimax(text: str, at: int) -> Reading:
    if (found := _MINIMAX.match(text, at)) and (found[1] or not _MINIMAX_BEGUN.fullmatch(text, at)):
        theirs = found[1] not in (None, "ai")
        return Marker(end=found.end(), effect="over" if theirs else "gone")
    return PARTIAL if _MINIMAX_BEGUN.fullmatch(text, at) else None


_QWEN_RETURNS = re.compile("(?=✿RETURN✿)")
_QWEN_OVER = re.compile(r"✿RETURN✿[ ]?:?\s*+")


def _read_qwen(text: str, at: int) -> Reading:
    """Read what Qwen-Agent calls by a flower."""
    for name in ("✿FUNCTION✿", "✿ARGS✿", "✿RESULT✿"):
        if text.startswith(name, at):
            end = at + len(name)
            return Marker(end=end, kind="tool call", effect="skip", until=_QWEN_RETURNS, space="\n")
        if name.startswith(text[at:]):
            return PARTIAL
    if (found := _QWEN_OVER.match(text, at)) and found.end() < len(text):
        return Marker(end=found.end())
    if found:
        return PARTIAL
    return PARTIAL if "✿RETURN✿".startswith(text[at:]) else None


_FUNCTIONARY = re.compile(r">>>(?:(all)\n|[A-Za-z_][\w.]{0,63}\n\s*+(?=\{))")
_FUNCTIONARY_BEGUN = re.compile(r">{1,3}|>>>[A-Za-z_][\w.]{0,63}(?:\n\s{0,8})?")


def _read_functionary(text: str, at: int) -> Reading:
    if found := _FUNCTIONARY.match(text, at):
        if found[1]:
            return Marker(end=found.end(), space="\n")
        return Marker(end=found.end(), kind="tool call", effect="call", space="\n")
    return PARTIAL if _FUNCTIONARY_BEGUN.fullmatch(text, at) else None


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
    "#": _read_line,
    "*": _read_line,
    "◁": _read_kimi,
    "【": _read_box,
    "]": _read_minimax,
    "✿": _read_qwen,
    ">": _read_functionary,
    "＜": read_escaped,
    "&": read_escaped,
}
"""Who reads what begins with a character; a letter, or anything else, is for
:func:`read_word`."""
