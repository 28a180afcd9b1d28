"""Flow, known and estimated, blending along it, and the measures that rest on it."""

import cv2
import numpy as np
import pytest
import torch

from stvae_lib import weights
from stvae_lib.pictures import datasets
from stvae_lib.pictures.images import to_array
from stvae_lib.video.camera import CameraMove
from stvae_lib.video.coherence import Motion, Retrieval, estimated_motion, exact_motion, looks, shots, warping_errors
from stvae_lib.video.contrast import octaves, restored
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
    rng, blender = np.random.default_rng(0), Blender(0.7, restore=False)
    noisy = [np.float32(picture / 255 + rng.normal(0, 0.05, picture.shape)).clip(0, 1) for picture in seen[:8]]
    blended = [blender(picture, output, False) for picture, output in zip(seen, noisy)]
    films = {name: [np.uint8(255 * frame) for frame in film] for name, film in (("plain", noisy), ("blended", blended))}
    errors = warping_errors(films, exact_motion(slow), [0] * 8, 1)
    assert errors["blended"] < 0.6 * errors["plain"]


def test_a_cut_and_no_share_blend_nothing(seen):
    blender, none = Blender(0.7, restore=True), Blender(0.0, restore=False)
    first, second = (np.float32(picture / 255) for picture in (seen[0], seen[9]))
    blender(seen[0], first, False)
    assert np.array_equal(blender(seen[9], second, True), second)
    none(seen[0], first, False)
    assert np.array_equal(none(seen[9], second, False), second)


@pytest.mark.parametrize("shape", [(16, 16), (17, 31)])
def test_the_smallest_frames_have_flow_and_contrast(shape):
    frame = np.random.default_rng(0).integers(0, 255, (*shape, 3), dtype=np.uint8)
    assert flow_between(frame, frame).shape == (*shape, 2)
    output = np.float32(frame / 255)
    assert restored(output, output) == pytest.approx(output, abs=1e-5)


def test_contrast_of_every_octave_is_given_back_and_what_is_flat_stays_flat(seen):
    like = np.float32(seen[3] / 255)
    blurred = cv2.GaussianBlur(like, (0, 0), 0.8)
    found = restored(0.9 * blurred + 0.05, like)
    lost, kept = ([np.abs(1 - band.std() / wanted.std()) for band, wanted in zip(octaves(picture), octaves(like))]
                  for picture in (blurred, found))
    assert lost[0] > 0.25 and max(kept) < 0.12 and found.mean((0, 1)) == pytest.approx(like.mean((0, 1)), abs=0.01)
    flat = restored(np.full_like(like, 0.3), like)
    assert flat.std((0, 1)).max() < 0.01


def test_a_restored_blend_is_steady_and_as_sharp_as_frames_by_themselves(slow, seen):
    """Strokes of noise: their mean over frames lacks contrast, which is given back."""
    rng = np.random.default_rng(0)
    strokes = [cv2.GaussianBlur(rng.normal(0, 1, picture.shape), (0, 0), 1.5) for picture in seen[:10]]
    outputs = [np.float32(picture / 255 + 0.6 * stroke).clip(0, 1) for picture, stroke in zip(seen, strokes)]
    films = {"plain": outputs}
    for restore in (False, True):
        blender = Blender(0.8, restore)
        films[restore] = [blender(picture, output, False) for picture, output in zip(seen, outputs)]
    wide = {name: np.mean([octaves(frame)[1].std() for frame in film[3:]]) for name, film in films.items()}
    errors = warping_errors({name: [np.uint8(255 * frame) for frame in film] for name, film in films.items()},
                            exact_motion(slow), [0] * 10, 1)
    assert wide[False] < 0.9 * wide["plain"] and wide[True] == pytest.approx(wide["plain"], rel=0.05)
    assert errors[False] < errors[True] < 0.5 * errors["plain"]


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
    rows = {name: looks(film, seen[:4], style, distances) for name, film in (("sharp", sharp), ("blurred", blurred))}
    assert errors["blurred"] < errors["sharp"]
    assert rows["blurred"]["sharpness"] < rows["sharp"]["sharpness"] and rows["blurred"]["style"] != rows["sharp"]["style"]
    assert looks(seen[:1], seen[:1], style, distances)["lost structure"] == pytest.approx(0, abs=1e-5)
    assert looks(seen[:1], [seen[0][:, ::-1].copy()], style, distances)["lost structure"] > 0.3


def test_frames_are_found_in_their_style_whatever_their_colours_and_blurred_ones_are_not():
    from scipy.ndimage import gaussian_filter
    styles = datasets.style_images(size=128, count=4)
    found = Retrieval(styles, weights.feature_distances().calibrate(list(styles.values())))
    for name, style in styles.items():
        picture = to_array(style)
        tinted = np.uint8(picture[:, ::-1, [2, 0, 1]] * np.array([0.5, 0.6, 0.7]) + 40)
        assert found([picture, tinted], name) == 1
    assert np.mean([found([gaussian_filter(to_array(style), (5, 5, 0))], name) for name, style in styles.items()]) <= 0.5


def test_what_is_carried_along_a_wrong_flow_looks_steady_along_that_flow_alone(seen):
    def wrong(first, second):
        return flow_between(first, second) + np.float32([1.5, 0])

    carried = [np.uint8(np.random.default_rng(0).integers(0, 255, seen[0].shape))]
    for before, picture in zip(seen, seen[1:5]):
        carried.append(warp(carried[-1], wrong(picture, before)).clip(0, 255).astype(np.uint8))
    def own(first, second):
        flow = wrong(seen[first], seen[second])
        return Motion(flow, inside(flow))

    along, across = (warping_errors({"film": carried}, motion, [0] * 5, 1)["film"] for motion in (own, estimated_motion(seen)))
    assert along < 0.2 * across


def test_the_measuring_flow_finds_a_known_motion(slow, seen):
    exact, found = exact_motion(slow)(6, 5), estimated_motion(seen)(6, 5)
    assert found.seen.mean() > 0.8 and np.abs(found.flow - exact.flow)[found.seen].mean() < 0.5
