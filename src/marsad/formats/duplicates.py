"""Near-duplicates: articles that share so many runs of words that one is a retelling or a reprint of the other.

The measure is containment (Broder 1997, "On the resemblance and containment of documents"): of the shorter article's
different runs of `RUN` words, the share that the other article has too. Words are compared by their letters alone:
diacritics, tatweel, digits' script and punctuation make no difference. Nothing is sampled or hashed to a sketch, so
the figure is exact; a corpus of some ten thousand articles fits in memory.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from marsad.documents import Document
from marsad.words import Normaliser

if TYPE_CHECKING:
    from scipy.sparse import csr_matrix

RUN = 5
# Short posts are mostly set phrases: below this length, only equal texts say anything.
MIN_WORDS = 60
_NORMALISE = Normaliser(diacritics=True, tatweel=True, digits=True, alef=True)


@dataclass(frozen=True, order=True)
class Pair:
    """Two documents, by their places in the sequence, `first` < `second`, and the share of runs they have in common."""

    share: float
    first: int
    second: int


def runs(document: Document) -> frozenset[tuple[str, ...]]:
    """Return the different runs of `RUN` words of a document, normalised, punctuation left out."""
    forms = [form for word in document.words if any(map(str.isalnum, form := _NORMALISE(word.text)))]
    return frozenset(zip(*(forms[start:] for start in range(RUN)), strict=False))


def find_near_duplicates(documents: Sequence[Document], *, share: float, min_words: int = MIN_WORDS) -> list[Pair]:
    """Return the pairs of documents of `min_words` words or more that share more than `share` (0 to 1), highest first.

    A run counts once for a document, however often it stands there.
    """
    places = [place for place, document in enumerate(documents) if len(document.words) >= min_words]
    if len(places) < 2:
        return []
    matrix = _run_matrix([runs(documents[place]) for place in places])
    sizes = matrix.getnnz(axis=1)
    common = (matrix @ matrix.T).tocoo()
    pairs = [
        Pair(float(count) / float(min(sizes[row], sizes[column])), places[row], places[column])
        for row, column, count in zip(common.row, common.col, common.data, strict=True)
        if row < column
    ]
    return sorted((pair for pair in pairs if pair.share > share), reverse=True)


def _run_matrix(found: Sequence[frozenset[tuple[str, ...]]]) -> csr_matrix:
    """Return the documents x runs matrix of zeros and ones."""
    import numpy as np
    from scipy.sparse import csr_matrix

    columns: dict[tuple[str, ...], int] = {}
    indices = [columns.setdefault(run, len(columns)) for each in found for run in each]
    starts = np.cumsum([0, *map(len, found)])
    return csr_matrix((np.ones(len(indices), np.int32), indices, starts), shape=(len(found), max(len(columns), 1)))
