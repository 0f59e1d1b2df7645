"""The alert rules of `deploy/` fire when they should and are quiet otherwise, by Prometheus' tool.

That the metrics and labels which they and the dashboard name are there, after a call of a real
service, is in ``tests/agent/server/test_metrics.py``.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import yaml

from tests.monitoring import ALERTS, expressions, needs_promtool, panels, promtool, rules

ROOT = Path(__file__).parent.parent

UP = {"voice_agent_replies_total": "0+10x90", "voice_agent_response_seconds_count": "0+10x90"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Case:
    """Series in Prometheus' notation, by which an alert fires after 45 minutes, and does not."""

    fires: Mapping[str, str]
    quiet: Mapping[str, str]


def histogram(name: str, slow: str, fast: str) -> dict[str, str]:
    """Return a histogram of two buckets: what is above the first is slow."""
    bound = {"response": "1.0", "loop_lag": "0.05", "overhead": "0.1"}[name]
    above = {"response": "4.0", "loop_lag": "0.5", "overhead": "0.5"}[name]
    full = f"voice_agent_{name}_seconds"
    return {
        f'{full}_bucket{{le="{bound}"}}': fast,
        f'{full}_bucket{{le="{above}"}}': slow,
        f'{full}_bucket{{le="+Inf"}}': slow,
        f"{full}_count": slow,
    }


def two_workers(calls: str) -> dict[str, str]:
    """Return the calls of each of two workers, whose limit is that of both together."""
    of_each = {f'voice_agent_calls{{worker="{slot}"}}': calls for slot in (0, 1)}
    return of_each | {f'voice_agent_calls_most{{worker="{slot}"}}': "100x60" for slot in (0, 1)}


RAMP = 'voice_agent_calls_refused_total{reason="calls have only begun"}'
STRANGERS = 'voice_agent_calls_refused_total{reason="not admitted"}'
LOST = 'voice_agent_replies_lost_total{stage="llm",error="timeout"}'
FAILED = 'voice_agent_calls_ended_total{outcome="failed",agent="a"}'
WELL = 'voice_agent_calls_ended_total{outcome="caller hung up",agent="a"}'
OF = 'voice_agent_provider_up{stage="tts",provider="x"}'
OTHER = 'voice_agent_provider_up{stage="tts",provider="y"}'

CASES = {
    "VoiceAgentDown": Case(fires={"up": "1x40 0x20"}, quiet={"up": "1x60"}),
    "VoiceAgentStageDown": Case(
        fires={OF: "0x60", OTHER: "1x42 0x20"}, quiet={OF: "0x60", OTHER: "1x60"}
    ),
    "VoiceAgentProviderDown": Case(
        fires={OF: "1x30 0x30", OTHER: "1x60"}, quiet={OF: "1x40 0x20", OTHER: "1x60"}
    ),
    "VoiceAgentRepliesLost": Case(
        fires={**UP, LOST: "0x30 1+1x30"}, quiet={**UP, LOST: "0x30 1x30"}
    ),
    "VoiceAgentCallsTurnedAway": Case(
        fires={RAMP: "0x30 1+1x30"}, quiet={RAMP: "0x60", STRANGERS: "0+1x60"}
    ),
    "VoiceAgentNearlyFull": Case(
        fires=two_workers("45x60"),
        quiet=two_workers("35x60"),
    ),
    "VoiceAgentStrangersCall": Case(fires={STRANGERS: "0+3x60"}, quiet={STRANGERS: "0+1x60"}),
    "VoiceAgentCallsFail": Case(
        fires={FAILED: "0+1x60", WELL: "0+9x60"}, quiet={FAILED: "0x60", WELL: "0+9x60"}
    ),
    "VoiceAgentAnswersLate": Case(
        fires=histogram("response", "0+10x60", "0+5x60"),
        quiet=histogram("response", "0+10x60", "0+10x60"),
    ),
    "VoiceAgentDeadAir": Case(
        fires={**UP, "voice_agent_dead_air_total": "0+2x60"},
        quiet={**UP, "voice_agent_dead_air_total": "0x30 1x30"},
    ),
    "VoiceAgentGaps": Case(
        fires={**UP, "voice_agent_underruns_total": "0+1x60"},
        quiet={**UP, "voice_agent_underruns_total": "0x30 1x30"},
    ),
    "VoiceAgentLoopLate": Case(
        fires=histogram("loop_lag", "0+600x60", "0+500x60"),
        quiet=histogram("loop_lag", "0+600x60", "0+600x60"),
    ),
    "VoiceAgentLoopHeld": Case(
        fires={"voice_agent_loop_held_total": "0+1x60"},
        quiet={"voice_agent_loop_held_total": "0x30 1x30"},
    ),
    "VoiceAgentOverloaded": Case(
        fires={"voice_agent_overloaded": "0x30 1x30"},
        quiet={"voice_agent_overloaded": "0x42 1x18"},
    ),
    "VoiceAgentOverheadHigh": Case(
        fires=histogram("overhead", "0+10x60", "0+5x60"),
        quiet=histogram("overhead", "0+10x60", "0+10x60"),
    ),
    "VoiceAgentRecordsLost": Case(
        fires={"voice_agent_record_lines_dropped_total": "0x40 5+5x20"},
        quiet={"voice_agent_record_lines_dropped_total": "5x60"},
    ),
    "VoiceAgentRecordsWait": Case(
        fires={"voice_agent_journals_oldest_seconds": "2x20 0+60x40"},
        quiet={"voice_agent_journals_oldest_seconds": "2x60"},
    ),
    "VoiceAgentDiskFull": Case(
        fires={'voice_agent_disk_free_bytes{folder="phrases"}': "500000000x60"},
        quiet={'voice_agent_disk_free_bytes{folder="phrases"}': "9000000000x60"},
    ),
    "VoiceAgentWebhooksGivenUp": Case(
        fires={'voice_agent_webhooks_given_up_total{endpoint="crm"}': "0x30 1x30"},
        quiet={'voice_agent_webhooks_given_up_total{endpoint="crm"}': "3x60"},
    ),
    "VoiceAgentWorkersUnreachable": Case(
        fires={"voice_agent_workers_unreachable": "0x30 1x30"},
        quiet={"voice_agent_workers_unreachable": "0x43 1 0x15"},
    ),
    "VoiceAgentRestarts": Case(
        fires={"process_start_time_seconds": "0+60x60", "voice_agent_build_info": "1x60"},
        quiet={"process_start_time_seconds": "0x60", "voice_agent_build_info": "1x60"},
    ),
    "VoiceAgentLogLost": Case(
        fires={"voice_agent_log_lines_lost_total": "0x40 5+5x20"},
        quiet={"voice_agent_log_lines_lost_total": "5x60"},
    ),
}


def test_every_alert_is_tried() -> None:
    """And has a severity, how long it has to be so, what to do, and a chapter that there is."""
    assert CASES.keys() == {rule["alert"] for rule in rules()}
    for rule in rules():
        assert rule["labels"]["severity"] in ("critical", "warning")
        assert re.fullmatch(r"\d+m", rule["for"])
        told = rule["annotations"]
        assert told.keys() == {"summary", "action", "docs"}
        page, _, anchor = told["docs"].partition("#")
        text = (ROOT / page).read_text()
        headings = re.findall(r"^#+ (.*)$", text, re.MULTILINE)
        assert not anchor or anchor in {one.lower().replace(" ", "-") for one in headings}


def test_the_panels_do_not_overlap() -> None:
    """Each has a place of its own, a title, and something that it asks."""
    taken: set[tuple[int, int]] = set()
    for panel in panels():
        at = panel["gridPos"]
        cells = {
            (x, y)
            for x in range(at["x"], at["x"] + at["w"])
            for y in range(at["y"], at["y"] + at["h"])
        }
        assert not cells & taken
        assert at["x"] + at["w"] <= 24
        taken |= cells
        assert panel["title"]
        assert panel["targets"]


@needs_promtool
def test_prometheus_takes_all_that_is_asked(tmp_path: Path) -> None:
    """The rules as they are; each question of the dashboard as if it were one."""
    promtool("check", "rules", str(ALERTS))
    asked = [{"record": f"n{n}", "expr": expr} for n, (_, expr) in enumerate(expressions())]
    file = tmp_path / "asked.yaml"
    file.write_text(yaml.safe_dump({"groups": [{"name": "asked", "rules": asked}]}))
    promtool("check", "rules", str(file))


@needs_promtool
def test_each_alert_fires_and_stays_quiet(tmp_path: Path) -> None:
    """After the time that it waits for; for its instance alone, whatever becomes of others."""
    series, looks = [], []
    for name, case in CASES.items():
        for fires, its in (("fires", case.fires), ("quiet", case.quiet)):
            series += [
                {"series": _of(f"{name} {fires}", one), "values": values}
                for one, values in its.items()
            ]
        firing = f'ALERTS{{alertname="{name}",alertstate="firing",instance=~"{name} .*"}}'
        expected = [{"labels": f'{{instance="{name} fires"}}', "value": 1}]
        looks.append(
            {
                "expr": f"count by (instance) ({firing})",
                "eval_time": "45m",
                "exp_samples": expected,
            }
        )
    tests = [{"interval": "1m", "input_series": series, "promql_expr_test": looks}]
    file = tmp_path / "tests.yaml"
    rules_and_tests = {"rule_files": [str(ALERTS)], "evaluation_interval": "1m", "tests": tests}
    file.write_text(yaml.safe_dump(rules_and_tests))
    promtool("test", "rules", str(file))


def _of(instance: str, series: str) -> str:
    """Return a series with the labels that Prometheus puts there."""
    name, _, labels = series.partition("{")
    both = f'job="voice-agent",instance="{instance}"'
    return f"{name}{{{both}}}" if not labels else f"{name}{{{both},{labels}"
