"""How a process is, read when somebody asks: nothing is counted twice."""

from __future__ import annotations

import asyncio
import platform
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import get_args

from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, Metric
from prometheus_client.metrics_core import HistogramMetricFamily
from prometheus_client.registry import Collector

from agent import logs
from agent.records.journals.writer import RecordWriter
from agent.records.recordings.recording_files import Reason, RecordingCounts
from agent.records.webhooks.delivery import Webhooks
from agent.server.load.watchdog import Watchdog
from agent.server.metrics.frame_cost import FrameCosts
from agent.server.registry import CallRegistry
from agent.version import VERSION
from pipelines.stages.lineup import Providers
from pipelines.workers import WorkerThreads


@dataclass(frozen=True, slots=True, kw_only=True)
class ProcessParts:
    """What of a process is looked at."""

    registry: CallRegistry
    providers: Providers
    """Started."""

    watchdog: Watchdog
    """Of the event loop."""

    writer: RecordWriter
    recordings: RecordingCounts
    frame_costs: FrameCosts
    workers: Sequence[WorkerThreads] = ()
    """Of models that compute on this machine."""

    webhooks: Webhooks | None = None
    """None if nobody is told of calls."""

    free: Callable[[], Mapping[str, int]] = dict
    """Returns the bytes that the disk of each folder has room for."""

    not_hung_up: Callable[[], int] = int
    """Returns how often Sinch has refused for good to hang somebody up."""


def collectors(parts: ProcessParts) -> Iterator[Collector]:
    """Yield what reads a process. Ask in the event loop of its calls."""
    yield _Calls(parts.registry, parts.not_hung_up)
    yield _Loop(parts.watchdog, parts.frame_costs, parts.workers)
    yield _Records(parts.writer, parts.recordings, parts.free)
    yield _Providers(parts.providers)
    if parts.webhooks is not None:
        yield _Webhooks(parts.webhooks)


def _families(
    made: type[GaugeMetricFamily | CounterMetricFamily], *rows: tuple[str, str, float]
) -> Iterator[Metric]:
    for name, meaning, value in rows:
        yield made(name, meaning, value=value)


class _Calls(Collector):
    """Calls in progress, and those that were not taken."""

    def __init__(self, registry: CallRegistry, not_hung_up: Callable[[], int]) -> None:
        self._calls = registry
        self._not_hung_up = not_hung_up
        self._capacity = registry.capacity

    def collect(self) -> Iterator[Metric]:
        """Yield every metric as it is now."""
        build = GaugeMetricFamily(
            "voice_agent_build_info", "1, for what runs here.", labels=("version", "python")
        )
        build.add_metric((VERSION, platform.python_version()), 1)
        yield build
        overload = self._capacity.overload
        yield from _families(
            GaugeMetricFamily,
            ("voice_agent_calls", "Calls in progress.", len(self._calls.in_progress)),
            (
                "voice_agent_calls_most",
                "As many as all workers together take, if nothing that is measured is against it.",
                self._capacity.room.most,
            ),
            (
                "voice_agent_draining",
                "1: no more calls are taken, since the process is about to end.",
                int(self._calls.draining),
            ),
            (
                "voice_agent_overloaded",
                "1: what is measured is over a limit: the loop is late, models wait, or the like.",
                int(bool(overload.reason)),
            ),
        )
        yield from _families(
            CounterMetricFamily,
            ("voice_agent_calls_answered", "Calls answered.", self._calls.answered),
            ("voice_agent_overloads", "Times that an overload began.", overload.times),
            (
                "voice_agent_calls_declined",
                "Calls that were turned away for want of room.",
                self._capacity.declined,
            ),
            (
                "voice_agent_hang_ups_refused",
                "Times that Sinch has refused for good, in every way, to hang somebody up.",
                self._not_hung_up(),
            ),
        )
        yield from self._reasons()

    def _reasons(self) -> Iterator[Metric]:
        """Yield why calls were not taken, and why none would be now."""
        refused = CounterMetricFamily(
            "voice_agent_calls_refused",
            "Calls that were not taken, by why: for want of room, or since they may not come.",
            labels=("reason",),
        )
        for reason, times in {**self._capacity.declined_for, **self._calls.refused_for}.items():
            refused.add_metric((reason,), times)
        yield refused
        why = self._calls.no_room(here=True)
        refusing = GaugeMetricFamily(
            "voice_agent_refusing",
            "1: this process would take no call now, by why.",
            labels=("reason",),
        )
        known = (*self._capacity.declined_for, *([why] if why else []))
        for reason in dict.fromkeys(known):
            refusing.add_metric((reason,), int(reason == why))
        yield refusing


class _Loop(Collector):
    """The event loop, what it costs, and what waits for threads."""

    def __init__(
        self, watchdog: Watchdog, frames: FrameCosts, workers: Sequence[WorkerThreads]
    ) -> None:
        self._watchdog = watchdog
        self._frames = frames
        self._workers = workers

    def collect(self) -> Iterator[Metric]:
        """Yield every metric as it is now."""
        lag, frames, pacing = self._watchdog.lag, self._frames.seconds, self._frames.pacing
        yield HistogramMetricFamily(
            "voice_agent_loop_lag_seconds",
            "How late the event loop is, looked at ten times a second.",
            buckets=lag.seconds.buckets,
            sum_value=lag.seconds.total,
        )
        yield HistogramMetricFamily(
            "voice_agent_frame_cost_seconds",
            "How long a frame (20 ms) of a caller's audio takes the loop: one of 64 messages.",
            buckets=frames.buckets,
            sum_value=frames.total,
        )
        yield HistogramMetricFamily(
            "voice_agent_pacing_error_seconds",
            "How late a message of audio left that had to wait for its time.",
            buckets=pacing.buckets,
            sum_value=pacing.total,
        )
        yield from _families(
            GaugeMetricFamily,
            ("voice_agent_loop_lag_longest_seconds", "Since the start.", lag.longest),
            (
                "voice_agent_model_wait_seconds",
                "How long work of models on this machine waits for a thread, of late.",
                max((one.wait for one in self._workers), default=0.0),
            ),
            ("voice_agent_tasks", "Tasks of the event loop.", len(asyncio.all_tasks())),
            ("voice_agent_log_lines_waiting", "Log lines not written yet.", logs.waiting()),
        )
        yield CounterMetricFamily(
            "voice_agent_loop_held",
            "Times that the event loop was held; the log says by what.",
            value=self._watchdog.holds,
        )
        yield CounterMetricFamily(
            "voice_agent_log_lines_lost", "Log lines that stderr did not take.", value=logs.lost()
        )


class _Records(Collector):
    """What is written: records, recordings, and room for both."""

    def __init__(
        self,
        writer: RecordWriter,
        recordings: RecordingCounts,
        free: Callable[[], Mapping[str, int]],
    ) -> None:
        self._writer = writer
        self._spool = writer.spool
        self._recordings = recordings
        self._free = free

    def collect(self) -> Iterator[Metric]:
        """Yield every metric as it is now."""
        yield from self._records()
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
        yield from _families(
            CounterMetricFamily,
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
        )
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
        yield from _families(
            GaugeMetricFamily,
            (
                "voice_agent_record_lines_waiting",
                "Lines of records that wait for the thread that writes them.",
                self._writer.waiting,
            ),
            (
                "voice_agent_journals_waiting",
                "Journals of calls that are not all stored.",
                spool.waiting.journals,
            ),
            ("voice_agent_journals_waiting_bytes", "Bytes of them.", spool.waiting.bytes),
            (
                "voice_agent_journals_oldest_seconds",
                "Age of the oldest line not yet stored.",
                spool.oldest,
            ),
            (
                "voice_agent_journals_not_loaded",
                "Journals that cannot be loaded, while others can.",
                spool.not_loaded,
            ),
            (
                "voice_agent_records_store_longest_seconds",
                "The longest transaction since the start.",
                spool.longest_store,
            ),
        )
        yield from _families(
            CounterMetricFamily,
            ("voice_agent_record_lines_stored", "Lines of records stored.", spool.lines_stored),
            ("voice_agent_record_lines_dropped", "Lines of records lost.", spool.lines_dropped),
            (
                "voice_agent_journals_damaged",
                "Journals with lines that cannot be read.",
                spool.damaged,
            ),
        )


class _Providers(Collector):
    """How the providers of each stage are."""

    def __init__(self, providers: Providers) -> None:
        self._providers = providers

    def collect(self) -> Iterator[Metric]:
        """Yield every metric as it is now."""
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
        first = HistogramMetricFamily(
            "voice_agent_provider_first_result_seconds",
            "Seconds from a request to its first result; for a transcript from the end of speech.",
            labels=labels,
        )
        for stage, candidate in self._providers.candidates:
            who = (stage, candidate.name)
            up.add_metric(who, int(candidate.healthy))
            requests.add_metric(who, candidate.requests)
            failures.add_metric(who, candidate.failures)
            took = candidate.first_results
            first.add_metric(who, took.buckets, took.total)
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
