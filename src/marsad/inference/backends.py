"""What runs the network for a predictor: numpy arrays in, numpy arrays out.

A backend keeps the word states of a batch of windows between `tag` and `relate` in whatever form it likes. `torch` is
the only one so far; it is imported when a torch model is loaded and not before.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Protocol

import numpy as np

from marsad.errors import ModelError
from marsad.modeling.batches import Floats, Ints, WindowBatch
from marsad.modeling.settings import ModelFolder

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


def load_backend(
    folder: ModelFolder, *, device: str = "auto", name: str = "auto", threads: int | None = None
) -> Backend:
    """Return a backend for a model folder.

    `device` is a torch device or "auto" (a GPU where there is one). `name` is "torch" (fp32), "torch-bf16", or "auto",
    which means "torch". `threads` sets the number of CPU threads for the whole process. Raises `ModelError` where the
    backend is unknown or torch is not installed.
    """
    if name not in ("auto", "torch", "torch-bf16"):
        raise ModelError(f"backend {name!r} is none of auto, torch, torch-bf16")
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
