"""What a run's weights do, at a glance: sheets of pictures that are kept beside its card."""

import torch
import torch.nn.functional as F

from ..model.stvae import STVAE, AutoEncoder
from ..pictures.datasets import sample_photo
from ..pictures.styles import generate


@torch.no_grad()
def contact_sheet(model: STVAE, side: int = 144) -> torch.Tensor:
    """What a run's weights do, at a glance: two photographs in four generated styles, four samples of the first
    style's posterior, and four styles drawn from the prior (where the variant has one). `(1, 3, rows·side, 4·side)`."""
    photos = [sheet_photo(name, side) for name in ("astronaut", "chelsea")]
    kinds = ("stained_glass", "brush_strokes", "woodcut", "marbling")
    codes = [model.encode_style(generate(kind, 256, 0)) for kind in kinds]
    rows = [[model.stylize(photo, code) for code in codes] for photo in photos]
    rng = torch.Generator().manual_seed(0)
    rows.append([model.stylize(photos[0], codes[0], sample=True, generator=rng) for _ in kinds])
    if model.vlt.has_prior:
        rows.append([model.stylize(photos[0], model.sample_style(rng)) for _ in kinds])
    return torch.cat([torch.cat(row, dim=3) for row in rows], dim=2)


@torch.no_grad()
def reconstruction_sheet(model: AutoEncoder, side: int = 192) -> torch.Tensor:
    """Two photographs and two generated paintings above their reconstructions, `(1, 3, 2·side, 4·side)`."""
    originals = [sheet_photo(name, side) for name in ("astronaut", "coffee")]
    originals += [generate(kind, side, 0) for kind in ("brush_strokes", "stained_glass")]
    return torch.cat([torch.cat(originals, dim=3), torch.cat([model.reconstruct(image) for image in originals], dim=3)], dim=2)


def sheet_photo(name: str, side: int) -> torch.Tensor:
    """A sample photograph squeezed to a square, `(1, 3, side, side)`."""
    return F.interpolate(sample_photo(name), (side, side), mode="bilinear", antialias=True)
