"""Intervals, comparisons, slices: what a score is worth."""

import json
from dataclasses import replace
from pathlib import Path

import pytest

from marsad.documents import Document
from marsad.errors import AnnotationError, MarsadError
from marsad.evaluation.bootstrap import MICRO, compare, intervals, to_record
from marsad.evaluation.metrics import evaluate
from marsad.evaluation.runs import read_reports
from marsad.evaluation.scores import DocumentScores, Report, Score
from marsad.evaluation.slices import slices
from marsad.evaluation.tables import format_comparison, format_report
from marsad.schema import Schema
from notation import annotated

TYPES = {"entities": ("ACTOR", "ASSET")}


def report(*counts: tuple[int, int, int], words: int = 10) -> Report:
    """A report of documents with these counts for ACTOR, and one ASSET found in each."""
    found = ({"entities": {"ACTOR": Score(*each), "ASSET": Score(1, 0, 0)}} for each in counts)
    documents = (DocumentScores(f"d{index}", words, each) for index, each in enumerate(found))
    return Report(tuple(documents), TYPES)


def test_an_interval_holds_the_score_and_narrows_with_more_articles() -> None:
    widths = []
    for times in (5, 50):
        some = report(*[(8, 2, 2), (4, 6, 6)] * times)
        low, high = intervals(some, "entities")["ACTOR"]
        assert low < some.entities.by_type["ACTOR"].f1 < high
        widths.append(high - low)
    assert widths[1] < widths[0] / 2
    assert intervals(some, "entities") == intervals(some, "entities")


def test_no_spread_where_all_articles_are_alike() -> None:
    found = intervals(report(*[(3, 1, 1)] * 8), "entities")
    assert found["ACTOR"] == pytest.approx((0.75, 0.75))
    assert found["ASSET"] == pytest.approx((1.0, 1.0))
    assert found[MICRO] == pytest.approx((0.8, 0.8))


def test_an_empty_report_has_intervals_of_nothing() -> None:
    assert intervals(Report((), TYPES), "entities") == {"ACTOR": (0, 0), "ASSET": (0, 0), MICRO: (0, 0)}


def test_a_comparison_is_paired() -> None:
    """B is a little better on each article: surely better, though either's own interval is wide."""
    a = report(*[(2, 8, 8), (8, 2, 2)] * 10)
    b = report(*[(3, 7, 7), (9, 1, 1)] * 10)
    found = compare([a], [b], "entities")
    assert (found.better, found.worse, found.same) == (20, 0, 0)
    assert 0 < found.p < 0.002
    assert found.interval[0] > 0
    assert found.difference == pytest.approx(b.entities.micro.f1 - a.entities.micro.f1)
    own = intervals(a, "entities")[MICRO]
    assert own[1] - own[0] > 3 * (found.interval[1] - found.interval[0])


def test_a_system_is_no_better_than_itself() -> None:
    some = report((2, 8, 8), (8, 2, 2), (5, 5, 5))
    found = compare([some], [some], "entities")
    assert (found.difference, found.interval, found.p) == (0.0, (0.0, 0.0), 1.0)
    assert (found.better, found.worse, found.same) == (0, 0, 3)


def test_only_documents_that_were_scored_are_compared(schema: Schema) -> None:
    whole = annotated("{a:ACTOR فصيل} ضرب {x:ASSET جسرا}", "a ATTACKS x", id="whole")
    alone = annotated("{a:ACTOR فصيل} ضرب {x:ASSET جسرا}", id="alone", annotated="entities")
    some = evaluate([whole, alone], [whole, alone], schema)
    assert compare([some], [some], "relations_strict").same == 1
    assert compare([some], [some], "entities").same == 2


def test_a_false_alarm_on_an_empty_article_is_worse_than_silence() -> None:
    silent, loud = (
        Report((DocumentScores("d", 5, {"entities": {"ACTOR": each}}),), TYPES) for each in (Score(), Score(0, 2, 0))
    )
    assert compare([silent], [loud], "entities").worse == 1


def test_a_rare_type_is_judged_by_the_draws_that_hold_it() -> None:
    counts = [{"entities": {"ACTOR": Score(9, 1, 1)}} for _ in range(20)]
    counts[0]["entities"]["ASSET"] = Score(1, 0, 0)
    some = Report(tuple(DocumentScores(str(index), 5, each) for index, each in enumerate(counts)), TYPES)
    assert intervals(some, "entities")["ASSET"] == (1.0, 1.0)


def test_seeds_that_differ_widen_the_interval() -> None:
    low, middle, high = (report(*[(hit, 10 - hit, 10 - hit)] * 20) for hit in (4, 5, 6))
    one = compare([middle], [middle], "entities")
    several = compare([low, high], [middle, middle], "entities")
    assert several.difference == pytest.approx(one.difference, abs=1e-9)
    assert several.interval[0] < -0.05 < 0.05 < several.interval[1]


def test_other_documents_or_rules_are_refused() -> None:
    some = report((1, 1, 1), (2, 2, 2))
    with pytest.raises(AnnotationError, match=r"document 2 is 'd1' \(10 words, 5 gold items\) in one and nothing in"):
        compare([some], [report((1, 1, 1))], "entities")
    with pytest.raises(AnnotationError, match=r"document 1 is 'd0' \(10 words, 3 gold items\) in one and 'd0' \(11"):
        compare([some], [report((1, 1, 1), (2, 2, 2), words=11)], "entities")
    with pytest.raises(AnnotationError, match="3 gold items.* 4 gold items"):  # other annotations of the same words
        compare([some], [report((1, 1, 2), (2, 2, 2))], "entities")
    with pytest.raises(AnnotationError, match="was not scored by events, only by entities"):
        compare([some], [some], "events")


def test_a_report_in_json_reads_back_and_carries_intervals(schema: Schema) -> None:
    gold = annotated("{a:ACTOR فصيل} ضرب {x:ASSET جسرا}", "a ATTACKS x", genre="wire")
    some = evaluate([gold], [replace(gold, entities=gold.entities[:1], relations=())], schema)
    record = json.loads(json.dumps(to_record(some)))
    assert Report.from_dict(record) == some
    assert record["intervals"]["entities"][MICRO] == pytest.approx([2 / 3, 2 / 3])
    assert set(record["intervals"]["relations_strict"]) == {*schema.relation_types, MICRO}


def test_runs_are_read_from_folders_and_files(tmp_path: Path) -> None:
    some = report((1, 1, 1))
    (tmp_path / "run").mkdir()
    (tmp_path / "run" / "metrics.json").write_text(json.dumps({"dev": some.to_dict(), "history": []}))
    (tmp_path / "scores.json").write_text(json.dumps(to_record(some)))
    both = f"{tmp_path / 'run'}, {tmp_path / 'scores.json'}"
    assert read_reports(both, "dev") == [some, some]
    with pytest.raises(MarsadError, match=r"holds no scores of 'test' by document \(it has dev\)"):
        read_reports(str(tmp_path / "run"))
    with pytest.raises(MarsadError, match="give a run folder or the output of marsad evaluate --json"):
        read_reports(str(tmp_path / "nothing"))
    with pytest.raises(MarsadError, match="',' names no run"):
        read_reports(",")
    (tmp_path / "other.json").write_text('{"entities": 3}')
    with pytest.raises(MarsadError, match=r"other\.json: this is no report of marsad evaluate --json"):
        read_reports(str(tmp_path / "other.json"))


def test_relations_are_told_apart_by_the_sentences_between(schema: Schema) -> None:
    text = "{a:ACTOR فصيل} ضرب {x:ASSET جسرا} .\nفي {p:LOCATION تلعة} .\nثم هدأ .\n{d:DATE أمس} ."
    gold = annotated(text, "a ATTACKS x", "x ATTACKED_AT p", "x ATTACKED_ON d")
    table = evaluate([gold], [replace(gold, relations=gold.relations[:1])], schema).relations_by_distance
    counts = {name: (score.tp, score.fn) for name, score in table.by_type.items()}
    assert counts == {"same_sentence": (1, 0), "next_sentence": (0, 1), "further": (0, 1)}


def _of_length(number: int, **meta: str) -> Document:
    return annotated(" ".join(["كلمة"] * number), id=f"w{number}", **meta)


def test_slices_are_by_length_or_metadata(schema: Schema) -> None:
    documents = [_of_length(10, genre="post"), _of_length(99), _of_length(400, genre="wire"), _of_length(1000)]
    some = evaluate(documents, documents, schema)
    by_length = {name: part.num_documents for name, part in slices(some, "length").items()}
    assert by_length == {"under 50": 1, "50 to 99": 1, "400 and more": 2}
    by_genre = {name: part.num_words for name, part in slices(some, "genre").items()}
    assert by_genre == {"(none)": 1099, "post": 10, "wire": 400}
    with pytest.raises(AnnotationError, match="no document has 'country': slice by length, genre"):
        slices(some, "country")
    assert "400 and more" in format_report(some, ["length"])


def test_the_text_of_a_comparison_names_both_systems() -> None:
    a, b = report((1, 1, 1)), report((2, 0, 0))
    text = format_comparison({"entities": compare([a], [b], "entities")}, [("runs/a", 1), ("runs/b,runs/c", 2)])
    assert "A: runs/a (1 run)" in text
    assert "B: runs/b,runs/c (2 runs)" in text
    assert text.splitlines()[-1].split()[-3:] == ["1,", "0,", "0"]
