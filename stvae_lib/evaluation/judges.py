"""Judges that neither a copy of the photograph, nor one of the style, nor a cross-fade of both can please: are a picture's own
strokes and its own content the nearest among many, and is its style's layout not? How much structure has been kept?

After the yardstick's judges (notebook 02), for any pictures.
"""

import math

import torch

from ..losses import CONTENT_LAYER, STYLE_LAYERS, FeatureDistances
from ..model.weights import features_network
from ..pictures.edges import luminance

# judge -> published network (`stvae fetch`), layers whose statistics make a style, layer compared place by place
NETWORKS = {"ResNet-50": ("resnet50-half", ("conv1", "layer1", "layer2", "layer3"), "layer2"),
            "VGG-16": ("vgg16", STYLE_LAYERS, CONTENT_LAYER)}
MEASURES = {"style": False, "strokes": False, "kept": True, "pasted": False}  # measure -> whether a larger value is better
NEAREST = 1e-6  # distances below are no nearer: a picture's margin to itself stays finite


def drawn(image: torch.Tensor) -> torch.Tensor:
    """`(N, 3, H, W)` without colours, at mean 1/2 and deviation 0.2: what is left is drawing."""
    grey = luminance(image)
    mean, deviation = grey.mean((2, 3), keepdim=True), grey.std((2, 3), keepdim=True).clamp_min(1e-3)
    return (0.5 + 0.2 * (grey - mean) / deviation).clamp(0, 1).expand(-1, 3, -1, -1)


class Judge:
    """One network's opinion of pictures whose own style and content are known to it among others.

    name: of NETWORKS. styles, contents: the known pictures by name, each `(1, 3, side, side)`, all of one size.
    """

    @torch.no_grad()
    def __init__(self, name: str, styles: dict[str, torch.Tensor], contents: dict[str, torch.Tensor]):
        network, layers, content_layer = NETWORKS[name]
        network = features_network(network)
        pictures = [*styles.values(), *contents.values()]
        self.colour, self.grey = (FeatureDistances(network, layers, content_layer) for _ in range(2))
        self.colour.calibrate(pictures)
        self.grey.calibrate([drawn(picture) for picture in pictures])
        self.styles = {style: self._statistics(picture) for style, picture in styles.items()}
        self.contents = {content: self._map(picture) for content, picture in contents.items()}
        self.layouts = {style: self._map(picture) for style, picture in styles.items()}

    def _statistics(self, picture: torch.Tensor) -> dict:
        """Style statistics in colour ("style") and in grey ("strokes")."""
        return {"style": self.colour.statistics(self.colour.features(picture)),
                "strokes": self.grey.statistics(self.grey.features(drawn(picture)))}

    def _map(self, picture: torch.Tensor) -> dict:
        return {self.colour.content_layer: self.colour.features(picture)[self.colour.content_layer]}

    @torch.no_grad()
    def __call__(self, picture: torch.Tensor, content: str, style: str) -> dict[str, float]:
        """What is said of a picture `(1, 3, side, side)` made of a known content in a known style.

        style, strokes: distance to the own style's statistics, in colour and in grey. kept, pasted: correlation of the content
        layer's pattern of places with the own content's, and with the own style's, which nothing but pasting puts there. Each
        with a margin, above 0 where no other known picture is nearer: log of the nearest other one's distance over the own
        one's, or the own one's correlation less the best other one's.
        """
        own, pattern, found = self._statistics(picture), self._map(picture), {}
        for name, distances in (("style", self.colour), ("strokes", self.grey)):
            away = {known: max(float(distances.style(own[name], statistics[name])), NEAREST)
                    for known, statistics in self.styles.items()}
            found |= {name: away[style], f"{name} margin": math.log(min(_others(away, style)) / away[style])}
        for name, maps, wanted in (("kept", self.contents, content), ("pasted", self.layouts, style)):
            alike = {known: 1 - float(self.colour.structure(pattern, known_map)) for known, known_map in maps.items()}
            found |= {name: alike[wanted], f"{name} margin": alike[wanted] - max(_others(alike, wanted))}
        return found


def _others(values: dict[str, float], own: str) -> list[float]:
    return [value for known, value in values.items() if known != own]
