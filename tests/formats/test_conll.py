"""Two-column CoNLL: three tagging schemes and their other spellings, found out where not told."""

import random
from pathlib import Path

import pytest

from marsad.documents import Document, Entity, Word
from marsad.errors import AnnotationError
from marsad.formats import conll
from marsad.formats.problems import Problem
from marsad.schema import Schema
from notation import annotated

SCHEMES = ("IOB1", "IOB2", "BIOES")


def read(content: str, folder: Path, **options: object) -> list[Document]:
    path = folder / "خبر.conll"
    path.write_bytes(content.encode())
    return conll.read(path, **options)  # type: ignore[arg-type]


def tagged(tags: str) -> str:
    """One letter a word; tags parted by spaces, `/` for a blank line."""
    return "".join("\n" if tag == "/" else f"ك {tag}\n" for tag in tags.split())


def spans(documents: list[Document]) -> list[tuple[str, int, int]]:
    return [(entity.type, entity.start, entity.end) for document in documents for entity in document.entities]


def random_document(dice: random.Random) -> Document:
    ends = sorted({dice.randint(1, 30) for _ in range(4)})
    found = [Word("ك", 2 * index, 2 * index + 1) for index in range(ends[-1])]
    sentences = list(zip([0, *ends], ends, strict=False))
    entities = []
    for start, end in sentences:
        place = start
        while (place := place + dice.choice((0, 0, 0, 2))) < end:
            stop = dice.randint(place + 1, min(end, place + 3))
            entities.append(Entity(dice.choice("AB"), place, stop))
            place = stop
    text = " ".join(word.text for word in found)
    return Document("خبر", text, found, sentences, entities, meta={"annotated": "entities"})


@pytest.mark.parametrize("scheme", SCHEMES)
def test_words_sentences_and_entities_come_back_in_each_scheme(scheme: conll.Scheme, tmp_path: Path) -> None:
    dice = random.Random(5)
    for _ in range(200):
        document = random_document(dice)
        content = conll.dumps([document], scheme=scheme)
        assert read(content, tmp_path, scheme=scheme) == [document]


@pytest.mark.parametrize("scheme", SCHEMES)
def test_the_scheme_of_a_file_is_found_out(scheme: conll.Scheme, tmp_path: Path) -> None:
    dice = random.Random(6)
    documents = [random_document(dice) for _ in range(50)]
    again = read(conll.dumps(documents, scheme=scheme), tmp_path)
    assert [each.entities for each in again] == [each.entities for each in documents]


@pytest.mark.parametrize(
    ("tags", "expected"),
    [
        pytest.param("I-A I-A O I-B", [("A", 0, 2), ("B", 3, 4)], id="IOB1"),
        pytest.param("I-A B-A I-A I-B", [("A", 0, 1), ("A", 1, 3), ("B", 3, 4)], id="IOB1, neighbours"),
        pytest.param("I-A / I-A", [("A", 0, 1), ("A", 1, 2)], id="IOB1, sentences"),
        pytest.param("B-A I-A B-A O B-B", [("A", 0, 2), ("A", 2, 3), ("B", 4, 5)], id="IOB2"),
        pytest.param("B-A E-A S-A B-B I-B E-B", [("A", 0, 2), ("A", 2, 3), ("B", 3, 6)], id="BIOES"),
        pytest.param("B-A L-A U-A B-B I-B L-B", [("A", 0, 2), ("A", 2, 3), ("B", 3, 6)], id="BILOU"),
        pytest.param("B-A E-A W-A B-B M-B E-B", [("A", 0, 2), ("A", 2, 3), ("B", 3, 6)], id="BMEWO"),
        pytest.param("O O", [], id="none"),
        pytest.param("B-A-X I-A-X", [("A-X", 0, 2)], id="a type with a hyphen"),
    ],
)
def test_entities_are_read_by_the_scheme_of_their_tags(
    tags: str, expected: list[tuple[str, int, int]], tmp_path: Path
) -> None:
    assert spans(read(tagged(tags), tmp_path)) == expected


@pytest.mark.parametrize(
    ("scheme", "expected"),
    [
        ("IOB1", "I-A I-A B-A O I-B / I-B"),
        ("IOB2", "B-A I-A B-A O B-B / B-B"),
        ("BIOES", "B-A E-A S-A O S-B / S-B"),
    ],
)
def test_entities_are_written_by_the_scheme_asked_for(scheme: conll.Scheme, expected: str) -> None:
    text = "ك ك ك ك ك ك"
    found = [Word("ك", 2 * index, 2 * index + 1) for index in range(6)]
    entities = [Entity("A", 0, 2), Entity("A", 2, 3), Entity("B", 4, 5), Entity("B", 5, 6)]
    document = Document("d", text, found, [(0, 5), (5, 6)], entities)
    assert conll.dumps([document], scheme=scheme) == tagged(expected) + "\n"


def test_documents_teach_tags_and_are_no_evidence_about_relations(tmp_path: Path) -> None:
    document = annotated("{a:ACTOR الجيش} قصف {b:LOCATION حلب}", "a ATTACKS b", id="خبر", country="SY")
    (back,) = read(conll.dumps([document]), tmp_path)
    assert back.entities == document.entities
    assert back.relations == ()
    assert not back.relations_annotated


def test_docstart_lines_part_documents_blank_ones_too(tmp_path: Path) -> None:
    documents = [annotated("{a:ACTOR الجيش} عاد"), Document("blank", "", ()), annotated("ثم رحل")]
    back = read(conll.dumps(documents), tmp_path)
    assert [each.text for each in back] == ["الجيش عاد", "", "ثم رحل"]
    assert len({each.id for each in back}) == 3


def test_docstart_lines_of_the_shared_task_are_read(tmp_path: Path) -> None:
    back = read("-DOCSTART- -X- O O\n\nالجيش B-ACTOR\n\n-DOCSTART- -X- O O\n\nعاد O\n", tmp_path)
    assert [each.text for each in back] == ["الجيش", "عاد"]


def test_a_file_without_docstart_is_one_document_named_after_the_file(tmp_path: Path) -> None:
    (document,) = read("الجيش B-ACTOR\nعاد O\n\n\n\nثم O\n", tmp_path)
    assert (document.id, document.text, document.sentences) == ("خبر", "الجيش عاد ثم", ((0, 2), (2, 3)))


@pytest.mark.parametrize("content", ["", "\n\n", "\ufeff"])
def test_an_empty_file_holds_no_document(content: str, tmp_path: Path) -> None:
    assert read(content, tmp_path) == []


def test_tabs_windows_line_ends_and_byte_order_marks_make_no_difference(tmp_path: Path) -> None:
    plain = "الجيش B-ACTOR\n\u200fعاد O\n\nثم O\n"
    assert read("\ufeff" + plain.replace("\n", "\r\n").replace(" ", "\t"), tmp_path) == read(plain, tmp_path)


@pytest.mark.parametrize(
    ("content", "line", "message"),
    [
        ("أ O\nب\n", 2, "1 columns, expected 2"),
        ("أ O\nب NN O\n", 2, "3 columns, expected 2"),
        ("أ\xa0ب O\n", 1, "3 columns, expected 2"),
        ("أ B\n", 1, "tag 'B'"),
        ("أ O-A\n", 1, "tag 'O-A'"),
        ("أ -A\n", 1, "tag '-A'"),
        ("أ BI-A\n", 1, "tag 'BI-A'"),
        ("أ b-A\n", 1, "tag 'b-A'"),
        ("أ B-A\nب O\nج I-A\n", 3, "I-A on 'ج' continues nothing"),
        ("أ B-A\nب I-B\n", 2, "I-B on 'ب' continues nothing"),
        ("أ B-A\n\nب I-A\n", 3, "I-A on 'ب' continues nothing"),
        ("أ S-A\nب B-A\nج O\n", 2, "B-A on 'ب' is not ended"),
        ("أ S-A\nب B-A\nج I-A\n", 3, "I-A on 'ج' is not ended"),
        ("أ S-A\nب E-A\n", 2, "E-A on 'ب' continues nothing"),
        ("أ S-A\n\nب B-A\nج E-B\n", 4, "E-B on 'ج' continues nothing"),
    ],
)
@pytest.mark.parametrize("windows", [False, True], ids=["LF", "CRLF"])
def test_a_problem_is_named_by_file_and_line(
    content: str, line: int, message: str, windows: bool, tmp_path: Path
) -> None:
    problems: list[Problem] = []
    assert read(content.replace("\n", "\r\n" if windows else "\n"), tmp_path, problems=problems) == []
    assert any(each.line == line and message in each.message for each in problems), problems
    with pytest.raises(AnnotationError, match=rf"خبر\.conll:{line}: "):
        read(content, tmp_path)


def test_all_problems_are_found_at_once(tmp_path: Path, schema: Schema) -> None:
    problems: list[Problem] = []
    read("أ\nب B-PERSON\nج X\nد O\nه I-ACTOR\n", tmp_path, schema=schema, problems=problems)
    assert sorted(each.line for each in problems) == [1, 2, 3, 5]
    assert any("'PERSON' is not in the schema (ACTOR," in each.message for each in problems)


def test_a_file_in_another_encoding_is_named_with_its_line(tmp_path: Path) -> None:
    (tmp_path / "x.conll").write_bytes(b"a O\n" + "قصف O\n".encode("cp1256"))
    with pytest.raises(AnnotationError, match=r"x\.conll:2: byte 0x.. is not UTF-8"):
        conll.read(tmp_path / "x.conll")


def test_an_entity_across_sentences_is_refused_when_written(tmp_path: Path) -> None:
    document = Document("d", "ك ك", [Word("ك", 0, 1), Word("ك", 2, 3)], [(0, 1), (1, 2)], [Entity("ACTOR", 0, 2)])
    with pytest.raises(AnnotationError, match=r"document 'd': ACTOR 'ك ك' crosses a sentence end"):
        conll.write([document], tmp_path / "x.conll")


def test_an_unknown_scheme_is_refused() -> None:
    with pytest.raises(AnnotationError, match="'BIO2' is none of IOB1, IOB2, BIOES"):
        conll.tags_of([], 1, "BIO2")  # type: ignore[arg-type]
