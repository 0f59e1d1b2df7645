"""`disclosure:` of an agent file: for whom it holds, and what is wrong with it."""

from __future__ import annotations

from dataclasses import replace

import pytest

from agent.personas.disclosures import disclosure_in
from agent.personas.errors import PersonaError
from agent.personas.loader import parse
from agent.personas.machine_words import example
from agent.personas.script import SAMPLE

BY_COUNTRY = """---
greeting: Hello. I am a robot.
disclosure:
  DE: Guten Tag, ich bin ein Computer.
  EU: I am a machine.
  "NO": greeting
  US: ""
  default: I am a machine of {{ called }}.
---
Be kind.
"""

GERMAN, FRENCH, NORWEGIAN = "+4930303986301", "+33142685300", "+4721030300"
AMERICAN, JAPANESE, OURS = "+12025550123", "+81352535111", "+4930303986300"


@pytest.mark.parametrize(
    ("who", "told", "by_greeting"),
    [
        (GERMAN, "Guten Tag, ich bin ein Computer.", False),
        (FRENCH, "I am a machine.", False),
        (NORWEGIAN, "", True),
        (AMERICAN, "", False),
        (JAPANESE, f"I am a machine of {OURS}.", False),
        ("", "Guten Tag, ich bin ein Computer.", False),
        ("anonymous", "Guten Tag, ich bin ein Computer.", False),
        (f"sip:{FRENCH}@pbx.example.com", "I am a machine.", False),
    ],
)
def test_it_holds_by_the_number_of_whoever_talks_to_us(
    who: str, told: str, by_greeting: bool
) -> None:
    """By our own where theirs is withheld."""
    persona = parse(BY_COUNTRY)
    script = persona.render(replace(SAMPLE, caller=who, called=OURS))
    assert (script.disclosure, script.greeting_discloses) == (told, by_greeting)


def test_whom_we_call_is_the_one_who_was_called() -> None:
    """An American service that calls Germany."""
    script = parse(BY_COUNTRY).render(
        replace(SAMPLE, caller=AMERICAN, called=GERMAN, outgoing=True)
    )
    assert script.disclosure == "Guten Tag, ich bin ein Computer."


def test_where_no_country_is_known_whoever_may_have_to_be_told_is() -> None:
    """A browser, a line without numbers."""
    assert disclosure_in({"default": "", "EU": "I am a machine."}, "") == "I am a machine."
    assert disclosure_in({"default": ""}, "") == ""
    assert disclosure_in("I am a machine.", "") == "I am a machine."


@pytest.mark.parametrize(
    ("field", "line"),
    [
        ("disclosure: greeting", "line 2: disclosure: there is no greeting that could say it"),
        ("disclosure: {DE: Hi.}", "disclosure: needs a line 'default' for all other countries"),
        ("disclosure: {Germany: Hi., default: ''}", "disclosure: name countries by two capital"),
        ("disclosure: {DE: [a], default: ''}", "disclosure: DE: take a sentence, 'greeting'"),
        ("disclosure: {DE: '{{ you }}', default: ''}", "disclosure.DE: unknown variable 'you'"),
        ("disclosure: [a]", "disclosure: take a sentence, 'greeting', or one of them"),
    ],
)
def test_a_mistake_in_it_is_told(field: str, line: str) -> None:
    """When the file is loaded."""
    with pytest.raises(PersonaError) as told:
        parse(f"---\n{field}\n---\nBe kind.\n")
    assert line in str(told.value)


JOINING = """---
greeting: Hello. I am a robot.
disclosure: {DE: Hier spricht ein Computer., US: greeting, default: ""}
transfers:
  - {name: desk, to: "+4930303986301", warm: true, then: help, briefing: "It is {{ summary }}"}
  - {name: left, to: "+4930303986301", warm: true}
  - {name: knows, to: "+4930303986301", warm: true, then: help, discloses: false}
parties:
  - {name: ann, to: "+4930303986301", announcement: Anna wartet.}
  - {name: bob, to: "+12025550123"}
  - {name: carl, to: "+81352535111", announcement: Ann waits.}
  - {name: dora, to: "sip:%2B4930303986301@example.com", discloses: false}
  - {name: eva, to: "+4930303986301", announcement: LONG}
---
Be kind.
"""


def test_who_joins_later_is_told_alone() -> None:
    """As of their own country, by the platform's voice, before they are on the line."""
    long = "So long a text. " * 30
    script = parse(JOINING.replace("LONG", long.strip())).render(SAMPLE)
    told = {one.name: (one.disclosure, one.announcement) for one in script.parties}
    assert told == {
        "ann": ("Hier spricht ein Computer.", "Anna wartet."),
        "bob": (example("en"), ""),
        "carl": ("", "Ann waits."),
        "dora": ("", ""),
        "eva": ("Hier spricht ein Computer.", long.strip()),
    }
    desk, left, knows = (script.warm[name] for name in ("desk", "left", "knows"))
    assert (desk.disclosure, desk.briefing) == ("Hier spricht ein Computer.", "It is")
    assert desk.with_summary.startswith("It is ")
    assert left.disclosure + knows.disclosure == ""
