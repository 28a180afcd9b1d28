"""Slides of the chapters: what a lecture shows, and the chapter's prose as the speaker's notes. A deck is one file, which asks
nothing of a network.

nbconvert makes them, with reveal.js inside and equations as MathML. Which part of a chapter goes on a slide is decided here: a
heading with its first sentences, equations and short lists; a figure; a short table; the statements that were put to the test.
"""

import html
import io
import re

import nbformat
import numpy as np
from jinja2 import pass_context
from latex2mathml.converter import convert
from nbconvert.exporters import SlidesExporter
from nbconvert.filters.markdown_mistune import IPythonRenderer, MarkdownWithMath
from PIL import Image

from .cells import Figure, figure_in, pairs
from .chapters import Chapter
from .npm import Package, fetched
from .prose import CHIPS, VERDICT
from .standalone import TEMPLATES, address

PACKAGE = Package("reveal.js", "6.0.2",
                  "sha512-JYIg5D9aoxoaLeb84O+OvAwsKWdIavVgEDScxtYEXFCT6t6TQrhNtSgogcjdCpdLsWglhJn3zyE3fUOwiH5KEg==",
                  ("reveal.css", "theme/serif.css", "reveal.js", "plugin/notes.js"))
WORDS, ITEMS, ROWS, COLUMNS, STATEMENTS = 70, 7, 9, 6, 5  # more of them does not fit a slide
SENTENCE = re.compile(r"(?<=[.?!])\s+(?=[\"*_`$(A-Z…])")
ITEM = re.compile(r"(?m)^((?:[-*]|\d+\.) )")
STATEMENT = re.compile(rf"(?P<statement>.+): \*\*{VERDICT}\*\* \(")
SUMMARY = re.compile(r"<details><summary>(.*?)</summary>")  # of what the page folds away
HEADING = re.compile(r"(?m)^#{2,4} (.+)$")
TALL = 1.2  # height over width of a figure from which on its rows go side by side
LINK = re.compile(r"(?<!!)\[([^]]*)\]\((?!https?:)[^)]*\)")  # to other notebooks and to sources: not beside a deck


def deck(chapter: Chapter, question: str) -> str:
    """A chapter's slides as a page of HTML. question: what the chapter answers, for the first slide. InputError as
    `npm.fetched`."""
    notebook = nbformat.v4.new_notebook(cells=slides_of(chapter, question), metadata={"title": chapter.title})
    folder = fetched(PACKAGE)
    parts = {name.split("/")[-1].replace(".", "_"): (folder / name).read_text(encoding="utf-8") for name in PACKAGE.files}
    return _Deck().from_notebook_node(notebook, resources={"parts": parts})[0]


def slides_of(chapter: Chapter, question: str) -> list:
    """Markdown cells, each marked as nbconvert wants it: what begins a slide, what is below it, and what is a note."""
    picture = _picture(chapter.opening) if chapter.opening else ""
    cells, statements, heading = [_cell(f"# {chapter.title}\n\n{question}\n\n{picture}", "slide")], [], chapter.title
    for cell in chapter.notebook.cells:
        if cell.cell_type == "markdown":
            cells += _tested(statements) + _told(cell.source)
            heading = (HEADING.findall(cell.source) or [heading])[-1]
            continue
        for output, following in pairs(cell):
            text = output.get("data", {}).get("text/markdown", "")
            if figure := figure_in(output, following):
                larger = chapter.figures[figure.number]
                cells += [*_tested(statements), _cell(f"{_picture(larger)}\n\n{figure.caption}", "subslide")]
            elif not ITEM.match(text) and (found := STATEMENT.match(text)):
                statements.append((found["statement"], found[2], text))
            elif told := _result(text):
                cells += _tested(statements)
                _add(cells, heading, told)
    return _without_bare(cells + _tested(statements))


def _add(cells: list, heading: str, told: str) -> None:
    """A result on the slide of its heading, where nothing else stands on it, or on one of its own."""
    last = next(cell for cell in reversed(cells) if cell.metadata.slideshow.slide_type != "notes")
    if last.source.lstrip("# ") == heading:
        last.source += f"\n\n{told}"
    else:
        cells.append(_cell(f"#### {heading}\n\n{told}", "subslide"))


def _result(text: str) -> str:
    """What a slide shows of a result in words or as a table: the line that a folded one stands behind, where it tells what was
    found, of a list the first sentences; nothing of what is too long."""
    if found := SUMMARY.match(text):
        return found[1] if ":" in found[1] else ""
    return text if _is_short(text) else shown(text) if ITEM.match(text) else ""


def _without_bare(cells: list) -> list:
    """Slides without those that are a heading alone, with nothing below."""
    kinds = [cell.metadata.slideshow.slide_type for cell in cells]
    followed = [next((kind for kind in kinds[index + 1:] if kind != "notes"), "slide") for index in range(len(cells))]
    return [cell for cell, kind, after in zip(cells, kinds, followed)
            if kind == "notes" or after == "subslide" or not all(line.startswith("#") for line in cell.source.split("\n\n"))]


def _told(source: str) -> list:
    """Slides of a cell of prose: one for each heading. What stands under none is said, and not shown."""
    cells = []
    for part in re.split(r"(?m)^(?=#{2,4} )", source):
        if part.startswith("##"):
            cells.append(_cell(shown(part), "slide" if part.startswith("## ") else "subslide"))
        if part.strip():
            cells.append(_cell(part, "notes"))
    return cells


def shown(part: str) -> str:
    """What a slide shows of a heading and the text under it: the first sentences, equations with the sentence that leads to each,
    short lists and tables."""
    kept, told, before = [], False, ""
    for block in re.split(r"\n\s*\n", part.strip()):
        if block.startswith("$$") and told and not before.startswith(kept[-1][:20]) and not before.startswith("$$"):
            kept.append(SENTENCE.split(before)[-1])
        before = block
        if block.startswith(("#", "$$")) or _is_short(block):
            kept.append(block)
        elif ITEM.match(block):
            _, *parts = ITEM.split(block)
            kept += ["\n".join(sign + SENTENCE.split(text.strip())[0] for sign, text in zip(parts[::2], parts[1::2][:ITEMS]))]
        elif not block.startswith(("|", "<")) and not told:
            kept.append(_first_sentences(block))
            told = True
    return "\n\n".join(kept)


def _first_sentences(text: str) -> str:
    """As many whole sentences as a slide bears, one at least."""
    sentences = SENTENCE.split(text)
    count = 1
    while count < len(sentences) and len(" ".join(sentences[:count + 1]).split()) <= WORDS:
        count += 1
    return " ".join(sentences[:count])


def _is_short(text: str) -> bool:
    """Whether a text is a table that a slide bears."""
    lines = text.strip().splitlines()
    return len(lines) > 2 and len(lines) <= ROWS + 2 and lines[0].startswith("|") and lines[0].count("|") <= COLUMNS + 1


def _tested(statements: list[tuple[str, str, str]]) -> list:
    """Slides of statements and their verdicts, and what was measured as notes; none is left in the list."""
    cells = []
    while statements:
        said, verdicts, measured = zip(*statements[:STATEMENTS])
        rows = [f'- <span class="verdict {_kind(verdict)}">{verdict}</span> {text}' for text, verdict in zip(said, verdicts)]
        cells += [_cell("### Put to the test\n\n" + "\n".join(rows), "subslide"), _cell("\n\n".join(measured), "notes")]
        del statements[:STATEMENTS]
    return cells


def _kind(verdict: str) -> str:
    return CHIPS[verdict.split(",")[0]]


def _picture(figure: Figure) -> str:
    """A figure; a tall one of many rows in two halves, side by side."""
    kind, parts = "jpeg" if figure.suffix == "jpg" else figure.suffix, [figure.data]
    if figure.columns:
        picture = Image.open(io.BytesIO(figure.data))
        if picture.height > TALL * picture.width:
            parts = _halves(picture, figure.columns)
    alts = [html.escape(figure.alt), "Its lower rows."]
    shown = "".join(f'<img src="{address(part, kind)}" alt="{alt}">' for part, alt in zip(parts, alts))
    return f'<div class="halves">{shown}</div>' if len(parts) > 1 else shown


def _halves(picture: Image.Image, columns: int) -> list[bytes]:
    """The upper and the lower rows of a grid of about square pictures, cut in the gap between two rows."""
    rows = max(2, round(picture.height * columns / picture.width))
    middle, reach = picture.height * -(-rows // 2) // rows, picture.height // (3 * rows)
    brightness = np.asarray(picture.convert("L"), dtype=float).mean(1)[middle - reach:middle + reach]
    cut, halves = middle - reach + int(np.median(np.flatnonzero(brightness > brightness.max() - 1))), []
    for box in ((0, 0, picture.width, cut), (0, cut, picture.width, picture.height)):
        buffer = io.BytesIO()
        picture.crop(box).save(buffer, picture.format or "png", quality=85)
        halves.append(buffer.getvalue())
    return halves


def _cell(source: str, kind: str):
    return nbformat.v4.new_markdown_cell(LINK.sub(r"\1", source), metadata={"slideshow": {"slide_type": kind}})


class _Deck(SlidesExporter):
    """nbconvert's slides by this project's template, which has reveal.js in it."""

    def __init__(self, **options):
        super().__init__(template_name="slides", extra_template_basedirs=[str(TEMPLATES)], anchor_link_text="", **options)

    @pass_context
    def markdown2html(self, context, source):
        """The filter of the templates."""
        return MarkdownWithMath(renderer=_Renderer(escape=False, anchor_link_text="", exclude_anchor_links=True)).render(source)


class _Renderer(IPythonRenderer):
    def inline_math(self, body: str) -> str:
        return convert(body.strip())

    def block_math(self, body: str) -> str:
        return convert(body.strip(), display="block")
