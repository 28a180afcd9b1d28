import pytest
import torch
import torchvision

from stvae_lib import InputError, weights
from stvae_lib.model.backbones import BACKBONES
from stvae_lib.model.backbones.vgg import VGG, fetch_torchvision, from_torchvision


@pytest.mark.parametrize("depth", [16, 19])
def test_full_width_forward_equals_torchvision(depth):
    torch.manual_seed(0)
    theirs = getattr(torchvision.models, f"vgg{depth}")(weights=None).eval()
    last = "relu5_1"
    ours = VGG(depth, "full", last, padding="zeros").eval()
    ours.load_state_dict(from_torchvision(theirs.state_dict(), depth, last), strict=False)
    image = torch.rand(1, 3, 64, 48)
    mean, deviation = torch.tensor([0.485, 0.456, 0.406]), torch.tensor([0.229, 0.224, 0.225])
    normalised = (image - mean[:, None, None]) / deviation[:, None, None]
    layer = [name for name in ours.layers].index("conv5_1")
    position = sum(1 if name == "pool" else 2 for name in ours.layers[:layer]) + 2
    with torch.no_grad():
        expected = theirs.features[:position](normalised)
        torch.testing.assert_close(ours(image), expected, atol=1e-5 * float(expected.abs().max()), rtol=1e-4)


@pytest.mark.parametrize(("width", "channels"), [("slim", 128), ("full", 512)])
def test_shapes(width, channels):
    encoder, decoder = BACKBONES["vgg19"].build(width)
    features = encoder(torch.rand(2, 3, 32, 48))
    assert features.shape == (2, channels, 4, 6) and encoder.channels == channels and encoder.stride == 8
    assert decoder(features).shape == (2, 3, 32, 48)
    convs = [name for name, _ in decoder.chain[:-1]]
    assert [decoder.get_parameter(f"{name}.weight").shape[0] for name in convs] == decoder.hidden_widths


def test_slim_widths_are_a_quarter():
    slim, full = VGG(19, "slim", "relu5_1"), VGG(19, "full", "relu5_1")
    for name, count in full.widths.items():
        assert slim.widths[name] == (count // 4)


def test_unknown_layers_are_refused():
    with pytest.raises(ValueError, match="relu9_1"):
        VGG(19, "slim", "relu9_1")
    with pytest.raises(ValueError, match="relu5_1"):
        VGG(19, "slim", "relu4_1").features(torch.rand(1, 3, 32, 32), ["relu5_1"])


def test_without_network_or_cache_one_line_names_weights_folder_and_alternative(offline_hub):
    with pytest.raises(InputError) as caught:
        weights.load("vgg19")
    for word in ("VGG19_Weights.IMAGENET1K_V1", str(offline_hub), "vgg19-slim"):
        assert word in str(caught.value)


def test_cached_torchvision_weights_are_loaded_and_checked(tmp_path, monkeypatch):
    """The real loading code on a file of the right shape in the hub's cache folder."""
    monkeypatch.setenv("TORCH_HOME", str(tmp_path))
    torch.manual_seed(1)
    state = torchvision.models.vgg19(weights=None).features.state_dict()
    state = {f"features.{key}": value for key, value in state.items()}
    enum = torchvision.models.VGG19_Weights.IMAGENET1K_V1
    folder = tmp_path / "hub" / "checkpoints"
    folder.mkdir(parents=True)
    torch.save(state, folder / enum.url.rsplit("/", 1)[1])
    network = weights.loss_network("vgg19")
    assert torch.equal(network.conv1_1.weight, state["features.0.weight"])
    assert torch.equal(network.conv5_1.weight, state["features.28.weight"])
    assert torch.equal(weights.features_network("vgg19").conv5_1.weight, network.conv5_1.weight)
    with pytest.raises(InputError, match="no trained transform"):
        weights.load("vgg19")


def test_what_the_hub_says_goes_to_stderr(capfd):
    class Weights:
        url = "https://example.org/net.pth"

        @staticmethod
        def get_state_dict(**options):
            print("Downloading")
            return {}

    assert fetch_torchvision(Weights, "net", "vgg19-slim") == {}
    said = capfd.readouterr()
    assert said.out == "" and said.err == "Downloading\n"
