"""What begins with ``<``: tags of HTML and of models, and tokens of chat templates."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import replace
from functools import lru_cache

from pipelines.text.markers.marker import PARTIAL, Marker, Reading
from pipelines.text.markup import ATTRIBUTE, ATTRIBUTES, BLOCKS, INLINE
from pipelines.text.replacements import any_of

# Names of tags, <name …> and </name>

REASONING = """
    think thinking thought thoughts reasoning reason reflection reflect scratchpad analysis
    rationale monologue inner_monologue internal_monologue inner_thoughts cot chain_of_thought
    thinking_process thought_process thinking_mode reasoning_content planning plan seed:think
    antthinking antml:thinking antml:reasoning
""".split()  # noqa: SIM905 - a list that is read and edited

CALLS = """
    tool_call tool_calls function_call function_calls function functions tool_use tool_uses tool
    tools tool_code invoke tool_response tool_responses tool_result tool_results tool_output
    tool_outputs function_result function_results function_response function_output antml:invoke
    antml:function_calls minimax:tool_call execute_tool use_tool use_mcp_tool action actions
    action_input observation api_call parameter parameters antml:parameter arg_key arg_value
    arguments command code_interpreter
""".split()  # noqa: SIM905

WRAPPERS = """
    answer response final final_answer final_response output reply result speech spoken utterance
    assistant assistant_response message agent bot text content conclusion solution root xml
    document co
""".split()  # noqa: SIM905
"""Of these the tags go, and what is in them is said."""

TURN_ENDS = """
    eos end_of_turn end_of_text endoftext end_of_sentence end_of_utterance eot eot_id eom_id im_end
    end_turn
""".split()  # noqa: SIM905

TOKENS = ("s", "bos", "pad", "unk", "mask", "cls", "sep", "sop", "eop", "gmask", "begin_of_text")
AMBIGUOUS = frozenset(
    """
    reason plan planning analysis rationale thought thoughts reflection action actions command
    arguments parameter parameters tool tools function functions observation message text content
    agent bot root document conclusion solution result output reply speech assistant final
    """.split()  # noqa: SIM905
)
"""Of these, what somebody may leave to be filled in, too: "your <plan>". As a tag they begin a
line, or have an attribute."""

UNSEEN = ("script", "style", "metadata", "template")
"""HTML and SSML that nobody sees, with what is in it."""

_NAMED = {
    **dict.fromkeys(INLINE, "inline"),
    **dict.fromkeys(BLOCKS, "block"),
    **dict.fromkeys(WRAPPERS, "block"),
    **dict.fromkeys(TOKENS, "inline"),
    **dict.fromkeys(TURN_ENDS, "block"),
    **dict.fromkeys(UNSEEN, "unseen"),
    **dict.fromkeys(REASONING, "reasoning"),
    **dict.fromkeys(CALLS, "call"),
    **dict.fromkeys(("start_of_turn", "im_start"), "turn"),
}
_NAMED["break"] = "block"
_NAMES = sorted(_NAMED)

_TAG = re.compile(rf"<(/?)([A-Za-z]\w*+(?:[:-]\w++)*+)(=[^\s<>]++|:\s*+[\d,\s]*+)?{ATTRIBUTES}>")
_TAG_NAME = re.compile(r"</?([A-Za-z][\w:-]*)?")
_TAG_BEGUN = re.compile(
    rf"""</?[A-Za-z]\w*+(?:[:-]\w++)*+ (?: =[^\s<>]*+ | :\s*+[\d,\s]*+ | - )?+
    (?: {ATTRIBUTE} )*+ \s*+ /?+
    (?: [\w:.@-]++ (?: \s*+=\s*+ (?: "[^"<>]*+ | '[^'<>]*+ | [^\s"'<>=`]*+ )? )?+ )?+""",
    re.VERBOSE,
)
_NUMBERED = re.compile(r"(?:unused|extra_id_|reserved_special_token_)\d+|0x[0-9A-Fa-f]{2}")
_NUMBERED_TAG = re.compile(rf"<(?:{_NUMBERED.pattern})>")
_NUMBERED_BEGUN = re.compile(r"<(?:[a-z_]+\d*|0(?:x[0-9A-Fa-f]{0,2})?)")
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
_SPECIAL_BEGUN = re.compile(r"<(?:/?[|｜][^<>\n]{0,60}|[a-z▁_]{1,40}[|｜]?)")
_HEADER = re.compile(  # gpt-oss: its channel, perhaps a recipient and a format
    r"\s*+((?:[^<]|<\|constrain\|>){0,200}?)<\|message\|>"
)
_HEADER_BEGUN = re.compile(r"(?:[^<]|<\|constrain\|>){0,200}(?:<\|?[a-z]*\|?)?")
_CHANNEL_OVER = re.compile(r"(?=<\|(?:start|channel)\|>)|<\|(?:end|return|call)\|>")
_OURS = ("assistant", "model", "ai", "bot", "chatbot", "gpt")
_THEIRS = """
    user human system developer tool tools function functions ipython observation environment caller
    customer
""".split()  # noqa: SIM905
_ROLE_OVER = r"<\|(?:end_header_id|header_end|end_of_role)\|>"
_ROLE = re.compile(rf"\s*+({any_of((*_OURS, *_THEIRS))})\b[ \t]*+(?:{_ROLE_OVER})?\s*+")
_ROLE_BEGUN = re.compile(r"\s*+[a-z]{0,12}\s*+(?:<\|?[a-z_]*+\|?)?")

_THOUGHT = "(?:think|thought|reason|reflection|inner_)"
_NAMED_SPECIAL: tuple[tuple[str, str], ...] = (  # what a name matches, and what it is
    (rf"(?=/|.*(?:end|suffix)).*{_THOUGHT}.*", "reasoned"),
    (rf"(?!no).*{_THOUGHT}.*", "reasoning"),
    (r"channel", "channel"),
    (r"python_tag|tool_code", "python"),
    (r"/.*|.*(?:_end|_of_solution|_response)|(?:begin|end)_of_box|end_action|message", "inline"),
    (
        r"tool.*|start_action|action_start|plugin|function.*|dsml.*|(?:begin|start)_of_tool.*",
        "call",
    ),
    (r"im_start|start_header_id|header_start|start_of_role|start|turn", "turn"),
    (any_of(_OURS), "inline"),
    (any_of(_THEIRS), "over"),
)
_STOPS = (*TURN_ENDS, "end", "return", "call")
_SPECIAL_KINDS = [(re.compile(f"(?:{names})"), kind) for names, kind in _NAMED_SPECIAL]

REASONED = re.compile(
    rf"</\s*(?:{any_of(REASONING)})\s*>|◁/think▷|\[/THINK\]|<channel\|>|<unused95>"
    rf"|</?[|｜](?:/|end|(?=[^<>\n]{{0,40}}(?:end|suffix)))[^<>\n]{{0,30}}{_THOUGHT}[^<>\n]{{0,20}}[|｜]>",
    re.IGNORECASE,
)
"""What ends reasoning, however it began."""

_STOPPED = r"<\|(?:eot_id|eom_id|im_end|end|return|call|end_of_text|endoftext)\|>|</s>"
_CALLED = re.compile(
    r"<[|｜][^<>\n]{0,40}(?:end|END_ACTION|_end)[|｜]>|</?[|｜][^<>\n]{1,30}calls>"
    rf"|<[|｜]/[^<>\n]{{1,40}}[|｜]>|{_STOPPED}",
    re.IGNORECASE,
)
"""What ends a call in tokens."""

_ALSO_CALLS = ("tool_", "function_", "invoke_")
"""Beginnings of further names of CALLS."""


@lru_cache(64)
def _tag_over(name: str) -> re.Pattern[str]:
    return re.compile(rf"</\s*{re.escape(name)}\s*>|{_STOPPED}", re.IGNORECASE)


def _what(name: str) -> str | None:
    also = "call" if name.startswith(_ALSO_CALLS) else None
    return _NAMED.get(name, also)


def read_angle(text: str, at: int) -> Reading:
    """Read what begins with ``<``."""
    for beside, until in _BESIDES:
        if found := beside.match(text, at):
            return Marker(end=found.end(), effect="skip" if until else "gone", until=until)
    for pattern, begun, read in _FORMS:
        if found := pattern.match(text, at):
            return read(text, found)
        if (begins := begun.match(text, at)) and begins.end() == len(text):
            return PARTIAL if _may_be_named(text, at) else None
    rest = text[at : at + 9]
    may_be = any(whole.startswith(rest) for whole in _BEGINNINGS)
    return PARTIAL if may_be or _DOCUMENT_BEGUN.match(text, at) else None


def _may_be_named(text: str, at: int) -> bool:
    """Return whether what begins here may become a tag that is known."""
    if text[at + 1 : at + 3].lstrip("/")[:1] in ("|", "｜"):
        return True
    name = _TAG_NAME.match(text, at)
    if name is None or not name[1]:
        return True
    so_far = name[1].lower().rstrip(":")
    if name.end() < len(text):
        return _what(so_far) is not None or text[name.end()] in "|｜"
    so_far = so_far.rstrip("0123456789")
    return so_far.startswith(_ALSO_CALLS) or any(
        known.startswith(so_far) for known in (*_NAMES, "unused", "extra_id_", "channel")
    )


_DOES: Mapping[str, Marker] = {
    "reasoning": Marker(end=0, kind="reasoning", effect="skip", until=REASONED),
    "reasoned": Marker(end=0, kind="reasoning", effect="anew"),
    "python": Marker(end=0, kind="tool call", effect="skip", until=re.compile(_STOPPED)),
    "call": Marker(end=0, kind="tool call", effect="skip", until=_CALLED),
    "over": Marker(end=0, effect="over"),
    "inline": Marker(end=0),
    "block": Marker(end=0, space="\n"),
}


def _numbered(text: str, found: re.Match[str]) -> Reading:  # noqa: ARG001 - as the others
    thinks = found[0] == "<unused94>"  # MedGemma does, between this and the next
    return replace(_DOES["reasoning" if thinks else "inline"], end=found.end())


def _tag(text: str, found: re.Match[str]) -> Reading:
    closes, name, at, end = bool(found[1]), found[2].lower(), found.start(), found.end()
    what = _what(name)
    if name == "details" and "reasoning" in found[0]:  # Open WebUI
        what = "unseen"
    in_a_line = not closes and text[at - 1] not in "\n>" and found[0][-2].isalpha()
    if what is None or (in_a_line and name in AMBIGUOUS and "=" not in found[0]):
        return None
    if what == "turn" and not closes:
        return _turn(text, end)
    if what == "reasoning" and closes:
        return replace(_DOES["reasoned"], end=end)
    if what in ("call", "unseen") and not (closes or found[0].endswith("/>")):
        kind = "tool call" if what == "call" else "markup"
        return Marker(end=end, kind=kind, effect="skip", until=_tag_over(name))
    if closes and name in ("td", "th"):
        return Marker(end=end, space=", ")
    sentence_over = what != "inline" or found[0] == "</s>"
    does = what if what == "reasoning" else "block" if sentence_over else "inline"
    return replace(_DOES[does], end=end)


def _special(text: str, found: re.Match[str]) -> Reading:
    name = (found[1] if found[1] is not None else found[2]).strip("|｜ ").replace("▁", "_").lower()
    what = next((what for names, what in _SPECIAL_KINDS if names.fullmatch(name)), "inline")
    if what == "channel":
        return _channel(text, found)
    if what == "turn":
        return _turn(text, found.end())
    return replace(_DOES["block" if name in _STOPS else what], end=found.end())


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
    role = _ROLE.match(text, end)
    if role is None or role.end() == len(text):
        if _ROLE_BEGUN.fullmatch(text, end):
            return PARTIAL
        return Marker(end=role.end() if role else end, space="\n")
    return Marker(end=role.end(), effect="over" if role[1] in _THEIRS else "gone", space="\n")


_FORMS = (
    (_SPECIAL, _SPECIAL_BEGUN, _special),
    (_NUMBERED_TAG, _NUMBERED_BEGUN, _numbered),
    (_TAG, _TAG_BEGUN, _tag),
)
"""What has a name: whole, begun, and what is to be done about it."""
