"""The dashboard and the alert rules of `deploy/`: what they ask Prometheus."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml

DEPLOY = Path(__file__).parent.parent / "deploy"
DASHBOARD = DEPLOY / "grafana/voice-agent.json"
ALERTS = DEPLOY / "prometheus/alerts.yaml"

PROMTOOL = shutil.which("promtool")
needs_promtool = pytest.mark.skipif(
    PROMTOOL is None,
    reason="no promtool here: .ci/run takes it from Debian's package `prometheus`",
)

BY_PROMETHEUS = {"instance", "job", "worker", "le"}
"""Labels that samples of one process have not: Prometheus', and that of several workers."""

METRIC = re.compile(r"\b(?:voice_agent|process)_\w+")


def panels() -> list[dict[str, Any]]:
    """Return the panels of the dashboard, without its rows."""
    return [one for one in json.loads(DASHBOARD.read_text())["panels"] if one["type"] != "row"]


def rules() -> list[dict[str, Any]]:
    """Return the alert rules."""
    groups = yaml.safe_load(ALERTS.read_text())["groups"]
    return [rule for group in groups for rule in group["rules"]]


def expressions() -> Iterator[tuple[str, str]]:
    """Yield whatever is asked, with where; a panel's variables of Grafana as some text."""
    for panel in panels():
        for target in panel["targets"]:
            asked = target["expr"].replace("$__rate_interval", "5m")
            yield f"panel {panel['title']}", re.sub(r"\$\w+", ".*", asked)
    for variable in json.loads(DASHBOARD.read_text())["templating"]["list"][1:]:
        asked = re.fullmatch(r"label_values\((.*), (\w+)\)", variable["definition"])
        assert asked is not None
        selected = re.sub(r"\$\w+", ".*", asked[1])
        yield f"variable {variable['name']}", f"count by ({asked[2]}) ({selected})"
    for rule in rules():
        yield f"alert {rule['alert']}", rule["expr"]


def asked_of(expression: str) -> tuple[set[str], set[str]]:
    """Return the metrics and the labels of an expression."""
    labels = set()
    for matchers in re.findall(r"\{(.*?)\}", expression):
        labels |= set(re.findall(r'(\w+)\s*(?:=~|!~|!=|=)\s*"', matchers))
    for names in re.findall(r"\b(?:by|on|group_left)\s*\((.*?)\)", expression):
        labels |= set(filter(None, re.split(r"[\s,]+", names)))
    return set(METRIC.findall(expression)), labels


def promtool(*arguments: str, given: str = "") -> None:
    """Have Prometheus' tool find no fault."""
    assert PROMTOOL is not None
    done = subprocess.run(
        [PROMTOOL, *arguments], input=given, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stdout + done.stderr
