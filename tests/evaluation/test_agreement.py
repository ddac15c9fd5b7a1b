"""Agreement of two readings: the figures, and every disagreement at its place in both files."""

import json
from dataclasses import replace
from pathlib import Path

import pytest

from marsad.cli import main
from marsad.documents import Document
from marsad.errors import AnnotationError
from marsad.evaluation.agreement import agreement, cohen_kappa, pair_up
from marsad.evaluation.readings import compare_files
from marsad.formats import conllup
from marsad.schema import Schema
from notation import annotated

TEXT = "{a:ACTOR قوات الجيش} قصفت {b:LOCATION بلدة النهر} {c:WEAPON بصواريخ} {d:DATE أمس} ثم عادت"
A = annotated(TEXT, "a ATTACKS b", "b ATTACKED_WITH c", "b ATTACKED_ON d")


def test_a_reading_agrees_with_itself(schema: Schema) -> None:
    found = agreement([A], [A], schema)
    assert (found.entities.micro.f1, found.relations_strict.micro.f1, found.kappa["all"]) == (1.0, 1.0, 1.0)
    assert found.disagreements == ()


def test_figures_and_disagreements_of_two_readings(schema: Schema) -> None:
    b = annotated(
        "قوات {a:ACTOR الجيش} قصفت {b:LOCATION بلدة النهر} {c:ASSET بصواريخ} {d:DATE أمس} ثم {e:ACTOR عادت}",
        "a ATTACKS b",
        "b ATTACKED_ON d",
    )
    found = agreement([A], [b], schema)
    assert (found.entities.micro.tp, found.entities.micro.fp, found.entities.micro.fn) == (2, 3, 2)
    assert found.relations_strict.micro.f1 == pytest.approx(2 / 5)
    # Of the mentions both have, both say that the town was attacked on the day, and nothing else.
    assert (found.relations_common.micro.tp, found.relations_common.micro.f1) == (1, 1.0)
    assert [str(each) for each in found.disagreements] == [
        "boundary: A has ACTOR «قوات الجيش», B has ACTOR «الجيش»",
        "type: A has WEAPON «بصواريخ», B has ASSET «بصواريخ»",
        "only in B: ACTOR «عادت»",
    ]
    swapped = agreement([b], [A], schema)
    assert swapped.entities.micro.f1 == found.entities.micro.f1
    assert swapped.kappa == pytest.approx(found.kappa)


def test_relations_differ_only_where_both_mentions_are_common(schema: Schema) -> None:
    b = annotated(TEXT, "a ATTACKS b", "b ATTACKED_ON d", "a ATTACKED_ON d")
    found = agreement([A], [b], schema)
    assert [str(each) for each in found.disagreements] == [
        "only in B: «قوات الجيش» ATTACKED_ON «أمس»",
        "only in A: «بلدة النهر» ATTACKED_WITH «بصواريخ»",
    ]
    assert found.relations_common.micro.f1 == pytest.approx(4 / 6)


def test_kappa_is_that_of_the_worked_example() -> None:
    # Two readers, 50 cases: 20 both yes, 15 both no, 5 and 10 otherwise: observed 0.7, by chance 0.5.
    counts = {("yes", "yes"): 20, ("yes", "no"): 5, ("no", "yes"): 10, ("no", "no"): 15}
    assert cohen_kappa(counts) == pytest.approx(0.4)
    assert cohen_kappa({("no", "no"): 3}) == 1.0
    assert cohen_kappa({}) == 1.0


def test_kappa_by_type_counts_words(schema: Schema) -> None:
    b = annotated(TEXT.replace("{a:ACTOR قوات الجيش}", "قوات {a:ACTOR الجيش}"))
    # ACTOR: 1 of 9 words in both, 1 in A alone: observed 8/9, by chance (2*1 + 7*8)/81.
    assert agreement([A], [b], schema).kappa["ACTOR"] == pytest.approx((8 / 9 - 58 / 81) / (1 - 58 / 81))


def test_documents_are_paired_by_id_and_must_be_the_same_text() -> None:
    one, two = replace(A, id="1"), replace(A, id="2")
    assert pair_up([one, two], [two]) == ([two], [two], ["1"])
    with pytest.raises(AnnotationError, match="word 2 is 'الجيش' in A, 'العدو' in B"):
        pair_up([annotated("قوات الجيش")], [annotated("قوات العدو")])
    with pytest.raises(AnnotationError, match="one goes on"):
        pair_up([annotated("قوات")], [annotated("قوات العدو")])
    with pytest.raises(AnnotationError, match="no document is in both readings: A has 1; B has 2"):
        pair_up([one], [two])
    with pytest.raises(AnnotationError, match="reading A has two documents '1'"):
        pair_up([one, one], [one])


def test_white_space_is_no_part_of_a_reading(schema: Schema) -> None:
    wide = annotated(TEXT.replace(" قصفت ", "  قصفت\n"), "a ATTACKS b", "b ATTACKED_WITH c", "b ATTACKED_ON d")
    first, second, _ = pair_up([A], [wide])
    assert agreement(first, second, schema).disagreements == ()


def test_a_reading_for_entities_alone_disagrees_on_no_relation(schema: Schema) -> None:
    alone = annotated(TEXT, annotated="entities")
    for pair in (([A], [alone]), ([alone], [A])):
        found = agreement(*pair, schema)
        assert found.relations_strict.micro.support + found.relations_strict.micro.fp == 0
        assert found.disagreements == ()


def test_marked_text_is_listed_by_line_too(tmp_path: Path, schema: Schema) -> None:
    for name, mark in (("a", "[[ACTOR الجيش]]"), ("b", "الجيش")):
        (tmp_path / name).mkdir()
        (tmp_path / name / "x.marked").write_text(f"# country = SY\n\nسطر أول\nعاد {mark}\n", encoding="utf-8")
    comparison = compare_files(tmp_path / "a", tmp_path / "b", schema)
    assert comparison.places == ((f"{tmp_path}/a/x.marked:4", f"{tmp_path}/b/x.marked:4"),)


@pytest.fixture
def readings(tmp_path: Path) -> tuple[Path, Path]:
    """Two readings of one article on disk, and an article that only the first has."""
    second = annotated(TEXT.replace("{d:DATE أمس}", "أمس"), "a ATTACKS b")
    for name, documents in (("a", [A, replace(A, id="alone")]), ("b", [second])):
        (tmp_path / name).mkdir()
        conllup.write(documents, tmp_path / name / "x.conllup")
    return tmp_path / "a" / "x.conllup", tmp_path / "b" / "x.conllup"


def test_the_command_prints_tables_and_lists_places(
    readings: tuple[Path, Path], capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit):
        main(["agreement", *map(str, readings), "--list"])
    out = capsys.readouterr().out
    assert "in one reading only, not compared: 1" in out
    assert "Cohen's kappa" in out
    a, b, rest = out.splitlines()[-1].split(" ", 2)
    assert rest == "only in A: DATE «أمس»"
    for place, path in ((a, readings[0]), (b, readings[1])):
        file, _, line = place.rpartition(":")
        assert file == str(path)
        assert path.read_text("utf-8").split("\n")[int(line) - 1].split("\t")[1] == "أمس"


def test_the_command_prints_json(readings: tuple[Path, Path], capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        main(["agreement", *map(str, readings), "--json"])
    found = json.loads(capsys.readouterr().out)
    assert (found["documents"], found["only_in_one"]) == (1, ["alone"])
    assert [each["kind"] for each in found["disagreements"]] == ["only in A", "only in A"]
    assert found["entities"]["micro"]["f1"] == pytest.approx(6 / 7)


def test_a_reading_without_documents_of_the_other_is_refused(tmp_path: Path, schema: Schema) -> None:
    conllup.write([Document("x", "", ())], tmp_path / "x.conllup")
    conllup.write([A], tmp_path / "a.conllup")
    with pytest.raises(SystemExit) as stop:
        main(["agreement", str(tmp_path / "x.conllup"), str(tmp_path / "a.conllup")])
    assert stop.value.code == 1
