import numpy as np
import pytest
import torch
from common import bad_files
from PIL import Image

from stvae_lib import InputError, load_image, save_image
from stvae_lib.pictures.images import list_images, resized, to_array

GRADIENT = np.linspace(0, 255, 40 * 30).reshape(40, 30).astype(np.uint8)


@pytest.mark.parametrize("mode", ["L", "LA", "P", "RGB", "RGBA", "CMYK", "1", "I", "F", "YCbCr", "HSV"])
def test_every_mode_becomes_rgb_in_unit_range(mode, tmp_path):
    path = tmp_path / "picture.tif"
    source = Image.fromarray(GRADIENT)
    if mode in ("YCbCr", "HSV"):
        path = tmp_path / "picture.png"
        source = source.convert("RGB").convert(mode).convert("RGB")
    elif mode == "F":
        source = Image.fromarray(GRADIENT.astype(np.float32) / 255)
    elif mode == "P":
        path = tmp_path / "picture.png"
        source = source.convert("RGB").quantize(64)
    else:
        source = source.convert("RGB").convert(mode) if mode == "CMYK" else source.convert(mode)
    source.save(path)
    image = load_image(path)
    assert image.shape == (1, 3, 40, 30) and image.dtype == torch.float32
    assert 0 <= image.min() < 0.1 and 0.85 < image.max() <= 1


def test_sixteen_bit_grey_keeps_its_range(tmp_path):
    Image.fromarray(np.linspace(0, 65535, 900).reshape(30, 30).astype(np.uint16)).save(tmp_path / "deep.png")
    image = load_image(tmp_path / "deep.png")
    assert image[0, 0, 0, 0] == 0 and image[0, 0, -1, -1] == 1
    assert image.mean() == pytest.approx(0.5, abs=0.01)


def test_transparency_lies_over_white(tmp_path):
    Image.new("RGBA", (20, 20), (255, 0, 0, 0)).save(tmp_path / "clear.png")
    assert (load_image(tmp_path / "clear.png") == 1).all()


def test_exif_rotation_is_applied(tmp_path):
    picture = Image.fromarray(GRADIENT)
    exif = picture.getexif()
    exif[0x0112] = 6  # rotate by 90 degrees when shown
    picture.save(tmp_path / "turned.jpg", exif=exif)
    assert load_image(tmp_path / "turned.jpg").shape == (1, 3, 30, 40)


def test_size_limits_the_longer_side_and_never_enlarges(tmp_path):
    Image.fromarray(GRADIENT).save(tmp_path / "p.png")
    assert load_image(tmp_path / "p.png", size=24).shape == (1, 3, 24, 18)
    assert load_image(tmp_path / "p.png", size=500).shape == (1, 3, 40, 30)


def test_png_round_trip_is_exact(tmp_path):
    image = torch.randint(0, 256, (1, 3, 21, 17)) / 255
    save_image(image, tmp_path / "p.png")
    assert torch.equal(load_image(tmp_path / "p.png"), image)
    assert np.array_equal(to_array(load_image(tmp_path / "p.png")), to_array(image))


def test_bad_files_are_named_in_one_line(tmp_path):
    for name in bad_files(tmp_path):
        with pytest.raises(InputError) as caught:
            load_image(tmp_path / name, size=512)
        assert name in str(caught.value) and "\n" not in str(caught.value)


def test_saving_leaves_all_or_nothing(tmp_path):
    with pytest.raises(InputError, match="format"):
        save_image(torch.rand(1, 3, 16, 16), tmp_path / "out.xyz")
    with pytest.raises(InputError, match="written"):
        save_image(torch.rand(1, 3, 16, 16), tmp_path / "nowhere" / "out.png")
    with pytest.raises(RuntimeError):
        save_image(torch.rand(()), tmp_path / "out.png")
    assert list(tmp_path.iterdir()) == []


def test_folders_without_pictures(tmp_path):
    (tmp_path / "notes.txt").write_text("")
    with pytest.raises(InputError, match="no pictures"):
        list_images(tmp_path)
    with pytest.raises(InputError, match="no such folder"):
        list_images(tmp_path / "missing")


def test_resizing_smooths_what_it_shrinks():
    stripes = (torch.arange(64) % 2).float().expand(1, 3, 64, 64)
    assert resized(stripes, (16, 16)).std() < 0.1 and resized(stripes, (20, 48)).shape == (1, 3, 20, 48)
