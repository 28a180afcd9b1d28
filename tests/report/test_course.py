import json
import re
import sys
from unittest.mock import MagicMock

import nbformat
import pytest
from common import ROOT
from labs.grading import grades, nbgrader
from labs.wrong_answers import WRONG

from stvae_lib import InputError
from stvae_lib.cli import main
from stvae_lib.report import course, labs, npm, slides

pytest.importorskip("nbgrader", reason="needs nbgrader (pip install -e '.[test]')")
pytest.importorskip("typst", reason="needs typst (pip install -e '.[test]')")

LABS = [file.stem for file in labs.masters()]
CHAPTERS = [file.stem for file in (ROOT / "notebooks").glob("*.ipynb")]


def marked(notebook, **kind) -> list:
    """Cells whose markup for nbgrader says all of `kind`."""
    return [cell for cell in notebook.cells if kind.items() <= cell.metadata.get("nbgrader", {}).items()]


@pytest.fixture(scope="module", autouse=True)
def reveal(tmp_path_factory):
    """A folder in place of reveal.js, whose files hold their names."""
    folder = tmp_path_factory.mktemp("reveal")
    for name in slides.PACKAGE.files:
        (folder / name).parent.mkdir(exist_ok=True)
        (folder / name).write_text(f"/* {name} */")
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(slides, "fetched", lambda package: folder)
        yield


@pytest.fixture(scope="module")
def built(tmp_path_factory):
    return course.build_course(tmp_path_factory.mktemp("kit") / "deep" / "kit")


def test_copies_and_the_tree_of_nbgrader_are_written(built):
    written = {file.relative_to(built).as_posix() for file in built.rglob("*") if file.is_file()}
    assert written == {"course/nbgrader_config.py", "handout.pdf"} \
        | {f"{kind}/{lab}.ipynb" for kind in labs.COPIES for lab in LABS} \
        | {f"course/source/{lab}/{lab}.ipynb" for lab in LABS} | {f"slides/{chapter}.html" for chapter in CHAPTERS}
    assert not list(built.parent.glob(".stvae-*"))


@pytest.mark.parametrize("lab", LABS)
def test_copies_hold_what_they_are_for(built, lab):
    student, solution = (nbformat.read(built / kind / f"{lab}.ipynb", as_version=4) for kind in ("student", "solution"))
    blanks = [cell for cell in marked(student, solution=True) if cell.cell_type == "code"]
    assert len(blanks) >= 5 and all("raise NotImplementedError()" in cell.source for cell in blanks)
    assert marked(student, solution=True, grade=True)[0].source == "YOUR ANSWER HERE"
    assert all(cell.metadata["editable"] is False and cell.metadata.nbgrader["checksum"] for cell in marked(student, locked=True))
    assert "BEGIN SOLUTION" in json.dumps(solution) and any(cell.get("outputs") for cell in solution.cells)


def test_a_folder_with_something_in_it_is_left_alone(tmp_path, capsys):
    (tmp_path / "gradebook.db").write_text("grades")
    assert main(["course", "build", str(tmp_path)]) == 2
    assert "is there already" in capsys.readouterr().err and [file.name for file in tmp_path.iterdir()] == ["gradebook.db"]


def test_an_empty_folder_may_be_filled(tmp_path, capsys):
    assert main(["course", "build", str(tmp_path)]) == 0
    assert "nbgrader generate_assignment" in capsys.readouterr().out and (tmp_path / "course" / "source").is_dir()


@pytest.mark.parametrize("missing", ["nbgrader", "typst"])
def test_without_a_package_one_line_says_what_to_install(tmp_path, monkeypatch, missing):
    monkeypatch.setitem(sys.modules, missing, None)
    with pytest.raises(InputError, match=rf"{missing}: is not installed; .*\[course\]"):
        course.build_course(tmp_path / "kit")
    assert list(tmp_path.iterdir()) == []


def test_where_reveal_is_out_of_reach_the_kit_goes_without_slides(tmp_path, monkeypatch, capsys):
    monkeypatch.setattr(slides, "fetched", npm.fetched)
    monkeypatch.setattr(npm, "find_npm", lambda: "false")
    assert main(["course", "build", str(tmp_path / "kit")]) == 0
    printed = capsys.readouterr()
    assert "the kit goes without slides" in printed.err and "slides" not in printed.out
    assert not (tmp_path / "kit" / "slides").exists() and (tmp_path / "kit" / "handout.pdf").exists()


@pytest.mark.parametrize("source, wrong", [("### BEGIN SOLUTION\nx = 1", "ClearSolutions"), ("{broken", "is no notebook")])
def test_a_broken_master_is_named_and_nothing_is_written(tmp_path, monkeypatch, source, wrong):
    monkeypatch.setattr(labs, "LABS", tmp_path)
    notebook = nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell(source)])
    (tmp_path / "01_x.ipynb").write_text(source if source[0] == "{" else nbformat.writes(notebook))
    with pytest.raises(InputError, match=f"01_x.ipynb: .*{wrong}"):
        course.build_course(tmp_path / "kit")
    assert [file.name for file in tmp_path.iterdir()] == ["01_x.ipynb"]


@pytest.mark.parametrize("name, student", [
    ("ada_01_features.ipynb", "ada"), ("ada_l_02_vae.ipynb", "ada_l"), ("ada/03_linear_transform.ipynb", "ada"),
    ("lms/Ada Lovelace_12_assignsubmission_file_/04_experiment.ipynb", "Ada Lovelace"),
    ("lms/Ada Lovelace_12_assignsubmission_file_04_experiment.ipynb", "Ada Lovelace"),
    ("01_features.ipynb", None), ("ada_notes.ipynb", None)])
def test_names_that_a_learning_platform_gives_are_sorted(built, name, student):
    settings = MagicMock()
    exec((built / "course" / "nbgrader_config.py").read_text(encoding="utf-8"), {"get_config": lambda: settings})
    found = re.match(settings.FileNameCollectorPlugin.named_regexp, f"/my_kit/course/downloaded/01_features/extracted/{name}")
    assert (found and found["student_id"]) == student and (found is None or found["file_id"] in LABS)


def hand_in(folder, lab: str, student: str, answers: dict) -> None:
    """A submission: the released lab with `answers` in its cells by their ids, and without figures, which take time."""
    notebook = nbformat.read(folder / "release" / lab / f"{lab}.ipynb", as_version=4)
    notebook.cells = [cell for cell in notebook.cells if "figures.draw(" not in cell.source]
    for cell in marked(notebook, solution=True):
        cell.source = answers.get(cell.metadata.nbgrader["grade_id"], cell.source)
    target = folder / "submitted" / student / lab / f"{lab}.ipynb"
    target.parent.mkdir(parents=True)
    nbformat.write(notebook, target)


@pytest.mark.slow
@pytest.mark.parametrize("lab", LABS)
def test_nbgrader_gives_full_no_and_partial_points(built, lab):
    folder, master = built / "course", labs.read_master(labs.LABS / f"{lab}.ipynb")
    solutions = {cell.metadata.nbgrader["grade_id"]: cell.source for cell in marked(master, solution=True)}
    points = {cell.metadata.nbgrader["grade_id"].removeprefix("test-"): cell.metadata.nbgrader["points"]
              for cell in marked(master, grade=True, solution=False)}
    last = list(points)[-1]  # no other exercise builds on it
    wrong = next(wrong for wrong in WRONG if (wrong.lab, wrong.exercise) == (lab, last))
    nbgrader(folder, "generate_assignment", lab)
    for student, answers in {"right": solutions, "empty": {}, "wrong": solutions | {last: wrong.source}}.items():
        hand_in(folder, lab, student, answers)
    nbgrader(folder, "autograde", lab)
    found = grades(folder, lab)
    assert found["right"]["to mark"] and found["right"]["of"] == sum(points.values()) + 3, "words are read"
    scores = {student: grade["score"] for student, grade in found.items()}
    assert scores == {"right": sum(points.values()), "empty": 0, "wrong": sum(points.values()) - points[last]}
