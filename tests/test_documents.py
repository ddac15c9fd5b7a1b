"""Documents refuse to exist broken, and their JSON form loses nothing."""

import copy
import json
from importlib.resources import files
from typing import Any

import pytest
from jsonschema import Draft202012Validator

from marsad import words
from marsad.documents import Document, Entity, Event, Relation, Word
from marsad.errors import AnnotationError
from notation import annotated

TEXT = "قصف الجيش البلدة ."
JSON_SCHEMA = Draft202012Validator(json.loads(files("marsad").joinpath("document.schema.json").read_text("utf-8")))


def full() -> Document:
    """A document with everything a document can have."""
    text = "قصف\u200f الجيش\xa0\U0001f1f8\U0001f1fe البلدة.\n\n ثم عاد."
    found = words.split(text)
    return Document(
        "خبر 1/a",
        text,
        found,
        words.sentences(text, found),
        [Entity("ACTOR", 1, 3, 0.1 + 0.2, "e-9"), Entity("LOCATION", 3, 4, 1.0, "b")],
        [Relation("ATTACKS", 0, 1, 1 / 3)],
        [Event({"attacker": (0,), "target": (1,)}, 1 / 3, (0,)), Event({"target": (1,)})],
        {"country": "SY", "عنوان": "قصف = ؟"},
    )


@pytest.mark.parametrize(
    "document",
    [
        full(),
        annotated("{a:ACTOR الجيش} قصف {b:LOCATION حلب} .", "a ATTACKS b", genre="news"),
        Document("empty", "", ()),
        Document("blank", " \n\t", ()),
    ],
    ids=lambda document: document.id,
)
def test_the_json_form_loses_nothing_and_follows_its_schema(document: Document) -> None:
    record = json.loads(json.dumps(document.to_dict(), ensure_ascii=False))
    JSON_SCHEMA.validate(record)
    again = Document.from_dict(record)
    assert again == document
    assert again.to_dict() == record
    assert again.entity_ids == document.entity_ids
    for entity in record["entities"]:
        assert document.text[entity["start"] : entity["end"]] == entity["text"]


def test_entities_are_named_by_their_own_ids_or_else_in_order() -> None:
    def named(*ids: str) -> tuple[str, ...]:
        entities = [Entity("A", place, place + 1, id=name) for place, name in enumerate(ids)]
        return Document("d", TEXT, words.split(TEXT), (), entities).entity_ids

    assert named("x", "T9") == ("x", "T9")
    assert named("x", "") == ("T1", "T2")
    assert named("x", "x") == ("T1", "T2")


def test_a_document_without_sentences_is_one_sentence() -> None:
    document = Document("d", TEXT, words.split(TEXT))
    assert document.sentences == ((0, 4),)
    assert document.sentence_text(0) == TEXT


def test_without_annotations_keeps_text_words_sentences_and_meta() -> None:
    bare = full().without_annotations()
    assert (bare.entities, bare.relations, bare.events) == ((), (), ())
    assert (bare.text, bare.words, bare.sentences, bare.meta) == tuple(
        getattr(full(), name) for name in ("text", "words", "sentences", "meta")
    )


def test_annotated_entities_says_that_no_relations_are_no_evidence() -> None:
    assert annotated("نص").relations_annotated
    assert not annotated("نص", annotated="entities").relations_annotated


@pytest.mark.parametrize(
    ("part", "value", "message"),
    [
        ("id", 5, "the id is 5"),
        ("text", "قصف", "word 1 is 'الجيش' but the text has ''"),
        ("text", "شيء آخر هنا ...", "word 0"),
        ("words", [Word("الجيش", 4, 9), Word("قصف", 0, 3)], "word 1 'قصف' starts at 0"),
        ("words", [Word("قص", 0, 2), Word("صف", 1, 3)], "word 1 'صف' starts at 1"),
        ("sentences", [(0, 3)], "cover 3 words of 4"),
        ("sentences", [(0, 2), (3, 4)], r"sentence 1 is words \[3, 4\)"),
        ("sentences", [(0, 0), (0, 4)], r"sentence 0 is words \[0, 0\)"),
        ("sentences", [(0, 5)], "cover 5 words of 4"),
        ("entities", [Entity("ACTOR", 3, 5)], r"ACTOR \[3, 5\) reaches past the 4 words"),
        ("entities", [Entity("ACTOR", 0, 2), Entity("ASSET", 1, 3)], "word 1 belongs to ASSET and to ACTOR"),
        ("relations", [Relation("ATTACKS", 0, 2)], "ATTACKS joins entities 0 and 2, there are 2"),
        ("relations", [Relation("ATTACKS", -1, 0)], "ATTACKS joins entities -1"),
        ("relations", [Relation("ATTACKS", 0, 1), Relation("ATTACKS", 0, 1, 0.5)], "ATTACKS .* stands twice"),
        ("events", [Event({"target": (7,)})], r"'target' is filled by entities \(7,\)"),
        ("events", [Event({"target": ()})], "'target' is filled by nothing"),
        ("events", [Event({"target": (0,)}, 1.0, (1,))], r"evidence names sentences \(1,\)"),
        ("meta", {"killed": 3}, "meta 'killed' is 3"),
    ],
)
def test_a_broken_document_is_refused_by_name(part: str, value: Any, message: str) -> None:
    parts = {
        "id": "خبر-1",
        "text": TEXT,
        "words": words.split(TEXT),
        "entities": [Entity("ACTOR", 1, 2), Entity("ASSET", 2, 3)],
        part: value,
    }
    if part == "words":
        parts |= {"entities": []}
    with pytest.raises(AnnotationError, match=message) as error:
        Document(**parts)
    assert f"document {parts['id']!r}" in str(error.value)


def test_half_a_surrogate_pair_is_refused_since_no_file_could_hold_it() -> None:
    with pytest.raises(AnnotationError, match=r"'d': character 1 of the text is U\+D83D"):
        Document("d", "a\ud83d", words.split("a\ud83d"))


@pytest.mark.parametrize(
    ("create", "message"),
    [
        (lambda: Word("", 0, 0), "word"),
        (lambda: Word("قصف الجيش", 0, 9), "without white space"),
        (lambda: Word("قصف\xa0", 0, 4), "without white space"),
        (lambda: Word("قصف", 0, 4), r"\[0, 4\)"),
        (lambda: Word("قصف", -3, 0), r"\[-3, 0\)"),
        (lambda: Entity("ACTOR", 2, 2), "a word or more"),
        (lambda: Entity("ACTOR", -1, 2), "a word or more"),
        (lambda: Entity("ACTOR", 0, 1, 1.01), r"ACTOR .*1\.01"),
        (lambda: Entity("ACTOR", 0, 1, float("nan")), "nan"),
        (lambda: Relation("ATTACKS", 1, 1), "ATTACKS joins entity 1 to itself"),
        (lambda: Relation("ATTACKS", 0, 1, -0.1), r"-0\.1"),
        (lambda: Event({}, 2.0), r"2\.0"),
    ],
)
def test_a_broken_part_is_refused(create: Any, message: str) -> None:
    with pytest.raises(AnnotationError, match=message):
        create()


@pytest.mark.parametrize(
    ("path", "value", "key"),
    [
        ("version", 2, "version"),
        ("text", None, "text"),
        ("text", "قصف", "words"),
        ("words", None, "words"),
        ("words", [[0, 3, 9]], "words"),
        ("words", [[0]], "words"),
        ("words", [[0, 9]], "words"),
        ("words", [["0", "3"]], "words"),
        ("sentences", [[0, 2]], "sentence"),
        ("entities/0/type", ..., "entities: KeyError 'type'"),
        ("entities/0/start", 5, "entities: T1 is 'الجيش' but the text has ''"),
        ("entities/0", {"id": "T1", "type": "ACTOR", "start": 0, "end": 2}, r"entities: T1 \[0, 2\) does not start"),
        ("entities/0/text", "غيره", "entities: T1 is 'غيره'"),
        ("entities/0/score", 7, "score 7"),
        ("entities/0/score", "0.9", "entities"),
        ("entities/1/id", "T1", "entities: two entities share an id"),
        ("relations/0/tail", "T9", "relations: KeyError 'T9'"),
        ("relations/0/tail", "T1", "relations: ATTACKS joins"),
        ("relations/0/score", -1, "relations: .*-1"),
        ("events/0/roles/target", ["T9"], "events: KeyError 'T9'"),
        ("events/0/roles", ["T1"], "events"),
        ("events/0/score", 3, "events"),
        ("events/0/evidence", [4], "evidence"),
        ("meta", ["SY"], "meta"),
        ("meta", {"killed": 3}, "meta 'killed'"),
    ],
)
def test_a_broken_record_is_refused_with_document_and_key(path: str, value: Any, key: str) -> None:
    document = annotated("{a:ACTOR الجيش} قصف {b:LOCATION حلب} .", "a ATTACKS b", id="خبر-7")
    record = copy.deepcopy(document.to_dict())
    record["events"] = [{"roles": {"target": ["T2"]}, "score": 1.0, "evidence": [0]}]
    assert Document.from_dict(record).events, "the record is sound before it is broken"
    *parents, last = path.split("/")
    place: Any = record
    for each in parents:
        place = place[int(each) if each.isdigit() else each]
    place_of = int(last) if last.isdigit() else last
    if value is ...:
        del place[place_of]
    else:
        place[place_of] = value
    with pytest.raises(AnnotationError, match=key) as error:
        Document.from_dict(record)
    assert "document 'خبر-7'" in str(error.value)


@pytest.mark.parametrize("key", ["id", "text", "words", "sentences", "entities"])
def test_a_record_that_lacks_a_key_says_which(key: str) -> None:
    record = full().to_dict()
    del record[key]
    with pytest.raises(AnnotationError, match=f"{key}: KeyError '{key}'"):
        Document.from_dict(record)
