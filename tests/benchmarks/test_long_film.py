"""The benchmark of long films, over two seconds of one."""

import json
import subprocess
import sys

import pytest
from common import benchmark

from stvae_lib.pictures import datasets
from stvae_lib.report.archive import read_benchmark
from stvae_lib.video.camera import CameraMove


@pytest.fixture(scope="module")
def long_film():
    return benchmark("long_film")


def test_a_clip_is_played_forth_and_back(long_film):
    move = CameraMove(datasets.sample_photo("coffee", 100), (18, 32), count=4)
    frames = list(long_film.forth_and_back(move, 9))
    wanted = [frame.picture for frame in move.frames()]
    assert [frame.pts for frame in frames] == list(range(9))
    assert all((frame.picture == wanted[place]).all() for frame, place in zip(frames, (0, 1, 2, 3, 2, 1, 0, 1, 2)))


def test_memory_is_noted_and_the_film_comes_whole(long_film, tmp_path):
    long_film.main([0.02, 0.04], 64, tmp_path / "found.json")
    found = json.loads((tmp_path / "found.json").read_text())
    assert [(row["frames"], row["frames made"]) for row in found["rows"]] == [(30, 30), (60, 60)]
    for row in found["rows"]:
        assert row["memory over time"] and 50 < row["peak MB"] < 3000 and row["MB of all frames"] < 1
        assert row["peak MB"] >= max(used for _, used in row["memory over time"])


def test_memory_that_grows_is_seen_and_a_command_that_fails_is_told(long_film):
    program = "import time; time.sleep(1.5); x = bytes(200_000_000) + b'x'; time.sleep(3)"
    grown = long_film.followed([sys.executable, "-c", program])
    assert max(used for _, used in grown) > 150 + grown[0][1]
    with pytest.raises(subprocess.CalledProcessError):
        long_film.followed([sys.executable, "-c", "raise SystemExit(3)"])


def test_ten_minutes_were_recorded_in_the_memory_of_one():
    one, ten = read_benchmark("long_film")["rows"]
    assert (one["minutes"], ten["minutes"]) == (1, 10) and ten["frames made"] == ten["frames"] == 15_000
    assert ten["peak MB"] < 1.1 * one["peak MB"] < one["peak MB"] + 0.5 * ten["MB of all frames"]
