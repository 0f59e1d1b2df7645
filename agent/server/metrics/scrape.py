"""The metrics of a process as text, and with those of the other workers of this machine."""

from __future__ import annotations

from collections.abc import Iterator

from prometheus_client import CollectorRegistry, generate_latest
from prometheus_client.core import CounterMetricFamily, Metric
from prometheus_client.gc_collector import GCCollector
from prometheus_client.metrics_core import HistogramMetricFamily
from prometheus_client.platform_collector import PlatformCollector
from prometheus_client.process_collector import ProcessCollector
from prometheus_client.registry import Collector

from agent.server.metrics.call_counts import CallCounts
from agent.server.metrics.process_state import ProcessParts, collectors

CONTENT_TYPE = "text/plain; version=0.0.4; charset=utf-8"


class _FromLines(Collector):
    """What was counted of the lines of records."""

    def __init__(self, counts: CallCounts) -> None:
        self._counts = counts

    def collect(self) -> Iterator[Metric]:
        """Yield every metric as it is now."""
        for family, counted in self._counts.counters():
            counter = CounterMetricFamily(
                f"voice_agent_{family.name}", family.meaning, labels=family.labels
            )
            for labels, value in counted:
                counter.add_metric(labels, value)
            yield counter
        for family, measured in self._counts.histograms():
            histogram = HistogramMetricFamily(
                f"voice_agent_{family.name}", family.meaning, labels=family.labels
            )
            for labels, one in measured:
                histogram.add_metric(labels, one.buckets, one.total)
            yield histogram


class ProcessMetrics:
    """The metrics of a process.

    Args:
        parts: What is looked at.
        counts: What happens in calls.
    """

    def __init__(self, parts: ProcessParts, counts: CallCounts) -> None:
        self._registry = CollectorRegistry()
        for one in (*collectors(parts), _FromLines(counts)):
            self._registry.register(one)
        ProcessCollector(registry=self._registry)
        PlatformCollector(registry=self._registry)
        GCCollector(registry=self._registry)

    def text(self) -> bytes:
        """Return them, in Prometheus' text format. Call it in the event loop of the calls."""
        return generate_latest(self._registry)
