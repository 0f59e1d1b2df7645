"""What models and their servers write beside a reply, and words that only look so."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.pipelines.text.test_reply_text import SIZES, cuts, read

FOR_THE_CALLER = [
    (" User: hi", "User: hi"),
    ("We open at ten. <thought>Hm.</thought> Bye.", "We open at ten. Bye."),
    ("We open at ten. <thought>Hm.</thought>", "We open at ten."),
    ("We open at ten. <plan>Do it.</plan>", "We open at ten."),
    ("We open at ten. <analysis>Do it.</analysis>", "We open at ten."),
    ("We open at ten. <rationale>Do it.</rationale>", "We open at ten."),
    ("We open at ten. <action>hang up</action>", "We open at ten."),
    ('We open at ten. <tool>{"a":1}</tool>', "We open at ten."),
    ("We open at ten. <command>hang</command>", "We open at ten."),
    ("We open at ten. <reflection>x</reflection>", "We open at ten."),
    ("We open at ten.<turn|>", "We open at ten."),
    ("<|turn>model\nWe open at ten.<turn|>\n<|turn>user\nAnd?", "We open at ten."),
    ("We open<rn|> at ten.", "We open at ten."),
    (" <plan>", "<plan>"),
    (" <agent>", "<agent>"),
    (" <Assistant>", "<Assistant>"),
    ("hours(mon=closed, don't worry) We open at ten.", "We open at ten."),
    ("<|tool_call>call:book{a:1}<tool_call|>We open at ten.", "We open at ten."),
    ("<|tool>x<tool|>We open at ten.", "We open at ten."),
    ("<function=book>{}<function>We open at ten.", "We open at ten."),
    ('<tool_call>{"name": "book_table", "arguments": {"a": 1}}We open at ten.', "We open at ten."),
    (
        '<tool_call>{"name": "book_table", "arguments": {"a": 1}}</tool_call>We open at ten.',
        "We open at ten.",
    ),
    ("<tool_call>\n{'n': 'it's', (\n</tool_call>We open at ten.", "We open at ten."),
    ("<tool_sep>We open at ten.", "We open at ten."),
    ("<think/>We open at ten.", "We open at ten."),
    ("<think>Hm.<\\/think>We open at ten.", "We open at ten."),
    (
        '<|start|>functions.book to=assistant<|channel|>commentary<|message|>{"a":1}<|end|>'
        "<|start|>assistant<|channel|>final<|message|>We open at ten.<|return|>",
        "We open at ten.",
    ),
    ("We open at ten.<start_of_turn>", "We open at ten."),
    ("We open at ten.<start_of_turn>user", "We open at ten."),
    ("We open at ten.<im_start>", "We open at ten."),
    ("]~b]ai\nWe open at ten.[e~[", "We open at ten."),
    ("We open at ten.[e~[\n]~b]user\nAnd?[e~[", "We open at ten."),
    (
        "We open at ten.<|END_OF_TURN_TOKEN|><|START_OF_TURN_TOKEN|><|USER_TOKEN|>And on Sunday?",
        "We open at ten.",
    ),
    ("<|START_OF_TURN_TOKEN|><|CHATBOT_TOKEN|>We open at ten.", "We open at ten."),
    ("We open at ten.<|USER_TOKEN|>And on Sunday?", "We open at ten."),
    ("<|im_assistant|>assistant<|im_middle|>We open at ten.<|im_end|>", "We open at ten."),
    ("We open at ten.<|im_user|>user<|im_middle|>And", "We open at ten."),
    ("We open at ten.<SPECIAL_12>", "We open at ten."),
    ("We open at ten.\n<extra_id_1>User\nAnd?", "We open at ten."),
    ("<extra_id_1>Assistant\nWe open at ten.", "We open at ten."),
    ("<role>ASSISTANT</role>We open at ten.", "We open at ten."),
    ("We open at ten.<role>HUMAN</role>Hi", "We open at ten."),
    ("We open at ten.<STOP>", "We open at ten."),
    ("We open at ten.<END>", "We open at ten."),
    ("We open at ten. <EOD>", "We open at ten."),
    ("We open at ten. [END]", "We open at ten."),
    ("We open at ten.\nuser: And", "We open at ten."),
    ("We open at ten.\nCustomer: And", "We open at ten."),
    ("We open at ten.\n### User: And", "We open at ten."),
    ("We open at ten.\n\n### Human:\nAnd", "We open at ten."),
    ("We open at ten.\n**User:** And", "We open at ten."),
    ("### Assistant: We open at ten.", "We open at ten."),
    ("### Assistant:\nWe open at ten.", "We open at ten."),
    ("### Response:\nWe open at ten.", "We open at ten."),
    ("Final Answer: We open at ten.", "We open at ten."),
    ("We open at ten.\n### Instruction:\nx", "We open at ten."),
    ("<longcat_think>Hm. Ten.</longcat_think>We open at ten.", "We open at ten."),
    ("<mm:think>Hm. Ten.</mm:think>We open at ten.", "We open at ten."),
    ("<think_fast>Hm. Ten.</think_fast>We open at ten.", "We open at ten."),
    ("<ds_thinking>Hm. Ten.</ds_thinking>We open at ten.", "We open at ten."),
    ("<inner_thought>Hm. Ten.</inner_thought>We open at ten.", "We open at ten."),
    ("<inner_thoughts>Hm. Ten.</inner_thoughts>We open at ten.", "We open at ten."),
    ("<internal_thoughts>Hm. Ten.</internal_thoughts>We open at ten.", "We open at ten."),
    ("<inner_voice>Hm. Ten.</inner_voice>We open at ten.", "We open at ten."),
    ("<analyze>Hm. Ten.</analyze>We open at ten.", "We open at ten."),
    ("<deliberation>Hm. Ten.</deliberation>We open at ten.", "We open at ten."),
    ("<chain-of-thought>Hm. Ten.</chain-of-thought>We open at ten.", "We open at ten."),
    ("<chain_of_thoughts>Hm. Ten.</chain_of_thoughts>We open at ten.", "We open at ten."),
    ("<thinking-process>Hm. Ten.</thinking-process>We open at ten.", "We open at ten."),
    ("<scratch_pad>Hm. Ten.</scratch_pad>We open at ten.", "We open at ten."),
    ("<self_reflection>Hm. Ten.</self_reflection>We open at ten.", "We open at ten."),
    ("<reasoning_process>Hm. Ten.</reasoning_process>We open at ten.", "We open at ten."),
    ("<REASONING_SCRATCHPAD>Hm. Ten.</REASONING_SCRATCHPAD>We open at ten.", "We open at ten."),
    (
        "<search_quality_reflection>Hm. Ten.</search_quality_reflection>We open at ten.",
        "We open at ten.",
    ),
    ("[think]Hm. Ten.[/think]We open at ten.", "We open at ten."),
    ("[THINKING]Hm. Ten.[/THINKING]We open at ten.", "We open at ten."),
    ("[REASONING]Hm. Ten.[/REASONING]We open at ten.", "We open at ten."),
    ("[reasoning]Hm. Ten.[/reasoning]We open at ten.", "We open at ten."),
    ("＜think＞Hm.＜/think＞We open at ten.", "We open at ten."),
    ("&lt;think&gt;Hm.&lt;/think&gt;We open at ten.", "We open at ten."),
    ("< think >Hm.< /think >We open at ten.", "We open at ten."),
    (
        "analysis<|message|>Hm.<|end|><|start|>assistant<|channel|>final<|message|>We open at ten.",
        "We open at ten.",
    ),
    (
        "One moment.<|start|>assistant to=functions.book<|channel|>commentary json"
        '<|message|>{"a":1}<|call|>',
        "One moment.",
    ),
    (
        '<|start|>assistant to=functions.book<|channel|>commentary json<|message|>{"a":1}<|call|>',
        "",
    ),
    ('<seed:tool_call>{"name": "book_table", "arguments": {"a": 1}}</seed:tool_call>', ""),
    ('<longcat_tool_call>{"name": "book_table", "arguments": {"a": 1}}</longcat_tool_call>', ""),
    ("<longcat_tool_call>book\n<longcat_arg_key>a</longcat_arg_key>\n</longcat_tool_call>", ""),
    (
        "<start_function_call>call:book{a:<escape>x<escape>}<end_function_call>We open at ten.",
        "We open at ten.",
    ),
    ('<TOOLCALL>[{"name": "book_table", "arguments": {"a": 1}}]</TOOLCALL>', ""),
    (
        '<tool-call>{"name": "book_table", "arguments": {"a": 1}}</tool-call>We open at ten.',
        "We open at ten.",
    ),
    ('<functioncall>{"name": "book_table", "arguments": {"a": 1}}</functioncall>', ""),
    ('<functioncall> {"name": "book_table", "arguments": {"a": 1}}', ""),
    ('<call:book>{"a":1}</call:book>We open at ten.', "We open at ten."),
    ("<|tool_response|>x", ""),
    (">>>all\nWe open at ten.", "We open at ten."),
    ('>>>book\n{"a": 1}', ""),
    ('We open at ten.\n>>>book\n{"a": 1}', "We open at ten."),
    ("<|from|>assistant\n<|recipient|>all\n<|content|>We open at ten.<|stop|>", "We open at ten."),
    ('<|recipient|>book\n<|content|>{"a":1}<|stop|>', ""),
    (
        '✿FUNCTION✿: book\n✿ARGS✿: {"a":1}\n✿RESULT✿: x\n✿RETURN✿: We open at ten.',
        "We open at ten.",
    ),
    ('✿FUNCTION✿: book\n✿ARGS✿: {"a":1}', ""),
    ('Action: book\nAction Input: {"a":1}', ""),
    ('One moment.\nAction: book\nAction Input: {"a":1}', "One moment."),
    ("Thought: I look.\nAction: book\nAction Input: {}", ""),
    ('{"tool_name": "book", "tool_parameters": {"a":1}}', ""),
    ('{"function_name": "book", "function_args": {"a":1}}', ""),
    ('{"thought": "hm", "action": "book", "action_input": {"a":1}}', ""),
    ("Goodbye. [end_call]", "Goodbye."),
    ("[thinking] Let me see.", "Let me see."),
    ("Goodbye. [tool: end_call]", "Goodbye."),
    ("Goodbye. <end_call/>", "Goodbye."),
    ("[end_call]", ""),
]

WORDS = [
    "User: is a word",
    "Human: a being.",
    "Caller: yes",
    "User: User: x",
    "The form has these lines.\nName: Ann\nCaller: Ann\nPhone: 5",
    "Thought: we could meet at ten. Shall we?",
    "Here is my thought process: first we check, then we ship.",
    "Use f(x=1 and so on. We open at ten.",
    'Say {"name": "x. We open at ten.',
    "按【1】转销售",
    "【1】选项一",
    "Book for <date> at <time>.",
    "Enter your <name>, <address> and <code>.",
    'He said "[1]".',
    '("[1]" or "[2]")',
    "Dial 555[1] now",
    "Options:[1] a",
    "[STOP] is a road sign",
    "The [END] of it",
    "[source: Wikipedia] says",
    "See [INST] for institutions",
    "AI: artificial intelligence is a field.",
    "Bot: no.",
]

WORDS += [
    "Dear [first_name]",
    "A form:\nCustomer: Ann\nPhone: 5",
    "**Bold** and ✿ AT&T >> a] b",
    "* item",
]

PIECES = """
    <think> </think> <thinking> <plan> </plan> <agent> <response> </response> <reply> <|> [1] [INST]
    <|im_end|> <|im_start|> user assistant <b> <a { } "name" : "x" "arguments": [ ] ( ) (x= f x= "
    end_call <tool_call> </tool_call> <function=book> <function> <function ``` User: user: Human:
    Caller: Customer: ### ** We open. ten Thought: Action: AI: Assistant: bot: <|channel|> final
    analysis commentary to= <|message|> <|start|> functions.book <|end|> [TOOL_CALLS] [THINK]
    [/THINK] [think] [END] [STOP] [end_call] <end_call/> <!-- --> 【1 【 †】 ◁think▷ <turn|> <|turn>
    <|tool_call> <tool_call|> <|channel> <channel|> <rn|> ]~b] ai [e~[ <|USER_TOKEN|> <|recipient|>
    all <|content|> ✿FUNCTION✿ ✿RETURN✿ >>> < > ＜think＞ &lt; / &gt; <role> HUMAN </role> <STOP>
    <extra_id_1> <SPECIAL_1> citeturn 0search0 :content <time> <date> </s> . ' don't 5 <details>
    <br/> a.b@c <tool/> <call:x> <Assistant> \ue200 \ue201 <?xml
""".split()  # noqa: SIM905 - a list that is read and edited
PIECES += [" ", " ", "\n", "\n\n", "Action Input: ", "Final Answer: ", "[source: x]", "[tool: x]"]


@pytest.mark.parametrize(("text", "words"), FOR_THE_CALLER)
def test_what_is_not_for_the_caller_is_left_out(text: str, words: str) -> None:
    """And nothing else, in whatever deltas."""
    assert {" ".join(read(*deltas).split()) for deltas in cuts(text, *SIZES)} == {words}


@pytest.mark.parametrize("text", WORDS)
def test_words_that_look_like_it_are_said(text: str) -> None:
    """As they were written."""
    assert {read(*deltas).strip() for deltas in cuts(text, *SIZES)} == {text.strip()}


@given(st.lists(st.sampled_from(PIECES), max_size=8))
def test_what_is_said_does_not_depend_on_the_deltas(parts: list[str]) -> None:
    """Of whatever markers and words, beginnings and ends."""
    text = "".join(parts)
    said = "".join(read(text).split())
    for deltas in (parts, *cuts(text, 1, 2, 5)):
        assert "".join(read(*deltas).split()) == said
