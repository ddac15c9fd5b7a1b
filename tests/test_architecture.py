"""Imports point one way, and what need not load torch does not."""

import ast
import subprocess
import sys
from pathlib import Path

import pytest

SOURCE = Path(__file__).parent.parent / "src" / "marsad"

# A module may import from its own layer and from those below it, never from one above.
LAYERS = [
    {"errors"},
    {"documents", "document_html", "document_json", "schema"},
    {"words", "pairs", "clitics"},
    {"config"},
    {"formats"},
    {"events"},
    {"modeling"},
    {"inference"},
    {"evaluation"},
    {"training", "inference.export", "inference.quantise"},
    {"cli", "__init__"},
]
TORCH_FREE = [
    "marsad",
    "marsad.cli",
    "marsad.config",
    "marsad.formats",
    "marsad.events",
    "marsad.evaluation.metrics",
    "marsad.evaluation.scoring",
    "marsad.evaluation.stats",
    "marsad.evaluation.tables",
    "marsad.evaluation.calibration",
    "marsad.evaluation.errors",
    "marsad.evaluation.page",
    "marsad.evaluation.suggest",
    "marsad.evaluation.parity",
    "marsad.modeling.decode",
    "marsad.modeling.windows",
    "marsad.modeling.settings",
    "marsad.inference.predictor",
    "marsad.inference.backends",
    "marsad.inference.distributed",
    "marsad.inference.files",
    "marsad.inference.inputs",
    "marsad.inference.server",
]


def _imports(file: Path) -> set[str]:
    tree = ast.parse(file.read_text(encoding="utf-8"))
    names: set[str] = set()
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            names |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module:
            names |= (
                {f"{node.module}.{alias.name}" for alias in node.names} if node.module == "marsad" else {node.module}
            )
    return names


def _layer(module: str) -> int:
    """The layer of `package.module`, where it has one of its own, else that of its package."""
    names = [name for name in (module, module.split(".", maxsplit=1)[0]) if any(name in layer for layer in LAYERS)]
    return next(index for index, layer in enumerate(LAYERS) if names[0] in layer)


@pytest.mark.parametrize("file", sorted(SOURCE.rglob("*.py")), ids=lambda file: str(file.relative_to(SOURCE)))
def test_imports_point_one_way(file: Path) -> None:
    own = ".".join(file.relative_to(SOURCE).with_suffix("").parts)
    if own == "__init__":
        return
    for name in _imports(file):
        if name.startswith("marsad."):
            assert _layer(name.removeprefix("marsad.")) <= _layer(own), f"{file} imports {name}"


def test_the_network_knows_nothing_of_documents_or_the_trainer() -> None:
    known = _imports(SOURCE / "modeling" / "extractor.py")
    assert not {name for name in known if "documents" in name or "formats" in name or "transformers" in name}


@pytest.mark.parametrize("module", TORCH_FREE)
def test_no_torch_is_loaded_by(module: str) -> None:
    code = f"import sys, {module}; sys.exit(any(m in sys.modules for m in ('torch', 'transformers', 'datasets')))"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0


def test_every_public_name_is_there() -> None:
    import marsad

    for name in marsad.__all__:
        assert getattr(marsad, name).__name__ == name
    with pytest.raises(AttributeError, match="no attribute 'Predicter'"):
        marsad.Predicter  # noqa: B018
