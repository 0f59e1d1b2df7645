"""The reply to one conversation: small talk, answers, and what to say when there is none."""

from __future__ import annotations

from collections.abc import Sequence

from pipelines.conversation import (
    END_CALL,
    NO_MORE_CALLS,
    TRANSFER_CALL,
    Brief,
    Message,
    Question,
    ToolCall,
)
from pipelines.providers.lookup.answers import Answers, Thresholds, can_be_asked_back
from pipelines.providers.lookup.language import QuestionLanguage, Talk
from pipelines.providers.lookup.no_more_calls import opting_out, wants_no_more_calls
from pipelines.providers.lookup.small_talk import heard_in
from pipelines.providers.lookup.vocabulary import ContentWord
from pipelines.providers.lookup.words import plain_words

_EXAMPLES = 3
"""Questions named at a time; nobody remembers more."""

_COURTESY = (Talk.WAIT, Talk.WRONG_ANSWER, Talk.NO, Talk.THANKS, Talk.YES, Talk.OKAY, Talk.HELLO)
"""What is answered first of several."""

_LOOKED_BACK = 4
"""Utterances that a topic is followed back."""


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
        # By what asks for them: several may be announced in the same words.
        self._destinations = {
            Question(asked=d.asked, answer=d.announcement): "" if d.refused else d.name
            for d in brief.destinations
            if d.asked
        }
        facts = (Question(asked=(fact,), answer=fact) for fact in brief.facts)
        topics = (*brief.questions, *self._destinations, *facts)
        self._answers = Answers(topics, thresholds, language, tag)
        self._unsures = brief.unsure or (language.unsure,)
        self._keeps_opt_outs = any(tool.name == NO_MORE_CALLS for tool in brief.tools)

    def reply(self, conversation: Sequence[Message]) -> list[str | ToolCall]:
        """Return what to say to the last thing the caller said, and what to do then."""
        said = next((m.text for m in reversed(conversation) if m.role == "user"), "")
        if self._keeps_opt_outs and wants_no_more_calls(said, self._tag):
            return opting_out(conversation, self._tag)
        before = [m.text for m in conversation if m.role == "assistant" and m.text]
        talk, clauses = heard_in(said, self._tag)
        last = before[-1] if before else ""
        offered = self._answers.offered(last)
        clauses = self._answers.with_content(clauses)
        if chosen := self._answers.chosen(said, talk, offered):
            return self._with_transfer(chosen)
        if not clauses or (Talk.GOODBYE in talk and not self._answers.is_question(clauses)):
            return self._small_talk(talk, conversation, last)
        thread = self._thread(conversation) if self._answers.is_follow_up(clauses) else []
        answers = self._answers.search(clauses, offered, thread)
        sure = bool(answers) and not self._answers.offered(answers[0].answer)
        if not sure and not talk.isdisjoint({Talk.GOODBYE, Talk.REPEAT}):
            return self._small_talk(talk, conversation, last)  # it is no time to ask back
        return self._with_transfer(answers) if answers else self._unsure(before)

    def _thread(self, conversation: Sequence[Message]) -> list[ContentWord]:
        """Return what was asked for before the last thing said, going back to where it began."""
        said: list[list[str]] = []
        heard = list(conversation)
        while heard and heard[-1].role == "assistant":
            heard.pop()
        for at in range(len(heard) - 2, -1, -1):
            if heard[at].role == "assistant":
                continue
            clauses = self._asked_in(heard[: at + 1])
            if clauses:
                said.append(clauses)
                if len(said) == _LOOKED_BACK or not self._answers.is_follow_up(clauses):
                    break
        terms: list[ContentWord] = []
        for clauses in reversed(said):
            terms = self._answers.asked_about(clauses, terms)
        return terms

    def _asked_in(self, conversation: Sequence[Message]) -> list[str]:
        """Return the clauses of the last thing said that tell of a topic, or of the one chosen."""
        talk, clauses = heard_in(conversation[-1].text, self._tag)
        last = conversation[-2].text if len(conversation) > 1 else ""
        offered = self._answers.offered(last)
        if chosen := self._answers.chosen(conversation[-1].text, talk, offered):
            return [" ".join(plain_words(topic.asked[0])) for topic in chosen]
        return self._answers.with_content(clauses)

    def _with_transfer(self, topics: Sequence[Question]) -> list[str | ToolCall]:
        """Answer, and pass the caller on, if that is what the last of these announces."""
        answers = list(dict.fromkeys(topic.answer for topic in topics))
        if to := self._destinations.get(topics[-1]):
            return [*answers, ToolCall(TRANSFER_CALL, {"to": to})]
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
        before = [m.text for m in conversation if m.role == "assistant"]
        if self._takes_leave(talk, last):
            return [self._brief.goodbye or self._say.goodbye, ToolCall(END_CALL)]
        if Talk.IDENTITY in talk:
            return [self._say.identity]
        if Talk.REPEAT in talk or (Talk.SORRY in talk and talk <= {Talk.SORRY, Talk.HELLO}):
            return self._repeat(conversation, last)
        if Talk.TOPICS in talk:
            return self._examples(before)
        if self._answers.offered(last) and (asked := self._asked_again(talk, before)):
            return asked
        return self._courtesy(talk, last)

    def _takes_leave(self, talk: frozenset[Talk], last: str) -> bool:
        """Say whether the caller is done; to decline an offer of more is to be done."""
        if not talk.isdisjoint({Talk.GOODBYE, Talk.DONE}):
            return True
        declined = Talk.NO in talk or (Talk.THANKS in talk and Talk.YES not in talk)
        return declined and self._say.anything_else[:22] in last

    def _asked_again(
        self, talk: frozenset[Talk], before: Sequence[str]
    ) -> list[str | ToolCall] | None:
        """Return what to say to a plain no, or yes, to what we asked back; None to other talk."""
        if Talk.NO in talk and Talk.THANKS not in talk:
            return self._unsure(before)
        if Talk.YES in talk and before[-1].startswith(self._say.which):
            return [before[-1]]
        return None

    def _courtesy(self, talk: frozenset[Talk], last: str) -> list[str | ToolCall]:
        say = self._say
        said = next((kind for kind in _COURTESY if kind in talk), None)
        match said:
            case Talk.WAIT:
                return [say.take_your_time]
            case Talk.NO:
                return [say.all_right, say.anything_else]
            case Talk.THANKS:
                return [say.welcome, say.anything_else]
            case Talk.YES | Talk.OKAY:
                return [say.listening if last.endswith("?") else say.anything_else]
            case Talk.HELLO:
                return [say.hello]
        return [say.not_caught]

    def _repeat(self, conversation: Sequence[Message], last: str) -> list[str | ToolCall]:
        """Say the last reply again, and all of it where the caller had heard only a part."""
        turns = [n for n, m in enumerate(conversation) if m.role == "user"]
        earlier = conversation[: turns[-1]] if turns else ()
        if earlier and earlier[-1].role == "user":  # nothing of the reply was heard
            return self.reply(earlier)
        while earlier and earlier[-1].role == "assistant":
            earlier = earlier[:-1]
        if earlier:
            again = self.reply(earlier)
            if " ".join(s for s in again if isinstance(s, str)).startswith(last):
                return again
        return [last or self._say.not_caught]
