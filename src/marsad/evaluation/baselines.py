"""What a score must be held against: systems that learn next to nothing, scored by the same scorer. No torch.

`frequent-tag`: each word gets the tag it most often has in the training articles (none of its own: O).
`gazetteer`: mentions of the training articles, found again word for word, the longest first.
Both, and mentions from anywhere else, are joined by `nearest_pairs`: two mentions of one sentence are related if no
nearer head stands there for the tail, by the relation that mentions of their types most often have in training.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import replace

import numpy as np

from marsad.documents import Document, Entity, Relation
from marsad.evaluation.metrics import evaluate
from marsad.evaluation.scores import Report
from marsad.formats.conll import tags_of
from marsad.modeling import decode
from marsad.schema import Schema
from marsad.words import Normaliser

Tagger = Callable[[Document], list[Entity]]
Linker = Callable[[Document], list[Relation]]

_NORMALISE = Normaliser()
# Far below any other score, and finite: the decoder may have to take a tag that the words do not want.
_IMPOSSIBLE, _SECOND_BEST = -1e3, -1.0


def frequent_tags(train: Iterable[Document], schema: Schema) -> Tagger:
    """Return a tagger by the most frequent tag of each word; sequences that IOB2 forbids are mended as in decoding."""
    counts: dict[str, Counter[str]] = defaultdict(Counter)
    for document in train:
        for word, name in zip(document.words, tags_of(document.entities, len(document.words)), strict=True):
            counts[_NORMALISE(word.text)][name] += 1
    place = {tag: index for index, tag in enumerate(schema.tags)}
    best = {form: place[tags.most_common(1)[0][0]] for form, tags in counts.items()}

    def tag(document: Document) -> list[Entity]:
        chosen = [best.get(_NORMALISE(word.text), 0) for word in document.words]
        scores = np.full((len(chosen), len(schema.tags)), _IMPOSSIBLE)
        for word, index in enumerate(chosen):
            scores[word, index] = 0.0
            if index and index % 2 == 0:  # an I- tag, that may have to begin the mention
                scores[word, index - 1] = _SECOND_BEST
        found = decode.entities(scores, document.sentences, schema)
        return [replace(entity, score=1.0) for entity in found]

    return tag


def gazetteer(train: Iterable[Document]) -> Tagger:
    """Return a tagger that finds the training articles' mentions again, the longest first, from left to right."""
    names: dict[tuple[str, ...], Counter[str]] = defaultdict(Counter)
    for document in train:
        forms = _forms(document)
        for entity in document.entities:
            names[tuple(forms[entity.start : entity.end])][entity.type] += 1
    types = {name: kinds.most_common(1)[0][0] for name, kinds in names.items()}
    lengths = sorted({len(name) for name in types}, reverse=True)

    def tag(document: Document) -> list[Entity]:
        forms = _forms(document)
        return [each for start, end in document.sentences for each in _find(forms, start, end)]

    def _find(forms: Sequence[str], start: int, end: int) -> Iterable[Entity]:
        while start < end:
            length = next((n for n in lengths if start + n <= end and tuple(forms[start : start + n]) in types), 0)
            if length:
                yield Entity(types[tuple(forms[start : start + length])], start, start + length)
            start += length or 1

    return tag


def nearest_pairs(train: Iterable[Document], schema: Schema) -> Linker:
    """Return what joins each mention to the nearest head in its sentence, relation by relation."""
    counts: dict[tuple[str, str], Counter[str]] = defaultdict(Counter)
    for document in train:
        for each in document.relations:
            counts[document.entities[each.head].type, document.entities[each.tail].type][each.type] += 1
    usual = {types: kinds.most_common(1)[0][0] for types, kinds in counts.items()}

    def link(document: Document) -> list[Relation]:
        return [relation for mentions in _by_sentence(document) for relation in _link(document, mentions)]

    def _link(document: Document, mentions: Sequence[int]) -> Iterable[Relation]:
        for tail in mentions:
            heads: dict[str, list[int]] = defaultdict(list)
            for head in mentions:
                types = document.entities[head].type, document.entities[tail].type
                if head != tail and types in usual:
                    heads[usual[types]].append(head)
            for name in schema.relation_types:
                if name in heads:
                    yield Relation(name, min(heads[name], key=lambda head: _gap(document, head, tail)), tail)

    return link


def _by_sentence(document: Document) -> Iterable[list[int]]:
    """Return the mentions of each sentence that has some, as indices."""
    mentions: dict[int, list[int]] = defaultdict(list)
    for index, entity in enumerate(document.entities):
        mentions[document.sentence_of_word[entity.start]].append(index)
    return mentions.values()


def _gap(document: Document, first: int, second: int) -> int:
    a, b = sorted((document.entities[first], document.entities[second]), key=lambda each: each.start)
    return b.start - a.end


def _forms(document: Document) -> list[str]:
    return [_NORMALISE(word.text) for word in document.words]


def baseline_taggers(train: Sequence[Document], schema: Schema) -> Mapping[str, Tagger]:
    """Return the baselines that find mentions, by name."""
    return {"frequent-tag": frequent_tags(train, schema), "gazetteer": gazetteer(train)}


def score_baseline(gold: Sequence[Document], found: Sequence[Sequence[Entity]], link: Linker, schema: Schema) -> Report:
    """Score the entities `found` in each gold document, joined by a linker, and the linker on the gold ones too."""
    tagged = [replace(each.without_annotations(), entities=some) for each, some in zip(gold, found, strict=True)]
    on_gold = [replace(each, relations=(), events=()) for each in gold]
    predicted, between_gold = ([replace(each, relations=link(each)) for each in some] for some in (tagged, on_gold))
    return evaluate(gold, predicted, schema, with_gold_entities=between_gold)
