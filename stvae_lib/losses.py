"""Distances between pictures in the features of a fixed loss network. Each is a small function.

`sigma2[l]` is layer l's spatial feature variance and `gram2[l]` its squared Gram norm, both averaged over
reference photographs and paintings: dividing by them makes one set of weights fit every layer and network.
"""

import torch
import torch.nn.functional as F
from torch import nn

from .pictures.edges import luminance
from .statistics import deviations, gram, moments

STYLE_LAYERS = ("relu1_1", "relu2_1", "relu3_1", "relu4_1")
CONTENT_LAYER = "relu4_1"


def kl_divergence(mu: torch.Tensor, log_sigma: torch.Tensor) -> torch.Tensor:
    """KL(N(mu, sigma²) ‖ N(0, 1)) in nats, mean over images and latent dimensions (scalar)."""
    return 0.5 * (mu**2 + (2 * log_sigma).exp() - 1 - 2 * log_sigma).mean()


def out_of_range(image: torch.Tensor) -> torch.Tensor:
    """Mean squared distance of pixel values from [0, 1]."""
    return (image - image.clamp(0, 1)).square().mean()


def drawing(image: torch.Tensor) -> torch.Tensor:
    """What is left of pictures `(N, 3, H, W)` without their colours: luminance with mean 1/2 and deviation 0.2, in three equal
    channels, not clamped."""
    grey = luminance(image)
    deviation = grey.std((1, 2, 3), keepdim=True).clamp_min(1e-2)
    return (0.5 + 0.2 * (grey - grey.mean((1, 2, 3), keepdim=True)) / deviation).expand(-1, 3, -1, -1)


class FeatureDistances(nn.Module):
    """Style, Gram, content and perceptual distance by a frozen loss network.

    network: anything with `.features(image, names) -> dict` (a VGG). layers: whose statistics make a style; content_layer: the
    one of them that is compared place by place. Distances are 0 for equal pictures and about 1 for a picture that misses
    everything of one layer.
    """

    def __init__(self, network: nn.Module, layers=STYLE_LAYERS, content_layer: str = CONTENT_LAYER):
        super().__init__()
        self.network, self.layers, self.content_layer = network.eval().requires_grad_(False), layers, content_layer
        self.register_buffer("sigma2", torch.ones(len(layers)))
        self.register_buffer("gram2", torch.ones(len(layers)))

    @torch.no_grad()
    def calibrate(self, images: list[torch.Tensor]) -> "FeatureDistances":
        """Measure `sigma2` and `gram2` on reference pictures, each `(n, 3, H, W)`."""
        rows = [self.features(image) for image in images]
        for index, layer in enumerate(self.layers):
            self.sigma2[index] = torch.stack([row[layer].flatten(2).var(2).mean() for row in rows]).mean()
            self.gram2[index] = torch.stack([gram(row[layer]).square().sum((1, 2)).mean() for row in rows]).mean()
        return self

    def features(self, image: torch.Tensor) -> dict[str, torch.Tensor]:
        """Features at `layers`, in float32 whatever precision the network ran in."""
        found = self.network.features(image, self.layers)
        return {layer: feature.float() for layer, feature in found.items()}

    def statistics(self, features: dict) -> dict[str, tuple[torch.Tensor, ...]]:
        """Per layer: channel means `(N, C)`, deviations `(N, C)` and Gram matrix `(N, C, C)` of `features`' result."""
        rows = {}
        for layer, value in features.items():
            mean, matrix = value.mean((2, 3)), gram(value)
            mean_square = matrix.diagonal(dim1=1, dim2=2)
            rows[layer] = mean, deviations(mean, mean_square, value.shape[2] * value.shape[3]), matrix
        return rows

    def style(self, output: dict, style: dict) -> torch.Tensor:
        """Sum over layers of squared errors of channel means and deviations, per image `(N,)`, from `statistics`."""
        return self.style_by_layer(output, style).sum(1)

    def style_by_layer(self, output: dict, style: dict) -> torch.Tensor:
        """The terms of that sum, `(N, layers)`."""
        terms = []
        for index, layer in enumerate(self.layers):
            (mean, deviation, _), (mean_s, deviation_s, _) = output[layer], style[layer]
            error = (mean - mean_s).square().mean(1) + (deviation - deviation_s).square().mean(1)
            terms.append(error / self.sigma2[index])
        return torch.stack(terms, dim=1)

    def gram(self, output: dict, style: dict) -> torch.Tensor:
        """Sum over layers of ‖G − G*‖² / mean‖G*‖², per image `(N,)`, from `statistics`."""
        return sum((output[layer][2] - style[layer][2]).square().sum((1, 2)) / self.gram2[index]
                   for index, layer in enumerate(self.layers))

    def between(self, output: torch.Tensor, content: torch.Tensor, style: torch.Tensor) -> dict[str, torch.Tensor]:
        """Content, style and Gram distance of output images to their content and style images, each `(N,)`."""
        return self.between_features(*(self.features(image) for image in (output, content, style)))

    def between_features(self, output: dict, content: dict, style: dict) -> dict[str, torch.Tensor]:
        """The same from `features`' results."""
        statistics, target = self.statistics(output), self.statistics(style)
        return {"content": self.content(output, content), "style": self.style(statistics, target),
                "gram": self.gram(statistics, target)}

    def content(self, output: dict, content: dict) -> torch.Tensor:
        """Squared error of the content layer over its variance, per image `(N,)`."""
        variance = self.sigma2[self.layers.index(self.content_layer)]
        return (output[self.content_layer] - content[self.content_layer]).square().mean((1, 2, 3)) / variance

    def structure(self, output: dict, content: dict) -> torch.Tensor:
        """1 - correlation of the content layer's pattern of places with the content's, per image `(N,)`: 0 where it is kept
        up to one factor and one offset per channel, about 1 for unrelated pictures."""
        maps = [features[self.content_layer] for features in (output, content)]
        first, second = ((value - value.mean((2, 3), keepdim=True)).flatten(1) for value in maps)
        return 1 - F.cosine_similarity(first, second, dim=1)

    def perceptual(self, output: dict, target: dict) -> torch.Tensor:
        """Mean over layers of the variance-normalised squared feature error, per image `(N,)`."""
        return torch.stack([(output[layer] - target[layer]).square().mean((1, 2, 3)) / self.sigma2[index]
                            for index, layer in enumerate(self.layers)]).mean(0)


def pixel(output: torch.Tensor, target: torch.Tensor) -> torch.Tensor:
    """Mean squared error of pixels (scalar)."""
    return F.mse_loss(output, target)


PIXEL_VARIANCE = 0.06  # of photographs and paintings, about: what palettes are measured in


def palette(output: torch.Tensor, style: torch.Tensor) -> torch.Tensor:
    """Squared errors of means and deviations of lightness, red-green and blue-yellow over the pixels' variance, per image
    `(N,)`. The deep features of a network hardly tell a grey picture from a tinted one; this does."""
    def opponent(image):
        red, green, blue = image.unbind(1)
        return torch.stack([(red + green + blue) / 3, red - green, blue - (red + green) / 2], dim=1)

    pairs = zip(moments(opponent(output)), moments(opponent(style)))
    return sum((found - wanted).square().mean(1) for found, wanted in pairs) / PIXEL_VARIANCE
