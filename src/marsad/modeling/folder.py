"""Saving an extractor as a complete model folder, and loading it back. No pickle, no network, no code from a folder."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

from marsad.errors import ModelError
from marsad.modeling.encoder import POOLED
from marsad.modeling.extractor import Extractor
from marsad.modeling.settings import (
    CARD_FILE,
    ENCODER_FOLDER,
    SCHEMA_FILE,
    TOKENIZER_FILE,
    WEIGHTS_FILE,
    ModelFolder,
    ModelSettings,
    write_settings,
)
from marsad.schema import Schema

if TYPE_CHECKING:
    from tokenizers import Tokenizer


def save_extractor(
    path: Path, extractor: Extractor, settings: ModelSettings, schema: Schema, tokenizer: Tokenizer, card: str
) -> Path:
    """Write a model folder that needs nothing but itself to be loaded. Returns `path`."""
    from safetensors.torch import save_file

    path.mkdir(parents=True, exist_ok=True)
    encoder: Any = extractor.encoder
    encoder.config.save_pretrained(path / ENCODER_FOLDER)
    weights = {name: weight.detach().cpu().contiguous() for name, weight in extractor.state_dict().items()}
    save_file(weights, str(path / WEIGHTS_FILE), metadata={"format": "pt"})
    # safetensors writes files that only their owner can read; a model is handed on with the rights of its neighbours.
    (path / WEIGHTS_FILE).chmod((path / ENCODER_FOLDER / "config.json").stat().st_mode)
    tokenizer.save(str(path / TOKENIZER_FILE))
    (path / SCHEMA_FILE).write_text(schema.to_yaml(), encoding="utf-8")
    (path / CARD_FILE).write_text(card, encoding="utf-8")
    write_settings(path, settings)
    return path


def load_extractor(folder: ModelFolder) -> Extractor:
    """Build the network that a model folder describes and load its weights, on the CPU, ready to predict."""
    import torch
    from safetensors import SafetensorError
    from safetensors.torch import load_file
    from transformers import AutoConfig, AutoModel

    from_config: Any = AutoModel.from_config
    config_file = folder.path / ENCODER_FOLDER / "config.json"
    weights_file = folder.path / WEIGHTS_FILE
    for file in (config_file, weights_file):
        if not file.is_file():
            raise ModelError(f"{file} is missing: the model folder is not whole, copy it again")
    try:
        if "auto_map" in json.loads(config_file.read_text(encoding="utf-8")):
            raise ModelError(f"{config_file}: asks for code of its own (auto_map), which marsad never runs")
        config = AutoConfig.from_pretrained(config_file.parent, trust_remote_code=False)
        weights = load_file(str(weights_file))
        pooled = any(name.startswith("encoder.pooler.") for name in weights)
        options = {} if pooled or config.model_type not in POOLED else {"add_pooling_layer": False}
        encoder = from_config(config, dtype=torch.float32, trust_remote_code=False, **options)
        extractor = Extractor(encoder, config.hidden_size, folder.schema, folder.settings.heads)
        extractor.load_state_dict(weights)
    except (OSError, ValueError, KeyError, RuntimeError, SafetensorError) as error:
        if isinstance(error, ModelError):
            raise
        raise ModelError(f"{folder.path}: weights and settings do not fit each other: {error}") from error
    return extractor.eval()
