"""A picture that a network drew in one pass, drawn on by optimisation: a few steps down losses of style, Gram matrices and
structure like those that the network was trained on, for one photograph and its styles alone."""

import torch
from tqdm.auto import tqdm

from ..losses import FeatureDistances, out_of_range
from ..model.stvae import check_image, check_strength, normalised_mix
from .optimisation import optimise

# in training structure weighed 5, and style and Gram matrices stood under a logarithm; here strokes would eat structure up
STRUCTURE, STYLE, GRAM, RANGE = 14.0, 6.0, 0.5, 10.0
LOSS_NETWORK = "vgg16"  # full width: by a narrower one strokes gained and styles lost, as other networks judge
PIXEL_BYTES = 4500  # memory a pixel of a step, forth and back through that network


def refine(drawn: torch.Tensor, content: torch.Tensor, styles: list[torch.Tensor], distances: FeatureDistances, steps: int,
           mix=None, strength: float = 1.0, bar: tqdm | None = None) -> torch.Tensor:
    """`drawn (1, 3, H, W)` in [0, 1], after so many steps (of L-BFGS, each an evaluation) towards the statistics of its styles,
    with the structure of its `content` kept: the same shape and range.

    styles: pictures `(1, 3, H, W)`, of which `mix` takes the statistics in shares. strength: of the style, the rest being the
    content's own statistics. distances: by a loss network, calibrated here on what is at hand. bar: a progress bar to go on
    with. InputError on bad shapes, mix or strength.
    """
    for picture, role in ((drawn, "picture"), (content, "content"), *((style, "style") for style in styles)):
        check_image(picture, role)
    check_strength(strength)
    shares = [strength * share for share in normalised_mix(mix, len(styles))]
    distances.calibrate([content, *styles])
    with torch.no_grad():
        kept = distances.features(content)
        target = mixed_statistics([distances.statistics(features) for features in map(distances.features, styles)]
                                  + [distances.statistics(kept)], [*shares, 1 - strength])

    def objective(image):
        found = distances.features(image)
        statistics = distances.statistics(found)
        return {"style": STYLE * distances.style(statistics, target).sum(),
                "gram": GRAM * distances.gram(statistics, target).sum(),
                "structure": STRUCTURE * distances.structure(found, kept).sum(), "range": RANGE * out_of_range(image)}

    with torch.enable_grad():
        found, history = optimise(drawn, objective, steps + 1, bar=bar)  # the first evaluation is of what was drawn
    if history.stopped == "interrupted":
        raise KeyboardInterrupt
    return found


def mixed_statistics(rows: list[dict], shares: list[float]) -> dict[str, tuple[torch.Tensor, ...]]:
    """`FeatureDistances.statistics` of several pictures, in shares."""
    return {layer: tuple(sum(share * value for share, value in zip(shares, values, strict=True))
                         for values in zip(*(row[layer] for row in rows)))
            for layer in rows[0]}
