"""Feature-wise modulation of a decoder's hidden layers (FiLM, Perez et al. 2018)."""

import torch
import torch.nn.functional as F


def modulate(hidden: torch.Tensor, gamma: torch.Tensor, beta: torch.Tensor) -> torch.Tensor:
    """(1 + gamma)·hidden + beta for hidden `(N, C, H, W)`. gamma and beta: `(N, C)`, the same everywhere, or maps
    `(N, C, h, w)`, stretched over the layer's positions, for styles that differ by place."""
    return hidden * (1 + _spread(gamma, hidden)) + _spread(beta, hidden)


def _spread(values: torch.Tensor, hidden: torch.Tensor) -> torch.Tensor:
    if values.dim() == 2:
        return values[:, :, None, None]
    return F.interpolate(values, hidden.shape[2:], mode="bilinear")
