"""What language models are told, whatever their service."""

from __future__ import annotations

import pytest

from pipelines.conversation import Brief, Message, Question, ToolCall, ToolResult
from pipelines.providers.prompt import (
    ANSWERED,
    SILENCE,
    UNHEARD,
    call_ids,
    plain_id,
    system_message,
    tool_name,
    turns,
)


def result(id_: str = "", text: str = "Rain.") -> ToolResult:
    return ToolResult(ToolCall("weather", {}, id_), text)


def test_what_was_not_heard_of_a_greeting_is_told_in_the_callers_place() -> None:
    """No model reads out there what stands in brackets; nothing is said of what was not cut off."""
    lines = turns(
        [
            Message("assistant", "Hello,", cut_off=True, unheard="this is Ann."),
            Message("user", "Who?"),
            Message("assistant", "", cut_off=True, unheard="Ann."),
        ]
    )
    assert lines[1:] == [
        Message("assistant", "Hello, —"),
        Message("user", f"{UNHEARD.format('this is Ann.')}\nWho?\n{UNHEARD.format('Ann.')}"),
    ]


def test_the_system_message_lists_facts_and_questions() -> None:
    """Everything that the agent file knows is in it, in its order, as plain text."""
    brief = Brief(
        prompt="You are a receptionist.\n",
        facts=("We are in Linden Street.", "Dogs are welcome."),
        questions=(
            Question(asked=("When do you open?", "Opening hours?"), answer="At nine."),
            Question(asked=("Is there parking?",), answer="Behind the house."),
        ),
    )
    assert system_message(brief) == (
        "You are a receptionist.\n"
        "\n"
        "Facts:\n"
        "- We are in Linden Street.\n"
        "- Dogs are welcome.\n"
        "\n"
        "Frequent questions, each with its answer:\n"
        "- When do you open? / Opening hours?\n"
        "  At nine.\n"
        "- Is there parking?\n"
        "  Behind the house."
    )


def test_a_conversation_that_every_service_takes_is_left_as_it_is() -> None:
    """Nothing is added to it."""
    conversation = [
        Message("user", "Hi."),
        Message("assistant", "Hello."),
        Message("user", "Weather?"),
        Message("assistant", "One moment.", results=(result(),)),
        Message("assistant", "It rains."),
        Message("user", "Thanks."),
    ]
    assert turns(conversation) == conversation


def test_the_caller_stands_first_and_last() -> None:
    """Where we speak first or last, a remark stands in the caller's place."""
    greeting = Message("assistant", "Hello.")
    expected = [Message("user", ANSWERED), greeting, Message("user", SILENCE)]
    assert turns([greeting]) == expected
    assert turns([]) == [Message("user", ANSWERED)]


def test_nobody_speaks_twice_in_a_row() -> None:
    """What somebody says on top of what they said is the same message, tools and all."""
    conversation = [
        Message("user", "Hi."),
        Message("user", "Weather?"),
        Message("assistant", "We are open", cut_off=True),
        Message("assistant", "One moment.", results=(result(),)),
    ]
    assert turns(conversation) == [
        Message("user", "Hi.\nWeather?"),
        Message("assistant", "We are open —\nOne moment.", results=(result(),)),
    ]


def test_messages_without_words_are_left_out() -> None:
    """And what was cut off before anything was heard; but not results."""
    conversation = [
        Message("user", " "),
        Message("user", "Hi."),
        Message("assistant", "\n", cut_off=True),
        Message("assistant", "", results=(result(),)),
    ]
    assert turns(conversation) == [
        Message("user", "Hi."),
        Message("assistant", "", results=(result(),)),
    ]


def test_results_in_words() -> None:
    """For a server that cannot be told of tools, they are the caller's remark."""
    got = Message("assistant", "One moment.", results=(result(), result(text="Sun.")))
    assert turns([Message("user", "Hi."), got], tools=False) == [
        Message("user", "Hi."),
        Message("assistant", "One moment."),
        Message("user", "(weather: Rain.)\n(weather: Sun.)"),
    ]


def test_calls_keep_their_names_if_they_can() -> None:
    """Those without a name, with a strange one or with one that was used get another."""
    ids = ("call_3", "", "call_3", "call_4|fc_1", "toolu_1")
    line = Message("assistant", "", results=tuple(map(result, ids)))
    assert call_ids([line], plain_id) == [("call_3", "call_2", "call_4", "call_5", "toolu_1")]


def test_names_of_calls_stay_as_a_conversation_grows() -> None:
    """So that servers recognize what they have cached."""
    line = Message("assistant", "", results=(result(), result("call_1")))
    more = Message("assistant", "", results=(result("call_2"), result()))
    first = call_ids([line], plain_id)
    assert call_ids([line, Message("user", "Hi."), more], plain_id)[0] == first[0]


@pytest.mark.parametrize(
    ("name", "told"),
    [("weather", "weather"), ("functions.x:0", "functions_x_0"), ("", "_"), ("x" * 99, "x" * 64)],
)
def test_a_made_up_tool_has_a_name_that_can_be_sent(name: str, told: str) -> None:
    """Services refuse others, and with them the rest of the call."""
    assert tool_name(ToolCall(name)) == told
