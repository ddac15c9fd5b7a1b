"""Reports of concurrent requests gathered into batches for one predictor. Knows nothing of HTTP.

There is no waiting for a batch to fill: while the model reads one batch the next gathers, so a lone request is answered
at once, and the busier the service is the larger its batches are.
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

from marsad.documents import Document
from marsad.errors import MarsadError
from marsad.inference.predictor import Predictor
from marsad.modeling.calibration import EntitySource

BATCH_CHARACTERS = 100_000
BATCH_REPORTS = 256


@dataclass(frozen=True)
class Report:
    """One report to read: what makes its document, how many characters it has, and whose entities are wanted."""

    document: Callable[[], Document]
    characters: int
    entities: EntitySource


Result = Document | Exception


class BusyError(MarsadError):
    """As many reports wait as may."""


class ClosingError(MarsadError):
    """The service stops and takes nothing more."""


class Batcher:
    """Runs a predictor in a thread of its own, on batches gathered from whoever calls `predict`."""

    def __init__(
        self, predictor: Predictor, *, most_waiting: int, seen: Callable[[int], object] = lambda _: None
    ) -> None:
        self._predictor = predictor
        self._most_waiting = most_waiting
        self._seen = seen
        self._waiting: deque[tuple[Report, asyncio.Future[Result]]] = deque()
        self._arrived = asyncio.Event()
        self._closing = False
        self._thread = ThreadPoolExecutor(1, thread_name_prefix="marsad-predict")
        self._worker: asyncio.Task[None] | None = None

    def start(self) -> None:
        """Begin to work; to be called where the event loop runs."""
        self._worker = asyncio.create_task(self._work())

    async def close(self) -> None:
        """Take nothing more, finish what waits, and stop."""
        self._closing = True
        self._arrived.set()
        if self._worker is not None:
            await self._worker
        self._thread.shutdown()

    @property
    def is_ready(self) -> bool:
        """Whether reports are taken."""
        return self._worker is not None and not self._worker.done() and not self._closing

    @property
    def num_waiting(self) -> int:
        """Reports that wait for the model."""
        return len(self._waiting)

    async def predict(self, reports: Sequence[Report]) -> list[Result]:
        """Return for each report its document, or the error that is its own. A caller that is cancelled is forgotten.

        Raises `BusyError` where too many wait and `ClosingError` while the service stops.
        """
        if not self.is_ready:
            raise ClosingError("the service is stopping: try another")
        if len(self._waiting) + len(reports) > self._most_waiting:
            raise BusyError(
                f"{len(self._waiting)} reports wait, of at most {self._most_waiting}: try again in a moment"
            )
        loop = asyncio.get_running_loop()
        jobs = [(report, loop.create_future()) for report in reports]
        self._waiting.extend(jobs)
        self._arrived.set()
        try:
            return list(await asyncio.gather(*(future for _, future in jobs)))
        finally:
            for _, future in jobs:
                future.cancel()  # those that are done stay so

    async def _work(self) -> None:
        loop = asyncio.get_running_loop()
        while True:
            batch = self._take()
            if batch:
                self._seen(len(batch))
                results = await loop.run_in_executor(self._thread, self._read, [report for report, _ in batch])
                for (_, future), result in zip(batch, results, strict=True):
                    if not future.done():
                        future.set_result(result)
            elif self._closing:
                return
            else:
                self._arrived.clear()
                await self._arrived.wait()

    def _take(self) -> list[tuple[Report, asyncio.Future[Result]]]:
        """Take the next batch off the queue: reports with entities from the same source, within the budget."""
        batch: list[tuple[Report, asyncio.Future[Result]]] = []
        characters = 0
        while self._waiting and len(batch) < BATCH_REPORTS:
            report, future = self._waiting[0]
            if future.done():
                self._waiting.popleft()
                continue
            characters += report.characters
            if batch and (characters > BATCH_CHARACTERS or report.entities != batch[0][0].entities):
                break
            batch.append(self._waiting.popleft())
        return batch

    def _read(self, reports: Sequence[Report]) -> list[Result]:
        """Predict a batch, in the thread; where that fails, each report by itself, so that one costs only itself."""
        try:
            return list(self._predictor.predict([each.document() for each in reports], entities=reports[0].entities))
        except Exception as error:
            if len(reports) == 1:
                return [error]
        return [result for each in reports for result in self._read([each])]
