"""What the cells of an executed notebook hold: figures, code that one line can stand for, and paths that nobody need see."""

import ast
import base64
import html
import json
import re
from dataclasses import dataclass, field
from pathlib import PurePath

import nbformat

from .narrow import SIDE_BY_SIDE, rewrapped
from .parameters import OWN

CAPTION = re.compile(r"\*\*Figure (\d+)\.\*\*")
SUFFIXES = {"image/jpeg": "jpg", "image/png": "png"}
# calls that say what a cell is there for, the most telling first
CALLS = {"claims_table(": "makes the table of statements", "judge(": "puts a statement to the test",
         "claim(": "puts a statement to the test", "by_reading(": "says what was read", "book.table(": "makes the table",
         "book.save(": "keeps the results"}


@dataclass(frozen=True)
class Figure:
    """A picture that `Book.figure` showed; caption: Markdown that begins with its number; columns: how many pictures stand in it
    side by side, 0 where it is a plot; wide: whether it goes beyond the text; edges, rows: of its columns and rows
    (`figures.layout`); key: how many of the first columns tell what the others show; scrolls: a plot that is too wide for a
    phone (`figures.extent`)."""

    number: int
    data: bytes
    suffix: str
    alt: str
    caption: str
    name: str = ""
    columns: int = 0
    wide: bool = False
    edges: list[float] = field(default_factory=list)
    rows: list[float] = field(default_factory=list)
    key: int = 0
    scrolls: bool = False

    @property
    def quoted_alt(self) -> str:
        """The alt text as the option of a directive, where YAML has its own use for colons and hashes."""
        return json.dumps(self.alt, ensure_ascii=False)

    @property
    def classes(self) -> str:
        """What the book's style sheet knows a figure by."""
        columns = f"columns-{self.columns}" if self.columns else ""
        return " ".join(filter(None, ["enlarge", "full-width" * self.wide, columns, "wide-plot" * self.scrolls]))

    @property
    def narrow(self) -> bytes | None:
        """The figure as a narrow screen gets it, where that is another."""
        return rewrapped(self.data, self.edges, self.rows, self.key) if len(self.edges) - 1 > SIDE_BY_SIDE else None


def figure_in(output, following) -> Figure | None:
    """The figure of a picture and the caption behind it; None where an output, or the one that follows, is something else."""
    kind = next((kind for kind in SUFFIXES if kind in output.get("data", {})), None)
    caption = following.get("data", {}).get("text/markdown", "") if following else ""
    if kind is None or not (found := CAPTION.match(caption)):
        return None
    noted = output.metadata.get(kind, {})
    return Figure(int(found[1]), base64.b64decode(output.data[kind]), SUFFIXES[kind], " ".join(noted.get("alt", "").split()),
                  caption, noted.get("name", ""), noted.get("columns", 0), noted.get("wide", False), noted.get("edges", []),
                  noted.get("rows", []), noted.get("key", 0), noted.get("scrolls", False))


def pairs(cell) -> list[tuple]:
    """Outputs of a code cell, each with the one that follows it (the last with None), without progress bars."""
    outputs = [output for output in cell.get("outputs", []) if not is_progress(output)]
    return list(zip(outputs, [*outputs[1:], None]))


def is_progress(output) -> bool:
    """Progress bars: of use while a notebook runs, noise in one that is read."""
    return output.output_type == "stream" and output.name == "stderr" or \
        "application/vnd.jupyter.widget-view+json" in output.get("data", {})


def without_traces(notebook):
    """A notebook without what its execution noted beside the outputs: paths, times, widget state, progress bars."""
    for key in ("papermill", "widgets"):
        notebook.metadata.pop(key, None)
    for cell in notebook.cells:
        for key in ("papermill", "execution", "collapsed"):
            cell.metadata.pop(key, None)
        if cell.cell_type == "code":
            cell.outputs = [output for output in cell.outputs if not is_progress(output)]
    return notebook


def summary(cell) -> str:
    """One line that says what a code cell does, by what it shows or else by what it defines."""
    if "injected-parameters" in cell.metadata.get("tags", []):
        return "Code: the parameters of this run"
    drawn = [figure.number for output, following in pairs(cell) if (figure := figure_in(output, following))]
    if drawn:
        return f"Code: draws figure {' and '.join(map(str, drawn))}"
    called = [does for call, does in CALLS.items() if call in cell.source]
    return f"Code: {called[0] if called else _defined(cell)}"


def _defined(cell) -> str:
    """What code is there for: its imports, its functions (by their docstrings), what it shows, or what follows."""
    try:
        body = ast.parse(cell.source).body
    except SyntaxError:  # a magic command
        return "a command"
    if body and isinstance(body[0], ast.Import | ast.ImportFrom):
        return "gets ready: libraries, model, pictures"
    functions = [node for node in body if isinstance(node, ast.FunctionDef)]
    if functions and (said := ast.get_docstring(functions[0])):
        return said.split(". ")[0].splitlines()[0].rstrip(".").replace("`", "")
    return "shows what came out" if cell.get("outputs") else "prepares what follows"


def without_places(notebook):
    """A notebook that shows no paths of this machine, of a reader's folders and files only the names: neither in the cell
    that papermill injected, where what the report sets by itself is left out, nor where a cell or an output repeats one."""
    places = []
    for cell in [cell for cell in notebook.cells if "injected-parameters" in cell.metadata.get("tags", [])]:
        given = ast.parse(cell.source).body
        texts = [line.value.value for line in given if isinstance(line.value, ast.Constant) and isinstance(line.value.value, str)]
        places += [text for text in texts if PurePath(text).is_absolute() and PurePath(text).name]
        cell.source = "\n".join(ast.unparse(line) for line in given if line.targets[0].id not in OWN)
        if not cell.source:
            notebook.cells.remove(cell)
    if not places:
        return notebook
    spellings = sorted({spelling for place in places for spelling in (place, html.escape(place))}, key=len, reverse=True)
    pattern = re.compile(rf"(?<![\w+/.-])({'|'.join(map(re.escape, spellings))})(?![\w-])")
    return nbformat.from_dict(_with_names(notebook, pattern))


def _with_names(value, pattern: re.Pattern):
    """Every text of a nested value with the paths that a pattern finds cut to their last part; pictures as they are."""
    if isinstance(value, str):
        return pattern.sub(lambda found: PurePath(found[0]).name, value)
    if isinstance(value, list):
        return [_with_names(entry, pattern) for entry in value]
    if isinstance(value, dict):
        return {key: entry if key.startswith("image/") and isinstance(entry, str) else _with_names(entry, pattern)
                for key, entry in value.items()}
    return value
