"""The content's side of the transform: what of it is taken out before a style is put in."""

from dataclasses import dataclass

import torch
from torch import nn

from ..statistics import centre


@dataclass
class ContentStatistics:
    """What the transform takes out of content features: their `mean (N, C)` and the matrix C `(N, m, m)` that whitens them,
    and the same of a skip, or None. Taken of other features than those to be transformed, they hold the frames of a film,
    or the tiles of a picture, together."""

    mean: torch.Tensor
    matrix: torch.Tensor
    skip: "ContentStatistics | None" = None

    def lerp(self, other: "ContentStatistics", share: float) -> "ContentStatistics":
        """On the straight way to `other`: 0 is this one, 1 the other."""
        skip = self.skip and self.skip.lerp(other.skip, share)
        return ContentStatistics(self.mean.lerp(other.mean, share), self.matrix.lerp(other.matrix, share), skip)


class ContentSide(nn.Module):
    """What transforms with a `content_matrix` share."""

    def content_statistics(self, content: torch.Tensor) -> ContentStatistics:
        """Mean and matrix C of content features `(N, C, h, w)`, for `known` below."""
        centred, mean = centre(content)
        return ContentStatistics(mean, self.content_matrix(centred))

    def taken_out(self, content: torch.Tensor, known: ContentStatistics | None) -> tuple[torch.Tensor, torch.Tensor]:
        """Content features `(N, C, h, w)` without their mean, and the matrix C `(N, m, m)`: their own, or those `known`."""
        if known is not None:
            return content - known.mean[:, :, None, None], known.matrix
        centred, _ = centre(content)
        return centred, self.content_matrix(centred)
