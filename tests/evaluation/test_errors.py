"""Mistakes by kind: what each is called, and that none is counted twice or forgotten."""

from dataclasses import replace

import pytest

from marsad.documents import Document, Entity, Relation
from marsad.evaluation.errors import confusion, count_kinds, mistakes
from marsad.evaluation.metrics import evaluate
from marsad.schema import Schema
from notation import annotated

TEXT = "{a:ACTOR فصيل مسلح} ضرب {x:ASSET مخفرا} في {p:LOCATION تلعة} و {y:ASSET جسرا} قرب {b:ACTOR الجيش}"


@pytest.fixture
def gold() -> Document:
    return annotated(TEXT, "a ATTACKS x", "x ATTACKED_AT p", "a ATTACKS b")


def kinds(gold: Document, predicted: Document, schema: Schema) -> dict[str, int]:
    return {f"{about} {kind}": count for (about, kind), count in count_kinds(mistakes(gold, predicted, schema)).items()}


def with_entity(document: Document, index: int, entity: Entity) -> Document:
    entities = [*document.entities[:index], entity, *document.entities[index + 1 :]]
    return replace(document, entities=entities, relations=())


def test_what_is_right_is_no_mistake(gold: Document, schema: Schema) -> None:
    assert mistakes(gold, gold, schema) == []


@pytest.mark.parametrize(
    ("entity", "kind"),
    [
        (Entity("ACTOR", 1, 2), "boundary"),
        (Entity("ASSET", 0, 2), "type"),
        (Entity("ASSET", 0, 1), "boundary_and_type"),
    ],
)
def test_a_mention_that_overlaps_is_one_mistake(gold: Document, schema: Schema, entity: Entity, kind: str) -> None:
    bare = replace(gold, relations=())
    assert kinds(bare, with_entity(bare, 0, entity), schema) == {f"entity {kind}": 1}


def test_mentions_of_one_side_alone_are_missed_or_invented(gold: Document, schema: Schema) -> None:
    bare = replace(gold, relations=())
    fewer = replace(bare, entities=bare.entities[1:])
    assert kinds(bare, fewer, schema) == {"entity missed": 1}
    assert kinds(fewer, bare, schema) == {"entity invented": 1}


def test_a_relation_is_lost_with_its_mention(gold: Document, schema: Schema) -> None:
    predicted = replace(gold, entities=[*gold.entities[:2], Entity("ASSET", 5, 6), *gold.entities[3:]])
    found = kinds(gold, predicted, schema)
    assert found == {"entity type": 1, "relation entity_lost": 1, "relation entity_wrong": 1}


def test_a_relation_turned_round_is_reversed_on_both_sides(gold: Document, schema: Schema) -> None:
    relations = [*gold.relations[:2], Relation("ATTACKS", 4, 0)]
    assert kinds(gold, replace(gold, relations=relations), schema) == {"relation reversed": 1}


def test_an_argument_hung_on_another_target_is_a_wrong_hub(gold: Document, schema: Schema) -> None:
    relations = [gold.relations[0], Relation("ATTACKED_AT", 3, 2), gold.relations[2]]
    assert kinds(gold, replace(gold, relations=relations), schema) == {"relation wrong_hub": 1}


def test_a_wrong_hub_explains_one_mistake_and_is_a_gold_mention(gold: Document, schema: Schema) -> None:
    attacks_alone = replace(gold, relations=[gold.relations[0], gold.relations[2]])
    one_wrong = replace(gold, relations=[Relation("ATTACKS", 0, 3)])
    found = kinds(attacks_alone, one_wrong, schema)
    assert found == {"relation wrong_hub": 1, "relation missed": 1}
    longer = replace(gold, entities=[*gold.entities[:3], Entity("ASSET", 6, 8), gold.entities[4]])
    found = kinds(attacks_alone, replace(longer, relations=[Relation("ATTACKS", 0, 3)]), schema)
    assert found == {"entity boundary": 1, "relation missed": 2, "relation entity_wrong": 1}


def test_the_rest_is_missed_or_invented(gold: Document, schema: Schema) -> None:
    relations = [*gold.relations[:2], Relation("AFFILIATED_WITH", 1, 0)]
    found = kinds(gold, replace(gold, relations=relations), schema)
    assert found == {"relation missed": 1, "relation invented": 1}


def test_mistakes_add_up_to_what_scoring_counts(gold: Document, schema: Schema) -> None:
    predicted = with_entity(gold, 1, Entity("LOCATION", 3, 4))
    predicted = replace(predicted, relations=[Relation("ATTACKS", 4, 0), Relation("ATTACKED_AT", 3, 2)])
    found, report = mistakes(gold, predicted, schema), evaluate([gold], [predicted], schema)
    for about, table in (("entity", report.entities), ("relation", report.relations_strict)):
        ours = [each for each in found if each.about == about]
        assert sum(each.gold is not None for each in ours) == table.micro.fn
        assert sum(each.predicted is not None for each in ours) == table.micro.fp


def test_articles_without_relations_annotated_say_nothing_of_relations(gold: Document, schema: Schema) -> None:
    entities_alone = replace(gold, relations=(), meta={"annotated": "entities"})
    assert mistakes(entities_alone, gold, schema) == []


def test_confusion_pairs_mentions_of_the_same_words_first(gold: Document) -> None:
    predicted = replace(gold, entities=[replace(gold.entities[0], type="ASSET"), *gold.entities[2:]], relations=())
    counts = confusion([(gold, predicted)])
    assert counts[("ACTOR", "ASSET")] == 1
    assert counts[("ASSET", "")] == 1
    assert counts[("ACTOR", "ACTOR")] == 1
    assert counts[("", "ASSET")] == 0
