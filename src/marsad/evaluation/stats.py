"""Counts over a corpus: what is in it, by split, type and length."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from statistics import median
from typing import Any

from marsad import formats
from marsad.documents import Document
from marsad.evaluation.forms import Forms
from marsad.formats.check import split_of
from marsad.formats.problems import Problem, raise_problems
from marsad.schema import Schema

# How many of the commonest mentions of a type are shown, and their share of all its mentions taken.
COMMONEST = 20
_QUANTILES = {"tenth": 0.1, "quarter": 0.25, "three_quarters": 0.75, "nine_tenths": 0.9}


def corpus_stats(paths: Iterable[str | Path], schema: Schema) -> dict[str, Any]:
    """Return the counts of all annotated files of `paths`, by split and over all, as plain JSON values.

    Mentions count as the same by their form without clitics and marks (`forms`).
    """
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
    forms = _count_forms(documents)
    relations = Counter(relation.type for document in documents for relation in document.relations)
    lengths = [len(document.words) for document in documents] or [0]
    return {
        "documents": len(documents),
        "without_relations": sum(not document.relations for document in documents),
        "sentences": sum(len(document.sentences) for document in documents),
        "words": sum(lengths),
        "words_in_document": _distribution(lengths),
        "mentions": sum(counter.total() for counter in forms.values()),
        "relations": sum(relations.values()),
        "entity_types": {name: _type_counts(name, forms[name], documents) for name in schema.entity_types},
        "relation_types": {name: relations[name] for name in schema.relation_types},
        "relations_across_sentences": sum(_crossing(document) for document in documents),
        "metadata": _metadata(documents),
    }


def _count_forms(documents: Sequence[Document]) -> dict[str, Counter[str]]:
    """Count the mentions of each type that differ in clitics and marks alone as one, under their commonest spelling."""
    forms = Forms(documents)
    spellings: dict[tuple[str, str], Counter[str]] = defaultdict(Counter)
    for document in documents:
        for entity in document.entities:
            spellings[entity.type, forms.of(document, entity)][document.surface(entity)] += 1
    counts: dict[str, Counter[str]] = defaultdict(Counter)
    for (kind, _), spelt in spellings.items():
        counts[kind][spelt.most_common(1)[0][0]] += spelt.total()
    return counts


def _type_counts(name: str, forms: Counter[str], documents: Sequence[Document]) -> dict[str, Any]:
    lengths = [each.end - each.start for document in documents for each in document.entities if each.type == name]
    commonest = forms.most_common(COMMONEST)
    mentions = forms.total()
    return {
        "mentions": mentions,
        "different": len(forms),
        "words_a_mention": sum(lengths) / mentions if mentions else 0.0,
        "commonest": dict(commonest),
        "share_of_commonest": sum(count for _, count in commonest) / mentions if mentions else 0.0,
    }


def _distribution(values: Sequence[int]) -> dict[str, float]:
    """Return the least, the deciles and quartiles that say most, and the most."""
    ranked = sorted(values)
    at = {name: ranked[round(share * (len(ranked) - 1))] for name, share in _QUANTILES.items()}
    return {"min": ranked[0], **at, "median": median(ranked), "max": ranked[-1]}


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
    lines += _distribution_rows([each["words_in_document"] for each in columns.values()])
    for name in stats["all"]["entity_types"]:
        counts = [each["entity_types"][name]["mentions"] for each in columns.values()]
        lines.append(_row(name, [str(count) for count in counts]))
    for name in stats["all"]["relation_types"]:
        lines.append(_row(name, [str(each["relation_types"][name]) for each in columns.values()]))
    lines += ["", *_commonest(stats["all"]["entity_types"]), ""]
    for key, values in stats["all"]["metadata"].items():
        lines.append(f"{key}: " + ", ".join(f"{value} {count}" for value, count in values.items()))
    return "\n".join(lines)


def _distribution_rows(columns: Sequence[Mapping[str, float]]) -> Iterator[str]:
    yield _row("words in a document", [f"{each['min']}-{each['max']}" for each in columns])
    yield _row("  median", [f"{each['median']:g}" for each in columns])
    yield _row("  a quarter to three", [f"{each['quarter']}-{each['three_quarters']}" for each in columns])
    yield _row("  a tenth to nine", [f"{each['tenth']}-{each['nine_tenths']}" for each in columns])


def _commonest(types: Mapping[str, Mapping[str, Any]]) -> Iterator[str]:
    yield f"Different mentions (without clitics and marks), and the share of the {COMMONEST} commonest:"
    for name, counts in types.items():
        shown = ", ".join(f"{form} {count}" for form, count in counts["commonest"].items())
        share = 100 * counts["share_of_commonest"]
        yield f"  {name}: {counts['different']} different, {share:.1f} % are one of: {shown}"


def _row(name: str, cells: Sequence[str]) -> str:
    return f"{name:<28}" + "".join(f"{cell:>12}" for cell in cells)
