"""Method 2 over the frames of a film."""

import numpy as np
import torch

from ..pictures.images import to_array, to_tensor
from ..video.flow import flow_between, warp
from .gatys import method_2


class FilmByMethod2:
    """`film(picture)`, frame after frame, as `cysmith/neural-style-tf` does it: the first frame begins as the content, every
    other one as the last result, carried along the optical flow. Its temporal loss is left out: as published it is a
    constant, whose gradient is zero.

    style `(1, 3, H, W)` and network: as for `gatys.method_2`. first, others: iterations of the first frame and of every
    other one (published: 2000 and 800). options: of `gatys.GatysOptions`.
    """

    def __init__(self, style: torch.Tensor, network, first: int = 2000, others: int = 800, **options):
        self.style, self.network, self.first, self.others, self.options = style, network, first, others, options
        self.last = None

    def __call__(self, picture: np.ndarray) -> np.ndarray:
        """A frame and its result, both uint8 `(H, W, 3)`."""
        start, iterations = None, self.first
        if self.last is not None:
            picture_before, result_before = self.last
            moved = warp(result_before.astype(np.float32), flow_between(picture, picture_before))
            start, iterations = to_tensor(np.rint(moved.clip(0, 255)).astype(np.uint8)), self.others
        result, _ = method_2(to_tensor(picture), self.style, self.network, start=start, iterations=iterations, **self.options)
        self.last = picture, to_array(result)
        return self.last[1]
