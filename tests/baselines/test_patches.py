import numpy as np
import pytest
import torch

from stvae_lib import InputError, weights
from stvae_lib.baselines import patches as p
from stvae_lib.pictures.datasets import sample_photo
from stvae_lib.pictures.styles import generate

SHORT = {"iterations": 6, "rematch": 3, "scales": (0.5, 1.0)}


@pytest.fixture(scope="module")
def network():
    return weights.loss_network()


@pytest.fixture(scope="module")
def pair():
    return sample_photo("chelsea", 96), generate("stained_glass", 96, 0)


def test_published_defaults():
    options = p.METHOD_3
    assert options.layers == ("relu3_1", "relu4_1") and options.content_layer == "relu4_2" and p.PATCH == 3
    assert (options.content_weight, options.style_weight, options.semantic_weight, options.tv_power) == (10, 25, 10, 1.25)
    assert len(options.scales) == 3 and options.iterations == 100


def exact_patches(features):
    features = features[0].double().numpy()
    _, height, width = features.shape
    return np.array([features[:, i:i + 3, j:j + 3].ravel() for i in range(height - 2) for j in range(width - 2)])


@pytest.mark.parametrize("most", [1, 2**21])
def test_nearest_patches_agree_with_a_float64_search(most, monkeypatch):
    monkeypatch.setattr(p, "SIMILARITIES", most)
    torch.manual_seed(0)
    query, style = torch.randn(1, 4, 7, 9), torch.randn(1, 4, 8, 6)
    found = p.nearest(query, p.patches_of(style))
    rows, keys = exact_patches(query), exact_patches(style)
    similarity = rows @ keys.T / np.linalg.norm(rows, axis=1)[:, None] / np.linalg.norm(keys, axis=1)
    np.testing.assert_array_equal(found.numpy(), similarity.argmax(1))


def test_the_folded_loss_is_the_sum_over_patches(network, pair):
    content, style = pair
    objective = p.PatchObjective(network, content, [style], None, [None], p.METHOD_3)
    objective.match(content)
    features = objective.features(content)
    expected = 0
    for name in objective.layers:
        chosen = p.nearest(p.matching_features(features[name], None, 0), objective.keys[name])
        rows = exact_patches(features[name]) - objective.patches[name].double().numpy()[chosen.numpy()]
        expected += (rows**2).mean()
    assert float(objective.style(features)) == pytest.approx(expected, rel=1e-3)


def test_gradient_of_the_folded_loss_agrees_with_finite_differences():
    style, size = torch.rand(6, 18, dtype=torch.float64), (4, 5)
    total, count, length = p.folded_targets(torch.tensor([0, 3, 2, 5, 1, 1]), style, size)

    def loss(x):
        return (count * x.square()).sum() - 2 * (x * total).sum() + length

    assert torch.autograd.gradcheck(loss, torch.rand(1, 2, *size, dtype=torch.float64, requires_grad=True))


def test_patches_come_closer_to_the_style_and_a_run_repeats(network, pair):
    content, style = pair

    def distance(image):
        objective = p.PatchObjective(network, image, [style], None, [None], p.METHOD_3)
        objective.match(image)
        return float(objective.style(objective.features(image)))

    image, history = p.method_3(content, style, network, iterations=40, rematch=20, scales=(0.5, 1.0), snapshots=(1, 60))
    assert distance(image) < 0.6 * distance(content)
    assert len(history.losses) == 80 and set(history.snapshots) == {1, 60} and image.shape == content.shape
    again, _ = p.method_3(content, style, network, iterations=40, rematch=20, scales=(0.5, 1.0))
    torch.testing.assert_close(image, again, atol=1e-3, rtol=0)


def test_semantic_maps_decide_where_patches_come_from(network):
    """Style: red left, blue right. The doodle asks for the contrary."""
    red, blue = (torch.tensor(colour)[None, :, None, None].expand(1, 3, 96, 48) for colour in ((0.8, 0.1, 0.1), (0.1, 0.1, 0.8)))
    noise = 0.1 * torch.rand(1, 3, 96, 96, generator=torch.Generator().manual_seed(0))
    style = torch.cat([red, blue], dim=3) + noise
    left = torch.cat([torch.ones(1, 1, 96, 48), torch.zeros(1, 1, 96, 48)], dim=3)
    style_map = torch.cat([left, 1 - left], dim=1)
    image, _ = p.method_3(torch.rand(1, 3, 96, 96), style, network, content_map=style_map.flip(3), style_maps=[style_map],
                          content_weight=0.0, init="noise", iterations=60, rematch=20, scales=(0.5, 1.0), semantic_weight=50.0)
    half_left, half_right = image[..., :40].mean((2, 3))[0], image[..., 56:].mean((2, 3))[0]
    assert half_left[2] > half_left[0] and half_right[0] > half_right[2]


@pytest.mark.parametrize("options", [{"rotations": (15.0, -15.0)}, {"style_scales": (0.8, 1.0)}, {"init": "noise"},
                                     {"optimiser": "adam"}, {"layers": ("relu3_1",)}, {"content_weight": 0.0}])
def test_every_option_gives_a_picture_of_the_contents_size(options, network, pair):
    image, _ = p.method_3(*pair, network, **SHORT | options)
    assert image.shape == pair[0].shape and torch.isfinite(image).all()


def test_rotated_copies_have_no_empty_corner():
    image = torch.ones(1, 3, 60, 90)
    turned = p.rotated(image, 30)
    torch.testing.assert_close(turned, torch.ones_like(turned))
    assert torch.equal(p.rotated(image, 0), image)
    ramp = torch.linspace(0, 1, 80).expand(1, 1, 80, 80)
    assert float(p.rotated(ramp, 90)[0, 0, :, 20].diff().abs().sum()) == pytest.approx(1, abs=0.1)


@pytest.mark.parametrize(("change", "word"), [
    ({"init": "magic"}, "magic"), ({"layers": ("relu9_1",)}, "relu9_1"), ({"content_map": torch.ones(1, 1, 8, 8)}, "complete"),
    ({"content_map": torch.ones(1, 1, 8, 8), "style_maps": [torch.ones(1, 2, 8, 8)]}, "channels")])
def test_what_does_not_fit_is_refused_in_one_line(change, word, network, pair):
    with pytest.raises(InputError, match=word):
        p.method_3(*pair, network, **SHORT | change)
