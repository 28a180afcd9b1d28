"""Films and folders of frames, read."""

from itertools import pairwise

import numpy as np
import pytest

from stvae_lib import InputError
from stvae_lib.pictures.images import save_image, to_tensor
from stvae_lib.video.clips import Film, FrameFolder, open_clip


def difference(first, second):
    return float(np.abs(first.astype(float) - second).mean())


def test_a_film_comes_back_frame_by_frame(make_clip, pictures):
    film = Film(make_clip(sound=0.3))
    frames = list(film.frames())
    assert film.count == len(frames) == len(pictures) and film.lost == 0 and film.rate == 25
    assert max(difference(frame.picture, picture) for frame, picture in zip(frames, pictures)) < 4
    assert [frame.number for frame in frames] == list(range(8))
    assert [frame.time for frame in frames] == pytest.approx([0.04 * number for number in range(8)])


@pytest.mark.parametrize("turn", [90, 180, -90])
def test_a_turned_film_is_upright(turn, make_clip, pictures):
    first = next(Film(make_clip(rotation=turn, pix_fmt="yuv444p")).frames()).picture
    assert difference(first, np.rot90(pictures[0], turn // 90)) < 6


def test_a_mirrored_film_is_mirrored_back(make_clip, pictures):
    first = next(Film(make_clip(mirrored=True, pix_fmt="yuv444p")).frames()).picture
    assert difference(first, pictures[0][:, ::-1]) < 6


def test_times_of_a_variable_rate_are_kept(make_clip):
    times = [0, 3, 11, 12, 40, 41, 43, 90]
    frames = list(Film(make_clip(times=times)).frames())
    assert [frame.time for frame in frames] == pytest.approx([time / 100 for time in times])
    assert all(first.pts < second.pts for first, second in pairwise(frames))


@pytest.mark.parametrize("how", [{"codec": "ffv1", "pix_fmt": "yuv420p10le", "name": "clip.mkv"},
                                 {"codec": "libx265", "pix_fmt": "yuv420p10le"}, {"pix_fmt": "yuvj420p"},
                                 {"codec": "libvpx-vp9", "name": "clip.webm"}, {"codec": "mpeg4", "name": "clip.avi"}])
def test_ten_bits_full_range_and_other_codecs(how, make_clip, pictures):
    frames = list(Film(make_clip(**how)).frames())
    assert len(frames) == 8 and difference(frames[0].picture, pictures[0]) < 6


def test_odd_sizes_and_smaller_ones(make_clip, pictures):
    odd = [picture[:37, :51] for picture in pictures]
    path = make_clip(shown=odd, pix_fmt="yuv444p")
    assert {frame.picture.shape for frame in Film(path).frames()} == {(37, 51, 3)}
    assert {frame.picture.shape for frame in Film(path, 32).frames()} == {(23, 32, 3)}
    assert next(Film(path, 500).frames()).picture.shape == (37, 51, 3)
    with pytest.raises(InputError, match="at least 16"):
        next(Film(path, 18).frames())


def test_one_frame_is_a_film(make_clip, pictures):
    assert len(list(Film(make_clip(shown=pictures[:1])).frames())) == 1


def test_a_broken_frame_is_left_out_and_the_rest_is_there(make_clip, pictures):
    path = make_clip("clip.mov", codec="png", pix_fmt="rgb24")
    head, *coded = path.read_bytes().split(b"\x89PNG")
    path.write_bytes(b"\x89PNG".join([head, *coded[:3]]) + b"\x00BAD" + b"\x89PNG".join(coded[3:]))
    film = Film(path)
    frames = list(film.frames())
    assert film.lost == 1 and [frame.time for frame in frames] == pytest.approx([0, 0.04, 0.08, 0.16, 0.2, 0.24, 0.28])
    assert np.array_equal(frames[-1].picture, pictures[-1])


def test_a_truncated_film_gives_what_is_there(make_clip):
    path = make_clip("clip.mkv")
    path.write_bytes(path.read_bytes()[:-len(path.read_bytes()) // 3])
    assert 2 <= len(list(Film(path).frames())) < 8


def test_what_is_no_film_is_told_in_one_line(make_clip, tmp_path):
    whole = make_clip("whole.mp4").read_bytes()
    (tmp_path / "empty.mp4").touch()
    (tmp_path / "text.mp4").write_text("this is no film")
    (tmp_path / "cut.mp4").write_bytes(whole[:len(whole) // 2])  # what says where frames lie stands at the end
    make_clip("music.m4a", alone=True, sound=0.2)
    for name, problem in {"empty.mp4": "no film", "text.mp4": "no film", "cut.mp4": "no film", "missing.mp4": "no such file",
                          "music.m4a": "no moving pictures"}.items():
        with pytest.raises(InputError, match=problem) as caught:
            list(Film(tmp_path / name).frames())
        assert str(caught.value).startswith(f"{tmp_path / name}: ") and "\n" not in str(caught.value)


def test_a_folder_of_frames(tmp_path, pictures):
    for number in (2, 0, 1):
        save_image(to_tensor(pictures[number]), tmp_path / f"frame{number}.png")
    (tmp_path / "frame3.png").write_text("no picture")
    folder = open_clip(tmp_path, rate=10)
    frames = list(folder.frames())
    assert isinstance(folder, FrameFolder) and folder.count == 4 and folder.lost == 1
    assert all(np.array_equal(frame.picture, picture) for frame, picture in zip(frames, pictures)) and len(frames) == 3
    assert [frame.name for frame in frames] == ["frame0", "frame1", "frame2"] and frames[2].time == pytest.approx(0.2)


def test_only_a_folder_is_given_a_rate(make_clip, tmp_path):
    with pytest.raises(InputError, match="rate of its own"):
        open_clip(make_clip(), rate=10)
    for rate in (0, 0.0004, -1, float("inf"), float("nan")):
        with pytest.raises(InputError, match="out of range"):
            open_clip(tmp_path, rate=rate)


def test_colours_survive(make_clip):
    patch = np.zeros((48, 64, 3), np.uint8)
    patch[:, :32], patch[:, 32:] = (200, 40, 60), (30, 160, 90)
    first = next(Film(make_clip(shown=[patch], pix_fmt="yuv444p")).frames()).picture
    assert difference(first, patch) < 4
