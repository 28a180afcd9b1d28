"""Four ways from one style to another, and what the pictures on the way are like (notebook 05)."""

import numpy as np
import torch

from ..baselines.statistics import adain
from ..losses import FeatureDistances
from ..model.codes import resized_like
from ..model.stvae import STVAE
from ..pictures.edges import sobel_edges


def latent(model, content, first, second, t):
    """Σ φᵢ N(μᵢ, σᵢ) in the latent space."""
    return model.stylize(content, [first, second], [1 - t, t])


def feature_maps(model, content, first, second, t):
    """As in the released code: the styles' raw feature maps are blended, then encoded."""
    maps = [model.style_features(style) for style in (first, second)]
    blended = {name: torch.lerp(value, resized_like(maps[1][name], value), t) for name, value in maps[0].items()}
    return model.stylize(content, model.vlt.encode_style(blended))


def adain_features(model, content, first, second, t):
    """Features under either style's AdaIN blended, then decoded (Huang & Belongie 2017, eq. 15); `model` may be an
    autoencoder alone."""
    return adain(content, [first, second], model, [1 - t, t])[0]


def pixels(model, content, first, second, t):
    """A cross-fade of the two stylised pictures."""
    return torch.lerp(model.stylize(content, first), model.stylize(content, second), t)


# kind -> function(model, content, first, second, t) giving the picture at t from 0 (first style) to 1 (second)
KINDS = {"latent mix": latent, "feature-map blend": feature_maps, "AdaIN": adain_features, "pixel blend": pixels}


def cross_fade(middle, first, second) -> float:
    """Share of the middle picture's edges that a weighted sum of the ends' edges explains: 1 is a ghost of both."""
    wanted = sobel_edges(middle).flatten().double()
    ends = torch.stack([sobel_edges(image).flatten().double() for image in (first, second)], dim=1)
    solution = torch.linalg.lstsq(ends, wanted[:, None]).solution
    return float(1 - (wanted - (ends @ solution)[:, 0]).square().sum() / wanted.square().sum())


@torch.no_grad()
def follow(kind, model: STVAE, distances: FeatureDistances, content: torch.Tensor, first: torch.Tensor,
           second: torch.Tensor, points: int = 9) -> dict:
    """One path of an odd number of pictures: their style distances to the two styles and to the path's own first and last
    picture, the perceptual steps from each to the next, and the cross-fade of the middle one."""
    images = [kind(model, content, first, second, t) for t in np.linspace(0, 1, points).tolist()]
    features = [distances.features(image) for image in images]
    statistics = [distances.statistics(value) for value in features]
    ends = [distances.statistics(distances.features(style)) for style in (first, second)]
    steps = [float(distances.perceptual(a, b)) for a, b in zip(features[1:], features[:-1])]
    wanted = {"to_first": ends[0], "to_second": ends[1], "from_start": statistics[0], "from_end": statistics[-1]}
    away = {name: [float(distances.style(value, target)) for value in statistics] for name, target in wanted.items()}
    return away | {"steps": steps, "cross_fade": cross_fade(images[points // 2], images[0], images[-1])}


def relative_steps(path: dict) -> np.ndarray:
    """Perceptual steps of a followed path over their mean, `(points - 1,)`: 1 everywhere when all are equal."""
    return np.array(path["steps"]) / np.mean(path["steps"])


def progress(path: dict) -> np.ndarray:
    """How far a path has come in style from its first picture to its last, `(points,)` from 0 to 1: t where statistics move
    straight and evenly. Between its own ends, whether or not they reach the styles; style distances are squared errors, hence
    the roots."""
    away, left = np.sqrt(path["from_start"]), np.sqrt(path["from_end"])
    return away / (away + left)


def unfairness(path: dict) -> float:
    """How far progress in style strays from equal shares of the way, mean over the path."""
    share = progress(path)
    return float(np.abs(share - np.linspace(0, 1, len(share))).mean())


# what a path is judged by, less is better
MEASURES = {"unevenness of steps": lambda path: float(relative_steps(path).std()), "unfairness": unfairness,
            "cross-fade in the middle": lambda path: path["cross_fade"],
            "style distance at the ends": lambda path: (path["to_first"][0] + path["to_second"][-1]) / 2}


def measured(paths: list[dict]) -> dict[str, dict[str, list[float]]]:
    """Every measure of recorded paths, by kind of interpolation; values in the order of the pairs of styles."""
    paths = sorted(paths, key=lambda path: path["pair"])
    return {kind: {name: [measure(path) for path in paths if path["kind"] == kind] for name, measure in MEASURES.items()}
            for kind in KINDS}
