import json
import os

import pytest
import torch

from stvae_lib import weights
from stvae_lib._torchvision import torchvision_models
from stvae_lib.model.stvae import AutoEncoder
from stvae_lib.pictures import images, styles
from stvae_lib.pictures.datasets import is_held_out
from stvae_lib.training import experiment

torchvision_models()  # tests import torchvision by themselves


@pytest.fixture(autouse=True, scope="session")
def _few_threads():
    torch.set_num_threads(int(os.environ.get("OMP_NUM_THREADS", 2)))


@pytest.fixture(autouse=True)
def _own_seed():
    """What a test draws does not depend on which ran before it."""
    torch.manual_seed(0)


@pytest.fixture(autouse=True)
def _own_cache(tmp_path_factory, monkeypatch):
    monkeypatch.setenv("STVAE_CACHE", str(tmp_path_factory.getbasetemp() / "cache"))


def _write_pictures(folder, kinds):
    folder.mkdir()
    held_out = 0
    for index in range(40):
        name = f"picture_{index}.png"
        if is_held_out(name) and (held_out := held_out + 1) > 2 or not is_held_out(name) and index > 16:
            continue
        images.save_image(styles.generate(kinds[index % len(kinds)], 64, index), folder / name)
    return folder


@pytest.fixture(scope="session")
def pictures(tmp_path_factory):
    """Two small folders of pictures, some of them held out by name: (content_dir, style_dir)."""
    root = tmp_path_factory.mktemp("pictures")
    return (_write_pictures(root / "content", ["brush_strokes", "marbling"]),
            _write_pictures(root / "style", ["stained_glass", "woodcut", "cubist"]))


@pytest.fixture(scope="session")
def base(tmp_path_factory):
    """An untrained slim autoencoder as a weights file."""
    torch.manual_seed(0)
    architecture = {"backbone": "vgg19", "width": "slim", "variant": None, "options": {}}
    path = tmp_path_factory.mktemp("base") / "base.safetensors"
    model = weights.build(architecture)
    assert type(model) is AutoEncoder
    weights.write_model(model, path, architecture, {"validation": {}})
    return path


@pytest.fixture
def make_config(tmp_path, base):
    """Write a short training config; returns its path. Keywords override schedule entries and options."""

    def make(recipe="vlt", options=None, **schedule):
        raw = {"name": "tiny", "recipe": recipe, "base": None if recipe == "encoder" else str(base),
               "schedule": {"steps": 6, "batch": 4, "crop": 32, "log_every": 1, "checkpoint_every": 2,
                            "validate_every": 6, "precision": "fp32"} | schedule}
        if recipe != "encoder":
            raw["options"] = options or {}
        path = tmp_path / "config.json"
        path.write_text(json.dumps(raw))
        return path

    return make


@pytest.fixture
def sources(pictures):
    return experiment.Sources(pictures[0], [pictures[1]])


@pytest.fixture
def offline_hub(tmp_path, monkeypatch):
    """torch.hub without network and with an empty cache folder, which it returns."""
    monkeypatch.setenv("TORCH_HOME", str(tmp_path))

    def offline(*args, **kwargs):
        raise OSError("no network")

    monkeypatch.setattr("torch.hub.download_url_to_file", offline)
    return tmp_path
