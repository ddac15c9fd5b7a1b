"""Fixtures: the default schema, a tiny encoder built in code, and models made of it. Nothing touches a network."""

import os
import random
from dataclasses import replace
from pathlib import Path

os.environ["HF_HUB_OFFLINE"] = "1"
os.environ["TOKENIZERS_PARALLELISM"] = "false"

import pytest

from marsad import words
from marsad.config import Config
from marsad.documents import Document
from marsad.formats import conllup
from marsad.inference.predictor import Predictor
from marsad.schema import Schema
from notation import annotated

ROOT = Path(__file__).parent.parent


@pytest.fixture(scope="session")
def schema() -> Schema:
    """The schema of configs/schema.yaml."""
    return Schema.from_file(ROOT / "configs" / "schema.yaml")


@pytest.fixture(scope="session")
def tiny_encoder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with a BERT of random weights, 2 layers, 32 wide."""
    from marsad.modeling.embedded import build_tiny_encoder

    return build_tiny_encoder(tmp_path_factory.mktemp("encoder") / "tiny")


@pytest.fixture(scope="session")
def articles() -> list[Document]:
    """Four short articles to learn by heart."""
    return [
        annotated(
            "{a:ACTOR قوات الحكومة} قصفت {b:LOCATION بلدة الزهراء} {c:WEAPON بالمدفعية} {d:DATE أمس} .",
            "a ATTACKS b",
            "b ATTACKED_WITH c",
            "b ATTACKED_ON d",
            id="learn-1",
        ),
        annotated(
            "{a:CASUALTY مقتل ثلاثة} {b:ACTOR مدنيين} في {c:WEAPON غارة جوية} على {d:LOCATION مدينة النور} .",
            "b SUFFERED a",
            "b ATTACKED_WITH c",
            "b ATTACKED_AT d",
            id="learn-2",
        ),
        annotated(
            "هاجم {a:ACTOR مسلحون} {b:ASSET حاجزا} {c:ACTOR للشرطة} قرب {d:LOCATION تل الريح} .\n"
            "ولم تعلق {e:ACTOR الوزارة} .",
            "a ATTACKS b",
            "b AFFILIATED_WITH c",
            "b ATTACKED_AT d",
            id="learn-3",
        ),
        annotated("التقى {a:ACTOR الوزير} نظيره في {b:LOCATION العاصمة سلام} {c:DATE اليوم} .", id="learn-4"),
    ]


def _joined(articles: list[Document], name: str) -> Document:
    """The same sentences as another article: learnt by their words and not by their places."""
    text = "\n".join(document.text for document in articles)
    split = words.split(text)
    entities, relations = [], []
    first_word = first_entity = 0
    for document in articles:
        entities += [
            replace(each, start=each.start + first_word, end=each.end + first_word) for each in document.entities
        ]
        relations += [
            replace(each, head=each.head + first_entity, tail=each.tail + first_entity) for each in document.relations
        ]
        first_word += len(document.words)
        first_entity += len(document.entities)
    return Document(name, text, split, words.sentences(text, split), entities, relations)


@pytest.fixture(scope="session")
def learn_by_heart(tmp_path_factory: pytest.TempPathFactory, tiny_encoder: Path, articles: list[Document]) -> Config:
    """A config that overfits `articles` on the tiny encoder in a few seconds."""
    folder = tmp_path_factory.mktemp("data")
    rng = random.Random(0)
    longer = [_joined(rng.choices(articles, k=rng.randint(2, 9)), f"joined-{number}") for number in range(24)]
    conllup.write([*articles, *longer[1:]], folder / "train.conllup")
    conllup.write(longer[:1], folder / "dev.conllup")
    return Config.from_dict(
        {
            "schema": str(ROOT / "configs" / "schema.yaml"),
            "output": str(tmp_path_factory.mktemp("run") / "run"),
            "data": {"train": str(folder / "train.conllup"), "dev": str(folder / "dev.conllup")},
            "encoder": {"name": str(tiny_encoder), "max_pieces": 256, "overlap": 64, "pooling": "mean"},
            "heads": {"learning_rate": 1e-2, "dropout": 0.0},
            "early_stopping": {"metric": "mean"},
            "training": {
                "num_train_epochs": 14,
                "per_device_train_batch_size": 4,
                "learning_rate": 3e-3,
                "lr_scheduler_type": "linear",
                "report_to": "none",
                "disable_tqdm": True,
                "bf16": False,
                "seed": 3,
            },
        }
    )


@pytest.fixture(scope="session")
def model(learn_by_heart: Config) -> Path:
    """The model folder of a run that learnt `articles` by heart."""
    from marsad.training.train import train

    train(learn_by_heart)
    return learn_by_heart.output / "model"


@pytest.fixture(scope="session")
def predictor(model: Path) -> Predictor:
    """A predictor of that model."""
    return Predictor.from_pretrained(model, device="cpu")
