"""The JSON form of a document, both ways; `document.schema.json` describes it. Offsets are code points."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any

from marsad.documents import Document, Entity, Event, Relation, Word
from marsad.errors import AnnotationError

JSON_VERSION = 1


def to_record(document: Document) -> dict[str, Any]:
    """Return the record of a document."""
    ids = document.entity_ids
    return {
        "version": JSON_VERSION,
        "id": document.id,
        "text": document.text,
        "meta": dict(document.meta),
        "words": [[word.start, word.end] for word in document.words],
        "sentences": [[document.words[start].start, document.words[end - 1].end] for start, end in document.sentences],
        "entities": [
            _entity_record(document, name, entity) for name, entity in zip(ids, document.entities, strict=True)
        ],
        "relations": [
            {"type": each.type, "head": ids[each.head], "tail": ids[each.tail], "score": each.score}
            for each in document.relations
        ],
        "events": [
            {
                "roles": {role: [ids[filler] for filler in fillers] for role, fillers in event.roles.items()},
                "score": event.score,
                "evidence": list(event.evidence),
            }
            for event in document.events
        ],
    }


def _entity_record(document: Document, name: str, entity: Entity) -> dict[str, Any]:
    start, end = document.words[entity.start].start, document.words[entity.end - 1].end
    return {
        "id": name,
        "type": entity.type,
        "start": start,
        "end": end,
        "text": document.text[start:end],
        "score": entity.score,
    }


@contextmanager
def _reading(record: Mapping[str, Any], key: str) -> Iterator[None]:
    """Make whatever is wrong with one key of a record an `AnnotationError` that names document and key."""
    place = f"document {record.get('id', '?')!r}: {key}"
    try:
        yield
    except AnnotationError as error:
        raise AnnotationError(f"{place}: {error}") from error
    except (KeyError, TypeError, IndexError, AttributeError, ValueError) as error:
        raise AnnotationError(
            f"{place}: {type(error).__name__} {error}: not the JSON form of a document "
            "(see document.schema.json in the package)"
        ) from error


def from_record(record: Mapping[str, Any]) -> Document:
    """Return the document of a record. Raises `AnnotationError` that names the document and the key at fault."""
    version = record.get("version")
    if version != JSON_VERSION:
        name = record.get("id", "?")
        raise AnnotationError(f"document {name!r}: version is {version!r}, this release reads {JSON_VERSION}")
    with _reading(record, "id"):
        name = record["id"]
    with _reading(record, "text"):
        text = record["text"]
        if not isinstance(text, str):
            raise AnnotationError(f"{text!r} is no string")
    with _reading(record, "words"):
        places = _Places([Word(text[start:end], start, end) for start, end in record["words"]])
    with _reading(record, "sentences"):
        sentences = [places.range(start, end, "sentence") for start, end in record["sentences"]]
    with _reading(record, "entities"):
        entities = [_entity(each, text, places) for each in record["entities"]]
        index = {each.id: position for position, each in enumerate(entities)}
        if len(index) != len(entities):
            raise AnnotationError("two entities share an id: ids must be unique")
    with _reading(record, "relations"):
        relations = [_relation(each, index) for each in record.get("relations", ())]
    with _reading(record, "events"):
        events = [_event(each, index) for each in record.get("events", ())]
    with _reading(record, "meta"):
        meta = dict(record.get("meta", {}).items())
    return Document(name, text, places.words, sentences, entities, relations, events, meta)


class _Places:
    """Words by their offsets: turns ranges of code points into ranges of words."""

    def __init__(self, words: Sequence[Word]) -> None:
        self.words = words
        self._starts = {word.start: index for index, word in enumerate(words)}
        self._ends = {word.end: index + 1 for index, word in enumerate(words)}

    def range(self, start: int, end: int, what: str) -> tuple[int, int]:
        if start not in self._starts or end not in self._ends:
            raise AnnotationError(f"{what} [{start}, {end}) does not start and end with a word")
        return self._starts[start], self._ends[end]


def _entity(each: Mapping[str, Any], text: str, places: _Places) -> Entity:
    found = text[each["start"] : each["end"]]
    if each.get("text", found) != found:
        raise AnnotationError(
            f"{each['id']} is {each['text']!r} but the text has {found!r} there: offsets count code points"
        )
    start, end = places.range(each["start"], each["end"], each["id"])
    return Entity(each["type"], start, end, each.get("score", 1.0), each["id"])


def _relation(each: Mapping[str, Any], index: Mapping[str, int]) -> Relation:
    return Relation(each["type"], index[each["head"]], index[each["tail"]], each.get("score", 1.0))


def _event(each: Mapping[str, Any], index: Mapping[str, int]) -> Event:
    roles = {role: tuple(index[filler] for filler in fillers) for role, fillers in each["roles"].items()}
    return Event(roles, each.get("score", 1.0), tuple(each.get("evidence", ())))
