"""CoNLL-U Plus comes back to the byte and to the character, and every problem has its file and line."""

import random
import re
from pathlib import Path

import pytest

from marsad import words
from marsad.documents import Document, Entity, Relation, Word
from marsad.errors import AnnotationError
from marsad.formats import conllup
from marsad.formats.problems import Problem, Problems
from marsad.schema import Schema
from notation import annotated

COLUMNS = "# global.columns = ID FORM NER ENTITY RELATION MISC\n"
TYPES = ("ACTOR", "ASSET", "LOCATION")
SPACES = (" ", "  ", "\t", "\n", "\r\n", "\r", "\n\n", "\xa0", "\u3000", "\u2028", "\x85", "\x1c", "\v", " \n ")
FORMS = (
    *(
        "قصف",
        "الجيش",
        "_",
        "__",
        "#",
        "|",
        "\\",
        "\\s",
        "=",
        "-",
        "O",
        "B-ACTOR",
        ".",
        "؟",
        "»",
        "1",
        "1-2",
        "T1",
        "\u200f",
    ),
    *("كَتَّب", "ـ", "ﷺ", "\U0001f1f8\U0001f1fe", "\ufeff", "SpaceAfter=No", "# text = ", "a|b", "-DOCSTART-"),
)
IDS = ("T{}", "e-{}", "ك{}", "a:{}", "{}", "T {}", "#{}")


def sample(*rows: str, head: str = "# newdoc id = d\n") -> str:
    """Rows in the smallest notation: cells parted by single spaces, `/` for a line that ends a sentence."""
    lines = ["" if row == "/" else row if row.startswith("#") else row.replace(" ", "\t") for row in rows]
    return COLUMNS + head + "\n".join(lines) + "\n\n"


def problems_of(content: str | bytes, folder: Path, schema: Schema | None = None) -> list[tuple[int, str]]:
    path = folder / "x.conllup"
    path.write_bytes(content if isinstance(content, bytes) else content.encode())
    found: list[Problem] = []
    conllup.read(path, schema=schema, problems=found)
    assert all(problem.path == str(path) for problem in found)
    return [(problem.line, problem.message) for problem in found]


def random_document(dice: random.Random, number: int) -> Document:
    """Any document the format can hold: odd white space, own words and sentences, crossing relations, scores."""
    text, found = dice.choice(("", "", *SPACES)), []
    for _ in range(dice.choice((0, 1, 2, 5, 20))):
        form = dice.choice(FORMS).replace(" ", "")
        found.append(Word(form, len(text), len(text) + len(form)))
        text += form + dice.choice(("", *SPACES, *" " * 20))
    ends = sorted({len(found), *(dice.randint(1, len(found)) for _ in range(3))}) if found else []
    sentences = list(zip([0, *ends], ends, strict=False))
    name = dice.choice(IDS)
    entities = []
    for start, end in sentences:
        place = start
        while place < end and (place := place + dice.choice((0, 0, 1, 3))) < end:
            stop = dice.randint(place + 1, min(place + 3, end))
            score = dice.choice((1.0, 0.0, dice.random()))
            entities.append(Entity(dice.choice(TYPES), place, stop, score, name.format(len(entities) + 3)))
            place = stop
    joined = {
        (dice.choice(("ATTACKS", "SUFFERED")), *dice.sample(range(len(entities)), 2)): None
        for _ in range(4)
        if len(entities) > 1
    }
    # In the order of their heads, as a reader meets them.
    relations = [
        Relation(*each, dice.choice((1.0, 1.0, dice.random()))) for each in sorted(joined, key=lambda each: each[1])
    ]
    meta = (
        {"title": "خبر = عاجل | الآن", "empty": "", "annotated": "entities", "بلد": "SY"} if dice.random() < 0.5 else {}
    )
    return Document(f"خبر {number} / = x", text, found, sentences, entities, relations, meta=meta)


@pytest.mark.parametrize("block", range(10))
def test_any_document_comes_back_to_the_character_and_any_file_to_the_byte(block: int, tmp_path: Path) -> None:
    dice = random.Random(block)
    documents = [random_document(dice, number) for number in range(60)]
    path, again = tmp_path / "a.conllup", tmp_path / "b.conllup"
    conllup.write(documents, path)
    read = conllup.read(path)
    for document, back in zip(documents, read, strict=True):
        assert back == document, ascii(document.text)
        assert [each.id for each in back.entities] == [each.id for each in document.entities]
    conllup.write(read, again)
    assert again.read_bytes() == path.read_bytes()


@pytest.mark.parametrize(
    "text",
    [
        *(
            "",
            " ",
            "\n",
            " \r\n\t",
            "\u3000",
            "\xa0\u2028",
            " قصف.",
            "قصف .\n\n\n",
            "\u2029قصف",
            "قصف\rثم عاد",
            "_ _\n_",
        ),
        *("قصف\\sالبلدة", "a|b", "سطر أول\x85سطر ثان", "\ufeffخبر", "خبر # text = x"),
    ],
)
def test_the_text_comes_back_to_the_character(text: str, tmp_path: Path) -> None:
    found = words.split(text)
    document = Document("d", text, found, words.sentences(text, found))
    conllup.write([document], tmp_path / "d.conllup")
    assert conllup.read(tmp_path / "d.conllup") == [document]


def test_the_example_of_the_guidelines_reads_as_it_says_and_writes_as_it_stands(tmp_path: Path, schema: Schema) -> None:
    rows = [
        "# country = SY",
        "# newpar",
        "# sent_id = example-001-1",
        "# text = هاجم عناصر الفصيل رتلاً قرب بلدة “النهر”.",
        "1 هاجم O _ _ _",
        "2 عناصر B-ACTOR T1 ATTACKS:T2 _",
        "3 الفصيل I-ACTOR T1 _ _",
        "4 رتلاً B-ASSET T2 ATTACKED_AT:T3 _",
        "5 قرب O _ _ _",
        "6 بلدة B-LOCATION T3 _ _",
        "7 “ I-LOCATION T3 _ SpaceAfter=No",
        "8 النهر I-LOCATION T3 _ SpaceAfter=No",
        "9 ” I-LOCATION T3 _ SpaceAfter=No",
        "10 . O _ _ _",
    ]
    path = tmp_path / "x.conllup"
    path.write_text(sample(*rows, head="# newdoc id = example-001\n"), encoding="utf-8")
    (document,) = conllup.read(path, schema=schema)
    assert document == annotated(
        "هاجم {a:ACTOR عناصر الفصيل} {b:ASSET رتلاً} قرب {c:LOCATION بلدة “النهر”}.",
        "a ATTACKS b",
        "b ATTACKED_AT c",
        id="example-001",
        country="SY",
    )
    assert conllup.dumps([document]) == path.read_text("utf-8")


def test_sentences_join_by_a_space_and_paragraphs_by_a_line_break_where_nothing_else_is_said(tmp_path: Path) -> None:
    rows = ["1 أ O _ _ _", "/", "1 ب O _ _ _", "/", "# newpar", "1 ج O _ _ _"]
    assert problems_of(sample(*rows), tmp_path) == []
    (document,) = conllup.read(tmp_path / "x.conllup")
    assert (document.text, document.sentences) == ("أ ب\nج", ((0, 1), (1, 2), (2, 3)))


def test_relations_reach_across_sentences_and_forward(tmp_path: Path, schema: Schema) -> None:
    rows = ["1 أ B-ASSET z ATTACKED_AT:x _", "/", "1 ب B-LOCATION x _ _", "/", "1 ج B-ACTOR y ATTACKS:z|ATTACKS:x _"]
    assert problems_of(sample(*rows), tmp_path, schema) == []
    (document,) = conllup.read(tmp_path / "x.conllup")
    assert {(each.type, each.head, each.tail) for each in document.relations} == {
        ("ATTACKED_AT", 0, 1),
        ("ATTACKS", 2, 0),
        ("ATTACKS", 2, 1),
    }
    assert document.entity_ids == ("z", "x", "y")


def test_a_file_that_nobody_searched_for_relations_says_so(tmp_path: Path) -> None:
    assert problems_of(sample("# annotated = entities", "1 أ B-ACTOR T1 _ _"), tmp_path) == []
    (document,) = conllup.read(tmp_path / "x.conllup")
    assert not document.relations_annotated
    assert "# annotated = entities\n" in conllup.dumps([document])


def test_columns_may_stand_in_another_order_among_others_and_be_few(tmp_path: Path) -> None:
    path = tmp_path / "x.conllup"
    path.write_text("# global.columns = ID LEMMA NER FORM\n1\t_\tB-ACTOR\tالجيش\n2\t_\tO\tعاد\n", encoding="utf-8")
    (document,) = conllup.read(path)
    assert document == annotated("{a:ACTOR الجيش} عاد", id="x")


def test_a_file_without_newdoc_is_one_document_named_after_the_file(tmp_path: Path) -> None:
    path = tmp_path / "خبر 1.conllup"
    path.write_text(COLUMNS + "# country = SY\n1\tعاد\tO\t_\t_\t_\n\n1\tثم\tO\t_\t_\t_\n", encoding="utf-8")
    (document,) = conllup.read(path)
    assert (document.id, document.text, document.meta) == ("خبر 1", "عاد ثم", {"country": "SY"})


@pytest.mark.parametrize(
    "head", ["# made by hand\n# newdoc id = d\n", "\n\n# newdoc id = d\n", "#newdoc id=d\n", "# newdoc  id  =  d  \n"]
)
def test_what_stands_above_the_first_newdoc_is_no_document(head: str, tmp_path: Path) -> None:
    assert problems_of(sample("1 أ O _ _ _", head=head), tmp_path) == []
    assert [each.id for each in conllup.read(tmp_path / "x.conllup")] == ["d"]


def test_documents_without_a_sentence_are_documents(tmp_path: Path) -> None:
    assert problems_of(COLUMNS + "# newdoc id = a\n\n# newdoc id = b\n# title = x\n\n# newdoc id = c\n", tmp_path) == []
    assert [(each.id, each.text) for each in conllup.read(tmp_path / "x.conllup")] == [("a", ""), ("b", ""), ("c", "")]


@pytest.mark.parametrize("content", ["", COLUMNS, "\n\n"])
def test_a_file_without_anything_holds_no_document(content: str, tmp_path: Path) -> None:
    if content == COLUMNS:
        assert conllup.dumps([]) == content
    assert problems_of(content, tmp_path) == []
    assert conllup.read(tmp_path / "x.conllup") == []


@pytest.mark.parametrize("mark", [b"", b"\xef\xbb\xbf"], ids=["plain", "byte order mark"])
@pytest.mark.parametrize("line_end", [b"\n", b"\r\n"], ids=["LF", "CRLF"])
def test_windows_files_read_as_all_others(mark: bytes, line_end: bytes, tmp_path: Path) -> None:
    document = annotated("{a:ACTOR الجيش} قصف {b:LOCATION حلب}.\nثم عاد.", "a ATTACKS b", country="SY")
    content = conllup.dumps([document]).encode()
    path = tmp_path / "x.conllup"
    path.write_bytes(mark + content.replace(b"\n", line_end))
    assert conllup.read(path) == [document]


PROBLEMS = {
    "too few columns": (["1 أ O _ _"], 3, "5 columns, expected 6"),
    "too many columns": (["1 أ O _ _ _ _"], 3, "7 columns, expected 6"),
    "spaces for tabs": (["1\xa0أ\xa0O"], 3, "parted by one tab"),
    "no form": (["1  O _ _ _"], 3, "the form is ''"),
    "id that does not count": (["1 أ O _ _ _", "3 ب O _ _ _", "4 ج O _ _ _"], 4, "token id is '3', expected 2"),
    "multiword token": (["1-2 أ O _ _ _"], 3, "token id is '1-2'"),
    "I after O": (["1 أ O _ _ _", "2 ب I-ACTOR T1 _ _"], 4, "I-ACTOR on 'ب' continues nothing"),
    "I of another type": (["1 أ B-ASSET T1 _ _", "2 ب I-ACTOR T1 _ _"], 4, "I-ACTOR on 'ب' continues nothing"),
    "I after a sentence end": (["1 أ B-ACTOR T1 _ _", "/", "1 ب I-ACTOR T1 _ _"], 5, "a sentence begins here"),
    "tag of another scheme": (["1 أ S-ACTOR _ _ _"], 3, "'S-ACTOR' is not IOB2"),
    "I without a type": (["1 أ I _ _ _"], 3, "'I' is not IOB2"),
    "I- without a type": (["1 أ B-ACTOR T1 _ _", "2 ب I- T1 _ _"], 4, "'I-' is not IOB2"),
    "B- without a type": (["1 أ B- _ _ _"], 3, "'B-' is not IOB2"),
    "unknown entity type": (["1 أ B-ACTORS T1 _ _"], 3, "'ACTORS' is not in the schema (ACTOR,"),
    "id used twice": (["1 أ B-ACTOR T1 _ _", "2 ب B-ACTOR T1 _ _"], 4, "id T1 is used twice, first on line 3"),
    "id used twice, far apart": (["1 أ B-ACTOR T1 _ _", "/", "1 ب B-DATE T1 _ _"], 5, "used twice, first on line 3"),
    "id outside an entity": (["1 أ O T1 _ _"], 3, "id T1 stands on 'أ', which is outside"),
    "entity without id": (["1 أ B-ACTOR T1 _ _", "2 ب B-DATE _ _ _"], 4, "entity DATE has no id"),
    "relation without id": (["1 أ B-ACTOR _ ATTACKS:T2 _"], 3, "entity ACTOR has no id"),
    "two ids in an entity": (["1 أ B-ACTOR T1 _ _", "2 ب I-ACTOR T2 _ _"], 4, "inside entity T1 but carries id T2"),
    "relation to a missing id": (["1 أ B-ACTOR T1 ATTACKS:T9 _"], 3, "points to T9, which is on no token"),
    "relation to nothing": (["1 أ B-ACTOR T1 ATTACKS _"], 3, "not of the form TYPE:Tn"),
    "relation to itself": (["1 أ B-ACTOR T1 ATTACKS:T1 _"], 3, "joins T1 to itself"),
    "relation outside an entity": (["1 أ O _ ATTACKS:T1 _"], 3, "ATTACKS:T1 stands on 'أ'"),
    "relation inside an entity": (
        ["1 أ B-ACTOR T1 _ _", "2 ب I-ACTOR T1 ATTACKS:T2 _", "3 ج B-ASSET T2 _ _"],
        4,
        "belongs on an entity's first token",
    ),
    "relation twice": (
        ["1 أ B-ACTOR T1 ATTACKS:T2|ATTACKS:T2 _", "2 ب B-ASSET T2 _ _"],
        3,
        "ATTACKS:T2 stands twice",
    ),
    "unknown relation type": (["1 أ B-ACTOR T1 HITS:T2 _", "2 ب B-ASSET T2 _ _"], 3, "'HITS' is not in the schema"),
    "pair the schema forbids": (
        ["1 أ B-ASSET T1 ATTACKS:T2 _", "2 ب B-ACTOR T2 _ _"],
        3,
        "ATTACKS cannot go from ASSET (T1) to ACTOR (T2): the schema allows ACTOR -> ACTOR/ASSET/LOCATION",
    ),
    "text of other words": (["# text = أ جـ", "1 أ O _ _ _", "2 ب O _ _ _"], 3, "has 'جـ' at character 3"),
    "text of fewer words": (["# text = أ", "1 أ O _ _ _", "2 ب O _ _ _"], 3, "the tokens give ' ب'"),
    "text without the space": (["# text = أب", "1 أ O _ _ _", "2 ب O _ _ _"], 3, "SpaceAfter=No"),
    "text without tokens": (["# text = أ ب", "/", "1 ج O _ _ _"], 3, "no tokens below"),
    "score that is no number": (["1 أ B-ACTOR T1 _ Score=high"], 3, "score 'high'"),
    "score above one": (["1 أ B-ACTOR T1 _ Score=97"], 3, "score '97'"),
    "score missing": (
        ["1 أ B-ACTOR T1 ATTACKS:T2|AFFILIATED_WITH:T2 RelationScores=0.5", "2 ب B-ACTOR T2 _ _"],
        3,
        "1 relation scores for 2 relations",
    ),
}


@pytest.mark.parametrize("name", PROBLEMS)
def test_a_problem_is_named_once_by_file_and_line(name: str, tmp_path: Path, schema: Schema) -> None:
    rows, line, message = PROBLEMS[name]
    found = problems_of(sample(*rows), tmp_path, schema)
    assert [number for number, _ in found if number == line], found
    assert any(message in each for number, each in found if number == line), found
    alone = {"entity without id", "relation without id", "text of fewer words"}
    assert len(found) == 1 or name in alone, found


@pytest.mark.parametrize("name", PROBLEMS)
def test_lines_are_counted_alike_in_a_windows_file(name: str, tmp_path: Path, schema: Schema) -> None:
    content = sample(*PROBLEMS[name][0])
    windows = b"\xef\xbb\xbf" + content.replace("\n", "\r\n").encode()
    assert problems_of(windows, tmp_path, schema) == problems_of(content, tmp_path, schema)


def test_all_problems_of_a_file_are_found_at_once(tmp_path: Path, schema: Schema) -> None:
    parts, wanted, line = [COLUMNS], [], 1
    for number, (rows, at, message) in enumerate(PROBLEMS.values()):
        part = sample(*rows, head=f"# newdoc id = d{number}\n").removeprefix(COLUMNS)
        wanted.append((line + at - 1, message.partition(", first on line")[0]))
        parts.append(part)
        line += part.count("\n")
    path = tmp_path / "x.conllup"
    path.write_text("".join(parts), encoding="utf-8")
    with pytest.raises(AnnotationError) as error:
        conllup.read(path, schema=schema)
    shown = str(error.value).split("\n")
    for at, message in wanted:
        assert any(each.startswith(f"{path}:{at}: ") and message in each for each in shown), (at, message)
    numbers = [int(re.match(rf"{re.escape(str(path))}:(\d+)", each)[1]) for each in shown]  # type: ignore[index]
    assert numbers == sorted(numbers)


def test_more_problems_than_anyone_reads_are_counted(tmp_path: Path) -> None:
    path = tmp_path / "x.conllup"
    path.write_text(sample(*["1 أ O _ _", "/"] * 80), encoding="utf-8")
    with pytest.raises(AnnotationError, match="30 more") as error:
        conllup.read(path)
    assert str(error.value).count("\n") == 50


def test_a_row_that_cannot_be_read_raises_no_false_alarm_about_its_neighbours(tmp_path: Path) -> None:
    rows = ["# text = أ ب ج د", "1 أ O _ _ _", "2 ب O _ _", "3 ج O _ _ _", "4 د O _ _ _"]
    assert [line for line, _ in problems_of(sample(*rows), tmp_path)] == [5]


def test_a_broken_document_costs_only_itself(tmp_path: Path) -> None:
    good = annotated("{a:ACTOR الجيش} عاد .", id="good")
    other = annotated("ثم {a:ACTOR الفصيل} عاد .", id="other")
    broken = "# newdoc id = broken\n1\tأ\tI-ACTOR\tT1\t_\t_\n\n"
    path = tmp_path / "x.conllup"
    path.write_text(COLUMNS + conllup.format_document(good) + broken + conllup.format_document(other), encoding="utf-8")
    problems: list[Problem] = []
    assert conllup.read(path, problems=problems) == [good, other]
    assert len(problems) == 1
    with pytest.raises(AnnotationError, match=r"x\.conllup:\d+: I-ACTOR"):
        conllup.read(path)


@pytest.mark.parametrize("mark", [b"", b"\xef\xbb\xbf"], ids=["plain", "byte order mark"])
def test_a_file_in_another_encoding_is_named_with_line_and_byte(mark: bytes, tmp_path: Path) -> None:
    content = mark + COLUMNS.encode() + b"\n\n" + "قصف".encode("cp1256")
    ((line, message),) = problems_of(content, tmp_path)
    assert line == 4
    assert f"byte 0x{'قصف'.encode('cp1256')[:1].hex()} is not UTF-8" in message
    assert "cp1256" in message


def test_a_file_that_is_not_there_is_named(tmp_path: Path) -> None:
    with pytest.raises(AnnotationError, match=r"gone\.conllup: cannot be read"):
        conllup.read(tmp_path / "gone.conllup")


def test_a_file_without_the_columns_it_needs_is_named(tmp_path: Path) -> None:
    ((line, message),) = problems_of("# global.columns = ID UPOS\n1\tX\n", tmp_path)
    assert (line, "FORM and NER" in message) == (1, True)


def _crossing() -> Document:
    text = "أ ب"
    return Document("d", text, words.split(text), [(0, 1), (1, 2)], [Entity("ACTOR", 0, 2)])


def _named(*ids: str, entity: str = "ACTOR", relation: str = "ATTACKS") -> Document:
    text = "أ ب"
    entities = [Entity(entity, place, place + 1, id=name) for place, name in enumerate(ids)]
    return Document("d", text, words.split(text), (), entities, [Relation(relation, 0, 1)])


@pytest.mark.parametrize(
    "document",
    [
        pytest.param(_crossing(), id="entity across sentences"),
        pytest.param(_named("T1", "a|b"), id="id with |"),
        pytest.param(_named("T1", "a\tb"), id="id with a tab"),
        pytest.param(_named("T1", "_"), id="id that means none"),
        pytest.param(_named("T1", "T2", entity="A\nB"), id="type with a line break"),
        pytest.param(_named("T1", "T2", entity=""), id="empty type"),
        pytest.param(_named("T1", "T2", relation="hit:by"), id="relation type with :"),
        pytest.param(Document("a\nb", "", ()), id="id of two lines"),
        pytest.param(Document(" a", "", ()), id="id in white space"),
        pytest.param(Document("d", "", (), meta={"title": "a\r\nb"}), id="title of two lines"),
        pytest.param(Document("d", "", (), meta={"text": "a"}), id="a key of the format"),
        pytest.param(Document("d", "", (), meta={"two words": "a"}), id="key of two words"),
        pytest.param(Document("d", "", (), meta={"": "a"}), id="empty key"),
    ],
)
def test_what_the_format_cannot_hold_is_refused_when_written(document: Document, tmp_path: Path) -> None:
    path = tmp_path / "x.conllup"
    with pytest.raises(AnnotationError, match=re.escape(f"document {document.id!r}")):
        conllup.write([annotated("قبله", id="before"), document], path)
    assert not path.exists(), "no half a file is left"


def test_loads_gives_documents_before_the_end_of_the_file_is_parsed() -> None:
    report = Problems(Path("x"))
    stream = conllup.loads(sample("1 أ O _ _ _") + "# newdoc id = e\n1\tب\n", report)
    assert next(stream).id == "d"
    assert not report.found
    assert list(stream) == []
    assert len(report.found) == 1
