"""Names of tags, ``<name …>`` and ``</name>``, and what they stand for."""

from __future__ import annotations

import re

from pipelines.text.markup import BLOCKS, INLINE

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
    agent bot root document conclusion solution result output reply speech assistant final response
    answer utterance spoken
    address area article audio button canvas caption cite code data desc details dialog dir figure
    font footer form frame head header image img input label legend link list main map mark math
    menu meta meter nav object option param path picture progress q ruby sample search section
    select slot small source speak summary table td template text textarea time title token track
    tr var video voice w
    """.split()  # noqa: SIM905
)
"""Of these, what somebody may leave to be filled in, too: "your <plan>". As a tag they begin a
line, have an attribute, or stand close before a word."""

OF_REASONING = re.compile(
    "think|thought|reasoning|reflect|scratch_?pad|inner_|monologue|deliberat|chain_of|analyze"
)
_OF_A_CALL = re.compile(
    r"(?:tool|function|invoke)_.*|(?:tool|function)calls?|.*_?(?:tool|function)_?calls?|call:.*"
)
_NO_MORE = re.compile(r"no_?think(?:ing)?|end_.*|.*_(?:sep|end)|.*_separator")
"""What more of them is called, by what it is about; and what of it has no content."""

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


def what_is(name: str) -> str | None:
    """Return what a tag is, by its name in small letters."""
    if known := _NAMED.get(name):
        return known
    plain = name.replace("-", "_")
    base = plain.rpartition(":")[2]
    known = _NAMED.get(plain) or (_NAMED.get(base) if base != plain else None)
    if known in ("reasoning", "call") and not plain.startswith("call:"):
        return known
    about = bool(OF_REASONING.search(base)), bool(_OF_A_CALL.fullmatch(plain))
    if any(about) and _NO_MORE.fullmatch(plain):
        return "inline"
    return "reasoning" if about[0] else "call" if about[1] else None
