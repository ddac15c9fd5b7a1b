"""What a service counts, in the form that Prometheus reads."""

from __future__ import annotations

import time

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram
from starlette.types import ASGIApp, Message, Receive, Scope, Send


class Metrics:
    """The counters of one application, in a registry of its own."""

    def __init__(self) -> None:
        self.registry = CollectorRegistry()
        self.requests = Counter(
            "marsad_requests_total", "Requests answered.", ["path", "status"], registry=self.registry
        )
        self.seconds = Histogram("marsad_request_seconds", "From arrival to answer.", ["path"], registry=self.registry)
        self.reports = Counter("marsad_reports_total", "Reports read, by result.", ["result"], registry=self.registry)
        self.words = Counter("marsad_words_total", "Words of the reports that were read.", registry=self.registry)
        self.batches = Histogram(
            "marsad_batch_reports",
            "Reports in a batch.",
            buckets=(1, 2, 4, 8, 16, 32, 64, 128, 256),
            registry=self.registry,
        )
        self.unscored = Gauge(
            "marsad_unscored_pairs", "Pairs of mentions too far apart for one window, so far.", registry=self.registry
        )
        self.waiting = Gauge("marsad_waiting_reports", "Reports that wait for the model.", registry=self.registry)


class Counting:
    """Middleware that counts answers and how long they took, by the paths it knows."""

    def __init__(self, app: ASGIApp, metrics: Metrics, paths: frozenset[str]) -> None:
        self.app = app
        self.metrics = metrics
        self.paths = paths

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Handle one connection, as ASGI says."""
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        # A path that anyone can make up must not become a label.
        path = scope["path"] if scope["path"] in self.paths else "other"
        start, status = time.perf_counter(), "500"

        async def noting(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = str(message["status"])
            await send(message)

        try:
            await self.app(scope, receive, noting)
        finally:
            self.metrics.requests.labels(path, status).inc()
            self.metrics.seconds.labels(path).observe(time.perf_counter() - start)
