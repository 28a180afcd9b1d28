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


def test_every_way_is_measured_and_blending_is_steadier(video, monkeypatch):
    monkeypatch.setattr(video, "WAYS", {name: video.WAYS[name] for name in ("per frame", "blended")})
    clip = video.camera_move(80, 6)
    style, = datasets.style_images(size=64, count=1).values()
    drawing = video.ways(st.load(video.MODEL, "cpu"), st.load(video.AUTOENCODER, "cpu"), style)
    rows = video.measured(clip, drawing, style, weights.feature_distances().calibrate([style]))
    assert list(rows) == ["input", "per frame", "blended", "AdaIN"]
    near, far = (f"warping error, lag {lag}" for lag in video.LAGS)
    assert rows["input"][near] < rows["blended"][near] < rows["per frame"][near]
    assert math.isnan(rows["input"][far]) and video.rounded(rows)["input"][far] is None
    assert all(row["style"] < rows["input"]["style"] for name, row in rows.items() if name != "input")
