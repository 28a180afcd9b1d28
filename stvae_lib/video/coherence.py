"""How much a film flickers, beside what steadiness may cost: style, structure and sharpness. Blur alone lowers any warping
error."""

from collections.abc import Callable
from dataclasses import dataclass

import cv2
import numpy as np
import torch

from ..evaluation.judges import drawn
from ..evaluation.metrics import edge_sharpness
from ..losses import FeatureDistances
from ..pictures.images import to_tensor
from .camera import CameraMove
from .cuts import CutDetector
from .flow import Flow, grey, inside, visible, warp


@dataclass(frozen=True)
class Motion:
    """From one frame to another: flow `(H, W, 2)`, and where it holds, bool `(H, W)`."""

    flow: np.ndarray
    seen: np.ndarray


def exact_motion(move: CameraMove) -> Callable[[int, int], Motion]:
    """Motion between frames of a camera move, known without an estimate."""

    def between(first: int, second: int) -> Motion:
        flow = move.flow(first, second)
        return Motion(flow, inside(flow))

    return between


def measuring_flow(first: np.ndarray, second: np.ndarray) -> np.ndarray:
    """As `flow.flow_between`, by polynomial expansion (Farnebäck 2003), in OpenCV: another estimate than the one that outputs are
    carried along. Along its own flow, errors included, whatever was carried looks steady."""
    return cv2.calcOpticalFlowFarneback(grey(first), grey(second), None, pyr_scale=0.5, levels=5, winsize=15, iterations=5,
                                        poly_n=7, poly_sigma=1.5, flags=cv2.OPTFLOW_FARNEBACK_GAUSSIAN)


def estimated_motion(pictures: list[np.ndarray], flow: Flow = measuring_flow) -> Callable[[int, int], Motion]:
    """Motion between frames, uint8 `(H, W, 3)`, by a `flow`, where it is consistent forth and back."""

    def between(first: int, second: int) -> Motion:
        forth = flow(pictures[first], pictures[second])
        return Motion(forth, visible(forth, flow(pictures[second], pictures[first])))

    return between


def time_slice(pictures: list[np.ndarray], row: float = 0.5) -> np.ndarray:
    """One row of pixels over time, uint8 `(T, W, 3)`, of frames `(H, W, 3)`: what stands still is a vertical line, what moves
    a slanted one, and what flickers is broken. row: its height as a share of the picture's, from the top."""
    return np.stack([picture[round(row * (len(picture) - 1))] for picture in pictures])


def shots(pictures: list[np.ndarray]) -> list[int]:
    """The number of the shot that every frame belongs to."""
    detector = CutDetector()
    return np.cumsum([detector(picture) for picture in pictures]).tolist()


def warping_error(first: np.ndarray, second: np.ndarray, motion: Motion) -> float | None:
    """Root mean squared difference, of values in [0, 1], between a frame and the other one brought to its places, where
    the motion holds (the root of Lai et al. 2018, eq. 9); None where it holds nowhere. Pictures are uint8 `(H, W, 3)`."""
    if not motion.seen.any():
        return None
    moved = warp(second.astype(np.float32), motion.flow)
    return float(np.sqrt(np.square((moved - first)[motion.seen] / 255).mean()))


def warping_errors(films: dict[str, list[np.ndarray]], motion: Callable[[int, int], Motion], shot: list[int],
                   lag: int) -> dict[str, float]:
    """Mean warping error, over all pairs of frames `lag` apart within a shot, of films that share their motion, by name; NaN
    where there is no such pair."""
    found = {name: [] for name in films}
    for number in range(lag, len(shot)):
        if shot[number] == shot[number - lag]:
            between = motion(number, number - lag)
            for name, pictures in films.items():
                found[name].append(warping_error(pictures[number], pictures[number - lag], between))
    kept = {name: [error for error in errors if error is not None] for name, errors in found.items()}
    return {name: float(np.mean(errors)) if errors else float("nan") for name, errors in kept.items()}


@torch.no_grad()
def looks(pictures: list[np.ndarray], originals: list[np.ndarray], style: torch.Tensor,
          distances: FeatureDistances) -> dict[str, float]:
    """Means over frames and what they were made of, uint8 `(H, W, 3)`: style distance to `(1, 3, H, W)` and lost structure,
    which trails would cost (see `losses`), and sharpness (see `metrics`)."""
    target, rows = distances.statistics(distances.features(style)), []
    for picture, original in zip(pictures, originals, strict=True):
        image = to_tensor(picture)
        features = distances.features(image)
        rows.append((float(distances.style(distances.statistics(features), target)),
                     float(distances.structure(features, distances.features(to_tensor(original)))), edge_sharpness(image)))
    return dict(zip(("style", "lost structure", "sharpness"), np.mean(rows, axis=0).tolist()))


class Retrieval:
    """How often frames show which of several styles they are in: the share of them, 0 … 1, to which their own is the nearest by
    style distance. All are compared in grey, at one mean and contrast, so that no palette tells. Some styles are near to a
    picture of nothing: count how often the unstylised film is found, too.

    styles: by name, each `(1, 3, H, W)`. distances: calibrated (see `losses`).
    """

    @torch.no_grad()
    def __init__(self, styles: dict[str, torch.Tensor], distances: FeatureDistances):
        self.distances = distances
        self.known = {name: self._statistics(style) for name, style in styles.items()}

    @torch.no_grad()
    def __call__(self, pictures: list[np.ndarray], own: str) -> float:
        """pictures: uint8 `(H, W, 3)`. own: the name of their style."""
        found = []
        for picture in pictures:
            statistics = self._statistics(to_tensor(picture))
            found.append(min(self.known, key=lambda name: float(self.distances.style(statistics, self.known[name]))))
        return float(np.mean([name == own for name in found]))

    def _statistics(self, image: torch.Tensor) -> dict:
        return self.distances.statistics(self.distances.features(drawn(image)))
