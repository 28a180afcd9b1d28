"""The labs: solutions pass every test, student copies fail by their stubs alone, and common wrong answers get their message."""

import io
import json
import re
import socket
from contextlib import redirect_stdout

import matplotlib
import nbformat
import pytest
import torch
from common import ROOT
from labs.right_answers import RIGHT
from labs.wrong_answers import WRONG
from PIL import Image

from stvae_lib.report.labs import copy_of, masters, read_master

pytest.importorskip("nbgrader", reason="needs nbgrader (pip install -e '.[test]')")

matplotlib.use("agg")
MASTERS = {file.stem: read_master(file) for file in masters()}
labs = pytest.mark.parametrize("lab", MASTERS)


def markup(cell) -> dict:
    return cell.metadata.get("nbgrader", {})


def code_cells(notebook):
    return [cell for cell in notebook.cells if cell.cell_type == "code"]


def graded(notebook) -> dict:
    """Graded code cells by the exercise that they test."""
    return {markup(cell)["grade_id"].removeprefix("test-"): cell for cell in code_cells(notebook) if markup(cell).get("grade")}


def shows(cell) -> bool:
    """Whether a cell draws or reports: nothing that an exercise needs, and most of a lab's time."""
    return "figures.draw(" in cell.source or "print(" in cell.source


def run(cells, names: dict | None = None) -> tuple[dict, dict]:
    """Execute cells as a kernel does, going on after an error. Returns what they defined, and errors by cell."""
    names, errors = {"__name__": "lab"} if names is None else names, {}
    for number, cell in enumerate(cells):
        with redirect_stdout(io.StringIO()), torch.enable_grad():
            try:
                exec(compile(cell.source, f"cell {number}", "exec"), names)
            except Exception as error:
                errors[markup(cell).get("grade_id", number)] = error
    return names, errors


@pytest.fixture(scope="module")
def solved():
    """What the masters define, by lab, each executed once without its figures."""
    found = {}

    def of(lab: str) -> dict:
        if lab not in found:
            found[lab], errors = run([cell for cell in code_cells(MASTERS[lab]) if not shows(cell)])
            assert errors == {}
        return found[lab]

    return of


def student(lab: str):
    return copy_of(MASTERS[lab], "student", ROOT / lab)


def test_there_are_four_labs():
    assert list(MASTERS) == ["01_features", "02_vae", "03_linear_transform", "04_experiment"]


@labs
def test_a_lab_has_what_a_lab_needs(lab):
    notebook = MASTERS[lab]
    tests = graded(notebook)
    solutions = [cell for cell in code_cells(notebook) if markup(cell).get("solution")]
    assert len(tests) >= 5 and [markup(cell)["grade_id"] for cell in solutions] == list(tests)
    assert all("### BEGIN SOLUTION" in cell.source for cell in solutions)
    for cell in solutions:
        body = cell.source.split("### BEGIN SOLUTION")[1].split("### END SOLUTION")[0]
        assert len(body.strip().splitlines()) <= 15
    for cell in tests.values():
        visible, hidden = cell.source.split("### BEGIN HIDDEN TESTS")
        assert "assert" in visible and "assert" in hidden
    text = [cell for cell in notebook.cells if cell.cell_type == "markdown"]
    assert sum("<details><summary>Hint</summary>" in cell.source for cell in text) >= len(tests)
    assert [cell for cell in text if markup(cell).get("grade") and markup(cell)["points"] == 3], "a question in words"
    said = re.search(r"(\w+) exercises, (\d+) points, and one question", text[0].source)
    assert int(said[2]) == sum(markup(cell)["points"] for cell in tests.values())
    headings = re.findall(r"^## (\d) ·", "\n".join(cell.source for cell in text), re.MULTILINE)
    assert headings == [str(number) for number in range(1, len(tests) + 2)], "an exercise a heading, and the question in words"
    assert "styles" in next(cell.source for cell in notebook.cells if "parameters" in cell.metadata.get("tags", []))


@labs
def test_masters_are_executed_and_can_be_read(lab):
    notebook = MASTERS[lab]
    assert (ROOT / "notebooks" / "labs" / f"{lab}.ipynb").stat().st_size <= 400_000
    assert "widgets" not in notebook.metadata and "papermill" not in notebook.metadata
    assert [cell.execution_count for cell in code_cells(notebook)] == list(range(1, len(code_cells(notebook)) + 1))
    outputs = [output for cell in code_cells(notebook) for output in cell.outputs]
    assert not [output for output in outputs if output.output_type == "error"]
    assert not re.search(r"/(home|root|tmp|work|Users)/", json.dumps([cell.source for cell in notebook.cells] + outputs))
    pictures = [(kind, output) for output in outputs for kind in ("image/jpeg", "image/png") if kind in output.get("data", {})]
    assert len(pictures) >= 1 and all(len(output.metadata[kind]["alt"]) > 20 for kind, output in pictures)


@labs
def test_nbval_compares_what_a_lab_says(lab):
    """It looks at outputs of cells that are marked, and at errors of all."""
    checked = [cell for cell in code_cells(MASTERS[lab]) if "nbval-check-output" in cell.metadata.get("tags", [])]
    assert checked and all(cell.outputs for cell in checked)


@labs
def test_solutions_pass_every_test_also_where_the_pictures_are_missing(lab):
    """Who hands in a lab with own pictures is graded where these are not: checks must not need them."""
    cells = [nbformat.from_dict(cell) for cell in code_cells(MASTERS[lab])]
    for cell in cells:
        if "parameters" in cell.metadata.get("tags", []):
            cell.source = re.sub(r'(_dir: str = )""', r'\1"not/here"', cell.source)
    _, errors = run([cell for cell in cells if not shows(cell)])
    assert {name for name in errors if isinstance(name, str)} == set(), errors
    assert all("not/here" in str(error) or isinstance(error, NameError) for error in errors.values())


@pytest.mark.slow
@labs
def test_one_photograph_and_one_painting_of_ones_own_are_enough(lab, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    for kind in ("photos", "paintings"):
        (tmp_path / kind).mkdir()
        Image.effect_noise((200, 150), 90).convert("RGB").save(tmp_path / kind / "mine.png")
    cells = [nbformat.from_dict(cell) for cell in code_cells(MASTERS[lab])]
    for cell in cells:
        if "parameters" in cell.metadata.get("tags", []):
            for name, folder in (("content_dir", "photos"), ("style_dir", "paintings")):
                cell.source = cell.source.replace(f'{name}: str = ""', f'{name}: str = "{folder}"')
    _, errors = run(cells)
    assert errors == {}


@labs
def test_a_copy_to_hand_out_has_no_links_to_what_is_not_handed_out(lab):
    for kind in ("student", "solution"):
        text = "".join(cell.source for cell in copy_of(MASTERS[lab], kind, ROOT / lab).cells)
        assert "](.." not in text and "notebook" in text.lower()
    assert "](.." in "".join(cell.source for cell in MASTERS[lab].cells), "the master stays as it was"


@labs
def test_a_student_copy_fails_by_its_stubs_alone(lab, monkeypatch):
    """Also without a network."""
    def refuse(*_):
        raise OSError("no network")

    monkeypatch.setattr(socket.socket, "connect", refuse)
    copy = student(lab)
    assert "SOLUTION" not in json.dumps(copy) and "HIDDEN" not in json.dumps(copy)
    assert all(not cell.outputs and cell.execution_count is None for cell in code_cells(copy))
    _, errors = run(code_cells(copy))
    assert {type(error) for error in errors.values()} == {NotImplementedError}, errors
    assert {name for name in errors if isinstance(name, str)} == {f"test-{name}" for name in graded(copy)}


@labs
def test_a_student_copy_holds_no_line_of_a_solution(lab):
    left = json.dumps(student(lab), ensure_ascii=False)
    for cell in MASTERS[lab].cells:
        if not markup(cell).get("solution"):
            continue
        hidden = cell.source.split("### BEGIN SOLUTION")[1].split("### END")[0] if cell.cell_type == "code" else cell.source
        lines = [line.strip() for line in hidden.splitlines() if line.strip()]
        assert lines and not [line for line in lines if json.dumps(line, ensure_ascii=False)[1:-1] in left]


@pytest.mark.parametrize("wrong", WRONG, ids=lambda wrong: f"{wrong.lab}-{wrong.exercise}-{wrong.what}")
def test_a_wrong_answer_gets_its_message(wrong, solved):
    given = nbformat.v4.new_code_cell(wrong.source)
    errors = {}
    for kind, notebook in {"visible": student(wrong.lab), "all": MASTERS[wrong.lab]}.items():
        test = graded(notebook)[wrong.exercise]
        errors[kind] = run([given, test], dict(solved(wrong.lab)))[1].get(f"test-{wrong.exercise}")
    assert isinstance(errors["all"], AssertionError) and wrong.message in str(errors["all"]), errors["all"]
    assert (errors["visible"] is None) == wrong.hidden, errors["visible"]


@pytest.mark.parametrize("right", RIGHT, ids=lambda right: f"{right.lab}-{right.exercise}-{right.what}")
def test_a_right_answer_that_goes_about_it_otherwise_passes(right, solved):
    given = nbformat.v4.new_code_cell(right.source)
    _, errors = run([given, graded(MASTERS[right.lab])[right.exercise]], dict(solved(right.lab)))
    assert errors == {}


EXERCISES = [(lab, exercise) for lab, notebook in MASTERS.items() for exercise in graded(notebook)]


@pytest.mark.parametrize("lab, exercise", EXERCISES)
def test_who_forgets_the_return_is_told_so(lab, exercise, solved):
    blank = next(cell for cell in code_cells(student(lab)) if markup(cell).get("grade_id") == exercise)
    given = nbformat.v4.new_code_cell(blank.source.replace("raise NotImplementedError()", "pass"))
    _, errors = run([given, graded(student(lab))[exercise]], dict(solved(lab)))
    assert isinstance(error := errors[f"test-{exercise}"], AssertionError) and "did you forget the return?" in str(error)


def test_every_graded_cell_has_wrong_answers_written_down():
    listed = {(wrong.lab, wrong.exercise) for wrong in WRONG}
    assert listed == {(lab, exercise) for lab, notebook in MASTERS.items() for exercise in graded(notebook)}
    for lab in MASTERS:
        assert any(wrong.hidden for wrong in WRONG if wrong.lab == lab), "hidden tests see what visible checks do not"


def test_the_guide_names_every_mistake_with_its_message():
    guide = (ROOT / "docs" / "teaching.md").read_text(encoding="utf-8")
    rows = [f"| {wrong.exercise} | {wrong.what} | {wrong.message}{' *(hidden)*' if wrong.hidden else ''} |" for wrong in WRONG]
    assert [row for row in rows if row not in guide] == []
    given = [(wrong.lab, wrong.exercise) for wrong in WRONG]
    assert given == sorted(given, key=EXERCISES.index), "rows stand in the labs' order"
    assert re.findall(r"(?m)^\| ([\w-]+) \|[^|\n]*\|[^|\n]*\|$", guide.split("### Lab 1")[1].split("## To discuss")[0]) == [
        row for lab in MASTERS for row in ("exercise", "---", *(exercise for listed, exercise in given if listed == lab))]


@labs
def test_a_cell_holds_one_idea(lab):
    for cell in code_cells(MASTERS[lab]):
        assert sum(bool(line.strip()) for line in cell.source.splitlines()) <= 25, cell.id
