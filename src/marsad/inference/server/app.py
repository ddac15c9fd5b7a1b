"""The web service: requests in, documents out, limits kept, nothing of a text in the log."""

from __future__ import annotations

import asyncio
import json
import logging
from collections.abc import AsyncIterator, Coroutine, Sequence
from contextlib import asynccontextmanager, suppress
from importlib.resources import files
from typing import Any, TypeVar

from fastapi import FastAPI, Request, Response
from fastapi.exceptions import RequestValidationError
from fastapi.responses import HTMLResponse, PlainTextResponse
from prometheus_client import CONTENT_TYPE_LATEST, generate_latest
from starlette.exceptions import HTTPException
from starlette.types import ASGIApp, Message, Receive, Scope, Send

import marsad
from marsad.documents import Document
from marsad.errors import MarsadError
from marsad.inference.predictor import Predictor
from marsad.inference.server.batching import Batcher, BusyError, ClosingError, Result
from marsad.inference.server.limits import BodyLimit, Limits
from marsad.inference.server.messages import BatchRequest, Problem, ReportRequest, document_schema
from marsad.inference.server.metrics import Counting, Metrics

logger = logging.getLogger(__name__)

T = TypeVar("T")
Responses = dict[int | str, dict[str, Any]]
HUNG_UP = 499  # for the metrics alone: nobody is there to read it
PAGE_POLICY = "default-src 'none'; style-src 'unsafe-inline'; script-src 'unsafe-inline'; connect-src 'self'"
_STATUS = {
    408: "a body that did not arrive in time",
    413: "larger than one request may be",
    422: "not what is asked for",
    429: "too much waits: try again in a moment",
    503: "stopping, or too slow",
}
PROBLEMS: Responses = {
    status: {"model": Problem, "description": description} for status, description in _STATUS.items()
}


def create_app(predictor: Predictor, limits: Limits | None = None) -> FastAPI:
    """Return an ASGI application that answers with what `predictor` says.

    The predictor must not be used by anyone else meanwhile. Answers are those of `Predictor.predict`, as JSON.
    """
    limits = limits or Limits()
    metrics = Metrics()
    batcher = Batcher(predictor, most_waiting=limits.waiting, seen=metrics.batches.observe)
    metrics.waiting.set_function(lambda: batcher.num_waiting)
    metrics.unscored.set_function(lambda: predictor.num_unscored_pairs)

    @asynccontextmanager
    async def lifespan(_: FastAPI) -> AsyncIterator[None]:
        await asyncio.to_thread(predictor.predict, "قصف")  # what is slow the first time is slow now
        batcher.start()
        yield
        await batcher.close()

    app = FastAPI(
        title="marsad",
        version=marsad.__version__,
        summary="Arabic reports of violence, read into structured evidence.",
        lifespan=lifespan,
        docs_url=None,  # those pages load their scripts from elsewhere
        redoc_url=None,
    )
    _add_predict(app, batcher, limits, metrics)
    _add_about(app, batcher, metrics, predictor)
    app.add_exception_handler(RequestValidationError, _invalid)
    app.add_exception_handler(MarsadError, _refused)
    paths = frozenset(getattr(route, "path", "") for route in app.routes)
    app.add_middleware(BodyLimit, most_bytes=limits.body_bytes, seconds=limits.seconds)
    app.add_middleware(Counting, metrics=metrics, paths=paths)
    app.add_middleware(_Guard)
    return app


def _add_predict(app: FastAPI, batcher: Batcher, limits: Limits, metrics: Metrics) -> None:
    one: Responses = {
        200: {"description": "the document", "content": {"application/json": {"schema": document_schema()}}}
    }
    result = {"type": "object", "description": "either", "properties": {"document": {"type": "object"}, "error": {}}}
    several = {"type": "object", "properties": {"results": {"type": "array", "items": result}}}
    many: Responses = {200: {"description": "in the order given", "content": {"application/json": {"schema": several}}}}

    async def read(reports: Sequence[ReportRequest], request: Request) -> list[Result]:
        _check(reports, limits)
        wanted = [each.to_report(position) for position, each in enumerate(reports, start=1)]
        found = await _unless_gone(batcher.predict(wanted), request, limits.seconds)
        for each in found:
            metrics.reports.labels("read" if isinstance(each, Document) else "refused").inc()
            metrics.words.inc(len(each.words) if isinstance(each, Document) else 0)
        return found

    @app.post("/predict", responses={**one, **PROBLEMS}, response_class=Response)
    async def predict(report: ReportRequest, request: Request) -> Response:
        """Read one report. Relations are looked for between mentions that one window of the model holds."""
        (found,) = await read([report], request)
        if isinstance(found, MarsadError):
            raise found
        result = _result(found)
        return _json(result["document"]) if "document" in result else _problem(result["error"], 500)

    @app.post("/predict/batch", responses={**many, **PROBLEMS}, response_class=Response)
    async def predict_batch(batch: BatchRequest, request: Request) -> Response:
        """Read several reports; one that cannot be read has an `error` in place of its `document`."""
        found = await read(batch.reports, request)
        return _json({"results": [_result(each) for each in found]})


def _add_about(app: FastAPI, batcher: Batcher, metrics: Metrics, predictor: Predictor) -> None:
    schema = predictor.schema
    page = (files("marsad.inference.server") / "page.html").read_text(encoding="utf-8")

    @app.get("/health")
    async def health() -> dict[str, str]:
        """Say that the process lives."""
        return {"status": "alive"}

    @app.get("/ready", responses={503: PROBLEMS[503]})
    async def ready() -> dict[str, str]:
        """Say whether requests are taken."""
        if not batcher.is_ready:
            raise HTTPException(503, "not ready: starting or stopping")
        return {"status": "ready"}

    @app.get("/model")
    async def model() -> dict[str, Any]:
        """Say what the model knows."""
        settings = predictor.folder.settings
        return {
            "marsad": marsad.__version__,
            "encoder": settings.encoder,
            "precision": settings.exported or "torch",
            "calibrated": settings.calibration is not None,
            "entities": list(schema.entity_types),
            "relations": list(schema.relation_types),
        }

    @app.get("/metrics", response_class=PlainTextResponse)
    async def counted() -> Response:
        """Return the counters for Prometheus."""
        return Response(generate_latest(metrics.registry), media_type=CONTENT_TYPE_LATEST)

    @app.get("/", response_class=HTMLResponse, include_in_schema=False)
    async def index() -> Response:
        return HTMLResponse(page, headers={"Content-Security-Policy": PAGE_POLICY})


def _check(reports: Sequence[ReportRequest], limits: Limits) -> None:
    """Raise 413 for more reports, or longer ones, than one request may hold."""
    if len(reports) > limits.reports:
        raise HTTPException(413, f"{len(reports)} reports, {limits.reports} are allowed in one request: send fewer")
    longest = max((each.characters for each in reports), default=0)
    if longest > limits.characters:
        raise HTTPException(413, f"a report of {longest} characters, {limits.characters} are allowed: split it")


async def _unless_gone(work: Coroutine[Any, Any, T], request: Request, seconds: float) -> T:
    """Return what `work` comes to; give it up where the client hangs up or it takes too long."""
    task = asyncio.ensure_future(work)
    gone = asyncio.ensure_future(_hang_up(request))
    try:
        await asyncio.wait({task, gone}, timeout=seconds, return_when=asyncio.FIRST_COMPLETED)
        if task.done():
            return task.result()
        if gone.done():
            raise HTTPException(HUNG_UP, "the client hung up")
        detail = f"not done after {seconds:g} seconds: send fewer or shorter reports, or try again later"
        raise HTTPException(503, detail, {"Retry-After": "10"})
    finally:
        for each in (task, gone):
            each.cancel()
        with suppress(asyncio.CancelledError, MarsadError):
            await task


async def _hang_up(request: Request) -> None:
    while (await request.receive())["type"] != "http.disconnect":
        pass


def _result(found: Result) -> dict[str, Any]:
    if isinstance(found, Document):
        return {"document": found.to_dict()}
    if isinstance(found, MarsadError):
        return {"error": str(found)}
    _log(found)
    return {"error": "this report could not be read: a mistake of the service"}


def _json(content: object) -> Response:
    text = json.dumps(content, ensure_ascii=False, separators=(",", ":"))
    return Response(text.encode(errors="backslashreplace"), media_type="application/json")


async def _invalid(_: Request, error: Exception) -> Response:
    """Say what is wrong with a body, without sending it back."""
    found = error.errors() if isinstance(error, RequestValidationError) else []
    places = [f"{'.'.join(map(str, each['loc']))}: {each['msg']}" for each in found[:10]]
    return _problem("; ".join(places), 422)


async def _refused(_: Request, error: Exception) -> Response:
    if isinstance(error, BusyError):
        return _problem(str(error), 429, {"Retry-After": "1"})
    return _problem(str(error), 503 if isinstance(error, ClosingError) else 422)


def _problem(detail: str, status: int, headers: dict[str, str] | None = None) -> Response:
    # In ASCII, for what is wrong may be that it cannot be encoded.
    return Response(json.dumps({"detail": detail}), status, headers, media_type="application/json")


class _Guard:
    """Middleware that answers 500 where a mistake got through, in place of a server that would log what it says."""

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        begun = False

        async def noting(message: Message) -> None:
            nonlocal begun
            begun = True
            await send(message)

        try:
            await self.app(scope, receive, noting)
        except Exception as error:
            if scope["type"] != "http":
                raise
            _log(error)
            if not begun:
                await _problem("a mistake of the service; it has been noted", 500)(scope, receive, send)


def _log(error: Exception) -> None:
    """Note where a mistake happened; what it says may hold a text, and is left out."""
    trace = error.__traceback__
    while trace is not None and trace.tb_next is not None:
        trace = trace.tb_next
    place = f"{trace.tb_frame.f_code.co_filename}:{trace.tb_lineno}" if trace is not None else "?"
    logger.error("%s at %s", type(error).__name__, place)
