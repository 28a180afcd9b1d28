import json

import numpy as np
import pytest
import torch
from common import benchmark

from stvae_lib import InputError
from stvae_lib.baselines.optimisation import History


class Here:
    """A process pool that is this process."""

    def __init__(self, *_, **__):
        self._result = None

    def __enter__(self):
        return self

    def __exit__(self, *_):
        return False

    def submit(self, work, *given):
        self._result = work(*given)
        return self

    def result(self):
        return self._result


class Panel:
    """Says nothing of a picture but its mean."""

    def __init__(self, comparison):
        names = {key: [pair[key] for pair in comparison.pairs()] for key in ("photo", "style_name")}
        self.contents, self.styles = ({name: torch.rand(1, 3, 32, 32) for name in row} for row in names.values())

    def __call__(self, image, photo, style):
        return {"mean": float(image.mean())}


@pytest.fixture()
def comparison(monkeypatch):
    module = benchmark("comparison")
    monkeypatch.setattr(module, "ProcessPoolExecutor", Here)
    return module


def test_pairs_are_three_as_the_report_chose_six_others_and_three_that_are_not_shown(comparison):
    rows = comparison.pairs()
    glass = [row for row in rows if row["glass"]]
    assert len(rows) == 12 and len(glass) == 6
    assert all(len({row[key] for row in glass}) == 6 for key in ("photo", "style_name"))
    assert [row["shown"] for row in rows] == [True] * 9 + [False] * 3


def test_a_killed_run_goes_on_with_the_pairs_that_are_missing(comparison, tmp_path):
    panel = Panel(comparison)
    comparison.run("control-blend", 5, tmp_path, panel)
    file = tmp_path / "control-blend" / "card.json"
    whole = json.loads(file.read_text())
    assert len(whole["rows"]) == 12 and len(list(file.parent.glob("*.jpg"))) == 9
    kept = whole | {"rows": [row | {"mean": -1.0} for row in whole["rows"][:7]]}
    file.write_text(json.dumps(kept))
    comparison.run("control-blend", 5, tmp_path, panel)
    rows = json.loads(file.read_text())["rows"]
    assert [row["mean"] for row in rows[:7]] == [-1.0] * 7 and len(rows) == 12
    assert rows[7]["mean"] == whole["rows"][7]["mean"]


def test_other_settings_do_not_go_on(comparison, tmp_path):
    (tmp_path / "card.json").write_text(json.dumps({"rows": []} | comparison.settings_of("method-2", 300)))
    assert comparison.begun(tmp_path / "card.json", "method-2", 300)["iterations"] == 300
    with pytest.raises(InputError, match="other settings; delete it"):
        comparison.begun(tmp_path / "card.json", "method-2", 10**6)


def test_optimising_methods_run_as_often_as_published_or_the_limit(comparison, monkeypatch):
    """Counts alone: in place of the network there is nothing."""
    asked = []
    monkeypatch.setattr(comparison.weights, "loss_network", lambda *given: asked.append(given))
    monkeypatch.setitem(comparison.baselines.OPTIMISING, "method-3", lambda *_, **options: (options, History()))
    options, _ = comparison.METHODS["method-3"](10**6)(None, None)
    assert options["iterations"] == 100 and options["snapshots"] == (1, 10, 50, 299)
    assert comparison.METHODS["method-3"](7)(None, None)[0]["iterations"] == 7 and asked[0] == ("vgg16", "relu5_3")
    published = {name: comparison.settings_of(name, 10**6)["iterations"] for name in comparison.PUBLISHED}
    assert published == {"method-1": 200, "method-2": 1000, "method-3": 100}


def test_stages_from_coarse_to_fine_stand_side_by_side(comparison):
    stages = [np.zeros((1, 3, side, side), np.float32) for side in (64, 128, 256)]
    assert comparison.side_by_side(stages).shape == (1, 3, 256, 3 * 256)
