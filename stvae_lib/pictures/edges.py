"""A picture without its colours, and its edges."""

import torch
import torch.nn.functional as F


def luminance(image: torch.Tensor) -> torch.Tensor:
    """`(N, 1, H, W)` of `(N, 3, H, W)`, by the weights of ITU-R BT.601."""
    return (image * image.new_tensor([0.299, 0.587, 0.114])[:, None, None]).sum(1, keepdim=True)


def sobel_edges(image: torch.Tensor) -> torch.Tensor:
    """Horizontal and vertical Sobel derivatives of the luminance, `(1, 2, H, W)`, in units of 0–255."""
    kernel = image.new_tensor([[-1.0, 0, 1], [-2, 0, 2], [-1, 0, 1]]) / 8
    kernels = torch.stack([kernel, kernel.T])[:, None]
    return F.conv2d(F.pad(255 * luminance(image), (1, 1, 1, 1), mode="reflect"), kernels)
