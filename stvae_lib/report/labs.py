"""Labs: each has a master that holds everything (text, solutions, visible checks, hidden tests), copies of it, and a chapter.

What a copy leaves out, nbgrader's own preprocessors take out: the same that `nbgrader generate_assignment` runs.
"""

import re
from copy import deepcopy
from itertools import count
from pathlib import Path

import nbformat

from ..errors import InputError
from .archive import ROOT
from .chapters import Chapter, folded, with_sources

LABS = ROOT / "notebooks" / "labs"
COPIES = {"student": ("LockCells", "ClearSolutions", "ClearOutput", "CheckCellMetadata", "ClearHiddenTests", "ClearMarkScheme",
                      "ComputeChecksums", "CheckCellMetadata"),
          "solution": ("LockCells", "ClearMarkScheme", "CheckCellMetadata")}
EXTRA = 'install this project with its extra: pip install -e ".[course]"'
UNFOLDS = re.compile(r"<details><summary>(.*?)</summary>\s*(.*?)\s*</details>", re.DOTALL)
NEIGHBOUR = re.compile(r"\[([^]]*)\]\(\.\./[^)]*\)")  # a link that leads nowhere once a lab has been handed out
MARK = re.compile(r"(?m)^ *### (?:BEGIN|END) SOLUTION\n?")
START = """:::{{admonition}} To do it
:class: tip
Take <a href="labs/{file}" download>the notebook with blanks</a>: what stands below is its text, and what comes out. {solutions}
It needs this book's library and Jupyter: [where to run it](teaching.md#where-to-run-it).
:::"""


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
        raise InputError("nbgrader", "is not installed", EXTRA) from None
    notebook, resources = without_neighbours(master), {}
    for name in COPIES[kind]:
        try:
            notebook, resources = getattr(preprocessors, name)().preprocess(notebook, resources)
        except Exception as error:  # nbgrader raises bare RuntimeErrors and a ValidationError of its own
            raise InputError(file, f"is not accepted by nbgrader's {name} ({error})", "mend the markup of its cells") from None
    return notebook


def without_neighbours(master):
    """A lab as it can be handed out: its links into the repository are plain text."""
    notebook = deepcopy(master)
    for cell in notebook.cells:
        if cell.cell_type == "markdown":
            cell.source = NEIGHBOUR.sub(r"\1", cell.source)
    return notebook


class Lab(Chapter):
    """A master on its way into the book: blanks, hints that unfold, checks as students see them, and, if `solutions`, what
    belongs in a blank behind a click. Hidden tests stay out."""

    def __init__(self, file: Path, solutions: bool = True):
        super().__init__(file, None)
        self.name, self.file, self.solutions = f"lab_{file.stem}", file.name, solutions  # a chapter begins with a number
        self.boxes = count(1)  # numbers of those with an outcome
        self.blank = copy_of(read_master(file), "student", file)
        self.blanks = {cell.id: cell.source for cell in self.blank.cells}

    @property
    def download(self):
        return self.blank

    @property
    def goals(self) -> str:
        """What one is able to do afterwards, as the master says."""
        return re.search(r"\*\*You will be able to\*\* (.*)", self.prose)[1]

    def write(self, pages: Path) -> None:
        super().write(pages)
        (pages / "extra" / "labs").mkdir(exist_ok=True)
        nbformat.write(self.blank, pages / "extra" / "labs" / self.file)

    def _ending(self) -> str:
        return "**In class**: plans, timings and common mistakes stand in the [guide](teaching.md)."

    def _standing_for(self, cell, links, pages: Path) -> list:
        markup = cell.metadata.get("nbgrader", {})
        outcome = "outcome" in cell.metadata.get("tags", [])
        if cell.cell_type == "markdown":
            if outcome and not self.solutions:
                return []
            return [nbformat.v4.new_markdown_cell(links.applied(text)) for text in self._text(cell, markup, pages)]
        if markup.get("solution"):
            solution = [folded(MARK.sub("", cell.source), "Solution")] if self.solutions else []
            return [nbformat.v4.new_code_cell(self.blanks[cell.id]), *solution]
        if markup.get("grade"):
            return [folded(self.blanks[cell.id], f"Check, {markup['points']} points")]
        shown = super()._standing_for(cell, links, pages)
        return self._outcome(shown) if outcome else shown

    def _outcome(self, shown: list) -> list:
        """Cells with what came out behind a click, as it answers what a student is to predict; left out with the solutions."""
        code, texts = ([cell for cell in shown if cell.cell_type == kind] for kind in ("code", "markdown"))
        printed = [f"```text\n{output.text}\n```" for cell in code for output in cell.outputs if output.output_type == "stream"]
        for cell in code:
            cell.outputs = []
        texts = [*(cell.source for cell in texts), *printed] if self.solutions else []
        title = "What came out ({}): open it when your plan stands"
        return code + [nbformat.v4.new_markdown_cell(f"::::{{dropdown}} {title.format(next(self.boxes))}\n{text}\n::::")
                       for text in texts]

    def _text(self, cell, markup: dict, pages: Path) -> list[str]:
        """The text of a cell, with links that lead from the book; nothing of an answer that is left out."""
        text = with_sources(cell.source.replace("](../", "]("), pages)
        text = UNFOLDS.sub(r":::{dropdown} \1\n\2\n:::", text)
        if markup.get("solution"):
            return [f":::{{dropdown}} Solution\n{text}\n:::"] if self.solutions else []
        if cell is self.notebook.cells[0]:
            solutions = "Solutions are behind a click." if self.solutions else "Solutions are left out."
            text += "\n\n" + START.format(file=self.file, solutions=solutions)
        return [text]
