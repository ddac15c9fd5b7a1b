"""The network: one encoder, a tag head and a relation head over words, both trained in one step.

Shapes: B windows, T pieces, W words, D encoder width, K tags, S spans, P pairs, R relation types, H hidden width.
A span is a row (window, first word, last word + 1, type, sentence); a pair is a row (head span, tail span). The network
knows nothing of documents, text or the Trainer.

The relation head scores a directed pair of typed spans from the strongest features inside each span and between them
(max pooling over the context between, after SpERT: Eberts & Ulges 2020), their types, the distance in words, and
whether they stand in one sentence. Each relation type is a yes/no question of its own, since two parties may be related
in two ways; questions that the schema does not allow for a pair of types are neither learnt from nor answered.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional

from marsad.modeling.settings import HeadSettings
from marsad.schema import Schema

IGNORED_TAG = -100
_DISTANCES = 8  # buckets: 0, 1, 2, 3-4, 5-8, 9-16, 17-32, more
_SENTENCES = 3  # same, next, further


@dataclass(frozen=True)
class LossWeights:
    """How the losses are weighed: O against entity tags, related against unrelated pairs, relations against tags."""

    outside: float = 1.0
    positive: float = 1.0
    relations: float = 1.0


class Extractor(nn.Module):
    """Encoder with a tag head and a relation head."""

    allowed: Tensor
    tag_weights: Tensor

    def __init__(
        self,
        encoder: nn.Module,
        width: int,
        schema: Schema,
        heads: HeadSettings,
        weights: LossWeights = LossWeights(),
        relation_prior: float = 0.02,
    ) -> None:
        super().__init__()
        self.encoder = encoder
        self.pooling = heads.pooling
        self.dropout = nn.Dropout(heads.dropout)
        self.tag_head = nn.Linear(width, len(schema.tags))
        self.relation_head = RelationHead(
            width,
            heads.relation_hidden,
            len(schema.entity_types),
            len(schema.relation_types),
            dropout=heads.dropout,
            prior=relation_prior,
        )
        self.register_buffer("allowed", _allowed(schema), persistent=False)
        self.register_buffer(
            "tag_weights", torch.tensor([weights.outside] + [1.0] * (len(schema.tags) - 1)), persistent=False
        )
        self.weights = weights

    def gradient_checkpointing_enable(self, **options: Any) -> None:
        """Recompute the encoder's activations in the backward pass; the Trainer calls this where it is asked to."""
        encoder: Any = self.encoder
        encoder.gradient_checkpointing_enable(**options)

    def encode(self, input_ids: Tensor, attention_mask: Tensor, word_starts: Tensor, word_ends: Tensor) -> Tensor:
        """Return word states `(B, W, D)` from pieces `(B, T)` and the piece range of each word `(B, W)`.

        A padded word has an empty range; its state means nothing.
        """
        states: Tensor = self.encoder(input_ids=input_ids, attention_mask=attention_mask).last_hidden_state
        first = self.pooling == "first"
        words: Tensor = self.dropout(
            _gather(states, word_starts) if first else _mean_pool(states, word_starts, word_ends)
        )
        return words

    def tag(self, states: Tensor) -> Tensor:
        """Return tag logits `(B, W, K)`."""
        logits: Tensor = self.tag_head(states)
        return logits

    def relate(self, states: Tensor, spans: Tensor, pairs: Tensor) -> Tensor:
        """Return relation logits `(P, R)`; those the schema forbids for a pair's types are minus infinity."""
        logits: Tensor = self.relation_head(states, spans, pairs)
        return logits.float().masked_fill(~self._pair_allowed(spans, pairs), -torch.inf)

    def _pair_allowed(self, spans: Tensor, pairs: Tensor) -> Tensor:
        types = spans[:, 3]
        return self.allowed[types[pairs[:, 0]], types[pairs[:, 1]]]

    def forward(
        self,
        input_ids: Tensor,
        attention_mask: Tensor,
        word_starts: Tensor,
        word_ends: Tensor,
        tags: Tensor,
        spans: Tensor,
        pairs: Tensor,
        relations: Tensor,
    ) -> dict[str, Tensor]:
        """Return `loss`, `tag_loss` and `relation_loss` for gold `tags (B, W)` and `relations (P, R)` of `pairs`."""
        states = self.encode(input_ids, attention_mask, word_starts, word_ends)
        tag_loss = self._tag_loss(states, tags)
        relation_loss = self._relation_loss(states, spans, pairs, relations)
        loss = tag_loss + self.weights.relations * relation_loss
        return {"loss": loss, "tag_loss": tag_loss.detach(), "relation_loss": relation_loss.detach()}

    def _tag_loss(self, states: Tensor, tags: Tensor) -> Tensor:
        logits = self.tag(states).float().transpose(1, 2)
        return functional.cross_entropy(logits, tags, weight=self.tag_weights, ignore_index=IGNORED_TAG)

    def _relation_loss(self, states: Tensor, spans: Tensor, pairs: Tensor, relations: Tensor) -> Tensor:
        logits = self.relation_head(states, spans, pairs).float()
        losses = functional.binary_cross_entropy_with_logits(
            logits, relations.float(), pos_weight=logits.new_tensor(self.weights.positive), reduction="none"
        )
        # Summed over the questions and divided by the spans, so that the many easy unrelated pairs of a long window
        # do not drown the few related ones, as a mean over pairs would.
        return (losses * self._pair_allowed(spans, pairs)).sum() / max(len(spans), 1)


class RelationHead(nn.Module):
    """Scores directed pairs of typed spans; see the module's opening lines."""

    most_words: int | None = None  # fixed where the network is traced once for windows of any length

    def __init__(
        self, width: int, hidden: int, num_types: int, num_relations: int, *, dropout: float, prior: float
    ) -> None:
        super().__init__()
        self.head = nn.Linear(2 * width, hidden)
        self.tail = nn.Linear(2 * width, hidden)
        self.context = nn.Linear(width, hidden)
        self.head_type = nn.Embedding(num_types, hidden)
        self.tail_type = nn.Embedding(num_types, hidden)
        self.distance = nn.Embedding(2 * _DISTANCES, hidden)
        self.sentences = nn.Embedding(2 * _SENTENCES, hidden)
        for embedding in (self.head_type, self.tail_type, self.distance, self.sentences):
            nn.init.normal_(embedding.weight, std=0.1)
        final = nn.Linear(hidden, num_relations)
        self.output = nn.Sequential(
            nn.GELU(),
            nn.Dropout(dropout),
            nn.Linear(hidden, hidden),
            nn.GELU(),
            nn.Dropout(dropout),
            final,
        )
        # Of the pairs a schema allows few are related: starting from that prior spares the first epochs (RetinaNet,
        # Lin et al. 2017, section 4.1).
        nn.init.constant_(final.bias, math.log(prior / (1 - prior)))

    def forward(self, states: Tensor, spans: Tensor, pairs: Tensor) -> Tensor:
        """Return logits `(P, R)` for word states `(B, W, D)`, spans `(S, 5)` and pairs `(P, 2)`."""
        logits: Tensor = self.output(self.features(states, spans, pairs))
        return logits

    def features(self, states: Tensor, spans: Tensor, pairs: Tensor) -> Tensor:
        """Return what is known of each pair, `(P, H)`, before the layers that judge it."""
        maxima = RangeMax(states, self.most_words)
        window, start, end, kind, sentence = spans.unbind(1)
        first_words = _rows(states.flatten(0, 1), window * states.shape[1] + start)
        span_states = torch.cat([maxima(window, start, end), first_words], dim=1)
        as_head = self.head(span_states) + self.head_type(kind)
        as_tail = self.tail(span_states) + self.tail_type(kind)
        head, tail = pairs.unbind(1)
        forward = start[head] < start[tail]
        left, right = torch.where(forward, head, tail), torch.where(forward, tail, head)
        between = maxima(window[head], end[left], start[right])
        gap = (start[right] - end[left]).clamp(min=0)
        known: Tensor = (
            _rows(as_head, head)
            + _rows(as_tail, tail)
            + self.context(between)
            + self.distance(_bucket(gap) + _DISTANCES * forward)
            + self.sentences((sentence[right] - sentence[left]).clamp(0, _SENTENCES - 1) + _SENTENCES * forward)
        )
        return known


class RangeMax:
    """Maximum of word states over any range of words in constant time, by a sparse table of ranges of 2^k words.

    `most_words` is the length of the longest range that may be asked for: that of the states where not said.
    """

    def __init__(self, states: Tensor, most_words: int | None = None) -> None:
        levels = [states]
        while 2 ** len(levels) <= (states.shape[1] if most_words is None else most_words):
            reach = 2 ** (len(levels) - 1)
            last = levels[-1]
            shifted = functional.pad(last, (0, 0, 0, reach))[:, reach:]
            levels.append(torch.maximum(last, shifted))
        self.table = torch.stack(levels)

    def __call__(self, window: Tensor, start: Tensor, end: Tensor) -> Tensor:
        """Return the maxima `(N, D)` of words `[start, end)` of each window; zeros for an empty range."""
        length = (end - start).clamp(min=1)
        level = _log2(length).clamp(max=len(self.table) - 1)
        last_word = self.table.shape[2] - 1
        first = self._look_up(level, window, start.clamp(max=last_word))
        second = self._look_up(level, window, (start + length - 2**level).clamp(0, last_word))
        return torch.maximum(first, second) * (end > start).unsqueeze(1)

    def _look_up(self, level: Tensor, window: Tensor, word: Tensor) -> Tensor:
        _, num_windows, num_words, _ = self.table.shape
        return _rows(self.table.flatten(0, 2), (level * num_windows + window) * num_words + word)


def _rows(table: Tensor, index: Tensor) -> Tensor:
    """Return rows of a table. As an embedding look-up: on a CPU its gradient is summed in a fixed order, which that of
    indexing is not, and thirty times faster than that of `index_select`."""
    return functional.embedding(index, table)


def _bucket(gap: Tensor) -> Tensor:
    """0, 1, 2, then powers of two: 3-4, 5-8, 9-16, 17-32, more."""
    return torch.where(gap <= 2, gap, _log2(gap - 1) + 2).clamp(max=_DISTANCES - 1)


def _log2(number: Tensor) -> Tensor:
    """Return the whole part of the logarithm of whole numbers, 0 below 2; exact wherever it is computed."""
    powers = 2 ** torch.arange(1, 16, device=number.device)
    return (number.unsqueeze(-1) >= powers).sum(-1)


def _gather(states: Tensor, index: Tensor) -> Tensor:
    return states.gather(1, index.unsqueeze(2).expand(-1, -1, states.shape[2]))


def _mean_pool(states: Tensor, starts: Tensor, ends: Tensor) -> Tensor:
    """Mean over each word's pieces, as a batched product with 0/1 weights `(B, W, T)`."""
    position = torch.arange(states.shape[1], device=states.device)
    inside = (position >= starts.unsqueeze(2)) & (position < ends.unsqueeze(2))
    counts = inside.sum(2, keepdim=True).clamp(min=1)
    return torch.bmm(inside.to(states.dtype), states) / counts.to(states.dtype)


def _allowed(schema: Schema) -> Tensor:
    types = schema.entity_types
    table: list[Any] = [
        [[name in schema.allowed(head, tail) for name in schema.relation_types] for tail in types] for head in types
    ]
    return torch.tensor(table, dtype=torch.bool).view(len(types), len(types), len(schema.relation_types))
