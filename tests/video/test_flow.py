"""Flow, known and estimated, blending along it, and the measures that rest on it."""

import numpy as np
import pytest
import torch

from stvae_lib import weights
from stvae_lib.pictures import datasets
from stvae_lib.video.camera import CameraMove
from stvae_lib.video.coherence import estimated_motion, exact_motion, looks, shots, warping_errors
from stvae_lib.video.cuts import CutDetector
from stvae_lib.video.flow import Blender, flow_between, inside, visible, warp


@pytest.fixture(scope="module")
def slow():
    """A camera move at the pace of a film, large enough for an estimate of its flow."""
    return CameraMove(datasets.sample_photo("coffee"), (90, 160), count=30)


@pytest.fixture(scope="module")
def seen(slow):
    return [frame.picture for frame in slow.frames()]


def test_the_flow_of_the_camera_move_is_exact(slow, seen):
    for lag, bound in ((1, 0.01), (10, 0.02)):
        errors = warping_errors({"input": seen, "still": [seen[0]] * 30, "next": seen[1:] + seen[-1:]}, exact_motion(slow),
                                [0] * 30, lag)
        assert errors["input"] < bound < errors["still"] / 2
    assert slow.flow(3, 3) == pytest.approx(0, abs=1e-4)
    there, back = slow.flow(4, 9), slow.flow(9, 4)
    assert np.abs(there + warp(back, there))[inside(there)].max() < 0.02


def test_estimated_flow_is_near_the_exact_one(slow, seen):
    forth = flow_between(seen[15], seen[14])
    trusted = visible(forth, flow_between(seen[14], seen[15]))
    assert trusted.mean() > 0.85 and np.abs(forth - slow.flow(15, 14))[trusted].mean() < 0.3


def test_what_is_covered_or_out_of_the_picture_is_not_seen():
    forth = np.zeros((20, 30, 2), np.float32)
    forth[..., 0] = 4                               # all moves to the right: the last four columns leave
    seen = visible(forth, -forth)
    assert seen[:, :26].all() and not seen[:, 26:].any()
    back = -forth
    back[:, 14:] = 0                                # where the second picture says otherwise, something lies before it
    assert not visible(forth, back)[:, 12:].any() and visible(forth, back)[:, :8].all()


def test_blending_lowers_the_warping_error(slow, seen):
    rng, blender = np.random.default_rng(0), Blender(0.7)
    noisy = [np.float32(picture / 255 + rng.normal(0, 0.05, picture.shape)).clip(0, 1) for picture in seen[:8]]
    blended = [blender(picture, output, False) for picture, output in zip(seen, noisy)]
    films = {name: [np.uint8(255 * frame) for frame in film] for name, film in (("plain", noisy), ("blended", blended))}
    errors = warping_errors(films, exact_motion(slow), [0] * 8, 1)
    assert errors["blended"] < 0.6 * errors["plain"]


def test_a_cut_and_no_share_blend_nothing(seen):
    blender, none = Blender(0.7), Blender(0.0)
    first, second = (np.float32(picture / 255) for picture in (seen[0], seen[9]))
    blender(seen[0], first, False)
    assert np.array_equal(blender(seen[9], second, True), second)
    none(seen[0], first, False)
    assert np.array_equal(none(seen[9], second, False), second)


@pytest.mark.parametrize("shape", [(16, 16), (17, 31)])
def test_the_smallest_frames_have_flow(shape):
    frame = np.random.default_rng(0).integers(0, 255, (*shape, 3), dtype=np.uint8)
    assert flow_between(frame, frame).shape == (*shape, 2)


def test_cuts_are_told_at_once_and_moves_are_none(seen):
    other = [np.ascontiguousarray(255 - picture[::-1]) for picture in seen[:5]]
    detector = CutDetector()
    told = [detector(picture) for picture in [*seen[:5], *other, *seen[5:8]]]
    assert [number for number, cut in enumerate(told) if cut] == [5, 10]
    assert shots([*seen[:5], *other]) == [0] * 5 + [1] * 5


def test_pairs_across_a_cut_do_not_count(seen):
    film = [*seen[:3], *[255 - picture for picture in seen[:3]]]
    one, two = (warping_errors({"film": film}, estimated_motion(film), shot, 1)["film"] for shot in ([0] * 6, [0] * 3 + [1] * 3))
    assert two <= one
    assert np.isnan(warping_errors({"film": film}, estimated_motion(film), [0] * 3 + [1] * 3, 4)["film"])


def test_blur_wins_the_warping_error_and_is_found_out_by_the_rest(slow, seen):
    from scipy.ndimage import gaussian_filter
    sharp = [np.uint8(np.random.default_rng(number).normal(0, 6, picture.shape) + picture.clip(30, 220))
             for number, picture in enumerate(seen[:4])]
    blurred = [gaussian_filter(picture, (2, 2, 0)) for picture in sharp]
    errors = warping_errors({"sharp": sharp, "blurred": blurred}, exact_motion(slow), [0] * 4, 1)
    style = datasets.sample_photo("coffee", 160)
    distances = weights.feature_distances().calibrate([style, torch.rand(1, 3, 64, 64)])
    rows = {name: looks(film, style, distances) for name, film in (("sharp", sharp), ("blurred", blurred))}
    assert errors["blurred"] < errors["sharp"]
    assert rows["blurred"]["sharpness"] < rows["sharp"]["sharpness"] and rows["blurred"]["style"] != rows["sharp"]["style"]
