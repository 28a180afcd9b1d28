"""How much a film flickers, beside what steadiness may cost: style and sharpness. Blur alone lowers any warping error."""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import torch

from ..evaluation.metrics import edge_sharpness
from ..losses import FeatureDistances
from ..pictures.images import to_tensor
from .camera import CameraMove
from .cuts import CutDetector
from .flow import flow_between, inside, visible, warp


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


def estimated_motion(pictures: list[np.ndarray]) -> Callable[[int, int], Motion]:
    """Motion between frames, uint8 `(H, W, 3)`, by DIS, where it is consistent forth and back."""

    def between(first: int, second: int) -> Motion:
        forth = flow_between(pictures[first], pictures[second])
        return Motion(forth, visible(forth, flow_between(pictures[second], pictures[first])))

    return between


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
def looks(pictures: list[np.ndarray], style: torch.Tensor, distances: FeatureDistances) -> dict[str, float]:
    """Means over frames, uint8 `(H, W, 3)`: style distance to `(1, 3, H, W)` (see `losses`), and sharpness (see `metrics`)."""
    target = distances.statistics(distances.features(style))
    images = [to_tensor(picture) for picture in pictures]
    styles = [float(distances.style(distances.statistics(distances.features(image)), target)) for image in images]
    return {"style": float(np.mean(styles)), "sharpness": float(np.mean([edge_sharpness(image) for image in images]))}
