"""What `/metrics` says of a real call on a real service, and what is told of it."""

from __future__ import annotations

import asyncio
import re
from pathlib import Path
from typing import Any

import pytest

from agent.server.metrics.frame_cost import EVERY, FrameCosts
from agent.simulator.plan import Plan, Turn
from agent.simulator.stream_caller import CallFailedError, place_call
from pipelines.audio import Audio
from tests.agent.conversation import LOUD, voice
from tests.agent.loopback import declined, running, until
from tests.agent.process.serving import ROOT
from tests.agent.server.scraping import PRICED, Samples, labels_of, samples, scraped, total, value
from tests.monitoring import BY_PROMETHEUS, asked_of, expressions, needs_promtool, promtool

TONE = Audio((b"\x00\x20" * 20 + b"\x00\xe0" * 20) * 120, 8000)
DOCS = ROOT / "docs/metrics.md"


@pytest.fixture(scope="module")
def after_a_call(tmp_path_factory: pytest.TempPathFactory) -> str:
    """What a service says that has held one call, and turned one away."""
    folder = tmp_path_factory.mktemp("metrics")

    async def main() -> str:
        webhook = {"url": "https://127.0.0.1:1/", "secret": "whsec_" + "QUFB" * 12}
        sections: dict[str, Any] = {
            "server": {"token": "a-long-random-text"},
            "webhooks": {"crm": webhook},
            **PRICED,
        }
        answers = voice(["Good day."], ["Good bye."])
        async with running(folder, answers, alone=False, **sections) as served:
            assert await declined(served.url + "?token=wrong") == 401
            plan = Plan(turns=[Turn(audio=TONE, label="a tone")], rate=8000)
            url = served.url + "?token=a-long-random-text"
            call = await place_call(url, plan, lambda _at, _line: None, "c1")
            assert call.failure() == ""
            await until(lambda: not served.registry.in_progress)
            return await scraped(served)

    return asyncio.run(main())


def test_a_call_is_counted(after_a_call: str) -> None:
    """Greeted, heard, answered, hung up: each once, by hand."""
    found = samples(after_a_call)
    assert value(found, "calls") == 0
    assert value(found, "calls_answered_total") == 1
    assert value(found, "calls_ended_total", agent="reception", outcome="caller hung up") == 1
    assert total(found, "calls_ended_total") == 1
    assert value(found, "calls_refused_total", reason="not admitted") == 1
    assert total(found, "calls_refused_total") == 1
    assert value(found, "replies_total") == 2
    assert value(found, "response_seconds_count", agent="reception") == 1
    assert 0.2 < value(found, "response_seconds_sum", agent="reception") < 3
    for stage in ("decided", "transcript", "first_sentence", "first_audio", "heard"):
        assert value(found, "response_stage_seconds_count", stage=stage) == 1
    assert value(found, "overhead_seconds_count") == 1
    assert 1 <= value(found, "pacing_error_seconds_count") < 200  # of messages, not of replies
    for nothing in ("barge_ins", "holds", "resumes", "replies_lost", "provider_failovers"):
        assert total(found, f"{nothing}_total") == 0


def test_what_it_used_is_counted_and_paid(after_a_call: str) -> None:
    """By the prices that are set: a minute of speech 0.6, a million characters 10."""
    found = samples(after_a_call)
    seconds = value(found, "provider_audio_seconds_total", provider="1")
    assert 0.6 <= seconds < 2
    paid = value(found, "provider_cost_total", stage="stt", provider="1", currency="USD")
    assert paid == pytest.approx(seconds / 60 * 0.6, abs=1e-5)
    characters = value(found, "provider_characters_total", provider="1")
    paid = value(found, "provider_cost_total", stage="tts", provider="1", currency="USD")
    assert paid == pytest.approx(characters * 10 / 1e6, abs=1e-5)
    for stage in ("stt", "llm"):
        first = "provider_first_result_seconds_bucket"
        assert value(found, first, stage=stage, provider="1", le="+Inf") == 1


def test_the_process_is_there(after_a_call: str) -> None:
    """Its build, its tasks, its memory; frames were looked at: one message of 64."""
    found = samples(after_a_call)
    assert total(found, "build_info") == 1
    assert value(found, "tasks") > 5
    assert 1 <= value(found, "frame_cost_seconds_count") < 20
    assert found["process_resident_memory_bytes", frozenset()] > 1e7
    assert value(found, "workers") == 1


def test_no_word_of_a_call_is_in_it(after_a_call: str) -> None:
    """Nor its name, nor a number."""
    for secret in ("Good day", "Good bye", "who is this", "c1", "a-long-random-text"):
        assert secret not in after_a_call


def test_the_docs_list_every_metric_and_no_other(after_a_call: str) -> None:
    """With its labels, as Prometheus has them: a histogram by its name alone."""
    rows = re.findall(
        r"^\| `(\w+)` \| (counter|gauge|histogram) \| ([^|]*) \|", DOCS.read_text(), re.MULTILINE
    )
    told = {name: (kind, set(re.findall(r"`(\w+)`", labels))) for name, kind, labels in rows}
    assert len(told) == len(rows)
    assert told == made(after_a_call)


def made(text: str) -> dict[str, tuple[str, set[str]]]:
    """Return the metrics of ours: kind and labels by name."""
    labels = labels_of(samples(text))
    found = {}
    for name, kind in re.findall(r"^# TYPE (voice_agent_\w+) (\w+)$", text, re.MULTILINE):
        own = labels.get(f"{name}_bucket" if kind == "histogram" else name, set())
        found[name] = kind, own - {"le"}
    return found


def test_every_metric_of_a_call_has_a_sample(after_a_call: str) -> None:
    """A series that comes with its first event has no rate then: they are there before."""
    missing = made(after_a_call).keys() - {
        name.removesuffix("_bucket") for name, _ in samples(after_a_call)
    }
    assert not missing


class Frames:
    """A line that has a frame each time."""

    async def receive(self) -> str | bytes | None:
        return LOUD * 2

    async def send(self, message: str | bytes) -> None:
        raise AssertionError

    async def close(self, code: int, reason: str = "") -> None:
        raise AssertionError


def test_one_message_of_many_is_looked_at() -> None:
    """Each of two frames: what it takes is by the frame."""
    costs = FrameCosts()
    line = costs.measured(Frames(), 8000)

    async def main() -> None:
        for _ in range(3 * EVERY + 1):
            assert await line.receive() == LOUD * 2

    asyncio.run(main())
    assert costs.seconds.buckets[-1][1] == 3
    assert 0 < costs.seconds.total < 1


def test_a_hostile_agent_name_makes_no_series(tmp_path: Path) -> None:
    """Only agents that exist answer: whatever else is asked for is one refusal more."""

    async def main() -> Samples:
        async with running(tmp_path, alone=False) as served:
            for name in ("../../etc", 'a"} 1', "x" * 500):
                plan = Plan(turns=[], rate=8000, headers={"agent": name})
                with pytest.raises(CallFailedError):
                    await place_call(served.url, plan, lambda _at, _line: None, "c1")
            return samples(await scraped(served))

    found = asyncio.run(main())
    assert value(found, "calls_refused_total", reason="not admitted") == 3
    assert total(found, "calls_ended_total") == 0


def test_dashboard_and_alerts_ask_for_what_there_is(after_a_call: str) -> None:
    """Each metric has a sample after a call, and each label is one of it."""
    labels = labels_of(samples(after_a_call))
    asked = list(expressions())
    assert len(asked) > 80
    for where, expression in asked:
        metrics, named = asked_of(expression)
        assert metrics or expression.startswith("up{"), where
        assert metrics <= labels.keys(), where
        known = set[str]().union(*(labels[one] for one in metrics)) | BY_PROMETHEUS
        assert named <= known, (where, named - known)


@needs_promtool
def test_prometheus_finds_no_fault(after_a_call: str) -> None:
    """In names, units and meanings, by its own tool."""
    promtool("check", "metrics", given=after_a_call)
