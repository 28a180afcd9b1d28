"""The content's side of the transform: what of it is taken out before a style is put in."""

from dataclasses import dataclass, replace

import torch
from torch import nn

from ..statistics import centre, gram


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
    """What transforms share of a content: its mean, and C made of the Gram matrix of maps that lie place by place, so that
    both can be summed up over the tiles of a picture as well."""

    def content_maps(self, centred: torch.Tensor) -> torch.Tensor:
        """Maps `(N, m, h, w)` of centred content features `(N, C, h, w)` whose Gram matrix C is made of."""
        raise NotImplementedError

    def matrix_from(self, moment: torch.Tensor) -> torch.Tensor:
        """C `(N, m, m)` from the Gram matrix of the `content_maps`, `(N, m, m)`."""
        raise NotImplementedError

    def content_levels(self, content: torch.Tensor) -> list[tuple["ContentSide", torch.Tensor]]:
        """Content features as the encoder gives them, taken apart: each level's transform and its features."""
        return [(self, content)]

    def content_matrix(self, centred: torch.Tensor) -> torch.Tensor:
        """C `(N, m, m)` of centred content features."""
        return self.matrix_from(gram(self.content_maps(centred)))

    def content_statistics(self, content: torch.Tensor) -> ContentStatistics:
        """Mean and matrix C of content features `(N, C, h, w)`, and of a skip's folded below them, for `known` below."""
        found = []
        for side, features in self.content_levels(content):
            centred, mean = centre(features)
            found.append(ContentStatistics(mean, side.content_matrix(centred)))
        return joined(found)

    def taken_out(self, content: torch.Tensor, known: ContentStatistics | None) -> tuple[torch.Tensor, torch.Tensor]:
        """Content features `(N, C, h, w)` without their mean, and the matrix C `(N, m, m)`: their own, or those `known`."""
        if known is not None:
            return content - known.mean[:, :, None, None], known.matrix
        centred, _ = centre(content)
        return centred, self.content_matrix(centred)


def joined(levels: list[ContentStatistics]) -> ContentStatistics:
    """Statistics by level, the deep one first, as those of the whole."""
    return replace(levels[0], skip=joined(levels[1:])) if len(levels) > 1 else levels[0]
