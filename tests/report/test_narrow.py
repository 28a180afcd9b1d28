import io

import numpy as np
import torch
from PIL import Image

from stvae_lib.report import figures, narrow
from stvae_lib.report.cells import Figure

EDGES = [20 / 320, 120 / 320, 220 / 320, 1.0]
COLOURS = [(200, 30, 30), (30, 200, 30), (30, 30, 200)]


def three_columns() -> bytes:
    """A figure of three coloured columns of 100 pixels, and 20 pixels of titles at the left."""
    sheet = np.full((50, 320, 3), 255, dtype=np.uint8)
    sheet[:, :20] = 0
    for index, colour in enumerate(COLOURS):
        sheet[:, 20 + 100 * index:120 + 100 * index] = colour
    buffer = io.BytesIO()
    Image.fromarray(sheet).save(buffer, format="png")
    return buffer.getvalue()


def test_columns_come_in_pairs_each_with_the_titles_of_its_rows():
    drawn = narrow.rewrapped(three_columns(), EDGES, [])
    sheet = np.asarray(Image.open(io.BytesIO(drawn)), dtype=int)
    assert sheet.shape == (100, 220, 3)
    places = {(25, 70): COLOURS[0], (25, 170): COLOURS[1], (75, 70): COLOURS[2], (75, 170): (255,) * 3, (25, 8): (0,) * 3,
              (75, 8): (0,) * 3}
    for place, colour in places.items():
        assert np.abs(sheet[place] - colour).max() < 25, place


def test_edges_lie_between_the_columns_that_a_grid_drew():
    picture = figures.grid([[torch.full((1, 3, 32, 32), 0.5)] * 3], row_titles=["a title"])
    edges = figures.layout(picture)["edges"]
    assert len(edges) == 4 and 0 < edges[0] < 0.1 and edges[-1] == 1 and np.allclose(np.diff(edges), 0.32, atol=0.03)


def test_a_column_that_tells_what_the_others_show_stands_beside_each():
    drawn = narrow.rewrapped(three_columns(), EDGES, [], key=1)
    sheet = np.asarray(Image.open(io.BytesIO(drawn)), dtype=int)
    assert sheet.shape == (100, 220, 3)
    for place, colour in {(25, 70): 0, (25, 170): 1, (75, 70): 0, (75, 170): 2}.items():
        assert np.abs(sheet[place] - COLOURS[colour]).max() < 25, place


def test_pictures_that_go_on_from_row_to_row_keep_their_order():
    """Four pictures, three and one, each with a title: the fourth comes behind the third."""
    pictures = [(torch.tensor(colour).view(1, 3, 1, 1).expand(1, 3, 32, 32) / 255, f"title {index}")
                for index, colour in enumerate((*COLOURS, (200, 200, 30)))]
    figure = figures.grid(figures.wrapped(pictures))
    noted = figures.layout(figure)
    assert len(noted["rows"]) == 3
    drawn = narrow.rewrapped(figures.encode(figure, photographic=False)[0], noted["edges"], noted["rows"])
    sheet = np.asarray(Image.open(io.BytesIO(drawn)), dtype=int)
    height, width = sheet.shape[:2]
    for (row, column), colour in zip(((1, 1), (1, 3), (3, 1), (3, 3)), (*COLOURS, (200, 200, 30))):
        found = sheet[round((row + 0.2) * height / 4), round(column * width / 4)]
        assert np.abs(found - colour).max() < 40, (row, column)


def test_only_pictures_of_which_all_or_none_have_a_title_go_on_from_row_to_row():
    rows = [[torch.full((1, 3, 32, 32), 0.5)] * 3] * 2
    plain, titled = figures.grid(rows), figures.grid(rows, ["a", "b", "c"])
    assert "rows" in figures.noted(plain, True) and "rows" not in figures.noted(titled, True)
    assert "rows" not in figures.noted(plain, True, key=1), "a key stands beside each of the others"
    assert not {"rows", "edges"} & set(figures.noted(plain, True, together=True))


def test_white_below_the_pictures_of_a_pair_is_cut_off():
    sheet = np.asarray(Image.open(io.BytesIO(three_columns()))).copy()
    sheet[20:, 220:] = 255  # the third column is short
    buffer = io.BytesIO()
    Image.fromarray(sheet).save(buffer, format="png")
    assert Image.open(io.BytesIO(narrow.rewrapped(buffer.getvalue(), EDGES, []))).height == 50 + 24


def test_a_figure_of_few_columns_stays_as_it_is():
    assert Figure(1, three_columns(), "png", "", "", edges=[0.0, 0.5, 1.0]).narrow is None
    assert Figure(1, three_columns(), "png", "", "", edges=[0.0, 0.3, 0.6, 1.0]).narrow is not None


def test_pages_name_the_renderings_that_there_are(tmp_path):
    (tmp_path / "a-figure-1.webp").write_bytes(b"x")
    body = '<p><img alt="x" src="_images/a-figure-1.jpg" /><img src="_images/b-figure-2.jpg"/></p>'
    for kind in ("opening", "sd-card-img-top"):
        whole = f'<img class="{kind}" src="_images/a-figure-1.jpg">'
        assert narrow.with_narrow(whole, tmp_path) == whole
    first, second = body.split("<img src")
    source = '<source media="(max-width: 600px)" srcset="narrow/a-figure-1.webp">'
    assert narrow.with_narrow(body, tmp_path) == \
        first.replace("<img", f"<picture>{source}<img") + "</picture><img src" + second
