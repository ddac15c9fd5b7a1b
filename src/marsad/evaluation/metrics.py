"""Scores of predicted documents against gold ones: entities, relations, events. No torch.

Rules. An entity is right with its span and type (seqeval's strict IOB2 rule). A relation is right under `boundaries`
with its type and both spans, under `strict` with both entity types too. Events are compared by role filler: predicted
events are matched one to one to those assembled from gold so that matched pairs share the most fillers in all; a
filler is a role with a mention's span and type. Gold decides what is missed: a relation whose entity was never found
counts as missed. Counts are sums over documents (micro); precision, recall and F1 are derived from them.
"""

from __future__ import annotations

from collections.abc import Sequence

from marsad.documents import Document
from marsad.errors import AnnotationError
from marsad.evaluation import counting
from marsad.evaluation.scores import DocumentScores, Report
from marsad.schema import Schema


def evaluate(
    gold: Sequence[Document],
    predicted: Sequence[Document],
    schema: Schema,
    *,
    with_gold_entities: Sequence[Document] | None = None,
) -> Report:
    """Score `predicted` documents against `gold`, paired by position; ids and words must agree.

    Relations and events are scored on the documents whose relations were annotated. `with_gold_entities` holds
    predictions made on gold entities and adds the table `relations_gold_entities`. Raises `AnnotationError` where the
    documents do not pair up.
    """
    _check_pairing(gold, predicted)
    on_gold: Sequence[Document | None] = [None] * len(gold)
    if with_gold_entities is not None:
        _check_pairing(gold, with_gold_entities)
        on_gold = with_gold_entities
    types = {
        "entities": schema.entity_types,
        "relations_strict": schema.relation_types,
        "relations_boundaries": schema.relation_types,
        "relations_by_distance": counting.DISTANCES,
        "events": schema.event_roles,
    }
    if with_gold_entities is not None:
        types["relations_gold_entities"] = schema.relation_types
    scores = [_document_scores(*each, schema) for each in zip(gold, predicted, on_gold, strict=True)]
    skipped = sum(not each.relations_annotated for each in gold)
    notes = (f"{skipped} of {len(gold)} documents are annotated for entities alone: no relations scored there",)
    return Report(tuple(scores), {rule: tuple(names) for rule, names in types.items()}, notes if skipped else ())


def _document_scores(gold: Document, predicted: Document, on_gold: Document | None, schema: Schema) -> DocumentScores:
    counts = {"entities": counting.count_entities(gold, predicted)}
    if gold.relations_annotated:
        counts |= {
            "relations_strict": counting.count_strict(gold, predicted),
            "relations_boundaries": counting.count_boundaries(gold, predicted),
            "relations_by_distance": counting.count_distances(gold, predicted),
            "events": counting.count_events(gold, predicted, schema),
        }
        if on_gold is not None:
            counts["relations_gold_entities"] = counting.count_strict(gold, on_gold)
    return DocumentScores(gold.id, len(gold.words), counts, gold.meta)


def _check_pairing(gold: Sequence[Document], predicted: Sequence[Document]) -> None:
    if len(gold) != len(predicted):
        raise AnnotationError(f"{len(gold)} gold documents but {len(predicted)} predicted ones: score the same files")
    for first, second in zip(gold, predicted, strict=True):
        if first.id != second.id or first.words != second.words:
            raise AnnotationError(
                f"gold document {first.id!r} meets predicted {second.id!r} with other words or another id: "
                "predict on the gold documents themselves, in their order"
            )
