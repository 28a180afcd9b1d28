import matplotlib.pyplot as plt
import numpy as np
import pytest

from stvae_lib.report import figures


def test_points_are_labelled():
    figure = figures.points({"one": (1.0, -0.5), "two": (2.0, 4.0)}, {"two": (-5, 3, "right")}, ("x", "y"), grey=["two"])
    assert [text.get_text() for text in figure.axes[0].texts] == ["one", "two"]
    data, suffix = figures.encode(figure, photographic=False)
    assert suffix == "png" and data.startswith(b"\x89PNG")


def test_bars_say_their_values_and_which_side_of_the_line_they_are():
    figure = figures.bars({"below": 0.5, "above": 1.5}, "ratio", line=1.0)
    axis = figure.axes[0]
    assert [text.get_text() for text in axis.texts] == ["0.50", "1.50"]
    assert axis.patches[0].get_facecolor() != axis.patches[1].get_facecolor()
    figures.encode(figure, photographic=False)


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
