"""From a model folder to one that runs on onnxruntime alone: two graphs, settings, schema and tokenizer.

`tag.onnx` holds encoder and tag head, `relate.onnx` the relation head; both take batches of any size and windows of any
length. In int8, the tag graph computes its matrix products in whole numbers (`inference.quantise`); the relation head
stays as it is, for it costs next to nothing.

Nothing is exported unseen: both models read the same annotated articles, and the export is refused where they differ
by more than `MOST_F1_LOST`, `MOST_RELATION_F1_LOST` or, in fp32, `MOST_SCORE_CHANGE`.
"""

from __future__ import annotations

import logging
import shutil
import tempfile
import warnings
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Literal

import onnxscript  # noqa: F401  (torch's exporter wants it, and says so late)
import torch
from torch import Tensor, nn

from marsad import formats
from marsad.config import Config
from marsad.documents import Document
from marsad.errors import ModelError
from marsad.evaluation.parity import Parity, compare_predictions
from marsad.inference.predictor import Predictor, check_types
from marsad.inference.quantise import quantise, sample
from marsad.modeling.batches import WindowBatch
from marsad.modeling.extractor import Extractor
from marsad.modeling.folder import load_extractor
from marsad.modeling.settings import (
    CARD_FILE,
    RELATE_FILE,
    SCHEMA_FILE,
    TAG_FILE,
    TOKENIZER_FILE,
    ModelFolder,
    read_folder,
    write_settings,
)

logger = logging.getLogger(__name__)

Precision = Literal["fp32", "int8"]
MOST_F1_LOST = 0.005
MOST_RELATION_F1_LOST = 0.01
MOST_SCORE_CHANGE = 1e-4


def export_onnx(path: str | Path, out: str | Path, *, quantize: Literal["int8"] | None = None) -> Path:
    """Export the model folder at `path` into the new folder `out`, checked on its run's dev articles; return `out`.

    Raises `ModelError` as `export`, and where the dev articles are not there.
    """
    export(path, out, quantize=quantize)
    return Path(out)


def export(
    path: str | Path,
    out: str | Path,
    *,
    quantize: Literal["int8"] | None = None,
    check: Sequence[Document] | None = None,
    threads: int | None = None,
) -> Parity:
    """Export as `export_onnx`, checked on `check`, and return how far original and exported model are apart there.

    `check` are annotated articles that the model was not trained on. Raises `ModelError` where `out` is there, where
    `path` is no torch model, and where the exported model reads `check` too differently: then nothing is left at `out`.
    """
    source, target = Path(path), Path(out)
    if target.exists():
        raise ModelError(f"{target} is there already: remove it or choose another folder")
    folder = read_folder(source)
    if folder.settings.exported is not None:
        raise ModelError(f"{source} was exported already: give the model folder that training left")
    articles = _dev_articles(source) if check is None else check
    check_types(articles, folder.schema, relations=True)
    if not any(each.entities for each in articles):
        raise ModelError("there are no annotated articles to check the exported model on: name some")
    precision: Precision = quantize or "fp32"
    target.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=target.parent) as scratch:
        unchecked = Path(scratch) / target.name
        unchecked.mkdir()
        for name in (SCHEMA_FILE, TOKENIZER_FILE):
            shutil.copyfile(source / name, unchecked / name)
        write_settings(unchecked, folder.settings.model_copy(update={"exported": precision}))
        write_graphs(folder, unchecked, sample(folder, articles) if quantize else None)
        found = _parity(source, unchecked, articles, threads)
        _refuse(found, precision)
        (unchecked / CARD_FILE).write_text(_card(source, found, precision, len(articles)), encoding="utf-8")
        unchecked.rename(target)
    return found


def _dev_articles(source: Path) -> list[Document]:
    file = source.resolve().parent / "config.yaml"
    if not file.is_file():
        raise ModelError(f"{file} is not there to say which dev articles {source} has: name articles to check it on")
    return formats.read_all(Config.from_file(file).data.dev)


def _card(source: Path, found: Parity, precision: Precision, num_articles: int) -> str:
    """Return the model's card with what was seen when it was exported."""
    card = (source / CARD_FILE).read_text(encoding="utf-8") if (source / CARD_FILE).is_file() else ""
    rows = "\n".join(
        f"| {rule} | {100 * before:.1f} | {100 * after:.1f} |" for rule, (before, after) in found.f1.items()
    )
    return f"""{card.rstrip()}

## This copy

Exported to ONNX, {precision}; it needs no torch. F1 on the {num_articles} articles that it was checked on, where
{len(found.different)} were read otherwise and no score changed by more than {found.score_change:.2g}:

| | original | exported |
| --- | --- | --- |
{rows}
"""


def _parity(source: Path, exported: Path, check: Sequence[Document], threads: int | None) -> Parity:
    bare = [each.without_annotations() for each in check]
    predictors = [
        Predictor.from_pretrained(each, device="cpu", backend=name, threads=threads)
        for each, name in ((source, "torch"), (exported, "onnx"))
    ]
    # The network's own scores: curves of calibration are steep near 1, where fp32 has few digits left.
    before, after = (each.uncalibrated().predict(bare) for each in predictors)
    return compare_predictions(check, before, after, predictors[0].schema)


def _refuse(found: Parity, precision: Precision) -> None:
    for rule, most in (("entities", MOST_F1_LOST), ("relations_strict", MOST_RELATION_F1_LOST)):
        before, after = found.f1[rule]
        if before - after > most:
            raise ModelError(
                f"not exported: F1 of {rule.replace('_', ' ')} falls from {100 * before:.1f} to {100 * after:.1f}, at "
                f"most {100 * most:.1f} is allowed; most changed: {found.where}. Export without --quantize, or "
                "check on more articles"
            )
    if precision == "fp32" and found.score_change > MOST_SCORE_CHANGE:
        raise ModelError(
            f"not exported: a score changes by {found.score_change:.2g}, at most {MOST_SCORE_CHANGE:.0e} is allowed; "
            f"{found.where}. Another release of torch or onnxruntime may help; please report it"
        )


class _Tag(nn.Module):
    def __init__(self, extractor: Extractor) -> None:
        super().__init__()
        self.extractor = extractor

    def forward(
        self, input_ids: Tensor, attention_mask: Tensor, word_starts: Tensor, word_ends: Tensor
    ) -> tuple[Tensor, Tensor]:
        states = self.extractor.encode(input_ids, attention_mask, word_starts, word_ends)
        return states, self.extractor.tag(states).log_softmax(dim=2)


class _Relate(nn.Module):
    def __init__(self, extractor: Extractor) -> None:
        super().__init__()
        self.extractor = extractor

    def forward(self, states: Tensor, spans: Tensor, pairs: Tensor) -> Tensor:
        return self.extractor.relate(states, spans, pairs).sigmoid()


def write_graphs(folder: ModelFolder, out: Path, quantised_by: Sequence[WindowBatch] | None = None) -> None:
    """Write the two graphs of a torch model folder into `out`, quantised where a sample to do it by is given."""
    extractor = load_extractor(folder).eval()
    # Of the fused one, torch's exporter makes a graph that looks for NaN in every attention weight.
    encoder: Any = extractor.encoder
    encoder.set_attn_implementation("eager")
    extractor.relation_head.most_words = folder.window_pieces
    width = extractor.relation_head.context.in_features
    words = torch.arange(1, 9).repeat(2, 1)
    pieces = torch.full((2, 11), folder.settings.special.unknown)
    spans = torch.tensor([[0, 0, 2, 0, 0], [0, 3, 4, 0, 0], [1, 1, 2, 0, 1]])
    graphs: list[tuple[str, nn.Module, Mapping[str, Tensor], list[str]]] = [
        (
            TAG_FILE,
            _Tag(extractor),
            {
                "input_ids": pieces,
                "attention_mask": (torch.arange(11) < torch.tensor([[11], [9]])).long(),
                "word_starts": words,
                "word_ends": words + 1,
            },
            ["states", "log_probs"],
        ),
        (
            RELATE_FILE,
            _Relate(extractor),
            {"states": torch.zeros(2, 8, width), "spans": spans, "pairs": torch.tensor([[0, 1], [1, 0]])},
            ["probabilities"],
        ),
    ]
    for name, module, inputs, outputs in graphs:
        _write_graph(out / name, module.eval(), inputs, outputs)
    if quantised_by is not None:
        finer = quantise(out / TAG_FILE, extractor, quantised_by)
        logger.info("products done the finer way: %s", ", ".join(finer) or "none")


def _write_graph(file: Path, module: nn.Module, inputs: Mapping[str, Tensor], outputs: list[str]) -> None:
    free: Any = torch.export.Dim.AUTO
    # Batch and length of windows and words are free; widths, and the columns of spans and pairs, are not.
    shapes = {name: {0: free} if name in ("spans", "pairs") else {0: free, 1: free} for name in inputs}
    # It warns of packages that are not there and not needed.
    logging.getLogger("torch.onnx").setLevel(logging.ERROR)
    with torch.no_grad(), warnings.catch_warnings():
        warnings.simplefilter("ignore")
        torch.onnx.export(
            module,
            (),
            str(file),
            kwargs=dict(inputs),
            input_names=list(inputs),
            output_names=outputs,
            dynamic_shapes=shapes,
            external_data=False,
            verbose=False,
        )
