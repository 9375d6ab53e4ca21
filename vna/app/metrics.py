"""What the archive counts, over all processes of a server: Prometheus, prefix `vna_`.

Each process adds to a memory-mapped file of its own in one folder; whoever is asked adds them up.
Labels are route templates and fixed words: no UID and no name gets into a label.
"""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from vna.http.settings import Answered

VARIABLE = "PROMETHEUS_MULTIPROC_DIR"  # read by prometheus_client when it is imported
# Seconds: a metadata answer takes one, a study of thousands of slices tens of them.
BUCKETS = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60)
CONTENT_TYPE = "text/plain; version=0.0.4; charset=utf-8"

Gauges = Mapping[str, tuple[str, float]]  # metric name → help, value


def prepare(folder: Path) -> None:
    """Empty the folder of counters; in the parent, before anything imports prometheus_client."""
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    os.environ[VARIABLE] = str(folder)


def forget(pid: int) -> None:
    """Drop what only held while process `pid` lived; its counters stay counted."""
    from prometheus_client.multiprocess import mark_process_dead

    mark_process_dead(pid)  # type: ignore[no-untyped-call]


class Metrics:
    """The counters of this process. Make it after the fork."""

    def __init__(self, version: str) -> None:
        from prometheus_client import CollectorRegistry, Counter, Histogram

        own = CollectorRegistry()  # read through the folder instead
        labels = ["route", "method", "code"]
        self._requests = Histogram(
            "vna_http_request_duration_seconds",
            "From the request's head to the end of its answer.",
            labels,
            buckets=BUCKETS,
            registry=own,
        )
        self._received = Counter(
            "vna_http_received_bytes", "Bytes of request bodies.", ["route"], registry=own
        )
        self._sent = Counter("vna_http_sent_bytes", "Bytes of answers.", ["route"], registry=own)
        self._broken = Counter(
            "vna_http_broken_answers", "Answers the client did not take.", ["route"], registry=own
        )
        self._instances = Counter(
            "vna_ingest_instances", "Objects received.", ["source", "result"], registry=own
        )
        self._bytes = Counter(
            "vna_ingest_bytes", "Bytes of objects received.", ["source"], registry=own
        )
        self._version = version
        self._counted: dict[tuple[str, str, int], tuple[Any, Any, Any]] = {}

    def answered(self, request: Answered) -> None:
        """Count one request."""
        key = (request.template, request.method, request.status)
        counted = self._counted.get(key)  # to find them by their labels takes longer than to count
        if counted is None:
            counted = self._counted[key] = self._counters_of(*key)
        seconds, received, sent = counted
        seconds.observe(request.seconds)
        if request.received:
            received.inc(request.received)
        if request.sent:
            sent.inc(request.sent)
        if not request.whole:
            self._broken.labels(request.template or "none").inc()

    def _counters_of(self, template: str, method: str, status: int) -> tuple[Any, Any, Any]:
        route = template or "none"
        return (
            self._requests.labels(route, method, str(status)),
            self._received.labels(route),
            self._sent.labels(route),
        )

    def ingested(self, source: str, result: str, size: int) -> None:
        """Count one object; `result` is a disposition or the code of an error."""
        self._instances.labels(source, result).inc()
        self._bytes.labels(source).inc(size)

    def exposition(self, gauges: Gauges) -> bytes:
        """All counters of all processes, and `gauges`, as Prometheus text (`CONTENT_TYPE`)."""
        from prometheus_client import CollectorRegistry, generate_latest
        from prometheus_client.multiprocess import MultiProcessCollector

        registry = CollectorRegistry()
        MultiProcessCollector(registry)  # type: ignore[no-untyped-call]
        registry.register(_Gauges(self._version, gauges))
        return bytes(generate_latest(registry))


class _Gauges:
    """What is looked up when it is asked for."""

    def __init__(self, version: str, gauges: Gauges) -> None:
        self._version, self._gauges = version, gauges

    def collect(self) -> Iterator[Any]:
        """Yield the metric families."""
        from prometheus_client.metrics_core import GaugeMetricFamily

        build = GaugeMetricFamily("vna_build_info", "The release.", labels=["version"])
        build.add_metric([self._version], 1)
        yield build
        for name, (documentation, value) in self._gauges.items():
            yield GaugeMetricFamily(name, documentation, value=value)
