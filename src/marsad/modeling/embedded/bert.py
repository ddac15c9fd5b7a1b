"""Makes a `BertModel` from sizes and weights: the one place that knows the names of its parts.

Positions count from 0 and there is no pooler. torch and transformers are imported when a model is made.
"""

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any, cast

from tokenizers import Tokenizer

from marsad.errors import ModelError
from marsad.modeling.embedded.q4 import PackedEncoder
from marsad.modeling.embedded.vocabulary import BOS, EOS, PAD

if TYPE_CHECKING:
    import torch
    from transformers import BertConfig, BertModel

WORD_EMBEDDING = "embeddings.word_embeddings.weight"
# Part of one layer of a BertModel -> its name in a packed file.
_LAYER_PARTS = {
    "attention.self.query": "q",
    "attention.self.key": "k",
    "attention.self.value": "v",
    "attention.output.dense": "ao",
    "attention.output.LayerNorm": "aln",
    "intermediate.dense": "fi",
    "output.dense": "fo",
    "output.LayerNorm": "oln",
}


def create_config(tokenizer: Tokenizer, **sizes: Any) -> "BertConfig":
    """Return the configuration of a model that reads the ids of `tokenizer`; `sizes` are settings of `BertConfig`."""
    from transformers import BertConfig

    return BertConfig(
        vocab_size=tokenizer.get_vocab_size(),
        pad_token_id=tokenizer.token_to_id(PAD),
        bos_token_id=tokenizer.token_to_id(BOS),
        eos_token_id=tokenizer.token_to_id(EOS),
        **sizes,
    )


def create_model(config: "BertConfig", weights: "Mapping[str, torch.Tensor] | None" = None) -> "BertModel":
    """Return a model in evaluation mode with `weights`, all of them and no others; random ones where None."""
    from transformers import BertModel

    model: Any = BertModel(config, add_pooling_layer=False)
    if weights is not None:
        try:
            model.load_state_dict(weights, strict=True)
        except RuntimeError as error:
            raise ModelError(f"these weights do not fit a BERT encoder, choose another source: {error}") from error
    return cast("BertModel", model.eval())


def unpack(packed: PackedEncoder, tokenizer: Tokenizer, kept: Sequence[int]) -> "BertModel":
    """Decode a packed encoder into a model; of the word embedding only the rows `kept`, the pieces of `tokenizer`."""
    sizes = packed.sizes
    config = create_config(
        tokenizer,
        hidden_size=sizes.hidden,
        num_hidden_layers=sizes.layers,
        num_attention_heads=sizes.heads,
        intermediate_size=sizes.intermediate,
        max_position_embeddings=sizes.positions,
        type_vocab_size=sizes.token_types,
        layer_norm_eps=packed.layer_norm_eps,
    )
    return create_model(config, _decode_weights(packed, kept))


def _decode_weights(packed: PackedEncoder, kept: Sequence[int]) -> "dict[str, torch.Tensor]":
    import torch

    sizes = packed.sizes
    weights = {
        WORD_EMBEDDING: packed.matrix("emb.word", sizes.rows, sizes.hidden, kept),
        "embeddings.position_embeddings.weight": packed.matrix("emb.pos", sizes.positions, sizes.hidden),
        "embeddings.token_type_embeddings.weight": packed.matrix("emb.type", sizes.token_types, sizes.hidden),
        "embeddings.LayerNorm.weight": packed.vector("emb.ln.w", sizes.hidden),
        "embeddings.LayerNorm.bias": packed.vector("emb.ln.b", sizes.hidden),
    }
    for layer in range(sizes.layers):
        for part, short in _LAYER_PARTS.items():
            name, stored = f"encoder.layer.{layer}.{part}", f"l{layer}.{short}"
            rows = sizes.intermediate if short == "fi" else sizes.hidden
            columns = sizes.intermediate if short == "fo" else sizes.hidden
            is_norm = part.endswith("LayerNorm")
            weight = packed.vector(f"{stored}.w", rows) if is_norm else packed.matrix(f"{stored}.w", rows, columns)
            weights |= {f"{name}.weight": weight, f"{name}.bias": packed.vector(f"{stored}.b", rows)}
    return {name: torch.from_numpy(weight) for name, weight in weights.items()}
