"""Which reports to annotate next: those the model is least sure of, unlike each other, rich in rare types. No torch.

What annotating a report is worth is taken to be what the model is unsure of in it, per word that must be read: of each
mention and each likely relation the entropy of its score (uncertainty sampling, Lewis & Gale 1994; summed over a text
as in Settles & Craven 2008), weighted up for types with few examples. Reports are then taken one at a time, each one's
worth discounted by its likeness to what was taken before (maximal marginal relevance, Carbonell & Goldstein 1998), so
that ten tellings of one event are not all annotated.
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from marsad.documents import Document, Entity, Relation
from marsad.evaluation.forms import Forms

if TYPE_CHECKING:
    from scipy.sparse import csr_array

# A report of three words is not worth more for having few: all are taken to be this much longer.
_EXTRA_WORDS = 30
_LIKENESS = 0.7  # how much of a report's worth goes where it is like one taken before
_MOST_WEIGHT = 4.0

Floats = npt.NDArray[np.float64]


@dataclass(frozen=True)
class Suggestion:
    """A report to annotate: its position in the pool, what it is worth, and what there is in it that is unsure.

    `worth` is in bits of doubt per word, weighted by type; `likeness` (0 to 1) that to the likest report taken before;
    `unsure` counts the doubtful mentions and relations by type.
    """

    position: int
    worth: float
    likeness: float
    unsure: Mapping[str, int]


def rank(
    predicted: Sequence[Document], annotated: Sequence[Document] = (), count: int | None = None
) -> list[Suggestion]:
    """Return the `count` reports of a pool (all where not said) to annotate next, best first.

    `predicted` are the reports of the pool with the model's mentions and its relations from a low threshold on
    (`Predictor.uncalibrated`), `annotated` the articles that it was trained on: they say which types are rare, and what
    is like them is worth less.
    """
    weights = _weights(annotated)
    worth = np.asarray([_worth(each, weights) for each in predicted])
    vectors = _vectors([*predicted, *annotated])
    pool, known = vectors[: len(predicted)], vectors[len(predicted) :]
    likeness = np.zeros(len(predicted))
    if annotated and predicted:
        likeness = np.asarray((pool @ known.T).max(axis=1).todense()).ravel()
    left = np.ones(len(predicted), dtype=bool)
    chosen = []
    for _ in range(min(len(predicted), count if count is not None else len(predicted))):
        value = np.where(left, worth * (1 - _LIKENESS * likeness), -np.inf)
        best = int(value.argmax())
        left[best] = False
        chosen.append(Suggestion(best, float(worth[best]), float(likeness[best]), _unsure(predicted[best])))
        likeness = np.maximum(likeness, np.asarray((pool @ pool[best].T).todense()).ravel())
    return chosen


def new_reports(pool: Sequence[Document], annotated: Sequence[Document]) -> list[Document]:
    """Return the reports of a pool whose words are those of no annotated article and of none before them."""
    seen = {tuple(word.text for word in document.words) for document in annotated}
    new = []
    for document in pool:
        key = tuple(word.text for word in document.words)
        if key not in seen:
            seen.add(key)
            new.append(document)
    return new


def _weights(annotated: Sequence[Document]) -> Mapping[str, float]:
    """Return the weight of each type: the root of how much rarer it is than the middle one, within bounds."""
    counts = Counter(each.type for document in annotated for each in _items(document))
    if not counts:
        return {}
    middle = float(np.median(list(counts.values())))
    return {name: min(max(math.sqrt(middle / count), 1 / _MOST_WEIGHT), _MOST_WEIGHT) for name, count in counts.items()}


def _worth(document: Document, weights: Mapping[str, float]) -> float:
    # A type that was never annotated is as rare as can be; without annotated articles all count alike.
    unknown = _MOST_WEIGHT if weights else 1.0
    doubt = sum(_entropy(each.score) * weights.get(each.type, unknown) for each in _items(document))
    return doubt / (len(document.words) + _EXTRA_WORDS)


def _entropy(score: float) -> float:
    """Return the doubt, in bits, about a yes that has this score."""
    if score in (0.0, 1.0):
        return 0.0
    return -score * math.log2(score) - (1 - score) * math.log2(1 - score)


def _unsure(document: Document) -> Mapping[str, int]:
    return dict(Counter(each.type for each in _items(document) if 0.2 < each.score < 0.8))


def _items(document: Document) -> list[Entity | Relation]:
    return [*document.entities, *document.relations]


def _vectors(documents: Sequence[Document]) -> csr_array:
    """Return TF-IDF rows of length one (Salton & Buckley 1988) over word forms without clitics and marks."""
    from scipy.sparse import csr_array

    forms = Forms(documents)
    counts = [Counter(forms.of_word(word.text) for word in document.words) for document in documents]
    seen = Counter(form for each in counts for form in each)
    place = {form: index for index, form in enumerate(seen)}
    rows: list[int] = []
    columns: list[int] = []
    values: list[float] = []
    for row, each in enumerate(counts):
        weighed = {form: (1 + math.log(n)) * math.log(len(documents) / seen[form]) for form, n in each.items()}
        length = math.sqrt(sum(value * value for value in weighed.values())) or 1.0
        rows += [row] * len(weighed)
        columns += [place[form] for form in weighed]
        values += [value / length for value in weighed.values()]
    return csr_array((values, (rows, columns)), shape=(len(documents), max(len(place), 1)))
