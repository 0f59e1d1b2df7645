"""No input costs more than its length: each parser of what comes from outside, on its worst cases.

All calls of a process share one event loop; a parser that takes the square of its input lets a
model, a caller or a stranger stop them all with a few kilobytes.
"""

from __future__ import annotations

import asyncio
import io
import json
import re
from collections.abc import AsyncGenerator, Callable, Mapping
from contextlib import suppress
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from typing import Any, get_args

import pytest

from agent.console.agents.text_diff import differences
from agent.console.hidden_numbers import HiddenNumbers
from agent.console.visitor import Role, Visitor
from agent.personas import loader, yaml_text
from agent.personas.errors import PersonaError
from agent.personas.script import stranger_line
from agent.records.events import JournalLine
from agent.records.exports.captions import webvtt
from agent.records.exports.columns import TURNS
from agent.records.exports.formats import Csv
from agent.records.journals.journal_file import JournalFile
from agent.records.journals.journal_names import new_journal
from agent.records.journals.spool import Spool
from agent.records.private_lines import PrivateLines
from agent.records.redaction.finder import Finder
from agent.records.seals import NoSeal
from agent.records.search.marked_words import marked_words
from agent.records.search.search_words import QuestionError, question
from agent.settings import toml_file
from agent.settings.origins import Origins
from agent.settings.privacy import Redacted
from agent.sinch import callbacks
from agent.sinch.api import svaml
from agent.stream.connect import ProtocolError
from agent.stream.protocol import StreamProtocol
from pipelines.audio import Audio
from pipelines.conversation import Brief, Message, ToolCall, ToolResult
from pipelines.encodable import EncodableText, encodable, encodable_json, read_json
from pipelines.providers.lookup.answers import Thresholds
from pipelines.providers.lookup.languages import LANGUAGES
from pipelines.providers.lookup.reply import ReplyRules
from pipelines.providers.openai_chat_stream import Chunk, StreamedReply
from pipelines.providers.partial_call import PartialCall
from pipelines.providers.piper_clauses import clauses
from pipelines.providers.prompt import turns
from pipelines.providers.transport.failures import MAX_REFUSAL, refused_reply, reported
from pipelines.providers.transport.refused_options import SYSTEM, TOOLS
from pipelines.providers.transport.sse import sse
from pipelines.reply.playout import Playout
from pipelines.stages.context import ContextWindow
from pipelines.text.markup import tidied, without_markup
from pipelines.text.reply_text import ReplyText
from pipelines.text.sentences import SentenceCutter
from pipelines.text.speakable import PIECE, speakable
from pipelines.text.words import words
from pipelines.tools.arguments import argument_error
from pipelines.turn_taking.annotations import words_of
from pipelines.turn_taking.backchannels import is_backchannel
from pipelines.turn_taking.end_of_turn_words import ending
from pipelines.turn_taking.text_completeness import text_completeness
from tests import growth
from tests.agent.records.exports.calls import journal, whole_call
from tests.growth import FAMILIES, LARGE, MOST, pieces

SIZES = (1, 7, 64, LARGE)
"""Characters of a delta; the last is all at once."""


def cut(size: int, given: str) -> None:
    cutter, clean = SentenceCutter(), EncodableText()
    for delta in pieces(given, size):
        cutter.feed(clean.feed(delta))
    cutter.flush()


def read_reply(size: int, given: str, *, thinking: bool = False) -> None:
    reply = ReplyText(thinking=thinking)
    for delta in pieces(given, size):
        reply.feed(delta)
    reply.flush()


def read_events(size: int, given: str) -> None:
    async def body() -> AsyncGenerator[bytes, None]:
        for piece in pieces(given, size):
            yield piece.encode("utf-8", "replace")

    async def read() -> None:
        async for _ in sse(body()):
            continue

    asyncio.run(read())


def gather_call(size: int, given: str) -> None:
    """Gather a tool call's arguments, as much of them as are taken, with its name each time."""
    reply = StreamedReply("any")
    for delta in pieces(given[:16_000], size):
        function = {"name": "book", "arguments": delta if given[0] != "." else ""}
        calls = ({"index": 0, "function": function},)
        for _ in reply.take(Chunk.model_validate({"choices": [{"delta": {"tool_calls": calls}}]})):
            continue
    for call in reply.calls:
        PartialCall(call.name, call.id, call.fragments)


def receive(given: str) -> None:
    for message in (
        given,
        json.dumps(
            {"command": "connect", "callId": given, "callHeaders": {"a": given, given: "b"}}
        ),
    ):
        try:
            StreamProtocol().receive(message)
        except ProtocolError:
            continue


def call_back(given: str) -> None:
    ice: dict[str, Any] = {"event": "ice", "callId": given, "cli": given}
    ice["callHeaders"] = [{"key": given, "value": given}] * 3
    for body in (given.encode("utf-8", "replace"), json.dumps(ice).encode()):
        try:
            callbacks.parse(body)
        except callbacks.CallbackError:
            continue


def check_arguments(given: str) -> None:
    schema = {
        "type": "object",
        "properties": {"day": {"type": "string", "maxLength": 20}, "party": {"type": "integer"}},
        "additionalProperties": False,
        "required": ["day"],
    }
    for arguments in ({"day": given}, {"day": "Monday", given: 1}, {"party": given}):
        argument_error(schema, arguments)


def write_transcript(folder: Path, given: str) -> None:
    now = datetime.now(UTC)
    transcript = JournalFile(Spool(folder), new_journal(now), given, NoSeal())
    for piece in pieces(given, 500):
        transcript.add("caller", {"text": piece})
    transcript.close()


FINDER = Finder(kinds=get_args(Redacted), country="US")


def take_out(given: str) -> None:
    """Of one text, in a language that we know and in one that we do not."""
    FINDER.find(given, "en", given)
    FINDER.find(given, "", known=("4111111111111111",))


def write_private(given: str) -> None:
    """A call whose caller says it in turns, each repeated by the agent and a tool."""
    lines = PrivateLines(get_args(Redacted))
    lines.take("call", {"language": "en"})
    for at, piece in enumerate(pieces(given, 500)):
        lines.take("caller", {"at": at, "text": piece})
        lines.take("agent", {"at": at, "text": piece})
        lines.take("tool", {"at": at, "arguments": {"a": [piece]}, "result": piece})
    lines.rest()


def caption(given: str) -> None:
    """Write what somebody has said as captions."""
    fields = {"text": given, "until": 60.0}
    webvtt(whole_call([*journal("a")[:1], said_at(1.0, fields)]))


def tabulate(given: str) -> None:
    """Write what somebody has said as a row of CSV."""
    Csv(io.BytesIO(), TURNS).add(whole_call([*journal("a")[:1], said_at(1.0, {"text": given})]))


def compare(given: str) -> None:
    """A draft of an agent file with what it was: half of it has gone, and some has come."""
    half = len(given) // 2
    differences(given, f"{given[half:]}\n{given[:10]}")
    differences("\n".join(pieces(given, 8)), "\n".join(pieces(given[half:], 8)))


def search(given: str) -> None:
    """Ask for words, and mark what was found of them in a long line."""
    with suppress(QuestionError):
        question(given, ["en", "de"])
    marked_words(given, "en", question('"a b" 7 open*', ["en"]))


def hide_numbers(given: str) -> None:
    """In what was said in a call, and in what a tool gave back."""
    numbers = HiddenNumbers(Visitor(name="luke", role=Role.LOOK), ["+4915112345678", "777777"])
    numbers.written(given)
    numbers.fields("tool", {"text": given, "result": [given, {given: given}]})


def said_at(at: float, fields: Mapping[str, Any]) -> JournalLine:
    return JournalLine(journal="a", line=1, kind="caller", at=at, fields=fields)


def read_agent(given: str) -> None:
    for text in (f"greeting: {given}", f"facts: [{given}]"):
        with suppress(PersonaError):
            loader.parse(f"---\n{text}\n---\n{given}")


def read_fields(given: str) -> None:
    """Many fields, one of them no YAML, so that each is read by itself."""
    fields = (f"k{number}: {piece}" for number, piece in enumerate(pieces(given, 4)))
    yaml_text.read("\n".join(("facts: [", *fields)), 2)


def read_settings(given: str) -> None:
    """A file of many sections, with one line that is no TOML."""
    sections = (f"[[k{n}]]\na = '{piece}'" for n, piece in enumerate(pieces(given, 20)))
    toml_file.take("\n".join((*sections, "port 9000")), "voice-agent.toml", Origins())


def look_up(given: str) -> None:
    brief = Brief(prompt="", facts=("We open at nine.",), unsure=("I do not know.",))
    rules = ReplyRules(Thresholds(), brief, LANGUAGES["en"], "en")
    rules.reply([Message("user", given)])


def play(given: str) -> None:
    """A reply of sentences of two characters, all of it made at once, heard frame by frame."""
    playout = Playout(1.0)
    frame = Audio(bytes(320), 8000)
    for sentence in pieces(given, 20):
        playout.begin(sentence)
        playout.put(frame)
        playout.finish()
    at = 0.0
    while playout.pending:
        playout.take(at)
        at += 0.02
    playout.hold(at)
    playout.heard(at)


def show(given: str) -> None:
    window = ContextWindow(1000)
    conversation: list[Message] = []
    for piece in pieces(given, 100):
        result = ToolResult(ToolCall("look", {"at": piece}), piece)
        conversation += [Message("user", piece), Message("assistant", "", results=(result,))]
    turns(window.shown(conversation))
    window.narrow(conversation)


PARSERS: Mapping[str, Callable[[str], object]] = {
    **{f"sentences, {size} at a time": partial(cut, size) for size in SIZES},
    **{f"a reply, {size} at a time": partial(read_reply, size) for size in SIZES},
    "a reply, expected to think": partial(read_reply, 7, thinking=True),
    "counted words": words,
    **{f"events, {size} at a time": partial(read_events, size) for size in SIZES},
    **{f"tool calls, {size} at a time": partial(gather_call, size) for size in SIZES[1:]},
    **{
        f"read out in {language}": partial(speakable, language=language)
        for language in ("en", "de", "es", "fr", "it", "ja")
    },
    "pronounced": lambda given: tidied(
        speakable(given, "en", {"a.b": "ab", "Mo": "Mow", "1": "one"})
    ),
    "markup, a piece": lambda given: [without_markup(one) for one in pieces(given, PIECE)],
    "clauses": lambda given: list(clauses(given)),
    "whole characters": encodable,
    "JSON": lambda given: read_json(json.dumps({"a": given, given: [given]})),
    "JSON, read": lambda given: encodable_json({"a": given, given: [given]}),
    "the stream": receive,
    "callbacks": call_back,
    "call headers": lambda given: svaml.call_headers({given: given}),
    "a value of a call": stranger_line,
    "arguments of tools": check_arguments,
    "an agent file": read_agent,
    "fields of an agent file": read_fields,
    "settings": read_settings,
    "a refusal": lambda given: refused_reply(
        400, given[:MAX_REFUSAL], (SYSTEM, TOOLS, "reasoning_effort")
    ),
    "an error in a stream": lambda given: reported({"error": given[:MAX_REFUSAL]}),
    **{f"an ending in {language}": partial(ending, language=language) for language in ("en", "fr")},
    "completeness": lambda given: text_completeness(given, "fr"),
    "annotations": words_of,
    "a backchannel": lambda given: is_backchannel(given, "en"),
    "questions": look_up,
    "playout": play,
    "what is taken out": take_out,
    "private lines": write_private,
    "history": show,
    "captions": caption,
    "whole rows of CSV": tabulate,
    "a draft beside the file": compare,
    "a search": search,
    "hidden numbers": hide_numbers,
}


REPLIES: tuple[str, ...] = (
    "<think>",
    "</think>",
    "<|a|>",
    "<|channel|>a",
    "[TOOL_CALLS]",
    "【4",
    "\ue200",
    "[1",
)
REPLIES += ('{"name":"a', '{"name":"\\"', "a_b(", "a(a=", "```a", "assistant:", "\nUser", '<a b="')
REPLIES += ("<b a ", "<|im_start|> ", "{ ", "<tool_call>")
"""What begins a marker of a reply, again and again."""


@pytest.mark.parametrize("size", SIZES)
@pytest.mark.parametrize("unit", REPLIES)
def test_markers_that_do_not_end_cost_no_more(
    unit: str, size: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Whatever a model repeats."""
    monkeypatch.setitem(growth.FAMILIES, "a marker", unit)
    assert growth.growth(partial(read_reply, size), "a marker") <= MOST


LENGTH_ALONE: tuple[str, ...] = (
    "events",
    "tool calls",
    "playout",
    "history",
    "whole",
    "JSON",
    "fields",
    "settings",
    "hidden numbers",
)
LENGTH_ALONE += ("private lines",)  # what is taken out of them is asked for by itself
"""Parsers, by the beginning of their names, that see few kinds of characters."""

FEW = ("dots", "spaces", "lines", "words", "emoji", "halves of characters", "escapes")
"""Families for those."""


@pytest.mark.parametrize("parser", PARSERS)
def test_twice_the_input_costs_about_twice_as_much(parser: str) -> None:
    """Eight times the input never costs more than three times what it should."""
    families = FEW if parser.startswith(LENGTH_ALONE) else FAMILIES
    costs = {family: growth.growth(PARSERS[parser], family) for family in families}
    assert not {family: ratio for family, ratio in costs.items() if ratio > MOST}


@pytest.mark.parametrize("family", FAMILIES)
def test_transcripts_cost_what_they_hold(family: str, tmp_path: Path) -> None:
    """Lines are written as they come, whatever came before."""
    assert growth.growth(partial(write_transcript, tmp_path), family) <= MOST


def test_what_grows_with_the_square_is_found() -> None:
    """The measure tells one from the other."""

    def square(given: str) -> None:
        re.sub(r"\.+x", "", given)

    assert growth.growth(square, "dots") > MOST
