"""Changed copies of training articles that were tried: other names of the same type."""

import random
from collections import Counter
from collections.abc import Sequence
from dataclasses import replace

from marsad.documents import Document
from marsad.training.exchange import rename

SHARE = 0.5  # of the articles that are copied, and of the mentions renamed in a copy


def other_names(documents: Sequence[Document], seed: int) -> list[Document]:
    """Copies of a share of the articles in which a share of the actors and places have names from other articles."""
    rng = random.Random(seed)
    counts = Counter(word.text for document in documents for word in document.words)
    known: dict[str, list[tuple[Document, int]]] = {"ACTOR": [], "LOCATION": []}
    for document in documents:
        for index, entity in enumerate(document.entities):
            if entity.type in known:
                known[entity.type].append((document, index))
    copies = []
    for document in rng.sample(list(documents), round(SHARE * len(documents))):
        names = {
            index: rng.choice(known[entity.type])
            for index, entity in enumerate(document.entities)
            if entity.type in known and rng.random() < SHARE
        }
        copies.append(replace(rename(document, names, counts), id=f"{document.id}-renamed"))
    return copies


COPIES = {"other_names": other_names}
