"""Counts of one predicted document against its gold one, a function for each rule (see `metrics` for the rules)."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Hashable, Mapping, Sequence

from marsad.documents import Document, Event
from marsad.evaluation.scores import Score
from marsad.events import assemble
from marsad.schema import Schema

DISTANCES = ("same_sentence", "next_sentence", "further")

_Item = tuple[str, Hashable]
Counts = Mapping[str, Score]


def count_entities(gold: Document, predicted: Document) -> Counts:
    """Count by entity type."""
    return _count(_entities(gold), _entities(predicted))


def count_strict(gold: Document, predicted: Document) -> Counts:
    """Count relations by type, entity types included."""
    return _count(_strict(gold), _strict(predicted))


def count_boundaries(gold: Document, predicted: Document) -> Counts:
    """Count relations by type, entity types left aside."""
    return _count(_boundaries(gold), _boundaries(predicted))


def count_distances(gold: Document, predicted: Document) -> Counts:
    """Count strict relations by how many sentences lie from one mention to the other."""
    return _count(_by_distance(gold), _by_distance(predicted))


def count_events(gold: Document, predicted: Document, schema: Schema) -> Counts:
    """Count fillers by role, under the matching of incidents that shares the most fillers."""
    ours = [_fillers(gold, event) for event in assemble(gold, schema)]
    theirs = [_fillers(predicted, event) for event in assemble(predicted, schema)]
    matched = _match(ours, theirs)
    counts: dict[str, list[int]] = defaultdict(lambda: [0, 0, 0])
    for first, second in matched:
        for position, fillers in enumerate(
            (ours[first] & theirs[second], theirs[second] - ours[first], ours[first] - theirs[second])
        ):
            for role, _ in fillers:
                counts[role][position] += 1
    for position, events, used in ((2, ours, {a for a, _ in matched}), (1, theirs, {b for _, b in matched})):
        for index, fillers in enumerate(events):
            for role, _ in fillers if index not in used else ():
                counts[role][position] += 1
    return {role: Score(*each) for role, each in counts.items()}


def distance(document: Document, head: int, tail: int) -> str:
    """Return the name of the distance between two mentions, one of `DISTANCES`."""
    first, second = (document.sentence_of_word[document.entities[index].start] for index in (head, tail))
    return DISTANCES[min(abs(first - second), len(DISTANCES) - 1)]


def _count(gold: set[_Item], predicted: set[_Item]) -> Counts:
    right = Counter(name for name, _ in gold & predicted)
    wrong = Counter(name for name, _ in predicted - gold)
    missed = Counter(name for name, _ in gold - predicted)
    return {name: Score(right[name], wrong[name], missed[name]) for name in sorted({*right, *wrong, *missed})}


def _mention(document: Document, index: int) -> tuple[int, int, str]:
    entity = document.entities[index]
    return entity.start, entity.end, entity.type


def _entities(document: Document) -> set[_Item]:
    return {(entity.type, (entity.start, entity.end)) for entity in document.entities}


def _strict(document: Document) -> set[_Item]:
    return {(each.type, (_mention(document, each.head), _mention(document, each.tail))) for each in document.relations}


def _boundaries(document: Document) -> set[_Item]:
    return {
        (each.type, (_mention(document, each.head)[:2], _mention(document, each.tail)[:2]))
        for each in document.relations
    }


def _by_distance(document: Document) -> set[_Item]:
    return {
        (
            distance(document, each.head, each.tail),
            (each.type, _mention(document, each.head), _mention(document, each.tail)),
        )
        for each in document.relations
    }


def _fillers(document: Document, event: Event) -> set[_Item]:
    return {(role, _mention(document, index)) for role, fillers in event.roles.items() for index in fillers}


def _match(gold: Sequence[set[_Item]], predicted: Sequence[set[_Item]]) -> list[tuple[int, int]]:
    """Pair events one to one so that the pairs share the most fillers; pairs that share none are left apart."""
    if not gold or not predicted:
        return []
    from scipy.optimize import linear_sum_assignment

    common = [[len(first & second) for second in predicted] for first in gold]
    rows, columns = linear_sum_assignment(common, maximize=True)
    return [(int(a), int(b)) for a, b in zip(rows, columns, strict=True) if common[a][b]]
