"""What stands in the record of a call: its lines, by kind. The one vocabulary of journals.

A line is a JSON object with ``kind`` and, after the first, ``at``: seconds on the call's clock,
which is monotonic and whose zero is the answer. All other times in a line (``until``, those of
``timing``) are on that clock, too. ``turn`` counts from 1: what the caller says and the reply to it
have one number; what the agent says unasked has its own. A field that is not known is left out.

- ``call``, the first: ``id`` (ours, of the record), ``call_id`` (the platform's), ``direction``
  (``incoming`` or ``outgoing``), ``caller``, ``called``, ``agent``, ``agent_version`` (of the
  agent file), ``language``, ``discloses`` (true if that file has it say that a machine talks),
  ``lineup`` (a list of providers for each of ``stt``, ``llm``, ``tts``; ``turn_model``),
  ``headers``, ``announced`` (when the platform told of it, or it was dialled),
  ``connected`` (when its stream came), ``started`` (the answer; all UTC, ISO 8601), ``rate`` in
  hertz; for a call that we placed ``dialled``, our name of it; ``application`` if that is not ours;
  ``trace``, its id of 32 digits, if there is one
- ``wanted``, the second if there is one: what a language model is to make of the call afterwards:
  ``summary`` (true, or what it should hold), ``extract`` (JSON Schema); ``after_consent`` if only
  of what was said after that was given
- ``caller``: ``turn``, ``text``; ``at`` and ``until`` are the beginning and the end of their speech
  (the first and the last key), wherever the line stands; ``language`` and ``confidence`` where the
  provider tells them; ``decided``: what ended the turn, an object with ``by``, what weighed most
  (``silence``, ``turn model``, ``text``, ``words``, ``provider``, ``length``, ``keys``,
  ``hang-up``), and all that was weighed: ``silence`` (seconds that were waited for);
  ``probability`` (the turn model's, that it was over), of ``asked`` answers; ``complete`` (the
  probability that what was said was all, as text); ``words``, what they said beside that
  (``whole``, ``trailing``, ``open``, ``dictated: part``, ``dictated: maybe all``,
  ``dictated: all``, ``dictated: unknown``); ``expected``, what the agent had asked for
  (``anything``, ``yes or no``, ``number``, ``spelling``); ``extra`` (seconds added for how this
  caller pauses), ``late`` (seconds waited for the words alone)
  On a line of several also ``to``: ``agent`` or ``others``
- ``understood``: ``text``, ``at``, ``until`` as of ``caller``: what they were understood to say,
  written as soon as it is known; ``so_far`` while they may go on, and once more when their turn is
  over; ``""`` if it was nothing after all. A later ``caller``, ``understood`` or ``backchannel``
  line whose time holds this ``at`` supersedes it; otherwise it is what they said last
- ``backchannel``: ``text``, ``at``, ``until``: words of the caller's that wanted no answer; ``by``:
  ``background`` if they were somebody else's, ``below`` the caller by so many decibels, or of a
  ``level`` in dBFS that callers hardly have
- ``heard``: ``turn``, ``text``, ``at``, ``until``: a sentence of the reply that sounds was heard,
  written at that moment; one that takes long comes in parts, each of about a second, all but the
  last with ``more``. Once the reply is over, ``agent`` says the same of all of it: of a record that
  breaks off in a reply, those behind the last ``agent`` line are what was heard of it
- ``agent``: ``turn``, ``text`` (as heard, from ``at`` ``until``; ``""`` if none of it was),
  ``cut_off``; ``unheard``, what was made and not heard; ``said``, what it is: ``greeting``,
  ``answer``, ``apology`` (in place of a reply that was lost, perhaps after a part of it),
  ``goodbye``, ``idle question``, ``time warning``, ``announcement``, ``filler``, ``consent``,
  ``consent question``, ``disclosure``, ``introduction``; ``gaps`` that were heard within its
  sentences; ``late``, seconds that the latest of its audio left after its time, if that is 0.005 or
  more
- ``disclosed``: ``turn``, ``text``: what was heard, from ``at`` ``until``, of the sentence that
  says that a machine talks; ``cut_off`` if that was not all: it is said again then
- ``consent``: whether whoever is there agrees to be dealt with by the agent: ``status``: given or
  refused, ``by``: ``word``, ``key``, or in the end ``silence`` or ``unclear`` answers; ``machine``
  if one had agreed: whoever comes is asked anew. The last line holds, and nothing that they said
  before it was given is for a language model
- ``timing``, the waterfall of a turn: ``turn``; ``speech_end``, ``decided``, ``transcript``,
  ``first_token``, ``first_sentence``, ``first_audio``, ``heard`` (the first audio of the reply that
  sounded; a filler before it has its own line). Of a draft, most of them lie before ``decided``.
  What is said unasked was ``decided`` on, has sentences and audio, and no more
- ``held``: ``turn``; we stopped, for the caller may want to speak; ``left``, seconds of ours that
  could still be heard, once all of it was made
- ``resumed``: it was a false alarm, and we went on; ``after``, seconds of hold; ``by``:
  ``backchannel``, ``noise`` (no words), ``background`` (somebody else: as above),
  ``late`` (it was not known in time what it was) or ``greeting``: ``anew`` if ours was begun again
- ``barge_in``: the reply was dropped; ``by``: ``words``, ``length``, ``keys``, ``answer`` (to a
  question that was all but said), ``end of ours`` (any words at the end of our last sentence)
- ``filler``: ``turn``, ``text``, said while an answer was late
- ``tool``: ``turn`` that asked for it, ``name``, ``arguments``, ``result``, ``seconds``;
  ``status``: done, failed or cancelled
- ``failover``: ``stage``, ``provider``, ``to``, ``error`` (``timeout``, ``limited``, ``refused``,
  ``context too long`` or ``failed``), ``reason`` in words; ``failed``: ``turn``, ``stage``,
  ``error`` and ``reason``, when the reply was lost
- ``transfer``: ``to``, ``status``: started, then done, failed or, if the call ended before that was
  known, cut off; ``why`` it failed (``no answer``, ``busy``, ``machine``, ``declined``,
  ``failed``), if that is known; returned once the agent talks to the caller again, ``by`` whom it
  was called back: ``operator``, or ``service`` since whoever was with the caller has hung up; of
  several who help, the last has then. ``warm`` if whoever was called was asked first: then also
  briefed (they have picked up, and are told), accepted or declined, and ``then``, what the agent
  does (``leave``, ``silent``, ``help``)
- ``party``, of a line of several: ``party`` (our name of their leg), ``title`` (what they are
  called), ``status``: expected, joined, left, not reached or dropped; ``why`` they were not reached
  (no answer, busy, machine, declined or failed)
- ``opt_out``: whoever we had called wants no more calls, and that is kept; ``by``: ``model``,
  ``keys``, or ``words`` said before they had given their consent; ``known`` if it was before;
  ``failed`` if it could not be kept
- ``screened``: ``answerer`` of a call that we placed: ``human``, ``machine``, ``screener`` (who is
  told who calls, unless the agent file has no such words) or ``unknown``; the last line holds;
  ``by``: ``ears`` (what we heard) or ``platform``, which may tell its own later; ``why``:
  ``words``, ``short`` (a greeting, and then silence), ``pause`` (a longer one), ``length``,
  ``beep``, ``silence``, ``time``, ``platform``, ``key``; ``seconds`` since the answer.
  ``beep``: ``hertz`` and ``seconds`` of that of a machine, which is over at ``at``
- ``whisper``: ``text``, an instruction that an operator gave the agent and the caller did not hear;
  ``by``, who: it is in force from the next request to a language model on
- ``recording``: ``status``: started, paused, resumed, stopped, stored or failed; ``file`` (its name
  in the folder of recordings, or where it was moved to), ``began`` (when its first sample is
  heard, on the call's clock), ``seconds``; ``by``, on whose word it was paused, resumed or stopped
  before the end: ``model``, ``keys``, ``operator``, ``transfer``, or what it could not go on for:
  ``limit``, ``disk``, ``slow``; ``deleted`` if nothing was kept: the caller declined, or it was of
  a ``machine``
- ``usage``, one for each provider that was asked: see :mod:`pipelines.stages.usage`; ``for``:
  ``summary`` if it was asked after the call
- ``ended``: ``reason``, ``hung_up_by`` (``caller``, ``agent``, ``operator``, ``platform``,
  ``service``, ``nobody``), ``close_code`` and ``close_reason``, what drafts have cost; ``echo``:
  seconds of our own voice that came back, and were taken for nobody's
- ``platform``: what the platform says of the phone by which the call ended: ``result``, ``reason``,
  ``seconds``, ``amount`` (what it has cost, all in all), ``currency``; ``leg``, which of several it
  was: then there is no ``leg`` line of its end; ``answerer``: ``machine``, if it has found one, and
  it was hung up before there was an agent
- ``leg``: of another leg of the call: ``leg`` (our name of it), ``what`` (``party``, ``transfer``,
  ``stream``: the agent's end, where that is charged), ``to``, who was dialled, written when they
  are; ``refused`` if Sinch did not dial them; ``disclosed``, whether they were told alone, by the
  platform's voice, that a machine talks: ``asked`` once it was asked to say it, ``yes`` once that
  was said to its end, as far as it tells; and once the platform tells of its end, also after that
  of the call, what it says, as above.
  Who was dialled before the agent came is in ``legs`` of ``call``, a list of these
- ``summary``, what was made of the call afterwards: ``text``, ``fields`` by name, ``missing``: why
  there is no more, by name of the field (``summary`` for the text); ``shortened`` if the model was
  not shown all
- ``dropped``: ``lines`` that could not be written before this one
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal, get_args

Outcome = Literal[
    "in progress",
    "caller hung up",
    "agent hung up",
    "operator hung up",
    "passed on",
    "not answered",
    "stopped",
    "failed",
    "interrupted",
]
"""How calls end, to list them by: ``stopped`` by a limit or by the service, ``interrupted`` by the
death of its process, ``not answered`` by nobody."""

HungUpBy = Literal["caller", "agent", "operator", "platform", "service", "nobody"]
"""Who has ended a call: ``service`` is a limit, a stop or a bug, ``nobody`` that it never began."""

A_MACHINE = "an answering machine answered"
"""Why a call has ended on which a machine was hung up, whoever has found it."""

OUTCOMES: tuple[Outcome, ...] = get_args(Outcome)

Disclosed = Literal["yes", "cut-off", "no"]
"""Whether it was heard in a call that a machine talks: in full, not to its end, or not at all, of
calls that are over."""

DISCLOSED: tuple[Disclosed, ...] = get_args(Disclosed)

LegDisclosed = Literal["yes", "asked"]
"""Whether whoever is at the end of a leg was told alone, by the platform's voice: to its end, or
the platform was asked to say it and has not told whether it has."""


def disclosed_after(before: Disclosed | None, fields: Mapping[str, Any]) -> Disclosed:
    """Return what a ``disclosed`` line makes of a call: what was broken off is said again.

    Args:
        before: What was known; None if nothing was heard of it yet.
        fields: Of the line.
    """
    return "cut-off" if fields.get("cut_off") and before != "yes" else "yes"


@dataclass(frozen=True, slots=True, kw_only=True)
class JournalLine:
    """One line of a journal."""

    journal: str
    """Name of the journal; of most, the id of the record."""

    line: int
    """Its place in the journal, from 0."""

    kind: str
    at: float | None
    """Seconds since the answer."""

    fields: Mapping[str, Any]
    """All but ``kind`` and ``at``."""


@dataclass(frozen=True, slots=True, kw_only=True)
class CallRecord:
    """The record of one call, without its events."""

    number: int
    """Of its row; it grows in the order in which records were begun."""

    id: str
    started: float
    """Unix time of the answer."""

    ended: float | None
    """Unix time; None while it is in progress."""

    direction: str
    agent: str
    outcome: Outcome
    data: Mapping[str, Any]
    """The fields of its ``call`` line; and, by kind, those of its last ``ended``, ``platform``,
    ``summary`` and ``recording`` line, in ``usage`` a list, and in ``legs`` a list of what the
    ``leg`` lines say: see :mod:`agent.records.legs`."""

    disclosed: Disclosed | None = None
    """None of a call that nobody answered, or in which it may still be heard."""


@dataclass(frozen=True, slots=True, kw_only=True)
class RecordedEvent:
    """A line of the record of a call, as it was stored."""

    id: int
    """It grows in the order in which lines were stored."""

    kind: str
    at: float | None
    fields: Mapping[str, Any]
