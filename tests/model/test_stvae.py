import warnings

import numpy as np
import pytest
import torch

import stvae_lib as st
from stvae_lib import InputError, weights
from stvae_lib.model.codes import mix_codes
from stvae_lib.pictures import datasets, styles
from stvae_lib.pictures.images import to_pixels
from stvae_lib.pictures.palette import finished, palette_of
from stvae_lib.training.transform import latent_health

TRANSFORMS = [name for name in weights.SHIPPED if not name.endswith("autoencoder")]


@pytest.fixture(scope="module", params=TRANSFORMS)
def model(request):
    return st.load(request.param, "cpu")


@pytest.fixture(scope="module", params=["vgg19-slim", "resnet50-slim"])
def best(request):
    return st.load(request.param, "cpu")


@pytest.fixture(scope="module")
def photo():
    return datasets.sample_photo("chelsea", 96)


@pytest.fixture(scope="module")
def glass():
    return styles.generate("stained_glass", 96, 0)


@pytest.fixture(scope="module")
def cut():
    return styles.generate("woodcut", (72, 104), 0)


@pytest.mark.parametrize("size", [(16, 16), (17, 31), (64, 48), (45, 130)])
def test_any_size_comes_back_with_its_own(size, model, glass):
    content = torch.rand(1, 3, *size)
    output = model.stylize(content, glass)
    assert output.shape == content.shape and output.min() >= 0 and output.max() <= 1 and output.isfinite().all()
    assert model.reconstruct(content).shape == content.shape


def test_strength_zero_reconstructs_and_one_is_full(model, photo, glass):
    assert torch.equal(model.stylize(photo, glass, strength=0.0), model.reconstruct(photo))
    full, half = model.stylize(photo, glass), model.stylize(photo, glass, strength=0.5)
    assert 0 < (half - model.reconstruct(photo)).abs().mean() < (full - model.reconstruct(photo)).abs().mean()


def test_codes_stand_in_for_styles(model, photo, glass):
    assert torch.equal(model.stylize(photo, glass), model.stylize(photo, model.encode_style(glass)))


def test_statistics_of_the_content_may_come_from_elsewhere(model, photo, glass):
    features, style = model.encode(photo), model.style_from(model.encode_style(glass))
    known = model.vlt.content_statistics(features)
    assert torch.equal(model.vlt.transform(features, style, known), model.vlt.transform(features, style))
    left = features[..., :features.shape[3] // 2]
    tile = model.vlt.transform(left, style, known)
    assert not torch.allclose(tile, model.vlt.transform(left, style), atol=1e-2)
    if model.vlt.variant == "joint":  # what is known of the whole makes a tile a part of it, place by place
        torch.testing.assert_close(tile, model.vlt.transform(features, style)[..., :left.shape[3]], atol=1e-3, rtol=1e-3)
    other = model.vlt.content_statistics(left)
    assert torch.equal(known.lerp(other, 0.0).matrix, known.matrix) and torch.equal(known.lerp(other, 1.0).mean, other.mean)


def test_one_style_is_a_mix_of_one_and_of_itself(model, photo, glass):
    plain = model.stylize(photo, glass)
    assert torch.equal(plain, model.stylize(photo, [glass], mix=[1.0]))
    torch.testing.assert_close(plain, model.stylize(photo, [glass, glass], mix=[0.3, 0.7]), atol=1e-3, rtol=0)


def test_a_mix_permutes_with_its_styles(model, photo, glass, cut):
    ahead, behind = model.encode_style(glass), model.encode_style(styles.generate("woodcut", 96, 0))
    one = model.stylize(photo, [ahead, behind], mix=[0.8, 0.2])
    other = model.stylize(photo, [behind, ahead], mix=[0.2, 0.8])
    if model.photo_share is None:
        torch.testing.assert_close(one, other, atol=1e-3, rtol=0)
    else:  # of every palette another part is taken, which stands for it all but roughly
        assert (one - other).abs().mean() < 0.02
    assert (one - model.stylize(photo, [ahead, behind], mix=[0.2, 0.8])).abs().mean() > 1e-3


def test_any_number_of_styles_of_any_size(model, photo, glass, cut):
    seven = [glass, cut] + [styles.generate("marbling", (40 + 8 * i, 64), i) for i in range(5)]
    assert model.stylize(photo, seven).shape == photo.shape


def test_mix_is_normalised_with_a_warning(best, photo, glass, cut):
    with pytest.warns(UserWarning, match="sums to 4"):
        doubled = best.stylize(photo, [glass, cut], mix=[1, 3])
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert torch.equal(doubled, best.stylize(photo, [glass, cut], mix=[0.25, 0.75]))


@pytest.mark.parametrize("mix", [[1.0], [0.5, 0.5, 0.0], [-1.0, 2.0], [0.0, 0.0], [float("nan"), 1.0], [1e308, 1e308]])
def test_bad_mixes_are_refused(mix, best, photo, glass, cut):
    with pytest.raises(InputError, match="mix"):
        best.stylize(photo, [glass, cut], mix=mix)


def test_samples_depend_on_their_seed_alone(best, photo, glass):
    def sample(seed):
        return best.stylize(photo, glass, sample=True, generator=torch.Generator().manual_seed(seed))

    assert torch.equal(sample(1), sample(1)) and not torch.equal(sample(1), sample(2))


@pytest.mark.parametrize("name", ["vgg19-slim", "vgg19-slim-paper"])
def test_styles_nobody_painted(name, photo):
    model = st.load(name, "cpu")
    first, second = (model.sample_style(torch.Generator().manual_seed(seed)) for seed in (1, 2))
    assert not torch.allclose(model.stylize(photo, first), model.stylize(photo, second), atol=0.02)


def test_the_released_variant_never_samples(photo, glass):
    """Defect 2 of the published code: the noise is drawn and never used, so there is no prior to sample."""
    with pytest.raises(InputError, match="prior"):
        st.load("vgg19-slim-released", "cpu").sample_style()


def test_batches_equal_single_pictures(best, photo, glass):
    pair = torch.cat([photo, photo.flip(3)])
    torch.testing.assert_close(best.stylize(pair, glass)[:1], best.stylize(photo, glass), atol=1e-4, rtol=0)


@pytest.mark.parametrize("bad", [torch.rand(3, 32, 32), torch.rand(1, 1, 32, 32), torch.rand(1, 3, 8, 40),
                                 torch.zeros(1, 3, 32, 32, dtype=torch.uint8)])
def test_tensors_of_other_shapes_are_refused(bad, best, glass):
    with pytest.raises(InputError, match="content"):
        best.stylize(bad, glass)


def test_unclamped_output_differs_only_outside_the_range(best, photo, glass):
    raw = best.stylize(photo, glass, clamp=False)
    assert torch.equal(raw.clamp(0, 1), best.stylize(photo, glass))


def test_the_latent_is_alive(best, photo):
    """On styles that were never trained on: active dimensions, and styles differ more than samples of one style."""
    codes = [best.encode_style(styles.generate(name, 128, seed)) for name in styles.GENERATORS for seed in range(3)]
    assert latent_health(codes)["active"] >= 24
    pictures = [best.stylize(photo, code) for code in codes[::3]]
    rng = torch.Generator().manual_seed(0)
    samples = [[best.stylize(photo, code, sample=True, generator=rng) for _ in range(2)] for code in codes[::3]]
    between = np.mean([float((a - b).abs().mean()) for i, a in enumerate(pictures) for b in pictures[:i]])
    within = np.mean([float((a - b).abs().mean()) for a, b in samples])
    assert between > 1.5 * within > 0


def test_mixing_adds_means_and_variances(best, glass, cut):
    a, b = best.encode_style(glass), best.encode_style(cut)
    mixed = mix_codes([a, b], [0.25, 0.75])
    torch.testing.assert_close(mixed.mu, 0.25 * a.mu + 0.75 * b.mu)
    expected = 0.25 * (2 * a.log_sigma).exp() + 0.75 * (2 * b.log_sigma).exp()
    torch.testing.assert_close((2 * mixed.log_sigma).exp(), expected)


def finishing(name, share=0.2):
    """A shipped model that finishes what it draws."""
    model = st.load(name, "cpu")
    model.photo_share = share
    return model


def test_a_model_may_finish_in_the_colours_of_the_styles_picture(photo, glass):
    plain, model = finishing("vgg19-slim", None), finishing("vgg19-slim")
    drawn, whole = plain.stylize(photo, glass), model.stylize(photo, glass)
    torch.testing.assert_close(whole, finished(drawn, photo, to_pixels(palette_of(glass)), 0.2), atol=1e-5, rtol=0)
    assert torch.equal(model.stylize(photo, glass, clamp=False), plain.stylize(photo, glass, clamp=False))
    halves = [each.stylize(photo, glass, strength=0.5) for each in (plain, model)]
    wanted = torch.lerp(halves[0], finished(halves[0], photo, to_pixels(palette_of(glass)), 0.2), 0.5)
    torch.testing.assert_close(halves[1], wanted, atol=1e-5, rtol=0)
    assert torch.equal(model.stylize(photo, glass, strength=0.0), model.reconstruct(photo))
    several = model.stylize(photo.expand(2, -1, -1, -1), glass)
    torch.testing.assert_close(several, whole.expand(2, -1, -1, -1), atol=1e-3, rtol=0)


def test_a_style_without_a_picture_is_drawn_as_it_is(photo, glass):
    plain, model = finishing("vgg19-slim", None), finishing("vgg19-slim")
    invented = model.sample_style(torch.Generator().manual_seed(0))
    assert invented.palette is None and torch.equal(model.stylize(photo, invented), plain.stylize(photo, invented))
    mixed = mix_codes([invented, model.encode_style(glass)], [0.5, 0.5])
    assert mixed.palette is None


def test_a_mixed_style_is_finished_in_the_colours_of_both(photo):
    model = finishing("vgg19-slim")
    pictures = [torch.rand(1, 3, 64, 64, generator=torch.Generator().manual_seed(seed)) * 0.1 + 0.9 * seed for seed in (0, 1)]
    code = mix_codes(model.codes_of(pictures), [0.25, 0.75])
    assert ((code.palette > 128).float().mean() - 0.75).abs() < 1e-3
    light = (model.stylize(photo, pictures, mix=[0.25, 0.75]) > 0.5).float().mean()
    assert 0.6 < light < 0.9
