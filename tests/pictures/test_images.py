import os
import struct
import tracemalloc
import warnings
from pathlib import Path

import numpy as np
import pytest
import torch
from common import bad_files
from PIL import Image

from stvae_lib import InputError, load_image, save_image
from stvae_lib.pictures import images
from stvae_lib.pictures.images import (
    check_output,
    list_images,
    output_names,
    reason_to_skip,
    resized,
    to_array,
    to_float,
    to_words,
)

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


def test_every_picture_of_a_folder_has_a_result_of_its_own():
    files = [Path("photos") / name for name in ("B.png", "a.jpg", "a.png", "a_jpg.png", "a_png_2.jpg", "b.jpg", "c.d.jpg")]
    names = output_names(files)
    assert names == output_names(files) and list(sorted(names)) == sorted(files)
    assert len({name.casefold() for name in names.values()}) == len(files)
    assert names[files[3]] == "a_jpg" and names[files[6]] == "c.d"
    assert output_names(files[1:4]) == {files[1]: "a_jpg_2", files[2]: "a_png", files[3]: "a_jpg"}


def test_results_keep_their_names_when_files_join():
    files = [Path("photos") / name for name in ("a.jpg", "a.png", "a_jpg.gif", "b.png")]
    known = {file.name: name for file, name in output_names(files[:2]).items()} | {"gone.png": "B"}
    names = output_names(files, known)
    assert names == {files[0]: "a_jpg", files[1]: "a_png", files[2]: "a_jpg_gif", files[3]: "b_png"}
    assert output_names(files[:2], {"a.jpg": "a"}) == {files[0]: "a", files[1]: "a_png"}


def test_resizing_smooths_what_it_shrinks():
    stripes = (torch.arange(64) % 2).float().expand(1, 3, 64, 64)
    assert resized(stripes, (16, 16)).std() < 0.1 and resized(stripes, (20, 48)).shape == (1, 3, 20, 48)


def refusal(path) -> str:
    with pytest.raises(InputError) as refused:
        load_image(path)
    assert "\n" not in str(refused.value) and path.name in str(refused.value)
    return str(refused.value)


def test_a_named_pipe_is_not_waited_for(tmp_path):
    os.mkfifo(tmp_path / "pipe.png")
    assert "is no regular file" in refusal(tmp_path / "pipe.png")
    assert "is a folder" in refusal(tmp_path)


def test_only_whole_visible_pictures_of_a_folder_count(tmp_path):
    os.mkfifo(tmp_path / "pipe.png")
    for name in (".hidden.png", ".stvae-x.png", "notes.txt", "half.jpg.part", "bare", "a.jpg", "b.JFIF", "c.avif", "d.jp2"):
        (tmp_path / name).touch()
    (tmp_path / "folder.png").mkdir()
    assert [file.name for file in list_images(tmp_path)] == ["a.jpg", "b.JFIF", "c.avif", "d.jp2"]
    reasons = {file.name: reason_to_skip(file) for file in tmp_path.iterdir()}
    assert {name: reason for name, reason in reasons.items() if reason} == {
        "pipe.png": "no regular file", ".hidden.png": "hidden", ".stvae-x.png": "hidden", "notes.txt": ".txt",
        "half.jpg.part": ".part", "bare": "without suffix", "folder.png": "sub-folder"}


def test_a_decoder_that_is_lacking_is_no_damage(tmp_path):
    header = struct.pack("<7I44x2I4s5I5I", 124, 0x1007, 16, 16, 64, 0, 0, 32, 4, b"XXXX", 0, 0, 0, 0, 0, 0x1000, 0, 0, 0, 0)
    (tmp_path / "picture.dds").write_bytes(b"DDS " + header + bytes(1024))
    said = refusal(tmp_path / "picture.dds")
    assert "save it as PNG or JPEG first" in said and "cut short" not in said
    Image.effect_noise((64, 64), 90).save(tmp_path / "cut.png")
    (tmp_path / "cut.png").write_bytes((tmp_path / "cut.png").read_bytes()[:900])
    assert "cut short" in refusal(tmp_path / "cut.png")


def test_nothing_but_the_one_line_is_said(tmp_path, capfd, monkeypatch):
    path = tmp_path / "broken.tif"
    Image.effect_noise((200, 200), 90).save(path, compression="tiff_lzw")
    data = bytearray(path.read_bytes())
    data[100:-400] = b"\xff" * len(data[100:-400])
    path.write_bytes(data)
    refusal(path)
    Image.effect_noise((200, 200), 90).save(tmp_path / "large.png")
    monkeypatch.setattr(Image, "MAX_IMAGE_PIXELS", 30_000)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        load_image(tmp_path / "large.png")
    assert capfd.readouterr().err == ""


@pytest.mark.parametrize("top", [1, 255, 65535])
def test_float_pictures_count_from_0_to_1_or_to_an_integers_range(top, tmp_path):
    values = (GRADIENT / 255 * top).astype(np.float32)
    values[0, 0] = np.nan
    Image.fromarray(values).save(tmp_path / "float.tif")
    expected = torch.from_numpy(GRADIENT / 255).float()
    expected[0, 0] = 0
    torch.testing.assert_close(load_image(tmp_path / "float.tif")[0, 0], expected, atol=3e-3, rtol=0)


def test_a_picture_without_a_number_is_refused(tmp_path):
    Image.fromarray(np.full((20, 20), np.nan, np.float32)).save(tmp_path / "nan.tif")
    assert "not one of its values is a number" in refusal(tmp_path / "nan.tif")


@pytest.mark.parametrize("kind", [np.uint16, np.int32, np.float32])
def test_deep_pictures_are_converted_in_strips(kind, tmp_path, monkeypatch):
    values = np.linspace(0, 60000, 1000 * 1000).reshape(1000, 1000)
    Image.fromarray(values.astype(kind)).save(tmp_path / "deep.tif")
    monkeypatch.setattr(images, "STRIP", 30_500)
    tracemalloc.start()
    picture = images.open_picture(tmp_path / "deep.tif")
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 3.5 * values.size * kind().nbytes, "file, its bytes and its values"
    assert np.abs(np.asarray(picture)[..., 0] - values / 257).max() < 0.51


def test_what_cannot_be_written_is_found_before_the_work(tmp_path):
    Image.init()
    written = refused = 0
    for suffix, name in Image.registered_extensions().items():
        path = tmp_path / f"picture{suffix}"
        try:
            check_output(path)
        except InputError as error:
            refused += 1
            assert "format" in str(error) and "\n" not in str(error)
            continue
        written += 1
        assert load_image(save_image(torch.rand(1, 3, 20, 36), path)).shape == (1, 3, 20, 36), name
        path.unlink()
    assert written > 10 and refused > 10 and list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(("name", "side"), [("x.jpg", 65501), ("x.webp", 16384)])
def test_sizes_that_a_format_cannot_hold_are_refused(name, side, tmp_path):
    check_output(tmp_path / name, (side - 1, 16))
    with pytest.raises(InputError, match=f"cannot hold {side}x16 pixels"):
        save_image(torch.zeros(1, 3, 16, side), tmp_path / name)
    assert list(tmp_path.iterdir()) == []


def test_values_that_are_no_numbers_are_no_picture(tmp_path):
    for value in (float("nan"), float("inf")):
        with pytest.raises(InputError, match="no numbers"):
            save_image(torch.full((1, 3, 16, 16), value), tmp_path / "black.png")
    assert list(tmp_path.iterdir()) == []


def test_16_bits_hold_more_than_anyone_sees():
    picture = torch.rand(1, 3, 16, 16, generator=torch.Generator().manual_seed(0))
    picture[..., 0, 0], picture[..., 0, 1] = -0.5, 1.5
    words = to_words(picture)
    assert words.dtype == torch.int16 and (words.min(), words.max()) == (-2**15, 2**15 - 1)
    assert (to_float(words) - picture.clamp(0, 1)).abs().max() < 1e-5
    assert to_words(torch.ones(1, 3, 1, 1, dtype=torch.float16)).max() == 2**15 - 1
