"""Paths between styles: their ends, and the measures of their middle."""

import pytest
import torch

import stvae_lib as st
from stvae_lib import weights
from stvae_lib.analysis import interpolation
from stvae_lib.pictures import datasets, styles


@pytest.fixture(scope="module")
def scene():
    photo = datasets.sample_photo("coffee", 96)
    return st.load("vgg19-slim", "cpu"), photo, styles.generate("stained_glass", 96, 0), styles.generate("brush_strokes", 96, 1)


@pytest.mark.parametrize("name", ["latent mix", "feature-map blend", "pixel blend"])
def test_paths_end_in_the_single_styles(name, scene):
    model, photo, *ends = scene
    for t, style in zip((0.0, 1.0), ends):
        found = interpolation.KINDS[name](model, photo, *ends, t)
        torch.testing.assert_close(found, model.stylize(photo, style), atol=1e-4, rtol=0)


def test_only_a_pixel_blend_is_a_pure_cross_fade(scene):
    model, photo, *ends = scene
    distances = weights.feature_distances().calibrate([photo, *ends])
    found = {name: interpolation.follow(interpolation.KINDS[name], model, distances, photo, *ends, points=5)
             for name in ("latent mix", "pixel blend")}
    assert found["pixel blend"]["cross_fade"] == pytest.approx(1, abs=1e-3)
    assert found["latent mix"]["cross_fade"] < 0.97
    for row in found.values():
        assert len(row["steps"]) == 4 and len(row["to_first"]) == 5
        assert row["to_first"][0] < row["to_first"][-1] and row["to_second"][-1] < row["to_second"][0]
