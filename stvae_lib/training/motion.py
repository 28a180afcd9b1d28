"""Small motions of a picture, as from a film's frame to the next: what is drawn of it ought to move along (after Wang et al.
2020, "Consistent Video Style Transfer via Compound Regularization", whose motions are random flows)."""

import numpy as np
import torch
import torch.nn.functional as F

from ..losses import PIXEL_VARIANCE

SHIFT, ZOOM, TURN = 8.0, 0.04, 0.04  # at most, each way: pixels, a share of the size, radians
NOISE = 0.02  # at most, standard deviation of values in [0, 1]
BORDER = 16  # pixels along the edges that are not compared: borders, reflected, do not move along


def motions(rng: np.random.Generator, count: int, side: int) -> torch.Tensor:
    """Random shifts, zooms and turns of square pictures of `side` pixels, `(count, 2, 3)` as `F.affine_grid` takes them."""
    shift, zoom, turn = (rng.uniform(-most, most, (count, size)) for most, size in ((2 * SHIFT / side, 2), (ZOOM, 1), (TURN, 1)))
    cos, sin = (1 + zoom) * np.cos(turn), (1 + zoom) * np.sin(turn)
    rows = np.concatenate([cos, -sin, shift[:, :1], sin, cos, shift[:, 1:]], axis=1)
    return torch.from_numpy(rows.reshape(count, 2, 3)).float()


def noise(rng: np.random.Generator, images: torch.Tensor) -> torch.Tensor:
    """Normal noise of the shape of `images (N, 3, H, W)`, for each of a strength of its own."""
    strength = rng.uniform(0, NOISE, (len(images), 1, 1, 1))
    return torch.from_numpy(strength * rng.standard_normal(images.shape)).float()


def moved(images: torch.Tensor, motion: torch.Tensor) -> torch.Tensor:
    """Pictures `(N, 3, H, W)` after motions `(N, 2, 3)`, bicubic; what comes in from outside is reflected."""
    grid = F.affine_grid(motion, images.shape, align_corners=False)
    return F.grid_sample(images, grid, "bicubic", padding_mode="reflection", align_corners=False)


def unsteadiness(before: torch.Tensor, after: torch.Tensor, motion: torch.Tensor) -> torch.Tensor:
    """How far what was drawn `after` a motion is off what was drawn `before` and so moved, both `(N, 3, H, W)`: squared error
    over the pixels' variance, per picture `(N,)`, where the motion is inside the picture and no border is near."""
    places = F.affine_grid(motion, before.shape, align_corners=False).abs().amax(-1)  # (N, H, W), 1 at the edges
    own = F.affine_grid(torch.eye(2, 3).to(motion).expand_as(motion), before.shape, align_corners=False).abs().amax(-1)
    seen = (torch.maximum(places, own) < 1 - 2 * BORDER / before.shape[2]).unsqueeze(1)
    error = (moved(before, motion) - after).square().mean(1, keepdim=True) * seen
    return error.sum((1, 2, 3)) / seen.sum((1, 2, 3)) / PIXEL_VARIANCE
