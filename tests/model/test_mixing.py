"""Grids, regions and style files."""

import pytest
import torch

import stvae_lib as st
from stvae_lib import InputError, weights
from stvae_lib.model import mixing
from stvae_lib.model.codes import StyleCode
from stvae_lib.pictures import datasets, styles

TRANSFORMS = [name for name in weights.SHIPPED if not name.endswith("autoencoder")]


@pytest.fixture(scope="module")
def model():
    return st.load("vgg19-slim", "cpu")


@pytest.fixture(scope="module")
def photo():
    return datasets.sample_photo("chelsea", 100)


@pytest.fixture(scope="module")
def corners():
    return [styles.generate(kind, 64, 0) for kind in ("stained_glass", "brush_strokes", "woodcut", "mosaic")]


@pytest.mark.parametrize("name", TRANSFORMS)
def test_the_corners_of_the_grid_are_the_single_styles_bit_for_bit(name, photo, corners):
    model = st.load(name, "cpu")
    rows = mixing.mixing_grid(model, photo, corners, 3)
    assert [len(row) for row in rows] == [3, 3, 3]
    for (row, column), style in zip(((0, 0), (0, 2), (2, 0), (2, 2)), corners):
        assert torch.equal(rows[row][column], model.stylize(photo, style))
    assert not torch.equal(rows[1][1], rows[0][0])


def test_grid_weights_are_bilinear():
    grid = mixing.corner_mixes(5)
    assert grid[0][0] == [1, 0, 0, 0] and grid[0][4] == [0, 1, 0, 0] and grid[4][0] == [0, 0, 1, 0] and grid[4][4] == [0, 0, 0, 1]
    assert grid[2][2] == [0.25] * 4 and all(sum(cell) == pytest.approx(1) for row in grid for cell in row)
    with pytest.raises(InputError, match="corners"):
        mixing.corner_mixes(1)


def test_one_region_is_plain_stylising(model, photo, corners):
    whole = mixing.stylize_regions(model, photo, corners[:1], [torch.ones(1, 1, 8, 8)])
    torch.testing.assert_close(whole, model.stylize(photo, corners[0]), atol=1e-4, rtol=0)
    half = mixing.stylize_regions(model, photo, corners[:1], [torch.ones(1, 1, 8, 8)], strength=0.5)
    torch.testing.assert_close(half, model.stylize(photo, corners[0], strength=0.5), atol=1e-4, rtol=0)


@pytest.mark.parametrize("name", TRANSFORMS)
def test_far_from_the_border_every_region_is_its_own_style(name, photo, corners):
    model = st.load(name, "cpu")
    if model.vlt.variant == "joint" and model.vlt.modulator.normalised:
        pytest.skip("its decoder normalises over the whole picture: a region is not drawn as if alone")
    left = torch.zeros(1, 1, *photo.shape[2:])
    left[..., :photo.shape[3] // 2] = 1
    both = mixing.stylize_regions(model, photo, corners[:2], [left, 1 - left])
    first, second = (model.stylize(photo, style) for style in corners[:2])
    assert both.shape == photo.shape
    edge = 8 if name == "vgg19-slim" else 2
    torch.testing.assert_close(both[..., :edge], first[..., :edge], atol=2e-2, rtol=0)
    torch.testing.assert_close(both[..., -edge:], second[..., -edge:], atol=2e-2, rtol=0)


def test_bad_masks_are_refused(model, photo, corners):
    ones = torch.ones(1, 1, 16, 16)
    for masks, word in (([ones], "1 for 2"), ([ones, ones[0]], "shape"), ([0 * ones, 0 * ones], "without a style")):
        with pytest.raises(InputError, match=word):
            mixing.stylize_regions(model, photo, corners[:2], masks)
    with pytest.raises(InputError, match="strength"):
        mixing.stylize_regions(model, photo, corners[:1], [ones], strength=2)


@pytest.mark.parametrize("name", TRANSFORMS)
def test_a_code_survives_its_file(name, photo, corners, tmp_path):
    model, path = st.load(name, "cpu"), tmp_path / "style.safetensors"
    code = model.encode_style(corners[0])
    mixing.save_code(code, path, model)
    assert path.stat().st_size < 200_000
    assert torch.equal(model.stylize(photo, mixing.load_code(path, model)), model.stylize(photo, code))


def test_foreign_and_broken_style_files_are_refused(model, corners, tmp_path):
    path = tmp_path / "style.safetensors"
    mixing.save_code(model.encode_style(corners[0]), path, model)
    with pytest.raises(InputError, match="another model"):
        mixing.load_code(path, st.load("vgg19-slim-paper", "cpu"))
    path.write_bytes(path.read_bytes()[:100])
    with pytest.raises(InputError, match="whole"):
        mixing.load_code(path, model)
    with pytest.raises(InputError, match="holds no style"):
        mixing.load_code(weights.find("vgg19-slim"), model)
    with pytest.raises(InputError, match="no such file"):
        mixing.load_code(tmp_path / "none.safetensors", model)


def test_example_masks_cover_the_picture_and_places_are_compared_under_them():
    masks = mixing.example_masks(30, 40)
    for parts in masks.values():
        assert all(part.shape == (1, 1, 30, 40) for part in parts)
        torch.testing.assert_close(sum(parts), torch.ones(1, 1, 30, 40))
    bands = masks["three bands"]
    alone = [torch.full((1, 3, 30, 40), value) for value in (0.0, 0.5, 1.0)]
    picture = sum(mask * image for mask, image in zip(bands, alone))
    torch.testing.assert_close(mixing.place_errors(picture, alone, bands),
                               torch.tensor([[0, 0.5, 1], [0.5, 0, 0.5], [1, 0.5, 0]]))


def test_a_code_and_a_model_are_told_apart_by_all_that_decides_their_pictures(model, corners, monkeypatch):
    code = model.encode_style(corners[0])
    palette = torch.zeros(1, 3, 4096, dtype=torch.uint8)
    others = [StyleCode(code.mu, code.log_sigma + 1), StyleCode(code.mu, code.log_sigma, {"mean": code.mu}),
              StyleCode(code.mu, code.log_sigma, palette=palette), StyleCode(code.mu, code.log_sigma, palette=palette + 1)]
    assert len({each.identity() for each in (code, *others)}) == 5
    before = model.identity()
    monkeypatch.setattr(model, "photo_share", 0.5)
    assert model.identity() != before


def test_a_style_file_keeps_the_palette_of_a_model_that_finishes(model, photo, corners, tmp_path, monkeypatch):
    monkeypatch.setattr(model, "photo_share", 0.2)
    code = model.encode_style(corners[0])
    mixing.save_code(code, tmp_path / "one.safetensors", model)
    again = mixing.load_code(tmp_path / "one.safetensors", model)
    assert again.palette.dtype == torch.uint8 and torch.equal(again.palette, code.palette)
    assert torch.equal(model.stylize(photo, again), model.stylize(photo, corners[0]))
    assert (tmp_path / "one.safetensors").stat().st_size < 20_000
    monkeypatch.setattr(model, "photo_share", None)
    mixing.save_code(model.encode_style(corners[0]), tmp_path / "before.safetensors", model)
    drawn = model.stylize(photo, corners[0])
    monkeypatch.setattr(model, "photo_share", 0.2)
    assert torch.equal(model.stylize(photo, mixing.load_code(tmp_path / "before.safetensors", model)), drawn)
