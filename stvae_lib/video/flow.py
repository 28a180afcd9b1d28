"""Optical flow: where what one frame shows is in another, where that can be known, and outputs carried along it.

A flow is float32 `(H, W, 2)`, in pixels, x before y: what the first frame shows at p, the second shows at p + flow(p).
"""

from collections.abc import Callable

import cv2
import numpy as np

from .contrast import restored

Flow = Callable[[np.ndarray, np.ndarray], np.ndarray]  # what estimates one from two frames, as `flow_between`


def flow_between(first: np.ndarray, second: np.ndarray, finest: int = 1) -> np.ndarray:
    """Flow from one frame to another, uint8 `(H, W, 3)`, by dense inverse search (DIS, Kroeger et al. 2016), in OpenCV. finest:
    how often frames are halved where it is searched last; 0 goes down to single pixels."""
    search = cv2.DISOpticalFlow_create(cv2.DISOPTICAL_FLOW_PRESET_MEDIUM)
    search.setFinestScale(finest)
    return search.calc(grey(first), grey(second), None)


def grey(frame: np.ndarray) -> np.ndarray:
    """The luminance of a frame, uint8 `(H, W, 3)`, as `(H, W)`: what flow is estimated from."""
    return cv2.cvtColor(frame, cv2.COLOR_RGB2GRAY)


def warp(second: np.ndarray, flow: np.ndarray) -> np.ndarray:
    """The second picture `(H, W)` or `(H, W, C)` seen from the first one's places, bicubic."""
    y, x = np.mgrid[:flow.shape[0], :flow.shape[1]].astype(np.float32)
    return cv2.remap(second, x + flow[..., 0], y + flow[..., 1], cv2.INTER_CUBIC, borderMode=cv2.BORDER_REPLICATE)


def inside(flow: np.ndarray) -> np.ndarray:
    """Where a flow stays in the picture: bool `(H, W)`."""
    height, width = flow.shape[:2]
    y, x = np.mgrid[:height, :width]
    x, y = x + flow[..., 0], y + flow[..., 1]
    return (x >= 0) & (x <= width - 1) & (y >= 0) & (y <= height - 1)


def visible(forward: np.ndarray, backward: np.ndarray) -> np.ndarray:
    """Where what the first frame shows is seen in the second too: bool `(H, W)`. There the way forth and back ends where it
    began (Sundaram et al. 2010, eq. 5)."""
    back = warp(backward, forward)
    gap = np.square(forward + back).sum(-1)
    bound = 0.01 * (np.square(forward).sum(-1) + np.square(back).sum(-1)) + 0.5
    return (gap < bound) & inside(forward)


def softly_visible(forward: np.ndarray, backward: np.ndarray) -> np.ndarray:
    """`visible` with edges a pixel soft, float32 `(H, W, 1)` in [0, 1]: a weight for what is carried."""
    return cv2.GaussianBlur(visible(forward, backward).astype(np.float32), (0, 0), 1.0)[..., None]


class Blender:
    """Carries outputs along the flow of their inputs: where a frame shows what the last one showed, a share of the last
    output is kept. share: 0 … 1. restore: whether the result gets the contrast of the frame's own output back, which the mean
    of strokes that do not meet lacks. last: the pair of input and result that came last."""

    def __init__(self, share: float, restore: bool):
        self.share, self.restore, self.last = share, restore, None

    def __call__(self, picture: np.ndarray, output: np.ndarray, cut: bool) -> np.ndarray:
        """picture: the input, uint8 `(H, W, 3)`. output: float32 of the same shape in [0, 1]. cut: whether a new shot begins."""
        if self.last is not None and not cut:
            picture_before, output_before = self.last
            back, forth = flow_between(picture, picture_before), flow_between(picture_before, picture)
            kept = self.share * softly_visible(back, forth)
            blended = (output + kept * (warp(output_before, back) - output)).clip(0, 1)  # bicubic overshoots
            output = restored(blended, output) if self.restore else blended
        self.last = picture, output
        return output
