"""Configurations: every file loads, every problem is named, every key is read."""

from pathlib import Path

import pytest

from marsad.config import Config, load_yaml
from marsad.errors import ConfigError
from marsad.schema import Schema

ROOT = Path(__file__).parent.parent
MINIMAL = {
    "schema": "configs/schema.yaml",
    "output": "runs/x",
    "data": {"train": "a", "dev": ["b", "c"]},
    "encoder": {"name": "e"},
}


@pytest.mark.parametrize("file", sorted((ROOT / "configs").glob("*.yaml")), ids=lambda file: file.name)
def test_every_config_file_loads(file: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(ROOT)
    if file.name == "schema.yaml":
        assert Schema.from_file(file).relations
    else:
        config = Config.from_file(file)
        assert config.schema_path.is_file()


def test_one_path_or_many() -> None:
    config = Config.from_dict(MINIMAL)
    assert config.data.train == [Path("a")]
    assert config.data.dev == [Path("b"), Path("c")]


@pytest.mark.parametrize(("text", "value"), [("1e-5", 1e-5), ("2.5E+3", 2500.0), (".5e1", 5.0), ("3", 3), ("e5", "e5")])
def test_numbers_read_as_they_look(text: str, value: object) -> None:
    assert load_yaml(f"x: {text}")["x"] == value


def test_every_problem_comes_in_one_error() -> None:
    content = {
        **MINIMAL,
        "encodr": {},
        "data": {"train": "a"},
        "encoder": {"name": "e", "poling": "mean", "max_pieces": 100, "overlap": "wide"},
        "heads": {"threshold": 2},
        "training": {
            "learning_rte": 1e-5,
            "output_dir": "x",
            "learning_rate": "fast",
            "bf16": "maybe",
        },
    }
    with pytest.raises(ConfigError) as caught:
        Config.from_dict(content, "my.yaml")
    message = str(caught.value)
    for part in (
        "my.yaml has 9 problem(s)",
        "encodr: unknown key, did you mean encoder?",
        "data.dev: missing",
        "encoder.poling: unknown key, did you mean pooling?",
        "encoder.overlap: ",
        "got 'wide'",
        "heads.threshold: ",
        "training.learning_rte: no name of TrainingArguments, did you mean learning_rate?",
        "training.learning_rate: 'fast' is no number",
        "training.bf16: 'maybe' is no true or false",
        "training.output_dir: set by marsad itself: use `output`",
    ):
        assert part in message


def test_windows_that_overlap_by_more_than_half_are_refused() -> None:
    with pytest.raises(ConfigError, match=r"encoder\.overlap: 100 is over half"):
        Config.from_dict({**MINIMAL, "encoder": {"name": "e", "max_pieces": 128, "overlap": 100}})


def test_overrides_reach_into_sections(tmp_path: Path) -> None:
    file = tmp_path / "c.yaml"
    file.write_text("schema: s\noutput: o\ndata: {train: a, dev: b}\nencoder: {name: e}\n", encoding="utf-8")
    config = Config.from_file(file, ["training.learning_rate=3e-5", "heads.negatives=10", "encoder.name=other"])
    assert config.training["learning_rate"] == 3e-5
    assert (config.heads.negatives, config.encoder.name) == (10, "other")
    with pytest.raises(ConfigError, match=r"override 'nonsense': expected section.key=value"):
        Config.from_file(file, ["nonsense"])
    with pytest.raises(ConfigError, match="output is a value, not a section"):
        Config.from_file(file, ["output.folder=x"])


def test_a_config_written_out_reads_back_the_same(tmp_path: Path) -> None:
    config = Config.from_dict({**MINIMAL, "training": {"learning_rate": 1e-5}})
    file = tmp_path / "c.yaml"
    file.write_text(config.to_yaml(), encoding="utf-8")
    assert Config.from_file(file) == config


@pytest.mark.parametrize("content", ["", "- a\n", "a: [", "\x00"])
def test_a_file_that_is_no_config_is_named(tmp_path: Path, content: str) -> None:
    file = tmp_path / "broken.yaml"
    file.write_text(content, encoding="utf-8")
    with pytest.raises(ConfigError, match=r"broken\.yaml"):
        Config.from_file(file)
