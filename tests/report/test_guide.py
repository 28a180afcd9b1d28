"""The instructor's guide says what was measured, and names what there is."""

import re

from common import ROOT

from stvae_lib.report import guide
from stvae_lib.report.archive import read_benchmark
from stvae_lib.report.labs import masters

TEXT = guide.GUIDE.read_text(encoding="utf-8")


def test_the_guide_shows_the_committed_figures():
    assert guide.guide_with_results(TEXT) == TEXT and TEXT.count("<!-- end of") == 2


def test_labs_are_as_quick_and_as_small_as_a_course_needs():
    rows = read_benchmark("labs")["rows"]
    assert len(rows) == len(masters())
    for row in rows:
        assert row["all cells (s)"] <= 180 and row["peak memory (MB)"] <= 2000 and row["longest check (s)"] <= 5, row["lab"]


def test_the_slides_that_a_plan_names_are_there():
    named = re.findall(r"(?<=[|;] )(\d\d), \*(.+?)\*", TEXT)
    assert len(named) == 5
    for chapter, section in named:
        [file] = (ROOT / "notebooks").glob(f"{chapter}_*.ipynb")
        assert f"## {section}" in file.read_text(encoding="utf-8"), section


def test_the_quiz_has_a_key():
    questions, key = TEXT.split("## A quiz")[1].split("## ")[0].split(":::{dropdown} Key")
    assert len(re.findall(r"(?m)^\d+\. ", questions)) == len(re.findall(r"(?m)^\d+\. ", key)) == 10


def test_a_book_without_solutions_has_no_answers_in_its_guide(tmp_path):
    page = tmp_path / "teaching.md"
    for solutions in (True, False):
        page.write_text(TEXT, encoding="utf-8")
        guide.complete(page, [], solutions)
        found = page.read_text(encoding="utf-8")
        assert all((part in found) == solutions for part in ("{dropdown} Key", "rested on a reputation", "*(hidden)* |"))
        assert "## A quiz" in found and "## Where to run it" in found
        assert ("\n:::\n" in found) == solutions, "a fold is left out whole"
