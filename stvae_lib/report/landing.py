"""The landing page: a large picture, a gallery, the chapters with question and answer, and every verdict."""

import re
from pathlib import Path
from string import Template

from ..evaluation.intervals import Claim, counted
from .answers import answer
from .archive import ROOT
from .chapters import Chapter
from .prose import chip
from .showcase import gallery, origin


def questions() -> dict[str, str]:
    """The question that each notebook answers, as README lists them."""
    rows = re.findall(r"^\| \[[^]]*\]\(notebooks/(\w+)\.ipynb\) \| (.*?) \|$", (ROOT / "README.md").read_text(encoding="utf-8"),
                      re.MULTILINE)
    return dict(rows)


def landing_page(pages: Path, chapters: list[Chapter], claims: dict[str, list[Claim]]) -> str:
    """MyST of the index, from its template in Sphinx's folder `pages` and the pictures there."""
    asked = questions()
    cards = [_card(chapter, asked.get(chapter.name, ""), claims) for chapter in chapters]
    statements = [_statements(chapter, claims[chapter.name]) for chapter in chapters if claims.get(chapter.name)]
    return Template((pages / "index.md").read_text(encoding="utf-8")).substitute(
        gallery=gallery(pages), origin=origin(pages), chips=chips([claim for rows in claims.values() for claim in rows]),
        minutes=sum(chapter.minutes for chapter in chapters), first=chapters[0].name, first_minutes=chapters[0].minutes,
        cards="\n".join(cards), statements="\n".join(statements), chapters="\n".join(chapter.name for chapter in chapters))


def chips(claims: list[Claim]) -> str:
    """How many claims have which verdict, as coloured badges."""
    return " ".join(chip(verdict, count) for verdict, count in counted(claims).items())


def _card(chapter: Chapter, question: str, claims: dict[str, list[Claim]]) -> str:
    figure = chapter.opening
    picture = f":img-top: pictures/{chapter.file_of(figure)}\n:img-alt: {figure.quoted_alt}\n" if figure else ""
    asked = f"**{question[:1].upper()}{question[1:]}**" if question else ""
    answered = answer(chapter.name, claims, figures=False)
    parts = [asked, answered, f"{chapter.minutes} min to read", chips(claims.get(chapter.name, []))]
    return (f":::{{grid-item-card}} {chapter.title}\n:link: {chapter.name}\n:link-type: doc\n{picture}\n"
            + "\n\n".join(part for part in parts if part) + "\n:::")


def _statements(chapter: Chapter, claims: list[Claim]) -> str:
    """The claims of a chapter behind its title, each with its verdict."""
    rows = "\n".join(f"- {chip(claim.verdict)} {claim.statement}" for claim in claims)
    return f":::{{dropdown}} {chapter.title}\n{rows}\n:::"
