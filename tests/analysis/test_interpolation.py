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
        assert row["from_start"][0] == row["from_end"][-1] == 0 and interpolation.progress(row)[[0, -1]].tolist() == [0, 1]
        assert row["to_first"][0] < row["to_first"][-1] and row["to_second"][-1] < row["to_second"][0]


def recorded(kind, pair, from_start, steps=(1.0, 1.0, 1.0, 1.0)):
    """A path by how far its pictures are from the first, and, as if it came back the same way, from the last."""
    from_end = from_start[::-1]
    return {"kind": kind, "pair": pair, "from_start": from_start, "from_end": from_end, "steps": list(steps),
            "to_first": from_start, "to_second": from_end, "cross_fade": 0.5 + pair}


def test_measures_of_a_straight_path_are_zero_and_of_a_late_one_are_not():
    straight, late = recorded("latent mix", 0, [0.0, 1.0, 4.0, 9.0, 16.0]), recorded("AdaIN", 0, [0.0, 0.0, 0.0, 0.0, 16.0])
    late["from_end"] = [16.0, 16.0, 16.0, 16.0, 0.0]
    assert interpolation.progress(straight).tolist() == [0, 0.25, 0.5, 0.75, 1], "squared errors of even steps"
    assert interpolation.unfairness(straight) == 0 and interpolation.unfairness(late) == pytest.approx(0.3)
    assert interpolation.relative_steps(recorded("AdaIN", 0, [0.0], (1.0, 3.0))).tolist() == [0.5, 1.5]


def test_measured_paths_keep_the_order_of_pairs():
    rows = [recorded(kind, pair, [0.0, 1.0, 2.0]) for pair in (1, 0) for kind in interpolation.KINDS]
    found = interpolation.measured(rows)
    assert list(found) == list(interpolation.KINDS) and list(found["AdaIN"]) == list(interpolation.MEASURES)
    assert found["AdaIN"]["cross-fade in the middle"] == [0.5, 1.5]
    assert found["latent mix"]["style distance at the ends"] == [0, 0] and found["pixel blend"]["unevenness of steps"] == [0, 0]
