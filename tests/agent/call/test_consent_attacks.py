"""Consent, and people who answer it carelessly, or want no more calls at all. In virtual time."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest

from agent.call.call import Call
from agent.call.opting_out import OptingOut
from agent.personas.consents import ScriptConsent
from agent.personas.loader import parse
from agent.personas.script import SAMPLE
from agent.store.errors import StoreError
from tests.agent.call.test_consent import (
    ANSWER,
    ASK,
    ASKING,
    CONSENT,
    NO,
    UNTIL_ASKED,
    asked,
    consents,
    heard,
    presses,
)
from tests.agent.conversation import SCRIPT

OUT = "Nobody calls you again. Goodbye."
CALLED = replace(ASKING, opted_out=OUT)


def listening(
    new: bool | None, kept: list[str], script: Any = CALLED, then: Any = None
) -> Callable[[Call], None]:
    """Return what has a call listen for opt-outs; keeping one fails if ``new`` is None."""

    async def keep(how: str) -> bool:
        await asyncio.sleep(0.1)
        if new is None:
            raise StoreError("it is away")
        kept.append(how)
        return new

    def made(call: Call) -> None:
        OptingOut(keep, call.history, call.obey, script)
        if then is not None:
            then(call)

    return made


@pytest.mark.parametrize(
    "said",
    [
        "Don't call me again!",
        "No. And take me off your list, all of you, I never asked for any of this.",
        "Yes, please stop calling me.",
    ],
)
def test_who_answers_that_they_want_no_more_calls_gets_none(said: str) -> None:
    """It is kept, confirmed, and hung up: no second question, no model, whatever else they say."""
    kept: list[str] = []
    done, model = asked(
        UNTIL_ASKED + ANSWER + "." * 40, said, of=CALLED, made=listening(True, kept)
    )
    assert heard(done) == ["I am a machine.", ASK, OUT]
    assert kept == ["words"]
    assert [line["by"] for line in done.notes.of("opt_out")] == ["words"]
    assert consents(done) == [("refused", "word")]
    assert done.ending == "the agent hung up"
    assert model.shown == []


def test_it_counts_after_an_answer_that_was_none() -> None:
    """To the question that is asked again; somebody who had opted out before is told the same."""
    kept: list[str] = []
    done, _ = asked(
        UNTIL_ASKED + "+" * 6 + "." * 75 + ANSWER + "." * 40,
        "Who is this?",
        "Never call me.",
        of=CALLED,
        made=listening(False, kept),
    )
    assert heard(done) == ["I am a machine.", ASK, ASK, OUT]
    assert [line["known"] for line in done.notes.of("opt_out")] == [True]


@pytest.mark.parametrize("before", [UNTIL_ASKED, "." * 50, "." * 10], ids=["", "over", "early"])
def test_who_says_it_and_hangs_up_gets_none_either(before: str) -> None:
    """As most people do; over the question and the disclosure, too."""
    kept: list[str] = []
    done, model = asked(
        before + "+" * 8 + ".",
        "Don't call me again!",
        of=CALLED,
        made=listening(True, kept),
        leaves=1,
    )
    assert done.ending == "the caller hung up"
    assert kept == ["words"]
    assert model.shown == []


def test_it_is_kept_though_it_is_said_over_the_disclosure() -> None:
    """It is no answer to the question, but it is no answer that is needed."""
    kept: list[str] = []
    done, _ = asked(
        "." * 5 + "+" * 8 + "." * 100, "Never call me again!", of=CALLED, made=listening(True, kept)
    )
    assert kept == ["words"]
    assert heard(done)[-1] == OUT


@pytest.mark.parametrize("at", [0.5, 4.0, 8.0], ids=["disclosure", "question", "after it"])
def test_the_key_opts_out_before_a_yes(at: float) -> None:
    """Whatever is being said is heard to its end, and then confirmed."""
    kept: list[str] = []
    script = replace(CALLED, opt_out_key="9")
    made = listening(True, kept, script, presses((at, "9"), (at + 0.3, "9")))
    done, model = asked(UNTIL_ASKED + "." * 90, of=script, made=made)
    assert kept == ["keys"]
    assert heard(done)[-1] == OUT
    assert heard(done).count(ASK) <= 1
    assert done.ending == "the agent hung up"
    assert model.shown == []


def test_what_could_not_be_kept_is_not_confirmed() -> None:
    """They are said goodbye all the same, and the record tells."""
    done, _ = asked(
        UNTIL_ASKED + ANSWER + "." * 40, "Don't call me.", of=CALLED, made=listening(None, [])
    )
    assert heard(done) == ["I am a machine.", ASK, SCRIPT.brief.goodbye]
    assert [(line["by"], line["failed"]) for line in done.notes.of("opt_out")] == [("words", True)]
    assert done.ending == "the agent hung up"


def test_who_calls_us_says_no_by_the_same_words() -> None:
    """There is nobody whom we would call again."""
    done, _ = asked(UNTIL_ASKED + ANSWER + "." * 40, "Don't call me.")
    assert heard(done) == ["I am a machine.", ASK, NO]
    assert done.notes.of("opt_out") == []


def test_it_is_said_in_the_language_of_the_agent() -> None:
    """Where the file has no words of its own."""
    own = "apology: a\nfillers: [a]\nstill_there: a\ntime_up: a\nunsure: [a]\nreturned: a\n"

    def told(fields: str) -> str:
        text = f"---\ngreeting: g\ngoodbye: g\n{own}{fields}\n---\nHilf.\n"
        return parse(text).render(SAMPLE).opted_out

    assert told("language: de\nconsent: Darf ich?").startswith("Das habe ich vermerkt")
    assert told("language: de-AT\nconsent: Darf ich?\nopted_out: Gut.") == "Gut."
    assert told("language: en-GB") == "We will not call you again. Goodbye."


@pytest.mark.parametrize("keys", ["111", "1#"])
@pytest.mark.parametrize("gap", [0.15, 0.4, 1.2])
def test_a_yes_that_is_pressed_again_is_one_yes(keys: str, gap: float) -> None:
    """The greeting goes on, and no model is told of keys."""
    pressed = presses(*((8.0 + gap * n, key) for n, key in enumerate(keys)))
    done, model = asked(UNTIL_ASKED + "." * 90 + ANSWER, "A table.", made=pressed)
    assert consents(done) == [("given", "key")]
    assert heard(done)[:3] == ["I am a machine.", ASK, SCRIPT.greeting]
    assert model.shown == ["A table."]
    assert [line["text"] for line in done.notes.of("caller")][1:] == ["A table."]


def test_a_no_that_is_pressed_again_is_one_no() -> None:
    """The goodbye is heard to its end."""
    done, _ = asked(
        UNTIL_ASKED + "." * 120, made=presses((8.0, "2"), (8.4, "2"), (8.8, "2"), (9.2, "2"))
    )
    assert heard(done) == ["I am a machine.", ASK, NO]
    assert consents(done) == [("refused", "key")]


def test_another_key_after_the_yes_is_for_the_agent() -> None:
    """And so is the same, once the greeting has been under way."""
    done, model = asked(UNTIL_ASKED + "." * 160, made=presses((8.0, "1"), (8.5, "5"), (16.0, "1")))
    assert consents(done) == [("given", "key")]
    assert model.shown == ["Keypad: 5", "Keypad: 5", "Keypad: 1"]


@pytest.mark.parametrize(
    ("said", "status"),
    [
        ("Yes, but I don't want this.", ""),
        ("No, go ahead.", ""),
        ("I can't hear you.", ""),
        ("I don't understand.", ""),
        ("No, sorry.", "refused"),
        ("Yes, I understand.", "given"),
        ("Yes, go ahead.", "given"),
    ],
)
def test_an_answer_that_may_mean_either_is_asked_about(said: str, status: str) -> None:
    """Nobody is dealt with, or hung up on, by a guess."""
    done, _ = asked(UNTIL_ASKED + ANSWER + "." * 40, said)
    assert [one for one, _ in consents(done)] == ([status] if status else [])
    assert heard(done).count(ASK) == (1 if status else 2)


def test_after_a_yes_an_agent_without_a_greeting_listens() -> None:
    """As it would without the question."""
    silent = replace(ASKING, greeting="")
    done, model = asked(UNTIL_ASKED + ANSWER + ANSWER, "Yes.", "A table.", of=silent)
    assert consents(done) == [("given", "word")]
    assert heard(done)[:3] == ["I am a machine.", ASK, "Fine."]
    assert model.shown == ["A table."]


def test_consent_by_key_alone_hears_no_words_for_an_opt_out() -> None:
    """Nothing that they say is heard before their yes, whatever it is."""
    kept: list[str] = []
    script = replace(CALLED, consent=replace(CONSENT, keys_only=True))
    done, _ = asked(
        UNTIL_ASKED + ANSWER, "Don't call me.", of=script, made=listening(True, kept, script)
    )
    assert kept == []
    assert isinstance(script.consent, ScriptConsent)
    assert done.notes.of("opt_out") == []
