"""The parts of README that come from recorded figures: tables of the yardstick, and the opening picture."""

import shutil

from ..files import write_text
from .archive import ROOT, read_benchmark
from .figures import table
from .yardstick import Yardstick


def yardstick_table() -> str:
    """Sixty pairs by three judges."""
    return table(Yardstick.committed().sixty())


def twenty_pairs_table() -> str:
    """The older pairs."""
    return table(Yardstick.committed().twenty())


def sizes_table() -> str:
    """Size, time and memory of the models, from benchmarks/sizes.json."""
    return table(read_benchmark("sizes")["rows"], 1)


PARTS = {"yardstick": yardstick_table, "twenty pairs": twenty_pairs_table, "sizes": sizes_table}


def readme_with_results(text: str) -> str:
    """README text with its tables rebuilt from the committed benchmarks/yardstick.json and sizes.json."""
    for name, build in PARTS.items():
        start, end = f"<!-- {name} -->", f"<!-- end of {name} -->"
        text = f"{text.split(start)[0]}{start}\n{build()}\n{end}{text.split(end)[1]}"
    return text


def update_readme(opening) -> None:
    """Rebuild README's tables, and its opening picture from the file that notebook 00 left, if it did."""
    readme = ROOT / "README.md"
    write_text(readme, readme_with_results(readme.read_text(encoding="utf-8")))
    if opening.exists():
        shutil.copy(opening, ROOT / "docs" / "opening.jpg")
