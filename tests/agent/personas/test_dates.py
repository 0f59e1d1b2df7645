"""Dates and times in an agent's own language, by its own clock."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime, timedelta, timezone
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from agent.personas import loader
from agent.personas.dates import SpokenDates
from agent.personas.errors import PersonaError
from agent.personas.folder import AgentFolder
from agent.personas.script import CALL_VARIABLES, DATES, SAMPLE, Details, Script
from agent.time_zones import zone

NEW_YEAR = datetime(2025, 12, 31, 23, 30, tzinfo=UTC)
"""In Berlin it is January the first already; in New York it is not yet evening."""


def said(template: str, head: str = "", **about: Any) -> str:
    """Return what a template says in a greeting; ``head`` is more of the front matter."""
    quoted = template.replace("'", "''")
    own = "".join(f"{name}: x\n" for name in ("apology", "goodbye", "still_there", "time_up"))
    own += "fillers: [x]\nunsure: [x]\nreturned: x\n"
    text = f"---\ngreeting: '.{quoted}'\n{own}{head}---\nBe brief."
    script = loader.parse(text).render(Details(**{"now": NEW_YEAR, **about}))
    return script.greeting[1:]


@pytest.mark.parametrize(
    ("language", "date", "weekday", "month"),
    [
        ("en", "January 1, 2026", "Thursday", "January"),
        ("en-GB", "1 January 2026", "Thursday", "January"),
        ("de", "1. Januar 2026", "Donnerstag", "Januar"),
        ("de-AT", "1. Jänner 2026", "Donnerstag", "Jänner"),
        ("de-CH-1996", "1. Januar 2026", "Donnerstag", "Januar"),
        ("fr", "1 janvier 2026", "jeudi", "janvier"),
        ("es-MX", "1 de enero de 2026", "jueves", "enero"),
        ("it", "1 gennaio 2026", "giovedì", "gennaio"),
        ("pt-BR", "1 de janeiro de 2026", "quinta-feira", "janeiro"),
        ("nl", "1 januari 2026", "donderdag", "januari"),
        ("pl", "1 stycznia 2026", "czwartek", "stycznia"),
        ("he", "1 בינואר 2026", "יום חמישי", "ינואר"),
        ("zh-Hant-TW", "2026年1月1日", "星期四", "1月"),
        ("ja", "2026年1月1日", "木曜日", "1月"),
        ("tlh", "January 1, 2026", "Thursday", "January"),
    ],
)
def test_a_date_is_said_in_the_language_and_the_zone_of_the_agent(
    language: str, date: str, weekday: str, month: str
) -> None:
    """By CLDR, whatever languages were asked for before; in English where it has none."""
    head = f"language: {language}\ntime_zone: Europe/Berlin\n"
    assert said("{{ date }}|{{ weekday }}|{{ month }}", head) == f"{date}|{weekday}|{month}"


@pytest.mark.parametrize(
    ("head", "told"),
    [
        ("", "23:30 Wednesday 2025 January 1, 2026"),
        ("time_zone: UTC\n", "23:30 Wednesday 2025 January 1, 2026 UTC"),
        ("time_zone: Europe/Berlin\n", "00:30 Thursday 2026 January 2, 2026 Europe/Berlin"),
        ("time_zone: America/New_York\n", "18:30 Wednesday 2025 January 1, 2026 America/New_York"),
        (
            "time_zone: Pacific/Kiritimati\n",
            "13:30 Thursday 2026 January 2, 2026 Pacific/Kiritimati",
        ),
    ],
)
def test_all_that_is_said_of_now_is_by_one_clock(head: str, told: str) -> None:
    """The agent's own, or the one it is given."""
    template = "{{ time }} {{ weekday }} {{ year }} {{ tomorrow }} {{ time_zone }}"
    assert said(template, head).strip() == told


@pytest.mark.parametrize(
    ("at", "time"),
    [
        (datetime(2026, 3, 29, 0, 59, tzinfo=UTC), "01:59"),
        (datetime(2026, 3, 29, 1, 0, tzinfo=UTC), "03:00"),
        (datetime(2026, 10, 25, 0, 30, tzinfo=UTC), "02:30"),
        (datetime(2026, 10, 25, 1, 30, tzinfo=UTC), "02:30"),
        (datetime(2026, 10, 25, 2, 0, tzinfo=UTC), "03:00"),
    ],
)
def test_summer_time_begins_and_ends(at: datetime, time: str) -> None:
    """On its day and hour."""
    assert said("{{ time }}", "time_zone: Europe/Berlin\n", now=at) == time


@pytest.mark.parametrize(
    ("about", "told"),
    [
        ({"caller": "+4930123456"}, "00:30 Europe/Berlin"),
        ({"caller": "+442079460000"}, "23:30 Europe/London"),
        ({"caller": "sip:+81312345678@example.com"}, "08:30 Asia/Tokyo"),
        ({"caller": "+12025550123"}, "unknown"),
        ({"caller": "+34912345678"}, "unknown"),
        ({"caller": ""}, "unknown"),
        ({"caller": "ann"}, "unknown"),
        ({"caller": "+800123456789"}, "unknown"),
        ({"caller": "sip:ann@example.com"}, "unknown"),
        (
            {"caller": "+12025550123", "called": "+4930123456", "outgoing": True},
            "00:30 Europe/Berlin",
        ),
    ],
)
def test_the_callers_time_is_known_where_a_country_has_one(
    about: dict[str, Any], told: str
) -> None:
    """Else nothing is said of it. Of a call that we placed, it is that of whom we called."""
    template = "{{ (caller_time + ' ' + caller_time_zone) if caller_time else 'unknown' }}"
    assert said(template, "time_zone: America/New_York\n", **about) == told


@pytest.mark.parametrize(
    ("template", "told"),
    [
        ("{{ '2026-11-25T10:05:00Z' | date }}", "25. November 2026"),
        ("{{ '2026-11-25T23:05:00Z' | date }}", "26. November 2026"),
        ("{{ '2026-11-25T23:05:00Z' | time }}", "00:05"),
        ("{{ '2026-11-25T23:05:00-05:00' | weekday }}", "Donnerstag"),
        ("{{ '2026-11-25 23:05' | time }}", "23:05"),
        ("{{ '2026-11-25' | date('d. MMMM') }}", "25. November"),
        ("{{ '2026-11-25' | date('full') }}", "Mittwoch, 25. November 2026"),
        ("{{ 1764072300 | time }}", "13:05"),
        ("{{ now | date(days=7) }}", "8. Januar 2026"),
        ("{{ now | weekday(days=1) }}", "Freitag"),
        ("{{ now | time('short') }}", "00:30"),
        ("{{ unknown | date }}-", "-"),
        ("{{ headers.when | time or 'bald' }}", "bald"),
    ],
)
def test_any_moment_is_said_so(template: str, told: str) -> None:
    """By filters; what has no offset is by the agent's clock, and what is not known stays so."""
    head = "language: de\ntime_zone: Europe/Berlin\nvariables: {unknown: ''}\n"
    assert said(template, head) == told


@pytest.mark.parametrize("wrong", ["'tomorrow'", "'14:30'", "true", "[1]", "1e300", "'９٣'"])
def test_what_is_no_moment_is_told_and_not_quoted(wrong: str) -> None:
    """When the file is read, if it stands there."""
    with pytest.raises(PersonaError, match=r"^line 2: greeting: the template fails: no moment"):
        said(f"{{{{ {wrong} | date }}}}")


@given(st.text() | st.floats() | st.integers() | st.datetimes() | st.none())
def test_anything_is_a_moment_or_refused(moment: object) -> None:
    """Whatever stands in a variable of a call."""
    dates = SpokenDates(language="de", now=NEW_YEAR.astimezone(zone("Europe/Berlin")))
    for say in (dates.date, dates.time, dates.weekday):
        try:
            told = say(moment)
        except ValueError:
            continue
        assert isinstance(told, str)


def test_an_english_weekday_is_never_today_in_another_language() -> None:
    """A comparison that would always be false is found when the file is read."""
    template = "{{ 'Zu.' if weekday == 'Monday' else 'Offen.' }}"
    with pytest.raises(PersonaError, match=r"'Monday' is English.*now\.isoweekday\(\) == 1"):
        said(template, "language: de\n")
    assert said(template) == said(template, "language: en-GB\n") == "Offen."
    assert said("{{ now.isoweekday() }} Monday") == "3 Monday"


@pytest.mark.parametrize(
    ("field", "told"),
    [
        ("Europe/Berln", "time_zone: .*did you mean 'Europe/Berlin'"),
        ("CET", "time_zone: .*did you mean 'Europe/Berlin'"),
        ("UTC+2", "time_zone: .*an offset has no summer time"),
    ],
)
def test_a_mistyped_zone_is_told_with_the_nearest(field: str, told: str) -> None:
    """In the agent file."""
    with pytest.raises(PersonaError, match=told):
        said("Hello.", f"time_zone: {field}\n")


def test_the_names_of_a_call_are_those_that_are_filled_in() -> None:
    """No more, and no fewer."""
    assert SAMPLE.variables().keys() == CALL_VARIABLES | {DATES}


def test_agents_without_a_zone_have_that_of_the_settings(tmp_path: Path) -> None:
    """And a call that begins after midnight is greeted by the new day, whatever was prepared."""
    (tmp_path / "a.md").write_text("---\ngreeting: It is {{ date }}, {{ time }}.\n---\nBrief.")
    (tmp_path / "b.md").write_text(
        "---\ntime_zone: Asia/Tokyo\ngreeting: It is {{ date }}, {{ time }}.\n---\nBrief."
    )
    evening = Details(now=datetime(2026, 1, 6, 4, 59, tzinfo=UTC))
    night = Details(now=evening.now + timedelta(minutes=2))

    async def scripts() -> list[Script]:
        folder = AgentFolder(tmp_path, time_zone="America/New_York")
        await folder.start()
        asked = (("a", evening), ("a", night), ("b", evening))
        found = [await folder.script(agent, about) for agent, about in asked]
        await folder.aclose()
        return found

    found = asyncio.run(scripts())
    assert [script.greeting for script in found] == [
        "It is January 5, 2026, 23:59.",
        "It is January 6, 2026, 00:01.",
        "It is January 6, 2026, 13:59.",
    ]
    assert not any(script.greeting in script.lasting for script in found)


def test_a_moment_with_any_offset_is_one() -> None:
    """Also where the agent has no zone by name."""
    now = datetime(2026, 1, 5, 9, tzinfo=timezone(timedelta(hours=5, minutes=45)))
    assert said("{{ '2026-01-05T04:00:00Z' | time }}", now=now) == "09:45"
