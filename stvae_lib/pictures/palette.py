"""Give a picture the colours of another, all of them and in the same amounts.

Sliced optimal transport (Pitié et al. 2005, "N-dimensional probability density function transfer"): turn colour space, match
the three distributions along its axes, turn it back, and again with another turn. What comes of it is a map from colour to
colour, kept as a look-up table as film colourists use them: pixels of one colour stay so, and neighbours stay neighbours.
"""

from dataclasses import dataclass
from functools import lru_cache

import numpy as np
import torch
import torch.nn.functional as F

from .images import to_float

TURNS = 12  # of colour space
SIDE = 64  # of the grid of pixels whose colours make a palette
QUANTILES = 256  # of a distribution, between which maps are straight
STEPS = 17  # of a table, per channel


def palette_of(image: torch.Tensor) -> torch.Tensor:
    """Colours of `image` `(N, 3, H, W)`, in [0, 1] or 8-bit, on an even grid, in a fixed random order: `(N, 3, 4096)`. Every
    part of the list has the picture's distribution."""
    rows, columns = (torch.linspace(0, side - 1, SIDE, device=image.device).round().long() for side in image.shape[2:])
    colours = to_float(image[:, :, rows][:, :, :, columns]).flatten(2).float().clamp(0, 1)
    return colours[..., _order(SIDE**2).to(image.device)]


def mixed_palette(palettes: list[torch.Tensor], mix: list[float]) -> torch.Tensor:
    """A palette `(N, 3, 4096)` with the share `mix` of every one of `palettes`; shares sum to 1."""
    ends = np.round(np.cumsum([0, *mix]) * SIDE**2).astype(int)
    return torch.cat([palette[..., start:end] for palette, start, end in zip(palettes, ends, ends[1:])], dim=2)


@dataclass
class ColourTable:
    """A map from colour to colour: `values` `(N, 3, STEPS, STEPS, STEPS)` over blue, green and red from `low` to `high`
    `(N, 3)`, straight between its points."""

    values: torch.Tensor
    low: torch.Tensor
    high: torch.Tensor

    def __call__(self, image: torch.Tensor) -> torch.Tensor:
        """`image` `(N, 3, H, W)` through the table, in [0, 1] and of its own type; colours beyond the ends go where they do."""
        low, high = (bound[..., None, None] for bound in (self.low, self.high))
        places = ((image.float() - low) / (high - low) * 2 - 1).permute(0, 2, 3, 1)[:, None]
        found = F.grid_sample(self.values, places, mode="bilinear", padding_mode="border", align_corners=True)
        return found[:, :, 0].clamp(0, 1).to(image.dtype)


@torch.no_grad()
def colour_table(source: torch.Tensor, target: torch.Tensor) -> ColourTable:
    """The table that gives a picture of palette `source` the palette `target`, both `(N, 3, n)`."""
    low, high = source.amin(2), source.amax(2)
    high = torch.maximum(high, low + 1e-3)
    steps = torch.linspace(0, 1, STEPS, device=source.device)
    blue, green, red = torch.meshgrid(steps, steps, steps, indexing="ij")
    grid = torch.stack([red, green, blue]).flatten(1) * (high - low)[..., None] + low[..., None]
    for turn in _turns().to(source.device):
        maps = [_quantiles(turn @ colours) for colours in (source, target)]
        source, grid = (turn.T @ _mapped(turn @ colours, *maps) for colours in (source, grid))
    return ColourTable(grid.reshape(-1, 3, STEPS, STEPS, STEPS), low, high)


def recoloured(image: torch.Tensor, palette: torch.Tensor) -> torch.Tensor:
    """`image` `(N, 3, H, W)` with the distribution of colours of `palette` `(N, 3, n)`: in [0, 1], of the same type."""
    return colour_table(palette_of(image), palette.to(image.device, torch.float32))(image)


@dataclass
class Finishing:
    """What is done to a drawn picture last: `share` of the photograph is blended in, itself in the style's colours (so that it
    brings back drawing and no colour), and the blend gets the style's colours. Maps of colour alone, the same everywhere in the
    picture, so that it can be done in parts, and to all frames of a shot."""

    share: float
    photo: ColourTable
    blend: ColourTable

    @classmethod
    @torch.no_grad()
    def of(cls, drawn: torch.Tensor, content: torch.Tensor, wanted: torch.Tensor, share: float) -> "Finishing":
        """From palettes `(N, 3, 4096)` of what was drawn, of the photograph and of the style (this one 8-bit or in [0, 1]),
        the latter two one for all or one for each. share: 0 to below 1."""
        wanted = to_float(wanted).to(drawn).expand(len(drawn), -1, -1)
        photo = colour_table(content.expand(len(drawn), -1, -1), wanted)
        own = photo(content.expand(len(drawn), -1, -1)[..., None])[..., 0]
        return cls(share, photo, colour_table(torch.lerp(drawn, own, share), wanted))

    def __call__(self, drawn: torch.Tensor, content: torch.Tensor) -> torch.Tensor:
        """The finished picture `(N, 3, H, W)` in [0, 1], or any part of it, from the same part of both."""
        content = content.to(drawn).expand(len(drawn), -1, -1, -1)
        return self.blend(torch.lerp(drawn, self.photo(content), self.share))


def finished(drawn: torch.Tensor, content: torch.Tensor, palette: torch.Tensor, share: float) -> torch.Tensor:
    """A drawn picture, finished: `(N, 3, H, W)` in [0, 1].

    drawn: `(N, 3, H, W)`, clamped or not. content: the same in [0, 1], one for all or one for each. palette: `(N, 3, 4096)`, the
    style's, as many. Gradients pass straight through to `drawn` (Bengio et al. 2013), as the map's own would be nothing where
    colours are clamped and huge between those of a palette of black and white; but for the part that asks for nothing else than
    other colours, of which finishing would leave nothing.
    """
    with torch.no_grad():
        inside = drawn.clamp(0, 1)
        change = Finishing.of(palette_of(inside), palette_of(content), palette, share)(inside, content) - drawn
    output = drawn + change
    if output.requires_grad:
        output.register_hook(lambda gradient: without_recolouring(gradient, inside))
    return output


def without_recolouring(gradient: torch.Tensor, colours: torch.Tensor) -> torch.Tensor:
    """What is left of a gradient by a picture, `(N, 3, H, W)` both, after its regression on the picture's colours: the rest of
    it changes neither means nor covariances of colours."""
    basis = torch.cat([torch.ones_like(colours[:, :1]), colours], dim=1).flatten(2)            # (N, 4, H·W)
    squares = basis @ basis.mT + 1e-4 * basis.shape[2] * torch.eye(4, device=basis.device)
    wanted = gradient.flatten(2)
    return (wanted - (wanted @ basis.mT) @ torch.linalg.inv(squares) @ basis).reshape(gradient.shape)


@lru_cache(maxsize=1)
def _turns() -> torch.Tensor:
    """Rotations of colour space `(TURNS, 3, 3)`, none first."""
    generator = torch.Generator().manual_seed(0)
    return torch.stack([torch.eye(3), *torch.linalg.qr(torch.randn(TURNS - 1, 3, 3, generator=generator)).Q])


@lru_cache(maxsize=1)
def _order(count: int) -> torch.Tensor:
    return torch.randperm(count, generator=torch.Generator().manual_seed(0))


def _quantiles(values: torch.Tensor) -> torch.Tensor:
    """Quantiles `(N, 3, QUANTILES)` of `(N, 3, n)`, from the least to the largest."""
    ordered, last = values.sort(dim=2).values, values.shape[2] - 1
    places = torch.linspace(0, last, QUANTILES, device=values.device)
    low = places.long().clamp_max(last - 1)
    return torch.lerp(ordered[..., low], ordered[..., low + 1], places - low)


def _mapped(values: torch.Tensor, own: torch.Tensor, wanted: torch.Tensor) -> torch.Tensor:
    """`values` `(N, 3, n)` through the monotone map that takes quantiles `own` to `wanted`, straight between them; a value
    that is several quantiles at once goes to the middle of theirs, one beyond the ends to the end."""
    own = own.contiguous()
    values = torch.minimum(torch.maximum(values, own[..., :1]), own[..., -1:]).contiguous()
    first, after = torch.searchsorted(own, values), torch.searchsorted(own, values, right=True)
    low, high = (first - 1).clamp_min(0), first.clamp_max(QUANTILES - 1)
    start, end = own.gather(2, low), own.gather(2, high)
    share = ((values - start) / (end - start).clamp_min(1e-9)).clamp(0, 1)
    between = torch.lerp(wanted.gather(2, low), wanted.gather(2, high), share)
    at_once = (wanted.gather(2, high) + wanted.gather(2, (after - 1).clamp_min(0))) / 2
    return torch.where(after > first, at_once, between)
