"""Candidate pairs: exactly what the schema allows, and which of them are trained on."""

import random
from itertools import permutations

import pytest

from marsad.documents import Document
from marsad.pairs import candidates, training_pairs
from marsad.schema import Schema
from notation import annotated

# Twelve candidates: a, b and c with each other, and each of them with d and e.
TEXT = "{a:ACTOR مسلحون} هاجموا {b:ACTOR حرسا} و {c:ASSET مخفرا} {d:DATE أمس} وسط {e:CASUALTY مقتل اثنين}"


def names(pairs: list[tuple[int, int]]) -> str:
    return " ".join("abcdefgh"[head] + "abcdefgh"[tail] for head, tail in pairs)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("", ""),
        ("{a:ACTOR الجيش}", ""),
        ("{a:DATE أمس} {b:WEAPON مدفع}", ""),
        ("{a:DATE أمس} {b:ACTOR الجيش}", "ba"),
        ("{a:ACTOR الجيش} {b:ACTOR الحرس}", "ab ba"),
        ("{a:ACTOR الجيش} {b:WEAPON مدفع}", "ab ba"),
        ("{a:ASSET جسر} {b:WEAPON مدفع}", "ab"),
        ("{a:LOCATION قرية} {b:LOCATION بلدة} {c:CASUALTY قتيل}", "ab ac ba bc"),
        ("{a:CASUALTY قتيل} {b:CASUALTY جريح}", ""),
    ],
)
def test_candidates_are_the_directed_pairs_the_schema_allows(schema: Schema, text: str, expected: str) -> None:
    assert names(candidates(annotated(text).entities, schema)) == expected


def test_candidates_of_any_entities_are_all_allowed_pairs_and_never_self(schema: Schema) -> None:
    rng = random.Random(5)
    for _ in range(50):
        kinds = rng.choices(schema.entity_types, k=rng.randrange(9))
        entities = annotated(" ".join(f"{{e{i}:{kind} كلمة}}" for i, kind in enumerate(kinds))).entities
        assert set(candidates(entities, schema)) == {
            (head, tail)
            for head, tail in permutations(range(len(kinds)), 2)
            if any(schema.allows(name, kinds[head], kinds[tail]) for name in schema.relation_types)
        }


def test_a_schema_without_relations_has_no_candidates() -> None:
    schema = Schema.from_dict({"entities": {"ACTOR": ""}})
    assert candidates(annotated("{a:ACTOR الجيش} {b:ACTOR الحرس}").entities, schema) == []


@pytest.fixture
def document() -> Document:
    return annotated(TEXT, "a ATTACKS b", "c ATTACKED_ON d")


@pytest.mark.parametrize(
    ("negatives", "kept", "number"),
    [
        (0, "ab ba cd", 3),
        (1, "ab ba cd", 4),
        (3, "ab ba cd", 6),
        (100, "ab ba cd", 12),
        (None, "ab ba cd", 12),
    ],
)
def test_related_and_reversed_pairs_are_kept_beside_the_negatives(
    schema: Schema, document: Document, negatives: int | None, kept: str, number: int
) -> None:
    pairs = training_pairs(document.entities, document.relations, schema, negatives=negatives, rng=random.Random(1))
    assert set(kept.split()) <= set(names(pairs).split())
    assert len(pairs) == len(set(pairs)) == number
    assert set(pairs) <= set(candidates(document.entities, schema))


def test_without_a_limit_training_sees_the_candidates_in_their_order(schema: Schema, document: Document) -> None:
    assert training_pairs(document.entities, document.relations, schema) == candidates(document.entities, schema)


def test_two_relations_of_one_pair_are_one_pair(schema: Schema) -> None:
    document = annotated("{a:ACTOR فصيل} {b:ACTOR جيش}", "a ATTACKS b", "a AFFILIATED_WITH b", "b ATTACKS a")
    assert names(training_pairs(document.entities, document.relations, schema, negatives=0)) == "ab ba"


def test_negatives_follow_the_seed(schema: Schema, document: Document) -> None:
    def drawn(seed: int) -> list[list[tuple[int, int]]]:
        rng = random.Random(seed)
        return [training_pairs(document.entities, document.relations, schema, negatives=2, rng=rng) for _ in range(10)]

    assert drawn(7) == drawn(7)
    assert drawn(7) != drawn(8)
    assert len({tuple(pairs) for pairs in drawn(7)}) > 1  # drawn anew at each call


def test_every_negative_is_drawn_in_time(schema: Schema, document: Document) -> None:
    rng = random.Random(0)
    seen = {
        pair
        for _ in range(200)
        for pair in training_pairs(document.entities, document.relations, schema, negatives=1, rng=rng)
    }
    assert seen == set(candidates(document.entities, schema))
