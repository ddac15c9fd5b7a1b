"""Marked text: what a person writes comes back as meant, and every mistake is named by its line."""

from pathlib import Path

import pytest

import any_string
from marsad.documents import Document, Entity, Relation, Word
from marsad.errors import AnnotationError
from marsad.formats import conllup, marked, text
from marsad.formats.problems import Problem, Problems
from marsad.schema import Schema
from notation import annotated

CORPUS = Path(__file__).parents[2] / "data" / "annotations"
ARTICLE = """\
# country = SY
# genre = newspaper
[[T1:ACTOR قوات النظام]] تقصف [[T2:LOCATION ريف إدلب]] [[WEAPON بالمدفعية الثقيلة]]

لا خسائر\\[1\\].
---
# the attack
T1 ATTACKS T2
"""


def save(folder: Path, content: str) -> Path:
    path = folder / "a.marked"
    path.write_bytes(content.encode("utf-8"))
    return path


def mistakes(folder: Path, content: str, schema: Schema) -> list[tuple[int, str]]:
    problems: list[Problem] = []
    assert marked.read(save(folder, content), schema=schema, problems=problems) == []
    return [(each.line, each.message) for each in problems]


def test_marks_relations_and_metadata_are_read(tmp_path: Path, schema: Schema) -> None:
    (document,) = marked.read(save(tmp_path, ARTICLE), schema=schema)
    assert document.text == "قوات النظام تقصف ريف إدلب بالمدفعية الثقيلة\n\nلا خسائر[1]."
    assert (document.id, document.meta) == ("a", {"country": "SY", "genre": "newspaper"})
    assert [(each.type, document.surface(each)) for each in document.entities] == [
        ("ACTOR", "قوات النظام"),
        ("LOCATION", "ريف إدلب"),
        ("WEAPON", "بالمدفعية الثقيلة"),
    ]
    assert document.relations == (Relation("ATTACKS", 0, 1),)


def test_line_ends_of_windows_and_no_relations_at_all(tmp_path: Path, schema: Schema) -> None:
    (document,) = marked.read(save(tmp_path, "# id = x\r\n[[ACTOR الجيش]] عاد\r\nاليوم\r\n"), schema=schema)
    assert (document.id, document.text, len(document.relations)) == ("x", "الجيش عاد\nاليوم", 0)


@pytest.mark.parametrize(
    ("line", "message"),
    [
        ("[[T1:ACTER الجيش]] عاد", "entity type 'ACTER' is not in the schema"),
        ("[[T1:ACTOR الجيش عاد", "'[[T1:ACTOR ' is not closed on its line"),
        ("[[T1:ACTOR جيش [[T2:ACTOR العراق]]", "'[[T2:ACTOR ' opens inside '[[T1:ACTOR '"),
        ("الجيش]] عاد", "]] after 'الجيش' closes nothing"),
        ("[[ الجيش]] عاد", "'[[ الجيش]] عاد' opens no mark"),
        ("وال[[T1:ACTOR جيش]] عاد", "T1 'جيش' does not begin and end at whole words: mark 'والجيش'"),
        ("[[T1:ACTOR الجيش ]]عاد", "T1 'الجيش ' does not begin and end at whole words: mark 'الجيش'"),
        ("[[T1:ACTOR ]] عاد", "T1 '' marks no word"),
        ("[[#1:ACTOR الجيش]] عاد", "'#1' cannot be an id"),
        ("[[_:ACTOR الجيش]] عاد", "'_' cannot be an id"),
        ("عاد [[T1:ACTOR الجيش. ثم]] ذهب", "T1 'الجيش. ثم' crosses a sentence end"),
        ("[[T1:ACTOR الجيش]] [[T1:ACTOR عاد]]", "id T1 is used twice, first on line 2"),
    ],
)
def test_a_wrong_mark_is_named_by_its_line(tmp_path: Path, schema: Schema, line: str, message: str) -> None:
    found = mistakes(tmp_path, f"# country = SY\n{line}\nثم ذهب\n", schema)
    assert any(number == 2 and message in said for number, said in found), found


@pytest.mark.parametrize(
    ("content", "line", "message"),
    [
        ("[[T1:ACTOR الجيش]] قصف [[T2:ASSET نقطة]]\n--\nT1 ATTACKS T2", 2, "'--' is read as text: the line above the"),
        ("[[T1:ACTOR الجيش]] قصف [[T2:ASSET نقطة]]\nT1 ATTACKS T2", 2, "relations stand below a line ---"),
        ("# country: SY\nعاد", 1, "'# country: SY' is read as text: metadata lines are # key = value"),
        ("# country = SY\n\nعاد\n# genre = post", 4, "metadata lines are # key = value, above the text"),
        ("# country = SY\n# country = IQ\nعاد", 2, "metadata 'country' stands twice"),
    ],
)
def test_a_line_meant_as_something_else_is_not_taken_for_text(
    tmp_path: Path, schema: Schema, content: str, line: int, message: str
) -> None:
    assert [(n, message in said) for n, said in mistakes(tmp_path, content, schema) if n == line] == [(line, True)]


def test_blank_lines_above_and_spaces_around_the_dashes_change_nothing(tmp_path: Path, schema: Schema) -> None:
    (document,) = marked.read(save(tmp_path, "\n" + ARTICLE.replace("---", " ---\t")), schema=schema)
    assert (document.meta["country"], len(document.relations)) == ("SY", 1)


@pytest.mark.parametrize(
    ("line", "message"),
    [
        ("T1 ATTACKS", "'T1 ATTACKS' is no relation: write HEAD TYPE TAIL"),
        ("T1 ATTACKS T9", "T9 is the id of no mark"),
        ("a note below", "neither a nor below is the id of a mark"),
        ("T1 HITS T2", "relation type 'HITS' is not in the schema"),
        ("T2 ATTACKS T1", "ATTACKS cannot go from WEAPON (T2) to ACTOR (T1): the schema allows ACTOR ->"),
        ("T1 AFFILIATED_WITH T1", "joins T1 to itself"),
        ("T1 ATTACKED_WITH T2", "stands twice"),
    ],
)
def test_a_wrong_relation_is_named_by_its_line(tmp_path: Path, schema: Schema, line: str, message: str) -> None:
    found = mistakes(tmp_path, f"[[T1:ACTOR الجيش]] [[T2:WEAPON بمدفع]]\n---\nT1 ATTACKED_WITH T2\n{line}\n", schema)
    assert [(number, message in said) for number, said in found] == [(4, True)], found


def test_all_mistakes_of_a_file_are_raised_at_once(tmp_path: Path, schema: Schema) -> None:
    path = save(tmp_path, "[[T1:ACTER الجيش]]\nعاد]]\n---\nT1 ATTACKS T2\n")
    with pytest.raises(AnnotationError) as error:
        marked.read(path, schema=schema)
    assert [f"a.marked:{n}:" in str(error.value) for n in (1, 2, 4)] == [True] * 3


@pytest.mark.parametrize(
    "content",
    [
        "",
        "\n",
        "\n\nأ",
        "# id = x\nأ",
        "---",
        "أ\n---\nب",
        "[[T1:ACTOR أ]]",
        "\\n\r",
        " --",
        "# key: x",
        "أ\n# a = b",
        " ",
        "#وسم\n",
        "[a]\\",
    ],
)
def test_any_text_comes_back_to_the_character(content: str) -> None:
    document = text.from_text(content, "d")
    assert marked.loads(marked.format_document(document), Problems(Path("d"))) == document


def test_a_text_that_looks_like_its_own_relations_comes_back() -> None:
    document = annotated("{a:ACTOR الجيش} {b:ACTOR عاد}\nT1 ATTACKS T2\n---\n# id = x")
    assert marked.loads(marked.format_document(document), Problems(Path("d"))) == document


def test_two_thousand_strings_come_back() -> None:
    for content in any_string.generate(2000, seed=7):
        document = text.from_text(content, "d")
        assert marked.loads(marked.format_document(document), Problems(Path("d"))) == document


def test_the_corpus_comes_back(schema: Schema) -> None:
    for path in sorted(CORPUS.rglob("*.conllup"))[::10]:
        (document,) = conllup.read(path)
        again = marked.loads(marked.format_document(document), Problems(path), schema)
        assert again is not None
        assert again == document
        assert again.entity_ids == document.entity_ids


def test_what_the_format_cannot_hold_is_refused(tmp_path: Path) -> None:
    one = annotated("عاد {a:ACTOR الجيش} .")
    own_words = Document("d", "عاد.", [Word("عاد.", 0, 4)])
    bad_id = Document("d", "عاد", [Word("عاد", 0, 3)], entities=[Entity("ACTOR", 0, 1, id="T:1")])
    for documents, message in (
        ([one, one], "holds one document, got 2"),
        ([annotated("عاد {a:ACTOR الجيش. ثم} ذهب")], "crosses a sentence end"),
        ([own_words], "split into words or sentences by other rules"),
        ([bad_id], "'T:1' cannot be an id"),
        ([annotated("عاد", id="a\nb")], "does not fit on one comment line"),
    ):
        with pytest.raises(AnnotationError, match=message):
            marked.write(documents, tmp_path / "x.marked")
