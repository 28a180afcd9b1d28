import numpy as np
import pytest
import torch
import torchvision

from stvae_lib import InputError, weights
from stvae_lib.evaluation import metrics
from stvae_lib.pictures.datasets import sample_photo
from stvae_lib.pictures.styles import generate


@pytest.fixture(scope="module")
def rows():
    """Metrics of the two controls, of a blurred content and of a stylised picture."""
    content, style = sample_photo("coffee", 96), generate("stained_glass", 96, 0)
    style = torch.nn.functional.interpolate(style, content.shape[2:])
    distances = weights.feature_distances().calibrate([content, style])
    blurred = torch.nn.functional.avg_pool2d(content, 5, 1, 2)
    stylised = weights.load("vgg19-slim", "cpu").stylize(content, style)
    outputs = {"content": content, "style": style, "blurred": blurred, "stylised": stylised}
    return {name: metrics.measure(output, content, style, distances) for name, output in outputs.items()}


def test_each_control_wins_what_it_must(rows):
    assert set(rows["content"]) == set(metrics.METRICS)
    for name in ("content", "perceptual (slim VGG)", "cfsd", "edge density"):
        assert rows["content"][name] == pytest.approx(0, abs=1e-5)
    assert rows["content"]["ssim"] == pytest.approx(1)
    for name in ("style", "gram", "colour histogram"):
        assert rows["style"][name] == pytest.approx(0, abs=1e-5)
    assert rows["stylised"]["style"] < 0.5 * rows["content"]["style"]
    assert rows["style"]["cfsd"] > rows["stylised"]["cfsd"] > rows["blurred"]["cfsd"] > 0
    assert rows["blurred"]["edge density"] > 0


def test_lpips_needs_its_weights_and_says_so(offline_hub):
    with pytest.raises(InputError, match="AlexNet_Weights.*slim VGG"):
        metrics.lpips(torch.rand(1, 3, 64, 64), torch.rand(1, 3, 64, 64))


def test_lpips_with_weights_in_the_cache(offline_hub):
    """The real loading code on a random AlexNet in the hub's cache folder."""
    folder = offline_hub / "hub" / "checkpoints"
    folder.mkdir(parents=True)
    torch.manual_seed(0)
    enum = torchvision.models.AlexNet_Weights.IMAGENET1K_V1
    torch.save(torchvision.models.alexnet(weights=None).state_dict(), folder / enum.url.rsplit("/", 1)[1])
    photo = sample_photo("coffee", 96)
    near, far = (metrics.lpips((photo + noise).clamp(0, 1), photo) for noise in (0.02, torch.rand_like(photo)))
    assert metrics.lpips(photo, photo) == pytest.approx(0, abs=1e-6) and 0 < near < far


def test_a_blur_is_less_steep():
    y, x = torch.meshgrid(torch.arange(128.0), torch.arange(128.0), indexing="ij")
    stripes = ((x + y) % 16 < 8).float().expand(1, 3, 128, 128)
    blurred = torch.nn.functional.avg_pool2d(stripes, 7, 1, 3)
    assert metrics.edge_sharpness(blurred) < 0.5 * metrics.edge_sharpness(stripes)


def test_discordance_counts_pairs_of_methods_in_another_order():
    first = np.array([[1.0, 1.0], [2.0, 2.0], [3.0, 3.0]])
    second = np.array([[1.0, 3.0], [3.0, 2.0], [2.0, 1.0]])
    assert metrics.discordance(first, second).tolist() == pytest.approx([1 / 3, 1])
    assert metrics.discordance(first, first).tolist() == [0, 0]


def test_histograms_without_a_common_colour_are_one_apart():
    black, white = torch.zeros(1, 3, 8, 8), torch.ones(1, 3, 8, 8)
    assert metrics.histogram_distance(black, white) == 1 and metrics.histogram_distance(black, black) == 0


def test_self_similarity_against_float64():
    torch.manual_seed(0)
    a, b = torch.randn(1, 5, 4, 6), torch.randn(1, 5, 4, 6)

    def rows_of(features):
        flat = features[0].flatten(1).T.double().numpy()
        flat = flat / np.linalg.norm(flat, axis=1, keepdims=True)
        similarity = np.exp(flat @ flat.T)
        return similarity / similarity.sum(1, keepdims=True)

    p, q = rows_of(b), rows_of(a)
    assert metrics.self_similarity_distance(a, b) == pytest.approx((p * np.log(p / q)).sum(1).mean(), rel=1e-4)


def test_metrics_agree_with_themselves_and_oppose_their_contraries():
    table = {"ssim": [0.1, 0.5, 0.9], "content": [3.0, 2.0, 1.0], "style": [1.0, 2.0, 3.0]}
    agreement = metrics.rank_agreement(table, metrics.METRICS)
    assert agreement["ssim", "content"] == pytest.approx(1) and agreement["ssim", "style"] == pytest.approx(-1)


def test_grid_of_distances():
    shipped = weights.load("vgg19-slim", "cpu")
    contents = torch.cat([generate("mosaic", 64, seed) for seed in (1, 2)])
    pictures = [generate(kind, 64, 0) for kind in ("woodcut", "marbling", "brush_strokes")]
    codes = [shipped.encode_style(picture) for picture in pictures]
    grid = metrics.grid_distances(shipped, contents, codes, pictures, weights.feature_distances().calibrate(pictures))
    assert {key: value.shape for key, value in grid.items()} == {"content": (3, 2), "style": (3, 2), "gram": (3, 2)}
