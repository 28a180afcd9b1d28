"""What a lab's page shows of an outcome that its readers are to predict."""

import pytest

from stvae_lib.report.labs import Lab, masters


@pytest.mark.parametrize("solutions", [True, False])
def test_an_outcome_is_behind_a_click_or_left_out(solutions, tmp_path):
    lab = Lab(next(file for file in masters() if file.stem == "04_experiment"), solutions)
    told = [cell for cell in lab.notebook.cells if "outcome" in cell.metadata.get("tags", [])]
    assert len(told) == 2
    for cell in told:
        texts = [shown.source for shown in lab._standing_for(cell, None, tmp_path) if shown.cell_type == "markdown"]
        assert bool(texts) == solutions and all(text.startswith("::::{dropdown} ") and "{figure}" in text for text in texts)
