"""What a language model is shown of a conversation that does not fit."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from pipelines.conversation import GO_ON, Message, ToolCall, ToolResult
from pipelines.stages.context import ContextWindow, tokens


def turn(number: int, words: int = 10, results: int = 0) -> list[Message]:
    """What the caller says, what is looked up for it, and the answer."""
    got = tuple(
        ToolResult(ToolCall("look_up", {"n": n}, f"c{number}.{n}"), "found " * words)
        for n in range(results)
    )
    middle = [Message("assistant", "One moment.", results=got)] if got else []
    return [
        Message("user", f"{number}: " + "word " * words),
        *middle,
        Message("assistant", "answer " * words),
    ]


def size(conversation: list[Message]) -> int:
    return sum(map(tokens, conversation))


messages = st.lists(st.tuples(st.integers(0, 60), st.integers(0, 3)), min_size=1, max_size=30).map(
    lambda turns: [m for n, (words, results) in enumerate(turns) for m in turn(n, words, results)]
)


def test_a_conversation_that_fits_is_shown_whole() -> None:
    """Greeting and all."""
    conversation = [Message("assistant", "Hello."), *turn(1), *turn(2)]
    assert ContextWindow(1000).shown(conversation) == conversation


@given(messages, st.integers(100, 2000), st.integers(1, 400))
def test_whole_turns_are_left_out_the_oldest_first(
    conversation: list[Message], most: int, step: int
) -> None:
    """It begins with the caller, ends as it did, and fits; however it grew until then."""
    window = ContextWindow(most)
    for end in range(1, len(conversation), step):
        window.shown(conversation[:end])
    shown = window.shown(conversation)
    if len(shown) < len(conversation):
        assert shown[0].role == "user"
    last = max(n for n, message in enumerate(conversation) if message.role == "user")
    if size(shown) <= most and len(shown) > len(conversation) - last:
        assert conversation[-len(shown) :] == shown
    assert [m.text for m in shown] == [m.text for m in conversation[-len(shown) :]]
    assert len(shown) >= len(conversation) - last
    if size(conversation[last:]) <= most:
        assert size(shown) <= most


def test_what_is_shown_stays_the_same_for_some_turns() -> None:
    """So that a server that caches the beginning of a conversation can."""
    window = ContextWindow(1000)
    beginnings: list[str] = []
    conversation: list[Message] = []
    for number in range(100):
        conversation += turn(number)
        beginnings.append(window.shown(conversation)[0].text)
    assert 2 < len(set(beginnings)) < 30


def test_a_turn_that_is_too_long_has_its_results_shortened() -> None:
    """The question is kept, and each call has a result."""
    conversation = turn(1, results=3, words=5000)
    conversation[0] = Message("user", "What do you have?")
    conversation[-1] = Message("assistant", "A lot.")
    shown = ContextWindow(1000).shown(conversation)
    assert size(shown) < 1200
    assert shown[0] == conversation[0]
    assert all(r.text.endswith("[cut here: too long]") for r in shown[1].results)


def test_narrowing_ends() -> None:
    """With the last turn alone; then to ask again is of no use."""
    conversation = [message for number in range(64) for message in turn(number)]
    window = ContextWindow(100_000)
    lengths = [len(window.shown(conversation))]
    while window.narrow(conversation):
        lengths.append(len(window.shown(conversation)))
        assert lengths[-1] < lengths[-2]
    assert lengths[-1] <= 4
    assert len(lengths) < 10
    assert not window.narrow(conversation)
    longer = [*conversation, *turn(64)]
    assert len(window.shown(longer)) <= 6


def test_who_goes_on_for_another_is_shown_what_was_asked() -> None:
    """The request to go on is no turn of its own."""
    conversation = [m for number in range(9) for m in turn(number)]
    conversation += [Message("user", "And now?"), Message("assistant", "Now we"), _GO_ON]
    assert ContextWindow(20).shown(conversation)[-3:] == conversation[-3:]


_GO_ON = Message("user", GO_ON)


def test_nothing_at_all_is_shown_as_it_is() -> None:
    """Before anybody has spoken."""
    assert ContextWindow(10).shown([]) == []
    assert not ContextWindow(10).narrow([])
