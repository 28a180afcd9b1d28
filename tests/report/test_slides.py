"""Slides of the chapters."""

import nbformat
import pytest
from common import ROOT, markdown_output, picture_output

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


def test_a_deck_holds_reveal_and_draws_equations_without_a_script(tmp_path, monkeypatch):
    for name in slides.PACKAGE.files:
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_text(f"/* {name} */")
    monkeypatch.setattr(slides, "fetched", lambda package: tmp_path)
    page = slides.deck(Chapter(ROOT / "notebooks" / "02_variational_linear_transform.ipynb", None), "why?")
    assert all(f"/* {name} */" in page for name in slides.PACKAGE.files)
    assert page.count("<math") > 20 and "$" not in page.split("<main")[1].split("</main>")[0].replace("$PATH", "")
    assert page.count("<section") > 30 and "MathJax" not in page and 'class="notes"' in page
