"""Losses against independent float64 computations, published defaults, masks, scales and errors."""

import numpy as np
import pytest
import torch

from stvae_lib import InputError, weights
from stvae_lib.baselines import gatys as g
from stvae_lib.baselines import optimisation
from stvae_lib.losses import FeatureDistances
from stvae_lib.pictures.datasets import sample_photo
from stvae_lib.pictures.edges import sobel_edges
from stvae_lib.pictures.styles import generate

SHORT = {"iterations": 12}


@pytest.fixture(scope="module")
def network():
    return weights.loss_network()


@pytest.fixture(scope="module")
def pair():
    return sample_photo("chelsea", 64), generate("stained_glass", 64, 0)


def test_published_defaults():
    one, two = g.METHOD_1, g.METHOD_2
    assert (one.content_layer, one.content_weight, one.style_weight, one.tv_weight, one.tv_power) == (
        "relu5_2", 0.025, 1.0, 8.5e-5, 1.25)
    assert one.improved and one.style_layers == "all" and one.pooling == "max" and one.content_norm == "sum"
    assert one.iterations == 10 * 20 and one.init == "content"
    assert (two.content_layer, two.content_weight, two.style_weight, two.tv_weight, two.tv_power) == (
        "relu4_2", 5.0, 1e4, 1e-3, 1.0)
    assert two.style_layers == g.FIVE_LAYERS and two.pooling == "average" and two.content_norm == "root"
    assert two.iterations == 1000 and two.init == "content" and not two.improved


def exact_features(network, image, layers, pooling):
    network = weights.loss_network().double()
    found = network.features(image.double(), layers, pooling)
    return {name: g.PIXEL_UNITS * value[0].flatten(1).numpy() for name, value in found.items()}


@pytest.mark.parametrize("preset", [g.METHOD_1, g.METHOD_2], ids=["method 1", "method 2"])
def test_losses_agree_with_float64_numpy(preset, network, pair):
    content, style = pair
    image = (0.7 * content + 0.3 * torch.rand(content.shape, generator=torch.Generator().manual_seed(0)))
    objective = g.Objective(network, content, [style], [1.0], [None], None, preset)
    found = {name: float(value) for name, value in objective(image).items()}
    layers, deepest, pixels = objective.style_layers, objective.content_layer, content.shape[2] * content.shape[3]
    of = {name: exact_features(network, value, objective.layers, preset.pooling)
          for name, value in (("x", image), ("c", content), ("s", style))}
    losses = []
    for name in layers:
        shift, channels, positions = float(preset.improved), of["x"][name].shape[0], of["x"][name].shape[1]
        x, s = of["x"][name] - shift, of["s"][name] - shift
        error = 16 * ((x @ x.T - s @ s.T * (positions / s.shape[1])) ** 2).sum()
        losses.append(error / (4 * 9 * pixels**2 if preset.improved else 4 * (4 * channels) ** 2 * positions**2))
    if preset.improved:
        last = len(losses) - 1
        style_term = sum(loss / 2 ** (last - i) for i, loss in enumerate(losses[:last])) + losses[0] / 2**last
    else:
        style_term = sum(0.2 * loss for loss in losses) / 5
    error = 4 * ((of["x"][deepest] - of["c"][deepest]) ** 2).sum()
    channels, positions = 4 * of["x"][deepest].shape[0], of["x"][deepest].shape[1]
    content_term = error if preset.improved else error / (2 * np.sqrt(channels) * np.sqrt(positions))
    pixels255 = 255 * image[0].double().numpy()
    down, across = np.diff(pixels255, axis=1), np.diff(pixels255, axis=2)
    if preset.improved:
        variation = ((down[..., :-1] ** 2 + across[:, :-1] ** 2) ** 1.25).sum()
    else:
        variation = (down**2).mean() + (across**2).mean()
    assert found["content"] == pytest.approx(preset.content_weight * content_term, rel=1e-4)
    assert found["style"] == pytest.approx(preset.style_weight * style_term, rel=1e-3)
    assert found["variation"] == pytest.approx(preset.tv_weight * variation, rel=1e-4)


def test_gradients_agree_with_finite_differences():
    image = torch.rand(1, 3, 7, 8, dtype=torch.float64, requires_grad=True)
    assert torch.autograd.gradcheck(lambda x: optimisation.total_variation(x, 1.25), image)
    assert torch.autograd.gradcheck(lambda x: optimisation.total_variation(x, 1.0), image)
    assert torch.autograd.gradcheck(lambda x: sobel_edges(x).square().mean(), image)
    mask = torch.rand(1, 1, 7, 8, dtype=torch.float64)
    assert torch.autograd.gradcheck(lambda x: g.gram_matrix(x, 1.0, mask), image)
    for norm in g.CONTENT_NORMS:
        assert torch.autograd.gradcheck(lambda x, n=norm: g.content_loss(x, torch.zeros_like(x), n, 4.0, mask), image)


def test_sobel_edges_of_a_ramp_are_its_slope():
    ramp = torch.linspace(0, 1, 11).expand(1, 3, 9, 11)
    edges = sobel_edges(ramp)[..., 1:-1, 1:-1]
    torch.testing.assert_close(edges[:, 0], torch.full_like(edges[:, 0], 25.5), atol=1e-3, rtol=1e-4)
    torch.testing.assert_close(edges[:, 1], torch.zeros_like(edges[:, 1]), atol=1e-3, rtol=0)


@pytest.mark.parametrize("method", [g.method_1, g.method_2])
def test_both_methods_bring_the_style_closer(method, network, pair):
    content, style = pair
    distances = FeatureDistances(network).calibrate([content, style])
    image, history = method(content, style, network, iterations=60, snapshots=(1, 10))
    before, after = (float(distances.between(x, content, style)["style"]) for x in (content, image))
    assert after < 0.6 * before and image.shape == content.shape and set(history.snapshots) == {1, 10}
    again, _ = method(content, style, network, iterations=60)
    torch.testing.assert_close(image, again, atol=1e-4, rtol=0)


def test_edge_regularisation_keeps_the_contents_edges(network, pair):
    content, style = pair

    def lost(edge_weight):
        image, _ = g.method_2(content, style, network, iterations=40, edge_weight=edge_weight)
        return float((sobel_edges(image) - sobel_edges(content)).square().mean())

    assert lost(1e6) < 0.7 * lost(0.0)


def test_a_mask_confines_its_style_to_its_region(network):
    content = torch.full((1, 3, 64, 64), 0.5) + 0.02 * torch.rand(1, 3, 64, 64, generator=torch.Generator().manual_seed(0))
    style = generate("stained_glass", 64, 0)
    mask = torch.zeros(1, 1, 64, 64)
    mask[..., :32] = 1
    image, _ = g.method_2(content, style, network, iterations=60, masks=[mask], content_weight=50.0)
    distances = FeatureDistances(network, ("relu1_1", "relu2_1")).calibrate([content, style])

    def distance(part):
        found, target = (distances.statistics(distances.features(x)) for x in (part, style))
        return float(distances.style(found, target))

    inside, outside = image[..., :28], image[..., 36:]
    assert distance(inside) < 0.6 * distance(outside)


def test_two_masked_styles_and_weights_and_a_content_mask_run(network, pair):
    content, style = pair
    other = generate("woodcut", 48, 0)
    left = torch.zeros(1, 1, 20, 30)
    left[..., :15] = 1
    image, _ = g.method_1(content, [style, other], network, mix=[0.8, 0.2], masks=[left, 1 - left],
                          content_mask=torch.ones(1, 1, 64, 64), soft_masks=True, **SHORT)
    assert image.shape == content.shape and torch.isfinite(image).all()


@pytest.mark.parametrize("options", [{"init": "noise"}, {"init": "gray"}, {"init": "style"}, {"optimiser": "adam"},
                                     {"scales": (0.5, 1.0)}, {"style_scale": 0.5}, {"colour": "lab"},
                                     {"content_norm": "half"}, {"pooling": "max"}, {"patience": 3}])
def test_every_option_gives_a_picture_of_the_contents_size(options, network, pair):
    image, history = g.method_2(*pair, network, **SHORT | options)
    assert image.shape == pair[0].shape and image.min() >= 0 and image.max() <= 1
    assert len(history.losses) <= SHORT["iterations"] * len(options.get("scales", (1,)))


def test_coarse_to_fine_counts_snapshots_over_all_scales(network, pair):
    _, history = g.method_2(*pair, network, iterations=4, scales=(0.5, 1.0), snapshots=(0, 5))
    assert len(history.losses) == 8 and history.snapshots[5].shape == pair[0].shape
    assert history.snapshots[0].shape[3] == 32


@pytest.mark.parametrize(("change", "word"), [
    ({"masks": []}, "0 for 1"), ({"masks": [torch.ones(64, 64)]}, "greyscale"), ({"masks": [torch.zeros(1, 1, 8, 8)]}, "black"),
    ({"init": "magic"}, "magic"), ({"scales": (2.0,)}, "scales"), ({"style_layers": ("relu9_9",)}, "relu9_9"),
    ({"content_layer": "relu42"}, "relu42"),
    ({"colour": "hsv"}, "hsv"), ({"style_scale": 0.0}, "style_scale"), ({"mix": [0.5, 0.5]}, "mix")])
def test_what_does_not_fit_is_refused_in_one_line(change, word, network, pair):
    with pytest.raises(InputError, match=word):
        g.method_2(*pair, network, **SHORT | change)
