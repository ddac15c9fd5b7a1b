"""JSON lines of documents and of raw reports, plain text, and the table of events."""

import csv as standard_csv
import json
from pathlib import Path

import pytest

from marsad import formats, words
from marsad.documents import Document, Entity, Event
from marsad.errors import AnnotationError, MarsadError
from marsad.formats import csv, jsonl, text
from marsad.formats.problems import Problem
from marsad.schema import Schema
from notation import annotated

ROLES = ("attacker", "place", "target")


def lines(folder: Path, *content: str | dict[str, object]) -> Path:
    path = folder / "تقارير.jsonl"
    rows = [each if isinstance(each, str) else json.dumps(each, ensure_ascii=False) for each in content]
    path.write_text("".join(f"{row}\n" for row in rows), encoding="utf-8")
    return path


def incident(marked: str = "{a:ACTOR الجيش} قصف {b:LOCATION حلب} .", *, id: str = "d") -> Document:
    document = annotated(marked, id=id)
    found = [Event({"attacker": (0,), "target": (1,)}, 0.5, (0,))]
    return Document(document.id, document.text, document.words, document.sentences, document.entities, (), found)


def rows_of(content: str) -> list[list[str]]:
    return list(standard_csv.reader(content.splitlines(keepends=True)))


def test_whole_documents_come_back_equal_a_line_each(tmp_path: Path) -> None:
    odd = "سطر\u2028ثان\x85ثالث\r\nرابع\u2029 \U0001f1f8\U0001f1fe"
    documents = [incident(), text.from_text(odd, "odd"), Document("", "", ()), text.from_text(" \n", "blank")]
    path = tmp_path / "a.jsonl"
    jsonl.write(documents, path)
    content = path.read_text("utf-8")
    assert len(content.splitlines()) == len(documents), "nor does a tool that knows all line breaks see more lines"
    assert "الجيش" in content, "Arabic stays readable"
    assert jsonl.read(path) == documents
    assert formats.read(path) == documents


def test_raw_reports_are_split_into_words_and_keep_id_and_meta(tmp_path: Path) -> None:
    path = lines(
        tmp_path,
        {"id": "خبر 1", "text": "قصف الجيش حلب.\nثم عاد.", "meta": {"country": "SY", "killed": 3, "url": None}},
        {"id": 17, "text": "عاد", "source": "a key of its own"},
    )
    first, second = jsonl.read(path)
    assert (first.id, first.meta) == ("خبر 1", {"country": "SY", "killed": "3"})
    assert [word.text for word in first.words] == ["قصف", "الجيش", "حلب", ".", "ثم", "عاد", "."]
    assert first.sentences == ((0, 4), (4, 7))
    assert (second.id, second.meta) == ("17", {})


def test_reports_without_an_id_are_named_by_file_and_line(tmp_path: Path) -> None:
    path = lines(tmp_path, {"text": "أ"}, "", {"id": None, "text": "ب"}, {"id": "", "text": "ج"})
    assert [each.id for each in jsonl.read(path)] == ["تقارير-1", "تقارير-3", ""]


@pytest.mark.parametrize("mark", ["", "\ufeff"])
@pytest.mark.parametrize("line_end", ["\n", "\r\n", "\n\n"])
def test_windows_files_and_blank_lines_read_as_all_others(mark: str, line_end: str, tmp_path: Path) -> None:
    path = tmp_path / "x.jsonl"
    path.write_bytes((mark + line_end.join(['{"id": "a", "text": "أ"}', '{"id": "b", "text": "ب"}'])).encode())
    assert [(each.id, each.text) for each in jsonl.read(path)] == [("a", "أ"), ("b", "ب")]


@pytest.mark.parametrize(
    ("line", "message"),
    [
        ('{"id": "x", "text": "قصف', "not JSON"),
        ("قصف الجيش", "not JSON"),
        ('{"text": "أ"} {"text": "ب"}', "not JSON"),
        ('["قصف"]', 'expected an object with "text"'),
        ('"قصف"', 'expected an object with "text"'),
        ("null", 'expected an object with "text"'),
        ('{"id": "x"}', 'expected an object with "text"'),
        ('{"id": "x", "text": 5}', 'expected an object with "text"'),
        ('{"id": "x", "text": "قصف", "meta": ["SY"]}', "meta is"),
        ('{"id": "x", "text": "\\ud83d"}', "document 'x': character 0"),
        ('{"id": "x", "text": "قصف", "words": [[0, 3]]}', "document 'x': version is None"),
        ('{"version": 1, "id": "x", "text": "قصف", "words": [[0, 3, 4]]}', "document 'x': words"),
        ('{"version": 1, "id": "x", "text": "قصف", "words": [[0, 3]]}', "document 'x': sentences"),
    ],
)
def test_a_bad_line_is_named_by_its_number_and_costs_only_itself(line: str, message: str, tmp_path: Path) -> None:
    path = lines(tmp_path, {"id": "a", "text": "أ"}, "", line, {"id": "b", "text": "ب"})
    problems: list[Problem] = []
    assert [each.id for each in jsonl.read(path, problems=problems)] == ["a", "b"]
    ((where, number, found),) = [(each.path, each.line, each.message) for each in problems]
    assert (where, number) == (str(path), 3)
    assert message in found
    with pytest.raises(AnnotationError, match=r"تقارير\.jsonl:3: "):
        jsonl.read(path)


def test_documents_are_held_against_a_schema(tmp_path: Path, schema: Schema) -> None:
    good = annotated("{a:ACTOR الجيش} قصف {b:LOCATION حلب}", "a ATTACKS b", id="good")
    path = lines(
        tmp_path,
        annotated("{a:PERSON أحمد} عاد", id="type").to_dict(),
        good.to_dict(),
        annotated("{a:ASSET حاجز} قصف {b:ACTOR الجيش}", "a ATTACKS b", id="pair").to_dict(),
        annotated("{a:ACTOR الجيش} قصف {b:ASSET حاجزا}", "a HITS b", id="relation").to_dict(),
    )
    problems: list[Problem] = []
    assert jsonl.read(path, schema=schema, problems=problems) == [good]
    assert [each.line for each in problems] == [1, 3, 4]
    assert "'PERSON' is not in the schema" in problems[0].message
    assert "ATTACKS from ASSET to ACTOR" in problems[1].message


@pytest.mark.parametrize("content", ["", " \n", "قصف الجيش.\r\nثم عاد.\r", "\u200fخبر\u2028ثان"])
def test_a_text_file_is_one_document_named_after_the_file(content: str, tmp_path: Path) -> None:
    path = tmp_path / "خبر 1.txt"
    text.write([text.from_text(content)], path)
    assert path.read_bytes() == content.encode()
    (document,) = text.read(path)
    assert (document.id, document.text) == ("خبر 1", content)
    assert document == text.from_text(content, "خبر 1")


def test_a_text_file_may_open_with_a_byte_order_mark(tmp_path: Path) -> None:
    (tmp_path / "x.txt").write_bytes(b"\xef\xbb\xbf" + "عاد".encode())
    assert text.read(tmp_path / "x.txt")[0].text == "عاد"


def test_a_text_file_in_another_encoding_is_a_problem_of_its_own(tmp_path: Path) -> None:
    path = tmp_path / "x.txt"
    path.write_bytes("قصف".encode("cp1256"))
    problems: list[Problem] = []
    assert text.read(path, problems=problems) == []
    assert [each.line for each in problems] == [1]
    with pytest.raises(AnnotationError, match="not UTF-8"):
        text.read(path)


def test_two_documents_do_not_go_into_one_text_file(tmp_path: Path) -> None:
    with pytest.raises(AnnotationError, match="one document, got 2"):
        text.write([text.from_text("أ"), text.from_text("ب")], tmp_path / "x.txt")


def test_the_table_has_a_row_an_event_and_a_column_a_role(tmp_path: Path) -> None:
    marked = '{a:ACTOR الجيش} و{c:ACTOR ال"فصيل", معا} قصفا {b:LOCATION حلب} .\nثم عادا .'
    base = annotated(marked.replace("و{", "و {"), id="خبر 1")
    events = [
        Event({"attacker": (0, 1), "target": (2,)}, 1 / 3, (0, 1)),
        Event({"target": (2,)}, 1.0, (0,)),
    ]
    document = Document(base.id, base.text, base.words, base.sentences, base.entities, (), events)
    path = tmp_path / "x.csv"
    csv.write([document, Document("none", "", ())], path, roles=ROLES)
    assert rows_of(path.read_text("utf-8-sig")) == [
        ["document", "event", "score", "attacker", "place", "target", "evidence"],
        ["خبر 1", "1", "0.3333", 'الجيش | ال"فصيل", معا', "", "حلب", f"{base.sentence_text(0)} | ثم عادا ."],
        ["خبر 1", "2", "1.0000", "", "", "حلب", base.sentence_text(0)],
    ]


def test_excel_is_told_that_the_table_is_unicode(tmp_path: Path) -> None:
    csv.write([], tmp_path / "x.csv", roles=ROLES)
    assert (tmp_path / "x.csv").read_bytes().startswith(b"\xef\xbb\xbfdocument,event,")


@pytest.mark.parametrize("opening", ["=", "+", "-", "@", "＝", "＋", "－", "＠"])
def test_no_cell_of_a_strangers_report_is_run_as_a_formula(opening: str) -> None:
    source = f"{opening}cmd('x') قصف حلب"
    found = words.split(source)
    entities = [Entity("ACTOR", 0, 2), Entity("LOCATION", len(found) - 1, len(found))]
    events = [Event({"attacker": (0,), "target": (1,)}, 1.0, (0,))]
    document = Document(f"{opening}1", source, found, (), entities, (), events)
    ((name, number, score, attacker, place, target, evidence),) = rows_of(csv.format_document(document, ROLES))
    assert (name, attacker, evidence) == (f"'{opening}1", f"'{opening}cmd", f"'{source}")
    assert (number, score, place, target) == ("1", "1.0000", "", "حلب")


def test_a_line_break_in_a_mention_stays_in_its_cell() -> None:
    document = incident("{a:ACTOR قوات\nالجيش} قصفت {b:LOCATION حلب} .")
    first, second = document.sentences
    assert (first, second) == ((0, 1), (1, 5))
    ((_, _, _, attacker, *_),) = rows_of(csv.format_document(document, ROLES))
    assert attacker == "قوات\nالجيش"


def test_a_table_is_not_read_back() -> None:
    with pytest.raises(AnnotationError, match=r"x\.csv: a table of events holds no documents"):
        csv.read("x.csv")


@pytest.mark.parametrize("name", ["x.docx", "x"])
def test_a_file_of_no_known_format_is_refused_with_those_that_are(name: str) -> None:
    with pytest.raises(MarsadError, match=r"\.conllup, \.conll, \.marked, \.jsonl, \.parquet, \.txt"):
        formats.read(name)
