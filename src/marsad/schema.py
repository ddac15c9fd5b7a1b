"""A schema: entity types, relation types with the pairs they may join, and how events come about.

Read from YAML and never written into code: the rest of the library asks a `Schema` which tags, pairs and events exist.

    entities:  {ACTOR: "what it is", ...}
    relations: {ATTACKS: {head: [ACTOR], tail: [ACTOR, ASSET]}, ...}
    events:                                   # optional: without it a schema gives no events
      anchor: target                          # the role that the anchor of an event fills itself
      anchor_types: [TRIGGER]                 # optional: every mention of these types is an event, arguments or not
      roles: {attacker: {relation: ATTACKS, end: head}, place: {relation: ATTACKED_AT, end: tail}}
      merge: [attacker, place]                # optional: anchors of a sentence with the same fillers here are one event
      mutual: attacker                        # optional: two anchors that fill this role for each other are one event
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import cached_property
from importlib.resources import as_file, files
from pathlib import Path
from typing import Any, Literal

import yaml
from pydantic import BaseModel, ConfigDict, Field, ValidationError, model_validator

from marsad.errors import ConfigError

OUTSIDE = "O"


class RelationType(BaseModel):
    """Which entity types a relation may join, from `head` to `tail`."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    head: tuple[str, ...] = Field(min_length=1)
    tail: tuple[str, ...] = Field(min_length=1)
    description: str = ""


class EventRole(BaseModel):
    """A role of an event: filled by the `end` of each `relation` whose other end is the anchor."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    relation: str
    end: Literal["head", "tail"]


class EventRule(BaseModel):
    """How events come about; the keys are explained in this module's opening lines."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    anchor: str
    roles: dict[str, EventRole] = Field(min_length=1)
    anchor_types: tuple[str, ...] = ()
    merge: tuple[str, ...] | None = None
    mutual: str | None = None


class Schema(BaseModel):
    """Entity types, relation types and the event rule. Order is the order of the file and fixes tag ids."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    entities: dict[str, str] = Field(min_length=1)
    relations: dict[str, RelationType] = Field(default_factory=dict)
    events: EventRule | None = None

    @model_validator(mode="after")
    def _names_exist(self) -> Schema:
        problems = _name_problems(self.model_dump())
        if problems:
            raise ValueError("; ".join(problems))
        return self

    @classmethod
    def from_file(cls, path: str | Path) -> Schema:
        """Read a schema file. Raises `ConfigError` that names the file and lists every problem in it."""
        try:
            content = yaml.safe_load(Path(path).read_text(encoding="utf-8"))
        except (OSError, UnicodeDecodeError, yaml.YAMLError) as error:
            raise ConfigError(f"schema {path} cannot be read: {error}") from error
        return cls.from_dict(content, str(path))

    @classmethod
    def default(cls) -> Schema:
        """Return the schema of the annotation guidelines, from the copy in the package."""
        packaged = files("marsad") / "schema.yaml"
        if not packaged.is_file():  # a source tree, where the file has its place among the configs
            return cls.from_file(Path(__file__).parents[2] / "configs" / "schema.yaml")
        with as_file(packaged) as path:
            return cls.from_file(path)

    @classmethod
    def from_dict(cls, content: Any, source: str = "schema") -> Schema:
        """Build a schema from the content of a schema file; `source` names it in errors."""
        if not isinstance(content, Mapping):
            raise ConfigError(f"{source}: expected `entities:` and `relations:`, got {content!r}")
        try:
            return cls.model_validate(content)
        except ValidationError as error:
            # pydantic looks at names only where the form is right: look at them in any case, and tell all at once.
            form = [f"{'.'.join(map(str, each['loc']))}: {each['msg']}" for each in error.errors() if each["loc"]]
            lines = [f"  {problem}" for problem in (*form, *_name_problems(content))]
            raise ConfigError("\n".join([f"{source} is not a schema:", *lines])) from error

    def to_yaml(self) -> str:
        """Return the schema as the text of a schema file, which `from_file` reads back as an equal schema."""
        content = self.model_dump(mode="json", exclude_defaults=True)
        return yaml.safe_dump(content, allow_unicode=True, sort_keys=False)

    @cached_property
    def tags(self) -> tuple[str, ...]:
        """The IOB2 tags, `O` first, then `B-` and `I-` of each entity type; a tag's id is its place here."""
        return (OUTSIDE, *(f"{prefix}-{name}" for name in self.entities for prefix in "BI"))

    @cached_property
    def entity_types(self) -> tuple[str, ...]:
        """Entity types in order."""
        return tuple(self.entities)

    @cached_property
    def relation_types(self) -> tuple[str, ...]:
        """Relation types in order; a relation's id is its place here."""
        return tuple(self.relations)

    @cached_property
    def event_roles(self) -> tuple[str, ...]:
        """Names of the roles of an event, the anchor's own role included; empty for a schema without events."""
        return (*self.events.roles, self.events.anchor) if self.events else ()

    @cached_property
    def _pairs(self) -> dict[tuple[str, str], tuple[str, ...]]:
        return {
            (head, tail): tuple(
                name for name, relation in self.relations.items() if head in relation.head and tail in relation.tail
            )
            for head in self.entities
            for tail in self.entities
        }

    def allowed(self, head_type: str, tail_type: str) -> tuple[str, ...]:
        """Return the relation types that may go from `head_type` to `tail_type`, in order; none is an empty tuple."""
        return self._pairs.get((head_type, tail_type), ())

    def allows(self, relation: str, head_type: str, tail_type: str) -> bool:
        """Tell whether `relation` may go from `head_type` to `tail_type`."""
        return relation in self.allowed(head_type, tail_type)


def _name_problems(content: Mapping[str, Any]) -> list[str]:
    """Return what is wrong with the names in the content of a schema file; parts of a wrong form are passed over."""
    entities, relations, events = (_mapping(content.get(part)) for part in ("entities", "relations", "events"))
    return [
        *_bad_type_names("entities", entities),
        *_bad_type_names("relations", relations),
        *_bad_pairs(entities, relations),
        *_bad_events(entities, relations, events),
    ]


def _bad_type_names(part: str, names: Mapping[str, Any]) -> list[str]:
    # A type stands in `B-TYPE` tags and in `TYPE:T1|TYPE:T2` cells.
    return [
        f"{part}.{name}: the type name {name!r} is empty or holds white space, ':' or '|'"
        for name in map(str, names)
        if not name or any(each.isspace() or each in ":|" for each in name)
    ]


def _bad_pairs(entities: Mapping[str, Any], relations: Mapping[str, Any]) -> list[str]:
    return [
        f"relations.{name}.{end}: {missing!r} is no entity type ({_there_are(entities)})"
        for name, relation in relations.items()
        for end in ("head", "tail")
        for missing in _list(_mapping(relation).get(end))
        if entities and missing not in entities
    ]


def _bad_events(entities: Mapping[str, Any], relations: Mapping[str, Any], events: Mapping[str, Any]) -> list[str]:
    roles, anchor = _mapping(events.get("roles")), str(events.get("anchor"))
    problems = [
        f"events.roles.{role}.relation: {relation!r} is no relation type ({_there_are(relations)})"
        for role, filler in roles.items()
        if isinstance(relation := _mapping(filler).get("relation"), str) and relation not in relations
    ]
    mutual = [str(events["mutual"])] if events.get("mutual") else []
    problems += [
        f"events.{key}: {role!r} is no role ({_there_are(roles)})"
        for key, names in (("merge", _list(events.get("merge"))), ("mutual", mutual))
        for role in names
        if role not in roles
    ]
    if anchor in roles:
        problems.append(f"events.anchor: {anchor!r} is filled by the anchor itself and cannot be a role too")
    problems += [
        f"events.anchor_types: {name!r} is no entity type ({_there_are(entities)})"
        for name in _list(events.get("anchor_types"))
        if entities and name not in entities
    ]
    return problems


def _there_are(names: Mapping[str, Any]) -> str:
    return f"there are {', '.join(map(str, names)) or 'none'}"


def _mapping(value: Any) -> Mapping[str, Any]:
    return value if isinstance(value, Mapping) else {}


def _list(value: Any) -> list[str]:
    """Return the names in a list, each once."""
    return list(dict.fromkeys(map(str, value))) if isinstance(value, list | tuple) else []
