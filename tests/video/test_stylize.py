"""From clip to clip: sound, times, resuming, and never half a file."""

import weakref
from dataclasses import replace
from fractions import Fraction

import av
import numpy as np
import pytest

from stvae_lib import InputError, load_image
from stvae_lib.files import alone_in
from stvae_lib.pictures import datasets
from stvae_lib.pictures.images import list_images, save_image, to_array, to_tensor
from stvae_lib.video.clips import Film, Frame, FrameFolder
from stvae_lib.video.keyframes import StyleTrack
from stvae_lib.video.styler import PER_FRAME, Stability, Styler
from stvae_lib.video.stylize import stylize_clip


class Plain:
    """Stands in for a styler: every frame as it is, counted."""

    def __init__(self, stop=None):
        self.stop, self.seen = stop, []

    def __call__(self, frame):
        if frame.number == self.stop:
            raise KeyboardInterrupt
        self.seen.append(frame.number)
        return frame.picture.astype(np.float32) / 255

    def state(self, last):
        return {}

    def restore(self, state):
        pass

    def identity(self):
        return {}


def pictures_of(path):
    return [frame.picture for frame in Film(path).frames()]


def sound_of(path):
    with av.open(str(path)) as container:
        return np.concatenate([frame.to_ndarray().ravel() for frame in container.decode(audio=0)])


def only(out, *others):
    """Nothing lies beside the result but its sources."""
    return {path.name for path in out.parent.iterdir()} == {out.name, *others}


@pytest.mark.parametrize("times", [[0, 3, 11, 12, 40, 41, 43, 90], [0, 4, 8, 12, 20, 24, 28, 32]], ids=["variable", "gap"])
@pytest.mark.parametrize("name", ["out.mp4", "out.mkv", "out.webm"])
def test_pictures_times_and_sound_come_through(name, times, make_clip, tmp_path):
    source, out = make_clip(times=times, sound=1.0), tmp_path / name
    made = stylize_clip(Film(source), Plain(), out, segment=3)
    assert (made.frames, made.resumed, made.lost) == (8, 0, 0) and only(out, "clip.mp4")
    frames = list(Film(out).frames())
    assert [frame.time for frame in frames] == pytest.approx([time / 100 for time in times], abs=1e-3)
    for before, after in zip(pictures_of(source), (frame.picture for frame in frames)):
        assert np.abs(before.astype(float) - after).mean() < 6
    if name != "out.webm":  # which takes no AAC
        heard = sound_of(source)
        assert np.array_equal(heard, sound_of(out)[-len(heard):])  # Matroska plays the encoder's lead, pictures later by as much


@pytest.mark.parametrize("name", ["out.mp4", "out.webm"])
def test_colours_come_through(name, make_clip, tmp_path):
    patch = np.zeros((48, 64, 3), np.uint8)
    patch[:, :32], patch[:, 32:] = (200, 40, 60), (30, 160, 90)
    stylize_clip(Film(make_clip(shown=[patch], pix_fmt="yuv444p")), Plain(), tmp_path / name)
    after, = pictures_of(tmp_path / name)
    for half in (np.s_[8:40, 4:28], np.s_[8:40, 36:60]):
        assert np.abs(after[half].mean((0, 1)) - patch[half].mean((0, 1))).max() < 5  # another matrix of colours would be 10 off


@pytest.mark.parametrize("name", ["out.mov", "out.mkv", "out.webm"])
def test_every_format_keeps_the_sound(name, make_clip, tmp_path):
    out = tmp_path / name
    stylize_clip(Film(make_clip(sound=0.5)), Plain(), out)
    assert len(pictures_of(out)) == 8
    heard = sound_of(out)
    assert 0.45 * 48000 < len(heard) < 0.6 * 48000 and np.abs(heard).max() > 0.2


def test_ways_of_the_camera_are_resolved_in_the_result(make_clip, tmp_path):
    out = tmp_path / "out.mp4"
    stylize_clip(Film(make_clip(rotation=90)), Plain(), out)
    with av.open(str(out)) as container:
        frame = next(container.decode(video=0))
        assert (frame.width, frame.height, frame.rotation) == (48, 64, 0)


@pytest.mark.parametrize(("rotation", "shown"), [(0, Fraction(4, 3)), (90, Fraction(3, 4)), (180, Fraction(4, 3))])
def test_pixels_that_are_not_square_keep_their_shape_when_they_are_turned(rotation, shown, make_clip, tmp_path):
    out = tmp_path / "out.mp4"
    stylize_clip(Film(make_clip(rotation=rotation, pixel_aspect=Fraction(4, 3))), Plain(), out)
    with av.open(str(out)) as container:
        assert container.streams.video[0].sample_aspect_ratio == shown


def test_an_odd_side_gains_a_pixel_in_a_film_and_none_in_a_folder(make_clip, pictures, tmp_path):
    source = make_clip(shown=[picture[:37, :51] for picture in pictures], pix_fmt="yuv444p")
    stylize_clip(Film(source), Plain(), tmp_path / "out.mp4")
    assert pictures_of(tmp_path / "out.mp4")[0].shape == (38, 52, 3)
    stylize_clip(Film(source), Plain(), tmp_path / "frames")
    files = list_images(tmp_path / "frames")
    assert [file.name for file in files][:2] == ["000000.png", "000001.png"] and len(files) == 8
    assert np.array_equal(to_array(load_image(files[3])), pictures_of(source)[3])


def test_a_folder_becomes_a_film_and_keeps_names_as_a_folder(tmp_path, pictures):
    (tmp_path / "in").mkdir()
    for number, picture in enumerate(pictures):
        save_image(to_tensor(picture), tmp_path / "in" / f"shot{number}.png")
    folder = FrameFolder(tmp_path / "in", rate=Fraction(10))
    stylize_clip(folder, Plain(), tmp_path / "out.mp4")
    assert [frame.time for frame in Film(tmp_path / "out.mp4").frames()] == pytest.approx([number / 10 for number in range(8)])
    stylize_clip(folder, Plain(), tmp_path / "out")
    assert [file.stem for file in list_images(tmp_path / "out")] == [f"shot{number}" for number in range(8)]


@pytest.mark.parametrize("target", ["out.mp4", "frames"])
@pytest.mark.parametrize("stability", [replace(Stability(), content="average"), PER_FRAME], ids=["steady", "per frame"])
@pytest.mark.parametrize("photo_share", [None, 0.2], ids=["drawn", "finished"])
def test_after_a_kill_the_same_frames_come(photo_share, target, stability, make_clip, model, tmp_path, monkeypatch):
    monkeypatch.setattr(model, "photo_share", photo_share)
    source, track = make_clip(sound=0.3), StyleTrack([(0.0, model.encode_style(datasets.sample_photo("coffee", 64)))])

    def styler():
        return Styler(model, track, stability, sample=True)

    def result(folder):
        out = folder / target
        return pictures_of(out) if out.is_file() else [to_array(load_image(file)) for file in list_images(out)]

    (tmp_path / "whole").mkdir()
    (tmp_path / "killed").mkdir()
    stylize_clip(Film(source), styler(), tmp_path / "whole" / target, segment=3)
    killed, out = styler(), tmp_path / "killed" / target
    plain_call = Styler.__call__

    def until_seven(self, frame):
        if self is killed and frame.number == 7:
            raise KeyboardInterrupt
        return plain_call(self, frame)

    monkeypatch.setattr(Styler, "__call__", until_seven)
    with pytest.raises(KeyboardInterrupt):
        stylize_clip(Film(source), killed, out, segment=3)
    assert not out.is_file() and (tmp_path / "killed" / f"{target}.parts").is_dir()
    (tmp_path / "killed" / f"{target}.parts" / ".stvae-ab.safetensors").touch()  # killed while a state was written
    made = stylize_clip(Film(source), styler(), out, segment=3)
    assert (made.frames, made.resumed) == (8, 6) and only(out)
    for whole, resumed in zip(result(tmp_path / "whole"), result(tmp_path / "killed"), strict=True):
        assert np.array_equal(whole, resumed)


def test_parts_of_other_work_are_not_gone_on_with(make_clip, tmp_path):
    source, out = make_clip(), tmp_path / "out.mp4"
    with pytest.raises(KeyboardInterrupt):
        stylize_clip(Film(source), Plain(stop=5), out, segment=3)
    other = Plain()
    assert stylize_clip(Film(source, 32), other, out, segment=3).resumed == 0 and len(other.seen) == 8 and only(out, "clip.mp4")


def test_a_stop_before_anything_is_whole_leaves_nothing(make_clip, tmp_path):
    source, out = make_clip(), tmp_path / "out.mp4"
    with pytest.raises(KeyboardInterrupt):
        stylize_clip(Film(source), Plain(stop=2), out, segment=3)
    assert [path.name for path in tmp_path.iterdir()] == ["clip.mp4"]


def test_two_processes_do_not_work_on_one_result(make_clip, tmp_path):
    with alone_in(tmp_path / "out.mp4.parts"), pytest.raises(InputError, match="is being worked in by another process"):
        stylize_clip(Film(make_clip()), Plain(), tmp_path / "out.mp4")
    stylize_clip(Film(make_clip()), Plain(), tmp_path / "out.mp4")
    assert only(tmp_path / "out.mp4", "clip.mp4")


def test_frames_that_are_gone_are_not_gone_on_without(make_clip, tmp_path):
    source, out = make_clip(), tmp_path / "frames"
    with pytest.raises(KeyboardInterrupt):
        stylize_clip(Film(source), Plain(stop=5), out, segment=3)
    (out / "000001.png").unlink()
    with pytest.raises(InputError, match=r"000001.png: was made before and is gone; delete .*frames.parts to begin anew"):
        stylize_clip(Film(source), Plain(), out, segment=3)


def test_foreign_folders_are_left_alone(make_clip, tmp_path):
    (tmp_path / "out.mp4.parts").mkdir()
    with pytest.raises(InputError, match="move it away"):
        stylize_clip(Film(make_clip()), Plain(), tmp_path / "out.mp4")


def test_targets_that_cannot_be(make_clip, tmp_path):
    clip = Film(make_clip())
    for name, problem in {"out.gif": "unknown film format", "nowhere/out.mp4": "lies in no folder"}.items():
        with pytest.raises(InputError, match=problem):
            stylize_clip(clip, Plain(), tmp_path / name)


def test_memory_does_not_grow_with_the_film(tmp_path, pictures):
    """However long it is: no frame is read before those before are done, and at most three are there at a time."""
    there, read, most = [], [], []

    class Long:
        size, rate, time_base, pixel_aspect, count, lost = None, Fraction(25), Fraction(1, 25), 1, 60, 0

        def identity(self):
            return []

        def frames(self):
            for number in range(self.count):
                picture = pictures[number % 8].copy()
                there.append(number)
                weakref.finalize(picture, there.remove, number)
                read.append(number)
                yield Frame(picture, number, number, 1, number / 25, str(number))
                del picture

    class Watching(Plain):
        def __call__(self, frame):
            assert len(read) == len(self.seen) + 1
            most.append(len(there))
            return super().__call__(frame)

    assert stylize_clip(Long(), Watching(), tmp_path / "out.mp4", segment=20).frames == 60
    assert len(most) == 60 and max(most) <= 3
