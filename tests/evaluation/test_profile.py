"""The profile of a corpus, counted by hand; references read and refused; and the form that mentions count under."""

import json
from pathlib import Path

import pytest

from marsad.cli import main
from marsad.documents import Document
from marsad.errors import ConfigError
from marsad.evaluation.forms import Forms
from marsad.evaluation.profile import compare_with, profile, read_references
from marsad.formats import conllup
from marsad.schema import Schema
from notation import annotated

PROFILES = Path(__file__).parents[2] / "configs" / "profiles"
# 11 words in three sentences of 6, 3 and 2; two hubs, one with all but a loss, one with a loss from another sentence.
ARTICLE = annotated(
    "{a:ACTOR قوات الجيش} قصفت {b:LOCATION النهر} {c:WEAPON بصواريخ} {d:DATE أمس}\n"
    "{x:CASUALTY قتل} هناك {e:ACTOR طفل}\nانتهى الخبر",
    "a ATTACKS b",
    "b ATTACKED_WITH c",
    "b ATTACKED_ON d",
    "e ATTACKED_AT b",
    "e SUFFERED x",
    id="1",
    genre="wire",
)


def test_figures_are_those_counted_by_hand(schema: Schema) -> None:
    assert len(ARTICLE.words) == 11
    found = profile([ARTICLE], schema)
    assert found.mentions_in_100_words["ACTOR"] == pytest.approx(200 / 11)
    assert found.words_a_mention == pytest.approx({"ACTOR": 1.5, "LOCATION": 1, "WEAPON": 1, "DATE": 1, "CASUALTY": 1})
    assert found.relations_in_100_words["ATTACKED_AT"] == pytest.approx(100 / 11)
    assert found.anchors_in_100_words == pytest.approx(200 / 11)
    assert found.anchors_with == {"attacker": 0.5, "place": 0.5, "weapon": 0.5, "date": 0.5, "loss": 0.5}
    assert found.relations_across_sentences == pytest.approx(1 / 5)
    assert found.words_a_sentence == 3
    assert found.sentences_without_relation == pytest.approx(1 / 3)


def test_articles_annotated_for_entities_alone_say_nothing_of_relations(schema: Schema) -> None:
    alone = annotated("{a:ACTOR الجيش} عاد", annotated="entities")
    assert profile([alone], schema).sentences_without_relation is None
    both = profile([ARTICLE, alone], schema)
    assert both.relations_in_100_words == profile([ARTICLE], schema).relations_in_100_words
    assert both.mentions_in_100_words["ACTOR"] == pytest.approx(300 / 13)


@pytest.mark.parametrize("documents", [[], [Document("x", "", ())]])
def test_nothing_has_no_figures(documents: list[Document], schema: Schema) -> None:
    assert profile(documents, schema).figures() == {}


def test_the_shipped_references_are_read_and_cover_each_document_once() -> None:
    for path in PROFILES.glob("*.yaml"):
        references = read_references(path)
        for genre in ("newspaper", "post", "breaking", "anything"):
            assert sum(each.covers(annotated("نص", genre=genre)) for each in references.values()) == 1
        assert all(len(each.figures()) == 27 for each in references.values())


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ("a: {words_a_sentense: 3}", "a.words_a_sentense: Extra inputs are not permitted, got 3"),
        ("a: {words_a_sentence: many}", "a.words_a_sentence: Input should be a valid number.*got 'many'"),
        ("- 1", r"expected profiles by name, got \[1\]"),
        ("a: {", "cannot be read"),
    ],
)
def test_a_wrong_reference_is_named(content: str, message: str, tmp_path: Path) -> None:
    path = tmp_path / "p.yaml"
    path.write_text(content, encoding="utf-8")
    with pytest.raises(ConfigError, match=message):
        read_references(path)


@pytest.fixture
def files(tmp_path: Path) -> tuple[Path, Path]:
    """An article with a reference that it meets in one figure of three."""
    conllup.write([ARTICLE], tmp_path / "a.conllup")
    reference = tmp_path / "p.yaml"
    reference.write_text(
        "wires:\n  where: {genre: [wire]}\n  words_a_mention: {ACTOR: 1.25}\n  words_a_sentence: 23\n"
        "  relations_in_100_words: {AFFILIATED_WITH: 1}\n",
        encoding="utf-8",
    )
    return tmp_path / "a.conllup", reference


def test_what_is_off_by_more_than_a_fifth_is_marked(files: tuple[Path, Path], schema: Schema) -> None:
    (compared,) = compare_with([files[0]], files[1], schema, by="genre")
    assert (compared.name, list(compared.profiles)) == ("wires", ["all", "wire"])
    assert compared.outside("wire") == ["relations in 100 words: AFFILIATED_WITH", "words a sentence"]


def test_stats_prints_the_profile(files: tuple[Path, Path], capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        main(["stats", str(files[0]), "--profile", str(files[1])])
    rows = [line.split() for line in capsys.readouterr().out.splitlines()]
    assert rows[0] == ["wires", "reference", "all", "wire"]
    assert ["words", "a", "mention:", "ACTOR", "1.25", "1.50", "1.50"] in rows
    assert ["words", "a", "sentence", "23.00", "3.00*", "3.00*"] in rows
    with pytest.raises(SystemExit):
        main(["stats", str(files[0]), "--profile", str(files[1]), "--json"])
    (found,) = json.loads(capsys.readouterr().out)
    assert found["groups"]["all"]["outside"] == ["relations in 100 words: AFFILIATED_WITH", "words a sentence"]


@pytest.mark.parametrize(
    ("mention", "form"),
    [
        ("الجيش", "جيش"),
        ("والجيش", "جيش"),
        ("وبالجيش", "جيش"),
        ("للجيش", "جيش"),
        ("الجَيْــش", "جيش"),
        ("بلدة", "بلدة"),  # لدة is no word here
        ("وزارة", "وزارة"),
        ("فقوات الجيش", "قوات الجيش"),
        ("«الجيش»", "جيش"),
        ("١٥ جنديا", "15 جنديا"),
        ("الله", "الله"),
    ],
)
def test_mentions_count_under_a_form_without_clitics_and_marks(mention: str, form: str) -> None:
    known = annotated("جيش الجيش بالجيش قوات بلدة وزارة")
    document = annotated(f"{{a:ACTOR {mention}}}")
    assert Forms([known, document]).of(document, document.entities[0]) == form
