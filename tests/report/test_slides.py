"""Slides of the chapters."""

import io

import nbformat
import numpy as np
import pytest
from common import ROOT, markdown_output, picture_output
from PIL import Image

from stvae_lib.report import slides
from stvae_lib.report.chapters import Chapter

TITLE = nbformat.v4.new_markdown_cell("# Title\n\nA long way in.")


def showing(*outputs):
    return nbformat.v4.new_code_cell("show()", outputs=list(outputs))


def deck_of(folder, *cells):
    """The slides of a chapter: kinds and texts, without the first."""
    first = showing(picture_output(b"jpeg", 'A "tile".'), markdown_output("**Figure 1.** A tile."))
    nbformat.write(nbformat.v4.new_notebook(cells=[TITLE, *cells, first]), folder / "01_x.ipynb")
    made = slides.slides_of(Chapter(folder / "01_x.ipynb", None), "is it so?")
    return [(cell.metadata.slideshow.slide_type, cell.source) for cell in made]


def test_it_begins_with_title_question_and_picture(tmp_path):
    cells = deck_of(tmp_path)
    assert [kind for kind, _ in cells] == ["slide", "notes", "subslide"]
    assert cells[0][1].startswith('# Title\n\nis it so?\n\n<img src="data:image/jpeg;base64,') and "long way" in cells[1][1]
    assert 'alt="A &quot;tile&quot;."' in cells[0][1] and "**Figure 1.** A tile." in cells[2][1]


def test_a_heading_begins_a_slide_and_its_text_is_said(tmp_path):
    text = "Said alone.\n\n## Part\n\nShown.\n\nSaid [there](02_y.ipynb).\n\n### Below\n\nMore."
    assert deck_of(tmp_path, nbformat.v4.new_markdown_cell(text))[2:-1] == [
        ("notes", "Said alone.\n\n"), ("slide", "## Part\n\nShown."), ("notes", "## Part\n\nShown.\n\nSaid there.\n\n"),
        ("subslide", "### Below\n\nMore."), ("notes", "### Below\n\nMore.")]


@pytest.mark.parametrize("text, shown", [
    ("One. Two.", "One. Two."), ("One. " + "So " + 80 * "very " + "long.", "One."),
    ("An equation:\n\n$$x$$\n\nNo more.", "An equation:\n\n$$x$$"),
    ("One:\n\n$$x$$\n\nThen. And two:\n\n$$y$$", "One:\n\n$$x$$\n\nAnd two:\n\n$$y$$"),
    ("A list:\n\n1. First. Not this.\n2. Second", "A list:\n\n1. First.\n2. Second"),
    ("- " + "\n- ".join("abcdefghij"), "- " + "\n- ".join("abcdefg")),
    ("T:\n\n| a | b |\n| - | - |\n| 1 | 2 |", "T:\n\n| a | b |\n| - | - |\n| 1 | 2 |"),
    ("T:\n\n| a | b |\n| - | - |" + 12 * "\n| 1 | 2 |", "T:"), ("T:\n\n<details>\nx</details>", "T:")])
def test_a_slide_bears_only_so_much(text, shown):
    assert slides.shown(f"## H\n\n{text}") == f"## H\n\n{shown}"


def test_statements_are_gathered_with_their_verdicts(tmp_path):
    said = [markdown_output(f"number {i}: **{verdict}** (1.0; control: 2.0).") for i, verdict in
            enumerate(["holds", "fails", "undecided", "holds, by reading", "withdrawn", "confounded"])]
    first, notes, second, _ = deck_of(tmp_path, showing(*said))[2:-1]
    assert first[0] == second[0] == "subslide" and notes[0] == "notes" and "(1.0; control: 2.0)" in notes[1]
    assert '<span class="verdict success">holds, by reading</span> number 3' in first[1] and first[1].count("- <span") == 5
    assert '<span class="verdict warning">confounded</span> number 5' in second[1]


def test_results_stand_under_their_heading_and_what_is_folded_away_by_its_line(tmp_path):
    part = nbformat.v4.new_markdown_cell("## What came out\n\nThis.")
    table, folded = "| a | b |\n| - | - |\n| 1 | 2 |", "<details><summary>All 3 statements: 2 hold</summary>\n\nx\n\n</details>"
    told, label = "- **A**: one: **holds** (1.0 [0.5, 1.5]; control: no). More.\n- **B**: two.", folded.replace(": 2 hold", "")
    slides_made = deck_of(tmp_path, part, showing(*map(markdown_output, (table, folded, label, told))))[4:-1]
    assert slides_made == [("subslide", f"#### What came out\n\n{text}") for text in (
        table, "All 3 statements: 2 hold", "- **A**: one: **holds** (1.0 [0.5, 1.5]; control: no).\n- **B**: two.")]


def test_a_result_stands_on_the_slide_of_a_heading_that_is_alone(tmp_path):
    table = "| a | b |\n| - | - |\n| 1 | 2 |"
    made = deck_of(tmp_path, nbformat.v4.new_markdown_cell("## What came out"), showing(markdown_output(table)))
    assert made[2:-1] == [("slide", f"## What came out\n\n{table}"), ("notes", "## What came out")]


def test_a_heading_with_nothing_under_it_is_no_slide(tmp_path):
    kinds = [kind for kind, _ in deck_of(tmp_path, *[nbformat.v4.new_markdown_cell(text) for text in
                                                     ("## Alone", "## Over another\n\n### Below\n\nText.", "## Last\n\nText.")])]
    assert kinds == ["slide", "notes", "notes", "slide", "notes", "subslide", "notes", "slide", "notes", "subslide"]


def test_a_tall_grid_stands_in_two_halves_cut_between_its_rows():
    sheet = np.full((1000, 300, 3), 255, np.uint8)  # ten rows of three pictures, six pixels apart, under a line of titles
    for row in range(10):
        for column in range(3):
            sheet[22 + 98 * row:22 + 98 * row + 90, 2 + 100 * column:96 + 100 * column] = 60
    upper, lower = (np.asarray(Image.open(io.BytesIO(half))) for half in slides._halves(Image.fromarray(sheet), 3))
    assert upper.shape[0] + lower.shape[0] == 1000 and (upper[-1] > 250).all() and (lower[0] > 250).all()
    assert abs(upper.shape[0] - 508) < 6, "five rows each"


def test_a_deck_holds_reveal_and_draws_equations_without_a_script(tmp_path, monkeypatch):
    for name in slides.PACKAGE.files:
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_text(f"/* {name} */")
    monkeypatch.setattr(slides, "fetched", lambda package: tmp_path)
    page = slides.deck(Chapter(ROOT / "notebooks" / "02_variational_linear_transform.ipynb", None), "why?")
    assert all(f"/* {name} */" in page for name in slides.PACKAGE.files)
    assert page.count("<math") > 20 and "$" not in page.split("<main")[1].split("</main>")[0].replace("$PATH", "")
    assert page.count("<section") > 30 and "MathJax" not in page and 'class="notes"' in page
