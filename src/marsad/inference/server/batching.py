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
from marsad.inference.predictor import Predictor, check_types
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
_Job = tuple[Report, "asyncio.Future[Result]"]


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
        self._waiting: deque[_Job] = deque()
        self._closing = False
        self._worker: asyncio.Task[None] | None = None

    def start(self) -> None:
        """Begin to work, or begin again; to be called where the event loop runs."""
        self._arrived = asyncio.Event()
        self._closing = False
        self._thread = ThreadPoolExecutor(1, thread_name_prefix="marsad-predict")
        self._worker = asyncio.create_task(self._work())

    async def close(self) -> None:
        """Take nothing more, finish what waits, and stop."""
        self._closing = True
        self._arrived.set()
        try:
            if self._worker is not None:
                await self._worker
        finally:
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
            raise ClosingError("the service does not run: it is stopping, or was not started (its lifespan starts it)")
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
        except asyncio.CancelledError:
            # What nobody waits for any more must not take the place of what somebody does.
            self._waiting = deque(job for job in self._waiting if not job[1].done())
            raise

    async def _work(self) -> None:
        while True:
            batch = self._take()
            if batch:
                for (_, future), result in zip(batch, await self._results(batch), strict=True):
                    if not future.done():
                        future.set_result(result)
            elif self._closing:
                return
            else:
                self._arrived.clear()
                await self._arrived.wait()

    async def _results(self, batch: Sequence[_Job]) -> Sequence[Result]:
        """Return what comes of a batch, an error for each report where the batch as a whole failed."""
        try:
            self._seen(len(batch))
            loop = asyncio.get_running_loop()
            return await loop.run_in_executor(self._thread, self._read, [report for report, _ in batch])
        except Exception as error:
            return [error] * len(batch)

    def _take(self) -> list[_Job]:
        """Take the next batch off the queue: reports with entities from the same source, within the budget."""
        batch: list[_Job] = []
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
        """Predict a batch, in the thread; a report that is no document costs only itself."""
        source = reports[0].entities
        built = [self._build(each) for each in reports]
        read = iter(self._predict([each for each in built if isinstance(each, Document)], source))
        return [next(read) if isinstance(each, Document) else each for each in built]

    def _build(self, report: Report) -> Result:
        try:
            document = report.document()
            if report.entities == "gold":
                check_types([document], self._predictor.schema)
        except Exception as error:
            return error
        return document

    def _predict(self, documents: list[Document], source: EntitySource) -> list[Result]:
        """Predict documents; where that fails, each half by itself, until it is known which one fails."""
        try:
            return list(self._predictor.predict(documents, entities=source)) if documents else []
        except BaseException as error:  # a panic of a library in Rust is no Exception, and must not end the thread
            if len(documents) == 1:
                return [error if isinstance(error, Exception) else RuntimeError(type(error).__name__)]
        half = len(documents) // 2
        return [*self._predict(documents[:half], source), *self._predict(documents[half:], source)]
