"""A style's modulation of a decoder's hidden layers, plain and normalised."""

from dataclasses import replace

import pytest
import torch

from stvae_lib.model.backbones.modulation import Modulation
from stvae_lib.model.backbones.resnet import ResNetDecoder
from stvae_lib.model.backbones.vgg import VGGDecoder
from stvae_lib.model.style_statistic import HiddenMoments, Modulator
from stvae_lib.statistics import moments


def nothing(decoder, normalised=False) -> Modulation:
    return Modulation([(torch.zeros(1, count), torch.zeros(1, count)) for count in decoder.hidden_widths], normalised)


@pytest.mark.parametrize("decoder", [VGGDecoder(), ResNetDecoder()])
def test_a_modulation_of_zero_changes_nothing_and_gamma_scales(decoder):
    features = torch.rand(1, 128, 4, 4)
    assert torch.equal(decoder(features), decoder(features, nothing(decoder)))
    doubled = nothing(decoder).change(lambda value: value + 1)
    assert not torch.allclose(decoder(features), decoder(features, doubled))


def test_a_normalised_layer_has_the_statistics_it_is_given():
    hidden = 3 + 5 * torch.randn(2, 8, 16, 16)
    gamma, beta = torch.rand(2, 8), torch.randn(2, 8)
    mean, deviation = moments(Modulation([(gamma, beta)], normalised=True)(hidden, 0))
    assert torch.allclose(mean, beta, atol=1e-4) and torch.allclose(deviation, 1 + gamma, atol=1e-3)


@pytest.mark.parametrize("normalised", [False, True])
def test_strength_is_linear_from_the_layer_as_it_is(normalised):
    hidden = torch.randn(1, 8, 6, 6)
    full = Modulation([(torch.rand(1, 8), torch.randn(1, 8))], normalised)
    half = replace(full, strength=0.5)(hidden, 0)
    assert torch.equal(replace(full, strength=0.0)(hidden, 0), hidden)
    assert torch.allclose(half, (hidden + full(hidden, 0)) / 2, atol=1e-5)


def test_maps_that_are_constant_are_what_a_pair_is():
    hidden, gamma, beta = torch.randn(1, 8, 12, 12), torch.rand(1, 8), torch.randn(1, 8)
    pair = Modulation([(gamma, beta)], normalised=True)
    maps = pair.change(lambda value: value[:, :, None, None].expand(-1, -1, 3, 3))
    assert torch.allclose(pair(hidden, 0), maps(hidden, 0), atol=1e-5)


def test_a_modulator_starts_at_the_moments_of_the_decoder_drawing_the_style():
    torch.manual_seed(0)
    decoder, features, statistic = VGGDecoder(), torch.rand(40, 128, 4, 4), torch.randn(40, 20)
    features = (2 + statistic[:, :1, None, None]) * features + statistic[:, 1:2, None, None]  # moments follow the statistic
    recorded = HiddenMoments()
    plain = decoder(features, recorded)
    assert torch.equal(plain, decoder(features))
    means, deviations = (torch.cat([row[part] for row in recorded.rows], dim=1) for part in (0, 1))
    modulator = Modulator(20, decoder.hidden_widths, normalised=True)
    modulator.start_at(statistic, means, deviations)
    found = modulator(statistic)
    gamma, beta = (torch.cat([pair[part] for pair in found.pairs], dim=1) for part in (0, 1))
    assert (beta - means).square().mean() < 0.1 * means.var(0).mean()
    assert (1 + gamma - deviations).square().mean() < 0.1 * deviations.var(0).mean()
