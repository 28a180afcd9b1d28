"""The benchmark of finished films, on a few tiny frames."""

import sys

import numpy as np
from common import benchmark

import stvae_lib as st
from stvae_lib.pictures import datasets


def test_the_first_frame_of_a_shot_is_finished_alike_and_what_is_drawn_is_not_finished(monkeypatch):
    monkeypatch.setitem(sys.modules, "video", video := benchmark("video"))  # here that name is also a folder of tests
    films = benchmark("finished_films")
    model, style = st.load(films.MODEL, "cpu"), next(iter(datasets.style_images(size=64).values()))
    frames = video.camera_move(64, 12).frames[:3]
    made = {name: [draw(frame) for frame in frames] for name, draw in films.ways(model, style).items()}
    own, held, drawn = (made[name] for name in ("finished, per frame", "finished, colours held", "drawn, per frame"))
    assert np.array_equal(own[0], held[0]) and not np.array_equal(own[2], held[2])
    assert np.abs(own[0].astype(int) - drawn[0]).mean() > 3
