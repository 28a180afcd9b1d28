"""The course kit in a browser: slides, and a lab as a student does it."""

import shutil
import time

import nbformat
import pytest
from browser.servers import JUPYTERLAB, serving
from common import ROOT, opened
from labs.grading import grades, nbgrader

from stvae_lib import InputError
from stvae_lib.report import course, npm, slides

pytest.importorskip("nbgrader", reason="needs nbgrader (pip install -e '.[test]')")

SCREEN = {"width": 1280, "height": 720}
READY = "window.Reveal && Reveal.isReady()"
SCALES = "[...document.querySelectorAll('.slides section:not(:has(> section))')].map((slide) => Number(slide.style.zoom))"


@pytest.fixture(scope="module")
def decks(tmp_path_factory):
    """All decks in a folder; skips where reveal.js is out of reach."""
    try:
        npm.fetched(slides.PACKAGE)
    except InputError as error:
        pytest.skip(str(error))
    folder = tmp_path_factory.mktemp("kit")
    for name, data in course.slide_files().items():
        (folder / name).parent.mkdir(exist_ok=True)
        (folder / name).write_bytes(data)
    return sorted((folder / "slides").iterdir())


def test_slides_need_no_network_and_fit_the_screen(watched, decks):
    assert len(decks) == len(list((ROOT / "notebooks").glob("*.ipynb")))
    for file in decks:
        watched.requests.clear()
        opened(watched, file, SCREEN, ".slides section.present", 60_000)
        watched.wait_for_function(READY)
        scales = watched.evaluate(SCALES)
        assert len(scales) == watched.evaluate("Reveal.getTotalSlides()") > 5 and min(scales) >= 0.6, (file.name, scales)
        assert watched.errors == [] and all(url.startswith(("file:", "data:")) for url in watched.requests), file.name
        assert watched.evaluate("[...document.images].every((image) => image.alt && image.naturalWidth)"), file.name


def test_a_key_turns_the_slide_and_notes_are_out_of_sight(watched, decks):
    opened(watched, decks[1], SCREEN, ".slides section.present", 60_000)
    watched.wait_for_function(READY)
    first = watched.evaluate("Reveal.getCurrentSlide().innerText")
    watched.keyboard.press("Space")
    watched.wait_for_function("Reveal.getProgress() > 0")
    assert watched.evaluate("Reveal.getCurrentSlide().innerText") != first
    assert watched.locator("aside.notes").count() > 5 and not watched.locator("aside.notes").first.is_visible()


class Student:
    """Hands on a notebook in JupyterLab."""

    def __init__(self, page):
        self.page = page

    def cell(self, text: str):
        """The code cell that has a text in it."""
        return self.page.locator(".jp-CodeCell", has=self.page.locator(".cm-content", has_text=text)).first

    def types(self, into, line: str, new: str) -> None:
        """Replace a line of a cell by typing, behind its indent."""
        into.locator(".cm-line", has_text=line).click()
        self.page.keyboard.press("End")
        self.page.keyboard.press("Shift+Home")
        self.page.keyboard.type(new)

    def runs(self, cell, prompt: str, seconds: float = 180) -> str:
        """Run a cell until its prompt shows a number that it did not show; returns what came out."""
        before = cell.locator(".jp-InputPrompt").inner_text()
        cell.locator(".cm-content").click()
        self.page.keyboard.press("Control+Enter")
        end = time.monotonic() + seconds
        while (now := cell.locator(".jp-InputPrompt").inner_text()) == before or "*" in now or now.strip() == "[ ]:":
            assert time.monotonic() < end, f"{prompt} did not run"
            self.page.wait_for_timeout(200)
        return "\n".join(cell.locator(".jp-OutputArea-output").all_inner_texts())


@pytest.mark.slow
@pytest.mark.usefixtures("own_jupyter")
def test_a_student_does_an_exercise_and_it_is_graded(watched, tmp_path, monkeypatch):
    """The student copy opened, one exercise solved: first not at all, then wrongly, then rightly; saved, handed in, graded."""
    monkeypatch.setenv("PYTHONPATH", str(ROOT))
    for name, data in course.lab_files().items():
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_bytes(data)
    file = tmp_path / "student" / "01_features.ipynb"
    with serving(file.parent, *JUPYTERLAB) as address:
        watched.set_default_timeout(120_000)
        watched.goto(f"{address}lab/tree/{file.name}")
        watched.locator(".jp-Toolbar-kernelName", has_text="Python 3").wait_for(state="attached", timeout=300_000)
        student = Student(watched)
        blank, check = student.cell("def gram_matrix"), student.cell("G = gram_matrix(F)")
        student.runs(student.cell("def made_up"), "the first cell", 300)
        student.runs(blank, "the blank")
        assert "NotImplementedError" in student.runs(check, "the check")
        student.types(blank, "raise NotImplementedError()", "return features @ features.T")
        student.runs(blank, "the wrong answer")
        assert "did you divide by the number of places?" in student.runs(check, "the check")
        student.types(blank, "return features", "return features @ features.T / features.shape[1]")
        student.runs(blank, "the answer")
        assert student.runs(check, "the check") == "", "silent is passed"
        watched.keyboard.press("Control+s")
        end = time.monotonic() + 60
        while "features.shape[1]\n" not in "\n".join(cell.source + "\n" for cell in nbformat.read(file, as_version=4).cells
                                                     if cell.source.startswith("def gram_matrix")):
            assert time.monotonic() < end, "nothing was saved"
            time.sleep(0.5)
    kit, lab = tmp_path / "course", file.stem
    nbgrader(kit, "generate_assignment", lab)
    (kit / "submitted" / "anna" / lab).mkdir(parents=True)
    shutil.copy(file, kit / "submitted" / "anna" / lab)
    nbgrader(kit, "autograde", lab)
    assert grades(kit, lab)["anna"]["score"] == 2
