"""What of a model's text is for the caller, however it is cut into deltas."""

from __future__ import annotations

from itertools import pairwise

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from pipelines.text.reply_text import MOST_CALL, MOST_KEPT, ReplyText

OPEN = "We open at ten."

REASONING = [
    "<think>The caller wants hours. I should look.</think>We open at ten.",
    "<think>\n\n</think>\n\nWe open at ten.",
    '<THINK type="deep">One. Two < 3!</THINK>\nWe open at ten.',
    "<thinking>Hours. <b>Ten</b>.</thinking>We open at ten.",
    "<thought>Hours.</thought><answer>We open at ten.</answer>",
    "<reasoning>Hours.</reasoning>We open at ten.",
    "<reflection>Hours.</reflection>We open at ten.",
    "<scratchpad>\nHours.\n</scratchpad>\nWe open at ten.",
    "<inner_monologue>Hours.</inner_monologue><response>We open at ten.</response>",
    "<seed:think>Hours.</seed:think>We open at ten.",
    "◁think▷Hours. Ten.◁/think▷We open at ten.",
    "[THINK]Hours. Ten.[/THINK]We open at ten.",
    "<|START_THINKING|>Hours.<|END_THINKING|><|START_RESPONSE|>We open at ten.<|END_RESPONSE|>",
    "<|begin_of_thought|>Hours.<|end_of_thought|>\n<|begin_of_solution|>We open at ten."
    "<|end_of_solution|>",
    "<|channel>thought\nHours. Ten.<channel|>We open at ten.",
    "<unused94>thought\nHours. Ten.<unused95>We open at ten.",
    "<|inner_prefix|>Hours. Ten.<|inner_suffix|>We open at ten.",
    "<|thinking_start|>Hours. Ten.<|thinking_end|>We open at ten.",
    '<details type="reasoning" done="true"><summary>Thought</summary>Ten.</details>We open at ten.',
    "Here is my thought process: Hours. Ten.\nHere is my response: We open at ten.",
    "Thought: Hours.\nAction: look\nAction Input: {}\nFinal Answer: We open at ten.",
    "<|channel|>analysis<|message|>Hours. Ten.<|end|><|start|>assistant<|channel|>final<|message|>"
    "We open at ten.<|return|>",
    "<|start|>assistant<|channel|>final <|constrain|>text<|message|>We open at ten.",
    "analysisThe caller wants hours. Ten.assistantfinalWe open at ten.",
    "analysisHours.assistantcommentary to=functions.look json{}assistantfinalWe open at ten.",
    "commentary to=functions.look json{}assistantfinalWe open at ten.",
    # The server's template had opened it.
    "The caller wants hours. I look.\n</think>\n\nWe open at ten.",
    "The caller wants hours.[/THINK]We open at ten.",
    "We open at ten.</think>",
    "<think>Hours.</think></think>We open at ten.",
]

MARKERS = [
    "We open at ten.<|im_end|>",
    "We open at ten.<|eot_id|>",
    "We open at ten.<|endoftext|>",
    "We open at ten.</s>",
    "<s>We open at ten.</s>",
    "<bos>We open at ten.<eos>",
    "We open at ten.<end_of_turn>",
    "<start_of_turn>model\nWe open at ten.<end_of_turn>\n<start_of_turn>user\nAnd on Sunday?",
    "<|im_start|>assistant\nWe open at ten.<|im_end|>\n<|im_start|>user\nAnd on Sunday?<|im_end|>",
    "<|start_header_id|>assistant<|end_header_id|>\n\nWe open at ten.<|eot_id|>",
    "<|header_start|>assistant<|header_end|>\n\nWe open at ten.<|eot|>",
    "<|start_of_role|>assistant<|end_of_role|>We open at ten.<|end_of_text|>",
    "<｜Assistant｜>We open at ten.<｜end▁of▁sentence｜><｜User｜>And on Sunday?",
    "<|assistant|>\nWe open at ten.<|user|>\nAnd on Sunday?",
    "[/INST] We open at ten.[INST] And on Sunday? [/INST]",
    "<<SYS>>Be brief.<</SYS>>We open at ten.",
    "We open<unk> at<pad><pad> ten.",
    "We open<0x20> at ten.<unused7><|reserved_special_token_5|>",
    "assistant: We open at ten.",
    "Assistant\n\nWe open at ten.",
    "AI: We open at ten.",
    "We open at ten.\nUser: And on Sunday?\nAssistant: At noon.",
    "We open at ten.\n\nHuman: And on Sunday?",
    "We open at ten【4†source】.",
    "We open at ten【4:0†hours.pdf】.",
    "We open at ten[1][2, 3].",
    "We open at ten[^1].",
    "We open at ten\ue200cite\ue202turn0search0\ue202turn1news2\ue201.",
    "We openciteturn0search0 at ten."[:7] + " at ten.",
    "We open at ten:contentReference[oaicite:0]{index=0}.",
    '<cite index="0-1">We open at ten</cite>.',
    "<co: 0>We open at ten</co: 0,1>.",
    "<speak>We open at <emphasis level='strong'>ten</emphasis>.</speak>",
    "<p>We <b>op</b>en at ten.</p>",
    "We open<!-- at nine. No: --> at ten.",
    "We open at ten.<script>alert('Hi. Ho.')</script>",
]

CALLS = [
    '<function=book_table>{"day": "Monday"}</function>',
    '<function=book_table>{"day": "Monday. No."}',
    '<tool_call>\n{"name": "book_table", "arguments": {"day": "Monday"}}\n</tool_call>',
    "<tool_call>\n<function=book_table>\n<parameter=day>\nMonday.\n</parameter>\n</function>\n"
    "</tool_call>",
    "<tool_call>book_table\n<arg_key>day</arg_key>\n<arg_value>Monday</arg_value>\n</tool_call>",
    '<tool_call>{"name": "book_ta',
    '<function_calls>\n<invoke name="book_table">\n<parameter name="day">Monday</parameter>\n'
    "</invoke>\n</function_calls>",
    '<minimax:tool_call>\n<invoke name="book_table">\n</invoke>\n</minimax:tool_call>',
    "<tool_code>\nprint(book_table(day='Monday'))\n</tool_code>",
    '<|python_tag|>book_table.call(day="Monday")<|eom_id|>',
    '<|python_tag|>{"name": "book_table", "parameters": {"day": "Monday"}}',
    '[TOOL_CALLS] [{"name": "book_table", "arguments": {"day": "Mon]day"}}]',
    '[TOOL_CALLS]book_table[ARGS]{"day": "Monday"}',
    '[TOOL_CALLS]book_table[CALL_ID]a1b2c3d4e[ARGS]{"day": "Monday"}[TOOL_CALLS]',
    '<|tool_call|>[{"name": "book_table", "arguments": {"day": "Monday"}}]<|/tool_call|>',
    '<|channel|>commentary to=functions.book_table <|constrain|>json<|message|>{"day":"Monday"}'
    "<|call|>",
    "<｜tool▁calls▁begin｜><｜tool▁call▁begin｜>function<｜tool▁sep｜>book_table\n```json\n"
    '{"day": "Monday"}\n```<｜tool▁call▁end｜><｜tool▁calls▁end｜>',
    '<｜DSML｜function_calls><｜DSML｜invoke name="book_table"></｜DSML｜invoke>'
    "</｜DSML｜function_calls>",
    "<|tool_calls_section_begin|><|tool_call_begin|>functions.book_table:0"
    '<|tool_call_argument_begin|>{"day": "Monday"}<|tool_call_end|><|tool_calls_section_end|>',
    'functions.book_table:0{"day": "Monday"}',
    '<|action_start|><|plugin|>\n{"name": "book_table", "parameters": {}}<|action_end|>',
    '<|START_ACTION|>[{"tool_call_id": "0", "tool_name": "book_table"}]<|END_ACTION|>',
    '<|FunctionCallBegin|>[{"name": "book_table"}]<|FunctionCallEnd|>',
    '<tool_request>{"day": "Monday"}</tool_request>',
    '{"name": "book_table", "arguments": {"day": "Monday"}}',
    '{"name": "book_table", "parameters": {"note": "don\'t \\"}{ go"}}',
    '{"type": "function", "name": "book_table", "parameters": {}}',
    '{"type":"function","function":{"name":"book_table","arguments":"{\\"day\\": 1}"}}',
    '[{"name": "book_table", "arguments": {}}, {"name": "end_call", "arguments": {}}]',
    "{'name': 'book_table', 'arguments': {'day': 'Monday'}}",
    '{"tool": "book_table", "tool_input": {"day": "Monday"}}',
    '{"action": "book_table", "action_input": {"day": "Monday"}}',
    '{"tool_calls": [{"function": {"name": "book_table"}}]}',
    '{"name": "book_table", "arguments": {"day": "Mon',
    '```json\n{"name": "book_table", "arguments": {"day": "Monday"}}\n```',
    '```tool_code\nprint(default_api.book_table(day="Monday"))\n```',
    'print(default_api.book_table(day="Monday"))',
    '[book_table(day="Monday", at="10"), end_call()]',
    'book_table(day="Monday")',
    'book_table({"day": "Monday"})',
    'book_table("Monday")',
    "end_call()",
]

WORDS = [
    "If your total <b and your limit c> d, call us.",
    "Write to <john@example.com> please.",
    "See <https://example.com/a?b=c> or <mailto:a@b.c>.",
    "Children < 12 and adults > 65.",
    "It is a<b, or a<b and c>d? No: x < y > z.",
    "I <3 you, in <5 minutes, <= 10, <- back, << all >>.",
    "Dear <your name>, your <plan> ends on <date>; say the <reason>.",
    "Press <Enter> or <Return>.",
    "The set {1, 2}, {name}, [sic], [see below] and (s) are text.",
    'He said {"response": "We open at ten."} in braces.',
    '{"name": "John", "age": 5} is no call.',
    "See example.com(24/7) or en.example.org/wiki/x_(y=z), commentary to you.",
    "Item(s), f(x), fee(net), we (all) open e.g. this: that.",
    "See [1] and [our menu](https://example.com), option [2] of 3.",
    "Assistants are here: the assistant: is it on line two?",
    "Analysis of hours. Final answer: ten. Thoughts? Users: five.",
    "Here is my number. Here's my thought: call us.",
    "A `code` and ``more`` of it; 5 | 3; a ~ b; #1 * 2.",
    "我们【重要】十点开门。「好」。",
    "C:\\path, user:name, time 10:30, ratio 1:2:c.",
    "Half a \ud83d and a whole \U0001f600.",
    "<",
    "a <",
    "a < b <",
    "[",
    "{",
    "print(",
]


def read(*deltas: str) -> str:
    """Return the words that are said of a text, where nothing is spoken before its end."""
    text, said = ReplyText(), ""
    for delta in (*deltas, None):
        part = text.flush() if delta is None else text.feed(delta)
        said = part if text.anew else said + part
    return said


def cuts(text: str, *sizes: int) -> list[list[str]]:
    return [[text[at : at + size] for at in range(0, len(text), size)] for size in sizes]


SIZES = (1, 2, 3, 5, 8, 1000)


@pytest.mark.parametrize("text", REASONING)
def test_reasoning_is_not_said(text: str) -> None:
    """By whatever name, in whatever deltas."""
    assert {read(*deltas).strip() for deltas in cuts(text, *SIZES)} == {OPEN}


@pytest.mark.parametrize(
    "text", ["<think>Hours. Ten.", "<|channel|>analysis<|message|>Ten.", "<thi"]
)
def test_reasoning_that_does_not_end_leaves_nothing(text: str) -> None:
    """The reply is empty then."""
    assert {read(*deltas).strip() for deltas in cuts(text, *SIZES)} == {""}


@pytest.mark.parametrize("text", MARKERS)
def test_markers_are_not_said(text: str) -> None:
    """Tokens of templates, names of speakers, tags, sources; nor the caller's turn after ours."""
    found = {"".join(read(*deltas).split()) for deltas in cuts(text, *SIZES)}
    assert found <= {"".join(OPEN.split()), "Weopenatten"}
    assert len(found) == 1


@pytest.mark.parametrize("call", CALLS)
@pytest.mark.parametrize("before", ["", "One moment. "])
def test_tool_calls_that_are_written_as_text_are_not_said(call: str, before: str) -> None:
    """However they are written; what was said before is."""
    assert {read(*deltas).strip() for deltas in cuts(before + call, *SIZES)} == {before.strip()}


@pytest.mark.parametrize(
    "call", [call for call in CALLS if call.endswith((">", "]", "}", ")"))][:40]
)
def test_what_follows_a_call_is_said(call: str) -> None:
    """Where it is known to have ended."""
    said = {read(*deltas).strip() for deltas in cuts(f"{call}\nWe open at ten.", *SIZES)}
    assert said == {OPEN} or (said == {""} and "</function>" not in call and "<" in call)


@pytest.mark.parametrize("text", WORDS)
def test_what_only_looks_like_markup_is_said(text: str) -> None:
    """Nothing of it is lost."""
    assert {read(*deltas) for deltas in cuts(text, *SIZES)} == {text}


@pytest.mark.parametrize("text", WORDS)
def test_a_preamble_and_its_end_do_not_change_words(text: str) -> None:
    """Behind reasoning and before a stop token they are the same words."""
    for deltas in cuts(f"<think>Hm.</think>{text} <|im_end|>", *SIZES):
        assert read(*deltas).strip() == text.strip()


def test_a_text_without_markers_is_not_held_back() -> None:
    """But for its last word, which may be the name of a function; so no sentence comes later."""
    reply = ReplyText()
    said = ""
    for number, letter in enumerate(text := "Hello. We open at 9.30, and close (late) at ten! ", 1):
        said += reply.feed(letter)
        held = text[len(said) : number]
        assert text.startswith(said)
        assert " " not in held.rstrip("(late")


@pytest.mark.parametrize(
    ("text", "at_once"),
    [
        ("a < b", "a < "),
        ("if <b and", "if <b and"[:6] + "and"[:0]),
        ("in <5", "in <5"),
        ("<you", "<you"),
        ("{1", "{1"),
        ("[Our", "[Our"),
    ],
)
def test_words_leave_as_soon_as_they_can_be_no_marker(text: str, at_once: str) -> None:
    """The longest wait is for the end of a tag."""
    reply = ReplyText()
    assert reply.feed(text + " ").startswith(at_once.rstrip())


def test_what_the_model_was_is_told() -> None:
    """So that whoever runs the server hears of it."""
    reply = ReplyText()
    reply.feed("<think>Hm.</think>Hi. <tool_call>{}</tool_call><|im_end|>")
    assert reply.kinds == {"reasoning", "tool call", "markup"}
    reply.feed("<|im_start|>user\nYes")
    assert reply.over
    assert reply.feed("More.") == ""


@pytest.mark.parametrize("size", [1, 7, 100_000])
def test_the_calls_that_were_taken_out_are_kept_as_far_as_they_name_a_tool(size: int) -> None:
    """Their beginning, whatever the pieces; neither words nor reasoning beside them."""
    call = (
        '<tool_call>{"name": "book", "arguments": {"note": "' + "x" * MOST_CALL + '"}}</tool_call>'
    )
    text = f"<think>Shall I book?</think>Hi. {call}"
    reply = ReplyText()
    for at in range(0, len(text), size):
        reply.feed(text[at : at + size])
    reply.flush()
    assert reply.calls == call[:MOST_KEPT]


def test_an_end_of_reasoning_without_a_beginning_begins_the_reply() -> None:
    """What was given before was reasoning: the server's template had opened it."""
    reply = ReplyText()
    assert (reply.feed("The caller wants hours. "), reply.anew) == (
        "The caller wants hours. ",
        False,
    )
    assert (reply.feed("So.</think>\n\n"), reply.anew) == ("So.", False)
    assert (reply.feed("At ten. "), reply.anew) == ("At ten. ", True)
    assert (reply.feed("Yes. "), reply.anew, reply.thinks_first) == ("Yes. ", False, True)


def test_a_reply_that_is_expected_to_begin_with_reasoning() -> None:
    """Nothing is said before its end; if there is none, it was words after all."""
    reply = ReplyText(thinking=True)
    assert reply.feed("Hours. Ten.</think>We open ") == "We open "
    assert reply.thinks_first
    reply = ReplyText(thinking=True)
    assert reply.feed("We open at ten.<|im_end|>") == ""
    assert reply.flush().strip() == OPEN
    assert not reply.thinks_first


@given(
    st.text(
        st.sampled_from("<>/|thinkTOOL[]{}()\"'`:=_ .\n◁▷【†】\ue200\ue201bs") | st.characters()
    )
)
@example("<think></think>")
def test_whatever_comes_the_cut_makes_no_difference(text: str) -> None:
    """Letter by letter, or all at once; and nothing is said that was not written."""
    whole = read(text)
    assert "".join(whole.split()) == "".join(read(*text).split())
    letters = iter("".join(text.split()))
    assert all(letter in letters for letter in "".join(whole.split()))


PARTS = [
    "<think>",
    "</think>",
    "Hi. ",
    "<|im_end|>",
    "<b>",
    "{",
    '"name"',
    ": ",
    "}",
    "[",
    "]",
    "(x=",
]
PARTS += [
    "<tool_call>",
    "</tool_call>",
    "```",
    "\n",
    "User:",
    "We",
    "<|channel|>",
    "final",
    "<|message|>",
]
PARTS += [
    "analysis",
    "[TOOL_CALLS]",
    "[THINK]",
    "<!--",
    "-->",
    "【1",
    "†】",
    "end_call",
    "()",
    "<|im_start|>",
]


@given(st.lists(st.sampled_from(PARTS), max_size=12), st.lists(st.integers(0, 120), max_size=6))
def test_nor_do_markers_that_are_cut_anywhere(parts: list[str], at: list[int]) -> None:
    """Beginnings without ends, ends without beginnings, one in the other."""
    text = "".join(parts)
    marks = [0, *sorted(min(n, len(text)) for n in at), len(text)]
    deltas = [text[a:b] for a, b in pairwise(marks)]
    assert "".join(read(*deltas).split()) == "".join(read(text).split())


def test_what_is_held_is_bounded() -> None:
    """A call that goes on for ever, a tag, a thought; they cost no memory."""
    for begun in (
        '{"name": "a',
        "<think>",
        '<a href="',
        "[TOOL_CALLS][",
        "end_call(x=",
        "<|channel|>",
    ):
        reply = ReplyText()
        for piece in cuts(begun + "x y. " * MOST_CALL, 1000)[0]:
            reply.feed(piece)
        assert len(reply._text) <= 1000
        assert sum(map(len, reply._call)) <= MOST_CALL + 1000
