"""Scores to entities and relations: the best tag sequence that IOB2 allows, and a threshold for each relation type.

Numpy only. Tags are decoded by Viterbi search over the per-word log probabilities, with the one rule that `I-X`
follows `B-X` or `I-X` of the same sentence (Viterbi 1967; no learnt transitions).
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from marsad.documents import Entity, Relation
from marsad.schema import Schema

Floats = NDArray[np.floating]


def entities(log_probs: Floats, sentences: Sequence[tuple[int, int]], schema: Schema) -> list[Entity]:
    """Return the entities of a document from tag log probabilities `(W, T)`, tags in the order of `schema.tags`.

    An entity's score is the geometric mean of its words' tag probabilities. None crosses a sentence.
    """
    found: list[Entity] = []
    for start, end in sentences:
        path = best_path(log_probs[start:end])
        found += _entities(path, log_probs[start:end], start, schema)
    return found


def best_path(log_probs: Floats) -> list[int]:
    """Return the tag ids of the best sequence IOB2 allows; tags are O, then B and I of each type in turn."""
    num_words = len(log_probs)
    if num_words == 0:
        return []
    scores = log_probs.astype(np.float64)
    inside = np.arange(2, scores.shape[1], 2)
    total = scores[0].copy()
    total[inside] = -np.inf
    back = np.zeros(scores.shape, dtype=np.int64)
    for word in range(1, num_words):
        best = int(total.argmax())
        came = np.full(scores.shape[1], best)
        came[inside] = np.where(total[inside] >= total[inside - 1], inside, inside - 1)
        back[word] = came
        total = total[came] + scores[word]
    path = [int(total.argmax())]
    for word in range(num_words - 1, 0, -1):
        path.append(int(back[word][path[-1]]))
    return path[::-1]


def _entities(path: Sequence[int], log_probs: Floats, offset: int, schema: Schema) -> list[Entity]:
    found: list[Entity] = []
    for start, tag in enumerate(path):
        if tag % 2 == 0:  # O and the I- tags are even
            continue
        end = start + 1
        while end < len(path) and path[end] == tag + 1:
            end += 1
        score = float(np.exp(np.mean([log_probs[word, path[word]] for word in range(start, end)])))
        found.append(Entity(schema.entity_types[tag // 2], offset + start, offset + end, min(score, 1.0)))
    return found


def relations(
    probabilities: Floats,
    pairs: Sequence[tuple[int, int]],
    found: Sequence[Entity],
    schema: Schema,
    thresholds: Sequence[float],
) -> list[Relation]:
    """Return the relations whose probability `(P, R)` reaches the threshold of their type, for pairs of `found`."""
    kept: list[Relation] = []
    for row, kind in zip(*np.nonzero(probabilities >= np.asarray(thresholds)), strict=True):
        head, tail = pairs[row]
        name = schema.relation_types[kind]
        if schema.allows(name, found[head].type, found[tail].type):
            kept.append(Relation(name, head, tail, min(float(probabilities[row, kind]), 1.0)))
    return sorted(kept, key=lambda each: (each.head, each.tail, each.type))
