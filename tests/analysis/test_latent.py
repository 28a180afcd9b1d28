"""Principal axes of styles and the properties that name them."""

import numpy as np
import pytest
import torch

import stvae_lib as st
from stvae_lib import weights
from stvae_lib.analysis import latent
from stvae_lib.model.codes import StyleCode
from stvae_lib.pictures import datasets, styles


def test_principal_axes_against_numpy():
    rng = np.random.default_rng(0)
    means = rng.normal(size=(30, 8)) @ np.diag([5, 3, 1, 1, 1, 1, 1, 1])
    codes = [StyleCode(torch.tensor(row, dtype=torch.float32)[None], torch.zeros(1, 8)) for row in means]
    axes = latent.principal_axes(codes, 2)
    values, vectors = np.linalg.eigh(np.cov(means.T))
    np.testing.assert_allclose(axes.deviations, np.sqrt(values[::-1][:2]), rtol=1e-4)
    np.testing.assert_allclose(np.abs(np.sum(axes.directions.numpy() * vectors[:, ::-1][:, :2].T, axis=1)), 1, rtol=1e-4)
    assert (axes.directions.gather(1, axes.directions.abs().argmax(1, keepdim=True)) > 0).all()
    moved = axes.shifted(codes[0], [0.0, 2.0])
    torch.testing.assert_close(moved.mu, codes[0].mu + 2 * axes.deviations[1] * axes.directions[1:2])
    assert torch.equal(axes.shifted(codes[0], [0.0]).mu, codes[0].mu)


def test_properties_say_what_the_eye_says():
    photo = datasets.sample_photo("coffee", 96)
    plain = latent.properties(photo)
    grey = latent.properties(photo.mean(1, keepdim=True).expand_as(photo))
    dark, flat = latent.properties(0.5 * photo), latent.properties(0.5 + 0.3 * (photo - 0.5))
    blue = latent.properties(photo * torch.tensor([0.8, 0.9, 1.0])[:, None, None])
    assert grey["colourfulness"] < 0.1 * plain["colourfulness"] and dark["brightness"] < plain["brightness"]
    assert flat["contrast"] < 0.5 * plain["contrast"] and blue["warmth"] < plain["warmth"]


def test_stroke_size_is_the_same_for_a_picture_laid_on_its_side():
    y, x = torch.meshgrid(torch.arange(64.0), torch.arange(64.0), indexing="ij")
    mixed = (0.5 + 0.2 * (torch.pi * x / 2).sin() + 0.2 * (torch.pi * y / 8).sin()).expand(1, 3, 64, 64)
    assert latent.stroke_size(mixed) == pytest.approx(latent.stroke_size(mixed.mT), rel=1e-4)


@pytest.mark.parametrize("period", [4, 8, 16])
def test_stroke_size_is_the_wavelength_of_stripes(period):
    stripes = (torch.arange(64) * 2 * torch.pi / period).sin() / 2 + 0.5
    assert latent.stroke_size(stripes.expand(1, 3, 64, 64)) == pytest.approx(period, rel=0.05)


def test_axes_of_the_model_are_named_by_what_they_do():
    model = st.load("vgg19-slim", "cpu")
    codes = [model.encode_style(styles.generate(kind, 96, seed)) for kind in styles.GENERATORS for seed in (0, 1)]
    axes = latent.principal_axes(codes, 2)
    photos = [datasets.sample_photo(name, 96) for name in ("coffee", "chelsea")]
    effects = latent.axis_effects(model, photos, codes, axes)
    assert len(effects) == 2 and all(len(values) == 2 for values in effects[0].values())
    assert max(abs(np.mean(values)) for values in effects[0].values()) > 0.3
    prop, larger = next((prop, words.index(latent.axis_name(effects[0])))
                        for prop, words in latent.WORDS.items() if latent.axis_name(effects[0]) in words)
    assert (np.mean(effects[0][prop]) > 0) == larger
    assert abs(np.mean(effects[0][prop])) == max(abs(np.mean(values)) for values in effects[0].values())
    assert latent.axis_name({"warmth": [0.5], "contrast": [-2.0], "brightness": [1.0]}, 1) == "brighter"


def test_nearest_neighbours_are_measured_against_those_of_the_known():
    known = torch.tensor([[0.0], [1.0], [2.0], [4.0]])
    among = torch.cdist(known, known)
    assert latent.own_nearest(among).tolist() == [1, 1, 1, 2]
    assert latent.nearest_ratio(torch.cdist(torch.tensor([[1.0], [7.0]]), known), among) == [0, 3]
    assert latent.own_margin(torch.cdist(known, known)).tolist() == [1, 1, 1, 2]
    assert (latent.own_margin(among.roll(1, 1)) < 0).all()


def test_a_name_is_tried_where_it_was_not_given():
    effects = {"brightness": [2.0, 2.0, -9.0], "contrast": [1.0, 1.0, 1.0]}
    # brightness by the others: -3.5, -3.5, 2
    assert latent.held_out_effects(effects) == [-2, -2, -9]
    assert latent.held_out_effects(effects, {"brightness": [0.0] * 3, "contrast": [-5.0] * 3}) == [-1, -1, -1]
    assert latent.held_out_effects({"brightness": [-3.0]}) == [3]


@torch.no_grad()
def test_styles_from_the_prior_scale_and_pictures_find_themselves():
    model = st.load("vgg19-slim", "cpu")
    near, far = (latent.from_prior(model, 2, torch.Generator().manual_seed(0), scale) for scale in (1.0, 3.0))
    torch.testing.assert_close(far[1].mu, 3 * near[1].mu)
    moved = latent.resampled(near, torch.Generator().manual_seed(1))
    assert latent.code_distances(near, near).diagonal().abs().max() < 1e-3 < latent.code_distances(moved, near).min()
    pictures = torch.cat([styles.generate(kind, 64, 0) for kind in ("mosaic", "woodcut", "marbling")])
    found = latent.style_distances(weights.feature_distances(), pictures, pictures)
    assert found.shape == (3, 3) and torch.allclose(found.diagonal(), torch.zeros(3), atol=1e-4)
    assert (latent.own_margin(found) > 0).all()
