"""What a lab's page shows of an outcome that its readers are to predict."""

import pytest

from stvae_lib.report.labs import Lab, masters
from stvae_lib.report.prose import Links


@pytest.mark.parametrize("solutions", [True, False])
def test_an_outcome_is_behind_a_click_or_left_out(solutions, tmp_path):
    lab = Lab(next(file for file in masters() if file.stem == "04_experiment"), solutions)
    told = [cell for cell in lab.notebook.cells if "outcome" in cell.metadata.get("tags", [])]
    assert len(told) == 4
    for cell in told:
        standing = lab._standing_for(cell, Links([], {}, "lab", {}), tmp_path)
        texts = [shown.source for shown in standing if shown.cell_type == "markdown"]
        assert bool(texts) == solutions and all(text.startswith((":::{dropdown} ", "::::{dropdown} ")) for text in texts)
        assert not any(shown.get("outputs") for shown in standing)
