import pytest
import torch

from stvae_lib import InputError
from stvae_lib.model.backbones import BACKBONES
from stvae_lib.model.backbones.components import PrincipalComponents
from stvae_lib.model.backbones.plain import PlainDecoder


@pytest.mark.parametrize(("channels", "stride"), [(512, 8), (256, 8), (128, 4), (512, 16), (1024, 32)])
def test_every_encoder_gets_a_decoder_of_the_same_size(channels, stride):
    decoder = PlainDecoder(channels, stride, 1_000_000)
    assert sum(p.numel() for p in decoder.parameters()) == pytest.approx(1_000_000, rel=0.05)
    assert decoder(torch.rand(2, channels, 3, 2)).shape == (2, 3, 3 * stride, 2 * stride)
    outputs = [conv.out_channels for conv in decoder.convs[:-1]]
    assert outputs == decoder.hidden_widths


def test_a_size_that_cannot_be_had_is_refused():
    with pytest.raises(InputError, match="decoder_parameters 10"):
        PlainDecoder(512, 8, 10)
    with pytest.raises(InputError, match="skip"):
        BACKBONES["vgg16"].build("slim", 100_000, skip="relu3_1")


def test_features_a_hundred_times_as_large_are_decoded_alike():
    torch.manual_seed(0)
    decoder, features = PlainDecoder(128, 4, 100_000), torch.rand(4, 128, 6, 6)
    decoder.calibrate(features)
    expected = decoder(features)
    decoder.calibrate(100 * features + 7)
    torch.testing.assert_close(decoder(100 * features + 7), expected, atol=1e-4, rtol=1e-3)


def test_a_channel_that_never_stirs_is_not_blown_up():
    decoder, features = PlainDecoder(128, 4, 100_000), torch.rand(4, 128, 6, 6)
    features[:, 3] = 0
    decoder.calibrate(features)
    assert decoder.scale[3] > 0.05 * decoder.scale.mean()


@pytest.mark.parametrize("outputs", [6, 12, 20])
def test_components_keep_what_they_can(outputs):
    """More channels than before keep every distance; fewer keep the most of the variance that so many can."""
    torch.manual_seed(0)
    spread = torch.linspace(3, 0.1, 12)[:, None, None]
    features = torch.randn(8, 12, 5, 5) * spread
    components = PrincipalComponents(12, outputs)
    components.measure(features)
    reduced = components(features)
    before, after = (value.movedim(1, 0).flatten(1).var(1).sum() for value in (features, reduced))
    values = torch.linalg.eigvalsh(torch.cov(features.movedim(1, 0).flatten(1))).flip(0)
    assert float(after) == pytest.approx(float(values[:outputs].sum()), rel=1e-3)
    assert outputs < 12 or float(after) == pytest.approx(float(before), rel=1e-3)
    shares = reduced.movedim(1, 0).flatten(1).var(1)
    assert shares.max() < 0.6 * after  # turned, not sorted


@pytest.mark.parametrize(("backbone", "options"), [("vgg16", {}), ("resnet50", {"last": "layer1"})])
def test_an_encoder_with_components_has_their_number_of_channels(backbone, options):
    encoder, decoder = BACKBONES[backbone].build("slim", 200_000, components=24, **options)
    images = torch.rand(2, 3, 32, 32)
    encoder.calibrate(images)
    with torch.no_grad():
        features = encoder(images)
        earlier = encoder.features(images, encoder.style_layers)
    assert features.shape[1] == encoder.channels == encoder.widths[encoder.last] == 24 and features.std() > 0
    assert [earlier[name].shape[1] for name in encoder.style_layers] == [encoder.widths[name] for name in encoder.style_layers]
    assert decoder(features).shape == images.shape
    with pytest.raises(InputError, match="decoder_parameters"):
        BACKBONES[backbone].build("slim", components=24, **options)
