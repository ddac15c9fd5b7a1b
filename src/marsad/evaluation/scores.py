"""What scoring returns: counts that add up, by document, rule and type, and the report that sums them."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import Any

from marsad.errors import AnnotationError

RULES = {
    "entities": "span and type (seqeval strict)",
    "relations_strict": "type, both spans, both entity types",
    "relations_boundaries": "type and both spans",
    "relations_by_distance": "as strict, by the sentences from one mention to the other",
    "events": "role fillers of incidents matched to gold",
    "relations_gold_entities": "type of pairs of gold entities",
}


@dataclass(frozen=True)
class Score:
    """Counts that add up; precision, recall and F1 are fractions of one, 0 where nothing was to be found or said."""

    tp: int = 0
    fp: int = 0
    fn: int = 0

    def __add__(self, other: Score) -> Score:
        return Score(self.tp + other.tp, self.fp + other.fp, self.fn + other.fn)

    @property
    def precision(self) -> float:
        """Share of what was predicted that is right."""
        return self.tp / (self.tp + self.fp) if self.tp + self.fp else 0.0

    @property
    def recall(self) -> float:
        """Share of gold that was found."""
        return self.tp / (self.tp + self.fn) if self.tp + self.fn else 0.0

    @property
    def f1(self) -> float:
        """Harmonic mean of precision and recall."""
        found = 2 * self.tp + self.fp + self.fn
        return 2 * self.tp / found if found else 0.0

    @property
    def support(self) -> int:
        """Number of gold items."""
        return self.tp + self.fn

    def to_dict(self) -> dict[str, float | int]:
        """Return the derived figures and the support."""
        return {"precision": self.precision, "recall": self.recall, "f1": self.f1, "support": self.support}


@dataclass(frozen=True)
class Table:
    """Scores by type and their sum."""

    by_type: Mapping[str, Score]

    @property
    def micro(self) -> Score:
        """Sum over the types."""
        return sum(self.by_type.values(), Score())

    def to_dict(self) -> dict[str, Any]:
        """Return `micro` and `by_type`."""
        return {
            "micro": self.micro.to_dict(),
            "by_type": {name: score.to_dict() for name, score in self.by_type.items()},
        }


@dataclass(frozen=True)
class DocumentScores:
    """The counts of one document, `counts[rule][type]`; a rule that was not scored on it is not there."""

    id: str
    num_words: int
    counts: Mapping[str, Mapping[str, Score]]
    meta: Mapping[str, str] = field(default_factory=dict)

    def micro(self, rule: str) -> Score:
        """Sum over the types."""
        return sum(self.counts.get(rule, {}).values(), Score())

    def to_dict(self) -> dict[str, Any]:
        """Return id, words, meta and, by rule and type, `[tp, fp, fn]`."""
        counts = {
            rule: {name: [each.tp, each.fp, each.fn] for name, each in by_type.items()}
            for rule, by_type in self.counts.items()
        }
        return {"id": self.id, "words": self.num_words, "meta": dict(self.meta), "counts": counts}

    @classmethod
    def from_dict(cls, record: Mapping[str, Any]) -> DocumentScores:
        """Rebuild what `to_dict` returned."""
        counts = {
            rule: {name: Score(*each) for name, each in by_type.items()} for rule, by_type in record["counts"].items()
        }
        return cls(record["id"], record["words"], counts, record["meta"])


@dataclass(frozen=True)
class Report:
    """The result of `evaluate`: the counts of each document, `types[rule]` in the order of the schema, and notes.

    `baselines` are the reports, by name, of systems that learn next to nothing, on the same documents.
    """

    documents: tuple[DocumentScores, ...]
    types: Mapping[str, tuple[str, ...]]
    notes: tuple[str, ...] = field(default=())
    baselines: Mapping[str, Report] = field(default_factory=dict)

    @cached_property
    def tables(self) -> Mapping[str, Table]:
        """A table for each rule, summed over the documents."""
        tables = {}
        for rule, types in self.types.items():
            total = {name: Score() for name in types}
            for document in self.documents:
                for name, score in document.counts.get(rule, {}).items():
                    total[name] = total.get(name, Score()) + score
            tables[rule] = Table(total)
        return tables

    @property
    def num_documents(self) -> int:
        """Number of documents scored."""
        return len(self.documents)

    @property
    def num_words(self) -> int:
        """Number of their words."""
        return sum(each.num_words for each in self.documents)

    def where(self, wanted: Callable[[DocumentScores], bool]) -> Report:
        """Return the report on the documents that are `wanted`, without notes and baselines."""
        return replace(self, documents=tuple(each for each in self.documents if wanted(each)), notes=(), baselines={})

    @property
    def entities(self) -> Table:
        """Entities by type."""
        return self.tables["entities"]

    @property
    def relations_strict(self) -> Table:
        """Relations by type, entity types included in what must be right."""
        return self.tables["relations_strict"]

    @property
    def relations_boundaries(self) -> Table:
        """Relations by type, entity types left aside."""
        return self.tables["relations_boundaries"]

    @property
    def relations_by_distance(self) -> Table:
        """Relations by the number of sentences from one mention to the other."""
        return self.tables["relations_by_distance"]

    @property
    def relations_gold_entities(self) -> Table:
        """Relations by type between gold entities; an `AttributeError` where they were not asked for."""
        if "relations_gold_entities" not in self.tables:
            raise AttributeError("this report has no relations_gold_entities: evaluate(..., with_gold_entities=...)")
        return self.tables["relations_gold_entities"]

    @property
    def events(self) -> Table:
        """Fillers of incidents by role."""
        return self.tables["events"]

    def to_dict(self) -> dict[str, Any]:
        """Return the object that `marsad evaluate --json` prints."""
        return {
            **{name: table.to_dict() for name, table in self.tables.items()},
            "documents": self.num_documents,
            "words": self.num_words,
            "rules": {name: RULES[name] for name in self.tables},
            "notes": list(self.notes),
            "by_document": [each.to_dict() for each in self.documents],
            "baselines": {name: each.to_dict() for name, each in self.baselines.items()},
        }

    @classmethod
    def from_dict(cls, record: Mapping[str, Any]) -> Report:
        """Rebuild a report from its JSON form. Raises `AnnotationError` where it is none."""
        try:
            types = {rule: tuple(record[rule]["by_type"]) for rule in record["rules"] if rule in RULES}
            documents = tuple(DocumentScores.from_dict(each) for each in record["by_document"])
            baselines = {name: cls.from_dict(each) for name, each in record.get("baselines", {}).items()}
            return cls(documents, types, tuple(record["notes"]), baselines)
        except (KeyError, TypeError, AttributeError) as error:
            raise AnnotationError(f"this is no report of marsad evaluate --json: {error!r} is wrong in it") from error
