"""A model that was trained on, beside the shipped one."""

import json

import numpy as np
import pytest
from common import ROOT, SHARED, benchmark, needs_shared

from stvae_lib.model.weights import FOLDER
from stvae_lib.provenance import sha256

RECORD = ROOT / "data" / "runs" / "vgg16-half-third"


def test_the_record_is_of_the_shipped_weights_and_of_the_card():
    made, card = (json.loads((RECORD / f"{name}.json").read_text()) for name in ("judged", "card"))
    assert made["provenance"]["weights"] == {"shipped": sha256(FOLDER / "vgg16-half.safetensors")[:16],
                                             "further": card["sha256"][:16]}
    for judge, measures in made["differences"].items():
        for measure, (mean, half, _) in measures.items():
            means = [made["means"][name][judge][measure] for name in ("further", "shipped")]
            assert mean == pytest.approx(means[0] - means[1], abs=2e-4) and half >= 0


@needs_shared
def test_a_model_beside_itself_differs_in_nothing(monkeypatch):
    monkeypatch.syspath_prepend(ROOT / "benchmarks")
    further = benchmark("further")
    drawn = {}

    def judged(judges, root, methods, sizes):
        drawn.update(methods)
        value = np.arange(60.0).tolist()
        return {name: {"resnet50": {"style": value}} for name in methods}

    monkeypatch.setattr(further.yardstick, "judge_all", judged)
    found = further.compared(SHARED / "eval", FOLDER / "vgg19-slim.safetensors")
    assert found["differences"]["resnet50"]["style"][:2] == [0, 0] and set(drawn) == set(found["means"]) == {"shipped", "further"}
