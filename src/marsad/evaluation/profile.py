"""The profile of a corpus: how dense, how long and how complete its annotations are, beside a reference.

Composed or hand-picked articles tend to be denser and more complete than the reports a model will meet; a profile
beside that of real ones shows it before a model learns it. An anchor is what an event hangs on (in the default schema
the hub, the thing attacked): a mention with at least one relation that fills a role of the schema's events. A sentence
is without relation where none of its mentions takes part in one. No torch.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from statistics import median
from typing import Any

import yaml
from pydantic import BaseModel, ConfigDict, Field, ValidationError

from marsad import formats
from marsad.documents import Document
from marsad.errors import ConfigError
from marsad.schema import Schema

# How far from the reference a figure may be before it is marked.
TOLERANCE = 0.2
# The group of all documents that a reference covers.
ALL = "all"


class Profile(BaseModel):
    """Figures of a corpus; a part that is None was not measured. Names of types and roles are the schema's."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    mentions_in_100_words: dict[str, float] = Field(default_factory=dict)
    words_a_mention: dict[str, float] = Field(default_factory=dict)
    relations_in_100_words: dict[str, float] = Field(default_factory=dict)
    anchors_in_100_words: float | None = None
    anchors_with: dict[str, float] = Field(default_factory=dict)
    relations_across_sentences: float | None = None
    words_a_sentence: float | None = None
    sentences_without_relation: float | None = None

    def figures(self) -> dict[str, float]:
        """Return every figure by a name that says what it is."""
        found: dict[str, float] = {}
        for key in Profile.model_fields:
            value = getattr(self, key)
            if isinstance(value, Mapping):
                found |= {f"{key.replace('_', ' ')}: {name}": figure for name, figure in value.items()}
            elif value is not None:
                found[key.replace("_", " ")] = value
        return found


class Reference(Profile):
    """A profile to compare with, and which documents it covers: with (`where`) or without (`not`) such metadata."""

    where: dict[str, list[str]] = Field(default_factory=dict)
    where_not: dict[str, list[str]] = Field(default_factory=dict, alias="not")

    def covers(self, document: Document) -> bool:
        """Tell whether the profile speaks of a document."""
        meta = document.meta
        return all(meta.get(key) in values for key, values in self.where.items()) and not any(
            meta.get(key) in values for key, values in self.where_not.items()
        )


def read_references(path: str | Path) -> dict[str, Reference]:
    """Read a file of profiles by name. Raises `ConfigError` with everything that is wrong with it."""
    try:
        content = yaml.safe_load(Path(path).read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError, yaml.YAMLError) as error:
        raise ConfigError(f"profiles {path} cannot be read: {error}") from error
    if not isinstance(content, Mapping) or not content:
        raise ConfigError(f"{path}: expected profiles by name, got {content!r}")
    problems, found = [], {}
    for name, figures in content.items():
        try:
            found[str(name)] = Reference.model_validate(figures)
        except ValidationError as error:
            problems += [
                f"  {name}.{'.'.join(map(str, each['loc']))}: {each['msg']}, got {each['input']!r}"
                for each in error.errors()
            ]
    if problems:
        raise ConfigError("\n".join([f"{path} is no file of profiles:", *problems]))
    return found


def profile(documents: Sequence[Document], schema: Schema) -> Profile:
    """Measure documents. Shares of nothing are left out."""
    words = sum(len(document.words) for document in documents)
    if not words:
        return Profile()
    mentions = Counter(each.type for document in documents for each in document.entities)
    length = Counter[str]()
    for document in documents:
        for each in document.entities:
            length[each.type] += each.end - each.start
    related = [document for document in documents if document.relations_annotated]
    return Profile(
        mentions_in_100_words={name: 100 * mentions[name] / words for name in schema.entity_types},
        words_a_mention={name: length[name] / mentions[name] for name in schema.entity_types if mentions[name]},
        words_a_sentence=median(end - start for document in documents for start, end in document.sentences),
        **_relation_figures(related, schema),
    )


def _relation_figures(documents: Sequence[Document], schema: Schema) -> dict[str, Any]:
    words = sum(len(document.words) for document in documents)
    if not words or not schema.relations:
        return {}
    relations = Counter(each.type for document in documents for each in document.relations)
    crossing = sum(_crosses(document, each.head, each.tail) for document in documents for each in document.relations)
    sentences = sum(len(document.sentences) for document in documents)
    empty = sentences - sum(len(_sentences_with_relations(document)) for document in documents)
    figures: dict[str, Any] = {
        "relations_in_100_words": {name: 100 * relations[name] / words for name in schema.relation_types},
        "sentences_without_relation": empty / sentences,
    }
    if relations:
        figures["relations_across_sentences"] = crossing / relations.total()
    anchors = [roles for document in documents for roles in _anchors(document, schema).values()]
    if schema.events and anchors:
        figures["anchors_in_100_words"] = 100 * len(anchors) / words
        figures["anchors_with"] = {
            role: sum(role in roles for roles in anchors) / len(anchors) for role in schema.events.roles
        }
    return figures


def _crosses(document: Document, head: int, tail: int) -> bool:
    first, second = (document.sentence_of_word[document.entities[end].start] for end in (head, tail))
    return first != second


def _sentences_with_relations(document: Document) -> set[int]:
    ends = {end for each in document.relations for end in (each.head, each.tail)}
    return {document.sentence_of_word[document.entities[end].start] for end in ends}


def _anchors(document: Document, schema: Schema) -> dict[int, set[str]]:
    """Return the roles that are filled for each anchor of a document, by its index."""
    found: dict[int, set[str]] = defaultdict(set)
    for name, role in schema.events.roles.items() if schema.events else ():
        for each in document.relations:
            if each.type == role.relation:
                found[each.tail if role.end == "head" else each.head].add(name)
    return found


@dataclass(frozen=True)
class Compared:
    """A reference and the profiles of the documents it covers: of all, and by the values of a metadata key."""

    name: str
    reference: Reference
    profiles: Mapping[str, Profile]
    num_documents: Mapping[str, int]
    num_words: Mapping[str, int]

    def outside(self, group: str = ALL) -> list[str]:
        """Return the figures of a group that are off by more than a fifth, or could not be measured."""
        measured = self.profiles[group].figures()
        return [name for name, wanted in self.reference.figures().items() if not _near(measured.get(name), wanted)]

    def to_dict(self) -> dict[str, Any]:
        """Return the figures as plain JSON values."""
        groups = {
            group: {
                "documents": self.num_documents[group],
                "words": self.num_words[group],
                "figures": each.figures(),
                "outside": self.outside(group),
            }
            for group, each in self.profiles.items()
        }
        return {"name": self.name, "reference": self.reference.figures(), "groups": groups}


def compare_with(paths: Iterable[str | Path], references: str | Path, schema: Schema, *, by: str) -> list[Compared]:
    """Measure the annotated files of `paths` beside each profile of a file, also by the values of metadata key `by`.

    Raises `ConfigError` for the file of profiles, `AnnotationError` for the articles.
    """
    known = read_references(references)
    documents = formats.read_all(paths, schema=schema)
    return [_compared(name, reference, documents, schema, by) for name, reference in known.items()]


def _compared(name: str, reference: Reference, documents: Iterable[Document], schema: Schema, by: str) -> Compared:
    covered = [document for document in documents if reference.covers(document)]
    values = [document.meta.get(by, "(none)") for document in covered]
    groups: dict[str, list[Document]] = {ALL: covered}
    for value, _ in Counter(values).most_common():
        name_of_group = f"{by} {ALL}" if value == ALL else value
        groups[name_of_group] = [document for document, its in zip(covered, values, strict=True) if its == value]
    return Compared(
        name,
        reference,
        {group: profile(each, schema) for group, each in groups.items()},
        {group: len(each) for group, each in groups.items()},
        {group: sum(len(document.words) for document in each) for group, each in groups.items()},
    )


def _near(figure: float | None, wanted: float) -> bool:
    return figure is not None and abs(figure - wanted) <= TOLERANCE * wanted + 1e-9


def format_profiles(compared: Iterable[Compared]) -> str:
    """Return a table a reference: its figures, those of all documents it covers, and of each group of them."""
    return "\n\n".join(_block(each) for each in compared)


def _block(compared: Compared) -> str:
    figures = {group: each.figures() for group, each in compared.profiles.items()}
    width = max(10, *(len(group) + 2 for group in figures))

    def line(name: str, cells: Iterable[object], reference: str = "") -> str:
        return f"{name:<42}{reference:>10}" + "".join(f"{cell!s:>{width}}" for cell in cells)

    lines = [
        line(compared.name, figures, "reference"),
        line("documents", compared.num_documents.values()),
        line("words", compared.num_words.values()),
    ]
    for name, wanted in compared.reference.figures().items():
        cells = (_cell(each.get(name), wanted) for each in figures.values())
        lines.append(line(name, cells, f"{wanted:.2f}"))
    lines.append(line("off by more than a fifth (*)", (len(compared.outside(group)) for group in figures)))
    return "\n".join(lines)


def _cell(figure: float | None, wanted: float) -> str:
    return "-*" if figure is None else f"{figure:.2f}{' ' if _near(figure, wanted) else '*'}"
