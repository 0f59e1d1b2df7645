"""Which agent answers."""

from __future__ import annotations

from pathlib import Path

import pytest

from agent.personas.routing import Routing, fits
from agent.settings.sinch import Route
from tests.agent.personas.inline import agents_in
from tests.virtual_time import run

CALLER, CALLED = "+442079460000", "+12025550100"


def test_the_first_rule_that_fits_decides(tmp_path: Path) -> None:
    """Then the numbers in agent files; then the usual agent, or nobody."""
    head = "---\ngreeting: Hello.\n"
    (tmp_path / "sales.md").write_text(f"{head}numbers: ['+1 202 555 01 00']\n---\nSell.")
    (tmp_path / "broken.md").write_text("nothing")
    routes = [
        Route(agent="vip", caller="+44 20*", headers={"X-Tier": "gold"}),
        Route(agent="uk", caller="+44*"),
        Route(agent="sip", called="sip:Desk@example.com"),
    ]
    agents = agents_in(tmp_path)
    routing = Routing(agents=agents, usual="reception", routes=routes)

    def agent(called: str, caller: str, headers: dict[str, str]) -> str:
        return run(routing.agent(called, caller, headers))

    assert agent(CALLED, CALLER, {"x-tier": "Gold"}) == "vip"
    assert agent(CALLED, CALLER, {}) == "uk"
    assert agent("sip:desk@example.com", "", {}) == "sip"
    assert agent(CALLED, "+33123456789", {}) == "sales"
    assert agent("+15550199", "", {}) == "reception"
    assert run(Routing(agents=agents, usual="").agent("+15550199", "", {})) == ""


@pytest.mark.parametrize(
    ("route", "fitting"),
    [
        (Route(agent="a"), True),
        (Route(agent="a", called="+1 (202) 555-01-00"), True),
        (Route(agent="a", called="+1202555010"), False),
        (Route(agent="a", caller="*"), True),
        (Route(agent="a", headers={"x": "*"}), True),
        (Route(agent="a", headers={"y": "*"}), False),
        (Route(agent="a", headers={"x": ""}), True),
    ],
)
def test_a_rule_fits_what_it_names(route: Route, fitting: bool) -> None:
    """Numbers however they are written; a star for anything that is there."""
    assert fits(route, CALLED, CALLER, {"x": "1"}) == fitting
