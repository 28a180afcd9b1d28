"""The book: Sphinx pages of executed notebooks, with a landing page, glossary and bibliography. No page asks the network."""

import datetime
import json
import re
import shutil
import tempfile
from collections import Counter
from pathlib import Path
from string import Template

from ..errors import InputError
from ..evaluation.intervals import Claim
from .archive import RESULTS, ROOT, claims_by_notebook
from .chapters import Chapter
from .prose import chip

DOCS = ROOT / "docs"


def write_site(folder: Path, out: Path | None = None) -> Path:
    """Build the book of a folder's executed notebooks into `out` (None: the folder itself), below `site/`; returns its index.

    A run's notebooks count where their results are there: one that failed has none."""
    committed = folder == ROOT / "notebooks"
    files = [file for file in sorted(folder.glob("*.ipynb")) if committed or (folder / file.stem / "results.json").exists()]
    if not files:
        raise InputError(folder, "holds no executed notebooks", "name a folder that `stvae report` made, or none")
    chapters = [Chapter(file, run_of(file, committed)) for file in files]
    claims = claims_by_notebook("" if committed else folder)
    site = (out or folder) / "site"
    with tempfile.TemporaryDirectory() as temporary:
        pages = Path(temporary) / "pages"
        shutil.copytree(DOCS, pages)
        (pages / "extra").mkdir()
        for chapter in chapters:
            chapter.write(pages)
        (pages / "index.md").write_text(landing_page(chapters, claims), encoding="utf-8")
        _build(pages, site)
    return site / "index.html"


def site_of(folder: Path | None, out: Path | None) -> Path:
    """What `stvae site` builds: the book of a run's folder in place, or by default of the committed notebooks."""
    if folder is not None and not folder.is_dir():
        raise InputError(folder, "is no folder", "name one that `stvae report` made, or none for the committed notebooks")
    if folder is None:
        folder, out = ROOT / "notebooks", out or ROOT / "runs" / datetime.datetime.now().strftime("%Y-%m-%d_%H%M%S")
    return write_site(folder.resolve(), out)


def run_of(file: Path, committed: bool) -> Path | None:
    """Where the execution of a notebook left its files; for a committed one only what its committed results came with."""
    run = ROOT / "runs" / "notebooks" / file.stem if committed else file.with_suffix("")
    if committed:
        results, kept = RESULTS / f"{file.stem}.json", run / "results.json"
        return run if kept.exists() and results.exists() and kept.read_bytes() == results.read_bytes() else None
    return run


def questions() -> dict[str, str]:
    """The question that each notebook answers, as README lists them."""
    rows = re.findall(r"^\| \[[^]]*\]\(notebooks/(\w+)\.ipynb\) \| (.*?) \|$", (ROOT / "README.md").read_text(encoding="utf-8"),
                      re.MULTILINE)
    return dict(rows)


def landing_page(chapters: list[Chapter], claims: dict[str, list[Claim]]) -> str:
    """MyST of the index: a large picture, the verdicts, a card for each chapter."""
    first, asked = chapters[0], questions()
    opening = (f"pictures/{first.file_of(first.opening)}", json.dumps(first.opening.alt)) if first.opening else ("opening.jpg", "Stylised photographs")
    cards = [_card(chapter, asked.get(chapter.name, ""), claims.get(chapter.name, [])) for chapter in chapters]
    verdicts = [_statements(chapter, claims[chapter.name]) for chapter in chapters if claims.get(chapter.name)]
    template = Template((DOCS / "index.md").read_text(encoding="utf-8"))
    return template.substitute(picture=opening[0], alt=opening[1], chips=chips([claim for rows in claims.values() for claim in rows]),
                               cards="\n".join(cards), statements="\n".join(verdicts),
                               chapters="\n".join(chapter.name for chapter in chapters))


def chips(claims: list[Claim]) -> str:
    """How many claims have which verdict, as coloured badges."""
    return " ".join(chip(verdict, count) for verdict, count in Counter(claim.verdict.split(",")[0] for claim in claims).most_common())


def _card(chapter: Chapter, question: str, claims: list[Claim]) -> str:
    picture = f":img-top: pictures/{chapter.file_of(chapter.opening)}\n:img-alt: {json.dumps(chapter.opening.alt)}\n" if chapter.opening else ""
    return (f":::{{grid-item-card}} {chapter.title}\n:link: {chapter.name}\n:link-type: doc\n{picture}\n{question}\n\n"
            f"{chips(claims)} {chapter.minutes} min\n:::")


def _statements(chapter: Chapter, claims: list[Claim]) -> str:
    """The claims of a chapter behind its title, each with its verdict."""
    rows = "\n".join(f"- {chip(claim.verdict)} {claim.statement}" for claim in claims)
    return f":::{{dropdown}} {chapter.title}\n{rows}\n:::"


def _build(pages: Path, site: Path) -> None:
    from sphinx.cmd.build import build_main

    site.parent.mkdir(parents=True, exist_ok=True)
    if build_main(["--quiet", "--no-color", "-d", str(pages.parent / "doctrees"), str(pages), str(site)]):
        raise RuntimeError(f"Sphinx did not build {site}; its messages stand above")
