"""The course kit: labs as students get them, the same with solutions, the tree that nbgrader grades in, slides and a handout."""

import os
import shutil
import warnings
from pathlib import Path

import nbformat

from ..errors import InputError
from ..files import UNFINISHED, make_folder
from .archive import ROOT
from .chapters import Chapter
from .handout import handout
from .labs import COPIES, copy_of, masters, read_master, without_neighbours
from .landing import questions

CONFIG = r"""c = get_config()  # noqa: F821 - nbgrader puts it here
c.CourseDirectory.course_id = "stvae"
c.Execute.timeout = 300  # seconds a cell may take
# zip_collect takes STUDENT_01_features.ipynb, STUDENT/01_features.ipynb, and either as Moodle names it
c.FileNameCollectorPlugin.named_regexp = (
    r".*/(?!extracted/)(?P<student_id>[^/]+?)(?:_\d+_assignsubmission_file_?)?[_/](?P<file_id>0\d_[a-z_]+)[.]ipynb$")
"""


def build_course(out, run: Path | None = None) -> Path:
    """Write the kit into a new folder, whole or not at all; returns it.

    student/LAB.ipynb, solution/LAB.ipynb: copies to hand out. course/: for nbgrader, with `source/LAB/LAB.ipynb`, ready for
    `nbgrader generate_assignment LAB`. slides/CHAPTER.html: a deck of each chapter, left out with a warning where reveal.js is
    out of reach. handout.pdf: the method on one page. run: a folder that `stvae report` made, whose figures the decks show at
    full size; None takes the committed notebooks. Raises InputError where `out` holds something already, the extra
    `course` is not installed, or a master is broken.
    """
    out = Path(out)
    if out.exists() and (not out.is_dir() or any(out.iterdir())):
        raise InputError(out, "is there already", "choose a new folder: this one may hold grades or edited labs")
    files = {"handout.pdf": handout()} | lab_files() | slide_files(run)
    make_folder(out.parent)
    unfinished = out.parent / f"{UNFINISHED}{out.name}"
    shutil.rmtree(unfinished, ignore_errors=True)  # of a build that was killed
    try:
        for name, data in files.items():
            make_folder((unfinished / name).parent)
            (unfinished / name).write_bytes(data)
        os.replace(unfinished, out)
    except OSError as error:
        raise InputError(out, f"cannot be written ({error.strerror})", "make room, or choose another folder") from None
    finally:
        shutil.rmtree(unfinished, ignore_errors=True)
    return out


def lab_files() -> dict[str, bytes]:
    """Copies of the labs and nbgrader's tree, by their path within the kit."""
    files = {"course/nbgrader_config.py": CONFIG.encode()}
    for master in masters():
        notebook = read_master(master)
        copies = {f"{kind}/{master.name}": copy_of(notebook, kind, master) for kind in COPIES}
        copies |= {f"course/source/{master.stem}/{master.name}": without_neighbours(notebook)}
        files |= {name: f"{nbformat.writes(copy)}\n".encode() for name, copy in copies.items()}
    return files


def slide_files(run: Path | None = None) -> dict[str, bytes]:
    """A deck of each chapter of a run, or of the committed notebooks, by its path within the kit; none, with a warning, where
    reveal.js is out of reach."""
    from .site import chapter_files, run_of
    from .slides import deck

    asked = questions()
    chapters = [Chapter(file, run_of(file, run is None)) for file in chapter_files(run or ROOT / "notebooks")]
    try:
        return {f"slides/{chapter.name}.html": deck(chapter, asked[chapter.name]).encode() for chapter in chapters}
    except InputError as error:
        warnings.warn(f"{error}: the kit goes without slides", stacklevel=2)
        return {}
