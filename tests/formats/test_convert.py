"""`marsad convert`: from one format to another, all or nothing."""

from pathlib import Path

import pytest

from marsad import formats
from marsad.errors import AnnotationError, MarsadError
from marsad.formats import conllup, jsonl
from marsad.formats.convert import convert
from marsad.schema import Schema
from notation import annotated

MARKED = "# country = SY\n[[T1:ACTOR الجيش]] قصف [[T2:LOCATION حلب]]\n---\nT1 ATTACKS T2\n"


@pytest.fixture
def inputs(tmp_path: Path) -> Path:
    """Two marked articles in folders of their own."""
    for place in ("train/a", "dev/b"):
        path = tmp_path / "in" / f"{place}.marked"
        path.parent.mkdir(parents=True)
        path.write_text(MARKED, encoding="utf-8")
    return tmp_path / "in"


def test_a_folder_of_marked_text_becomes_a_corpus(inputs: Path, tmp_path: Path, schema: Schema) -> None:
    made = convert([inputs], tmp_path / "out", schema=schema)
    assert sorted(each.relative_to(tmp_path / "out").as_posix() for each in made) == [
        "dev/b.conllup",
        "train/a.conllup",
    ]
    (document,) = conllup.read(tmp_path / "out" / "dev" / "b.conllup", schema=schema)
    assert (document.id, document.meta, len(document.relations)) == ("b", {"country": "SY"}, 1)
    convert([tmp_path / "out"], tmp_path / "back", suffix=".marked", schema=schema)
    assert formats.read_all([tmp_path / "back"]) == formats.read_all([inputs])


def test_all_documents_into_one_file(inputs: Path, tmp_path: Path, schema: Schema) -> None:
    assert convert([inputs], tmp_path / "all.jsonl", schema=schema) == [tmp_path / "all.jsonl"]
    assert [each.id for each in jsonl.read(tmp_path / "all.jsonl")] == ["b", "a"]
    with pytest.raises(AnnotationError, match=r"a\.marked: x\.marked can hold one document, not 2"):
        convert([inputs], tmp_path / "x.marked", schema=schema)


def test_one_mistake_and_nothing_is_written(inputs: Path, tmp_path: Path, schema: Schema) -> None:
    (inputs / "bad.marked").write_text("عاد\n[[T1:ARMY الجيش]]\n", encoding="utf-8")
    with pytest.raises(AnnotationError, match=r"bad\.marked:2: entity type 'ARMY'"):
        convert([inputs], tmp_path / "out", schema=schema)
    assert not (tmp_path / "out").exists()
    assert len(convert([inputs], tmp_path / "out", schema=None)) == 3


def test_a_document_that_the_format_cannot_hold_leaves_nothing_behind(tmp_path: Path) -> None:
    source = tmp_path / "in.jsonl"
    jsonl.write([annotated("{a:ACTOR عاد}", id="a"), annotated("عاد", id="b", **{"two words": "x"})], source)
    with pytest.raises(AnnotationError, match="'two words' cannot be the name of a metadata line"):
        convert([source], tmp_path / "out")
    assert not [each for each in (tmp_path / "out").rglob("*") if each.is_file()]


def test_files_that_are_there_are_kept(inputs: Path, tmp_path: Path, schema: Schema) -> None:
    convert([inputs], tmp_path / "out", schema=schema)
    with pytest.raises(MarsadError, match=r"is there already: choose another output"):
        convert([inputs], tmp_path / "out", schema=schema)
    convert([inputs], tmp_path / "out", schema=schema, overwrite=True)
    with pytest.raises(MarsadError, match="is the folder of the inputs"):
        convert([inputs], inputs, overwrite=True)
    with pytest.raises(MarsadError, match="is an input too"):
        convert([inputs / "dev" / "b.marked"], inputs / "dev" / "b.marked", overwrite=True)


@pytest.mark.parametrize("name", ["a/b", "..", "a\\b"])
def test_an_id_that_is_no_file_name_is_refused(name: str, tmp_path: Path) -> None:
    jsonl.write([annotated("عاد", id=name)], tmp_path / "in.jsonl")
    with pytest.raises(AnnotationError, match="cannot be a file's name"):
        convert([tmp_path / "in.jsonl"], tmp_path / "out")


def test_raw_reports_become_marked_text_and_no_gold(tmp_path: Path) -> None:
    (tmp_path / "raw.txt").write_text("عاد الجيش", encoding="utf-8")
    with pytest.raises(AnnotationError, match=r"raw\.txt: nothing is annotated here"):
        convert([tmp_path / "raw.txt"], tmp_path / "out")
    (made,) = convert([tmp_path / "raw.txt"], tmp_path / "out", suffix=".marked")
    assert made.read_text("utf-8") == "# id = raw\nعاد الجيش\n---\n"


@pytest.mark.parametrize(("name", "suffix"), [("all.json", None), ("all.jsonl", ".conllup")])
def test_a_name_of_another_format_is_refused(inputs: Path, tmp_path: Path, name: str, suffix: str | None) -> None:
    with pytest.raises(MarsadError, match=r"all\.json"):
        convert([inputs], tmp_path / name, suffix=suffix)


def test_an_output_below_a_file_is_an_error_in_words(inputs: Path, tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(MarsadError, match="cannot be written"):
        convert([inputs], tmp_path / "file" / "out")


def test_an_input_named_twice_is_read_once(inputs: Path, tmp_path: Path) -> None:
    assert len(convert([inputs, inputs / "dev" / "b.marked"], tmp_path / "out")) == 2


def test_an_id_used_twice_is_refused(inputs: Path, tmp_path: Path) -> None:
    convert([inputs / "dev"], tmp_path / "other")
    with pytest.raises(AnnotationError, match="document id 'b' is used twice"):
        convert([inputs, tmp_path / "other"], tmp_path / "all.conllup")
