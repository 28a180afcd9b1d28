"""The instructor's guide, `docs/teaching.md`: what labs take, from what was measured, and in the book their cards."""

import re
from math import ceil
from pathlib import Path

from ..files import write_text
from .archive import ROOT, read_benchmark
from .figures import table
from .labs import Lab
from .readme import with_parts

GUIDE = ROOT / "docs" / "teaching.md"
CARDS = "<!-- cards -->"
STUDENTS, CORES, MINUTES = 30, 8, 75  # of a class, of its server, and what a lab lasts


def guide_with_results(text: str) -> str:
    """The guide with its figures rebuilt from the committed benchmarks/labs.json."""
    return with_parts(text, {"labs measured": labs_table, "class": class_needs})


def update_guide() -> None:
    """Rebuild the guide's figures."""
    write_text(GUIDE, guide_with_results(GUIDE.read_text(encoding="utf-8")))


def labs_table() -> str:
    """Time and memory of every lab, on one machine."""
    return table(read_benchmark("labs")["rows"], 1)


def class_needs() -> str:
    """What a class takes on one server, as a list."""
    record = read_benchmark("labs")
    largest = {name: max(row[name] for row in record["rows"]) for name in ("peak memory (MB)", "CPU (s)", "longest cell (s)")}
    memory = largest["peak memory (MB)"] + record["server (MB)"]
    busy = STUDENTS * largest["CPU (s)"] / (60 * MINUTES)
    wait = STUDENTS * largest["longest cell (s)"] / CORES
    return (f"- **Memory**: up to {largest['peak memory (MB)']:.0f} MB for a kernel and {record['server (MB)']:.0f} MB for the "
            f"server beside it, {ceil(STUDENTS * memory / 1000)} GB for {STUDENTS} students.\n"
            f"- **Processors**: where {STUDENTS} students run every cell of the busiest lab once in {MINUTES} minutes, "
            f"{busy:.1f} cores are busy on average.\n"
            f"- **The worst moment**: all press the key at once. On {CORES} cores the longest cell then takes up to {wait:.0f} "
            f"s, and {largest['longest cell (s)']:.1f} s for one alone.")


def complete(page: Path, labs: list[Lab], solutions: bool = True) -> None:
    """In Sphinx's copy of the guide: a card for each lab, and links to labs that lead to their chapters. solutions: whether the
    answers to its quiz and prompts are there, behind a click, and what only hidden tests see."""
    cards, text = "\n".join(_card(lab) for lab in labs), page.read_text(encoding="utf-8")
    if not solutions:
        text = re.sub(r"^\|.*\*\(hidden\)\* \|\n|^:::\{dropdown\}.*\n[\s\S]*?^:::\n", "", text, flags=re.MULTILINE)
    text = text.replace(CARDS, f"::::{{grid}} 1 2 2 2\n:gutter: 3\n\n{cards}\n::::")
    page.write_text(text.replace("](../notebooks/labs/", "](lab_"), encoding="utf-8")


def _card(lab: Lab) -> str:
    figure = lab.opening
    return (f":::{{grid-item-card}} {lab.title}\n:link: {lab.name}\n:link-type: doc\n:img-top: pictures/{lab.file_of(figure)}\n"
            f":img-alt: {figure.quoted_alt}\n\nYou will be able to {lab.goals}\n:::")
