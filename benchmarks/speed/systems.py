"""What is timed. Each system is made once from a model folder, and turns texts into the job that the clock sees."""

from __future__ import annotations

import sys
import tempfile
from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager, nullcontext
from pathlib import Path
from typing import Any

import numpy as np
import torch
from transformers import AutoModelForTokenClassification, PreTrainedTokenizerFast, TokenClassificationPipeline

from marsad import Document, Predictor, formats
from marsad.formats.text import from_text
from marsad.inference.backends import TorchBackend
from marsad.inference.chunk import BATCH_PIECES, Chunk
from marsad.inference.export import write_graphs
from marsad.inference.quantise import sample
from marsad.modeling.batches import collate
from marsad.modeling.folder import load_extractor
from marsad.modeling.settings import SCHEMA_FILE, TOKENIZER_FILE, read_folder, write_settings
from marsad.modeling.windows import Pieces, tokenise

sys.path.insert(0, str(Path(__file__).parent.parent / "experiments"))
from networks import MarkersAlone

Job = Callable[[], object]
System = Callable[[list[str]], Job]
Batch = tuple[torch.Tensor, torch.Tensor]


def _autocast(bf16: bool) -> Callable[[], AbstractContextManager[object]]:
    return (lambda: torch.autocast("cpu", torch.bfloat16)) if bf16 else nullcontext


def _predicting(predictor: Predictor) -> System:
    return lambda texts: lambda: predictor.predict(list(texts))


def ours(model: Path, backend: str, threads: int) -> System:
    """The predictor: entities, relations and incidents."""
    return _predicting(Predictor.from_pretrained(model, device="cpu", backend=backend, threads=threads))


def exported(model: Path, *, int8: bool, threads: int, check: Sequence[Document]) -> System:
    """The predictor on onnxruntime; `marsad export` is what checks that it reads alike."""
    folder = read_folder(model)
    out = Path(tempfile.mkdtemp(prefix="marsad-speed-"))
    for name in (SCHEMA_FILE, TOKENIZER_FILE):
        (out / name).write_bytes((model / name).read_bytes())
    write_settings(out, folder.settings.model_copy(update={"exported": "int8" if int8 else "fp32"}))
    write_graphs(folder, out, sample(folder, check) if int8 else None)
    return ours(out, "onnx", threads)


def encoder_alone(model: Path, *, bf16: bool, overlap: bool) -> System:
    """The encoder's forward pass alone: on the predictor's own batches, or on each piece once and without padding."""
    folder = read_folder(model)
    encoder: Any = load_extractor(folder).eval().encoder
    autocast = _autocast(bf16)
    special = folder.settings.special

    def own(documents: Sequence[Document], pieces: Sequence[Pieces]) -> Iterator[Batch]:
        for batch in Chunk(documents, pieces, folder).batches:
            arrays = collate([part.pieces for part in batch], special)
            yield torch.from_numpy(arrays.input_ids), torch.from_numpy(arrays.attention_mask)

    def packed(pieces: Sequence[Pieces]) -> Iterator[Batch]:
        ids = np.concatenate([np.asarray(word, dtype=np.int64) for each in pieces for word in each.ids])
        # Documents shorter than a window stay as short: what attention costs depends on it.
        length = min(folder.window_pieces, round(len(ids) / len(pieces)))
        rows = torch.from_numpy(ids[: len(ids) // length * length].reshape(-1, length))
        for some in rows.split(max(1, BATCH_PIECES // length)):
            yield some, torch.ones_like(some)

    def prepare(texts: list[str]) -> Job:
        documents = [from_text(text, str(number)) for number, text in enumerate(texts)]
        pieces = [tokenise(each, folder.tokenizer, folder.normaliser, special.unknown) for each in documents]
        batches = list(own(documents, pieces) if overlap else packed(pieces))

        def job() -> None:
            with torch.inference_mode(), autocast():
                for ids, mask in batches:
                    encoder(input_ids=ids, attention_mask=mask)

        return job

    return prepare


def pipeline(model: Path, *, bf16: bool, batch_size: int) -> System:
    """Hugging Face's token-classification pipeline with the same encoder and tag head: entities alone."""
    folder = read_folder(model)
    extractor = load_extractor(folder).eval()
    encoder: Any = extractor.encoder
    tags = folder.schema.tags
    with tempfile.TemporaryDirectory() as scratch:
        encoder.save_pretrained(scratch)
        classifier = AutoModelForTokenClassification.from_pretrained(
            scratch, num_labels=len(tags), id2label=dict(enumerate(tags))
        ).eval()
    classifier.classifier.load_state_dict(extractor.tag_head.state_dict())
    backend = folder.tokenizer
    tokenizer = PreTrainedTokenizerFast(
        tokenizer_object=backend,
        model_max_length=folder.settings.max_pieces,
        pad_token=backend.id_to_token(folder.settings.special.pad),
    )
    found = TokenClassificationPipeline(
        model=classifier,
        tokenizer=tokenizer,
        device="cpu",
        aggregation_strategy="first",
        stride=folder.settings.overlap,
        batch_size=batch_size,
    )
    autocast = _autocast(bf16)

    def job(texts: list[str]) -> object:
        with torch.inference_mode(), autocast():
            return list(found(texts))

    return lambda texts: lambda: job(texts)


def two_pass(model: Path) -> System:
    """PURE (Zhong & Chen 2021): mentions in a first pass; then each pair is marked in the text and encoded by itself.

    The weights of markers and relation head are random, which costs as much as trained ones.
    """
    folder = read_folder(model)
    extractor = load_extractor(folder)
    network = MarkersAlone(
        extractor.encoder, extractor.tag_head.in_features, folder.schema, folder.settings.heads, extractor.weights
    )
    network.tag_head.load_state_dict(extractor.tag_head.state_dict())
    return _predicting(Predictor(folder, TorchBackend(network)))


def systems(model: Path, threads: int) -> dict[str, Callable[[], System]]:
    """Return what makes each system, by its name in the table."""
    dev = formats.read_all(["data/annotations/dev"])
    made: dict[str, Callable[[], System]] = {
        "encoder alone, each piece once, fp32": lambda: encoder_alone(model, bf16=False, overlap=False),
        "encoder alone, our windows, fp32": lambda: encoder_alone(model, bf16=False, overlap=True),
        "encoder alone, our windows, bf16": lambda: encoder_alone(model, bf16=True, overlap=True),
        "marsad, torch fp32": lambda: ours(model, "torch", threads),
        "marsad, torch bf16": lambda: ours(model, "torch-bf16", threads),
        "marsad, ONNX fp32": lambda: exported(model, int8=False, threads=threads, check=dev),
        "marsad, ONNX int8": lambda: exported(model, int8=True, threads=threads, check=dev),
    }
    for bf16, size in ((False, 1), (False, 8), (False, 32), (True, 8)):
        name = f"transformers pipeline, {'bf16' if bf16 else 'fp32'}, batches of {size}"
        made[name] = lambda bf16=bf16, size=size: pipeline(model, bf16=bf16, batch_size=size)
    return {**made, "two passes, a pair at a time, fp32": lambda: two_pass(model)}
