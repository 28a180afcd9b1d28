"""nbgrader as an instructor calls it, and the points that it gave."""

import os
import subprocess
import sys
import sysconfig

from common import ROOT


def nbgrader(folder, *arguments) -> None:
    """Run a command of nbgrader in the folder of a course, as in an activated environment: it calls alembic, and kernels import
    this checkout."""
    environment = os.environ | {"PYTHONPATH": str(ROOT),
                                "PATH": os.pathsep.join([sysconfig.get_path("scripts"), os.environ["PATH"]])}
    command = [sys.executable, "-m", "nbgrader", *arguments]
    ended = subprocess.run(command, cwd=folder, env=environment, capture_output=True, text=True)
    assert ended.returncode == 0, ended.stderr[-2000:]


def grades(folder, lab: str) -> dict[str, dict]:
    """By student: points, most points, and whether something is left to be marked by hand."""
    from nbgrader.api import Gradebook

    with Gradebook(f"sqlite:///{folder / 'gradebook.db'}") as book:
        return {found.student.id: {"score": found.score, "of": found.max_score, "to mark": found.needs_manual_grade}
                for found in book.assignment_submissions(lab)}
