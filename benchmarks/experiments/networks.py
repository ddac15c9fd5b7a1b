"""Networks that differ from the library's in more than the relation head. Shapes as in `marsad.modeling.extractor`."""

import copy
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional

from marsad.modeling.extractor import IGNORED_TAG, Extractor

PAIRS_AT_ONCE = 64
CONTEXT_PIECES = 32


class Crf(Extractor):
    """Tags by a linear-chain CRF (Lafferty et al. 2001): learnt transitions, and marginals where logits were.

    A sequence has one likelihood, so `heads.outside_weight` has no place here.
    """

    def __init__(self, *arguments: Any) -> None:
        super().__init__(*arguments)
        self.transitions = nn.Parameter(torch.zeros(self.tag_head.out_features, self.tag_head.out_features))

    def encode(self, input_ids: Tensor, attention_mask: Tensor, word_starts: Tensor, word_ends: Tensor) -> Tensor:
        states = super().encode(input_ids, attention_mask, word_starts, word_ends)
        states.is_word = word_ends > word_starts  # type: ignore[attr-defined]
        return states

    def tag(self, states: Tensor) -> Tensor:
        """Return log marginals (B, W, K); the predictor's search over them is then maximum posterior decoding."""
        scores = self.tag_head(states).float()
        is_word: Tensor = states.is_word  # type: ignore[attr-defined]
        forward, backward = self._forward(scores, is_word), self._backward(scores, is_word)
        return (forward + backward).log_softmax(dim=2)

    def _tag_loss(self, states: Tensor, tags: Tensor) -> Tensor:
        scores = self.tag_head(states).float()
        is_word: Tensor = states.is_word  # type: ignore[attr-defined]
        known = (tags != IGNORED_TAG) & is_word
        # Of a word whose tag is not known every tag will do.
        other = known.unsqueeze(2) & (torch.arange(scores.shape[2], device=tags.device) != tags.unsqueeze(2))
        gold = scores.masked_fill(other, -1e4)
        free, held = (self._forward(each, is_word)[:, -1].logsumexp(dim=1) for each in (scores, gold))
        return (free - held).sum() / known.sum().clamp(min=1)

    def _forward(self, scores: Tensor, is_word: Tensor) -> Tensor:
        message = scores[:, 0]
        messages = [message]
        for word in range(1, scores.shape[1]):
            reached = (message.unsqueeze(2) + self.transitions).logsumexp(dim=1) + scores[:, word]
            message = torch.where(is_word[:, word, None], reached, message)
            messages.append(message)
        return torch.stack(messages, dim=1)

    def _backward(self, scores: Tensor, is_word: Tensor) -> Tensor:
        message = torch.zeros_like(scores[:, 0])
        messages = [message]
        for word in range(scores.shape[1] - 1, 0, -1):
            reached = (self.transitions + (scores[:, word] + message).unsqueeze(1)).logsumexp(dim=2)
            message = torch.where(is_word[:, word, None], reached, message)
            messages.append(message)
        return torch.stack(messages[::-1], dim=1)


class SplitTop(Extractor):
    """Tags and relations each have an uppermost encoder layer of their own."""

    def __init__(self, *arguments: Any) -> None:
        super().__init__(*arguments)
        layers = self.encoder.get_submodule("encoder.layer")
        # Under the encoder, so that it learns at the encoder's rate.
        self.encoder.relation_layer = copy.deepcopy(layers[-1])  # type: ignore[index]

    def encode(self, input_ids: Tensor, attention_mask: Tensor, word_starts: Tensor, word_ends: Tensor) -> Tensor:
        held: list[Tensor] = []
        last: Any = self.encoder.get_submodule("encoder.layer")[-1]  # type: ignore[index]

        def own(_: nn.Module, inputs: tuple[Any, ...], options: dict[str, Any]) -> None:
            found = self.encoder.get_submodule("relation_layer")(*inputs, **options)
            held.append(found[0] if isinstance(found, tuple) else found)

        hook = last.register_forward_pre_hook(own, with_kwargs=True)
        try:
            tagged = super().encode(input_ids, attention_mask, word_starts, word_ends)
        finally:
            hook.remove()
        related = self._words(held[0], word_starts, word_ends)
        return torch.cat([tagged, related], dim=2)

    def _words(self, states: Tensor, starts: Tensor, ends: Tensor) -> Tensor:
        encoder = self.encoder
        self.encoder = _Given(states)
        try:
            return super().encode(states, states, starts, ends)
        finally:
            self.encoder = encoder

    def tag(self, states: Tensor) -> Tensor:
        return super().tag(states[:, :, : states.shape[2] // 2])

    def relate(self, states: Tensor, spans: Tensor, pairs: Tensor) -> Tensor:
        return super().relate(states[:, :, states.shape[2] // 2 :], spans, pairs)

    def _relation_loss(self, states: Tensor, spans: Tensor, pairs: Tensor, relations: Tensor) -> Tensor:
        return super()._relation_loss(states[:, :, states.shape[2] // 2 :], spans, pairs, relations)


class _Given(nn.Module):
    """Stands for an encoder whose states are there already."""

    def __init__(self, states: Tensor) -> None:
        super().__init__()
        self.last_hidden_state = states

    def forward(self, **_: Any) -> "_Given":
        return self


class RDrop(Extractor):
    """Two passes with different dropout, and what they disagree in added to the loss (Wu et al. 2021)."""

    strength = 1.0

    def forward(self, *arguments: Any, **inputs: Any) -> dict[str, Tensor]:
        tags, spans, pairs, relations = (inputs[name] for name in ("tags", "spans", "pairs", "relations"))
        pieces = [inputs[name] for name in ("input_ids", "attention_mask", "word_starts", "word_ends")]
        passes = [self.encode(*pieces) for _ in range(2)]
        tag_loss = sum(self._tag_loss(states, tags) for states in passes) / 2
        relation_loss = sum(self._relation_loss(states, spans, pairs, relations) for states in passes) / 2
        first, second = (self.tag(states).float().log_softmax(2)[tags != IGNORED_TAG] for states in passes)
        apart = _symmetric_kl(first, second) / max(len(first), 1)
        if len(pairs):
            asked = self._pair_allowed(spans, pairs)
            yes = [self.relation_head(states, spans, pairs).float()[asked] for states in passes]
            both = [torch.stack([functional.logsigmoid(each), functional.logsigmoid(-each)], 1) for each in yes]
            apart = apart + self.weights.relations * _symmetric_kl(*both) / max(len(spans), 1)
        loss = tag_loss + self.weights.relations * relation_loss + self.strength * apart
        return {"loss": loss, "tag_loss": tag_loss.detach(), "relation_loss": relation_loss.detach()}


def _symmetric_kl(first: Tensor, second: Tensor) -> Tensor:
    options: Any = {"log_target": True, "reduction": "sum"}
    return (functional.kl_div(first, second, **options) + functional.kl_div(second, first, **options)) / 2


class Markers(Extractor):
    """Typed markers in a second pass, many pairs at once (PURE's approximation: Zhong & Chen 2021, section 3.4).

    Each pair has four markers, the start and end of head and tail by type, at the positions of the pieces they mark.
    Markers read the text and the markers of their own pair; the text reads itself alone.
    """

    def __init__(self, encoder: nn.Module, width: int, schema: Any, *arguments: Any) -> None:
        super().__init__(encoder, width, schema, *arguments)
        self.markers = nn.Embedding(4 * len(schema.entity_types), width)
        nn.init.normal_(self.markers.weight, std=0.02)
        bias = self.relation_head.output[-1].bias
        self.relation_head: nn.Module = nn.Linear(2 * width, len(bias))
        with torch.no_grad():
            self.relation_head.bias.copy_(bias)  # the prior

    def encode(self, input_ids: Tensor, attention_mask: Tensor, word_starts: Tensor, word_ends: Tensor) -> Tensor:
        states = super().encode(input_ids, attention_mask, word_starts, word_ends)
        states.source = (input_ids, attention_mask, word_starts, word_ends)  # type: ignore[attr-defined]
        return states

    def relate(self, states: Tensor, spans: Tensor, pairs: Tensor) -> Tensor:
        logits = self._logits(states, spans, pairs).float()
        return logits.masked_fill(~self._pair_allowed(spans, pairs), -torch.inf)

    def _relation_loss(self, states: Tensor, spans: Tensor, pairs: Tensor, relations: Tensor) -> Tensor:
        if not len(pairs):
            return states.sum() * 0
        logits = self._logits(states, spans, pairs).float()
        losses = functional.binary_cross_entropy_with_logits(
            logits, relations.float(), pos_weight=logits.new_tensor(self.weights.positive), reduction="none"
        )
        return (losses * self._pair_allowed(spans, pairs)).sum() / max(len(spans), 1)

    def _logits(self, states: Tensor, spans: Tensor, pairs: Tensor) -> Tensor:
        windows = spans[pairs[:, 0], 0]
        found = []
        order = []
        for window in windows.unique().tolist():
            members = (windows == window).nonzero().squeeze(1)
            for some in members.split(PAIRS_AT_ONCE):
                found.append(self._some(states.source, window, spans, pairs[some]))  # type: ignore[attr-defined]
                order.append(some)
        back = torch.cat(order).argsort()
        return self.relation_head(self.dropout(torch.cat(found)[back]))

    def _some(self, source: Any, window: int, spans: Tensor, pairs: Tensor) -> Tensor:
        """Return the states of the two start markers of some pairs of one window, (P, 2D)."""
        input_ids, attention_mask, word_starts, word_ends = (each[window] for each in source)
        length = int(attention_mask.sum())
        ends = spans[pairs.flatten()]  # head and tail in turn
        start = word_starts[ends[:, 1]]
        stop = word_ends[ends[:, 2] - 1] - 1
        device = spans.device
        role = torch.arange(len(ends), device=device) % 2
        kind = 4 * ends[:, 3] + 2 * role
        encoder: Any = self.encoder
        embedded = torch.cat(
            [
                encoder.embeddings.word_embeddings(input_ids[:length]),
                self.markers(torch.stack([kind, kind + 1], 1).flatten()),
            ]
        )
        position = torch.cat([torch.arange(length, device=device), torch.stack([start, stop], 1).flatten()])
        pair = torch.arange(len(pairs), device=device).repeat_interleave(4)
        owner = torch.cat([torch.full((length,), -1, device=device), pair])
        readable = (owner.unsqueeze(0) == -1) | (owner.unsqueeze(0) == owner.unsqueeze(1))
        out = encoder(
            inputs_embeds=embedded.unsqueeze(0),
            position_ids=position.unsqueeze(0),
            attention_mask=readable[None, None],
        ).last_hidden_state[0, length:]
        return out.view(len(pairs), 4, -1)[:, [0, 2]].flatten(1)


class MarkersAlone(Markers):
    """Typed markers in a pass of its own for each pair (PURE in full: Zhong & Chen 2021, section 3.2).

    The four markers stand among the pieces, from CONTEXT_PIECES before the first mention to as many after the last.
    """

    def _some(self, source: Any, window: int, spans: Tensor, pairs: Tensor) -> Tensor:
        encoder: Any = self.encoder
        first_marker = encoder.embeddings.word_embeddings.num_embeddings
        lists = [each[window].tolist() for each in source]
        marked = [_with_markers(lists, spans[pair].tolist(), first_marker) for pair in pairs]
        ids = nn.utils.rnn.pad_sequence([row for row, _ in marked], batch_first=True).to(spans.device)
        sizes = torch.tensor([len(row) for row, _ in marked], device=spans.device)
        mask = torch.arange(ids.shape[1], device=spans.device) < sizes.unsqueeze(1)
        pieces = encoder.embeddings.word_embeddings(ids.clamp(max=first_marker - 1))
        markers = self.markers((ids - first_marker).clamp(min=0))
        embedded = torch.where((ids >= first_marker).unsqueeze(2), markers, pieces)
        out = encoder(inputs_embeds=embedded, attention_mask=mask.long()).last_hidden_state
        opening = torch.tensor([places for _, places in marked], device=spans.device)
        return out.gather(1, opening.unsqueeze(2).expand(-1, -1, out.shape[2])).flatten(1)


def _with_markers(window: list[Any], spans: list[list[int]], first_marker: int) -> tuple[Tensor, list[int]]:
    """Return the pieces around a head and a tail with markers among them, and where their opening markers stand."""
    input_ids, attention_mask, word_starts, word_ends = window
    places = [(word_starts[first], word_ends[last - 1]) for _, first, last, *_ in spans]
    openers = [first_marker + 4 * span[3] + 2 * role for role, span in enumerate(spans)]
    low = max(1, min(start for start, _ in places) - CONTEXT_PIECES)
    high = min(sum(attention_mask) - 1, max(stop for _, stop in places) + CONTEXT_PIECES)
    # (piece, 1 opens or 0 closes, marker): at one piece, what closes stands before what opens.
    signs = [(start, 1, marker) for (start, _), marker in zip(places, openers, strict=True)]
    signs += [(stop, 0, marker + 1) for (_, stop), marker in zip(places, openers, strict=True)]
    row = input_ids[low:high]
    for piece, _, marker in sorted(signs, reverse=True):
        row.insert(piece - low, marker)
    row = [input_ids[0], *row, input_ids[sum(attention_mask) - 1]]
    return torch.tensor(row), [row.index(marker) for marker in openers]


class SecondLook(Extractor):
    """The likeliest pairs look again: their head and tail pass once more through the uppermost layers of the encoder.

    Two tokens a pair start as the states of the first pieces of head and tail below those layers, each with an
    embedding of its side and type, and read the states of the text, which are there already, and each other. It is the
    second pass of typed markers (PURE's approximation) without a second pass over the text.
    """

    num_layers = 4
    budget = 48  # pairs of a window that are looked at

    def __init__(self, encoder: nn.Module, width: int, schema: Any, heads: Any, *arguments: Any) -> None:
        super().__init__(encoder, width, schema, heads, *arguments)
        hidden = heads.relation_hidden
        self.side = nn.Embedding(2 * len(schema.entity_types), width)
        nn.init.normal_(self.side.weight, std=0.02)
        self.look = nn.Linear(2 * width, hidden)
        self.judge = copy.deepcopy(self.relation_head.output)
        nn.init.zeros_(self.judge[-1].weight)
        nn.init.zeros_(self.judge[-1].bias)

    def encode(self, input_ids: Tensor, attention_mask: Tensor, word_starts: Tensor, word_ends: Tensor) -> Tensor:
        held: list[tuple[Tensor, ...]] = []
        hook = self.encoder.register_forward_hook(lambda _m, _i, found: held.append(found.hidden_states))
        self.encoder.config.output_hidden_states = True  # type: ignore[union-attr]
        try:
            states = super().encode(input_ids, attention_mask, word_starts, word_ends)
        finally:
            hook.remove()
        states.below = held[0][-1 - self.num_layers : -1]  # type: ignore[attr-defined]
        states.readable, states.starts = attention_mask.bool(), word_starts  # type: ignore[attr-defined]
        return states

    def relate(self, states: Tensor, spans: Tensor, pairs: Tensor) -> Tensor:
        logits, chosen, again = self._logits(states, spans, pairs, None)
        logits = logits.float().index_put((chosen,), again.float())
        return logits.masked_fill(~self._pair_allowed(spans, pairs), -torch.inf)

    def _relation_loss(self, states: Tensor, spans: Tensor, pairs: Tensor, relations: Tensor) -> Tensor:
        if not len(pairs):
            return states.sum() * 0
        logits, chosen, again = self._logits(states, spans, pairs, relations)
        loss: Any = functional.binary_cross_entropy_with_logits
        allowed = self._pair_allowed(spans, pairs)
        first = (loss(logits.float(), relations.float(), reduction="none") * allowed).sum()
        second = (loss(again.float(), relations[chosen].float(), reduction="none") * allowed[chosen]).sum()
        return (first + second) / max(len(spans), 1)

    def _logits(
        self, states: Tensor, spans: Tensor, pairs: Tensor, gold: Tensor | None
    ) -> tuple[Tensor, Tensor, Tensor]:
        known = self.relation_head.features(states, spans, pairs)
        logits = self.relation_head.output(known)
        likely = logits.detach().float().masked_fill(~self._pair_allowed(spans, pairs), -torch.inf).amax(1)
        if gold is not None:
            likely = likely.masked_fill(gold.any(1), torch.inf)
        window = spans[pairs[:, 0], 0]
        chosen, slot = _likeliest(likely, window, len(states), self.budget)
        seen = self._look(states, spans, pairs[chosen], window[chosen], slot)
        judged = self.judge(functional.embedding(chosen, known) + self.look(seen))
        return logits, chosen, functional.embedding(chosen, logits) + judged

    def _look(self, states: Any, spans: Tensor, pairs: Tensor, window: Tensor, slot: Tensor) -> Tensor:
        """Return what head and tail have read, (P, 2D)."""
        text, most = states.below[0], int(slot.max()) + 1
        ends = spans[pairs.flatten()]
        place = ends[:, 0] * text.shape[1] + states.starts[ends[:, 0], ends[:, 1]]
        side = torch.arange(2, device=spans.device).repeat(len(pairs))
        tokens = functional.embedding(place, text.flatten(0, 1)) + self.side(2 * ends[:, 3] + side)
        rows = text.new_zeros(len(text), most, 2, text.shape[2])
        rows = rows.index_put((window, slot), tokens.view(len(pairs), 2, -1).to(text.dtype))
        hidden = rows.flatten(1, 2)
        layers: Any = self.encoder.get_submodule("encoder.layer")
        for layer, below in zip(layers[-self.num_layers :], states.below, strict=True):
            hidden = _read(layer, hidden, below, states.readable)
        return hidden.view(len(text), most, -1)[window, slot]


def _likeliest(scores: Tensor, window: Tensor, num_windows: int, budget: int) -> tuple[Tensor, Tensor]:
    """Return the best pairs of each window, and the place of each among those of its window."""
    order = scores.argsort(descending=True, stable=True)
    of = window[order].unsqueeze(1) == torch.arange(num_windows, device=window.device)
    slot = (of.long().cumsum(0) - 1)[torch.arange(len(order), device=window.device), window[order]]
    kept = (slot < budget) & (scores[order] > -torch.inf)
    return order[kept], slot[kept]


def _read(layer: Any, tokens: Tensor, text: Tensor, readable: Tensor) -> Tensor:
    """Pass pairs of tokens (B, 2M, D) through a BERT layer in which each reads the text (B, T, D) and its pair."""
    own = layer.attention.self
    heads = own.num_attention_heads

    def split(each: Tensor) -> Tensor:
        return each.view(*each.shape[:2], heads, -1).transpose(1, 2)

    query, key, value = split(own.query(tokens)), split(own.key(text)), split(own.value(text))
    pair_key, pair_value = (split(part(tokens)).unflatten(2, (-1, 2)) for part in (own.key, own.value))
    to_text = (query @ key.transpose(2, 3)).float().masked_fill(~readable[:, None, None], -1e4)
    to_pair = (query.unflatten(2, (-1, 2)) @ pair_key.transpose(3, 4)).flatten(2, 3).float()
    shares = (torch.cat([to_text, to_pair], dim=3) * query.shape[-1] ** -0.5).softmax(3).to(value.dtype)
    of_text, of_pair = shares.split([text.shape[1], 2], dim=3)
    read = of_text @ value + (of_pair.unflatten(2, (-1, 2)) @ pair_value).flatten(2, 3)
    attended = layer.attention.output(read.transpose(1, 2).flatten(2), tokens)
    return layer.output(layer.intermediate(attended), attended)


NETWORKS = {
    "crf": Crf,
    "split-top": SplitTop,
    "r-drop": RDrop,
    "markers": Markers,
    "markers-alone": MarkersAlone,
    "second-look": SecondLook,
}
