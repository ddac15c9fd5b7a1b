"""What a corpus cannot teach, said before training starts; and what it must not do, refused."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence

from marsad.config import Config
from marsad.documents import Document
from marsad.errors import AnnotationError, ConfigError
from marsad.formats.check import leaks
from marsad.schema import Schema
from marsad.training.dataset import Coverage


def check_splits(splits: Mapping[str, Sequence[Document]]) -> None:
    """Raise `AnnotationError` for a split without documents and for an article in two splits."""
    problems = [f"{name}: holds no document" for name, documents in splits.items() if not documents]
    problems += [message for _, message in leaks((name, each) for name in splits for each in splits[name])]
    if problems:
        raise AnnotationError("\n".join(problems))


def check_exchange(config: Config, schema: Schema) -> None:
    """Raise `ConfigError` for relations to exchange that the schema does not have."""
    unknown = [name for name in config.augmentation.exchange if name not in schema.relation_types]
    if unknown:
        raise ConfigError(
            f"augmentation.exchange: {', '.join(unknown)} is no relation of {config.schema_path} "
            f"(it has {', '.join(schema.relation_types) or 'none'})"
        )


def lessons(documents: Sequence[Document], schema: Schema, coverage: Coverage, config: Config) -> list[str]:
    """Return what training cannot learn from, a line each: rare types, and what no window holds."""
    entities = Counter(entity.type for document in documents for entity in document.entities)
    relations = Counter(relation.type for document in documents for relation in document.relations)
    counts = {
        **{name: entities[name] for name in schema.entity_types},
        **{name: relations[name] for name in schema.relation_types},
    }
    few = [f"{name} ({count})" for name, count in counts.items() if count < config.few_examples]
    lines = []
    if few:
        lines.append(f"few examples in train (under {config.few_examples}), expect little of: {', '.join(few)}")
    if coverage.num_lost_relations:
        share = coverage.num_lost_relations / coverage.num_relations
        lines.append(
            f"{coverage.num_lost_relations} of {coverage.num_relations} relations in train ({share:.1%}) join mentions "
            "that no window holds together and are not learnt: raise encoder.max_pieces or encoder.overlap"
        )
    if coverage.num_lost_entities:
        lines.append(f"{coverage.num_lost_entities} entities in train are longer than any window and are not learnt")
    alone = sum(not document.relations_annotated for document in documents)
    if alone:
        lines.append(
            f"{alone} of {len(documents)} documents in train are annotated for entities alone: they teach tags"
        )
    return lines
