"""What the page shows of one article: its text in pieces, gold beside predicted, every mistake where it stands."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from marsad.documents import Document
from marsad.evaluation.errors import Mistake, mistakes
from marsad.evaluation.scores import DocumentScores, Score
from marsad.schema import Schema


@dataclass(frozen=True)
class Piece:
    """Some of the text: plain, or a mention with its type, its id on the page, its kind of mistake and its score."""

    text: str
    type: str = ""
    id: str = ""
    kind: str = ""
    score: float = 1.0


@dataclass(frozen=True)
class Arc:
    """A relation between two mentions by their ids on the page; `kind` is empty where it is right."""

    head: str
    tail: str
    type: str
    kind: str
    score: float


@dataclass(frozen=True)
class Panel:
    """One reading of an article, gold or predicted: its sentences and relations."""

    sentences: Sequence[Sequence[Piece]]
    arcs: Sequence[Arc]


@dataclass(frozen=True)
class Article:
    """An article with both readings, its mistakes by kind, and the F1 of its entities and strict relations.

    An F1 is None where there was nothing to be found and nothing was said.
    """

    id: str
    meta: Mapping[str, str]
    gold: Panel
    predicted: Panel
    kinds: Mapping[str, int]
    entities: float | None
    relations: float | None

    @property
    def f1(self) -> float:
        """Mean of the F1s that there are; of nothing, 1."""
        known = [each for each in (self.entities, self.relations) if each is not None]
        return sum(known) / len(known) if known else 1.0

    @property
    def num_mistakes(self) -> int:
        """Number of mistakes of all kinds."""
        return sum(self.kinds.values())


def article(gold: Document, predicted: Document, scores: DocumentScores, schema: Schema, number: int) -> Article:
    """Return what the page shows of a gold document and its prediction; `number` makes ids unique on the page."""
    found = mistakes(gold, predicted, schema)
    kinds: dict[str, int] = {}
    for each in found:
        name = f"{each.about}-{each.kind}"
        kinds[name] = kinds.get(name, 0) + 1
    return Article(
        gold.id,
        gold.meta,
        _panel(gold, f"g{number}", {(each.about, each.gold): each for each in found}),
        _panel(predicted, f"p{number}", {(each.about, each.predicted): each for each in found}),
        kinds,
        _f1(scores.micro("entities")),
        _f1(scores.micro("relations_strict")),
    )


def _f1(score: Score) -> float | None:
    return score.f1 if score.tp + score.fp + score.fn else None


def _panel(document: Document, prefix: str, found: Mapping[tuple[str, int | None], Mistake]) -> Panel:
    def kind(about: str, index: int) -> str:
        mistake = found.get((about, index))
        return f"{about}-{mistake.kind}" if mistake is not None else ""

    ids = [f"{prefix}-{index}" for index in range(len(document.entities))]
    arcs = [
        Arc(ids[each.head], ids[each.tail], each.type, kind("relation", index), each.score)
        for index, each in enumerate(document.relations)
    ]
    mentions = {
        each.start: (
            each.end,
            Piece(document.surface(each), each.type, ids[index], kind("entity", index), each.score),
        )
        for index, each in enumerate(document.entities)
    }
    sentences, place = [], 0
    for start, end in document.sentences:
        # A mention may run on into the next sentence; it is shown whole in its first.
        pieces, place = _pieces(document, max(start, place), end, mentions)
        sentences.append(pieces)
    return Panel(sentences, arcs)


def _pieces(
    document: Document, start: int, end: int, mentions: Mapping[int, tuple[int, Piece]]
) -> tuple[list[Piece], int]:
    """Return the pieces of the words from `start` to `end`, and the word after the last that they hold."""
    pieces: list[Piece] = []
    place = start
    while place < end:
        stop, piece = mentions.get(place, (place + 1, Piece(document.words[place].text)))
        if place > start:
            gap = document.text[document.words[place - 1].end : document.words[place].start]
            pieces.append(Piece(gap))
        pieces.append(piece)
        place = stop
    return pieces, place
