"""Style transfer by optimisation, with the options of two widely used implementations (notebook 04).

Method 1: `titu1994/Neural-Style-Transfer`, its "improved network" (Novak & Nikulin 2016), and edge regularisation.
Method 2: `cysmith/neural-style-tf`: Gatys et al. 2016 with colour preservation.

Losses and defaults are the published ones, written for full-width VGGs on pixels from 0 to 255. Two things make the
published weights mean about the same here: features are multiplied by `PIXEL_UNITS`, as if the network had been fed
such pixels, and sums over channels are scaled to the channels of the full width.
"""

from dataclasses import fields
from typing import Annotated, Literal

import torch
import torch.nn.functional as F
from pydantic import Field
from pydantic.dataclasses import dataclass

from ..checks import TYPED, checked
from ..errors import InputError
from ..model.backbones.vgg import IMAGENET_STD, WIDTHS, conv_names
from ..model.stvae import check_image, check_mask, normalised_mix
from ..pictures import colour
from ..pictures.edges import sobel_edges
from .optimisation import OPTIMISERS, History, optimise, progress, total_variation

PIXEL_UNITS = 255 * sum(IMAGENET_STD) / 3
FIVE_LAYERS = ("relu1_1", "relu2_1", "relu3_1", "relu4_1", "relu5_1")
CONTENT_NORMS = ("sum", "root", "mean", "half")
INITS = ("content", "noise", "gray", "style")
COLOURS = ("", *colour.MODES)


Positive, NotNegative = Annotated[float, Field(gt=0)], Annotated[float, Field(ge=0)]
Count, Seed = Annotated[int, Field(ge=1, le=10**9)], Annotated[int, Field(ge=0, lt=2**63)]
Scales = Annotated[tuple[Annotated[float, Field(gt=0, le=1)], ...], Field(min_length=1)]


@dataclass(frozen=True, config=TYPED)
class GatysOptions:
    """Everything that the methods can be told.

    content_norm: what the sum of squared feature errors is multiplied with, for N channels at M positions: "sum" 1,
    "root" 1/(2√(NM)), "mean" 1/(NM), "half" 1/2. style_layers: names, or "all" convolutions that the network has.
    improved: Gram of F − 1, differences of neighbouring layers' losses with weights that halve from the deep end, a
    layer's loss over 4·3²·pixels² (Novak & Nikulin 2016); otherwise Gram of F, mean of layers, over 4N²M².
    tv_power: 1.25 gives Σ(dx² + dy²)^1.25, 1 the mean of squared differences. edge_weight: on the squared difference
    of Sobel edges to the content's. style_scale: the style picture's size, relative to the content's.
    scales: sizes from coarse to fine, as fractions of the content's; iterations are spent on each.
    colour: "" or a colour space whose chroma is kept (yuv, ycrcb, luv, lab), or "histogram".
    soft_masks: masks keep their grey values; otherwise they are binarised at one half.
    """

    content_layer: str
    content_weight: NotNegative
    content_norm: Literal[CONTENT_NORMS]
    style_weight: NotNegative
    style_layers: tuple[str, ...] | str
    improved: bool
    tv_weight: NotNegative
    tv_power: Positive
    pooling: Literal["max", "average"]
    iterations: Count
    edge_weight: NotNegative = 0.0
    init: Literal[INITS] = "content"
    optimiser: Literal[OPTIMISERS] = "lbfgs"
    learning_rate: Positive | None = None
    style_scale: Positive = 1.0
    scales: Scales = (1.0,)
    colour: Literal[COLOURS] = ""
    soft_masks: bool = False
    patience: Count | None = None
    seed: Seed = 0


METHOD_1 = GatysOptions(content_layer="relu5_2", content_weight=0.025, content_norm="sum", style_weight=1.0,
                        style_layers="all", improved=True, tv_weight=8.5e-5, tv_power=1.25, pooling="max",
                        iterations=200, edge_weight=0.0)
METHOD_2 = GatysOptions(content_layer="relu4_2", content_weight=5.0, content_norm="root", style_weight=1e4,
                        style_layers=FIVE_LAYERS, improved=False, tv_weight=1e-3, tv_power=1.0, pooling="average",
                        iterations=1000)


def available_layers(network, wanted: tuple[str, ...] | str) -> list[str]:
    """Names among `network`'s layers: all of them for "all". InputError on one that it does not have."""
    known = list(network.widths)
    if wanted == "all":
        return known
    for name in wanted:
        if name not in known:
            raise InputError(f"layer {name!r}", "is not in this network", f"use some of {', '.join(known)}")
    return list(wanted)


def content_layer_of(network, wanted: str) -> str:
    """The wanted layer, or the network's deepest where it ends before (the slim one ends at relu5_1). InputError on a name
    that no VGG-19 has, or that the network passes over."""
    known = list(network.widths)
    if wanted in known:
        return wanted
    if wanted.replace("relu", "conv") not in conv_names(19, "relu5_4") or wanted < known[-1]:
        raise InputError(f"layer {wanted!r}", "is not in this network", f"use one of {', '.join(known)}")
    return known[-1]


def full_width_ratio(network, layer: str) -> float:
    """How many times more channels the full-width network has at a layer."""
    return WIDTHS["full"][int(layer[4]) - 1] / network.widths[layer]


def content_loss(found: torch.Tensor, target: torch.Tensor, norm: str, ratio: float, mask=None) -> torch.Tensor:
    """Sum of squared feature errors `(1, N, h, w)` under one of `CONTENT_NORMS`; ratio as by `full_width_ratio`."""
    channels, positions = found.shape[1] * ratio, found.shape[2] * found.shape[3]
    error = (found - target).square()
    error = error if mask is None else error * mask
    total = ratio * error.sum()
    return total * {"sum": 1.0, "root": 0.5 / (channels * positions) ** 0.5, "mean": 1 / (channels * positions),
                    "half": 0.5}[norm]


def gram_matrix(features: torch.Tensor, shift: float = 0.0, mask=None) -> torch.Tensor:
    """Σ over positions of (F − shift)(F − shift)ᵀ `(N, N)`, under a mask `(1, 1, h, w)` the sum of its region brought
    to the size of the whole picture, so that a small region asks for the same texture as a large one."""
    flat = features.flatten(2)[0]
    positions = flat.shape[1]
    if mask is None:
        weighted, share = flat, 1.0
    else:
        weighted, share = flat * mask.flatten(), positions / mask.sum().clamp_min(1e-6)
    gram = share * (weighted @ flat.T)
    if shift == 0:
        return gram
    # (F − s)(F − s)ᵀ multiplied out: no shifted copy of the features, forward or backward
    sums = share * weighted.sum(1)
    return gram - shift * (sums[:, None] + sums) + shift**2 * positions


class Objective:
    """The losses of one scale, as a function of the image."""

    def __init__(self, network, content: torch.Tensor, styles, mix, masks, content_mask, options: GatysOptions):
        self.network, self.options, self.mix = network, options, mix
        self.content_layer = content_layer_of(network, options.content_layer)
        self.style_layers = available_layers(network, options.style_layers)
        self.layers = list(dict.fromkeys([*self.style_layers, self.content_layer]))
        self.pixels = content.shape[2] * content.shape[3]
        with torch.no_grad():
            features = self.features(content)
            self.content = features[self.content_layer]
            self.edges = sobel_edges(content)
            sizes = {name: value.shape[2:] for name, value in features.items()}
            self.content_mask = _fit_mask(content_mask, sizes[self.content_layer], options.soft_masks)
            self.masks = [{name: _fit_mask(mask, sizes[name], options.soft_masks) for name in self.style_layers}
                          for mask in masks]
            self.grams = [self._style_grams(style, sizes) for style in styles]

    def features(self, image: torch.Tensor) -> dict[str, torch.Tensor]:
        """Features in the published scale."""
        return {name: PIXEL_UNITS * value for name, value
                in self.network.features(image, self.layers, self.options.pooling).items()}

    def _style_grams(self, style: torch.Tensor, sizes: dict) -> dict[str, torch.Tensor]:
        """Targets of one style, brought to the number of positions that the content has."""
        shift, rows = float(self.options.improved), {}
        for name, value in self.features(style).items():
            if name in self.style_layers:
                positions = value.shape[2] * value.shape[3]
                rows[name] = gram_matrix(value, shift) * (sizes[name][0] * sizes[name][1] / positions)
        return rows

    def style_losses(self, features: dict, index: int) -> list[torch.Tensor]:
        """Loss of every style layer against style number `index`."""
        rows = []
        for name in self.style_layers:
            value, ratio = features[name], full_width_ratio(self.network, name)
            found = gram_matrix(value, float(self.options.improved), self.masks[index][name])
            error = ratio**2 * (found - self.grams[index][name]).square().sum()
            if self.options.improved:
                rows.append(error / (4 * 3**2 * self.pixels**2))
            else:
                rows.append(error / (4 * (value.shape[1] * ratio) ** 2 * (value.shape[2] * value.shape[3]) ** 2))
        return rows

    def style(self, features: dict, index: int) -> torch.Tensor:
        """Losses of one style joined: chained differences (improved), or the mean of layers times their share.

        As published, the chain gives the deepest layer the weight -1: the loss would fall without end by missing the
        style there. The published network hardly fires at that layer; others do, so it is left out.
        """
        losses = self.style_losses(features, index)
        if not self.options.improved:
            return sum(losses) / len(losses) ** 2
        last = len(losses) - 1
        return sum((losses[i] - losses[i + 1]) / 2 ** (last - (i + 1)) for i in range(last)) + losses[last]

    def __call__(self, image: torch.Tensor) -> dict[str, torch.Tensor]:
        options, features = self.options, self.features(image)
        ratio = full_width_ratio(self.network, self.content_layer)
        style = sum(phi * self.style(features, index) for index, phi in enumerate(self.mix))
        terms = {"content": options.content_weight * content_loss(features[self.content_layer], self.content,
                                                                  options.content_norm, ratio, self.content_mask),
                 "style": options.style_weight * style}
        if options.tv_weight:
            terms["variation"] = options.tv_weight * total_variation(255 * image, options.tv_power)
        if options.edge_weight:
            terms["edges"] = options.edge_weight * (sobel_edges(image) - self.edges).square().mean()
        return terms


def check_masks(masks, count: int) -> list:
    """A list of `count` masks (None: everywhere). InputError on another count or shape, or an empty mask."""
    masks = [None] * count if masks is None else list(masks)
    if len(masks) != count:
        raise InputError("masks", f"are {len(masks)} for {count} styles", "give one mask per style, or None for no mask")
    for number, mask in enumerate(masks):
        if mask is None:
            continue
        check_mask(mask, number)
        if mask.max() <= 0.5:
            raise InputError(f"mask {number}", "is black", "paint white where its style should go")
    return masks


def _fit_mask(mask, size, soft: bool):
    """A mask `(1, 1, H, W)` at a feature map's size; None stays None."""
    if mask is None:
        return None
    mask = F.interpolate(mask, size, mode="bilinear", antialias=True)
    return mask if soft else (mask > 0.5).to(mask.dtype)


def resized(image: torch.Tensor, factor: float) -> torch.Tensor:
    """An image times `factor` in size, at least 32 pixels a side."""
    size = [max(32, round(side * factor)) for side in image.shape[2:]]
    if size == list(image.shape[2:]):
        return image
    return F.interpolate(image, size, mode="bilinear", antialias=True).clamp(0, 1)


def enlarged(image: torch.Tensor, like: torch.Tensor) -> torch.Tensor:
    """An image at the size of another."""
    if image.shape == like.shape:
        return image
    return F.interpolate(image, like.shape[2:], mode="bicubic").clamp(0, 1)


def start_image(content: torch.Tensor, styles, options: GatysOptions) -> torch.Tensor:
    """What the optimisation starts from: the content, its grey version, the first style at its size, or noise."""
    if options.init == "content":
        return content
    if options.init == "gray":
        return content.mean(1, keepdim=True).expand_as(content)
    if options.init == "style":
        return F.interpolate(styles[0], content.shape[2:], mode="bilinear", antialias=True)
    return noise(content, options.seed)


def noise(like: torch.Tensor, seed: int) -> torch.Tensor:
    """Uniform noise in [0, 1] of an image's shape."""
    return torch.rand(like.shape, generator=torch.Generator().manual_seed(seed)).to(like.device)


def checked_styles(content: torch.Tensor, styles) -> list[torch.Tensor]:
    """One style or several as a list. InputError where one of them or the content is no image."""
    styles = list(styles) if isinstance(styles, (list, tuple)) else [styles]
    for image, role in [(content, "content"), *((style, "style") for style in styles)]:
        check_image(image, role)
    return styles


def gatys(content: torch.Tensor, styles, options: GatysOptions, network, mix=None, masks=None, content_mask=None,
          snapshots=(), start=None) -> tuple[torch.Tensor, History]:
    """Stylise `content (1, 3, H, W)` in one or several styles by optimisation. Returns the image and its history.

    network: a frozen VGG. mix: one share per style, normalised. masks: one greyscale `(1, 1, h, w)` per style, white
    where it goes (None: everywhere); content_mask: white where the content counts. snapshots: iterations (counted
    over all scales) whose image is kept. start: an image to begin from, in place of `options.init`. Raises InputError on
    shapes, counts or names that do not fit.
    """
    styles = checked_styles(content, styles)
    mix = normalised_mix(mix, len(styles))
    masks = check_masks(masks, len(styles))
    picture, whole = start, History()
    with progress(options.iterations * len(options.scales)) as bar:
        for scale in options.scales:
            small = resized(content, scale)
            begin = start_image(small, styles, options) if picture is None else enlarged(picture, small)
            small_styles = [resized(style, scale * options.style_scale) for style in styles]
            objective = Objective(network, small, small_styles, mix, masks, content_mask, options)
            due = [number - len(whole.losses) for number in snapshots]
            picture, history = optimise(begin, objective, options.iterations, options.optimiser, options.learning_rate,
                                        due, options.patience, bar)
            whole.extend(history)
            if history.stopped == "interrupted":
                break
    picture = enlarged(picture, content)
    return (colour.keep(content, picture, options.colour) if options.colour else picture), whole


def method_1(content: torch.Tensor, styles, network, **options) -> tuple[torch.Tensor, History]:
    """Gatys with the improved network and (edge_weight) edge regularisation. The student report speaks of a Sobel
    regularisation that the published code does not have: penalising lost and new edges is this project's reading.
    options: fields of GatysOptions, and `mix`, `masks`, `content_mask`, `snapshots`, `start` of `gatys`."""
    return _preset(METHOD_1, content, styles, network, options)


def method_2(content: torch.Tensor, styles, network, **options) -> tuple[torch.Tensor, History]:
    """Gatys with colour preservation (colour="yuv" and others). options: as for `method_1`."""
    return _preset(METHOD_2, content, styles, network, options)


def _preset(preset: GatysOptions, content, styles, network, options: dict):
    call = {name: options.pop(name) for name in ("mix", "masks", "content_mask", "snapshots", "start") if name in options}
    return gatys(content, styles, changed(preset, options), network, **call)


def changed(preset, options: dict):
    """A method's options with others in place of some; InputError on a name that it does not have, or a value that it
    cannot have."""
    known = {entry.name: getattr(preset, entry.name) for entry in fields(preset)}
    return checked(type(preset), known | options, "the method's options")
