import matplotlib.pyplot as plt
import nbformat
import pytest
from common import markdown_output, picture_output

from stvae_lib.report import cells, figures
from stvae_lib.report.cells import Figure, figure_in, pairs, summary


def notebook(*cells):
    return nbformat.v4.new_notebook(cells=list(cells))


def injected(source):
    return nbformat.v4.new_code_cell(source, metadata={"tags": ["injected-parameters"]})


def test_pages_show_no_paths_of_the_machine():
    shown = nbformat.v4.new_output("stream", text="read /ours/me/photos/a.jpg, mine.safetensors of /ours/me, a/ours/me/photos\n")
    code = nbformat.v4.new_output("display_data", {"image/png": "/ours/me/photos"})
    made = cells.without_places(notebook(
        injected('# Parameters\ncontent_dir = "/ours/me/photos"\nmodel = "/ours/me/w/mine.safetensors"\nseed = 7\n'
                 'rate = float("nan")\nout_dir = "/ours/me/run/01"\n'),
        nbformat.v4.new_code_cell("x", outputs=[shown, code])))
    assert made.cells[0].source == "content_dir = 'photos'\nmodel = 'mine.safetensors'\nseed = 7\nrate = float('nan')"
    assert made.cells[1].outputs[0].text == "read photos/a.jpg, mine.safetensors of /ours/me, a/ours/me/photos\n"
    assert made.cells[1].outputs[1].data["image/png"] == "/ours/me/photos"  # base64, which a path may look like


def test_what_the_report_sets_is_not_shown():
    made = cells.without_places(notebook(injected('# Parameters\nout_dir = "/runs/x"\nresults_dir = "/runs"\n'),
                                         nbformat.v4.new_code_cell("1")))
    assert [cell.source for cell in made.cells] == ["1"]


def test_what_an_execution_notes_beside_the_outputs_goes():
    bar = nbformat.v4.new_output("stream", name="stderr", text="10%")
    cell = nbformat.v4.new_code_cell("x", outputs=[bar, markdown_output("kept")],
                                     metadata={"papermill": {"duration": 1}, "tags": ["a"]})
    executed = notebook(cell)
    executed.metadata["papermill"] = {"output_path": "/ours/me/01.ipynb"}
    made = cells.without_traces(executed)
    assert "papermill" not in made.metadata and made.cells[0].metadata == {"tags": ["a"]}
    assert [output.data["text/markdown"] for output in made.cells[0].outputs] == ["kept"]


def test_a_figure_is_a_picture_with_a_numbered_caption_behind_it():
    figure = figure_in(picture_output(alt="Tiles\nin rows."), markdown_output("**Figure 3.** Tiles."))
    assert (figure.number, figure.data, figure.suffix, figure.alt) == (3, b"jpeg", "jpg", "Tiles in rows.")
    assert figure_in(picture_output(), markdown_output("no caption")) is None and figure_in(picture_output(), None) is None
    assert figure_in(markdown_output("**Figure 3.**"), markdown_output("**Figure 4.**")) is None


def test_outputs_come_in_pairs_past_progress_bars():
    bar = nbformat.v4.new_output("stream", name="stderr", text="10%")
    cell = nbformat.v4.new_code_cell("x", outputs=[picture_output(), bar, markdown_output("**Figure 1.** A tile.")])
    assert [figure_in(*pair) is not None for pair in pairs(cell)] == [True, False]


@pytest.mark.parametrize("source, line", [
    ("import torch\nx = 1", "Code: gets ready: libraries, model, pictures"),
    ('def gap(a, b):\n    """Largest difference of two. In pixels."""\n    return a - b', "Code: Largest difference of two"),
    ("big_one, other = 1, 2\nthird = 3", "Code: prepares what follows"),
    ("book.claim(judge(1))", "Code: puts a statement to the test"),
    ("book.claims_table()", "Code: makes the table of statements"),
    ("%matplotlib inline", "Code: a command"),
    ("def put(x):\n    print(x)", "Code: prepares what follows"),
    ("book.add(a=1)", "Code: prepares what follows")])
def test_a_line_stands_for_a_cell(source, line):
    assert summary(nbformat.v4.new_code_cell(source)) == line


def test_a_line_says_that_a_cell_shows_something():
    said = nbformat.v4.new_code_cell("print(1)", outputs=[nbformat.v4.new_output("stream", text="1")])
    assert summary(said) == "Code: shows what came out"


def test_a_line_names_the_figures_that_a_cell_draws():
    outputs = [picture_output(), markdown_output("**Figure 4.** A."), picture_output(), markdown_output("**Figure 5.** B.")]
    drawn = nbformat.v4.new_code_cell("book.claim(1)", outputs=outputs)
    assert summary(drawn) == "Code: draws figure 4 and 5"
    assert summary(injected("seed = 7")) == "Code: the parameters of this run"


@pytest.mark.parametrize("width, classes", [(figures.PHONE + 1, "enlarge wide-plot"), (figures.PHONE, "enlarge")])
def test_a_plot_that_is_too_wide_for_a_phone_is_known_as_one(width, classes):
    noted = figures.extent(plt.figure(figsize=(width, 3)))
    assert Figure(1, b"", "png", "A plot.", "**Figure 1.** A.", **noted).classes == classes
