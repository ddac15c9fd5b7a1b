"""transformers' `Trainer` for an extractor: two learning rates, and a dev score that is the predictor's own."""

from __future__ import annotations

import logging
from collections.abc import Callable
from pathlib import Path
from typing import Any

import torch
from accelerate.utils import broadcast_object_list
from transformers import Trainer, TrainerCallback, TrainerControl, TrainerState, TrainingArguments

from marsad.config import Config
from marsad.errors import ConfigError
from marsad.modeling.extractor import Extractor

logger = logging.getLogger(__name__)


def has_bf16(*, on_cpu: bool) -> bool:
    """Tell whether bf16 is fast here: on a GPU that has it, or a CPU with AVX512-BF16 or AMX instructions."""
    if on_cpu:
        # Private names, which another release may lack: then bf16 is merely not chosen.
        probes = (getattr(torch.cpu, name, None) for name in ("_is_avx512_bf16_supported", "_is_amx_tile_supported"))
        return any(probe() for probe in probes if probe is not None)
    return torch.cuda.is_available() and torch.cuda.get_device_capability()[0] >= 8


def training_arguments(config: Config) -> TrainingArguments:
    """Return the arguments of a config. Raises `ConfigError` where `TrainingArguments` refuses them."""
    chosen = dict(config.training)
    # Without `use_cpu`, TrainingArguments takes bf16 for a GPU's alone.
    on_cpu = chosen.setdefault("use_cpu", not (torch.cuda.is_available() or torch.backends.mps.is_available()))
    if chosen["bf16"] == "auto":
        chosen["bf16"] = has_bf16(on_cpu=on_cpu)
    when = "steps" if chosen.get("eval_steps") else "epoch"
    if when == "steps":
        chosen["save_steps"] = chosen["eval_steps"]  # the best of what was scored must have been saved
    try:
        arguments = TrainingArguments(
            output_dir=str(config.output / "checkpoints"),
            eval_strategy=when,
            save_strategy=when,
            load_best_model_at_end=True,
            metric_for_best_model=f"eval_{config.early_stopping.metric}",
            greater_is_better=True,
            remove_unused_columns=False,
            train_sampling_strategy="group_by_length" if config.batch_by_length else "random",
            **chosen,
        )
    except (TypeError, ValueError) as error:
        raise ConfigError(f"training: {error}") from error
    if arguments.n_gpu > 1:
        # DataParallel would cut a batch's spans and pairs as if they were windows.
        logger.warning("%d GPUs here, training on one: accelerate launch scripts/train.py uses all", arguments.n_gpu)
        arguments._n_gpu = 1
    return arguments


class ExtractorTrainer(Trainer):
    """A `Trainer` whose evaluation calls `score`, which predicts as users do and returns named dev scores."""

    def __init__(self, *, score: Callable[[Extractor], dict[str, float]], head_rate: float, **options: Any) -> None:
        super().__init__(**options)
        self._score = score
        self._head_rate = head_rate
        self._parts: dict[str, list[torch.Tensor]] = {"tag_loss": [], "relation_loss": []}
        # The loss of a batch is a mean over its words, whatever gradient_accumulation_steps says.
        self.model_accepts_loss_kwargs = False

    def create_optimizer(self, model: Any = None) -> torch.optim.Optimizer:
        """Give the encoder `learning_rate` and the heads their own; biases and norms decay in neither."""
        if self.optimizer is None:
            self.optimizer = super().create_optimizer(model)
            self.optimizer.param_groups[:] = self._split_groups(self.optimizer.param_groups)
        return self.optimizer

    def _split_groups(self, groups: list[dict[str, Any]]) -> list[dict[str, Any]]:
        model: Any = self.model
        encoder = {id(weight) for name, weight in model.named_parameters() if name.startswith("encoder.")}
        split = []
        for group in groups:
            for in_encoder, rate in ((True, group["lr"]), (False, self._head_rate)):
                weights = [weight for weight in group["params"] if (id(weight) in encoder) is in_encoder]
                if weights:
                    split.append({**group, "params": weights, "lr": rate})
        return split

    def compute_loss(
        self, model: Any, inputs: Any, return_outputs: bool = False, num_items_in_batch: Any = None
    ) -> Any:
        """Return the joint loss and remember its two parts for the log."""
        output = model(**inputs)
        for name, values in self._parts.items():
            values.append(output[name])
        return (output["loss"], output) if return_outputs else output["loss"]

    def log(self, logs: dict[str, float], *arguments: Any, **options: Any) -> None:
        """Add the two parts of the loss since the last log."""
        if "loss" in logs:
            for name, values in self._parts.items():
                if values:
                    logs[name] = float(torch.stack(values).mean())
                    values.clear()
        super().log(logs, *arguments, **options)

    def evaluate(self, *_: Any, **__: Any) -> dict[str, float]:
        """Score the model as it stands on the dev documents."""
        model: Any = self.accelerator.unwrap_model(self.model)
        was_training = model.training
        scored = [self._score(model) if self.is_world_process_zero() else {}]
        # Every process must stop, and take the same epoch for the best, by one and the same score.
        scores = {f"eval_{name}": value for name, value in broadcast_object_list(scored)[0].items()}
        model.train(was_training)
        self.log(dict(scores))
        self.control = self.callback_handler.on_evaluate(self.args, self.state, self.control, scores)
        return scores


class LogFile(TrainerCallback):
    """Writes every log entry as a line of `train.log`, so that a run can be read without TensorBoard."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def on_log(
        self,
        args: TrainingArguments,
        state: TrainerState,
        control: TrainerControl,
        logs: dict[str, Any] | None = None,
        **_: Any,
    ) -> None:
        """Append one line."""
        if logs and state.is_world_process_zero:
            cells = " ".join(
                f"{key}={value:.5g}" if isinstance(value, float) else f"{key}={value}" for key, value in logs.items()
            )
            with self.path.open("a", encoding="utf-8") as file:
                file.write(f"step {state.global_step} {cells}\n")
