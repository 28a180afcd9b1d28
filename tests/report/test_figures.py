import numpy as np

from stvae_lib.report import figures


def test_points_are_labelled_and_drawn_logarithmically():
    figure = figures.points({"one": (1.0, 0.5), "two": (2.0, 4.0)}, {"two": (-5, 3, "right")}, ("x", "y"), grey=["two"])
    axis = figure.axes[0]
    assert axis.get_yscale() == "log" and [text.get_text() for text in axis.texts] == ["one", "two"]
    data, suffix = figures.encode(figure, photographic=False)
    assert suffix == "png" and data.startswith(b"\x89PNG")


def test_a_matrix_says_its_numbers():
    figure = figures.matrix(np.array([[1.0, -0.5], [-0.5, 1.0]]), ["a", "b"])
    assert [text.get_text() for text in figure.axes[0].texts] == ["1.0", "-0.5", "-0.5", "1.0"]
    figures.encode(figure, photographic=False)
