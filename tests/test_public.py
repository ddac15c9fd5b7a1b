"""Public benchmarks: a small stand-in for each format is converted, and what comes out may be trained on."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

from marsad.documents import Document
from marsad.formats import conllup
from marsad.schema import Schema
from marsad.training.lessons import check_splits

ROOT = Path(__file__).parent.parent


def converted(name: str, folder: Path) -> dict[str, list[Document]]:
    command = [sys.executable, ROOT / "benchmarks" / "public.py", name, folder, "-o", folder / "out"]
    subprocess.run(command, check=True, capture_output=True)
    schema = Schema.from_file(ROOT / "configs" / "benchmarks" / f"{name}-schema.yaml")
    return {
        split: conllup.read(folder / "out" / f"{split}.conllup", schema=schema) for split in ("train", "dev", "test")
    }


def test_two_columns_become_blocks_of_sentences(tmp_path: Path) -> None:
    sentence = "وصل O\nأحمد B-PERS\nعلي I-PERS\nإلى O\nصنعاء I-LOC\n{n} O\n"
    for split, count in (("train", 220), ("test", 25)):
        text = "\n".join(sentence.format(n=f"{split}{n}") for n in range(count))
        (tmp_path / f"{split}.txt").write_text(text, encoding="utf-8")
    found = converted("anercorp", tmp_path)
    assert {split: [len(each.sentences) for each in some] for split, some in found.items()} == {
        "train": [20] * 10,
        "dev": [20],
        "test": [20, 5],
    }
    last = found["test"][1]
    assert [(each.type, last.surface(each)) for each in last.entities[:2]] == [("PERS", "أحمد علي"), ("LOC", "صنعاء")]
    check_splits(found)


def test_conll04_keeps_relations_and_loses_repeats(tmp_path: Path) -> None:
    record = {
        "tokens": ["John", "Smith", "works", "for", "Acme"],
        "tags": ["B-Peop", "L-Peop", "O", "O", "U-Org"],
        "relations": [{"head": 0, "tail": 1, "type": "Work_For"}],
    }
    other = {**record, "tokens": ["Jane", *record["tokens"][1:]]}
    for split, records in (("train", [record, other]), ("dev", [{**other, "tokens": ["Ann", "B", "c", "d", "E"]}])):
        (tmp_path / f"{split}.json").write_text(json.dumps(records), encoding="utf-8")
    (tmp_path / "test.json").write_text(json.dumps([record]), encoding="utf-8")
    found = converted("conll04", tmp_path)
    assert {split: len(some) for split, some in found.items()} == {"train": 1, "dev": 1, "test": 1}
    (document,) = found["test"]
    (relation,) = document.relations
    assert (relation.type, document.surface(document.entities[relation.tail])) == ("Work_For", "Acme")
    assert document.relations_annotated
    check_splits(found)


@pytest.mark.parametrize("name", ["anercorp", "conll04", "wojood"])
def test_every_config_names_what_the_converter_writes(name: str) -> None:
    from marsad.config import Config

    config = Config.from_file(ROOT / "configs" / "benchmarks" / f"{name}.yaml")
    assert [str(config.data.train[0]), str(config.data.test[0])] == [
        f"runs/data/{name}/train.conllup",
        f"runs/data/{name}/test.conllup",
    ]
    Schema.from_file(ROOT / config.schema_path)
