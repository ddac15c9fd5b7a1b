"""The nouns of marsad: Word, Entity, Relation, Event and the Document that holds them.

All are frozen and refuse to exist broken: a `Document` whose entity points past its words, or whose words do not slice
its text, raises `AnnotationError` at once rather than yielding a wrong mention later. Offsets into `Document.text` are
code points; entities count words. Everything here is plain Python: no numpy, no torch.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import Any

from marsad.errors import AnnotationError

_SURROGATE = re.compile("[\ud800-\udfff]")


@dataclass(frozen=True, slots=True)
class Word:
    """One annotated unit: `text` is `Document.text[start:end]`, in code points, half-open."""

    text: str
    start: int
    end: int

    def __post_init__(self) -> None:
        if not self.text or any(character.isspace() for character in self.text):
            raise AnnotationError(f"a word is a piece of text without white space, got {self.text!r}: split it first")
        if self.start < 0 or self.end - self.start != len(self.text):
            raise AnnotationError(f"word {self.text!r} does not fit its offsets [{self.start}, {self.end})")


@dataclass(frozen=True, slots=True)
class Entity:
    """A mention: words `[start, end)` of its document have `type`. `id` names it in files and does not compare."""

    type: str
    start: int
    end: int
    score: float = 1.0
    id: str = field(default="", compare=False)

    def __post_init__(self) -> None:
        if not 0 <= self.start < self.end:
            raise AnnotationError(
                f"{self.type} covers words [{self.start}, {self.end}): an entity needs a word or more"
            )
        _check_score(self.score, f"{self.type} [{self.start}, {self.end})")


@dataclass(frozen=True, slots=True)
class Relation:
    """A typed, directed pair: `head` and `tail` are indices into `Document.entities`."""

    type: str
    head: int
    tail: int
    score: float = 1.0

    def __post_init__(self) -> None:
        if self.head == self.tail:
            raise AnnotationError(f"{self.type} joins entity {self.head} to itself: head and tail must differ")
        _check_score(self.score, f"{self.type} {self.head} -> {self.tail}")


@dataclass(frozen=True)
class Event:
    """An incident: role name -> indices into `Document.entities`; `evidence`: indices into `Document.sentences`.

    `score` is the lowest score among the relations that made it.
    """

    roles: Mapping[str, tuple[int, ...]]
    score: float = 1.0
    evidence: tuple[int, ...] = ()

    def __post_init__(self) -> None:
        object.__setattr__(self, "roles", {role: tuple(fillers) for role, fillers in self.roles.items()})
        object.__setattr__(self, "evidence", tuple(self.evidence))
        _check_score(self.score, "an event")


@dataclass(frozen=True)
class Document:
    """A text, its words and sentences, and what was annotated or predicted in it.

    `sentences` are half-open ranges of word indices that cover all words in order. Entities are flat: no word belongs
    to two of them. `meta` holds the metadata of the file it came from (country, genre, ...), strings by name.
    Raises `AnnotationError` when any of this does not hold, naming the document and the part.
    """

    id: str
    text: str
    words: Sequence[Word]
    sentences: Sequence[tuple[int, int]] = ()
    entities: Sequence[Entity] = ()
    relations: Sequence[Relation] = ()
    events: Sequence[Event] = ()
    meta: Mapping[str, str] = field(default_factory=dict)

    def __post_init__(self) -> None:
        for name in ("words", "entities", "relations", "events"):
            object.__setattr__(self, name, tuple(getattr(self, name)))
        if self.words and not self.sentences:
            object.__setattr__(self, "sentences", ((0, len(self.words)),))
        object.__setattr__(self, "sentences", tuple((start, end) for start, end in self.sentences))
        object.__setattr__(self, "meta", dict(self.meta))
        for problem in self._problems():
            raise AnnotationError(f"document {self.id!r}: {problem}")

    def _problems(self) -> Iterable[str]:
        yield from _string_problems(self.id, self.text, self.meta)
        yield from _word_problems(self.text, self.words)
        yield from _sentence_problems(self.sentences, len(self.words))
        yield from _entity_problems(self.entities, len(self.words))
        yield from _relation_problems(self.relations, len(self.entities))
        yield from _event_problems(self.events, len(self.entities), len(self.sentences))

    def surface(self, entity: Entity) -> str:
        """Return the mention as it stands in the text, untouched."""
        return self.text[self.words[entity.start].start : self.words[entity.end - 1].end]

    def sentence_text(self, index: int) -> str:
        """Return sentence `index` as it stands in the text."""
        start, end = self.sentences[index]
        return self.text[self.words[start].start : self.words[end - 1].end]

    @property
    def relations_annotated(self) -> bool:
        """False where the file says `annotated = entities`: nobody looked for relations, so none is no evidence."""
        return self.meta.get("annotated", "") != "entities"

    @cached_property
    def entity_ids(self) -> tuple[str, ...]:
        """Return the ids of the entities in files: their own where all have one, else T1, T2, ..."""
        own = tuple(entity.id for entity in self.entities)
        if all(own) and len(set(own)) == len(own):
            return own
        return tuple(f"T{number}" for number in range(1, len(own) + 1))

    @cached_property
    def sentence_of_word(self) -> tuple[int, ...]:
        """Return the sentence index of each word."""
        return tuple(index for index, (start, end) in enumerate(self.sentences) for _ in range(start, end))

    def without_annotations(self) -> Document:
        """Return the same text, words and sentences with no entities, relations or events."""
        return replace(self, entities=(), relations=(), events=())

    def to_dict(self) -> dict[str, Any]:
        """Return the JSON form (the schema ships as `marsad/document.schema.json`); offsets in code points."""
        from marsad.document_json import to_record

        return to_record(self)

    @classmethod
    def from_dict(cls, record: Mapping[str, Any]) -> Document:
        """Rebuild a document from its JSON form. Raises `AnnotationError` that names the key at fault."""
        from marsad.document_json import from_record

        return from_record(record)

    def _repr_html_(self) -> str:
        """Return how notebooks show it: right to left, mentions marked, incidents below."""
        from marsad.document_html import to_html

        return to_html(self)


def _check_score(score: float, what: str) -> None:
    if not 0.0 <= score <= 1.0:
        raise AnnotationError(f"{what} has score {score!r}: a score is a probability from 0 to 1")


def _string_problems(id: object, text: str, meta: Mapping[Any, Any]) -> Iterable[str]:
    if not isinstance(id, str):
        yield f"the id is {id!r}: an id is a string"
    for key, value in meta.items():
        if not (isinstance(key, str) and isinstance(value, str)):
            yield f"meta {key!r} is {value!r}: names and values are strings"
    strings = [str(id), *(part for item in meta.items() for part in item if isinstance(part, str))]
    if any(_SURROGATE.search(each) for each in strings):
        yield "the id or meta holds half of a surrogate pair: no file can hold it, decode the source again"
    if half := _SURROGATE.search(text):
        yield (
            f"character {half.start()} of the text is U+{ord(half.group()):04X}, half of a pair: no file can hold it, "
            "decode the source again"
        )


def _word_problems(text: str, words: Sequence[Word]) -> Iterable[str]:
    previous = 0
    for index, word in enumerate(words):
        if word.start < previous:
            yield f"word {index} {word.text!r} starts at {word.start}, before the last word's end, {previous}"
        if text[word.start : word.end] != word.text:
            yield f"word {index} is {word.text!r} but the text has {text[word.start : word.end]!r} there"
        previous = word.end


def _sentence_problems(sentences: Sequence[tuple[int, int]], num_words: int) -> Iterable[str]:
    previous = 0
    for index, (start, end) in enumerate(sentences):
        if start != previous or end <= start:
            yield f"sentence {index} is words [{start}, {end}), expected one or more words from {previous} on"
        previous = end
    if previous != num_words:
        yield f"sentences cover {previous} words of {num_words}: they must cover all"


def _entity_problems(entities: Sequence[Entity], num_words: int) -> Iterable[str]:
    owner: dict[int, Entity] = {}
    for entity in entities:
        if entity.end > num_words:
            yield f"{entity.type} [{entity.start}, {entity.end}) reaches past the {num_words} words"
        for word in range(entity.start, entity.end):
            if word in owner:
                yield f"word {word} belongs to {entity.type} and to {owner[word].type}: entities must not overlap"
                break
            owner[word] = entity


def _relation_problems(relations: Sequence[Relation], num_entities: int) -> Iterable[str]:
    seen: set[tuple[str, int, int]] = set()
    for relation in relations:
        key = (relation.type, relation.head, relation.tail)
        if not (0 <= relation.head < num_entities and 0 <= relation.tail < num_entities):
            yield f"{relation.type} joins entities {relation.head} and {relation.tail}, there are {num_entities}"
        if key in seen:
            yield f"{relation.type} from entity {relation.head} to {relation.tail} stands twice"
        seen.add(key)


def _event_problems(events: Sequence[Event], num_entities: int, num_sentences: int) -> Iterable[str]:
    for event in events:
        for role, fillers in event.roles.items():
            if not fillers:
                yield f"event role {role!r} is filled by nothing: leave it out"
            if any(not 0 <= filler < num_entities for filler in fillers):
                yield f"event role {role!r} is filled by entities {fillers}, there are {num_entities}"
        if any(not 0 <= sentence < num_sentences for sentence in event.evidence):
            yield f"event evidence names sentences {event.evidence}, there are {num_sentences}"
