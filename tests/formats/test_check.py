"""Checks between files, and the `marsad check` and `marsad stats` commands as a user runs them."""

import json
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import pytest

from marsad import formats, words
from marsad.cli import corpus as corpus_verbs
from marsad.cli import main
from marsad.documents import Document
from marsad.errors import AnnotationError, MarsadError
from marsad.evaluation.stats import corpus_stats
from marsad.formats import conllup, jsonl
from marsad.formats.check import NEAR_DUPLICATE, check_files, split_of
from marsad.schema import Schema
from notation import annotated

Run = Callable[..., tuple[int, str, str]]


def save(path: Path, *documents: Document) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    conllup.write(documents, path)
    return path


def article(id: str, text: str | None = None) -> Document:
    return annotated(text or f"عاد {{a:ACTOR الفصيل}} {id} .", id=id)


def found(paths: Sequence[Path], schema: Schema) -> list[tuple[str, int, str]]:
    return [(Path(each.path).name, each.line, each.message) for each in check_files(paths, schema)[2]]


@pytest.fixture
def run(capsys: pytest.CaptureFixture[str]) -> Run:
    def call(*arguments: str | Path) -> tuple[int, str, str]:
        with pytest.raises(SystemExit) as stop:
            main([str(each) for each in arguments])
        out, err = capsys.readouterr()
        return int(stop.value.code or 0), out, err

    return call


@pytest.fixture
def corpus(tmp_path: Path) -> Path:
    """Two articles for training, one for testing, all sound."""
    first = annotated(
        "{a:ACTOR الجيش} قصف {b:LOCATION بلدة النهر} .\nوقع ذلك {c:DATE أمس} .",
        "a ATTACKS b",
        "b ATTACKED_ON c",
        id="1",
        country="SY",
    )
    save(tmp_path / "train" / "a.conllup", first, annotated("عاد {a:ACTOR الجيش} .", id="2", country="SY"))
    save(tmp_path / "test" / "b.conllup", annotated("لا شيء هنا .", id="3", country="IQ"))
    return tmp_path


def test_sound_files_have_no_problems_and_are_counted_once(corpus: Path, schema: Schema) -> None:
    assert check_files([corpus], schema) == (2, 3, [])
    assert check_files([corpus, corpus / "train", corpus / "train" / ".." / "train" / "a.conllup"], schema) == (
        2,
        3,
        [],
    )


def test_an_id_used_twice_in_a_file_is_named_at_each_later_place(tmp_path: Path, schema: Schema) -> None:
    path = save(tmp_path / "a.conllup", article("x", "أ"), article("y", "ب"), article("x", "ج"), article("x", "د"))
    later = [number for number, line in enumerate(path.read_text("utf-8").split("\n"), 1) if line == "# newdoc id = x"]
    problems = found([path], schema)
    assert [(name, line) for name, line, _ in problems] == [("a.conllup", line) for line in later[1:]]
    assert all("'x' is used twice" in message for _, _, message in problems)


def test_an_id_used_twice_between_files_is_named_in_the_later_file(tmp_path: Path, schema: Schema) -> None:
    save(tmp_path / "a.conllup", article("x", "أ"))
    save(tmp_path / "b.conllup", article("y", "ب"), article("x", "ج"))
    ((name, line, message),) = found([tmp_path], schema)
    assert (name, "a.conllup" in message) == ("b.conllup", True)
    assert (tmp_path / "b.conllup").read_text("utf-8").split("\n")[line - 1] == "# newdoc id = x"


@pytest.mark.parametrize(
    "newdoc", ["# newdoc id = x =", "#newdoc id=x =", "# newdoc  id =  x =  "], ids=["plain", "tight", "wide"]
)
def test_ids_are_compared_as_they_are_read(newdoc: str, tmp_path: Path, schema: Schema) -> None:
    path = tmp_path / "a.conllup"
    path.write_text(f"# newdoc id = x =\r\n\r\n{newdoc}\r\n\r\n# newdoc id = x\r\n", encoding="utf-8")
    assert [line for _, line, _ in found([path], schema)] == [3]


@pytest.mark.parametrize("suffix", [".conllup", ".jsonl"])
def test_documents_without_a_newdoc_id_can_share_one_too(suffix: str, tmp_path: Path, schema: Schema) -> None:
    path = tmp_path / f"a{suffix}"
    if suffix == ".jsonl":
        jsonl.write([article("x", "أ"), article("x", "ب")], path)
    else:
        path.write_text("# newdoc\n1\tأ\tO\t_\t_\t_\n\n# newdoc\n1\tب\tO\t_\t_\t_\n", encoding="utf-8")
        path.write_text("# global.columns = ID FORM NER ENTITY RELATION MISC\n" + path.read_text("utf-8"), "utf-8")
    ((_, _, message),) = found([path], schema)
    assert "used twice" in message


def test_an_article_in_two_splits_is_found_by_its_words(tmp_path: Path, schema: Schema) -> None:
    save(tmp_path / "test" / "a.conllup", article("x", "عاد الفصيل ."))
    save(tmp_path / "train" / "b.conllup", article("y", "عاد \n الفصيل."), article("z", "رحل ."))
    ((name, line, message),) = found([tmp_path], schema)
    assert (name, line) == ("b.conllup", 2)
    assert "'y' has the same text" in message
    assert "(test, train)" in message


def test_the_same_text_twice_in_a_split_and_blank_documents_leak_nothing(tmp_path: Path, schema: Schema) -> None:
    save(tmp_path / "train" / "a.conllup", article("x", "عاد ."), Document("blank", "", ()))
    save(tmp_path / "train" / "more" / "b.conllup", article("y", "عاد ."))
    save(tmp_path / "test" / "c.conllup", Document("blank 2", " ", ()))
    assert found([tmp_path], schema) == []


@pytest.mark.parametrize(
    ("path", "split"),
    [
        ("train/a.conllup", "train"),
        ("dev/x/a.conllup", "dev"),
        ("train/test/a", "test"),
        ("corpus/a", ""),
        ("test", ""),
    ],
)
def test_the_nearest_folder_names_the_split(path: str, split: str, tmp_path: Path) -> None:
    assert split_of(tmp_path / path) == split


def test_files_of_all_annotated_formats_are_found_in_folders_and_others_only_by_name(tmp_path: Path) -> None:
    for name in ("b.conllup", "sub/a.conll", "c.iob2", "notes.txt", "raw.jsonl", "README.md"):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).touch()
    assert [each.name for each in formats.find_files([tmp_path])] == ["b.conllup", "c.iob2", "a.conll"]
    assert [each.name for each in formats.find_files([tmp_path / "raw.jsonl"])] == ["raw.jsonl"]
    with pytest.raises(MarsadError, match="gone does not exist"):
        list(formats.find_files([tmp_path / "gone"]))
    (tmp_path / "empty").mkdir()
    with pytest.raises(MarsadError, match=r"empty holds no file that ends in \.conllup"):
        list(formats.find_files([tmp_path / "empty"]))


def test_read_all_raises_the_problems_of_all_files_at_once(tmp_path: Path) -> None:
    for name in ("a", "b"):
        (tmp_path / f"{name}.conll").write_text("أ I\n", encoding="utf-8")
    with pytest.raises(AnnotationError, match=r"(?s)a\.conll:1: .*b\.conll:1: "):
        formats.read_all([tmp_path])


def test_check_says_so_when_all_is_well(run: Run, corpus: Path) -> None:
    assert run("check", corpus) == (0, "2 files, 3 sound documents, 0 problems\n", "")


def test_check_lists_every_problem_as_file_and_line_and_exits_1(run: Run, corpus: Path) -> None:
    path = corpus / "train" / "c.conll"
    path.write_text("أ I\nب B-PERSON\n", encoding="utf-8")
    save(corpus / "test" / "d.conllup", article("1"))
    code, out, err = run("check", corpus)
    assert code == 1
    first, second, third = out.splitlines()
    assert first.startswith(f"{corpus / 'train' / 'a.conllup'}:2: document id '1' is used twice")
    assert second.startswith(f"{path}:1: tag 'I'")
    assert third.startswith(f"{path}:2: entity type 'PERSON'")
    assert err == "4 files, 4 sound documents, 3 problems\n"


def test_check_json_is_one_object_and_exits_the_same(run: Run, corpus: Path) -> None:
    code, out, err = run("check", corpus, "--json")
    assert (code, json.loads(out), err) == (0, {"files": 2, "documents": 3, "problems": []}, "")
    path = corpus / "train" / "c.conll"
    path.write_text("أ I\n", encoding="utf-8")
    code, out, err = run("check", corpus, "--json")
    (problem,) = json.loads(out)["problems"]
    assert (code, err, problem["path"], problem["line"]) == (1, "", str(path), 1)
    assert "tag 'I'" in problem["message"]


def test_check_holds_files_against_the_schema_it_is_given(run: Run, tmp_path: Path) -> None:
    path = save(tmp_path / "a.conllup", annotated("{a:TRIGGER انفجار} .", id="x"))
    schema = tmp_path / "schema.yaml"
    schema.write_text("entities: {TRIGGER: a word that names an event}\n", encoding="utf-8")
    assert run("check", path, "--schema", schema)[0] == 0
    code, out, _ = run("check", path)
    assert (code, "'TRIGGER' is not in the schema" in out) == (1, True)


@pytest.mark.parametrize("verb", ["check", "stats"])
def test_a_path_that_is_not_there_is_an_error_in_words(verb: str, run: Run, tmp_path: Path) -> None:
    code, out, err = run(verb, tmp_path / "gone")
    assert (code, out) == (2, "")
    assert err == f"marsad: {tmp_path / 'gone'} does not exist\n"


def test_a_schema_that_is_not_there_exits_2(run: Run, corpus: Path) -> None:
    code, _, err = run("check", corpus, "--schema", corpus / "none.yaml")
    assert (code, "none.yaml" in err, "Traceback" in err) == (2, True, False)


def test_stats_counts_by_split_and_type(run: Run, corpus: Path) -> None:
    code, out, err = run("stats", corpus, "--json")
    counts: dict[str, Any] = json.loads(out)
    assert (code, err, sorted(counts["splits"])) == (0, "", ["test", "train"])
    every, train = counts["all"], counts["splits"]["train"]
    assert (every["documents"], every["sentences"], every["mentions"], every["relations"]) == (3, 4, 4, 2)
    assert every["words"] == 9 + 3 + 4
    assert every["words_in_document"] == {
        "min": 3,
        "tenth": 3,
        "quarter": 3,
        "median": 4,
        "three_quarters": 9,
        "nine_tenths": 9,
        "max": 9,
    }
    assert (every["without_relations"], train["without_relations"]) == (2, 1)
    assert every["relations_across_sentences"] == 1
    assert every["entity_types"]["ACTOR"] == {
        "mentions": 2,
        "different": 1,
        "words_a_mention": 1.0,
        "commonest": {"الجيش": 2},
        "share_of_commonest": 1.0,
    }
    assert every["entity_types"]["LOCATION"]["words_a_mention"] == 2.0
    assert not any(every["entity_types"]["WEAPON"].values())
    assert {name: number for name, number in every["relation_types"].items() if number} == {
        "ATTACKS": 1,
        "ATTACKED_ON": 1,
    }
    assert train["metadata"] == {"country": {"SY": 2}}


def test_stats_count_an_article_once_however_often_it_is_named(corpus: Path, schema: Schema) -> None:
    assert corpus_stats([corpus, corpus / "train"], schema) == corpus_stats([corpus], schema)


def test_stats_as_a_table_has_a_column_a_split(run: Run, corpus: Path) -> None:
    code, out, _ = run("stats", corpus)
    rows = {line[:28].strip(): line[28:].split() for line in reversed(out.splitlines())}
    assert code == 0
    assert "  ACTOR: 1 different, 100.0 % are one of: الجيش 2" in out.splitlines()
    assert rows[""] == ["test", "train", "all"]
    assert (rows["documents"], rows["ACTOR"], rows["ATTACKS"]) == (["1", "2", "3"], ["0", "2", "2"], ["0", "1", "1"])


def test_stats_of_broken_files_name_the_problems_instead(run: Run, tmp_path: Path) -> None:
    path = tmp_path / "a.conll"
    path.write_text("أ I\n", encoding="utf-8")
    code, out, err = run("stats", path, "--json")
    assert (code, out) == (1, "")
    assert err.startswith(f"{path}:1: tag 'I'")


def test_stats_of_blank_articles_are_all_zero(tmp_path: Path, schema: Schema) -> None:
    path = save(tmp_path / "a.conllup", Document("x", "", ()), Document("y", "\n", ()))
    counts = corpus_stats([path], schema)["all"]
    assert (counts["documents"], counts["words"], counts["words_in_document"]["max"]) == (2, 0, 0)


def _long(id: str, *numbers: int) -> Document:
    """Return an article of a word a number, and as many words as numbers."""
    return annotated(" ".join(f"كلمة{number}" for number in numbers), id=id)


def test_near_duplicates_are_named_with_what_they_share(tmp_path: Path, schema: Schema) -> None:
    # 76 runs of five in each; the second begins with half of the first, written with marks.
    first, second = _long("x", *range(80)), _long("y", *range(40), *range(100, 140))
    marks = Document("z", second.text.replace("كلمة1", "كَلِمـة١"), words.split(second.text.replace("كلمة1", "كَلِمـة١")))
    save(tmp_path / "train" / "a.conllup", first)
    save(tmp_path / "test" / "b.conllup", marks)
    ((name, line, message),) = found([tmp_path], schema)
    assert (name, line) == ("a.conllup", 2)
    assert "'x' shares 47 % of the shorter one's runs of 5 words with 'z'" in message
    assert "(test, train; " in message
    assert "keep both in one split" in message
    assert check_files([tmp_path], schema, near_duplicate=0.5)[2] == []


def test_short_texts_and_common_phrases_are_no_near_duplicates(tmp_path: Path, schema: Schema) -> None:
    save(tmp_path / "train" / "a.conllup", _long("short", *range(50)), _long("own", *range(200, 300)))
    save(tmp_path / "test" / "b.conllup", _long("too", *range(50)[:-1]), _long("phrase", *range(200, 220), *range(80)))
    assert found([tmp_path], schema) == []


def test_the_command_and_the_library_agree_on_what_a_near_duplicate_is() -> None:
    assert corpus_verbs.NEAR_DUPLICATE == NEAR_DUPLICATE


def test_check_takes_the_share_from_the_command_line(run: Run, tmp_path: Path) -> None:
    save(tmp_path / "a.conllup", _long("x", *range(80)), _long("y", *range(20), *range(100, 160)))
    assert run("check", tmp_path / "a.conllup")[0] == 0
    code, out, _ = run("check", tmp_path / "a.conllup", "--near-duplicate", "0.08")
    assert (code, "keep one" in out) == (1, True)
