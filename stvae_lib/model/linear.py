"""Compress, multiply by T, decompress: the yellow box of the paper's figure 1, whatever T is made of."""

import torch
from torch import nn


class LinearTransform(nn.Module):
    """Compress to m channels, multiply by T, decompress (paper, yellow box). ValueError where m is more than there are."""

    def __init__(self, channels: int, matrix_size: int, bias: bool = True):
        super().__init__()
        if matrix_size > channels:
            raise ValueError(f"a matrix of {matrix_size} by {matrix_size} has more sides than its {channels} channels")
        self.compress = nn.Conv2d(channels, matrix_size, 1, bias=bias)
        self.decompress = nn.Conv2d(matrix_size, channels, 1, bias=bias)

    def forward(self, centred: torch.Tensor, matrix: torch.Tensor, mean: torch.Tensor) -> torch.Tensor:
        """centred content features `(N, C, h, w)`, T `(N, m, m)`, style mean `(N, C)`: `(N, C, h, w)`."""
        compressed = self.compress(centred)                                     # (N, m, h, w)
        moved = matrix @ compressed.flatten(2).to(matrix.dtype)                 # (N, m, h·w)
        moved = moved.unflatten(2, compressed.shape[2:])                        # (N, m, h, w)
        return self.decompress(moved) + mean[:, :, None, None]                  # (N, C, h, w)
