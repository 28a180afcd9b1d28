import io

import matplotlib.pyplot as plt
import numpy as np
import pytest
import torch
from PIL import Image

from stvae_lib.report import figures
from stvae_lib.training import toy


def test_points_are_labelled():
    figure = figures.points({"one": (1.0, -0.5), "two": (2.0, 4.0)}, {"two": (-5, 3, "right")}, ("x", "y"), grey=["two"])
    assert [text.get_text() for text in figure.axes[0].texts] == ["one", "two"]
    data, suffix = figures.encode(figure, photographic=False)
    assert suffix == "png" and data.startswith(b"\x89PNG")


def test_a_matrix_says_its_numbers():
    figure = figures.matrix(np.array([[1.0, -0.5], [-0.5, 1.0]]), ["a", "b"])
    assert [text.get_text() for text in figure.axes[0].texts] == ["1.0", "-0.5", "-0.5", "1.0"]
    figures.encode(figure, photographic=False)


def test_a_band_is_the_mean_with_its_interval():
    figure, axis = plt.subplots()
    figures.band(axis, [0, 1], [[1.0, 2.0], [3.0, 2.0], [2.0, 2.0]], figures.BLUE)
    (line,), (band,) = axis.lines, axis.collections
    assert line.get_ydata().tolist() == [2, 2]
    low, high = band.get_paths()[0].get_extents().intervaly
    assert low == pytest.approx(2 - 2.484, abs=1e-3) and high == pytest.approx(2 + 2.484, abs=1e-3)
    plt.close(figure)


def pictures(count: int) -> list[torch.Tensor]:
    return list(torch.rand(count, 3, 40, 60, generator=torch.Generator().manual_seed(0)).split(1))


@pytest.mark.parametrize("columns, wide", [(2, False), (3, False), (4, True)])
def test_pictures_stand_as_wide_as_one_can_see_them(columns, wide):
    figure = figures.grid(figures.wrapped(pictures(2 * columns), columns))
    found = figures.layout(figure)
    assert (found["columns"], found["wide"], len(found["edges"])) == (columns, wide, columns + 1)
    assert len(figure.axes) == 2 * columns
    assert figure.get_figwidth() / columns * 90 > 220  # the pages show an inch as ninety pixels
    figures.encode(figure, photographic=True)


def test_a_row_is_wrapped_and_a_gap_is_left_at_its_end():
    assert figures.wrapped([1, 2, 3, 4, 5]) == [[1, 2, 3], [4, 5]]
    figure = figures.grid(figures.wrapped(pictures(5)))
    assert [len(axis.images) for axis in figure.axes] == [1, 1, 1, 1, 1, 0]
    figures.encode(figure, photographic=True)


def test_a_notebook_gets_few_pixels_and_the_pages_more():
    tall, _ = figures.encode_larger(figures.grid(figures.wrapped(pictures(40), 4)), photographic=True)
    assert 0.9 < np.prod(Image.open(io.BytesIO(tall)).size) / figures.PAGE < 1.01
    figure = figures.grid(figures.wrapped(pictures(12), 4))
    larger, suffix = figures.encode_larger(figure, photographic=True)
    assert suffix == "webp"
    small, suffix = figures.encode(figure, True, 100_000)
    sizes = [Image.open(io.BytesIO(data)).size for data in (larger, small)]
    assert suffix == "jpg" and sizes[1][0] * sizes[1][1] <= 101_000 and sizes[0][0] > 1200


def test_vaes_of_the_plane_show_their_codes_and_their_draws():
    points = toy.moons(60)
    seen = {title: toy.see(toy.fit(2, lambda vae: sum(toy.elbo_terms(vae, points, 0.1)), steps=2), points, 0.1, draws=30)
            for title in ("one", "two")}
    figure = figures.plane(points, torch.arange(60) % 2, seen)
    above, below = figure.axes[:2], figure.axes[2:]
    assert [axis.get_title() for axis in above] == ["one", "two"]
    assert all(len(axis.collections[0].get_paths()) == 60 for axis in above)
    assert [len(drawn.get_offsets()) for drawn in below[0].collections] == [60, 30]
    figures.encode(figure, photographic=False)
