"""Several phones on one line: cues, late joiners, leavers, and what each heard. No clock."""

from __future__ import annotations

import wave
from pathlib import Path

import numpy as np

from agent.simulator.call_in_progress import CallInProgress
from agent.simulator.party.conference import Conference, LineActivity
from agent.simulator.party.party_call import PartyCall
from agent.simulator.party.party_phones import (
    GIVES_UP_AFTER,
    PartyCue,
    PartyTurn,
    PhoneScript,
    ScriptedPhone,
    script_of,
)
from agent.simulator.plan import Plan, Turn
from pipelines.audio import FRAME_SECONDS, Audio

RATE = 8000


def tone(seconds: float, level: int = 4000, rate: int = RATE) -> Audio:
    return Audio(np.full(round(seconds * rate), level, "<i2").tobytes(), rate)


def says(key: str, cue: PartyCue, seconds: float = 0.2, **more: object) -> PartyTurn:
    return PartyTurn(key=key, cue=cue, audio=tone(seconds), **more)  # type: ignore[arg-type]


class SilentAgent:
    """A stream whose agent says nothing."""

    name, rate, is_agent = "agent", RATE, True

    def speak(self, at: float, activity: LineActivity) -> bytes:
        return bytes(320)

    def hear(self, heard: bytes, at: float) -> None:
        """Take nothing."""


def after(key: str, seconds: float = 0.5) -> PartyCue:
    return PartyCue(event="turn", of=key, seconds=seconds)


def joined(seconds: float) -> PartyCue:
    return PartyCue(event="joined", seconds=seconds)


def held(
    call: PartyCall, seconds: float, agent: dict[float, Audio | str] | None = None
) -> dict[str, tuple[float, float]]:
    """Hold the call; the agent sends what it does at its times. Return when each turn sounded."""
    sends = dict(agent or {})
    for number in range(round(seconds / FRAME_SECONDS)):
        at = round(number * FRAME_SECONDS, 3)
        if (sent := sends.pop(at, None)) is not None:
            call.received(sent if isinstance(sent, str) else sent.pcm)
        call.frame()
        if call.done:
            break
    call.finish()
    assert not sends
    turns = call.conference.activity.turns
    return {key: (round(t.began, 2), round(t.ended, 2)) for key, t in turns.items()}


def party(*phones: PhoneScript, **plan: float) -> PartyCall:
    return PartyCall(phones, Plan(rate=RATE, **plan), lambda _at, _line: None)  # type: ignore[arg-type]


def test_who_speaks_over_another_minds_no_pause_of_theirs() -> None:
    """People breathe: it counts from when the other's turn began."""
    pcm = tone(0.5).pcm + bytes(RATE) + tone(0.5).pcm
    turn = PartyTurn(key="a1", audio=Audio(pcm, RATE), cue=joined(1.0))
    ann = PhoneScript(name="Ann", turns=[turn])
    over = says("b1", PartyCue(event="over", of="Ann", seconds=0.8))
    bob = PhoneScript(name="Bob", turns=[over])
    assert held(party(ann, bob), 4.0)["b1"] == (1.8, 2.0)


def test_turns_begin_on_their_cues() -> None:
    """After a time, after another's turn, after the agent, over somebody, after quiet."""
    ann = PhoneScript(
        name="Ann",
        turns=[
            says("a1", joined(1.0)),
            says("a2", after("b1")),
            says("a3", PartyCue(event="quiet", seconds=1.0)),
        ],
    )
    bob = PhoneScript(
        name="Bob",
        turns=[
            says("b1", PartyCue(event="agent", of="a1", seconds=0.3)),
            says("b2", PartyCue(event="over", of="Ann", seconds=0.1)),
            says("b3", PartyCue(event="over", of="agent", seconds=0.4)),
        ],
    )
    found = held(party(ann, bob), 8.0, {2.0: tone(1.0), 6.0: tone(1.0)})
    # The agent is done a breath (0.6 s) after its last sound: it might go on until then.
    assert found == {
        "a1": (1.0, 1.2),
        "b1": (3.6, 3.8),
        "a2": (4.3, 4.5),
        "b2": (4.4, 4.6),
        "a3": (5.6, 5.8),
        "b3": (6.4, 6.6),
    }


def test_whoever_waits_for_the_agent_goes_on_without_an_answer() -> None:
    """It is given eight seconds, from the end of the turn; words that cut in are no answer."""
    ann = PhoneScript(name="Ann", turns=[says("a1", joined(0.0), 1.0)])
    bob = PhoneScript(name="Bob", turns=[says("b1", PartyCue(event="agent", of="a1"))])
    found = held(party(ann, bob), 12.0, {0.2: tone(0.2)})
    assert found["b1"][0] == 1.0 + GIVES_UP_AFTER


def test_each_hears_the_others_from_joining_to_leaving(tmp_path: Path) -> None:
    """One joins late and one leaves; what each said and heard is written on demand."""
    ann = PhoneScript(
        name="Ann", turns=[says("a1", joined(0.2)), says("a2", joined(1.0), leaves=True)]
    )
    bob = PhoneScript(name="Bob", joins_after=0.6, turns=[says("b1", after("a2"))])
    call = party(ann, bob)
    held(call, 6.0, {2.4: tone(0.2, 900)})
    call.save(tmp_path)
    sounds = {}
    for name in ("Ann", "Bob", "agent"):
        with wave.open(str(tmp_path / f"{name}.wav")) as file:
            both = np.frombuffer(file.readframes(file.getnframes()), "<i2").reshape(-1, 2)
        sounds[name] = [np.abs(both[:, side]).sum() / 1600 for side in (0, 1)]
    assert sounds["Ann"] == [8000, 0]  # left before Bob or the agent said anything
    assert sounds["Bob"] == [4000, 4900]  # of Ann the second turn, and the agent
    assert sounds["agent"] == [900, 12000]


def test_it_is_over_when_all_have_left_or_nobody_has_more_to_say() -> None:
    """The last who leaves ends the call; otherwise quiet does, and time always."""
    leaves = PhoneScript(name="Ann", turns=[says("a1", joined(0.0), leaves=True)])
    stays = PhoneScript(name="Bob", turns=[says("b1", joined(0.0))])
    gone, quiet, talked = party(leaves), party(stays), party(stays)
    long = party(PhoneScript(name="Ann", turns=[says("a1", after("never"))]), max_seconds=2.0)
    held(gone, 60.0)
    held(quiet, 60.0)
    held(talked, 60.0, {1.0: tone(0.5)})
    held(long, 60.0)
    assert gone.report.seconds == 0.22
    assert quiet.report.seconds == 15.2  # an answer is waited for as long as in a call of one
    assert 2.0 < talked.report.seconds < 3.0
    assert long.report.seconds == 2.0


def test_a_clear_ends_what_the_agent_says_for_all() -> None:
    """What has not been played is not heard by anybody, and the stretch of speech is over."""
    call = party(PhoneScript(name="Ann", turns=[says("a1", joined(3.0))]))
    held(call, 4.0, {0.0: tone(2.0), 1.0: '{"command": "clear"}', 1.2: tone(0.2)})
    spoke = [(round(a, 2), round(b, 2)) for a, b in call.conference.activity.agent_spoke]
    assert spoke == [(0.0, 1.0), (1.2, 1.4)]
    assert call.report.clears == [1.0]


def test_a_voice_at_another_rate_is_made_over() -> None:
    """What a phone says lasts as long as it did."""
    turn = PartyTurn(key="a1", cue=joined(0.0), audio=tone(0.5, rate=22050))
    assert held(party(PhoneScript(name="Ann", turns=[turn])), 3.0)["a1"] == (0.0, 0.5)


def test_a_call_of_two_is_a_conference_of_two() -> None:
    """One phone that does what a plan says: both hear the same, to the sample."""
    plan = Plan(
        rate=RATE,
        turns=[Turn(audio=tone(0.7, 5000), label="a"), Turn(audio=tone(0.5, 700), label="b")],
        patience=0.8,
    )
    alone = CallInProgress(plan, lambda _at, _line: None)
    shared = PartyCall([script_of(plan, "Ann")], plan, lambda _at, _line: None)
    sent: dict[CallInProgress | PartyCall, bytes] = {alone: b"", shared: b""}
    for number in range(600):
        for call in sent:
            if number in (20, 160, 300):
                call.received(tone(0.8, 3000).pcm)
            if not call.done:
                sent[call] += call.frame()
    longer = max(sent.values(), key=len)
    assert [one.ljust(len(longer), b"\0") for one in sent.values()] == [longer] * 2
    assert 0 <= len(sent[shared]) - len(sent[alone]) <= 640  # it hangs up in the frame after
    assert shared.phones[0].recording.heard.pcm.startswith(bytes(alone.agent_channel))
    assert shared.finish().agent_spoke == alone.finish().agent_spoke


def test_people_say_what_they_do_in_the_timeline() -> None:
    """By name, as it happens."""
    told: list[tuple[float, str]] = []
    script = PhoneScript(name="Ann", turns=[says("a1", joined(0.1), label="hello")])
    phone = ScriptedPhone(script, RATE, lambda at, line: told.append((at, line)))
    conference = Conference(RATE)
    conference.join(phone)
    for number in range(20):
        conference.frame(number * FRAME_SECONDS)
    assert told == [(0.1, "Ann: hello")]


def test_people_go_on_where_the_agent_has_left() -> None:
    """They wait for no answer of its, but for a second in which nobody speaks, and hang up then."""
    turns = [Turn(audio=tone(0.5), label=label) for label in ("hello", "and?")]
    script = script_of(Plan(turns=turns, answer_timeout=60.0), "Ann")
    ann, agent = ScriptedPhone(script, RATE), SilentAgent()
    conference = Conference(RATE)
    conference.join(agent)
    conference.join(ann)
    for number in range(1000):
        if number == 400:  # they have said the first, and wait for an answer
            assert [one.over for one in conference.activity.turns.values()] == [True]
            conference.leave(agent)
        conference.frame(number * FRAME_SECONDS)
    assert ann.left
    assert [one.over for one in conference.activity.turns.values()] == [True, True, True]
