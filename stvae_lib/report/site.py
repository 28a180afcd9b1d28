"""The book: Sphinx pages of executed notebooks, with a landing page, glossary and bibliography. No page asks the network."""

import datetime
import re
import shutil
import tempfile
import warnings
from collections import Counter
from pathlib import Path
from string import Template

import nbformat

from ..errors import InputError
from ..evaluation.intervals import Claim
from ..files import make_folder
from . import guide
from .archive import RESULTS, ROOT, claims_by_notebook, has_results
from .chapters import Chapter
from .labs import Lab, masters
from .prose import chip

DOCS = ROOT / "docs"


def write_site(folder: Path, out: Path | None = None, solutions: bool = True) -> Path:
    """Build the book of a folder's executed notebooks into `out` (None: the folder itself), below `site/`; returns its index.

    A run's notebooks count where their results are there: one that failed has none. The labs are the repository's;
    solutions: whether theirs are in the book, behind a click."""
    committed = folder == ROOT / "notebooks"
    files = [file for file in sorted(folder.glob("*.ipynb")) if committed or has_results(folder, file.stem)]
    if not files:
        raise InputError(folder, "holds no executed notebooks", "name a folder that `stvae report` made, or none")
    chapters = [Chapter(file, run_of(file, committed)) for file in files]
    labs = [Lab(file, solutions) for file in masters()]
    claims = claims_by_notebook("" if committed else folder)
    site = (out or folder) / "site"
    with tempfile.TemporaryDirectory() as temporary:
        pages = Path(temporary) / "pages"
        shutil.copytree(DOCS, pages)
        (pages / "extra").mkdir()
        for chapter in (*chapters, *labs):
            chapter.write(pages)
        guide.complete(pages / "teaching.md", labs)
        (pages / "index.md").write_text(landing_page(chapters, claims), encoding="utf-8")
        _build(pages, site, whole=len(files) == len(list((ROOT / "notebooks").glob("*.ipynb"))))
    for chapter in (*chapters, *labs):  # what the theme's button gives
        nbformat.write(chapter.download, site / "_sources" / f"{chapter.name}.ipynb")
    return site / "index.html"


def site_of(folder: Path | None, out: Path | None, solutions: bool = True) -> Path:
    """What `stvae site` builds: the book of a run's folder in place, or by default of the committed notebooks."""
    if folder is not None and not folder.is_dir():
        raise InputError(folder, "is no folder", "name one that `stvae report` made, or none for the committed notebooks")
    folder = (folder or ROOT / "notebooks").resolve()
    if folder == ROOT / "notebooks":
        out = out or ROOT / "runs" / datetime.datetime.now().strftime("%Y-%m-%d_%H%M%S")
    return write_site(folder, out and out.absolute(), solutions)


def run_of(file: Path, committed: bool) -> Path | None:
    """Where the execution of a notebook left its files; for a committed one only what its committed results came with."""
    if not committed:
        return file.with_suffix("")
    run = ROOT / "runs" / "notebooks" / file.stem
    results, kept = RESULTS / f"{file.stem}.json", run / "results.json"
    return run if kept.exists() and results.exists() and kept.read_bytes() == results.read_bytes() else None


def questions() -> dict[str, str]:
    """The question that each notebook answers, as README lists them."""
    rows = re.findall(r"^\| \[[^]]*\]\(notebooks/(\w+)\.ipynb\) \| (.*?) \|$", (ROOT / "README.md").read_text(encoding="utf-8"),
                      re.MULTILINE)
    return dict(rows)


def landing_page(chapters: list[Chapter], claims: dict[str, list[Claim]]) -> str:
    """MyST of the index: a large picture, the verdicts, a card for each chapter."""
    asked, everything = questions(), [claim for rows in claims.values() for claim in rows]
    cards = [_card(chapter, asked.get(chapter.name, ""), claims.get(chapter.name, [])) for chapter in chapters]
    statements = [_statements(chapter, claims[chapter.name]) for chapter in chapters if claims.get(chapter.name)]
    return Template((DOCS / "index.md").read_text(encoding="utf-8")).substitute(
        chips=chips(everything), cards="\n".join(cards), statements="\n".join(statements),
        chapters="\n".join(chapter.name for chapter in chapters))


def chips(claims: list[Claim]) -> str:
    """How many claims have which verdict, as coloured badges."""
    counts = Counter(claim.verdict.split(",")[0] for claim in claims)
    return " ".join(chip(verdict, count) for verdict, count in counts.most_common())


def _picture(chapter: Chapter) -> tuple[str, str] | None:
    """File and alt text, quoted for a directive, of the picture that stands for a chapter."""
    figure = chapter.opening
    return (f"pictures/{chapter.file_of(figure)}", figure.quoted_alt) if figure else None


def _card(chapter: Chapter, question: str, claims: list[Claim]) -> str:
    shown = _picture(chapter)
    picture = ":img-top: {}\n:img-alt: {}\n".format(*shown) if shown else ""
    return (f":::{{grid-item-card}} {chapter.title}\n:link: {chapter.name}\n:link-type: doc\n{picture}\n{question}\n\n"
            f"{chapter.minutes} min to read\n\n{chips(claims)}\n:::")


def _statements(chapter: Chapter, claims: list[Claim]) -> str:
    """The claims of a chapter behind its title, each with its verdict."""
    rows = "\n".join(f"- {chip(claim.verdict)} {claim.statement}" for claim in claims)
    return f":::{{dropdown}} {chapter.title}\n{rows}\n:::"


def _build(pages: Path, site: Path, whole: bool) -> None:
    """Run Sphinx. What it finds wrong with a page goes to stderr; what its extensions will have to change, to nobody; nor,
    unless the book is `whole`, links to chapters that it does not have."""
    from sphinx.cmd.build import build_main

    make_folder(site, "choose a writable --out")
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)
        warnings.simplefilter("ignore", PendingDeprecationWarning)
        missing = [] if whole else ["-D", "suppress_warnings=myst.xref_missing"]
        status = build_main([*missing, "--quiet", "--no-color", "-d", str(pages.parent / "doctrees"), str(pages), str(site)])
    if status:
        raise RuntimeError(f"Sphinx did not build {site}; its messages stand above")
