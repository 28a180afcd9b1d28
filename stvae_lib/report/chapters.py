"""Executed notebooks as chapters: what Sphinx reads in their place, with pictures in files beside it and code folded."""

import re
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from string import Template

import nbformat

from ..errors import InputError
from ..evaluation.intervals import Claim, counted, tally
from ..pictures.images import load_image, to_jpeg, to_tensor
from ..video.clips import open_clip
from .answers import END, GROUPS
from .archive import ROOT, read_json
from .cells import CAPTION, Figure, figure_in, pairs, summary, without_places, without_traces
from .launch import colab_cell
from .narrow import FOLDER as NARROW
from .prose import Links, anchor, chip, with_cards, with_chips, with_statements

FRAMES_MARK = re.compile(r'<div data-frames="([^"/]+)"></div>')
PAGE_MARK = re.compile(r'<div data-page="([^"/|]+)\|([^"]+)"></div>')
FILM_MARK = re.compile(r'<div data-film="([^"/]+)"></div>')
SOURCE_LINK = re.compile(r"\]\(\.\./([\w/.-]+)")
SOURCE_ADDRESS = re.compile(r'href="\.\./([\w/.-]+)(?:#[^"]*)?"')
WORDS_PER_MINUTE = 200
FOLDED = re.compile(r"<details>.*?</details>", re.DOTALL)


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
    """A notebook on its way into the book. run: the folder where its execution left figures and frames, or None. claims: what
    it put to the test."""

    def __init__(self, file: Path, run: Path | None, claims: Sequence[Claim] = ()):
        self.name, self.run, self.claims = file.stem, run, list(claims)
        self.notebook = without_traces(without_places(read_notebook(file)))
        self.prose = "\n\n".join(cell.source for cell in self.notebook.cells if cell.cell_type == "markdown")
        self.figures = self._kept()

    @property
    def download(self):
        """The notebook that the book hands out, whatever Sphinx reads in its place."""
        return self.notebook

    @property
    def title(self) -> str:
        return next((line[2:] for line in self.prose.splitlines() if line.startswith("# ")), self.name)

    @property
    def minutes(self) -> int:
        """What reading takes: the text, and what cells say as text, without code, tables and what is folded away."""
        said = [output.data["text/markdown"] for cell in self.notebook.cells for output in cell.get("outputs", ())
                if "text/markdown" in output.get("data", {})]
        lines = [line for line in FOLDED.sub("", "\n".join([self.prose, *said])).splitlines() if not line.startswith("|")]
        return max(1, round(len(" ".join(lines).split()) / WORDS_PER_MINUTE))

    @property
    def opening(self) -> Figure | None:
        """The figure that stands for the chapter: the one that its first cell names as `opening`, else, of the photographic ones,
        the largest file, which shows most."""
        named = self.notebook.cells[0].metadata.get("opening")
        photographic = [figure for figure in self.figures.values() if figure.suffix != "png"]
        return max(photographic, key=lambda figure: (figure.name == named, len(figure.data)), default=None)

    def write(self, pages: Path) -> None:
        """Write the chapter into Sphinx's source folder, and its pictures beside it."""
        for figure in self.figures.values():
            _write(pages / "pictures" / self.file_of(figure), figure.data)
            if narrow := figure.narrow:
                _write(pages / "extra" / NARROW / f"{Path(self.file_of(figure)).stem}.webp", narrow)
        links = Links.read(pages, self.name, self.figures)
        cells = [shown for cell in self.notebook.cells for shown in self._standing_for(cell, links, pages)]
        if self.opening:
            self._open(cells)
        cells.append(nbformat.v4.new_markdown_cell(with_sources(self._ending(), pages)))
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
        """Put the opening picture under question and answer. Figure 1 moves there with its caption, since it would otherwise come
        twice on the first pages; any other leads to where it stands."""
        picture = self._picture(self.opening)
        if self.opening.number == 1:
            place = next(index for index, cell in enumerate(cells) if cell.source == self._figure(self.opening))
            picture = cells.pop(place).source
        head = re.match(rf"[\s\S]*{END}|(#.*)?", cells[0].source)[0]  # the answer, or the title where there is none
        cells[0].source = f"{head}\n\n{picture}\n\n{cells[0].source[len(head):].lstrip()}"

    def _ending(self) -> str:
        """What failed, what stayed open behind a line, and where to go from here."""
        parts = []
        if self.claims:
            failed, left_open = (told_of(self.claims, GROUPS[title]) for title in ("What failed", "What stayed open"))
            parts = [f"## {'What failed, and where' if failed else 'Where'} to go",
                     f"Of the {len(self.claims)} statements of this chapter "
                     f"{tally(self.claims)}.{' What failed:' * bool(failed)}", failed]
            parts += [f":::{{dropdown}} What stayed open\n{left_open}\n:::"] * bool(left_open)
        parts.append(f"**Run it yourself**: [the notebook](page:_sources/{self.name}.ipynb), on your own pictures with `stvae "
                     f"report --only {self.name[:2]} -p content_dir my_photos -p style_dir my_paintings`; or [try the model]"
                     "(page:try_it.html) in this browser. **In class**: [labs and a guide](teaching.md). **All statements** with "
                     "their verdicts stand on the [first page](index.md), all words in the [glossary](glossary.md).")
        if first := colab_cell():
            parts.append(f"In Colab this has to run first:\n\n```text\n{first}\n```")
        return "\n\n".join(parts)

    def file_of(self, figure: Figure) -> str:
        """Name of a figure's file: of its own in the whole book, and all that Sphinx may find."""
        return f"{self.name}-figure-{figure.number}.{figure.suffix}"

    def _kept(self) -> dict[int, Figure]:
        """The chapter's figures by number, each with the larger file that the run kept, where there is one."""
        found = [figure_in(*pair) for cell in self.notebook.cells for pair in pairs(cell)]
        kept = read_json(self.run / "results.json", "execute it again")["figures"] if self.run else []
        files = {number: self.run / entry["file"] for number, entry in enumerate(kept, start=1)}
        return {figure.number: replace(figure, data=file.read_bytes(), suffix=file.suffix[1:])
                if (file := files.get(figure.number)) and file.exists() else figure for figure in found if figure}

    def _picture(self, figure: Figure) -> str:
        """A figure without its caption, above the text; it leads to where it stands."""
        return (f"```{{image}} pictures/{self.file_of(figure)}\n:alt: {figure.quoted_alt}\n:class: opening\n"
                f":target: \"#{anchor(self.name, figure.number)}\"\n```")

    def _figure(self, figure: Figure) -> str:
        """A figure, numbered as in the notebook; a click opens it at its full size."""
        return (f"```{{figure}} pictures/{self.file_of(figure)}\n:name: {anchor(self.name, figure.number)}\n"
                f":alt: {figure.quoted_alt}\n:target: _images/{self.file_of(figure)}\n:figclass: {figure.classes}\n\n"
                f"{figure.caption}\n```")

    def _folded(self, cell, pages: Path) -> list:
        """A code cell behind one line, and behind it what it showed, as text of the book."""
        shown, kept = [], []
        for output, following in pairs(cell):
            data = output.get("data", {})
            if figure := figure_in(output, following):
                shown.append(self._figure(self.figures[figure.number]))
            elif "text/markdown" in data:
                if not CAPTION.match(data["text/markdown"]):
                    shown.append(with_sources(with_cards(with_chips(with_statements(data["text/markdown"]))), pages))
            elif "image/svg+xml" in data:
                shown.append(f"```{{raw}} html\n<div class=\"drawing\" tabindex=\"0\">\n"
                             f"{with_sources(data['image/svg+xml'], pages)}\n</div>\n```")
            elif mark := FRAMES_MARK.search(data.get("text/html", "")):
                shown.append(self._slider(mark[1], pages))
            elif mark := FILM_MARK.search(data.get("text/html", "")):
                shown.append(self._player(mark[1], pages))
            elif mark := PAGE_MARK.search(data.get("text/html", "")):
                shown.append(self._page(*mark.groups(), pages))
            elif not (shown and output.output_type == "execute_result") and "book.save(" not in cell.source:
                kept.append(output)  # neither the last value where a cell speaks by itself, nor what was saved
        return [folded(cell.source, summary(cell), kept), *[nbformat.v4.new_markdown_cell(text) for text in shown if text]]

    def _left(self, file: str) -> Path | None:
        """A file that the run left for the pages, where there is one."""
        path = self.run / file if self.run else None
        return path if path and path.exists() else None

    def _player(self, file: str, pages: Path) -> str:
        """A player with the first frame in it, where `Book.film` left its mark and the run its film."""
        film = self._left(file)
        if film is None:
            return self._instead("plays the film here")
        first = next(open_clip(film).frames()).picture
        name, (height, width) = f"films/{self.name}-{file}", first.shape[:2]
        _write(pages / "extra" / name, film.read_bytes())
        _write(pages / "extra" / f"{name}.jpg", to_jpeg(to_tensor(first), quality=80))
        return (f"```{{raw}} html\n<video controls loop muted playsinline preload=\"none\" class=\"film\" width=\"{width}\" "
                f"height=\"{height}\" poster=\"{name}.jpg\" src=\"{name}\" "
                "aria-label=\"The film that the next figure shows a moment of\"></video>\n```")

    def _instead(self, does: str) -> str:
        """What stands where a book without a run lacks what a run leaves."""
        return "" if self.run else f"*These pages are made from the notebooks alone; a book that `make report` builds {does}.*"

    def _page(self, file: str, label: str, pages: Path) -> str:
        """A link to a page of its own, where `Book.page` left its mark and the run its page."""
        page = self._left(file)
        if page is None:
            return ""
        name = f"more/{self.name}-{file}"
        _write(pages / "extra" / name, page.read_bytes())
        return f"**[{label}](page:{name})**"

    def _slider(self, mark: str, pages: Path) -> str:
        """A slider over precomputed pictures, by a script of its own, where `Book.frames` left its mark."""
        file, columns, rows, *labels = mark.split("|")
        sheet = self._left(file)
        if sheet is None:
            return self._instead("has sliders here")
        columns, rows = int(columns), int(rows)
        sprite = f"frames/{self.name}-{file}"
        _write(pages / "extra" / sprite, sheet.read_bytes())
        height, width = (side / count for side, count in zip(load_image(sheet).shape[2:], (rows, columns)))
        inputs = [f'<label>{label} <input type="range" min="0" max="{count - 1}" value="0" aria-label="{label}"><output></output>'
                  "</label>\n" for label, count in zip(labels, (columns, rows))]
        template = Template((Path(__file__).parent / "templates" / "frames.html").read_text(encoding="utf-8"))
        text = template.substitute(label=", ".join(labels), side=round(max(320, width)), ratio=f"{width:g}/{height:g}",
                                   columns=columns, rows=rows, sliders="".join(inputs), sprite=sprite)
        return f"```{{raw}} html\n{text}```"


def told_of(claims: list[Claim], verdicts: tuple[str, ...]) -> str:
    """Markdown list of the claims with one of `verdicts`, each with what was measured; those that say the same of several things
    (in brackets at their end) are one entry."""
    order, entries = list(counted(claims)), {}
    for claim in sorted(claims, key=lambda claim: order.index(claim.verdict.split(", ")[0])):
        if claim.verdict.split(", ")[0] in verdicts:
            statement, thing = re.fullmatch(r"(.*?)(?: \(([^()]*)\))?", claim.statement).groups(default="")
            entries.setdefault((claim.verdict, statement), []).append(f"{thing}: {claim.amount()}".removeprefix(": "))
    return "\n".join(f"- {chip(verdict)} {statement} ({'; '.join(things)})" for (verdict, statement), things in entries.items())


def _write(file: Path, data: bytes) -> None:
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_bytes(data)


def folded(source: str, said: str, outputs=()):
    """A cell of the book whose code is behind one line."""
    return nbformat.v4.new_code_cell(source, outputs=list(outputs), metadata={
        "tags": ["hide-input"], "mystnb": {"code_prompt_show": said, "code_prompt_hide": said}})


def with_sources(markdown: str, pages: Path) -> str:
    """Links to files of the repository, in Markdown or HTML, lead to copies of them in the book."""
    for path in SOURCE_LINK.findall(markdown) + SOURCE_ADDRESS.findall(markdown):
        if (ROOT / path).is_file():
            _write(pages / "extra" / "code" / path, (ROOT / path).read_bytes())
    return SOURCE_ADDRESS.sub(r'href="code/\1"', SOURCE_LINK.sub(r"](source:\1", markdown))
