"""Whom a reply is asked of, for how long, and who goes on where another broke off."""

from __future__ import annotations

import asyncio
from contextlib import aclosing

import pytest
from structlog.testing import capture_logs

from pipelines.conversation import GO_ON, Brief, Message, Tokens, ToolCall
from pipelines.providers.contracts import (
    ContextTooLongError,
    ProviderError,
    RequestRefusedError,
)
from pipelines.stages.context import tokens
from pipelines.stages.limits import ModelLimits
from pipelines.stages.llm import MOST_CALLS, FailoverLanguageModel
from pipelines.stages.usage import DraftCost, Pricing, Usage
from tests.pipelines.stages.scripted import ASKED, BUDGETS, Model, broken, pool
from tests.virtual_time import run

LIMITS = ModelLimits()


async def pieces(model: FailoverLanguageModel) -> list[str | ToolCall]:
    async with aclosing(model.reply(Brief(), ASKED, DraftCost())) as reply:
        return [piece async for piece in reply]


def think(
    *models: Model, usage: Usage | None = None, limits: ModelLimits = LIMITS
) -> tuple[list[str | ToolCall], float]:
    """Return a reply and the seconds it took."""

    async def main() -> tuple[list[str | ToolCall], float]:
        stage = FailoverLanguageModel(pool(*models), BUDGETS, usage or Usage(), limits)
        said = await pieces(stage)
        return said, asyncio.get_running_loop().time()

    return run(main())


def test_the_first_provider_answers_when_it_can() -> None:
    """Nobody else is asked."""
    first, second = Model(["We open ", "at nine. ", "Until", " six."]), Model(["No."])
    assert think(first, second)[0] == ["We open at nine.", "Until six."]
    assert second.asked == []


def test_a_quick_failure_is_tried_once_more_at_the_same_provider() -> None:
    """Most are connections that had died unnoticed."""
    first, second = Model([broken()], ["Nine."]), Model(["Ten."])
    assert think(first, second)[0] == ["Nine."]
    assert len(first.asked) == 2


@pytest.mark.parametrize(
    "deltas",
    [
        ["<think>Hours. I look.</think>We open ", "at nine. Until six."],
        [
            "<th",
            "ink>",
            "Hours. ",
            "I look.</thi",
            "nk>We open at nine. ",
            "Until six.<|im_",
            "end|>",
        ],
        [
            "We open at nine. ",
            '<function=book_table>{"day": "Monday. No."}</function>',
            "Until six.",
        ],
        ["assistant: ", "We open at nine. Until six.", "</s>", "\nUser: And then?"],
    ],
)
def test_only_words_for_the_caller_are_given(deltas: list[str]) -> None:
    """No reasoning, no call that is written as text, no token; so neither said nor kept."""
    assert think(Model(deltas))[0] == ["We open at nine.", "Until six."]


@pytest.mark.parametrize(
    "nothing",
    ["<think>Hours.</think>", "<think>Hours. Te", "<tool_ca", "</s>"],
)
def test_a_reply_without_words_for_the_caller_is_empty(nothing: str) -> None:
    """So somebody else answers, and there is no silence."""
    first = Model([nothing])
    assert think(first, Model(["Ten."]))[0] == ["Ten."]
    assert len(first.asked) == 2


def test_who_takes_over_is_told_only_what_was_said() -> None:
    """Nothing of the other's reasoning."""
    first = Model(["<think>Hours. I look.</think>We open at nine. ", broken(retryable=False)])
    second = Model(["<think>Go on.</think>Until six."])
    assert think(first, second)[0] == ["We open at nine.", "Until six."]
    assert second.asked[0][-2:] == [
        Message("assistant", "We open at nine."),
        Message("user", GO_ON),
    ]


def test_reasoning_that_the_server_s_template_opens_is_learned() -> None:
    """Of the first reply what is not said yet is dropped; later ones begin behind it."""
    model = Model(
        ["Hours. ", "I look.", "</think>", "Ten."], ["Hm. ", "Well. ", "</think>Six."], ["No."]
    )

    async def main() -> list[list[str | ToolCall]]:
        stage = FailoverLanguageModel(pool(model), BUDGETS, Usage(), LIMITS)
        return [await pieces(stage) for _ in range(4)]

    assert run(main()) == [["Hours.", "Ten."], ["Six."], ["No."], ["No."]]


def test_what_is_not_for_the_caller_is_logged_without_its_words() -> None:
    """Whoever runs the server may mend it."""
    with capture_logs() as logs:
        think(Model(["<think>Secret.</think>Hi. <tool_call>{}</tool_call>"]))
    (line,) = [line for line in logs if line["log_level"] == "warning"]
    assert line["kinds"] == ["reasoning", "tool call"]
    assert "Secret" not in str(line)


def test_a_text_without_markers_is_given_when_it_was_before() -> None:
    """Each sentence leaves with the white space behind it."""

    async def main() -> list[float]:
        model = Model(
            [
                step
                for delta in ("Hel", "lo. ", "We open", " at ten. ", "Yes")
                for step in (delta, 0.1)
            ]
        )
        stage = FailoverLanguageModel(pool(model), BUDGETS, Usage(), LIMITS)
        clock = asyncio.get_running_loop().time
        async with aclosing(stage.reply(Brief(), ASKED, DraftCost())) as reply:
            return [clock() async for _ in reply]

    assert run(main()) == pytest.approx([0.1, 0.3, 0.5])


def test_then_the_next_is_given_the_same() -> None:
    """Within the same turn."""
    first, second = Model([broken()]), Model(["Ten."])
    assert think(first, second)[0] == ["Ten."]
    assert first.asked == [ASKED, ASKED]
    assert second.asked == [ASKED]


def test_a_model_that_writes_slower_than_it_is_spoken_is_replaced_within_the_turn() -> None:
    """Each piece comes in time, and the caller would wait a minute for the sentence."""
    first = Model([step for letter in "We open at nine in the morning." for step in (letter, 0.9)])
    said, took = think(first, Model(["Ten."]))
    assert said == ["Ten."]
    assert took <= BUDGETS.next_token + 2.0


def test_one_as_fast_as_it_is_spoken_is_fast_enough() -> None:
    """However long it writes: a local one does twelve characters a second."""
    text = "We open at nine in the morning. " * 20
    said, _ = think(Model([step for letter in text for step in (letter, 1 / 12)]), Model(["No."]))
    assert said == [text[:31]] * 20


@pytest.mark.parametrize("how", [{"retryable": False}, {"timed_out": True}])
def test_one_that_will_fail_again_is_not_asked_again(how: dict[str, bool]) -> None:
    """A refused key stays refused, and a second deadline would be silence."""
    first = Model([broken(**how)])
    assert think(first, Model(["Ten."]))[0] == ["Ten."]
    assert len(first.asked) == 1


def test_one_that_hangs_is_left_when_patience_ends() -> None:
    """Not when the budget does; and its request is closed."""
    first = Model([9.0])
    said, seconds = think(first, Model(["Ten."]))
    assert said == ["Ten."]
    assert seconds == pytest.approx(BUDGETS.patience)
    assert first.closed == 1


def test_the_last_provider_gets_the_whole_budget() -> None:
    """It is the only hope."""
    assert think(Model([broken(retryable=False)]), Model([3.5, "Ten."]))[0] == ["Ten."]


def test_a_server_that_sends_only_blanks_is_late() -> None:
    """Signs of life are no answer."""
    first = Model(["", 0.5, " ", 0.5, "", 0.5, " ", 0.5, "", 0.5, "Nine."])
    said, seconds = think(first, Model(["Ten."]))
    assert said == ["Ten."]
    assert seconds == pytest.approx(BUDGETS.patience)


def test_when_all_fail_the_last_error_is_told() -> None:
    """After each was asked as often as makes sense."""
    first, second = Model([broken()]), Model([broken()])
    with pytest.raises(ProviderError):
        think(first, second)
    assert (len(first.asked), len(second.asked)) == (2, 2)


def test_the_next_goes_on_after_the_last_whole_sentence() -> None:
    """It is told what was said; half a sentence is said whole by the one that goes on."""
    first = Model(["We open at nine. On Sun", broken(retryable=False)])
    second = Model(["On Sundays at ten."])
    assert think(first, second)[0] == ["We open at nine.", "On Sundays at ten."]
    assert second.asked[0] == [
        *ASKED,
        Message("assistant", "We open at nine."),
        Message("user", GO_ON),
    ]


def test_no_sentence_is_said_twice() -> None:
    """Though the next begins from the beginning, in spite of what it was told."""
    first = Model(["We open at nine. ", "Please come. ", broken(retryable=False)])
    second = Model(["We open at NINE! Please come. And bring a friend."])
    assert think(first, second)[0] == ["We open at nine.", "Please come.", "And bring a friend."]


def test_nothing_more_to_say_is_an_end() -> None:
    """When the one that broke off had said all."""
    assert think(Model(["Nine. ", broken(retryable=False)]), Model([""]))[0] == ["Nine."]


def test_a_sentence_may_be_said_twice_on_purpose() -> None:
    """Only a provider that takes over may not repeat."""
    assert think(Model(["No. No. No."]))[0] == ["No.", "No.", "No."]


def test_tools_are_asked_for_once_and_last() -> None:
    """Those of a reply that broke off are dropped: whoever takes over asks for its own."""
    first = Model([ToolCall("book"), "Let me see. ", broken(retryable=False)])
    second = Model([ToolCall("book"), "One moment.", Tokens(output=3)])
    assert think(first, second)[0] == ["Let me see.", "One moment.", ToolCall("book")]


def test_an_empty_reply_is_a_failure() -> None:
    """Some servers give one now and then; asked again, they answer."""
    assert think(Model([" "], ["Nine."]))[0] == ["Nine."]
    with pytest.raises(ProviderError, match="empty"):
        think(Model([" "]))


def test_the_account_holds_what_each_has_done() -> None:
    """Requests, failures, tokens, and the time to the first word."""
    usage = Usage()
    first = Model([broken(retryable=False)])
    second = Model([0.25, "Ten.", Tokens(input=100, output=3, cached=60)])
    think(first, second, usage=usage)
    one, two = usage.lines(Pricing())
    assert (one["provider"], one["requests"], one["failures"], one["retries"]) == ("p1", 1, 1, 0)
    assert (two["requests"], two["failures"], two["retries"]) == (1, 0, 1)
    assert (two["tokens_in"], two["tokens_out"], two["tokens_cached"]) == (100, 3, 60)
    assert two["first_result"] == 0.25


TOO_LONG = ContextTooLongError()
LONG_TALK = [
    message
    for number in range(20)
    for message in (Message("user", f"Question {number}?"), Message("assistant", "Answer."))
]


def test_a_conversation_that_is_too_long_is_shortened_within_the_turn() -> None:
    """The same provider is asked again, with the newest turns; nobody takes over for it."""
    first, second = Model([TOO_LONG], [TOO_LONG], ["At nine."]), Model(["No."])
    stage = FailoverLanguageModel(pool(first, second), BUDGETS, Usage(), LIMITS)
    conversation = [*LONG_TALK, *ASKED]

    async def main() -> list[str | ToolCall]:
        async with aclosing(stage.reply(Brief(), conversation, DraftCost())) as reply:
            return [piece async for piece in reply]

    assert run(main()) == ["At nine."]
    assert second.asked == []
    lengths = [len(asked) for asked in first.asked]
    assert lengths == sorted(lengths, reverse=True)
    assert len(set(lengths)) == 3
    assert all(asked[-1] == ASKED[0] and asked[0].role == "user" for asked in first.asked)


def test_the_next_turn_is_not_too_long_again() -> None:
    """What fits is remembered for the call, and the provider is as healthy as before."""
    model = Model([TOO_LONG], ["At nine."], ["At ten."])
    providers = pool(model)
    stage = FailoverLanguageModel(providers, BUDGETS, Usage(), LIMITS)

    async def main() -> None:
        for _ in range(2):
            async with aclosing(stage.reply(Brief(), LONG_TALK, DraftCost())) as reply:
                async for _piece in reply:
                    continue

    run(main())
    assert [len(asked) for asked in model.asked][1:] == [len(model.asked[1])] * 2
    assert providers.first.healthy


def test_a_refusal_without_a_reason_may_be_the_length() -> None:
    """From one that has answered before: it is asked once more, with less; then it has failed."""
    refused = RequestRefusedError("HTTP 400")
    first = Model(["At nine."], [refused], ["At ten."], [refused], [refused])
    second = Model(["No."])
    stage = FailoverLanguageModel(pool(first, second), BUDGETS, Usage(), LIMITS)

    async def main() -> list[str | ToolCall]:
        said: list[str | ToolCall] = []
        for _ in range(3):
            async with aclosing(stage.reply(Brief(), LONG_TALK, DraftCost())) as reply:
                said += [piece async for piece in reply]
        return said

    assert run(main()) == ["At nine.", "At ten.", "No."]
    assert len(first.asked) == 5
    assert len(first.asked[2]) < len(first.asked[1])


def test_one_that_never_answered_is_not_asked_for_less() -> None:
    """Its model's name is wrong, say."""
    first, second = Model([RequestRefusedError("HTTP 400")]), Model(["Ten."])
    assert think(first, second)[0] == ["Ten."]
    assert len(first.asked) == 1


def test_one_for_whom_even_the_last_turn_is_too_long_is_passed_over() -> None:
    """The agent file is too long for it, say; it stays healthy for other calls."""
    first, second = Model([TOO_LONG]), Model(["Ten."])
    providers = pool(first, second)

    async def main() -> list[str | ToolCall]:
        return await pieces(FailoverLanguageModel(providers, BUDGETS, Usage(), LIMITS))

    assert run(main()) == ["Ten."]
    assert len(first.asked) == 1
    assert second.asked == [ASKED]
    assert providers.first.healthy


def test_the_conversation_is_bounded_before_any_server_minds() -> None:
    """The oldest turns are left out of what is sent."""
    model = Model(["At nine."])
    limits = ModelLimits(max_history=500)
    stage = FailoverLanguageModel(pool(model), BUDGETS, Usage(), limits)
    conversation = [*LONG_TALK * 30, *ASKED]

    async def main() -> None:
        async with aclosing(stage.reply(Brief(), conversation, DraftCost())) as reply:
            async for _ in reply:
                continue

    run(main())
    assert sum(map(tokens, model.asked[0])) <= 500


@pytest.mark.parametrize("size", [1, 64, 5_000])
def test_a_reply_that_does_not_end_is_cut_at_a_sentence(size: int) -> None:
    """The rest is never asked for: the request is closed, and the log says so once."""
    whole = "This is a sentence of the reply. " * 3000
    model = Model([whole[at : at + size] for at in range(0, len(whole), size)])
    with capture_logs() as logs:
        said, _ = think(model, limits=ModelLimits(max_reply=1000))
    assert set(said) == {"This is a sentence of the reply."}
    assert len(said) == 1000 // 33
    assert model.closed == 1
    assert [line["event"] for line in logs].count("the reply is cut off: it is too long") == 1


def test_a_reply_of_nothing_but_white_space_is_bounded_too() -> None:
    """A model that goes on for ever is not waited for for ever."""
    model = Model(["One. ", *[" " * 50] * 10_000])
    assert think(model, limits=ModelLimits(max_reply=1000))[0] == ["One."]
    assert model.closed == 1


def test_the_bound_is_that_of_a_reply_however_many_requests_it_takes() -> None:
    """Rounds with tools, and providers that take over, share it."""
    spent = DraftCost(characters=990)
    stage = FailoverLanguageModel(
        pool(Model(["Yes. And so on and on. "])), BUDGETS, Usage(), ModelLimits(max_reply=1000)
    )

    async def main() -> list[str | ToolCall]:
        async with aclosing(stage.reply(Brief(), ASKED, spent)) as reply:
            return [piece async for piece in reply]

    assert run(main()) == ["Yes."]


def test_a_model_that_asks_for_tools_without_end_gets_some() -> None:
    """They run side by side."""
    model = Model([ToolCall("look_up", {"n": number}) for number in range(1000)])
    assert len(think(model)[0]) == MOST_CALLS


def test_half_a_character_costs_nothing() -> None:
    """It is joined with its other half, from the next delta; alone it is marked."""
    call = ToolCall("book\ud83d", {"name\ud83d": ["Ann \ud83d", 1]}, "id\ude00")
    said, _ = think(Model(["We open \ud83d", "\ude00 now. Bye \ud83d", call]))
    assert said == [
        "We open 😀 now.",
        "Bye \ufffd",
        ToolCall("book\ufffd", {"name\ufffd": ["Ann \ufffd", 1]}, "id\ufffd"),
    ]


def test_arguments_that_are_no_json_are_a_failure() -> None:
    """Nested beyond all measure, say."""
    nested: list[object] = []
    for _ in range(100_000):
        nested = [nested]
    bad = Model([ToolCall("book", {"day": nested})])
    assert think(bad, Model(["Ten."]))[0] == ["Ten."]
