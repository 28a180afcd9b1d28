"""Contrast that averaging takes away, given back octave by octave."""

import cv2
import numpy as np

OCTAVES = 3   # of detail above what is left
MOST = 2.0    # times that an octave is raised or lowered: what is flat stays flat


def restored(picture: np.ndarray, like: np.ndarray) -> np.ndarray:
    """A picture, float32 `(H, W, 3)` in [0, 1], with the contrast of another of its size: in every octave of detail (a Laplacian
    pyramid, Burt and Adelson 1983) each channel gets the other's mean and deviation."""
    bands = [_matched(*pair) for pair in zip(octaves(picture), octaves(like))]
    found = bands.pop()
    while bands:
        found = _twice(found, bands[-1]) + bands.pop()
    return found.clip(0, 1)


def octaves(picture: np.ndarray) -> list[np.ndarray]:
    """The Laplacian pyramid of a picture `(H, W, 3)`, the finest detail first, what is left last."""
    bands = []
    for _ in range(OCTAVES):
        smaller = cv2.pyrDown(picture)
        bands.append(picture - _twice(smaller, picture))
        picture = smaller
    return [*bands, picture]


def _twice(smaller: np.ndarray, like: np.ndarray) -> np.ndarray:
    """A picture at twice its size, to a pixel, which is that of another."""
    return cv2.pyrUp(smaller, dstsize=like.shape[1::-1])


def _matched(band: np.ndarray, like: np.ndarray) -> np.ndarray:
    (mean, deviation), (mean_like, deviation_like) = ((each.mean((0, 1)), each.std((0, 1))) for each in (band, like))
    return (band - mean) * (deviation_like / deviation.clip(1e-6)).clip(1 / MOST, MOST) + mean_like
