"""The notebooks run from top to bottom, here on a tiny model, and are shipped with what they showed on the real one."""

import re
from pathlib import Path

import nbformat
import pytest
import yaml
from nbclient import NotebookClient

from marsad.config import Config

FOLDER = Path(__file__).parent.parent / "notebooks"
NOTEBOOKS = sorted(FOLDER.glob("*.ipynb"))


@pytest.fixture(scope="module")
def environment(learn_by_heart: Config, model: Path, tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    folder = tmp_path_factory.mktemp("notebook")
    config = folder / "config.yaml"
    config.write_text(yaml.safe_dump(learn_by_heart.model_dump(mode="json", by_alias=True)), encoding="utf-8")
    return {
        "MARSAD_MODEL": str(model),
        "MARSAD_RUN": str(learn_by_heart.output),
        "MARSAD_CONFIG": str(config),
        "MARSAD_OUTPUT": str(folder / "run"),
        "MARSAD_UPDATES": "2",
    }


@pytest.mark.parametrize("file", NOTEBOOKS, ids=lambda file: file.stem)
def test_it_runs(file: Path, environment: dict[str, str], monkeypatch: pytest.MonkeyPatch) -> None:
    for name, value in environment.items():
        monkeypatch.setenv(name, value)
    notebook = nbformat.read(file, as_version=4)
    NotebookClient(notebook, timeout=120, resources={"metadata": {"path": str(FOLDER)}}).execute()


@pytest.mark.parametrize("file", NOTEBOOKS, ids=lambda file: file.stem)
def test_it_is_shipped_with_what_it_showed(file: Path) -> None:
    notebook = nbformat.read(file, as_version=4)
    cells = [cell for cell in notebook.cells if cell.cell_type == "code"]
    assert [cell.execution_count for cell in cells] == list(range(1, len(cells) + 1))
    assert sum(bool(cell.outputs) for cell in cells) >= len(cells) - 2
    assert not re.search(r"/home/|/root/|/work/|/tmp/|Traceback", nbformat.writes(notebook))


def test_there_are_three() -> None:
    assert len(NOTEBOOKS) == 3
