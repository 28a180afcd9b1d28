"""Pictures that optimisation goes on from, beside published networks."""

import pytest
import torch
from common import ROOT, SHARED, benchmark, needs_shared


@pytest.fixture
def refining(monkeypatch):
    monkeypatch.syspath_prepend(ROOT / "benchmarks")  # it stands on scripts beside it
    return benchmark("refining")


def test_leads_are_paired_and_the_values_behind_them_kept(refining):
    pairs = [(f"c{number % 4}", f"s{number % 3}") for number in range(8)]
    base = {name: [value + number / 10 for number in range(8)] for name, value in
            (("refined", 1.0), ("recoloured photograph refined", 1.5), ("photograph refined", 2.0), ("peer", 3.0))}
    rows = {name: {"judge": dict.fromkeys(refining.yardstick.MEASURES, values)} for name, values in base.items()}
    found = refining.leads(rows, pairs)
    assert found["ahead"]["refined"]["peer"]["judge"]["style"][:2] == pytest.approx([-2.0, 0.0])
    assert found["rows"]["peer"]["judge"]["kept"] == pytest.approx(3.35)
    assert found["values"]["peer"]["judge"]["kept"][7] == 3.7 and len(found["pairs"]) == 8
    assert set(found["ahead"]) == {"refined", "recoloured photograph refined", "photograph refined"}
    assert "refined" not in found["ahead"]["refined"]


@needs_shared
def test_pictures_are_drawn_once(refining, tmp_path):
    judges, root, drawn = refining.yardstick.module(SHARED / "eval" / "judges.py"), SHARED / "eval" / "set", []

    def method(content, style):
        drawn.append(content.shape)
        return torch.full_like(content, 0.5)

    pair = min(file.name for file in (root / "content").iterdir()), min(file.name for file in (root / "style").iterdir())
    for _ in range(2):
        refining.optimising.draw_missing(judges, root, {0: pair, 7: pair}, method, tmp_path / "refined")
    assert len(drawn) == 2 and {file.name for file in (tmp_path / "refined").iterdir()} == {"000.png", "007.png"}
