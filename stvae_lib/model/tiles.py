"""Pictures of any size in bounded memory: drawn tile by tile, as if at once.

What a tile knows of the whole is exact: the content's mean and matrix are summed up over all tiles first, one transform
serves them all, and each is read with as much of its neighbourhood as reaches it through encoder and decoder, so that tiles
meet without a seam. Where a decoder normalises its layers over the picture, the moments of each are summed up as well, layer
after layer, as those of one need those of all before it: a pass over the picture for each, which begins at the last layer that
there is room to keep, in memory or on disk.
"""

import shutil
from collections.abc import Iterator
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path

import torch
import torch.nn.functional as F
from torch import nn
from tqdm.auto import tqdm

from ..errors import InputError
from ..pictures.images import to_float, to_pixels, to_words
from ..pictures.palette import Finishing, GridColours, palette_of
from ..statistics import deviations
from .codes import Style
from .content import ContentStatistics, joined
from .maps import Box, MapsInMemory, MapsOnDisk, split
from .stvae import STVAE, check_image, check_strength

MEASURED_AT = 128  # pixels a side of the picture that tells how much memory one takes
LIVE = 2  # copies of a convolution's input and output that live at once: with borders, before and after the ReLU
FLOATS = 36  # bytes a pixel: three float pictures, the content, its padded copy and the result
PIXELS = 20  # bytes a pixel: 8-bit content and result, what Pillow decodes the one from and encodes the other to
DRAWN = 6  # and a 16-bit picture that is not finished yet
PROCESS = 600_000_000  # bytes that Python, torch and a model take before the first picture
STRIP = 2**20  # pixels that are finished at once
AT_ONCE = 2**20  # pixels of a picture that is drawn without tiles, which are no slower from there on, and take less memory
LONGEST_TILE = 512  # pixels a side: longer ones have fewer borders, and yet were slower, perhaps as they miss caches
SHORTEST_TILE = 256  # pixels a side: below, more borders than tiles are computed
KEEPING_TILE = 512  # pixels a side: features are not kept where they leave less room than such a tile takes
ROOM = 1.2  # times what is kept on disk must be free there


@torch.no_grad()
def reach(network, channels: int, scale_in: int, scale_out: int, device) -> int:
    """How many places away an input still counts in what `network` makes of it. channels: of its input; scale_in, scale_out:
    rows and columns that a place has in input and output. Found by a NaN, which spreads to all that depends on it."""
    count = 16
    while True:
        middle, probe = count // 2, torch.zeros(1, channels, scale_in * count, scale_in * count, device=device)
        Box(middle, middle + 1, middle, middle + 1).cut(probe, scale_in).fill_(torch.nan)
        touched = network(probe).isnan().any(1)[0]
        places = torch.cat([touched.any(side).nonzero()[:, 0] for side in (0, 1)]) // scale_out
        found = int((places - middle).abs().max())
        if found < count - 1 - middle:  # it stayed clear of the borders
            return found
        count *= 2


@dataclass(frozen=True)
class Plan:
    """How to draw a picture: in tiles of `side` places each way; keep: as what its features are kept between the passes over
    it (float16 costs about half a grey level), None where they are encoded anew in each; layers: of a decoder that normalises,
    how many hidden ones are kept in the same type, one after the other; folder: where they are kept, None for in memory."""

    side: int
    keep: torch.dtype | None
    layers: int = 0
    folder: Path | None = None

    def kept_maps(self, shape: tuple[int, int]) -> MapsInMemory | MapsOnDisk:
        """Where maps of a picture of `shape` (height, width) places are kept."""
        return MapsInMemory(self.keep, shape) if self.folder is None else MapsOnDisk(self.keep, shape, self.folder)


class Tiler:
    """A model with what must be known of it to draw in tiles."""

    def __init__(self, model: STVAE):
        self.model, self.stride = model, model.encoder.stride

    @cached_property
    def bytes_per_pixel(self) -> float:
        """Memory that drawing a picture at once takes, per pixel: an estimate from the widest convolution."""
        largest, side = 0, MEASURED_AT

        def measure(_, inputs, output):
            nonlocal largest
            largest = max(largest, inputs[0].nbytes + output.nbytes)

        hooks = [module.register_forward_hook(measure) for module in self.model.modules() if isinstance(module, nn.Conv2d)]
        try:
            with torch.no_grad():
                self.model.reconstruct(torch.zeros(1, 3, side, side))
        finally:
            for hook in hooks:
                hook.remove()
        return FLOATS + LIVE * largest / side**2

    @cached_property
    def feature_values(self) -> float:
        """Numbers in a picture's features, per pixel."""
        return self.model.encode(torch.zeros(1, 3, MEASURED_AT, MEASURED_AT)).numel() / MEASURED_AT**2

    @cached_property
    def hidden_values(self) -> list[float]:
        """Numbers in each of the decoder's hidden layers, per pixel; none where no layer has to be measured."""
        if not self.model.vlt.normalises:
            return []
        features = self.model.encode(torch.zeros(1, 3, MEASURED_AT, MEASURED_AT))
        layers = range(len(self.model.decoder.hidden_widths))
        return [self.model.decoder.layer(index, features).numel() / MEASURED_AT**2 for index in layers]

    @cached_property
    def encoder_reach(self) -> int:
        return reach(self.model.encoder, 3, self.stride, 1, self.model.device)

    @cached_property
    def decoder_reach(self) -> int:
        channels = self.model.encode(torch.zeros(1, 3, MEASURED_AT, MEASURED_AT)).shape[1]
        return reach(self.model.decode, channels, 1, self.stride, self.model.device)

    @cached_property
    def step_reaches(self) -> list[int]:
        """Of the decoder's steps from each hidden layer to what follows it."""
        decoder = self.model.decoder
        features = self.model.encode(torch.zeros(1, 3, MEASURED_AT, MEASURED_AT))[..., :2, :2]
        sides = [decoder.layer(index, features).shape[2] // 2 for index in range(len(decoder.hidden_widths) + 1)]

        def step(index):
            def network(probe):
                hidden = F.interpolate(probe[:, :1], scale_factor=sides[index]).expand(-1, decoder.hidden_widths[index], -1, -1)
                return decoder.layer(index + 1, probe, known=(index, hidden))
            return network

        return [reach(step(index), features.shape[1], 1, sides[index + 1], self.model.device)
                for index in range(len(decoder.hidden_widths))]

    @cached_property
    def maps_reach(self) -> int:
        """Of the maps that the content's matrix is made of; a skip's, at another scale, are taken place by place."""
        vlt = self.model.vlt
        return reach(vlt.content_maps, vlt.linear.compress.in_channels, 1, 1, self.model.device)

    def plan(self, size: tuple[int, int], memory: float, folder: Path | None = None) -> Plan | None:
        """How to draw a picture of `size` (height, width) with at most so many bytes of memory; None: at once. folder: for what
        must be kept and finds no room in memory, where it finds some there. InputError where the bytes are too few."""
        pixels = size[0] * size[1]
        if pixels <= AT_ONCE and PROCESS + pixels * self.bytes_per_pixel <= memory:
            return None
        left = memory - PROCESS - pixels * (PIXELS if self.model.photo_share is None else PIXELS + DRAWN)
        least = self._tile_bytes(SHORTEST_TILE)
        if left < least:
            needed = (memory - left + least) / 1e9
            raise InputError(f"{memory / 1e9:g} GB", f"are too little for {size[1]}x{size[0]} pixels",
                             f"allow {needed + 0.1:.1f} GB or more, or draw it smaller")
        keep, layers, room = self._kept(pixels, left)
        all_layers = len(self.hidden_values)
        if (keep is None or layers < all_layers) and folder and self._fits_on_disk(pixels, folder):
            return Plan(self._longest_side(left), torch.float16, all_layers, folder)
        return Plan(self._longest_side(room), keep, layers)

    def _longest_side(self, room: float) -> int:
        """Of a tile for which there are `room` bytes, in places."""
        side = max(pixels for pixels in range(SHORTEST_TILE, LONGEST_TILE + 1, 64)
                   if pixels == SHORTEST_TILE or self._tile_bytes(pixels) <= room)
        return max(2, side // self.stride)

    def _kept_bytes(self, pixels: int, layers: int, dtype: torch.dtype) -> float:
        """What a picture's features and so many hidden layers take; at most two layers lie there at a time."""
        values = self.hidden_values[:layers]
        return pixels * (self.feature_values + max(map(sum, zip([0, *values], values)), default=0)) * dtype.itemsize

    def _fits_on_disk(self, pixels: int, folder: Path) -> bool:
        needed = self._kept_bytes(pixels, len(self.hidden_values), torch.float16)
        return shutil.disk_usage(folder).free >= ROOM * needed

    def _kept(self, pixels: int, left: float) -> tuple[torch.dtype | None, int, float]:
        """What is kept of a picture in `left` bytes: in which type, how many hidden layers besides its features, and how many
        bytes then remain; as many layers as possible, in the finer type where both fit."""
        for layers in range(len(self.hidden_values), -1, -1):
            for dtype in (torch.float32, torch.float16):
                rest = left - self._kept_bytes(pixels, layers, dtype)
                if rest >= self._tile_bytes(KEEPING_TILE):
                    return dtype, layers, rest
        return None, 0, left

    def _tile_bytes(self, side: int) -> float:
        border = 2 * self.stride * (self.encoder_reach + self.decoder_reach)
        return (side + border)**2 * self.bytes_per_pixel

    @torch.no_grad()
    def stylize(self, content: torch.Tensor, styles, plan: Plan, mix=None, strength: float = 1.0, sample: bool = False,
                generator: torch.Generator | None = None, progress: bool = False) -> torch.Tensor:
        """`STVAE.stylize` in tiles. content: `(N, 3, H, W)`, float in [0, 1] or, in a quarter of the memory, 8-bit; the
        result is of the same type. progress: show a bar. Raises InputError as `STVAE.stylize` does, and where the result
        would hold values that are no numbers."""
        check_image(torch.empty(content.shape, device="meta"), "content")
        check_strength(strength)
        style = self.model.mixed_style(styles, mix, sample, generator)
        features, kept = self.moved(content, style, strength, plan, progress), None
        style = replace(style, modulation=style.modulation_by(strength))
        if strength and self.model.vlt.normalises:
            style, kept = self.measured(features, style)
        finishes = self.model.finishes(style) and strength > 0
        finer = finishes and not content.is_floating_point()  # 8 bits would show as bands where colours are moved far apart
        typed = to_words if finer else to_pixels
        output = torch.empty_like(content, dtype=torch.int16 if finer else None, memory_format=torch.channels_last)
        colours = GridColours(content) if finishes else None  # before rounding: what is small in a palette is made large
        for box in features.boxes("draw"):
            image, wide = self.drawn(box, features, style, kept, len(self.model.decoder.hidden_widths))
            target = box.cut(output, self.stride)
            image = box.cut(image, self.stride, wide)[..., :target.shape[2], :target.shape[3]].clamp(0, 1)
            if not image.isfinite().all():
                raise InputError("the picture", "would hold values that are no numbers", "use another model, style or option")
            if finishes:
                colours.put(image, self.stride * box.top, self.stride * box.left)
            target.copy_(image if output.is_floating_point() else typed(image))
        return self.finished(output, content, style, strength, colours.palette()) if finishes else output

    def finished(self, drawn: torch.Tensor, content: torch.Tensor, style: Style, strength: float,
                 palette: torch.Tensor) -> torch.Tensor:
        """`STVAE.finish` in strips, of the content's type: in place where that is the drawn picture's too. palette: of what was
        drawn."""
        finishing = Finishing.of(palette, palette_of(content), style.palette, self.model.photo_share)
        output, typed = (drawn, to_float) if content.is_floating_point() else (torch.empty_like(content), to_pixels)
        rows = max(1, STRIP // drawn.shape[3])
        for target, *parts in zip(*(picture.split(rows, dim=2) for picture in (output, drawn, content))):
            target.copy_(typed(finishing(*map(to_float, parts), strength)))
        return output

    def moved(self, content: torch.Tensor, style: Style, strength: float, plan: Plan, progress: bool = False) -> "TiledFeatures":
        """`STVAE.moved` of a picture's features."""
        features = TiledFeatures(self, content, plan, progress)
        if strength:
            known = features.statistics(self.model.vlt, self.maps_reach)
            features.change(lambda part: self.model.moved(part, style, strength, known))
        return features

    def drawn(self, box: Box, features: "TiledFeatures", style: Style, kept: tuple[int, MapsInMemory | MapsOnDisk] | None,
              index: int) -> tuple[torch.Tensor, Box]:
        """Hidden layer `index` of the decoder before its modulation, behind the last one the picture, where it shows a box, with
        a border that is not right yet, and the box with that border. kept: another layer and its index, to go on from."""
        follows = kept is not None and kept[0] == index - 1
        wide = box.grown(self.step_reaches[index - 1] if follows else self.decoder_reach, features.shape)
        known = kept and (kept[0], kept[1].at(wide))
        moved = features.at(wide).contiguous(memory_format=torch.channels_last)
        return self.model.decoder.layer(index, moved, style.modulation, known), wide

    def measured(self, features: "TiledFeatures", style: Style) -> tuple[Style, tuple[int, MapsInMemory | MapsOnDisk] | None]:
        """A style whose modulation knows the moments of the decoder's hidden layers over the whole picture, and the last one of
        these layers that was kept, with its index."""
        style, kept = replace(style, modulation=replace(style.modulation, known=[])), None
        for index in range(len(self.model.decoder.hidden_widths)):
            sums, following = LayerSums(), features.plan.kept_maps(features.shape) if index < features.plan.layers else None
            for box in features.boxes(f"measure layer {index + 1}"):
                hidden, wide = self.drawn(box, features, style, kept, index)
                inside = box.cut(hidden, wide.scale_of(hidden), wide)
                sums.add(inside)
                if following is not None:
                    following.put(box, inside)
            style.modulation.known.append(sums.moments())
            kept = kept if following is None else (index, following)
        return style, kept


class LayerSums:
    """Sums of a hidden layer's values and squares over a picture that comes in parts, from part to part in double precision."""

    def __init__(self):
        self.total, self.squares, self.count = 0, 0, 0

    def add(self, inside: torch.Tensor) -> None:
        """A part of the layer, `(N, C, h, w)`."""
        self.total = self.total + inside.sum((2, 3)).double()  # of a part in single precision: fifteen times as quick
        self.squares = self.squares + inside.square().sum((2, 3)).double()
        self.count += inside[0, 0].numel()

    def moments(self) -> tuple[torch.Tensor, torch.Tensor]:
        """Means and standard deviations `(N, C)` of all that was summed up."""
        mean = self.total / self.count
        return mean.float(), deviations(mean, self.squares / self.count, self.count).float()


class TiledFeatures:
    """Content features of a large picture, tile by tile: kept, or encoded anew whenever they are asked for."""

    def __init__(self, tiler: Tiler, content: torch.Tensor, plan: Plan, progress: bool):
        self.tiler, self.content, self.plan, self.progress = tiler, content, plan, progress
        self.shape = tuple(max(2, -(-side // tiler.stride)) for side in content.shape[2:])  # as `pad_to_stride` makes it
        self.changed = lambda part: part
        self.kept = None if plan.keep is None else plan.kept_maps(self.shape)
        if self.kept is not None:
            for box in self.boxes("encode"):
                self.kept.put(box, self._encoded(box))

    def boxes(self, doing: str) -> Iterator[Box]:
        """All tiles, with a bar that says what is being done with them."""
        return tqdm(split(self.shape, self.plan.side), doing, unit="tile", leave=False, disable=not self.progress)

    def at(self, box: Box) -> torch.Tensor:
        """Features of a box, `(N, C, h, w)`."""
        return self.changed(self._encoded(box)) if self.kept is None else self.kept.at(box)

    def change(self, function) -> None:
        """From now on, `function` of the features: it must make of a part of them the same as of the whole."""
        if self.kept is None:
            self.changed = function
            return
        for box in self.boxes("transform"):
            self.kept.put(box, function(self.kept.at(box)))

    def _encoded(self, box: Box) -> torch.Tensor:
        wide = box.grown(self.tiler.encoder_reach, self.shape)
        return box.cut(self.tiler.model.encode(to_float(wide.cut(self.content, self.tiler.stride))), 1, wide)

    def statistics(self, vlt, maps_reach: int) -> ContentStatistics:
        """`vlt.content_statistics` of the whole: first the means, then the Gram matrices of what is centred by them, summed
        up in double precision."""
        sums, counts = {}, {}
        for box in self.boxes("measure"):
            for side, level in vlt.content_levels(self.at(box)):
                sums[side] = sums.get(side, 0) + level.double().sum((2, 3))
                counts[side] = counts.get(side, 0) + level[0, 0].numel()
        means, grams = {side: (total / counts[side]).float() for side, total in sums.items()}, dict.fromkeys(sums, 0)
        for box in self.boxes("measure"):
            wide = box.grown(maps_reach, self.shape)
            for side, level in vlt.content_levels(self.at(wide)):
                maps = side.content_maps(level - means[side][:, :, None, None])
                flat = box.cut(maps, wide.scale_of(maps), wide).double().flatten(2)
                grams[side] = grams[side] + flat @ flat.transpose(1, 2)
        return joined([ContentStatistics(means[side], side.matrix_from((total / counts[side]).float()))
                       for side, total in grams.items()])
