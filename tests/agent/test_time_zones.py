"""Time zones: names that are taken, names that are told, countries whose clocks agree."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from agent import time_zones

NOW = datetime(2026, 7, 1, 12, tzinfo=UTC)


@pytest.mark.parametrize(
    "name",
    ["Europe/Berlin", "America/Argentina/Buenos_Aires", "US/Eastern", "Asia/Calcutta", "UTC"],
)
def test_names_of_iana_are_taken(name: str) -> None:
    """With a city in them, old ones too; and UTC. Spaces around them do not count."""
    assert time_zones.name(f" {name} ") == name == time_zones.zone(name).key


@pytest.mark.parametrize(
    ("mistyped", "told"),
    [
        ("Europe/Berln", "did you mean 'Europe/Berlin'"),
        ("europe/berlin", "did you mean 'Europe/Berlin'"),
        ("Europe\\Berlin", "did you mean 'Europe/Berlin'"),
        ("Europe/Berlin\0", "did you mean 'Europe/Berlin'"),
        ("Berlin", "did you mean 'Europe/Berlin'"),
        ("New York", "did you mean 'America/New_York'"),
        ("America/NewYork", "did you mean 'America/New_York'"),
        ("Amerika/New_York", "did you mean 'America/New_York'"),
        ("Europe/Zürich", "did you mean 'Europe/Zurich'"),
        ("posix/Europe/Berlin", "did you mean 'Europe/Berlin'"),
        ("W. Europe Standard Time", "did you mean 'Europe/Berlin'"),
        ("Eastern Standard Time", "did you mean 'America/New_York'"),
        ("CET", "did you mean 'Europe/Berlin'"),
        ("MESZ", "did you mean 'Europe/Berlin'"),
        ("EST", "did you mean 'America/New_York'"),
        ("PST8PDT", "did you mean 'America/Los_Angeles'"),
        ("GMT", "did you mean 'UTC' or 'Europe/London'"),
        ("Zulu", "did you mean 'UTC'"),
        ("UTC+2", "an offset has no summer time: name a city"),
        ("GMT-05:30", "an offset has no summer time: name a city"),
        ("+0200", "an offset has no summer time: name a city"),
        ("1", "an offset has no summer time: name a city"),
        ("Mars/Phobos", "such as Europe/Berlin or America/New_York"),
        ("Europe", "such as Europe/Berlin or America/New_York"),
        ("../../etc/passwd", "such as Europe/Berlin or America/New_York"),
        ("localtime", "such as Europe/Berlin or America/New_York"),
        ("a" * 5000, "such as Europe/Berlin or America/New_York"),
        ("", "such as Europe/Berlin or America/New_York"),
    ],
)
def test_of_a_mistyped_one_the_nearest_is_told(mistyped: str, told: str) -> None:
    """In one line; so of an abbreviation, which may have no summer time, and of an offset."""
    with pytest.raises(ValueError, match=r"^[^\n]{1,200}$") as caught:
        time_zones.name(mistyped)
    assert told in str(caught.value)


@given(st.text(max_size=40))
def test_any_text_is_a_name_or_refused(text: str) -> None:
    """In no other way."""
    try:
        name = time_zones.name(text)
    except ValueError:
        return
    assert time_zones.zone(name).key == name


@pytest.mark.parametrize(
    ("country", "zone"),
    [
        ("DE", "Europe/Berlin"),
        ("AT", "Europe/Vienna"),
        ("GB", "Europe/London"),
        ("IN", "Asia/Kolkata"),
        ("AR", "America/Argentina/Buenos_Aires"),
        ("US", ""),
        ("ES", ""),
        ("RU", ""),
        ("AU", ""),
        ("ZZ", ""),
        ("", ""),
    ],
)
def test_a_country_has_a_zone_if_its_clocks_agree(country: str, zone: str) -> None:
    """Germany has two zones of one time; Spain has the Canary Islands."""
    assert time_zones.of_country(country, NOW) == zone


def test_every_country_has_an_answer() -> None:
    """Whatever zones this machine has."""
    time_zones.load()
    codes = time_zones._cldr("territory_zones")
    known = [code for code in codes if time_zones.of_country(code, NOW)]
    assert len(codes) > 200
    assert len(known) > 180
