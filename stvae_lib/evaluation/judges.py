"""Judges that neither a copy of the photograph nor one of the style can please: is a picture's own style, and its own content,
the nearest among many? And has the photograph's structure been kept?

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
MEASURES = {"style": False, "strokes": False, "kept": True}  # measure -> whether a larger value is better; each has its margin
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
        self.contents = {content: self._map(self.colour.features(picture)) for content, picture in contents.items()}

    def _statistics(self, picture: torch.Tensor) -> dict:
        """Style statistics in colour ("style") and in grey ("strokes")."""
        return {"style": self.colour.statistics(self.colour.features(picture)),
                "strokes": self.grey.statistics(self.grey.features(drawn(picture)))}

    def _map(self, features: dict) -> dict:
        return {self.colour.content_layer: features[self.colour.content_layer]}

    @torch.no_grad()
    def __call__(self, picture: torch.Tensor, content: str, style: str) -> dict[str, float]:
        """What is said of a picture `(1, 3, side, side)` made of a known content in a known style.

        style, strokes: distance to the own style, in colour and in grey; kept: correlation of the content layer's pattern of
        places with the own content's. Each with a margin, above 0 where no other is nearer: log of the nearest other style's
        distance over the own one's; kept correlation less the best other content's.
        """
        own = self._statistics(picture)
        found = {}
        for name, distances in (("style", self.colour), ("strokes", self.grey)):
            away = {known: max(float(distances.style(own[name], known_style[name])), NEAREST)
                    for known, known_style in self.styles.items()}
            nearest = min(value for known, value in away.items() if known != style)
            found |= {name: away[style], f"{name} margin": math.log(nearest / away[style])}
        features = self.colour.features(picture)
        kept = {known: 1 - float(self.colour.structure(features, known_map)) for known, known_map in self.contents.items()}
        best = max(value for known, value in kept.items() if known != content)
        return found | {"kept": kept[content], "kept margin": kept[content] - best}
