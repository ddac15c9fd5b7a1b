"""The installed command: what it prints, where, and with which exit code."""

import csv
import io
import json
import shutil
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import pytest

from marsad.config import Config
from marsad.documents import Document
from marsad.formats import conllup, jsonl
from notation import annotated

COMMAND = Path(sys.executable).with_name("marsad")


def _run(*arguments: str | Path, text: str | None = None) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [str(COMMAND), *map(str, arguments)], input=text, capture_output=True, text=True, encoding="utf-8", check=False
    )


def test_predict_reads_standard_input_and_writes_json_lines(model: Path, articles: list[Document]) -> None:
    lines = "\n".join(json.dumps({"id": f"r{i}", "text": a.text}) for i, a in enumerate(articles))
    result = _run("predict", model, "-", "--device", "cpu", text=lines)
    assert result.returncode == 0, result.stderr
    records = [json.loads(line) for line in result.stdout.splitlines()]
    assert [record["id"] for record in records] == ["r0", "r1", "r2", "r3"]
    assert records[0]["events"][0]["roles"]["attacker"]


def test_predict_reads_plain_text_from_standard_input(model: Path, articles: list[Document]) -> None:
    result = _run("predict", model, "-", "--input-format", "txt", "--format", "conllup", text=articles[1].text)
    assert "# newdoc id = stdin" in result.stdout
    assert "B-CASUALTY" in result.stdout


def test_predict_writes_files_in_the_format_of_their_ending(
    model: Path, articles: list[Document], tmp_path: Path
) -> None:
    (tmp_path / "report.txt").write_text(articles[0].text, encoding="utf-8")
    table, document = tmp_path / "events.csv", tmp_path / "out.conllup"
    assert _run("predict", model, tmp_path / "report.txt", "-o", table).returncode == 0
    rows = list(csv.DictReader(io.StringIO(table.read_text(encoding="utf-8-sig"))))
    assert (rows[0]["document"], rows[0]["attacker"], rows[0]["target"]) == ("report", "قوات الحكومة", "بلدة الزهراء")
    assert rows[0]["evidence"] == articles[0].text
    assert _run("predict", model, tmp_path / "report.txt", "-o", document).returncode == 0
    assert conllup.read(document)[0].text == articles[0].text
    refused = _run("predict", model, tmp_path / "report.txt", "-o", tmp_path / "out.xls")
    assert (refused.returncode, "ends in none of" in refused.stderr) == (2, True)


def test_one_bad_line_costs_only_itself(model: Path, articles: list[Document], tmp_path: Path) -> None:
    file = tmp_path / "in.jsonl"
    good = json.dumps({"id": "good", "text": articles[0].text})
    file.write_text(f"{good}\nnot json\n{{}}\n{good.replace('good', 'too')}\n", encoding="utf-8")
    result = _run("predict", model, file, "-o", tmp_path / "out.jsonl")
    assert result.returncode == 1
    assert [each.id for each in jsonl.read(tmp_path / "out.jsonl")] == ["good", "too"]
    assert f"{file}:2: not JSON" in result.stderr
    assert f"{file}:3: expected an object" in result.stderr


def test_an_input_is_never_overwritten(model: Path, articles: list[Document], tmp_path: Path) -> None:
    file = tmp_path / "gold.conllup"
    conllup.write(articles, file)
    result = _run("predict", model, file, "-o", file)
    assert (result.returncode, "is an input too" in result.stderr) == (2, True)
    assert conllup.read(file) == articles


def test_a_document_that_a_format_cannot_hold_costs_only_itself(model: Path, tmp_path: Path) -> None:
    lines = [json.dumps({"id": name, "text": "قصف"}) for name in ("one", "two ", "three")]
    result = _run("predict", model, "-", "--format", "conllup", text="\n".join(lines))
    assert (result.returncode, result.stdout.count("# newdoc")) == (1, 2)
    assert "'two '" in result.stderr


def test_a_file_of_another_kind_is_refused_before_anything_is_done(model: Path, tmp_path: Path) -> None:
    (tmp_path / "report.pdf").touch()
    result = _run("predict", model, tmp_path / "report.pdf")
    assert (result.returncode, "report.pdf: ends in none of .txt" in result.stderr) == (2, True)


def test_evaluate_prints_tables_and_json(model: Path, articles: list[Document], tmp_path: Path) -> None:
    gold = tmp_path / "gold.conllup"
    conllup.write(articles, gold)
    text = _run("evaluate", model, gold).stdout
    assert "Relations, strict (right: type, both spans, both entity types)" in text
    report = json.loads(_run("evaluate", model, gold, "--gold-entities", "--json").stdout)
    for table in ("entities", "relations_strict", "relations_boundaries", "events", "relations_gold_entities"):
        assert set(report[table]) == {"micro", "by_type"}
        assert set(report[table]["micro"]) == {"precision", "recall", "f1", "support"}
    assert report["entities"]["micro"] == {"precision": 1.0, "recall": 1.0, "f1": 1.0, "support": 16}


def test_evaluate_refuses_types_that_the_model_does_not_know(model: Path, tmp_path: Path) -> None:
    conllup.write([annotated("{a:GHOST شبح} هنا")], tmp_path / "gold.conllup")
    result = _run("evaluate", model, tmp_path / "gold.conllup")
    assert result.returncode == 1
    assert "document 'd' uses GHOST, which the model was not trained on" in result.stderr


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["predict", "nowhere", "-"], "nowhere is not a folder"),
        (["train", "--config", "nowhere.yaml"], "config nowhere.yaml cannot be read"),
        (["check", "nowhere"], "nowhere does not exist"),
        (["encoder", "out", "--source", "moon"], "'moon' is not one of"),
    ],
)
def test_a_mistake_is_a_message_and_no_traceback(arguments: list[str], message: str) -> None:
    result = _run(*arguments, text="")
    assert result.returncode in (1, 2)
    assert message in result.stderr
    assert "Traceback" not in result.stderr


def test_a_tiny_encoder_from_the_command_line(tmp_path: Path) -> None:
    result = _run("encoder", tmp_path / "tiny", "--tiny")
    assert result.returncode == 0, result.stderr
    assert (tmp_path / "tiny" / "tokenizer.json").is_file()


def test_convert_makes_a_corpus_of_marked_text(tmp_path: Path) -> None:
    (tmp_path / "a.marked").write_text("[[T1:ACTOR الجيش]] عاد\n---\n", encoding="utf-8")
    result = _run("convert", tmp_path / "a.marked", "-o", tmp_path / "out")
    assert (result.returncode, result.stderr) == (0, f"1 file in {tmp_path / 'out'}\n")
    assert conllup.read(tmp_path / "out" / "a.conllup")[0].entities
    losing = _run("convert", tmp_path / "a.marked", "-o", tmp_path / "a.conll")
    assert losing.stderr.startswith("not held by this format, left out: relations, metadata and white space\n")
    (tmp_path / "a.marked").write_text("[[T1:ACTOR الجيش عاد\n", encoding="utf-8")
    refused = _run("convert", tmp_path / "a.marked", "-o", tmp_path / "new")
    assert (refused.returncode, f"{tmp_path / 'a.marked'}:1: " in refused.stderr) == (1, True)


def test_a_model_stands_beside_baselines_and_other_runs(model: Path, articles: list[Document], tmp_path: Path) -> None:
    gold = tmp_path / "gold.conllup"
    conllup.write(articles, gold)
    shown = _run("evaluate", model, gold, "--baseline", "gazetteer", "--baseline", model, "--by", "length")
    assert shown.returncode == 0, shown.stderr
    rows = [line.split() for line in shown.stdout.splitlines()]
    assert ["gazetteer", str(model)] == [row[0] for row in rows if row and row[0] in ("gazetteer", str(model))]
    assert "under 50" in shown.stdout
    usual = _run("evaluate", model, gold).stdout
    assert [name for name in ("frequent-tag", "gazetteer", "nearest-pair") if f"\n  {name} " not in usual] == []
    moved = tmp_path / "model"
    shutil.copytree(model, moved)
    assert "Note: no baselines beside it" in _run("evaluate", moved, gold).stdout
    asked = _run("evaluate", moved, gold, "--baseline", "gazetteer")
    assert (asked.returncode, "name the articles with --train" in asked.stderr) == (2, True)
    scores = tmp_path / "scores.json"
    scores.write_text(_run("evaluate", model, gold, "--json").stdout, encoding="utf-8")
    compared = _run("compare", model.parent, scores, "--split", "dev")
    assert (compared.returncode, "not on the same documents" in compared.stderr) == (1, True)
    same = json.loads(_run("compare", scores, scores, "--json").stdout)
    assert same["entities"]["difference"] == 0.0
    assert same["entities"]["same"] == len(articles)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--baseline", "oracle"], "--baseline 'oracle' is none of frequent-tag, gazetteer, nearest-pair"),
        (["--by", "genre"], "slice by length"),
    ],
)
def test_what_evaluate_does_not_have_is_named(
    model: Path, articles: list[Document], tmp_path: Path, arguments: list[str], message: str
) -> None:
    conllup.write(articles, tmp_path / "gold.conllup")
    result = _run("evaluate", model, tmp_path / "gold.conllup", *arguments)
    assert (result.returncode != 0, message in result.stderr) == (True, True)


def test_calibrate_writes_curves_and_thresholds(model: Path, articles: list[Document], tmp_path: Path) -> None:
    copy, gold = tmp_path / "model", tmp_path / "gold.conllup"
    shutil.copytree(model, copy)
    conllup.write([replace(each, id=f"{each.id}-{n}") for n in range(3) for each in articles], gold)

    def saved(*arguments: str) -> str:
        result = _run("calibrate", copy, gold, *arguments)
        assert result.returncode == 0, result.stderr
        return (copy / "marsad.json").read_text(encoding="utf-8")

    assert json.loads(saved())["calibration"]["entities"]["ACTOR"]["high"] > 0
    low = saved("--precision", "0.1")
    assert json.loads(low)["thresholds"]["AFFILIATED_WITH"] > 1  # too few to judge
    saved("--precision", "0.99")
    assert saved("--precision", "0.1") == low  # what an earlier run chose does not stay
    assert _run("predict", copy, gold).returncode == 0
    conllup.write(articles[:2], gold)
    few = _run("calibrate", copy, gold)
    assert (few.returncode, "2 articles are too few to calibrate on: give 5 or more" in few.stderr) == (1, True)


def test_evaluate_says_how_far_scores_are_from_probabilities(
    model: Path, articles: list[Document], tmp_path: Path
) -> None:
    conllup.write(articles, tmp_path / "gold.conllup")
    shown = _run("evaluate", model, tmp_path / "gold.conllup", "--reliability").stdout
    assert "Are scores probabilities?" in shown
    content = json.loads(_run("evaluate", model, tmp_path / "gold.conllup", "--reliability", "--json").stdout)
    assert content["reliability"]["entities"]["num_items"] == sum(len(each.entities) for each in articles)
    dev = Config.from_file(model.parent / "config.yaml").data.dev[0]
    assert "Note: the model's dev articles are among these" in _run("evaluate", model, dev, "--reliability").stdout
    assert "dev articles" not in shown


def test_report_writes_one_page(model: Path, articles: list[Document], tmp_path: Path) -> None:
    gold, page = tmp_path / "gold.conllup", tmp_path / "pages" / "page.html"
    conllup.write(articles, gold)
    result = _run("report", model.parent, gold, "-o", page)
    assert (result.returncode, f"4 articles in {page}" in result.stderr) == (0, True), result.stderr
    assert page.read_text(encoding="utf-8").count("<details") == 4
    assert "<th>gazetteer</th>" in page.read_text(encoding="utf-8")
    run = tmp_path / "run"
    shutil.copytree(model.parent, run)
    config = (run / "config.yaml").read_text(encoding="utf-8")
    train = Config.from_file(run / "config.yaml").data.train[0]
    (run / "config.yaml").write_text(config.replace(f"- {train}\n", "- gone/train\n"), encoding="utf-8")
    assert _run("report", run, gold).returncode == 0
    assert "no baselines beside it: gone/train does not exist" in (run / "report.html").read_text(encoding="utf-8")
    wrong = _run("report", model, gold)
    assert (wrong.returncode, "give the run folder" in wrong.stderr) == (2, True)


def test_suggest_ranks_reports_and_hands_them_over_to_be_corrected(
    model: Path, articles: list[Document], tmp_path: Path
) -> None:
    pool, drafts = tmp_path / "pool.jsonl", tmp_path / "drafts.conllup"
    lines = [json.dumps({"id": f"r{n}", "text": f"{each.text} وقع ذلك ليلا"}) for n, each in enumerate(articles)]
    known = json.dumps({"id": "known", "text": articles[0].text})
    pool.write_text("\n".join([known, *lines]), encoding="utf-8")
    result = _run("suggest", model, pool, "-n", "3", "-o", drafts, "--json")
    assert result.returncode == 0, result.stderr
    chosen = json.loads(result.stdout)
    assert "1 report left out" in result.stderr
    assert len({each["id"] for each in chosen} - {"known"}) == 3
    assert [each.id for each in conllup.read(drafts)] == [each["id"] for each in chosen]
    assert any(each.entities for each in conllup.read(drafts))
    table = _run("suggest", model, pool, "--annotated", model.parent / "missing").stderr
    assert "missing does not exist" in table
    pool.write_text(lines[0] + "\nnot json\n", encoding="utf-8")
    broken = _run("suggest", model, pool)
    assert (broken.returncode, "pool.jsonl:2: not JSON" in broken.stderr, "r0" in broken.stdout) == (1, True, True)
