"""What else was tried to steady films, on a few tiny frames."""

from dataclasses import replace

import numpy as np
import pytest
from common import ROOT, benchmark

import stvae_lib as st
from stvae_lib.pictures import datasets
from stvae_lib.video.camera import CameraMove
from stvae_lib.video.keyframes import StyleTrack
from stvae_lib.video.styler import Stability, Styler


@pytest.fixture(scope="module")
def steadying():
    with pytest.MonkeyPatch.context() as patch:
        patch.syspath_prepend(ROOT / "benchmarks")
        yield benchmark("steadying")


def test_every_way_carries_something_and_the_last_is_what_the_command_does(steadying):
    model = st.load("vgg19-slim", "cpu")
    code = model.encode_style(next(iter(datasets.style_images(size=64, count=1).values())))
    frames = list(CameraMove(datasets.sample_photo("coffee"), (48, 64), count=30).frames())[14:17]
    drawn = {name: [draw(frame) for frame in frames] for name, make in steadying.TRIED.items()
             for draw in [make(model, model.style_from(code))]}
    styler = Styler(model, StyleTrack([(0.0, code)]), replace(Stability(), cuts=False))
    command = [np.rint(255 * styler(frame)).astype(np.uint8) for frame in frames]
    assert all(np.array_equal(one, other) for one, other in zip(drawn.pop("as the command does it"), command))
    for name, pictures in drawn.items():
        assert np.array_equal(pictures[0], command[0]), f"{name}: nothing is carried to the first frame"
        assert not np.array_equal(pictures[1], command[1])


def test_finer_flow_is_flow(steadying):
    first, second = (frame.picture for frame in list(CameraMove(datasets.sample_photo("coffee"), (90, 160), 30).frames())[14:16])
    assert np.abs(steadying.finer_flow(first, second) - steadying.flow_between(first, second)).mean() < 0.2
