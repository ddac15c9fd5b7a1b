"""Counts over a corpus: what is in it, by split, type and length."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from pathlib import Path
from statistics import median
from typing import Any

from marsad import formats
from marsad.documents import Document
from marsad.formats.check import split_of
from marsad.formats.problems import Problem, raise_problems
from marsad.schema import Schema


def corpus_stats(paths: Iterable[str | Path], schema: Schema) -> dict[str, Any]:
    """Return the counts of all annotated files of `paths`, by split and over all, as plain JSON values."""
    problems: list[Problem] = []
    by_split: dict[str, list[Document]] = {}
    for path in formats.find_files(paths):
        by_split.setdefault(split_of(path) or "(no split)", []).extend(
            formats.read(path, schema=schema, problems=problems)
        )
    raise_problems(problems)
    splits = {name: _counts(documents, schema) for name, documents in by_split.items()}
    everything = [document for documents in by_split.values() for document in documents]
    return {"all": _counts(everything, schema), "splits": splits}


def _counts(documents: Sequence[Document], schema: Schema) -> dict[str, Any]:
    entities = Counter(entity.type for document in documents for entity in document.entities)
    relations = Counter(relation.type for document in documents for relation in document.relations)
    lengths = [len(document.words) for document in documents] or [0]
    return {
        "documents": len(documents),
        "without_relations": sum(not document.relations for document in documents),
        "sentences": sum(len(document.sentences) for document in documents),
        "words": sum(lengths),
        "words_in_document": {"min": min(lengths), "median": median(lengths), "max": max(lengths)},
        "mentions": sum(entities.values()),
        "relations": sum(relations.values()),
        "entity_types": {name: _type_counts(name, entities[name], documents) for name in schema.entity_types},
        "relation_types": {name: relations[name] for name in schema.relation_types},
        "relations_across_sentences": sum(_crossing(document) for document in documents),
        "metadata": _metadata(documents),
    }


def _type_counts(name: str, mentions: int, documents: Sequence[Document]) -> dict[str, float | int]:
    found = [(document, each) for document in documents for each in document.entities if each.type == name]
    words = sum(each.end - each.start for _, each in found)
    surfaces = {document.surface(each) for document, each in found}
    return {"mentions": mentions, "different": len(surfaces), "words_a_mention": words / mentions if mentions else 0.0}


def _crossing(document: Document) -> int:
    home = [document.sentence_of_word[entity.start] for entity in document.entities]
    return sum(home[relation.head] != home[relation.tail] for relation in document.relations)


def _metadata(documents: Sequence[Document]) -> dict[str, dict[str, int]]:
    """Count the values of each metadata key that is a category: one value for two documents or more, on average."""
    values: dict[str, Counter[str]] = {}
    for document in documents:
        for key, value in document.meta.items():
            values.setdefault(key, Counter())[value] += 1
    categories = {key: counter for key, counter in values.items() if 2 * len(counter) <= max(counter.total(), 2)}
    return {key: dict(counter.most_common()) for key, counter in categories.items()}


def format_stats(stats: dict[str, Any]) -> str:
    """Return the counts as text."""
    columns = {**stats["splits"], "all": stats["all"]} if len(stats["splits"]) > 1 else {"all": stats["all"]}
    lines = [f"{'':<28}" + "".join(f"{name:>12}" for name in columns)]
    for key in (
        "documents",
        "without_relations",
        "sentences",
        "words",
        "mentions",
        "relations",
        "relations_across_sentences",
    ):
        lines.append(_row(key.replace("_", " "), [str(each[key]) for each in columns.values()]))
    spans = [each["words_in_document"] for each in columns.values()]
    lines.append(_row("words in a document", [f"{each['min']}-{each['max']}" for each in spans]))
    lines.append(_row("  median", [f"{each['median']:g}" for each in spans]))
    for name in stats["all"]["entity_types"]:
        counts = [each["entity_types"][name]["mentions"] for each in columns.values()]
        lines.append(_row(name, [str(count) for count in counts]))
    for name in stats["all"]["relation_types"]:
        lines.append(_row(name, [str(each["relation_types"][name]) for each in columns.values()]))
    for key, values in stats["all"]["metadata"].items():
        shown = ", ".join(f"{value} {count}" for value, count in list(values.items())[:12])
        lines.append(f"{key}: {shown}{', ...' if len(values) > 12 else ''}")
    return "\n".join(lines)


def _row(name: str, cells: Sequence[str]) -> str:
    return f"{name:<28}" + "".join(f"{cell:>12}" for cell in cells)
