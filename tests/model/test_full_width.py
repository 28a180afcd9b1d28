"""Models load with whatever encoder belongs to them, and draw what the same parts put together by hand draw."""

import json

import pytest
import torch
import torchvision
from safetensors.torch import load_file

from stvae_lib import InputError, load, weights
from stvae_lib.model.backbones.resnet import ResNet, ResNetDecoder, ResNetOptions
from stvae_lib.model.backbones.vgg import VGG, VGGDecoder, from_torchvision
from stvae_lib.model.stvae import STVAE, AutoEncoder
from stvae_lib.model.vlt import JointVLT, ReleasedVLT
from stvae_lib.training import experiment
from stvae_lib.training.transform import VLTTraining

SMALL = {"matrix_size": 4, "latent": 4}


def part(tensors, name):
    return {key.removeprefix(f"{name}."): value.float() for key, value in tensors.items() if key.startswith(f"{name}.")}


@torch.no_grad()
def draw_alike(model, by_hand):
    content, style = torch.rand(2, 1, 3, 40, 56, generator=torch.Generator().manual_seed(1)).clone()
    by_hand = by_hand.eval().to(memory_format=torch.channels_last)
    found = model.stylize(content, style) if hasattr(model, "vlt") else model.reconstruct(content)
    expected = by_hand.stylize(content, style) if hasattr(model, "vlt") else by_hand.reconstruct(content)
    assert found.std() > 1e-3
    assert torch.equal(found, expected)


def cached(folder, architecture, state):
    """A random network in torchvision's cache; its state."""
    checkpoints = folder / "hub" / "checkpoints"
    checkpoints.mkdir(parents=True, exist_ok=True)
    url = getattr(torchvision.models, architecture).IMAGENET1K_V1.url
    torch.save(state, checkpoints / url.rsplit("/", 1)[1])
    return state


@pytest.fixture(scope="module")
def vgg_state():
    torch.manual_seed(2)
    state = torchvision.models.vgg19(weights=None).features.state_dict()
    return {f"features.{key}": value for key, value in state.items()}


@pytest.fixture
def full_vgg(offline_hub, vgg_state):
    return cached(offline_hub, "VGG19_Weights", vgg_state)


@pytest.fixture(scope="module")
def resnet_state():
    torch.manual_seed(3)
    return torchvision.models.resnet50(weights=None).state_dict()


def by_hand_vgg(file, state):
    tensors = load_file(file)
    encoder, decoder = VGG(19, "full"), VGGDecoder(19, "full")
    encoder.load_state_dict(from_torchvision(state, 19, "relu4_1"), strict=False)
    decoder.load_state_dict(part(tensors, "decoder"))
    vlt = JointVLT(encoder, decoder, **SMALL)
    vlt.load_state_dict(part(tensors, "vlt"))
    return STVAE(encoder, vlt, decoder)


@pytest.fixture
def train_full(make_config, sources, tmp_path, monkeypatch):
    """Train a few parts at full width for no step, from few statistics; returns the exported file."""
    monkeypatch.setattr(VLTTraining.start, "__defaults__", (2,))

    def run(recipe, name, options=None, **more):
        path = make_config(recipe, steps=0, options=options)
        raw = json.loads(path.read_text()) | {"width": "full", "base": None, "name": name} | more
        path.write_text(json.dumps(raw))
        experiment.train(experiment.read_config(path), sources, tmp_path / name, "cpu")
        return tmp_path / name / f"{name}.safetensors"

    return run


def test_a_slim_file_brings_its_encoder(offline_hub):
    tensors = load_file(weights.FOLDER / "vgg19-slim.safetensors")
    encoder, decoder = VGG(19, "slim"), VGGDecoder(19, "slim")
    model = load("vgg19-slim", "cpu")
    vlt = JointVLT(encoder, decoder, model.vlt.matrix_size, model.vlt.latent)
    for network, name in ((encoder, "encoder"), (decoder, "decoder"), (vlt, "vlt")):
        network.load_state_dict(part(tensors, name))
    draw_alike(model, STVAE(encoder, vlt, decoder))


def test_a_full_file_fetches_its_encoder(full_vgg, train_full):
    file = train_full("vlt", "vlt", SMALL | {"start": "random"})
    assert not any(key.startswith("encoder.") for key in load_file(file))
    by_hand = by_hand_vgg(file, full_vgg)
    draw_alike(load(file, "cpu"), by_hand)
    draw_alike(load("vgg19", "cpu", checkpoint=file), by_hand)


def test_a_full_transform_without_a_decoder_goes_on_from_its_base(full_vgg, train_full):
    base = train_full("autoencoder", "base")
    file = train_full("vlt", "frozen", SMALL | {"start": "random", "train_decoder": False}, base=str(base))
    model, kept = load(file, "cpu"), load(base, "cpu")
    assert torch.equal(model.decoder.conv1_1.weight, kept.decoder.conv1_1.weight)
    assert torch.equal(model.encoder.conv4_1.weight, full_vgg["features.19.weight"])


def test_an_encoder_that_learned_along_is_kept(full_vgg, train_full):
    base = train_full("autoencoder", "along", {"encoder_weight": 1.0})
    tensors = load_file(base)
    assert "encoder.conv4_1.weight" in tensors
    file = train_full("vlt", "after", SMALL | {"start": "random"}, base=str(base))
    assert torch.equal(load_file(file)["encoder.conv4_1.weight"], tensors["encoder.conv4_1.weight"])


def test_a_resnet_file_fetches_its_encoder_and_brings_the_adapter(offline_hub, resnet_state, train_full):
    cached(offline_hub, "ResNet50_Weights", resnet_state)
    options = {"last": "layer3", "normalise": True}
    file = train_full("autoencoder", "resnet", backbone="resnet50", backbone_options=options)
    tensors = load_file(file)
    held = {key.split(".")[1] for key in tensors if key.startswith("encoder.")}
    assert held == {"adapter", "activation_conv1", "activation_layer1", "activation_layer2", "activation_layer3"}
    encoder, decoder = ResNet("full", ResNetOptions(**options)), ResNetDecoder("full", "layer3", adapted=True)
    own = encoder.state_dict()
    encoder.load_state_dict({key: resnet_state.get(key, value) for key, value in own.items()} | part(tensors, "encoder"))
    decoder.load_state_dict(part(tensors, "decoder"))
    draw_alike(load(file, "cpu"), AutoEncoder(encoder, decoder))


def test_a_slim_resnet_brings_its_encoder(offline_hub):
    tensors = load_file(weights.FOLDER / "resnet50-slim.safetensors")
    model = load("resnet50-slim", "cpu")
    encoder, decoder = ResNet("slim", model.encoder.options), ResNetDecoder("slim", model.encoder.last)
    vlt = JointVLT(encoder, decoder, model.vlt.matrix_size, model.vlt.latent)
    for network, name in ((encoder, "encoder"), (decoder, "decoder"), (vlt, "vlt")):
        network.load_state_dict(part(tensors, name))
    draw_alike(model, STVAE(encoder, vlt, decoder))


def test_released_checkpoints_become_the_model_with_these_weights():
    torch.manual_seed(4)
    encoder, decoder = VGG(19, "full"), VGGDecoder(19, "full")
    by_hand = STVAE(encoder, ReleasedVLT(encoder, decoder, matrix_size=8, latent=16), decoder).requires_grad_(False)
    convolutions = [name for name in encoder.layers if name != "pool"]
    theirs = {f"conv{number}.{kind}": encoder.get_submodule(name).get_parameter(kind).data
              for number, name in enumerate(["colour", *convolutions], start=1) for kind in ("weight", "bias")}
    back = {f"conv{number}.{kind}": decoder.get_submodule(name).get_parameter(kind).data
            for number, name in enumerate(convolutions[::-1], start=11) for kind in ("weight", "bias")}
    ours = {value: key for key, value in weights._RELEASED_NAMES.items()}
    matrix = {f"{ours[key.rpartition('.')[0]]}.{key.rpartition('.')[2]}": value
              for key, value in by_hand.vlt.state_dict().items()}
    draw_alike(weights.from_released(theirs, back, matrix).to(memory_format=torch.channels_last), by_hand)


def test_a_full_file_says_what_it_lacks(full_vgg, train_full, offline_hub):
    file = train_full("autoencoder", "lonely")
    with pytest.raises(InputError, match="not trained on the published vgg16"):
        load("vgg16", "cpu", checkpoint=file)
    with pytest.raises(InputError, match="not trained on the published vgg19"):
        load("vgg19", "cpu", checkpoint=weights.FOLDER / "vgg19-slim.safetensors")
    next((offline_hub / "hub" / "checkpoints").iterdir()).unlink()
    with pytest.raises(InputError, match="VGG19_Weights.IMAGENET1K_V1.*vgg19-slim"):
        load(file, "cpu")


def test_a_published_network_has_a_twin_with_random_weights():
    for name, last in (("vgg19", "relu5_1"), ("resnet50", "layer4")):
        twin = experiment.untrained_twin(name)
        assert list(twin.widths)[-1] == last and not any(p.requires_grad for p in twin.parameters())
