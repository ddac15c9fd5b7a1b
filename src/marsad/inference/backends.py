"""What runs the network for a predictor: numpy arrays in, numpy arrays out.

A backend keeps the word states of a batch of windows between `tag` and `relate` in whatever form it likes. torch and
onnxruntime are imported when a model is loaded that needs them, and not before.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol

import numpy as np

from marsad.errors import ModelError
from marsad.modeling.batches import Floats, Ints, WindowBatch
from marsad.modeling.settings import RELATE_FILE, TAG_FILE, ModelFolder

if TYPE_CHECKING:
    import torch

    from marsad.modeling.extractor import Extractor


class Backend(Protocol):
    """Runs encoder and heads on batches of windows."""

    def tag(self, batch: WindowBatch) -> tuple[Any, Floats]:
        """Return the word states, in the backend's own form, and the tag log probabilities `(B, W, K)`."""
        ...

    def relate(self, states: Any, spans: Ints, pairs: Ints) -> Floats:
        """Return relation probabilities `(P, R)` for `spans (S, 5)` and `pairs (P, 2)` in those states."""
        ...


class TorchBackend:
    """Runs an `Extractor`; `bf16` autocasts where the hardware has it, with scores in fp32 either way."""

    def __init__(self, extractor: Extractor, device: str = "cpu", *, bf16: bool = False) -> None:
        import torch

        self._torch = torch
        self.device = torch.device(device)
        self.extractor = extractor.to(self.device).eval()
        self.bf16 = bf16

    def tag(self, batch: WindowBatch) -> tuple[torch.Tensor, Floats]:
        """See `Backend.tag`."""
        torch = self._torch
        with torch.inference_mode(), torch.autocast(self.device.type, torch.bfloat16, enabled=self.bf16):
            states = self.extractor.encode(
                *(
                    self._tensor(each)
                    for each in (batch.input_ids, batch.attention_mask, batch.word_starts, batch.word_ends)
                )
            )
            log_probs = self.extractor.tag(states).float().log_softmax(dim=2)
        return states, log_probs.cpu().numpy()

    def relate(self, states: torch.Tensor, spans: Ints, pairs: Ints) -> Floats:
        """See `Backend.relate`."""
        torch = self._torch
        with torch.inference_mode(), torch.autocast(self.device.type, torch.bfloat16, enabled=self.bf16):
            logits = self.extractor.relate(states, self._tensor(spans), self._tensor(pairs))
        probabilities: Floats = logits.float().sigmoid().cpu().numpy()
        return probabilities

    def _tensor(self, array: Ints) -> torch.Tensor:
        return self._torch.from_numpy(np.ascontiguousarray(array)).to(self.device)


class OnnxBackend:
    """Runs the graphs of an exported model on onnxruntime, on the CPU or, where its build has it, a CUDA GPU."""

    def __init__(self, path: Path, device: str = "auto", threads: int | None = None) -> None:
        import onnxruntime

        providers = _providers(device, onnxruntime.get_available_providers())
        options = onnxruntime.SessionOptions()
        options.log_severity_level = 3
        if threads is not None:
            options.intra_op_num_threads = threads
        missing = [name for name in (TAG_FILE, RELATE_FILE) if not (path / name).is_file()]
        if missing:
            raise ModelError(f"{path}: {' and '.join(missing)} missing: the folder is not whole, copy it again")
        try:
            self._tag, self._relate = (
                # That fusion is slower on a CPU than what it fuses (onnxruntime 1.32).
                onnxruntime.InferenceSession(
                    str(path / name), options, providers=providers, disabled_optimizers=["SkipLayerNormFusion"]
                )
                for name in (TAG_FILE, RELATE_FILE)
            )
        except Exception as error:  # the library has exceptions of its own, some of them bare
            raise ModelError(f"{path} cannot be loaded by onnxruntime: {str(error).splitlines()[0]}") from error
        if device.startswith("cuda") and _CUDA not in self._tag.get_providers():
            raise ModelError(f'device {device!r}: onnxruntime found no CUDA libraries it can use: leave it to "auto"')

    def tag(self, batch: WindowBatch) -> tuple[Floats, Floats]:
        """See `Backend.tag`."""
        states, log_probs = self._tag.run(None, dict(tag_inputs(batch)))
        return states, log_probs

    def relate(self, states: Floats, spans: Ints, pairs: Ints) -> Floats:
        """See `Backend.relate`."""
        probabilities: Floats = self._relate.run(None, {"states": states, "spans": spans, "pairs": pairs})[0]
        return probabilities


def tag_inputs(batch: WindowBatch) -> Mapping[str, Ints]:
    """Return the arrays of a batch by the names of the tag graph's inputs, in their order."""
    return {
        "input_ids": batch.input_ids,
        "attention_mask": batch.attention_mask,
        "word_starts": batch.word_starts,
        "word_ends": batch.word_ends,
    }


_CUDA = "CUDAExecutionProvider"


def _providers(device: str, available: Sequence[str]) -> list[Any]:
    """Return what onnxruntime is to run on, for "auto", "cpu", "cuda" and "cuda:1"."""
    kind, _, index = device.partition(":")
    if kind not in ("auto", "cpu", "cuda") or (index and not (kind == "cuda" and index.isdigit())):
        raise ModelError(f"device {device!r}: an exported model runs on auto, cpu, cuda or cuda:1")
    if kind == "cuda" and _CUDA not in available:
        raise ModelError(f"device {device!r}: this onnxruntime has no CUDA: pip install onnxruntime-gpu")
    on_gpu = kind != "cpu" and _CUDA in available
    return [*([(_CUDA, {"device_id": int(index or 0)})] if on_gpu else []), "CPUExecutionProvider"]


NAMES = ("auto", "torch", "torch-bf16", "onnx")


def load_backend(
    folder: ModelFolder, *, device: str = "auto", name: str = "auto", threads: int | None = None
) -> Backend:
    """Return a backend for a model folder.

    `device` is a torch device or "auto" (a GPU where there is one). `name` is "torch" (fp32), "torch-bf16", "onnx" (an
    exported model, in its own precision) or "auto": what the folder holds. `threads` sets the number of CPU threads, of
    torch for the whole process. Raises `ModelError` where the folder does not hold it or a package is not installed.
    """
    if name not in NAMES:
        raise ModelError(f"backend {name!r} is none of {', '.join(NAMES)}")
    exported = folder.settings.exported is not None
    if name != "auto" and exported is not (name == "onnx"):
        holds = "onnx" if exported else "torch"
        raise ModelError(f'{folder.path} holds a model for {holds}, not for {name!r}: leave the backend to "auto"')
    return OnnxBackend(folder.path, device, threads) if exported else _load_torch(folder, device, name, threads)


def _load_torch(folder: ModelFolder, device: str, name: str, threads: int | None) -> TorchBackend:
    # All three are imported only to say, before any work, which of them is missing.
    try:
        import safetensors  # noqa: F401
        import torch
        import transformers  # noqa: F401
    except ImportError as error:
        raise ModelError(
            f"{folder.path} is a torch model and {error.name} is not installed: pip install 'marsad[train]'"
        ) from error
    from marsad.modeling.folder import load_extractor

    if threads is not None:
        torch.set_num_threads(threads)
    return TorchBackend(load_extractor(folder), _device(device), bf16=name == "torch-bf16")


def _device(device: str) -> str:
    import torch

    if device != "auto":
        try:
            torch.empty(0, device=device)
        except (RuntimeError, AssertionError) as error:
            raise ModelError(f"device {device!r} cannot be used here: {str(error).splitlines()[0]}") from error
        return device
    if torch.cuda.is_available():
        return "cuda"
    return "mps" if torch.backends.mps.is_available() else "cpu"
