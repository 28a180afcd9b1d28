"""AdaIN and WCT in our own autoencoder: what the linear transform competes with.

Both replace statistics of the content's features by the style's, in closed form: channel means and deviations (AdaIN),
or the mean and the whole covariance (WCT).
"""

import torch

from ..model.stvae import AutoEncoder, normalised_mix
from ..statistics import centre, covariance
from .gatys import checked_styles
from .optimisation import History

EIGENVALUE_FLOOR = 1e-5  # of the largest: directions below hold rounding errors, and whitening would magnify them


def adain(content: torch.Tensor, styles, model: AutoEncoder, mix=None) -> tuple[torch.Tensor, History]:
    """Adaptive instance normalisation (Huang & Belongie 2017, eq. 8): content features take each style's channel means
    and deviations. content `(1, 3, H, W)` in [0, 1], one style or several, mix one share per style (normalised). Returns
    the image and an empty history. InputError on what is no image and on counts that differ."""
    return _moved(content, styles, model, mix, _adain)


def wct(content: torch.Tensor, styles, model: AutoEncoder, mix=None) -> tuple[torch.Tensor, History]:
    """Whitening and colouring transform (Li et al. 2017, eqs. 2 and 3), at the autoencoder's one level: content features
    take each style's mean and covariance. Arguments and returns as for `adain`."""
    return _moved(content, styles, model, mix, _wct)


@torch.no_grad()
def _moved(content, styles, model, mix, transform) -> tuple[torch.Tensor, History]:
    """Decode the weighted sum of the content's features under every style's statistics."""
    styles = checked_styles(content, styles)
    mix = normalised_mix(mix, len(styles))
    features = model.encode(content)
    mixed = sum(phi * transform(features, model.encode(style)) for phi, style in zip(mix, styles))
    return model.decode(mixed, content.shape[2:]).clamp(0, 1), History()


def _adain(features: torch.Tensor, style: torch.Tensor) -> torch.Tensor:
    mean, deviation = features.mean((2, 3), keepdim=True), features.std((2, 3), keepdim=True) + 1e-5
    return (features - mean) / deviation * style.std((2, 3), keepdim=True) + style.mean((2, 3), keepdim=True)


def _wct(features: torch.Tensor, style: torch.Tensor) -> torch.Tensor:
    centred, _ = centre(features)
    _, mean = centre(style)
    matrix = _power(covariance(style), 0.5) @ _power(covariance(features), -0.5)
    return (matrix @ centred.flatten(2)).unflatten(2, features.shape[2:]) + mean[:, :, None, None]


def _power(matrix: torch.Tensor, exponent: float) -> torch.Tensor:
    """Power of a symmetric matrix `(N, C, C)` on the directions that carry variance; the others are dropped."""
    values, vectors = torch.linalg.eigh(matrix.double())
    kept = values > EIGENVALUE_FLOOR * values[..., -1:]
    powers = torch.where(kept, values.clamp_min(1e-30) ** exponent, 0.0)
    return ((vectors * powers[..., None, :]) @ vectors.mT).to(matrix.dtype)
