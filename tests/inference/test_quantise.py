"""Which products of an exported model are rounded the finer way."""

from pathlib import Path

import torch

from marsad import Document
from marsad.inference import quantise
from marsad.modeling.folder import load_extractor
from marsad.modeling.settings import read_folder

LAYER = "encoder.encoder.layer.0.attention"


def test_a_product_with_one_large_input_is_done_the_finer_way(model: Path, articles: list[Document]) -> None:
    folder = read_folder(model)
    batch = quantise.sample(folder, articles)[0]
    extractor = load_extractor(folder).eval()
    product = f"{LAYER}.output.dense"
    before = quantise.divergences(extractor, batch, [product])[product]
    with torch.no_grad():
        # The same function, but for one input of the product that is now a thousand times larger than the others.
        extractor.get_submodule(f"{LAYER}.self.value").weight[0] *= 1000
        extractor.get_submodule(f"{LAYER}.self.value").bias[0] *= 1000
        extractor.get_submodule(product).weight[:, 0] /= 1000
    after = quantise.divergences(extractor, batch, [product, f"{LAYER}.self.key"])
    assert after[product] > 10 * before
    assert max(after, key=lambda name: after[name]) == product


def test_looking_for_them_leaves_the_model_as_it_was(model: Path, articles: list[Document]) -> None:
    folder = read_folder(model)
    batch = quantise.sample(folder, articles)[0]
    extractor = load_extractor(folder).eval()
    weights = {name: each.clone() for name, each in extractor.state_dict().items()}
    first = quantise.divergences(extractor, batch, [f"{LAYER}.self.key"])
    assert quantise.divergences(extractor, batch, [f"{LAYER}.self.key"]) == first
    assert all(torch.equal(each, weights[name]) for name, each in extractor.state_dict().items())
