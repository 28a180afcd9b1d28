"""Executed notebooks as chapters: what Sphinx reads in their place, with pictures in files beside it and code folded."""

import re
from pathlib import Path
from string import Template

import nbformat

from ..errors import InputError
from ..pictures.images import load_image
from .archive import ROOT, read_json
from .cells import CAPTION, Figure, figure_in, pairs, summary, without_places, without_traces
from .prose import Links, anchor, with_chips

FRAMES_MARK = re.compile(r'<div data-frames="([^"/]+)"></div>')
FILM_MARK = re.compile(r'<div data-film="([^"/]+)"></div>')
SOURCE_LINK = re.compile(r"\]\(\.\./([\w/.-]+)")
WORDS_PER_MINUTE = 200


def read_notebook(file: Path):
    """An executed notebook. InputError where it is broken or was never executed."""
    remedy = "execute it again by `stvae report`"
    try:
        notebook = nbformat.read(file, as_version=4)
        nbformat.validate(notebook)
    except (ValueError, AttributeError, KeyError, TypeError, nbformat.ValidationError) as error:
        reason = str(error).strip().splitlines() or [type(error).__name__]
        raise InputError(file, f"is no notebook ({reason[0][:80]})", remedy) from None
    if not any(cell.outputs for cell in notebook.cells if cell.cell_type == "code"):
        raise InputError(file, "has no outputs", remedy)
    return notebook


class Chapter:
    """A notebook on its way into the book. run: the folder where its execution left figures and frames, or None."""

    def __init__(self, file: Path, run: Path | None):
        self.name, self.run = file.stem, run
        self.notebook = without_traces(without_places(read_notebook(file)))
        self.prose = "\n\n".join(cell.source for cell in self.notebook.cells if cell.cell_type == "markdown")
        found = [figure_in(*pair) for cell in self.notebook.cells for pair in pairs(cell)]
        self.figures = {figure.number: figure for figure in found if figure}
        self.larger = self._larger()

    @property
    def download(self):
        """The notebook that the book hands out, whatever Sphinx reads in its place."""
        return self.notebook

    @property
    def title(self) -> str:
        return next((line[2:] for line in self.prose.splitlines() if line.startswith("# ")), self.name)

    @property
    def minutes(self) -> int:
        """What reading the text takes, without code and tables."""
        return max(1, round(len(self.prose.split()) / WORDS_PER_MINUTE))

    @property
    def opening(self) -> Figure | None:
        """The figure that stands for the chapter: of the photographic ones the largest file, which shows most."""
        photographic = [figure for figure in self.figures.values() if figure.suffix == "jpg"]
        return max(photographic, key=lambda figure: len(figure.data), default=None)

    def write(self, pages: Path) -> None:
        """Write the chapter into Sphinx's source folder, and its pictures beside it."""
        for figure in self.figures.values():
            _write(pages / "pictures" / self.file_of(figure), figure.data)
            if figure.number in self.larger:
                _write(pages / "extra" / "enlarged" / self.file_of(figure), self.larger[figure.number])
        links = Links.read(pages, self.name, self.figures)
        cells = [shown for cell in self.notebook.cells for shown in self._standing_for(cell, links, pages)]
        if self.opening:
            self._open(cells)
        nbformat.write(nbformat.v4.new_notebook(cells=cells, metadata={"language_info": {"name": "python"}}),
                       pages / f"{self.name}.ipynb")

    def _standing_for(self, cell, links: Links, pages: Path) -> list:
        """The cells of the book that a cell becomes: a text with its links, code folded, nothing of the parameters."""
        if cell.cell_type == "markdown":
            return [nbformat.v4.new_markdown_cell(links.applied(cell.source))]
        if not cell.source.strip() or "parameters" in cell.metadata.get("tags", []):
            return []
        return self._folded(cell, pages)

    def _open(self, cells: list) -> None:
        """Put the opening picture under the title; where it stands in the introduction, move it there with its caption."""
        picture, figure = self._picture(self.opening), self._figure(self.opening)
        place = next(index for index, cell in enumerate(cells) if cell.source == figure)
        if not any(re.search(r"(?m)^## ", cell.source) for cell in cells[:place] if cell.cell_type == "markdown"):
            picture = cells.pop(place).source
        cells[0].source = re.sub(r"(?m)^# .*$", lambda title: f"{title[0]}\n\n{picture}", cells[0].source, count=1)

    def file_of(self, figure: Figure) -> str:
        """Name of a figure's file: of its own in the whole book, and all that Sphinx may find."""
        return f"{self.name}-figure-{figure.number}.{figure.suffix}"

    def _larger(self) -> dict[int, bytes]:
        """Of figures that the run kept in another file (a larger one) than the notebook shows, that file, by number."""
        kept = read_json(self.run / "results.json", "execute it again")["figures"] if self.run else []
        files = {number: self.run / entry["file"] for number, entry in enumerate(kept, start=1)}
        found = {number: file.read_bytes() for number, file in files.items() if number in self.figures and file.exists()}
        return {number: data for number, data in found.items() if data != self.figures[number].data}

    def _picture(self, figure: Figure) -> str:
        """A figure without its caption, above the text; it leads to where it stands."""
        return (f"```{{image}} pictures/{self.file_of(figure)}\n:alt: {figure.quoted_alt}\n:class: opening\n"
                f":target: \"#{anchor(self.name, figure.number)}\"\n```")

    def _figure(self, figure: Figure) -> str:
        """A figure, numbered as in the notebook; a click opens it at its full size."""
        shelf = "enlarged" if figure.number in self.larger else "_images"
        return (f"```{{figure}} pictures/{self.file_of(figure)}\n:name: {anchor(self.name, figure.number)}\n"
                f":alt: {figure.quoted_alt}\n:target: {shelf}/{self.file_of(figure)}\n:figclass: enlarge\n\n"
                f"{figure.caption}\n```")

    def _folded(self, cell, pages: Path) -> list:
        """A code cell behind one line, and behind it what it showed, as text of the book."""
        shown, kept = [], []
        for output, following in pairs(cell):
            data = output.get("data", {})
            if figure := figure_in(output, following):
                shown.append(self._figure(figure))
            elif "text/markdown" in data:
                if not CAPTION.match(data["text/markdown"]):
                    shown.append(with_sources(with_chips(data["text/markdown"]), pages))
            elif mark := FRAMES_MARK.search(data.get("text/html", "")):
                shown.append(self._slider(mark[1], pages))
            elif mark := FILM_MARK.search(data.get("text/html", "")):
                shown.append(self._player(mark[1], pages))
            elif not (shown and output.output_type == "execute_result"):  # the last value, where a cell speaks by itself
                kept.append(output)
        return [folded(cell.source, summary(cell), kept), *[nbformat.v4.new_markdown_cell(text) for text in shown if text]]

    def _player(self, file: str, pages: Path) -> str:
        """A player, where `Book.film` left its mark and the run its film."""
        if self.run is None or not (self.run / file).exists():
            return ""
        _write(pages / "extra" / "films" / f"{self.name}-{file}", (self.run / file).read_bytes())
        return (f"```{{raw}} html\n<video controls autoplay loop muted playsinline preload=\"metadata\" class=\"film\" "
                f"src=\"films/{self.name}-{file}\" aria-label=\"The film that the next figure shows a moment of\"></video>\n```")

    def _slider(self, mark: str, pages: Path) -> str:
        """A slider over precomputed pictures, by a script of its own, where `Book.frames` left its mark."""
        file, columns, rows, *labels = mark.split("|")
        if self.run is None or not (self.run / file).exists():
            return ""
        columns, rows = int(columns), int(rows)
        sprite = f"frames/{self.name}-{file}"
        _write(pages / "extra" / sprite, (self.run / file).read_bytes())
        height, width = (side / count for side, count in zip(load_image(self.run / file).shape[2:], (rows, columns)))
        inputs = [f'<label>{label} <input type="range" min="0" max="{count - 1}" value="0" aria-label="{label}"></label>\n'
                  for label, count in zip(labels, (columns, rows))]
        template = Template((Path(__file__).parent / "templates" / "frames.html").read_text(encoding="utf-8"))
        text = template.substitute(label=", ".join(labels), side=round(max(320, width)), ratio=f"{width:g}/{height:g}",
                                   columns=columns, rows=rows, sliders="".join(inputs), sprite=sprite)
        return f"```{{raw}} html\n{text}```"


def _write(file: Path, data: bytes) -> None:
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_bytes(data)


def folded(source: str, said: str, outputs=()):
    """A cell of the book whose code is behind one line."""
    return nbformat.v4.new_code_cell(source, outputs=list(outputs), metadata={
        "tags": ["hide-input"], "mystnb": {"code_prompt_show": said, "code_prompt_hide": said}})


def with_sources(markdown: str, pages: Path) -> str:
    """Links to files of the repository lead to copies of them in the book."""
    for path in SOURCE_LINK.findall(markdown):
        if (ROOT / path).is_file():
            _write(pages / "extra" / "code" / path, (ROOT / path).read_bytes())
    return SOURCE_LINK.sub(r"](source:\1", markdown)
