"""Ray: what the pool of workers leaves is what one predictor says, also when a worker dies on the way."""

import json
import os
import signal
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from marsad import Document, Predictor
from marsad.errors import MarsadError, ModelError
from marsad.formats import parquet
from marsad.formats.text import from_text
from marsad.inference import distributed
from marsad.inference.distributed import predict_distributed

ray = pytest.importorskip("ray")
TEXTS = [f"قصفت قوات الحكومة بلدة الزهراء بالمدفعية للمرة {number} ." for number in range(30)]


@pytest.fixture(scope="module", autouse=True)
def cluster() -> Iterator[None]:
    ray.init(num_cpus=2, include_dashboard=False, log_to_driver=False, object_store_memory=100 * 2**20)
    yield
    ray.shutdown()


@pytest.fixture
def reports(tmp_path: Path) -> Path:
    lines = [json.dumps({"id": f"r{number}", "text": text}) for number, text in enumerate(TEXTS)]
    file = tmp_path / "reports.jsonl"
    file.write_text("\n".join([*lines[:7], "{broken", *lines[7:]]) + "\n", encoding="utf-8")
    return file


def _read(folder: Path) -> list[Document]:
    return [each for file in sorted(folder.glob("part-*.parquet")) for each in parquet.read(file)]


def test_parts_hold_what_one_predictor_says(model: Path, reports: Path, tmp_path: Path) -> None:
    found = predict_distributed(model, [reports], tmp_path / "out", workers=2, documents_per_part=8)
    one = Predictor.from_pretrained(model, threads=1).predict(
        [from_text(text, f"r{number}") for number, text in enumerate(TEXTS)]
    )
    assert [each.id for each in _read(tmp_path / "out")] == [each.id for each in one]
    for ours, theirs in zip(_read(tmp_path / "out"), one, strict=True):
        assert (ours.text, ours.words, ours.relations) == (theirs.text, theirs.words, theirs.relations)
        assert [(each.type, each.start) for each in ours.entities] == [
            (each.type, each.start) for each in theirs.entities
        ]
    assert (found.documents, found.problems, found.parts) == (30, 1, 4)
    problem = json.loads((tmp_path / "out" / "part-000000.problems.jsonl").read_text(encoding="utf-8"))
    assert problem["line"] == 8 and "not JSON" in problem["problem"]


def test_parquet_is_cut_inside_its_groups_of_rows(model: Path, tmp_path: Path) -> None:
    parquet.write([from_text(text, str(number)) for number, text in enumerate(TEXTS)], tmp_path / "in.parquet")
    predict_distributed(model, [tmp_path / "in.parquet"], tmp_path / "out", workers=1, documents_per_part=7)
    assert [each.id for each in _read(tmp_path / "out")] == [str(number) for number in range(30)]


def test_a_killed_worker_costs_nothing_and_doubles_nothing(
    model: Path, reports: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    out = tmp_path / "out"

    class Slow(distributed.Worker):
        def __call__(self, row: dict[str, object]) -> dict[str, object]:
            (out / f"worker-{os.getpid()}").touch()
            time.sleep(0.5)
            return super().__call__(row)

    killed: list[int] = []

    def kill_one() -> None:
        while not killed:
            for file in out.glob("worker-*"):
                killed.append(int(file.name.removeprefix("worker-")))
                os.kill(killed[0], signal.SIGKILL)
                break
            time.sleep(0.05)

    monkeypatch.setattr(distributed, "Worker", Slow)
    killer = threading.Thread(target=kill_one)
    killer.start()
    found = predict_distributed(model, [reports], out, workers=1, documents_per_part=8)
    killer.join()
    assert [each.id for each in _read(out)] == [f"r{number}" for number in range(30)]
    assert found.documents == 30
    assert len(list(out.glob("worker-*"))) > 1  # another one went on


def test_what_is_there_is_not_done_again(
    model: Path, reports: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    out = tmp_path / "out"
    predict_distributed(model, [reports], out, workers=1, documents_per_part=8)
    (out / "part-000002.parquet").unlink()
    before = (out / "part-000001.parquet").stat().st_mtime_ns
    assert predict_distributed(model, [reports], out, workers=1, documents_per_part=8).documents == 30
    assert (out / "part-000001.parquet").stat().st_mtime_ns == before
    with pytest.raises(MarsadError, match="choose another output"):
        predict_distributed(model, [reports], out, documents_per_part=5)


def test_what_cannot_work_is_said_before_a_worker_starts(model: Path, reports: Path, tmp_path: Path) -> None:
    with pytest.raises(ModelError):
        predict_distributed(tmp_path / "none", [reports], tmp_path / "out")
    with pytest.raises(MarsadError, match=r"ends in none of \.jsonl, \.parquet"):
        (tmp_path / "one.txt").write_text("نص", encoding="utf-8")
        predict_distributed(model, [tmp_path / "one.txt"], tmp_path / "out")
    (tmp_path / "full").mkdir()
    (tmp_path / "full" / "mine.txt").touch()
    with pytest.raises(MarsadError, match="not empty"):
        predict_distributed(model, [reports], tmp_path / "full")


def test_a_file_that_is_no_parquet_is_a_problem_of_its_part(model: Path, tmp_path: Path) -> None:
    (tmp_path / "bad.parquet").write_bytes(b"no")
    found = predict_distributed(model, [tmp_path / "bad.parquet"], tmp_path / "out", workers=1)
    assert (found.documents, found.problems) == (0, 1)
    assert "cannot be read as Parquet" in (tmp_path / "out" / "part-000000.problems.jsonl").read_text(encoding="utf-8")
