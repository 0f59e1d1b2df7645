"""What begins with ``<``: tags of HTML and of models, and tokens of chat templates."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import replace
from functools import lru_cache
from typing import Literal

from pipelines.text.markers.marker import PARTIAL, Marker, Reading
from pipelines.text.markers.names import AMBIGUOUS, OF_REASONING, REASONING, TURN_ENDS, what_is
from pipelines.text.markup import ATTRIBUTE, ATTRIBUTES
from pipelines.text.replacements import any_of

LONGEST_NAME = 48
"""Characters in the name of a tag."""

_TAG = re.compile(rf"<(/?)([A-Za-z]\w*+(?:[:-]\w++)*)(=[^\s<>]++|:\s*+[\d,\s]*+)?{ATTRIBUTES}>")
_TAG_NAME = re.compile(r"</?([A-Za-z][\w:-]*)?")
_TAG_BEGUN = re.compile(
    rf"""</?[A-Za-z]\w*+(?:[:-]\w++)* (?: =[^\s<>]*+ | :\s*+[\d,\s]*+ | - )?
    (?: {ATTRIBUTE} )* \s*+ /?+
    (?: [\w:.@-]++ (?: \s*+=\s*+ (?: "[^"<>]*+ | '[^'<>]*+ | [^\s"'<>=`]*+ )? )? )?""",
    re.VERBOSE,
)
_NUMBERED = re.compile(r"(?:unused|extra_id_|reserved_special_token_|SPECIAL_)\d+|0x[0-9A-Fa-f]{2}")
_NUMBERED_TAG = re.compile(rf"<(?:{_NUMBERED.pattern})>")
_NUMBERED_BEGUN = re.compile(r"<(?:[A-Za-z_]+\d*|0(?:x[0-9A-Fa-f]{0,2})?)")
_SYSTEM = re.compile(r"<</?SYS>>")
_DOCUMENT = re.compile(r"<\?xml[^<>]*>|<!DOCTYPE[^<>]*>|<!\[CDATA\[", re.IGNORECASE)
_BESIDES = (
    (re.compile("<!--"), re.compile("-->")),
    (_SYSTEM, _SYSTEM),
    (_DOCUMENT, None),
)
_DOCUMENT_BEGUN = re.compile(r"<(?:\?xml|!DOCTYPE)[^<>]{0,200}\Z", re.IGNORECASE)
_BEGINNINGS = ("<!--", "<<SYS>>", "<</SYS>>", "</", "<?xml", "<!DOCTYPE", "<![CDATA[")

# Tokens of chat templates, <|name|>

_SPECIAL = re.compile(r"</?[|｜]([^<>\n]{0,60}?)[|｜]?>|<(/?[\w▁]{1,40})[|｜]>")
_SPECIAL_BEGUN = re.compile(r"<(?:/?[|｜][^<>\n]{0,60}|/?[\w▁]{1,40}[|｜]?)")
_HEADER = re.compile(  # gpt-oss: its channel, perhaps a recipient and a format
    r"\s*+((?:[^<]|<\|constrain\|>){0,200}?)<\|message\|>"
)
_HEADER_BEGUN = re.compile(r"(?:[^<]|<\|constrain\|>){0,200}(?:<\|?[a-z]*\|?)?")
_TO_A_TOOL = re.compile(r"\s*+(?:functions?\.|[\w.]{1,64}\s++to=)")
_TO_A_TOOL_BEGUN = re.compile(r"\s*+[\w.]{0,64}(?:\s++(?:to?)?)?")
_MESSAGE_OVER = re.compile(r"<\|(?:end|return|call)\|>|(?=<\|start\|>)")
_CHANNEL_OVER = re.compile(r"(?=<\|(?:start|channel)\|>)|<\|(?:end|return|call)\|>")
_OURS = ("assistant", "model", "ai", "bot", "chatbot", "gpt")
_THEIRS = """
    user human system developer tool tools function functions ipython observation environment caller
    customer
""".split()  # noqa: SIM905
_ROLE_OVER = r"<\|(?:end_header_id|header_end|end_of_role|im_middle)\|>"
_ROLE = re.compile(rf"\s*+((?i:{any_of((*_OURS, *_THEIRS))}))\b[ \t]*+(?:{_ROLE_OVER})?\s*+")
_ROLE_BEGUN = re.compile(r"\s*+[A-Za-z]{0,12}\s*+(?:<\|?[a-z_]*+\|?)?")
_ROLE_TAG = re.compile(rf"<role>\s*+((?i:{any_of((*_OURS, *_THEIRS))}))\s*+</role>\s*+")
_ROLE_TAG_BEGUN = re.compile(r"<role>\s*+[A-Za-z]{0,12}\s*+(?:</?r?o?l?e?)?")
_RECIPIENT = re.compile(r"\s*+all\s*+<\|content\|>|(?=\s*+(?!all\b)\w[^<]{0,99}<)")
_RECIPIENT_BEGUN = re.compile(r"[^<]{0,99}(?:<\|?[a-z]*\|?)?")
_RECIPIENT_OVER = re.compile(r"<\|stop\|>|(?=<\|from\|>)")

_ESCAPED = re.compile(r"(?:<|＜|&lt;)[ ]?(\\?/)?[ ]?([A-Za-z][\w:-]{0,40})[ ]?(?:>|＞|&gt;)")
_ESCAPED_BEGUN = re.compile(
    r"(?:<|＜|&(?:l(?:t;?)?)?)[ ]?\\?/?[ ]?([A-Za-z][\w:-]{0,40})?[ ]?(?:&(?:gt?)?)?"
)
"""Tags of reasoning that somebody has escaped, or spaced."""

_STOP = re.compile(r"<(?:STOP|END|EOS|EOT|EOD|DONE)>")
_ACT = re.compile(r"<[a-z]+(?:_[a-z]+)+\s?/>")

_THOUGHT = "(?:think|thought|reason|reflection|inner_|scratch)"
_NAMED_SPECIAL: tuple[tuple[str, str], ...] = (  # what a name matches, and what it is
    (rf"(?=/|.*(?:end|suffix)).*{_THOUGHT}.*", "reasoned"),
    (rf"(?!no).*{_THOUGHT}.*", "reasoning"),
    (r"channel", "channel"),
    (r"recipient", "recipient"),
    (r"(?:tool|function)_(?:response|output|result)s?", "call"),
    (r".*_sep|.*▁sep", "inline"),
    (r"python_tag|tool_code", "python"),
    (r"/.*|.*(?:_end|_of_solution|_response)|(?:begin|end)_of_box|end_action|message", "inline"),
    (
        r"tool.*|start_action|action_start|plugin|function.*|dsml.*|(?:begin|start)_of_tool.*",
        "call",
    ),
    (
        r"im_start|start_header_id|header_start|start_of_role|start_of_turn|start|turn|from"
        r"|im_assistant",
        "turn",
    ),
    (any_of(_OURS), "inline"),
    (any_of(_THEIRS), "over"),
)
_STOPS = (*TURN_ENDS, "end", "return", "call", "stop")
_CLOSED: Mapping[str, str] = {"reasoning": "reasoned", "call": "inline", "turn": "block"}
"""What ``<name|>`` is, where ``<|name>`` is something else."""
_SPECIAL_KINDS = [(re.compile(f"(?:{names})"), kind) for names, kind in _NAMED_SPECIAL]

REASONED = re.compile(
    rf"(?:<|＜|&lt;)\s?\\?/\s?(?:\w{{1,20}}:)?"
    rf"(?:{any_of(REASONING)}"
    rf"|[\w-]{{0,30}}(?:{OF_REASONING.pattern.replace('_', '[_-]')})[\w-]{{0,30}})"
    rf"\s?(?:>|＞|&gt;)|◁/think▷|\[/(?:THINK|THOUGHT|REASON)(?:ING)?\]|<channel\|>|<unused95>"
    rf"|<\w{{0,30}}{_THOUGHT}\w{{0,20}}\|>"
    rf"|</?[|｜](?:/|end|(?=[^<>\n]{{0,40}}(?:end|suffix)))[^<>\n]{{0,30}}{_THOUGHT}[^<>\n]{{0,20}}[|｜]>",
    re.IGNORECASE,
)
"""What ends reasoning, however it began."""

_STOPPED = r"<\|(?:eot_id|eom_id|im_end|end|return|call|end_of_text|endoftext)\|>|</s>"
_CALLED = re.compile(
    r"<[|｜][^<>\n]{0,40}(?:end|END_ACTION|_end)[|｜]>|</?[|｜][^<>\n]{1,30}calls>"
    rf"|<[|｜]/[^<>\n]{{1,40}}[|｜]>|<\w{{1,40}}[|｜]>|{_STOPPED}",
    re.IGNORECASE,
)
"""What ends a call in tokens."""


@lru_cache(64)
def _tag_over(name: str) -> re.Pattern[str]:
    if name.startswith("start_"):
        return re.compile(rf"<end_{re.escape(name[6:])}>|{_STOPPED}", re.IGNORECASE)
    ends = re.escape(name) + ("|call" if name.startswith("call:") else "")
    return re.compile(rf"<\\?/?\s*(?:{ends})\s*>|{_STOPPED}", re.IGNORECASE)


def stands_last(text: str, end: int) -> bool | None:
    """Return whether nothing follows in the line but tokens; None if that is not known yet."""
    rest = text[end : end + 40].lstrip(" ")
    return rest[0] in "\n<[" if rest else None


def read_angle(text: str, at: int) -> Reading:
    """Read what begins with ``<``."""
    for beside, until in _BESIDES:
        if found := beside.match(text, at):
            return Marker(end=found.end(), effect="skip" if until else "gone", until=until)
    for read in (read_escaped, _read_alone, _read_role_tag, _read_named):
        if reading := read(text, at):
            return reading
    rest = text[at : at + 9]
    may_be = any(whole.startswith(rest) for whole in _BEGINNINGS)
    return PARTIAL if may_be or _DOCUMENT_BEGUN.match(text, at) else None


def read_escaped(text: str, at: int) -> Reading:
    """Read a tag of reasoning that somebody has escaped, or spaced."""
    found = _ESCAPED.match(text, at)
    if found is None:
        begins = _ESCAPED_BEGUN.fullmatch(text, at)
        name = ((begins and begins[1]) or "").lower()
        return PARTIAL if begins and any(known.startswith(name) for known in REASONING) else None
    if what_is(found[2].lower()) != "reasoning" or (not found[1] and _TAG.match(text, at)):
        return None
    unsure = found[2].lower() in AMBIGUOUS
    does = ("block" if unsure else "reasoned") if found[1] else "reasoning"
    return replace(_DOES[does], end=found.end())


def _read_alone(text: str, at: int) -> Reading:
    """Read what stops a model, or is a call, if nothing follows in its line."""
    stop = _STOP.match(text, at)
    found = stop or _ACT.match(text, at)
    if found is None or (found[0].endswith("/>") and what_is(found[0][1:-2].strip())):
        return None
    last = found[0].endswith("/>") or stands_last(text, found.end())
    kind = "markup" if stop else "tool call"
    whole = Marker(end=found.end(), kind=kind, space="\n")
    return PARTIAL if last is None else whole if last else None


def _read_role_tag(text: str, at: int) -> Reading:
    if found := _ROLE_TAG.match(text, at):
        theirs = found[1].lower() in _THEIRS
        return Marker(end=found.end(), effect="over" if theirs else "gone", space="\n")
    return PARTIAL if _ROLE_TAG_BEGUN.fullmatch(text, at) else None


def _read_named(text: str, at: int) -> Reading:
    for pattern, begun, read in _FORMS:
        if found := pattern.match(text, at):
            return read(text, found)
        if (begins := begun.match(text, at)) and begins.end() == len(text):
            return PARTIAL if _may_be_named(text, at) else None
    return None


def _may_be_named(text: str, at: int) -> bool:
    """Return whether what begins here may become a tag that is known."""
    if text[at + 1 : at + 3].lstrip("/")[:1] in ("|", "｜"):
        return True
    name = _TAG_NAME.match(text, at)
    if name is None or not name[1]:
        return True
    if name.end() < len(text):
        return what_is(name[1].lower().rstrip(":")) is not None or text[name.end()] in "|｜/"
    return len(name[1]) <= LONGEST_NAME


_DOES: Mapping[str, Marker] = {
    "reasoning": Marker(end=0, kind="reasoning", effect="skip", until=REASONED),
    "reasoned": Marker(end=0, kind="reasoning", effect="anew"),
    "python": Marker(end=0, kind="tool call", effect="skip", until=re.compile(_STOPPED)),
    "call": Marker(end=0, kind="tool call", effect="skip", until=_CALLED),
    "over": Marker(end=0, effect="over"),
    "inline": Marker(end=0),
    "block": Marker(end=0, space="\n"),
}


def _numbered(text: str, found: re.Match[str]) -> Reading:
    if found[0].startswith("<extra"):  # Nemotron's turns; of T5 it is nothing
        turn = _turn(text, found.end())
        return replace(turn, space="") if isinstance(turn, Marker) else turn
    thinks = found[0] == "<unused94>"  # MedGemma does, between this and the next
    return replace(_DOES["reasoning" if thinks else "inline"], end=found.end())


def _tag(text: str, found: re.Match[str]) -> Reading:
    closes, name, end = bool(found[1]), found[2].lower(), found.end()
    # Open WebUI writes reasoning so.
    what = "unseen" if name == "details" and "reasoning" in found[0] else what_is(name)
    leads = _leads(text, found) if what and name in AMBIGUOUS else bool(what) or None
    if leads is not True:
        return leads
    if closes or found[0].endswith("/>"):
        return _closing_tag(found, name, str(what))
    if what == "turn":
        return _turn(text, end)
    if what == "call":
        return Marker(end=end, kind="tool call", effect="call", until=_tag_over(name))
    if what == "unseen":
        return Marker(end=end, effect="skip", until=_tag_over(name))
    return replace(_DOES[str(what)], end=end)


def _closing_tag(found: re.Match[str], name: str, what: str) -> Marker:
    """Return what a tag does that closes something, or itself."""
    if found[1] and name in ("td", "th"):
        return Marker(end=found.end(), space=", ")
    if found[1] and what == "reasoning" and name not in AMBIGUOUS:
        return replace(_DOES["reasoned"], end=found.end())
    if not found[1] and what == "call":
        return Marker(end=found.end(), kind="tool call", space="\n")
    within = what == "inline" and found[0] != "</s>"
    return replace(_DOES["inline" if within else "block"], end=found.end())


def _leads(text: str, found: re.Match[str]) -> Literal[True, "partial"] | None:
    """Return whether what may be left to be filled in is a tag: where it stands tells."""
    in_a_line = not found[1] and text[found.start() - 1] not in "\n>"
    if not in_a_line or not found[0][-2].isalpha() or "=" in found[0]:
        return True
    if found.end() == len(text):
        return PARTIAL
    after = text[found.end()]
    return True if after.isalnum() or after in "{[<" else None


def _special(text: str, found: re.Match[str]) -> Reading:
    name = (found[1] if found[1] is not None else found[2]).strip("|｜ ").replace("▁", "_").lower()
    name = name.removesuffix("_token")
    if name.removeprefix("im_") in (*_THEIRS, "system"):
        name = name.removeprefix("im_")
    what = next((what for names, what in _SPECIAL_KINDS if names.fullmatch(name)), "inline")
    if what == "channel":
        return _channel(text, found)
    if found[2] is not None:
        what = _CLOSED.get(what, what)
    if what == "turn":
        return _turn(text, found.end())
    if what == "recipient":
        return _recipient(text, found.end())
    return replace(_DOES["block" if name in _STOPS else what], end=found.end())


def _recipient(text: str, end: int) -> Reading:
    """Read whom Functionary writes to: all, or a tool."""
    if found := _RECIPIENT.match(text, end):
        if found[0]:
            return Marker(end=found.end(), space="\n")
        over = _RECIPIENT_OVER
        return Marker(end=end, kind="tool call", effect="skip", until=over, space="\n")
    return PARTIAL if _RECIPIENT_BEGUN.fullmatch(text, end) else Marker(end=end)


def _channel(text: str, found: re.Match[str]) -> Reading:
    """Read a channel of gpt-oss: what is in ``final`` is said, and a preamble before a call."""
    if found[0] == "<channel|>":
        return replace(_DOES["reasoned"], end=found.end())
    if found[0] == "<|channel>":  # Gemma
        return replace(_DOES["reasoning"], end=found.end())
    header = _HEADER.match(text, found.end())
    if header is None:
        begun = _HEADER_BEGUN.fullmatch(text, found.end())
        return PARTIAL if begun else Marker(end=found.end(), space="\n")
    name, called = header[1].strip().lower(), "to=" in header[1]
    if name.startswith("final") or (name.startswith("commentary") and not called):
        return Marker(end=header.end(), space="\n")
    kind = "tool call" if called else "reasoning"
    return Marker(end=header.end(), kind=kind, effect="skip", until=_CHANNEL_OVER, space="\n")


def _turn(text: str, end: int) -> Reading:
    """Read whose turn begins: after the agent's own reply, nobody's is to be said."""
    if found := _TO_A_TOOL.match(text, end):
        until = _MESSAGE_OVER
        return Marker(end=found.end(), kind="tool call", effect="skip", until=until, space="\n")
    if _TO_A_TOOL_BEGUN.fullmatch(text, end):
        return PARTIAL
    role = _ROLE.match(text, end)
    if role is None or role.end() == len(text):
        if _ROLE_BEGUN.fullmatch(text, end):
            return PARTIAL
        return Marker(end=role.end() if role else end, space="\n")
    return Marker(
        end=role.end(), effect="over" if role[1].lower() in _THEIRS else "gone", space="\n"
    )


_FORMS = (
    (_SPECIAL, _SPECIAL_BEGUN, _special),
    (_NUMBERED_TAG, _NUMBERED_BEGUN, _numbered),
    (_TAG, _TAG_BEGUN, _tag),
)
"""What has a name: whole, begun, and what is to be done about it."""
