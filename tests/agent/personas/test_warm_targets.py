"""Transfers of an agent file that ask first, and what callers are told when nobody comes."""

from __future__ import annotations

import pytest

from agent.personas.errors import PersonaError
from agent.personas.loader import parse
from agent.personas.script import SAMPLE, Script
from agent.warm_transfers import CONSENT, INTRODUCTION, SUMMARY


def script(*lines: str, target: str = "") -> Script:
    to = f'transfers: [{{name: desk, to: "+12025550123"{target}}}]'
    return parse("\n".join(("---", "greeting: Hi.", to, *lines, "---", "Be brief."))).render(SAMPLE)


def test_a_transfer_is_cold_unless_it_says_otherwise() -> None:
    """And its caller hears what they always did."""
    cold = script()
    assert (cold.warm, cold.transfer_failures) == ({}, {})


def test_what_stands_nowhere_is_usual() -> None:
    """In English; a summary is wanted, and the caller hears the reason."""
    warm = script(target=", warm: true")
    desk = warm.warm["desk"]
    assert (desk.consent, desk.introduction, desk.then) == (CONSENT, INTRODUCTION, "leave")
    assert desk.with_summary == f"A caller would like to talk to you. {SUMMARY}"
    assert desk.briefing == "A caller would like to talk to you."
    assert "busy" in warm.transfer_failures["busy"]
    assert warm.transfer_failures["busy"].split(". ")[0] + "." in warm.own_sentences


def test_a_briefing_without_a_summary_needs_no_model() -> None:
    """Nobody is asked for one then; the variables of a call are filled in."""
    desk = script(target=", warm: yes, briefing: 'Line {{ weekday }}.'").warm["desk"]
    assert (desk.briefing, desk.with_summary) == ("Line Monday.", "")


def test_why_may_stand_in_one_text_or_have_texts_of_its_own() -> None:
    """Whatever the file says comes before what is usual."""
    own = script("transfer_failed: 'Sorry: {{ why }}.'", target=", warm: true")
    assert own.transfer_failures["no answer"] == "Sorry: no answer."
    assert own.transfer_failed == "Sorry: ."
    each = script("transfer_failed: No.", "transfer_failures: {busy: 'Busy: {{ why }}.'}")
    assert (each.transfer_failed, dict(each.transfer_failures)) == ("No.", {"busy": "Busy: busy."})
    plain = script("transfer_failed: No.", target=", warm: true")
    assert plain.transfer_failures == {}


@pytest.mark.parametrize(
    ("target", "line", "mistake"),
    [
        (", warm: maybe", "", "transfers.1.warm"),
        (", then: stay", "", "transfers.1.then"),
        (", warm: true, briefing: '{{ sumary }}'", "", "transfers.1.briefing: unknown variable"),
        (", consent: '{{ summary }}'", "", "transfers.1.consent: unknown variable 'summary'"),
        ("", "transfer_failures: {late: No.}", "transfer_failures"),
        (", warm: true", "language: de", "'briefing' is needed"),
        (", warm: true, then: help", "language: de", "'returned' is needed"),
    ],
)
def test_a_mistake_is_found_when_the_file_is_loaded(target: str, line: str, mistake: str) -> None:
    """With its place; English defaults of an agent that speaks another language are one."""
    with pytest.raises(PersonaError, match=mistake):
        script(line, target=target)


def test_an_in_app_user_cannot_be_asked() -> None:
    """The platform does not tell when they answer."""
    text = "---\ntransfers: [{name: ann, to: 'user:ann', warm: true}]\n---\nBe brief."
    with pytest.raises(PersonaError, match="In-App user cannot be asked first"):
        parse(text)
