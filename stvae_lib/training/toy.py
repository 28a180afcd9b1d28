"""A VAE that one can see: points of the plane, their codes, and what is drawn from them."""

from collections.abc import Callable
from contextlib import contextmanager
from dataclasses import dataclass

import torch

from ..losses import kl_divergence
from ..model.style_statistic import StatisticVAE


def ellipse(count: int = 256, seed: int = 0) -> torch.Tensor:
    """Points `(count, 2)` in the plane: deviation 1 along one direction, 0.4 across it."""
    rng = torch.Generator().manual_seed(seed)
    flat = torch.randn(count, 2, generator=rng) * torch.tensor([1.0, 0.4])
    return flat @ torch.tensor([[0.8, 0.6], [-0.6, 0.8]])


def moons(count: int = 400, spread: float = 0.06, seed: int = 0) -> torch.Tensor:
    """Points `(count, 2)` on two half circles that reach into each other, within about ±1.5, each off by `spread`."""
    rng = torch.Generator().manual_seed(seed)
    angle = torch.pi * torch.rand(count, generator=rng)
    side = torch.arange(count) % 2 * 2.0 - 1
    places = torch.stack([angle.cos() + 0.5 * side, side * (0.25 - angle.sin())], dim=1)
    return places + spread * torch.randn(count, 2, generator=rng)


def elbo_terms(vae: StatisticVAE, points: torch.Tensor, noise: float, rng: torch.Generator | None = None) -> tuple:
    """The two terms of minus the ELBO, in nats a point (scalars, up to a constant): how badly points `(n, d)` are redrawn from a
    sample of their codes, by a decoder that need not explain a deviation `noise`, and the KL divergence of the codes."""
    code = vae.encode(points)
    redrawn = (points - vae.decode(code.z(sample=True, generator=rng))).square().sum(1).mean() / (2 * noise**2)
    return redrawn, kl_divergence(code.mu, code.log_sigma) * code.mu.shape[1]


@torch.enable_grad()
def fit(size: int, loss: Callable[[StatisticVAE], torch.Tensor], latent: int = 2, hidden: int = 8, steps: int = 500,
        seed: int = 0) -> StatisticVAE:
    """A VAE of points with `size` numbers each, trained by Adam on what `loss` gives for it (scalar)."""
    torch.manual_seed(seed)
    vae = StatisticVAE(size, latent, hidden)
    optimiser = torch.optim.Adam(vae.parameters(), lr=0.01)
    with one_thread():
        for _ in range(steps):
            value = loss(vae)
            optimiser.zero_grad()
            value.backward()
            optimiser.step()
    return vae


@contextmanager
def one_thread():
    """Compute with one thread: with so little to do, several wait for each other longer than they compute."""
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    try:
        yield
    finally:
        torch.set_num_threads(threads)


@dataclass
class Seen:
    """What there is to see of a VAE of the plane: the codes of its points, `mu` and `sigma` `(n, latent)`, what it draws from the
    prior, `drawn (draws, 2)`, and the two terms of minus its ELBO, in nats a point."""

    mu: torch.Tensor
    sigma: torch.Tensor
    drawn: torch.Tensor
    redrawn: float
    kl: float

    def near(self, points: torch.Tensor, distance: float) -> int:
        """How many of the draws have one of the points `(n, 2)` within a distance."""
        return int((torch.cdist(self.drawn, points).amin(1) < distance).sum())


@torch.no_grad()
def see(vae: StatisticVAE, points: torch.Tensor, noise: float, draws: int = 400, seed: int = 0) -> Seen:
    """Look at a VAE that was trained on points `(n, 2)` with a deviation `noise` that it need not explain."""
    rng = torch.Generator().manual_seed(seed)
    code = vae.encode(points)
    drawn = vae.decode(torch.randn(draws, code.mu.shape[1], generator=rng))
    redrawn, kl = elbo_terms(vae, points, noise, rng)
    return Seen(code.mu, code.log_sigma.exp(), drawn, float(redrawn), float(kl))
