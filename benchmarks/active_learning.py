"""Does `marsad suggest` choose better than chance? A simulated curve on articles whose annotations are known.

python benchmarks/active_learning.py DATA... [--rounds 3] [--words 8000] [--updates 700] [--seeds 1 2] [--out FOLDER]

Both ways begin with the same part of the training articles. In each round the suggested way asks the model it has for
the next articles, the other draws them; both stop at the same number of words, since it is words that annotators read.
Then a new model is trained on all articles there are, with the same number of updates, and scored on DATA. A run that
is finished is not made again.
"""

import argparse
import json
import random
from collections.abc import Sequence
from pathlib import Path
from statistics import mean

from marsad import Predictor, formats
from marsad.config import Config
from marsad.documents import Document
from marsad.evaluation.scoring import LEAST_SCORE, score_predictor
from marsad.evaluation.suggest import rank
from marsad.evaluation.tables import HEADLINES
from marsad.formats import conllup
from marsad.training.train import train

WAYS = ("suggested", "drawn")


def first_articles(documents: Sequence[Document], words: int, seed: int) -> list[Document]:
    """Return articles drawn until they hold so many words."""
    shuffled = random.Random(seed).sample(list(documents), len(documents))
    return up_to(shuffled, words)


def up_to(documents: Sequence[Document], words: int) -> list[Document]:
    """Return the first documents that together hold at least so many words."""
    chosen: list[Document] = []
    while len(chosen) < len(documents) and sum(len(each.words) for each in chosen) < words:
        chosen.append(documents[len(chosen)])
    return chosen


def suggested(model: Path, pool: Sequence[Document], known: Sequence[Document]) -> list[Document]:
    """Return the pool in the order in which the model's doubts rank it."""
    predictor = Predictor.from_pretrained(model).uncalibrated(LEAST_SCORE)
    found = predictor.predict([each.without_annotations() for each in pool])
    return [pool[each.position] for each in rank(found, known)]


def trained(config: Config, articles: Sequence[Document], folder: Path, data: Sequence[str]) -> dict[str, float]:
    """Train on some articles where that was not done yet, and return F1 on the data by figure."""
    scores = folder / "scores.json"
    made_from = {"articles": [each.id for each in articles], "training": config.training, "data": list(data)}
    if not scores.is_file():
        folder.mkdir(parents=True, exist_ok=True)
        conllup.write(articles, folder / "articles.conllup")
        split = config.data.model_copy(update={"train": [folder / "articles.conllup"], "test": []})
        train(config.model_copy(update={"output": folder, "data": split}), overwrite=True)
        report = score_predictor(Predictor.from_pretrained(folder / "model"), formats.read_all(data))
        found = {name: report.tables[name].micro.f1 for name in HEADLINES}
        scores.write_text(json.dumps({"f1": found, **made_from}) + "\n", encoding="utf-8")
    record = json.loads(scores.read_text(encoding="utf-8"))
    result: dict[str, float] = record.pop("f1")
    if record != made_from:
        raise SystemExit(f"{folder} was made from other articles or with other settings: choose another --out")
    return result


def curve(arguments: argparse.Namespace, way: str, seed: int) -> list[tuple[int, dict[str, float]]]:
    """Return (words annotated, scores) after each round of one way."""
    config = Config.from_file(
        arguments.config,
        [
            f"training.seed={seed}",
            f"training.max_steps={arguments.updates}",
            f"training.eval_steps={arguments.updates}",
            "early_stopping.patience=null",
        ],
    )
    every = formats.read_all(config.data.train)
    known = first_articles(every, arguments.words, seed)
    out = Path(arguments.out)
    folder = out / f"start-seed-{seed}"
    points = [(words_of(known), trained(config, known, folder, arguments.data))]
    for number in range(1, arguments.rounds + 1):
        taken = {each.id for each in known}
        pool = [each for each in every if each.id not in taken]
        if way == "suggested":
            order = suggested(folder / "model", pool, known)
        else:
            order = random.Random(f"{seed}-{number}").sample(pool, len(pool))
        known = [*known, *up_to(order, arguments.words)]
        folder = out / f"{way}-{number}-seed-{seed}"
        points.append((words_of(known), trained(config, known, folder, arguments.data)))
        print(f"{way}, seed {seed}, round {number}: {points[-1]}", flush=True)
    return points


def words_of(documents: Sequence[Document]) -> int:
    """Return the number of words of some documents."""
    return sum(len(each.words) for each in documents)


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("data", nargs="+")
    parser.add_argument("--config", default="configs/offline.yaml")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--words", type=int, default=8000, help="of the start, and of each round")
    parser.add_argument("--updates", type=int, default=700)
    parser.add_argument("--seeds", type=int, nargs="+", default=[1, 2])
    parser.add_argument("--out", default="runs/active")
    arguments = parser.parse_args()
    curves = {way: [curve(arguments, way, seed) for seed in arguments.seeds] for way in WAYS}
    print(f"{'':<12}{'words':>8}" + "".join(f"{name.replace('_', ' '):>26}" for name in HEADLINES))
    for number in range(arguments.rounds + 1):
        for way in WAYS:
            points = [each[number] for each in curves[way]]
            cells = "".join(f"{100 * mean(scores[name] for _, scores in points):>26.1f}" for name in HEADLINES)
            print(f"{way:<12}{mean(words for words, _ in points):>8.0f}{cells}")


if __name__ == "__main__":
    main()
