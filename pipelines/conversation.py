"""A conversation as plain data: what was said, what may be done, what the agent knows. No I/O."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal


@dataclass(frozen=True, slots=True, kw_only=True)
class ToolSpec:
    """A tool, as a language model is told of it."""

    name: str
    """Letters, digits, ``_`` and ``-``; 64 at most, which every provider allows."""

    description: str

    parameters: Mapping[str, Any]
    """JSON Schema of an object."""


@dataclass(frozen=True, slots=True)
class ToolCall:
    """The model asks for something to be done."""

    name: str
    arguments: Mapping[str, Any] = field(default_factory=dict)
    id: str = ""
    """The provider's name of this call; ``""`` if it gives none. Only the provider that gave it may
    rely on its form: in a conversation it may come from another."""


@dataclass(frozen=True, slots=True)
class ToolResult:
    """What a tool gave back."""

    call: ToolCall
    text: str
    """For the model: mostly JSON, or a sentence that says what went wrong."""

    failed: bool = False


@dataclass(frozen=True, slots=True)
class Tokens:
    """What a language model's reply has cost, as the provider counts it."""

    input: int = 0
    """Tokens read, cached ones included."""

    output: int = 0
    cached: int = 0
    """Of ``input``, those that were read from the provider's cache."""


@dataclass(frozen=True, slots=True)
class Message:
    """One line of the conversation, as the model is shown it."""

    role: Literal["user", "assistant"]
    text: str
    cut_off: bool = False
    """Whether the caller heard no more than this of what we were saying."""

    results: tuple[ToolResult, ...] = ()
    """Of an assistant's message: the tools it asked for after ``text``, each with its result.
    ``text`` may be empty then."""

    to_others: bool = False
    """Of a user's message: whether it was said to others on a line of several."""

    perhaps_to_others: bool = False
    """The same, where a model has to tell: then it may ask for :data:`STAY_SILENT`."""

    unheard: str = ""
    """How it would have gone on, if a model has to know: a greeting that says why we call, or the
    last words of a question that was answered before its end."""


END_CALL = "end_call"
"""Hang up."""


TRANSFER_CALL = "transfer_call"
"""Pass the caller on; ``to`` is the name of a :class:`Destination`."""


STAY_SILENT = "stay_silent"
"""Say nothing: what was said on a line of several was said to another of them."""


PRESS_KEYS = "press_keys"
"""Press keys of the telephone; ``keys`` are of ``0-9*#A-D``, and ``w`` for half a second."""


NO_MORE_CALLS = "no_more_calls"
"""Keep that whoever we have called wants no more calls; at once, so this is a tool like others."""


PAUSE_RECORDING, RESUME_RECORDING, STOP_RECORDING = RECORDING_TOOLS = (
    "pause_recording",
    "resume_recording",
    "stop_recording",
)
"""What a model may do with the recording of a call; at once, so these are tools like others."""


ADD_PARTY, DROP_PARTY = PARTY_TOOLS = ("add_party", "drop_party")
"""Have somebody dialled onto the line, and hung up again; at once, so these are tools like others.
``who`` is their name in the agent file."""


GO_ON = (
    "(Your message broke off there, by a fault. Go on from exactly there: repeat and rephrase "
    "nothing of it. The caller knows nothing of this.)"
)
"""What a language model is told, as the user, when it is to take over in the middle of a reply."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Destination:
    """Somebody whom callers can be passed on to."""

    name: str
    when: str = ""
    """When to, for a language model."""

    asked: tuple[str, ...] = ()
    """Ways of asking for it."""

    announcement: str = ""
    """What to say before; in its place, where it is refused."""

    refused: str = ""
    """Why callers cannot be passed on to it now, for a language model; ``""`` if they can."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Question:
    """A frequent question and its answer."""

    asked: tuple[str, ...]
    """Ways of asking it; at least one."""

    answer: str


@dataclass(frozen=True, slots=True, kw_only=True)
class ExpectedAnswer:
    """What an answer looks like to one of the agent's questions."""

    when: str
    """Words of the question: "zip code"."""

    digits: tuple[int, ...] = ()
    """How many digits the number may have that is asked for; empty if that is not known."""

    spelled: bool = False
    """Whether a name is to be spelled, and no number said."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Brief:
    """What a language model knows before the first word, from the agent file.

    The same all call, but for ``whispers``, ``party`` and which ``destinations`` are refused.
    """

    prompt: str = ""
    """The system prompt, its variables filled in. Facts and questions are not in it."""

    language: str = "en"
    """BCP 47 tag."""

    facts: tuple[str, ...] = ()
    """Sentences that are true, each fit to be spoken by itself."""

    questions: tuple[Question, ...] = ()

    unsure: tuple[str, ...] = ()
    """What to say, in turn, when the answer is not known."""

    goodbye: str = ""
    """What to say before hanging up."""

    pronounce: Mapping[str, str] = field(default_factory=dict)
    """Words, and how to write them for a voice."""

    expects: tuple[ExpectedAnswer, ...] = ()
    """What answers look like, where the agent's questions alone do not tell. For the turn-taking;
    no language model is told."""

    destinations: tuple[Destination, ...] = ()
    """Whom the caller can be passed on to, if the call allows it."""

    whispers: tuple[str, ...] = ()
    """Instructions of whoever runs the agent, given while the call goes on, the latest last. The
    caller does not hear them."""

    party: tuple[str, ...] = ()
    """Of a line of several: who is on it, a sentence each."""

    may_stay_silent: bool = False
    """Whether what was said last on a line of several may be said to another of them: then the
    model may ask for :data:`STAY_SILENT`."""

    may_press_keys: bool = False
    """Whether we dialled, and may meet a menu."""

    tools: tuple[ToolSpec, ...] = ()
    """What the model may ask for, call control included
    (:func:`pipelines.tools.call_control.call_control`)."""

    may_call_tools: bool = True
    """False: ``tools`` are told only because the conversation holds results of theirs; the model
    has to answer in words."""

    form: str = ""
    """Name of the one of ``tools`` whose arguments are the whole answer: a form to be filled in,
    which nobody hears and which may be as long as it has to be. The model has to ask for that tool,
    as far as its server can be told so; words are taken, too. ``""`` in a call."""
