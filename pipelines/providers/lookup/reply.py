"""The language stage when there is no language model: answers found in the agent file.

It looks up which frequent question or fact of the :class:`Brief` the caller means and says that
answer, word for word; when none is near enough it says that it does not know. Apart from the
brief it has only the few fixed sentences below, so it cannot invent anything.

How a question is found: BM25 (bm25s) over stems weighs the topics, a topic being all ways of
asking one question; those that share a word with the caller are then compared way by way. Both
comparisons are shares of the words' BM25 weight, so a score runs from 0 to 1 and one threshold
fits agent files of any size.
"""

from __future__ import annotations

import enum
import functools
import re
from collections.abc import AsyncGenerator, Mapping, Sequence
from dataclasses import dataclass

import bm25s
import Stemmer
import structlog
from pydantic import BaseModel, ConfigDict, Field
from rapidfuzz import fuzz, process

from pipelines.conversation import (
    END_CALL,
    GO_ON,
    TRANSFER_CALL,
    Brief,
    Message,
    Question,
    ToolCall,
)
from pipelines.providers.contracts import Piece, ProviderError
from pipelines.text.sentences import SentenceCutter

log = structlog.get_logger()


class Talk(enum.Enum):
    """What a caller says that is not about the business; the first that is heard counts."""

    GOODBYE = enum.auto()
    IDENTITY = enum.auto()
    REPEAT = enum.auto()
    TOPICS = enum.auto()
    WAIT = enum.auto()
    NO = enum.auto()
    YES = enum.auto()
    THANKS = enum.auto()
    HELLO = enum.auto()


@dataclass(frozen=True, slots=True, kw_only=True)
class Language:
    """What depends on the language: the fixed sentences, and how a caller talks."""

    hello: str
    welcome: str
    anything_else: str
    listening: str
    all_right: str
    take_your_time: str
    identity: str
    not_caught: str
    unsure: str
    """For a brief that has no sentence of its own."""

    goodbye: str
    """The same."""

    which: str
    """Asks back, before two questions."""

    alternatively: str
    """Between the two."""

    this_one: str
    """Asks back, before one question."""

    examples: str
    """Before a few questions that can be asked."""

    talk: Mapping[Talk, str]
    """Regular expressions over lower-case words without punctuation."""

    first: str
    second: str
    """The same, for the answer to ``which``."""

    joints: str
    """Between two questions in one breath."""

    idle: str
    """Words that say nothing of the topic, white space between them."""

    stemmer: str
    """Snowball's name for the language."""


_ENGLISH_TALK = {
    Talk.GOODBYE: (
        r"(good ?)?(bye)( ?(bye|by|now))*|good ?(by|buy)|^(by|buy)( (by|buy))?$|good night|cheerio"
        r"|see (you|ya)( (later|soon|then|there|tonight|tomorrow|around))?|take care"
        r"|(talk|speak) to you (later|soon)|farewell"
        r"|(that|this)( i|wi)?(s|ll be| is| was| will be| would be) (all|it|everything)"
        r"( (i|we) (need|needed|wanted|want)( to know)?)?( for (now|today))?"
        r"|have an? \w+ (day|night|evening|one|weekend|afternoon|morning|week)"
        r"|(you )?(have|enjoy) (a|your) (day|night|evening|weekend)"
        r"|(?<!do )(i|we)(ve| have| need)?( got| gotta)? (to )?(go|run|hang up)( now)?$"
        r"|nothing (else|more)|(you can |please )?(hang up|end (the|this) call)"
        r"|i( a)?m (done|finished)"
    ),
    Talk.IDENTITY: (
        r"(are|re) you( really| actually)? (an? )?(real |actual |live |automated |artificial )*"
        r"(human( being)?|person|robot|bot|machine|computer|ai|a i|real|recording"
        r"|answering machine|program|automated|intelligence|chat ?bot)"
        r"|(am|m) i( really| actually)? (talking|speaking)( to| with) (an? )?"
        r"(real |actual |live )?(human( being)?|person|robot|bot|machine|computer|ai|recording)"
        r"|(is|s) (this|that|it) (an? )?(real person|human|robot|bot|machine|recording|ai|computer)"
        r"|who (are you|is this|am i (talking|speaking) (to|with))|what are you"
        r"|what(s| is) your name"
    ),
    Talk.REPEAT: (
        r"(can|could|would|will) you( please)? (repeat|say) (that|it|this|yourself)"
        r"( (again|once more|one more time|please))*"
        r"|(say|repeat|tell me) (that|it|this) (again|once more|one more time)|^(please )?repeat"
        r"( (that|it|please))*|(i )?(beg your )?pardon( me)?|(i( a)?m )?sorry( what)?|come again"
        r"|excuse me|what did you( just)? say|what (was|is) that( again)?|whats that( again)?"
        r"|(once|one) more( time)?|^(what|huh|again)$"
        r"|i (did ?nt|did not|do ?nt|do not|could ?nt|could not|can ?t|cannot)( really| quite)? "
        r"(hear|catch|get|understand)( (that|you|it|what you said|a word))?"
    ),
    Talk.TOPICS: (
        r"what (can|could|should|may) (i|we) ask( you)?( about)?"
        r"|what (can|do|could) you (do|know|answer|tell me|help( me)?( with)?)( for me)?"
        r"|(what|how) (can|could) you help( me| us)?( with)?"
        r"|(can|could|would) you( please)? help( me| us)?( please)?|^(i need |please )?help( me)?$"
        r"|what (else )?(can|do) you (offer|know)|what (topics|questions)( \w+){0,4}"
        r"|what are my options"
    ),
    Talk.WAIT: (
        r"(hold on|hang on|wait|just|one|give me)( just)?( a| one)? "
        r"(second|sec|moment|minute|bit)|hold on|hang on|^wait$|let me (think|see)"
    ),
    Talk.NO: (
        r"^(no|nope|nah|not? really|not? (right )?now)\b|\bno$|no (thanks|thank you)"
        r"|i( a)?m (good|fine|okay|ok|all set)"
    ),
    Talk.YES: (
        r"^(yes|yeah|yep|yup|sure|okay|ok|alright|all right|right|great|perfect|cool|fine|i see"
        r"|got it|sounds good|good|wonderful|of course|that(s| is) (fine|good|great|right|okay))"
        r"(?= |$)|\b(yes|yeah|okay|ok|great|perfect|i see|got it)$"
    ),
    Talk.THANKS: (
        r"(thanks|thank you|thankyou|thank)( (so|very) much| a lot| again| for (your|the) help)*"
        r"|(i |much )?appreciated?( it| that)?|cheers"
    ),
    Talk.HELLO: (
        r"hello|hi|hey|hiya|howdy|good (morning|afternoon|evening|day)|how are you( doing)?"
        r"( today)?|is (anybody|anyone|somebody|someone) there|are you (there|still there)"
    ),
}

_ENGLISH_IDLE = """
a an the this that these those it its is are was were be been being am do does did dont doesnt
didnt done has have had having can cant could couldnt will wont would wouldnt should shall may
might must i id im ill ive me my mine we us our weve you your youre yours he shes hes she him her
his hers they theyre them their guys there theres here heres to of in on at by for with from into
as about and or but so if then than also just only really very quite please thanks thank um umm uh
uhm er erm eh hmm hm mm mhm oh ah ok okay well like yes yeah no not any some anything something
all maybe perhaps possibly probably know tell ask want wanted wants wanna need needs looking
wondering wonder curious question questions give get gets got getting go goes going gonna let lets
say said see thing things stuff possible able hi hello hey good nice great fine alright whats what
which how hows when whens who whos whom whose exactly actually basically kind sort type moment now
currently still ever always usually guess think believe suppose mean sure anywhere somewhere
someone anyone anybody somebody nearby near around sir maam bit lot lots little use using used
make makes sorry calling called one two three four five six seven eight nine ten eleven twelve
fifteen twenty thirty forty fifty hundred wife husband son daughter mother father mom dad mum
friend friends family girlfriend boyfriend partner parents evening morning afternoon night take
takes taking sell sells serve serves offer offers provide bring come place restaurant
"""

ENGLISH = Language(
    hello="Hello. How can I help you?",
    welcome="You're welcome.",
    anything_else="Is there anything else I can help you with?",
    listening="Go ahead, I'm listening.",
    all_right="All right.",
    take_your_time="Take your time.",
    identity="I'm an automated assistant, not a person.",
    not_caught="Sorry, I didn't catch that. Could you say it again?",
    unsure="I'm sorry, I don't know that.",
    goodbye="Thank you for calling. Goodbye.",
    which="Which of these do you mean?",
    alternatively="Or:",
    this_one="Do you mean:",
    examples="You can ask me, for example:",
    talk=_ENGLISH_TALK,
    first=r"\b(first|former|number one|1|one)\b",
    second=r"\b(second|latter|last|number two|2|two|other)\b",
    joints=r"[.?!,;:]+|\b(?:and|also|or|plus|then)\b",
    idle=_ENGLISH_IDLE,
    stemmer="english",
)

LANGUAGES = {"en": ENGLISH}
"""By the primary subtag of the brief's language."""

_EXAMPLES = 3
"""Questions named at a time; more are not remembered by ear."""

_REMEMBERED = 40
"""Messages looked back on; more only matters to a caller who keeps asking to repeat."""

_MOST_ANSWERS = 3
"""Answers to one utterance."""


@dataclass(frozen=True, slots=True)
class _Match:
    """How near a topic is to what was said."""

    topic: int
    score: float
    """0 to 1; the mean of ``coverage`` and how near the nearest way of asking is."""

    coverage: float
    """0 to 1; the share of what was said that the topic's words account for."""


class _Index:
    """The topics of one agent file, made searchable.

    Args:
        topics: The ways of asking each question; a fact is asked for by its own words.
        language: Whose idle words and stems to use.
    """

    def __init__(self, topics: Sequence[Sequence[str]], language: Language) -> None:
        self._idle = frozenset(language.idle.split())
        self._stem = functools.lru_cache(maxsize=4096)(Stemmer.Stemmer(language.stemmer).stemWord)
        asked = [[self._content(_words(way)) for way in ways] for ways in topics]
        self._vocabulary = sorted({word for ways in asked for way in ways for word in way})
        self._known = frozenset(self._vocabulary)
        self._sounds = {word: _sound(word) for word in self._vocabulary}
        self._ways = [[frozenset(map(self._stem, way)) for way in ways] for ways in asked]
        stems = [sorted(frozenset().union(*ways)) for ways in self._ways]
        # Length is no sign of relevance here (b=0): a topic with more ways of asking is as likely.
        self._bm25 = bm25s.BM25(method="lucene", b=0.0)
        if any(stems):
            self._bm25.index(stems, show_progress=False)
        self._weights = {
            stem: float(self._bm25.get_scores([stem]).max())
            for stem in sorted(frozenset().union(*stems))
        }
        self._unknown_weight = max(self._weights.values(), default=1.0)

    def has_content(self, words: Sequence[str]) -> bool:
        """Say whether any word tells of a topic at all."""
        return any(word not in self._idle for word in words)

    def find(self, words: Sequence[str]) -> list[_Match]:
        """Return the nearest topics, best first; none if no word is known."""
        heard = [stems for word in self._content(self._joined(words)) for stems in self._hear(word)]
        known = sorted({stem for stem in heard if stem in self._weights})
        if not known:
            return []
        total = sum(self._weights[stem] for stem in known)
        total += self._unknown_weight * len({stem for stem in heard if stem not in self._weights})
        scores = self._bm25.get_scores(known)
        matches = [
            self._compare(int(topic), float(scores[topic]) / total, known, total)
            for topic in scores.nonzero()[0]
        ]
        return sorted(matches, key=lambda match: -match.score)

    def _compare(self, topic: int, coverage: float, known: Sequence[str], total: float) -> _Match:
        nearest = max(self._likeness(way, known, total) for way in self._ways[topic])
        return _Match(topic, (coverage + nearest) / 2, coverage)

    def _likeness(self, way: frozenset[str], known: Sequence[str], total: float) -> float:
        """Return the weight that a way of asking and the words heard share (Dice), 0 to 1."""
        common = sum(self._weights[stem] for stem in known if stem in way)
        return 2 * common / (total + sum(self._weights[stem] for stem in way))

    def _content(self, words: Sequence[str]) -> list[str]:
        return [word for word in words if word not in self._idle]

    def _joined(self, words: Sequence[str]) -> list[str]:
        """Write as one what the agent file writes as one: "wheel chair"."""
        joined: list[str] = []
        for word in words:
            if joined and joined[-1] + word in self._known:
                joined[-1] += word
            else:
                joined.append(word)
        return joined

    def _hear(self, word: str) -> list[str]:
        """Return the stems of what was probably said: mostly those of the word itself."""
        stem = self._stem(word)
        if stem in self._weights:
            return [stem]
        for cut in range(3, len(word) - 2):  # "takeaway"
            if word[:cut] in self._known and word[cut:] in self._known:
                return [self._stem(word[:cut]), self._stem(word[cut:])]
        return [self._stem(self._misheard(word) or word)]

    def _misheard(self, word: str) -> str | None:
        """Return the known word that sounds the same, or is spelt nearly so."""
        if len(word) < 4:
            return None
        sound = _sound(word)
        alike = [
            each for each in self._vocabulary if len(sound) > 2 and self._sounds[each] == sound
        ]
        # 70: gluten and glutton are 77, tyres and dress 60. 88: one letter of eight.
        found = process.extractOne(word, alike, scorer=fuzz.ratio, score_cutoff=70)
        found = found or process.extractOne(
            word, self._vocabulary, scorer=fuzz.ratio, score_cutoff=88
        )
        return found[0] if found else None


_APOSTROPHE = re.compile(r"['’]")
_WORD = re.compile(r"\w+")
_ALIKE = str.maketrans("bdgcqkvzj", "ptkkkkfsk")
_SILENT = re.compile(r"[aeiouhwy]")
_DOUBLE = re.compile(r"(.)\1+")


def _words(text: str) -> list[str]:
    return _WORD.findall(_APOSTROPHE.sub("", text.casefold()))


def _sound(word: str) -> str:
    """Return the consonants, voiced and unvoiced as one: what narrow-band speech confuses."""
    plain = word.replace("ph", "f").replace("x", "ks").translate(_ALIKE)
    return _DOUBLE.sub(r"\1", plain[:1] + _SILENT.sub("", plain[1:]))


@functools.lru_cache(maxsize=32)
def _index(topics: tuple[tuple[str, ...], ...], language: str) -> _Index:
    # Answers are no part of the key: they may hold the time of day.
    return _Index(topics, LANGUAGES[language])


@functools.cache
def _talk(language: str) -> Mapping[Talk, re.Pattern[str]]:
    patterns = LANGUAGES[language].talk
    return {talk: re.compile(rf"\b(?:{patterns[talk]})(?!\w)") for talk in Talk if talk in patterns}


_PAUSE = re.compile(r"[.?!,;:]+(?:\s|$)")
_LONGEST = 600
"""Characters looked at of an utterance: a minute of speech."""


def _split(text: str, language: str) -> tuple[frozenset[Talk], list[str]]:
    """Return the small talk in an utterance and, clause by clause, the rest in plain words."""
    talk: set[Talk] = set()
    rest: list[str] = []
    for clause in _PAUSE.split(text[-_LONGEST:]):
        words = " ".join(_words(clause))
        for kind, pattern in _talk(language).items():
            words, times = pattern.subn(" ", words)
            words = words.strip()
            if times:
                talk.add(kind)
        rest.append(words)
    return frozenset(talk), [words for words in rest if words]


class LanguageModel:
    """Answer from the brief alone; see the top of this file for how."""

    class Options(BaseModel):
        """When an answer is near enough. Scores run from 0 to 1."""

        model_config = ConfigDict(frozen=True, extra="forbid")

        threshold: float = Field(
            0.6,
            ge=0,
            le=1,
            description="score from which a question is answered; with the agent that ships, 104 of"
            " 112 questions to the point reach it, and 4 of 70 on other matters",
        )
        ask_back: float = Field(
            0.45,
            ge=0,
            le=1,
            description="score from which the agent asks 'do you mean ...' instead of being unsure;"
            " 1 of those 112 and 50 of those 70 are below it",
        )
        margin: float = Field(
            0.05,
            ge=0,
            le=1,
            description="lead in score over the next question without which the agent asks back;"
            " right answers lead by less in 1 of 112 tries",
        )

    def __init__(self, options: Options) -> None:
        self._options = options

    async def start(self) -> None:
        """Say in the log what this is: whoever runs it may not have chosen it."""
        log.warning("answers come from the agent file; this is not a language model")

    async def warm(self) -> None:
        """Be ready already."""

    async def aclose(self) -> None:
        """Nothing is held."""

    async def reply(
        self, brief: Brief, conversation: Sequence[Message]
    ) -> AsyncGenerator[Piece, None]:
        """Yield the reply sentence by sentence, each with a space after it; then a hang-up if due.

        Raises:
            ProviderError: If the brief is in a language whose sentences are not in this file.
        """
        language = brief.language.partition("-")[0].lower()
        if language not in LANGUAGES:
            known = ", ".join(LANGUAGES)
            raise ProviderError("llm", f"lookup speaks {known}; the agent file has {language}")
        if conversation and conversation[-1].text == GO_ON:
            # Whoever broke off had said a part; what is said again of it is left out further on.
            conversation = conversation[:-2]
        rules = _Reply(self._options, brief, LANGUAGES[language], language)
        for piece in rules.to(conversation[-_REMEMBERED:]):
            if isinstance(piece, ToolCall):
                yield piece
            else:
                for sentence in _sentences(piece):
                    yield f"{sentence} "


def _sentences(text: str) -> list[str]:
    cutter = SentenceCutter()
    return [*cutter.feed(text), *cutter.flush()]


class _Reply:
    """The reply to one conversation; a pure function of it and the brief, cut into its rules."""

    def __init__(
        self, options: LanguageModel.Options, brief: Brief, language: Language, tag: str
    ) -> None:
        self._options = options
        self._brief = brief
        self._say = language
        self._tag = tag
        facts = (Question(asked=(fact,), answer=fact) for fact in brief.facts)
        self._destinations = {d.announcement: d.name for d in brief.destinations if d.asked}
        requests = (
            Question(asked=d.asked, answer=d.announcement) for d in brief.destinations if d.asked
        )
        self._topics = (*brief.questions, *requests, *facts)
        self._unsures = brief.unsure or (language.unsure,)

    def to(self, conversation: Sequence[Message]) -> list[str | ToolCall]:
        """Return what to say to the last thing the caller said, and what to do then."""
        said = next((m.text for m in reversed(conversation) if m.role == "user"), "")
        before = [m.text for m in conversation if m.role == "assistant" and m.text]
        talk, clauses = _split(said, self._tag)
        index = _index(tuple(topic.asked for topic in self._topics), self._tag)
        last = before[-1] if before else ""
        offered = self._offered(last)
        if chosen := self._chosen(said, talk, offered):
            return self._done([chosen.answer])
        clauses = [clause for clause in clauses if index.has_content(clause.split())]
        if not clauses:
            return self._small_talk(talk, conversation, last)
        return self._done(self._search(index, clauses, offered)) or self._unsure(before)

    def _done(self, pieces: list[str | ToolCall]) -> list[str | ToolCall]:
        """Pass the caller on, if that is what the last of these announces."""
        last = pieces[-1] if pieces else None
        if isinstance(last, str) and last in self._destinations:
            return [*pieces, ToolCall(TRANSFER_CALL, {"to": self._destinations[last]})]
        return pieces

    def _offered(self, last: str) -> list[Question]:
        """Return the questions that our last sentence asked the caller to choose from."""
        if not last.startswith((self._say.which, self._say.this_one)):
            return []
        return [topic for topic in self._topics if topic.asked[0] in last]

    def _chosen(
        self, said: str, talk: frozenset[Talk], offered: Sequence[Question]
    ) -> Question | None:
        words = " ".join(_words(said))
        match offered:
            case [only] if Talk.YES in talk and Talk.NO not in talk:
                return only
            case [first, second]:
                if re.search(self._say.second, words):
                    return second
                return first if re.search(self._say.first, words) else None
        return None

    def _search(
        self, index: _Index, clauses: Sequence[str], offered: Sequence[Question]
    ) -> list[str | ToolCall]:
        """Return the answers to what was asked, or a question back; nothing if neither is near."""
        whole = index.find(" ".join(clauses).split())
        parts = self._parts(index, clauses)
        answers = list(dict.fromkeys(part.answer for part in parts if part))
        covered = bool(whole) and whole[0].coverage > 0.9  # one question, said with an "and"
        if len(answers) > 1 and all(parts) and not covered:
            return [*answers[:_MOST_ANSWERS]]
        if clear := self._clear(whole):
            return [clear.answer]
        if answers:
            return [answers[0]]
        return self._ask_back(whole, offered)

    def _parts(self, index: _Index, clauses: Sequence[str]) -> list[Question | None]:
        """Return the topic of each part of the utterance; None for one that is not clear."""
        parts = [
            words
            for clause in clauses
            for part in re.split(self._say.joints, clause)
            if index.has_content(words := part.split())
        ]
        return [self._clear(index.find(words)) for words in parts]

    def _clear(self, matches: Sequence[_Match]) -> Question | None:
        """Return the topic that is near enough and nearer than any other."""
        match [m for m in matches if m.score >= self._options.threshold]:
            case [best]:
                return self._topics[best.topic]
            case [best, second, *_] if best.score - second.score >= self._options.margin:
                return self._topics[best.topic]
        return None

    def _ask_back(
        self, matches: Sequence[_Match], offered: Sequence[Question]
    ) -> list[str | ToolCall]:
        near = [m for m in matches if m.score >= self._options.ask_back]
        near = [m for m in near if near[0].score - m.score < self._options.margin]
        topics = [self._topics[m.topic] for m in near]
        if not all(_speakable(topic.asked[0]) for topic in topics) or topics == offered:
            return []
        match topics:
            case [only]:
                return [self._say.this_one, only.asked[0]]
            case [first, second]:
                return [self._say.which, first.asked[0], self._say.alternatively, second.asked[0]]
        return []

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
        asked = [q.asked[0] for q in self._brief.questions if _speakable(q.asked[0])]
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
            again = self.to(earlier)
            if " ".join(s for s in again if isinstance(s, str)).startswith(last):
                return again
        return [last or self._say.not_caught]


def _speakable(question: str) -> bool:
    """Say whether ``question`` can be asked back as it stands."""
    return question.endswith("?") and len(question.split()) <= 12
