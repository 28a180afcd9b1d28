"""AdaIN in our own autoencoder: what the linear transform competes with."""

import torch

from ..stvae import AutoEncoder


def adain(content: torch.Tensor, styles: list[torch.Tensor], model: AutoEncoder) -> tuple[torch.Tensor, list]:
    """Adaptive instance normalisation (Huang & Belongie 2017, eq. 8): content features take each style's channel
    means and deviations, styles in equal shares. Image `(N, 3, H, W)` in [0, 1], and an empty history."""
    features = model.encode(content)
    mean, deviation = features.mean((2, 3), keepdim=True), features.std((2, 3), keepdim=True) + 1e-5
    normalised, moved = (features - mean) / deviation, 0
    for style in styles:
        target = model.encode(style)
        moved = moved + (normalised * target.std((2, 3), keepdim=True) + target.mean((2, 3), keepdim=True)) / len(styles)
    return model.decode(moved, content.shape[2:]).clamp(0, 1), []
