import json

import nbformat
import pytest
import torch
from PIL import Image

from stvae_lib.evaluation import intervals
from stvae_lib.report import archive, execute
from stvae_lib.report import book as books
from stvae_lib.report.book import Book

PARAMETERS = 'content_dir: str = ""  # folder\nout_dir: str = ""  # folder\nseed: int = 0  # seed\n'


@pytest.fixture
def shown(tmp_path, monkeypatch):
    """A notebook "01_first" with a parameters cell; what a book displays."""
    cells = [nbformat.v4.new_code_cell(PARAMETERS, metadata={"tags": ["parameters"]})]
    nbformat.write(nbformat.v4.new_notebook(cells=cells, metadata={"kernelspec": {
        "name": "python3", "display_name": "Python 3", "language": "python"}}), tmp_path / "01_first.ipynb")
    monkeypatch.setattr(execute, "NOTEBOOKS", tmp_path)
    texts = []
    monkeypatch.setattr(books, "display", lambda output: texts.append(output.data))
    return texts


def claim(control=-1.0):
    measured = intervals.Interval.of([1.0, 2.0, 3.0, 2.0])
    return intervals.judge("it moves", "this notebook", measured, "photographs", intervals.above(0), ("still", control))


def test_a_book_begins_with_the_values_of_the_notebooks_own_parameters(tmp_path, shown):
    photos = tmp_path / "photos"
    photos.mkdir()
    Image.new("RGB", (20, 20)).save(photos / "one.png")
    namespace = {"content_dir": str(photos), "out_dir": str(tmp_path / "out"), "seed": 3, "other": "no parameter"}
    book = Book.begin("01_first", namespace)
    written = json.loads(book.save().read_text())
    assert written["parameters"] == {"seed": 3}
    assert written["provenance"]["data"]["content"]["pictures"] == 1
    (photos / "two.png").write_bytes((photos / "one.png").read_bytes())
    assert Book.begin("01_first", namespace).data["content"] != book.data["content"]
    assert Book.begin("01_first", namespace | {"content_dir": ""}).data == {}


def test_claims_are_shown_written_and_joined(tmp_path, shown):
    for name, control in (("02_second", 1.0), ("01_first", -1.0)):
        book = Book(name, {"out_dir": str(tmp_path / "run" / name)})
        assert book.claim(claim(control)).statement == "it moves"
        book.claims_table()
        book.save()
    assert "It moves: **withdrawn**" in shown[0]
    assert "| it moves | withdrawn | 2.00 [0.70, 3.30], bound 0, 4 photographs |" in shown[1]
    assert "It moves: **holds**" in shown[2] and "still: -1.00, fails" in shown[3]
    assert shown[1].startswith("<details><summary>All 1 statements: ") and shown[1].count("- **Rule ") == 1
    joined = archive.read_claims(tmp_path / "run")
    assert [(row["notebook"], row["verdict"]) for row in joined] == [("01_first", "holds"), ("02_second", "withdrawn")]
    assert list(joined[0]) == ["notebook", "statement", "source", "figure", "interval", "n", "varies", "rule", "verdict",
                               "control", "bounds"]
    assert joined[0]["control"] == {"what": "still", "figure": "-1.00", "verdict": "fails", "if_fails": False}


def test_results_do_not_say_where_things_lie_on_the_machine(tmp_path):
    Image.new("RGB", (20, 20)).save(tmp_path / "one.png")
    model = str(tmp_path / "mine.safetensors")
    book = Book("x", {"out_dir": str(tmp_path / "out"), "content_dir": str(tmp_path), "model": model, "seed": 3})
    kept = json.loads(book.save().read_text())["parameters"]
    assert kept == {"model": "mine.safetensors", "seed": 3}


@pytest.mark.parametrize("together", [False, True])
def test_columns_that_belong_together_are_not_put_in_pairs(together, tmp_path, monkeypatch):
    noted = []
    monkeypatch.setattr(books.figures, "show", lambda *args: noted.append(args[-1]))
    book = Book("01_first", {"out_dir": str(tmp_path)})
    grid = books.figures.grid([[torch.zeros(1, 3, 32, 32)] * 3])
    book.figure(grid, "name", "A caption.", "Three pictures.", together=together)
    assert noted[0]["columns"] == 3 and ("edges" in noted[0]) != together
