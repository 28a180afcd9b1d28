"""Methods that optimise, beside a model on a part of the yardstick's pairs."""

import pytest
import torch
from common import ROOT, SHARED, benchmark, needs_shared

pytestmark = needs_shared


@pytest.fixture
def optimising(monkeypatch):
    monkeypatch.syspath_prepend(ROOT / "benchmarks")  # it stands on two scripts beside it
    return benchmark("optimising")


def test_pictures_are_drawn_once_and_found_again(optimising, tmp_path, monkeypatch):
    judges = optimising.yardstick.module(SHARED / "eval" / "judges.py")
    drawn = []

    def method(content, style):
        drawn.append(content.shape)
        return torch.full_like(content, len(drawn) / 4), None

    monkeypatch.setattr(optimising.comparison, "optimising", lambda name, limit, **options: method)
    root = SHARED / "eval" / "set"
    names = sorted(file.name for file in (root / "content").iterdir()), sorted(file.name for file in (root / "style").iterdir())
    pairs = {number: (names[0][0], names[1][0]) for number in (0, 5)}
    for _ in range(2):
        optimising.drawn(judges, root, pairs, "method-1", 3, tmp_path)
    assert len(drawn) == len(pairs)
    kept = optimising.kept_pictures(judges, tmp_path, pairs)
    means = [float(kept(None, None).mean()) for _ in pairs]
    assert means == pytest.approx([0.25, 0.5], abs=0.01)
