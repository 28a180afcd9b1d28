"""Principal axes of styles and the properties that name them."""

import numpy as np
import pytest
import torch

import stvae_lib as st
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
