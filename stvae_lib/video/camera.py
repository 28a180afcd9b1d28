"""A clip with exactly known flow: a camera that pans and zooms over a photograph."""

from collections.abc import Iterator
from fractions import Fraction

import numpy as np
import torch
from scipy import ndimage

from .clips import Frame

BLUR = 0.7  # of a frame's pixel: what a frame cannot show is taken out of the photograph first


class CameraMove:
    """A clip, as `clips.Film`, of a photograph `(1, 3, H, W)` in [0, 1]. shape: (height, width) of frames, not larger than the
    photograph. count: of frames. Pixel p of frame t shows the photograph at origin(t) + scale(t)·p."""

    pixel_aspect, lost, size = Fraction(1), 0, None

    def __init__(self, photo: torch.Tensor, shape: tuple[int, int] = (180, 320), count: int = 60, rate: Fraction = Fraction(25)):
        self.shape, self.count, self.rate, self.time_base = shape, count, rate, 1 / rate
        photo_shape = np.array(photo.shape[2:])
        way = (1 - np.cos(np.linspace(0, np.pi, count))) / 2                       # from 0 to 1, at rest at both ends
        self.scales = (1 - 0.3 * way) * ((photo_shape - 1) / (np.array(shape) - 1)).min()
        room = photo_shape - 1 - self.scales[:, None] * (np.array(shape) - 1)      # (count, 2), y before x
        self.origins = room * (np.array([0.3, 0.1]) + way[:, None] * np.array([0.4, 0.8]))
        smooth = ndimage.gaussian_filter(photo[0].numpy().astype(np.float64), (0, *[BLUR * self.scales.max()] * 2))
        self.splines = [ndimage.spline_filter(channel) for channel in smooth]

    def frames(self) -> Iterator[Frame]:
        """The frames, sampled by cubic splines."""
        for number in range(self.count):
            places = self._photo_places(number)
            channels = [ndimage.map_coordinates(spline, places, prefilter=False) for spline in self.splines]
            picture = np.rint(255 * np.stack(channels, axis=-1).clip(0, 1)).astype(np.uint8)
            yield Frame(picture, number, number, 1, float(number * self.time_base), f"{number:06d}")

    def flow(self, first: int, second: int) -> np.ndarray:
        """Flow from one frame to another, float32 `(H, W, 2)` as in `flow`: exact, and all that stays inside is seen."""
        places = (self._photo_places(first) - self.origins[second][:, None, None]) / self.scales[second]
        return np.moveaxis(places - np.mgrid[:self.shape[0], :self.shape[1]], 0, -1)[..., ::-1].astype(np.float32)

    def _photo_places(self, number: int) -> np.ndarray:
        grid = np.mgrid[:self.shape[0], :self.shape[1]]
        return self.origins[number][:, None, None] + self.scales[number] * grid

    def identity(self) -> list:
        """What tells this clip from another."""
        return [self.shape, self.count, self.origins.tolist(), self.scales.tolist()]
