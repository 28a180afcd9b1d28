import numpy as np
import pytest
import torch

from stvae_lib import weights
from stvae_lib.baselines import films
from stvae_lib.pictures import datasets
from stvae_lib.pictures.images import to_tensor
from stvae_lib.video.camera import CameraMove
from stvae_lib.video.coherence import looks


@pytest.fixture(scope="module")
def pictures():
    return [frame.picture for frame in CameraMove(datasets.sample_photo("coffee"), (48, 64), count=30).frames()][14:17]


@pytest.fixture(scope="module")
def style():
    return datasets.sample_photo("chelsea", 64)


def test_every_frame_but_the_first_begins_as_the_last_result_carried_along(pictures, style, monkeypatch):
    begun = []

    def watched(content, *arguments, start, iterations, **options):
        begun.append((content if start is None else start, iterations))
        return 1 - begun[-1][0], None

    monkeypatch.setattr(films, "method_2", watched)
    film = films.FilmByMethod2(style, None, first=7, others=3)
    results = [film(picture) for picture in pictures]
    assert [iterations for _, iterations in begun] == [7, 3, 3]
    assert torch.equal(begun[0][0], to_tensor(pictures[0])) and np.array_equal(results[0], 255 - pictures[0])
    inside = np.s_[..., 4:-4, 4:-4]
    carried, there = begun[1][0], 1 - to_tensor(pictures[1])
    still = 1 - to_tensor(pictures[0])
    assert (carried - there)[inside].abs().mean() < 0.5 * (still - there)[inside].abs().mean()


def test_it_draws_frames_in_the_style(pictures, style):
    film = films.FilmByMethod2(style, weights.loss_network(), first=8, others=2)
    results = [film(picture) for picture in pictures[:2]]
    distances = weights.feature_distances().calibrate([style])
    found = [looks([result], [pictures[1]], style, distances)["style"] for result in (pictures[1], *results)]
    assert results[1].shape == pictures[1].shape and results[1].dtype == np.uint8 and max(found[1:]) < found[0]
