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


def test_some_pairs_are_judged_among_all_of_the_set(optimising, tmp_path, monkeypatch):
    (tmp_path / "set").mkdir()
    (tmp_path / "set" / "pairs.json").write_text("[[0, 0], [1, 1], [2, 2]]")

    def judge_all(judges, root, methods, sizes):
        drawn = [methods["one"](float(number), 10.0) for number in range(3)]
        return {"one": {"judge": {"style": drawn}}}

    monkeypatch.setattr(optimising.yardstick, "judge_all", judge_all)
    pairs = {0: None, 2: None}
    found = optimising.judged(None, tmp_path, pairs, {"one": lambda content, style: content + style})
    assert found["one"]["judge"]["style"] == [10, 12]
    seen = []
    optimising.judged(None, tmp_path, pairs, {"one": lambda content, style: seen.append(content)})
    assert seen == [0.0, 2.0]
