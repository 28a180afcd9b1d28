"""What a style is inside the model: its code in the latent space (mu, sigma, z), and what the transform applies."""

from dataclasses import dataclass, field, replace

import torch
import torch.nn.functional as F

from ..pictures.palette import mixed_palette
from ..provenance import tensors_digest
from .backbones.modulation import Modulation


@dataclass
class StyleCode:
    """What a style is encoded to. Mixing is linear in it.

    mu, log_sigma: `(N, latent)`, the posterior N(mu, sigma²) in the latent space.
    extras: what a variant passes around its latent space, by name (paper: the mean; released: the feature map).
    palette: colours of the style's picture, 8-bit `(N, 3, 4096)`, for a model that finishes what it draws in them; None where
    there is no such picture, or no such model. It is no part of the latent space.
    """

    mu: torch.Tensor
    log_sigma: torch.Tensor
    extras: dict[str, torch.Tensor] = field(default_factory=dict)
    palette: torch.Tensor | None = None

    def tensors(self) -> dict[str, torch.Tensor]:
        """All of it, by name."""
        named = {"mu": self.mu, "log_sigma": self.log_sigma} | {f"extras.{name}": value for name, value in self.extras.items()}
        return named if self.palette is None else named | {"palette": self.palette}

    def identity(self) -> str:
        """Checksum of all that decides the pictures in this style."""
        return tensors_digest(self.tensors())

    def z(self, sample: bool = False, generator: torch.Generator | None = None) -> torch.Tensor:
        """mu, or a sample mu + sigma·eps (the reparameterisation trick, Kingma & Welling 2014)."""
        if not sample:
            return self.mu
        eps = torch.randn(self.mu.shape, generator=generator, dtype=self.mu.dtype,
                          device=generator.device if generator is not None else self.mu.device)
        return self.mu + self.log_sigma.exp() * eps.to(self.mu.device)


def mix_codes(codes: list[StyleCode], mix: list[float]) -> StyleCode:
    """Σ φᵢ N(μᵢ, σᵢ²) (paper, test time): means and variances both weighted by φᵢ, as the released code does; of every palette
    the share φᵢ. mix: the φᵢ, summing to 1. Styles of φ = 0 are left out, so that a pure style comes out bit for bit."""
    codes, mix = zip(*[pair for pair in zip(codes, mix, strict=True) if pair[1] > 0])
    if len(codes) == 1:
        return codes[0]
    variance = sum(phi * (2 * code.log_sigma).exp() for code, phi in zip(codes, mix))
    extras = {name: sum(phi * resized_like(code.extras[name], value) for code, phi in zip(codes, mix))
              for name, value in codes[0].extras.items()}
    palettes = [code.palette for code in codes]
    palette = None if any(each is None for each in palettes) else mixed_palette(palettes, mix)
    return StyleCode(sum(phi * code.mu for code, phi in zip(codes, mix)), 0.5 * variance.log(), extras, palette)


def resized_like(value: torch.Tensor, reference: torch.Tensor) -> torch.Tensor:
    """Feature maps of styles of other sizes, brought to the reference's; anything else unchanged."""
    if value.dim() != 4 or value.shape == reference.shape:
        return value
    return F.interpolate(value, reference.shape[2:], mode="bilinear", antialias=True)


@dataclass
class Style:
    """What the transform applies: `matrix (N, m, m)`, `mean (N, C)`, decoder `modulation` or None, and for a skip
    its own matrix `(N, m, m)` and mean `(N, c)`, or None; and its code's `palette`, or None."""

    matrix: torch.Tensor
    mean: torch.Tensor
    modulation: Modulation | None = None
    skip: tuple | None = None
    palette: torch.Tensor | None = None

    def modulation_by(self, strength: float) -> Modulation | None:
        """The decoder's modulation where the style is applied with this strength; none at 0."""
        return replace(self.modulation, strength=strength) if self.modulation and strength else None
