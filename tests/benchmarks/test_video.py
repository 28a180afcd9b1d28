"""The benchmark of films, on a few tiny frames."""

import math

import pytest
from common import benchmark

import stvae_lib as st
from stvae_lib import weights
from stvae_lib.pictures import datasets


@pytest.fixture(scope="module")
def video():
    return benchmark("video")


@pytest.fixture(scope="module")
def found(video):
    distances = weights.feature_distances().calibrate([datasets.sample_photo("coffee", 64)])
    return video.Retrieval(datasets.style_images(size=64), distances)


def test_every_way_is_measured_and_neither_blur_nor_blending_alone_wins(video, found, monkeypatch):
    names = ("per frame", "blended", "blended and restored")
    monkeypatch.setattr(video, "WAYS", {name: video.WAYS[name] for name in names})
    styles, clip = datasets.style_images(size=64), video.camera_move(80, 6)
    style = next(iter(styles))
    drawing = video.ways(st.load(video.MODEL, "cpu"), st.load(video.AUTOENCODER, "cpu"), styles[style])
    rows = video.measured(clip, drawing, style, styles, found)
    assert list(rows) == ["input", *names, "per frame, blurred", "AdaIN"]
    near, far = (f"warping error, lag {lag}" for lag in video.LAGS)
    plain, blended, restored, blurred = (rows[name] for name in (*names, "per frame, blurred"))
    assert rows["input"][near] < blended[near] <= restored[near] < plain[near] and blurred[near] < plain[near]
    assert math.isnan(rows["input"][far]) and video.rounded(rows)["input"][far] is None
    assert plain["style"] <= restored["style"] < blended["style"] < blurred["style"]
    assert blurred["sharpness"] < blended["sharpness"] < restored["sharpness"] and blurred["found"] < restored["found"] == 1
    assert rows["input"]["over the input's, lag 1, along the blended flow"] == 1
    assert rows["input"]["lost structure"] == pytest.approx(0, abs=1e-5) and rows["input"]["found"] == 0


def test_method_2_is_followed_over_the_first_frames(video, found, monkeypatch):
    monkeypatch.setattr(video, "FIRST", 6)
    monkeypatch.setattr(video, "OTHERS", (1, 3))
    clip, styles = video.camera_move(64, 6).beginning(3), datasets.style_images(size=64)
    style = next(iter(styles))
    rows = video.measured(clip, video.optimised(styles[style], weights.loss_network()), style, styles, found)
    few, more = (rows[f"method 2, {count} iterations"] for count in (1, 3))
    assert len(clip.pictures) == 3 and few["warping error, lag 1"] < more["warping error, lag 1"]


def test_frames_that_begin_a_shot_are_not_looked_at(video):
    clip = video.Shown([None] * 30, None, None, [0] * 12 + [1] * 18)
    assert clip.looked_at()[0] == 1 and 12 not in clip.looked_at() and len(clip.looked_at()) == 14
    assert clip.beginning(4).looked_at() == [1, 2, 3]
