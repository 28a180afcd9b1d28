"""VGG-16 and VGG-19 encoders with mirrored decoders, at full and at slim width.

The same class is the image encoder (to relu4_1), the loss network (to relu5_1), the distilled teacher
and the authors' released encoder: they differ in widths, in the fixed colour layer and in weights.
"""

import sys
from contextlib import redirect_stdout
from pathlib import Path

import scipy.linalg
import torch
import torch.nn.functional as F
from torch import nn

from ..._torchvision import torchvision_models
from ...errors import InputError
from ...statistics import least_squares, sampled_rows
from ..published import fetch
from ..storage import load_tensors
from .contract import UPSAMPLE, DecoderBase, EncoderBase, check_mirror
from .plain import PlainDecoder

CONVS_PER_BLOCK = {16: (2, 2, 3, 3, 3), 19: (2, 2, 4, 4, 4)}
WIDTHS = {"full": (64, 128, 256, 512, 512), "half": (32, 64, 128, 256, 256), "slim": (16, 32, 64, 128, 128)}
CAFFE_MEAN = (122.67892, 116.66877, 104.00699)  # red, green, blue: what the published VGG-16 subtracts
IMAGENET_MEAN, IMAGENET_STD = (0.485, 0.456, 0.406), (0.229, 0.224, 0.225)


def stride_of(layer: str) -> int:
    """Pixels between neighbouring features of a layer: 1 for relu1_…, 2 for relu2_…, 4, 8, 16."""
    return 2 ** (int(layer[4]) - 1)


def conv_names(depth: int, last: str) -> list[str]:
    """Layer names in order, `"pool"` between blocks: conv1_1, conv1_2, pool, conv2_1, …, up to `last`."""
    names = []
    for block, count in enumerate(CONVS_PER_BLOCK[depth], start=1):
        for index in range(1, count + 1):
            names.append(f"conv{block}_{index}")
            if names[-1] == last.replace("relu", "conv"):
                return names
        names.append("pool")
    raise ValueError(f"{last} is no layer of VGG-{depth}")


class VGG(EncoderBase):
    """VGG feature extractor: image `(N, 3, H, W)` in [0, 1] to relu features.

    depth: 16 or 19. width: "slim" (a quarter of the channels), "half" or "full". last: name of the last layer.
    padding: "reflect" as in the paper's autoencoder, "zeros" as in ImageNet training.
    skip: an earlier layer that the decoder is given too, beside the last one (None: as in the paper).
    components: channels that the last layer's features are brought to (`PrincipalComponents`; None: their own).
    The colour layer is a fixed 1x1 convolution, ImageNet normalisation unless a checkpoint brings its own.
    Output: `(N, channels, H/stride, W/stride)`.
    """

    def __init__(self, depth: int = 19, width: str = "slim", last: str = "relu4_1", padding: str = "reflect",
                 skip: str | None = None, components: int | None = None):
        super().__init__()
        self.layers, self.last, self.skip = conv_names(depth, last), last, skip
        if skip is not None and skip.replace("relu", "conv") not in self.layers[:-1]:
            raise ValueError(f"skip {skip!r} is no layer before {last}")
        self.colour = nn.Conv2d(3, 3, 1)
        scales = [1 / deviation for deviation in IMAGENET_STD]  # plain numbers: arithmetic of meta tensors loads all of Dynamo
        diagonal = [[scale * (row == column) for column in range(3)] for row, scale in enumerate(scales)]
        self.colour.weight.data = torch.tensor(diagonal)[:, :, None, None]
        self.colour.bias.data = torch.tensor([-mean * scale for mean, scale in zip(IMAGENET_MEAN, scales)])
        self.colour.requires_grad_(False)
        channels = 3
        for name in self.layers:
            if name != "pool":
                width_out = WIDTHS[width][int(name[4]) - 1]
                conv = nn.Conv2d(channels, width_out, 3, padding=1, padding_mode=padding)
                self.add_module(name, conv)
                channels = width_out
        self.widths = {name.replace("conv", "relu"): WIDTHS[width][int(name[4]) - 1]
                       for name in self.layers if name != "pool"}
        self.keep_components(components)
        self.style_layers = tuple(name for name in self.widths if name.endswith("_1"))
        self.stride = 2 ** self.layers.count("pool")
        self.fold = self.stride // stride_of(skip) if skip else 0

    def features(self, image: torch.Tensor, names, pooling: str = "max") -> dict[str, torch.Tensor]:
        """Features after the ReLU of each layer in `names` (relu1_1, …), stopping at the deepest.

        pooling: "max", or "average" as Gatys et al. 2016 prefer when a picture is optimised through the network.
        """
        pool = F.max_pool2d if pooling == "max" else F.avg_pool2d
        wanted, found = set(names), {}
        hidden = self.colour(image)
        for layer in self.layers:
            if layer == "pool":
                hidden = pool(hidden, 2)
                continue
            hidden = F.relu(getattr(self, layer)(hidden))
            relu = layer.replace("conv", "relu")
            if relu in wanted:
                found[relu] = hidden
                if len(found) == len(wanted):
                    return self.reduced(found)
        raise ValueError(f"no such layers: {sorted(wanted - set(found))}")

    @torch.no_grad()
    def start_like(self, images: torch.Tensor, target: dict[str, torch.Tensor]) -> None:
        """Random weights, layer by layer so that each has the target features' scale on `images`, 1 where there is no target
        (after LSUV, Mishkin & Matas 2016)."""
        for relu in self.widths:
            conv = getattr(self, relu.replace("relu", "conv"))
            nn.init.kaiming_normal_(conv.weight)
            nn.init.zeros_(conv.bias)
            found = self.features(images, [relu])[relu]
            wanted = target[relu].square().mean() if relu in target else torch.tensor(1.0)
            conv.weight *= (wanted / found.square().mean().clamp_min(1e-8)).sqrt()


    @torch.no_grad()
    def pruned_start(self, teacher: "VGG", images: torch.Tensor):
        """Start as a part of a wider VGG of the same depth, from its features of `images` `(n, 3, H, W)`: of every layer,
        the channels that span the others best (pivoted QR, Businger & Golub 1965), their kernels re-fitted to the
        channels kept before by least squares (after ThiNet, Luo et al. 2017), each layer scaled to unit deviation."""
        self.colour.load_state_dict(teacher.colour.state_dict())
        wanted = teacher.features(images, list(self.widths))
        hidden, readout, offset = None, torch.eye(3), torch.zeros(3)
        for relu, width in self.widths.items():
            name = relu.replace("relu", "conv")
            source, own = getattr(teacher, name), getattr(self, name)
            target = sampled_rows(wanted[relu])
            order = scipy.linalg.qr((target - target.mean(0)).numpy(), mode="r", pivoting=True)[1][:width]
            chosen = torch.from_numpy(order.astype("int64"))
            own.weight.copy_(torch.einsum("oihw,ij->ojhw", source.weight[chosen], readout))
            own.bias.copy_(source.bias[chosen] + source.weight[chosen].sum((2, 3)) @ offset)
            scale = self.features(images, [relu])[relu].std()
            own.weight /= scale
            own.bias /= scale
            hidden = sampled_rows(self.features(images, [relu])[relu])
            readout, offset = least_squares(hidden, target)


class VGGDecoder(DecoderBase):
    """Mirror of the encoder: features `(N, channels, h, w)` to image `(N, 3, stride·h, stride·w)`, unclamped.

    Pooling becomes nearest-neighbour upsampling (paper, figure 1). `modulation` is applied to the hidden layers, before the
    ReLU. skip: the encoder's, whose folded features follow the last
    layer's in the same tensor.
    """

    def __init__(self, depth: int = 19, width: str = "slim", last: str = "relu4_1", skip: str | None = None):
        names = conv_names(depth, last)
        super().__init__([UPSAMPLE if name == "pool" else name for name in reversed(names)])
        encoder_convs = [name for name in names if name != "pool"]
        widths = [3] + [WIDTHS[width][int(name[4]) - 1] for name in encoder_convs]
        for index, name in enumerate(encoder_convs):
            conv = nn.Conv2d(widths[index + 1], widths[index], 3, padding=1, padding_mode="reflect")
            self.add_module(name, conv)
        self.hidden_widths = widths[-2:0:-1]
        self.channels, self.joins, self.fold = widths[-1], None, 0
        if skip:  # its features join at the first convolution of their own stride
            self.joins = [name for name in encoder_convs if stride_of(name) == stride_of(skip)][-1]
            self.fold = stride_of(last) // stride_of(skip)
            inputs, outputs = (WIDTHS[width][int(name[4]) - 1] for name in (skip, self.joins))
            self.from_skip = nn.Conv2d(inputs, outputs, 3, padding=1, padding_mode="reflect", bias=False)

    def entered(self, features: torch.Tensor) -> torch.Tensor:
        return features[:, :self.channels]

    def step(self, index: int, hidden: torch.Tensor, features: torch.Tensor) -> torch.Tensor:
        hidden = super().step(index, hidden, features)
        if self.chain[index][0] != self.joins:
            return hidden
        return hidden + self.from_skip(F.pixel_shuffle(features[:, self.channels:], self.fold))


def from_torchvision(state: dict, depth: int, last: str) -> dict:
    """torchvision's `features.N.weight` keys renamed to this module's layer names, up to `last`."""
    renamed, position = {}, 0
    for name in conv_names(depth, last):
        if name == "pool":
            position += 1
            continue
        for kind in ("weight", "bias"):
            renamed[f"{name}.{kind}"] = state[f"features.{position}.{kind}"]
        position += 2  # the convolution and its ReLU
    return renamed


class VGGBackbone:
    """A VGG of one depth for the registry. published: name of the published network at full width (None: torchvision's)."""

    all_stages, pretrained_width = {"last": "relu5_1"}, "full"

    def __init__(self, depth: int, published: str | None = None):
        self.depth, self.published = depth, published

    def student(self, width: str, **options) -> VGG:
        """An encoder to be distilled, to relu5_1: an autoencoder's options are not its own."""
        return VGG(self.depth, width, **self.all_stages)

    def build(self, width: str, decoder_parameters: int | None = None, last: str = "relu4_1", skip: str | None = None,
              components: int | None = None) -> tuple[VGG, DecoderBase]:
        """Encoder to `last` and its decoder, randomly initialised: mirrored, or plain with so many parameters."""
        encoder = VGG(self.depth, width, last, skip=skip, components=components)
        if decoder_parameters is None:
            check_mirror(components)
            return encoder, VGGDecoder(self.depth, width, last, skip=skip)
        return encoder, PlainDecoder.of(encoder, decoder_parameters)

    def pretrained(self, source: str | None = None, last: str = "relu4_1", skip: str | None = None,
                   components: int | None = None) -> VGG:
        """Full-width encoder with published weights (fetched once).

        source: "IMAGENET1K_V1" for torchvision's; None for this backbone's own default.
        Raises InputError naming the weights, the cache folder and the slim alternative when out of reach.
        """
        if source is None and self.published is not None:
            return published_vgg(self.depth, self.published, last, skip=skip, components=components)
        name = f"VGG{self.depth}_Weights"
        if source not in (None, "IMAGENET1K_V1"):
            raise InputError(f"{name}.{source}", "does not exist", "use IMAGENET1K_V1")
        weights = getattr(torchvision_models(), name).IMAGENET1K_V1
        encoder = VGG(self.depth, "full", last, skip=skip, components=components)
        state = fetch_torchvision(weights, f"{name}.IMAGENET1K_V1", "vgg19-slim")
        encoder.load_state_dict(from_torchvision(state, self.depth, last), strict=False)
        return encoder


def published_vgg(depth: int, name: str, last: str, **options) -> VGG:
    """A VGG of the package index, with the colours it was trained with: blue, green, red from 0 to 255, minus a mean."""
    network = VGG(depth, "full", last, padding="zeros", **options)
    network.colour.weight.data = 255.0 * torch.eye(3).flip(0)[:, :, None, None]
    network.colour.bias.data = -torch.tensor(CAFFE_MEAN).flip(0)
    tensors = load_tensors(fetch(name))
    network.load_state_dict({key: tensors.get(key, value).float() for key, value in network.state_dict().items()})
    return network


def fetch_torchvision(weights, name: str, alternative: str) -> dict:
    """A torchvision weight enum's state dict, from the hub's cache folder or the network."""
    folder = Path(torch.hub.get_dir()) / "checkpoints"
    try:
        with redirect_stdout(sys.stderr):  # where the hub says that it downloads
            return weights.get_state_dict(progress=False, check_hash=True, weights_only=True)
    except (OSError, RuntimeError) as error:
        raise InputError(f"torchvision {name}", f"cannot be had ({type(error).__name__})",
                         f"connect to the network once, put {Path(weights.url).name} into {folder}, "
                         f"or use {alternative}") from error


VGG16, VGG16_IMAGENET, VGG19 = VGGBackbone(16, "vgg16"), VGGBackbone(16), VGGBackbone(19)
