"""Scores: agreement with seqeval, each rule of counting, and the forms a report takes."""

import json
import random
from collections import Counter
from dataclasses import replace
from itertools import permutations
from pathlib import Path

import pytest

from marsad.documents import Document, Entity, Relation, Word
from marsad.errors import AnnotationError, MarsadError
from marsad.evaluation.metrics import evaluate
from marsad.evaluation.scores import RULES, Report, Score
from marsad.evaluation.tables import format_report
from marsad.events import assemble
from marsad.formats.conll import tags_of
from marsad.schema import Schema
from notation import annotated

TEXT = "{a:ACTOR فصيل مسلح} ضرب {x:ASSET مخفرا} و {y:ASSET جسرا} في {p:LOCATION تلعة} {d:DATE أمس}"
RELATIONS = ("a ATTACKS x", "x ATTACKED_AT p", "a ATTACKS y")
TABLES = ("entities", "relations_strict", "relations_boundaries", "events")


@pytest.fixture
def gold() -> Document:
    return annotated(TEXT, *RELATIONS)


def counts(score: Score) -> tuple[int, int, int]:
    return score.tp, score.fp, score.fn


def micro(gold: Document, predicted: Document, schema: Schema, table: str) -> tuple[int, int, int]:
    return counts(getattr(evaluate([gold], [predicted], schema), table).micro)


# ---- scores


@pytest.mark.parametrize(
    ("score", "precision", "recall", "f1", "support"),
    [
        (Score(0, 0, 0), 0.0, 0.0, 0.0, 0),
        (Score(0, 3, 0), 0.0, 0.0, 0.0, 0),
        (Score(0, 0, 3), 0.0, 0.0, 0.0, 3),
        (Score(0, 2, 2), 0.0, 0.0, 0.0, 2),
        (Score(4, 0, 0), 1.0, 1.0, 1.0, 4),
        (Score(1, 1, 0), 0.5, 1.0, 2 / 3, 1),
        (Score(1, 0, 3), 1.0, 0.25, 0.4, 4),
    ],
)
def test_precision_recall_and_f1_are_fractions_of_one(
    score: Score, precision: float, recall: float, f1: float, support: int
) -> None:
    figures = {"precision": precision, "recall": recall, "f1": f1, "support": support}
    assert score.to_dict() == pytest.approx(figures)


# ---- entities


def random_entities(rng: random.Random, sentences: list[tuple[int, int]], types: tuple[str, ...]) -> list[Entity]:
    """Flat entities that cross no sentence, often touching each other."""
    found = []
    for start, end in sentences:
        at = start
        while at < end:
            length = rng.randint(1, min(4, end - at))
            if rng.random() < 0.6:
                found.append(Entity(rng.choice(types), at, at + length))
            at += length
    return found


def near(rng: random.Random, entities: list[Entity], types: tuple[str, ...]) -> list[Entity]:
    """A prediction: some are lost, some shortened, some of another type."""
    changed = []
    for each in entities:
        roll = rng.random()
        if roll < 0.2:
            continue
        if roll < 0.4 and each.end - each.start > 1:
            changed.append(replace(each, end=each.end - 1))
        elif roll < 0.6:
            changed.append(replace(each, type=rng.choice(types)))
        else:
            changed.append(each)
    return changed


def test_entity_scores_agree_with_seqeval_strict_iob2(schema: Schema) -> None:
    from seqeval.metrics import classification_report
    from seqeval.scheme import IOB2

    rng = random.Random(13)
    for _ in range(300):
        lengths = [rng.randint(1, 9) for _ in range(rng.randint(1, 5))]
        sentences = [(sum(lengths[:i]), sum(lengths[: i + 1])) for i in range(len(lengths))]
        split = [Word("ك", 2 * i, 2 * i + 1) for i in range(sum(lengths))]
        types = schema.entity_types[: rng.randint(1, 6)]
        truth = random_entities(rng, sentences, types)
        guess = near(rng, truth, types) if rng.random() < 0.7 else random_entities(rng, sentences, types)
        gold = Document("d", " ".join("ك" * len(split)), split, sentences, truth)
        ours = evaluate([gold], [replace(gold, entities=guess)], schema).entities.to_dict()

        tags = [[tags_of(each, len(split))[start:end] for start, end in sentences] for each in (truth, guess)]
        if not truth and not guess:  # seqeval has no report without a single tag
            assert ours["micro"]["support"] == 0
            continue
        theirs = classification_report(*tags, mode="strict", scheme=IOB2, output_dict=True, zero_division=0)
        for name, theirs_of_type in theirs.items():
            if name in ("macro avg", "weighted avg"):
                continue
            figures = ours["micro"] if name == "micro avg" else ours["by_type"][name]
            renamed = {**theirs_of_type, "f1": theirs_of_type["f1-score"]}
            assert {key: renamed[key] for key in figures} == pytest.approx(figures)


@pytest.mark.parametrize(
    ("predicted", "expected"),
    [
        (TEXT, (5, 0, 0)),
        ("فصيل مسلح ضرب مخفرا و جسرا في تلعة أمس", (0, 0, 5)),
        ("فصيل {a:ACTOR مسلح} ضرب مخفرا و جسرا في تلعة أمس", (0, 1, 5)),
        ("{a:ASSET فصيل مسلح} ضرب مخفرا و جسرا في تلعة أمس", (0, 1, 5)),
        ("{a:ACTOR فصيل} {b:ACTOR مسلح} ضرب مخفرا و جسرا في تلعة {d:DATE أمس}", (1, 2, 4)),
    ],
)
def test_an_entity_is_right_with_its_span_and_type(
    schema: Schema, gold: Document, predicted: str, expected: tuple[int, int, int]
) -> None:
    assert micro(gold, annotated(predicted), schema, "entities") == expected


def test_the_same_span_in_two_documents_counts_twice(schema: Schema, gold: Document) -> None:
    second = replace(gold, id="e")
    report = evaluate([gold, second], [gold, second], schema)
    assert counts(report.entities.micro) == (10, 0, 0)
    assert counts(report.relations_strict.micro) == (6, 0, 0)
    assert report.num_documents == 2
    assert report.num_words == 2 * len(gold.words)


def test_scores_of_mentions_do_not_make_them_wrong(schema: Schema, gold: Document) -> None:
    unsure = replace(
        gold,
        entities=[replace(each, score=0.3, id=f"X{i}") for i, each in enumerate(gold.entities)],
        relations=[replace(each, score=0.6) for each in gold.relations],
    )
    report = evaluate([gold], [unsure], schema)
    assert [report.tables[name].micro.f1 for name in TABLES] == [1.0] * 4


def test_the_order_of_mentions_and_relations_does_not_matter(schema: Schema, gold: Document) -> None:
    last = len(gold.entities) - 1
    turned = replace(
        gold,
        entities=gold.entities[::-1],
        relations=[replace(each, head=last - each.head, tail=last - each.tail) for each in gold.relations],
    )
    report = evaluate([gold], [turned], schema)
    assert [report.tables[name].micro.f1 for name in TABLES] == [1.0] * 4


# ---- relations


@pytest.mark.parametrize(
    ("text", "relations", "strict", "boundaries"),
    [
        (TEXT, RELATIONS, (3, 0, 0), (3, 0, 0)),
        (TEXT, (), (0, 0, 3), (0, 0, 3)),
        # Another relation type between the same mentions.
        (TEXT, ("x AFFILIATED_WITH a",), (0, 1, 3), (0, 1, 3)),
        # The direction turned round.
        (TEXT, ("x ATTACKS a", "p ATTACKED_AT x"), (0, 2, 3), (0, 2, 3)),
        # An end of another type: the boundaries are right all the same.
        (TEXT.replace("x:ASSET", "x:LOCATION"), RELATIONS, (1, 2, 2), (3, 0, 0)),
        # An end of another span.
        (TEXT.replace("{a:ACTOR فصيل مسلح}", "{a:ACTOR فصيل} مسلح"), RELATIONS, (1, 2, 2), (1, 2, 2)),
        # An end that was never found.
        (TEXT.replace("{p:LOCATION تلعة}", "تلعة"), ("a ATTACKS x", "a ATTACKS y"), (2, 0, 1), (2, 0, 1)),
        ("فصيل مسلح ضرب مخفرا و جسرا في تلعة أمس", (), (0, 0, 3), (0, 0, 3)),
    ],
)
def test_relations_are_counted_by_both_rules(
    schema: Schema,
    gold: Document,
    text: str,
    relations: tuple[str, ...],
    strict: tuple[int, int, int],
    boundaries: tuple[int, int, int],
) -> None:
    report = evaluate([gold], [annotated(text, *relations)], schema)
    assert counts(report.relations_strict.micro) == strict
    assert counts(report.relations_boundaries.micro) == boundaries


def test_relations_are_counted_under_their_own_type(schema: Schema, gold: Document) -> None:
    predicted = annotated(TEXT, "a ATTACKS x", "x AFFILIATED_WITH a")
    by_type = evaluate([gold], [predicted], schema).relations_strict.by_type
    assert {name: counts(score) for name, score in by_type.items() if counts(score) != (0, 0, 0)} == {
        "ATTACKS": (1, 0, 1),
        "ATTACKED_AT": (0, 0, 1),
        "AFFILIATED_WITH": (0, 1, 0),
    }


def test_a_relation_said_twice_is_refused_before_it_is_counted(gold: Document) -> None:
    with pytest.raises(AnnotationError, match="stands twice"):
        replace(gold, relations=[*gold.relations, Relation("ATTACKS", 0, 1, 0.9)])


# ---- events


@pytest.mark.parametrize(
    ("text", "relations", "expected"),
    [
        # Gold: {attacker a, target x, place p} and {attacker a, target y}.
        (TEXT, RELATIONS, {"attacker": (2, 0, 0), "target": (2, 0, 0), "place": (1, 0, 0)}),
        (TEXT, (), {"attacker": (0, 0, 2), "target": (0, 0, 2), "place": (0, 0, 1)}),
        (TEXT, RELATIONS[:2], {"attacker": (1, 0, 1), "target": (1, 0, 1), "place": (1, 0, 0)}),
        # One predicted incident of both targets meets the one with the place.
        (TEXT, ("a ATTACKS x", "a ATTACKS y"), {"attacker": (1, 0, 1), "target": (1, 1, 1), "place": (0, 0, 1)}),
        (
            TEXT,
            (*RELATIONS, "x ATTACKED_ON d"),
            {"attacker": (2, 0, 0), "target": (2, 0, 0), "place": (1, 0, 0), "date": (0, 1, 0)},
        ),
        # A filler in another role is wrong in one and missed in the other.
        (TEXT, ("x ATTACKS a",), {"attacker": (0, 1, 2), "target": (0, 1, 2), "place": (0, 0, 1)}),
        # A filler of another type is another filler.
        (
            TEXT.replace("p:LOCATION", "p:ASSET"),
            RELATIONS,
            {"attacker": (2, 0, 0), "target": (2, 0, 0), "place": (0, 1, 1)},
        ),
    ],
)
def test_events_are_scored_by_role_filler(
    schema: Schema, gold: Document, text: str, relations: tuple[str, ...], expected: dict[str, tuple[int, int, int]]
) -> None:
    by_type = evaluate([gold], [annotated(text, *relations)], schema).events.by_type
    assert {role: counts(score) for role, score in by_type.items() if counts(score) != (0, 0, 0)} == expected


def random_relations(rng: random.Random, document: Document, schema: Schema) -> Document:
    kinds = [each.type for each in document.entities]
    possible = [
        Relation(name, head, tail)
        for name in schema.relation_types
        for head, tail in permutations(range(len(kinds)), 2)
        if schema.allows(name, kinds[head], kinds[tail])
    ]
    return replace(document, relations=rng.sample(possible, rng.randint(0, 7)))


def test_the_matching_of_incidents_shares_the_most_fillers_of_all(schema: Schema) -> None:
    rng = random.Random(21)
    text = "{a:ACTOR ا} {b:ACTOR ب} .\n{c:ASSET ج} {d:ASSET د} .\n{e:LOCATION ه} {f:WEAPON و}"
    num_matched = 0
    for _ in range(200):
        gold, predicted = (random_relations(rng, annotated(text), schema) for _ in range(2))
        events = [
            [
                {(role, each) for role, fillers in event.roles.items() for each in fillers}
                for event in assemble(side, schema)
            ]
            for side in (gold, predicted)
        ]
        few, many = sorted(events, key=len)
        best = max(
            sum(len(first & second) for first, second in zip(few, chosen, strict=True))
            for chosen in permutations(many, len(few))
        )
        num_gold, num_predicted = (sum(map(len, side)) for side in events)
        assert micro(gold, predicted, schema, "events") == (best, num_predicted - best, num_gold - best)
        num_matched += best
    assert num_matched > 200  # the cases are no empty ones


def test_events_come_from_the_relations_not_from_what_the_document_carries(schema: Schema, gold: Document) -> None:
    stale = replace(gold, relations=(), events=assemble(gold, schema))
    assert micro(gold, stale, schema, "events") == (0, 0, 5)


def test_a_schema_without_events_has_an_empty_table(gold: Document) -> None:
    content = Schema.from_file(Path(__file__).parents[2] / "configs/schema.yaml").model_dump(mode="json")
    report = evaluate([gold], [gold], Schema.from_dict({**content, "events": None}))
    assert report.to_dict()["events"] == {"micro": Score().to_dict(), "by_type": {}}


# ---- what is left out


def test_documents_annotated_for_entities_alone_are_left_out_of_relations(schema: Schema, gold: Document) -> None:
    bare = annotated(TEXT, id="e", annotated="entities")
    eager = replace(bare, relations=gold.relations)
    report = evaluate([gold, bare], [gold, eager], schema, with_gold_entities=[gold, eager])
    for name in (*TABLES[1:], "relations_gold_entities"):
        assert report.tables[name].micro.fp == 0, name
        assert report.tables[name].micro.f1 == 1.0, name
    assert counts(report.entities.micro) == (10, 0, 0)
    assert len(report.notes) == 1
    assert "1 of 2" in report.notes[0]
    assert report.notes[0] in format_report(report)


def test_what_the_predicted_document_says_of_its_annotation_does_not_count(schema: Schema, gold: Document) -> None:
    silent = replace(gold, relations=(), meta={"annotated": "entities"})
    assert micro(gold, silent, schema, "relations_strict") == (0, 0, 3)


def test_a_whole_report_has_no_notes(schema: Schema, gold: Document) -> None:
    assert evaluate([gold], [gold], schema).notes == ()


# ---- gold entities


def test_the_table_on_gold_entities_counts_its_own_predictions(schema: Schema, gold: Document) -> None:
    nothing = gold.without_annotations()
    on_gold = replace(gold, relations=gold.relations[:1])
    report = evaluate([gold], [nothing], schema, with_gold_entities=[on_gold])
    assert counts(report.relations_gold_entities.micro) == (1, 0, 2)
    assert counts(report.relations_strict.micro) == (0, 0, 3)


def test_without_gold_entities_there_is_no_such_table(schema: Schema, gold: Document) -> None:
    report = evaluate([gold], [gold], schema)
    assert "relations_gold_entities" not in report.to_dict()
    with pytest.raises(AttributeError):
        _ = report.relations_gold_entities


# ---- documents that do not belong together


@pytest.mark.parametrize(
    ("change", "named"),
    [
        (lambda gold: [], "1 gold documents but 0"),
        (lambda gold: [gold, gold], "1 gold documents but 2"),
        (lambda gold: [replace(gold, id="other")], "'other'"),
        (lambda gold: [annotated(TEXT.replace("جسرا", "جسورا"))], "'d'"),
        (lambda gold: [annotated(TEXT + " .")], "'d'"),
        (lambda gold: [annotated(" " + TEXT)], "'d'"),
    ],
)
@pytest.mark.parametrize("place", ["predicted", "with_gold_entities"])
def test_documents_that_do_not_pair_up_are_refused(
    schema: Schema, gold: Document, change: object, named: str, place: str
) -> None:
    changed = change(gold)  # type: ignore[operator]
    with pytest.raises(MarsadError, match=named):
        if place == "predicted":
            evaluate([gold], changed, schema)
        else:
            evaluate([gold], [gold], schema, with_gold_entities=changed)


def test_a_swapped_order_is_refused(schema: Schema, gold: Document) -> None:
    other = replace(gold, id="e")
    with pytest.raises(AnnotationError, match="order"):
        evaluate([gold, other], [other, gold], schema)


@pytest.mark.parametrize("text", ["", " \u200f ", "\n\n"])
def test_blank_documents_score_nothing_and_break_nothing(schema: Schema, text: str) -> None:
    blank = annotated(text)
    report = evaluate([blank], [blank], schema)
    assert all(counts(table.micro) == (0, 0, 0) for table in report.tables.values())
    assert format_report(report)


def test_no_documents_make_an_empty_report(schema: Schema) -> None:
    report = evaluate([], [], schema)
    assert (report.num_documents, report.num_words, report.entities.micro.support) == (0, 0, 0)
    assert format_report(report)


# ---- forms


@pytest.fixture
def report(schema: Schema, gold: Document) -> Report:
    predicted = annotated(TEXT.replace("{d:DATE أمس}", "أمس"), *RELATIONS[:2])
    return evaluate([gold], [predicted], schema, with_gold_entities=[gold])


def test_the_json_form_has_the_promised_keys(report: Report, schema: Schema) -> None:
    content = json.loads(json.dumps(report.to_dict()))
    types = {
        "entities": schema.entity_types,
        "relations_strict": schema.relation_types,
        "relations_boundaries": schema.relation_types,
        "events": schema.event_roles,
        "relations_gold_entities": schema.relation_types,
    }
    for name, expected in types.items():
        assert set(content[name]) == {"micro", "by_type"}
        assert tuple(content[name]["by_type"]) == expected  # types without an example are listed too
        for figures in (content[name]["micro"], *content[name]["by_type"].values()):
            assert set(figures) == {"precision", "recall", "f1", "support"}
            assert all(0 <= figures[key] <= 1 for key in ("precision", "recall", "f1"))
    assert content["entities"]["micro"] == pytest.approx({"precision": 1, "recall": 0.8, "f1": 8 / 9, "support": 5})


def test_the_micro_row_is_the_sum_of_the_types(report: Report) -> None:
    for table in report.tables.values():
        total = Counter()
        for score in table.by_type.values():
            total.update(tp=score.tp, fp=score.fp, fn=score.fn)
        assert counts(table.micro) == (total["tp"], total["fp"], total["fn"])


def test_the_text_form_prints_the_rule_beside_the_number(report: Report) -> None:
    blocks = format_report(report).split("\n\n")
    for name, rule in RULES.items():
        (block,) = [each for each in blocks if f"(right: {rule})" in each]
        figures = report.tables[name].micro
        last = block.splitlines()[-1].split()
        assert last[-5:-2] == [f"{100 * each:.1f}" for each in (figures.precision, figures.recall, figures.f1)]
        assert last[-1] == str(figures.support)
        assert {line.split()[0] for line in block.splitlines()[2:-1]} == set(report.tables[name].by_type)


def test_a_long_type_name_leaves_the_figures_apart(gold: Document) -> None:
    name = "A_VERY_LONG_NAME_FOR_A_TYPE"
    document = annotated(f"{{a:{name} شيء}}")
    text = format_report(evaluate([document], [document], Schema.from_dict({"entities": {name: ""}})))
    assert f"{name} " in text
    assert [line.split()[1:] for line in text.splitlines() if name in line] == [
        ["100.0", "100.0", "100.0", "100.0–100.0", "1"]
    ]
