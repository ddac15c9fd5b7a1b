"""Relation heads that were tried beside the library's own; all read the same spans and pairs and return logits (P, R).

Shapes as in `marsad.modeling.extractor`. Every head starts from the same prior and has the schema's mask put on by the
extractor, so that they differ in what they know of a pair and in nothing else.
"""

import math

import torch
from torch import Tensor, nn
from torch.nn import functional

from marsad.modeling.extractor import RangeMax, RelationHead
from marsad.modeling.settings import HeadSettings
from marsad.schema import Schema

WORDS_BEFORE = 8
_MOST_SPAN_WORDS = 12
_WIDTH_FEATURES = 25


def _output(inputs: int, num_relations: int, prior: float) -> nn.Linear:
    layer = nn.Linear(inputs, num_relations)
    nn.init.constant_(layer.bias, math.log(prior / (1 - prior)))
    return layer


def rows(table: Tensor, index: Tensor) -> Tensor:
    """Rows of a table, by embedding look-up: its gradient is summed in a fixed order and fast on a CPU."""
    return functional.embedding(index, table)


class Library(RelationHead):
    """The library's head, made from the same arguments as the others."""

    def __init__(self, width: int, heads: HeadSettings, schema: Schema, prior: float) -> None:
        types, relations = len(schema.entity_types), len(schema.relation_types)
        super().__init__(width, heads.relation_hidden, types, relations, dropout=heads.dropout, prior=prior)

    def without(self, *parts: str) -> "Library":
        """Return the head with these of its parts put to nothing for good."""
        for part in parts:
            for weight in self.get_submodule(part).parameters():
                nn.init.zeros_(weight).requires_grad_(False)
        return self


class Product(Library):
    """The library's head with the product of head and tail beside their sum: a bilinear form of low rank."""

    def __init__(self, width: int, heads: HeadSettings, schema: Schema, prior: float) -> None:
        super().__init__(width, heads, schema, prior)
        hidden = heads.relation_hidden
        self.left, self.right = nn.Linear(2 * width, hidden), nn.Linear(2 * width, hidden)

    def features(self, states: Tensor, spans: Tensor, pairs: Tensor) -> Tensor:
        inside = _span_states(states, spans)
        product = rows(self.left(inside), pairs[:, 0]) * rows(self.right(inside), pairs[:, 1])
        return super().features(states, spans, pairs) + product


class Before(Library):
    """The library's head that also reads some words before the first mention.

    An Arabic report often opens with its verb, before both mentions: «قصف الجيش مواقع الحركة».
    """

    def __init__(self, width: int, heads: HeadSettings, schema: Schema, prior: float) -> None:
        super().__init__(width, heads, schema, prior)
        self.before = nn.Linear(width, heads.relation_hidden)

    def features(self, states: Tensor, spans: Tensor, pairs: Tensor) -> Tensor:
        window, start = spans[:, 0], spans[:, 1]
        head, tail = pairs.unbind(1)
        first = torch.minimum(start[head], start[tail])
        before = RangeMax(states)(window[head], (first - WORDS_BEFORE).clamp(min=0), first)
        return super().features(states, spans, pairs) + self.before(before)


class Mentions(Library):
    """The library's head on mentions that have read each other: one attention layer over the mentions of a window."""

    def __init__(self, width: int, heads: HeadSettings, schema: Schema, prior: float) -> None:
        super().__init__(width, heads, schema, prior)
        hidden = heads.relation_hidden
        self.into = nn.Linear(2 * width, hidden)
        self.kind = nn.Embedding(len(schema.entity_types), hidden)
        self.layer = nn.TransformerEncoderLayer(hidden, 4, 2 * hidden, heads.dropout, batch_first=True)
        self.as_head, self.as_tail = nn.Linear(hidden, hidden), nn.Linear(hidden, hidden)

    def features(self, states: Tensor, spans: Tensor, pairs: Tensor) -> Tensor:
        mentions = self.into(_span_states(states, spans)) + self.kind(spans[:, 3])
        apart = spans[:, 0].unsqueeze(0) != spans[:, 0].unsqueeze(1)
        mentions = self.layer(mentions.unsqueeze(0), src_mask=apart).squeeze(0)
        head, tail = pairs.unbind(1)
        known = super().features(states, spans, pairs)
        return known + rows(self.as_head(mentions), head) + rows(self.as_tail(mentions), tail)


class Reading(Library):
    """The library's head with a look at the text of its own: each pair reads the words of its window by attention.

    What a word says to a pair depends on where it stands to it: before both mentions, inside the first, between, inside
    the second, after both, near or far. One layer on the encoder's states, in place of the second pass of markers.
    """

    num_heads = 4
    near = 8
    num_places = 7

    def __init__(self, width: int, heads: HeadSettings, schema: Schema, prior: float) -> None:
        super().__init__(width, heads, schema, prior)
        hidden = heads.relation_hidden
        self.query, self.key, self.value = nn.Linear(hidden, hidden), nn.Linear(width, hidden), nn.Linear(width, hidden)
        self.place_key, self.place_value = (nn.Embedding(2 * self.num_places, hidden) for _ in range(2))
        for embedding in (self.place_key, self.place_value):
            nn.init.normal_(embedding.weight, std=0.1)
        self.read = nn.Linear(hidden, hidden)

    def features(self, states: Tensor, spans: Tensor, pairs: Tensor) -> Tensor:
        known = super().features(states, spans, pairs)
        window = spans[pairs[:, 0], 0]
        # Pairs in rows of their windows, so that all windows are one product: (B, M), M the most pairs of a window.
        inside = window.unsqueeze(1) == torch.arange(len(states), device=states.device)
        slot = inside.long().cumsum(0)[torch.arange(len(window), device=states.device), window] - 1
        most = int(inside.sum(0).max()) if len(window) else 0

        def in_rows(each: Tensor) -> Tensor:
            out = each.new_zeros(len(states), most, *each.shape[1:])
            return out.index_put((window, slot), each)

        place = in_rows(self._places(states.shape[1], spans, pairs))  # (B, M, W)
        query = self._by_head(in_rows(self.query(known)))  # (B, h, M, d)
        key, value = self._by_head(self.key(states)), self._by_head(self.value(states))
        to_place = query @ self.place_key.weight.view(2 * self.num_places, self.num_heads, -1).permute(1, 2, 0)
        where = place.unsqueeze(1).expand(-1, self.num_heads, -1, -1)
        scores = (query @ key.transpose(2, 3) + to_place.gather(3, where)) * query.shape[-1] ** -0.5
        is_word = states.abs().sum(2) > 0
        scores = scores.float().masked_fill(~is_word[:, None, None], -1e4)
        shares = scores.softmax(dim=3).to(value.dtype)
        by_place = shares.new_zeros(*shares.shape[:3], 2 * self.num_places).scatter_add(3, where, shares)
        found = shares @ value + by_place @ self.place_value.weight.view(
            2 * self.num_places, self.num_heads, -1
        ).transpose(0, 1).to(value.dtype)
        return known + self.read(found.transpose(1, 2).flatten(2)[window, slot])

    def _by_head(self, each: Tensor) -> Tensor:
        return each.view(*each.shape[:2], self.num_heads, -1).transpose(1, 2)

    def _places(self, num_words: int, spans: Tensor, pairs: Tensor) -> Tensor:
        """Where each word stands to each pair, (P, W)."""
        head, tail = (spans[pairs[:, side]] for side in (0, 1))
        forward = (head[:, 1] < tail[:, 1]).unsqueeze(1)
        first, second = torch.where(forward, head, tail), torch.where(forward, tail, head)
        word = torch.arange(num_words, device=spans.device)
        edges = (
            first[:, 1] - self.near,
            first[:, 1],
            first[:, 2],
            second[:, 1],
            second[:, 2],
            second[:, 2] + self.near,
        )
        passed = sum((word >= edge.unsqueeze(1)).long() for edge in edges)
        return passed + self.num_places * forward.long()


class SpERT(nn.Module):
    """The head of SpERT (Eberts & Ulges 2020): max over each span, a width embedding, max between, one linear layer."""

    def __init__(self, width: int, heads: HeadSettings, schema: Schema, prior: float) -> None:
        super().__init__()
        self.span_width = nn.Embedding(_MOST_SPAN_WORDS + 1, _WIDTH_FEATURES)
        self.dropout = nn.Dropout(heads.dropout)
        self.output = _output(3 * width + 2 * _WIDTH_FEATURES, len(schema.relation_types), prior)

    def forward(self, states: Tensor, spans: Tensor, pairs: Tensor) -> Tensor:
        maxima = RangeMax(states)
        window, start, end = spans[:, 0], spans[:, 1], spans[:, 2]
        inside = torch.cat(
            [maxima(window, start, end), self.span_width((end - start).clamp(max=_MOST_SPAN_WORDS))], dim=1
        )
        head, tail = pairs.unbind(1)
        between = maxima(window[head], torch.minimum(end[head], end[tail]), torch.maximum(start[head], start[tail]))
        logits: Tensor = self.output(self.dropout(torch.cat([rows(inside, head), between, rows(inside, tail)], dim=1)))
        return logits


class Biaffine(nn.Module):
    """A biaffine form of typed spans (Dozat & Manning 2017), without words between and without distance."""

    def __init__(self, width: int, heads: HeadSettings, schema: Schema, prior: float) -> None:
        super().__init__()
        hidden = heads.relation_hidden
        self.head, self.tail = (_perceptron(2 * width, hidden, heads.dropout) for _ in range(2))
        self.kind = nn.Embedding(len(schema.entity_types), 2 * width)
        nn.init.normal_(self.kind.weight, std=0.1)
        self.bilinear = nn.Linear(hidden, hidden * len(schema.relation_types), bias=False)
        nn.init.normal_(self.bilinear.weight, std=1 / hidden)
        self.linear = _output(2 * hidden, len(schema.relation_types), prior)

    def forward(self, states: Tensor, spans: Tensor, pairs: Tensor) -> Tensor:
        inside = _span_states(states, spans) + self.kind(spans[:, 3])
        head, tail = rows(self.head(inside), pairs[:, 0]), rows(self.tail(inside), pairs[:, 1])
        turned = self.bilinear(head).view(len(pairs), -1, tail.shape[1])
        logits: Tensor = (turned * tail.unsqueeze(1)).sum(2) + self.linear(torch.cat([head, tail], dim=1))
        return logits


def _perceptron(inputs: int, hidden: int, dropout: float) -> nn.Sequential:
    return nn.Sequential(nn.Linear(inputs, hidden), nn.GELU(), nn.Dropout(dropout))


def _span_states(states: Tensor, spans: Tensor) -> Tensor:
    """Maximum over the words of each span beside its first word, (S, 2D)."""
    window, start, end = spans[:, 0], spans[:, 1], spans[:, 2]
    first = rows(states.flatten(0, 1), window * states.shape[1] + start)
    return torch.cat([RangeMax(states)(window, start, end), first], dim=1)


HEADS = {
    "library": Library,
    "spert": SpERT,
    "biaffine": Biaffine,
    "product": Product,
    "before": Before,
    "mentions": Mentions,
    "reading": Reading,
}
