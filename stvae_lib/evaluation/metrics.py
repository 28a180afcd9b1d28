"""Metrics over (content, style, output), and their agreement.

Nothing here is a verdict: notebook 04 shows which of these numbers a method wins by doing nothing.
"""

import itertools

import numpy as np
import torch
import torch.nn.functional as F
from scipy import stats

from .._torchvision import torchvision_models

torchvision_models()  # torchmetrics imports torchvision too
from torchmetrics.functional.image import peak_signal_noise_ratio, structural_similarity_index_measure  # noqa: E402
from torchmetrics.functional.image.lpips import learned_perceptual_image_patch_similarity  # noqa: E402

from ..losses import FeatureDistances  # noqa: E402
from ..model.backbones.vgg import fetch_torchvision  # noqa: E402
from ..pictures.edges import sobel_edges  # noqa: E402

SELF_SIMILARITY_LAYER = "relu3_1"
# metric -> whether a larger value is better
METRICS = {"content": False, "style": False, "gram": False, "mse": False, "ssim": True,
           "perceptual (slim VGG)": False, "cfsd": False, "edge density": False, "colour histogram": False}


@torch.no_grad()
def measure(output: torch.Tensor, content: torch.Tensor, style: torch.Tensor, distances: FeatureDistances) -> dict[str, float]:
    """All METRICS of one output `(1, 3, H, W)` for its content (of the same size) and its style.

    content, style, gram: by `losses.FeatureDistances`. mse, ssim: of the output against the content.
    perceptual (slim VGG): mean over layers of variance-normalised feature errors to the content; what LPIPS measures,
    without its learned weights, hence another name. cfsd: see `self_similarity_distance`.
    """
    features, target, style_features = (distances.features(image) for image in (output, content, style))
    between = distances.between_features(features, target, style_features)
    return {name: float(value) for name, value in between.items()} | {
        "mse": float(F.mse_loss(output, content)),
        "ssim": float(structural_similarity_index_measure(output, content, data_range=1.0)),
        "perceptual (slim VGG)": float(distances.perceptual(features, target)),
        "cfsd": self_similarity_distance(features[SELF_SIMILARITY_LAYER], target[SELF_SIMILARITY_LAYER]),
        "edge density": abs(edge_density(output) - edge_density(content)),
        "colour histogram": histogram_distance(output, style)}


@torch.no_grad()
def lpips(output: torch.Tensor, content: torch.Tensor) -> float:
    """LPIPS (Zhang et al. 2018) of two images `(1, 3, H, W)` in [0, 1], by torchmetrics on torchvision's AlexNet.
    InputError naming the weights and the slim alternative where they are out of reach."""
    alexnet = torchvision_models().AlexNet_Weights.DEFAULT
    fetch_torchvision(alexnet, "AlexNet_Weights.IMAGENET1K_V1", 'the metric "perceptual (slim VGG)"')
    return float(learned_perceptual_image_patch_similarity(output, content, net_type="alex", normalize=True))


def self_similarity_distance(output: torch.Tensor, content: torch.Tensor, positions: int = 1024) -> float:
    """Content feature structural distance (CFSD): mean KL divergence between the rows of two patch self-similarity
    maps, softmax over positions of features `(1, C, h, w)`; at most `positions` of them, evenly spread, are compared."""
    maps = []
    for features in (content, output):
        flat = features[0].flatten(1).T
        flat = flat[torch.linspace(0, len(flat) - 1, min(positions, len(flat)), device=flat.device).round().long()]
        unit = F.normalize(flat, dim=1)
        maps.append((unit @ unit.T).log_softmax(1))
    return float(F.kl_div(maps[1], maps[0], reduction="batchmean", log_target=True))


def edge_density(image: torch.Tensor, threshold: float = 12.0) -> float:
    """Share of pixels whose Sobel gradient exceeds `threshold` (of 255 per pixel)."""
    return float((sobel_edges(image).norm(dim=1) > threshold).float().mean())


def edge_sharpness(image: torch.Tensor) -> float:
    """90th percentile of the Sobel gradient, in 255ths per pixel: how steep the steepest tenth of a picture is. It takes
    the grain of a surface for edges; `drawing.edge_width` does not."""
    return float(sobel_edges(image).norm(dim=1).flatten().quantile(0.9))


def histogram_distance(first: torch.Tensor, second: torch.Tensor, bins: int = 8) -> float:
    """Half the L1 distance of joint RGB histograms of two images: 0 equal, 1 no colour in common."""
    rows = []
    for image in (first, second):
        colours = (image.clamp(0, 1 - 1e-6) * bins).long()[0].flatten(1)
        index = (colours[0] * bins + colours[1]) * bins + colours[2]
        rows.append(torch.bincount(index, minlength=bins**3) / len(index))
    return float((rows[0] - rows[1]).abs().sum() / 2)


def rank_agreement(table: dict[str, list[float]], larger_is_better: dict[str, bool]) -> dict[tuple[str, str], float]:
    """Spearman correlation of every two metrics over the same outputs, each turned so that larger is better."""
    turned = {name: np.asarray(values) * (1 if larger_is_better[name] else -1) for name, values in table.items()}
    return {(a, b): float(stats.spearmanr(turned[a], turned[b]).statistic) for a in turned for b in turned}


def discordance(first: np.ndarray, second: np.ndarray) -> np.ndarray:
    """Share of all pairs of methods that two metrics order differently, `(pictures,)`; both `(methods, pictures)`, turned
    the same way. 0.5 is what unrelated metrics give."""
    rows = [(first[a] < first[b]) != (second[a] < second[b]) for a, b in itertools.combinations(range(len(first)), 2)]
    return np.mean(rows, axis=0)


def reconstruction_rows(outputs, images) -> dict[str, list[float]]:
    """PSNR (dB) and SSIM of each reconstruction to its image, both lists of `(1, 3, H, W)`."""
    rows = {"psnr": [], "ssim": []}
    for output, image in zip(outputs, images, strict=True):
        output = output.float().clamp(0, 1)
        rows["psnr"].append(float(peak_signal_noise_ratio(output, image, data_range=1.0)))
        rows["ssim"].append(float(structural_similarity_index_measure(output, image, data_range=1.0)))
    return rows


def reconstruction_scores(outputs, images) -> dict[str, float]:
    """The same, as means over the images."""
    return {key: float(np.mean(values)) for key, values in reconstruction_rows(outputs, images).items()}


@torch.no_grad()
def grid_distances(model, contents: torch.Tensor, codes, styles, distances: FeatureDistances, **how) -> dict[str, np.ndarray]:
    """Content, style and Gram distance of every content in every style, each `(styles, contents)`.

    contents: `(N, 3, H, W)`. codes: a style code for each picture of `styles`. how: further arguments of `stylize`.
    """
    contents = contents.to(model.device)
    rows = [distances.between(model.stylize(contents, code, **how).cpu(), contents.cpu(), style.cpu())
            for code, style in zip(codes, styles, strict=True)]
    return {key: np.stack([row[key].expand(len(contents)).numpy() for row in rows]) for key in rows[0]}
