"""The variational linear transform: the paper's yellow (linear transform) and purple (variational) boxes.

F_cs = decompress(T · compress(F_c − mean_c)) + mean_s with T = S·C (paper, figure 1). Three variants:

paper     figure 1 to the letter: conv → Gram → fc on both sides, the style's fc code goes through the VAE,
          the style mean is passed on as it is.
released  what the published code does, defects included: the VAE sees the style mean only, z = bn(mu) + sigma
          without noise, and styles are mixed as feature maps before the covariance network.
joint     ours: one latent for the whole style statistic (mean, covariance root, moments of earlier layers);
          S and C are matrix roots, so training can start at a closed form (WCT, Li et al. 2017).
"""

from dataclasses import dataclass, field

import torch
import torch.nn.functional as F
from torch import nn

from .errors import InputError
from .losses import gram, moments

VARIANTS = ("paper", "released", "joint")


@dataclass
class StyleCode:
    """What a style is encoded to. Mixing is linear in it.

    mu, log_sigma: `(N, latent)`, the posterior N(mu, sigma²) in the latent space.
    extras: what a variant passes around its latent space, by name (paper: the mean; released: the feature map).
    """

    mu: torch.Tensor
    log_sigma: torch.Tensor
    extras: dict[str, torch.Tensor] = field(default_factory=dict)

    def z(self, sample: bool = False, generator: torch.Generator | None = None) -> torch.Tensor:
        """mu, or a sample mu + sigma·eps (the reparameterisation trick, Kingma & Welling 2014)."""
        if not sample:
            return self.mu
        eps = torch.randn(self.mu.shape, generator=generator, dtype=self.mu.dtype,
                          device=generator.device if generator is not None else self.mu.device)
        return self.mu + self.log_sigma.exp() * eps.to(self.mu.device)


def mix_codes(codes: list[StyleCode], weights: list[float]) -> StyleCode:
    """Σ φᵢ N(μᵢ, σᵢ²) (paper, test time): means and variances both weighted by φᵢ, as the released code does.
    Styles of weight 0 are left out, so that a pure style comes out bit for bit."""
    codes, weights = zip(*[pair for pair in zip(codes, weights, strict=True) if pair[1] > 0])
    if len(codes) == 1:
        return codes[0]
    variance = sum(weight * (2 * code.log_sigma).exp() for code, weight in zip(codes, weights))
    extras = {name: sum(weight * resized_like(code.extras[name], value) for code, weight in zip(codes, weights))
              for name, value in codes[0].extras.items()}
    return StyleCode(sum(weight * code.mu for code, weight in zip(codes, weights)), 0.5 * variance.log(), extras)


def resized_like(value: torch.Tensor, reference: torch.Tensor) -> torch.Tensor:
    """Feature maps of styles of other sizes, brought to the reference's; anything else unchanged."""
    if value.dim() != 4 or value.shape == reference.shape:
        return value
    return F.interpolate(value, reference.shape[2:], mode="bilinear", antialias=True)


@dataclass
class Style:
    """What the transform applies: `matrix (N, m, m)`, `mean (N, C)`, decoder `modulation` or None, and for a skip its
    channels' means and deviations, each `(N, c)`, or None."""

    matrix: torch.Tensor
    mean: torch.Tensor
    modulation: list | None = None
    skip: tuple | None = None


def covariance(features: torch.Tensor) -> torch.Tensor:
    """Covariance of centred features `(N, m, H, W)`: `(N, m, m)`, in float32."""
    return gram(features)


def matrix_roots(matrix: torch.Tensor, steps: int = 14) -> tuple[torch.Tensor, torch.Tensor]:
    """Square root and inverse square root of positive definite `(N, m, m)`, by coupled Newton–Schulz iteration.

    Matrix products only: `eigh` gives NaN gradients when eigenvalues meet (Higham 2008, §6.7).
    """
    norm = matrix.flatten(1).norm(dim=1)[:, None, None]
    identity = torch.eye(matrix.shape[1], device=matrix.device, dtype=matrix.dtype).expand_as(matrix)
    root, inverse = matrix / norm, identity
    for _ in range(steps):
        step = 1.5 * identity - 0.5 * inverse @ root
        root, inverse = root @ step, step @ inverse
    return root * norm.sqrt(), inverse / norm.sqrt()


class LinearTransform(nn.Module):
    """Compress to m channels, multiply by T, decompress (paper, yellow box)."""

    def __init__(self, channels: int, matrix_size: int, bias: bool = True):
        super().__init__()
        self.compress = nn.Conv2d(channels, matrix_size, 1, bias=bias)
        self.decompress = nn.Conv2d(matrix_size, channels, 1, bias=bias)

    def forward(self, centred: torch.Tensor, matrix: torch.Tensor, mean: torch.Tensor) -> torch.Tensor:
        """centred content features `(N, C, h, w)`, T `(N, m, m)`, style mean `(N, C)`: `(N, C, h, w)`."""
        compressed = self.compress(centred)
        moved = (matrix @ compressed.flatten(2).to(matrix.dtype)).unflatten(2, compressed.shape[2:])
        return self.decompress(moved) + mean[:, :, None, None]


class MatrixBranch(nn.Module):
    """conv → Gram → fc: features `(N, C, h, w)` to the code of a matrix `(N, m²)` (paper, figure 1)."""

    def __init__(self, channels: int, matrix_size: int):
        super().__init__()
        self.convs = nn.Sequential(nn.Conv2d(channels, channels // 2, 3, padding=1), nn.ReLU(),
                                   nn.Conv2d(channels // 2, channels // 4, 3, padding=1), nn.ReLU(),
                                   nn.Conv2d(channels // 4, matrix_size, 3, padding=1))
        self.fc = nn.Linear(matrix_size**2, matrix_size**2)

    def forward(self, features: torch.Tensor) -> torch.Tensor:
        return self.fc(covariance(self.convs(features)).flatten(1))


def centre(features: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
    """Features minus their spatial mean, and that mean `(N, C)`, in float32."""
    mean = features.float().mean((2, 3))
    return features - mean[:, :, None, None], mean


class VariationalLinearTransform(nn.Module):
    """What the variants share. `features` arguments are dicts of encoder features by layer, the last one deepest."""

    def transform(self, content: torch.Tensor, style: Style) -> torch.Tensor:
        """Content features `(N, C, h, w)` in the style: `(N, C, h, w)`."""
        centred, _ = centre(content)
        return self.linear(centred, style.matrix @ self.content_matrix(centred), style.mean)


class BranchVLT(VariationalLinearTransform):
    """What `paper` and `released` share: both matrices come from a branch conv → Gram → fc (paper, figure 1)."""

    def __init__(self, encoder, matrix_size: int, latent: int):
        super().__init__()
        if encoder.skip:
            raise InputError(f"variant {self.variant!r}", "knows no skip", "use variant joint, or leave skip out")
        self.matrix_size, self.latent = matrix_size, latent
        self.style_layers = (encoder.last,)
        self.linear = LinearTransform(encoder.channels, matrix_size)
        self.content_branch, self.style_branch = (MatrixBranch(encoder.channels, matrix_size) for _ in range(2))

    def content_matrix(self, centred: torch.Tensor) -> torch.Tensor:
        """C `(N, m, m)` of centred content features."""
        return self.content_branch(centred).unflatten(1, (self.matrix_size, self.matrix_size))


class PaperVLT(BranchVLT):
    """Variant `paper`. encoder: gives channels. latent: dimensions of z."""

    variant = "paper"

    def __init__(self, encoder, decoder, matrix_size: int = 24, latent: int = 64):
        super().__init__(encoder, matrix_size, latent)
        channels = encoder.channels
        self.to_posterior = nn.Linear(matrix_size**2, 2 * latent)
        self.from_latent = nn.Sequential(nn.Linear(latent, 4 * latent), nn.ReLU(), nn.Linear(4 * latent, matrix_size**2))
        self.register_buffer("average_mean", torch.zeros(channels))

    def encode_style(self, features: dict) -> StyleCode:
        """Posterior of the style's fc code; the mean is passed on."""
        centred, mean = centre(features[self.style_layers[-1]])
        if self.training:  # what `prior` uses for the mean, which has no prior in this variant
            self.average_mean.lerp_(mean.detach().mean(0), 0.01)
        mu, log_sigma = self.to_posterior(self.style_branch(centred)).float().chunk(2, dim=1)
        return StyleCode(mu, log_sigma.clamp(-8, 4), {"mean": mean})

    def decode_style(self, z: torch.Tensor, code: StyleCode) -> Style:
        matrix = self.from_latent(z).float().unflatten(1, (self.matrix_size, self.matrix_size))
        return Style(matrix, code.extras["mean"])

    def prior(self) -> StyleCode:
        """N(0, I), with the training styles' average mean."""
        zeros = self.average_mean.new_zeros(1, self.latent)
        return StyleCode(zeros, zeros, {"mean": self.average_mean[None]})


class ReleasedVLT(BranchVLT):
    """Variant `released`: the published `MulLayer`, its behaviour kept bit for bit where it matters (parity test)."""

    variant = "released"

    def __init__(self, encoder, decoder, matrix_size: int = 32, latent: int = 64):
        super().__init__(encoder, matrix_size, latent)
        channels = encoder.channels
        self.to_posterior = nn.Linear(channels, 2 * latent)
        self.norm = nn.BatchNorm1d(latent)
        self.from_latent = nn.Sequential(nn.Linear(latent, channels), nn.BatchNorm1d(channels), nn.ReLU(),
                                         nn.Linear(channels, channels))

    def encode_style(self, features: dict) -> StyleCode:
        """Posterior of the style's mean. `mu` is before the batch norm, as in the released KL; the feature
        map itself is passed on, because it is what the released code mixes."""
        style = features[self.style_layers[-1]]
        mu, log_sigma = self.to_posterior(style.float().mean((2, 3))).float().chunk(2, dim=1)
        return StyleCode(mu, log_sigma, {"features": style})

    def decode_style(self, z: torch.Tensor, code: StyleCode) -> Style:
        """The released `reparameterize` returns bn(mu) + sigma: no noise is drawn, sigma is an offset."""
        mean = self.from_latent(self.norm(z) + code.log_sigma.exp()).float()
        centred = code.extras["features"] - mean[:, :, None, None]
        return Style(self.style_branch(centred).unflatten(1, (self.matrix_size, self.matrix_size)), mean)


def with_moments(features: torch.Tensor, mean: torch.Tensor, deviation: torch.Tensor) -> torch.Tensor:
    """Features `(N, C, H, W)` with other channel means and deviations `(N, C)` (AdaIN, Huang & Belongie 2017, eq. 8);
    channels that hardly vary are not blown up."""
    centred, _ = centre(features)
    own = (centred.square().mean((2, 3)) + 0.01).sqrt()
    return centred * (deviation / own)[:, :, None, None] + mean[:, :, None, None]


class StyleStatistic(nn.Module):
    """The style as one standardised vector: mean of the last layer, upper triangle of its covariance root
    in the compressed space, deviations there, moments of the earlier layers. One centre per entry and one
    scale per part, measured once (`measure`)."""

    def __init__(self, channels: list[int], matrix_size: int):
        super().__init__()
        self.matrix_size = matrix_size
        rows, columns = torch.triu_indices(matrix_size, matrix_size)
        self.register_buffer("rows", rows, persistent=False)
        self.register_buffer("columns", columns, persistent=False)
        self.sizes = [channels[-1], len(rows)] + [2 * count for count in channels[:-1]] + [channels[-1]]
        self.register_buffer("centre", torch.zeros(sum(self.sizes)))
        self.register_buffer("scale", torch.ones(sum(self.sizes)))

    def raw(self, features: list[torch.Tensor], root: torch.Tensor) -> torch.Tensor:
        """features by layer, covariance root `(N, m, m)`: `(N, size)`."""
        per_layer = [torch.cat(moments(feature.float()), dim=1) for feature in features]
        mean, deviation = per_layer[-1].chunk(2, dim=1)
        return torch.cat([mean, root[:, self.rows, self.columns], *per_layer[:-1], deviation], dim=1)

    @torch.no_grad()
    def measure(self, raw: torch.Tensor):
        """Set centre and scales from many styles' raw vectors `(n, size)`."""
        self.centre.copy_(raw.mean(0))
        parts = (raw - self.centre).split(self.sizes, dim=1)
        self.scale.copy_(torch.cat([part.square().mean().sqrt().expand(part.shape[1]) for part in parts]))

    def standardise(self, raw: torch.Tensor) -> torch.Tensor:
        return (raw - self.centre) / self.scale

    def restore(self, standardised: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor, list[torch.Tensor]]:
        """Of a standardised vector: mean `(N, C)`, symmetric covariance root `(N, m, m)`, and for every earlier layer its
        means and deviations `(N, 2·c)`."""
        mean, triangle, *earlier = (standardised * self.scale + self.centre).split(self.sizes, dim=1)
        matrix = triangle.new_zeros(len(triangle), self.matrix_size, self.matrix_size)
        matrix[:, self.rows, self.columns] = triangle
        return mean, matrix + matrix.triu(1).transpose(1, 2), earlier[:-1]


class StatisticVAE(nn.Module):
    """VAE on standardised style statistics: linear maps plus small networks that start at zero."""

    def __init__(self, size: int, latent: int, hidden: int = 256):
        super().__init__()
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


class Modulator(nn.Module):
    """Style statistic to one (gamma, beta) per hidden decoder layer; starts at no modulation."""

    def __init__(self, size: int, widths: list[int], hidden: int = 128):
        super().__init__()
        self.widths = widths
        self.net = nn.Sequential(nn.Linear(size, hidden), nn.ReLU(), nn.Linear(hidden, 2 * sum(widths)))
        nn.init.zeros_(self.net[2].weight)
        nn.init.zeros_(self.net[2].bias)

    def forward(self, statistic: torch.Tensor) -> list[tuple[torch.Tensor, torch.Tensor]]:
        gamma, beta = self.net(statistic).float().chunk(2, dim=1)
        return list(zip(gamma.split(self.widths, dim=1), beta.split(self.widths, dim=1)))


class JointVLT(VariationalLinearTransform):
    """Variant `joint`. The compressed space is fixed (its PCA after `start_closed_form`), so statistics of styles
    stay comparable while the decoder trains; `floor` makes whitening partial and `keep` lets through what lies
    outside the compressed space, both learned."""

    variant = "joint"

    def __init__(self, encoder, decoder, matrix_size: int = 32, latent: int = 128, modulated: bool = True):
        super().__init__()
        self.matrix_size, self.latent = matrix_size, latent
        self.style_layers, self.skip, self.fold = encoder.style_layers, encoder.skip, encoder.fold
        channels = [encoder.widths[layer] for layer in self.style_layers]
        self.linear = LinearTransform(channels[-1], matrix_size, bias=False)
        nn.init.orthogonal_(self.linear.compress.weight.data.flatten(1))
        self.linear.decompress.weight.data.copy_(self.linear.compress.weight.data.transpose(0, 1))
        self.linear.compress.requires_grad_(False)
        self.statistic = StyleStatistic(channels, matrix_size)
        self.vae = StatisticVAE(sum(self.statistic.sizes), latent)
        self.modulator = Modulator(sum(self.statistic.sizes), decoder.hidden_widths) if modulated else None
        self.log_floor = nn.Parameter(torch.full((matrix_size,), -4.0))
        self.keep = nn.Parameter(torch.zeros(channels[-1]))

    def _roots(self, centred: torch.Tensor, floor: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        with torch.autocast(centred.device.type, enabled=False):
            matrix = covariance(F.conv2d(centred.float(), self.linear.compress.weight))
            scale = matrix.diagonal(dim1=1, dim2=2).mean(1)[:, None]
            return matrix_roots(matrix + torch.diag_embed((scale + 1e-4) * floor))

    def content_matrix(self, centred: torch.Tensor) -> torch.Tensor:
        """cov_c^(−1/2), its small directions held down by the learned floor."""
        return self._roots(centred, self.log_floor.exp())[1]

    def raw_statistic(self, features: dict) -> torch.Tensor:
        maps = [features[layer] for layer in self.style_layers]
        root, _ = self._roots(centre(maps[-1])[0], torch.full_like(self.log_floor, 5e-3))
        return self.statistic.raw(maps, root)

    def encode_style(self, features: dict) -> StyleCode:
        """Posterior of the whole style statistic: nothing is passed around the latent space."""
        return self.vae.encode(self.statistic.standardise(self.raw_statistic(features)))

    def decode_style(self, z: torch.Tensor, code: StyleCode) -> Style:
        statistic = self.vae.decode(z)
        mean, matrix, earlier = self.statistic.restore(statistic)
        skip = earlier[self.style_layers.index(self.skip)].chunk(2, dim=1) if self.skip else None
        return Style(matrix, mean, self.modulator(statistic) if self.modulator else None, skip)

    def transform(self, content: torch.Tensor, style: Style) -> torch.Tensor:
        """Content features `(N, C, h, w)` in the style, a folded skip below them included."""
        deep = content[:, :len(self.keep)]
        centred, _ = centre(deep)
        weight = self.linear.compress.weight
        outside = centred - F.conv2d(F.conv2d(centred, weight), weight.transpose(0, 1))
        moved = super().transform(deep, style) + self.keep[:, None, None] * outside
        if style.skip is None:
            return moved
        skip = F.pixel_shuffle(content[:, len(self.keep):].float(), self.fold)
        return torch.cat([moved, F.pixel_unshuffle(with_moments(skip, *style.skip), self.fold).to(moved.dtype)], dim=1)

    def prior(self) -> StyleCode:
        """N(0, I): a style nobody painted."""
        zeros = self.log_floor.new_zeros(1, self.latent)
        return StyleCode(zeros, zeros)

    @torch.no_grad()
    def start_closed_form(self, feature_batches, statistics: bool = True):
        """PCA for compress and decompress, then probabilistic PCA for the VAE.

        feature_batches: callable giving an iterator over dicts of style features, called twice.
        statistics=False leaves the VAE's maps random (only scales are measured): the ablation's random start.
        """
        if statistics:
            total = sum(covariance(centre(batch[self.style_layers[-1]])[0]).sum(0) for batch in feature_batches())
            # in double precision: single gave NaN axes for a nearly singular sum
            axes = torch.linalg.eigh(total.double())[1].flip(1)[:, :self.matrix_size].T.float()
            self.linear.compress.weight.copy_(axes[:, :, None, None])
            self.linear.decompress.weight.copy_(axes.T[:, :, None, None])
        raw = torch.cat([self.raw_statistic(batch) for batch in feature_batches()])
        self.statistic.measure(raw)
        if statistics:
            self.vae.start_at_ppca(self.statistic.standardise(raw))


VLT = {"paper": PaperVLT, "released": ReleasedVLT, "joint": JointVLT}
