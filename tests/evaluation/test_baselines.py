"""Baselines: each does what its name says, and no more."""

import pytest

from marsad.documents import Document
from marsad.evaluation.baselines import baseline_taggers, nearest_pairs, score_baseline
from marsad.schema import Schema
from notation import annotated

TRAIN = [
    annotated(
        "{a:ACTOR جيش الشمال} قصف {b:LOCATION بلدة النور} {c:DATE أمس}", "a ATTACKS b", "b ATTACKED_ON c", id="one"
    ),
    annotated("{a:ACTOR جيش الجنوب} هاجم {b:ACTOR فصيل}", "a ATTACKS b", id="two"),
    annotated("{a:ACTOR ضابط} من {b:ACTOR فصيل} ضرب {c:ACTOR فصيل}", "a ATTACKS c", "a AFFILIATED_WITH b", id="three"),
]


def _found(document: Document, name: str, schema: Schema) -> list[tuple[str, str]]:
    tagger = baseline_taggers(TRAIN, schema)[name]
    return [(each.type, document.surface(each)) for each in tagger(document)]


@pytest.mark.parametrize(
    ("name", "text", "found"),
    [
        ("gazetteer", "عاد جيش الشمال أمس", [("ACTOR", "جيش الشمال"), ("DATE", "أمس")]),
        ("gazetteer", "عاد جيش الغرب", []),
        ("gazetteer", "قال فصيلٌ", [("ACTOR", "فصيلٌ")]),  # without its diacritic
        ("frequent-tag", "عاد جيش الشمال أمس", [("ACTOR", "جيش الشمال"), ("DATE", "أمس")]),
        ("frequent-tag", "عاد جيش الغرب", [("ACTOR", "جيش")]),
        ("frequent-tag", "النور", [("LOCATION", "النور")]),  # an inside tag alone: the decoder starts it
    ],
)
def test_mentions(schema: Schema, name: str, text: str, found: list[tuple[str, str]]) -> None:
    assert _found(annotated(text), name, schema) == found


def test_the_nearest_head_of_the_usual_relation(schema: Schema) -> None:
    document = annotated(
        "{a:ACTOR الحشد} ثم {b:ACTOR الجيش} ضرب {c:LOCATION تلعة} {d:DATE اليوم} .\n"
        "وقال {e:ACTOR الوزير} {f:WEAPON بعبوة}"
    )
    relations = {(each.head, each.type, each.tail) for each in nearest_pairs(TRAIN, schema)(document)}
    assert relations == {(1, "ATTACKS", 2), (2, "ATTACKED_ON", 3), (0, "ATTACKS", 1), (1, "ATTACKS", 0)}


def test_a_baseline_is_scored_like_a_model(schema: Schema) -> None:
    gold = TRAIN[:1]
    tagger = baseline_taggers(TRAIN, schema)["gazetteer"]
    report = score_baseline(gold, [tagger(each) for each in gold], nearest_pairs(TRAIN, schema), schema)
    assert report.entities.micro.f1 == 1.0
    assert report.relations_gold_entities.micro.f1 == report.relations_strict.micro.f1 == 1.0
