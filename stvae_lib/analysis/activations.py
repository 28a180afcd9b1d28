"""What a network's activations are like, and whether they suit style transfer (notebook 03).

Statistics of peakiness after Wang, Li, Vasconcelos, "Rethinking and Improving the Robustness of Image Style Transfer"
(CVPR 2021, SWAG), feature inversion after Mahendran & Vedaldi (CVPR 2015), and style transfer by optimisation
with or without SWAG's softmax smoothing. They work on any encoder of `model.backbones`.
"""

import math

import torch

from ..baselines.optimisation import History, optimise, total_variation
from ..statistics import gram


def normalised_entropy(features: torch.Tensor) -> torch.Tensor:
    """Entropy of activations `(N, C, H, W)`, taken as a distribution over positions and channels, over that of
    a flat one: `(N,)`, 1 is flat, 0 a single peak (SWAG, §3.2)."""
    share = features.clamp_min(0).flatten(1)
    share = share / share.sum(1, keepdim=True).clamp_min(1e-12)
    return -(share * share.clamp_min(1e-12).log()).sum(1) / math.log(share.shape[1])


def peak_ratio(features: torch.Tensor) -> torch.Tensor:
    """Largest activation over the mean one, `(N,)`, of `(N, C, H, W)`."""
    flat = features.clamp_min(0).flatten(1)
    return flat.amax(1) / flat.mean(1).clamp_min(1e-12)


def effective_rank(features: torch.Tensor) -> torch.Tensor:
    """Effective rank of the Gram matrix of `(N, C, H, W)`: exp of the entropy of its normalised eigenvalues
    (Roy & Vetterli 2007), `(N,)`, between 1 and C."""
    values = torch.linalg.eigvalsh(gram(features).double()).clamp_min(0)
    share = values / values.sum(1, keepdim=True).clamp_min(1e-12)
    return (-(share * share.clamp_min(1e-12).log()).sum(1)).exp().float()


def strides(network, side: int = 64) -> dict[str, int]:
    """Pixels between neighbouring features of every style layer of a network, shallow to deep."""
    blank = torch.zeros(1, 3, side, side, device=next(network.parameters()).device)
    with torch.no_grad():
        found = network.features(blank, network.style_layers)
    return {name: side // found[name].shape[2] for name in network.style_layers}


@torch.no_grad()
def peakiness(network, images) -> dict[str, dict[str, list[float]]]:
    """What a network's style layers are like on `images`, each `(1, 3, H, W)`: layer -> {"entropy", "peak", "rank"}, one
    value for each image; rank as a share of the channels."""
    rows = {name: {"entropy": [], "peak": [], "rank": []} for name in network.style_layers}
    for image in images:
        for name, value in network.features(image, network.style_layers).items():
            rows[name]["entropy"].append(float(normalised_entropy(value)))
            rows[name]["peak"].append(float(peak_ratio(value)))
            rows[name]["rank"].append(float(effective_rank(value) / value.shape[1]))
    return rows


@torch.no_grad()
def entropy_seen(network, layer: str, image: torch.Tensor, temperature: float | None = None) -> float:
    """Normalised entropy of a layer on `image` `(1, 3, H, W)` as the losses of `transfer` see it."""
    value = network.features(image, [layer])[layer]
    return float(normalised_entropy(softmax_smoothing(value, temperature) if temperature else value))


def softmax_smoothing(features: torch.Tensor, temperature: float = 1.0) -> torch.Tensor:
    """SWAG's smoothing: softmax over all activations of a layer, `(N, C, H, W)` (equation 7, temperature 1). It flattens
    activations that are small beside the temperature and sharpens larger ones. The mean is scaled to 1, which the
    relative distances below cancel; it only keeps single precision away from tiny numbers."""
    flat = features.flatten(1) / temperature
    return (flat.softmax(1) * flat.shape[1]).view_as(features)


class Standardised:
    """An encoder whose layers are divided by their standard deviation on `image` `(1, 3, H, W)`: one temperature of the softmax
    then means the same in every layer and network. The losses below are relative and do not notice."""

    def __init__(self, encoder, layers, image: torch.Tensor):
        self.encoder = encoder
        with torch.no_grad():
            self.scales = {name: value.std() for name, value in encoder.features(image, layers).items()}

    def features(self, image: torch.Tensor, names) -> dict[str, torch.Tensor]:
        """Features of the layers in `names`, each over its constant."""
        return {name: value / self.scales[name] for name, value in self.encoder.features(image, names).items()}


def relative_error(found: torch.Tensor, target: torch.Tensor, reference=0.0) -> torch.Tensor:
    """Squared error over that of a reference (scalar), so that layers and networks can be compared: 0 at the target, 1 at
    the reference."""
    return (found - target).square().sum() / (reference - target).square().sum().clamp_min(1e-12)


def invert(encoder, layer: str, image: torch.Tensor, iterations: int = 150, tv_weight: float = 1e-3,
           seed: int = 0) -> tuple[torch.Tensor, History]:
    """The picture whose features at `layer` come closest to those of `image` `(1, 3, H, W)`, from noise.

    No decoder is trained, so what is missing in the result is missing in the features. tv_weight: total variation,
    the least that keeps pixel noise away.
    """
    with torch.no_grad():
        target = encoder.features(image, [layer])[layer]

    def objective(picture):
        found = encoder.features(picture, [layer])[layer]
        return {"features": relative_error(found, target), "variation": tv_weight * total_variation(picture)}

    return optimise(noise_like(image, seed), objective, iterations)


def transfer(encoder, content: torch.Tensor, style: torch.Tensor, content_layer: str, style_layers,
             temperature: float | None = None, style_weight: float = 30.0, tv_weight: float = 1e-3, iterations: int = 200,
             snapshots=()) -> tuple[torch.Tensor, History]:
    """Style transfer by optimisation (Gatys et al. 2016) through any encoder, from the content.

    One weight serves all networks, smoothed or not: the content's error is relative to that of a map without any layout,
    the style's to that of the content, so that no common offset makes either look small.
    temperature: of SWAG's softmax before both losses; None leaves the activations as they are.
    """
    layers = list(dict.fromkeys([*style_layers, content_layer]))

    def smoothed(picture):
        found = encoder.features(picture, layers)
        return {name: softmax_smoothing(value, temperature) if temperature else value for name, value in found.items()}

    with torch.no_grad():
        start = smoothed(content)
        content_target = start[content_layer]
        layout_lost = content_target.mean((2, 3), keepdim=True)
        style_target = {name: gram(value) for name, value in smoothed(style).items() if name in style_layers}

    def objective(picture):
        found = smoothed(picture)
        errors = [relative_error(gram(found[name]), target, gram(start[name])) for name, target in style_target.items()]
        return {"content": relative_error(found[content_layer], content_target, layout_lost),
                "style": style_weight * torch.stack(errors).mean(), "variation": tv_weight * total_variation(picture)}

    return optimise(content, objective, iterations, snapshots=snapshots)


def noise_like(image: torch.Tensor, seed: int) -> torch.Tensor:
    """Grey with faint noise, of the image's shape, in [0, 1]."""
    return 0.5 + 0.1 * torch.randn(image.shape, generator=torch.Generator().manual_seed(seed)).to(image.device)
