"""What depends on the language: the fixed sentences, and how a caller talks."""

from __future__ import annotations

import enum
from collections.abc import Mapping
from dataclasses import dataclass


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
class QuestionLanguage:
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


ENGLISH = QuestionLanguage(
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
