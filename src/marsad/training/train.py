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
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from datasets import Dataset, concatenate_datasets
from transformers import EarlyStoppingCallback, TrainerCallback, set_seed

import marsad
from marsad import formats
from marsad.config import Config
from marsad.documents import Document
from marsad.errors import ConfigError
from marsad.evaluation import calibration
from marsad.evaluation.metrics import evaluate
from marsad.evaluation.scores import Report
from marsad.evaluation.scoring import score_predictions, with_baselines
from marsad.inference.backends import TorchBackend
from marsad.inference.predictor import Predictor
from marsad.modeling.encoder import Encoder, load_encoder
from marsad.modeling.extractor import Extractor, LossWeights
from marsad.modeling.folder import save_extractor
from marsad.modeling.settings import CARD_FILE, HeadSettings, ModelFolder, ModelSettings, write_settings
from marsad.modeling.windows import tokenise
from marsad.schema import Schema
from marsad.training.card import model_card
from marsad.training.dataset import Coverage, WindowCollator, build_dataset
from marsad.training.exchange import exchanged_copies
from marsad.training.lessons import check_exchange, check_splits, lessons
from marsad.training.run_folder import find_checkpoint, start_run
from marsad.training.spelling import respelt_copies
from marsad.training.trainer import ExtractorTrainer, LogFile, training_arguments

logger = logging.getLogger(__name__)


@dataclass(frozen=True)
class Job:
    """A training run ready to start: articles read and checked, the network built."""

    config: Config
    splits: Mapping[str, Sequence[Document]]
    folder: ModelFolder
    extractor: Extractor
    trainer: ExtractorTrainer
    notes: Sequence[str]


def train(config: Config, *, resume: bool = False, overwrite: bool = False) -> Report:
    """Train a model as `config` says and leave it in `config.output / "model"`; return its report.

    The report is on the test articles where the config names some, else on dev. `resume` goes on from the run folder's
    last checkpoint; `overwrite` replaces a run that is there, which is refused otherwise. Raises `ConfigError`,
    `AnnotationError` or `ModelError` before any work is done.
    """
    checkpoint = find_checkpoint(config, resume, overwrite)
    job = prepare(config)
    run(job, checkpoint)
    folder, trainer = job.folder, job.trainer
    if trainer.is_world_process_zero():
        save_extractor(folder.path, job.extractor, folder.settings, folder.schema, folder.tokenizer, card="")
    trainer.accelerator.wait_for_everyone()
    return _finish(job)


def prepare(
    config: Config,
    *,
    build: Callable[[Config, Schema, Encoder], Extractor] | None = None,
    trainer_class: type[ExtractorTrainer] = ExtractorTrainer,
    callbacks: Sequence[TrainerCallback] = (),
    extra: Sequence[Document] = (),
) -> Job:
    """Read and check what a config names and build network and trainer; raises as `train`.

    For experiments, `build` makes another network than `build_extractor`, `trainer_class` trains in another way,
    `callbacks` are called beside the usual ones, and `extra` documents are trained on as they are.
    """
    schema = Schema.from_file(config.schema_path)
    splits = {name: formats.read_all(paths, schema=schema) for name, paths in _split_paths(config).items()}
    check_splits(splits)
    check_exchange(config, schema)
    arguments = training_arguments(config)
    set_seed(arguments.seed)
    encoder = load_encoder(config.encoder.name, attention_dropout=config.encoder.attention_dropout)
    if arguments.use_cpu and arguments.bf16:
        # Backwards, torch's fused attention takes two to six times as long there (torch 2.13).
        encoder.model.set_attn_implementation("eager")
    folder = _unsaved_folder(config, schema, encoder)
    extractor = (build or build_extractor)(config, schema, encoder)
    dataset, coverage = _windows(config, folder, splits["train"])
    notes = lessons(splits["train"], schema, coverage, config)
    copies = _copies(config, splits["train"])
    more = [*(copy for some in copies.values() for copy in some), *extra]
    if more:
        dataset = concatenate_datasets([dataset, _windows(config, folder, more)[0]])
    if config.calibrate and len(splits["dev"]) < calibration.NUM_FOLDS:
        notes.append(f"{len(splits['dev'])} dev articles are too few to calibrate: scores stay the network's own")
    for kind, some in copies.items():
        notes.insert(0, f"trained on too, copies of training articles {kind}: {len(some)}")
    trainer = trainer_class(
        score=lambda model: _dev_scores(model, folder, splits["dev"], str(arguments.device)),
        head_rate=config.heads.learning_rate,
        model=extractor,
        args=arguments,
        train_dataset=dataset,
        eval_dataset=dataset,  # the Trainer wants one; `score` reads whole dev documents instead
        data_collator=WindowCollator(schema, encoder.special, negatives=config.heads.negatives, seed=arguments.seed),
        callbacks=[*_callbacks(config), *callbacks],
    )
    return Job(config, splits, folder, extractor, trainer, notes)


def run(job: Job, checkpoint: str | None = None) -> None:
    """Train, from a checkpoint where one is given, and end with the weights of the best dev score.

    Without one, the log and the checkpoints of an earlier run in the same folder are removed.
    """
    if job.trainer.is_world_process_zero():
        start_run(job.config, resume=checkpoint is not None)
        for line in job.notes:
            logger.warning(line)
    job.trainer.train(resume_from_checkpoint=checkpoint)


def _windows(config: Config, folder: ModelFolder, documents: Sequence[Document]) -> tuple[Dataset, Coverage]:
    rows = [
        (document, tokenise(document, folder.tokenizer, folder.normaliser, folder.settings.special.unknown))
        for document in documents
    ]
    return build_dataset(rows, folder.schema, window_pieces=folder.window_pieces, overlap=config.encoder.overlap)


def _copies(config: Config, documents: Sequence[Document]) -> dict[str, list[Document]]:
    """Return the copies that the config asks for, by what was done to them."""
    wanted, seed = config.augmentation, int(config.training.get("seed", 42))
    copies = {}
    if wanted.exchange:
        copies["with exchanged names"] = exchanged_copies(
            documents, wanted.exchange, share=wanted.exchange_share, seed=seed
        )
    if wanted.respelt_share:
        copies["in careless spelling"] = respelt_copies(documents, share=wanted.respelt_share, seed=seed)
    return copies


def _split_paths(config: Config) -> dict[str, list[Path]]:
    paths = {"train": config.data.train, "dev": config.data.dev, "test": config.data.test}
    missing = [f"data.{name}: {path} does not exist" for name in paths for path in paths[name] if not path.exists()]
    if missing:
        raise ConfigError("\n".join(missing))
    return {name: each for name, each in paths.items() if each}


def _callbacks(config: Config) -> list[Any]:
    callbacks: list[Any] = [LogFile(config.output / "train.log")]
    if config.early_stopping.patience is not None:
        callbacks.append(EarlyStoppingCallback(config.early_stopping.patience))
    return callbacks


def build_extractor(config: Config, schema: Schema, encoder: Encoder) -> Extractor:
    """Return an untrained extractor on a pretrained encoder, with the loss weights of the config."""
    weights = LossWeights(config.heads.outside_weight, config.heads.positive_weight, config.heads.relation_weight)
    return Extractor(
        encoder.model,
        encoder.model.config.hidden_size,
        schema,
        head_settings(config),
        weights,
        config.heads.relation_prior,
    )


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
        encoder=encoder.origin,
        normaliser=config.encoder.normaliser.to_dict(),
        max_pieces=config.encoder.max_pieces,
        overlap=config.encoder.overlap,
        special=encoder.special,
        heads=head_settings(config),
        thresholds=dict.fromkeys(schema.relation_types, config.heads.threshold),
    )
    return ModelFolder(config.output / "model", settings, schema, config.encoder.normaliser, encoder.tokenizer)


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


def _finish(job: Job) -> Report:
    """Score the saved folder as a user would load it, calibrate it on dev, and write metrics and card beside it."""
    predictor = Predictor.from_pretrained(job.folder.path, device=str(job.trainer.args.device))
    reports, found = {}, {}
    for name in ("dev", "test"):
        if name in job.splits:
            gold = job.splits[name]
            report, predicted, on_gold = score_predictions(predictor, gold)
            found[name] = calibration.outcomes(gold, predicted, on_gold)
            reports[name] = with_baselines(report, gold, predicted, job.splits["train"], job.folder.schema)
    if job.trainer.is_world_process_zero():
        if _calibrates(job):
            curves = calibration.fit(found["dev"], job.folder.schema)
            write_settings(job.folder.path, job.folder.settings.model_copy(update={"calibration": curves}))
        _write_results(job, reports)
    return reports.get("test", reports["dev"])


def _calibrates(job: Job) -> bool:
    return job.config.calibrate and len(job.splits["dev"]) >= calibration.NUM_FOLDS


def _write_results(job: Job, reports: Mapping[str, Report]) -> None:
    content = {name: report.to_dict() for name, report in reports.items()}
    history = _finite(job.trainer.state.log_history)
    text = json.dumps({**content, "history": history}, ensure_ascii=False, indent=2)
    (job.config.output / "metrics.json").write_text(text + "\n", encoding="utf-8")
    card = model_card(job.config, job.folder, job.splits, reports, calibrated=_calibrates(job))
    (job.folder.path / CARD_FILE).write_text(card, encoding="utf-8")


def _finite(history: Sequence[dict[str, Any]]) -> list[dict[str, Any]]:
    return [
        {key: value for key, value in entry.items() if not isinstance(value, float) or math.isfinite(value)}
        for entry in history
    ]
