"""From a config to a run folder: read, train, keep the best epoch, save the model, score it, write the card.

RUN/config.yaml     the configuration, defaults included
RUN/train.log       losses and dev scores as they came
RUN/metrics.json    scores on dev, and on test where the config names one
RUN/model/          the complete model folder (modeling.settings says what is in it)
RUN/checkpoints/    what `resume=True` goes on from, and TensorBoard's files
"""

from __future__ import annotations

import json
import logging
import math
from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from transformers import EarlyStoppingCallback, set_seed
from transformers.trainer_utils import get_last_checkpoint

import marsad
from marsad import formats
from marsad.config import Config
from marsad.documents import Document
from marsad.errors import AnnotationError, ConfigError
from marsad.evaluation.metrics import Report, evaluate
from marsad.evaluation.scoring import score_predictor
from marsad.inference.backends import TorchBackend
from marsad.inference.predictor import Predictor
from marsad.modeling.encoder import Encoder, load_encoder
from marsad.modeling.extractor import Extractor, LossWeights
from marsad.modeling.folder import save_extractor
from marsad.modeling.settings import HeadSettings, ModelFolder, ModelSettings
from marsad.modeling.windows import tokenise
from marsad.schema import Schema
from marsad.training.card import model_card
from marsad.training.dataset import Coverage, WindowCollator, build_dataset
from marsad.training.trainer import ExtractorTrainer, LogFile, training_arguments

logger = logging.getLogger(__name__)


def train(config: Config, *, resume: bool = False) -> Report:
    """Train a model as `config` says and leave it in `config.output / "model"`; return its report.

    The report is on the test articles where the config names some, else on dev. `resume` goes on from the last
    checkpoint of the run folder. Raises `ConfigError`, `AnnotationError` or `ModelError` before any work is done.
    """
    schema = Schema.from_file(config.schema_path)
    splits = {name: formats.read_all(paths, schema=schema) for name, paths in _split_paths(config).items()}
    check_splits(splits)
    arguments = training_arguments(config)
    checkpoint = _checkpoint(config.output, resume)
    set_seed(arguments.seed)
    encoder = load_encoder(config.encoder.name, attention_dropout=config.encoder.attention_dropout)
    folder = _unsaved_folder(config, schema, encoder)
    extractor = build_extractor(config, schema, encoder)
    rows = [
        (document, tokenise(document, encoder.tokenizer, folder.normaliser, encoder.special.unknown))
        for document in splits["train"]
    ]
    dataset, coverage = build_dataset(rows, schema, window_pieces=folder.window_pieces, overlap=config.encoder.overlap)
    _start_run(config, resume)
    for line in lessons(splits["train"], schema, coverage, config):
        logger.warning(line)
    trainer = ExtractorTrainer(
        score=lambda model: _dev_scores(model, folder, splits["dev"], str(arguments.device)),
        head_rate=config.heads.learning_rate,
        model=extractor,
        args=arguments,
        train_dataset=dataset,
        eval_dataset=dataset,
        data_collator=WindowCollator(schema, encoder.special, negatives=config.heads.negatives, seed=arguments.seed),
        callbacks=_callbacks(config),
    )
    trainer.train(resume_from_checkpoint=checkpoint)
    return _finish(config, folder, extractor, splits, trainer.state.log_history)


def _split_paths(config: Config) -> dict[str, list[Path]]:
    paths = {"train": config.data.train, "dev": config.data.dev, "test": config.data.test}
    return {name: each for name, each in paths.items() if each}


def check_splits(splits: dict[str, list[Document]]) -> None:
    """Raise `AnnotationError` for a split without documents and for an article, by id or text, in two splits."""
    problems = [f"{name}: holds no document" for name, documents in splits.items() if not documents]
    homes: dict[str, str] = {}
    for name, documents in splits.items():
        for key in {key for document in documents for key in (f"id {document.id!r}", _text_key(document))}:
            if key in homes and homes[key] != name:
                problems.append(f"{key} is in {homes[key]} and in {name}: an article belongs to one split")
            homes.setdefault(key, name)
    if problems:
        raise AnnotationError("\n".join(problems))


def _text_key(document: Document) -> str:
    return "the text " + repr(" ".join(word.text for word in document.words))


def _checkpoint(run: Path, resume: bool) -> str | None:
    folder = run / "checkpoints"
    found = get_last_checkpoint(str(folder)) if folder.is_dir() else None
    if resume and found is None:
        raise ConfigError(f"--resume: {folder} holds no checkpoint: train without it")
    return found if resume else None


def _start_run(config: Config, resume: bool) -> None:
    config.output.mkdir(parents=True, exist_ok=True)
    (config.output / "config.yaml").write_text(config.to_yaml(), encoding="utf-8")
    if not resume:
        (config.output / "train.log").unlink(missing_ok=True)


def _callbacks(config: Config) -> list[Any]:
    callbacks: list[Any] = [LogFile(config.output / "train.log")]
    if config.early_stopping.patience is not None:
        callbacks.append(EarlyStoppingCallback(config.early_stopping.patience))
    return callbacks


def build_extractor(config: Config, schema: Schema, encoder: Encoder) -> Extractor:
    """Return an untrained extractor on a pretrained encoder, with the loss weights of the config."""
    weights = LossWeights(config.heads.outside_weight, config.heads.positive_weight, config.heads.relation_weight)
    return Extractor(encoder.model, encoder.model.config.hidden_size, schema, head_settings(config), weights)


def head_settings(config: Config) -> HeadSettings:
    """Return the part of the config that shapes the network and is saved with it."""
    return HeadSettings(
        pooling=config.encoder.pooling, dropout=config.heads.dropout, relation_hidden=config.heads.relation_hidden
    )


def _unsaved_folder(config: Config, schema: Schema, encoder: Encoder) -> ModelFolder:
    """Return what the model folder will say, for the predictor that scores epochs before anything is saved."""
    if config.encoder.max_pieces > encoder.max_pieces:
        raise ConfigError(
            f"encoder.max_pieces is {config.encoder.max_pieces}, {encoder.name} holds {encoder.max_pieces}: lower it"
        )
    settings = ModelSettings(
        marsad_version=marsad.__version__,
        encoder=encoder.name,
        normaliser=config.encoder.normaliser.to_dict(),
        max_pieces=config.encoder.max_pieces,
        overlap=config.encoder.overlap,
        special=encoder.special,
        heads=head_settings(config),
        thresholds=dict.fromkeys(schema.relation_types, config.heads.threshold),
    )
    return ModelFolder(config.output / "model", settings, schema, config.encoder.normaliser, encoder.tokenizer)


def lessons(documents: Sequence[Document], schema: Schema, coverage: Coverage, config: Config) -> list[str]:
    """Return what training cannot learn from, a line each: rare types, and what no window holds."""
    entities = Counter(entity.type for document in documents for entity in document.entities)
    relations = Counter(relation.type for document in documents for relation in document.relations)
    counts = {
        **{name: entities[name] for name in schema.entity_types},
        **{name: relations[name] for name in schema.relation_types},
    }
    few = [f"{name} ({count})" for name, count in counts.items() if count < config.few_examples]
    lines = []
    if few:
        lines.append(f"few examples in train (under {config.few_examples}), expect little of: {', '.join(few)}")
    if coverage.num_lost_relations:
        share = coverage.num_lost_relations / coverage.num_relations
        lines.append(
            f"{coverage.num_lost_relations} of {coverage.num_relations} relations in train ({share:.1%}) join mentions "
            "that no window holds together and are not learnt: raise encoder.max_pieces or encoder.overlap"
        )
    if coverage.num_lost_entities:
        lines.append(f"{coverage.num_lost_entities} entities in train are longer than any window and are not learnt")
    alone = sum(not document.relations_annotated for document in documents)
    if alone:
        lines.append(
            f"{alone} of {len(documents)} documents in train are annotated for entities alone: they teach tags"
        )
    return lines


def _dev_scores(model: Extractor, folder: ModelFolder, gold: Sequence[Document], device: str) -> dict[str, float]:
    predictor = Predictor(folder, TorchBackend(model, device))
    predicted = predictor.predict([document.without_annotations() for document in gold])
    report = evaluate(gold, predicted, folder.schema)
    entities, relations = report.entities.micro.f1, report.relations_strict.micro.f1
    return {
        "entities": entities,
        "relations_strict": relations,
        "mean": (entities + relations) / 2,
        "events": report.events.micro.f1,
    }


def _finish(
    config: Config,
    folder: ModelFolder,
    extractor: Extractor,
    splits: dict[str, list[Document]],
    history: Sequence[dict[str, Any]],
) -> Report:
    """Save the model, score the saved folder as a user would load it, and write metrics and card beside it."""
    save_extractor(folder.path, extractor, folder.settings, folder.schema, folder.tokenizer, card="")
    predictor = Predictor.from_pretrained(folder.path)
    reports: dict[str, Report] = {
        name: score_predictor(predictor, splits[name]) for name in ("dev", "test") if name in splits
    }
    content = {name: report.to_dict() for name, report in reports.items()}
    text = json.dumps({**content, "history": _finite(history)}, ensure_ascii=False, indent=2)
    (config.output / "metrics.json").write_text(text + "\n", encoding="utf-8")
    card = model_card(config, folder, splits, reports)
    (folder.path / "README.md").write_text(card, encoding="utf-8")
    return reports.get("test", reports["dev"])


def _finite(history: Sequence[dict[str, Any]]) -> list[dict[str, Any]]:
    return [
        {key: value for key, value in entry.items() if not isinstance(value, float) or math.isfinite(value)}
        for entry in history
    ]
