"""An exported model says what its original says, and needs neither torch nor transformers to say it."""

import json
import shutil
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import pytest

from marsad import Predictor
from marsad.documents import Document
from marsad.errors import ModelError
from marsad.evaluation import parity
from marsad.inference import export as exporting
from marsad.inference.export import export
from marsad.schema import Schema

COMMAND = Path(sys.executable).with_name("marsad")


@pytest.fixture(scope="module")
def exported(model: Path, articles: list[Document], tmp_path_factory: pytest.TempPathFactory) -> Path:
    out = tmp_path_factory.mktemp("exported") / "fp32"
    export(model, out, check=articles)
    return out


def test_an_exported_model_says_what_its_original_says(model: Path, exported: Path, articles: list[Document]) -> None:
    texts = ["", "قصفت", articles[0].text, "\n".join(each.text for each in articles) * 40, "🙂 … «»"]
    original, copy = (Predictor.from_pretrained(each).predict(texts) for each in (model, exported))
    for a, b in zip(original, copy, strict=True):
        assert [replace(each, score=1.0) for each in a.entities] == [replace(each, score=1.0) for each in b.entities]
        assert [replace(each, score=1.0) for each in a.relations] == [replace(each, score=1.0) for each in b.relations]
        for x, y in zip([*a.entities, *a.relations], [*b.entities, *b.relations], strict=True):
            assert x.score == pytest.approx(y.score, abs=1e-4)
    assert copy[2].relations


def test_the_card_says_what_the_copy_is(exported: Path, articles: list[Document]) -> None:
    card = (exported / "README.md").read_text(encoding="utf-8")
    assert f"Exported to ONNX, fp32; it needs no torch. F1 on the {len(articles)} articles" in card
    assert "| entities | 100.0 | 100.0 |" in card


def test_it_runs_without_torch_and_transformers(exported: Path) -> None:
    code = (
        "import sys, marsad\n"
        f"document = marsad.Predictor.from_pretrained({str(exported)!r}).predict('قصفت القوات بلدة الزهراء')\n"
        "assert document.words\n"
        "print([name for name in ('torch', 'transformers', 'onnx', 'datasets') if name in sys.modules])"
    )
    result = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert (result.stdout.strip(), result.returncode) == ("[]", 0), result.stderr


def test_the_folder_holds_no_pickle_and_no_code(exported: Path) -> None:
    assert {each.name for each in exported.iterdir()} == {
        "README.md",
        "marsad.json",
        "relate.onnx",
        "schema.yaml",
        "tag.onnx",
        "tokenizer.json",
    }


def test_int8_is_smaller_and_is_checked_too(
    model: Path, exported: Path, articles: list[Document], tmp_path: Path
) -> None:
    gold = tmp_path / "gold.jsonl"
    gold.write_text("".join(json.dumps(each.to_dict()) + "\n" for each in articles), encoding="utf-8")
    out = tmp_path / "int8"
    result = subprocess.run(
        [COMMAND, "export", model, out, "--quantize", "int8", "--check", gold, "--json"],
        capture_output=True,
        text=True,
        encoding="utf-8",
        check=False,
    )
    assert result.returncode == 0, result.stderr
    before, after = json.loads(result.stdout)["f1"]["entities"]
    assert after >= before - 0.005
    assert (out / "tag.onnx").stat().st_size < (exported / "tag.onnx").stat().st_size
    assert Predictor.from_pretrained(out).predict(articles[0].text).entities


def test_a_model_that_reads_otherwise_is_not_exported(
    model: Path, exported: Path, articles: list[Document], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def graphs_of_another(_: object, out: Path, __: str) -> None:
        for name in ("tag.onnx", "relate.onnx"):
            (out / name).write_bytes((exported / name).read_bytes())

    monkeypatch.setattr(exporting, "write_graphs", graphs_of_another)
    monkeypatch.setattr(exporting, "MOST_SCORE_CHANGE", -1.0)
    with pytest.raises(ModelError, match="not exported: a score changes by .*'learn-"):
        export(model, tmp_path / "out", check=articles)
    lost = {"entities": (0.9, 0.89), "relations_strict": (0.5, 0.5)}
    monkeypatch.setattr(exporting, "compare_predictions", lambda *_: parity.Parity(lost, 0.1, "here", ()))
    with pytest.raises(ModelError, match="entities falls from 90.0 to 89.0, at most 0.5 is allowed; .*: here"):
        export(model, tmp_path / "out", check=articles)
    lost.update(entities=(0.9, 0.9), relations_strict=(0.5, 0.4))
    with pytest.raises(ModelError, match="relations strict falls from 50.0 to 40.0, at most 1.0 is allowed"):
        export(model, tmp_path / "out", quantize="int8", check=articles)
    assert not list(tmp_path.iterdir())


def test_what_differs_is_said(schema: Schema, articles: list[Document]) -> None:
    first = articles[0]
    surer = replace(first, entities=[replace(first.entities[0], score=0.75), *first.entities[1:]])
    found = parity.compare_predictions([first], [first], [surer], schema)
    assert (found.score_change, found.different) == (0.25, ())
    assert found.where == "document 'learn-1', ACTOR 'قوات الحكومة' at word 0"
    without = replace(first, entities=first.entities[:-1], relations=[], events=())
    lost = parity.compare_predictions([first], [first], [without], schema)
    assert lost.different == ("learn-1",)
    assert lost.f1["entities"][0] == 1.0 > lost.f1["entities"][1]


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ("there", "is there already: remove it or choose another folder"),
        ("twice", "was exported already"),
        ("nothing to check", "no annotated articles to check"),
        ("no dev articles", "name articles to check it on"),
        ("wrong backend", "holds a model for onnx, not for 'torch'"),
        ("no graph", "relate.onnx missing: the folder is not whole"),
        ("damaged", "cannot be loaded by onnxruntime"),
        ("no gpu", "this onnxruntime has no CUDA"),
        ("no device", "runs on auto, cpu, cuda or cuda:1"),
    ],
)
def test_what_cannot_be_is_said(
    model: Path, exported: Path, articles: list[Document], tmp_path: Path, change: str, message: str
) -> None:
    copy = tmp_path / "copy"
    copy.mkdir()
    for file in exported.iterdir():
        (copy / file.name).write_bytes(file.read_bytes())
    if change == "no graph":
        (copy / "relate.onnx").unlink()
    if change == "damaged":
        (copy / "tag.onnx").write_bytes(b"nothing")
    calls = {
        "there": lambda: export(model, copy, check=articles),
        "twice": lambda: export(copy, tmp_path / "out", check=articles),
        "nothing to check": lambda: export(model, tmp_path / "out", check=[]),
        "no dev articles": lambda: export(shutil.copytree(model, tmp_path / "moved"), tmp_path / "out"),
        "wrong backend": lambda: Predictor.from_pretrained(copy, backend="torch"),
        "no gpu": lambda: Predictor.from_pretrained(copy, device="cuda:1"),
        "no device": lambda: Predictor.from_pretrained(copy, device="cdua"),
    }
    with pytest.raises(ModelError, match=message):
        calls.get(change, lambda: Predictor.from_pretrained(copy))()
