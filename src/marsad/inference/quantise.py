"""An exported graph in 8 bits: fast where that changes nothing, finer where it would.

The fast way (onnxruntime's static quantisation) rounds the inputs of a matrix product by one scale, taken from sample
texts, so that an answer does not depend on what else is in its batch, as it would if each batch had scales of its own.
In a transformer's feed-forward layers a few inputs are far larger than the rest: rounded by their scale, the rest is
lost (Dettmers et al. 2022, "LLM.int8()"). So each product is first rounded by itself, in torch, and those that change
the tags most are done the finer way, a scale for every 128 inputs of a row (onnxruntime's `MatMulNBits`), until what
the others change together is small.
"""

from __future__ import annotations

import logging
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np
import onnx
import torch
from onnx import numpy_helper
from torch import Tensor, nn

from marsad.documents import Document
from marsad.inference.backends import tag_inputs
from marsad.modeling.batches import WindowBatch, collate
from marsad.modeling.extractor import Extractor
from marsad.modeling.settings import ModelFolder
from marsad.modeling.windows import split, tokenise

MOST_DIVERGENCE = 0.0004  # mean KL of a word's tags, from those in fp32, that fast products may add up to
BLOCK = 128
_SAMPLE_WINDOWS = 64
_SAMPLE_PIECES = 128
_WINDOWS_AT_ONCE = 8


def sample(folder: ModelFolder, documents: Sequence[Document]) -> list[WindowBatch]:
    """Return batches of short windows from all over some documents."""
    rows = []
    for document in documents:
        pieces = tokenise(document, folder.tokenizer, folder.normaliser, folder.settings.special.unknown)
        windows = split(pieces.counts, _SAMPLE_PIECES, 0)
        rows += [[list(word) for word in pieces.ids[each.start : each.end]] for each in windows]
    count = min(_SAMPLE_WINDOWS, len(rows))
    chosen = [rows[number * len(rows) // count] for number in range(count)]
    # Dealt out, so that each batch is of all parts of the documents.
    num_batches = -(-len(chosen) // _WINDOWS_AT_ONCE)
    return [collate(chosen[number::num_batches], folder.settings.special) for number in range(num_batches)]


def quantise(file: Path, extractor: Extractor, batches: Sequence[WindowBatch]) -> list[str]:
    """Quantise the graph in `file`, that of an extractor's encoder and tag head, by a sample of what it will read.

    Return the linear layers that are done the finer way.
    """
    from onnxruntime.quantization import QuantFormat, QuantType, quantize_static
    from onnxruntime.quantization.matmul_nbits_quantizer import MatMulNBitsQuantizer

    model = onnx.load(file)
    nodes = _nodes(model, extractor)
    finer = _finer(divergences(extractor, batches[0], list(nodes)))
    kept = {nodes[name] for name in finer}
    others = [node.name for node in model.graph.node if node.name not in kept]
    with tempfile.TemporaryDirectory() as scratch, _quiet():
        half = Path(scratch) / file.name
        quantiser = MatMulNBitsQuantizer(
            model, bits=8, block_size=BLOCK, is_symmetric=True, accuracy_level=4, nodes_to_exclude=others
        )
        quantiser.process()
        quantiser.model.save_model_to_file(str(half), False)
        quantize_static(
            half,
            file,
            _reader(batches),
            quant_format=QuantFormat.QDQ,
            per_channel=True,
            activation_type=QuantType.QUInt8,
            weight_type=QuantType.QInt8,
            op_types_to_quantize=["MatMul"],
            nodes_to_quantize=[name for name in nodes.values() if name not in kept],
            # What a product gives stays a float: it is a normalisation, a softmax or a sum that reads it.
            extra_options={"OpTypesToExcludeOutputQuantization": ["MatMul"], "MatMulConstBOnly": True},
        )
    return finer


def _reader(batches: Sequence[WindowBatch]) -> Any:
    """Return what onnxruntime takes sample inputs from."""
    from onnxruntime.quantization import CalibrationDataReader

    class Reader(CalibrationDataReader):  # type: ignore[misc]
        def __init__(self) -> None:
            self.left = iter(batches)

        def get_next(self) -> dict[str, Any] | None:
            batch = next(self.left, None)
            return None if batch is None else dict(tag_inputs(batch))

    return Reader()


@contextmanager
def _quiet() -> Iterator[None]:
    """Hold back log lines below an error: onnxruntime's quantisers have one or more for each product."""
    before = logging.root.manager.disable
    logging.disable(logging.WARNING)
    try:
        yield
    finally:
        logging.disable(before)


def _finer(divergence: dict[str, float]) -> list[str]:
    """Return the products whose rounding harms most, so many that the others stay below `MOST_DIVERGENCE` together."""
    left = sum(divergence.values())
    finer = []
    for name in sorted(divergence, key=lambda each: -divergence[each]):
        if left <= MOST_DIVERGENCE:
            break
        finer.append(name)
        left -= divergence[name]
    return finer


def _nodes(model: onnx.ModelProto, extractor: Extractor) -> dict[str, str]:
    """Return the name of the graph's product for each linear layer, by its weights: the exporter keeps no names."""
    constants = {each.name: each for each in model.graph.initializer}
    by_weights = {}
    for node in model.graph.node:
        if node.op_type == "MatMul" and node.input[1] in constants:
            by_weights[numpy_helper.to_array(constants[node.input[1]]).tobytes()] = node.name
    found = {}
    for name, layer in _linear(extractor):
        key = np.ascontiguousarray(layer.weight.detach().numpy().T).tobytes()
        if key in by_weights:
            found[name] = by_weights[key]
    return found


def _linear(extractor: Extractor) -> list[tuple[str, nn.Linear]]:
    return [(name, each) for name, each in extractor.named_modules() if isinstance(each, nn.Linear)]


@torch.no_grad()
def divergences(extractor: Extractor, batch: WindowBatch, names: Sequence[str]) -> dict[str, float]:
    """Return how far the tags of a batch move, mean KL of a word, when each of some linear layers is rounded alone."""
    inputs = [torch.from_numpy(each) for each in tag_inputs(batch).values()]
    is_word = inputs[3] > inputs[2]

    def tags() -> Tensor:
        return extractor.tag(extractor.encode(*inputs)).log_softmax(2)[is_word]

    expected = tags()
    layers = dict(_linear(extractor))
    found = {}
    for name in names:
        with _rounded(layers[name]):
            seen = tags()
        found[name] = float((expected.exp() * (expected - seen)).sum(1).mean().clamp(min=0))
    return found


@contextmanager
def _rounded(layer: nn.Linear) -> Iterator[None]:
    """Round a layer the fast way: weights by a scale a column, inputs by one scale for all."""
    kept = layer.weight.data
    scale = (kept.abs().amax(1, keepdim=True) / 127).clamp(min=1e-12)
    layer.weight.data = (kept / scale).round() * scale

    def round_inputs(_: nn.Module, inputs: tuple[Tensor]) -> Tensor:
        low, high = inputs[0].amin().clamp(max=0), inputs[0].amax().clamp(min=0)
        step = ((high - low) / 255).clamp(min=1e-12)
        return (inputs[0] / step).round() * step

    hook = layer.register_forward_pre_hook(round_inputs)
    try:
        yield
    finally:
        hook.remove()
        layer.weight.data = kept
