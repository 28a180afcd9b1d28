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

TURNS = 12  # of colour space
SIDE = 64  # of the grid of pixels whose colours make a palette
QUANTILES = 256  # of a distribution, between which maps are straight
STEPS = 17  # of a table, per channel


def palette_of(image: torch.Tensor) -> torch.Tensor:
    """Colours of `image` `(N, 3, H, W)` in [0, 1] on an even grid, in a fixed random order: `(N, 3, 4096)`. Every part of
    the list has the picture's distribution."""
    rows, columns = (torch.linspace(0, side - 1, SIDE, device=image.device).round().long() for side in image.shape[2:])
    colours = image[:, :, rows][:, :, :, columns].flatten(2).float().clamp(0, 1)
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


def finished(output: torch.Tensor, content: torch.Tensor, palette: torch.Tensor, share: float) -> torch.Tensor:
    """What a model drew, with `share` of the photograph blended in, in the colours of its style: `(N, 3, H, W)` in [0, 1].

    output: unclamped, content in [0, 1], `(N, 3, H, W)` both. palette: `(N, 3, n)`. share: 0 to below 1; the photograph is
    recoloured before, so that it brings back drawing and no colour. Gradients pass straight through to `output` (Bengio et
    al. 2013): the map's own would be nothing where colours are clamped and huge where a palette is black and white.
    """
    with torch.no_grad():
        drawn = output.clamp(0, 1)
        if share:
            drawn = torch.lerp(drawn, recoloured(content, palette).to(output.dtype), share)
        change = recoloured(drawn, palette) - output
    return output + change


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
