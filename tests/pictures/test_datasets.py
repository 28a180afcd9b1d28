import pytest
import torch
from PIL import Image

from stvae_lib import InputError
from stvae_lib.pictures.datasets import cache_folder, decoded


@pytest.fixture
def files(tmp_path, monkeypatch):
    """Five pictures, and a cache of their own."""
    monkeypatch.setenv("STVAE_CACHE", str(tmp_path / "cache"))
    folder = tmp_path / "pictures"
    folder.mkdir()
    for name in "abcde":
        Image.effect_noise((40, 30), 90).save(folder / f"{name}.png")
    return sorted(folder.iterdir())


@pytest.mark.parametrize("damage", [lambda data: data[:len(data) // 2], lambda data: b"", lambda data: data[:100],
                                    lambda data: b"\xff" * 8 + data[8:]])
def test_a_damaged_cache_is_written_again(damage, files):
    whole = {name: picture.clone() for name, picture in decoded(files, 24).items()}  # the file itself is mapped into memory
    cache = next(cache_folder().glob("*.safetensors"))
    data = cache.read_bytes()
    cache.unlink()
    cache.write_bytes(damage(data))
    again = decoded(files, 24)
    assert all(torch.equal(again[name], picture) for name, picture in whole.items()) and again.keys() == whole.keys()
    assert cache.read_bytes() == data


def test_all_bad_pictures_are_named_at_once(files):
    for file in files[1:4]:
        file.write_text("no picture")
    with pytest.raises(InputError, match="3 of 5 pictures.*b.png.*c.png.*d.png") as refused:
        decoded(files, 24)
    assert "\n" not in str(refused.value) and not cache_folder().exists()


def test_of_many_bad_pictures_five_are_named(files):
    folder = files[0].parent
    for number in range(40):
        (folder / f"f{number:02}.png").write_text("no picture")
    with pytest.raises(InputError, match=r"40 of 45 pictures.*f04.png.*\| and 35 more; mend") as refused:
        decoded(sorted(folder.iterdir()), 24)
    assert str(refused.value).count("is not a picture") == 5


@pytest.mark.parametrize(("size", "said"), [((1, 20_000), "is 1x20000 pixels; every side must be at least 16 pixels"),
                                            ((16, 20_000), "would be enlarged to 256x320000")])
def test_strips_that_would_fill_the_memory_are_refused(size, said, files):
    Image.new("RGB", size).save(files[0])
    with pytest.raises(InputError, match=f"a.png: .*{said}"):
        decoded(files, 256)
    assert not cache_folder().exists()
