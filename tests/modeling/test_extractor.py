"""The network on tensors: range maxima, pooling, padding, losses."""

from types import SimpleNamespace

import pytest
import torch
from torch import nn

from marsad.modeling.extractor import IGNORED_TAG, Extractor, LossWeights, RangeMax
from marsad.modeling.settings import HeadSettings
from marsad.schema import Schema


class _Embedding(nn.Module):
    """An encoder without context: what is padded cannot leak."""

    def __init__(self) -> None:
        super().__init__()
        self.embedding = nn.Embedding(50, 16)

    def forward(self, input_ids: torch.Tensor, attention_mask: torch.Tensor) -> SimpleNamespace:
        return SimpleNamespace(last_hidden_state=self.embedding(input_ids))


@pytest.fixture
def extractor(schema: Schema) -> Extractor:
    torch.manual_seed(0)
    return Extractor(_Embedding(), 16, schema, HeadSettings(dropout=0.0, relation_hidden=8)).eval()


@pytest.mark.parametrize("num_words", [1, 2, 3, 7, 8, 9, 33])
def test_range_maxima_are_the_maxima_of_ranges(num_words: int) -> None:
    torch.manual_seed(num_words)
    states = torch.randn(2, num_words, 4)
    maxima = RangeMax(states)
    ranges = [(w, s, e) for w in range(2) for s in range(num_words) for e in range(s, num_words + 1)]
    window, start, end = (torch.tensor(column) for column in zip(*ranges, strict=True))
    expected = torch.stack([states[w, s:e].amax(0) if e > s else torch.zeros(4) for w, s, e in ranges])
    assert torch.equal(maxima(window, start, end), expected)


@pytest.mark.parametrize(("pooling", "pieces"), [("first", [1]), ("mean", [1, 2])])
def test_a_word_is_its_first_piece_or_the_mean(schema: Schema, pooling: str, pieces: list[int]) -> None:
    extractor = Extractor(_Embedding(), 16, schema, HeadSettings(pooling=pooling, dropout=0.0)).eval()
    ids = torch.tensor([[0, 5, 6, 7, 2]])
    states = extractor.encode(ids, torch.ones_like(ids), torch.tensor([[1, 3]]), torch.tensor([[3, 4]]))
    expected = extractor.encoder.embedding(ids)[0, pieces].mean(0)
    assert torch.allclose(states[0, 0], expected, atol=1e-6)


def _batch(**changes: torch.Tensor) -> dict[str, torch.Tensor]:
    batch = {
        "input_ids": torch.tensor([[0, 5, 6, 7, 2]]),
        "attention_mask": torch.ones(1, 5, dtype=torch.long),
        "word_starts": torch.tensor([[1, 2, 3]]),
        "word_ends": torch.tensor([[2, 3, 4]]),
        "tags": torch.tensor([[1, 0, 5]]),
        "spans": torch.tensor([[0, 0, 1, 0, 0], [0, 2, 3, 2, 0]]),
        "pairs": torch.tensor([[0, 1], [1, 0]]),
        "relations": torch.tensor([[1.0, 0, 0, 0, 0, 0], [0, 0, 0, 0, 0, 0]]),
    }
    return {**batch, **changes}


def test_what_the_schema_forbids_is_neither_learnt_nor_answered(extractor: Extractor) -> None:
    batch = _batch()
    states = extractor.encode(*(batch[name] for name in ("input_ids", "attention_mask", "word_starts", "word_ends")))
    answers = extractor.relate(states, batch["spans"], batch["pairs"]).sigmoid()
    assert (answers[0] > 0).tolist() == [True, True, False, False, False, False]  # ACTOR -> LOCATION
    assert not answers[1].any()  # LOCATION -> ACTOR
    forbidden = _batch(relations=torch.tensor([[1.0, 0, 0, 0, 1, 1], [1, 1, 1, 1, 1, 1]]))
    assert extractor(**forbidden)["relation_loss"] == extractor(**batch)["relation_loss"]


def test_a_pair_and_its_reverse_are_scored_differently(extractor: Extractor) -> None:
    batch = _batch(spans=torch.tensor([[0, 0, 1, 0, 0], [0, 2, 3, 0, 0]]))
    states = extractor.encode(*(batch[name] for name in ("input_ids", "attention_mask", "word_starts", "word_ends")))
    there, back = extractor.relate(states, batch["spans"], batch["pairs"])[:, 0]
    assert not torch.isclose(there, back)


def test_a_batch_without_pairs_still_reaches_every_weight(extractor: Extractor) -> None:
    empty = {
        "spans": torch.zeros(0, 5, dtype=torch.long),
        "pairs": torch.zeros(0, 2, dtype=torch.long),
        "relations": torch.zeros(0, 6),
    }
    output = extractor(**_batch(**empty))
    output["loss"].backward()
    assert output["relation_loss"] == 0
    assert all(weight.grad is not None for weight in extractor.parameters())


def test_ignored_words_and_loss_weights(schema: Schema, extractor: Extractor) -> None:
    ignored = extractor(**_batch(tags=torch.tensor([[1, IGNORED_TAG, 5]])))["tag_loss"]
    assert ignored != extractor(**_batch())["tag_loss"]
    weighed = Extractor(
        extractor.encoder, 16, schema, HeadSettings(dropout=0.0, relation_hidden=8), LossWeights(relations=0.0)
    ).eval()
    output = weighed(**_batch())
    assert output["loss"] == output["tag_loss"]
    assert "tag_weights" not in weighed.state_dict()
