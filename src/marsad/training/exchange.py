"""Copies of annotated articles in which the two mentions of a relation change names.

«قصف الجيش مواقع الحركة» becomes «قصف الحركة مواقع الجيش»: who attacks whom must then be read in the sentence, since the
names say it no longer (counterfactual augmentation: Kaushik, Hovy and Lipton, 2020, arXiv 1909.12434). Conjunctions and
prepositions stay where they stood, «والجيش ... للحركة» becoming «والحركة ... للجيش», because they belong to the
sentence and tell the direction.
"""

from __future__ import annotations

import itertools
import random
from collections import Counter
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import replace

from marsad.clitics import join_clitic, split_clitic
from marsad.documents import Document, Word


def exchanged_copies(
    documents: Sequence[Document], relation_types: Collection[str], *, share: float, seed: int
) -> list[Document]:
    """Return exchanged copies of a `share` (0 to 1) of the documents that have something to exchange.

    In each copy every relation of these types takes part that joins two mentions of one type in one sentence, a mention
    at most once. The same seed gives the same copies; ids end in `-exchanged`.
    """
    rng = random.Random(seed)
    counts = Counter(word.text for document in documents for word in document.words)
    eligible = [document for document in documents if any(_pairs(document, relation_types))]
    copies = []
    for document in rng.sample(eligible, round(share * len(eligible))):
        pairs = _disjoint(_pairs(document, relation_types), rng)
        copies.append(replace(exchange(document, pairs, counts), id=f"{document.id}-exchanged"))
    return copies


def _pairs(document: Document, relation_types: Collection[str]) -> Iterator[tuple[int, int]]:
    place = document.sentence_of_word
    for relation in document.relations:
        head, tail = document.entities[relation.head], document.entities[relation.tail]
        # Four words to look at: a mention may run on into the next sentence.
        sentences = {place[word] for end in (head, tail) for word in (end.start, end.end - 1)}
        if relation.type in relation_types and head.type == tail.type and len(sentences) == 1:
            yield relation.head, relation.tail


def _disjoint(pairs: Iterable[tuple[int, int]], rng: random.Random) -> list[tuple[int, int]]:
    chosen: list[tuple[int, int]] = []
    candidates = list(pairs)
    rng.shuffle(candidates)
    for pair in candidates:
        if not any(set(pair) & set(other) for other in chosen):
            chosen.append(pair)
    return chosen


def exchange(document: Document, pairs: Iterable[tuple[int, int]], counts: Mapping[str, int]) -> Document:
    """Return the document with the words of each pair of mentions (indices of its entities) exchanged.

    No mention may stand in two pairs. Entities keep their order, types and relations; events are left out. `counts`,
    the word forms of a corpus, tell a clitic from a first letter (see `split_clitic`).
    """
    partners = ((head, tail) for pair in pairs for head, tail in (pair, pair[::-1]))
    return rename(document, {index: (document, partner) for index, partner in partners}, counts)


def rename(document: Document, names: Mapping[int, tuple[Document, int]], counts: Mapping[str, int]) -> Document:
    """Return the document with some mentions under another name: `names[i]` says whose words entity `i` gets.

    A name is an entity of any document, by its index; `counts` as in `exchange`.
    """
    owner = {document.entities[index].start: index for index in names}
    text, place = "", 0
    words: list[Word] = []
    moved: list[int] = []  # the new index of each old word, of the inner words of a mention that of its first
    while place < len(document.words):
        gap_start = document.words[place - 1].end if place else 0
        text += document.text[gap_start : document.words[place].start]
        end, forms = place + 1, [("", document.words[place].text)]
        if place in owner:
            end = document.entities[owner[place]].end
            clitic = split_clitic(document.words[place].text, counts)[0]
            forms = _name(*names[owner[place]], clitic, counts)
        moved += [len(words)] * (end - place)
        for gap, form in forms:
            text += gap
            words.append(Word(form, len(text), len(text) + len(form)))
            text += form
        place = end
    text += document.text[document.words[-1].end if document.words else 0 :]
    moved.append(len(words))
    return replace(
        document,
        text=text,
        words=words,
        sentences=[(moved[start], moved[end]) for start, end in document.sentences],
        entities=[replace(each, start=moved[each.start], end=moved[each.end]) for each in document.entities],
        events=(),
    )


def _name(document: Document, index: int, clitic: str, counts: Mapping[str, int]) -> list[tuple[str, str]]:
    """Return the words of a mention with another clitic on the first, each behind the white space before it."""
    entity = document.entities[index]
    words = document.words[entity.start : entity.end]
    gaps = [document.text[left.end : right.start] for left, right in itertools.pairwise(words)]
    bare = split_clitic(words[0].text, counts)[1]
    return list(zip(["", *gaps], [join_clitic(clitic, bare), *(word.text for word in words[1:])], strict=True))
