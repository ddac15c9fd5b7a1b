"""Schemas: what they allow, what is said of broken ones, and the three files that ship."""

from pathlib import Path

import pytest
import yaml

from marsad.errors import ConfigError
from marsad.events import assemble
from marsad.schema import Schema
from notation import annotated

CONFIGS = Path(__file__).parent.parent / "configs"
FILES = ["schema.yaml", "schemas/minimal.yaml", "schemas/triggers.yaml"]

SMALL = """
entities: {ACTOR: من يفعل, PLACE: أين}
relations:
  HITS: {head: [ACTOR], tail: [ACTOR, PLACE]}
  IN: {head: [ACTOR, PLACE], tail: [PLACE]}
events:
  anchor: target
  roles: {attacker: {relation: HITS, end: head}, place: {relation: IN, end: tail}}
"""


def problems_of(text: str, tmp_path: Path) -> str:
    path = tmp_path / "broken.yaml"
    path.write_text(text, encoding="utf-8")
    with pytest.raises(ConfigError) as caught:
        Schema.from_file(path)
    assert "broken.yaml" in str(caught.value)
    return str(caught.value)


def test_tags_start_with_outside_and_keep_the_order_of_the_file() -> None:
    assert Schema.from_dict(yaml.safe_load(SMALL)).tags == ("O", "B-ACTOR", "I-ACTOR", "B-PLACE", "I-PLACE")


@pytest.mark.parametrize(
    ("relation", "head", "tail", "allowed"),
    [
        ("ATTACKS", "ACTOR", "ASSET", True),
        ("ATTACKS", "ASSET", "ACTOR", False),
        ("ATTACKS", "ACTOR", "WEAPON", False),
        ("ATTACKED_AT", "LOCATION", "LOCATION", True),
        ("ATTACKED_ON", "ASSET", "DATE", True),
        ("AFFILIATED_WITH", "WEAPON", "ACTOR", True),
        ("AFFILIATED_WITH", "LOCATION", "ACTOR", False),
        ("SUFFERED", "CASUALTY", "ACTOR", False),
        ("KISSES", "ACTOR", "ACTOR", False),
        ("ATTACKS", "GHOST", "ACTOR", False),
        ("attacks", "ACTOR", "ACTOR", False),
    ],
)
def test_a_relation_joins_only_the_types_it_names(
    schema: Schema, relation: str, head: str, tail: str, allowed: bool
) -> None:
    assert schema.allows(relation, head, tail) is allowed


def test_the_relations_of_a_pair_come_in_the_order_of_the_file(schema: Schema) -> None:
    assert schema.allowed("ACTOR", "ACTOR") == ("ATTACKS", "AFFILIATED_WITH")
    assert schema.allowed("DATE", "ACTOR") == ()


def test_the_anchor_is_a_role_like_the_others(schema: Schema) -> None:
    assert set(schema.event_roles) == {"target", "attacker", "place", "weapon", "date", "loss"}


def test_a_schema_of_entities_alone_has_no_relations_and_no_events() -> None:
    schema = Schema.from_dict({"entities": {"ACTOR": "x"}})
    assert (schema.relation_types, schema.event_roles, schema.allowed("ACTOR", "ACTOR")) == ((), (), ())


@pytest.mark.parametrize(
    ("old", "new", "named"),
    [
        ("tail: [PLACE]", "tail: [PLASE]", ["relations.IN.tail", "PLASE", "ACTOR, PLACE"]),
        ("tail: [PLACE]", "tail: []", ["relations.IN.tail"]),
        ("tail: [PLACE]", "tail: PLACE", ["relations.IN.tail"]),
        (", tail: [PLACE]", "", ["relations.IN.tail"]),
        ("tail: [PLACE]", "tail: [PLACE], tale: x", ["relations.IN.tale"]),
        ("relation: IN", "relation: INN", ["events.roles.place", "INN", "HITS, IN"]),
        ("relation: IN", "relation: [IN]", ["events.roles.place.relation"]),
        ("end: tail", "end: tale", ["events.roles.place.end"]),
        ("anchor: target", "anchor: place", ["events.anchor", "place"]),
        ("anchor: target", "anchor: [target]", ["events.anchor"]),
        ("anchor: target", "ancor: target", ["events.ancor", "events.anchor"]),
        ("anchor: target", "anchor: target\n  merge: [where]", ["events.merge", "where", "attacker, place"]),
        ("anchor: target", "anchor: target\n  mutual: foe", ["events.mutual", "foe"]),
        ("anchor: target", "anchor: target\n  anchor_types: [BOMB]", ["events.anchor_types", "BOMB"]),
        ("PLACE: أين", "PLACE: أين, 'MY PLACE': x", ["entities.MY PLACE"]),
        ("PLACE: أين", "PLACE: أين, 'A\u00a0B': x", ["entities.A"]),
        ("PLACE: أين", "PLACE: أين, '': x", ["entities."]),
        ("PLACE: أين", "PLACE: أين, 'A|B': x", ["entities.A|B"]),
        ("  IN:", "  'AT:IN':", ["relations.AT:IN", "'IN' is no relation type"]),
        ("PLACE: أين", "PLACE:", ["entities.PLACE"]),
        ("entities: {ACTOR: من يفعل, PLACE: أين}", "entities: [ACTOR, PLACE]", ["entities"]),
        ("entities: {ACTOR: من يفعل, PLACE: أين}", "entities: {}", ["entities"]),
        ("entities: {ACTOR: من يفعل, PLACE: أين}", "", ["entities"]),
        ("entities:", "enitites:", ["enitites", "entities"]),
    ],
)
def test_a_broken_schema_names_the_file_the_key_and_the_value(
    tmp_path: Path, old: str, new: str, named: list[str]
) -> None:
    assert old in SMALL
    message = problems_of(SMALL.replace(old, new), tmp_path)
    assert [each for each in named if each not in message] == []


def test_all_problems_come_in_one_error_whatever_their_kind(tmp_path: Path) -> None:
    text = (
        SMALL.replace("tail: [PLACE]", "tail: [PLASE]")
        .replace("head: [ACTOR], tail", "head: [HERO], tail")
        .replace("relation: IN, end: tail", "relation: OUT, end: top")
        .replace("anchor: target", "anchor: target\n  merge: [who]\n  color: red")
    )
    message = problems_of(text, tmp_path)
    for part in (
        "relations.IN.tail: 'PLASE'",
        "relations.HITS.head: 'HERO'",
        "'OUT'",
        "events.roles.place.end",
        "'who'",
        "events.color",
    ):
        assert message.count(part) == 1, part


@pytest.mark.parametrize("text", ["", "- a\n- b", "ACTOR", "entities: {a", "\t- x: [", "entities: *nobody"])
def test_a_file_that_holds_no_schema_is_a_config_error(tmp_path: Path, text: str) -> None:
    problems_of(text, tmp_path)


def test_a_missing_or_undecodable_file_is_a_config_error(tmp_path: Path) -> None:
    (tmp_path / "latin.yaml").write_bytes("entities: {ACTOR: فاعل}".encode("cp1256"))
    for name in ("none.yaml", "latin.yaml", "."):
        with pytest.raises(ConfigError, match="cannot be read"):
            Schema.from_file(tmp_path / name)


def test_a_schema_cannot_be_made_broken_in_code() -> None:
    with pytest.raises(ValueError, match="WHO"):
        Schema(entities={"ACTOR": ""}, relations={"HITS": {"head": ["WHO"], "tail": ["ACTOR"]}})  # type: ignore[dict-item]


def test_a_yaml_tag_runs_no_code(tmp_path: Path) -> None:
    flag = tmp_path / "flag"
    problems_of(f"!!python/object/apply:pathlib.Path.touch [!!python/object/apply:pathlib.Path ['{flag}']]", tmp_path)
    assert not flag.exists()


def test_a_byte_order_mark_and_windows_line_ends_are_read_over(tmp_path: Path) -> None:
    path = tmp_path / "schema.yaml"
    path.write_bytes(b"\xef\xbb\xbf" + SMALL.strip().replace("\n", "\r\n").encode())
    assert Schema.from_file(path) == Schema.from_dict(yaml.safe_load(SMALL))


@pytest.mark.parametrize("name", FILES)
def test_the_files_that_ship_load_and_come_back_equal(tmp_path: Path, name: str) -> None:
    schema = Schema.from_file(CONFIGS / name)
    assert schema.tags  # what was asked of a schema before does not change it
    (tmp_path / "copy.yaml").write_text(schema.to_yaml(), encoding="utf-8")
    copy = Schema.from_file(tmp_path / "copy.yaml")
    assert copy == schema
    assert copy.tags == schema.tags
    assert copy.event_roles == schema.event_roles


@pytest.mark.parametrize(
    "content",
    [
        {"entities": {"NO": "123", "ON": "", "123": "فاعل: «أ» #1", "فاعل": "~"}},
        {"entities": {"X": "a\nb"}, "relations": {"YES": {"head": ["X"], "tail": ["X"], "description": "- لا"}}},
        {**yaml.safe_load(SMALL), "events": {**yaml.safe_load(SMALL)["events"], "merge": []}},
    ],
)
def test_names_that_yaml_reads_as_something_else_come_back(content: dict[str, object]) -> None:
    schema = Schema.from_dict(content)
    copy = Schema.from_dict(yaml.safe_load(schema.to_yaml()))
    assert copy == schema
    assert copy.tags == schema.tags


def test_the_default_schema_is_that_of_the_guidelines(schema: Schema) -> None:
    assert schema.entity_types == ("ACTOR", "ASSET", "LOCATION", "WEAPON", "DATE", "CASUALTY")
    hub = ("ACTOR", "ASSET", "LOCATION")
    table = {
        "ATTACKS": (("ACTOR",), hub),
        "ATTACKED_AT": (hub, ("LOCATION",)),
        "ATTACKED_WITH": (hub, ("WEAPON",)),
        "ATTACKED_ON": (hub, ("DATE",)),
        "SUFFERED": (hub, ("CASUALTY",)),
        "AFFILIATED_WITH": (("ACTOR", "ASSET", "WEAPON"), ("ACTOR",)),
    }
    assert {name: (each.head, each.tail) for name, each in schema.relations.items()} == table


def test_the_minimal_schema_gives_incidents_of_attackers_targets_and_places() -> None:
    document = annotated(
        "هاجم {a:ACTOR مسلحون} {b:ACTOR حرسا} بـ {c:WEAPON بنادق} في {d:LOCATION وادي الريحان}",
        "a ATTACKS b",
        "b ATTACKED_AT d",
    )
    (event,) = assemble(document, Schema.from_file(CONFIGS / "schemas/minimal.yaml"))
    assert event.roles == {"attacker": (0,), "target": (1,), "place": (3,)}


def test_the_trigger_schema_anchors_events_on_the_word_that_reports_them() -> None:
    document = annotated(
        "{p:PERSON مسلحون} {h:ATTACK هاجموا} {o:ORGANISATION الشرطة} في {l:PLACE حي السدرة} {t:TIME أمس} "
        "ثم {x:ATTACK فجروا} مقرا",
        "h ATTACKER p",
        "h TARGET o",
        "h IN l",
        "h AT t",
    )
    first, second = assemble(document, Schema.from_file(CONFIGS / "schemas/triggers.yaml"))
    assert first.roles == {"trigger": (1,), "attacker": (0,), "target": (2,), "place": (3,), "time": (4,)}
    assert second.roles == {"trigger": (5,)}
