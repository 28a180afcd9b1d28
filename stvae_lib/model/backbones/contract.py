"""What an encoder, its decoder and their entry in the registry promise. Callers rely on this and probe for nothing."""

from collections.abc import Iterable
from itertools import pairwise
from typing import Protocol, runtime_checkable

import torch
import torch.nn.functional as F
from torch import nn

from ...errors import InputError
from .components import PrincipalComponents
from .modulation import Modulation


@runtime_checkable
class Encoder(Protocol):
    """Image `(N, 3, H, W)` in [0, 1], H and W multiples of `stride`, to features by layer.

    last: the deepest layer; channels: its width; widths: every layer's. style_layers: those whose statistics make a style,
    the last one deepest. skip: an earlier layer that the decoder is given too, or None; fold: its places per place of `last`,
    along one side. adapter: a convolution at the end that is no part of what was pretrained, or None. components: what
    brings the last layer's features to another number of channels at the very end, or None.
    """

    last: str
    channels: int
    widths: dict[str, int]
    style_layers: tuple[str, ...]
    stride: int
    skip: str | None
    fold: int
    adapter: nn.Module | None
    components: nn.Module | None

    def features(self, image: torch.Tensor, names: Iterable[str]) -> dict[str, torch.Tensor]:
        """Features of the layers in `names`, `(N, widths[name], h, w)` each."""

    @property
    def bottleneck_layers(self) -> set[str]:
        """Layers whose features the decoder is given."""

    def bottleneck(self, found: dict[str, torch.Tensor]) -> torch.Tensor:
        """What the decoder is given of `features`' result, as one tensor."""

    def calibrate(self, images: torch.Tensor) -> None:
        """Measure on training pictures whatever the encoder scales its activations by."""

    def start_like(self, images: torch.Tensor, target: dict[str, torch.Tensor]) -> None:
        """Random weights that give every layer its target's scale on `images`, where the architecture needs such a start."""


@runtime_checkable
class Decoder(Protocol):
    """Features `(N, C, h, w)` to an unclamped image `(N, 3, stride·h, stride·w)`. hidden_widths: channels of the hidden
    layers, to each of which `modulation` is applied before its ReLU. layer: see `DecoderBase`."""

    hidden_widths: list[int]

    def calibrate(self, features: torch.Tensor) -> None:
        """Measure on the features of training pictures whatever the decoder scales them by."""

    def layer(self, index: int, features: torch.Tensor, modulation: Modulation | None = None,
              known: tuple[int, torch.Tensor] | None = None) -> torch.Tensor:
        """Hidden layer `index` before its modulation, gone on to from a `known` one."""

    def __call__(self, features: torch.Tensor, modulation: Modulation | None = None) -> torch.Tensor: ...


@runtime_checkable
class Backbone(Protocol):
    """An entry of `BACKBONES`. all_stages: options that give the whole network. pretrained_width: the width at which there
    are published weights."""

    all_stages: dict
    pretrained_width: str

    def build(self, width: str, decoder_parameters: int | None = None, **options) -> tuple[Encoder, Decoder]:
        """Encoder and decoder, randomly initialised: mirrored, or a `PlainDecoder` of so many parameters."""

    def student(self, width: str, **options) -> Encoder:
        """An encoder to be distilled, with all its stages."""

    def pretrained(self, source: str | None = None, **options) -> Encoder:
        """Encoder with published weights; InputError where they are out of reach."""


class EncoderBase(nn.Module):
    """The parts of `Encoder` that most encoders share: no skip unless one is set, no adapter, nothing to measure but the
    components that are asked for."""

    def __init__(self):
        super().__init__()  # no class attributes: they would hide a module of that name
        self.skip, self.fold, self.adapter, self.components = None, 0, None, None

    def keep_components(self, count: int | None) -> None:
        """Give the last layer `count` channels, by principal components; its own where None."""
        if count is not None:
            self.components = PrincipalComponents(self.widths[self.last], count)
            self.widths[self.last] = count
        self.channels = self.widths[self.last]

    def reduced(self, found: dict[str, torch.Tensor]) -> dict[str, torch.Tensor]:
        """Features by layer, the last one's through the components."""
        if self.components is None or self.last not in found:
            return found
        return found | {self.last: self.components(found[self.last])}

    @property
    def bottleneck_layers(self) -> set[str]:
        return {self.last, self.skip} - {None}

    def bottleneck(self, found: dict[str, torch.Tensor]) -> torch.Tensor:
        """The last layer's features, with a skip's folded to their stride below (`pixel_unshuffle`), so that both stay one
        tensor that can be mixed: `(N, channels + fold²·widths[skip], h, w)`."""
        if self.skip is None:
            return found[self.last]
        return torch.cat([found[self.last], F.pixel_unshuffle(found[self.skip], self.fold)], dim=1)

    def forward(self, image: torch.Tensor) -> torch.Tensor:
        return self.bottleneck(self.features(image, self.bottleneck_layers))

    @torch.no_grad()
    def calibrate(self, images: torch.Tensor) -> None:
        """Measure the components on training pictures `(N, 3, H, W)`."""
        components, self.components = self.components, None
        if components is not None:
            components.measure(self.features(images, [self.last])[self.last])
        self.components = components

    def start_like(self, images: torch.Tensor, target: dict[str, torch.Tensor]) -> None:
        return


UPSAMPLE = "upsample"


class DecoderBase(nn.Module):
    """A decoder as a chain of layers, with a modulation and a ReLU between any two, that takes features as they come.

    steps: its layers' modules by name, in their order, with UPSAMPLE (nearest neighbours) between some; the last one makes the
    picture.
    """

    def __init__(self, steps: list[str]):
        super().__init__()
        self.chain = [(name, before == UPSAMPLE) for before, name in pairwise(["", *steps]) if name != UPSAMPLE]

    def calibrate(self, features: torch.Tensor) -> None:
        return

    def forward(self, features: torch.Tensor, modulation: Modulation | None = None) -> torch.Tensor:
        return self.layer(len(self.hidden_widths), features, modulation)

    def layer(self, index: int, features: torch.Tensor, modulation: Modulation | None = None,
              known: tuple[int, torch.Tensor] | None = None) -> torch.Tensor:
        """Hidden layer `index`, `(N, hidden_widths[index], H, W)`, before its modulation and ReLU; behind the last one lies the
        picture. known: another layer before it, its index and what this method gave for it, to go on from."""
        begun, hidden = known or (0, self.step(0, self.entered(features), features))
        for following in range(begun + 1, index + 1):
            if modulation is not None:
                hidden = modulation(hidden, following - 1)
            hidden = self.step(following, F.relu(hidden), features)
        return hidden

    def entered(self, features: torch.Tensor) -> torch.Tensor:
        """What the first layer is given of the features."""
        return features

    def step(self, index: int, hidden: torch.Tensor, features: torch.Tensor) -> torch.Tensor:
        """Layer `index` of what came out of the one before it."""
        name, upsampled = self.chain[index]
        return self.get_submodule(name)(F.interpolate(hidden, scale_factor=2) if upsampled else hidden)


def check_mirror(components: int | None) -> None:
    """InputError where a mirrored decoder is asked for of features that its encoder does not have."""
    if components is not None:
        raise InputError(f"components {components}", "have no mirrored decoder", "give decoder_parameters too")
