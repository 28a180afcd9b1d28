"""Keep a photograph's colours in its stylised version: luminance of one, chroma of the other.

What Method 2 does (`cysmith/neural-style-tf`, "original colours"; Gatys et al. 2017, §4.2), in any of its four spaces.
The conversions are scikit-image's.
"""

import warnings

import numpy as np
import torch
from skimage import color, exposure

from ..errors import InputError

SPACES = {"yuv": (color.rgb2yuv, color.yuv2rgb), "ycrcb": (color.rgb2ycbcr, color.ycbcr2rgb),
          "luv": (color.rgb2luv, color.luv2rgb), "lab": (color.rgb2lab, color.lab2rgb)}
MODES = (*SPACES, "histogram")


def keep(content: torch.Tensor, stylised: torch.Tensor, mode: str) -> torch.Tensor:
    """`stylised` with the colours of `content`, both `(1, 3, H, W)` in [0, 1].

    mode: a space whose chroma comes from the content ("yuv", "ycrcb", "luv", "lab"), or "histogram" for the content's
    distribution of every colour channel. Raises InputError on another mode.
    """
    if mode not in MODES:
        raise InputError(f"colour {mode!r}", "is unknown", f"use one of {', '.join(MODES)}")
    photo, picture = (image[0].permute(1, 2, 0).cpu().double().numpy() for image in (content, stylised))
    if mode == "histogram":
        kept = exposure.match_histograms(picture, photo, channel_axis=2)
    else:
        with warnings.catch_warnings():  # colours that do not exist are tried on purpose
            warnings.filterwarnings("ignore", "Conversion from CIE-LAB")
            kept = _swap(photo, picture, *SPACES[mode])
    return torch.from_numpy(np.clip(kept, 0, 1)).permute(2, 0, 1)[None].to(content)


def _swap(photo: np.ndarray, picture: np.ndarray, forward, back) -> np.ndarray:
    """Luminance of `picture` with chroma of `photo`.

    Where no colour of that luminance has that chroma (deep blue cannot be bright), clipping would change the chroma:
    there the luminance goes back towards the photograph's, as far as it must.
    """
    own, wanted = forward(photo), forward(picture)[..., 0]
    share_low, share_high = np.zeros(wanted.shape), np.ones(wanted.shape)
    for _ in range(10):
        share = (share_low + share_high) / 2
        inside = _in_gamut(_with_luminance(own, wanted, share), forward, back)
        share_low, share_high = np.where(inside, share, share_low), np.where(inside, share_high, share)
    whole = _in_gamut(_with_luminance(own, wanted, 1.0), forward, back)
    return back(_with_luminance(own, wanted, np.where(whole, 1.0, share_low)))


def _with_luminance(own: np.ndarray, wanted: np.ndarray, share) -> np.ndarray:
    return np.concatenate([(own[..., 0] + share * (wanted - own[..., 0]))[..., None], own[..., 1:]], axis=2)


def _in_gamut(colours: np.ndarray, forward, back) -> np.ndarray:
    """Whether colours survive a way to clipped RGB and back (some of scikit-image's inverses clip by themselves)."""
    again = forward(np.clip(back(colours), 0, 1))
    scale = np.abs(colours).max()
    return np.abs(again - colours).max(axis=2) < 2e-3 * scale
