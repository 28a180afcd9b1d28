"""The latent space of styles: its principal axes, and what moving along one does to pictures."""

from dataclasses import dataclass

import numpy as np
import torch
from skimage import color

from ..model.codes import StyleCode
from ..model.stvae import STVAE

# less and more of every property, as one would say it
WORDS = {"brightness": ("darker", "brighter"), "warmth": ("cooler", "warmer"), "redness": ("greener", "redder"),
         "colourfulness": ("less colourful", "more colourful"), "contrast": ("less contrast", "more contrast"),
         "stroke size": ("finer strokes", "broader strokes")}


@dataclass(frozen=True)
class Axes:
    """Principal axes of a set of styles: their `mean (1, latent)`, orthonormal `directions (k, latent)` and the
    `deviations (k,)` of the styles along them, largest first."""

    mean: torch.Tensor
    directions: torch.Tensor
    deviations: torch.Tensor

    def shifted(self, code: StyleCode, amounts) -> StyleCode:
        """A code moved along the first axes, by as many standard deviations as `amounts` says."""
        steps = torch.tensor(list(amounts)).to(code.mu) * self.deviations[:len(amounts)]
        return StyleCode(code.mu + steps @ self.directions[:len(amounts)], code.log_sigma, code.extras)

    def centre(self, like: StyleCode) -> StyleCode:
        """The average style, with the spread of another code."""
        return StyleCode(self.mean, like.log_sigma, like.extras)


def principal_axes(codes: list[StyleCode], count: int = 6) -> Axes:
    """Principal axes of the posterior means of at least `count` + 1 styles (PCA). The sign of a direction is chosen so
    that its largest entry is positive."""
    means = torch.cat([code.mu for code in codes])
    centre = means.mean(0, keepdim=True)
    _, values, directions = torch.linalg.svd(means - centre, full_matrices=False)
    directions = directions[:count]
    largest = directions.gather(1, directions.abs().argmax(1, keepdim=True))
    return Axes(centre, directions * largest.sign(), values[:count] / (len(codes) - 1) ** 0.5)


def stroke_size(image: torch.Tensor) -> float:
    """Mean wavelength of the luminance's spectrum, in pixels: large for broad strokes, small for fine ones."""
    luminance = color.rgb2gray(image[0].permute(1, 2, 0).cpu().numpy())
    power = np.abs(np.fft.rfft2(luminance - luminance.mean())) ** 2
    frequency = np.hypot(np.fft.fftfreq(luminance.shape[0])[:, None], np.fft.rfftfreq(luminance.shape[1])[None])
    return float(power.sum() / ((power * frequency).sum() + 1e-12))


def properties(image: torch.Tensor) -> dict[str, float]:
    """What the eye would call a picture `(1, 3, H, W)`: brightness (mean L), warmth (mean b), redness (mean a),
    colourfulness (mean chroma), contrast (deviation of L), all in CIELAB, and stroke size in pixels."""
    lab = color.rgb2lab(image[0].permute(1, 2, 0).cpu().double().numpy())
    return {"brightness": lab[..., 0].mean(), "warmth": lab[..., 2].mean(), "redness": lab[..., 1].mean(),
            "colourfulness": np.hypot(lab[..., 1], lab[..., 2]).mean(), "contrast": lab[..., 0].std(),
            "stroke size": stroke_size(image)}


@torch.no_grad()
def axis_effects(model: STVAE, contents: list[torch.Tensor], codes: list[StyleCode], axes: Axes,
                 amount: float = 1.5) -> list[dict[str, list[float]]]:
    """For every axis, the change of every property between −amount and +amount deviations from the average style, one
    value per content, in units of that property's deviation over the styles themselves."""
    base = axes.centre(codes[0])
    over_styles = [properties(model.stylize(contents[0], code)) for code in codes]
    spread = {name: np.std([row[name] for row in over_styles]) for name in over_styles[0]}
    effects = []
    for index in range(len(axes.deviations)):
        ends = [axes.shifted(base, [0.0] * index + [sign * amount]) for sign in (-1, 1)]
        rows = [[properties(model.stylize(content, end)) for end in ends] for content in contents]
        effects.append({name: [float((high[name] - low[name]) / spread[name]) for low, high in rows] for name in spread})
    return effects


def axis_name(effects: dict[str, list[float]]) -> str:
    """What an axis does most, in one of the words of WORDS."""
    means = {name: float(np.mean(values)) for name, values in effects.items()}
    name = max(means, key=lambda key: abs(means[key]))
    return WORDS[name][means[name] > 0]
