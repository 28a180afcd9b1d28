"""Method 3: neural patches. A Markov random field of 3x3 patches of features (Li & Wand 2016, "CNNMRF"), with semantic
maps as extra channels (Champandard 2016, `alexjc/neural-doodle`): paint a map, get a picture (notebook 04).
"""

from typing import Literal

import torch
import torch.nn.functional as F
from pydantic.dataclasses import dataclass

from ..checks import TYPED
from ..errors import InputError
from .gatys import (
    PIXEL_UNITS,
    Count,
    NotNegative,
    Positive,
    Scales,
    Seed,
    available_layers,
    changed,
    checked_styles,
    content_layer_of,
    enlarged,
    noise,
    resized,
)
from .optimisation import OPTIMISERS, History, optimise, progress, total_variation

PATCH = 3
SIMILARITIES = 2**21  # computed at a time


@dataclass(frozen=True, config=TYPED)
class PatchOptions:
    """Everything that the method can be told; defaults are neural-doodle's where it has them.

    layers: where patches are matched. content_weight, style_weight: on mean squared errors of features. scales: from
    coarse to fine, as fractions of the content's size, `iterations` on each. rematch: iterations between two searches
    for nearest patches, with a fresh memory for the optimiser. rotations (degrees) and style_scales: further copies of
    the style to take patches from. semantic_weight: of the maps' similarity against the features'. init: "content" or
    "noise".
    """

    layers: tuple[str, ...] = ("relu3_1", "relu4_1")
    content_layer: str = "relu4_2"
    content_weight: NotNegative = 10.0
    style_weight: NotNegative = 25.0
    tv_weight: NotNegative = 1.0
    tv_power: Positive = 1.25
    scales: Scales = (0.25, 0.5, 1.0)
    iterations: Count = 100
    rematch: Count = 25
    rotations: tuple[float, ...] = ()
    style_scales: tuple[Positive, ...] = (1.0,)
    semantic_weight: NotNegative = 10.0
    init: Literal["content", "noise"] = "content"
    optimiser: Literal[OPTIMISERS] = "lbfgs"
    seed: Seed = 0


METHOD_3 = PatchOptions()
# The slim network's layers all have the same deviation, where VGG-19's grow with depth, and relu3_1 says little about
# colour: a third, shallower layer and more content bring it to what the published settings do at full width.
SLIM_SETTINGS = {"layers": ("relu2_1", "relu3_1", "relu4_1"), "content_weight": 150.0, "scales": (0.5, 1.0)}


def patches_of(features: torch.Tensor) -> torch.Tensor:
    """All 3x3 patches of `(1, C, h, w)` as rows `((h − 2)(w − 2), 9 C)`."""
    return F.unfold(features, PATCH)[0].T


def nearest(query: torch.Tensor, keys: torch.Tensor) -> torch.Tensor:
    """For every 3x3 patch of `query (1, C, h, w)` the row of `keys (n, 9 C)` with the largest normalised
    cross-correlation (Li & Wand, eq. 3). Compared in chunks: memory does not grow with the picture's size.

    The query's own norm does not change which key is nearest, so only the keys are normalised.
    """
    keys = F.normalize(keys, dim=1)
    rows = patches_of(query)
    return torch.cat([(part @ keys.T).argmax(1) for part in rows.split(max(1, SIMILARITIES // len(keys)))])


def matching_features(features: torch.Tensor, semantic, weight: float) -> torch.Tensor:
    """Features scaled to length one at every position, with the semantic map, so scaled, as further channels
    (neural-doodle): `weight` is the map's share of a position's similarity against the features'."""
    unit = F.normalize(features, dim=1)
    if semantic is None or weight == 0:
        return unit
    fitted = F.interpolate(semantic, features.shape[2:], mode="bilinear", antialias=True)
    return torch.cat([unit, weight**0.5 * F.normalize(fitted, dim=1)], dim=1)


def folded_targets(chosen: torch.Tensor, patches: torch.Tensor, size) -> tuple[torch.Tensor, torch.Tensor, float]:
    """What the nearest patches ask of every position: their sum `(1, C, h, w)`, how many patches cover a position
    `(1, 1, h, w)`, and their squared length.

    Σ_p ‖Φ_p(x) − t_p‖² = Σ_q n_q ‖x_q‖² − 2 x_q·T_q + Σ_p ‖t_p‖²: the loss needs no patches of the image.
    """
    target = patches[chosen]
    total = F.fold(target.T[None], size, PATCH)
    count = F.fold(torch.ones(1, PATCH**2, len(chosen), device=total.device), size, PATCH)
    return total, count, float(target.square().sum())


class PatchObjective:
    """The losses of one scale as a function of the image, against the nearest patches that `match` found last."""

    def __init__(self, network, content, styles, content_map, style_maps, options: PatchOptions):
        self.network, self.options, self.content_map = network, options, content_map
        self.layers = available_layers(network, options.layers)
        self.content_layer = content_layer_of(network, options.content_layer)
        self.names = list(dict.fromkeys([*self.layers, self.content_layer]))
        self.targets = {}
        with torch.no_grad():
            self.content = self.features(content)[self.content_layer]
            self.patches, self.keys = self._style_patches(styles, style_maps)

    def features(self, image: torch.Tensor) -> dict[str, torch.Tensor]:
        """Features in the published scale."""
        return {name: PIXEL_UNITS * value for name, value in self.network.features(image, self.names).items()}

    def _style_patches(self, styles, maps) -> tuple[dict, dict]:
        """Patches of all styles by layer, and what they are matched by."""
        patches, keys = {name: [] for name in self.layers}, {name: [] for name in self.layers}
        for style, semantic in zip(styles, maps):
            features = self.features(style)
            for name in self.layers:
                if min(features[name].shape[2:]) >= PATCH:
                    patches[name].append(patches_of(features[name]))
                    keys[name].append(patches_of(matching_features(features[name], semantic, self.options.semantic_weight)))
        return {name: torch.cat(rows) for name, rows in patches.items()}, {name: torch.cat(rows) for name, rows in keys.items()}

    @torch.no_grad()
    def match(self, image: torch.Tensor) -> None:
        """Search the style patches nearest to those of an image."""
        features = self.features(image)
        for name in self.layers:
            query = matching_features(features[name], self.content_map, self.options.semantic_weight)
            chosen = nearest(query, self.keys[name])
            self.targets[name] = folded_targets(chosen, self.patches[name], features[name].shape[2:])

    def style(self, features: dict) -> torch.Tensor:
        """Mean squared error of patches against their nearest style patches, summed over layers (scalar)."""
        loss = 0
        for name in self.layers:
            (total, count, length), value = self.targets[name], features[name]
            error = (count * value.square()).sum() - 2 * (value * total).sum() + length
            loss = loss + error / (count.sum() * value.shape[1])
        return loss

    def __call__(self, image: torch.Tensor) -> dict[str, torch.Tensor]:
        options, features = self.options, self.features(image)
        terms = {"style": options.style_weight * self.style(features)}
        if options.content_weight:
            error = (features[self.content_layer] - self.content).square().mean()
            terms["content"] = options.content_weight * error
        if options.tv_weight:
            terms["variation"] = options.tv_weight * total_variation(255 * image, options.tv_power) / image.numel()
        return terms


def style_copies(styles, maps, scale: float, options: PatchOptions) -> tuple[list, list]:
    """Styles and their maps at a scale, with the rotated and resized copies that options ask for."""
    copies, copied_maps = [], []
    for style, semantic in zip(styles, maps):
        for factor in options.style_scales:
            for angle in (0.0, *options.rotations):
                copies.append(rotated(resized(style, scale * factor), angle))
                copied_maps.append(None if semantic is None else rotated(resized(semantic, scale * factor), angle))
    return copies, copied_maps


def rotated(image: torch.Tensor, degrees: float) -> torch.Tensor:
    """The largest upright part of a rotated image that has no empty corner, `(1, C, h, w)`."""
    if degrees == 0:
        return image
    turn = torch.deg2rad(torch.tensor(float(degrees)))
    cosine, sine = torch.cos(turn), torch.sin(turn)
    height, width = image.shape[2:]
    shrink = 1 / (cosine.abs() + sine.abs() * max(height / width, width / height))
    matrix = shrink * torch.stack([torch.stack([cosine, -sine * height / width, torch.zeros(())]),
                                   torch.stack([sine * width / height, cosine, torch.zeros(())])])
    size = [1, image.shape[1], max(32, round(float(height * shrink))), max(32, round(float(width * shrink)))]
    grid = F.affine_grid(matrix[None], size, align_corners=False).to(image)
    return F.grid_sample(image, grid, padding_mode="reflection", align_corners=False)


def check_maps(styles, content_map, style_maps) -> tuple:
    """Semantic maps as `(1, K, H, W)` for content and every style, or None for all. InputError where some are missing,
    or differ in channels."""
    if content_map is None and style_maps is None:
        return None, [None] * len(styles)
    if content_map is None or style_maps is None or len(style_maps) != len(styles):
        raise InputError("semantic maps", "are not complete", "give one for the content and one for every style")
    for semantic in (content_map, *style_maps):
        if semantic.dim() != 4 or semantic.shape[:2] != content_map.shape[:2]:
            raise InputError("semantic maps", "differ in channels", "paint all in the same colours, as (1, K, H, W)")
    return content_map, list(style_maps)


def method_3(content: torch.Tensor, styles, network, content_map=None, style_maps=None, snapshots=(),
             **options) -> tuple[torch.Tensor, History]:
    """Stylise `content (1, 3, H, W)` so that its 3x3 patches of features are patches of the styles.

    network: a frozen VGG. content_map, style_maps: semantic maps `(1, K, H, W)`, the same colour for what belongs
    together; with content_weight=0 and init="noise" the content's size and map alone decide (doodle mode). options:
    fields of PatchOptions. Returns the image and its history. Raises InputError on what does not fit.
    """
    options = changed(METHOD_3, options)
    styles = checked_styles(content, styles)
    content_map, style_maps = check_maps(styles, content_map, style_maps)
    picture, whole = None, History()
    with progress(options.iterations * len(options.scales)) as bar:
        for scale in options.scales:
            small = resized(content, scale)
            if picture is None:
                picture = small if options.init == "content" else noise(small, options.seed)
            picture = enlarged(picture, small)
            copies = style_copies(styles, style_maps, scale, options)
            objective = PatchObjective(network, small, copies[0], content_map, copies[1], options)
            picture = _rounds(picture, objective, options, snapshots, whole, bar)
            if whole.stopped == "interrupted":
                break
    return enlarged(picture, content), whole


def _rounds(picture, objective: PatchObjective, options: PatchOptions, snapshots, whole: History, bar) -> torch.Tensor:
    """One scale: search nearest patches, optimise, and again. Adds to `whole`."""
    left = options.iterations
    while left > 0 and whole.stopped != "interrupted":
        objective.match(picture)
        due = [number - len(whole.losses) for number in snapshots]
        picture, history = optimise(picture, objective, min(left, options.rematch), options.optimiser, None, due, bar=bar)
        whole.extend(history)
        left -= options.rematch
    return picture
