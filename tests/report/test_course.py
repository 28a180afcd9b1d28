import json
import os
import subprocess
import sys
import sysconfig

import nbformat
import pytest
from common import ROOT
from labs.wrong_answers import WRONG

from stvae_lib import InputError
from stvae_lib.cli import main
from stvae_lib.report import course

pytest.importorskip("nbgrader", reason="needs the extra `course`, whose JupyterLab extension changes the toolbar")

LABS = [file.stem for file in course.masters()]


def marked(notebook, **kind) -> list:
    """Cells whose markup for nbgrader says all of `kind`."""
    return [cell for cell in notebook.cells if kind.items() <= cell.metadata.get("nbgrader", {}).items()]


@pytest.fixture(scope="module")
def built(tmp_path_factory):
    return course.build_course(tmp_path_factory.mktemp("kit") / "deep" / "kit")


def test_copies_and_the_tree_of_nbgrader_are_written(built):
    written = {file.relative_to(built).as_posix() for file in built.rglob("*") if file.is_file()}
    assert written == {"course/nbgrader_config.py"} | {f"{kind}/{lab}.ipynb" for kind in course.COPIES for lab in LABS} \
        | {f"course/source/{lab}/{lab}.ipynb" for lab in LABS}
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


def test_without_nbgrader_one_line_says_what_to_install(tmp_path, monkeypatch):
    monkeypatch.setitem(sys.modules, "nbgrader", None)
    with pytest.raises(InputError, match=r"nbgrader: is not installed; .*\[course\]"):
        course.build_course(tmp_path / "kit")
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("source, wrong", [("### BEGIN SOLUTION\nx = 1", "ClearSolutions"), ("{broken", "is no notebook")])
def test_a_broken_master_is_named_and_nothing_is_written(tmp_path, monkeypatch, source, wrong):
    monkeypatch.setattr(course, "LABS", tmp_path)
    notebook = nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell(source)])
    (tmp_path / "01_x.ipynb").write_text(source if source[0] == "{" else nbformat.writes(notebook))
    with pytest.raises(InputError, match=f"01_x.ipynb: .*{wrong}"):
        course.build_course(tmp_path / "kit")
    assert [file.name for file in tmp_path.iterdir()] == ["01_x.ipynb"]


@pytest.fixture
def environment(monkeypatch):
    """What an activated environment sets: nbgrader calls alembic, and kernels import this checkout."""
    monkeypatch.setenv("PATH", os.pathsep.join([sysconfig.get_path("scripts"), os.environ["PATH"]]))
    monkeypatch.setenv("PYTHONPATH", str(ROOT))


def nbgrader(folder, *arguments) -> None:
    ended = subprocess.run([sys.executable, "-m", "nbgrader", *arguments], cwd=folder, capture_output=True, text=True)
    assert ended.returncode == 0, ended.stderr[-2000:]


def hand_in(folder, lab: str, student: str, answers: dict) -> None:
    """A submission: the released lab with `answers` in its cells by their ids, and without figures, which take time."""
    notebook = nbformat.read(folder / "release" / lab / f"{lab}.ipynb", as_version=4)
    notebook.cells = [cell for cell in notebook.cells if "figures.show(" not in cell.source]
    for cell in marked(notebook, solution=True):
        cell.source = answers.get(cell.metadata.nbgrader["grade_id"], cell.source)
    target = folder / "submitted" / student / lab / f"{lab}.ipynb"
    target.parent.mkdir(parents=True)
    nbformat.write(notebook, target)


@pytest.mark.slow
@pytest.mark.parametrize("lab", LABS)
def test_nbgrader_gives_full_no_and_partial_points(built, environment, lab):
    from nbgrader.api import Gradebook

    folder, master = built / "course", course.read_master(course.LABS / f"{lab}.ipynb")
    solutions = {cell.metadata.nbgrader["grade_id"]: cell.source for cell in marked(master, solution=True)}
    points = {cell.metadata.nbgrader["grade_id"].removeprefix("test-"): cell.metadata.nbgrader["points"]
              for cell in marked(master, grade=True, solution=False)}
    last = list(points)[-1]  # no other exercise builds on it
    wrong = next(wrong for wrong in WRONG if (wrong.lab, wrong.exercise) == (lab, last))
    nbgrader(folder, "generate_assignment", lab)
    for student, answers in {"right": solutions, "empty": {}, "wrong": solutions | {last: wrong.source}}.items():
        hand_in(folder, lab, student, answers)
    nbgrader(folder, "autograde", lab)
    with Gradebook(f"sqlite:///{folder / 'gradebook.db'}") as book:
        found = {student: book.find_submission(lab, student) for student in ("right", "empty", "wrong")}
        scores = {student: submission.score for student, submission in found.items()}
        assert found["right"].needs_manual_grade and found["right"].max_score == sum(points.values()) + 3, "words are read"
    assert scores == {"right": sum(points.values()), "empty": 0, "wrong": sum(points.values()) - points[last]}
