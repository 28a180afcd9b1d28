"""VGG-16 and VGG-19 encoders with mirrored decoders, at full and at slim width.

The same class is the image encoder (to relu4_1), the loss network (to relu5_1), the distilled teacher
and the authors' released encoder: they differ in widths, in the fixed colour layer and in weights.
"""

from pathlib import Path

import torch
import torch.nn.functional as F
from torch import nn

from ...errors import InputError
from .modulation import modulate

CONVS_PER_BLOCK = {16: (2, 2, 3, 3, 3), 19: (2, 2, 4, 4, 4)}
WIDTHS = {"full": (64, 128, 256, 512, 512), "slim": (16, 32, 64, 128, 128)}
IMAGENET_MEAN, IMAGENET_STD = (0.485, 0.456, 0.406), (0.229, 0.224, 0.225)


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


class VGG(nn.Module):
    """VGG feature extractor: image `(N, 3, H, W)` in [0, 1] to relu features.

    depth: 16 or 19. width: "slim" (a quarter of the channels) or "full". last: name of the last layer.
    padding: "reflect" as in the paper's autoencoder, "zeros" as in ImageNet training.
    The colour layer is a fixed 1x1 convolution, ImageNet normalisation unless a checkpoint brings its own.
    Output: `(N, channels, H/stride, W/stride)`.
    """

    def __init__(self, depth: int = 19, width: str = "slim", last: str = "relu4_1", padding: str = "reflect"):
        super().__init__()
        self.layers, self.last = conv_names(depth, last), last
        self.colour = nn.Conv2d(3, 3, 1)
        self.colour.weight.data = torch.diag(1 / torch.tensor(IMAGENET_STD))[:, :, None, None]
        self.colour.bias.data = -torch.tensor(IMAGENET_MEAN) / torch.tensor(IMAGENET_STD)
        self.colour.requires_grad_(False)
        channels = 3
        for name in self.layers:
            if name != "pool":
                width_out = WIDTHS[width][int(name[4]) - 1]
                conv = nn.Conv2d(channels, width_out, 3, padding=1, padding_mode=padding)
                self.add_module(name, conv)
                channels = width_out
        self.channels = channels
        self.widths = {name.replace("conv", "relu"): WIDTHS[width][int(name[4]) - 1]
                       for name in self.layers if name != "pool"}
        self.style_layers = tuple(name for name in self.widths if name.endswith("_1"))
        self.stride = 2 ** self.layers.count("pool")

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
                    return found
        raise ValueError(f"no such layers: {sorted(wanted - set(found))}")

    def forward(self, image: torch.Tensor) -> torch.Tensor:
        return self.features(image, [self.last])[self.last]

    @torch.no_grad()
    def layer_sequential_start(self, images: torch.Tensor, target: dict[str, torch.Tensor]) -> None:
        """Random weights, layer by layer so that each has the target features' scale on `images`
        (after LSUV, Mishkin & Matas 2016)."""
        for relu in self.widths:
            conv = getattr(self, relu.replace("relu", "conv"))
            nn.init.kaiming_normal_(conv.weight)
            nn.init.zeros_(conv.bias)
            found = self.features(images, [relu])[relu]
            conv.weight *= (target[relu].square().mean() / found.square().mean().clamp_min(1e-8)).sqrt()


class VGGDecoder(nn.Module):
    """Mirror of the encoder: features `(N, channels, h, w)` to image `(N, 3, stride·h, stride·w)`, unclamped.

    Pooling becomes nearest-neighbour upsampling (paper, figure 1). `modulation` holds one pair (gamma, beta) per
    hidden layer, applied before its ReLU (`modulate`).
    """

    def __init__(self, depth: int = 19, width: str = "slim", last: str = "relu4_1"):
        super().__init__()
        names = conv_names(depth, last)
        self.layers = ["upsample" if name == "pool" else name for name in reversed(names)]
        encoder_convs = [name for name in names if name != "pool"]
        widths = [3] + [WIDTHS[width][int(name[4]) - 1] for name in encoder_convs]
        for index, name in enumerate(encoder_convs):
            conv = nn.Conv2d(widths[index + 1], widths[index], 3, padding=1, padding_mode="reflect")
            self.add_module(name, conv)
        self.hidden_widths = widths[-2:0:-1]

    def forward(self, features: torch.Tensor, modulation=None) -> torch.Tensor:
        hidden, index = features, 0
        for layer in self.layers:
            if layer == "upsample":
                hidden = F.interpolate(hidden, scale_factor=2)
                continue
            hidden = getattr(self, layer)(hidden)
            if index == len(self.hidden_widths):
                return hidden
            if modulation is not None:
                hidden = modulate(hidden, *modulation[index])
            hidden, index = F.relu(hidden), index + 1
        raise AssertionError("a decoder ends in conv1_1")


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
    """A VGG of one depth for the registry."""

    all_stages = {"last": "relu5_1"}

    def __init__(self, depth: int):
        self.depth = depth
        self.teacher_layers = {name.replace("conv", "relu"): name.replace("conv", "relu")
                               for name in conv_names(depth, "relu5_1") if name != "pool"}

    def student(self, width: str) -> VGG:
        """An encoder to be distilled, to relu5_1."""
        return VGG(self.depth, width, **self.all_stages)

    def build(self, width: str) -> tuple[VGG, VGGDecoder]:
        """Encoder to relu4_1 and its mirrored decoder, randomly initialised."""
        return VGG(self.depth, width), VGGDecoder(self.depth, width)

    def pretrained(self, source: str | None = None, last: str = "relu4_1") -> VGG:
        """Full-width encoder with torchvision's ImageNet weights (downloaded once, or read from its cache).

        source: "IMAGENET1K_V1", the default and the only ones there are.
        Raises InputError naming the weights, the cache folder and the slim alternative when out of reach.
        """
        import torchvision.models as models

        name = f"VGG{self.depth}_Weights"
        if source not in (None, "IMAGENET1K_V1"):
            raise InputError(f"{name}.{source}", "does not exist", "use IMAGENET1K_V1")
        weights = getattr(models, name).IMAGENET1K_V1
        encoder = VGG(self.depth, "full", last)
        state = fetch_torchvision(weights, f"{name}.IMAGENET1K_V1", f"vgg{self.depth}-slim")
        encoder.load_state_dict(from_torchvision(state, self.depth, last), strict=False)
        return encoder


def fetch_torchvision(weights, name: str, alternative: str) -> dict:
    """A torchvision weight enum's state dict, from the hub's cache folder or the network."""
    folder = Path(torch.hub.get_dir()) / "checkpoints"
    try:
        return weights.get_state_dict(progress=False, check_hash=True, weights_only=True)
    except (OSError, RuntimeError) as error:
        raise InputError(f"torchvision {name}", f"cannot be had ({type(error).__name__})",
                         f"connect to the network once, put {Path(weights.url).name} into {folder}, "
                         f"or use {alternative}") from error


VGG16, VGG19 = VGGBackbone(16), VGGBackbone(19)
