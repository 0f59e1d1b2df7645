"""The reply to one conversation: small talk, answers, and what to say when there is none."""

from __future__ import annotations

from collections.abc import Sequence

from pipelines.conversation import END_CALL, TRANSFER_CALL, Brief, Message, Question, ToolCall
from pipelines.providers.lookup.answers import Answers, Thresholds, can_be_asked_back
from pipelines.providers.lookup.language import QuestionLanguage, Talk
from pipelines.providers.lookup.small_talk import heard_in

_EXAMPLES = 3
"""Questions named at a time; nobody remembers more."""


class ReplyRules:
    """How to reply on behalf of one agent file. Pure: the same conversation has the same reply.

    Args:
        thresholds: When an answer is near enough.
        brief: The agent file.
        language: The fixed sentences.
        tag: Their language, by its primary subtag.
    """

    def __init__(
        self, thresholds: Thresholds, brief: Brief, language: QuestionLanguage, tag: str
    ) -> None:
        self._brief = brief
        self._say = language
        self._tag = tag
        self._destinations = {d.announcement: d.name for d in brief.destinations if d.asked}
        requests = (
            Question(asked=d.asked, answer=d.announcement) for d in brief.destinations if d.asked
        )
        facts = (Question(asked=(fact,), answer=fact) for fact in brief.facts)
        topics = (*brief.questions, *requests, *facts)
        self._answers = Answers(topics, thresholds, language, tag)
        self._unsures = brief.unsure or (language.unsure,)

    def reply(self, conversation: Sequence[Message]) -> list[str | ToolCall]:
        """Return what to say to the last thing the caller said, and what to do then."""
        said = next((m.text for m in reversed(conversation) if m.role == "user"), "")
        before = [m.text for m in conversation if m.role == "assistant" and m.text]
        talk, clauses = heard_in(said, self._tag)
        last = before[-1] if before else ""
        offered = self._answers.offered(last)
        if chosen := self._answers.chosen(said, talk, offered):
            return self._with_transfer([chosen.answer])
        clauses = self._answers.with_content(clauses)
        if not clauses:
            return self._small_talk(talk, conversation, last)
        if answers := self._answers.search(clauses, offered):
            return self._with_transfer(answers)
        return self._unsure(before)

    def _with_transfer(self, answers: Sequence[str]) -> list[str | ToolCall]:
        """Pass the caller on, if that is what the last of these announces."""
        if answers[-1] in self._destinations:
            return [*answers, ToolCall(TRANSFER_CALL, {"to": self._destinations[answers[-1]]})]
        return [*answers]

    def _unsure(self, before: Sequence[str]) -> list[str | ToolCall]:
        """Say so; the second time running, with examples of what can be asked."""
        unsure_before = [text for text in before if self._was_unsure(text)]
        unsure = self._unsures[len(unsure_before) % len(self._unsures)]
        if (
            unsure_before
            and before[-1] == unsure_before[-1]
            and self._say.examples not in before[-1]
        ):
            return [unsure, *self._examples(before)]
        return [unsure]

    def _was_unsure(self, text: str) -> bool:
        # The conversation holds what was heard: it may be the beginning of a sentence only.
        return any(text and (text.startswith(u) or u.startswith(text)) for u in self._unsures)

    def _examples(self, before: Sequence[str]) -> list[str | ToolCall]:
        """Name a few questions, the next ones each time."""
        asked = [q.asked[0] for q in self._brief.questions if can_be_asked_back(q.asked[0])]
        if not asked:
            return [self._say.not_caught]
        start = _EXAMPLES * sum(self._say.examples in text for text in before) % len(asked)
        return [self._say.examples, *asked[start : start + _EXAMPLES]]

    def _small_talk(
        self, talk: frozenset[Talk], conversation: Sequence[Message], last: str
    ) -> list[str | ToolCall]:
        say = self._say
        more_was_offered = say.anything_else[:22] in last
        declined = more_was_offered and (
            Talk.NO in talk or (Talk.THANKS in talk and Talk.YES not in talk)
        )
        if Talk.GOODBYE in talk or declined:
            goodbye = self._brief.goodbye or say.goodbye
            return [goodbye, ToolCall(END_CALL)]
        if Talk.IDENTITY in talk:
            return [say.identity]
        if Talk.REPEAT in talk:
            return self._repeat(conversation, last)
        if Talk.TOPICS in talk:
            return self._examples([m.text for m in conversation if m.role == "assistant"])
        return self._courtesy(talk, last)

    def _courtesy(self, talk: frozenset[Talk], last: str) -> list[str | ToolCall]:
        say = self._say
        if Talk.WAIT in talk:
            return [say.take_your_time]
        if Talk.THANKS in talk:
            return [say.welcome, say.anything_else]
        if Talk.NO in talk:
            return [say.all_right, say.anything_else]
        if Talk.YES in talk:
            return [say.listening if last.endswith("?") else say.anything_else]
        return [say.hello if Talk.HELLO in talk else say.not_caught]

    def _repeat(self, conversation: Sequence[Message], last: str) -> list[str | ToolCall]:
        """Say the last reply again, and all of it where the caller had heard only a part."""
        turns = [n for n, m in enumerate(conversation) if m.role == "user"]
        earlier = conversation[: turns[-1]] if turns else ()
        while earlier and earlier[-1].role == "assistant":
            earlier = earlier[:-1]
        if earlier:
            again = self.reply(earlier)
            if " ".join(s for s in again if isinstance(s, str)).startswith(last):
                return again
        return [last or self._say.not_caught]
