"""The folder of an embedded encoder: its record, its check, its card, and how it comes to its place whole.

A folder is written beside its final place and renamed at the end, so one that exists is complete. Its record,
`marsad_encoder.json`, says how it was built; a folder with any other content is never written over.
"""

import json
import tempfile
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from tokenizers import Tokenizer

from marsad.errors import ModelError
from marsad.modeling.embedded.vocabulary import BOS, EOS, MASK, PAD, UNK

if TYPE_CHECKING:
    import torch
    from transformers import BertModel

RECORD = "marsad_encoder.json"
_FILES = (RECORD, "config.json", "model.safetensors", "tokenizer.json", "tokenizer_config.json", "README.md")
PREFIX = "query: "
# Two ways to say the same thing, on one topic a line.
_PARAPHRASES = (
    ("قُتل ثلاثة جنود في هجوم على حاجز عسكري", "سقط ثلاثة عسكريين قتلى إثر اعتداء استهدف نقطة تفتيش للجيش"),
    ("ارتفعت أسعار النفط في الأسواق العالمية", "سجل سعر برميل الخام صعوداً في التداولات الدولية"),
    ("فاز المنتخب بالمباراة النهائية وتوج بالكأس", "توج الفريق الوطني بطلاً بعد فوزه في اللقاء الختامي"),
    ("اجتاحت السيول شوارع المدينة بعد أمطار غزيرة", "فيضانات تغمر الطرقات إثر هطول المطر بكثافة"),
    ("افتتح الوزير مستشفى جديداً للأطفال", "دشن وزير الصحة مشفى حديثاً لعلاج الصغار"),
)


def is_built(out: Path, request: Mapping[str, Any]) -> bool:
    """Tell whether `out` holds the encoder that `request` describes. Raises `ModelError` if it holds anything else."""
    if not out.exists() or (out.is_dir() and not any(out.iterdir())):
        return False
    if not out.is_dir():
        raise ModelError(f"{out} is a file: name a folder for the encoder")
    differences = [f"{key} {_recorded(out).get(key)!r}" for key in request if _recorded(out).get(key) != request[key]]
    missing = [name for name in _FILES if not (out / name).is_file()]
    if differences and RECORD not in missing:
        wanted = ", ".join(f"{key} {request[key]!r}" for key in request if _recorded(out).get(key) != request[key])
        raise ModelError(f"{out} holds an encoder of {', '.join(differences)}, not {wanted}: {_WAY_OUT}")
    if missing:
        raise ModelError(f"{out} holds something else than an embedded encoder (no {', '.join(missing)}): {_WAY_OUT}")
    return True


_WAY_OUT = "name another folder, or delete this one first"


def _recorded(out: Path) -> dict[str, Any]:
    try:
        record = json.loads((out / RECORD).read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return {}
    return record if isinstance(record, dict) else {}


def write(out: Path, model: "BertModel", tokenizer: Tokenizer, record: Mapping[str, Any], card: str) -> Path:
    """Write model, tokenizer, record and card beside `out`, then move them there. Returns `out`."""
    out.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=out.parent, prefix=f".{out.name}-") as parent:
        folder = Path(parent) / "encoder"
        folder.mkdir()
        model.save_pretrained(folder)
        # safetensors writes for the owner only; an encoder is for everyone who may read the folder.
        (folder / "model.safetensors").chmod((folder / "config.json").stat().st_mode)
        _save_tokenizer(folder, tokenizer, model.config.max_position_embeddings)
        (folder / "README.md").write_text(card, encoding="utf-8")
        _write_json(folder / RECORD, record)
        if out.exists():
            out.rmdir()  # empty, as `is_built` found
        folder.rename(out)
    return out


def _save_tokenizer(folder: Path, tokenizer: Tokenizer, max_length: int) -> None:
    from transformers import PreTrainedTokenizerFast

    wrapper: Any = PreTrainedTokenizerFast
    wrapper(
        tokenizer_object=tokenizer,
        bos_token=BOS,
        cls_token=BOS,
        eos_token=EOS,
        sep_token=EOS,
        unk_token=UNK,
        pad_token=PAD,
        mask_token=MASK,
        model_max_length=max_length,
        model_input_names=["input_ids", "attention_mask"],
        clean_up_tokenization_spaces=False,
    ).save_pretrained(folder)
    # transformers 5 writes `TokenizersBackend`, its new name of this class. Both releases load the old name, and
    # load it for what it is: without one, a BERT model would get BERT's own tokenizer.
    path = folder / "tokenizer_config.json"
    _write_json(path, json.loads(path.read_text(encoding="utf-8")) | {"tokenizer_class": "PreTrainedTokenizerFast"})


def _write_json(path: Path, content: Mapping[str, Any]) -> None:
    path.write_text(json.dumps(content, ensure_ascii=False, indent=2) + "\n", encoding="utf-8")


def embed(model: "BertModel", tokenizer: Tokenizer, texts: Sequence[str]) -> "torch.Tensor":
    """Return the embeddings of `texts` as e5 has them, `(N, D)`: prefix, mean over pieces, length one."""
    import torch

    rows = []
    with torch.inference_mode():
        for text in texts:
            ids = torch.tensor([tokenizer.encode(PREFIX + text).ids])  # (1, P)
            rows.append(model(input_ids=ids, attention_mask=torch.ones_like(ids)).last_hidden_state.mean(dim=1)[0])
    return torch.nn.functional.normalize(torch.stack(rows), dim=-1)


def check(model: "BertModel", tokenizer: Tokenizer) -> dict[str, float]:
    """Check that sentences of like meaning are closer than unlike ones, and return the cosines that show it.

    Raises `ModelError` if a sentence has its own paraphrase further away than another's: the weights or the tokenizer
    are then not what they should be.
    """
    import torch

    first, second = (embed(model, tokenizer, side) for side in zip(*_PARAPHRASES, strict=True))
    cosines = first @ second.T  # (N, N), paraphrases on the diagonal
    like = cosines.diagonal()
    unlike = cosines[~torch.eye(len(cosines), dtype=torch.bool)]
    others = cosines - 2 * torch.diag(torch.ones_like(like))
    if bool((like <= torch.maximum(others.amax(dim=0), others.amax(dim=1))).any()):
        raise ModelError(
            f"the encoder does not tell meanings apart (cosines of paraphrases {_rounded(like)}, of other sentences "
            f"up to {unlike.max():.3f}), so its weights are not what they should be: build from another source"
        )
    figures = {
        "like_mean": like.mean(),
        "like_min": like.min(),
        "unlike_mean": unlike.mean(),
        "unlike_max": unlike.max(),
    }
    return {name: round(float(value), 4) for name, value in figures.items()}


def _rounded(values: "torch.Tensor") -> str:
    return ", ".join(f"{float(value):.3f}" for value in values)
