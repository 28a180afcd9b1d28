"""AdaIN and WCT against their definitions."""

import pytest
import torch
import torch.nn.functional as F

from stvae_lib import InputError, load
from stvae_lib.baselines.statistics import adain, wct
from stvae_lib.pictures.styles import generate


class Identity:
    """An autoencoder whose features are the picture's colours in some linear mixture."""

    def encode(self, image):
        return 4 * image - 1

    def decode(self, features, size):
        return (features + 1) / 4


def muted(seed, side=48):
    """A random picture far from black and white, so that clamping changes nothing."""
    picture = torch.rand(1, 3, 6, 6, generator=torch.Generator().manual_seed(seed))
    return 0.4 + 0.2 * F.interpolate(picture, side, mode="bicubic").clamp(0, 1)


def moments(image):
    flat = image[0].flatten(1).double()
    return flat.mean(1), torch.cov(flat)


def test_wct_gives_the_content_the_mean_and_covariance_of_the_style():
    content, style = muted(0), muted(1, 40)
    image, _ = wct(content, style, Identity())
    for found, wanted in zip(moments(image), moments(style)):
        torch.testing.assert_close(found, wanted, rtol=2e-3, atol=1e-5)
    assert not torch.allclose(moments(content)[1], moments(style)[1], rtol=0.1)


def test_adain_gives_means_and_deviations_but_not_correlations():
    content, style = muted(0), muted(1, 40)
    image, _ = adain(content, style, Identity())
    (mean, covariance), (wanted_mean, wanted) = moments(image), moments(style)
    torch.testing.assert_close(mean, wanted_mean, rtol=1e-3, atol=1e-5)
    torch.testing.assert_close(covariance.diagonal(), wanted.diagonal(), rtol=1e-3, atol=1e-6)
    assert (covariance - wanted).abs().max() > 0.1 * wanted.diagonal().max()


@pytest.mark.parametrize("method", [adain, wct])
def test_the_content_as_style_changes_nothing(method):
    content = muted(3)
    torch.testing.assert_close(method(content, content, Identity())[0], content, rtol=0, atol=1e-4)


@pytest.mark.parametrize("method", [adain, wct])
def test_flat_pictures_and_several_weighted_styles(method):
    flat, styles = torch.full((1, 3, 32, 32), 0.5), [muted(1), muted(2)]
    assert method(flat, styles, Identity())[0].isfinite().all()
    content = muted(0)
    singles = [method(content, style, Identity())[0] for style in styles]
    both, _ = method(content, styles, Identity(), mix=[0.25, 0.75])
    torch.testing.assert_close(both, 0.25 * singles[0] + 0.75 * singles[1], rtol=0, atol=1e-5)
    with pytest.raises(InputError, match="3 shares for 2"):
        method(content, styles, Identity(), mix=[1, 1, 1])
    with pytest.raises(InputError, match="style"):
        method(content, torch.rand(3, 32, 32), Identity())


@pytest.mark.parametrize("method", [adain, wct])
def test_in_the_trained_autoencoder_the_picture_keeps_its_size_and_comes_nearer_to_the_style(method):
    from stvae_lib.model.weights import feature_distances

    model = load("vgg19-slim-autoencoder", "cpu")
    content, style = generate("brush_strokes", 96, 0)[..., :80, :], generate("stained_glass", 96, 1)
    image, history = method(content, style, model)
    assert image.shape == content.shape and history.losses == []
    distances = feature_distances().calibrate([content, style])
    with torch.no_grad():
        assert distances.between(image, content, style)["style"] < distances.between(content, content, style)["style"]
