"""The book: Sphinx pages of executed notebooks, with a landing page, glossary and bibliography. No page asks the network."""

import datetime
import logging
import shutil
import tempfile
import warnings
from pathlib import Path

import nbformat

from ..errors import InputError
from ..files import make_folder
from . import guide, showcase
from .archive import RESULTS, ROOT, claims_by_notebook, has_results
from .chapters import Chapter
from .labs import Lab, masters
from .landing import landing_page
from .scale import write_scale_page
from .try_it import build_try_it

DOCS = ROOT / "docs"


def write_site(folder: Path, out: Path | None = None, solutions: bool = True) -> Path:
    """Build the book of a folder's executed notebooks into `out` (None: the folder itself), below `site/`; returns its index.

    A run's notebooks count where their results are there: one that failed has none. The labs are the repository's;
    solutions: whether theirs are in the book, behind a click."""
    committed, files = folder == ROOT / "notebooks", chapter_files(folder)
    labs = [Lab(file, solutions) for file in masters()]
    claims = claims_by_notebook("" if committed else folder)
    chapters = [Chapter(file, run_of(file, committed), claims.get(file.stem, ())) for file in files]
    site = (out or folder) / "site"
    with tempfile.TemporaryDirectory() as temporary:
        pages = Path(temporary) / "pages"
        shutil.copytree(DOCS, pages)
        (pages / "extra").mkdir()
        for chapter in (*chapters, *labs):
            chapter.write(pages)
            if chapter.run:
                showcase.take(chapter.run, pages)
        guide.complete(pages / "teaching.md", labs, solutions)
        (pages / "index.md").write_text(landing_page(pages, chapters, claims), encoding="utf-8")
        write_scale_page(pages)
        _build(pages, site, whole=len(files) == len(list((ROOT / "notebooks").glob("*.ipynb"))))
    for chapter in (*chapters, *labs):  # what the download button gives: the notebook, not what Sphinx read in its place
        nbformat.write(chapter.download, site / "_sources" / f"{chapter.name}.ipynb")
    build_try_it(site, home="index.html")
    return site / "index.html"


def chapter_files(folder: Path) -> list[Path]:
    """Executed notebooks of a run's folder, or the committed ones, in order; InputError where there are none."""
    committed = folder.resolve() == ROOT / "notebooks"
    files = [file for file in sorted(folder.glob("*.ipynb")) if committed or has_results(folder, file.stem)]
    if not files:
        raise InputError(folder, "holds no executed notebooks", "name a folder that `stvae report` made, or none")
    return files


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


def has_previews(folder: Path | None) -> bool:
    """Whether a site of `folder` (None: the committed notebooks) shows the small figures that notebooks hold, for want of a
    run."""
    return folder is None and any(run_of(file, True) is None for file in chapter_files(ROOT / "notebooks"))


def _build(pages: Path, site: Path, whole: bool) -> None:
    """Run Sphinx. What it finds wrong with a page goes to stderr; what its extensions will have to change, to nobody; nor,
    unless the book is `whole`, links to chapters that it does not have."""
    logging.basicConfig(handlers=[logging.NullHandler()])  # or a style of Pygments that the theme loads prints what all log
    from sphinx.cmd.build import build_main

    make_folder(site, "choose a writable --out")
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)
        warnings.simplefilter("ignore", PendingDeprecationWarning)
        missing = [] if whole else ["-D", "suppress_warnings=myst.xref_missing"]
        status = build_main([*missing, "--quiet", "--no-color", "-d", str(pages.parent / "doctrees"), str(pages), str(site)])
    if status:
        raise RuntimeError(f"Sphinx did not build {site}; its messages stand above")
