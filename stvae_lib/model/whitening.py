"""The closed form of the linear transform at one layer: whiten the content, colour it like the style (WCT, Li et al. 2017)."""

import torch
import torch.nn.functional as F
from torch import nn

from ..statistics import centre, gram, matrix_roots
from .content import ContentSide, ContentStatistics
from .linear import LinearTransform

STYLE_FLOOR = 5e-3  # of the mean variance: directions that a style hardly uses hold rounding errors


class WhiteningTransform(ContentSide):
    """T = S·C with C = cov_c^(−1/2) and S = cov_s^(1/2), in a compressed space that stays fixed (its PCA after `start_at_pca`),
    so that statistics of styles stay comparable while a decoder trains. `log_floor` makes whitening partial and `keep` lets
    through what lies outside the compressed space, both learned."""

    def __init__(self, channels: int, matrix_size: int):
        super().__init__()
        self.linear = LinearTransform(channels, matrix_size, bias=False)
        nn.init.orthogonal_(self.linear.compress.weight.data.flatten(1))
        self.linear.decompress.weight.data.copy_(self.linear.compress.weight.data.transpose(0, 1))
        self.linear.compress.requires_grad_(False)
        self.log_floor = nn.Parameter(torch.full((matrix_size,), -4.0))
        self.keep = nn.Parameter(torch.zeros(channels))

    def style_root(self, features: torch.Tensor) -> torch.Tensor:
        """cov_s^(1/2) `(N, m, m)` of style features `(N, C, h, w)`, compressed."""
        moment = gram(self.content_maps(centre(features)[0]))
        return self._roots(moment, torch.full_like(self.log_floor, STYLE_FLOOR))[0]

    def content_maps(self, centred: torch.Tensor) -> torch.Tensor:
        """Centred features compressed, in float32 also under autocast."""
        with torch.autocast(centred.device.type, enabled=False):
            return F.conv2d(centred.float(), self.linear.compress.weight)

    def matrix_from(self, moment: torch.Tensor) -> torch.Tensor:
        """C = cov_c^(−1/2) `(N, m, m)`, its small directions held down by the learned floor."""
        return self._roots(moment, self.log_floor.exp())[1]

    def _roots(self, moment: torch.Tensor, floor: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        """Root and inverse root of a covariance, with a floor in shares of its mean variance."""
        with torch.autocast(moment.device.type, enabled=False):
            scale = moment.diagonal(dim1=1, dim2=2).mean(1)[:, None]
            return matrix_roots(moment + torch.diag_embed((scale + 1e-4) * floor))

    def coloured(self, content: torch.Tensor, matrix: torch.Tensor, mean: torch.Tensor,
                 known: ContentStatistics | None = None) -> torch.Tensor:
        """Content features `(N, C, h, w)` with style matrix S `(N, m, m)` and mean `(N, C)`: `(N, C, h, w)`.
        known: statistics to take out in place of the content's own."""
        centred, content_matrix = self.taken_out(content, known)
        weight = self.linear.compress.weight                                                # (m, C, 1, 1)
        outside = centred - F.conv2d(F.conv2d(centred, weight), weight.transpose(0, 1))     # what compress drops
        moved = self.linear(centred, matrix @ content_matrix, mean)                         # T = S·C
        return moved + self.keep[:, None, None] * outside

    @torch.no_grad()
    def start_at_pca(self, total: torch.Tensor):
        """Compress to the principal axes of a summed covariance `(C, C)`, and decompress from them."""
        # in double precision: single gave NaN axes for a nearly singular sum
        axes = torch.linalg.eigh(total.double())[1].flip(1)[:, :len(self.log_floor)].T.float()
        self.linear.compress.weight.copy_(axes[:, :, None, None])
        self.linear.decompress.weight.copy_(axes.T[:, :, None, None])
