"""`stvae video`, as a user calls it."""

import av
import numpy as np
import pytest
from common import ROOT

from stvae_lib.cli import main
from stvae_lib.pictures.images import list_images
from stvae_lib.video.clips import Film

GLASS, WOODCUT = (str(ROOT / "data" / "styles" / f"{name}_0.png") for name in ("stained_glass", "woodcut"))


def pictures_of(path):
    return [frame.picture for frame in Film(path).frames()]


def test_a_film_in_a_style(make_clip, tmp_path, capfd):
    out = tmp_path / "out.mp4"
    assert main(["video", str(make_clip(sound=0.3)), GLASS, "-o", str(out), "--device", "cpu"]) == 0
    made = capfd.readouterr()
    assert made.out == f"{out}: 8 frames\n" and "8/8" in made.err
    assert len(pictures_of(out)) == 8 and {path.name for path in tmp_path.iterdir()} == {"clip.mp4", "out.mp4"}


def test_styles_at_their_times(make_clip, tmp_path):
    source, plain, moving = make_clip(), tmp_path / "plain", tmp_path / "moving"
    options = ["--device", "cpu", "--per-frame"]
    assert main(["video", str(source), GLASS, WOODCUT, "-o", str(plain), "--mix", "1", "0", *options]) == 0
    assert main(["video", str(source), "--at", "0:00", GLASS, "--at", "0.2", GLASS, WOODCUT, "-o", str(moving), *options]) == 0
    first, second = ([file.read_bytes() for file in list_images(folder)] for folder in (plain, moving))
    assert first[0] == second[0] and first[7] != second[7] and len(second) == 8


@pytest.mark.parametrize("arguments, problem", [
    ([], "styles: are not given"), ([GLASS, "--at", "0", GLASS], "styles: are given twice"),
    (["--at", "soon", GLASS], "time 'soon'"), (["--at", "0"], "--at 0: names no style"),
    ([GLASS, "--at", "0:05"], "--at 0:05: names no style"),
    ([GLASS, "--content", "none"], "--content"), ([GLASS, "--blend", "2"], "--blend"),
    ([GLASS, "--strength", "2"], "strength 2"), ([GLASS, "--rate", "10"], "rate of its own"), (["nothing.png"], "no such file")])
def test_bad_calls_are_told_in_one_line(arguments, problem, make_clip, tmp_path, capfd):
    assert main(["video", str(make_clip()), *arguments, "-o", str(tmp_path / "out.mp4"), "--device", "cpu"]) == 2
    lines = capfd.readouterr().err.strip().splitlines()
    assert len(lines) == 1 and lines[0].startswith("stvae: ") and problem in lines[0]
    assert [path.name for path in tmp_path.iterdir()] == ["clip.mp4"]


def test_a_size_that_is_none_is_refused(make_clip, tmp_path, capfd):
    with pytest.raises(SystemExit) as ended:
        main(["video", str(make_clip()), GLASS, "--size", "4", "-o", str(tmp_path / "out.mp4")])
    assert ended.value.code == 2 and "--size: '4' is no whole number from 16" in capfd.readouterr().err


@pytest.mark.parametrize("name, how, made", [
    ("one.mp4", {}, (1, 48, 64)), ("odd.mp4", {"pix_fmt": "yuv444p"}, (8, 37, 51)),
    ("ten.mkv", {"codec": "ffv1", "pix_fmt": "yuv420p10le"}, (8, 48, 64)),
    ("hevc.mp4", {"codec": "libx265", "pix_fmt": "yuv420p10le"}, (8, 48, 64))])
def test_unusual_films_become_whole_films(name, how, made, make_clip, pictures, tmp_path, capfd):
    count, height, width = made
    shown = [picture[:height, :width] for picture in pictures[:count]]
    source, out = make_clip(name, shown=shown, sound=0.3, **how), tmp_path / "out.mp4"
    assert main(["video", str(source), GLASS, "-o", str(out), "--device", "cpu"]) == 0
    found = pictures_of(out)
    assert len(found) == count and capfd.readouterr().out == f"{out}: {count} frames\n"
    assert found[0].shape[:2] == (height + height % 2, width + width % 2)  # what players want: even sides
    with av.open(str(out)) as container:
        assert container.streams.video[0].format.name == "yuv420p" and len(container.streams.audio) == 1
    assert {path.name for path in tmp_path.iterdir()} == {name, "out.mp4"}


@pytest.mark.parametrize("kept", [0.2, 0.5, 0.7, 0.97])
def test_a_truncated_film_becomes_a_whole_shorter_one_or_a_line(kept, make_clip, tmp_path, capfd):
    source, out = make_clip("cut.mkv", sound=0.3), tmp_path / "out.mp4"
    source.write_bytes(source.read_bytes()[:int(kept * source.stat().st_size)])
    status = main(["video", str(source), GLASS, "-o", str(out), "--device", "cpu"])
    lines = [line for line in capfd.readouterr().err.splitlines() if line.startswith("stvae: ")]
    assert {path.name for path in tmp_path.iterdir()} == {"cut.mkv", "out.mp4"} - ({"out.mp4"} if status == 2 else set())
    if status == 2:
        assert len(lines) == 1 and "cut.mkv" in lines[0]
    else:
        assert 1 <= len(pictures_of(out)) <= 8 and len(lines) == status


@pytest.mark.parametrize("name", ["empty.mp4", "music.m4a", "cut.mp4", "small.mp4"])
def test_bad_films_are_told_in_one_line(name, make_clip, pictures, tmp_path, capfd):
    (tmp_path / "empty.mp4").touch()
    make_clip("music.m4a", alone=True, sound=0.2)
    make_clip("small.mp4", shown=[picture[:8, :8] for picture in pictures], pix_fmt="yuv444p")
    whole = make_clip("whole.mp4").read_bytes()
    (tmp_path / "cut.mp4").write_bytes(whole[:len(whole) // 2])
    before = set(tmp_path.iterdir())
    assert main(["video", str(tmp_path / name), GLASS, "-o", str(tmp_path / "out.mp4"), "--device", "cpu"]) == 2
    lines = [line for line in capfd.readouterr().err.splitlines() if line.startswith("stvae: ")]
    assert len(lines) == 1 and name in lines[0] and set(tmp_path.iterdir()) == before


def test_a_film_that_lost_a_frame_is_made_and_it_is_told(make_clip, tmp_path, capfd):
    path = make_clip("clip.mov", codec="png", pix_fmt="rgb24", sound=0.3)
    head, *coded = path.read_bytes().split(b"\x89PNG")
    path.write_bytes(b"\x89PNG".join([head, *coded[:3]]) + b"\x00BAD" + b"\x89PNG".join(coded[3:]))
    assert main(["video", str(path), GLASS, "-o", str(tmp_path / "out.mkv"), "--device", "cpu"]) == 1
    assert "1 frames could not be decoded" in capfd.readouterr().err
    assert len(pictures_of(tmp_path / "out.mkv")) == 7


def test_the_source_is_not_replaced(make_clip, capfd):
    path = make_clip()
    before = pictures_of(path)
    assert main(["video", str(path), GLASS, "-o", str(path)]) == 2 and "would replace" in capfd.readouterr().err
    assert all(np.array_equal(first, second) for first, second in zip(before, pictures_of(path)))
