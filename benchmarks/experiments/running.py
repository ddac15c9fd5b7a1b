"""Training and scoring one variant of a plan."""

from __future__ import annotations

import json
import shutil
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any
from unittest.mock import patch

import numpy as np
import torch
from augmentation import COPIES
from networks import NETWORKS
from plan import Plan, Variant
from relation_heads import HEADS, Library
from transformers import TrainerCallback

from marsad import Predictor, Schema, formats
from marsad.config import Config
from marsad.documents import Document
from marsad.evaluation.scores import Report
from marsad.evaluation.scoring import score_outcomes, score_predictor
from marsad.inference.backends import TorchBackend
from marsad.modeling import decode
from marsad.modeling.encoder import Encoder
from marsad.modeling.extractor import Extractor
from marsad.modeling.folder import save_extractor
from marsad.training.train import Job, build_extractor, head_settings, prepare, run
from marsad.training.trainer import ExtractorTrainer

SCORES_FILE = "scores.json"


def run_variant(plan: Plan, name: str, seed: int, out: Path) -> dict[str, Any]:
    """Train a variant with a seed, score it on all data of the plan, and return and keep the record of it.

    A run that is there already is not made again, and scored only on what it was not scored on. `SystemExit` where it
    was made by another recipe, or has to be scored again and its model is not kept.
    """
    folder = out / f"{name}-seed-{seed}"
    variant, recipe = plan.variants[name], plan.recipe(name, seed)
    record = read_record(folder)
    if record is not None and record["recipe"] != recipe:
        raise SystemExit(f"{folder} was made by another recipe: choose another --out, or remove it")
    if record is None:
        record = {"recipe": recipe, "reports": {}}
        if variant.of is not None:
            run_variant(plan, variant.of, seed, out)
            predictor = _saved(out / f"{variant.of}-seed-{seed}")
        else:
            predictor, facts = _train(plan, variant, seed, folder)
            record |= facts
    elif set(plan.score) <= set(record["reports"]):
        return record
    else:
        predictor = _saved(out / f"{variant.of or name}-seed-{seed}")
    if variant.decode == "dev-thresholds":
        config = plan.config_of(variant, seed, folder)
        predictor = _with_thresholds(predictor, formats.read_all(config.data.dev))
    with patch.object(decode, "best_path", _argmax if variant.decode == "argmax" else decode.best_path):
        for data in plan.score:
            if data in record["reports"]:
                continue
            report = score_predictor(predictor, formats.read_all([plan.score[data]]))
            record["reports"][data] = report.to_dict()
    folder.mkdir(parents=True, exist_ok=True)
    (folder / SCORES_FILE).write_text(json.dumps(record, ensure_ascii=False) + "\n", encoding="utf-8")
    return record


def read_record(folder: Path) -> dict[str, Any] | None:
    """Return the record of a finished run, None where there is none."""
    file = folder / SCORES_FILE
    if not file.is_file():
        return None
    record: dict[str, Any] = json.loads(file.read_text(encoding="utf-8"))
    return record


def _saved(folder: Path) -> Predictor:
    model = folder / "model"
    if not model.is_dir():
        raise SystemExit(f"{folder} is to be scored on more data and its model is not kept: remove it to train anew")
    return Predictor.from_pretrained(model)


def _train(plan: Plan, variant: Variant, seed: int, folder: Path) -> tuple[Predictor, dict[str, Any]]:
    config = plan.config_of(variant, seed, folder)
    documents = formats.read_all(config.data.train) if variant.copies else []
    start = time.perf_counter()
    job = prepare(
        config,
        build=builder(variant),
        trainer_class=_decaying(variant.layer_decay),
        callbacks=[Averaging()] if variant.averaging else [],
        extra=[each for kind in variant.copies for each in COPIES[kind](documents, seed)],
    )
    run(job)
    shutil.rmtree(folder / "checkpoints", ignore_errors=True)
    if variant.is_saved:
        save_extractor(job.folder.path, job.extractor, job.folder.settings, job.folder.schema, job.folder.tokenizer, "")
    return _predictor(job), {
        "seconds": time.perf_counter() - start,
        "updates": job.trainer.state.global_step,
        "parameters": sum(each.numel() for each in job.extractor.parameters()),
        "head_parameters": sum(each.numel() for each in job.extractor.relation_head.parameters()),
    }


def _predictor(job: Job) -> Predictor:
    return Predictor(job.folder, TorchBackend(job.extractor, str(job.trainer.args.device)))


def builder(variant: Variant) -> Callable[[Config, Schema, Encoder], Extractor]:
    """Return what makes a variant's network."""

    def build(config: Config, schema: Schema, encoder: Encoder) -> Extractor:
        extractor = build_extractor(config, schema, encoder)
        if variant.freeze_pieces:
            encoder.model.get_input_embeddings().weight.requires_grad_(False)
        if variant.network != "library":
            return NETWORKS[variant.network](
                encoder.model,
                encoder.model.config.hidden_size,
                schema,
                head_settings(config),
                extractor.weights,
                config.heads.relation_prior,
            )
        if variant.head != "library" or variant.without:
            head = HEADS[variant.head](
                encoder.model.config.hidden_size, head_settings(config), schema, config.heads.relation_prior
            )
            extractor.relation_head = head.without(*variant.without) if isinstance(head, Library) else head
        return extractor

    return build


def _decaying(share: float) -> type[ExtractorTrainer]:
    """Return a trainer in which each encoder layer learns at `share` of the rate of the layer above it."""

    class Decaying(ExtractorTrainer):
        def _split_groups(self, groups: list[dict[str, Any]]) -> list[dict[str, Any]]:
            names = {id(weight): name for name, weight in self.model.named_parameters()}
            top = self.model.encoder.config.num_hidden_layers
            split = []
            for group in super()._split_groups(groups):
                for weight in group["params"]:
                    name = names[id(weight)]
                    below = 0
                    if name.startswith("encoder.encoder.layer."):
                        below = top - 1 - int(name.split(".")[3])
                    elif name.startswith("encoder.embeddings."):
                        below = top
                    split.append({**group, "params": [weight], "lr": group["lr"] * share**below})
            return split

    return ExtractorTrainer if share == 1 else Decaying


class Averaging(TrainerCallback):
    """Ends training with the mean of the weights after each update of its second half (stochastic weight averaging,
    Izmailov et al. 2018, with the schedule left as it is)."""

    def __init__(self) -> None:
        self.count = 0
        self.mean: dict[str, torch.Tensor] = {}

    def on_step_end(self, args: Any, state: Any, control: Any, model: Any = None, **_: Any) -> None:
        if state.global_step <= state.max_steps / 2:
            return
        self.count += 1
        for name, weight in model.named_parameters():
            if name not in self.mean:
                self.mean[name] = weight.detach().clone()
            else:
                self.mean[name].lerp_(weight.detach(), 1 / self.count)

    def on_evaluate(self, args: Any, state: Any, control: Any, model: Any = None, **_: Any) -> None:
        """Put the mean in place before the last state is saved; plans with averaging score dev at the end alone."""
        if state.global_step >= state.max_steps:
            model.load_state_dict(self.mean, strict=False)


def _argmax(log_probs: np.ndarray) -> list[int]:
    """The likeliest tag of each word; an I- tag that continues nothing opens a mention, as seqeval reads it."""
    path: list[int] = []
    for tag in log_probs.argmax(axis=1).tolist():
        opens = tag and tag % 2 == 0 and (not path or path[-1] not in (tag, tag - 1))
        path.append(tag - 1 if opens else tag)
    return path


def _with_thresholds(predictor: Predictor, dev: Sequence[Document]) -> Predictor:
    """Return the predictor with the threshold of each relation type at which F1 on dev is highest."""
    found = score_outcomes(predictor, dev)["relations"]
    chosen = dict(predictor.folder.settings.thresholds)
    names = predictor.schema.relation_types
    gold = {name: sum(each.type == name for document in dev for each in document.relations) for name in names}
    for name in names:
        of_type = sorted((each for each in found if each.type == name), key=lambda each: -each.score)
        right, best = 0, 0.0
        for count, each in enumerate(of_type, start=1):
            right += each.right
            f1 = 2 * right / (count + gold[name])
            if f1 > best:
                best, chosen[name] = f1, each.score
    settings = predictor.folder.settings.model_copy(update={"thresholds": chosen})
    return Predictor(replace(predictor.folder, settings=settings), predictor.backend)


def reports_of(record: Mapping[str, Any]) -> dict[str, Report]:
    """Return the reports of a record by data."""
    return {data: Report.from_dict(each) for data, each in record["reports"].items()}
