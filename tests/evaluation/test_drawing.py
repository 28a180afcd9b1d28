import pytest
import torch
from scipy import ndimage

from stvae_lib.evaluation import drawing
from stvae_lib.pictures.datasets import sample_photo


@pytest.fixture(scope="module")
def shapes():
    return {name: drawing.contours(picture) for name, picture in drawing.drawings().items()}


@pytest.fixture(scope="module")
def photo():
    return sample_photo("coffee", 256)


def with_grain(image, deviation):
    noise = torch.randn(image.shape, generator=torch.Generator().manual_seed(0))
    return (image + deviation * noise).clamp(0, 1)


def blurred(image, deviation):
    return torch.from_numpy(ndimage.gaussian_filter(image.numpy(), (0, 0, deviation, deviation)))


def test_a_disc_is_round_lines_are_straight_a_grid_and_noise_are_neither_round(shapes):
    assert shapes["disc"]["round"] > 0.95
    assert shapes["straight lines"]["straight"] > 0.95
    assert max(shapes[name]["round"] for name in ("straight lines", "square grid", "noise")) < 0.1
    assert shapes["noise"]["ragged"] > 0.95 and shapes["square grid"]["straight"] > 0.15


def test_polygons_are_hardly_round(shapes):
    panes = drawing.contours(drawing.paned()["one colour a pane"])
    assert panes["round"] < 0.15 and panes["straight"] > 2 * panes["round"]


def test_many_small_discs_are_as_round_as_a_large_one():
    y, x = torch.meshgrid(torch.arange(256), torch.arange(256), indexing="ij")
    discs = ((x % 32 - 16) ** 2 + (y % 32 - 16) ** 2 < 100).float().expand(1, 3, 256, 256)
    assert drawing.contours(discs)["round"] > 0.95


@pytest.mark.parametrize("image", [torch.full((1, 3, 40, 56), 0.5), torch.zeros(1, 3, 32, 32)])
def test_nothing_is_drawn_on_an_empty_picture(image):
    assert set(drawing.measures(image).values()) == {0.0}


def test_shares_of_contours_sum_to_one(photo):
    assert sum(drawing.contours(photo).values()) == pytest.approx(1)


def test_edges_are_as_wide_as_they_were_blurred_whatever_the_grain(photo):
    width = drawing.edge_width(photo)
    assert drawing.edge_width(blurred(photo, 1.0)) == pytest.approx((width**2 + 1) ** 0.5, abs=0.15)
    assert drawing.edge_width(with_grain(photo, 0.05)) == pytest.approx(width, abs=0.1)
    assert drawing.edge_width(blurred(photo, 2.0)) > drawing.edge_width(blurred(photo, 1.0)) + 0.5


def test_panes_of_one_colour_are_even_ramps_are_smooth_grain_is_neither():
    found = {name: drawing.pane_colours(picture) for name, picture in drawing.paned().items()}
    flat, ramp, grain = found.values()
    assert flat["unevenness"] < 0.02 and flat["roughness"] < 0.02
    assert ramp["unevenness"] > 0.1 and ramp["roughness"] < 0.03
    assert grain["unevenness"] > 0.3 and grain["roughness"] > 0.3


def test_a_little_grain_makes_a_photograph_less_even_and_less_smooth(photo):
    clean, grainy = (drawing.pane_colours(image) for image in (photo, with_grain(photo, 0.02)))
    assert all(grainy[name] > clean[name] for name in clean)
