import shutil

import pytest

from stvae_lib.report import handout
from stvae_lib.report.archive import claims_by_notebook

pytest.importorskip("typst", reason="needs typst (pip install -e '.[course]')")


def test_the_handout_is_one_page_and_stops_where_it_is_not(tmp_path, monkeypatch):
    page = handout.handout()
    assert page.startswith(b"%PDF-") and isinstance(handout.handout("svg"), bytes), "several pages come as a list"
    (tmp_path / "long.typ").write_text(handout.SOURCE.read_text(encoding="utf-8") + 60 * "\n\nMore.\n", encoding="utf-8")
    shutil.copy(handout.SOURCE.parent / "opening.webp", tmp_path)
    monkeypatch.setattr(handout, "SOURCE", tmp_path / "long.typ")
    with pytest.raises(RuntimeError, match="does not fit one page"):
        handout.handout()


def test_its_numbers_are_the_committed_ones():
    told = handout.numbers()
    assert [row["name"] for row in told["models"]] == list(handout.MODELS)
    assert told["statements"] == sum(len(claims) for claims in claims_by_notebook().values())


def test_what_it_says_of_the_published_code_was_read_there():
    verdicts = {claim.statement: claim.verdict for claim in claims_by_notebook()["02_variational_linear_transform"]}
    for said in ("the published VAE encodes only the style's mean", "eps is drawn and never used",
                 "styles are mixed as feature maps",
                 "pure styles at the corners of the published 5 × 5 grid, which divides by 5: 1"):
        [verdict] = [verdict for statement, verdict in verdicts.items() if said in statement]
        assert verdict.startswith("holds"), said
