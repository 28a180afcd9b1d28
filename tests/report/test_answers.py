import nbformat
import pytest
from common import ROOT

from stvae_lib.evaluation.intervals import Interval, above, by_reading, judge
from stvae_lib.report import answers, archive, landing

COMMITTED = archive.claims_by_notebook()


def claim(statement, mean):
    return judge(statement, "here", Interval(mean, 0.5, 4), "photographs", above(0), ("none", 0.0), ("a mover", 1.0))


@pytest.fixture
def words(monkeypatch):
    said = {"claim": "it moves", "holds": "It moves", "fails": "It stays", "question": "whether it moves", "unit": "steps"}
    monkeypatch.setattr(answers, "tellings", lambda: {"01_x": [said, said | {"claim": "it flies", "holds": "It flies"}]})


def test_sentences_follow_the_verdicts(words):
    rows = [claim("it moves (far)", 2.0), claim("it sings", 2.0), claim("it flies", -2.0)]
    assert answers.answer("01_x", {"01_x": rows}) == "It moves (2.00 [1.50, 2.50] steps). It stays (-2.00 [-2.50, -1.50] steps)."
    assert answers.told("01_x", [claim("it moves", 0.1)]) == [
        ("undecided", "Whether it moves is undecided here (0.10 [-0.40, 0.60] steps; bound 0).")]


def test_a_notebook_without_words_is_told_by_its_own_statements(words):
    rows = [claim("it sings", 0.1), claim("it hums", 2.0), claim("it rings", 3.0)]
    assert answers.answer("02_y", {"02_y": rows}) == (
        "“it hums” holds (2.00 [1.50, 2.50]). “it sings” is undecided (0.10 [-0.40, 0.60]).")
    assert answers.answer("02_y", {}) == "" and answers.answer("00_report", {}) == ""


def test_what_was_found_is_grouped_by_verdict_and_nothing_is_left_out(words):
    found = answers.findings({"01_x": [claim("it moves", 2.0), claim("it flies", -2.0)], "02_y": [claim("it sings", 0.1)]})
    held, failed, still_open = (found.index(f"**{title}**") for title in answers.GROUPS)
    assert held < found.index("It moves") < failed < found.index("It stays") < still_open < found.index("it sings")
    assert "[01](01_x.ipynb)" in found and "- nothing" in answers.findings({"01_x": [claim("it moves", 2.0)]})


def test_the_answer_stands_between_its_marks():
    text = f"# Title\n\n{answers.START}\nold\n{answers.END}\n\nMore."
    assert answers.answered(text, r"new \\1") == f"# Title\n\n{answers.START}\n**Answer.** new \\\\1\n{answers.END}\n\nMore."
    assert answers.answered("# Title", "new") == "# Title"


def test_an_executed_notebook_gets_the_answer_of_its_run(words, tmp_path):
    file = tmp_path / "01_x.ipynb"
    first = nbformat.v4.new_markdown_cell(f"# Title\n\n{answers.START}\n{answers.END}")
    nbformat.write(nbformat.v4.new_notebook(cells=[first]), file)
    answers.write_answer(file, {"01_x": [claim("it moves", 2.0)]})
    assert "It moves (2.00" in nbformat.read(file, as_version=4).cells[0].source


@pytest.mark.parametrize("notebook", answers.tellings())
def test_every_claim_that_is_told_is_there_and_told_whichever_way_it_went(notebook):
    told = [entry for entry in answers.tellings()[notebook] if "opening" not in entry]
    assert len(answers.tellings()[notebook]) - len(told) <= 1
    for said in told:
        assert set(said) - {"tenfold"} == {"claim", "holds", "fails", "question", "unit"}
        assert said["question"].startswith("whether ")
        found = [row for row in COMMITTED[notebook] if row.statement.startswith(said["claim"])]
        assert len(found) == 1, said["claim"]


@pytest.mark.parametrize("file", sorted((ROOT / "notebooks").glob("*.ipynb")), ids=lambda file: file.stem)
def test_chapters_begin_with_question_and_answer(file):
    first = nbformat.read(file, as_version=4).cells[0].source
    if answers.START not in first:
        pytest.skip("has no place for an answer")
    question = landing.questions()[file.stem]
    assert f"**Question.** {question[0].upper()}{question[1:]}\n" in first
    assert answers.answered(first, answers.answer(file.stem, COMMITTED)) == first


def test_most_chapters_have_a_place_for_an_answer():
    texts = [nbformat.read(file, as_version=4).cells[0].source for file in (ROOT / "notebooks").glob("*.ipynb")]
    assert sum(answers.START in text and answers.END in text for text in texts) >= 7


def test_a_claim_by_reading_counts_as_what_it_says(words):
    read = by_reading("it is written", "https://example.org", "here")
    said = answers.answer("02_y", {"02_y": [claim("it hums", 0.1), read]})
    assert said.startswith("“it is written” holds, by reading (here). “it hums” is undecided")
