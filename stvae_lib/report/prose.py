"""The text of a chapter: first mentions of glossary terms, papers and figures become links, verdicts become chips."""

import re
from pathlib import Path

from ..evaluation.intervals import BY_READING, CONFOUNDED, FAILS, HOLDS, UNDECIDED, WITHDRAWN

# what is no running text: code, equations, links, tags, headings, tables
PROTECTED = re.compile(r"(```[\s\S]*?```|`[^`]*`|\$\$[\s\S]*?\$\$|\$[^$\n]+\$|!?\[[^\]]*\]\([^)\s]*\)|<[^>\n]+>|^#.*$|^\|.*$)", re.MULTILINE)
FIGURE = re.compile(r"(?<!paper's )(?<!, )\bfigure (\d+)(?! of the paper| to the letter)")  # of the chapter, not of the paper
CHIPS = {HOLDS: "success", FAILS: "danger", UNDECIDED: "secondary", WITHDRAWN: "dark", CONFOUNDED: "warning"}
VERDICT = rf"((?:{'|'.join(CHIPS)})(?:, {BY_READING})?)"


def chip(verdict: str, count: int | None = None) -> str:
    """A verdict as a coloured badge; count: how many claims have it."""
    return f"{{bdg-{CHIPS[verdict.split(',')[0]]}}}`{verdict if count is None else f'{count} {verdict}'}`"


def with_chips(markdown: str) -> str:
    """The verdicts of `Claim.sentence` and `Book.claims_table` as chips."""
    return re.sub(rf"\*\*{VERDICT}\*\*|(?<=\| ){VERDICT}(?= \|)", lambda found: chip(found[1] or found[2]), markdown)


def anchor(chapter: str, figure) -> str:
    """Where a figure of a chapter stands, by its number: one name in the whole book, and in the form that HTML gets."""
    return f"chapter-{chapter.replace('_', '-')}-figure-{figure}"


class Links:
    """What the prose of one chapter links to. terms: of the glossary. papers: as a notebook writes them -> their keys."""

    def __init__(self, terms: list[str], papers: dict[str, str], chapter: str, figures):
        self.chapter, self.figures = chapter, figures
        self.terms = {term.lower() if term.islower() else term: term for term in terms}
        self.papers = papers

    @classmethod
    def read(cls, docs: Path, chapter: str, figures) -> "Links":
        """From the glossary and the bibliography in a folder."""
        terms = re.findall(r"^(\w[^\n{:]*)\n  ", (docs / "glossary.md").read_text(encoding="utf-8"), re.MULTILINE)
        entries = re.findall(r"^@\w+\{(\w+),(.*?)^\}", (docs / "references.bib").read_text(encoding="utf-8"), re.DOTALL | re.MULTILINE)
        papers = {name.strip(): key for key, body in entries for named in re.findall(r"named = \{(.+?)\},\n", body)
                  for name in named.split("|")}
        return cls(terms, papers, chapter, figures)

    def applied(self, markdown: str) -> str:
        """A text with its links. A term is linked where a chapter uses it first, a paper wherever it is named."""
        parts = PROTECTED.split(markdown)
        parts[::2] = [self._linked(part) for part in parts[::2]]
        return "".join(parts)

    def _linked(self, text: str) -> str:
        for name, key in self.papers.items():
            text = text.replace(name, f"{{cite:alp}}`{key}`")
        text = FIGURE.sub(lambda found: f"[{found[0]}](#{anchor(self.chapter, found[1])})"
                          if int(found[1]) in self.figures else found[0], text)
        for term in sorted(self.terms, key=len, reverse=True):
            parts = PROTECTED.split(text)
            found = next(((index, match) for index, part in enumerate(parts[::2]) if (match := _mention(term, part))), None)
            if found:
                index, match = found
                parts[2 * index] = f"{match.string[:match.start()]}{{term}}`{match[0]} <{self.terms.pop(term)}>`{match.string[match.end():]}"
                text = "".join(parts)
        return text


def _mention(term: str, text: str) -> re.Match | None:
    """The first place where a text uses a term, also in the plural; abbreviations as they are written."""
    return re.search(rf"(?<![\w`{{/-]){re.escape(term)}s?(?![\w`/-])", text, 0 if term.isupper() else re.IGNORECASE)
