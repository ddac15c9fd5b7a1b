"""Prediction on many files: a stopped run loses and repeats nothing, and one bad report costs only itself."""

import json
from collections.abc import Iterable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from marsad import Predictor
from marsad.documents import Document
from marsad.errors import MarsadError
from marsad.formats import jsonl, parquet
from marsad.formats.text import from_text
from marsad.inference.files import ProblemLog, predict_files
from marsad.inference.inputs import count_documents, find_inputs, read_inputs


@pytest.fixture(scope="module")
def predictor(model: Path) -> Predictor:
    return Predictor.from_pretrained(model)


@pytest.fixture
def reports(tmp_path: Path) -> Path:
    """JSON lines with ten reports."""
    file = tmp_path / "in.jsonl"
    lines = [json.dumps({"id": f"r{n}", "text": "قصفت قوات الحكومة بلدة الزهراء"}) for n in range(10)]
    file.write_text("\n".join(lines) + "\n", encoding="utf-8")
    return file


def _read(file: Path, problems: list[Any] | None = None) -> Iterator[Document]:
    return read_inputs([str(file)], "jsonl", [] if problems is None else problems)


def _stopped(documents: Iterable[Document], after: int) -> Iterator[Document]:
    for number, each in enumerate(documents):
        if number == after:
            raise KeyboardInterrupt
        yield each


def _slowly(predictor: Predictor, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("marsad.inference.predictor.CHUNK_DOCUMENTS", 2)


def test_a_stopped_run_is_taken_up_again(
    predictor: Predictor, reports: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    _slowly(predictor, monkeypatch)
    out, partial = tmp_path / "out.jsonl", tmp_path / ".out.jsonl.partial"
    with pytest.raises(KeyboardInterrupt):
        predict_files(predictor, _stopped(_read(reports), 5), out, ".jsonl", [])
    assert not out.exists()
    assert len(jsonl.read(partial)) == 4
    with partial.open("a", encoding="utf-8") as file:
        file.write('{"id": "r4", "te')  # a line that a kill cut off
    with pytest.raises(MarsadError, match=r"\.out\.jsonl\.partial was left by a run that was stopped"):
        predict_files(predictor, _read(reports), out, ".jsonl", [])
    seen = []
    assert predict_files(predictor, _read(reports), out, ".jsonl", [], resume=True, seen=lambda: seen.append(1)) == 10
    assert [each.id for each in jsonl.read(out)] == [f"r{n}" for n in range(10)]
    assert (len(seen), partial.exists()) == (10, False)
    whole = tmp_path / "whole.jsonl"
    predict_files(predictor, _read(reports), whole, ".jsonl", [])
    assert whole.read_text(encoding="utf-8") == out.read_text(encoding="utf-8")
    with pytest.raises(MarsadError, match="is whole: there is nothing to go on with"):
        predict_files(predictor, _read(reports), out, ".jsonl", [], resume=True)


def test_other_inputs_are_not_taken_for_the_same(predictor: Predictor, reports: Path, tmp_path: Path) -> None:
    out, partial = tmp_path / "out.jsonl", tmp_path / ".out.jsonl.partial"
    jsonl.write([from_text("قصف", "another")], partial)
    with pytest.raises(MarsadError, match="holds 'another', the inputs do not"):
        predict_files(predictor, _read(reports), out, ".jsonl", [], resume=True)
    assert len(jsonl.read(partial)) == 1
    with pytest.raises(MarsadError, match=r"choose an --output that ends in \.jsonl"):
        predict_files(predictor, _read(reports), tmp_path / "out.csv", ".csv", [], resume=True)


def test_a_report_that_cannot_be_predicted_costs_only_itself(
    predictor: Predictor, reports: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    chunk = predictor._predict_chunk

    def failing(inputs: Any, source: Any) -> Iterator[Document]:
        if any(document.id == "r3" for document, _ in inputs):
            raise RuntimeError("out of memory")
        return chunk(inputs, source)

    monkeypatch.setattr(predictor, "_predict_chunk", failing)
    problems = ProblemLog(tmp_path / "problems.jsonl")
    assert predict_files(predictor, _read(reports), tmp_path / "out.jsonl", ".jsonl", problems) == 9
    (noted,) = (json.loads(line) for line in (tmp_path / "problems.jsonl").read_text(encoding="utf-8").splitlines())
    assert "'r3' could not be predicted (RuntimeError): out of memory" in noted["problem"]
    with pytest.raises(RuntimeError):
        list(predictor.stream(_read(reports)))


def test_parquet_comes_back_as_it_was(
    predictor: Predictor, reports: Path, articles: list[Document], tmp_path: Path
) -> None:
    arrow, files = pytest.importorskip("pyarrow"), pytest.importorskip("pyarrow.parquet")
    raw, out = tmp_path / "raw.parquet", tmp_path / "out.parquet"
    columns = {"id": ["a", "b", None], "text": [articles[0].text, None, "قصف"], "source": ["x", "y", None]}
    files.write_table(arrow.table(columns), raw)
    problems: list[Any] = []
    assert predict_files(predictor, read_inputs([str(raw)], "jsonl", problems), out, ".parquet", problems) == 2
    first, second = parquet.read(out)
    expected = predictor.predict(replace(from_text(articles[0].text, "a"), meta={"source": "x"}))
    assert (first, second.id) == (expected, "raw-3")
    assert [(each.line, "text" in each.message) for each in problems] == [(2, True)]
    assert count_documents([out, reports]) == 12


def test_patterns_stand_for_files(reports: Path, tmp_path: Path) -> None:
    (tmp_path / "deep").mkdir()
    for name in ("a.txt", "b.txt", "deep/c.txt"):
        (tmp_path / name).write_text("قصف", encoding="utf-8")
    assert [Path(each).name for each in find_inputs([str(tmp_path / "**" / "*.txt")])] == ["a.txt", "b.txt", "c.txt"]
    with pytest.raises(MarsadError, match="matches no file"):
        find_inputs([str(tmp_path / "*.json")])
    assert count_documents(["-"]) is None


def test_a_bad_line_is_noted_when_it_is_reached(reports: Path, tmp_path: Path) -> None:
    reports.write_text("nothing\n" + reports.read_text(encoding="utf-8") + "{}\n", encoding="utf-8")
    problems = ProblemLog(tmp_path / "problems.jsonl")
    documents = _read(reports, problems)
    assert next(documents).id == "r0"
    assert [each.line for each in problems] == [1]
    assert len(list(documents)) == 9
    assert [each.line for each in problems] == [1, 12]
    assert len((tmp_path / "problems.jsonl").read_text(encoding="utf-8").splitlines()) == 2
