"""Events assembled from relations by the schema's `events` rule (annotation guidelines, section 4).

An anchor (in the default schema the hub, the thing attacked) with at least one relation of the rule is an event. Two
anchors become one event where they stand in one sentence and share their fillers of every role in `merge`, or where
each fills the `mutual` role for the other. Gold and predicted documents go through this one function.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace

from marsad.documents import Document, Event
from marsad.schema import EventRule, Schema


@dataclass
class _Draft:
    """The event of one anchor before anchors are joined."""

    anchor: int
    fillers: dict[str, set[int]] = field(default_factory=lambda: defaultdict(set))
    scores: list[float] = field(default_factory=list)


def with_events(document: Document, schema: Schema) -> Document:
    """Return the document with the events its relations give."""
    return replace(document, events=assemble(document, schema))


def assemble(document: Document, schema: Schema) -> list[Event]:
    """Return the events of a document in the order of their anchors; none for a schema without `events`."""
    if schema.events is None:
        return []
    drafts = _drafts(document, schema.events)
    return [_event(document, group, schema.events) for group in _join(document, drafts, schema.events)]


def _drafts(document: Document, rule: EventRule) -> dict[int, _Draft]:
    drafts: dict[int, _Draft] = {
        index: _Draft(index) for index, entity in enumerate(document.entities) if entity.type in rule.anchor_types
    }
    for relation in document.relations:
        for role, filler in rule.roles.items():
            if filler.relation != relation.type:
                continue
            fills, anchor = (relation.head, relation.tail) if filler.end == "head" else (relation.tail, relation.head)
            draft = drafts.setdefault(anchor, _Draft(anchor))
            draft.fillers[role].add(fills)
            draft.scores.append(relation.score)
    return dict(sorted(drafts.items()))


def _join(document: Document, drafts: Mapping[int, _Draft], rule: EventRule) -> list[list[_Draft]]:
    """Group anchors that are one event (union-find over the drafts)."""
    parent = {anchor: anchor for anchor in drafts}

    def root(anchor: int) -> int:
        while parent[anchor] != anchor:
            anchor = parent[anchor]
        return anchor

    for first, second in [*_sharing(document, drafts, rule), *_mutual(drafts, rule)]:
        low, high = sorted((root(first), root(second)))
        parent[high] = low
    groups: dict[int, list[_Draft]] = defaultdict(list)
    for anchor, draft in drafts.items():
        groups[root(anchor)].append(draft)
    return list(groups.values())


def _sharing(document: Document, drafts: Mapping[int, _Draft], rule: EventRule) -> Iterable[tuple[int, int]]:
    if rule.merge is None:
        return
    first: dict[tuple[object, ...], int] = {}
    for anchor, draft in drafts.items():
        sentence = document.sentence_of_word[document.entities[anchor].start]
        key = (sentence, *(frozenset(draft.fillers.get(role, ())) for role in rule.merge))
        yield first.setdefault(key, anchor), anchor


def _mutual(drafts: Mapping[int, _Draft], rule: EventRule) -> Iterable[tuple[int, int]]:
    if rule.mutual is None:
        return
    for anchor, draft in drafts.items():
        for other in draft.fillers.get(rule.mutual, ()):
            if other in drafts and anchor in drafts[other].fillers.get(rule.mutual, ()):
                yield anchor, other


def _event(document: Document, group: list[_Draft], rule: EventRule) -> Event:
    roles = {
        role: tuple(sorted({filler for draft in group for filler in draft.fillers.get(role, ())}))
        for role in rule.roles
    }
    roles[rule.anchor] = tuple(draft.anchor for draft in group)
    present = {role: fillers for role, fillers in roles.items() if fillers}
    mentions = {filler for fillers in present.values() for filler in fillers}
    evidence = {document.sentence_of_word[document.entities[mention].start] for mention in mentions}
    # An anchor without arguments, as a lone trigger, has only its own score.
    scores = [score for draft in group for score in draft.scores] or [document.entities[group[0].anchor].score]
    return Event(present, min(scores), tuple(sorted(evidence)))
