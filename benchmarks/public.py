"""Your copy of a public benchmark, converted for `marsad train --config configs/benchmarks/NAME.yaml`.

python benchmarks/public.py anercorp FOLDER [-o runs/data/anercorp]   # FOLDER/train.txt, test.txt (CAMeL Lab split)
python benchmarks/public.py wojood FOLDER   [-o runs/data/wojood]     # FOLDER/train.txt, val.txt, test.txt (flat tags)
python benchmarks/public.py conll04 FOLDER  [-o runs/data/conll04]    # FOLDER/train.json, dev.json, test.json

None of the data comes with marsad. The two-column sets do not say where an article ends: every `BLOCK` sentences stand
for one, so that the bootstrap has something to draw. ANERcorp's split has no dev: the last tenth of train is set aside.
What a split has word for word from a later one is left out of it, and counted: CoNLL04 repeats sentences.
"""

import argparse
import json
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from tempfile import TemporaryDirectory

from marsad import Document
from marsad.documents import Entity, Relation, Word
from marsad.formats import conll, conllup

BLOCK = 20


def blocks(document: Document) -> Iterator[Document]:
    """Yield every `BLOCK` sentences of a document as one of its own."""
    for number, first in enumerate(range(0, len(document.sentences), BLOCK), start=1):
        sentences = document.sentences[first : first + BLOCK]
        start, end = sentences[0][0], sentences[-1][1]
        base = document.words[start].start
        yield Document(
            f"{document.id}-{number}",
            document.text[base : document.words[end - 1].end],
            [Word(each.text, each.start - base, each.end - base) for each in document.words[start:end]],
            [(left - start, right - start) for left, right in sentences],
            [
                Entity(each.type, each.start - start, each.end - start)
                for each in document.entities
                if start <= each.start and each.end <= end
            ],
            meta=document.meta,
        )


def read_columns(file: Path) -> list[Document]:
    """Read a two-column file as blocks of sentences; a stray I- begins an entity, as for conlleval."""
    return [block for document in conll.read(file, scheme="IOB1") for block in blocks(document)]


def read_conll04(file: Path) -> list[Document]:
    """Read sentences with BILOU tags and relations between entities by their order, a document each."""
    records = json.loads(file.read_text(encoding="utf-8"))
    if not all("tags" in each for each in records):
        raise SystemExit(f"{file}: expected tokens, tags (BILOU) and relations in each record")
    rows = [
        "\n".join(["-DOCSTART- O", "", *map(" ".join, zip(record["tokens"], record["tags"], strict=True)), ""])
        for record in records
    ]
    with TemporaryDirectory() as folder:
        columns = Path(folder) / f"{file.stem}.conll"
        columns.write_text("\n".join(rows), encoding="utf-8")
        documents = conll.read(columns)
    related = [
        sorted({(each["type"], each["head"], each["tail"]) for each in record["relations"]}) for record in records
    ]
    return [
        replace(document, relations=[Relation(*each) for each in found], meta={})
        for document, found in zip(documents, related, strict=True)
    ]


def without_repeats(splits: dict[str, list[Document]]) -> dict[str, list[Document]]:
    """Return the splits without what stands in a later one word for word: nothing is trained on and scored."""
    seen: set[tuple[str, ...]] = set()
    kept: dict[str, list[Document]] = {}
    for name, documents in reversed(splits.items()):
        keys = [tuple(word.text for word in each.words) for each in documents]
        kept[name] = [each for each, key in zip(documents, keys, strict=True) if key not in seen]
        seen.update(keys)
    return dict(reversed(kept.items()))


def convert(name: str, folder: Path) -> dict[str, list[Document]]:
    """Return the splits of a benchmark."""
    if name == "conll04":
        return {split: read_conll04(folder / f"{split}.json") for split in ("train", "dev", "test")}
    train, test = read_columns(folder / "train.txt"), read_columns(folder / "test.txt")
    if name == "wojood":
        return {"train": train, "dev": read_columns(folder / "val.txt"), "test": test}
    cut = len(train) - len(train) // 10
    return {"train": train[:cut], "dev": train[cut:], "test": test}


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("name", choices=["anercorp", "wojood", "conll04"])
    parser.add_argument("folder", type=Path)
    parser.add_argument("-o", "--output", type=Path)
    arguments = parser.parse_args()
    output = arguments.output or Path("runs/data") / arguments.name
    output.mkdir(parents=True, exist_ok=True)
    splits = convert(arguments.name, arguments.folder)
    for split, documents in without_repeats(splits).items():
        conllup.write(documents, output / f"{split}.conllup")
        words = sum(len(each.words) for each in documents)
        entities, relations = (
            sum(len(getattr(each, kind)) for each in documents) for kind in ("entities", "relations")
        )
        print(
            f"{output / split}.conllup: {len(documents)} documents ({len(splits[split]) - len(documents)} left out), "
            f"{words} words, {entities} entities, {relations} relations"
        )


if __name__ == "__main__":
    main()
