"""What went wrong, by kind: each mistake in the entities and relations of a predicted document. No torch.

Wrong mentions are paired with the gold mentions they overlap, most shared words first, each at most once; kinds as in
the analyses of MUC-5 (Chinchor & Sundheim 1993): `boundary` (type right, words not), `type` (words right, type not),
`boundary_and_type`, and of what is left unpaired `missed` and `invented`.

A relation is right by the strict rule. One that gold has is `entity_lost` where an end was not found as it stands in
gold, and one that was predicted is `entity_wrong` where an end is no gold mention. Of the others, a lost and a wrong
one are paired as `reversed`, head and tail being exchanged, or as `wrong_hub`, the filler of the role being the same
and the hub (the thing attacked: the end that the schema's event rule does not give to the role) another; the rest are
`missed` and `invented`.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

from marsad.documents import Document, Entity, Relation
from marsad.schema import Schema

ENTITY_KINDS = ("boundary", "type", "boundary_and_type", "missed", "invented")
RELATION_KINDS = ("entity_lost", "entity_wrong", "reversed", "wrong_hub", "missed", "invented")

_Key = tuple[str, int, int]
_Triple = tuple[str, _Key, _Key]


@dataclass(frozen=True)
class Mistake:
    """One mistake: what it is about, its kind, and the index of the item in gold, in the prediction, or in both.

    A reversed relation and one with a wrong hub are each one mistake, with the gold relation and the predicted one.
    """

    about: Literal["entity", "relation"]
    kind: str
    gold: int | None = None
    predicted: int | None = None


def mistakes(gold: Document, predicted: Document, schema: Schema) -> list[Mistake]:
    """Return every mistake of a predicted document against its gold one: entities first, each in gold's order.

    Where nobody annotated relations, none that is predicted is a mistake.
    """
    found = _entity_mistakes(gold.entities, predicted.entities)
    return [*found, *(_relation_mistakes(gold, predicted, schema) if gold.relations_annotated else ())]


def count_kinds(found: Iterable[Mistake]) -> Mapping[tuple[str, str], int]:
    """Return how often each (about, kind) was found."""
    return Counter((each.about, each.kind) for each in found)


def confusion(pairs: Iterable[tuple[Document, Document]]) -> Mapping[tuple[str, str], int]:
    """Count mentions by (gold type, predicted type) over pairs of gold and predicted documents.

    Mentions of the same words are paired, then those that overlap; "" stands for nothing, on either side.
    """
    counts: Counter[tuple[str, str]] = Counter()
    for gold, predicted in pairs:
        matched = _match(gold.entities, predicted.entities)
        counts.update((gold.entities[a].type, predicted.entities[b].type) for a, b in matched)
        used_gold, used_predicted = {a for a, _ in matched}, {b for _, b in matched}
        counts.update((each.type, "") for i, each in enumerate(gold.entities) if i not in used_gold)
        counts.update(("", each.type) for i, each in enumerate(predicted.entities) if i not in used_predicted)
    return counts


def _entity_mistakes(gold: Sequence[Entity], predicted: Sequence[Entity]) -> list[Mistake]:
    matched = _match(gold, predicted)
    found = []
    for first, second in matched:
        ours, theirs = gold[first], predicted[second]
        same_words = (ours.start, ours.end) == (theirs.start, theirs.end)
        if same_words and ours.type == theirs.type:
            continue
        kind = "type" if same_words else "boundary" if ours.type == theirs.type else "boundary_and_type"
        found.append(Mistake("entity", kind, first, second))
    used_gold, used_predicted = {a for a, _ in matched}, {b for _, b in matched}
    found += [Mistake("entity", "missed", gold=i) for i in range(len(gold)) if i not in used_gold]
    found.sort(key=lambda each: each.gold if each.gold is not None else 0)
    invented = [i for i in range(len(predicted)) if i not in used_predicted]
    return found + [Mistake("entity", "invented", predicted=i) for i in invented]


def _match(gold: Sequence[Entity], predicted: Sequence[Entity]) -> list[tuple[int, int]]:
    """Pair mentions that overlap: those of equal words and type first, then by shared words and type."""
    candidates = []
    for first, ours in enumerate(gold):
        for second, theirs in enumerate(predicted):
            shared = min(ours.end, theirs.end) - max(ours.start, theirs.start)
            if shared > 0:
                same_words = (ours.start, ours.end) == (theirs.start, theirs.end)
                candidates.append((not same_words, -shared, ours.type != theirs.type, first, second))
    matched: list[tuple[int, int]] = []
    used_gold: set[int] = set()
    used_predicted: set[int] = set()
    for *_, first, second in sorted(candidates):
        if first not in used_gold and second not in used_predicted:
            matched.append((first, second))
            used_gold.add(first)
            used_predicted.add(second)
    return sorted(matched)


def _relation_mistakes(gold: Document, predicted: Document, schema: Schema) -> list[Mistake]:
    ours, theirs = _triples(gold), _triples(predicted)
    lost = [each for each in ours if each not in theirs]
    wrong = [each for each in theirs if each not in ours]
    known, found = set(map(_key, gold.entities)), set(map(_key, predicted.entities))
    whole_lost = [each for each in lost if each[1] in found and each[2] in found]
    whole_wrong = [each for each in wrong if each[1] in known and each[2] in known]
    pairs = _pairs(whole_lost, whole_wrong, schema)
    mistakes = [Mistake("relation", kind, gold=ours[first], predicted=theirs[second]) for first, second, kind in pairs]
    paired = {each for first, second, _ in pairs for each in (first, second)}
    for triple in lost:
        if triple not in paired:
            mistakes.append(Mistake("relation", "missed" if triple in whole_lost else "entity_lost", gold=ours[triple]))
    for triple in wrong:
        if triple not in paired:
            kind = "invented" if triple in whole_wrong else "entity_wrong"
            mistakes.append(Mistake("relation", kind, predicted=theirs[triple]))
    return mistakes


def _pairs(lost: Sequence[_Triple], wrong: Sequence[_Triple], schema: Schema) -> list[tuple[_Triple, _Triple, str]]:
    """Pair what was lost with what was said instead, each at most once: turned round, or hung on another hub."""
    free = dict.fromkeys(wrong)
    turned = [each for each in lost if (each[0], each[2], each[1]) in free]
    pairs = [(each, (each[0], each[2], each[1]), "reversed") for each in turned]
    for _, other, _ in pairs:
        del free[other]
    for triple in lost:
        filler = _filler_end(triple[0], schema)
        if filler is None or triple in turned:
            continue
        same = (each for each in free if each[0] == triple[0] and each[filler] == triple[filler])
        if (instead := next(same, None)) is not None:
            del free[instead]
            pairs.append((triple, instead, "wrong_hub"))
    return pairs


def _filler_end(relation: str, schema: Schema) -> int | None:
    """Return where in a triple the filler of the relation's role stands; None where it fills none."""
    rule = schema.events
    for role in rule.roles.values() if rule is not None else ():
        if role.relation == relation:
            return 1 if role.end == "head" else 2
    return None


def _triples(document: Document) -> dict[_Triple, int]:
    return {_triple(document, each): index for index, each in enumerate(document.relations)}


def _triple(document: Document, relation: Relation) -> _Triple:
    return relation.type, _key(document.entities[relation.head]), _key(document.entities[relation.tail])


def _key(entity: Entity) -> _Key:
    return entity.type, entity.start, entity.end
