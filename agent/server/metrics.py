"""What `/metrics` says: the calls of the process, and how its providers are.

In Prometheus' text format. Nothing of a call's content is in it, and no number dialled.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import get_args

from prometheus_client import CollectorRegistry, generate_latest
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, Metric
from prometheus_client.metrics_core import HistogramMetricFamily, SummaryMetricFamily
from prometheus_client.registry import Collector

from agent.records.recording_files import Reason, RecordingCounts
from agent.records.spool import Spool
from agent.records.webhooks.delivery import Webhooks
from agent.server.registry import CallRegistry
from agent.server.watchdog import Watchdog
from pipelines.stages.lineup import Providers

CONTENT_TYPE = "text/plain; version=0.0.4; charset=utf-8"


class _Now(Collector):
    """Read the state when asked, so that nothing has to be counted twice."""

    def __init__(
        self,
        registry: CallRegistry,
        providers: Providers,
        watchdog: Watchdog,
        spool: Spool,
        recordings: RecordingCounts,
        free: Callable[[], Mapping[str, int]],
    ) -> None:
        self._calls = registry
        self._free = free
        self._recordings = recordings
        self._providers = providers
        self._watchdog = watchdog
        self._spool = spool
        self._capacity = registry.capacity

    def collect(self) -> Iterator[Metric]:
        """Yield every metric as it is now."""
        progress = len(self._calls.in_progress)
        yield GaugeMetricFamily("voice_agent_calls", "Calls in progress.", value=progress)
        yield CounterMetricFamily(
            "voice_agent_calls_answered", "Calls answered.", value=self._calls.answered
        )
        yield from self._loop()
        yield from self._records()
        yield from self._stages()
        yield from self._recorded()
        disks = GaugeMetricFamily(
            "voice_agent_disk_free_bytes",
            "Room on the disk of a folder that is written, as of the last look.",
            labels=("folder",),
        )
        for folder, free in self._free().items():
            disks.add_metric((folder,), free)
        yield disks

    def _recorded(self) -> Iterator[Metric]:
        counts = self._recordings
        for name, meaning, value in (
            ("voice_agent_recordings_begun", "Calls whose recording has begun.", counts.begun),
            (
                "voice_agent_recordings_finished",
                "Recordings finished, also of processes that died.",
                counts.finished,
            ),
            ("voice_agent_recordings_moved", "Recordings moved to the bucket.", counts.moved),
            (
                "voice_agent_recordings_move_failures",
                "Times that the bucket did not take one.",
                counts.move_failures,
            ),
            (
                "voice_agent_recordings_deleted",
                "Recordings deleted since the caller declined.",
                counts.deleted,
            ),
        ):
            yield CounterMetricFamily(name, meaning, value=value)
        stopped = CounterMetricFamily(
            "voice_agent_recordings_stopped",
            "Recordings that could not go on while their calls did: the folder is at its limit, "
            "the disk is full or fails, or it does not keep up.",
            labels=("reason",),
        )
        for reason in get_args(Reason):
            stopped.add_metric((reason,), counts.stopped[reason])
        yield stopped

    def _records(self) -> Iterator[Metric]:
        spool = self._spool
        gauges = {
            "voice_agent_journals_waiting": (
                "Journals of calls that are not all stored.",
                spool.waiting.journals,
            ),
            "voice_agent_journals_waiting_bytes": ("Bytes of them.", spool.waiting.bytes),
            "voice_agent_journals_oldest_seconds": (
                "Age of the oldest line not yet stored.",
                spool.oldest,
            ),
            "voice_agent_journals_not_loaded": (
                "Journals that cannot be loaded, while others can.",
                spool.not_loaded,
            ),
            "voice_agent_records_store_longest_seconds": (
                "The longest transaction since the start.",
                spool.longest_store,
            ),
        }
        for name, (what, value) in gauges.items():
            yield GaugeMetricFamily(name, what, value=value)
        counters = {
            "voice_agent_record_lines_stored": ("Lines of records stored.", spool.lines_stored),
            "voice_agent_record_lines_dropped": ("Lines of records lost.", spool.lines_dropped),
            "voice_agent_journals_damaged": (
                "Journals with lines that cannot be read.",
                spool.damaged,
            ),
        }
        for name, (what, value) in counters.items():
            yield CounterMetricFamily(name, what, value=value)

    def _loop(self) -> Iterator[Metric]:
        lag = self._watchdog.lag
        yield HistogramMetricFamily(
            "voice_agent_loop_lag_seconds",
            "How late the event loop is, looked at ten times a second.",
            buckets=lag.buckets,
            sum_value=lag.total,
        )
        yield GaugeMetricFamily(
            "voice_agent_loop_lag_longest_seconds", "Since the start.", value=lag.longest
        )
        yield GaugeMetricFamily(
            "voice_agent_overloaded",
            "1: no more calls are taken, for what is measured; the log says for what.",
            value=int(bool(self._capacity.overload.reason)),
        )
        yield CounterMetricFamily(
            "voice_agent_overloads", "Times that began.", value=self._capacity.overload.times
        )
        yield CounterMetricFamily(
            "voice_agent_calls_declined",
            "Calls that were turned away for want of room.",
            value=self._capacity.declined,
        )
        yield CounterMetricFamily(
            "voice_agent_loop_held",
            "Times that the event loop was held; the log says by what.",
            value=self._watchdog.holds,
        )

    def _stages(self) -> Iterator[Metric]:
        labels = ("stage", "provider")
        up = GaugeMetricFamily(
            "voice_agent_provider_up",
            "1: it worked last; 0: it cools down after a failure.",
            labels=labels,
        )
        requests = CounterMetricFamily(
            "voice_agent_provider_requests", "Requests made, retries included.", labels=labels
        )
        failures = CounterMetricFamily(
            "voice_agent_provider_failures",
            "Times that a provider was left for the next, or failed a probe.",
            labels=labels,
        )
        first = SummaryMetricFamily(
            "voice_agent_provider_first_result_seconds",
            "Seconds from a request to its first result; for a transcript from the end of speech.",
            labels=labels,
        )
        for stage, candidate in self._providers.candidates:
            who = (stage, candidate.name)
            up.add_metric(who, int(candidate.healthy))
            requests.add_metric(who, candidate.requests)
            failures.add_metric(who, candidate.failures)
            first.add_metric(who, candidate.answered, candidate.first_results)
        yield from (up, requests, failures, first)


class _Webhooks(Collector):
    """How telling the user's systems goes."""

    def __init__(self, webhooks: Webhooks) -> None:
        self._webhooks = webhooks

    def collect(self) -> Iterator[Metric]:
        """Yield every metric as it is now."""
        sent = CounterMetricFamily(
            "voice_agent_webhooks_sent", "Webhooks that were taken.", labels=("endpoint",)
        )
        failures = CounterMetricFamily(
            "voice_agent_webhooks_failures", "Attempts that failed.", labels=("endpoint",)
        )
        given_up = CounterMetricFamily(
            "voice_agent_webhooks_given_up",
            "Webhooks that are sent no more; `voice-agent calls webhooks` shows them.",
            labels=("endpoint",),
        )
        waiting = GaugeMetricFamily(
            "voice_agent_webhooks_waiting",
            "Webhooks in the database that are still to be sent, counted once a minute.",
            labels=("endpoint",),
        )
        for one in self._webhooks.endpoints:
            sent.add_metric((one.name,), one.sent)
            failures.add_metric((one.name,), one.failures)
            given_up.add_metric((one.name,), one.given_up)
            waiting.add_metric((one.name,), one.waiting)
        yield from (sent, failures, given_up, waiting)
        yield CounterMetricFamily(
            "voice_agent_webhooks_lost",
            "Webhooks forgotten before they were sent, for want of room.",
            value=self._webhooks.lost,
        )


class Metrics:
    """The metrics of a process.

    Args:
        registry: The calls.
        providers: Started.
        watchdog: Of the event loop.
        webhooks: None if nobody is told of calls.
        free: Returns the bytes that the disk of each folder has room for.
    """

    def __init__(
        self,
        registry: CallRegistry,
        providers: Providers,
        watchdog: Watchdog,
        spool: Spool,
        recordings: RecordingCounts,
        webhooks: Webhooks | None = None,
        free: Callable[[], Mapping[str, int]] = dict,
    ) -> None:
        self._registry = CollectorRegistry()
        self._registry.register(_Now(registry, providers, watchdog, spool, recordings, free))
        if webhooks is not None:
            self._registry.register(_Webhooks(webhooks))

    def text(self) -> bytes:
        """Return them, in Prometheus' text format."""
        return generate_latest(self._registry)
