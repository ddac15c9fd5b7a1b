"""The service answers what the library answers, and says why where it does not."""

import asyncio
import json
import logging
import threading
import time
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from fastapi import FastAPI
from fastapi.testclient import TestClient

from marsad import Predictor
from marsad.cli import main
from marsad.documents import Document
from marsad.errors import ConfigError
from marsad.formats.text import from_text
from marsad.inference.server import Limits, create_app
from marsad.inference.server.batching import Batcher, BusyError, Report
from marsad.inference.server.limits import BodyLimit

LIMITS = Limits(body_bytes=20_000, characters=2_000, reports=8, waiting=12, seconds=20)


@pytest.fixture(scope="module")
def predictor(model: Path) -> Predictor:
    return Predictor.from_pretrained(model)


@pytest.fixture(scope="module")
def client(predictor: Predictor) -> Iterator[TestClient]:
    with TestClient(create_app(predictor, LIMITS)) as client:
        yield client


def _close(first: Any, second: Any) -> bool:
    """Equal JSON, but for the last digits of scores: batches differ."""
    if isinstance(first, float) and isinstance(second, float):
        return first == pytest.approx(second, abs=1e-5)
    if isinstance(first, dict) and isinstance(second, dict):
        return first.keys() == second.keys() and all(_close(first[key], second[key]) for key in first)
    if isinstance(first, list) and isinstance(second, list):
        return len(first) == len(second) and all(map(_close, first, second))
    return bool(first == second)


def test_an_answer_is_what_the_library_says(client: TestClient, model: Path, articles: list[Document]) -> None:
    library = Predictor.from_pretrained(model)
    for each in articles:
        answer = client.post("/predict", json={"text": each.text, "id": "a", "meta": {"source": "x"}})
        expected = replace(library.predict(from_text(each.text, "a")), meta={"source": "x"})
        assert (answer.status_code, answer.headers["content-type"]) == (200, "application/json")
        assert _close(answer.json(), expected.to_dict())
    kept = client.post("/predict", json={"document": articles[0].to_dict(), "entities": "gold"}).json()
    assert [each["type"] for each in kept["entities"]] == [each.type for each in articles[0].entities]
    assert kept["relations"]


def test_one_bad_report_costs_only_itself(client: TestClient, articles: list[Document]) -> None:
    broken = {**articles[0].to_dict(), "words": [[0, 9999]]}
    answer = client.post(
        "/predict/batch", json={"reports": [{"text": articles[0].text}, {"document": broken}, {"text": ""}]}
    )
    first, second, third = answer.json()["results"]
    assert (answer.status_code, first["document"]["text"], third["document"]["text"]) == (200, articles[0].text, "")
    assert "words" in second["error"]
    alone = client.post("/predict", json={"document": broken})
    assert (alone.status_code, "words" in alone.json()["detail"]) == (422, True)


@pytest.mark.parametrize(
    ("path", "body", "status", "detail"),
    [
        ("/predict", "{", 422, "JSON"),
        ("/predict", "{}", 422, "give text or document"),
        ("/predict", '{"text": "نص", "document": {}}', 422, "give text or document"),
        ("/predict", '{"text": "نص", "words": []}', 422, "words"),
        ("/predict", '{"text": "نص", "entities": "gold"}', 422, "those of a document"),
        ("/predict", '{"text": "\\ud800"}', 422, "half of a pair"),
        ("/predict", json.dumps({"text": "نص " * 1000}), 413, "a report of 3000 characters, 2000 are allowed"),
        ("/predict", json.dumps({"text": "x" * 30_000}), 413, "larger than 20000 bytes"),
        ("/predict/batch", json.dumps({"reports": [{"text": "نص"}] * 9}), 413, "9 reports, 8 are allowed"),
    ],
)
def test_a_request_that_cannot_be_answered_says_why(
    client: TestClient, path: str, body: str, status: int, detail: str
) -> None:
    answer = client.post(path, content=body.encode(), headers={"Content-Type": "application/json"})
    assert (answer.status_code, detail in answer.json()["detail"]) == (status, True), answer.text
    assert len(answer.content) < 500


async def _never(*_: Any) -> None:
    raise AssertionError


def test_a_body_without_a_length_is_read_no_further_than_the_limit() -> None:
    received, sent = [], []

    async def receive() -> dict[str, Any]:
        received.append(1000)
        return {"type": "http.request", "body": b" " * 1000, "more_body": True}

    async def send(message: dict[str, Any]) -> None:
        sent.append(message)

    limited: Any = BodyLimit(_never, 5000, 1.0)
    asyncio.run(limited({"type": "http", "headers": []}, receive, send))
    assert (sent[0]["status"], sum(received)) == (413, 6000)


def test_a_body_that_does_not_come_is_not_waited_for() -> None:
    sent = []

    async def receive() -> dict[str, Any]:
        await asyncio.sleep(60)
        return {}

    async def send(message: dict[str, Any]) -> None:
        sent.append(message)

    limited: Any = BodyLimit(_never, 5000, 0.05)
    asyncio.run(limited({"type": "http", "headers": []}, receive, send))
    assert sent[0]["status"] == 408


def test_reports_without_ids_are_numbered(client: TestClient) -> None:
    answer = client.post(
        "/predict/batch", json={"reports": [{"text": "قصف"}, {"text": "قصف", "id": "x"}, {"text": "قصف"}]}
    )
    assert [each["document"]["id"] for each in answer.json()["results"]] == ["1", "x", "3"]


def test_half_a_letter_in_meta_costs_only_its_own_report(client: TestClient) -> None:
    body = '{"reports": [{"text": "قصف"}, {"text": "قصف", "meta": {"a": "\\ud800"}}]}'
    answer = client.post("/predict/batch", content=body.encode(), headers={"Content-Type": "application/json"})
    first, second = answer.json()["results"]
    assert ("document" in first, "half of a surrogate pair" in second["error"]) == (True, True)


def test_health_model_metrics_and_page(client: TestClient, predictor: Predictor) -> None:
    assert client.get("/health").json() == {"status": "alive"}
    assert client.get("/ready").json() == {"status": "ready"}
    assert client.get("/model").json()["relations"] == list(predictor.schema.relation_types)
    client.post("/predict", json={"text": "قصفت القوات بلدة الزهراء"})
    client.get("/made/up")
    counted = client.get("/metrics").text
    assert 'marsad_requests_total{path="/predict",status="200"}' in counted
    assert 'path="other",status="404"' in counted
    assert "made/up" not in counted
    page = client.get("/")
    assert 'dir="rtl"' in page.text
    assert "default-src 'none'" in page.headers["content-security-policy"]
    assert "http://" not in page.text.replace("http://www.w3.org/2000/svg", "")


def test_openapi_says_what_a_document_is(client: TestClient) -> None:
    paths = client.get("/openapi.json").json()["paths"]
    content = paths["/predict"]["post"]["responses"]["200"]["content"]["application/json"]["schema"]
    assert content["properties"]["entities"]["items"]["properties"]["score"]["maximum"] == 1
    assert set(paths["/predict"]["post"]["responses"]) >= {"200", "413", "422", "429", "503"}


class _PanicError(BaseException):
    """What a library written in Rust raises where it gives up."""


class _Slow:
    """Stands for a predictor; reads when it is let, and fails on some texts."""

    def __init__(self, like: Predictor) -> None:
        self.schema, self.folder = like.schema, like.folder
        self.go = threading.Event()
        self.batches: list[list[str]] = []

    def predict(self, inputs: Any, entities: str = "predicted") -> Any:
        if isinstance(inputs, str):
            return from_text(inputs)
        self.go.wait(10)
        self.batches.append([each.text for each in inputs])
        for each in inputs:
            if each.text == "هلع":
                raise _PanicError(each.text)
            if each.text == "سر":
                raise RuntimeError(f"cannot read {each.text}")
        return inputs


def _report(text: str) -> Report:
    return Report(lambda: from_text(text), len(text), "predicted")


def test_reports_gather_while_the_model_reads(predictor: Predictor) -> None:
    slow: Any = _Slow(predictor)

    async def run() -> None:
        batcher = Batcher(slow, most_waiting=6)
        batcher.start()
        first = asyncio.create_task(batcher.predict([_report("أ")]))
        await asyncio.sleep(0.05)
        others = [asyncio.create_task(batcher.predict([_report(text)])) for text in ("ب", "ج", "سر", "د", "ه")]
        await asyncio.sleep(0.05)
        with pytest.raises(BusyError, match="5 reports wait, of at most 6"):
            await batcher.predict([_report("و"), _report("ز")])
        others[1].cancel()
        slow.go.set()
        results = await asyncio.gather(first, *others, return_exceptions=True)
        await batcher.close()
        assert [type(each).__name__ for each in results] == ["list", "list", "CancelledError", "list", "list", "list"]
        assert isinstance(results[3][0], RuntimeError)
        assert results[4][0].text == "د"

    asyncio.run(run())
    assert slow.batches[:2] == [["أ"], ["ب", "سر", "د", "ه"]]


def test_a_panic_does_not_end_the_service(predictor: Predictor) -> None:
    slow: Any = _Slow(predictor)
    slow.go.set()

    async def run() -> list[Any]:
        batcher = Batcher(slow, most_waiting=6)
        results = []
        for _ in range(2):  # an application may be started again
            batcher.start()
            results += await batcher.predict([_report("هلع"), _report("أ")])
            results += await batcher.predict([_report("ب")])
            await batcher.close()
        return results

    results = asyncio.run(run())
    assert [type(each).__name__ for each in results] == ["RuntimeError", "Document", "Document"] * 2
    assert "هلع" not in str(results[0])


def test_who_hung_up_takes_nobodys_place(predictor: Predictor) -> None:
    slow: Any = _Slow(predictor)

    async def run() -> None:
        batcher = Batcher(slow, most_waiting=2)
        batcher.start()
        first = asyncio.create_task(batcher.predict([_report("أ")]))
        await asyncio.sleep(0.05)
        gone = asyncio.create_task(batcher.predict([_report("ب"), _report("ج")]))
        await asyncio.sleep(0.05)
        gone.cancel()
        await asyncio.sleep(0.05)
        assert batcher.num_waiting == 0
        after = asyncio.create_task(batcher.predict([_report("د"), _report("ه")]))
        await asyncio.sleep(0.05)
        slow.go.set()
        await asyncio.gather(first, after)
        await batcher.close()

    asyncio.run(run())


def _app(predictor: Predictor, **limits: Any) -> tuple[FastAPI, _Slow]:
    slow: Any = _Slow(predictor)
    return create_app(slow, Limits(**limits)), slow


def test_too_slow_and_too_much(predictor: Predictor) -> None:
    app, slow = _app(predictor, seconds=0.2, waiting=1, reports=1)
    with TestClient(app) as client:
        late = client.post("/predict", json={"text": "نص"})
        assert (late.status_code, "not done after 0.2 seconds" in late.json()["detail"]) == (503, True)
        crowd = [
            threading.Thread(target=client.post, args=("/predict",), kwargs={"json": {"text": "نص"}}) for _ in "ab"
        ]
        for each in crowd:
            each.start()
            time.sleep(0.03)
        many = client.post("/predict", json={"text": "نص"})
        assert (many.status_code, many.headers["retry-after"]) == (429, "1")
        for each in crowd:
            each.join()
        slow.go.set()


def test_what_waits_is_finished_before_the_service_stops(predictor: Predictor) -> None:
    slow: Any = _Slow(predictor)

    async def run() -> list[Any]:
        batcher = Batcher(slow, most_waiting=6)
        batcher.start()
        waiting = [asyncio.create_task(batcher.predict([_report(text)])) for text in "أب"]
        await asyncio.sleep(0.05)
        closing = asyncio.create_task(batcher.close())
        await asyncio.sleep(0.05)
        assert not batcher.is_ready
        slow.go.set()
        await closing
        return await asyncio.gather(*waiting)

    assert [each.text for (each,) in asyncio.run(run())] == ["أ", "ب"]


def test_limits_that_contradict_each_other_are_refused() -> None:
    with pytest.raises(ConfigError, match="500 reports are allowed in one request, and only 100 may wait"):
        Limits(waiting=100)


def test_an_application_that_was_not_started_says_so(predictor: Predictor) -> None:
    answer = TestClient(create_app(predictor)).post("/predict", json={"text": "نص"})
    assert (answer.status_code, "was not started" in answer.json()["detail"]) == (503, True)


def test_the_command_hands_its_limits_on(model: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    seen: list[Any] = []
    monkeypatch.setattr("uvicorn.run", lambda app, **options: seen.append(options))
    monkeypatch.setattr("marsad.inference.server.create_app", lambda predictor, limits: seen.append(limits))
    options = ["--reports", "3", "--waiting", "4", "--body-bytes", "5", "--characters", "6", "--seconds", "7"]
    with pytest.raises(SystemExit) as ended:
        main(["serve", str(model), "--port", "8001", *options])
    assert ended.value.code == 0
    assert seen[0] == Limits(body_bytes=5, characters=6, reports=3, waiting=4, seconds=7)
    assert (seen[1]["port"], seen[1]["host"]) == (8001, "127.0.0.1")


def test_no_text_is_logged(predictor: Predictor, caplog: pytest.LogCaptureFixture) -> None:
    app, slow = _app(predictor)
    slow.go.set()
    with caplog.at_level(logging.INFO), TestClient(app, raise_server_exceptions=False) as client:
        answer = client.post("/predict", json={"text": "سر"})
        several = client.post("/predict/batch", json={"reports": [{"text": "سر"}, {"text": "نص"}]}).json()["results"]
    assert (answer.status_code, "سر" in answer.text) == (500, False)
    assert ("error" in several[0], several[1]["document"]["text"]) == (True, "نص")
    assert "RuntimeError at" in caplog.text
    assert "سر" not in caplog.text
