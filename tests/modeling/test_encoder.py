"""Encoders that `AutoModel` loads: by name from the hub's cache, from folders, of several shapes."""

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from tokenizers import Tokenizer, models, normalizers, pre_tokenizers, processors

from marsad.errors import ModelError
from marsad.formats import conllup
from marsad.modeling.encoder import load_encoder
from marsad.modeling.windows import tokenise
from marsad.words import Normaliser
from notation import annotated

ROOT = Path(__file__).parents[2]
LETTERS = "ابتثجحخدذرزسشصضطظعغفقكلمنهويءآأإؤئةى0123456789abc.,،"


def _save_bert(folder: Path, **options: Any) -> Path:
    """A WordPiece BERT as AraBERT's, a few layers of random weights."""
    from transformers import BertConfig, BertForMaskedLM, PreTrainedTokenizerFast

    pieces = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]", *LETTERS, *(f"##{letter}" for letter in LETTERS)]
    tokenizer = Tokenizer(models.WordPiece({piece: i for i, piece in enumerate(pieces)}, unk_token="[UNK]"))
    tokenizer.normalizer = normalizers.BertNormalizer(lowercase=False)
    tokenizer.pre_tokenizer = pre_tokenizers.BertPreTokenizer()
    tokenizer.post_processor = processors.BertProcessing(("[SEP]", 3), ("[CLS]", 2))
    names = {"pad_token": "[PAD]", "unk_token": "[UNK]", "cls_token": "[CLS]", "sep_token": "[SEP]"}
    PreTrainedTokenizerFast(tokenizer_object=tokenizer, model_max_length=512, **names).save_pretrained(folder)
    sizes = {"hidden_size": 24, "num_hidden_layers": 2, "num_attention_heads": 2, "intermediate_size": 48}
    model = BertForMaskedLM(BertConfig(vocab_size=len(pieces), **sizes, **options))
    model.to(options.get("dtype")).save_pretrained(folder)
    return folder


def _save_roberta(folder: Path) -> Path:
    """A byte-level BPE RoBERTa: words must be tokenised with the space before them, and two positions are spent."""
    from transformers import RobertaConfig, RobertaModel, RobertaTokenizer

    byte_pieces = sorted(pre_tokenizers.ByteLevel.alphabet())
    vocabulary = {piece: i for i, piece in enumerate(["<s>", "<pad>", "</s>", "<unk>", "<mask>", *byte_pieces])}
    RobertaTokenizer(vocab=vocabulary, merges=[], add_prefix_space=True).save_pretrained(folder)
    sizes = {"hidden_size": 24, "num_hidden_layers": 1, "num_attention_heads": 2, "intermediate_size": 48}
    RobertaModel(RobertaConfig(vocab_size=len(vocabulary), max_position_embeddings=130, **sizes)).save_pretrained(
        folder
    )
    return folder


def test_arabert_is_found_under_its_name_in_the_cache_and_trains(tmp_path: Path) -> None:
    snapshot = tmp_path / "hub" / "models--aubmindlab--bert-base-arabertv02" / "snapshots" / "0123abc"
    _save_bert(snapshot)
    refs = snapshot.parents[1] / "refs"
    refs.mkdir()
    (refs / "main").write_text("0123abc")
    gold = annotated("{a:ACTOR الجيش} قصف {b:LOCATION حلب} .", "a ATTACKS b", id="one")
    conllup.write([gold], tmp_path / "train.conllup")
    conllup.write([annotated("زار {a:ACTOR الوزير} حمص .", id="two")], tmp_path / "dev.conllup")
    overrides = [
        f"output={tmp_path / 'run'}",
        f"data.train={tmp_path / 'train.conllup'}",
        f"data.dev={tmp_path / 'dev.conllup'}",
        "data.test=[]",
        "training.num_train_epochs=1",
        "training.report_to=none",
    ]
    arguments = [argument for override in overrides for argument in ("--set", override)]
    result = subprocess.run(
        [sys.executable, "scripts/train.py", "--config", "configs/arabert.yaml", *arguments],
        cwd=ROOT,
        env={**os.environ, "HF_HUB_CACHE": str(tmp_path / "hub"), "HF_HUB_OFFLINE": "1"},
        capture_output=True,
        text=True,
        check=False,
    )
    assert result.returncode == 0, result.stderr
    settings = json.loads((tmp_path / "run" / "model" / "marsad.json").read_text(encoding="utf-8"))
    assert settings["encoder"] == "aubmindlab/bert-base-arabertv02"
    assert settings["special"] == {"before": [2], "after": [3], "pad": 0, "unknown": 1}


@pytest.mark.parametrize(("save", "max_pieces"), [(_save_bert, 512), (_save_roberta, 128)])
def test_every_word_gets_pieces_whatever_the_tokenizer(tmp_path: Path, save: Any, max_pieces: int) -> None:
    encoder = load_encoder(str(save(tmp_path / "encoder")))
    assert encoder.max_pieces == max_pieces
    document = annotated("قصف الجيش (حلب) \u0651 12.5 😀 !")
    pieces = tokenise(document, encoder.tokenizer, Normaliser(), encoder.special.unknown)
    assert len(pieces.ids) == len(document.words)
    assert all(pieces.counts)
    assert not any(piece in (*encoder.special.before, *encoder.special.after) for word in pieces.ids for piece in word)


def test_an_encoder_stored_in_half_precision_is_trained_in_full(tmp_path: Path) -> None:
    import torch

    folder = _save_bert(tmp_path / "encoder", dtype=torch.bfloat16)
    assert {weight.dtype for weight in load_encoder(str(folder)).model.parameters()} == {torch.float32}


def test_attention_dropout_is_set_where_there_is_some(tmp_path: Path) -> None:
    folder = _save_bert(tmp_path / "encoder", attention_probs_dropout_prob=0.3)
    assert load_encoder(str(folder)).model.config.attention_probs_dropout_prob == 0.3
    assert load_encoder(str(folder), attention_dropout=0.0).model.config.attention_probs_dropout_prob == 0.0


def test_an_encoder_with_code_of_its_own_is_refused_with_the_reason(tmp_path: Path) -> None:
    folder = _save_bert(tmp_path / "encoder")
    config = json.loads((folder / "config.json").read_text())
    (folder / "config.json").write_text(json.dumps({**config, "auto_map": {"AutoModel": "modeling_x.XModel"}}))
    with pytest.raises(ModelError, match="trust_remote_code"):
        load_encoder(str(folder))


def test_a_tokenizer_that_is_missing_is_said_to_be(tmp_path: Path) -> None:
    folder = _save_bert(tmp_path / "encoder")
    for file in folder.glob("tokenizer*"):
        file.unlink()
    with pytest.raises(ModelError, match="no tokenizer files"):
        load_encoder(str(folder))
