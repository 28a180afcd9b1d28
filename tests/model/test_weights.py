import json
import os
import shutil

import pytest
import torch
from common import ROOT

from stvae_lib import InputError, load, weights
from stvae_lib.model.storage import read_tensors, write_tensors
from stvae_lib.provenance import sha256
from stvae_lib.training.log import read_log

NAMES = weights.SHIPPED + weights.FEATURES


@pytest.mark.parametrize("name", NAMES)
def test_every_shipped_weight_has_card_config_and_log(name):
    card = json.loads((weights.FOLDER / f"{name}.json").read_text())
    assert card["sha256"] == sha256(weights.FOLDER / f"{name}.safetensors")
    run = ROOT / "data" / "runs" / name
    log = read_log(run / "log.csv")
    schedule = card["recipe"]["schedule"]
    assert log["step"][-1] == schedule["steps"] // schedule["log_every"] * schedule["log_every"]
    assert card["steps"] == schedule["steps"]
    assert json.loads((run / "config.json").read_text()) == card["recipe"]
    for key in ("seconds", "device", "git", "data", "sources", "validation", "licence", "versions"):
        assert card[key] not in (None, "", {})


def test_shipped_weights_stay_small():
    sizes = {file.stem: file.stat().st_size for file in weights.FOLDER.glob("*.safetensors")}
    assert max(size for name, size in sizes.items() if "-slim" in name) <= 4e6 and sum(sizes.values()) <= 32e6


def test_every_file_in_data_has_a_row_with_its_checksum():
    text = (ROOT / "data" / "README.md").read_text()
    for file in [*weights.FOLDER.glob("*.safetensors"), *(ROOT / "data" / "styles").glob("*.png")]:
        row = next(line for line in text.splitlines() if f"`{file.name}`" in line)
        assert sha256(file)[:16] in row


def test_a_cut_file_is_refused(tmp_path):
    whole = (weights.FOLDER / "vgg19-slim.safetensors").read_bytes()
    (tmp_path / "cut.safetensors").write_bytes(whole[:len(whole) // 2])
    with pytest.raises(InputError, match="cut.safetensors"):
        load(tmp_path / "cut.safetensors")


def test_a_changed_number_is_noticed_by_the_card(tmp_path):
    file, card = tmp_path / "changed.safetensors", tmp_path / "changed.json"
    shutil.copy(weights.FOLDER / "vgg19-slim.safetensors", file)
    shutil.copy(weights.FOLDER / "vgg19-slim.json", card)
    load(file, "cpu")
    whole = bytearray(file.read_bytes())
    whole[-1000] ^= 1
    file.write_bytes(whole)
    with pytest.raises(InputError, match="changed.json.*delete the card"):
        load(file, "cpu")
    for other in ("no card", "[1]", "{}", "[" * 100_000):
        card.write_text(other)
        with pytest.raises(InputError, match="changed.json: is no card of changed.safetensors"):
            load(file, "cpu")
    card.unlink()
    load(file, "cpu")


def test_pipes_in_place_of_weights_and_cards_are_not_waited_for(tmp_path):
    file, card = tmp_path / "model.safetensors", tmp_path / "model.json"
    shutil.copy(weights.FOLDER / "vgg19-slim.safetensors", file)
    os.mkfifo(card)
    for ask in (load, weights.describe):
        with pytest.raises(InputError, match="model.json: is no regular file"):
            ask(str(file))
    card.unlink()
    shutil.copy(weights.FOLDER / "vgg19-slim.json", card)
    file.unlink()
    os.mkfifo(file)
    with pytest.raises(InputError, match="model.safetensors: is no regular file"):
        load(file)


@pytest.mark.parametrize("content", [b"\xff\xfe", b"{", b"[" * 100_000])
def test_a_card_that_is_none_is_told_in_one_line(content, tmp_path):
    (tmp_path / "model.json").write_bytes(content)
    with pytest.raises(InputError, match="model.json: is no card"):
        weights.describe(str(tmp_path / "model.safetensors"))


def test_weights_of_another_shape_are_refused(tmp_path):
    tensors, architecture = read_tensors(weights.FOLDER / "vgg19-slim.safetensors")
    tensors["decoder.conv1_1.weight"] = torch.zeros(3, 8, 3, 3)
    write_tensors(tensors, tmp_path / "odd.safetensors", architecture, {})
    with pytest.raises(InputError, match="odd.safetensors.*does not fit"):
        load(tmp_path / "odd.safetensors")


@pytest.mark.parametrize("kind", [torch.int64, torch.complex64])
def test_weights_of_another_kind_of_number_are_refused(kind, tmp_path):
    tensors, architecture = read_tensors(weights.FOLDER / "vgg19-slim-paper.safetensors")
    key = next(iter(tensors))
    tensors[key] = tensors[key].to(kind)
    write_tensors(tensors, tmp_path / "odd.safetensors", architecture, {})
    with pytest.raises(InputError, match="odd.safetensors.*does not fit.*torch"):
        load(tmp_path / "odd.safetensors")


def test_foreign_safetensors_are_refused(tmp_path):
    from safetensors.torch import save_file

    save_file({"weight": torch.zeros(2)}, tmp_path / "foreign.safetensors")
    with pytest.raises(InputError, match="what model"):
        load(tmp_path / "foreign.safetensors")


@pytest.mark.parametrize("name", ["vgg20", "vgg19-slimm", "model.pth"])
def test_unknown_names_list_the_known_ones(name):
    with pytest.raises(InputError, match="vgg19-slim"):
        load(name)


def test_a_model_is_the_same_by_name_and_by_path():
    by_name, by_path = load("vgg19-slim-paper", "cpu"), load(weights.FOLDER / "vgg19-slim-paper.safetensors", "cpu")
    for (key, a), b in zip(by_name.state_dict().items(), by_path.state_dict().values()):
        assert torch.equal(a, b), key


def test_unknown_devices_are_refused():
    with pytest.raises(InputError, match="device"):
        load("vgg19-slim", "warp9")


@torch.no_grad()
@pytest.mark.parametrize(("name", "layer", "shape"), [("vgg19-slim-features", "relu5_1", (1, 128, 4, 6)),
                                                      ("resnet50-slim-features", "layer4", (1, 512, 2, 3))])
def test_distilled_encoders_load_with_all_their_stages(name, layer, shape):
    network = weights.features_network(name)
    found = network.features(torch.rand(1, 3, 64, 96), [layer])[layer]
    assert found.shape == shape and found.std() > 0
    with pytest.raises(InputError, match="no distilled features"):
        weights.features_network("vgg19-slim-autoencoder")


def test_an_untrained_model_has_the_architecture_of_the_file():
    model, whole = weights.untrained("vgg19-slim", variant=None), load("vgg19-slim", "cpu")
    assert type(model).__name__ == "AutoEncoder" and not torch.equal(model.encoder.conv3_1.weight, whole.encoder.conv3_1.weight)
    assert [p.shape for p in model.decoder.parameters()] == [p.shape for p in whole.decoder.parameters()]


def test_a_full_width_file_by_its_path_takes_the_published_encoder(tmp_path, monkeypatch):
    architecture = {"backbone": "vgg19", "width": "full", "variant": None, "options": {}}
    model, path = weights.build(architecture), tmp_path / "full.safetensors"
    weights.write_model(model, path, architecture, {"validation": {}}, parts=("decoder",))
    monkeypatch.setattr(type(weights.BACKBONES["vgg19"]), "pretrained", lambda *args, **options: model.encoder)
    assert torch.equal(load(path, "cpu").encoder.conv1_1.weight, model.encoder.conv1_1.weight)
