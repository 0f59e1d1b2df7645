"""To whom of several on one line something is said: to the agent, to others, or nobody can tell.

An agent hears one mixed sound of all of them, so who speaks is not known; what is, are words, names
and what was said before. Pure: told all of it, and fast, for nothing of a reply may sound before.
Measured by ``python -m tests.benchmarks.addressed``.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from math import inf

from pipelines.turn_taking.annotations import words_of
from pipelines.turn_taking.backchannels import is_backchannel
from pipelines.turn_taking.expectation import AnswerKind, expectation
from pipelines.turn_taking.expectation_words import questions_in
from pipelines.turn_taking.floor import Addressee, Floor, Verdict
from pipelines.turn_taking.names_heard import NEAR_ENOUGH, SURELY, names_in
from pipelines.turn_taking.naming import Naming, called_alone, is_a_name, naming
from pipelines.turn_taking.sentences import SaidSentence, sentences_in
from pipelines.turn_taking.words_by_language import NO_WORDS, words_in

ANSWER_WITHIN = 20.0
"""Seconds from the end of the agent's question in which what is said may answer it."""

GO_ON_WITHIN = 8.0
"""Seconds from the end of the agent's answer in which what is said may go on from it; and from the
end of a question to another in which what is said answers that."""

SHORT_ANSWER = 5
"""Words of what takes one of those things that the agent has offered without asking."""

SHORT_WORD = 3
"""Letters of a word, up to which it may be an article or the like."""

ECHO = 1
"""Words of a question that only asks back: "Again?"."""

GREETING = 3
"""Words of a sentence that may be a greeting misheard."""

NEGATIONS = frozenset(("don't", "not", "never", "nicht", "no", "ne", "n'", "pas", "non"))
"""Words with which it is asked for something not to be done: of the others as often."""

CHOICE = 2
"""Words of what is surely a choice among those that the agent has named: "Wednesday, then."."""

REPEATED = 2
"""Words of the agent's that are said again by who agrees to something."""


@dataclass(frozen=True, slots=True, kw_only=True)
class _Heard:
    """What was said, and what was known before."""

    text: str
    sentences: Sequence[SaidSentence]
    floor: Floor
    language: str
    asked: AnswerKind | None
    """What the agent has asked for, if that is still open."""

    offered: frozenset[str]
    """Words of what the agent has offered a choice of, without asking."""

    @property
    def questions(self) -> list[SaidSentence]:
        return [one for one in self.sentences if one.asks]


def addressed(text: str, language: str, floor: Floor) -> Verdict:
    """Return to whom ``text`` is said.

    Args:
        text: A transcript of one turn; it may hold the words of more than one of them.
        language: BCP 47 tag. In one that we have no words for, names tell, and question marks.
        floor: What is known before.
    """
    if floor.answers == "always":
        return Verdict(to=Addressee.AGENT, by="mode")
    sentences = sentences_in(words_of(text), language, words_in(language) or NO_WORDS)
    if not sentences:
        return Verdict(to=Addressee.OTHERS, by="statement")
    heard = _Heard(
        text=text,
        sentences=sentences,
        floor=floor,
        language=language,
        asked=_asked(floor, language),
        offered=_offered(floor, language),
    )
    verdict = _by_name(heard)
    if verdict is not None:
        greets = all(one.only_greets and not one.asks for one in sentences)
        return replace(verdict, only_calls=greets and verdict.to is Addressee.AGENT)
    verdict = _by_context(heard)
    ours = verdict.to is Addressee.AGENT
    return replace(verdict, sure=False) if ours and _talks_of_others(heard) else verdict


def _talks_of_others(heard: _Heard) -> bool:
    """Return whether a name of theirs is said that calls nobody, and was not asked for."""
    others = heard.floor.others
    return any(
        names_in(one.words, (), others) and not is_a_name(one, others) for one in heard.sentences
    )


def _asked(floor: Floor, language: str) -> AnswerKind | None:
    """Return what the agent has asked for and nobody has answered yet; None if it is nothing."""
    if floor.answered or floor.since_said > ANSWER_WITHIN:
        return None
    asked = expectation(floor.said, language).asked
    if asked is not AnswerKind.NOTHING:
        return asked
    known, said = questions_in(language), sentences_in(floor.said, language, NO_WORDS)
    asks = known is not None and bool(said) and known.request.search(said[-1].text) is not None
    return AnswerKind.ANYTHING if asks else None


def _offered(floor: Floor, language: str) -> frozenset[str]:
    """Return the words of what the agent offers: "There is one at ten, or at twelve"."""
    known, said = questions_in(language), sentences_in(floor.said, language, NO_WORDS)
    if known is None or not said or floor.since_said > ANSWER_WITHIN or floor.answered:
        return frozenset()
    offers = known.either.search(said[-1].text) is not None
    return frozenset(word for word in said[-1].words if offers and len(word) > SHORT_WORD)


def _by_name(heard: _Heard) -> Verdict | None:
    """Return to whom it is said by whom it calls, or talks of; None if it does neither.

    Whoever is called stays so in the sentences that follow; a question to nobody, behind what was
    said to another, is no longer theirs.
    """
    ours = asks = False
    last: Naming | None = None
    found = []
    for number, sentence in enumerate(heard.sentences):
        if heard.asked and is_a_name(sentence, heard.floor.others):
            continue  # that is what was asked for
        named = _named(heard, number)
        found.append(named)
        theirs = last is not None and not last.ours
        if named.ours is None and theirs and sentence.asks and not sentence.is_among_people:
            return Verdict(to=Addressee.AGENT, by="name", asks=True) if ours else None
        last = last if named.ours is None else named
        called = last is not None and bool(last.ours)
        ours = ours or (called and not (named.ours and sentence.only_greets))
        asks = asks or sentence.asks
    if last is not None:
        last = replace(last, ours=ours or last.ours)
        return _called(last, asks=asks, among=any(one.is_among_people for one in heard.sentences))
    if any(one.maybe for one in found):
        return Verdict(to=Addressee.UNCLEAR, by="name", asks=asks)
    if any(one.talked_of for one in found) and not heard.asked:
        if _may_have_greeted(heard, found):
            return Verdict(to=Addressee.UNCLEAR, by="name", asks=bool(heard.questions))
        return Verdict(to=Addressee.OTHERS, by="mention", asks=bool(heard.questions))
    return None


def _may_have_greeted(heard: _Heard, found: Sequence[Naming]) -> bool:
    """Return whether a name that is talked of is all of a first sentence, and the next asks for it.

    "I have Vincent. I'd like a car." is what a transcriber makes of "Hi Vincent".
    """
    first, *rest = heard.sentences
    short = found[0].talked_of and len(first.words) <= GREETING
    return short and any(one.asks or one.requests for one in rest)


def _called(named: Naming, *, asks: bool, among: bool) -> Verdict:
    """Return to whom it is said in which somebody is called.

    Args:
        named: Whether that is the agent.
        asks: Whether it wants an answer.
        among: Whether people ask each other so.
    """
    if named.ours:
        to = Addressee.AGENT if named.sure or not among else Addressee.UNCLEAR
        return Verdict(to=to, by="name", asks=asks, sure=named.sure)
    to = Addressee.OTHERS if named.sure or among else Addressee.UNCLEAR
    return Verdict(to=to, by="another name", asks=asks)


def _named(heard: _Heard, number: int) -> Naming:
    """Return whom a sentence calls, by its number."""
    named = naming(heard.sentences[number], heard.floor.called, heard.floor.others)
    return named if named.ours is not None else _beside_question(heard, number) or named


def _beside_question(heard: _Heard, number: int) -> Naming | None:
    """Return whom a sentence calls that is a word or two behind a question, or before one."""
    before, after = heard.sentences[:number][-1:], heard.sentences[number + 1 :][:1]
    within = NEAR_ENOUGH if any(one.asks for one in before) else SURELY
    if not any(one.asks for one in (*before, *after)):
        return None
    return called_alone(heard.sentences[number], heard.floor.called, heard.floor.others, within)


def _by_context(heard: _Heard) -> Verdict:
    """Return to whom it is said in which nobody is called."""
    floor, sentences, questions = heard.floor, heard.sentences, heard.questions
    if questions and questions[-1].is_among_people:
        words, text = questions[-1].known.addressing, questions[-1].text
        advice = words.we.search(text) and _is_behind_agent(floor)
        to = Addressee.UNCLEAR if advice or words.serves.search(text) else Addressee.OTHERS
        return Verdict(to=to, by="among them", asks=True)
    requests = any(one.requests for one in sentences)
    goes_on = len(sentences) > 1 and sentences[-1].asks
    if floor.asked_another and floor.since_turn <= GO_ON_WITHIN and not (requests or goes_on):
        answers = heard.asked is not None and _fits(heard)
        ours = questions or answers or _takes_leave(heard)
        to = Addressee.UNCLEAR if ours else Addressee.OTHERS
        return Verdict(to=to, by="reply to another", asks=bool(questions))
    if not questions and heard.asked:
        return _answering(heard)
    if floor.answers == "named":
        asks = Verdict(to=Addressee.OTHERS, by="statement", asks=True)
        return asks if questions else _following(heard)
    if questions and sentences[0].asks and not (sentences[-1].asks or requests):
        return Verdict(to=Addressee.UNCLEAR, by="reply to another", asks=False)
    return _asking(heard, questions[-1]) if questions else _telling(heard)


def _is_behind_agent(floor: Floor) -> bool:
    """Return whether the agent has just spoken, and nobody since."""
    return floor.since_said <= GO_ON_WITHIN and not floor.others_since


def _takes_leave(heard: _Heard) -> bool:
    """Return whether somebody says thanks or goodbye, to none of the others by name."""
    closing = heard.sentences[0].known.closing
    thanks = any(closing.search(one.text) for one in heard.sentences)
    return thanks and heard.floor.since_said <= ANSWER_WITHIN and not _talks_of_others(heard)


def _goes_on(heard: _Heard) -> bool:
    """Return whether something is said behind what was to the agent, before that has answered."""
    floor = heard.floor
    waits = floor.answered and not floor.others_since and floor.since_turn <= GO_ON_WITHIN
    return waits and not is_backchannel(heard.text, heard.language)


def _asking(heard: _Heard, question: SaidSentence) -> Verdict:
    """Return to whom a question is that nothing else tells of."""
    asks, words, text = questions_in(heard.language), question.known.addressing, question.text
    talked, knows = heard.floor.others_since > 0, words.facts.search(text) is not None
    if asks is None or (words.serves.search(text) and not words.group.search(text)):
        sure = knows and not talked
        return Verdict(to=Addressee.AGENT, by="question", asks=True, sure=sure)
    if words.group.search(text) and not knows:
        return Verdict(to=Addressee.OTHERS, by="among them", asks=True)
    chooses, we = asks.either.search(text) is not None, words.we.search(text) is not None
    clues = (bool(heard.asked or heard.offered), chooses, we)
    if sum(clues) > 1 and not knows:  # what people ask each other of what the agent wants to know
        return Verdict(to=Addressee.UNCLEAR, by="among them", asks=True)
    tells_little = len(question.words) <= ECHO or words.you.search(text) is not None
    if tells_little and (heard.asked or talked):
        return Verdict(to=Addressee.UNCLEAR, by="question", asks=True)
    return Verdict(to=Addressee.AGENT, by="question", asks=True, sure=False)


def _answering(heard: _Heard) -> Verdict:
    """Return to whom a statement is said while a question of the agent's is open."""
    first, talked = heard.sentences[0], heard.floor.others_since > 0
    words = first.known.addressing
    listens = is_backchannel(heard.text, heard.language)
    if words.holds.match(first.bare) or (
        listens and (talked or heard.asked is not AnswerKind.YES_OR_NO)
    ):
        return Verdict(to=Addressee.OTHERS, by="statement")
    if talked and words.muses.match(first.bare):
        return Verdict(to=Addressee.UNCLEAR, by="answer")
    return Verdict(to=Addressee.AGENT, by="answer", sure=_fits(heard))


def _fits(heard: _Heard) -> bool:
    """Return whether a statement looks like an answer to what the agent has asked."""
    first, last = heard.sentences[0], heard.sentences[-1]
    words = first.known.addressing
    if words.pleads.search(last.text) or is_a_name(first, heard.floor.others):
        return True
    said = [word for one in heard.sentences for word in one.words]
    concludes = words.concludes.match(first.text) and not heard.floor.others_since
    begins = concludes or words.takes.match(first.bare) or words.needs.match(first.bare)
    if begins and not words.muses.match(first.bare):
        return True
    asked = sentences_in(heard.floor.said, heard.language, NO_WORDS)[-2:]
    taken = [word for one in asked for word in one.words if word in said and len(word) > SHORT_WORD]
    dictates = heard.asked in (AnswerKind.NUMBER, AnswerKind.SPELLING)
    orders = any(one.requests for one in heard.sentences)
    chooses = len(said) <= CHOICE or words.suits.search(first.text)
    return bool(taken and chooses and not orders) or (
        dictates and any(word.isdigit() or len(word) == 1 for word in said)
    )


def _telling(heard: _Heard) -> Verdict:
    """Return to whom a statement is said of which nobody knows that it answers anything."""
    floor, words = heard.floor, heard.sentences[0].known.addressing
    if is_backchannel(heard.text, heard.language):
        return Verdict(to=Addressee.OTHERS, by="statement")
    if any(one.requests for one in heard.sentences):
        pleads = any(words.pleads.search(one.text) for one in heard.sentences)
        forbids = any(not NEGATIONS.isdisjoint(one.words) for one in heard.sentences)
        sure = (pleads or not floor.others_since) and not forbids
        return Verdict(to=Addressee.AGENT, by="request", sure=sure)
    if any(words.needs.match(one.bare) for one in heard.sentences):
        return Verdict(to=Addressee.AGENT, by="request", sure=False)
    return _following(heard)


def _agrees(heard: _Heard) -> bool:
    """Return whether a statement is of what the agent has offered, or says what would suit."""
    last = sentences_in(heard.floor.said, heard.language, NO_WORDS)[-1:]
    told = {word for one in last for word in one.words if len(word) > SHORT_WORD}
    return any(
        not heard.offered.isdisjoint(one.words)
        or len(told.intersection(one.words)) >= REPEATED
        or one.known.addressing.suits.search(one.text)
        for one in heard.sentences
    )


def _following(heard: _Heard) -> Verdict:
    """Return to whom a statement is said that may go on from what the agent has said."""
    floor, first = heard.floor, heard.sentences[0]
    words = first.known.addressing
    chooses = len(first.words) <= SHORT_ANSWER and not heard.offered.isdisjoint(first.words)
    takes = any(words.takes.match(one.bare) for one in heard.sentences)
    if (takes or chooses) and floor.since_said <= ANSWER_WITHIN and not floor.answered:
        sure = takes and not floor.others_since
        return Verdict(to=Addressee.AGENT, by="follow-up", sure=sure)
    open_to_us = floor.since_said <= ANSWER_WITHIN and not floor.answered
    agrees = open_to_us and not words.muses.match(first.bare) and _agrees(heard)
    concludes = open_to_us and words.concludes.match(first.text)
    begins = _is_behind_agent(floor) and floor.since_turn == inf  # the first words of anybody
    if begins or agrees or concludes or _goes_on(heard) or _takes_leave(heard):
        return Verdict(to=Addressee.UNCLEAR, by="follow-up")
    return Verdict(to=Addressee.OTHERS, by="statement")
