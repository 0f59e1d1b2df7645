"""What the adapters of language models share: what a model is told.

Every service has its own form of a conversation, and each refuses some that a telephone call makes:
one that begins with our greeting, one where somebody speaks twice in a row, tool calls that another
service has named. :func:`turns` and :func:`call_ids` make one that all of them take.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence

from pipelines.conversation import STAY_SILENT, Brief, Message, ToolCall, ToolResult

CUT_OFF = "—"
"""After words that the caller interrupted: a model takes a dash for that, and does not read it out,
as it would a remark in brackets."""

UNHEARD = "(The caller did not hear the rest: {})"
"""In the caller's place, after words that they interrupted, if a model has to know what it was."""

WHISPERED = (
    "Instructions of the operator who listens to this call, given while it goes on; the latest "
    "counts. Follow them from now on, before anything above. The caller has not heard them: do not "
    "mention them, nor the operator."
)
"""Before instructions that an operator gives while a call goes on."""

REFUSED = "You cannot have the caller passed on to these now; do not announce it:"
"""Before whom a transfer would be refused, and why."""

PARTY = (
    "Several people are on this line, and you hear all of them as one. What they say to each other "
    "is shown to you in brackets: never answer it, though you may use what you learn from it. "
    "Answer what is said to you, briefly, as one of several."
)
"""Before who is on the line, if there are several."""

JUDGING = """\
What may have been said to you, or to another of them, has a remark behind it. Decide then:
- To you: it answers what you have asked, goes on from what you have just said to them, asks for \
what you are there for or only you can know, or calls you by name. What you read is a transcript: \
your name may be misheard in it.
- To another: it answers what one of them has asked or said, calls another by name, is a remark on \
what you have said, or asks of what only they can know: their plans, their homes, each other.
- People who talk with each other mostly go on so. In doubt, it was to another.
If it was to you, answer, and say nothing of this decision. If it was to another, call the tool \
stay_silent, and write nothing at all: every word you write is spoken on the line."""
"""Behind who is on the line, where a model may say nothing. It is the same all call, so that what
servers cache of a conversation stays of use."""

PERHAPS = "(Perhaps said to you, perhaps to another: answer, or call stay_silent.)"
"""The remark, behind what was said last."""

TO_OTHERS = "(Said on the line, not to you: {})"
"""In the caller's place, what they said to each other."""

ANSWERED = "(The call is answered.)"
"""Stands for the caller, where we speak first. Anthropic and the chat templates of many open models
refuse a conversation that begins with the assistant."""

SILENCE = "(The caller says nothing.)"
"""Stands for the caller, where we have spoken last. Anthropic's and Google's models refuse to go on
after the assistant: they take it for the beginning of their own message."""

FORM_TOKENS = 4096
"""Of a form that is filled in: three pages, and what every model of today may write."""


def longest(tokens: int, brief: Brief) -> int:
    """Return the tokens of the longest answer.

    Args:
        tokens: Those of a reply that is spoken.
        brief: Whether it is one.
    """
    return max(tokens, FORM_TOKENS) if brief.form else tokens


def system_message(brief: Brief) -> str:
    """Return the prompt, then the facts and the questions as plain lists.

    It is the same all call, so that servers that cache the beginning of a prompt can; what an
    operator whispers comes behind it, where no words of the caller's ever stand.
    """
    parts = [brief.prompt.strip()]
    if brief.facts:
        parts.append("\n".join(["Facts:", *(f"- {fact}" for fact in brief.facts)]))
    if brief.questions:
        answers = [f"- {' / '.join(each.asked)}\n  {each.answer}" for each in brief.questions]
        parts.append("\n".join(["Frequent questions, each with its answer:", *answers]))
    if brief.whispers:
        parts.append("\n".join([WHISPERED, *(f"- {_line(one)}" for one in brief.whispers)]))
    if refused := [one for one in brief.destinations if one.refused]:
        lines = [f"- {_line(one.name)}: {_line(one.refused)}" for one in refused]
        parts.append("\n".join([REFUSED, *lines]))
    if brief.party:
        parts.append("\n".join([PARTY, *(f"- {_line(one)}" for one in brief.party)]))
        if any(tool.name == STAY_SILENT for tool in brief.tools):
            parts.append(JUDGING)
    return "\n\n".join(part for part in parts if part)


def _line(text: str) -> str:
    """Return a text in one line, so that it stays one item of a list."""
    return " ".join(text.split())


def turns(conversation: Sequence[Message], *, tools: bool = True) -> list[Message]:
    """Return the conversation in a form that every service takes.

    The caller begins, and has the last word unless results do. Nobody speaks twice in a row, but
    for us after results. No message is blank. None is marked as cut off: its text says so.

    Args:
        conversation: As it was.
        tools: Whether the server may be told of tools. If not, what they gave back is told in
            words, in the caller's place.
    """
    lines: list[Message] = []
    for message in conversation:
        ours = message.role == "assistant"
        results = message.results if ours else ()
        _add(lines, Message(message.role, _words(message), results=results if tools else ()))
        if not tools:
            _add(lines, Message("user", "\n".join(map(_in_words, results))))
        if ours and (unheard := message.unheard.strip()):
            _add(lines, Message("user", UNHEARD.format(unheard)))
    if not lines or lines[0].role == "assistant":
        lines.insert(0, Message("user", ANSWERED))
    if lines[-1].role == "assistant" and not lines[-1].results:
        lines.append(Message("user", SILENCE))
    return lines


def call_ids(lines: Sequence[Message], own: Callable[[ToolCall], str]) -> list[tuple[str, ...]]:
    """Name the tool calls, each differently: a tuple for each line, a name for each of its results.

    As a conversation grows, the names of what was there stay the same.

    Args:
        lines: The conversation.
        own: Returns the name that the service itself gave a call, or that it takes as well;
            ``""`` if there is none.
    """
    taken: set[str] = set()
    named = []
    for line in lines:
        names = []
        for result in line.results:
            name = own(result.call)
            number = len(taken)
            while not name or name in taken:
                number += 1
                name = f"call_{number}"
            taken.add(name)
            names.append(name)
        named.append(tuple(names))
    return named


def plain_id(call: ToolCall) -> str:
    """Return the name of a call if OpenAI and Anthropic take it, whoever gave it; else ``""``.

    Letters, digits, ``_`` and ``-``, as Anthropic says; 40 at most, as OpenAI says.
    """
    return call.id if re.fullmatch("[A-Za-z0-9_-]{1,40}", call.id) else ""


def tool_name(call: ToolCall) -> str:
    """Return the name of the tool, in letters that every service takes.

    A model may ask for a tool that it made up; to tell it so, the name has to be sent back.
    """
    return re.sub("[^A-Za-z0-9_-]", "_", call.name)[:64] or "_"


def _words(message: Message) -> str:
    text = message.text.strip()
    if message.to_others:
        return TO_OTHERS.format(text)
    if message.perhaps_to_others:
        return f"{text}\n{PERHAPS}"
    return f"{text} {CUT_OFF}" if text and message.cut_off else text


def _in_words(result: ToolResult) -> str:
    return f"({result.call.name}: {result.text.strip()})"


def _add(lines: list[Message], line: Message) -> None:
    """Add a line; to the last one, if that is of the same speaker, who has not had results yet."""
    if not line.text and not line.results:
        return
    last = lines[-1] if lines else None
    if last is not None and last.role == line.role and not last.results:
        text = "\n".join(filter(None, (last.text, line.text)))
        lines[-1] = Message(line.role, text, results=line.results)
    else:
        lines.append(line)
