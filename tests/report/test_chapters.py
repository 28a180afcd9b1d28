import json
import re
import shutil

import nbformat
import pytest
from common import markdown_output, picture_output

from stvae_lib import InputError
from stvae_lib.evaluation.intervals import Interval, above, by_reading, judge
from stvae_lib.pictures import images, styles
from stvae_lib.report import archive, chapters
from stvae_lib.report.answers import END, START
from stvae_lib.report.chapters import Chapter, read_notebook
from stvae_lib.report.prose import anchor
from stvae_lib.report.site import DOCS
from stvae_lib.video.camera import CameraMove
from stvae_lib.video.output import write_film


@pytest.fixture
def pages(tmp_path):
    """Sphinx's source folder, without chapters yet."""
    return shutil.copytree(DOCS, tmp_path / "pages")


def chapter_of(folder, *cells, run=None):
    """A chapter that begins with a title, an introduction and a parameters cell."""
    introduction = nbformat.v4.new_markdown_cell("# Title\n\nWith a VAE.")
    parameters = nbformat.v4.new_code_cell("seed: int = 0", metadata={"tags": ["parameters"]})
    nbformat.write(nbformat.v4.new_notebook(cells=[introduction, parameters, *cells]), folder / "01_x.ipynb")
    return Chapter(folder / "01_x.ipynb", run)


def showing(*outputs):
    return nbformat.v4.new_code_cell("show()", outputs=list(outputs))


def drawing(number: int, data: bytes = b"jpeg"):
    return showing(picture_output(data, 'A "tile": # red.'), markdown_output(f"**Figure {number}.** A tile."))


def written(pages):
    return nbformat.read(pages / "01_x.ipynb", as_version=4).cells


def test_code_is_folded_and_the_parameters_are_out_of_sight(tmp_path, pages):
    printed = nbformat.v4.new_output("stream", text="printed\n")
    value = nbformat.v4.new_output("execute_result", {"text/plain": "Claim(...)"})
    chapter_of(tmp_path, showing(markdown_output("it moves: **holds** (1)"), printed, value)).write(pages)
    text, code, shown, _ = written(pages)
    assert text.source == "# Title\n\nWith a {term}`VAE <VAE>`."
    assert code.metadata.tags == ["hide-input"] and code.metadata.mystnb.code_prompt_show.startswith("Code: ")
    assert [output.get("text") for output in code.outputs] == ["printed\n"]
    assert shown.source == "it moves: {bdg-success}`holds` (1)"


def test_a_last_value_is_shown_where_nothing_else_is(tmp_path, pages):
    chapter_of(tmp_path, showing(nbformat.v4.new_output("execute_result", {"text/plain": "42"}))).write(pages)
    assert written(pages)[1].outputs[0].data["text/plain"] == "42"


def test_the_opening_picture_is_the_richest_and_leads_to_its_place(tmp_path, pages):
    heading = nbformat.v4.new_markdown_cell("## Part")
    chapter = chapter_of(tmp_path, heading, drawing(1), drawing(2, b"a larger jpeg"))
    assert chapter.opening.number == 2 and chapter.title == "Title" and chapter.minutes == 1
    chapter.write(pages)
    sources = [cell.source for cell in written(pages)]
    assert sources[0].startswith("# Title\n\n```{image} pictures/01_x-figure-2.jpg\n")
    assert f':target: "#{anchor("01_x", 2)}"' in sources[0] and f":name: {anchor('01_x', 2)}" in sources[-2]
    assert ':alt: "A \\"tile\\": # red."' in sources[0], "YAML would take the rest for a comment"
    assert (pages / "pictures" / "01_x-figure-2.jpg").read_bytes() == b"a larger jpeg"


def test_the_first_cell_names_the_opening_picture_and_it_stands_behind_the_answer(tmp_path, pages):
    small, large = drawing(2, b"small"), drawing(3, b"a larger jpeg")
    small.outputs[0].metadata["image/jpeg"]["name"] = "chosen"
    chapter_of(tmp_path, drawing(1), small, large)
    notebook = nbformat.read(tmp_path / "01_x.ipynb", as_version=4)
    notebook.cells[0].metadata["opening"] = "chosen"
    notebook.cells[0].source = f"# Title\n\n**Question.** Why?\n\n{START}\n**Answer.** So.\n{END}\n\nMore."
    nbformat.write(notebook, tmp_path / "01_x.ipynb")
    Chapter(tmp_path / "01_x.ipynb", None).write(pages)
    text = written(pages)[0].source
    assert text.index("Why?") < text.index("So.") < text.index("01_x-figure-2.jpg") < text.index("More.")


def test_figure_1_as_the_opening_picture_moves_up_with_its_caption(tmp_path, pages):
    chapter_of(tmp_path, nbformat.v4.new_markdown_cell("## Part"), drawing(1)).write(pages)
    sources = [cell.source for cell in written(pages)]
    assert sources[0].startswith("# Title\n\n```{figure}") and "**Figure 1.** A tile." in sources[0]
    assert sum("figure-1.jpg" in source for source in sources) == 1


def test_the_page_shows_the_larger_picture_that_the_run_kept(tmp_path, pages):
    run = tmp_path / "01_x"
    run.mkdir()
    (run / "tile.webp").write_bytes(b"larger")
    (run / "results.json").write_text(json.dumps({"figures": [{"file": "tile.webp"}, {"file": "gone.webp"}]}))
    chapter_of(tmp_path, drawing(1), drawing(2), run=run).write(pages)
    assert (pages / "pictures" / "01_x-figure-1.webp").read_bytes() == b"larger"
    assert (pages / "pictures" / "01_x-figure-2.jpg").read_bytes() == b"jpeg"
    sources = "".join(cell.source for cell in written(pages))
    assert ":target: _images/01_x-figure-1.webp" in sources and ":target: _images/01_x-figure-2.jpg" in sources


def test_figures_of_many_pictures_go_beyond_the_text(tmp_path, pages):
    plot, pictures = drawing(2), drawing(3)
    pictures.outputs[0].metadata["image/jpeg"] |= {"columns": 4, "wide": True}
    chapter_of(tmp_path, drawing(1), plot, pictures).write(pages)
    assert [re.search(":figclass: (.*)", cell.source)[1] for cell in written(pages) if ":figclass:" in cell.source] == [
        "enlarge", "enlarge", "enlarge full-width columns-4"]


def test_a_chapter_ends_with_what_did_not_hold(tmp_path, pages, monkeypatch):
    monkeypatch.delenv("STVAE_REPOSITORY", raising=False)

    def claim(statement, mean):
        return judge(statement, "here", Interval(mean, 0.5, 4), "photographs", above(0), ("none", 0.0), ("a mover", 1.0))

    claims = [claim("it moves (fast)", -2.0), claim("it flies", 2.0), claim("it moves (far)", -3.0), claim("it sings", 0.1),
              by_reading("it is written", "here", "[lines](../stvae_lib/errors.py#L4)", holds=False)]
    chapter_of(tmp_path, drawing(1))
    Chapter(tmp_path / "01_x.ipynb", None, claims).write(pages)
    ending = written(pages)[-1].source
    assert ending.startswith("## What failed, and where to go\n\nOf the 5 statements of this chapter 1 holds, 3 fail (1 of them")
    assert "{bdg-danger}`fails` it moves (fast: -2.00 [-2.50, -1.50]; far: -3.00 [-3.50, -2.50])" in ending
    assert "{bdg-secondary}`undecided` it sings" in ending and "it flies" not in ending
    assert ending.index("it is written") < ending.index(":::{dropdown} What stayed open") < ending.index("it sings")
    assert ending.index("it moves") < ending.index("it is written"), "what was measured comes before what was read"
    assert "source:stvae_lib/errors.py#L4" in ending and "stvae report --only 01 " in ending


def test_sliders_come_with_the_run_and_a_book_without_one_says_so(tmp_path, pages):
    mark = nbformat.v4.new_output("display_data", {"text/html": '<div data-frames="path-frames.png|5|1|to and fro"></div>'})
    chapter_of(tmp_path, showing(mark)).write(pages)
    assert written(pages)[2].source.endswith("`make report` builds has sliders here.*") and written(pages)[1].outputs == []
    run = tmp_path / "01_x"
    run.mkdir()
    (run / "results.json").write_text('{"figures": []}')
    images.save_image(styles.generate("mosaic", 50), run / "path-frames.png")
    chapter_of(tmp_path, showing(mark), run=run).write(pages)
    assert "url(frames/01_x-path-frames.png)" in written(pages)[2].source
    assert (pages / "extra" / "frames" / "01_x-path-frames.png").exists()


def test_linked_sources_come_along(tmp_path, pages, monkeypatch):
    monkeypatch.setattr(chapters, "ROOT", archive.ROOT)
    chapter_of(tmp_path, showing(markdown_output("[lines](../stvae_lib/errors.py#L4-L9)"))).write(pages)
    assert written(pages)[2].source == "[lines](source:stvae_lib/errors.py#L4-L9)"
    assert (pages / "extra" / "code" / "stvae_lib" / "errors.py").exists()


@pytest.mark.parametrize("text, wrong", [("{not json", "is no notebook"), ("[1, 2]", "is no notebook"), ("", "is no notebook"),
                                         ('{"cells": 3, "nbformat": 4, "nbformat_minor": 5, "metadata": {}}', "is no notebook"),
                                         (nbformat.writes(nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell("1")])),
                                          "has no outputs")])
def test_a_bad_notebook_is_named_in_one_line(tmp_path, text, wrong):
    (tmp_path / "bad.ipynb").write_text(text)
    with pytest.raises(InputError, match=f"bad.ipynb: {wrong}") as refused:
        read_notebook(tmp_path / "bad.ipynb")
    assert "\n" not in str(refused.value) and "stvae report" in str(refused.value)


def test_a_film_of_the_run_gets_a_player_and_one_that_is_not_there_none(tmp_path, pages):
    run = tmp_path / "run"
    run.mkdir()
    (run / "results.json").write_text(json.dumps({"figures": []}))
    move = CameraMove(styles.generate("marbling", 96, 0), (32, 64), 3)
    write_film(move.frames(), move, run / "ways.mp4")
    cells = [showing(nbformat.v4.new_output("display_data", {"text/html": f'<div data-film="{name}"></div>'}))
             for name in ("ways.mp4", "gone.mp4")]
    chapter_of(tmp_path, *cells, run=run).write(pages)
    text = "\n".join(cell.source for cell in written(pages))
    assert '<video controls' in text and 'src="films/01_x-ways.mp4"' in text and "gone.mp4" not in text
    assert 'width="64" height="32" poster="films/01_x-ways.mp4.jpg"' in text
    films = pages / "extra" / "films"
    assert (films / "01_x-ways.mp4").read_bytes() == (run / "ways.mp4").read_bytes()
    assert images.load_image(films / "01_x-ways.mp4.jpg").shape == (1, 3, 32, 64)


@pytest.mark.parametrize("said, minutes", [
    (600 * "word ", 3), (f"<details><summary>All</summary>\n\n{600 * 'word '}\n\n</details>", 1),
    ("\n".join(200 * ["| a | b |"]), 1)])
def test_reading_takes_what_cells_say_but_for_tables_and_what_is_folded_away(tmp_path, said, minutes):
    assert chapter_of(tmp_path, showing(markdown_output(said))).minutes == minutes


def test_what_was_saved_is_not_shown(tmp_path, pages):
    saved = nbformat.v4.new_code_cell("book.save()", outputs=[nbformat.v4.new_output("stream", text="13 figures")])
    chapter_of(tmp_path, saved).write(pages)
    assert all(cell.outputs == [] for cell in written(pages) if cell.cell_type == "code")
