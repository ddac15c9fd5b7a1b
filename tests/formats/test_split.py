"""`marsad split`: even, stable, and near-duplicates in one split."""

import json
import random
from collections import Counter
from pathlib import Path

import pytest

from marsad.cli import main
from marsad.documents import Document
from marsad.errors import AnnotationError, ConfigError, MarsadError
from marsad.formats import conllup
from marsad.formats.check import SPLITS, check_files
from marsad.formats.split import Shares, assign, near_duplicate_groups, split_files
from marsad.schema import Schema
from notation import annotated

SHARES = {"train": 0.8, "dev": 0.1, "test": 0.1}
HALVES: Shares = {"train": 0.5, "dev": 0.0, "test": 0.5}


def article(number: int, **meta: str) -> Document:
    """Return an article of 80 words that no other has."""
    return annotated(" ".join(f"كلمة{number}ن{word}" for word in range(80)), id=f"a{number}", **meta)


def corpus(count: int) -> list[Document]:
    genres, countries = ("wire", "post", "analysis"), ("SY", "IQ")
    return [article(n, genre=genres[n % 3], country=countries[n // 3 % 2]) for n in range(count)]


def assigned(
    documents: list[Document], placed: dict[str, str] | None = None, shares: Shares = SHARES
) -> dict[str, str]:
    groups = near_duplicate_groups(documents)
    return assign(documents, placed or {}, shares, groups, by=("genre", "country"))


def test_shares_hold_over_all_and_in_every_stratum() -> None:
    documents = corpus(120)
    chosen = assigned(documents)
    assert Counter(chosen.values()) == {"train": 96, "dev": 12, "test": 12}
    for key in ("genre", "country"):
        for value in {document.meta[key] for document in documents}:
            homes = Counter(chosen[document.id] for document in documents if document.meta[key] == value)
            assert abs(homes["dev"] - 0.1 * homes.total()) <= 1
            assert abs(homes["test"] - 0.1 * homes.total()) <= 1


def test_the_order_of_the_files_makes_no_difference_and_the_seed_does() -> None:
    documents = corpus(60)
    shuffled = random.Random(1).sample(documents, len(documents))
    assert assigned(documents) == assigned(shuffled)
    groups = near_duplicate_groups(documents)
    assert assign(documents, {}, SHARES, groups, seed=1) != assign(documents, {}, SHARES, groups, seed=2)


def test_additions_move_nothing_and_even_out_what_is_uneven() -> None:
    old = dict.fromkeys((f"a{number}" for number in range(50)), "train")
    chosen = assigned(corpus(60), old, {"train": 0.8, "dev": 0.1, "test": 0.1})
    assert {name: chosen[name] for name in old} == old
    assert Counter(chosen[f"a{number}"] for number in range(50, 60)) == {"dev": 5, "test": 5}


def test_near_duplicates_go_together_and_with_the_one_that_is_there() -> None:
    first = article(1)
    retold = annotated(first.text + " مع خاتمة أخرى", id="retold")
    third = annotated(retold.text + " وثالثة بعدها", id="third")
    documents = [first, article(2), retold, third, article(3)]
    assert [[each.id for each in group] for group in near_duplicate_groups(documents)] == [
        ["a1", "retold", "third"],
        ["a2"],
        ["a3"],
    ]
    chosen = assigned(documents, {"third": "test"}, HALVES)
    assert {chosen[name] for name in ("a1", "retold", "third")} == {"test"}
    # Where it is in two splits already, only training can take it without spoiling a score.
    chosen = assigned(documents, {"third": "test", "a1": "train"}, HALVES)
    assert chosen["retold"] == "train"


@pytest.fixture
def new(tmp_path: Path) -> Path:
    """Twenty articles that are in no split yet, in one file."""
    (tmp_path / "new").mkdir()
    conllup.write(corpus(20), tmp_path / "new" / "articles.conllup")
    return tmp_path / "new"


def files(folder: Path) -> dict[str, str]:
    return {path.stem: path.parent.name for path in folder.rglob("*.conllup") if path.parent.name in SPLITS}


def test_articles_are_filed_one_a_file_and_stay_where_they_are(new: Path, tmp_path: Path, schema: Schema) -> None:
    done = split_files([new], tmp_path / "out", SHARES, by=["genre"], schema=schema)
    before = files(tmp_path / "out")
    assert len(done.files) == len(before) == 20
    assert Counter(before.values()) == {"train": 16, "dev": 2, "test": 2} == done.counts["all"]
    assert check_files([tmp_path / "out"], schema)[2] == []
    # What is filed already is passed over, also where it is named again.
    again = split_files([tmp_path / "out"], tmp_path / "out", SHARES, by=["genre"], schema=schema)
    assert again.files == ()
    conllup.write([article(99, genre="post")], tmp_path / "more.conllup")
    split_files([tmp_path / "more.conllup"], tmp_path / "out", SHARES, by=["genre"], schema=schema)
    after = files(tmp_path / "out")
    assert len(after) == 21
    assert before.items() <= after.items()


def test_an_id_that_is_taken_is_refused_and_nothing_is_written(new: Path, tmp_path: Path) -> None:
    split_files([new], tmp_path / "out", SHARES)
    before = files(tmp_path / "out")
    conllup.write([article(50), annotated("نص آخر", id="a7")], tmp_path / "more.conllup")
    with pytest.raises(AnnotationError, match=r"more\.conllup: document id 'a7' is used twice, first in .*a7\.conllup"):
        split_files([tmp_path / "more.conllup"], tmp_path / "out", SHARES)
    assert files(tmp_path / "out") == before


def test_what_is_filed_is_passed_over_and_never_filed_twice(new: Path, tmp_path: Path) -> None:
    split_files([new], tmp_path / "out", SHARES)
    conllup.write([*corpus(20), article(99)], new / "articles.conllup")
    assert [each.stem for each in split_files([new], tmp_path / "out", SHARES).files] == ["a99"]
    changed = annotated(corpus(20)[3].text.replace("كلمة3ن0", "{a:ACTOR كلمة3ن0}", 1), id="a3")
    conllup.write([changed], tmp_path / "changed.conllup")
    with pytest.raises(AnnotationError, match=r"'a3' is filed as .*a3\.conllup, annotated otherwise: correct it there"):
        split_files([tmp_path / "changed.conllup"], tmp_path / "out", SHARES)


def test_short_texts_go_together_where_they_are_equal(tmp_path: Path) -> None:
    conllup.write([annotated("عاد {a:ACTOR الجيش} .", id=f"p{n}") for n in range(10)], tmp_path / "posts.conllup")
    split_files([tmp_path / "posts.conllup"], tmp_path / "out", SHARES)
    assert len(set(files(tmp_path / "out").values())) == 1


def test_what_has_no_place_in_a_corpus_is_refused(tmp_path: Path) -> None:
    conllup.write([annotated("{a:ACTOR الجيش}", id="../../evil")], tmp_path / "a.conllup")
    (tmp_path / "raw.txt").write_text("عاد", encoding="utf-8")
    (tmp_path / "out").mkdir()
    conllup.write([article(1)], tmp_path / "out" / "loose.conllup")
    for name, message in (
        ("a.conllup", "cannot be a file's name"),
        ("raw.txt", "nothing is annotated here"),
        ("out/loose.conllup", "in none of its splits: keep what is not filed yet outside"),
    ):
        with pytest.raises(AnnotationError, match=message):
            split_files([tmp_path / name], tmp_path / "out", SHARES)
    assert not list(tmp_path.rglob("evil*"))


def test_a_share_of_nothing_gets_nothing(new: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        main(["split", str(new), "-o", str(tmp_path / "out"), "--dev", "0.7", "--test", "0.3"])
    assert Counter(files(tmp_path / "out").values()) == {"dev": 14, "test": 6}
    assert capsys.readouterr().err.startswith("20 new articles")


def test_a_split_may_be_a_link(new: Path, tmp_path: Path, schema: Schema) -> None:
    (tmp_path / "store").mkdir()
    (tmp_path / "out").mkdir()
    conllup.write([article(50)], tmp_path / "store" / "a50.conllup")
    (tmp_path / "out" / "test").symlink_to(tmp_path / "store")
    assert split_files([new], tmp_path / "out", SHARES).counts["all"]["test"] == 2
    assert check_files([tmp_path / "out"], schema)[2] == []


@pytest.mark.parametrize("shares", [{"train": 0.9, "dev": 0.2, "test": -0.1}, {"train": 0.5, "dev": 0.1, "test": 0.1}])
def test_shares_that_do_not_add_up_are_refused(new: Path, tmp_path: Path, shares: Shares) -> None:
    with pytest.raises(ConfigError, match=r"the shares are train 0\.\d.*add up to 1"):
        split_files([new], tmp_path / "out", shares)
    with pytest.raises(MarsadError, match="gone does not exist"):
        split_files([tmp_path / "gone"], tmp_path / "out", SHARES)


def test_the_command_prints_what_went_where(new: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        main(["split", str(new), "-o", str(tmp_path / "out"), "--by", "genre, country", "--dev", "0.2"])
    out, err = capsys.readouterr()
    rows = {line[:40].strip(): line[40:].split() for line in out.splitlines()}
    assert (rows[""], rows["all"]) == (["train", "dev", "test"], ["14", "4", "2"])
    assert "genre = wire" in rows
    assert "20 new articles" in err
    with pytest.raises(SystemExit):
        main(["split", str(new), "-o", str(tmp_path / "json"), "--json"])
    assert len(json.loads(capsys.readouterr().out)["files"]) == 20
