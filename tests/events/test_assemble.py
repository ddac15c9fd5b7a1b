"""Incidents from relations: the rules of the annotation guidelines, section 4, one by one."""

from dataclasses import replace
from pathlib import Path

import pytest

from marsad.documents import Document, Relation
from marsad.events import assemble, with_events
from marsad.schema import Schema
from notation import annotated

TRIGGERS = Path(__file__).parents[2] / "configs" / "schemas" / "triggers.yaml"

# One sentence: two attackers, two things attacked, two places, two weapons, two dates, two losses.
ONE = (
    "{a:ACTOR فصيل} و {b:ACTOR كتيبة} ضربا {x:ASSET مخفرا} و {y:ASSET جسرا} في {p:LOCATION تلعة} و {q:LOCATION نجمة} "
    "بـ {w:WEAPON مدفع} و {v:WEAPON لغم} {d:DATE أمس} و {e:DATE اليوم} {l:CASUALTY قتيل} و {m:CASUALTY جريح}"
)
# Two sentences, a hub in each; the second line names no attacker.
TWO = "{a:ACTOR فصيل} ضرب {x:ASSET مخفرا} في {p:LOCATION تلعة} .\nوتضرر {y:ASSET جسر} هناك {d:DATE أمس} ."


def incidents(document: Document, schema: Schema) -> set[str]:
    """The roles of each incident as `attacker=a target=xy`, entities by the letters of the notation."""
    letters = dict(enumerate(document.meta["names"]))
    return {
        " ".join(
            f"{role}={''.join(letters[each] for each in fillers)}" for role, fillers in sorted(event.roles.items())
        )
        for event in assemble(document, schema)
    }


def case(text: str, relations: str) -> Document:
    names = "".join(part[0] for part in text.split("{")[1:])
    return annotated(text, *filter(None, map(str.strip, relations.split(","))), names=names)


@pytest.mark.parametrize(
    ("relations", "expected"),
    [
        ("", set()),
        ("x AFFILIATED_WITH a", set()),
        ("a AFFILIATED_WITH b, x AFFILIATED_WITH a", set()),
        ("a ATTACKS x", {"attacker=a target=x"}),
        ("x ATTACKED_AT p", {"place=p target=x"}),
        ("x ATTACKED_WITH w", {"target=x weapon=w"}),
        ("x ATTACKED_ON d", {"date=d target=x"}),
        ("x SUFFERED l", {"loss=l target=x"}),
        ("a ATTACKS p", {"attacker=a target=p"}),
        ("a ATTACKS x, x AFFILIATED_WITH b", {"attacker=a target=x"}),
        # A hub gathers all that hangs on it.
        (
            "a ATTACKS x, b ATTACKS x, x ATTACKED_AT p, x ATTACKED_AT q, x ATTACKED_WITH w, "
            "x ATTACKED_ON d, x SUFFERED l",
            {"attacker=ab date=d loss=l place=pq target=x weapon=w"},
        ),
        # A party can be a hub in one attack and an attacker in the next.
        ("a ATTACKS b, b ATTACKS x", {"attacker=a target=b", "attacker=b target=x"}),
        # A place of one attack can be the hub of another.
        ("a ATTACKS x, x ATTACKED_AT p, b ATTACKS p", {"attacker=a place=p target=x", "attacker=b target=p"}),
    ],
)
def test_a_hub_with_a_relation_of_an_attack_is_an_incident(schema: Schema, relations: str, expected: set[str]) -> None:
    assert incidents(case(ONE, relations), schema) == expected


SHARED = "a ATTACKS x, x ATTACKED_AT p, x ATTACKED_WITH w, x ATTACKED_ON d"
SAME = "a ATTACKS y, y ATTACKED_AT p, y ATTACKED_WITH w, y ATTACKED_ON d"


@pytest.mark.parametrize(
    ("first", "second", "number"),
    [
        (SHARED, SAME, 1),
        ("a ATTACKS x", "a ATTACKS y", 1),
        ("a ATTACKS x, b ATTACKS x", "b ATTACKS y, a ATTACKS y", 1),
        # Losses and owners do not matter.
        (f"{SHARED}, x SUFFERED l", SAME, 1),
        (f"{SHARED}, x SUFFERED l", f"{SAME}, y SUFFERED m", 1),
        (f"{SHARED}, x AFFILIATED_WITH b", SAME, 1),
        # One differs, or one side has more or less.
        (SHARED, SAME.replace("a ATTACKS", "b ATTACKS"), 2),
        (SHARED, SAME.replace("AT p", "AT q"), 2),
        (SHARED, SAME.replace("WITH w", "WITH v"), 2),
        (SHARED, SAME.replace("ON d", "ON e"), 2),
        (SHARED, f"{SAME}, b ATTACKS y", 2),
        (SHARED, f"{SAME}, y ATTACKED_AT q", 2),
        (SHARED, SAME.replace(", y ATTACKED_ON d", ""), 2),
        ("a ATTACKS x", "a ATTACKS y, y ATTACKED_WITH w", 2),
    ],
)
def test_hubs_of_a_sentence_are_one_incident_where_they_share_all_that_counts(
    schema: Schema, first: str, second: str, number: int
) -> None:
    found = assemble(case(ONE, f"{first}, {second}"), schema)
    assert len(found) == number
    targets = sorted(event.roles["target"] for event in found)
    assert targets == ([(2, 3)] if number == 1 else [(2,), (3,)])


def test_a_merged_incident_has_the_losses_of_all_its_hubs(schema: Schema) -> None:
    document = case(ONE, "a ATTACKS x, a ATTACKS y, x SUFFERED l, y SUFFERED m")
    assert incidents(document, schema) == {"attacker=a loss=lm target=xy"}


def test_three_hubs_are_one_incident_with_three_targets(schema: Schema) -> None:
    assert incidents(case(ONE, "a ATTACKS x, a ATTACKS y, a ATTACKS b"), schema) == {"attacker=a target=bxy"}


def test_hubs_of_two_sentences_stay_two_incidents(schema: Schema) -> None:
    document = case(TWO, "a ATTACKS x, x ATTACKED_AT p, a ATTACKS y, y ATTACKED_AT p")
    assert incidents(document, schema) == {"attacker=a place=p target=x", "attacker=a place=p target=y"}


@pytest.mark.parametrize(
    ("relations", "expected"),
    [
        ("a ATTACKS b, b ATTACKS a", {"attacker=ab target=ab"}),
        (
            "a ATTACKS b, b ATTACKS a, a ATTACKED_AT p, b ATTACKED_AT p, a SUFFERED l",
            {"attacker=ab loss=l place=p target=ab"},
        ),
        # The two need not share their places: the clash is one all the same.
        ("a ATTACKS b, b ATTACKS a, b ATTACKED_AT p", {"attacker=ab place=p target=ab"}),
        # A third thing hit by one of them, elsewhere, is an incident of its own.
        (
            "a ATTACKS b, b ATTACKS a, a ATTACKS x, x ATTACKED_AT q",
            {"attacker=ab target=ab", "attacker=a place=q target=x"},
        ),
        ("a ATTACKS b", {"attacker=a target=b"}),
    ],
)
def test_two_parties_that_attack_each_other_are_one_incident(
    schema: Schema, relations: str, expected: set[str]
) -> None:
    assert incidents(case(ONE, relations), schema) == expected


def test_a_clash_told_across_sentences_is_one_incident(schema: Schema) -> None:
    document = case("{a:ACTOR فصيل} هاجم .\nورد {b:ACTOR الجيش} .", "a ATTACKS b, b ATTACKS a")
    assert incidents(document, schema) == {"attacker=ab target=ab"}
    assert assemble(document, schema)[0].evidence == (0, 1)


def test_a_clash_joins_what_is_merged_already(schema: Schema) -> None:
    document = case("{a:ACTOR فصيل} و {b:ACTOR كتيبة} و {c:ACTOR جيش}", "a ATTACKS b, a ATTACKS c, c ATTACKS a")
    assert incidents(document, schema) == {"attacker=ac target=abc"}


def test_a_ring_of_three_attacks_is_three_incidents(schema: Schema) -> None:
    document = case("{a:ACTOR فصيل} و {b:ACTOR كتيبة} و {c:ACTOR جيش}", "a ATTACKS b, b ATTACKS c, c ATTACKS a")
    assert len(assemble(document, schema)) == 3


@pytest.mark.parametrize(
    ("relations", "evidence"),
    [
        ("a ATTACKS x", (0,)),
        ("y ATTACKED_ON d", (1,)),
        ("a ATTACKS y", (0, 1)),
        ("y ATTACKED_ON d, y ATTACKED_AT p", (0, 1)),
        ("a ATTACKS x, x AFFILIATED_WITH a", (0,)),
    ],
)
def test_the_evidence_is_the_sentences_of_the_mentions(
    schema: Schema, relations: str, evidence: tuple[int, ...]
) -> None:
    (event,) = assemble(case(TWO, relations), schema)
    assert event.evidence == evidence


@pytest.mark.parametrize(
    ("relations", "scores", "expected"),
    [
        ("a ATTACKS x", [0.7], [0.7]),
        ("a ATTACKS x, x ATTACKED_AT p, x SUFFERED l", [0.9, 0.8, 0.6], [0.6]),
        ("a ATTACKS x, a ATTACKS y", [0.9, 0.55], [0.55]),
        ("a ATTACKS b, b ATTACKS a", [0.6, 0.95], [0.6]),
        ("a ATTACKS x, x AFFILIATED_WITH b", [0.9, 0.1], [0.9]),
        ("a ATTACKS x, b ATTACKS y", [0.9, 0.5], [0.9, 0.5]),
    ],
)
def test_the_score_is_the_lowest_of_the_relations_that_made_the_incident(
    schema: Schema, relations: str, scores: list[float], expected: list[float]
) -> None:
    document = case(ONE, relations)
    scored = [replace(each, score=score) for each, score in zip(document.relations, scores, strict=True)]
    assert [event.score for event in assemble(replace(document, relations=scored), schema)] == expected


def test_incidents_do_not_depend_on_the_order_of_the_relations(schema: Schema) -> None:
    document = case(ONE, f"{SHARED}, {SAME}, b ATTACKS a, a ATTACKS b, p ATTACKED_AT q")
    turned = replace(document, relations=document.relations[::-1])
    assert assemble(turned, schema) == assemble(document, schema)


def test_a_document_gets_its_events_and_loses_stale_ones(schema: Schema) -> None:
    document = with_events(case(ONE, "a ATTACKS x"), schema)
    assert [dict(event.roles) for event in document.events] == [{"attacker": (0,), "target": (2,)}]
    assert with_events(replace(document, relations=()), schema).events == ()
    assert Document.from_dict(document.to_dict()).events == document.events


def test_nothing_gives_no_incidents(schema: Schema) -> None:
    assert assemble(annotated(""), schema) == []
    assert assemble(annotated("\u200f \u0640"), schema) == []


def test_a_schema_without_events_gives_none(schema: Schema) -> None:
    bare = Schema.from_dict({**schema.model_dump(mode="json"), "events": None})
    assert assemble(case(ONE, "a ATTACKS x"), bare) == []


def test_without_a_merge_list_every_anchor_is_an_event_of_its_own(schema: Schema) -> None:
    rule = {
        key: value for key, value in schema.model_dump(mode="json")["events"].items() if key not in ("merge", "mutual")
    }
    apart = Schema.from_dict({**schema.model_dump(mode="json"), "events": rule})
    assert incidents(case(ONE, "a ATTACKS x, a ATTACKS y"), apart) == {"attacker=a target=x", "attacker=a target=y"}
    assert len(assemble(case(ONE, "a ATTACKS b, b ATTACKS a"), apart)) == 2


def test_each_trigger_is_an_event_with_or_without_arguments() -> None:
    schema = Schema.from_file(TRIGGERS)
    document = case(
        "{p:PERSON شبان} {h:ATTACK رشقوا} و {k:ATTACK ضربوا} {o:ORGANISATION الشرطة} .\nوقع {s:ATTACK انفجار}",
        "h ATTACKER p, k ATTACKER p, h TARGET o, k TARGET o",
    )
    assert incidents(document, schema) == {
        "attacker=p target=o trigger=h",
        "attacker=p target=o trigger=k",
        "trigger=s",
    }
    assert [event.evidence for event in assemble(document, schema)] == [(0,), (0,), (1,)]


def test_a_trigger_alone_scores_as_its_mention() -> None:
    document = case("وقع {s:ATTACK انفجار}", "")
    document = replace(document, entities=[replace(document.entities[0], score=0.4)])
    (event,) = assemble(document, Schema.from_file(TRIGGERS))
    assert event.score == 0.4


def test_a_relation_of_a_type_no_role_names_is_passed_over(schema: Schema) -> None:
    document = case(ONE, "a ATTACKS x")
    odd = replace(document, relations=[*document.relations, Relation("NEAR", 2, 4)])
    assert assemble(odd, schema) == assemble(document, schema)
