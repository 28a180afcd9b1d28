"""The course kit: labs as students get them, the same with solutions, and the tree that nbgrader grades in.

A lab's master, in `notebooks/labs/`, holds everything: text, solutions, visible checks, hidden tests. What a copy leaves out,
nbgrader's own preprocessors take out: the same that `nbgrader generate_assignment` runs.
"""

import os
import shutil
from copy import deepcopy
from pathlib import Path

import nbformat

from ..errors import InputError
from ..files import UNFINISHED, make_folder
from .archive import ROOT

LABS = ROOT / "notebooks" / "labs"
COPIES = {"student": ("LockCells", "ClearSolutions", "ClearOutput", "CheckCellMetadata", "ClearHiddenTests", "ClearMarkScheme",
                      "ComputeChecksums", "CheckCellMetadata"),
          "solution": ("LockCells", "ClearMarkScheme", "CheckCellMetadata")}
CONFIG = """c = get_config()  # noqa: F821 - nbgrader puts it here
c.CourseDirectory.course_id = "stvae"
c.Execute.timeout = 300  # seconds a cell may take
"""


def build_course(out) -> Path:
    """Write the labs into a new folder, whole or not at all; returns it.

    student/LAB.ipynb, solution/LAB.ipynb: copies to hand out. course/: for nbgrader, with `source/LAB/LAB.ipynb`, ready for
    `nbgrader generate_assignment LAB`. Raises InputError where `out` holds something already, nbgrader is not installed, or a
    master is broken.
    """
    out = Path(out)
    if out.exists() and (not out.is_dir() or any(out.iterdir())):
        raise InputError(out, "is there already", "choose a new folder: this one may hold grades or edited labs")
    files = course_files()
    make_folder(out.parent)
    unfinished = out.parent / f"{UNFINISHED}{out.name}"
    shutil.rmtree(unfinished, ignore_errors=True)  # of a build that was killed
    try:
        for name, text in files.items():
            make_folder((unfinished / name).parent)
            (unfinished / name).write_text(text, encoding="utf-8")
        os.replace(unfinished, out)
    except OSError as error:
        raise InputError(out, f"cannot be written ({error.strerror})", "make room, or choose another folder") from None
    finally:
        shutil.rmtree(unfinished, ignore_errors=True)
    return out


def course_files() -> dict[str, str]:
    """What `build_course` writes: texts by their path within the folder."""
    files = {"course/nbgrader_config.py": CONFIG}
    for master in masters():
        notebook = read_master(master)
        files[f"course/source/{master.stem}/{master.name}"] = nbformat.writes(notebook) + "\n"
        for kind in COPIES:
            files[f"{kind}/{master.name}"] = nbformat.writes(copy_of(notebook, kind, master)) + "\n"
    return files


def masters() -> list[Path]:
    """The labs' masters in order; InputError where there are none."""
    files = sorted(LABS.glob("*.ipynb"))
    if not files:
        raise InputError(LABS, "holds no labs", "run this in a whole checkout of the repository")
    return files


def read_master(file: Path):
    """A master as a notebook; InputError where it is none."""
    try:
        notebook = nbformat.read(file, as_version=4)
        nbformat.validate(notebook)
    except (OSError, ValueError, AttributeError, KeyError, TypeError, nbformat.ValidationError):
        raise InputError(file, "is no notebook", "get a whole copy of it") from None
    return notebook


def copy_of(master, kind: str, file: Path):
    """A copy of a master. kind: "student", without solutions, hidden tests and outputs, or "solution". file: the master's, for
    messages. InputError where nbgrader is not installed or does not accept the markup."""
    try:
        from nbgrader import preprocessors
    except ImportError:
        remedy = 'install this project with its extra: pip install -e ".[course]"'
        raise InputError("nbgrader", "is not installed", remedy) from None
    notebook, resources = deepcopy(master), {}
    for name in COPIES[kind]:
        try:
            notebook, resources = getattr(preprocessors, name)().preprocess(notebook, resources)
        except Exception as error:  # nbgrader raises bare RuntimeErrors and a ValidationError of its own
            raise InputError(file, f"is not accepted by nbgrader's {name} ({error})", "mend the markup of its cells") from None
    return notebook
