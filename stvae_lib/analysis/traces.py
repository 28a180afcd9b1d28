"""What is left of a photograph in a picture that looks like noise (notebook 03): how much, and where.

The student report marked faint shapes by hand. Here a trace is a correlation of luminance, and counts where it exceeds what
*other* photographs have in common with the picture.
"""

import torch
import torch.nn.functional as F
from skimage.feature import peak_local_max

from ..pictures.edges import luminance


def stretched(outputs: torch.Tensor) -> torch.Tensor:
    """Outputs `(n, 3, H, W)` of any range with each channel of each brought to 0 … 1: a decoder that nobody trained may give
    values in the hundreds, which, cut off, are one flat colour."""
    low, high = outputs.amin((2, 3), keepdim=True), outputs.amax((2, 3), keepdim=True)
    return (outputs - low) / (high - low).clamp_min(1e-6)


def correlations(outputs: torch.Tensor, contents: torch.Tensor, side: int = 16) -> torch.Tensor:
    """|r| of every output's luminance with every content's, of `(n, 3, H, W)` and `(m, 3, H, W)`: `(n, m)`, in `side` by
    `side` cells. The sign is left out: a decoder that nobody trained may turn light into dark."""
    rows = [F.normalize((cells - cells.mean(1, keepdim=True)), dim=1)
            for cells in (F.adaptive_avg_pool2d(luminance(images), side).flatten(1) for images in (outputs, contents))]
    return (rows[0] @ rows[1].T).abs()


def own_over_others(outputs: torch.Tensor, contents: torch.Tensor, own: list[int], side: int = 16) -> list[float]:
    """For each output of `(n, 3, H, W)`: |r| with its own content, `contents[own[i]]`, less the mean |r| with the others."""
    found = correlations(outputs, contents, side)
    mine = found[range(len(own)), own]
    return (mine - (found.sum(1) - mine) / (len(contents) - 1)).tolist()


def local_correlation(output: torch.Tensor, content: torch.Tensor, window: int) -> torch.Tensor:
    """|r| of luminance around every position, over windows of `window` pixels, of two pictures `(1, 3, H, W)`: `(H, W)`."""

    def mean(values):
        return F.avg_pool2d(values, window, 1, window // 2, count_include_pad=False)[..., :height, :width]

    one, other = luminance(output).double(), luminance(content).double()
    height, width = one.shape[2:]
    covariance = mean(one * other) - mean(one) * mean(other)
    variances = [(mean(value * value) - mean(value) ** 2).clamp_min(0) for value in (one, other)]
    return (covariance / (variances[0] * variances[1]).sqrt().clamp_min(1e-6))[0, 0].abs().float()


def places(output: torch.Tensor, content: torch.Tensor, others: list[torch.Tensor], window: int = 48,
           most: int = 4) -> list[tuple[int, int]]:
    """Where a picture shows its content: (row, column) of the highest local correlations, at most `most` of them and a
    window apart, that exceed the highest one that it has with any of `others`."""
    highest = max(float(local_correlation(output, other, window).max()) for other in others)
    own = local_correlation(output, content, window)
    peaks = peak_local_max(own.numpy(), min_distance=window, threshold_abs=highest,
                           num_peaks=most, exclude_border=False)
    return [(int(row), int(column)) for row, column in peaks]
