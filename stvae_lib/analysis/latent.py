"""The latent space of styles: its principal axes, and what moving along one does to pictures."""

from dataclasses import dataclass

import numpy as np
import torch
from skimage import color

from ..losses import FeatureDistances
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
    """Inverse of the mean frequency of the luminance's spectrum, in pixels: large for broad strokes, small for fine ones."""
    luminance = color.rgb2gray(image[0].permute(1, 2, 0).cpu().numpy())
    power = np.abs(np.fft.fft2(luminance - luminance.mean())) ** 2
    frequency = np.hypot(np.fft.fftfreq(luminance.shape[0])[:, None], np.fft.fftfreq(luminance.shape[1])[None])
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


def main_effects(effects: dict[str, list[float]]) -> list[tuple[str, int]]:
    """The properties that an axis changes on average over contents, the most first, and in which direction: 1 more, -1 less."""
    means = {name: float(np.mean(values)) for name, values in effects.items()}
    return [(name, 1 if means[name] > 0 else -1) for name in sorted(means, key=lambda key: -abs(means[key]))]


def axis_name(effects: dict[str, list[float]], place: int = 0) -> str:
    """What an axis does most, in one of the words of WORDS; or, by place, second most and so on."""
    name, direction = main_effects(effects)[place]
    return WORDS[name][direction > 0]


def held_out_effects(effects: dict[str, list[float]], named_by: dict[str, list[float]] | None = None) -> list[float]:
    """For every content, the effect that the axis is named for by the *other* contents, positive in the direction of the
    name. named_by: effects of another axis whose name this one borrows."""
    found = []
    for index in range(len(next(iter(effects.values())))):
        others = {name: values[:index] + values[index + 1:] or values for name, values in (named_by or effects).items()}
        name, direction = main_effects(others)[0]
        found.append(direction * effects[name][index])
    return found


def from_prior(model: STVAE, count: int, generator: torch.Generator, scale: float = 1.0) -> list[StyleCode]:
    """Styles nobody painted: `count` codes with z ~ scale · N(0, I)."""
    drawn = [model.sample_style(generator) for _ in range(count)]
    return [StyleCode(scale * code.mu, code.log_sigma, code.extras) for code in drawn]


def resampled(codes: list[StyleCode], generator: torch.Generator) -> list[StyleCode]:
    """A sample of every code's posterior, as a code."""
    return [StyleCode(code.z(sample=True, generator=generator), code.log_sigma, code.extras) for code in codes]


def code_distances(codes: list[StyleCode], known: list[StyleCode]) -> torch.Tensor:
    """Distances between the means of codes and of known codes, `(codes, known)`."""
    return torch.cdist(*(torch.cat([code.mu for code in side]) for side in (codes, known)))


@torch.no_grad()
def style_distances(distances: FeatureDistances, pictures: torch.Tensor, known: torch.Tensor) -> torch.Tensor:
    """Style distances between pictures `(N, 3, H, W)` and known pictures `(M, 3, H, W)`: `(N, M)`."""
    found, target = (distances.statistics(distances.features(side)) for side in (pictures, known))
    rows = [{layer: tuple(value[i:i + 1] for value in parts) for layer, parts in found.items()} for i in range(len(pictures))]
    return torch.stack([distances.style(row, target) for row in rows])


def own_nearest(among: torch.Tensor) -> torch.Tensor:
    """Every item's distance to its nearest other one, `(K,)`, from `among (K, K)`."""
    return among.clone().fill_diagonal_(float("inf")).min(1).values


def nearest_ratio(distances: torch.Tensor, among: torch.Tensor) -> list[float]:
    """Distance of each item to its nearest known one, from `distances (items, known)`, over the median of the known ones'
    own, from `among (known, known)`: 0 is a copy, 1 as far away as known ones typically are from each other."""
    return (distances.min(1).values / own_nearest(among).median()).tolist()


def own_margin(distances: torch.Tensor) -> torch.Tensor:
    """How much nearer each row is to its own column than to the nearest other one, `(K,)` of `(K, K)`."""
    return own_nearest(distances) - distances.diagonal()
