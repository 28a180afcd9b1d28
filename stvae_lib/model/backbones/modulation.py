"""Feature-wise modulation of a decoder's hidden layers by a style: FiLM (Perez et al. 2018), or conditional instance
normalisation (Dumoulin et al. 2017), where the layer's own statistics give way to the style's."""

from dataclasses import dataclass, replace

import torch
import torch.nn.functional as F

from ...statistics import moments


@dataclass
class Modulation:
    """One pair (gamma, beta) per hidden layer: (1 + gamma)·hidden + beta.

    pairs: `(N, C)` each, the same everywhere, or maps `(N, C, h, w)`, stretched over the layer's positions, for styles that
    differ by place. normalised: each channel of a layer has mean 0 and deviation 1 over the picture first, so that 1 + gamma
    and beta are its statistics. strength: 0 leaves a layer as it is, 1 is full style, linear between. known: mean and deviation
    `(N, C)` of every layer over the whole picture, where what is modulated is a part of it.
    """

    pairs: list[tuple[torch.Tensor, torch.Tensor]]
    normalised: bool = False
    strength: float = 1.0
    known: list[tuple[torch.Tensor, torch.Tensor]] | None = None

    def __call__(self, hidden: torch.Tensor, index: int) -> torch.Tensor:
        """Hidden layer `index`, `(N, C, H, W)`, in the style."""
        scale, shift = (_spread(value, hidden) for value in self.pairs[index])
        scale = 1 + scale
        if self.normalised:
            found = moments(hidden.float()) if self.known is None else self.known[index]
            mean, deviation = (value[:, :, None, None] for value in found)
            scale = scale / deviation
            shift = shift - scale * mean
        styled = (hidden * scale + shift).to(hidden.dtype)
        return styled if self.strength == 1 else torch.lerp(hidden, styled, self.strength)

    def change(self, function) -> "Modulation":
        """The same with `function` applied to every gamma and beta."""
        return replace(self, pairs=[(function(gamma), function(beta)) for gamma, beta in self.pairs])


def _spread(values: torch.Tensor, hidden: torch.Tensor) -> torch.Tensor:
    if values.dim() == 2:
        return values[:, :, None, None]
    return F.interpolate(values, hidden.shape[2:], mode="bilinear")
