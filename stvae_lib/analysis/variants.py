"""What the latent code does to a style and to a picture: measures that tell variants of the transform apart."""

import math
from dataclasses import replace

import torch

from ..model.codes import StyleCode
from ..model.stvae import STVAE


def collapsed(code: StyleCode) -> StyleCode:
    """The code that a collapsed VAE gives to every style: the prior N(0, I). What passes beside the latent space stays."""
    return replace(code, mu=torch.zeros_like(code.mu), log_sigma=torch.zeros_like(code.log_sigma))


def scaled(code: StyleCode, noise: float) -> StyleCode:
    """The same code with its sigma multiplied by `noise`."""
    return replace(code, log_sigma=code.log_sigma + math.log(noise))


def distinctness(codes: list[StyleCode]) -> list[float]:
    """Signal to noise of each style's posterior: distance of its mu from the average style over its sigma, both root mean
    squares over the latent dimensions. A collapsed latent has 0."""
    average = torch.cat([code.mu for code in codes]).mean(0)
    return [float((code.mu - average).square().mean().sqrt() / (2 * code.log_sigma).exp().mean().sqrt()) for code in codes]


@torch.no_grad()
def moved_by_z(model: STVAE, codes: list[StyleCode], others: list[StyleCode]) -> list[float]:
    """How far each style's matrix moves, relative to its norm, when only z is replaced by the mu of another code."""
    moved = []
    for code, other in zip(codes, others, strict=True):
        matrix = model.vlt.decode_style(code.mu, code).matrix
        moved.append(float((model.vlt.decode_style(other.mu, code).matrix - matrix).norm() / matrix.norm()))
    return moved


@torch.no_grad()
def samples(model: STVAE, content: torch.Tensor, code: StyleCode, count: int, generator=None) -> torch.Tensor:
    """`count` pictures `(count, 3, H, W)` of one content in samples of one style."""
    drawn = [model.stylize(content, code, sample=True, generator=generator) for _ in range(count)]
    return torch.cat(drawn).cpu()


def spread(pictures: torch.Tensor) -> float:
    """Mean absolute difference between every two of `(N, 3, H, W)`."""
    pairs = [(i, j) for i in range(len(pictures)) for j in range(i)]
    return float(torch.stack([(pictures[i] - pictures[j]).abs().mean() for i, j in pairs]).mean())
