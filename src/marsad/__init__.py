"""marsad (مرصد): Arabic reports of violence, read into structured evidence.

Importing the package is light: names are loaded when first used, and torch only by what trains or runs a torch model.
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from marsad.documents import Document, Entity, Event, Relation, Word
    from marsad.errors import AnnotationError, ConfigError, MarsadError, ModelError
    from marsad.evaluation.metrics import evaluate
    from marsad.evaluation.scores import Report
    from marsad.inference.export import export_onnx
    from marsad.inference.predictor import Predictor
    from marsad.inference.server.app import create_app
    from marsad.schema import Schema
    from marsad.training.train import train

__version__: str

_HOME = {
    "Word": "documents",
    "Entity": "documents",
    "Relation": "documents",
    "Event": "documents",
    "Document": "documents",
    "Schema": "schema",
    "Predictor": "inference.predictor",
    "Report": "evaluation.scores",
    "evaluate": "evaluation.metrics",
    "train": "training.train",
    "export_onnx": "inference.export",
    "create_app": "inference.server.app",
    "MarsadError": "errors",
    "ConfigError": "errors",
    "AnnotationError": "errors",
    "ModelError": "errors",
}

__all__ = [
    "AnnotationError",
    "ConfigError",
    "Document",
    "Entity",
    "Event",
    "MarsadError",
    "ModelError",
    "Predictor",
    "Relation",
    "Report",
    "Schema",
    "Word",
    "create_app",
    "evaluate",
    "export_onnx",
    "train",
]


def __getattr__(name: str) -> Any:
    if name == "__version__":
        return _version()
    if name not in _HOME:
        raise AttributeError(f"module 'marsad' has no attribute {name!r}")
    return getattr(import_module(f"marsad.{_HOME[name]}"), name)


def _version() -> str:
    from importlib.metadata import PackageNotFoundError, version

    try:
        return version("marsad")
    except PackageNotFoundError:  # a source tree that was never installed
        return "0+unknown"


def __dir__() -> list[str]:
    return sorted([*globals(), *__all__])
