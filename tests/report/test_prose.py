import re

import nbformat
import pytest
from common import ROOT

from stvae_lib.evaluation.intervals import Claim, Interval, above, judge
from stvae_lib.report.prose import CHIPS, Links, anchor, chip, with_cards, with_chips, with_statements

DOCS = ROOT / "docs"


@pytest.fixture
def links():
    return Links(["Gram matrix", "VAE", "whitening"], {"Li and Wand 2016": "li"}, "04_x", {1, 2})


def test_a_term_is_linked_where_it_is_used_first(links):
    assert links.applied("A Gram matrix, two Gram matrixs.") == "A {term}`Gram matrix <Gram matrix>`, two Gram matrixs."
    assert links.applied("Whitening and the Gram matrix.") == "{term}`Whitening <whitening>` and the Gram matrix."
    assert links.applied("ST-VAE, vae, and VAEs.") == "ST-VAE, vae, and {term}`VAEs <VAE>`."


@pytest.mark.parametrize("text", ["## VAE", "`VAE`", "$VAE$", "$$\nVAE\n$$", "[VAE](x.ipynb)", "| VAE |", "<b title='VAE'>",
                                  "```python\nVAE\n```", "VAE/x"])
def test_only_running_text_is_linked(links, text):
    assert links.applied(text) == text


def test_papers_are_cited_wherever_they_are_named(links):
    assert links.applied("Idea (Li and Wand 2016). Li and Wand 2016.") == "Idea ({cite:alp}`li`). {cite:alp}`li`."


def test_figures_of_the_chapter_are_linked_and_those_of_the_paper_are_not(links):
    assert links.applied("as figure 2 shows") == f"as [figure 2](#{anchor('04_x', 2)}) shows"
    for text in ("the paper's figure 2", "(Liu, 2021, figure 1)", "figure 1 to the letter", "figure 1 of the paper", "figure 9"):
        assert links.applied(text) == text


def test_verdicts_become_chips():
    claim = Claim("it moves", "here", 1.0, [0.5, 1.5], 3, "3 photographs", "a rule", "holds", None)
    assert "It moves: {bdg-success}`holds` (" in with_chips(claim.sentence())
    row = with_chips("| it moves | 1.0 | a rule | fails, by reading | still: 0, holds |")
    assert row == "| it moves | 1.0 | a rule | {bdg-danger}`fails, by reading` | still: 0, holds |"
    assert chip("undecided", 3) == "{bdg-secondary}`undecided: 3`" and len(set(CHIPS.values())) == len(CHIPS)


def test_a_statement_that_stands_alone_gets_a_box_with_what_it_rests_on():
    claim = judge("it moves (pixels)", "here", Interval(1.0, 0.5, 3), "photographs", above(0), ("stills", Interval(0.0, 0.1, 3)))
    assert with_statements(claim.sentence()) == (
        ":::{div} statement holds\nIt moves (pixels) {bdg-success}`holds`\n\n"
        "1.00 [0.50, 1.50], bound 0, 3 photographs<br>Control: stills: 0.00 [-0.10, 0.10], undecided\n:::")
    for among_others in (f"So much for that. {claim.sentence()}", f"{claim.sentence()} And so on."):
        assert with_statements(among_others) == among_others


def test_tables_of_statements_get_a_box_of_their_own():
    table = "| statement | verdict |\n| --- | --- |\n| it moves | holds |"
    boxed = f":::{{div}} statements\n\n{table}\n\n:::"
    assert with_cards(f"<details>\n\n{table}\n\n</details>") == f"<details>\n\n{boxed}\n\n</details>"
    assert with_cards("| layer |\n| --- |\n| relu |") == "| layer |\n| --- |\n| relu |"


def test_the_glossary_explains_what_the_chapters_stand_on():
    terms = set(Links.read(DOCS, "x", {}).terms)
    assert terms >= {"Gram matrix", "whitening", "AdaIN", "WCT", "VAE", "ELBO", "KL divergence", "distillation", "latent space",
                     "posterior collapse"}


def test_every_paper_that_a_notebook_names_is_in_the_bibliography():
    papers = Links.read(DOCS, "x", {}).papers
    for file in (ROOT / "notebooks").glob("*.ipynb"):
        for cell in nbformat.read(file, as_version=4).cells:
            if cell.cell_type == "markdown":
                for named in papers:
                    cell.source = cell.source.replace(named, "")
                assert not re.search(r"[A-Z]\w+( et al\.| and [A-Z]\w+),? \(?(19|20)\d\d", cell.source), (file.name, cell.source)
