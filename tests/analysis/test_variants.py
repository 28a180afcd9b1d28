import pytest
import torch

from stvae_lib import weights
from stvae_lib.analysis import variants
from stvae_lib.model.codes import StyleCode
from stvae_lib.pictures import styles


@pytest.fixture(scope="module")
def model():
    return weights.load("vgg19-slim-paper", "cpu")


@pytest.fixture(scope="module")
def codes(model):
    return [model.encode_style(styles.generate(kind, 64, 0)) for kind in ("mosaic", "woodcut", "marbling")]


def test_a_collapsed_latent_is_told_from_a_living_one(model, codes):
    dead = [variants.collapsed(code) for code in codes]
    assert variants.distinctness(dead) == [0, 0, 0] and variants.moved_by_z(model, dead, dead[::-1]) == [0, 0, 0]
    assert min(variants.moved_by_z(model, codes, codes[1:] + codes[:1])) > 0.01
    far = [StyleCode(torch.tensor([[sign * 2.0, 0.0]]), torch.zeros(1, 2)) for sign in (-1, 1)]
    assert variants.distinctness(far) == pytest.approx([2**0.5] * 2)


def test_samples_differ_as_much_as_their_noise(model, codes):
    content = styles.generate("mosaic", 64, 1)

    def spread(noise):
        generator = torch.Generator().manual_seed(0)
        return variants.spread(variants.samples(model, content, variants.scaled(codes[0], noise), 3, generator))

    assert 0 < spread(0.1) < spread(1.0) / 3
    assert variants.distinctness([variants.scaled(code, 5) for code in codes]) == pytest.approx(
        [value / 5 for value in variants.distinctness(codes)])
