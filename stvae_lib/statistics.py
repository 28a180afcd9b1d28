"""Statistics of feature maps, the maths under losses and transform alike: what a style is in numbers."""

import torch


def gram(features: torch.Tensor) -> torch.Tensor:
    """F Fᵀ / (H·W) of features `(N, C, H, W)`: `(N, C, C)` (Gatys et al. 2016, eq. 3), in float32 even under autocast:
    in bfloat16 a variance, a small difference of large entries, would drown in rounding."""
    with torch.autocast(features.device.type, enabled=False):
        flat = features.float().flatten(2)
        return flat @ flat.transpose(1, 2) / flat.shape[2]


def covariance(features: torch.Tensor) -> torch.Tensor:
    """Covariance of features `(N, m, H, W)` over places: `(N, m, m)`, the Gram matrix of the centred ones, in float32."""
    return gram(centre(features.float())[0])


def centre(features: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
    """Features minus their spatial mean, and that mean `(N, C)`, in float32."""
    mean = features.float().mean((2, 3))
    return features - mean[:, :, None, None], mean


def moments(features: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
    """Channel means and (unbiased) standard deviations `(N, C)` of features `(N, C, H, W)`."""
    flat = features.flatten(2)
    mean = flat.mean(2)
    return mean, deviations(mean, flat.square().mean(2), flat.shape[2])


def deviations(mean: torch.Tensor, mean_square: torch.Tensor, count: int) -> torch.Tensor:
    """Standard deviations `(N, C)` of `count` values from their mean and mean square; never quite zero."""
    return ((mean_square - mean**2).clamp_min(0) * count / (count - 1) + 1e-5).sqrt()


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


def sampled_rows(features: torch.Tensor, count: int = 20000) -> torch.Tensor:
    """Features `(N, C, H, W)` as at most `count` rows `(n, C)`, evenly spread over images and places."""
    rows = features.movedim(1, -1).flatten(0, 2)
    return rows[:: max(1, len(rows) // count)]


def least_squares(inputs: torch.Tensor, wanted: torch.Tensor, ridge: float = 1e-4) -> tuple[torch.Tensor, torch.Tensor]:
    """Weight `(D, C)` and bias `(D,)` of the affine map that takes `inputs` `(n, C)` nearest to `wanted` `(n, D)`."""
    centre, target = inputs.double().mean(0), wanted.double().mean(0)
    centred = inputs.double() - centre
    damping = ridge * centred.square().mean() * len(inputs) * torch.eye(inputs.shape[1], dtype=torch.float64)
    weight = torch.linalg.solve(centred.T @ centred + damping, centred.T @ (wanted.double() - target)).T
    return weight.float(), (target - weight @ centre).float()
