"""The predictor: any text in, documents with offsets, scores, relations and events out."""

import itertools
import json
import os
import random
import shutil
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import pytest

from any_string import check_prediction, generate
from marsad import words
from marsad.documents import Document, Word
from marsad.errors import AnnotationError, ModelError
from marsad.evaluation.scoring import score_predictor
from marsad.events import assemble
from marsad.inference.predictor import Predictor
from marsad.modeling.settings import read_folder
from notation import annotated


def _shape(document: Document) -> tuple[object, ...]:
    entities = [(each.type, each.start, each.end) for each in document.entities]
    return entities, [(each.type, each.head, each.tail) for each in document.relations], document.events


def test_what_was_learnt_comes_back(predictor: Predictor, articles: list[Document]) -> None:
    for article in articles:
        predicted = predictor.predict(article.without_annotations())
        found = {(each.type, predicted.surface(each)) for each in predicted.entities}
        assert found == {(each.type, article.surface(each)) for each in article.entities}
        assert {(each.type, each.head, each.tail) for each in predicted.relations} == {
            (each.type, each.head, each.tail) for each in article.relations
        }
        assert predicted.events == tuple(assemble(predicted, predictor.schema))


def test_a_text_and_its_document_are_read_alike(predictor: Predictor, articles: list[Document]) -> None:
    text = articles[0].text
    assert _shape(predictor.predict(text)) == _shape(predictor.predict(articles[0].without_annotations()))


def test_a_batch_equals_one_by_one(predictor: Predictor, articles: list[Document]) -> None:
    rng = random.Random(5)
    texts = [" ".join(rng.choices([a.text for a in articles], k=rng.randint(1, 40))) for _ in range(12)]
    together = predictor.predict(texts)
    for text, batched in zip(texts, together, strict=True):
        alone = predictor.predict(text)
        assert [(each.type, each.start, each.end) for each in alone.entities] == [
            (each.type, each.start, each.end) for each in batched.entities
        ]
        for first, second in zip(alone.entities + alone.relations, batched.entities + batched.relations, strict=True):
            assert first.score == pytest.approx(second.score, abs=1e-5)


def test_any_string_is_ordinary_input(predictor: Predictor) -> None:
    texts = list(generate(2000, seed=11))
    for text, document in zip(texts, predictor.predict(texts), strict=True):
        check_prediction(text, document)


@pytest.mark.parametrize(
    "text", ["", " \n ", "🔴", "\u0651", "ـ", "ﷺ ﻻ", "\u200f", "Reuters رويترز 2024", "ا" * 5000, "👨‍👩‍👧"]
)
def test_odd_texts_get_a_document(predictor: Predictor, text: str) -> None:
    document = predictor.predict(text)
    assert (document.text, len(document.words)) == (text, len(words.split(text)))


def test_twenty_thousand_words_are_read_to_the_end(predictor: Predictor, articles: list[Document]) -> None:
    text = "\n".join([articles[0].text] * 2500)
    document = predictor.predict(text)
    assert len(document.words) == 20000
    last = [each for each in document.entities if each.start >= 19990]
    assert {each.type for each in last} >= {"ACTOR", "LOCATION"}
    assert document.events[-1].evidence == (2499,)


def test_a_document_keeps_its_own_words(predictor: Predictor) -> None:
    text = "وقصفتقوات الحكومة"
    own = [Word("وقصفت", 0, 5), Word("قوات", 5, 9), Word("الحكومة", 10, 17)]
    document = predictor.predict(Document("mine", text, own, meta={"country": "SY"}))
    assert (document.words, document.id, document.meta) == (tuple(own), "mine", {"country": "SY"})


def test_gold_entities_are_kept_and_get_relations(predictor: Predictor, articles: list[Document]) -> None:
    gold = replace(articles[0], relations=())
    document = predictor.predict(gold, entities="gold")
    assert document.entities == gold.entities
    assert {(each.type, each.head, each.tail) for each in document.relations} >= {("ATTACKS", 0, 1)}


def test_gold_entities_of_other_types_are_refused(predictor: Predictor) -> None:
    with pytest.raises(AnnotationError, match="document 'd' uses GHOST, which the model was not trained on"):
        predictor.predict(annotated("{a:GHOST شبح} هنا"), entities="gold")


def test_predictions_are_searched_for_relations_whatever_the_input_was(predictor: Predictor) -> None:
    assert predictor.predict(annotated("قصف", annotated="entities", genre="wire")).meta == {"genre": "wire"}


def test_an_endless_stream_of_empty_texts_is_read_as_it_comes(predictor: Predictor) -> None:
    assert next(predictor.stream(itertools.repeat(""))).words == ()


def test_a_stream_keeps_order_and_asks_for_no_more_than_it_needs(
    predictor: Predictor, articles: list[Document]
) -> None:
    taken = []

    def endless():
        number = 0
        while True:
            number += 1
            taken.append(number)
            yield replace(articles[0].without_annotations(), id=str(number))

    stream = predictor.stream(endless())
    assert [next(stream).id for _ in range(3)] == ["1", "2", "3"]
    assert len(taken) < 5000


def test_only_texts_and_documents_are_taken(predictor: Predictor) -> None:
    with pytest.raises(AnnotationError, match="input 2 is int: expected a text or a Document"):
        predictor.predict(["نص", 3])  # type: ignore[list-item]
    with pytest.raises(AnnotationError, match="the input is NoneType: expected a text, a Document or a list"):
        predictor.predict(None)  # type: ignore[call-overload]
    with pytest.raises(AnnotationError, match="entities is 'mine'"):
        predictor.predict("نص", entities="mine")  # type: ignore[call-overload]


def test_pairs_that_no_window_holds_are_counted(predictor: Predictor) -> None:
    filler = " ".join(["كلمة"] * 600)
    far = annotated(f"{{a:ACTOR الجيش}} {filler} {{b:LOCATION حلب}}")
    before = predictor.num_unscored_pairs
    predictor.predict(far, entities="gold")
    # ACTOR to LOCATION and LOCATION to LOCATION exist, LOCATION to ACTOR does not.
    assert predictor.num_unscored_pairs - before == 1


def test_a_report_says_which_gold_relations_no_window_holds(predictor: Predictor) -> None:
    filler = " ".join(["كلمة"] * 600)
    far = annotated(f"{{a:ACTOR الجيش}} {filler} {{b:LOCATION حلب}} {{c:DATE أمس}}", "a ATTACKS b", "b ATTACKED_ON c")
    (note,) = score_predictor(predictor, [far]).notes
    assert note == "1 of 2 gold relations join mentions too far apart for one window and cannot be found"
    near = annotated("{a:ACTOR الجيش} قصف {b:LOCATION حلب}", "a ATTACKS b")
    assert score_predictor(predictor, [near]).notes == ()


def test_a_model_is_the_same_from_another_directory_and_offline(
    model: Path, predictor: Predictor, articles: list[Document], tmp_path: Path
) -> None:
    moved = shutil.copytree(model, tmp_path / "elsewhere")
    code = (
        "import json, sys; from marsad import Predictor;"
        f"d = Predictor.from_pretrained({str(moved)!r}, device='cpu').predict(sys.stdin.read());"
        "print(json.dumps(d.to_dict()))"
    )
    environment = {**os.environ, "HF_HUB_OFFLINE": "1", "PYTHONIOENCODING": "utf-8"}
    result = subprocess.run(
        [sys.executable, "-c", code],
        input=articles[1].text.encode(),
        capture_output=True,
        check=True,
        cwd=tmp_path,
        env=environment,
    )
    there, here = Document.from_dict(json.loads(result.stdout)), predictor.predict(articles[1].text)
    assert _shape(replace(there, events=())) == _shape(replace(here, events=()))
    assert [each.score for each in there.entities] == pytest.approx([each.score for each in here.entities], abs=1e-5)


@pytest.mark.parametrize(
    ("breakage", "message"),
    [
        (lambda folder: (folder / "marsad.json").unlink(), "holds no marsad.json"),
        (lambda folder: (folder / "marsad.json").write_text("{"), "is damaged"),
        (lambda folder: (folder / "model.safetensors").unlink(), "model.safetensors is missing"),
        (lambda folder: (folder / "model.safetensors").write_bytes(b"x" * 100), "do not fit"),
        (lambda folder: (folder / "tokenizer.json").write_text("{}"), "cannot be read as a tokenizer"),
        (lambda folder: _edit(folder, format_version=99), "format_version is 99"),
        (lambda folder: _edit(folder, splitter_version=99), "splitter version 99"),
        (lambda folder: _edit(folder, thresholds={}), "thresholds lack ATTACKS"),
        (lambda folder: _edit_encoder(folder, auto_map={"AutoModel": "evil.Model"}), "auto_map"),
    ],
)
def test_a_folder_that_is_not_whole_says_so(model: Path, tmp_path: Path, breakage, message: str) -> None:
    folder = shutil.copytree(model, tmp_path / "broken")
    breakage(folder)
    with pytest.raises(ModelError, match=message):
        Predictor.from_pretrained(folder, device="cpu")


def _edit(folder: Path, **changes: object) -> None:
    file = folder / "marsad.json"
    file.write_text(json.dumps({**json.loads(file.read_text()), **changes}))


def _edit_encoder(folder: Path, **changes: object) -> None:
    file = folder / "encoder" / "config.json"
    file.write_text(json.dumps({**json.loads(file.read_text()), **changes}))


def test_a_run_folder_in_place_of_its_model_folder_is_hinted_at(model: Path) -> None:
    with pytest.raises(ModelError, match="try .*model"):
        read_folder(model.parent)


def test_an_unknown_device_or_backend_is_named(model: Path) -> None:
    with pytest.raises(ModelError, match="backend 'tpu' is none of"):
        Predictor.from_pretrained(model, backend="tpu")
    with pytest.raises(ModelError, match="device 'moon' cannot be used"):
        Predictor.from_pretrained(model, device="moon")


def test_bf16_finds_nearly_the_same(model: Path, articles: list[Document]) -> None:
    quick = Predictor.from_pretrained(model, device="cpu", backend="torch-bf16")
    exact = Predictor.from_pretrained(model, device="cpu")
    for article in articles:
        assert _shape(quick.predict(article.text))[0] == _shape(exact.predict(article.text))[0]
