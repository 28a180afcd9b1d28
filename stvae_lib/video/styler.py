"""Frames in a style, one after the other, and what holds them together."""

import math
from dataclasses import asdict, dataclass

import numpy as np
import torch

from ..errors import InputError
from ..model.codes import Style
from ..model.content import ContentStatistics
from ..model.stvae import STVAE, check_strength
from ..pictures.images import to_tensor
from ..pictures.palette import Finishing, palette_of
from .clips import Frame
from .cuts import CutDetector
from .flow import Blender
from .keyframes import StyleTrack

CONTENT = ("own", "first", "average")
COLOURS = ("own", "first")


@dataclass(frozen=True)
class Stability:
    """What holds the frames of a film together; each works by itself, and `PER_FRAME` is none of it.

    frozen: a style drawn from its posterior is drawn once for the film, not anew for every frame.
    content: the mean and matrix C that the transform takes out of a frame: its "own", those of the "first" frame of its shot,
    or a moving "average". seconds: over which that average forgets (to 1/e). colours: where a model finishes its pictures, what
    its colour maps are made from, a frame's "own" colours or those of the "first" frame of its shot. blend: share of the last
    output, carried along the optical flow, that is kept where it can be seen. restore: whether the contrast that blending takes
    is given back. cuts: whether a hard cut begins all of this anew.
    """

    frozen: bool = True
    content: str = "own"  # averaging costs style and hardly steadies (notebook 07)
    seconds: float = 0.5
    colours: str = "first"  # in the mean steadier than maps made anew for every frame, and quicker (notebook 07)
    blend: float = 0.8
    restore: bool = True
    cuts: bool = True

    def __post_init__(self):
        if self.content not in CONTENT:
            raise InputError(f"--content {self.content}", "is unknown", f"use one of {', '.join(CONTENT)}")
        if self.colours not in COLOURS:
            raise InputError(f"--colours {self.colours}", "are unknown", f"use one of {', '.join(COLOURS)}")
        if not self.seconds > 0:
            raise InputError(f"--seconds {self.seconds:g}", "is no time", "give more than 0")
        if not 0 <= self.blend < 1:
            raise InputError(f"--blend {self.blend:g}", "is out of range", "give a share from 0 to below 1")


PER_FRAME = Stability(frozen=False, content="own", colours="own", blend=0.0, cuts=False)


class Styler:
    """Stylises frames in their order: `styler(frame)` is float32 `(H, W, 3)` in [0, 1], of the frame's size.

    sample: draw z from the style's posterior, by `seed`, instead of its mean.
    """

    def __init__(self, model: STVAE, track: StyleTrack, stability: Stability, strength: float = 1.0, sample: bool = False,
                 seed: int = 0):
        check_strength(strength)
        self.model, self.track, self.stability = model, track, stability
        self.strength, self.sample, self.seed = strength, sample, seed
        self.cuts = CutDetector() if stability.cuts else None
        self.blender = Blender(stability.blend, stability.restore) if stability.blend else None
        self.known, self.time, self.style = None, 0.0, None
        self.palettes, self.finishing = None, None  # of the frame that colour maps are made from, and these

    @torch.inference_mode()
    def __call__(self, frame: Frame) -> np.ndarray:
        cut = self.cuts is not None and self.cuts(frame.picture)
        image = to_tensor(frame.picture)
        features = self.model.encode(image)
        known, style = self._statistics(features, frame.time, cut), self._style(frame)
        output = self.model.render(features, style, image.shape[2:], self.strength, known).clamp(0, 1)
        output = self._finished(output, image, style, cut)
        output = output[0].permute(1, 2, 0).contiguous().cpu().numpy()
        return self.blender(frame.picture, output, cut) if self.blender else output

    def _finished(self, output: torch.Tensor, image: torch.Tensor, style: Style, cut: bool) -> torch.Tensor:
        """`STVAE.finish` with the colour maps of a frame that need not be this one; a style that moves takes them along."""
        if not self.model.finishes(style):
            return output
        if self.palettes is None or cut or self.stability.colours == "own":
            self.palettes, self.finishing = (palette_of(output), palette_of(image)), None
        if self.finishing is None or self.track.moves:
            self.finishing = Finishing.of(*self.palettes, style.palette, self.model.photo_share)
        return self.finishing(output, image, self.strength)

    def _style(self, frame: Frame):
        """What the transform applies to a frame; kept where it is the same for all."""
        if self.style is not None:
            return self.style
        drawn = self.seed if self.stability.frozen else self.seed + frame.number
        style = self.model.style_from(self.track.at(frame.time), self.sample, torch.Generator().manual_seed(drawn))
        if not self.track.moves and (self.stability.frozen or not self.sample):
            self.style = style
        return style

    def _statistics(self, features: torch.Tensor, time: float, cut: bool) -> ContentStatistics | None:
        """What is to be taken out of a frame's features in place of their own statistics."""
        if self.stability.content == "own":
            return None
        if self.known is None or cut:
            self.known = self.model.vlt.content_statistics(features)
        elif self.stability.content == "average":
            share = 1 - math.exp((self.time - time) / self.stability.seconds)
            self.known = self.known.lerp(self.model.vlt.content_statistics(features), share)
        self.time = time
        return self.known

    def state(self, last: Frame) -> dict[str, torch.Tensor]:
        """What the frames after `last`, the one stylised last, need of those before."""
        found = {"last": torch.from_numpy(last.picture), "time": torch.tensor(self.time, dtype=torch.float64)}
        level, name = self.known, "content"
        while level is not None:
            found |= {f"{name}.mean": level.mean.cpu(), f"{name}.matrix": level.matrix.cpu()}
            level, name = level.skip, f"{name}.skip"
        if self.palettes:
            found |= dict(zip(("palette.drawn", "palette.content"), (palette.cpu() for palette in self.palettes)))
        return found | ({"output": torch.from_numpy(self.blender.last[1])} if self.blender else {})

    def restore(self, state: dict[str, torch.Tensor]) -> None:
        """Go on from a `state`."""
        self.time, self.known = float(state["time"]), self._restored(state, "content")
        if "palette.drawn" in state:
            self.palettes = tuple(state[f"palette.{side}"].to(self.model.device) for side in ("drawn", "content"))
        if self.cuts:
            self.cuts(state["last"].numpy())
        if self.blender:
            self.blender.last = state["last"].numpy(), state["output"].numpy()

    def _restored(self, state: dict[str, torch.Tensor], name: str) -> ContentStatistics | None:
        if f"{name}.mean" not in state:
            return None
        mean, matrix = (state[f"{name}.{part}"].to(self.model.device) for part in ("mean", "matrix"))
        return ContentStatistics(mean, matrix, self._restored(state, f"{name}.skip"))

    def identity(self) -> dict:
        """What tells this way of stylising from another."""
        codes = [code.identity() for code in self.track.codes]
        return {"model": self.model.identity(), "times": self.track.times, "codes": codes, "strength": self.strength,
                "sample": self.sample, "seed": self.seed} | asdict(self.stability)
