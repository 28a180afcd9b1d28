import json

import pytest
import torch
import torchvision

from stvae_lib import InputError, weights
from stvae_lib.model.backbones import BACKBONES
from stvae_lib.model.backbones.contract import DecoderBase, EncoderBase
from stvae_lib.model.backbones.resnet import RESNET50, Blur, ResNet, ResNetDecoder, ResNetOptions, load_stages, stage_widths
from stvae_lib.model.backbones.vgg import IMAGENET_MEAN, IMAGENET_STD, VGG, VGGDecoder
from stvae_lib.model.storage import read_tensors
from stvae_lib.model.stvae import AutoEncoder
from stvae_lib.training import experiment


def random_resnet(seed=0):
    """torchvision's own network with random weights and random batch-norm statistics."""
    torch.manual_seed(seed)
    network = torchvision.models.resnet50(weights=None).eval()
    for module in network.modules():
        if isinstance(module, torch.nn.BatchNorm2d):
            module.running_mean.normal_(0, 0.1)
            module.running_var.uniform_(0.5, 1.5)
    return network


@torch.no_grad()
@pytest.mark.parametrize("last", ["conv1", "layer1", "layer2", "layer3", "layer4"])
def test_full_width_forward_equals_torchvision(last):
    theirs = random_resnet()
    ours = ResNet("full", ResNetOptions(last=last)).eval()
    load_stages(ours, theirs.state_dict(), "random")
    image = torch.rand(1, 3, 96, 64)
    mean, deviation = (torch.tensor(values)[:, None, None] for values in (IMAGENET_MEAN, IMAGENET_STD))
    hidden = theirs.relu(theirs.bn1(theirs.conv1((image - mean) / deviation)))
    if last != "conv1":
        hidden = theirs.maxpool(hidden)
        for name in list(stage_widths("full"))[1:list(stage_widths("full")).index(last) + 1]:
            hidden = getattr(theirs, name)(hidden)
    found = ours.stages(image, last)[last]
    torch.testing.assert_close(found, hidden, atol=1e-5 * float(hidden.abs().max()), rtol=1e-5)


@pytest.mark.parametrize("last", ["conv1", "layer1", "layer2", "layer3", "layer4"])
def test_every_cut_gives_the_transform_the_same_channels_and_the_decoder_its_image(last):
    encoder, decoder = RESNET50.build("slim", last=last)
    image = torch.rand(2, 3, 64, 96)
    features = encoder(image)
    assert features.shape == (2, 128, 64 // encoder.stride, 96 // encoder.stride)
    assert encoder.channels == encoder.widths[encoder.last] == 128
    assert (encoder.adapter is None) == (last == "layer2")
    assert decoder(features).shape == image.shape


def test_without_adapter_the_transform_sees_the_stage_as_it_is():
    encoder, decoder = RESNET50.build("slim", last="layer3", adapter=False)
    features = encoder(torch.rand(1, 3, 32, 48))
    assert features.shape == (1, 256, 2, 3) and encoder.channels == 256 and decoder(features).shape == (1, 3, 32, 48)


def test_slim_widths_are_a_quarter_and_layer2_has_the_shape_of_relu4_1():
    assert all(4 * slim == full for slim, full in zip(stage_widths("slim").values(), stage_widths("full").values()))
    for width in ("slim", "full"):
        assert ResNet(width).channels == VGG(19, width).channels and ResNet(width).stride == VGG(19, width).stride


@torch.no_grad()
def test_without_residual_connections_shortcuts_are_gone():
    plain = ResNet("slim", ResNetOptions(residual=False))
    assert not any("downsample" in key for key in plain.state_dict())
    block = plain.layer1[1].eval()
    block.bn3.weight.zero_()
    assert block(torch.rand(1, 64, 8, 8)).abs().max() == 0
    shortcut = ResNet("slim").layer1[1].eval()
    shortcut.bn3.weight.zero_()
    hidden = torch.rand(1, 64, 8, 8)
    assert torch.equal(shortcut(hidden), hidden)


@torch.no_grad()
def test_antialiasing_makes_features_steadier_under_a_shift_of_one_pixel():
    def change(antialias):
        torch.manual_seed(0)
        encoder = ResNet("slim", ResNetOptions(last="layer1", antialias=antialias, reflect=True)).eval()
        image = torch.rand(1, 3, 96, 97)
        a, b = (encoder.stages(part, "layer1")["layer1"][..., 4:-4, 4:-4] for part in (image[..., :-1], image[..., 1:]))
        return float((a - b).square().mean() / a.var())

    assert change(True) < 0.5 * change(False)
    torch.testing.assert_close(Blur(2)(torch.ones(1, 2, 6, 6)), torch.ones(1, 2, 3, 3))


@torch.no_grad()
def test_activation_normalisation_gives_every_channel_mean_one():
    encoder = ResNet("slim", ResNetOptions(normalise=True)).eval()
    images = torch.rand(4, 3, 64, 64)
    plain = encoder.features(images, list(encoder.widths))
    encoder.calibrate(images)
    for name, value in encoder.features(images, list(encoder.widths)).items():
        alive = plain[name].mean((0, 2, 3)) > 1e-2
        means = value.mean((0, 2, 3))[alive]
        torch.testing.assert_close(means, torch.ones_like(means), atol=1e-3, rtol=1e-3)


def test_reflection_padding_is_used_and_frozen_norm_stays_frozen():
    reflected, frozen = ResNet("slim", ResNetOptions(reflect=True)), ResNet("slim")
    assert reflected.conv1.padding_mode == "reflect" and ResNet("slim").conv1.padding_mode == "zeros"
    before = frozen.bn1.running_mean.clone()
    frozen(torch.rand(2, 3, 32, 32))
    frozen.train()(torch.rand(2, 3, 32, 32))
    assert torch.equal(frozen.bn1.running_mean, before) and not frozen.bn1.training
    learning = ResNet("slim", ResNetOptions(frozen_norm=False))
    learning(torch.rand(2, 3, 32, 32))
    assert not torch.equal(learning.bn1.running_mean, before)
    student = RESNET50.student("slim").train()
    student(torch.rand(2, 3, 64, 64))
    assert not torch.equal(student.bn1.running_mean, before)


@torch.no_grad()
@pytest.mark.parametrize("last", ["layer3", "layer4"])
def test_the_smallest_image_passes_the_largest_stride(last):
    model = AutoEncoder(*RESNET50.build("slim", last=last)).eval()
    assert model.reconstruct(torch.rand(1, 3, 16, 17)).shape == (1, 3, 16, 17)


def test_a_local_checkpoint_loads_and_a_foreign_one_is_refused(tmp_path):
    theirs = random_resnet(1)
    torch.save(theirs.state_dict(), tmp_path / "resnet50-19c8e357.pth")
    encoder = RESNET50.pretrained(str(tmp_path / "resnet50-19c8e357.pth"), last="layer4")
    assert torch.equal(encoder.layer4[2].conv3.weight, theirs.layer4[2].conv3.weight)
    torch.save({"weight": torch.zeros(2)}, tmp_path / "other.pth")
    with pytest.raises(InputError, match="other.pth"):
        RESNET50.pretrained(str(tmp_path / "other.pth"))
    (tmp_path / "text.pth").write_text("hello")
    for name in ("text.pth", "missing.pth"):
        with pytest.raises(InputError, match=name):
            RESNET50.pretrained(str(tmp_path / name))


@pytest.mark.parametrize("version", ["IMAGENET1K_V1", "IMAGENET1K_V2"])
def test_cached_torchvision_weights_of_both_versions_load(version, tmp_path, monkeypatch):
    monkeypatch.setenv("TORCH_HOME", str(tmp_path))
    theirs = random_resnet(2)
    folder = tmp_path / "hub" / "checkpoints"
    folder.mkdir(parents=True)
    url = torchvision.models.ResNet50_Weights[version].url
    torch.save(theirs.state_dict(), folder / url.rsplit("/", 1)[1])
    assert torch.equal(RESNET50.pretrained(version).conv1.weight, theirs.conv1.weight)
    if version == "IMAGENET1K_V1":
        features = weights.features_network("resnet50").features(torch.rand(1, 3, 64, 64), ["conv1", "layer4"])
        assert features["layer4"].shape == (1, 2048, 2, 2)


def test_without_network_or_cache_one_line_names_weights_folder_and_alternative(offline_hub):
    with pytest.raises(InputError) as caught:
        weights.load("resnet50")
    for word in ("ResNet50_Weights.IMAGENET1K_V1", str(offline_hub), "resnet50-slim"):
        assert word in str(caught.value)


@pytest.mark.parametrize("options", [{}, *(pytest.param(options, marks=pytest.mark.slow) for options in (
    {"last": "layer3", "residual": False}, {"antialias": True, "normalise": True}))])
def test_the_three_recipes_train_a_resnet_and_what_they_write_loads(options, make_config, sources, tmp_path):
    def run(recipe, base, name, more):
        path = make_config(recipe, steps=2, checkpoint_every=2, batch=3, crop=64, options=more)
        raw = json.loads(path.read_text()) | {"backbone": "resnet50", "backbone_options": options, "base": base, "name": name}
        path.write_text(json.dumps(raw))
        return experiment.train(experiment.read_config(path), sources, tmp_path / name, "cpu")

    card = run("encoder", None, "features", {})
    stages = ["conv1", "layer1", "layer2", "layer3", "layer4"]
    assert list(card["validation"]) == stages[:stages.index(options.get("last", "layer4")) + 1]
    run("autoencoder", str(tmp_path / "features" / "features.safetensors"), "autoencoder", {})
    features, _ = read_tensors(tmp_path / "features" / "features.safetensors")
    model = weights.load(tmp_path / "autoencoder" / "autoencoder.safetensors", "cpu")
    torch.testing.assert_close(model.encoder.layer1[0].conv1.weight, features["layer1.0.conv1.weight"])
    run("vlt", str(tmp_path / "autoencoder" / "autoencoder.safetensors"), "vlt",
        {"matrix_size": 8, "latent": 8, "styles_per_content": 1})
    model = weights.load(tmp_path / "vlt" / "vlt.safetensors", "cpu")
    photo = torch.rand(1, 3, 70, 50)
    assert model.stylize(photo, torch.rand(1, 3, 64, 80)).shape == photo.shape


class ToyEncoder(EncoderBase):
    """What a third backbone must have, and nothing more: one strided convolution."""

    last, stride, channels = "only", 4, 12
    style_layers, widths = ("only",), {"only": 12}

    def __init__(self):
        super().__init__()
        self.only = torch.nn.Conv2d(3, 12, 4, stride=4)

    def features(self, image, names):
        return {"only": self.only(image).relu()}


class ToyDecoder(DecoderBase):
    hidden_widths = ()

    def __init__(self):
        super().__init__(["only"])
        self.only = torch.nn.ConvTranspose2d(12, 3, 4, stride=4)


class ToyBackbone:
    pretrained_width = "full"

    def build(self, width, decoder_parameters=None):
        return ToyEncoder(), ToyDecoder()


def test_a_third_backbone_is_one_registry_line(monkeypatch, make_config, sources, tmp_path):
    monkeypatch.setitem(BACKBONES, "toy", ToyBackbone())
    for recipe, base, options in (("autoencoder", None, {}),
                                  ("vlt", str(tmp_path / "autoencoder" / "tiny.safetensors"), {"matrix_size": 4, "latent": 4})):
        path = make_config(recipe, steps=2, checkpoint_every=2, options=options)
        path.write_text(json.dumps(json.loads(path.read_text()) | {"backbone": "toy", "base": base}))
        experiment.train(experiment.read_config(path), sources, tmp_path / recipe, "cpu")
    model = weights.load(tmp_path / "vlt" / "tiny.safetensors", "cpu")
    assert isinstance(model.encoder, ToyEncoder) and not isinstance(model.decoder, VGGDecoder | ResNetDecoder)
    photo = torch.rand(1, 3, 34, 50)
    assert model.stylize(photo, torch.rand(1, 3, 40, 40)).shape == photo.shape
