"""Training: learns, repeats itself, goes on, and says what it cannot learn."""

import json
import logging
from pathlib import Path

import pytest
import torch
from safetensors.torch import load_file

from marsad.config import Config
from marsad.documents import Document
from marsad.errors import AnnotationError, ConfigError, ModelError
from marsad.formats import conllup
from marsad.inference.predictor import Predictor
from marsad.training.train import train
from notation import annotated


def _changed(config: Config, **changes: object) -> Config:
    content = config.model_dump(mode="json", by_alias=True)
    for key, value in changes.items():
        if isinstance(value, dict):
            content[key] = {**content[key], **value}
        else:
            content[key] = value
    return Config.from_dict(content)


@pytest.fixture
def short(learn_by_heart: Config, tmp_path: Path) -> Config:
    """The same recipe for two epochs, in a run folder of its own."""
    return _changed(learn_by_heart, output=str(tmp_path / "run"), training={"num_train_epochs": 2})


def _weights(run: Path) -> dict[str, torch.Tensor]:
    weights: dict[str, torch.Tensor] = load_file(str(run / "model" / "model.safetensors"))
    return weights


def test_the_run_folder_holds_what_it_should(model: Path) -> None:
    run = model.parent
    assert {each.name for each in model.iterdir()} == {
        "README.md",
        "encoder",
        "marsad.json",
        "model.safetensors",
        "schema.yaml",
        "tokenizer.json",
    }
    assert Config.from_file(run / "config.yaml").output == run
    metrics = json.loads((run / "metrics.json").read_text(encoding="utf-8"))
    assert metrics["dev"]["entities"]["micro"]["f1"] > 0.9
    assert metrics["dev"]["relations_strict"]["micro"]["f1"] > 0.9
    assert set(metrics["dev"]["baselines"]) == {"frequent-tag", "gazetteer", "nearest-pair"}
    assert "relation_loss=" in (run / "train.log").read_text(encoding="utf-8")


def test_the_card_says_what_the_model_is_and_how_good(model: Path) -> None:
    card = (model / "README.md").read_text(encoding="utf-8")
    metrics = json.loads((model.parent / "metrics.json").read_text(encoding="utf-8"))
    assert f"{100 * metrics['dev']['entities']['micro']['f1']:.1f}" in card
    assert "ATTACKED_WITH" in card
    assert "epochs at most" in card
    baseline = metrics["dev"]["baselines"]["gazetteer"]["entities"]["micro"]["f1"]
    assert f"| dev | gazetteer | {100 * baseline:.1f} | " in card
    assert "| train | 27 |" in card
    assert "$" not in card


def test_the_same_seed_gives_the_same_weights(short: Config, tmp_path: Path) -> None:
    other = _changed(short, output=str(tmp_path / "other"))
    train(short)
    train(other)
    first, second = _weights(short.output), _weights(other.output)
    assert all(torch.equal(first[name], second[name]) for name in first)


def test_a_run_goes_on_from_its_last_checkpoint(short: Config, caplog: pytest.LogCaptureFixture) -> None:
    train(short)
    longer = _changed(short, training={"num_train_epochs": 3})
    with caplog.at_level(logging.WARNING):
        train(longer, resume=True)
    assert "training.num_train_epochs was 2 when this run was started, now it is 3" in caplog.text
    assert caplog.text.count("when this run was started") == 1
    with pytest.raises(ConfigError, match="holds a run already: --resume goes on with it, --overwrite replaces it"):
        train(longer)
    log = (short.output / "train.log").read_text(encoding="utf-8")
    assert log.count("eval_mean=") == 3


def test_dev_is_scored_every_so_many_updates_where_the_config_says_so(short: Config) -> None:
    train(_changed(short, training={"max_steps": 7, "eval_steps": 3}))
    log = (short.output / "train.log").read_text(encoding="utf-8").splitlines()
    assert [line.split()[1] for line in log if "eval_mean=" in line] == ["3", "6", "7"]  # and at the end
    assert "7 updates at most" in (short.output / "model" / "README.md").read_text(encoding="utf-8")


def test_there_must_be_a_checkpoint_to_go_on_from(short: Config) -> None:
    with pytest.raises(ConfigError, match="holds no checkpoint"):
        train(short, resume=True)


def test_articles_without_relations_are_trained_on(short: Config, tmp_path: Path) -> None:
    plain = tmp_path / "plain.conllup"
    conllup.write([annotated("زار {a:ACTOR الوزير} المدينة .", id="p1"), annotated("لا شيء هنا .", id="p2")], plain)
    train(_changed(short, data={"train": [str(plain)]}))
    assert all(bool(weight.isfinite().all()) for weight in _weights(short.output).values())


def test_entities_alone_are_no_evidence_against_relations(short: Config, tmp_path: Path) -> None:
    from marsad.modeling.settings import SpecialPieces
    from marsad.modeling.windows import Pieces
    from marsad.schema import Schema
    from marsad.training.dataset import WindowCollator, build_dataset

    schema = Schema.from_file(short.schema_path)
    text = "{a:ACTOR الجيش} قصف {b:LOCATION حلب}"
    alone, whole = annotated(text, annotated="entities"), annotated(text)
    pieces = Pieces(((5,), (6,), (7,)))
    special = SpecialPieces(before=(0,), after=(2,), pad=1, unknown=3)
    collator = WindowCollator(schema, special, negatives=None, seed=0)
    sizes = []
    for document in (alone, whole):  # an entity-only article gives no spans either: it must not thin the loss
        dataset, _ = build_dataset([(document, pieces)], schema, window_pieces=40, overlap=8)
        batch = collator(list(dataset))
        sizes.append((int((batch["tags"] > 0).sum()), len(batch["spans"]), len(batch["pairs"])))
    assert sizes == [(2, 0, 0), (2, 2, 1)]


def test_what_cannot_be_learnt_is_said_once(short: Config, tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    filler = " ".join(["كلمة"] * 300)
    far = annotated(f"{{a:ACTOR الجيش}} قصف . {filler} {{b:LOCATION حلب}}", "a ATTACKS b", id="far")
    conllup.write([far], tmp_path / "far.conllup")
    with caplog.at_level(logging.WARNING):
        train(_changed(short, data={"train": [str(tmp_path / "far.conllup")]}))
    text = caplog.text
    assert text.count("1 of 1 relations in train (100.0%) join mentions that no window holds") == 1
    assert "few examples in train (under 20), expect little of: ACTOR (1), ASSET (0)" in text


def test_data_that_is_not_there_is_named_by_its_key(short: Config) -> None:
    data = {"train": ["nowhere"], "dev": ["nor-here.conllup"]}
    with pytest.raises(
        ConfigError, match=r"data.train: nowhere does not exist\ndata.dev: nor-here.conllup does not exist"
    ):
        train(_changed(short, data=data))


def test_raw_reports_are_no_gold(short: Config, tmp_path: Path) -> None:
    (tmp_path / "raw.txt").write_text("قصف الجيش حلب", encoding="utf-8")
    with pytest.raises(AnnotationError, match=r"raw\.txt: nothing is annotated here"):
        train(_changed(short, data={"train": [str(tmp_path / "raw.txt")]}))


def test_an_article_in_two_splits_is_refused(short: Config, articles: list[Document], tmp_path: Path) -> None:
    conllup.write(articles[:1], tmp_path / "dev.conllup")
    with pytest.raises(AnnotationError, match="'learn-1' has the same text as 'learn-1', which is in another"):
        train(_changed(short, data={"dev": [str(tmp_path / "dev.conllup")]}))


def test_nothing_is_trained_on_broken_annotations(short: Config, tmp_path: Path) -> None:
    broken = tmp_path / "broken.conllup"
    broken.write_text(
        "# global.columns = ID FORM NER ENTITY RELATION MISC\n1\tكلمة\tI-ACTOR\tT1\t_\t_\n", encoding="utf-8"
    )
    with pytest.raises(AnnotationError, match=r"broken\.conllup:2: I-ACTOR"):
        train(_changed(short, data={"train": [str(broken)]}))
    assert not short.output.exists()


def test_an_encoder_that_is_not_there_is_named(short: Config) -> None:
    with pytest.raises(ModelError, match="encoder runs/nowhere: no model folder there; .*marsad encoder runs/nowhere"):
        train(_changed(short, encoder={"name": "runs/nowhere"}))
    with pytest.raises(ModelError, match="encoder 'someone/something' cannot be loaded"):
        train(_changed(short, encoder={"name": "someone/something"}))


def test_windows_wider_than_the_encoder_are_refused(short: Config) -> None:
    with pytest.raises(ConfigError, match="encoder.max_pieces is 4096"):
        train(_changed(short, encoder={"max_pieces": 4096}))


@pytest.mark.parametrize("pooling", ["first", "mean"])
@pytest.mark.parametrize("schema", ["minimal", "triggers"])
def test_any_schema_trains_and_predicts(short: Config, tmp_path: Path, schema: str, pooling: str) -> None:
    marked = {
        "minimal": (
            "{a:ACTOR الجيش} هاجم {b:ACTOR المسلحين} في {c:LOCATION حلب} .",
            ["a ATTACKS b", "b ATTACKED_AT c"],
        ),
        "triggers": (
            "{a:ORGANISATION الجيش} {t:ATTACK هاجم} {b:PERSON المسلحين} في {c:PLACE حلب} .",
            ["t ATTACKER a", "t TARGET b", "t IN c"],
        ),
    }
    text, relations = marked[schema]
    gold = annotated(text, *relations, id="one")
    again = annotated(f"{text} {text.replace('a:', 'e:').replace('b:', 'f:').replace('c:', 'g:').replace('t:', 'u:')}")
    conllup.write([gold], tmp_path / "train.conllup")
    conllup.write([again], tmp_path / "dev.conllup")
    config = _changed(
        short,
        schema=str(Path(__file__).parents[2] / "configs" / "schemas" / f"{schema}.yaml"),
        data={"train": [str(tmp_path / "train.conllup")], "dev": [str(tmp_path / "dev.conllup")]},
        encoder={"pooling": pooling},
    )
    report = train(config)
    assert report.entities.micro.support == 2 * len(gold.entities)
    predictor = Predictor.from_pretrained(config.output / "model", device="cpu")
    document = predictor.predict(gold.text)
    assert {each.type for each in document.entities} <= set(predictor.schema.entities)
    assert set(predictor.schema.event_roles) >= {role for event in document.events for role in event.roles}


@pytest.mark.parametrize("annotated_for", ["", "entities"])
def test_a_schema_without_relations_trains_a_tagger(short: Config, tmp_path: Path, annotated_for: str) -> None:
    (tmp_path / "schema.yaml").write_text("entities: {PERS: a person, LOC: a place}\n", encoding="utf-8")
    meta = {"annotated": annotated_for} if annotated_for else {}
    for split in ("train", "dev"):
        gold = annotated(f"زار {{a:PERS أحمد}} {{b:LOC صنعاء}} {split}", id=split, **meta)
        conllup.write([gold], tmp_path / f"{split}.conllup")
    data = {name: [str(tmp_path / f"{name}.conllup")] for name in ("train", "dev")}
    config = _changed(short, schema=str(tmp_path / "schema.yaml"), data=data)
    report = train(config)
    assert (report.entities.micro.support, report.relations_strict.micro.support) == (2, 0)
    document = Predictor.from_pretrained(config.output / "model", device="cpu").predict("زار أحمد صنعاء")
    assert document.relations == ()


def test_changed_copies_are_trained_on(short: Config, tmp_path: Path) -> None:
    text = "{a:ACTOR الجيش} هاجم {b:ACTOR الحركة}"
    conllup.write([annotated(text, "a ATTACKS b", id=str(number)) for number in range(4)], tmp_path / "a.conllup")
    data = {"train": [str(tmp_path / "a.conllup")]}
    steps = []
    kinds = ({}, {"exchange": ["ATTACKS"], "exchange_share": 1.0}, {"respelt_share": 0.5})
    for number, augmentation in enumerate(kinds):
        config = _changed(
            short,
            output=str(tmp_path / str(number)),
            data=data,
            augmentation=augmentation,
            training={"per_device_train_batch_size": 1, "num_train_epochs": 1},
        )
        train(config)
        history = json.loads((config.output / "metrics.json").read_text(encoding="utf-8"))["history"]
        steps.append(history[-1]["step"])
    assert steps == [4, 8, 6]


def test_exchange_is_for_relations_of_the_schema(short: Config) -> None:
    with pytest.raises(ConfigError, match=r"augmentation\.exchange: ATTACK is no relation of .*it has ATTACKS"):
        train(_changed(short, augmentation={"exchange": ["ATTACK"]}))


def test_scores_are_calibrated_on_dev_unless_told_otherwise(
    short: Config, articles: list[Document], tmp_path: Path
) -> None:
    documents = conllup.read(short.data.train[0])
    conllup.write(documents[:-6], tmp_path / "train.conllup")
    conllup.write(documents[-6:], tmp_path / "dev.conllup")
    dev = {"train": str(tmp_path / "train.conllup"), "dev": str(tmp_path / "dev.conllup")}
    train(_changed(short, data=dev))
    plain = _changed(short, data=dev, output=str(tmp_path / "plain"), calibrate=False)
    train(plain)
    calibrated = Predictor.from_pretrained(short.output / "model", device="cpu")
    bare = Predictor.from_pretrained(plain.output / "model", device="cpu")
    assert bare.folder.settings.calibration is None
    assert "probabilities as far as" in (short.output / "model" / "README.md").read_text(encoding="utf-8")
    assert "the network's own" in (plain.output / "model" / "README.md").read_text(encoding="utf-8")
    ours, theirs = calibrated.predict(articles[0].text), bare.predict(articles[0].text)
    assert [(each.type, each.start) for each in ours.entities] == [(each.type, each.start) for each in theirs.entities]
    assert [each.score for each in ours.entities] != [each.score for each in theirs.entities]
    assert calibrated.uncalibrated().predict(articles[0].text) == theirs
