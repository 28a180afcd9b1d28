"""Give a picture the colours of another, nearly all of them and nearly in the same amounts.

Sliced optimal transport (Pitié et al. 2005, "N-dimensional probability density function transfer"): turn colour space, match
the three distributions along its axes, turn it back, and again with another turn. What comes of it is a map from colour to
colour, kept as a look-up table as film colourists use them: pixels of one colour stay so, and neighbours stay neighbours.
"""

from dataclasses import dataclass

import numpy as np
import torch
import torch.nn.functional as F

from .images import to_float

TURNS = 12  # of colour space
SIDE = 64  # of the grid of pixels whose colours make a palette
QUANTILES = 256  # of a distribution, between which maps are straight
STEPS = 17  # of a table, per channel
GRAIN = 2 / 255  # two grey levels: colours so near to each other become nearly the same


@torch.no_grad()
def palette_of(image: torch.Tensor) -> torch.Tensor:
    """Colours of `image` `(N, 3, H, W)`, in [0, 1] or 8-bit, on an even grid, in a fixed random order: `(N, 3, 4096)`. Every
    part of the list has the picture's distribution."""
    grid = GridColours(image)
    grid.put(image)
    return grid.palette()


class GridColours:
    """The colours that make the palette of a picture like `whole` `(N, 3, H, W)`, which may come in parts."""

    def __init__(self, whole: torch.Tensor):
        self.places = [torch.linspace(0, side - 1, SIDE, device=whole.device).round().long() for side in whole.shape[2:]]
        self.colours = torch.empty(*whole.shape[:2], SIDE, SIDE, device=whole.device)

    def put(self, part: torch.Tensor, top: int = 0, left: int = 0) -> None:
        """A part of the picture, in [0, 1] or 8-bit, whose first row and column are `top` and `left`."""
        found, own = [], []
        for places, start, side in zip(self.places, (top, left), part.shape[2:]):
            found.append(((places >= start) & (places < start + side)).nonzero()[:, 0])
            own.append(places[found[-1]] - start)
        seen = to_float(part[:, :, own[0].to(part.device)[:, None], own[1].to(part.device)])
        self.colours[:, :, found[0][:, None], found[1]] = seen.to(self.colours).clamp(0, 1)  # may come from another device

    def palette(self) -> torch.Tensor:
        """What `palette_of` says of the whole picture."""
        return shuffled(self.colours.flatten(2))


def mixed_palette(palettes: list[torch.Tensor], mix: list[float]) -> torch.Tensor:
    """A palette `(N, 3, 4096)` with the share `mix` of every one of `palettes`; shares sum to 1."""
    ends = np.round(np.cumsum([0, *mix]) * SIDE**2).astype(int)
    parts = [palette[..., start:end] for palette, start, end in zip(palettes, ends, ends[1:])]
    return shuffled(torch.cat(parts, dim=2))


def shuffled(colours: torch.Tensor) -> torch.Tensor:
    """Colours `(N, 3, 4096)` in a random order that is always the same."""
    order = torch.randperm(SIDE**2, generator=torch.Generator().manual_seed(0))
    return colours[..., order.to(colours.device)]


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
def distribution(palette: torch.Tensor) -> torch.Tensor:
    """Quantiles of a palette `(N, 3, n)`, 8-bit or in [0, 1], along the axes of every turn: `(TURNS, N, 3, QUANTILES)`."""
    colours = to_float(palette).float()
    with torch.autocast(colours.device.type, enabled=False):
        return torch.stack([_quantiles(turn @ colours) for turn in _turns(colours.device)])


@torch.no_grad()
def colour_table(source: torch.Tensor, wanted: torch.Tensor) -> ColourTable:
    """The table that gives a picture of palette `source` `(N, 3, n)` the `distribution` `wanted`, one for all or one each."""
    source = source.float()
    low, high = source.amin(2), source.amax(2)
    high = torch.maximum(high, low + 1e-3)
    steps = torch.linspace(0, 1, STEPS, device=source.device)
    blue, green, red = torch.meshgrid(steps, steps, steps, indexing="ij")
    grid = torch.stack([red, green, blue]).flatten(1) * (high - low)[..., None] + low[..., None]
    with torch.autocast(source.device.type, enabled=False):
        for turn, target in zip(_turns(source.device), wanted.expand(-1, len(source), -1, -1)):
            own = _quantiles(turn @ source)
            target = _settled(own, target)
            source, grid = (turn.T @ _mapped(turn @ colours, own, target) for colours in (source, grid))
    return ColourTable(grid.reshape(-1, 3, STEPS, STEPS, STEPS), low, high)


@dataclass
class Finishing:
    """What is done to a drawn picture last: `share` of the photograph is blended in, itself in the style's colours, and the blend
    gets the style's colours. Maps of colour alone, the same everywhere in the picture, so that it can be done in parts."""

    share: float
    photo: ColourTable
    blend: ColourTable

    @classmethod
    def of(cls, drawn: torch.Tensor, content: torch.Tensor, palette: torch.Tensor, share: float) -> "Finishing":
        """From palettes `(N, 3, n)` of what was drawn, of the photograph and of the style (8-bit or in [0, 1]), the latter two
        one for all or one for each, on any device. share: 0 to below 1."""
        wanted = distribution(palette.to(drawn.device))
        content = content.to(drawn.device).expand(len(drawn), -1, -1)
        photo = colour_table(content, wanted)
        return cls(share, photo, colour_table(torch.lerp(drawn, photo(content[..., None])[..., 0], share), wanted))

    def __call__(self, drawn: torch.Tensor, content: torch.Tensor, strength: float = 1.0) -> torch.Tensor:
        """The finished picture `(N, 3, H, W)` in [0, 1], or any part of it, from the same part of both; strength: how much of
        that is done."""
        photo = self.photo(content.to(drawn).expand(len(drawn), -1, -1, -1))
        return torch.lerp(drawn, self.blend(torch.lerp(drawn, photo, self.share)), strength)


def finished(drawn: torch.Tensor, content: torch.Tensor, palette: torch.Tensor, share: float,
             strength: float = 1.0) -> torch.Tensor:
    """A drawn picture, finished by `strength`: `(N, 3, H, W)` in [0, 1], as `drawn` is. content: the same, one for all or one for
    each. palette: `(N, 3, 4096)`, the style's, as many. share: of the photograph, 0 to below 1."""
    return Finishing.of(palette_of(drawn), palette_of(content), palette, share)(drawn, content, strength)


def finished_straight_through(drawn: torch.Tensor, content: torch.Tensor, palette: torch.Tensor, share: float) -> torch.Tensor:
    """Nearly `finished`, for training: gradients pass straight through to `drawn` (Bengio et al. 2013), as the table's own would
    be nothing where colours are clamped and huge between those of a palette of black and white; but for the part that asks for
    nothing else than other colours, of which finishing would leave nothing. A quarter of every palette has to do."""
    with torch.no_grad():
        colours = drawn.float()
        few = [each[..., :SIDE**2 // 4] for each in (palette_of(colours), palette_of(content), palette)]
        change = Finishing.of(*few, share)(colours, content) - colours
    output = drawn + change
    if output.requires_grad:
        output.register_hook(lambda gradient: without_recolouring(gradient, colours))
    return output


def without_recolouring(gradient: torch.Tensor, colours: torch.Tensor) -> torch.Tensor:
    """What is left of a gradient by a picture, `(N, 3, H, W)` both, after its regression on the picture's colours: to first
    order, it changes neither means nor covariances of colours. (Curves of tone, which finishing undoes too, are left in.)"""
    centred, wanted = ((value - value.mean((2, 3), keepdim=True)).float().flatten(2) for value in (colours, gradient))
    squares = centred @ centred.mT
    ridge = 1e-4 * squares.diagonal(dim1=1, dim2=2).mean(1) + 1e-8
    inverse = torch.linalg.inv(squares + ridge[:, None, None] * torch.eye(3, device=colours.device))
    return (wanted - (wanted @ centred.mT) @ inverse @ centred).reshape(gradient.shape).to(gradient.dtype)


def _turns(device) -> torch.Tensor:
    """Rotations of colour space `(TURNS, 3, 3)`, none first."""
    generator = torch.Generator().manual_seed(0)
    return torch.stack([torch.eye(3), *torch.linalg.qr(torch.randn(TURNS - 1, 3, 3, generator=generator)).Q]).to(device)


def _quantiles(values: torch.Tensor) -> torch.Tensor:
    """Quantiles `(N, 3, QUANTILES)` of `(N, 3, n)`, from the least to the largest."""
    ordered, last = values.sort(dim=2).values, values.shape[2] - 1
    places = torch.linspace(0, last, QUANTILES, device=values.device)
    low = places.long().clamp_max(last - 1)
    return torch.lerp(ordered[..., low], ordered[..., low + 1], places - low)


def _settled(own: torch.Tensor, wanted: torch.Tensor) -> torch.Tensor:
    """What quantiles `own` go to, `(N, 3, QUANTILES)` all: each to the mean of what those within a GRAIN are to become (kernel
    regression, Nadaraya 1964), so that a value that is several at once has one place, and so have its neighbours. Colours of a
    style lie far apart, and where two are equal but for rounding it must not decide which they get."""
    apart = (own[..., :, None] - own[..., None, :]) / GRAIN
    near = (apart.square() / -2).clamp_min(-20).exp()  # beyond, nothing; but denormal numbers are slow
    return (near @ wanted[..., None])[..., 0] / near.sum(3)


def _mapped(values: torch.Tensor, own: torch.Tensor, wanted: torch.Tensor) -> torch.Tensor:
    """`values` `(N, 3, n)` through the monotone map that takes quantiles `own` to `wanted`, straight between, level beyond."""
    values = torch.minimum(torch.maximum(values, own[..., :1]), own[..., -1:]).contiguous()
    high = torch.searchsorted(own.contiguous(), values).clamp(1, QUANTILES - 1)
    start, end, first, last = (known.gather(2, places) for known in (own, wanted) for places in (high - 1, high))
    return torch.lerp(first, last, ((values - start) / (end - start).clamp_min(1e-9)).clamp(0, 1))
