"""The benchmark of folders, on a dozen tiny pictures."""

import pytest
from common import benchmark

from stvae_lib import InputError, load_image


@pytest.fixture(scope="module")
def folders():
    return benchmark("folders")


def test_one_picture_in_so_many_is_broken_and_no_two_are_alike(folders, tmp_path):
    broken = folders.write_photos(tmp_path / "photos", 24, 32, broken_every=8)
    assert broken == {"00004.jpg", "00012.jpg", "00020.jpg"}
    seen = set()
    for file in (tmp_path / "photos").iterdir():
        if file.name in broken:
            with pytest.raises(InputError):
                load_image(file)
        else:
            assert load_image(file).shape == (1, 3, 32, 32)
            seen.add(file.read_bytes())
    assert len(seen) == 21


@pytest.mark.slow
def test_a_folder_is_gone_on_with_where_its_command_was_killed(folders, tmp_path):
    broken = folders.write_photos(tmp_path / "photos", 30, 32, broken_every=15)
    row = folders.resumed(tmp_path / "photos", broken, "vgg19-slim", 0)
    assert 14 <= row.pop("before_the_kill") < 28 and row.pop("cut_by_the_kill") == 0
    assert row == {"workers": 0, "pictures": 30, "broken": 2, "whole": 28, "named": 2, "named_rightly": True, "twice": 0}


@pytest.mark.slow
def test_a_worker_is_killed_and_nothing_is_lost(folders, tmp_path):
    folders.write_photos(tmp_path / "photos", 12, 64)
    row = folders.speed(tmp_path / "photos", "vgg19-slim", 2, kill=True)
    assert (row["done"], row["whole"], row["lost"], row["killed"]) == (12, 12, 0, 1)
    assert row["pictures_per_second"] == pytest.approx(12 / row["seconds"], rel=0.2)
