"""Parts of variant `joint`: the style as one statistic, the VAE on it, and the decoder's modulation by it."""

import numpy as np
import torch
from torch import nn

from ..statistics import least_squares, moments
from .backbones.modulation import Modulation
from .codes import StyleCode


class StyleStatistic(nn.Module):
    """The style as one standardised vector: mean of the last layer, upper triangle of its covariance root
    in the compressed space, moments of the earlier layers, deviations of the last, and the triangles of further `roots`
    (a skip's). One centre per entry and one scale per part, measured once (`measure`): every part has the same share of the
    variance, or the colours' few entries would be the first that a short code leaves out."""

    def __init__(self, channels: list[int], matrix_size: int, roots: int = 1):
        super().__init__()
        self.matrix_size, self.roots = matrix_size, roots
        rows, columns = map(torch.from_numpy, np.triu_indices(matrix_size))
        self.register_buffer("rows", rows, persistent=False)
        self.register_buffer("columns", columns, persistent=False)
        self.sizes = [channels[-1], len(rows)] + [2 * count for count in channels[:-1]] + [channels[-1]]
        self.sizes += (roots - 1) * [len(rows)]
        self.register_buffer("centre", torch.zeros(sum(self.sizes)))
        self.register_buffer("scale", torch.ones(sum(self.sizes)))

    def raw(self, features: list[torch.Tensor], roots: list[torch.Tensor]) -> torch.Tensor:
        """features by layer, covariance roots `(N, m, m)`, the last layer's first: `(N, size)`."""
        per_layer = [torch.cat(moments(feature.float()), dim=1) for feature in features]
        mean, deviation = per_layer[-1].chunk(2, dim=1)
        first, *further = [root[:, self.rows, self.columns] for root in roots]
        return torch.cat([mean, first, *per_layer[:-1], deviation, *further], dim=1)

    @torch.no_grad()
    def measure(self, raw: torch.Tensor):
        """Set centre and scales from many styles' raw vectors `(n, size)`."""
        self.centre.copy_(raw.mean(0))
        parts = (raw - self.centre).split(self.sizes, dim=1)
        total = raw.shape[1] / len(self.sizes)
        self.scale.copy_(torch.cat([(part.square().sum(1).mean() / total).sqrt().expand(part.shape[1]) for part in parts]))

    def standardise(self, raw: torch.Tensor) -> torch.Tensor:
        return (raw - self.centre) / self.scale

    def restore(self, standardised: torch.Tensor) -> tuple[torch.Tensor, list[torch.Tensor], list[torch.Tensor]]:
        """Of a standardised vector: mean of the last layer `(N, C)`, symmetric covariance roots `(N, m, m)`, means of the
        earlier layers `(N, c)`."""
        mean, first, *rest = (standardised * self.scale + self.centre).split(self.sizes, dim=1)
        count = len(self.sizes) - 3 - self.roots + 1
        earlier, further = rest[:count], rest[count + 1:]
        return mean, [self._symmetric(part) for part in (first, *further)], [part.chunk(2, dim=1)[0] for part in earlier]

    def _symmetric(self, triangle: torch.Tensor) -> torch.Tensor:
        matrix = triangle.new_zeros(len(triangle), self.matrix_size, self.matrix_size)
        matrix[:, self.rows, self.columns] = triangle
        return matrix + matrix.triu(1).transpose(1, 2)


class StatisticVAE(nn.Module):
    """VAE on standardised style statistics: linear maps plus small networks that start at zero. ValueError for more latent
    dimensions than a statistic has numbers."""

    def __init__(self, size: int, latent: int, hidden: int = 256):
        super().__init__()
        if latent > size:
            raise ValueError(f"latent {latent} is more than the {size} numbers of a style's statistic")
        self.encode_linear, self.decode_linear = nn.Linear(size, 2 * latent), nn.Linear(latent, size)
        self.encode_net = nn.Sequential(nn.Linear(size, hidden), nn.ReLU(), nn.Linear(hidden, 2 * latent))
        self.decode_net = nn.Sequential(nn.Linear(latent, hidden), nn.ReLU(), nn.Linear(hidden, size))
        for net in (self.encode_net, self.decode_net):
            nn.init.zeros_(net[2].weight)
            nn.init.zeros_(net[2].bias)
        nn.init.constant_(self.encode_linear.bias.data[latent:], -1.0)

    def encode(self, statistic: torch.Tensor) -> StyleCode:
        mu, log_sigma = (self.encode_linear(statistic) + self.encode_net(statistic)).float().chunk(2, dim=1)
        return StyleCode(mu, log_sigma.clamp(-8, 4))

    def decode(self, z: torch.Tensor) -> torch.Tensor:
        return (self.decode_linear(z) + self.decode_net(z)).float()

    @torch.no_grad()
    def start_at_ppca(self, statistics: torch.Tensor):
        """Linear maps at probabilistic PCA (Tipping & Bishop 1999) of standardised vectors `(n, size)`."""
        latent = self.decode_linear.in_features
        values, vectors = torch.linalg.eigh(torch.cov(statistics.T).double())
        values, vectors = values.flip(0).float(), vectors.flip(1).float()
        noise = values[latent:].clamp_min(1e-6).mean()
        kept, axes = values[:latent], vectors[:, :latent]
        gain = (kept - noise).clamp_min(1e-6).sqrt()
        self.decode_linear.weight.copy_(axes * gain)
        self.decode_linear.bias.copy_(statistics.mean(0))
        self.encode_linear.weight.zero_()
        self.encode_linear.weight[:latent].copy_((axes * gain / kept).T)
        self.encode_linear.bias[:latent].copy_(-self.encode_linear.weight[:latent] @ statistics.mean(0))
        self.encode_linear.bias[latent:].copy_(0.5 * (noise / kept).log())


class HiddenMoments:
    """In place of a modulation: leaves a decoder's hidden layers as they are and keeps their moments, `rows` by layer."""

    def __init__(self):
        self.rows = []

    def __call__(self, hidden: torch.Tensor, index: int) -> torch.Tensor:
        self.rows.append(moments(hidden.float()))
        return hidden


class Modulator(nn.Module):
    """Style statistic, or (normalised) code z, to one (gamma, beta) per hidden decoder layer; starts at no modulation, or
    (normalised) at what `start_at` is given: a linear map that stays within the range it was fitted on, because a rare
    style, far outside, would be drawn with deviations that nothing later takes back."""

    def __init__(self, size: int, widths: list[int], normalised: bool = False, hidden: int = 128):
        super().__init__()
        self.widths, self.normalised = widths, normalised
        if normalised:
            self.linear = nn.Linear(size, 2 * sum(widths))
            self.register_buffer("low", torch.full((2 * sum(widths),), -torch.inf))
            self.register_buffer("high", torch.full((2 * sum(widths),), torch.inf))
        self.net = nn.Sequential(nn.Linear(size, hidden), nn.ReLU(), nn.Linear(hidden, 2 * sum(widths)))
        nn.init.zeros_(self.net[2].weight)
        nn.init.zeros_(self.net[2].bias)

    def forward(self, style: torch.Tensor) -> Modulation:
        values = self.net(style).float()
        if self.normalised:
            values = values + self.linear(style).float().clamp(self.low, self.high)
        gamma, beta = values.chunk(2, dim=1)
        return Modulation(list(zip(gamma.split(self.widths, dim=1), beta.split(self.widths, dim=1))), self.normalised)

    @torch.no_grad()
    def start_at(self, codes: torch.Tensor, means: torch.Tensor, deviations: torch.Tensor):
        """Start at the statistics that the decoder's hidden layers have when it draws the style itself: means and
        deviations `(n, sum of widths)` for codes `(n, size)`, by ridge regression."""
        wanted = torch.cat([deviations - 1, means], dim=1)
        self.low.copy_(wanted.amin(0))
        self.high.copy_(wanted.amax(0))
        weight, bias = least_squares(codes, wanted, ridge=1e-2)
        self.linear.weight.copy_(weight)
        self.linear.bias.copy_(bias)
