"""The variational linear transform: the paper's yellow (linear transform) and purple (variational) boxes.

F_cs = decompress(T · compress(F_c − mean_c)) + mean_s with T = S·C (paper, figure 1). Three variants:

paper     figure 1 to the letter: conv → Gram → fc on both sides, the style's fc code goes through the VAE,
          the style mean is passed on as it is.
released  what the published code does, defects included: the VAE sees the style mean only, z = bn(mu) + sigma
          without noise, and styles are mixed as feature maps before the covariance network.
joint     ours: one latent for the whole style statistic (mean, covariance root, moments of earlier layers);
          S and C are matrix roots, so training can start at a closed form (WCT, Li et al. 2017).
"""

import torch
import torch.nn.functional as F
from torch import nn

from ..errors import InputError
from ..statistics import centre, covariance, gram
from .codes import Style, StyleCode
from .content import ContentSide, ContentStatistics
from .linear import LinearTransform
from .style_statistic import HiddenMoments, Modulator, StatisticVAE, StyleStatistic
from .whitening import WhiteningTransform


class MatrixBranch(nn.Module):
    """conv → Gram → fc: features `(N, C, h, w)` to the code of a matrix `(N, m²)` (paper, figure 1)."""

    def __init__(self, channels: int, matrix_size: int):
        super().__init__()
        self.convs = nn.Sequential(nn.Conv2d(channels, channels // 2, 3, padding=1), nn.ReLU(),
                                   nn.Conv2d(channels // 2, channels // 4, 3, padding=1), nn.ReLU(),
                                   nn.Conv2d(channels // 4, matrix_size, 3, padding=1))
        self.fc = nn.Linear(matrix_size**2, matrix_size**2)

    def forward(self, features: torch.Tensor) -> torch.Tensor:
        return self.code(gram(self.convs(features)))    # F Fᵀ of the convolved features    (N, m, m)

    def code(self, matrix: torch.Tensor) -> torch.Tensor:
        """F Fᵀ `(N, m, m)` to the code of S or C `(N, m²)`."""
        return self.fc(matrix.flatten(1))


class VariationalLinearTransform(ContentSide):
    """What the variants share. has_prior: whether z ~ N(0, I) is a style (`prior`). normalises: whether the modulation puts the
    style's statistics in place of the decoder's own. `features` arguments are dicts of encoder features by layer, the last one
    deepest."""

    has_prior, normalises = True, False

    def transform(self, content: torch.Tensor, style: Style, known: ContentStatistics | None = None) -> torch.Tensor:
        """F_cs of content features F_c `(N, C, h, w)` and a style: `(N, C, h, w)`. known: `content_statistics` to take out
        in place of the content's own."""
        centred, content_matrix = self.taken_out(content, known)    # F_c − mean_c, C           (N, C, h, w), (N, m, m)
        matrix = style.matrix @ content_matrix                      # T = S·C                   (N, m, m)
        return self.linear(centred, matrix, style.mean)             # decompress(T·compress) + mean_s  (N, C, h, w)


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

    def content_maps(self, centred: torch.Tensor) -> torch.Tensor:
        return self.content_branch.convs(centred)

    def matrix_from(self, moment: torch.Tensor) -> torch.Tensor:
        return self.content_branch.code(moment).unflatten(1, (self.matrix_size, self.matrix_size))


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
        centred, mean = centre(features[self.style_layers[-1]])                             # (N, C, h, w), (N, C)
        if self.training:  # what `prior` uses for the mean, which has no prior in this variant
            self.average_mean.lerp_(mean.detach().mean(0), 0.01)
        mu, log_sigma = self.to_posterior(self.style_branch(centred)).float().chunk(2, dim=1)   # (N, latent) each
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

    variant, has_prior = "released", False

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


class JointVLT(VariationalLinearTransform, WhiteningTransform):
    """Variant `joint`: a whitening transform at the last layer, and one more at a skip where the encoder has one; one latent
    for the statistics of both and of the layers before."""

    variant = "joint"

    def __init__(self, encoder, decoder, matrix_size: int = 32, latent: int = 128, modulated: bool = True,
                 normalised: bool = False):
        super().__init__(encoder.channels, matrix_size)
        self.matrix_size, self.latent, self.normalises = matrix_size, latent, modulated and normalised
        self.style_layers, self.skip, self.fold = encoder.style_layers, encoder.skip, encoder.fold
        channels = [encoder.widths[layer] for layer in self.style_layers]
        self.at_skip = WhiteningTransform(encoder.widths[self.skip], matrix_size) if self.skip else None
        self.statistic = StyleStatistic(channels, matrix_size, roots=2 if self.skip else 1)
        self.vae = StatisticVAE(sum(self.statistic.sizes), latent)
        told = latent if normalised else sum(self.statistic.sizes)  # what the modulator is told of the style
        self.modulator = Modulator(told, decoder.hidden_widths, normalised) if modulated else None

    def raw_statistic(self, features: dict) -> torch.Tensor:
        """Means, covariance roots and deviations of style features by layer: `(N, size)`."""
        maps = [features[layer] for layer in self.style_layers]
        roots = [self.style_root(maps[-1])]
        if self.skip:
            roots.append(self.at_skip.style_root(features[self.skip]))
        return self.statistic.raw(maps, roots)

    def encode_style(self, features: dict) -> StyleCode:
        """Posterior of the whole style statistic: nothing is passed around the latent space."""
        raw = self.raw_statistic(features)                  # (N, size)
        return self.vae.encode(self.statistic.standardise(raw))     # mu, log_sigma: (N, latent) each

    def decode_style(self, z: torch.Tensor, code: StyleCode) -> Style:
        statistic = self.vae.decode(z)                                          # (N, latent) → (N, size)
        mean, (matrix, *at_skip), earlier = self.statistic.restore(statistic)   # mean_s (N, C), S (N, m, m)
        skip = (at_skip[0], earlier[self.style_layers.index(self.skip)]) if self.skip else None
        modulation = self.modulator and self.modulator(z if self.modulator.normalised else statistic)
        return Style(matrix, mean, modulation, skip)

    def content_levels(self, content: torch.Tensor) -> list[tuple[ContentSide, torch.Tensor]]:
        """The deep features `(N, C, h, w)` and, unfolded, those of a skip `(N, c, fold·h, fold·w)`, where there is one."""
        deep = [(self, content[:, :len(self.keep)])]
        if not self.skip:
            return deep
        return [*deep, (self.at_skip, F.pixel_shuffle(content[:, len(self.keep):], self.fold))]

    def transform(self, content: torch.Tensor, style: Style, known: ContentStatistics | None = None) -> torch.Tensor:
        """F_cs of content features F_c `(N, C, h, w)`; of a folded skip below them too. known: as above."""
        (_, deep), *below = self.content_levels(content)
        moved = self.coloured(deep, style.matrix, style.mean, known)                        # (N, C, h, w)
        if style.skip is None:
            return moved
        (_, skip), = below
        skip = self.at_skip.coloured(skip, *style.skip, known and known.skip)               # (N, c, fold·h, fold·w)
        skip = F.pixel_unshuffle(skip, self.fold)                                           # (N, fold²·c, h, w)
        return torch.cat([moved, skip.to(moved.dtype)], dim=1)

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
            levels = {self.style_layers[-1]: self} | ({self.skip: self.at_skip} if self.skip else {})
            totals = dict.fromkeys(levels, 0.0)
            for batch in feature_batches():
                totals = {layer: total + covariance(batch[layer]).sum(0) for layer, total in totals.items()}
            for layer, level in levels.items():
                level.start_at_pca(totals[layer])
        raw = torch.cat([self.raw_statistic(batch) for batch in feature_batches()])
        self.statistic.measure(raw)
        if statistics:
            self.vae.start_at_ppca(self.statistic.standardise(raw))

    @torch.no_grad()
    def start_modulation(self, feature_batches, encoder, decoder):
        """Normalised modulation: start at the moments that the decoder's hidden layers have when it draws the style itself.
        feature_batches: as in `start_closed_form`."""
        codes, found = [], []
        for batch in feature_batches():
            layers = HiddenMoments()
            decoder(encoder.bottleneck(batch), layers)
            found.append(layers.rows)
            codes.append(self.encode_style(batch).mu)
        means, deviations = (torch.cat([torch.cat([row[part] for row in rows], dim=1) for rows in found]) for part in (0, 1))
        self.modulator.start_at(torch.cat(codes), means, deviations)


VLT = {"paper": PaperVLT, "released": ReleasedVLT, "joint": JointVLT}
