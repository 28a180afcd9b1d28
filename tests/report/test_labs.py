"""Labs as chapters of the book."""

import re
import shutil

import nbformat
import pytest
from common import ROOT

from stvae_lib.report import labs
from stvae_lib.report.labs import Lab
from stvae_lib.report.site import DOCS

pytest.importorskip("nbgrader", reason="needs nbgrader (pip install -e '.[test]')")

MASTERS = pytest.mark.parametrize("master", labs.masters(), ids=lambda file: file.stem)


@pytest.fixture(params=[True, False], ids=["with solutions", "without solutions"])
def solutions(request):
    return request.param


def pages_of(master, folder, solutions: bool):
    """The lab, and the cells that Sphinx reads in its place."""
    pages = shutil.copytree(DOCS, folder / "pages")
    (pages / "extra").mkdir()
    lab = Lab(master, solutions)
    lab.write(pages)
    return lab, nbformat.read(pages / f"{lab.name}.ipynb", as_version=4).cells


def prompt(cell) -> str:
    return cell.metadata.get("mystnb", {}).get("code_prompt_show", "")


@MASTERS
def test_solutions_are_behind_a_click_or_nowhere(master, tmp_path, solutions):
    lab, cells = pages_of(master, tmp_path, solutions)
    text = "\n".join(cell.source for cell in cells)
    exercises = [cell for cell in lab.notebook.cells if cell.metadata.get("nbgrader", {}).get("solution")]
    answers = [cell.source.split("SOLUTION")[1].strip("# \n").splitlines()[0].strip() for cell in exercises
               if cell.cell_type == "code"]
    assert "SOLUTION" not in text and "HIDDEN" not in text
    assert text.count("raise NotImplementedError()") == len(answers) + 1, "in every blank, and where the lab says how it works"
    for answer in answers:
        assert {prompt(cell) for cell in cells if answer in cell.source} == ({"Solution"} if solutions else set())
    words = next(cell.source for cell in exercises if cell.cell_type == "markdown")
    assert (words.split(".")[0] in text) == solutions == (":::{dropdown} Solution" in text)
    assert len([cell for cell in cells if prompt(cell).startswith("Check, ")]) == len(answers)


@MASTERS
def test_a_lab_looks_like_a_chapter(master, tmp_path):
    lab, cells = pages_of(master, tmp_path, True)
    text = "\n".join(cell.source for cell in cells)
    opening = rf"# {re.escape(lab.title)}\n\n```{{(image|figure)}} pictures/{lab.name}-figure-"  # figure 1 moves there
    assert re.match(opening, cells[0].source)
    assert text.count(":::{dropdown} Hint") >= 6 and "<details>" not in text
    assert "](../" not in text.replace("](../stvae_lib", "") and "](source:stvae_lib/" in text
    assert all((tmp_path / "pages" / "pictures" / lab.file_of(figure)).exists() for figure in lab.figures.values())
    assert lab.goals.endswith(".") and "parameters" not in text.split("##")[0]


@MASTERS
def test_what_is_handed_out_has_blanks(master, tmp_path):
    lab, cells = pages_of(master, tmp_path, True)
    assert f'<a href="labs/{master.name}" download>' in cells[0].source
    file = tmp_path / "pages" / "extra" / "labs" / master.name
    assert nbformat.read(file, as_version=4) == lab.download == labs.copy_of(labs.read_master(master), "student", ROOT)
