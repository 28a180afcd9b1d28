"""`params/full.yaml` end to end: models of full width, trained for two steps on torchvision's layout, in every notebook that
takes one. Weights are random; what is tested is that nothing is tied to slim scale."""

import json
from pathlib import Path

import pytest
import torch
import torchvision
import yaml
from common import ROOT

from stvae_lib.report import execute
from stvae_lib.report.parameters import check_names
from stvae_lib.training import experiment
from stvae_lib.training.transform import VLTTraining

SMALLEST = {"device": "cpu", "size": 64, "live_steps": 2, "inversion_steps": 1, "draws": 4}
SCHEDULE = {"steps": 2, "batch": 4, "crop": 32, "log_every": 1, "checkpoint_every": 2, "validate_every": 2, "precision": "fp32"}
TRANSFORM = {"matrix_size": 8, "latent": 8}


def write_published(folder: Path) -> None:
    """Random VGG-19 and ResNet-50 where torchvision looks for its own (the checksum in a name is checked at a download)."""
    folder.mkdir(parents=True)
    torch.manual_seed(0)
    features = torchvision.models.vgg19(weights=None).features.state_dict()
    states = {"VGG19_Weights": {f"features.{key}": value for key, value in features.items()},
              "ResNet50_Weights": torchvision.models.resnet50(weights=None).state_dict()}
    for name, state in states.items():
        url = getattr(torchvision.models, name).IMAGENET1K_V1.url
        torch.save(state, folder / url.rsplit("/", 1)[1])


def train(folder: Path, sources, name: str, recipe: str, **more) -> Path:
    """Two steps at full width, but for a small decoder, the dearest part of a notebook; returns the exported file."""
    raw = {"name": name, "recipe": recipe, "width": "full", "decoder_parameters": 200_000, "schedule": SCHEDULE} | more
    file = folder / f"{name}.json"
    file.write_text(json.dumps(raw))
    experiment.train(experiment.read_config(file), sources, folder / name, "cpu")
    return folder / name / f"{name}.safetensors"


@pytest.fixture(scope="module")
def full_parameters(tmp_path_factory, pictures):
    """Parameters as `stvae report -f params/full.yaml -p …` passes them on, with models trained here."""
    folder, sources = tmp_path_factory.mktemp("full"), experiment.Sources(pictures[0], [pictures[1]])
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("TORCH_HOME", str(folder / "torch"))
        patch.setattr(VLTTraining.start, "__defaults__", (2,))  # statistics of two batches in place of two hundred
        for sheet in ("contact_sheet", "reconstruction_sheet"):  # twenty pictures that nobody looks at
            patch.setattr(experiment, sheet, lambda model: torch.zeros(1, 3, 16, 16))
        write_published(folder / "torch" / "hub" / "checkpoints")
        autoencoder = train(folder, sources, "autoencoder", "autoencoder")
        models = {"autoencoder": autoencoder,
                  "model": train(folder, sources, "vgg", "vlt", options=TRANSFORM, base=str(autoencoder)),
                  "resnet": train(folder, sources, "resnet", "vlt", options=TRANSFORM, backbone="resnet50")}
        given = SMALLEST | {name: str(path) for name, path in models.items()}
        given |= {"content_dir": str(pictures[0]), "style_dir": str(pictures[1])}
        given = {name: value if isinstance(value, str) else yaml.safe_dump(value) for name, value in given.items()}
        yield execute.asked_parameters(given, ROOT / "params" / "full.yaml", execute.find_notebooks([]))


def test_every_parameter_of_the_file_is_known():
    known = set().union(*(execute.known_parameters(name) for name in execute.find_notebooks([])))
    check_names(yaml.safe_load((ROOT / "params" / "full.yaml").read_text()), known)


@pytest.mark.slow
@pytest.mark.parametrize("number", ["01", "02", "03", "05"])
def test_notebook_runs_at_full_width(number, full_parameters, tmp_path):
    (name,) = execute.find_notebooks([number])
    assert execute.execute(name, tmp_path, full_parameters, update=False) is None
    results = json.loads((tmp_path / name / "results.json").read_text())
    assert results["parameters"]["profile"] == "full" and len(results["figures"]) > 1
