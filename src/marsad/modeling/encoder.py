"""Any encoder that transformers' `AutoModel` loads: a name on the hub, its copy in the cache, or a local folder."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from marsad.errors import ModelError
from marsad.modeling.settings import ENCODER_RECORD, SpecialPieces

if TYPE_CHECKING:
    from tokenizers import Tokenizer
    from transformers import PreTrainedModel


@dataclass(frozen=True)
class Encoder:
    """An encoder before training: the network and its tokenizer. `origin` is the model it is or was made from."""

    name: str
    origin: str
    model: PreTrainedModel
    tokenizer: Tokenizer
    special: SpecialPieces
    max_pieces: int


def load_encoder(name: str, *, attention_dropout: float | None = None) -> Encoder:
    """Load an encoder and its fast tokenizer; `attention_dropout` None keeps the encoder's own.

    Raises `ModelError` where there is none of that name, where it needs code of its own (`trust_remote_code`), or
    where its tokenizer is not a fast one.
    """
    import torch
    from transformers import AutoConfig, AutoModel, AutoTokenizer

    looks_local = Path(name).is_absolute() or name.startswith(("./", "../", "runs/")) or Path(name).exists()
    if looks_local and not (Path(name) / "config.json").is_file():
        raise ModelError(f"encoder {name}: no model folder there; for the embedded one run: marsad encoder {name}")
    config = _load(AutoConfig, name)
    if getattr(config, "auto_map", None):
        raise ModelError(
            f"encoder {name}: it runs code that comes with its weights (trust_remote_code), which marsad never does: "
            "choose an architecture that transformers ships"
        )
    if attention_dropout is not None:
        _set_attention_dropout(config, attention_dropout, name)
    tokenizer = _load(AutoTokenizer, name, add_prefix_space=True)
    # Checkpoints may be stored in half precision; training wants its master weights in full.
    model = _load(
        AutoModel,
        name,
        config=config,
        dtype=torch.float32,
        **({"add_pooling_layer": False} if config.model_type in POOLED else {}),
    )
    return Encoder(
        name,
        _origin(name),
        model,
        backend(tokenizer, name),
        special_pieces(tokenizer, name),
        _max_pieces(config, tokenizer),
    )


# Architectures whose pooler nothing here uses; without it every weight that is saved is a weight that was trained.
POOLED = frozenset({"bert", "roberta", "xlm-roberta", "camembert"})


def _origin(name: str) -> str:
    """Return the hub's name of the model that an embedded encoder was made from, else the name itself."""
    record = Path(name) / ENCODER_RECORD
    if not record.is_file():
        return name
    return str(json.loads(record.read_text(encoding="utf-8")).get("model", name))


def _set_attention_dropout(config: Any, value: float, name: str) -> None:
    known = [each for each in ("attention_probs_dropout_prob", "attention_dropout") if hasattr(config, each)]
    if not known:
        raise ModelError(
            f"encoder {name}: a {config.model_type} has no attention dropout: remove encoder.attention_dropout"
        )
    setattr(config, known[0], value)


def _load(auto: Any, name: str, **options: Any) -> Any:
    try:
        return auto.from_pretrained(name, trust_remote_code=False, **options)
    except (OSError, ValueError, KeyError, ImportError) as error:
        first = str(error).strip().splitlines()[0] if str(error).strip() else type(error).__name__
        raise ModelError(
            f"encoder {name!r} cannot be loaded ({auto.__name__}): {first}\n"
            "Give the name of a model on the hub (with a network or in the cache) or a model folder; "
            "`marsad encoder DIR` makes one that needs no network."
        ) from error


def backend(tokenizer: Any, name: str) -> Tokenizer:
    """Return a copy of the Rust tokenizer inside a fast one, with truncation and padding off."""
    from tokenizers import Tokenizer

    if not getattr(tokenizer, "is_fast", False):
        raise ModelError(f"encoder {name}: its tokenizer is not a fast one, so pieces cannot be traced back to words")
    if tokenizer.vocab_size <= len(tokenizer.all_special_ids):
        # transformers makes an empty tokenizer where the files of one are missing.
        raise ModelError(f"encoder {name}: there are no tokenizer files beside its weights: copy the whole folder")
    copy: Tokenizer = Tokenizer.from_str(tokenizer.backend_tokenizer.to_str())
    copy.no_truncation()
    copy.no_padding()
    return copy


def special_pieces(tokenizer: Any, name: str) -> SpecialPieces:
    """Find out which special pieces the tokenizer puts before and after a text."""
    bare = tokenizer("ا", add_special_tokens=False)["input_ids"]
    whole = tokenizer("ا")["input_ids"]
    start = next((i for i in range(len(whole) - len(bare) + 1) if whole[i : i + len(bare)] == bare), None)
    pad = tokenizer.pad_token_id if tokenizer.pad_token_id is not None else tokenizer.eos_token_id
    unknown = tokenizer.unk_token_id if tokenizer.unk_token_id is not None else pad
    if start is None or pad is None:
        raise ModelError(f"encoder {name}: its tokenizer has no padding piece or changes text around special pieces")
    return SpecialPieces(before=whole[:start], after=whole[start + len(bare) :], pad=pad, unknown=unknown)


def _max_pieces(config: Any, tokenizer: Any) -> int:
    """Positions the encoder has learnt; RoBERTa's first ones are spent on padding."""
    positions = getattr(config, "max_position_embeddings", None) or 512
    if config.model_type in ("roberta", "xlm-roberta", "camembert"):
        positions -= (config.pad_token_id or 0) + 1
    return int(min(positions, tokenizer.model_max_length))
