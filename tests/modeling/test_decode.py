"""Decoding: the best legal tags of any scores, and relations by their thresholds."""

import math
from itertools import pairwise, product

import numpy as np
import pytest

from marsad.documents import Entity
from marsad.formats.conll import tags_of
from marsad.modeling.decode import best_path, entities, relations
from marsad.schema import Schema

TAGS = ("O", "B-ACTOR", "I-ACTOR", "B-PLACE", "I-PLACE")


@pytest.fixture(scope="module")
def small() -> Schema:
    return Schema.from_dict(
        {
            "entities": {"ACTOR": "", "PLACE": ""},
            "relations": {
                "HITS": {"head": ["ACTOR"], "tail": ["ACTOR", "PLACE"]},
                "IN": {"head": ["ACTOR"], "tail": ["PLACE"]},
            },
        }
    )


def is_legal(path: tuple[int, ...]) -> bool:
    names = ["O", *(TAGS[tag] for tag in path)]
    return all(name[0] != "I" or before[1:] == name[1:] for before, name in pairwise(names))


def random_log_probs(rng: np.random.Generator, num_words: int, num_tags: int = 5, sharpness: float = 2.0) -> np.ndarray:
    logits = rng.normal(size=(num_words, num_tags)) * sharpness
    return (logits - np.log(np.exp(logits).sum(1, keepdims=True))).astype(np.float32)


def logs(*words: str) -> np.ndarray:
    """Log probabilities of words given as `0.1 0.6 0.3 0 0`, in the order of TAGS."""
    with np.errstate(divide="ignore"):
        return np.log(np.array([[float(each) for each in word.split()] for word in words], dtype=np.float32))


@pytest.mark.parametrize("num_words", [1, 2, 3, 4, 5])
def test_the_path_is_the_best_of_all_legal_ones(num_words: int) -> None:
    rng = np.random.default_rng(num_words)
    legal = np.array([path for path in product(range(5), repeat=num_words) if is_legal(path)])
    for _ in range(60):
        log_probs = random_log_probs(rng, num_words)
        totals = log_probs.astype(np.float64)[np.arange(num_words), legal].sum(1)
        path = best_path(log_probs)
        assert is_legal(tuple(path))
        assert sum(float(row[tag]) for row, tag in zip(log_probs, path, strict=True)) == pytest.approx(totals.max())


def test_no_words_have_no_path() -> None:
    assert best_path(np.zeros((0, 5), dtype=np.float32)) == []


def test_a_schema_with_one_type_and_one_word_decodes() -> None:
    assert best_path(np.log(np.array([[0.2, 0.1, 0.7]]))) == [0]


@pytest.mark.parametrize(
    "rows",
    [
        ["0 0 1 0 0"],
        ["0 0 1 0 0", "0 0 1 0 0"],
        ["1 0 0 0 0", "0 0 0 0 1", "1 0 0 0 0"],
        ["0 1 0 0 0", "0 0 0 0 1"],
    ],
)
def test_impossible_scores_still_give_a_legal_path(rows: list[str]) -> None:
    assert is_legal(tuple(best_path(logs(*rows))))


@pytest.mark.parametrize(
    ("rows", "expected"),
    [
        # I- without B-: the whole mention begins where its evidence does, or not at all.
        (["0.1 0.3 0.6 0 0", "0.1 0.1 0.8 0 0"], "ACTOR 0 2"),
        (["0.5 0.1 0.4 0 0"], ""),
        # I- of another type neither continues nor starts a mention.
        (["0.1 0.9 0 0 0", "0.3 0 0.1 0 0.6"], "ACTOR 0 1"),
        # B- after B- starts a new mention of the same type.
        (["0 1 0 0 0", "0 1 0 0 0"], "ACTOR 0 1, ACTOR 1 2"),
        (["0 1 0 0 0", "0 0 1 0 0", "0 0 0 1 0", "0 0 0 0 1"], "ACTOR 0 2, PLACE 2 4"),
        (["1 0 0 0 0", "1 0 0 0 0"], ""),
        # The mention ends with the last word.
        (["1 0 0 0 0", "0 0 0 1 0"], "PLACE 1 2"),
    ],
)
def test_entities_are_the_runs_of_the_best_path(small: Schema, rows: list[str], expected: str) -> None:
    found = entities(logs(*rows), [(0, len(rows))], small)
    assert ", ".join(f"{each.type} {each.start} {each.end}" for each in found) == expected


def test_an_entity_stops_at_the_end_of_its_sentence(small: Schema) -> None:
    rows = logs("0 1 0 0 0", "0.1 0.2 0.7 0 0", "0.05 0.05 0.9 0 0", "0.1 0.2 0.7 0 0")
    assert [(each.start, each.end) for each in entities(rows, [(0, 4)], small)] == [(0, 4)]
    assert [(each.start, each.end) for each in entities(rows, [(0, 2), (2, 4)], small)] == [(0, 2), (2, 4)]


def test_random_scores_never_break_iob2_or_sentences(schema: Schema) -> None:
    rng = np.random.default_rng(11)
    for _ in range(100):
        num_words = int(rng.integers(1, 15))
        cuts = sorted({0, num_words, *rng.integers(0, num_words, 3).tolist()})
        sentences = list(pairwise(cuts))
        log_probs = random_log_probs(rng, num_words, len(schema.tags), sharpness=1.0)
        found = entities(log_probs, sentences, schema)
        for start, end in sentences:
            inside = [each for each in found if each.start < end and each.end > start]
            assert all(start <= each.start and each.end <= end for each in inside)
            path = best_path(log_probs[start:end])
            assert tags_of(found, num_words)[start:end] == [schema.tags[tag] for tag in path]
        assert all(0 < each.score <= 1 for each in found)


def test_a_score_is_the_geometric_mean_of_the_tag_probabilities(small: Schema) -> None:
    found = entities(logs("0.2 0.8 0 0 0", "0.4 0 0.6 0 0", "0.1 0 0 0.9 0"), [(0, 3)], small)
    assert [each.score for each in found] == pytest.approx([math.sqrt(0.8 * 0.6), 0.9])


def test_rounding_above_one_is_no_error(small: Schema) -> None:
    (entity,) = entities(np.array([[-9.0, 1e-6, -9.0, -9.0, -9.0]], dtype=np.float32), [(0, 1)], small)
    assert entity.score == 1.0


@pytest.mark.parametrize("scale", [1e-3, 1e3])
def test_half_precision_scores_are_decoded_like_full_ones(scale: float) -> None:
    rng = np.random.default_rng(4)
    log_probs = (random_log_probs(rng, 300) * scale).astype(np.float16)
    assert best_path(log_probs) == best_path(log_probs.astype(np.float64))


FOUND = [Entity("ACTOR", 0, 1), Entity("ACTOR", 1, 2), Entity("PLACE", 2, 3)]
PAIRS = [(0, 1), (0, 2), (1, 0), (1, 2)]


@pytest.mark.parametrize(
    ("scores", "thresholds", "expected"),
    [
        # A row a pair: 01 02 10 12; columns HITS, IN.
        ("0.9 0 | 0 0 | 0 0 | 0 0", (0.5, 0.5), "HITS 0 1"),
        ("0 0 | 0.6 0.6 | 0 0 | 0 0", (0.5, 0.5), "HITS 0 2, IN 0 2"),
        ("0 0 | 0.6 0.6 | 0 0 | 0 0", (0.7, 0.5), "IN 0 2"),
        ("0 0 | 0.6 0.6 | 0 0 | 0 0", (0.5, 0.7), "HITS 0 2"),
        ("0.5 0 | 0 0 | 0 0 | 0 0.25", (0.5, 0.25), "HITS 0 1, IN 1 2"),
        ("0.9 0 | 0 0 | 0.9 0 | 0 0", (0.5, 0.5), "HITS 0 1, HITS 1 0"),
        # IN joins no two actors, however sure the network is.
        ("0.9 1 | 0 0 | 0 1 | 0 0", (0.5, 0.5), "HITS 0 1"),
        ("0 0 | 0 0 | 0 0 | 0 0", (0.5, 0.5), ""),
    ],
)
def test_relations_reach_the_threshold_of_their_type(
    small: Schema, scores: str, thresholds: tuple[float, float], expected: str
) -> None:
    rows = np.array([[float(each) for each in row.split()] for row in scores.split("|")], dtype=np.float32)
    kept = relations(rows, PAIRS, FOUND, small, thresholds)
    assert ", ".join(f"{each.type} {each.head} {each.tail}" for each in kept) == expected


def test_a_relation_carries_its_probability_and_never_more_than_one(small: Schema) -> None:
    rows = np.array([[0.75, 0.0], [1.0000001, 0.0]], dtype=np.float32)
    assert [each.score for each in relations(rows, PAIRS[:2], FOUND, small, (0.5, 0.5))] == [0.75, 1.0]


def test_the_order_of_pairs_does_not_change_the_relations(small: Schema) -> None:
    rows = np.random.default_rng(0).random((4, 2)).astype(np.float32)
    turned = relations(rows[::-1], PAIRS[::-1], FOUND, small, (0.1, 0.1))
    assert turned == relations(rows, PAIRS, FOUND, small, (0.1, 0.1))


def test_no_pairs_and_no_relation_types_give_no_relations(small: Schema) -> None:
    bare = Schema.from_dict({"entities": {"ACTOR": "", "PLACE": ""}})
    assert relations(np.zeros((0, 2), dtype=np.float32), [], [], small, (0.5, 0.5)) == []
    assert relations(np.zeros((4, 0), dtype=np.float32), PAIRS, FOUND, bare, ()) == []
