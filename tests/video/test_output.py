import numpy as np

from stvae_lib.video.clips import open_clip
from stvae_lib.video.coherence import time_slice
from stvae_lib.video.output import beside, stacked, write_film


def test_films_side_by_side_are_one_film(move, tmp_path):
    frames = list(move.frames())
    write_film(beside([frames, frames[::-1]]), move, tmp_path / "both.mp4")
    read = [frame.picture for frame in open_clip(tmp_path / "both.mp4").frames()]
    assert len(read) == len(frames) and read[0].shape == (48, 128, 3)
    for side, wanted in ((slice(64), frames[0]), (slice(64, None), frames[-1])):
        assert np.abs(read[0][:, side].astype(int) - wanted.picture).mean() < 8
    assert {path.name for path in tmp_path.iterdir()} == {"both.mp4"}


def test_films_above_each_other_play_again_and_again(move):
    frames = list(move.frames())
    shown = list(stacked([frames, frames[::-1]], repeats=2))
    assert [frame.pts for frame in shown] == list(range(16)) and shown[0].picture.shape == (96, 64, 3)
    assert (shown[8].picture == shown[0].picture).all() and (shown[0].picture[48:] == frames[-1].picture).all()


def test_a_time_slice_is_one_row_of_every_frame(pictures):
    found = time_slice(pictures, 0.25)
    assert found.shape == (8, 64, 3) and all((row == picture[12]).all() for row, picture in zip(found, pictures))
