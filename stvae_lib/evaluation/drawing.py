"""How a picture is drawn: the width of its edges, the bend of its contours, the colours within its panes (notebook 04).

No network is asked. Every measure is tried on pictures of known shape (`drawings`, `paned`) before it decides anything.
"""

import numpy as np
import torch
from scipy import ndimage
from skimage import color, filters, measure, segmentation

LEVELS = (0.25, 0.5, 0.75)  # of the luminance, between its 2nd and 98th percentile: where contours are drawn
BEND = 0.2  # radians that a contour turns along a tenth of the picture, from which on it is not straight: a radius of half of it
UNEVEN = 0.12  # radians that its direction may leave an even turn, root mean square
PANES = 144  # regions that a picture is divided into


def measures(image: torch.Tensor) -> dict[str, float]:
    """All measures of a picture `(1, 3, H, W)`, by name."""
    shapes = {f"{kind} contours": share for kind, share in contours(image).items()}
    return {"edge width": edge_width(image)} | shapes | pane_colours(image)


def edge_width(image: torch.Tensor, scales: tuple[float, float] = (1.0, 2.0)) -> float:
    """Median width of the steepest tenth of a picture's edges, in pixels: deviation of the blur that would make them of ideal
    steps, 0 where they are.

    A step blurred by s has a gradient ∝ 1/√(s² + t²) where it is looked at through a blur of t, so two t tell s (Elder and
    Zucker, "Local scale control for edge detection and blur estimation", 1998). Grain is averaged out by both.
    """
    luminance = _luminance(image)
    fine, coarse = (ndimage.gaussian_gradient_magnitude(luminance, scale, mode="reflect") for scale in scales)
    ridge = (coarse >= np.quantile(coarse, 0.9)) & (coarse >= 0.98 * ndimage.maximum_filter(coarse, 3)) & (coarse > 1e-6)
    if not ridge.any():
        return 0.0
    ratio = max(float(np.median(fine[ridge] / coarse[ridge])) ** 2, 1 + 1e-6)
    return max((scales[1] ** 2 - ratio * scales[0] ** 2) / (ratio - 1), 0.0) ** 0.5


def contours(image: torch.Tensor) -> dict[str, float]:
    """Shares of a picture's contours, weighted by how steep they are: "straight", "round" (they turn evenly, as an arc does)
    and "ragged" (corners, wiggles). All 0 where nothing has a contour.

    Luminance is smoothed and contoured at LEVELS; around every point a straight line is fitted, over a tenth of the picture's
    longer side, to the contour's direction as a function of its length. Its slope is the curvature.
    """
    luminance = _luminance(image)
    side = max(luminance.shape)
    smooth = filters.gaussian(luminance, side / 170, mode="reflect")
    steep = np.hypot(*np.gradient(smooth))
    low, high = np.quantile(smooth, (0.02, 0.98))
    found = {"straight": 0.0, "round": 0.0, "ragged": 0.0}
    if high - low > 1e-3:
        for level in LEVELS:
            for line in measure.find_contours(smooth, low + level * (high - low)):
                _classify(line, steep, side // 10, found)
    total = sum(found.values())
    return {kind: weight / total if total else 0.0 for kind, weight in found.items()}


def _classify(line: np.ndarray, steep: np.ndarray, window: int, found: dict[str, float]) -> None:
    """Add the weights of a contour's points, `line (n, 2)` as row and column, to what they are."""
    along = np.concatenate([[0], np.hypot(*np.diff(line, axis=0).T).cumsum()])
    points = np.stack([np.interp(np.arange(along[-1]), along, coordinate) for coordinate in line.T], axis=1)
    if len(points) <= window:
        return
    closed = np.allclose(line[0], line[-1])
    step = ndimage.gaussian_filter1d(np.diff(points, axis=0), 1.5, axis=0, mode="wrap" if closed else "nearest")
    direction = np.lib.stride_tricks.sliding_window_view(np.unwrap(np.arctan2(*step.T)), window)
    place = np.arange(window) - (window - 1) / 2
    curvature = direction @ place / (place @ place)
    rest = direction - direction.mean(1, keepdims=True) - curvature[:, None] * place
    even, bent = np.square(rest).mean(1) < UNEVEN**2, np.abs(curvature) * window >= BEND
    row, column = points[window // 2:window // 2 + len(direction)].astype(int).T
    weight = steep[row, column]
    found["straight"] += float(weight[even & ~bent].sum())
    found["round"] += float(weight[even & bent].sum())
    found["ragged"] += float(weight[~even].sum())


def pane_colours(image: torch.Tensor) -> dict[str, float]:
    """How far colours lie from their region's, of PANES regions (watershed of the colour's gradient), over how far neighbouring
    regions are apart, in CIELAB. "unevenness": from a region's median colour; 0 where each has but one. "roughness": from a
    plane through a region's colours; 0 also where they pass evenly from one to another. A region's figure is the median over
    its places, so that a thin line in it does not count."""
    lab = color.rgb2lab(image[0].permute(1, 2, 0).cpu().double().numpy())
    smooth = filters.gaussian(lab, (1, 1, 0), mode="reflect")
    steep = np.sqrt(sum(np.square(slope).sum(2) for slope in np.gradient(smooth, axis=(0, 1))))
    labels = segmentation.watershed(steep, markers=PANES) - 1
    count = int(labels.max()) + 1
    own = np.stack([ndimage.median(channel, labels, np.arange(count)) for channel in np.moveaxis(lab, 2, 0)], axis=1)
    apart = np.mean([np.linalg.norm(own[a] - own[b]) for a, b in _neighbours(labels)]) if count > 1 else 0.0
    away = {"unevenness": np.linalg.norm(lab - own[labels], axis=2)}
    away["roughness"] = np.linalg.norm(lab - _planes(lab, labels, count, away["unevenness"]), axis=2)
    areas = np.bincount(labels.ravel(), minlength=count)
    within = {name: np.average(ndimage.median(rest, labels, np.arange(count)), weights=areas) for name, rest in away.items()}
    return {name: float(spread / max(apart, 1e-6)) if spread > 1e-6 else 0.0 for name, spread in within.items()}


def _neighbours(labels: np.ndarray) -> np.ndarray:
    """Pairs of labels that touch, `(pairs, 2)`."""
    pairs = [np.stack([a, b], axis=-1)[a != b] for a, b in ((labels[1:], labels[:-1]), (labels[:, 1:], labels[:, :-1]))]
    return np.unique(np.sort(np.concatenate(pairs), axis=1), axis=0)


def _planes(lab: np.ndarray, labels: np.ndarray, count: int, away: np.ndarray) -> np.ndarray:
    """Every region's colours as a plane over its places, `(H, W, 3)`: least squares without those that lie more than twice the
    median `away` from the region's own."""
    places = np.stack([np.ones(labels.shape), *np.indices(labels.shape) / max(labels.shape)], axis=2)
    fitted = np.empty_like(lab)
    for label in range(count):
        inside = labels == label
        kept = inside & (away <= 2 * np.median(away[inside]))
        fitted[inside] = places[inside] @ np.linalg.lstsq(places[kept], lab[kept], rcond=None)[0]
    return fitted


def _luminance(image: torch.Tensor) -> np.ndarray:
    return color.rgb2gray(image[0].permute(1, 2, 0).cpu().double().numpy())


def drawings(side: int = 256, seed: int = 0) -> dict[str, torch.Tensor]:
    """Pictures `(1, 3, side, side)` of known shape, to try `contours` on: "straight lines", "square grid" (straight edges that
    cross), "disc" and "noise"."""
    y, x = torch.meshgrid(torch.arange(side), torch.arange(side), indexing="ij")
    shapes = {"straight lines": (12 * (0.95 * x + 0.31 * y) / side).long() % 2 == 1,
              "square grid": (8 * x // side + 8 * y // side) % 2 == 1,
              "disc": (y - side / 2) ** 2 + (x - side / 2) ** 2 < (side / 3) ** 2}
    noise = torch.rand(1, 3, side, side, generator=torch.Generator().manual_seed(seed))
    return {name: shape.float().expand(1, 3, side, side) for name, shape in shapes.items()} | {"noise": noise}


def paned(side: int = 256, seed: int = 0) -> dict[str, torch.Tensor]:
    """Pictures `(1, 3, side, side)` of sixty panes, to try `pane_colours` on: "one colour a pane", "a ramp in a pane" and "grain
    in a pane"."""
    rng = np.random.default_rng(seed)
    places = np.indices((side, side)).transpose(1, 2, 0)
    centres, colours, slopes = rng.random((60, 2)) * side, rng.random((60, 3)), rng.normal(size=(60, 2, 3))
    pane = np.square(places[:, :, None] - centres).sum(3).argmin(2)
    flat = colours[pane]
    ramp = np.einsum("hwp,hwpc->hwc", (places - centres[pane]) / side, slopes[pane])
    grain = 0.15 * rng.normal(size=flat.shape)
    pictures = {"one colour a pane": flat, "a ramp in a pane": flat + ramp, "grain in a pane": flat + grain}
    return {name: torch.from_numpy(picture.clip(0, 1)).float().permute(2, 0, 1)[None] for name, picture in pictures.items()}
