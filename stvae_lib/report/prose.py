"""The text of a chapter: mentions of glossary terms, papers and figures become links, verdicts become chips."""

import re
from pathlib import Path

from ..evaluation.intervals import BY_READING, CONFOUNDED, FAILS, HOLDS, UNDECIDED, WITHDRAWN

# what is no running text: code, equations, links, tags, headings, tables
PROTECTED = re.compile(r"(```[\s\S]*?```|`[^`]*`|\$\$[\s\S]*?\$\$|\$[^$\n]+\$|!?\[[^\]]*\]\([^)\s]*\)|<[^>\n]+>|^#.*$|^\|.*$)",
                       re.MULTILINE)
FIGURE = r"(?<!paper's )(?<!, )\bfigure (?P<figure>\d+)(?! of the paper| to the letter)"  # of the chapter, not of the paper
CHIPS = {HOLDS: "success", FAILS: "danger", UNDECIDED: "secondary", WITHDRAWN: "dark", CONFOUNDED: "warning"}
VERDICT = rf"((?:{'|'.join(CHIPS)})(?:, {BY_READING})?)"


def chip(verdict: str, count: int | None = None) -> str:
    """A verdict as a coloured badge; count: how many claims have it."""
    return f"{{bdg-{CHIPS[verdict.split(',')[0]]}}}`{verdict if count is None else f'{verdict}: {count}'}`"


def with_chips(markdown: str) -> str:
    """The verdicts of `Claim.sentence` and `Book.claims_table` as chips."""
    return re.sub(rf"\*\*{VERDICT}\*\*|(?<=\| ){VERDICT}(?= \|)", lambda found: chip(found[1] or found[2]), markdown)


def with_statements(markdown: str) -> str:
    """A `Claim.sentence` that stands alone as a box: the statement with its verdict, and below it what both rest on."""
    def boxed(found: re.Match) -> str:
        if re.search(r"[.!?] [A-Z]", found[1]):  # it ends a text
            return found[0]
        measured, *control = found[3].split("; control, ", 1)
        rests = f"{measured}" + (f"<br>Control: {control[0]}" if control else "")
        return f":::{{div}} statement {found[2].split(',')[0]}\n{found[1]} {chip(found[2])}\n\n{rests}\n:::"

    return re.sub(rf"^([^\n]+): \*\*{VERDICT}\*\* \(([^\n]+)\)\.$", boxed, markdown)


def with_cards(markdown: str) -> str:
    """Tables of `Book.claims_table` in a box of their own, which turns their rows into cards where the page is narrow."""
    return re.sub(r"(?m)^\| statement \|.*(?:\n\|.*)+", r":::{div} statements\n\n\g<0>\n\n:::", markdown)


def anchor(chapter: str, figure) -> str:
    """Where a figure of a chapter stands, by its number: one name in the whole book, in the form that HTML gets."""
    return f"chapter-{chapter.replace('_', '-')}-figure-{figure}"


class Links:
    """What the prose of one chapter links to. terms: of the glossary. papers: as a notebook writes them -> their keys.
    figures: numbers of those that the chapter has."""

    def __init__(self, terms: list[str], papers: dict[str, str], chapter: str, figures):
        self.papers, self.chapter, self.figures, self.seen = papers, chapter, figures, set()
        self.terms = {spelling: term for term in terms for spelling in (term, term[0].upper() + term[1:])}
        named, words = ("|".join(re.escape(text) for text in sorted(texts, key=len, reverse=True)) or "(?!)"
                        for texts in (papers, self.terms))
        self.pattern = re.compile(rf"(?P<paper>{named})|{FIGURE}|(?<![\w/-])(?P<term>{words})(?:s|-\d+)?(?![\w/-])")

    @classmethod
    def read(cls, docs: Path, chapter: str, figures) -> "Links":
        """From the glossary and the bibliography in a folder."""
        from pybtex.database import parse_file

        terms = re.findall(r"^(\w[^\n{:]*)\n  ", (docs / "glossary.md").read_text(encoding="utf-8"), re.MULTILINE)
        papers = {name.strip(): key for key, entry in parse_file(docs / "references.bib").entries.items()
                  for name in entry.fields.get("named", "").split("|") if name}
        return cls(terms, papers, chapter, figures)

    def applied(self, markdown: str) -> str:
        """A text with its links. A term is linked where a chapter uses it first, papers and figures wherever they are named."""
        parts = PROTECTED.split(markdown)
        parts[::2] = [self.pattern.sub(self._link, part) for part in parts[::2]]
        return "".join(parts)

    def _link(self, found: re.Match) -> str:
        if found["paper"]:
            return f"{{cite:alp}}`{self.papers[found['paper']]}`"
        if found["figure"]:
            return f"[{found[0]}](#{anchor(self.chapter, found['figure'])})" if int(found["figure"]) in self.figures else found[0]
        term = self.terms[found["term"]]
        if term in self.seen:
            return found[0]
        self.seen.add(term)
        return f"{{term}}`{found[0]} <{term}>`"
